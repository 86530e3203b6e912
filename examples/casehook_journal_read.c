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
        char *text = reader->buffer ? reader->buffer + reader->begin : NULL;
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

static bool is_true(struct piece value)
{
    return value.length == 4 && !memcmp(value.text, "true", 4);
}

static bool read_number(struct piece value, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (i == 19 || value.text[i] < '0' || value.text[i] > '9') return false; /* 19 digits have room */
        *number = *number * 10 + (uint64_t)(value.text[i] - '0');
    }
    return value.length > 0;
}

static bool read_hash(struct piece value, uint64_t *hash)
{
    char digits[17] = "";
    if (value.length != 18 || *value.text != '"') return false;
    memcpy(digits, value.text + 1, 16);
    *hash = strtoull(digits, NULL, 16);
    return strspn(digits, "0123456789abcdef") == 16;
}

/*
 * What a line says; false: nothing that belongs there.  Only its shape and our own members are looked at: a
 * tracker may have answered with numbers that no program can hold.
 */
static bool read_entry(struct reader *reader, const struct piece *line, struct journal_entry *entry)
{
    struct piece begun = member_find(*line, "begun"),
                 index = begun.text ? begun : member_find(*line, "index"),
                 result = member_find(*line, "result");
    *entry = (struct journal_entry){.state = JOURNAL_BEGUN};
    if (!member_is_object(*line) || !read_number(index, &entry->index) ||
        !read_hash(member_find(*line, "hash"), &entry->hash))
        return false;
    if (begun.text) return true;
    entry->state = JOURNAL_NOT_SENT;
    if (is_true(member_find(*line, "notSent"))) return true;
    if (!member_is_object(result)) return false;
    struct doubt doubt = doubt_of(result);
    if (doubt.no_memory) reader->error = ENOMEM; /* a guess would hide the result before this one */
    if (is_true(member_find(result, "ok")))
        entry->state = JOURNAL_DONE;
    else if (doubt.begun)
        entry->state = JOURNAL_FAILED;
    entry->at = doubt.begun ? reader->at + (result.text - line->text) : 0;
    entry->length = doubt.begun ? result.length : 0;
    return true;
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
        if (reader->error) break;
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
    bool same = read_hash(member_find(line, "target"), &about) && about == target;
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
