/*
 * signature.h - signatures of requests (A3).
 */
#ifndef CASEHOOK_SIGNATURE_H
#define CASEHOOK_SIGNATURE_H

#include "exchange/request.h"

#define CASEHOOK__MESSAGE_ID_SIZE   40
#define CASEHOOK__SIGNATURE_HEADERS 3

/* A new id for a message: "msg_" and random digits.  OK or SYSTEM. */
int casehook__message_id(char id[CASEHOOK__MESSAGE_ID_SIZE]);

/*
 * The headers of the signature over a request as it is going to be sent; how many.  seconds: the time since
 * 1970 that it tells.  Their texts lie in store, which is written anew; 0: no memory.
 */
size_t casehook__sign(const struct casehook__signature *signature, const struct casehook__request *request,
                      const char *id, int64_t seconds, struct casehook__buf *store,
                      struct casehook__header items[CASEHOOK__SIGNATURE_HEADERS]);

#endif
