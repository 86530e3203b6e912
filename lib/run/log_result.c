/* log_result.c - what became of an operation, in log lines. */
#include "run/connector.h"

void casehook__log_result(const struct casehook_connector *connector, const struct casehook_result *result)
{
    const struct casehook_error *error = casehook_result_error(result);
    if (casehook__log_wants(connector->log, CASEHOOK_LOG_INFO)) {
        for (size_t i = 0; i < result->exchange_count; i++) {
            const struct casehook__exchange_record *record = &result->exchanges[i];
            casehook__log_write(connector->log, CASEHOOK_LOG_INFO, "%s: %s %s: status %d, %s", record->step,
                                record->method, record->url ? record->url : "", record->status,
                                casehook__outcome_name(record->outcome));
        }
    }
    if (error)
        casehook__log_write(connector->log, CASEHOOK_LOG_ERROR, "%s failed (%s): %s", error->step,
                            casehook_status_name(error->status), error->message);
}
