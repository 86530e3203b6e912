/*
 * result.h - what became of an operation; everything that must survive lack of memory is inside (R1).
 */
#ifndef CASEHOOK_RESULT_H
#define CASEHOOK_RESULT_H

#include "document/config.h"
#include "exchange/params.h"

#define CASEHOOK__RESULT_JSON_MAX         ((size_t)256 * 1024 * 1024)
#define CASEHOOK__RESULT_FIELDS_MAX_BYTES ((size_t)16 * 1024 * 1024) /* of all texts together */
#define CASEHOOK__PREVIEW_MAX_BYTES       ((size_t)64 * 1024 * 1024) /* of all requests together */

/* One request that was made, or in a preview would be. */
struct casehook__exchange_record {
    const char *step; /* literals */
    const char *method;
    char *url; /* for display; NULL when memory ran out */
    int status;
    int outcome;
    char *detail; /* preview: the JSON members "headers" and "body"; else NULL */
};

struct casehook__result_comment {
    struct casehook__text id; /* in the result's store */
    int state;
};

struct casehook__result_field {
    char *name;
    char *text; /* what casehook_result_field() gives; UTF-8 */
    size_t length;
    bool is_string; /* else text is JSON as it is */
};

struct casehook_result {
    struct casehook__heap *heap; /* a reference */
    bool preview;
    size_t id_length;
    char *title, *url;
    size_t title_length, url_length;
    struct casehook__result_comment *comments;
    size_t comment_count;
    char *comment_store;
    struct casehook__exchange_record *exchanges;
    size_t exchange_count, exchange_capacity;
    struct casehook__result_field *fields;
    size_t field_count, field_bytes; /* of their texts */
    bool has_fields;           /* the connector asks for fields: {} rather than null when none was found */
    struct casehook__buf json; /* of casehook_result_json */
    struct casehook__buf exchange_json; /* of casehook_result_exchange_json */
    /* Large, and cleared only where they begin. */
    char pushed_date[32];
    char id[CASEHOOK__ID_MAX_BYTES + 1]; /* "" : none */
    struct casehook_error error;         /* status 0: success */
};

/* NULL: no memory.  Comments are copied in state NOT_ATTEMPTED. */
struct casehook_result *casehook__result_new(struct casehook__heap *heap,
                                             const struct casehook__params *params);
/* A result that only says that the call itself was wrong. */
struct casehook_result *casehook__result_fault(struct casehook__heap *heap, const char *step);
/* Room for one more record, reserved before the request is sent.  NULL: no memory. */
struct casehook__exchange_record *casehook__result_record(struct casehook_result *result);
void casehook__result_field_free(struct casehook__heap *heap, struct casehook__result_field *field);
/* "done" ... */
const char *casehook__outcome_name(int outcome);
const char *casehook__comment_state_name(int state);

#endif
