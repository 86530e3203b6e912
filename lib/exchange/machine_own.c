/* machine_own.c - what some requests are rendered to besides URL and body: the id that a create gives (K9).
 */
#include "exchange/machine_private.h"

/* The id that the create gives: one that none can be is a fault of the params. */
static int render_own_id(struct casehook__machine *machine, const struct casehook__param_tree *tree)
{
    struct casehook_error *error = &machine->result->error;
    struct casehook__buf *id = &machine->extra->own_id;
    casehook__buf_clear(id);
    int status = casehook__template_render(machine->context->config->own_id, &tree->root, id, error);
    const char *fault = status ? NULL : casehook__id_fault(casehook__buf_text(id));
    if (status || fault) casehook__error_set_config_field(error, "externalIdFrom");
    return fault ? casehook__fail(error, CASEHOOK_E_PARAMS, "makes an id that %s: give the variable a value",
                                  fault)
                 : status;
}

int casehook__own_render(struct casehook__machine *machine, enum casehook__call call,
                         const struct casehook__param_tree *tree)
{
    bool names = call == CASEHOOK__CALL_CREATE && machine->context->config->own_id;
    return names ? render_own_id(machine, tree) : CASEHOOK_OK;
}

void casehook__own_name(struct casehook__machine *machine)
{
    if (machine->request.call == CASEHOOK__CALL_CREATE && machine->context->config->own_id)
        machine->request.own_id = casehook__buf_text(&machine->extra->own_id);
}
