/*
 * sqlite_wal.c - the write-ahead log of SQLite is written in large pieces.
 *
 * SQLite writes each page of a transaction, and the head of each, with a call of its own, which costs more
 * than what it writes.  Nobody reads them before they were synced, so they are gathered until then.  The log
 * stays a file of the system's own kind: some of its methods are replaced, and its database is opened by a
 * copy of the system's VFS that sees to that.
 */
#include "outbox/posix.h"

#include "outbox/memory.h" /* without SQLite the file would be empty, which C does not allow */

#ifdef CASEHOOK_OUTBOX_SQLITE
#include "outbox/sqlite_wal.h"

#include <stdint.h>
#include <stdio.h>

enum { GATHERED_MAX = 128 << 10, VFS_NAME_SIZE = 48, KNOWN_VERSION = 3 };

/* Of one database, which has one log. */
struct casehook__ob_wal {
    sqlite3_vfs vfs; /* first: it is what SQLite hands back */
    sqlite3_vfs *system;
    struct casehook__ob_heap *heap;
    char name[VFS_NAME_SIZE];
    sqlite3_file *file;            /* NULL: the log is not open */
    sqlite3_io_methods methods;    /* of the log */
    const sqlite3_io_methods *own; /* those that the system has for it */
    char *gathered;                /* NULL: nothing was written yet */
    int length;
    sqlite3_int64 at;
};

static struct casehook__ob_wal *wal_of(sqlite3_file *file)
{
    return (struct casehook__ob_wal *)(uintptr_t)((uintptr_t)file->pMethods -
                                                  offsetof(struct casehook__ob_wal, methods));
}

/* What cannot be written is lost, as the transaction is that it belongs to. */
static int flush(struct casehook__ob_wal *wal)
{
    int length = wal->length;
    wal->length = 0;
    return length ? wal->own->xWrite(wal->file, wal->gathered, length, wal->at) : SQLITE_OK;
}

static int wal_write(sqlite3_file *file, const void *data, int length, sqlite3_int64 at)
{
    struct casehook__ob_wal *wal = wal_of(file);
    int code = SQLITE_OK;
    if (!wal->gathered) wal->gathered = casehook__ob_resize(wal->heap, NULL, GATHERED_MAX);
    if (at != wal->at + wal->length || length > GATHERED_MAX - wal->length) code = flush(wal);
    if (code) return code;
    if (!wal->gathered || length > GATHERED_MAX) return wal->own->xWrite(file, data, length, at);
    if (!wal->length) wal->at = at;
    memcpy(wal->gathered + wal->length, data, (size_t)length);
    wal->length += length;
    return SQLITE_OK;
}

static int wal_sync(sqlite3_file *file, int flags)
{
    int code = flush(wal_of(file));
    return code ? code : wal_of(file)->own->xSync(file, flags);
}

static int wal_read(sqlite3_file *file, void *data, int length, sqlite3_int64 at)
{
    int code = flush(wal_of(file));
    return code ? code : wal_of(file)->own->xRead(file, data, length, at);
}

static int wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int code = flush(wal_of(file));
    return code ? code : wal_of(file)->own->xFileSize(file, size);
}

static int wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = flush(wal_of(file));
    return code ? code : wal_of(file)->own->xTruncate(file, size);
}

static int wal_close(sqlite3_file *file)
{
    struct casehook__ob_wal *wal = wal_of(file);
    int code = flush(wal);
    int closed = wal->own->xClose(file);
    casehook__ob_release(wal->heap, wal->gathered);
    wal->gathered = NULL;
    wal->file = NULL;
    return code ? code : closed;
}

static int open_log(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *given)
{
    struct casehook__ob_wal *wal = (struct casehook__ob_wal *)vfs;
    int code = wal->system->xOpen(wal->system, name, file, flags, given);
    if (code || !(flags & SQLITE_OPEN_WAL) || wal->file) return code;
    wal->file = file;
    wal->own = file->pMethods;
    wal->methods = *wal->own;
    if (wal->methods.iVersion > KNOWN_VERSION) wal->methods.iVersion = KNOWN_VERSION;
    wal->methods.xClose = wal_close;
    wal->methods.xRead = wal_read;
    wal->methods.xWrite = wal_write;
    wal->methods.xTruncate = wal_truncate;
    wal->methods.xSync = wal_sync;
    wal->methods.xFileSize = wal_size;
    file->pMethods = &wal->methods;
    return SQLITE_OK;
}

/* Only the usual kind of files, whose methods want nothing of their VFS, is known to bear this. */
static struct casehook__ob_wal *make_wal(struct casehook__ob_heap *heap)
{
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    if (!system || strcmp(system->zName, "unix") != 0) return NULL;
    struct casehook__ob_wal *wal = casehook__ob_zeroed(heap, sizeof *wal);
    if (!wal) return NULL;
    wal->heap = heap;
    wal->system = system;
    wal->vfs = *system;
    if (wal->vfs.iVersion > KNOWN_VERSION) wal->vfs.iVersion = KNOWN_VERSION;
    snprintf(wal->name, sizeof wal->name, "casehook-outbox-%p", (void *)wal);
    wal->vfs.zName = wal->name;
    wal->vfs.pNext = NULL;
    wal->vfs.xOpen = open_log;
    return wal;
}

int casehook__ob_wal_open(struct casehook__ob_heap *heap, const char *path, int flags, sqlite3 **db,
                          struct casehook__ob_wal **wal)
{
    *wal = make_wal(heap);
    /* Known to others only for as long as it takes to find it by its name. */
    if (*wal && sqlite3_vfs_register(&(*wal)->vfs, 0)) casehook__ob_wal_free(heap, *wal), *wal = NULL;
    int code = sqlite3_open_v2(path, db, flags, *wal ? (*wal)->name : NULL);
    if (*wal) sqlite3_vfs_unregister(&(*wal)->vfs);
    return code;
}

void casehook__ob_wal_free(struct casehook__ob_heap *heap, struct casehook__ob_wal *wal)
{
    casehook__ob_release(heap, wal);
}
#endif
