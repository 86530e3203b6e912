/* memory.c - the host's allocator and texts that grow. */
#include "outbox/memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct casehook__ob_heap {
    struct casehook_allocator allocator;
    atomic_size_t owners;
};

static void *by_malloc(void *user, void *pointer, size_t size)
{
    (void)user;
    if (size) return realloc(pointer, size);
    free(pointer);
    return NULL;
}

int casehook__ob_heap_new(const struct casehook_allocator *given, struct casehook__ob_heap **heap)
{
    struct casehook_allocator allocator = {.reallocate = by_malloc};
    size_t minimum = offsetof(struct casehook_allocator, destroy) + sizeof allocator.destroy;
    *heap = NULL;
    if (given) {
        int status = casehook__ob_read_struct(&allocator, given, minimum, sizeof allocator,
                                              "casehook_allocator", NULL);
        if (!status && !allocator.reallocate) status = CASEHOOK_E_ARGUMENT;
        if (status) {
            if (allocator.destroy) allocator.destroy(allocator.user);
            return status;
        }
    }
    *heap = allocator.reallocate(allocator.user, NULL, sizeof **heap);
    if (!*heap) {
        if (allocator.destroy) allocator.destroy(allocator.user);
        return CASEHOOK_E_NO_MEMORY;
    }
    (*heap)->allocator = allocator;
    atomic_init(&(*heap)->owners, 1);
    return CASEHOOK_OK;
}

struct casehook__ob_heap *casehook__ob_heap_ref(struct casehook__ob_heap *heap)
{
    atomic_fetch_add_explicit(&heap->owners, 1, memory_order_relaxed);
    return heap;
}

void casehook__ob_heap_unref(struct casehook__ob_heap *heap)
{
    if (!heap || atomic_fetch_sub_explicit(&heap->owners, 1, memory_order_acq_rel) != 1) return;
    struct casehook_allocator allocator = heap->allocator;
    allocator.reallocate(allocator.user, heap, 0);
    if (allocator.destroy) allocator.destroy(allocator.user);
}

void *casehook__ob_resize(struct casehook__ob_heap *heap, void *pointer, size_t size)
{
    return heap->allocator.reallocate(heap->allocator.user, pointer, size);
}

void *casehook__ob_zeroed(struct casehook__ob_heap *heap, size_t size)
{
    void *pointer = casehook__ob_resize(heap, NULL, size);
    if (pointer) memset(pointer, 0, size);
    return pointer;
}

void casehook__ob_release(struct casehook__ob_heap *heap, void *pointer)
{
    if (pointer) casehook__ob_resize(heap, pointer, 0);
}

/* ---- texts ------------------------------------------------------------------------------------- */

struct casehook__ob_text casehook__ob_text(const char *terminated)
{
    return (struct casehook__ob_text){terminated, terminated ? strlen(terminated) : 0};
}

bool casehook__ob_same(struct casehook__ob_text one, struct casehook__ob_text other)
{
    return !one.data == !other.data && one.length == other.length &&
           (one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
}

char *casehook__ob_copy(struct casehook__ob_heap *heap, struct casehook__ob_text text)
{
    char *copy = casehook__ob_resize(heap, NULL, text.length + 1);
    if (!copy) return NULL;
    if (text.length) memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    return copy;
}

/* Room for more bytes and a NUL. */
static bool make_room(struct casehook__ob_buf *buf, size_t more)
{
    if (buf->broken) return false;
    if (buf->data && buf->room - buf->length > more) return true;
    size_t room = buf->room ? buf->room : 256;
    while (room - buf->length <= more && room < SIZE_MAX / 2) room *= 2;
    char *data = casehook__ob_resize(buf->heap, buf->data, room);
    buf->broken = !data;
    if (!data) return false;
    buf->data = data;
    buf->room = room;
    return true;
}

void casehook__ob_add(struct casehook__ob_buf *buf, const void *data, size_t length)
{
    if (!make_room(buf, length)) return;
    if (length) memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void casehook__ob_put(struct casehook__ob_buf *buf, const char *terminated)
{
    casehook__ob_add(buf, terminated, strlen(terminated));
}

void casehook__ob_number(struct casehook__ob_buf *buf, int64_t number)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    casehook__ob_add(buf, digits, (size_t)length);
}

/* Bytes of the character that begins there, 0: it is none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    size_t length = first < 0x80                    ? 1
                    : first >= 0xc2 && first < 0xe0 ? 2
                    : (first & 0xf0) == 0xe0        ? 3
                    : first >= 0xf0 && first < 0xf5 ? 4
                                                    : 0;
    if (length == 0 || length > left) return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] > 0x9f)) return 0;
    if ((first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] > 0x8f)) return 0;
    return length;
}

static size_t add_escaped(struct casehook__ob_buf *buf, const unsigned char *at, size_t left)
{
    static const char hex[] = "0123456789abcdef";
    if (*at == '"' || *at == '\\') {
        casehook__ob_add(buf, (const char[]){'\\', (char)*at}, 2);
        return 1;
    }
    if (*at < 0x20 || *at == 0x7f) {
        casehook__ob_add(buf, (const char[]){'\\', 'u', '0', '0', hex[*at >> 4], hex[*at & 15]}, 6);
        return 1;
    }
    size_t length = utf8_length(at, left);
    if (length == 0)
        casehook__ob_put(buf, "\xef\xbf\xbd");
    else
        casehook__ob_add(buf, at, length);
    return length ? length : 1;
}

void casehook__ob_json_text(struct casehook__ob_buf *buf, struct casehook__ob_text text)
{
    if (!text.data) {
        casehook__ob_put(buf, "null");
        return;
    }
    const unsigned char *at = (const unsigned char *)text.data, *end = at + text.length;
    casehook__ob_put(buf, "\"");
    while (at < end) {
        const unsigned char *plain = at;
        while (plain < end && *plain >= 0x20 && *plain < 0x7f && *plain != '"' && *plain != '\\') plain++;
        casehook__ob_add(buf, at, (size_t)(plain - at));
        at = plain;
        if (at < end) at += add_escaped(buf, at, (size_t)(end - at));
    }
    casehook__ob_put(buf, "\"");
}

void casehook__ob_json_copy(struct casehook__ob_buf *buf, struct casehook__ob_text json)
{
    const unsigned char *at = (const unsigned char *)json.data, *end = at + json.length, *good = at;
    if (!json.data) casehook__ob_put(buf, "null");
    while (at < end) {
        size_t length = *at < 0x80 ? 1 : utf8_length(at, (size_t)(end - at));
        if (length) {
            at += length;
            continue;
        }
        casehook__ob_add(buf, good, (size_t)(at - good));
        casehook__ob_put(buf, "\xef\xbf\xbd");
        good = ++at;
    }
    if (json.data) casehook__ob_add(buf, good, (size_t)(at - good));
}

void casehook__ob_buf_free(struct casehook__ob_buf *buf)
{
    if (buf->data) casehook__ob_release(buf->heap, buf->data);
    buf->data = NULL;
    buf->length = buf->room = 0;
    buf->broken = false;
}
