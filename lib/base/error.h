/*
 * error.h - one fault, of fixed size.
 *
 * The texts are inside the struct: an error that lies in a result can be filled without memory, so
 * a fault after a request was sent is never lost (R1).  Lower code sets status, message and offset;
 * callers add step and field around it and never overwrite what is there.
 */
#ifndef CASEHOOK_ERROR_H
#define CASEHOOK_ERROR_H

#include "base/buf.h"

#include <stdarg.h>

#define CASEHOOK__ERROR_MESSAGE_SIZE 1536
#define CASEHOOK__ERROR_FIELD_SIZE   192
#define CASEHOOK__ERROR_ROOM         (CASEHOOK__ERROR_FIELD_SIZE + 2) /* for the field before the message */
#define CASEHOOK__ERRORS_MAX         64                               /* faults kept of one document */

struct casehook_error {
    struct casehook__heap *heap; /* NULL for errors inside other objects */
    struct casehook_error *next;
    int status; /* 0: no error */
    int http_status;
    int outcome;
    int retryable;
    int64_t offset; /* -1: none */
    int64_t retry_after_ms;
    int step;                               /* NONE: not set yet */
    size_t begin;                           /* of the whole sentence in text */
    casehook__kept json;                    /* of casehook_error_json */
    char field[CASEHOOK__ERROR_FIELD_SIZE]; /* what lies before it is cleared by casehook__error_init */
    union {
        struct {
            char room[CASEHOOK__ERROR_ROOM];
            char message[CASEHOOK__ERROR_MESSAGE_SIZE]; /* as it was filled, without the field */
        };
        char text[CASEHOOK__ERROR_ROOM + CASEHOOK__ERROR_MESSAGE_SIZE];
    };
};

#if defined(__GNUC__)
#define CASEHOOK__FORMAT(a, b) __attribute__((format(printf, a, b)))
#else
#define CASEHOOK__FORMAT(a, b)
#endif

/* All fields unset. */
void casehook__error_init(struct casehook_error *error);

/*
 * Sets status and message and returns status, so that callers write `return casehook__fail(...)`.
 * error may be NULL.  Controls and invalid UTF-8 become '?', a message that is too long ends in
 * "..." between characters.
 */
int casehook__fail(struct casehook_error *error, int status, const char *format, ...) CASEHOOK__FORMAT(3, 4);
/* The same with the byte offset. */
int casehook__fail_at(struct casehook_error *error, int status, size_t offset, const char *format, ...)
    CASEHOOK__FORMAT(4, 5);
/* CASEHOOK_E_NO_MEMORY with its message. */
int casehook__fail_memory(struct casehook_error *error);

/* One clean line of UTF-8 into text: what error messages and log lines are made with. */
void casehook__line_format(char *text, size_t size, const char *format, va_list arguments)
    CASEHOOK__FORMAT(3, 0);

/*
 * Only where not set yet.  The sentence that the caller gets then begins with the field: "title" and "is
 * missing: a case needs one" are "title is missing: ...", "title" and "there is no such field" are joined by
 * a colon.
 */
void casehook__error_set_field(struct casehook_error *error, const char *field);
void casehook__error_set_config_field(struct casehook_error *error, const char *name); /* "config.NAME" */
void casehook__error_set_step(struct casehook_error *error, int step);
/* Before anything was sent: of the params unless it is known better, and whether it passes by itself. */
void casehook__error_refuse(struct casehook_error *error);

/* Status, offset and message of another one, which may have a field of its own; both fields stay. */
void casehook__error_take(struct casehook_error *error, const struct casehook_error *source);

/*
 * Faults of one document in the order of discovery; the first is given to the caller, the others
 * hang on it.  After CASEHOOK__ERRORS_MAX the rest is counted in the last one's message.
 */
struct casehook__errors {
    struct casehook__heap *heap;
    struct casehook_error *first, *last;
    size_t count;
    int memory; /* an error could not be kept: NO_MEMORY is the answer */
    struct casehook_error spare;
};

void casehook__errors_init(struct casehook__errors *errors, struct casehook__heap *heap);
/* A fresh error at the end of the list, to be filled; never NULL (a spare when memory is out). */
struct casehook_error *casehook__errors_add(struct casehook__errors *errors, const char *field);
/* A copy of an error that lower code filled; field is used when it has none. */
void casehook__errors_add_copy(struct casehook__errors *errors, const char *field,
                               const struct casehook_error *source);
/* Status of the first fault or of lack of memory, and the list handed to *out (freed when out is NULL). */
int casehook__errors_finish(struct casehook__errors *errors, struct casehook_error **out);

#endif
