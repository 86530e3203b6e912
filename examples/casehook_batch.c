/* casehook_batch.c - many pushes from one file, on one thread. */
#include "casehook_batch.h"
#include "casehook_again.h"
#include "casehook_journal.h"
#include "casehook_lines.h"
#include "casehook_report.h"
#include "casehook_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONCURRENCY_DEFAULT 16
#define PROGRESS_MS         200
#define REST_PIECES         16 /* more than a pipe holds */

/* A case from the moment it is read until its result was told. */
struct slot {
    enum { SLOT_FREE, SLOT_READ, SLOT_SENT, SLOT_ENDED } state;
    uint64_t ticket, index, hash;
    struct document line, text;     /* what was read; what is sent instead, NULL: nothing else */
    struct casehook_result *result; /* NULL: there was no memory for it, and nothing was sent */
};

struct batch {
    const struct arguments *arguments;
    const struct facts *facts;
    struct casehook_connector *connector;
    struct casehook_loop *loop;
    struct stop stop;
    struct lines lines;
    struct journal journal;
    struct again again;
    struct report report;
    size_t index;       /* of the next line */
    size_t cursor;      /* of the journal */
    struct slot *slots; /* twice the concurrency: the others have ended and wait to be told */
    size_t *order;      /* of those that were read, as they came */
    size_t concurrency, read, sent;
    int fault;        /* no further case is begun because of it: CASEHOOK_E_... */
    const char *form; /* what is wrong with the whole file, found at its first line; NULL: nothing */
    uint64_t other;   /* with another_batch: the line that is not the one in the journal */
    bool another_batch;
    bool begun;     /* the first line was looked at */
    bool told_disk; /* that the journal cannot be written */
    bool is_file;   /* the lines come to an end */
};

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

static bool follow(struct batch *batch, uint64_t index, uint64_t hash, const struct journal_entry **entry)
{
    if (journal_follow(&batch->journal, &batch->cursor, index, hash, entry)) return true;
    batch->other = *entry && (*entry)->index < index ? (*entry)->index : index;
    batch->another_batch = true;
    batch->fault = CASEHOOK_E_PARAMS;
    return false;
}

/* The cases have come to an end: are there some in the journal that were not among them? */
static void follow_end(struct batch *batch)
{
    if (!batch->lines.ended || batch->lines.error || batch->another_batch ||
        batch->cursor >= batch->journal.count)
        return;
    batch->other = batch->journal.entries[batch->cursor].index;
    batch->another_batch = true;
    batch->fault = CASEHOOK_E_PARAMS;
}

/* Looks through all cases of a file before one is sent: how many there are, and whether the journal is
 * theirs. */
static void look_ahead(struct batch *batch)
{
    struct lines lines = {.file = batch->lines.file, .pieces = SIZE_MAX};
    off_t begin = lseek(lines.file, 0, SEEK_CUR);
    const struct journal_entry *entry;
    size_t index = 0, length;
    char *line;
    if (begin < 0) return;
    for (; next_case(&lines, &index, &line, &length); index++) {
        batch->report.total++;
        if (batch->journal.path && !follow(batch, index, journal_hash(line, length), &entry)) break;
    }
    batch->lines.ended = lines.ended;
    batch->lines.error = lines.error;
    follow_end(batch);
    lines_free(&lines);
    batch->lines.ended = false;
    batch->cursor = 0;
    if (lseek(batch->lines.file, begin, SEEK_SET) != begin) batch->fault = CASEHOOK_E_SYSTEM;
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
    return batch->read + batch->sent < batch->concurrency && !batch->fault && !batch->report.output_failed &&
           !batch->journal.error && !stop_asked(&batch->stop);
}

static struct piece piece_of(const struct document *document)
{
    return (struct piece){document->text, document->length};
}

/* ---- what is sent ---------------------------------------------------------------------------- */

/* What is to be done with a line that may be in the journal; *resume is yours to free(). */
static enum retry look_up(struct batch *batch, struct piece line, const struct journal_entry *entry,
                          char **resume)
{
    *resume = NULL;
    if (!entry) return RETRY_SEND;
    enum retry retry =
        retry_begun(batch->facts, line, &batch->journal, entry, batch->arguments->retry_unknown, resume);
    if (retry == RETRY_AGAIN && !*resume) batch->fault = CASEHOOK_E_NO_MEMORY;
    return retry;
}

/* The line with what the journal adds to it: where it was, and a key that is the same in each run. */
static int make_text(struct batch *batch, struct slot *slot, const char *resume)
{
    char key[64];
    struct piece line = piece_of(&slot->line);
    bool keyed = batch->journal.path && retry_wants_key(batch->facts, line);
    if (!keyed && !resume) return 0;
    snprintf(key, sizeof key, "\"%s-%" PRIu64 "\"", batch->journal.batch, slot->index);
    FILE *out = open_memstream(&slot->text.text, &slot->text.length);
    if (!out) return -1;
    member_put(out, line, resume, keyed ? key : NULL);
    return ferror(out) | fclose(out) ? -1 : 0;
}

static void empty(struct slot *slot)
{
    casehook_result_free(slot->result);
    document_free(&slot->line);
    document_free(&slot->text);
    *slot = (struct slot){.state = SLOT_FREE};
}

static void keep(struct batch *batch, size_t index, uint64_t hash, const char *line, size_t length,
                 const char *resume)
{
    struct slot *slot = batch->slots;
    while (slot->state != SLOT_FREE) slot++;
    slot->index = index;
    slot->hash = hash;
    slot->line = (struct document){malloc(length), length};
    if (slot->line.text) memcpy(slot->line.text, line, length);
    if (!slot->line.text || make_text(batch, slot, resume)) {
        batch->fault = CASEHOOK_E_NO_MEMORY;
        empty(slot);
        return;
    }
    slot->state = SLOT_READ;
    batch->order[batch->read++] = (size_t)(slot - batch->slots);
    batch->index++;
    if (batch->journal.path) journal_begin(&batch->journal, index, hash);
}

/*
 * Takes the next cases, up to the wanted concurrency, as far as there are lines.  Only a piece is read: what
 * is in flight and what is asked of us must not wait for a line without an end.
 */
static void gather(struct batch *batch)
{
    const struct journal_entry *entry = NULL;
    char *line, *resume;
    size_t length;
    batch->lines.pieces = 1;
    while (may_begin(batch) && next_case(&batch->lines, &batch->index, &line, &length)) {
        if (!batch->begun) batch->form = find_form(line, length);
        batch->begun = true;
        if (batch->form) {
            batch->fault = CASEHOOK_E_PARAMS;
            return;
        }
        uint64_t hash = batch->journal.path ? journal_hash(line, length) : 0;
        if (!follow(batch, batch->index, hash, &entry)) return;
        if (entry && entry->state == JOURNAL_DONE) {
            batch->report.before++;
            batch->index++;
            continue;
        }
        enum retry retry = look_up(batch, (struct piece){line, length}, entry, &resume);
        if (retry == RETRY_LEAVE)
            report_left(&batch->report, batch->index++);
        else if (!batch->fault)
            keep(batch, batch->index, hash, line, length, resume);
        free(resume);
    }
    follow_end(batch);
}

static void not_attempted(struct batch *batch, const struct slot *slot)
{
    if (batch->journal.path) journal_end(&batch->journal, slot->index, slot->hash, NULL);
    report_line(&batch->report, slot->index, "notAttempted", "true");
    again_write(&batch->again, piece_of(slot->text.text ? &slot->text : &slot->line), NULL);
    batch->report.not_attempted++;
}

/* What was read goes out, once the journal knows it. */
static void submit(struct batch *batch, bool durable)
{
    struct casehook_options options = {.struct_size = sizeof options,
                                       .deadline_ms = batch->arguments->deadline_ms};
    for (size_t i = 0; i < batch->read; i++) {
        struct slot *slot = &batch->slots[batch->order[i]];
        const struct document *text = slot->text.text ? &slot->text : &slot->line;
        if (durable && !batch->fault && !batch->report.output_failed)
            batch->fault = casehook_loop_submit_json(batch->loop, batch->connector, CASEHOOK_PUSH, text->text,
                                                     text->length, &options, &slot->ticket, NULL);
        if (slot->ticket) {
            slot->state = SLOT_SENT;
            batch->sent++;
            if (!batch->again.path) document_free(&slot->line);
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
        if (batch->journal.path && (json || !result))
            journal_end(&batch->journal, slot->index, slot->hash, json);
        if (!json) batch->fault = CASEHOOK_E_NO_MEMORY;
    }
}

/* Only what can be sent again without harm is to be tried again. */
static void write_again(struct batch *batch, const struct slot *slot, const char *json)
{
    char *resume = NULL;
    struct piece line = piece_of(slot->text.text ? &slot->text : &slot->line),
                 result = {json, json ? strlen(json) : 0};
    if (!batch->again.path || (slot->result && !casehook_result_error(slot->result))) return;
    if (slot->result && !json) return;
    enum retry retry = slot->result ? retry_after(batch->facts, line, &result, false, &resume) : RETRY_SEND;
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
    report_failure(slot->index, slot->result);
    report_flush(report);
    if (report->output_failed || !durable || (slot->result && !json))
        report_lost(report, slot->index, slot->result);
    empty(slot);
}

/* Brings everything to disk, tells what has ended, and sends what was read. */
static void publish(struct batch *batch)
{
    bool durable = !batch->journal.path || journal_commit(&batch->journal);
    if (!durable && !batch->told_disk)
        fprintf(stderr, "casehook: %s: %s; no other case is begun\n", batch->journal.path,
                strerror(batch->journal.error));
    batch->told_disk = !durable;
    for (size_t i = 0; i < 2 * batch->concurrency; i++)
        if (batch->slots[i].state == SLOT_ENDED) tell(batch, &batch->slots[i], durable);
    submit(batch, durable);
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
    gather(batch);
    publish(batch);
    while (batch->sent || (may_begin(batch) && !batch->lines.ended)) {
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
    const struct journal_entry *entry = NULL;
    char *line, *resume;
    size_t length;
    batch->lines.pieces = batch->is_file ? SIZE_MAX : REST_PIECES;
    while (!batch->report.output_failed && !batch->form && !batch->another_batch &&
           next_case(&batch->lines, &batch->index, &line, &length)) {
        uint64_t hash = batch->journal.path ? journal_hash(line, length) : 0;
        if (!follow(batch, batch->index, hash, &entry)) break;
        if (entry && entry->state == JOURNAL_DONE) {
            batch->report.before++;
        } else {
            struct piece text = {line, length};
            enum retry retry = look_up(batch, text, entry, &resume);
            report_line(&batch->report, batch->index, "notAttempted", "true");
            if (retry == RETRY_SEND || resume) again_write(&batch->again, text, resume);
            free(resume);
            batch->report.not_attempted++;
        }
        batch->index++;
    }
    publish(batch); /* that something was not sent after all */
    report_flush(&batch->report);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int open_files(struct batch *batch, struct trouble *trouble)
{
    const struct arguments *arguments = batch->arguments;
    int status = 0;
    batch->lines.file =
        strcmp(arguments->batch, "-") ? open(arguments->batch, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (batch->lines.file < 0)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", arguments->batch, strerror(errno));
    batch->is_file = is_file(batch->lines.file);
    if (arguments->journal)
        status = journal_open(&batch->journal, arguments->journal, batch->facts->target, trouble);
    if (!status && arguments->failed) {
        int others[] = {batch->lines.file, batch->journal.path ? batch->journal.file : -1, -1};
        status = again_open(&batch->again, arguments->failed, others, trouble);
    }
    if (!status && batch->is_file && (batch->journal.count || isatty(STDERR_FILENO))) look_ahead(batch);
    return status;
}

static int open_batch(struct batch *batch, struct trouble *trouble)
{
    const struct arguments *arguments = batch->arguments;
    struct casehook_loop_options options = {.struct_size = sizeof options};
    batch->concurrency = arguments->concurrency ? arguments->concurrency : CONCURRENCY_DEFAULT;
    options.max_operations = options.max_connections = (uint32_t)batch->concurrency;
    int status = open_files(batch, trouble);
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
    if (batch->lines.file > STDIN_FILENO) close(batch->lines.file);
    lines_free(&batch->lines);
    bool kept = !batch->journal.error;
    journal_close(&batch->journal);
    free(batch->slots);
    free(batch->order);
    return again_close(&batch->again) && kept;
}

/* Why it broke off, if it did. */
static int find_trouble(const struct batch *batch, struct trouble *trouble)
{
    const char *path = batch->arguments->batch;
    if (batch->lines.error)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", path, strerror(batch->lines.error));
    if (batch->form) return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", path, batch->form);
    if (batch->another_batch)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "journal",
                           "%s: this journal belongs to other cases: case %" PRIu64
                           " of %s is not the one that it "
                           "has; give this batch a journal of its own",
                           batch->arguments->journal, batch->other, path);
    if (batch->fault)
        return trouble_set(trouble, batch->fault, "", "the batch broke off: %s",
                           casehook_status_name(batch->fault));
    return CASEHOOK_OK;
}

int batch_run(const struct arguments *arguments, struct casehook_connector *connector,
              const struct facts *facts, struct trouble *trouble)
{
    struct batch batch = {.arguments = arguments, .connector = connector, .facts = facts, .lines.file = -1};
    report_begin(&batch.report);
    int status = open_batch(&batch, trouble);
    if (!status) {
        drive(&batch);
        report_rest(&batch);
        report_progress(&batch.report, 0, true);
        status = find_trouble(&batch, trouble);
        if (!batch.another_batch || batch.report.done) report_sum(&batch.report);
    }
    const struct report *report = &batch.report;
    bool ended = batch.lines.ended, kept = close_batch(&batch);
    if (report->lost_case) return EXIT_PARTIAL;
    if (status || report->output_failed || !kept) return EXIT_OTHER;
    if (report->failed || report->not_attempted || report->left) return EXIT_BATCH;
    return ended ? EXIT_OK : EXIT_CANCELLED;
}
