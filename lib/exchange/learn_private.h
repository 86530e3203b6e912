/*
 * learn_private.h - what the files about the content of answers share.
 */
#ifndef CASEHOOK_LEARN_PRIVATE_H
#define CASEHOOK_LEARN_PRIVATE_H

#include "exchange/learn.h"

/* The configuration of the call that was made. */
const struct casehook__call_config *casehook__learn_call(const struct casehook__question *question);
/* Its key is that of an id, not of a title. */
bool casehook__learn_wants_id(const struct casehook__question *question);
/* The id is in a header of the answer (K6). */
bool casehook__learn_in_header(const struct casehook__question *question);

/* None is there, or null. */
bool casehook__learn_is_nothing(const struct casehook__js_value *value);
/* The kind of an id; else of a title (K2). */
bool casehook__learn_usable(enum casehook__js_kind kind, bool id);
/* The id or title that the key of the call has found, into scratch.  Errors: RESPONSE, LIMIT, NO_MEMORY. */
int casehook__learn_read(const struct casehook__question *question, const struct casehook__js_value *value,
                         struct casehook_error *error);
/* From scratch into the result; of an id that is none what can be kept.  Errors: as above. */
int casehook__learn_keep_id(const struct casehook__question *question, const struct casehook__js_value *value,
                            struct casehook_result *result);
int casehook__learn_keep_title(const struct casehook__question *question, struct casehook_result *result);
/* Both for an id; one that none can be leaves what is known as it is. */
int casehook__learn_keep_found_id(const struct casehook__question *question,
                                  const struct casehook__js_value *value, struct casehook_result *result);

/* What is where the key of errors looks says that there is one (K7). */
bool casehook__learn_says_no(const struct casehook__js_value *value);

/* Errors: each returns its status. */
void casehook__learn_name_key(const struct casehook__question *question, struct casehook_error *error);
int casehook__learn_bad_id(const struct casehook__question *question, const struct casehook__js_value *value,
                           const char *fault, struct casehook_error *error);
int casehook__learn_fail_said(const struct casehook__question *question,
                              const struct casehook__response *response,
                              const struct casehook__js_value *value, struct casehook_error *error);
int casehook__learn_not_json(const struct casehook__question *question,
                             const struct casehook__response *response, enum casehook__js_fault fault,
                             size_t offset, struct casehook_error *error);
/* Behind what is wrong with a key: what the server said instead of it (R3); of one that is missing, where
 * else what it looks for might be. */
void casehook__learn_show(const struct casehook__question *question,
                          const struct casehook__response *response, bool missing,
                          struct casehook_error *error);

#endif
