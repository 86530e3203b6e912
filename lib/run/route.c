/* route.c - finds the transfer for a request, for those who block and for loops. */
#include "run/route.h"

static int own_transfer(struct casehook_connector *connector, struct casehook__slot *slot,
                        enum casehook__call call, struct casehook__transfer **transfer)
{
    size_t i = connector->policy_of[call];
    int status = CASEHOOK_OK;
    if (!slot->transfers[i])
        status =
            connector->ops->transfer_new(connector->heap, connector->config, connector->context.settings,
                                         &connector->policies[i], &connector->reuse, &slot->transfers[i]);
    *transfer = slot->transfers[i];
    return status;
}

int casehook__route_find(struct casehook_connector *connector, struct casehook__slot *slot,
                         const struct casehook__request *request, struct casehook__transfer **transfer)
{
    struct casehook__policy policy;
    *transfer = NULL;
    if (request->configured) return own_transfer(connector, slot, request->call, transfer);
    casehook__policy_of(connector->context.settings, connector->config, &connector->certificates,
                        request->origin, false, &policy);
    return connector->ops->transfer_new(connector->heap, connector->config, connector->context.settings,
                                        &policy, NULL, transfer);
}

void casehook__route_leave(const struct casehook_connector *connector,
                           const struct casehook__request *request, struct casehook__transfer *transfer)
{
    if (!request->configured) connector->ops->transfer_free(transfer);
}
