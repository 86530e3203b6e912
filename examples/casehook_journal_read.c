/* casehook_journal_read.c - a journal from an earlier run, whose end may be torn. */
#include "casehook_journal_read.h"
#include "casehook_doubt.h"
#include "casehook_member.h"

#include <casehook.h>
#include <jansson.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)64 * 1024)

/* The journal while it is read, a line at a time. */
struct reader {
    struct journal *journal;
    char *buffer;
    size_t capacity, begin, end;
    off_t at;      /* of begin, in the file */
    size_t line;   /* its number, from 1 */
    size_t broken; /* the first line that is none of a journal, 0: there was none */
    int error;
};

static bool fill(struct reader *reader)
{
    if (reader->begin) {
        memmove(reader->buffer, reader->buffer + reader->begin, reader->end - reader->begin);
        reader->end -= reader->begin;
        reader->begin = 0;
    }
    if (reader->end == reader->capacity) {
        size_t capacity = reader->capacity ? 2 * reader->capacity : PIECE;
        char *buffer = realloc(reader->buffer, capacity);
        if (!buffer) return reader->error = ENOMEM, false;
        reader->buffer = buffer;
        reader->capacity = capacity;
    }
    for (;;) {
        ssize_t got = pread(reader->journal->file, reader->buffer + reader->end,
                            reader->capacity - reader->end, reader->at + (off_t)reader->end);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) reader->error = errno;
        if (got > 0) reader->end += (size_t)got;
        return got > 0;
    }
}

/* The next whole line; false when there is none, what is left is a torn one then. */
static bool next_line(struct reader *reader, struct piece *line)
{
    size_t seen = 0;
    for (;;) {
        char *text = reader->buffer + reader->begin;
        size_t have = reader->end - reader->begin;
        char *newline = have > seen ? memchr(text + seen, '\n', have - seen) : NULL;
        if (newline) {
            *line = (struct piece){text, (size_t)(newline - text)};
            reader->line++;
            return true;
        }
        seen = have;
        if (!fill(reader)) return false;
    }
}

static void pass_line(struct reader *reader, const struct piece *line)
{
    reader->begin += line->length + 1;
    reader->at += (off_t)line->length + 1;
}

static bool read_hash(const json_t *value, uint64_t *hash)
{
    char *end;
    if (json_string_length(value) != 16) return false;
    *hash = strtoull(json_string_value(value), &end, 16);
    return !*end;
}

/* What a line says; false: nothing that belongs there. */
static bool read_entry(const struct reader *reader, const struct piece *line, struct journal_entry *entry)
{
    json_t *value = json_loadb(line->text, line->length, JSON_ALLOW_NUL, NULL);
    const json_t *begun = json_object_get(value, "begun"),
                 *index = begun ? begun : json_object_get(value, "index"),
                 *result = json_object_get(value, "result");
    bool good = json_is_integer(index) && json_integer_value(index) >= 0 &&
                read_hash(json_object_get(value, "hash"), &entry->hash);
    entry->index = (uint64_t)json_integer_value(index);
    entry->at = 0;
    entry->length = 0;
    entry->open = false;
    if (begun) {
        entry->state = JOURNAL_BEGUN;
    } else if (json_is_true(json_object_get(value, "notSent"))) {
        entry->state = JOURNAL_NOT_SENT;
    } else if (json_is_object(result)) {
        struct piece text = member_find(*line, "result");
        entry->state = json_is_true(json_object_get(result, "ok")) ? JOURNAL_DONE : JOURNAL_FAILED;
        bool more = doubt_of(result).begun;
        if (entry->state == JOURNAL_FAILED && !more) entry->state = JOURNAL_NOT_SENT;
        entry->at = more ? reader->at + (text.text - line->text) : 0;
        entry->length = more ? text.length : 0;
    } else {
        good = false;
    }
    json_decref(value);
    return good;
}

/* The entry of an index, or a new one; indexes that are new come in their order.  NULL: memory ran out, or
 * not. */
static struct journal_entry *place_of(struct journal *journal, uint64_t index)
{
    struct journal_entry *known = (struct journal_entry *)journal_find(journal, index);
    if (known) return known;
    if (journal->count && journal->entries[journal->count - 1].index > index) return NULL;
    if (journal->count == journal->capacity) {
        size_t capacity = journal->capacity ? 2 * journal->capacity : 256;
        struct journal_entry *entries = realloc(journal->entries, capacity * sizeof *entries);
        if (!entries) return errno = ENOMEM, NULL;
        journal->entries = entries;
        journal->capacity = capacity;
    }
    known = &journal->entries[journal->count++];
    *known = (struct journal_entry){.state = JOURNAL_NONE};
    return known;
}

/*
 * Changes an entry.  What an earlier result or a kill left open stays so until something was done: where a
 * line was tried again and nothing came of it, the id of its case is in the result before that one.
 */
static bool note(struct journal *journal, const struct journal_entry *fresh)
{
    struct journal_entry *entry = place_of(journal, fresh->index);
    if (!entry) return false;
    struct journal_entry before = *entry;
    *entry = *fresh;
    if (fresh->state == JOURNAL_BEGUN || fresh->state == JOURNAL_NOT_SENT) {
        entry->at = before.at;
        entry->length = before.length;
        entry->open = before.open || (fresh->state == JOURNAL_BEGUN && before.state == JOURNAL_BEGUN);
    }
    if (fresh->state == JOURNAL_NOT_SENT)
        entry->state = entry->open ? JOURNAL_BEGUN : before.length ? JOURNAL_FAILED : JOURNAL_NOT_SENT;
    return true;
}

/* What is cut off at its end was not on disk for certain, so nothing depends on it; in the middle it is
 * damage. */
static int read_entries(struct reader *reader, struct trouble *trouble)
{
    struct journal *journal = reader->journal;
    struct journal_entry entry;
    struct piece line;
    for (; next_line(reader, &line); pass_line(reader, &line)) {
        bool good = read_entry(reader, &line, &entry);
        if (good && !reader->broken) {
            errno = 0;
            good = note(journal, &entry);
            if (!good && errno == ENOMEM) reader->error = ENOMEM;
            if (reader->error) break;
            journal->end = reader->at + (off_t)line.length + 1;
        } else if (good) {
            return trouble_set(trouble, CASEHOOK_E_PARAMS, "journal",
                               "%s: line %zu is damaged and others follow; it is not used like this",
                               journal->path, reader->broken);
        }
        if (!good && !reader->broken) reader->broken = reader->line;
    }
    return 0;
}

static int read_head(struct reader *reader, uint64_t target, struct trouble *trouble)
{
    static const char head[] = "{\"journal\":\"casehook batch\",";
    struct journal *journal = reader->journal;
    struct piece line;
    if (!next_line(reader, &line)) { /* it was killed while it made this file, before anything was sent */
        size_t have = reader->end - reader->begin;
        bool torn = memcmp(reader->buffer ? reader->buffer : head, head,
                           have < sizeof head - 1 ? have : sizeof head - 1) == 0;
        if (torn || reader->error) return 0;
        line = (struct piece){NULL, 0};
    }
    json_t *value = line.text ? json_loadb(line.text, line.length, 0, NULL) : NULL;
    const char *what = json_string_value(json_object_get(value, "journal")),
               *batch = json_string_value(json_object_get(value, "batch"));
    json_int_t version = json_integer_value(json_object_get(value, "version"));
    uint64_t about = 0;
    bool good =
        what && !strcmp(what, "casehook batch") && batch && strlen(batch) == sizeof journal->batch - 1;
    if (good) memcpy(journal->batch, batch, sizeof journal->batch);
    bool same = read_hash(json_object_get(value, "target"), &about) && about == target;
    json_decref(value);
    if (!good)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "journal",
                           "%s: this is no journal of a batch; it is left as it is", journal->path);
    if (version != 1)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "journal",
                           "%s: it was written by another version of casehook", journal->path);
    if (!same)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "journal",
                           "%s: this journal is about another tracker: createIncidentUrl was another one; "
                           "give this batch a journal of its own",
                           journal->path);
    journal->end = (off_t)line.length + 1;
    pass_line(reader, &line);
    return read_entries(reader, trouble);
}

int journal_read(struct journal *journal, uint64_t target, struct trouble *trouble)
{
    struct reader reader = {.journal = journal};
    int status = read_head(&reader, target, trouble);
    free(reader.buffer);
    if (!status && reader.error)
        status = trouble_set(trouble, reader.error == ENOMEM ? CASEHOOK_E_NO_MEMORY : CASEHOOK_E_PARAMS,
                             "journal", "%s: %s", journal->path, strerror(reader.error));
    return status;
}
