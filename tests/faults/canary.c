/* canary.c - secrets that are easy to find again, and memory that is searched for them. */
#include "canary.h"
#include "memory.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#if defined(__GLIBC__)
#include <execinfo.h>
#endif

/* Head and tail are letters; what is between them is written differently everywhere. */
static const char *const canaries[CANARIES] = {"kqPASSWORDqk&s\"w/o\\r<d>+ %41'=;,?#~zvPASSWORDvz",
                                               "kqSECRETHDqka&s\"w/o\\r<d>+ %41'=;,?#~bzvSECRETHDvz",
                                               "kqBEARERTOqkABC-._~+/zvBEARERTOvz==",
                                               "kqPLAINAUTqk&s\"w/o\\r<d>+%41'=;,?#~zvPLAINAUTvz",
                                               "kqPROXYPASqk&s\"w/o\\r<d>+%41'=;,?#~zvPROXYPASvz",
                                               "kqCLIENTSEqk&<>zvCLIENTSEvz",
                                               "kqSECRETURqk'&+=~zvSECRETURvz",
                                               "kqTOKENTOKqkABC-._~+/zvTOKENTOKvz==",
                                               "kqQUERYSECqk&s\"w/o\\r<d>+ %41'=;,?#~zvQUERYSECvz",
                                               "kqSIGNKEYSqk&s\"w/o\\r<d>+ %41'=;,?#~zvSIGNKEYSvz"};

const char *canary(enum canary which)
{
    return canaries[which];
}

/* ---- forms ------------------------------------------------------------------------------------ */

struct text {
    char *bytes;
    size_t length;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text->length += (size_t)vsnprintf(text->bytes + text->length, 16, format, arguments);
    va_end(arguments);
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static void put_percent(struct text *text, enum form form, char c)
{
    if (form != FORM_PERCENT_ALL && is_letter(c))
        put(text, "%c", c);
    else
        put(text, form == FORM_PERCENT_LOWER ? "%%%02x" : "%%%02X", (unsigned)(unsigned char)c);
}

static void put_json(struct text *text, enum form form, char c)
{
    if (form == FORM_JSON_UPPER && !is_letter(c))
        put(text, "\\u%04X", (unsigned)(unsigned char)c);
    else if (form == FORM_JSON_SLASH && strchr("<>&'", c))
        put(text, "\\u%04x", (unsigned)(unsigned char)c);
    else
        put(text, strchr(form == FORM_JSON_SLASH ? "/\"\\" : "\"\\", c) ? "\\%c" : "%c", c);
}

static void put_html(struct text *text, enum form form, char c)
{
    static const char special[] = "&<>\"'";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#x27;"};
    const char *at = strchr(special, c);
    if (form == FORM_HTML_NUMBERS && !is_letter(c))
        put(text, "&#%u;", (unsigned)(unsigned char)c);
    else if (at)
        put(text, "%s", names[at - special]);
    else
        put(text, "%c", c);
}

static char *base64(const char *given)
{
    size_t length = strlen(given);
    char *text = must_alloc(length / 3 * 4 + 8);
    EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)given, (int)length);
    return text;
}

static char *base64_url(const char *given)
{
    char *text = base64(given);
    for (char *at = text; *at; at++) {
        if (*at == '+') *at = '-';
        if (*at == '/') *at = '_';
        if (*at == '=') *at = '\0';
    }
    return text;
}

static char *login(const char *password)
{
    char *both = must_format(CANARY_USER ":%s", password), *text = base64(both);
    free(both);
    return text;
}

char *canary_form(enum form form, const char *given)
{
    if (form == FORM_BASE64) return base64(given);
    if (form == FORM_BASE64_URL) return base64_url(given);
    if (form == FORM_LOGIN) return login(given);
    struct text text = {must_alloc(strlen(given) * 8 + 16), 0};
    for (; *given; given++) {
        if (form >= FORM_PERCENT && form <= FORM_PERCENT_ALL)
            put_percent(&text, form, *given);
        else if (form >= FORM_JSON && form <= FORM_JSON_UPPER)
            put_json(&text, form, *given);
        else if (form == FORM_HTML || form == FORM_HTML_NUMBERS)
            put_html(&text, form, *given);
        else if (form == FORM_LOWER_CASE && *given >= 'A' && *given <= 'Z')
            put(&text, "%c", *given + 32);
        else
            put(&text, "%c", *given);
    }
    return text.bytes;
}

const char *canary_form_name(enum form form)
{
    static const char *const names[FORMS] = {
        "raw",  "base64",       "base64url",  "login", "percent",      "lower percent", "percent letters",
        "JSON", "JSON slashes", "JSON upper", "HTML",  "HTML numbers", "lower case"};
    return names[form];
}

/* ---- search ----------------------------------------------------------------------------------- */

#define PARTS 5

struct needles {
    char text[CANARIES * PARTS][48];
    size_t length[CANARIES * PARTS];
};

static void add(struct needles *needles, size_t at, char *text, size_t begin, size_t length)
{
    memcpy(needles->text[at], text + begin, length);
    needles->length[at] = length;
    free(text);
}

static const struct needles *needles(void)
{
    static struct needles list;
    if (list.length[0]) return &list;
    for (size_t i = 0; i < CANARIES; i++) {
        size_t length = strlen(canaries[i]);
        add(&list, i * PARTS, must_copy(canaries[i], length), 0, 12);
        const char *tail = strrchr(canaries[i], 'v') - 10;
        add(&list, i * PARTS + 1, must_copy(tail, 12), 0, 12);
        add(&list, i * PARTS + 2, base64(canaries[i]), 0, 16);
        add(&list, i * PARTS + 3, login(canaries[i]), 8, 16);
        add(&list, i * PARTS + 4, canary_form(FORM_PERCENT_ALL, canaries[i]), 0, 36);
    }
    return &list;
}

const char *canary_find(const char *bytes, size_t length)
{
    const struct needles *list = needles();
    for (size_t at = 0; at + 12 <= length; at++) {
        char c = bytes[at];
        if (c != 'k' && c != 'K' && c != 'z' && c != 'Z' && c != 'a' && c != 'A' && c != '%') continue;
        for (size_t i = 0; i < CANARIES * PARTS; i++)
            if (list->length[i] && at + list->length[i] <= length &&
                strncasecmp(bytes + at, list->text[i], list->length[i]) == 0)
                return list->text[i];
    }
    return NULL;
}

/* ---- memory ----------------------------------------------------------------------------------- */

#define FRAMES 12

/* Padding and what was never used is searched too: it may hold what was there before. */
#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define MAKE_DEFINED(begin, size) (void)VALGRIND_MAKE_MEM_DEFINED(begin, size)
#endif
#endif
#ifndef MAKE_DEFINED
#define MAKE_DEFINED(begin, size) ((void)0)
#endif

struct block {
    struct block *next;
    size_t size;
    int freed, hit;
    int frame_count[2];
    void *frames[2][FRAMES]; /* who allocated it, who freed it */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *blocks;
static size_t hits;

static void note_caller(struct block *block, int when)
{
#if defined(__GLIBC__)
    block->frame_count[when] = backtrace(block->frames[when], FRAMES);
#else
    block->frame_count[when] = 0;
#endif
}

static void tell(const struct block *block, const char *found, const char *when)
{
    fprintf(stderr, "%s is in a block of %zu bytes %s\n", found, block->size, when);
#if defined(__GLIBC__)
    for (int i = 0; i < 2; i++) {
        fprintf(stderr, i ? "freed by\n" : "allocated by\n");
        backtrace_symbols_fd(block->frames[i], block->frame_count[i], 2);
    }
#endif
}

static void search(struct block *block, const char *when)
{
    MAKE_DEFINED(block + 1, block->size);
    const char *found = canary_find((char *)(block + 1), block->size);
    if (!found || block->hit) return;
    block->hit = 1;
    if (hits++ < 8) tell(block, found, when);
}

static struct block *new_block(size_t size)
{
    struct block *block = must_alloc(sizeof *block + size);
    *block = (struct block){.next = blocks, .size = size};
    note_caller(block, 0);
    blocks = block;
    return block;
}

static void free_block(struct block *block)
{
    if (block->freed) abort();
    block->freed = 1;
    note_caller(block, 1);
    search(block, "that was freed");
}

static void *reallocate(void *user, void *pointer, size_t size)
{
    struct block *old = pointer ? (struct block *)pointer - 1 : NULL, *new = NULL;
    (void)user;
    pthread_mutex_lock(&lock);
    if (size) {
        new = new_block(size);
        if (old) memcpy(new + 1, old + 1, old->size < size ? old->size : size);
    }
    if (old) free_block(old);
    pthread_mutex_unlock(&lock);
    return new ? new + 1 : NULL;
}

const struct casehook_allocator canary_allocator = {sizeof canary_allocator, NULL, reallocate, NULL};

size_t canary_memory_blocks(void)
{
    size_t count = 0;
    for (const struct block *block = blocks; block; block = block->next) count += !block->freed;
    return count;
}

size_t canary_memory_end(void)
{
    while (blocks) {
        struct block *next = blocks->next;
        search(blocks, blocks->freed ? "after it was freed" : "that was never freed");
        free(blocks);
        blocks = next;
    }
    size_t found = hits;
    hits = 0;
    return found;
}
