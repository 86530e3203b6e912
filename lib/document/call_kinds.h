/*
 * call_kinds.h - what each kind of call is.  Reading a document, requests, answers and errors derive from it.
 */
#ifndef CASEHOOK_CALL_KINDS_H
#define CASEHOOK_CALL_KINDS_H

#include "template/template.h"

enum casehook__call {
    CASEHOOK__CALL_CREATE,
    CASEHOOK__CALL_GET,
    CASEHOOK__CALL_UPDATE,
    CASEHOOK__CALL_COMMENT,
    CASEHOOK__CALL_FIND,
    CASEHOOK__CALL_TRANSITION,
    CASEHOOK__CALL_TOKEN, /* of the authorization server: it comes before others, and no plan has it */
    CASEHOOK__CALLS
};

enum casehook__method {
    CASEHOOK__METHOD_GET,
    CASEHOOK__METHOD_POST,
    CASEHOOK__METHOD_PUT,
    CASEHOOK__METHOD_PATCH
};

/* "GET" ... */
const char *casehook__method_name(enum casehook__method method);

/* What a call does to the tracker. */
enum casehook__effect {
    CASEHOOK__EFFECT_READS,
    CASEHOOK__EFFECT_CHANGES, /* twice is as good as once */
    CASEHOOK__EFFECT_ADDS     /* a case, a comment, a transition: twice is one too many */
};

/* What its answer must hold; of an update and others what it holds is taken as it comes. */
enum casehook__learns {
    CASEHOOK__LEARNS_NOTHING,
    CASEHOOK__LEARNS_ID,
    CASEHOOK__LEARNS_TITLE,
    CASEHOOK__LEARNS_WHETHER /* an id, or that there is no such case */
};

struct casehook__call_kind {
    int step; /* R4 */
    /* Fields of "config" that all calls of the tracker have; method NULL: it is none. */
    const char *url, *method, *body, *headers, *type, *error_key;
    /* And those that some have; NULL: this one has not. */
    const char *key, *id_header;      /* where what is learnt is, in the answer or in its headers */
    const char *title_key;            /* where the title is, in the answer of a write (K8) */
    const char *fields;               /* what is kept besides (K4) */
    const char *off;                  /* false switches the call off (K8) */
    enum casehook__method methods[3]; /* the first is the default */
    size_t method_count;
    bool optional;    /* URL, method and body may be absent */
    bool by_url;      /* without a URL there is no such call */
    bool body_may_be; /* the body alone may be absent; there is none with GET */
    const struct casehook__schema *(*url_schema)(void), *(*body_schema)(void);
    const char *url_required;     /* a variable that a strict document uses in the URL of a GET (C4) */
    const char *body_required[2]; /* and in the body */
    enum casehook__effect effect;
    bool keyed; /* carries the idempotency key (D4) */
    enum casehook__learns learns;
};

const struct casehook__call_kind *casehook__call_kind(enum casehook__call call);

/*
 * Where variables stand in the tree that the templates of a request are rendered with (exchange/params.c):
 * the places of template.h.
 */
enum { CASEHOOK__PLACE_CASE = 1, CASEHOOK__PLACE_EXTERNAL, CASEHOOK__PLACE_VALUE, CASEHOOK__PLACE_SECRET };
enum {
    CASEHOOK__CASE_TITLE = 1,
    CASEHOOK__CASE_DESCRIPTION,
    CASEHOOK__CASE_ID,
    CASEHOOK__CASE_SEVERITY,
    CASEHOOK__CASE_STATUS,
    CASEHOOK__CASE_TAGS,
    CASEHOOK__CASE_LABELS,
    CASEHOOK__CASE_FIELDS,
    CASEHOOK__CASE_COMMENT,
    CASEHOOK__CASE_IDEMPOTENCY_KEY
};
enum { CASEHOOK__EXTERNAL_SYSTEM = 1, CASEHOOK__EXTERNAL_FIELDS };
enum { CASEHOOK__SYSTEM_ID = 1, CASEHOOK__SYSTEM_TITLE, CASEHOOK__SYSTEM_ID_IN_CAPITALS };

/* The schemas of T5 and the contract's table, per field. */
const struct casehook__schema *casehook__schema_create_url(void);
const struct casehook__schema *casehook__schema_create_body(void);
const struct casehook__schema *casehook__schema_update_body(void);
const struct casehook__schema *casehook__schema_id(void); /* get and update URLs, get body */
const struct casehook__schema *casehook__schema_comment_url(void);
const struct casehook__schema *casehook__schema_comment_body(void);
const struct casehook__schema *casehook__schema_view_url(void);
const struct casehook__schema *casehook__schema_all(void); /* what there is in any field */

#endif
