/* template_value.c - one value as its place wants it: JSON value, JSON string, URL or plain text (T2-T5). */
#include "template/template_private.h"

#include "json/jstext.h"

/* Inside of a JSON string, in a URL, or as it is. */
static int write_text(const struct casehook__template *tmpl, const struct casehook__op *op,
                      struct casehook__text text, struct casehook__buf *out)
{
    switch (tmpl->kind) {
    case CASEHOOK__TEMPLATE_JSON: return casehook__js_escape(out, text);
    case CASEHOOK__TEMPLATE_URL: return casehook__js_uri_component(out, text);
    default: break;
    }
    if (tmpl->encode && !op->plain) return tmpl->encode(out, text);
    return casehook__buf_append_text(out, text);
}

static int write_inside(const struct casehook__template *tmpl, const struct casehook__op *op,
                        const struct casehook__value *value, struct casehook__buf *out)
{
    if (!value) return CASEHOOK_OK;
    if (value->kind != CASEHOOK__VALUE_LIST) return write_text(tmpl, op, casehook__value_word(value), out);
    /* "," joins before the whole is encoded (T5): encoding has no memory, so it may be done in parts */
    struct casehook__text comma = tmpl->kind == CASEHOOK__TEMPLATE_URL    ? CASEHOOK__TEXT("%2C")
                                  : tmpl->kind == CASEHOOK__TEMPLATE_JSON ? CASEHOOK__TEXT(", ")
                                                                          : CASEHOOK__TEXT(",");
    int status = CASEHOOK_OK;
    for (size_t i = 0; i < value->count && !status; i++) {
        if (i > 0) status = casehook__buf_append_text(out, comma);
        if (!status) status = write_text(tmpl, op, casehook__value_word(&value->items[i]), out);
    }
    return status;
}

static int write_scalar(const struct casehook__value *value, struct casehook__buf *out)
{
    if (value->kind == CASEHOOK__VALUE_TEXT) return casehook__js_string(out, value->text);
    struct casehook__text text = casehook__value_word(value);
    return casehook__buf_append_text(out, text.length ? text : CASEHOOK__TEXT("null"));
}

static int write_list(const struct casehook__value *value, struct casehook__buf *out)
{
    int status = casehook__buf_append_char(out, '[');
    for (size_t i = 0; i < value->count && !status; i++) {
        if (i > 0) status = casehook__buf_append_char(out, ',');
        if (!status) status = write_scalar(&value->items[i], out);
    }
    return status ? status : casehook__buf_append_char(out, ']');
}

int casehook__value_write(const struct casehook__template *tmpl, const struct casehook__op *op,
                          const struct casehook__value *value, struct casehook__buf *out)
{
    if (tmpl->kind != CASEHOOK__TEMPLATE_JSON || op->inside) return write_inside(tmpl, op, value, out);
    if (value && value->kind == CASEHOOK__VALUE_LIST) return write_list(value, out);
    if (value && value->kind != CASEHOOK__VALUE_ABSENT) return write_scalar(value, out);
    if (op->type == CASEHOOK__VARIABLE_TEXT) return casehook__buf_append(out, "\"\"", 2);
    if (op->type == CASEHOOK__VARIABLE_LIST) return casehook__buf_append(out, "[]", 2);
    return casehook__buf_append(out, "null", 4);
}

bool casehook__value_true(const struct casehook__value *value)
{
    switch (value ? value->kind : CASEHOOK__VALUE_ABSENT) {
    case CASEHOOK__VALUE_TRUE:
    case CASEHOOK__VALUE_NUMBER:
    case CASEHOOK__VALUE_JSON:
    case CASEHOOK__VALUE_OBJECT: return true;
    case CASEHOOK__VALUE_TEXT: return value->text.length > 0;
    case CASEHOOK__VALUE_LIST: return value->count > 0;
    default: return false;
    }
}
