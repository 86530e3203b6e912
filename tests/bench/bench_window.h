/*
 * bench_window.h - the measured window of a client: warm-up, times, percentiles, one RESULT line.
 */
#ifndef BENCH_WINDOW_H
#define BENCH_WINDOW_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

struct bench {
    const char *url;
    long count, concurrency, warmup;
    long started, done, errors;
    uint64_t first, begin; /* ns of CLOCK_MONOTONIC */
    struct rusage usage;
    float *latency; /* us */
};

uint64_t bench_now(void);
/* URL COUNT CONCURRENCY; $BENCH_WARMUP, else a tenth of COUNT.  Exits with usage 2. */
void bench_begin(struct bench *bench, int argc, char **argv);
/* 1: one more push may start. */
int bench_start_one(struct bench *bench);
/* began: bench_now() at its start.  Prints the line after the last one. */
void bench_done_one(struct bench *bench, int ok, uint64_t began);
void bench_end(struct bench *bench);

/* A file of $BENCH_DATA (or of the project's own data folder), NUL-terminated; exits when it is missing. */
char *bench_read(const char *name, size_t *length);

#endif
