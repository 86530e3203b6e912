/* casehook_batch.c - many pushes from one file, on one thread. */
#include "casehook_batch.h"
#include "casehook_stop.h"
#include "casehook_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONCURRENCY_DEFAULT 16
#define PROGRESS_MS         200

struct batch {
    const struct arguments *arguments;
    struct casehook_connector *connector;
    struct casehook_loop *loop;
    struct stop stop;
    FILE *file;
    char *line;
    size_t line_size, index, total; /* index: of the next line; total 0: not known */
    uint64_t *tickets, *indexes;    /* of what is in flight */
    size_t slots, in_flight, done, failed, not_attempted;
    bool more; /* lines are left in the file */
    int64_t began, shown;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Lines of a file that can be read twice, from where it stands; 0 for a pipe. */
static size_t count_lines(FILE *file)
{
    size_t count = 0;
    int c, last = '\n';
    long start = ftell(file);
    if (start < 0) return 0;
    while ((c = getc(file)) != EOF) {
        count += c == '\n';
        last = c;
    }
    clearerr(file);
    fseek(file, start, SEEK_SET);
    return count + (last != '\n');
}

/* The next line that is not blank; false at the end. */
static bool next_line(struct batch *batch, size_t *length)
{
    ssize_t n;
    while ((n = getline(&batch->line, &batch->line_size, batch->file)) >= 0) {
        *length = (size_t)n;
        if (strspn(batch->line, " \t\r\n") < *length) return true;
        batch->index++;
    }
    return batch->more = false;
}

static void print_line(uint64_t index, const char *member, const char *value)
{
    if (isatty(STDERR_FILENO) && isatty(STDOUT_FILENO)) fputs("\r\033[K", stderr); /* the progress */
    printf("{\"index\":%llu,\"%s\":", (unsigned long long)index, member);
    write_json(stdout, value, strlen(value));
    fputs("}\n", stdout);
}

/* Fills the loop up to the wanted concurrency. */
static int submit(struct batch *batch)
{
    struct casehook_options options = {.struct_size = sizeof options,
                                       .deadline_ms = batch->arguments->deadline_ms};
    size_t length;
    while (batch->more && batch->in_flight < batch->slots && !stop_asked(&batch->stop) &&
           next_line(batch, &length)) {
        size_t slot = 0;
        while (batch->tickets[slot]) slot++;
        int status = casehook_loop_submit_json(batch->loop, batch->connector, CASEHOOK_PUSH, batch->line,
                                               length, &options, &batch->tickets[slot]);
        if (status) return status;
        batch->indexes[slot] = batch->index++;
        batch->in_flight++;
    }
    return CASEHOOK_OK;
}

static int take_results(struct batch *batch)
{
    struct casehook_result *result;
    uint64_t ticket;
    while ((result = casehook_loop_next(batch->loop, &ticket)) != NULL) {
        size_t slot = 0;
        while (batch->tickets[slot] != ticket) slot++;
        const char *json = casehook_result_json(result, NULL);
        if (json) print_line(batch->indexes[slot], "result", json);
        batch->tickets[slot] = 0;
        batch->in_flight--;
        batch->done++;
        batch->failed += casehook_result_error(result) != NULL;
        casehook_result_free(result);
        if (!json) return CASEHOOK_E_NO_MEMORY;
    }
    return ferror(stdout) ? CASEHOOK_E_SYSTEM : CASEHOOK_OK;
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

static int drive(struct batch *batch)
{
    int status = submit(batch);
    while (!status && batch->in_flight) {
        status = casehook_loop_wait(batch->loop, PROGRESS_MS);
        if (!status) status = take_results(batch);
        if (!status) status = submit(batch);
        show_progress(batch, false);
    }
    return status;
}

/* What Ctrl-C, or a fault of the loop, left over. */
static void report_rest(struct batch *batch)
{
    size_t length;
    for (size_t slot = 0; slot < batch->slots; slot++)
        if (batch->tickets[slot]) print_line(batch->indexes[slot], "outcomeUnknown", "true");
    while (batch->more && next_line(batch, &length)) {
        print_line(batch->index++, "notAttempted", "true");
        batch->not_attempted++;
    }
}

static int open_batch(struct batch *batch, struct trouble *trouble)
{
    const struct arguments *arguments = batch->arguments;
    struct casehook_loop_options options = {.struct_size = sizeof options};
    batch->slots = arguments->concurrency ? arguments->concurrency : CONCURRENCY_DEFAULT;
    options.max_operations = options.max_connections = (uint32_t)batch->slots;
    batch->file = strcmp(arguments->batch, "-") ? fopen(arguments->batch, "r") : stdin;
    if (!batch->file)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", arguments->batch, strerror(errno));
    batch->total = count_lines(batch->file);
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
    if (batch->file && batch->file != stdin) fclose(batch->file);
    free(batch->line);
    free(batch->tickets);
    free(batch->indexes);
}

int batch_run(const struct arguments *arguments, struct casehook_connector *connector,
              struct trouble *trouble)
{
    struct batch batch = {.arguments = arguments, .connector = connector, .more = true, .began = now_ms()};
    int status = open_batch(&batch, trouble);
    if (!status) {
        status = drive(&batch);
        if (status) trouble_set(trouble, status, "", "the batch broke off: %s", casehook_status_name(status));
        report_rest(&batch);
        if (!status && ferror(batch.file))
            status = trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "the file \"%s\" cannot be read to its end",
                                 arguments->batch);
        show_progress(&batch, true);
    }
    close_batch(&batch);
    if (status) return EXIT_OTHER;
    return batch.failed || batch.not_attempted ? EXIT_BATCH : EXIT_OK;
}
