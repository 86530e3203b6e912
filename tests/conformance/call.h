/* call.h - the calls of the vectors in the shapes that the library offers, and who drives them. */
#ifndef CONFORMANCE_CALL_H
#define CONFORMANCE_CALL_H

#include <casehook.h>
#include <jansson.h>

struct call {
    int operation; /* CASEHOOK_CREATE ... */
    char *json;    /* for casehook_run_json */
    size_t json_length;
    int has_struct; /* the params fit into the struct */
    struct casehook_params params;
    int names_case; /* a push with an external id: no case is created */
    /* what params points to */
    const char **tags, **labels;
    struct casehook_comment *comments;
    char *fields;
};

/* vector_call is the member "call", placeholders put in; it must outlive the call.  -1: unknown op. */
int call_open(struct call *call, const json_t *vector_call);
void call_close(struct call *call);

enum call_way { CALL_STRUCT, CALL_JSON };

/* Runs a call to its end; the same contract as casehook_run_json. */
struct driver {
    const char *name;
    int plain_bodies; /* it offers no content encoding, so none is decoded */
    int (*run)(struct casehook_connector *connector, const struct call *call, enum call_way way,
               struct casehook_result **result);
};

/* NULL when there is none of that name. */
const struct driver *driver_find(const char *name);

#endif
