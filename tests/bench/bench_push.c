/*
 * bench_push.c - create pushes against a server, through the public calls alone.
 *
 *     bench_push URL COUNT CONCURRENCY
 *
 * Blocking when CONCURRENCY is 1, else the loop; BENCH_LOOP=fd drives the loop by its descriptor with
 * poll(2), BENCH_LOOP=wait (the default) by casehook_loop_wait(), which one push at a time then uses as
 * well.  BENCH_CA: file of the CA to trust.  BENCH_HTTP_VERSION: the setting httpVersion.
 * BENCH_TITLE: key of the title in the answer to the create.  BENCH_SETTINGS: members of settings, with a
 * comma before each.
 */
#include "bench_case.h"
#include "bench_window.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bench bench;
static struct casehook_params params;

static void run_blocking(struct casehook_connector *connector)
{
    while (bench_start_one(&bench)) {
        struct casehook_result *result = NULL;
        uint64_t began = bench_now();
        casehook_create(connector, &params, NULL, &result);
        bench_done_one(&bench, bench_is_good(result), began);
        casehook_result_free(result);
    }
}

/* ---- the loop --------------------------------------------------------------------------------- */

/* When each operation began, by ticket: tickets of one loop are counted up. */
static uint64_t *began;
static size_t window;

static void submit(struct casehook_loop *loop, struct casehook_connector *connector)
{
    uint64_t ticket = 0, now = bench_now();
    if (!bench_start_one(&bench)) return;
    bench_need(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, &ticket, NULL), NULL);
    began[ticket % window] = now;
}

static void turn(struct casehook_loop *loop, int descriptor)
{
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};
    if (descriptor < 0) {
        bench_need(casehook_loop_wait(loop, -1), NULL);
    } else {
        poll(&ready, 1, -1);
        bench_need(casehook_loop_process(loop), NULL);
    }
}

static void run_loop(struct casehook_connector *connector, bool by_descriptor)
{
    struct casehook_loop_options options = {.struct_size = sizeof options,
                                            .max_operations = (uint32_t)bench.concurrency,
                                            .max_connections = (uint32_t)bench.concurrency};
    struct casehook_loop *loop = NULL;
    uint64_t ticket;
    window = (size_t)(bench.count + bench.warmup) + 1;
    began = calloc(window, sizeof *began);
    if (!began) exit(2);
    bench_need(casehook_loop_new(&options, &loop), NULL);
    int descriptor = by_descriptor ? casehook_loop_fd(loop) : -1;
    for (long i = 0; i < bench.concurrency; i++) submit(loop, connector);
    while (casehook_loop_pending(loop)) {
        struct casehook_result *result = casehook_loop_next(loop, &ticket);
        if (!result) {
            turn(loop, descriptor);
            continue;
        }
        bench_done_one(&bench, bench_is_good(result), began[ticket % window]);
        casehook_result_free(result);
        submit(loop, connector);
    }
    casehook_loop_free(loop);
    free(began);
}

int main(int argc, char **argv)
{
    const char *mode = getenv("BENCH_LOOP");
    bench_begin(&bench, argc, argv);
    bench_params(&params);
    char *document = bench_document(bench.url);
    struct casehook_settings *settings = bench_settings(NULL);
    struct casehook_connector *connector = bench_connector(settings, document);
    casehook_settings_free(settings);
    free(document);
    if (bench.concurrency == 1 && !mode)
        run_blocking(connector);
    else
        run_loop(connector, mode && strcmp(mode, "fd") == 0);
    casehook_connector_unref(connector);
    int failed = bench.errors > 0;
    bench_end(&bench);
    return failed;
}
