/*
 * casehook_init_request.h - a connector document made of one request that makes a case.
 */
#ifndef CASEHOOK_INIT_REQUEST_H
#define CASEHOOK_INIT_REQUEST_H

#include "casehook_curl.h"

#include <jansson.h>

/* NULL: trouble says why. What was guessed is said on standard error. */
json_t *request_document(const struct arguments *arguments, const struct curl_command *command,
                         struct trouble *trouble);

#endif
