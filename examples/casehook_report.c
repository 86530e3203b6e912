/* casehook_report.c - the words and lines of a batch. */
#include "casehook_report.h"
#include "casehook_print.h"
#include "casehook_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_MS 200

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void report_begin(struct report *report)
{
    *report = (struct report){.began = now_ms()};
}

/* The line of progress makes room. */
static void clear_line(void)
{
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
}

void report_line(struct report *report, uint64_t index, const char *member, const char *value)
{
    if (report->output_failed) return;
    if (isatty(STDOUT_FILENO)) clear_line();
    printf("{\"index\":%llu,\"%s\":", (unsigned long long)index, member);
    write_json(stdout, value, strlen(value));
    fputs("}\n", stdout);
}

void report_flush(struct report *report)
{
    if (!report->output_failed) report->output_failed = !print_flush();
}

/* Failures are told for people too, but where the results themselves are in view. */
static bool tells_failures(void)
{
    return !isatty(STDERR_FILENO) || !isatty(STDOUT_FILENO);
}

void report_failure(uint64_t index, const struct casehook_result *result)
{
    const struct casehook_error *error = result ? casehook_result_error(result) : NULL;
    if (!tells_failures() || (result && !error)) return;
    clear_line();
    fprintf(stderr, "casehook: case %llu: %s: ", (unsigned long long)index,
            error ? casehook_status_name(casehook_error_status(error)) : "no_memory");
    const char *message = error ? casehook_error_message(error) : "there was no memory for its result";
    print_clean(stderr, message, strlen(message));
    putc('\n', stderr);
}

void report_left(struct report *report, uint64_t index)
{
    report->left++;
    report_line(report, index, "outcomeUnknown", "true");
    clear_line();
    fprintf(stderr,
            "casehook: case %llu: may have been sent by an earlier run: look for it in the tracker, then "
            "--retry-unknown\n",
            (unsigned long long)index);
}

void report_lost(struct report *report, uint64_t index, const struct casehook_result *result)
{
    size_t length;
    report->lost++;
    if (!result || !casehook_result_id(result, &length)) return;
    report->lost_case = true;
    clear_line();
    fprintf(stderr, "casehook: case %llu: its result cannot be written: ", (unsigned long long)index);
    print_identity(result);
}

void report_progress(struct report *report, size_t in_flight, bool last)
{
    int64_t now = now_ms();
    if (!isatty(STDERR_FILENO) || (!last && now - report->shown < PROGRESS_MS)) return;
    report->shown = now;
    double seconds = (double)(now - report->began) / 1000,
           rate = seconds > 0 ? (double)report->done / seconds : 0;
    size_t total = report->total > report->before ? report->total - report->before : 0;
    fprintf(stderr, "\r\033[K%zu", report->done);
    if (total) fprintf(stderr, " of %zu", total);
    fprintf(stderr, " done, %.0f a second, %zu in flight, %zu failed", rate, in_flight, report->failed);
    if (total > report->done && rate > 0)
        fprintf(stderr, ", %.0f s left", (double)(total - report->done) / rate);
    if (last) putc('\n', stderr);
    fflush(stderr);
}

void report_sum(const struct report *report)
{
    size_t count = report->done + report->not_attempted + report->left + report->before;
    bool all_well = !report->failed && !report->not_attempted && !report->left && !report->before;
    if (!isatty(STDERR_FILENO) && !all_well) { /* on a terminal the progress has said it */
        fprintf(stderr, "casehook: %zu case%s: %zu done, %zu failed, %zu not attempted", count,
                count == 1 ? "" : "s", report->done - report->failed, report->failed, report->not_attempted);
        if (report->left) fprintf(stderr, ", %zu left alone", report->left);
        if (report->before) fprintf(stderr, ", %zu done before", report->before);
        putc('\n', stderr);
    }
    if (report->lost)
        fprintf(stderr, "casehook: %zu result%s lost\n", report->lost, report->lost == 1 ? " is" : "s are");
}
