/* casehook_batch.c - many pushes from one file, on one thread. */
#include "casehook_batch.h"
#include "casehook_again.h"
#include "casehook_report.h"
#include "casehook_source.h"
#include "casehook_stop.h"
#include "casehook_trace.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONCURRENCY_DEFAULT 16
#define PROGRESS_MS         200
#define REST_PIECES         16 /* more than a pipe holds */

/* A case from the moment it is read until its result was told. */
struct slot {
    enum { SLOT_FREE, SLOT_READ, SLOT_SENT, SLOT_ENDED } state;
    uint64_t ticket, index, hash;
    struct document text;           /* what is sent */
    struct casehook_result *result; /* NULL: there was no memory for it, and nothing was sent */
};

struct batch {
    const struct arguments *arguments;
    struct casehook_connector *connector;
    struct casehook_loop *loop;
    struct stop stop;
    struct source source;
    struct again again;
    struct report report;
    struct slot *slots; /* twice the concurrency: the others have ended and wait to be told */
    size_t *order;      /* of those that were read, as they came */
    size_t concurrency, read, sent;
    int fault;      /* no further case is begun because of it: CASEHOOK_E_... */
    bool told_disk; /* that the journal cannot be written */
};

static bool may_begin(struct batch *batch)
{
    return batch->read + batch->sent < batch->concurrency && !batch->fault && !batch->source.fault &&
           !batch->report.output_failed && !batch->source.journal.error && !stop_asked(&batch->stop);
}

static struct journal *journal_of(struct batch *batch)
{
    return batch->source.journal.path ? &batch->source.journal : NULL;
}

static struct piece piece_of(const struct document *document)
{
    return (struct piece){document->text, document->length};
}

/* ---- what is sent ---------------------------------------------------------------------------- */

/* The line with what the journal adds to it: where it was, and a key that is the same in each run. */
static int make_text(struct batch *batch, struct slot *slot, const struct source_case *given)
{
    const struct journal *journal = journal_of(batch);
    bool keyed = journal && retry_wants_key(batch->source.facts, given->line);
    char key[64];
    if (keyed) snprintf(key, sizeof key, "\"%s-%" PRIu64 "\"", journal->batch, given->index);
    FILE *out = open_memstream(&slot->text.text, &slot->text.length);
    if (!out) return -1;
    member_put(out, given->line, given->resume, keyed ? key : NULL);
    return ferror(out) | fclose(out) ? -1 : 0;
}

static void empty(struct slot *slot)
{
    casehook_result_free(slot->result);
    document_free(&slot->text);
    *slot = (struct slot){.state = SLOT_FREE};
}

static void keep(struct batch *batch, const struct source_case *given)
{
    struct slot *slot = batch->slots;
    while (slot->state != SLOT_FREE) slot++;
    slot->index = given->index;
    slot->hash = given->hash;
    slot->state = SLOT_READ;
    again_begin(&batch->again);
    batch->order[batch->read++] = (size_t)(slot - batch->slots);
    if (make_text(batch, slot, given))
        batch->fault = CASEHOOK_E_NO_MEMORY; /* it is not sent then */
    else if (journal_of(batch))
        journal_begin(journal_of(batch), given->index, given->hash);
}

/*
 * Takes the next cases, up to the wanted concurrency, as far as there are lines.  Only a piece is read: what
 * is in flight and what is asked of us must not wait for a line without an end.
 */
static void gather(struct batch *batch)
{
    struct source_case given = {.resume = NULL};
    batch->source.lines.pieces = 1;
    while (may_begin(batch) && source_next(&batch->source, &given)) {
        if (given.state == SOURCE_DONE)
            batch->report.before++;
        else if (given.retry == RETRY_LEAVE)
            report_left(&batch->report, given.index);
        else
            keep(batch, &given);
    }
    source_forget(&given);
}

static void not_attempted(struct batch *batch, const struct slot *slot)
{
    if (journal_of(batch)) journal_end(journal_of(batch), slot->index, slot->hash, NULL);
    report_line(&batch->report, slot->index, "notAttempted", "true");
    again_write(&batch->again, piece_of(&slot->text), NULL);
    batch->report.not_attempted++;
}

/* What was read goes out, once the journal knows it. */
static void submit(struct batch *batch, bool durable)
{
    struct casehook_options options = {.struct_size = sizeof options,
                                       .deadline_ms = batch->arguments->deadline_ms};
    for (size_t i = 0; i < batch->read; i++) {
        struct slot *slot = &batch->slots[batch->order[i]];
        if (durable && !batch->fault && !batch->report.output_failed)
            batch->fault =
                casehook_loop_submit_json(batch->loop, batch->connector, CASEHOOK_PUSH, slot->text.text,
                                          slot->text.length, &options, &slot->ticket, NULL);
        if (slot->ticket) {
            slot->state = SLOT_SENT;
            batch->sent++;
            if (!batch->again.path) document_free(&slot->text);
        } else {
            not_attempted(batch, slot);
            empty(slot);
        }
    }
    batch->read = 0;
}

/* ---- what came of it ------------------------------------------------------------------------- */

static void take_results(struct batch *batch)
{
    struct casehook_result *result;
    uint64_t ticket;
    while ((result = casehook_loop_next(batch->loop, &ticket)) != NULL || ticket) {
        struct slot *slot = batch->slots;
        while (slot->ticket != ticket) slot++;
        const char *json = casehook_result_json(result, NULL);
        slot->ticket = 0;
        slot->state = SLOT_ENDED;
        slot->result = result;
        batch->sent--;
        if (journal_of(batch) && (json || !result))
            journal_end(journal_of(batch), slot->index, slot->hash, json);
        if (!json) batch->fault = CASEHOOK_E_NO_MEMORY;
    }
}

/* Only what can be sent again without harm is to be tried again. */
static void write_again(struct batch *batch, const struct slot *slot, const char *json)
{
    char *resume = NULL;
    struct piece line = piece_of(&slot->text), result = {json, json ? strlen(json) : 0};
    if (!batch->again.path || (slot->result && (!json || !casehook_result_error(slot->result)))) return;
    enum retry retry =
        slot->result ? retry_after(batch->source.facts, line, result, false, &resume) : RETRY_SEND;
    if (retry == RETRY_SEND || resume) again_write(&batch->again, line, resume);
    free(resume);
}

static void tell(struct batch *batch, struct slot *slot, bool durable)
{
    struct report *report = &batch->report;
    const char *json = casehook_result_json(slot->result, NULL);
    report->done++;
    report->failed += !slot->result || casehook_result_error(slot->result);
    if (json && durable)
        report_line(report, slot->index, "result", json);
    else
        report_line(report, slot->index, slot->result ? "outcomeUnknown" : "notAttempted", "true");
    write_again(batch, slot, json);
    if (batch->arguments->verbose) {
        char of[40];
        snprintf(of, sizeof of, "case %" PRIu64 ": ", slot->index);
        trace_requests(of, slot->result);
    }
    report_failure(slot->index, slot->result);
    report_flush(report);
    if (report->output_failed || !durable || (slot->result && !json))
        report_lost(report, slot->index, slot->result);
    empty(slot);
}

/* Brings everything to disk, tells what has ended, and sends what was read. */
static void publish(struct batch *batch)
{
    struct journal *journal = journal_of(batch);
    bool durable = !journal || journal_commit(journal);
    if (!durable && !batch->told_disk)
        fprintf(stderr, "casehook: %s: %s; no other case is begun\n", journal->path,
                strerror(journal->error));
    batch->told_disk = !durable;
    for (size_t i = 0; i < 2 * batch->concurrency; i++)
        if (batch->slots[i].state == SLOT_ENDED) tell(batch, &batch->slots[i], durable);
    submit(batch, durable);
    report_flush(&batch->report);
}

/* Until something has ended, or been written to the pipe that the cases come from. */
static void wait_for_something(struct batch *batch)
{
    const struct lines *lines = &batch->source.lines;
    if (!may_begin(batch) || lines->ended) {
        casehook_loop_wait(batch->loop, PROGRESS_MS);
        return;
    }
    struct pollfd watched[] = {{.fd = casehook_loop_fd(batch->loop), .events = POLLIN},
                               {.fd = lines->file, .events = POLLIN}};
    poll(watched, 2, PROGRESS_MS);
    casehook_loop_process(batch->loop);
}

static void drive(struct batch *batch)
{
    gather(batch);
    publish(batch);
    while (batch->sent || (may_begin(batch) && !batch->source.lines.ended)) {
        wait_for_something(batch);
        take_results(batch);
        gather(batch);
        publish(batch);
        report_progress(&batch->report, batch->sent, false);
    }
}

/* What Ctrl-C, or a fault, left over; of a pipe what has come out of it. */
static void report_rest(struct batch *batch)
{
    struct source *source = &batch->source;
    struct source_case given = {.resume = NULL};
    source->lines.pieces = source->is_file ? SIZE_MAX : REST_PIECES;
    while (!batch->report.output_failed && source_next(source, &given)) {
        if (given.state == SOURCE_DONE) {
            batch->report.before++;
            continue;
        }
        if (given.retry == RETRY_LEAVE) { /* an earlier run may have sent it */
            report_left(&batch->report, given.index);
            continue;
        }
        report_line(&batch->report, given.index, "notAttempted", "true");
        again_write(&batch->again, given.line, given.resume);
        batch->report.not_attempted++;
    }
    source_forget(&given);
    publish(batch); /* that something was not sent after all */
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int open_batch(struct batch *batch, const struct facts *facts, struct trouble *trouble)
{
    const struct arguments *arguments = batch->arguments;
    struct source *source = &batch->source;
    struct casehook_loop_options options = {.struct_size = sizeof options};
    batch->concurrency = arguments->concurrency ? arguments->concurrency : CONCURRENCY_DEFAULT;
    options.max_operations = options.max_connections = (uint32_t)batch->concurrency;
    int status = source_open(source, arguments, facts, isatty(STDERR_FILENO), trouble);
    if (status) return status;
    batch->report.total = source->total;
    const int files[] = {source->lines.file, STDIN_FILENO, journal_of(batch) ? source->journal.file : -1, -1};
    const char *const names[] = {arguments->connector, arguments->secrets, arguments->settings};
    if (arguments->failed)
        status =
            again_open(&batch->again, arguments->failed, files, names, sizeof names / sizeof *names, trouble);
    if (status) return status;
    batch->slots = calloc(2 * batch->concurrency, sizeof *batch->slots);
    batch->order = calloc(batch->concurrency, sizeof *batch->order);
    if (!batch->slots || !batch->order || casehook_loop_new(&options, &batch->loop))
        return trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
    if (stop_begin(&batch->stop, NULL, batch->loop))
        return trouble_set(trouble, CASEHOOK_E_SYSTEM, "", "no thread for signals");
    return CASEHOOK_OK;
}

/* False: what was to be kept could not be. */
static bool close_batch(struct batch *batch)
{
    stop_end(&batch->stop);
    casehook_loop_free(batch->loop);
    bool kept = !batch->source.journal.error;
    source_close(&batch->source);
    free(batch->slots);
    free(batch->order);
    return again_close(&batch->again) && kept;
}

/* Why it broke off, if it did. */
static int find_trouble(const struct batch *batch, struct trouble *trouble)
{
    int status = source_trouble(&batch->source, trouble);
    int fault = batch->fault ? batch->fault : batch->source.fault;
    if (status || !fault) return status;
    return trouble_set(trouble, fault, "", "the batch broke off: %s", casehook_status_name(fault));
}

int batch_run(const struct arguments *arguments, struct casehook_connector *connector,
              const struct facts *facts, struct trouble *trouble)
{
    struct batch batch = {.arguments = arguments, .connector = connector};
    report_begin(&batch.report);
    int status = open_batch(&batch, facts, trouble);
    if (!status) {
        drive(&batch);
        report_rest(&batch);
        report_progress(&batch.report, 0, true);
        status = find_trouble(&batch, trouble);
        if (!status && batch.source.lines.ended) again_begin(&batch.again);
        if (!batch.source.another_batch || batch.report.done) report_sum(&batch.report);
    }
    const struct report *report = &batch.report;
    bool ended = batch.source.lines.ended, kept = close_batch(&batch);
    if (report->lost_case) return EXIT_PARTIAL;
    if (status || report->output_failed || !kept) return EXIT_OTHER;
    if (report->failed || report->not_attempted || report->left) return EXIT_BATCH;
    return ended ? EXIT_OK : EXIT_CANCELLED;
}
