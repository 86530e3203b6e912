/*
 * canary.h - secrets that are easy to find again, and memory that is searched for them.
 *
 * Each secret begins and ends with twelve letters that every way of writing it leaves as they are, so a
 * part of a secret is found as well as the whole; base64 is searched for on its own.
 */
#ifndef CANARY_H
#define CANARY_H

#include <casehook.h>

#include <stddef.h>

enum canary {
    CANARY_PASSWORD, /* a passphrase too */
    CANARY_HEADER,   /* a secret header */
    CANARY_BEARER,   /* behind "Bearer " */
    CANARY_PLAIN,    /* an Authorization among the plain headers */
    CANARY_PROXY,    /* the password of a proxy */
    CANARY_CLIENT,   /* the client secret */
    CANARY_PATH,     /* a path of a URL, with secretUrl */
    CANARY_TOKEN,    /* what an authorization server gives */
    CANARY_QUERY,    /* secretQuery */
    CANARY_SIGNING,  /* the key of signatures */
    CANARIES
};

#define CANARY_USER "robot" /* six bytes with its colon, which keeps base64 aligned */

const char *canary(enum canary which);

/* Ways to write a text; the result is to be freed. */
enum form {
    FORM_RAW,
    FORM_BASE64,
    FORM_BASE64_URL, /* - and _, no = */
    FORM_LOGIN,      /* base64 of user and secret */
    FORM_PERCENT,
    FORM_PERCENT_LOWER,
    FORM_PERCENT_ALL, /* letters too, which no search for letters finds: see canary_find */
    FORM_JSON,
    FORM_JSON_SLASH, /* \/ and \u0026, as PHP writes them */
    FORM_JSON_UPPER, /* \u00AB */
    FORM_HTML,
    FORM_HTML_NUMBERS,
    FORM_LOWER_CASE,
    FORMS
};
char *canary_form(enum form form, const char *text);
const char *canary_form_name(enum form form);

/* What of a secret is in there, NULL when nothing is. */
const char *canary_find(const char *bytes, size_t length);

/* An allocator that searches each block as it is freed and keeps it, to be searched again at the end. */
extern const struct casehook_allocator canary_allocator;
/* How many blocks held a secret when they were freed, or hold one now; tells about the first ones.  Frees
 * the blocks. */
size_t canary_memory_end(void);
size_t canary_memory_blocks(void); /* not freed by the library */

#endif
