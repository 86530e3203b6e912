/*
 * route.h - where one request goes: through a slot, or on connections of its own.
 */
#ifndef CASEHOOK_ROUTE_H
#define CASEHOOK_ROUTE_H

#include "run/connector.h"

/*
 * The transfer for a request.  One that leaves the origins of the configuration gets a transfer of its own,
 * which is freed with the route (H3, P3).  Errors: NO_MEMORY.
 */
int casehook__route_find(struct casehook_connector *connector, struct casehook__slot *slot,
                         const struct casehook__request *request, struct casehook__transfer **transfer);
/* Frees what was made for this request alone. */
void casehook__route_leave(const struct casehook_connector *connector,
                           const struct casehook__request *request, struct casehook__transfer *transfer);

#endif
