/* machine_own.c - what some requests are rendered to besides URL and body: headers (C9), the id of a create
 * (K9). */
#include "exchange/machine_private.h"

#include <stdio.h>

/* The id that the create gives: one that none can be is a fault of the params. */
static int render_own_id(struct casehook__machine *machine, const struct casehook__param_tree *tree)
{
    struct casehook_error *error = &machine->result->error;
    struct casehook__buf *id = &machine->extra->own_id;
    casehook__buf_clear(id);
    int status = casehook__template_render(casehook__create_more(machine->context->config)->own_id,
                                           &tree->root, id, error);
    const char *fault = status ? NULL : casehook__id_fault(casehook__buf_text(id));
    if (status || fault) casehook__error_set_config_field(error, "externalIdFrom");
    return fault ? casehook__fail(error, CASEHOOK_E_PARAMS, "makes an id that %s: give the variable a value",
                                  fault)
                 : status;
}

/* One value behind the others. */
static int render_header(struct casehook__machine *machine, const struct casehook__template *tmpl,
                         const struct casehook__param_tree *tree)
{
    struct casehook_error *error = &machine->result->error;
    struct casehook__buf *values = &machine->extra->values;
    const struct casehook__template_watch count = {.steps = &machine->steps};
    size_t begin = values->length;
    int status = casehook__template_render_at(tmpl, &tree->root, &count, values, error);
    if (status) return status;
    const char *fault = casehook__header_value_fault(casehook__text_from(casehook__buf_text(values), begin));
    if (fault)
        return casehook__fail(error, CASEHOOK_E_PARAMS, "with what the params hold, the value %s", fault);
    status = casehook__buf_append(values, "", 1);
    if (status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(error);
    return status ? casehook__fail(error, status, "is longer than headers may be") : CASEHOOK_OK;
}

static int render_headers(struct casehook__machine *machine, enum casehook__call call,
                          const struct casehook__param_tree *tree)
{
    const struct casehook__call_headers *headers =
        casehook__call_more(&machine->context->config->calls[call])->headers;
    struct casehook_error *error = &machine->result->error;
    int status = CASEHOOK_OK;
    for (size_t i = 0; headers && i < headers->set.count && !status; i++) {
        if (!headers->templates[i]) continue;
        status = render_header(machine, headers->templates[i], tree);
        if (!status) continue;
        char field[CASEHOOK__ERROR_FIELD_SIZE];
        snprintf(field, sizeof field, "config.%s.%s", casehook__call_kind(call)->headers,
                 headers->set.items[i].name.data);
        casehook__error_set_field(error, field);
    }
    return status;
}

int casehook__own_render(struct casehook__machine *machine, enum casehook__call call,
                         const struct casehook__param_tree *tree, bool rehearsed)
{
    if (!machine->extra) return CASEHOOK_OK;
    struct casehook__buf *values = &machine->extra->values;
    if (!rehearsed) casehook__buf_clear(values);
    size_t kept = values->length; /* of the request that waits while others are rehearsed */
    int status = render_headers(machine, call, tree);
    if (rehearsed) values->length = kept;
    if (status || call != CASEHOOK__CALL_CREATE || !casehook__create_more(machine->context->config)->own_id)
        return status;
    return render_own_id(machine, tree);
}

size_t casehook__own_headers(const struct casehook__machine *machine, struct casehook__header *own)
{
    const struct casehook__call_headers *headers =
        casehook__call_more(&machine->context->config->calls[machine->request.call])->headers;
    const char *value = machine->extra->values.data;
    size_t count = 0;
    for (size_t i = 0; headers && i < headers->set.count; i++) {
        if (!headers->templates[i]) continue;
        own[count] = headers->set.items[i];
        own[count].value = casehook__text(value);
        value += own[count++].value.length + 1;
    }
    return count;
}

void casehook__own_name(struct casehook__machine *machine)
{
    if (machine->request.call == CASEHOOK__CALL_CREATE &&
        casehook__create_more(machine->context->config)->own_id)
        machine->request.own_id = casehook__buf_text(&machine->extra->own_id);
}
