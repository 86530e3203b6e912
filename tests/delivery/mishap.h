/* mishap.h - what can happen to one request between a client and a tracker. */
#ifndef DELIVERY_MISHAP_H
#define DELIVERY_MISHAP_H

#include <stddef.h>

/* What a request is for. */
enum kind { KIND_FIND, KIND_CREATE, KIND_UPDATE, KIND_TRANSITION, KIND_GET, KIND_COMMENT, KINDS };

const char *kind_name(enum kind kind);

enum mishap_way {
    MISHAP_NONE,
    /* To the connection, before there is a request. */
    MISHAP_REFUSE,
    MISHAP_RESET_AT_ONCE,
    MISHAP_ALERT, /* in place of a TLS handshake */
    /* To the request and its answer; at: after so many bytes. */
    MISHAP_CUT_REQUEST,
    MISHAP_CUT_ANSWER,
    MISHAP_CUT_CHUNKED, /* the same of an answer in chunks */
    MISHAP_STALL,       /* nothing more comes after so many bytes of the answer, and nothing ends */
    MISHAP_STATUS,
    MISHAP_HALF_CLOSED,   /* no answer; the tracker goes on reading */
    MISHAP_CLOSED_BEHIND, /* a good answer; the connection ends behind it without a word */
    MISHAP_LENGTH_LONG,
    MISHAP_LENGTH_SHORT,
    MISHAP_BAD_CHUNK,
    MISHAP_BROKEN_TLS,      /* a record that is none, in place of the answer */
    MISHAP_CLOSED_AT_REUSE, /* it comes on a connection that was used before */
    MISHAPS
};

struct mishap {
    enum mishap_way way;
    enum kind kind; /* it befalls the nth request of this kind, from 1, and then no other */
    unsigned nth;
    size_t at;
    int status;
    const char *retry_after; /* NULL: none.  "date": as one, a second ahead at least */
    int undone;              /* the tracker has not done what was asked */
    int reset;               /* the connection ends with a reset */
};

int mishap_to_connection(const struct mishap *mishap);
/* In words, for people. */
void mishap_text(const struct mishap *mishap, char *text, size_t size);

#endif
