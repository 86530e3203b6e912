/* drive_exchange.h - the driver that does the requests of casehook_exchange itself. */
#ifndef CONFORMANCE_DRIVE_EXCHANGE_H
#define CONFORMANCE_DRIVE_EXCHANGE_H

#include "call.h"

/* See struct driver. */
int drive_exchange(struct casehook_connector *connector, const struct call *call, enum call_way way,
                   struct casehook_result **result);

#endif
