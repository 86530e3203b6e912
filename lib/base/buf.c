/* buf.c - a growing byte buffer that is given its ceiling at birth. */
#include "base/buf.h"

#define FIRST_CAPACITY 240

void casehook__buf_init(struct casehook__buf *buf, struct casehook__heap *heap, size_t limit)
{
    *buf = (struct casehook__buf){.heap = heap, .limit = limit};
}

void casehook__buf_free(struct casehook__buf *buf)
{
    casehook__free_secret(buf->heap, buf->data, buf->data ? buf->capacity : 0);
    casehook__buf_init(buf, buf->heap, buf->limit);
}

/* Gives back what is not used, for content that stays; without memory to do so it is left as it is. */
static void fit_content(struct casehook__buf *buf)
{
    char *data = buf->data ? casehook__copy(buf->heap, buf->data, buf->length) : NULL;
    if (!data) return;
    casehook__free_secret(buf->heap, buf->data, buf->capacity);
    buf->data = data;
    buf->capacity = buf->length;
}

void casehook__buf_clear(struct casehook__buf *buf)
{
    buf->length = 0;
    buf->status = CASEHOOK_OK;
    if (buf->data) buf->data[0] = '\0';
}

/* The old block of a secret must not stay behind in freed memory, so growing never uses realloc. */
static int grow_buf(struct casehook__buf *buf, size_t needed)
{
    size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
    if (capacity > buf->limit) capacity = buf->limit;
    while (capacity < needed) capacity = capacity > buf->limit / 2 ? buf->limit : capacity * 2;
    char *data = casehook__alloc(buf->heap, capacity + 1);
    if (!data) return buf->status = CASEHOOK_E_NO_MEMORY;
    if (buf->length) memcpy(data, buf->data, buf->length);
    data[buf->length] = '\0';
    casehook__free_secret(buf->heap, buf->data, buf->data ? buf->capacity : 0);
    buf->data = data;
    buf->capacity = capacity;
    return CASEHOOK_OK;
}

void casehook__buf_limit(struct casehook__buf *buf, size_t limit)
{
    buf->limit = limit;
    if (buf->capacity <= limit) return;
    casehook__wipe(buf->data + limit + 1, buf->capacity - limit);
    buf->capacity = limit;
}

/* Nearly always; capacity never exceeds limit. */
static inline bool fits(const struct casehook__buf *buf, size_t more)
{
    return buf->data && !buf->status && more <= buf->capacity - buf->length;
}

int casehook__buf_reserve(struct casehook__buf *buf, size_t more)
{
    if (fits(buf, more)) return CASEHOOK_OK;
    if (buf->status) return buf->status;
    if (more > buf->limit || buf->length > buf->limit - more) return buf->status = CASEHOOK_E_LIMIT;
    return grow_buf(buf, buf->length + more);
}

int casehook__buf_append(struct casehook__buf *buf, const void *data, size_t length)
{
    if (!fits(buf, length) && casehook__buf_reserve(buf, length)) return buf->status;
    if (length) memcpy(buf->data + buf->length, data, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
    return CASEHOOK_OK;
}

int casehook__buf_append_text(struct casehook__buf *buf, struct casehook__text text)
{
    return casehook__buf_append(buf, text.data, text.length);
}

int casehook__buf_append_string(struct casehook__buf *buf, const char *terminated)
{
    return casehook__buf_append(buf, terminated, strlen(terminated));
}

int casehook__buf_append_char(struct casehook__buf *buf, char c)
{
    if (!fits(buf, 1)) return casehook__buf_append(buf, &c, 1);
    buf->data[buf->length++] = c;
    buf->data[buf->length] = '\0';
    return CASEHOOK_OK;
}

int casehook__buf_append_number(struct casehook__buf *buf, int64_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) digits[--at] = '-';
    return casehook__buf_append(buf, digits + at, sizeof digits - at);
}

const char *casehook__buf_string(const struct casehook__buf *buf)
{
    return buf->data ? buf->data : "";
}

struct casehook__text casehook__buf_text(const struct casehook__buf *buf)
{
    return (struct casehook__text){casehook__buf_string(buf), buf->length};
}

const char *casehook__buf_keep(struct casehook__buf *buf, casehook__kept *slot)
{
    char *kept = NULL, *mine;
    if (!buf->status) fit_content(buf);
    mine = buf->status ? NULL : buf->data;
    if (mine && atomic_compare_exchange_strong(slot, &kept, mine)) {
        buf->data = NULL;
        kept = mine;
    }
    casehook__buf_free(buf);
    return kept;
}

void casehook__kept_free(struct casehook__heap *heap, casehook__kept *slot)
{
    char *kept = atomic_load(slot);
    casehook__free_secret(heap, kept, kept ? strlen(kept) : 0);
}
