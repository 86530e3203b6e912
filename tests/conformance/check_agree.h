/* check_agree.h - that the parts of a result say the same. */
#ifndef CONFORMANCE_CHECK_AGREE_H
#define CONFORMANCE_CHECK_AGREE_H

#include "report.h"

#include <casehook.h>
#include <jansson.h>

/* A failure has an error with its code and a message (R3), a success has none. */
void check_agree_error(struct report *report, int status, const struct casehook_error *error);

/* casehook_result_json against the getters, and what the header promises for each operation. */
void check_agree(struct report *report, int operation, const struct casehook_result *result);

/* Requests that reached a server, by the word of the result. */
size_t requests_told(const struct casehook_result *result);

json_t *read_json(const char *text, size_t length);

#endif
