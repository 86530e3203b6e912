/* machine_extra.c - headers that each request has of its own: signatures. */
#include "exchange/machine_private.h"

#define SIGNATURE_BYTES 8192 /* eight keys, each with the longest prefix, take a quarter of it */

int casehook__extra_begin(struct casehook__machine *machine)
{
    if (!machine->context->config->signature) return CASEHOOK_OK;
    if (!machine->extra) {
        machine->extra = casehook__calloc(machine->heap, 1, sizeof *machine->extra);
        if (!machine->extra) return casehook__fail_memory(&machine->result->error);
        casehook__buf_init(&machine->extra->signature, machine->heap, SIGNATURE_BYTES);
    }
    return CASEHOOK_OK;
}

void casehook__extra_free(struct casehook__machine *machine)
{
    struct casehook__extra *extra = machine->extra;
    if (!extra) return;
    casehook__buf_free(&extra->signature);
    casehook__free(machine->heap, extra);
    machine->extra = NULL;
}

/* Over what is going to be sent, with the time of now.  A look for the case is a message of its own. */
static int sign_request(struct casehook__machine *machine)
{
    struct casehook__extra *extra = machine->extra;
    struct casehook__request *request = &machine->request;
    const struct casehook__clock *clock = machine->context->clock;
    char *id = machine->progress.looking ? extra->look : extra->message;
    int64_t seconds = clock->unix_ms(clock->user) / 1000;
    if ((machine->progress.looking || !*id) && casehook__message_id(id))
        return casehook__fail(&machine->result->error, CASEHOOK_E_SYSTEM,
                              "OpenSSL has no random numbers for the id of this message");
    size_t count = casehook__sign(machine->context->config->signature, request, id, seconds,
                                  &extra->signature, extra->own + request->own_count);
    request->own_count += count;
    return count ? CASEHOOK_OK : casehook__fail_memory(&machine->result->error);
}

bool casehook__extra_attach(struct casehook__machine *machine)
{
    machine->request.own = machine->extra->own;
    machine->request.own_count = 0;
    if (!machine->request.configured) return true;
    if (machine->context->config->signature && sign_request(machine)) {
        casehook__machine_stop(machine, CASEHOOK_OUTCOME_NOT_SENT);
        return false;
    }
    return true;
}
