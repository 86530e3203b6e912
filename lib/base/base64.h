/*
 * base64.h - base64 both ways, by OpenSSL.
 */
#ifndef CASEHOOK_BASE64_H
#define CASEHOOK_BASE64_H

#include "base/buf.h"

int casehook__base64_encode(struct casehook__buf *buf, struct casehook__text data);
/* For URLs and JWTs: "-" and "_", no padding. */
int casehook__base64url_encode(struct casehook__buf *buf, struct casehook__text data);
/* White space between is skipped, padding may be missing; CASEHOOK_E_CONFIG when it is no base64. */
int casehook__base64_decode(struct casehook__buf *buf, struct casehook__text text);

#endif
