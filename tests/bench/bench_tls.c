/*
 * bench_tls.c - what a new TLS connection costs under one CA and under the system's bundle.
 *
 *     bench_tls URL N
 *
 * $BENCH_CA: the only CA, given to each connector.  $BENCH_BUNDLE: a file that stands for the system's
 * bundle, without $BENCH_CA.  Two connectors of one settings object take turns in two threads, and no
 * connection is kept; what is made once is made before the clock starts.
 */
#define _GNU_SOURCE /* RTLD_NEXT */

#include "bench_case.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Takes the place of libcurl's, which says where the system's CAs are. */
curl_version_info_data *curl_version_info(CURLversion which)
{
    static curl_version_info_data data;
    if (data.version) return &data;
    curl_version_info_data *(*next)(CURLversion) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "curl_version_info");
    data = *next(which);
    if (getenv("BENCH_BUNDLE")) data.cainfo = getenv("BENCH_BUNDLE");
    return &data;
}

struct work {
    struct casehook_connector *connectors[2];
    size_t count;
};

static void *connect_often(void *user)
{
    const struct work *work = user;
    const struct casehook_params params = {.struct_size = sizeof params, .external_id = "10023"};
    for (size_t i = 0; i < work->count; i++) {
        struct casehook_result *result = NULL;
        if (casehook_get(work->connectors[i & 1], &params, NULL, &result)) {
            fprintf(stderr, "%s\n", casehook_error_message(casehook_result_error(result)));
            exit(1);
        }
        casehook_result_free(result);
    }
    return NULL;
}

static double processor_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e6 * (double)time.tv_sec + 1e-3 * (double)time.tv_nsec;
}

int main(int argc, char **argv)
{
    struct work work = {.count = 2};
    struct casehook_settings *settings = NULL;
    struct casehook_error *error = NULL;
    pthread_t thread;
    if (argc != 3) {
        fprintf(stderr, "usage: %s URL N\n", argv[0]);
        return 2;
    }
    char *document = bench_document(argv[1]);
    bench_need(casehook_settings_new(NULL, &settings), NULL);
    bench_need(
        casehook_settings_load_json(settings, "{\"maxIdleConnections\":0}", CASEHOOK_TERMINATED, &error),
        error);
    for (size_t i = 0; i < 2; i++) work.connectors[i] = bench_connector(settings, document);
    double begin = processor_us();
    connect_often(&work);
    double first = processor_us();
    work.count = strtoul(argv[2], NULL, 10) / 2;
    if (work.count == 0 || pthread_create(&thread, NULL, connect_often, &work)) return 2;
    connect_often(&work);
    pthread_join(thread, NULL);
    printf("TLS n=%zu first_two_us=%.0f each_us=%.1f\n", 2 * work.count, first - begin,
           (processor_us() - first) / (2.0 * (double)work.count));
    for (size_t i = 0; i < 2; i++) casehook_connector_unref(work.connectors[i]);
    casehook_settings_free(settings);
    free(document);
    return 0;
}
