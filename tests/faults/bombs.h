/* bombs.h - answers that never end or become very large, written byte by byte by a server. */
#ifndef BOMBS_H
#define BOMBS_H

#include "stream.h"

/* Writes the answer until it has ended or the client has gone. */
typedef void (*bomb_fn)(struct stream *stream);

struct bomb {
    const char *name;
    bomb_fn send;
    const char *settings; /* NULL: responseTimeout of two seconds */
    int status;           /* CASEHOOK_OK when the answer is good in the end */
    const char *message;  /* what the error must name; NULL: nothing in particular */
    int operation;        /* 0: CREATE and GET */
};

extern const struct bomb bombs[];
extern const size_t bomb_count;

#endif
