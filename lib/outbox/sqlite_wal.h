/* sqlite_wal.h - the write-ahead log of SQLite is written in large pieces. */
#ifndef CASEHOOK_OUTBOX_SQLITE_WAL_H
#define CASEHOOK_OUTBOX_SQLITE_WAL_H

#include "outbox/memory.h"

#include <sqlite3.h>

struct casehook__ob_wal;

/*
 * As sqlite3_open_v2().  *wal is released after the database was closed; NULL: the database does without,
 * because there is no memory or the host has brought files of another kind.
 */
int casehook__ob_wal_open(struct casehook__ob_heap *heap, const char *path, int flags, sqlite3 **db,
                          struct casehook__ob_wal **wal);
void casehook__ob_wal_free(struct casehook__ob_heap *heap, struct casehook__ob_wal *wal);

#endif
