/*
 * operation.h - what every way of running an operation checks first.
 */
#ifndef CASEHOOK_OPERATION_H
#define CASEHOOK_OPERATION_H

#include "run/connector.h"

/* Params as they were given: a struct, or JSON. */
struct casehook__input {
    int operation;
    const struct casehook_params *params;
    const char *json; /* NULL: params */
    size_t length;
    uint64_t user; /* of the options */
};

/* Connector, operation, process.  Errors: ARGUMENT, FORKED. */
int casehook__call_check(const struct casehook_connector *connector, int operation,
                         struct casehook_error *error);
/* given may be NULL, or of another version of the header. */
int casehook__options_read(const struct casehook_options *given, struct casehook_options *options,
                           struct casehook_error *error);
/* When the caller wants an end (casehook__clock_ms()); NO_DEADLINE: at no time. */
int64_t casehook__options_deadline(const struct casehook_options *options);
int casehook__input_read(const struct casehook__input *input, struct casehook__parsed_params *params,
                         struct casehook_error *error);

/*
 * input_copy.c: *copy is what was given, in a block of its own behind prefix bytes that are the caller's to
 * fill.  Errors: ARGUMENT, NO_MEMORY; *block is NULL then.
 */
int casehook__input_copy(struct casehook__heap *heap, const struct casehook__input *given, size_t prefix,
                         void **block, struct casehook__input *copy, struct casehook_error *error);

/* A result that says only what was wrong with the call; its code.  NO_MEMORY: *result is NULL. */
int casehook__call_fault(struct casehook__heap *heap, const struct casehook__input *input,
                         const struct casehook_error *error, struct casehook_result **result);
/* The same for calls that give no result then: a copy of the error into *out, which may be NULL; its code. */
int casehook__call_refuse(struct casehook__heap *heap, const struct casehook_error *error,
                          struct casehook_error **out);

/* log_result.c: the line of an operation that failed before it had anything to show. */
void casehook__log_fault(struct casehook_connector *connector, const struct casehook__input *input,
                         const struct casehook_error *error);

/*
 * Runs one to its end in the calling thread, or goes through it without sending anything.  The status of its
 * result, which is NULL only when memory ran out.
 */
int casehook__run(struct casehook_connector *connector, struct casehook__input *input,
                  const struct casehook_options *given, bool preview, struct casehook_result **result);

#endif
