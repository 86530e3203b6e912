/* log_result.c - what becomes of operations and requests, in log lines. */
#include "run/operation.h"

#include "base/clock.h"

static uint32_t clamp_ms(int64_t ms)
{
    return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* request NULL: the line is about none. */
static struct casehook_log_record record_of(int level, const struct casehook_result *result,
                                            const struct casehook__request_record *request)
{
    struct casehook_log_record record = {
        .struct_size = sizeof record, .level = level, .operation = result->operation, .user = result->user};
    if (!request) return record;
    record.method = request->method;
    record.url = request->url ? request->url : "";
    record.step = request->step;
    record.outcome = request->outcome;
    record.http_status = request->status;
    record.attempt = request->attempt;
    record.duration_ms = clamp_ms(request->duration_ms);
    return record;
}

static const struct casehook__request_record *last_request(const struct casehook_result *result)
{
    return result->request_count ? &result->requests[result->request_count - 1] : NULL;
}

/* Those that have no line yet. */
static void log_requests(const struct casehook__log *log, struct casehook_result *result)
{
    for (size_t i = result->logged; i < result->request_count; i++) {
        struct casehook_log_record record = record_of(CASEHOOK_LOG_INFO, result, &result->requests[i]);
        casehook__log_write(log, &record, "%s: %s %s: status %d, %s", casehook_step_name(record.step),
                            record.method, record.url, record.http_status,
                            casehook_outcome_name(record.outcome));
    }
    result->logged = result->request_count;
}

void casehook__log_wait(const struct casehook_connector *connector, const struct casehook__machine *machine)
{
    const struct casehook__request_record *request = last_request(machine->result);
    if (!casehook__log_wants(connector->log, CASEHOOK_LOG_INFO)) return;
    int64_t left = machine->wake_at - casehook__machine_now(machine);
    log_requests(connector->log, machine->result);
    struct casehook_log_record record = record_of(CASEHOOK_LOG_INFO, machine->result, request);
    if (casehook__machine_waits_for_token(machine))
        casehook__log_write(connector->log, &record, "%s: waits for a token that another operation asks for",
                            casehook_operation_name(machine->result->operation));
    else
        casehook__log_write(connector->log, &record, "%s: waits %lld ms before it goes on",
                            request ? casehook_step_name(request->step)
                                    : casehook_operation_name(machine->result->operation),
                            (long long)(left > 0 ? left : 0));
}

void casehook__operation_ended(struct casehook_connector *connector, struct casehook_result *result)
{
    casehook__stats_count(&connector->stats, connector->heap, result);
    const struct casehook_error *error = casehook_result_error(result);
    if (casehook__log_wants(connector->log, CASEHOOK_LOG_INFO)) log_requests(connector->log, result);
    if (!error || !casehook__log_wants(connector->log, CASEHOOK_LOG_ERROR)) return;
    struct casehook_log_record record = record_of(CASEHOOK_LOG_ERROR, result, last_request(result));
    record.step = error->step;
    record.status = error->status;
    record.outcome = error->outcome;
    record.http_status = error->http_status;
    record.duration_ms = clamp_ms(casehook__clock_ms() - result->begun);
    casehook__log_write(connector->log, &record, "%s failed (%s): %s", casehook_step_name(error->step),
                        casehook_status_name(error->status), casehook_error_message(error));
}

void casehook__log_fault(struct casehook_connector *connector, const struct casehook__input *input,
                         const struct casehook_error *error)
{
    casehook__stats_count_operation(&connector->stats, connector->heap, input->operation, error->status);
    struct casehook_log_record record = {.struct_size = sizeof record,
                                         .level = CASEHOOK_LOG_ERROR,
                                         .operation = input->operation,
                                         .user = input->user,
                                         .step = error->step,
                                         .status = error->status,
                                         .outcome = error->outcome};
    casehook__log_write(connector->log, &record, "%s failed (%s): %s",
                        error->step ? casehook_step_name(error->step)
                                    : casehook_operation_name(input->operation),
                        casehook_status_name(error->status), casehook_error_message(error));
}

void casehook__log_request(const struct casehook_connector *connector,
                           const struct casehook__machine *machine, int level)
{
    if (!casehook__log_wants(connector->log, level)) return;
    const struct casehook__request_record *request = last_request(machine->result);
    struct casehook_log_record record = record_of(level, machine->result, request);
    record.outcome = CASEHOOK_OUTCOME_NONE;
    record.duration_ms = clamp_ms(casehook__clock_ms() - request->begun);
    if (level == CASEHOOK_LOG_WARNING)
        casehook__log_write(connector->log, &record, "%s: %s %s: no answer for %u ms, still waiting",
                            casehook_step_name(record.step), record.method, record.url, record.duration_ms);
    else
        casehook__log_write(connector->log, &record, "%s: %s %s: begins", casehook_step_name(record.step),
                            record.method, record.url);
}

int64_t casehook__log_slow_time(const struct casehook_connector *connector)
{
    return casehook__log_wants(connector->log, CASEHOOK_LOG_WARNING)
               ? casehook__clock_ms() + connector->context.settings->slow_request_ms
               : CASEHOOK__NO_DEADLINE;
}
