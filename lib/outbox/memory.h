/* memory.h - the host's allocator, texts that grow, and faults on their way up. */
#ifndef CASEHOOK_OUTBOX_MEMORY_H
#define CASEHOOK_OUTBOX_MEMORY_H

#include "casehook_outbox.h"

#include <stdbool.h>
#include <string.h>

/* Reference counted, because errors and lists outlive their outbox. */
struct casehook__ob_heap;

/* given NULL: malloc.  A destroy function has been called when this fails. */
int casehook__ob_heap_new(const struct casehook_allocator *given, struct casehook__ob_heap **heap);
struct casehook__ob_heap *casehook__ob_heap_ref(struct casehook__ob_heap *heap);
void casehook__ob_heap_unref(struct casehook__ob_heap *heap);

/* size 0 frees. */
void *casehook__ob_resize(struct casehook__ob_heap *heap, void *pointer, size_t size);
void *casehook__ob_zeroed(struct casehook__ob_heap *heap, size_t size);
void casehook__ob_release(struct casehook__ob_heap *heap, void *pointer);

/* Bytes that somebody else owns; data NULL: there are none. */
struct casehook__ob_text {
    const char *data;
    size_t length;
};

struct casehook__ob_text casehook__ob_text(const char *terminated);
bool casehook__ob_same(struct casehook__ob_text one, struct casehook__ob_text other);
/* A copy with a NUL behind; NULL: no memory. */
char *casehook__ob_copy(struct casehook__ob_heap *heap, struct casehook__ob_text text);

/* A text that grows; out of memory it stays broken, which is asked once at the end. */
struct casehook__ob_buf {
    struct casehook__ob_heap *heap;
    char *data;
    size_t length, room;
    bool broken;
};

void casehook__ob_add(struct casehook__ob_buf *buf, const void *data, size_t length);
void casehook__ob_put(struct casehook__ob_buf *buf, const char *terminated);
void casehook__ob_number(struct casehook__ob_buf *buf, int64_t number);
/* With quotes; data NULL: null.  Bytes that are no UTF-8 become U+FFFD. */
void casehook__ob_json_text(struct casehook__ob_buf *buf, struct casehook__ob_text text);
/* JSON as it was written, which is valid but for its bytes: those that are no UTF-8 become U+FFFD; null for
 * NULL. */
void casehook__ob_json_copy(struct casehook__ob_buf *buf, struct casehook__ob_text json);
void casehook__ob_buf_free(struct casehook__ob_buf *buf);

enum { CASEHOOK__OB_MESSAGE_SIZE = 512 };

/* What went wrong, while it is on its way to whoever called. */
struct casehook__ob_fault {
    int status;
    char message[CASEHOOK__OB_MESSAGE_SIZE];
};

/* Returns the status.  fault NULL: nobody wants to know more. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int casehook__ob_fail(struct casehook__ob_fault *fault, int status, const char *format, ...);
int casehook__ob_fail_memory(struct casehook__ob_fault *fault);
/* Hands it to the host, when it wants it; returns the status. */
int casehook__ob_tell(struct casehook__ob_heap *heap, const struct casehook__ob_fault *fault,
                      struct casehook_outbox_error **error);

/* Reads a struct of the host: sizes as casehook.h says it. */
int casehook__ob_read_struct(void *copy, const void *given, size_t minimum, size_t known, const char *name,
                             struct casehook__ob_fault *fault);
/* Writes one that the host gave: all its bytes, those that we do not know as zero. */
int casehook__ob_write_struct(void *given, const void *ours, size_t minimum, size_t known);

#endif
