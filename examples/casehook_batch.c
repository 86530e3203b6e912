/* casehook_batch.c - many pushes from one file, on one thread. */
#include "casehook_batch.h"
#include "casehook_lines.h"
#include "casehook_print.h"
#include "casehook_stop.h"
#include "casehook_text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONCURRENCY_DEFAULT 16
#define PROGRESS_MS         200
#define REST_PIECES         16 /* more than a pipe holds */

struct batch {
    const struct arguments *arguments;
    struct casehook_connector *connector;
    struct casehook_loop *loop;
    struct stop stop;
    struct lines lines;
    size_t index, total;         /* index: of the next line; total 0: not known */
    uint64_t *tickets, *indexes; /* of what is in flight */
    size_t slots, in_flight, done, failed, not_attempted;
    int fault;        /* no further case is begun because of it: CASEHOOK_E_... */
    const char *form; /* what is wrong with the whole file, found at its first line; NULL: nothing */
    bool begun;       /* the first line was looked at */
    bool output_failed;
    size_t lost;    /* results that could not be written */
    bool lost_case; /* one of them tells of a case that was made */
    bool is_file;   /* the lines come to an end */
    int64_t began, shown;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The next line that is not blank; false: there is none, now or at all. */
static bool next_case(struct lines *lines, size_t *index, char **line, size_t *length)
{
    while (lines_next(lines, line, length)) {
        size_t at = (*index)++, i = 0;
        while (i < *length && strchr(" \t\r", (*line)[i]) && (*line)[i]) i++;
        if (i == *length) continue;
        *index = at;
        return true;
    }
    return false;
}

/* What can be read twice, unlike a pipe, and ends, unlike a device. */
static bool is_file(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 && S_ISREG(status.st_mode);
}

static size_t count_cases(int file)
{
    struct lines lines = {.file = file, .pieces = SIZE_MAX};
    off_t begin = lseek(file, 0, SEEK_CUR);
    size_t count = 0, index = 0, length;
    char *line;
    if (begin < 0) return 0;
    for (; next_case(&lines, &index, &line, &length); index++) count++;
    lines_free(&lines);
    return lseek(file, begin, SEEK_SET) == begin ? count : 0;
}

static void print_line(struct batch *batch, uint64_t index, const char *member, const char *value)
{
    if (batch->output_failed) return;
    if (isatty(STDERR_FILENO) && isatty(STDOUT_FILENO)) fputs("\r\033[K", stderr); /* the progress */
    printf("{\"index\":%llu,\"%s\":", (unsigned long long)index, member);
    write_json(stdout, value, strlen(value));
    fputs("}\n", stdout);
}

/* Whoever reads the results gets them as they come. */
static void flush_output(struct batch *batch)
{
    if (!batch->output_failed) batch->output_failed = !print_flush();
}

/* The id of a case that was made must not be lost with its result. */
static void tell_lost(struct batch *batch, uint64_t index, const struct casehook_result *result)
{
    size_t length;
    batch->lost++;
    if (!result || !casehook_result_id(result, &length)) return;
    batch->lost_case = true;
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    fprintf(stderr, "casehook: case %llu: its result cannot be written: ", (unsigned long long)index);
    print_identity(result);
}

/* Failures are told for people too, but where the results themselves are in view. */
static bool tells_failures(void)
{
    return !isatty(STDERR_FILENO) || !isatty(STDOUT_FILENO);
}

static void tell_failure(uint64_t index, const struct casehook_result *result)
{
    const struct casehook_error *error = result ? casehook_result_error(result) : NULL;
    if (!tells_failures() || (result && !error)) return;
    if (isatty(STDERR_FILENO)) fputs("\r\033[K", stderr);
    fprintf(stderr, "casehook: case %llu: %s: ", (unsigned long long)index,
            error ? casehook_status_name(casehook_error_status(error)) : "no_memory");
    const char *message = error ? casehook_error_message(error) : "there was no memory for its result";
    print_clean(stderr, message, strlen(message));
    putc('\n', stderr);
}

/* On a terminal the progress has said it. */
static void tell_sum(const struct batch *batch)
{
    if (isatty(STDERR_FILENO) || (!batch->failed && !batch->not_attempted)) return;
    fprintf(stderr, "casehook: %zu case%s: %zu done, %zu failed, %zu not attempted\n",
            batch->done + batch->not_attempted, batch->done + batch->not_attempted == 1 ? "" : "s",
            batch->done - batch->failed, batch->failed, batch->not_attempted);
}

/* A file of one list, or of cases over several lines, would fail at each of its lines with words about JSON.
 */
static const char *find_form(const char *line, size_t length)
{
    while (length && strchr(" \t\r", line[length - 1]) && line[length - 1]) length--;
    while (length && strchr(" \t", *line) && *line) line++, length--;
    if (length && *line == '[') return "holds a JSON array; write one case per line: jq -c '.[]' FILE";
    if (length && *line == '{' && memchr("{[,", line[length - 1], 3))
        return "has a case that goes over several lines; write one case per line: jq -c . FILE";
    return NULL;
}

static bool may_begin(struct batch *batch)
{
    return batch->in_flight < batch->slots && !batch->fault && !batch->output_failed &&
           !stop_asked(&batch->stop);
}

/*
 * Fills the loop up to the wanted concurrency, as far as there are lines.  Only a piece is read: what is in
 * flight and what is asked of us must not wait for a line without an end.
 */
static void submit(struct batch *batch)
{
    struct casehook_options options = {.struct_size = sizeof options,
                                       .deadline_ms = batch->arguments->deadline_ms};
    char *line;
    size_t length;
    batch->lines.pieces = 1;
    while (may_begin(batch) && next_case(&batch->lines, &batch->index, &line, &length)) {
        if (!batch->begun) batch->form = find_form(line, length);
        batch->begun = true;
        if (batch->form) {
            batch->fault = CASEHOOK_E_PARAMS;
            return;
        }
        size_t slot = 0;
        while (batch->tickets[slot]) slot++;
        batch->indexes[slot] = batch->index++;
        batch->fault = casehook_loop_submit_json(batch->loop, batch->connector, CASEHOOK_PUSH, line, length,
                                                 &options, &batch->tickets[slot], NULL);
        if (!batch->fault) {
            batch->in_flight++;
        } else {
            print_line(batch, batch->indexes[slot], "notAttempted", "true");
            batch->not_attempted++;
        }
    }
}

/* result NULL: there was no memory for it, and nothing was sent. */
static void take_result(struct batch *batch, size_t slot, struct casehook_result *result)
{
    const char *json = casehook_result_json(result, NULL);
    batch->tickets[slot] = 0;
    batch->in_flight--;
    batch->done++;
    batch->failed += !result || casehook_result_error(result);
    if (json)
        print_line(batch, batch->indexes[slot], "result", json);
    else
        print_line(batch, batch->indexes[slot], result ? "outcomeUnknown" : "notAttempted", "true");
    if (!json) batch->fault = CASEHOOK_E_NO_MEMORY;
    tell_failure(batch->indexes[slot], result);
    flush_output(batch);
    if (batch->output_failed || (result && !json)) tell_lost(batch, batch->indexes[slot], result);
    casehook_result_free(result);
}

static void take_results(struct batch *batch)
{
    struct casehook_result *result;
    uint64_t ticket;
    while ((result = casehook_loop_next(batch->loop, &ticket)) != NULL || ticket) {
        size_t slot = 0;
        while (batch->tickets[slot] != ticket) slot++;
        take_result(batch, slot, result);
    }
}

static void show_progress(struct batch *batch, bool last)
{
    int64_t now = now_ms();
    if (!isatty(STDERR_FILENO) || (!last && now - batch->shown < PROGRESS_MS)) return;
    batch->shown = now;
    double seconds = (double)(now - batch->began) / 1000,
           rate = seconds > 0 ? (double)batch->done / seconds : 0;
    fprintf(stderr, "\r\033[K%zu", batch->done);
    if (batch->total) fprintf(stderr, " of %zu", batch->total);
    fprintf(stderr, " done, %.0f a second, %zu in flight, %zu failed", rate, batch->in_flight, batch->failed);
    if (batch->total > batch->done && rate > 0)
        fprintf(stderr, ", %.0f s left", (double)(batch->total - batch->done) / rate);
    if (last) putc('\n', stderr);
    fflush(stderr);
}

/* Until something has ended, or been written to the pipe that the cases come from. */
static void wait_for_something(struct batch *batch)
{
    if (!may_begin(batch) || batch->lines.ended) {
        casehook_loop_wait(batch->loop, PROGRESS_MS);
        return;
    }
    struct pollfd watched[] = {{.fd = casehook_loop_fd(batch->loop), .events = POLLIN},
                               {.fd = batch->lines.file, .events = POLLIN}};
    poll(watched, 2, PROGRESS_MS);
    casehook_loop_process(batch->loop);
}

static void drive(struct batch *batch)
{
    submit(batch);
    while (batch->in_flight || (may_begin(batch) && !batch->lines.ended)) {
        wait_for_something(batch);
        take_results(batch);
        submit(batch);
        show_progress(batch, false);
    }
}

/* What Ctrl-C, or a fault, left over; of a pipe what has come out of it. */
static void report_rest(struct batch *batch)
{
    char *line;
    size_t length;
    batch->lines.pieces = batch->is_file ? SIZE_MAX : REST_PIECES;
    while (!batch->output_failed && !batch->form && next_case(&batch->lines, &batch->index, &line, &length)) {
        print_line(batch, batch->index++, "notAttempted", "true");
        batch->not_attempted++;
    }
    flush_output(batch);
}

static int open_batch(struct batch *batch, struct trouble *trouble)
{
    const struct arguments *arguments = batch->arguments;
    struct casehook_loop_options options = {.struct_size = sizeof options};
    batch->slots = arguments->concurrency ? arguments->concurrency : CONCURRENCY_DEFAULT;
    options.max_operations = options.max_connections = (uint32_t)batch->slots;
    batch->lines.file =
        strcmp(arguments->batch, "-") ? open(arguments->batch, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (batch->lines.file < 0)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", arguments->batch, strerror(errno));
    batch->is_file = is_file(batch->lines.file);
    if (batch->is_file && isatty(STDERR_FILENO)) batch->total = count_cases(batch->lines.file);
    batch->tickets = calloc(batch->slots, sizeof *batch->tickets);
    batch->indexes = calloc(batch->slots, sizeof *batch->indexes);
    if (!batch->tickets || !batch->indexes || casehook_loop_new(&options, &batch->loop))
        return trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
    if (stop_begin(&batch->stop, NULL, batch->loop))
        return trouble_set(trouble, CASEHOOK_E_SYSTEM, "", "no thread for signals");
    return CASEHOOK_OK;
}

static void close_batch(struct batch *batch)
{
    stop_end(&batch->stop);
    casehook_loop_free(batch->loop);
    if (batch->lines.file > STDIN_FILENO) close(batch->lines.file);
    lines_free(&batch->lines);
    free(batch->tickets);
    free(batch->indexes);
}

/* Why it broke off, if it did. */
static int find_trouble(const struct batch *batch, struct trouble *trouble)
{
    if (batch->lines.error)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", batch->arguments->batch,
                           strerror(batch->lines.error));
    if (batch->form)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", batch->arguments->batch,
                           batch->form);
    if (batch->fault)
        return trouble_set(trouble, batch->fault, "", "the batch broke off: %s",
                           casehook_status_name(batch->fault));
    return CASEHOOK_OK;
}

int batch_run(const struct arguments *arguments, struct casehook_connector *connector,
              struct trouble *trouble)
{
    struct batch batch = {
        .arguments = arguments, .connector = connector, .lines.file = -1, .began = now_ms()};
    int status = open_batch(&batch, trouble);
    if (!status) {
        drive(&batch);
        report_rest(&batch);
        show_progress(&batch, true);
        tell_sum(&batch);
        status = find_trouble(&batch, trouble);
    }
    if (batch.lost)
        fprintf(stderr, "casehook: %zu result%s lost\n", batch.lost, batch.lost == 1 ? " is" : "s are");
    bool ended = batch.lines.ended;
    close_batch(&batch);
    if (batch.lost_case) return EXIT_PARTIAL;
    if (status || batch.output_failed) return EXIT_OTHER;
    if (batch.failed || batch.not_attempted) return EXIT_BATCH;
    return ended ? EXIT_OK : EXIT_CANCELLED;
}
