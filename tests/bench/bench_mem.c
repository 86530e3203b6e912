/*
 * bench_mem.c - memory of connectors and of their connections.
 *
 *     bench_mem URL N
 *
 * N connectors of one settings object are made (unused), then each does one push (used: with a slot and a
 * kept-alive connection to each host), then all but one rest longer than idleTimeout.  Each line says what
 * one more of them costs: heap as malloc counts it, of which "own" comes from the library's allocator, and
 * resident memory.
 */
#include "bench_case.h"
#include "bench_window.h"

#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define IDLE_TIMEOUT_MS 4000 /* the default of the setting */

static size_t own, calls;

/* Counts calls, and bytes as malloc rounds them. */
static void *counted(void *user, void *pointer, size_t size)
{
    (void)user;
    if (pointer) own -= malloc_usable_size(pointer);
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    calls++;
    pointer = realloc(pointer, size);
    if (!pointer) exit(2);
    own += malloc_usable_size(pointer);
    return pointer;
}

struct memory {
    size_t heap, own;
    long resident; /* pages */
};

static struct memory measure(void)
{
    struct memory memory = {.own = own};
    long pages = 0;
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &pages, &memory.resident) != 2) memory.resident = 0;
    if (file) fclose(file);
#if defined(__GLIBC__)
    memory.heap = mallinfo2().uordblks;
#endif
    return memory;
}

static void print(const char *what, struct memory before, struct memory after, size_t n)
{
    double each = 1024.0 * (double)n;
    printf("MEM what=%s n=%zu heap_each_kb=%.2f own_each_kb=%.2f rss_each_kb=%.2f\n", what, n,
           (double)(after.heap - before.heap) / each, (double)(after.own - before.own) / each,
           (double)(after.resident - before.resident) * (double)sysconf(_SC_PAGESIZE) / each);
}

static void push(struct casehook_connector *connector, const struct casehook_params *params)
{
    struct casehook_result *result = NULL;
    casehook_create(connector, params, NULL, &result);
    if (!bench_is_good(result)) exit(1);
    casehook_result_free(result);
}

/* What a push that finds everything warm asks of the library's allocator. */
static void count_calls(struct casehook_connector *connector, const struct casehook_params *params)
{
    for (int i = 0; i < 3; i++) push(connector, params);
    calls = 0;
    push(connector, params);
    printf("ALLOC calls_per_warm_push=%zu\n", calls);
}

int main(int argc, char **argv)
{
    const struct casehook_allocator allocator = {.struct_size = sizeof allocator, .reallocate = counted};
    struct casehook_params params;
    if (argc != 3) {
        fprintf(stderr, "usage: %s URL N\n", argv[0]);
        return 2;
    }
    size_t n = strtoul(argv[2], NULL, 10);
    bench_params(&params);
    char *document = bench_document(argv[1]);
    struct casehook_settings *settings = bench_settings(&allocator);
    struct casehook_connector *first = bench_connector(settings, document);
    struct casehook_connector **connectors = calloc(n, sizeof(void *));
    if (n == 0 || !connectors) return 2;
    push(first, &params); /* what is made once is not counted */
    struct memory before = measure();
    for (size_t i = 0; i < n; i++) connectors[i] = bench_connector(settings, document);
    struct memory unused = measure();
    for (size_t i = 0; i < n; i++) push(connectors[i], &params);
    struct memory used = measure();
    poll(NULL, 0, IDLE_TIMEOUT_MS + 100);
    for (size_t i = 0; i < n; i++) push(first, &params);
    struct memory idle = measure();
    print("unused-connector", before, unused, n);
    print("just-used", before, used, n);
    print("used-and-idle", before, idle, n);
    count_calls(first, &params);
    for (size_t i = 0; i < n; i++) casehook_connector_unref(connectors[i]);
    free(connectors);
    free(document);
    casehook_connector_unref(first);
    casehook_settings_free(settings);
    return 0;
}
