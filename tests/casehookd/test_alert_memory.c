/*
 * test_alert_memory.c - each allocation on the way from a payload to an entry fails once.
 *
 * Then the payload is refused for now, or there is nothing to put, or it is the same entry: an alert is not
 * accepted as another one.
 */
#include "fuzz_alert.c"

#include <openssl/crypto.h>

static char why_of[WHY_SIZE];
static long countdown; /* the allocation that fails; 0: none does */

static bool fails(void)
{
    return countdown && --countdown == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *pointer, size_t size)
{
    return fails() ? NULL : __real_realloc(pointer, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(size);
}

static void *openssl_realloc(void *pointer, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(pointer, size);
}

static void openssl_free(void *pointer, const char *file, int line)
{
    (void)file;
    (void)line;
    free(pointer);
}

static int make(struct source *source, const char *payload, const struct last *last, struct notice *notice,
                struct plan *plan)
{
    memset(plan, 0, sizeof *plan);
    int status = notice_read(source, payload, strlen(payload), notice, why_of);
    if (!status) plan_make(notice, last, plan);
    return status;
}

static void check_payload(struct source *source, const char *payload, const struct last *last)
{
    struct notice right, notice;
    struct plan wanted, plan;
    bool failed = true;
    CHECK(!make(source, payload, last, &right, &wanted) && wanted.params);
    for (long number = 1; failed; number++) {
        countdown = number;
        int status = make(source, payload, last, &notice, &plan);
        failed = countdown == 0;
        countdown = 0;
        if (status && status != 503) fprintf(stderr, "%ld: %d %s\n", number, status, why_of);
        CHECK(status == 0 || (failed && status == 503));
        CHECK(failed || plan.params);
        if (plan.params) {
            CHECK(!strcmp(notice.case_id, right.case_id) && !strcmp(notice.digest, right.digest));
            CHECK(!strcmp(plan.params, wanted.params) && !strcmp(plan.key, wanted.key));
        }
        plan_clear(&plan);
        notice_clear(&notice);
    }
    plan_clear(&wanted);
    notice_clear(&right);
}

static void check_secrets(void)
{
    for (long number = 1; number < 20; number++) {
        CHECK(text_same_secret("the secret", "the secret"));
        countdown = number;
        CHECK(!text_same_secret("the secret", "another one"));
        countdown = 0;
    }
}

int main(void)
{
    static struct source source;
    struct last none = {.id = 0},
                before = {.key = "f-0123456789abcdef0123456789abcdef-1", .id = 7, .put_ms = 1};
    /* Before anything of them has memory. */
    CHECK(CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free));
    json_watch_memory();
    prepare(&source);
    source.on_change = source.on_resolved = REACT_UPDATE | REACT_COMMENT;
    for (int type = 0; type < 2; type++) {
        struct text payload = {0};
        source.type = type ? SOURCE_GRAFANA : SOURCE_ALERTMANAGER;
        /* The first one fires, the second one is resolved. */
        text_format(&payload, "%s%sa%s,%sb%s%s", pieces[type], pieces[2], pieces[3], pieces[4], pieces[3],
                    pieces[5]);
        CHECK(!payload.failed);
        check_payload(&source, payload.data, type ? &before : &none);
        check_payload(&source, payload.data, &before);
        text_free(&payload);
    }
    check_secrets();
    return 0;
}
