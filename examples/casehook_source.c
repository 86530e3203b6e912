/* casehook_source.c - reads the cases of a batch and holds them against the journal. */
#include "casehook_source.h"

#include <casehook.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool fail_other(struct source *source, uint64_t index)
{
    source->other = index;
    source->another_batch = true;
    source->fault = CASEHOOK_E_PARAMS;
    return false;
}

static bool follow(struct source *source, uint64_t index, uint64_t hash, const struct journal_entry **entry)
{
    if (journal_follow(&source->journal, &source->cursor, index, hash, entry)) return true;
    return fail_other(source, (*entry)->index < index ? (*entry)->index : index);
}

/* The cases have come to an end: are there some in the journal that were not among them? */
static bool follow_end(struct source *source, const struct lines *lines)
{
    if (!lines->ended || lines->error || source->fault || source->cursor >= source->journal.count)
        return false;
    return fail_other(source, source->journal.entries[source->cursor].index);
}

/* Looks through all cases of a file before one is sent: how many there are, and whether the journal is
 * theirs. */
static void look_ahead(struct source *source)
{
    struct lines lines = {.file = source->lines.file, .pieces = SIZE_MAX};
    off_t begin = lseek(lines.file, 0, SEEK_CUR);
    const struct journal_entry *entry;
    size_t index = 0, length;
    char *line;
    if (begin < 0) return;
    for (; next_case(&lines, &index, &line, &length); index++) {
        source->total++;
        if (source->journal.path && !follow(source, index, journal_hash(line, length), &entry)) break;
    }
    follow_end(source, &lines);
    lines_free(&lines);
    source->cursor = 0;
    if (lseek(source->lines.file, begin, SEEK_SET) != begin) source->fault = CASEHOOK_E_SYSTEM;
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

void source_forget(struct source_case *given)
{
    free(given->resume);
    *given = (struct source_case){.resume = NULL};
}

bool source_next(struct source *source, struct source_case *given)
{
    const struct journal_entry *entry = NULL;
    char *line;
    size_t length;
    source_forget(given);
    if (source->fault) return false;
    if (!next_case(&source->lines, &source->index, &line, &length)) return follow_end(source, &source->lines);
    if (!source->looked_at) source->form = find_form(line, length);
    source->looked_at = true;
    if (source->form) {
        source->fault = CASEHOOK_E_PARAMS;
        return false;
    }
    given->line = (struct piece){line, length};
    given->hash = source->journal.path ? journal_hash(line, length) : 0;
    given->index = source->index;
    given->retry = RETRY_SEND;
    if (!follow(source, source->index, given->hash, &entry)) return false;
    source->index++;
    if (entry && entry->state == JOURNAL_DONE)
        given->state = SOURCE_DONE;
    else if (entry)
        given->retry = retry_begun(source->facts, given->line, &source->journal, entry,
                                   source->arguments->retry_unknown, &given->resume);
    if (given->retry != RETRY_AGAIN || given->resume) return true;
    source->fault = CASEHOOK_E_NO_MEMORY;
    return false;
}

int source_open(struct source *source, const struct arguments *arguments, const struct facts *facts,
                bool look, struct trouble *trouble)
{
    int status = 0;
    *source = (struct source){.arguments = arguments, .facts = facts};
    source->lines.file =
        strcmp(arguments->batch, "-") ? open(arguments->batch, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (source->lines.file < 0)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", arguments->batch, strerror(errno));
    source->is_file = is_file(source->lines.file);
    if (arguments->journal)
        status = journal_open(&source->journal, arguments->journal, facts->target, trouble);
    if (!status && source->is_file && (source->journal.count || look)) look_ahead(source);
    return status;
}

void source_close(struct source *source)
{
    if (source->lines.file > STDIN_FILENO) close(source->lines.file);
    lines_free(&source->lines);
    journal_close(&source->journal);
}

int source_trouble(const struct source *source, struct trouble *trouble)
{
    const char *path = source->arguments->batch;
    if (source->lines.error)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", path,
                           strerror(source->lines.error));
    if (source->form) return trouble_set(trouble, CASEHOOK_E_PARAMS, "batch", "%s: %s", path, source->form);
    if (source->another_batch)
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "journal",
                           "%s: this journal belongs to other cases: case %" PRIu64
                           " of %s is not the one that it "
                           "has; give this batch a journal of its own",
                           source->arguments->journal, source->other, path);
    return CASEHOOK_OK;
}
