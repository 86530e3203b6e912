/*
 * template_keys.c - two equal keys in one object (T2).
 *
 * One pass over JSON that is known to be valid.  The keys of all objects that are open lie behind
 * the text, in the memory of the same buffer; when an object ends its keys are sorted and compared.
 */
#include "template/template_private.h"

#include "json/jsbytes.h"

struct key {
    uint32_t at, length; /* between the quotes */
    uint64_t hash;       /* of the decoded text: sorting looks at texts only where it is equal */
};

struct key_walk {
    const struct casehook__hash_key *hash_key;
    struct casehook__buf *buf;
    size_t at, end;   /* of the text */
    size_t keys;      /* where they begin in buf, aligned */
    size_t key_count; /* of all open objects */
    size_t seen;      /* of all objects */
    bool literal_only;
    struct key twins[2]; /* in the order of the text */
    size_t depth;
    /* Per level: where its keys begin, or ARRAY. */
    uint32_t levels[CASEHOOK__JSON_DEPTH_MAX + 1];
};

#define ARRAY UINT32_MAX

static uint64_t hash_of(const struct key_walk *walk, const char *p, const char *end)
{
    struct casehook__hash hash;
    casehook__hash_begin(&hash, walk->hash_key);
    while (p < end) {
        char character[4];
        size_t length = casehook__js_decode_one(&p, end, character);
        casehook__hash_add(&hash, character, length);
    }
    return casehook__hash_end(&hash);
}

static int compare(const struct key_walk *walk, struct key a, struct key b)
{
    if (a.hash != b.hash) return a.hash < b.hash ? -1 : 1;
    const char *p = walk->buf->data + a.at, *q = walk->buf->data + b.at;
    const char *p_end = p + a.length, *q_end = q + b.length;
    while (p < p_end && q < q_end) {
        char x[4] = {0}, y[4] = {0};
        casehook__js_decode_one(&p, p_end, x);
        casehook__js_decode_one(&q, q_end, y);
        int order = memcmp(x, y, sizeof x);
        if (order) return order;
    }
    return (p < p_end) - (q < q_end);
}

/* Heap sort: no recursion, no memory, no bad case. */
static void sift(const struct key_walk *walk, struct key *keys, size_t root, size_t count)
{
    for (size_t child; (child = root * 2 + 1) < count; root = child) {
        if (child + 1 < count && compare(walk, keys[child], keys[child + 1]) < 0) child++;
        if (compare(walk, keys[root], keys[child]) >= 0) return;
        struct key swap = keys[root];
        keys[root] = keys[child];
        keys[child] = swap;
    }
}

static bool has_twins(struct key_walk *walk, struct key *keys, size_t count)
{
    for (size_t i = count / 2; i-- > 0;) sift(walk, keys, i, count);
    for (size_t i = count; i-- > 1;) {
        struct key swap = keys[0];
        keys[0] = keys[i];
        keys[i] = swap;
        sift(walk, keys, 0, i);
    }
    for (size_t i = 1; i < count; i++) {
        if (compare(walk, keys[i - 1], keys[i]) != 0) continue;
        bool ordered = keys[i - 1].at < keys[i].at;
        walk->twins[0] = keys[ordered ? i - 1 : i];
        walk->twins[1] = keys[ordered ? i : i - 1];
        return true;
    }
    return false;
}

/* Behind a string: the place after its closing quote. */
static size_t skip_key_string(const struct key_walk *walk, size_t at)
{
    const char *data = walk->buf->data;
    for (at++; data[at] != '"'; at++)
        if (data[at] == '\\') at++;
    return at + 1;
}

static bool is_key(const struct key_walk *walk, size_t behind)
{
    const char *data = walk->buf->data;
    while (behind < walk->end && (data[behind] == ' ' || (data[behind] >= '\t' && data[behind] <= '\r')))
        behind++;
    return behind < walk->end && data[behind] == ':';
}

static int add_object_key(struct key_walk *walk, size_t from, size_t to)
{
    const char *text = walk->buf->data + from, *end = walk->buf->data + to;
    if (walk->literal_only && memchr(text, CASEHOOK__TAG_MARK, to - from)) return CASEHOOK_OK;
    struct key key = {(uint32_t)from, (uint32_t)(to - from), hash_of(walk, text, end)};
    walk->key_count++;
    walk->seen++;
    return casehook__buf_append(walk->buf, &key, sizeof key);
}

static int walk_string(struct key_walk *walk)
{
    size_t from = walk->at + 1, behind = skip_key_string(walk, walk->at);
    walk->at = behind;
    if (walk->depth == 0 || walk->levels[walk->depth - 1] == ARRAY || !is_key(walk, behind))
        return CASEHOOK_OK;
    return add_object_key(walk, from, behind - 1);
}

static int walk_close(struct key_walk *walk)
{
    uint32_t first = walk->levels[--walk->depth];
    walk->at++;
    if (first == ARRAY) return CASEHOOK_OK;
    struct key *keys = (struct key *)(void *)(walk->buf->data + walk->keys) + first;
    size_t count = walk->key_count - first;
    walk->key_count = first;
    walk->buf->length -= count * sizeof *keys;
    return has_twins(walk, keys, count) ? CASEHOOK_E_PARAMS : CASEHOOK_OK;
}

static int walk_text(struct key_walk *walk)
{
    int status = CASEHOOK_OK;
    while (walk->at < walk->end && !status) {
        switch (walk->buf->data[walk->at]) {
        case '"': status = walk_string(walk); break;
        case '{':
        case '[':
            if (walk->depth == CASEHOOK__JSON_DEPTH_MAX) return CASEHOOK_E_SYSTEM; /* it is not valid */
            walk->levels[walk->depth++] =
                walk->buf->data[walk->at++] == '[' ? ARRAY : (uint32_t)walk->key_count;
            break;
        case '}':
        case ']': status = walk_close(walk); break;
        default: walk->at++;
        }
    }
    return status;
}

int casehook__keys_check(const struct casehook__template *tmpl, struct casehook__buf *buf, size_t start,
                         bool literal_only, struct casehook__text twins[2], size_t *count)
{
    static const char padding[sizeof(struct key)];
    struct key_walk walk;
    walk.hash_key = &tmpl->hash_key;
    walk.buf = buf;
    walk.at = start;
    walk.end = buf->length;
    walk.key_count = walk.seen = walk.depth = 0;
    walk.literal_only = literal_only;
    /* What limits the text is no limit of its keys: each takes 5 bytes of it at least, and 16 behind it. */
    size_t limit = buf->limit;
    buf->limit = limit < SIZE_MAX / 5 ? limit * 5 : limit;
    int status = casehook__buf_append(buf, padding, sizeof padding - buf->length % sizeof padding);
    walk.keys = buf->length;
    if (!status) status = walk_text(&walk);
    buf->length = walk.end;
    casehook__buf_limit(buf, limit);
    if (count) *count = walk.seen;
    if (buf->data) buf->data[buf->length] = '\0';
    for (size_t i = 0; i < 2 && status == CASEHOOK_E_PARAMS; i++)
        twins[i] = (struct casehook__text){buf->data + walk.twins[i].at, walk.twins[i].length};
    return status;
}

enum casehook__js_fault casehook__template_json_fault(struct casehook__text text, size_t *offset)
{
    *offset = 0;
    if (text.length && (unsigned char)text.data[0] == 0xEF) return CASEHOOK__JS_SYNTAX;
    return casehook__jsscan(text, NULL, 0, NULL, offset);
}
