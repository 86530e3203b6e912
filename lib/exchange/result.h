/*
 * result.h - what became of an operation; everything that must survive lack of memory is inside (R1).
 */
#ifndef CASEHOOK_RESULT_H
#define CASEHOOK_RESULT_H

#include "document/config.h"
#include "exchange/params.h"
#include "exchange/request.h"

#define CASEHOOK__RESULT_JSON_MAX         ((size_t)256 * 1024 * 1024)
#define CASEHOOK__RESULT_FIELDS_MAX_BYTES ((size_t)16 * 1024 * 1024) /* of all texts together */
#define CASEHOOK__PREVIEW_MAX_BYTES       ((size_t)64 * 1024 * 1024) /* of all requests together */

/* One request that was made, or in a preview would be. */
struct casehook__request_record {
    int step;
    int status; /* of HTTP */
    int outcome;
    unsigned attempt; /* from 1 */
    int64_t delay_ms; /* that was waited before it */
    struct casehook__metrics metrics;
    const char *method;              /* a literal */
    char *url;                       /* for display; NULL when memory ran out */
    char *detail;                    /* preview: the JSON members "headers" and "body"; else NULL */
    int64_t begun;                   /* by the clock that only goes forward */
    int64_t started_ms, duration_ms; /* -1: a preview; not ended */
    casehook__kept json;             /* of casehook_result_request_json */
};

struct casehook__result_comment {
    struct casehook__text id; /* in the result's store */
    int state;
};

struct casehook__kept_field {
    char *name;
    char *text; /* what casehook_result_field() gives; UTF-8 */
    size_t length;
    bool is_string; /* else text is JSON as it is */
};

struct casehook_result {
    struct casehook__heap *heap; /* a reference */
    bool preview;
    int operation;    /* CASEHOOK_CREATE ... */
    uint64_t user;    /* what the caller gave with it */
    int64_t begun;    /* by the clock that only goes forward */
    char *id;         /* room for the longest one while a request may bring it; NULL: there is no room */
    size_t id_length; /* 0: none */
    bool id_has_room; /* for the longest */
    char *title, *url;
    size_t title_length, url_length;
    struct casehook__result_comment *comments;
    size_t comment_count;
    char *comment_store;
    bool accepted;         /* the create is done, only its id is not known: it must not be made again */
    bool found;            /* the tracker had the case */
    bool adopted;          /* and this operation, or what it resumes, had made it */
    char *idempotency_key; /* of the case, NULL: requests carry none */
    bool idempotent;       /* the tracker knows requests by it */
    struct casehook__request_record *requests;
    size_t request_count, request_capacity;
    size_t logged; /* requests that have their line in the log */
    struct casehook__kept_field *fields;
    size_t field_count, field_bytes; /* of their texts */
    size_t field_version;            /* rises when they change */
    bool has_fields;     /* the connector asks for fields: {} rather than null when none was found */
    casehook__kept json; /* of casehook_result_json */
    /* Large, and cleared only where they begin. */
    char pushed_date[32];
    struct casehook_error error; /* status 0: success */
};

/* NULL: no memory.  Comments are copied in state NOT_ATTEMPTED. */
struct casehook_result *casehook__result_new(struct casehook__heap *heap,
                                             const struct casehook__parsed_params *params);
/* Room for an id, before anything is sent that may bring one.  False: no memory. */
bool casehook__result_reserve_id(struct casehook_result *result);
/* No request is under way: no more room than the id needs. */
void casehook__result_release_id(struct casehook_result *result);
/* Reserved, and short enough (K5). */
void casehook__result_set_id(struct casehook_result *result, struct casehook__text id);
/* One without comments: the call itself was wrong. */
struct casehook_result *casehook__result_fault(struct casehook__heap *heap);
/* Room for one more record, reserved before the request is sent.  NULL: no memory. */
struct casehook__request_record *casehook__result_record(struct casehook_result *result);
void casehook__result_field_free(struct casehook__heap *heap, struct casehook__kept_field *field);

#endif
