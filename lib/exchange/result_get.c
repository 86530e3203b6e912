/* result_get.c - the getters of a result.  They only read: any number of threads may do so at once. */
#include "exchange/result.h"

static const char *view(const char *text, size_t text_length, size_t *length)
{
    if (length) *length = text ? text_length : 0;
    return text;
}

const struct casehook_error *casehook_result_error(const struct casehook_result *result)
{
    return result && result->error.status ? &result->error : NULL;
}

int casehook_result_operation(const struct casehook_result *result)
{
    return result ? result->operation : 0;
}

uint64_t casehook_result_user(const struct casehook_result *result)
{
    return result ? result->user : 0;
}

int casehook_result_status(const struct casehook_result *result)
{
    return result ? result->error.status : CASEHOOK_OK;
}

int casehook_result_step(const struct casehook_result *result)
{
    return casehook_error_step(casehook_result_error(result));
}

int casehook_result_outcome(const struct casehook_result *result)
{
    if (!result) return CASEHOOK_OUTCOME_NONE;
    if (result->error.status) return result->error.outcome;
    return result->preview ? CASEHOOK_OUTCOME_NOT_SENT : CASEHOOK_OUTCOME_DONE;
}

const char *casehook_result_id(const struct casehook_result *result, size_t *length)
{
    return view(result && result->id_length ? result->id : NULL, result ? result->id_length : 0, length);
}

const char *casehook_result_title(const struct casehook_result *result, size_t *length)
{
    return view(result ? result->title : NULL, result ? result->title_length : 0, length);
}

const char *casehook_result_url(const struct casehook_result *result, size_t *length)
{
    return view(result ? result->url : NULL, result ? result->url_length : 0, length);
}

const char *casehook_result_pushed_date(const struct casehook_result *result)
{
    return result && result->pushed_date[0] ? result->pushed_date : NULL;
}

size_t casehook_result_field_count(const struct casehook_result *result)
{
    return result ? result->field_count : 0;
}

/* NULL beyond them. */
static const struct casehook__kept_field *field_at(const struct casehook_result *result, size_t index)
{
    return result && index < result->field_count ? &result->fields[index] : NULL;
}

const char *casehook_result_field_name(const struct casehook_result *result, size_t index)
{
    const struct casehook__kept_field *field = field_at(result, index);
    return field ? field->name : NULL;
}

const char *casehook_result_field_value(const struct casehook_result *result, size_t index, size_t *length)
{
    const struct casehook__kept_field *field = field_at(result, index);
    return field ? view(field->text, field->length, length) : view(NULL, 0, length);
}

int casehook_result_field_is_text(const struct casehook_result *result, size_t index)
{
    const struct casehook__kept_field *field = field_at(result, index);
    return field && field->is_string;
}

const char *casehook_result_field(const struct casehook_result *result, const char *name, size_t *length)
{
    for (size_t i = 0; result && name && i < result->field_count; i++)
        if (strcmp(result->fields[i].name, name) == 0)
            return view(result->fields[i].text, result->fields[i].length, length);
    return view(NULL, 0, length);
}

size_t casehook_result_comment_count(const struct casehook_result *result)
{
    return result ? result->comment_count : 0;
}

const char *casehook_result_comment_id(const struct casehook_result *result, size_t index, size_t *length)
{
    if (!result || index >= result->comment_count) return view(NULL, 0, length);
    return view(result->comments[index].id.data, result->comments[index].id.length, length);
}

int casehook_result_comment_state(const struct casehook_result *result, size_t index)
{
    return result && index < result->comment_count ? result->comments[index].state
                                                   : CASEHOOK_COMMENT_NOT_ATTEMPTED;
}

size_t casehook_result_request_count(const struct casehook_result *result)
{
    return result ? result->request_count : 0;
}

static const struct casehook__request_record *request_at(const struct casehook_result *result, size_t index)
{
    return result && index < result->request_count ? &result->requests[index] : NULL;
}

int casehook_result_request_step(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->step : CASEHOOK_STEP_NONE;
}

const char *casehook_result_request_method(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->method : NULL;
}

const char *casehook_result_request_url(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->url : NULL;
}

int casehook_result_request_status(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->status : 0;
}

int casehook_result_request_outcome(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->outcome : CASEHOOK_OUTCOME_NONE;
}

int64_t casehook_result_request_started_ms(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->started_ms : -1;
}

int64_t casehook_result_request_duration_ms(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->duration_ms : -1;
}

int casehook_result_found(const struct casehook_result *result)
{
    return result && result->found;
}

const char *casehook_result_idempotency_key(const struct casehook_result *result)
{
    return result ? result->idempotency_key : NULL;
}

int casehook_result_idempotent(const struct casehook_result *result)
{
    return result && result->idempotent;
}

uint32_t casehook_result_request_attempt(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->attempt : 0;
}

int64_t casehook_result_request_delay_ms(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request ? request->delay_ms : -1;
}

/* NULL: there is no such request, or nothing is known of how it went. */
static const struct casehook__metrics *metrics_at(const struct casehook_result *result, size_t index)
{
    const struct casehook__request_record *request = request_at(result, index);
    return request && request->metrics.known ? &request->metrics : NULL;
}

int64_t casehook_result_request_time_us(const struct casehook_result *result, size_t index, int which)
{
    const struct casehook__metrics *metrics = metrics_at(result, index);
    switch (metrics ? which : 0) {
    case CASEHOOK_TIME_NAME: return metrics->name_us;
    case CASEHOOK_TIME_CONNECT: return metrics->connect_us;
    case CASEHOOK_TIME_TLS: return metrics->tls_us;
    case CASEHOOK_TIME_FIRST_BYTE: return metrics->first_byte_us;
    case CASEHOOK_TIME_TOTAL: return metrics->total_us;
    default: return -1;
    }
}

int64_t casehook_result_request_bytes_sent(const struct casehook_result *result, size_t index)
{
    const struct casehook__metrics *metrics = metrics_at(result, index);
    return metrics ? (int64_t)metrics->sent : -1;
}

int64_t casehook_result_request_bytes_received(const struct casehook_result *result, size_t index)
{
    const struct casehook__metrics *metrics = metrics_at(result, index);
    return metrics ? (int64_t)metrics->received : -1;
}

int casehook_result_request_reused(const struct casehook_result *result, size_t index)
{
    const struct casehook__metrics *metrics = metrics_at(result, index);
    return metrics && metrics->reused;
}
