/* casehook_trace.c - attempts, delays, times and bytes, for people. */
#include "casehook_trace.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    int which;
    const char *name;
} times[] = {{CASEHOOK_TIME_NAME, "name"},
             {CASEHOOK_TIME_CONNECT, "connected"},
             {CASEHOOK_TIME_TLS, "TLS"},
             {CASEHOOK_TIME_FIRST_BYTE, "first byte"},
             {CASEHOOK_TIME_TOTAL, "total"}};

static void put_times(const struct casehook_result *result, size_t index)
{
    const char *before = "; ms from its beginning: ";
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t us = casehook_result_request_time_us(result, index, times[i].which);
        if (us < 0) continue;
        fprintf(stderr, "%s%s %" PRId64 ".%03d", before, times[i].name, us / 1000, (int)(us % 1000));
        before = ", ";
    }
}

static void put_request(const char *of, const struct casehook_result *result, size_t index)
{
    int64_t delay = casehook_result_request_delay_ms(result, index),
            sent = casehook_result_request_bytes_sent(result, index),
            received = casehook_result_request_bytes_received(result, index);
    int status = casehook_result_request_status(result, index);
    fprintf(stderr, "casehook: %s%s: attempt %u", of,
            casehook_step_name(casehook_result_request_step(result, index)),
            casehook_result_request_attempt(result, index));
    if (delay > 0) fprintf(stderr, ", %" PRId64 " ms later", delay);
    if (status) fprintf(stderr, ", status %d", status);
    fprintf(stderr, ", %s", casehook_outcome_name(casehook_result_request_outcome(result, index)));
    put_times(result, index);
    if (sent >= 0) fprintf(stderr, "; %" PRId64 " bytes sent", sent);
    if (received >= 0) fprintf(stderr, ", %" PRId64 " received", received);
    if (casehook_result_request_reused(result, index)) fputs(", on a kept connection", stderr);
    putc('\n', stderr);
}

void trace_requests(const char *of, const struct casehook_result *result)
{
    size_t count = casehook_result_request_count(result);
    for (size_t i = 0; i < count; i++) put_request(of, result, i);
}
