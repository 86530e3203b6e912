/* bench_window.c - the measured window of a client. */
#include "bench_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void open_window(struct bench *bench)
{
    bench->begin = bench_now();
    getrusage(RUSAGE_SELF, &bench->usage);
}

void bench_begin(struct bench *bench, int argc, char **argv)
{
    const char *warmup = getenv("BENCH_WARMUP");
    memset(bench, 0, sizeof *bench);
    if (argc != 4) {
        fprintf(stderr, "usage: %s URL COUNT CONCURRENCY\n", argv[0]);
        exit(2);
    }
    bench->url = argv[1];
    bench->count = atol(argv[2]);
    bench->concurrency = atol(argv[3]);
    bench->warmup = warmup ? atol(warmup) : bench->count / 10;
    bench->latency = malloc(sizeof *bench->latency * (size_t)(bench->count + 1));
    if (bench->count < 1 || bench->concurrency < 1 || bench->warmup < 0 || !bench->latency) exit(2);
    if (bench->warmup == 0) open_window(bench);
}

int bench_start_one(struct bench *bench)
{
    if (bench->started >= bench->count + bench->warmup) return 0;
    bench->started++;
    return 1;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static double seconds(struct timeval later, struct timeval earlier)
{
    return (double)(later.tv_sec - earlier.tv_sec) + 1e-6 * (double)(later.tv_usec - earlier.tv_usec);
}

static void report(struct bench *bench, uint64_t now)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    qsort(bench->latency, (size_t)bench->count, sizeof *bench->latency, compare);
    printf("RESULT pushes=%ld seconds=%.6f user=%.6f sys=%.6f first_ns=%llu errors=%ld p50_us=%.1f "
           "p99_us=%.1f\n",
           bench->count, (double)(now - bench->begin) / 1e9, seconds(usage.ru_utime, bench->usage.ru_utime),
           seconds(usage.ru_stime, bench->usage.ru_stime), (unsigned long long)bench->first, bench->errors,
           (double)bench->latency[bench->count / 2],
           (double)bench->latency[bench->count - 1 - bench->count / 100]);
    fflush(stdout);
}

void bench_done_one(struct bench *bench, int ok, uint64_t began)
{
    uint64_t now = bench_now();
    bench->done++;
    if (!ok) bench->errors++;
    if (bench->done == 1) bench->first = now;
    if (bench->done > bench->warmup)
        bench->latency[bench->done - bench->warmup - 1] = (float)(now - began) / 1000.f;
    if (bench->done == bench->warmup) open_window(bench);
    if (bench->done == bench->count + bench->warmup) report(bench, now);
}

void bench_end(struct bench *bench)
{
    free(bench->latency);
    bench->latency = NULL;
}

char *bench_read(const char *name, size_t *length)
{
    const char *folder = getenv("BENCH_DATA");
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", name[0] == '/' ? "" : folder ? folder : BENCH_OWN_DATA, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) exit(2);
    text[size] = '\0';
    fclose(file);
    if (length) *length = (size_t)size;
    return text;
}
