/*
 * tracker_store.h - the newest cases of the demo tracker, in memory and bounded: the oldest make room for new
 * ones.
 */
#ifndef TRACKER_STORE_H
#define TRACKER_STORE_H

#include <stddef.h>
#include <jansson.h>

enum {
    STORE_MAX_CASES = 1000,              /* that are kept; ids go on without end */
    STORE_MAX_COMMENTS = 200,            /* of one case */
    STORE_MAX_BODY = 1024 * 1024,        /* bytes of one request */
    STORE_MAX_BYTES = 128 * 1024 * 1024, /* of all accepted requests together */
};

enum store_status { STORE_OK, STORE_NOT_FOUND, STORE_INVALID, STORE_FULL, STORE_NO_MEMORY };

/* All cases.  A case is a JSON object, exactly what GET /api/cases/ID answers. */
struct store {
    struct stored {
        json_t *record;
        size_t bytes;         /* of the requests that it was made by */
    } cases[STORE_MAX_CASES]; /* the case with id N is at N modulo their number */
    size_t first, last;       /* ids of those that are kept; last 0: there was none yet */
    size_t bytes;
    char why[256]; /* what was wrong, after STORE_INVALID and STORE_FULL */
};

void store_free(struct store *store);
/* How many are kept. */
size_t store_count(const struct store *store);

/* NULL when there is no such case.  Borrowed. */
json_t *store_find(const struct store *store, size_t id);

/* The cases with this reference, the newest first; none for "".  NULL: out of memory.  Yours. */
json_t *store_search(const struct store *store, const char *reference);

/*
 * body is the JSON text of a request.  On STORE_OK *record is the case (or for a comment the new
 * comment), borrowed; otherwise nothing has changed.
 */
enum store_status store_create(struct store *store, const char *body, size_t length, json_t **record);
enum store_status store_update(struct store *store, size_t id, const char *body, size_t length,
                               json_t **record);
enum store_status store_comment(struct store *store, size_t id, const char *body, size_t length,
                                json_t **record);

#endif
