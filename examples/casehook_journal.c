/* casehook_journal.c - the file of a journal: locked, appended to, and brought to disk in groups. */
#include "casehook_journal_read.h"

#include <casehook.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASHED \
    ((size_t)8 * 1024 * 1024) /* of longer lines the beginning, which is all that is read of them */

/* FNV-1a: it notices mistakes; who may write the journal has no need to deceive it. */
uint64_t journal_hash(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    if (length > HASHED) length = HASHED;
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static int make_name(char *name)
{
    unsigned char bytes[16];
    int file = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t got = read(file, bytes, sizeof bytes);
    close(file);
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(name + 2 * i, 3, "%02x", bytes[i]);
    return got == sizeof bytes ? 0 : -1;
}

/* The name of a new file must be on disk as well. */
static int sync_folder(const char *path)
{
    char *copy = strdup(path);
    if (!copy) return -1;
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (folder < 0) return -1;
    int failed = fsync(folder);
    close(folder);
    return failed && errno == EINVAL ? 0 : failed; /* some file systems cannot */
}

static int with_errno(const struct journal *journal, struct trouble *trouble)
{
    int status = errno == ENOMEM ? CASEHOOK_E_NO_MEMORY : CASEHOOK_E_PARAMS;
    return trouble_set(trouble, status, "journal", "%s: %s", journal->path, strerror(errno));
}

static int lock(const struct journal *journal, struct trouble *trouble)
{
    struct stat status;
    if (fstat(journal->file, &status)) return with_errno(journal, trouble);
    if (!S_ISREG(status.st_mode))
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "journal", "%s: a journal is an ordinary file",
                           journal->path);
    if (!flock(journal->file, LOCK_EX | LOCK_NB)) return 0;
    if (errno != EWOULDBLOCK) return with_errno(journal, trouble);
    return trouble_set(trouble, CASEHOOK_E_PARAMS, "journal",
                       "%s: another casehook works with this journal; wait until it has ended",
                       journal->path);
}

int journal_open(struct journal *journal, const char *path, uint64_t target, struct trouble *trouble)
{
    *journal = (struct journal){.path = path};
    journal->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (journal->file < 0) return with_errno(journal, trouble);
    int status = lock(journal, trouble);
    if (!status) status = journal_read(journal, target, trouble);
    if (status) return status;
    if (ftruncate(journal->file, journal->end)) return with_errno(journal, trouble);
    journal->pending = open_memstream(&journal->text, &journal->length);
    if (!journal->pending) return errno = ENOMEM, with_errno(journal, trouble);
    if (journal->end == 0) {
        if (make_name(journal->batch)) return with_errno(journal, trouble);
        fprintf(journal->pending,
                "{\"journal\":\"casehook batch\",\"version\":1,\"batch\":\"%s\",\"target\":\"%016" PRIx64
                "\"}\n",
                journal->batch, target);
        if (!journal_commit(journal)) return errno = journal->error, with_errno(journal, trouble);
        if (sync_folder(path)) return with_errno(journal, trouble);
    }
    return 0;
}

void journal_close(struct journal *journal)
{
    if (journal->pending) fclose(journal->pending);
    free(journal->text);
    free(journal->entries);
    if (journal->path && journal->file >= 0) close(journal->file);
    *journal = (struct journal){.path = NULL};
}

const struct journal_entry *journal_find(const struct journal *journal, uint64_t index)
{
    size_t low = 0, high = journal->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal->entries[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < journal->count && journal->entries[low].index == index;
    return found ? &journal->entries[low] : NULL;
}

bool journal_follow(const struct journal *journal, size_t *cursor, uint64_t index, uint64_t hash,
                    const struct journal_entry **entry)
{
    *entry = NULL;
    if (*cursor == journal->count || journal->entries[*cursor].index > index) return true;
    *entry = &journal->entries[*cursor];
    if ((*entry)->index < index || (*entry)->hash != hash) return false;
    (*cursor)++;
    return true;
}

int journal_result(const struct journal *journal, const struct journal_entry *entry, struct document *result)
{
    result->length = 0;
    result->text = malloc(entry->length);
    while (result->text && result->length < entry->length) {
        ssize_t got = pread(journal->file, result->text + result->length, entry->length - result->length,
                            entry->at + (off_t)result->length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            if (got == 0) errno = EIO;
            document_free(result);
            return -1;
        }
        result->length += (size_t)got;
    }
    return result->text ? 0 : -1;
}

void journal_begin(struct journal *journal, uint64_t index, uint64_t hash)
{
    fprintf(journal->pending, "{\"begun\":%" PRIu64 ",\"hash\":\"%016" PRIx64 "\"}\n", index, hash);
}

void journal_end(struct journal *journal, uint64_t index, uint64_t hash, const char *json)
{
    fprintf(journal->pending, "{\"index\":%" PRIu64 ",\"hash\":\"%016" PRIx64 "\",", index, hash);
    if (json)
        fprintf(journal->pending, "\"result\":%s}\n", json);
    else
        fputs("\"notSent\":true}\n", journal->pending);
}

static bool write_all(int file, const char *text, size_t length, off_t at)
{
    while (length) {
        ssize_t count = pwrite(file, text, length, at);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        text += count;
        length -= (size_t)count;
        at += count;
    }
    return true;
}

bool journal_commit(struct journal *journal)
{
    if (journal->error) return false;
    if (fflush(journal->pending) || ferror(journal->pending)) {
        journal->error = ENOMEM;
        return false;
    }
    size_t length = (size_t)ftello(journal->pending);
    if (length == 0) return true;
    if (!write_all(journal->file, journal->text, length, journal->end) || fdatasync(journal->file)) {
        journal->error = errno;
        /* What is there of it must not stand in the way of a later run; if this fails too, the run cuts it
         * off. */
        int cut = ftruncate(journal->file, journal->end);
        (void)cut;
        return false;
    }
    journal->end += (off_t)length;
    rewind(journal->pending);
    return true;
}
