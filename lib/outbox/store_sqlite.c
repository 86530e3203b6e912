/* store_sqlite.c - the outbox in a file. */
#include "outbox/posix.h"

#include "outbox/statements.h"

#include <stdio.h>

#ifndef CASEHOOK_OUTBOX_SQLITE
int casehook__ob_sqlite_open(struct casehook__ob_heap *heap, const struct casehook__ob_place *place,
                             struct casehook__ob_store **store, struct casehook__ob_fault *fault)
{
    (void)heap;
    (void)place;
    *store = NULL;
    return casehook__ob_fail(fault, CASEHOOK_E_UNSUPPORTED,
                             "this build has no outbox in a file: build the library with SQLite");
}
#else

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* "case": that a file is ours. */
#define SQLITE_APPLICATION_ID 0x63617365

struct sqlite_store {
    struct casehook__ob_store common;
    sqlite3 *db;
    sqlite3_stmt *prepared[CASEHOOK__OB_STATEMENTS];
    sqlite3_stmt *begin, *commit, *rollback, *data_version;
    int64_t seen_version;
    int64_t next; /* the number of the next entry, or of the case that it makes; 0: not asked yet */
};

/*
 * SQLite keeps a list of its locks in the memory of the process.  A child that fork() makes while a file is
 * open inherits the list, but not the locks: what it opens then is not protected from others, and what they
 * delete is what it writes.  Only exec() forgets that.
 */
static atomic_int open_stores, owner_pid;

static bool inherits_open_stores(void)
{
    return atomic_load(&open_stores) > 0 && atomic_load(&owner_pid) != (int)getpid();
}

/* What SQLite says, and what to do about it. */
static const struct {
    int code, status;
    const char *advice;
} sqlite_faults[] = {
    {SQLITE_BUSY, CASEHOOK_E_BUSY, "another program holds the file: try again, or end that program"},
    {SQLITE_LOCKED, CASEHOOK_E_BUSY, "another program holds the file: try again, or end that program"},
    {SQLITE_NOMEM, CASEHOOK_E_NO_MEMORY, "there is no memory left"},
    {SQLITE_READONLY, CASEHOOK_E_SYSTEM,
     "the file, or its folder, cannot be written: give this user the right to"},
    {SQLITE_FULL, CASEHOOK_E_SYSTEM, "the disk is full: make room; nothing was stored"},
    {SQLITE_CORRUPT, CASEHOOK_E_SYSTEM,
     "the file is damaged: move it away and keep it (sqlite3 FILE .recover shows what can be saved)"},
    {SQLITE_NOTADB, CASEHOOK_E_SYSTEM, "the file is no outbox: give the path of another one"},
    {SQLITE_CANTOPEN, CASEHOOK_E_SYSTEM,
     "the file cannot be opened: look at the path, the folder and its rights"},
    {SQLITE_PERM, CASEHOOK_E_SYSTEM, "the file cannot be opened: give this user the right to"},
    {SQLITE_IOERR, CASEHOOK_E_SYSTEM, "the disk failed: look at the system's log"},
    {SQLITE_TOOBIG, CASEHOOK_E_PARAMS, "the entry is too large for SQLite"},
};

static int fail_sqlite(struct sqlite_store *store, int code, struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_E_SYSTEM;
    const char *advice = "see what SQLite says";
    for (size_t i = 0; i < sizeof sqlite_faults / sizeof *sqlite_faults; i++)
        if (sqlite_faults[i].code == (code & 0xff)) {
            status = sqlite_faults[i].status;
            advice = sqlite_faults[i].advice;
        }
    return casehook__ob_fail(fault, status, "outbox: %s (SQLite: %s)", advice,
                             store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code));
}

static void sqlite_now(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct timespec now;
    (void)count;
    (void)values;
    clock_gettime(CLOCK_REALTIME, &now);
    sqlite3_result_int64(context, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* ---- statements ------------------------------------------------------------------------------------- */

static int prepare_sqlite(struct sqlite_store *store, const char *text, sqlite3_stmt **prepared)
{
    if (*prepared) return SQLITE_OK;
    return sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, prepared, NULL);
}

static int bind_sqlite(sqlite3_stmt *prepared, int place, const struct casehook__ob_value *value)
{
    if (value->kind == CASEHOOK__OB_NUMBER) return sqlite3_bind_int64(prepared, place, value->number);
    if (value->kind == CASEHOOK__OB_NULL) return sqlite3_bind_null(prepared, place);
    return sqlite3_bind_blob64(prepared, place, value->bytes.length ? value->bytes.data : "",
                               value->bytes.length, SQLITE_STATIC);
}

enum { SQLITE_COLUMNS_MAX = 32 };

static int hand_row(sqlite3_stmt *prepared, struct casehook__ob_rows *rows)
{
    struct casehook__ob_value values[SQLITE_COLUMNS_MAX];
    int count = sqlite3_column_count(prepared);
    for (int i = 0; i < count && i < SQLITE_COLUMNS_MAX; i++) {
        int type = sqlite3_column_type(prepared, i);
        values[i] = (struct casehook__ob_value){CASEHOOK__OB_NULL, 0, {NULL, 0}};
        if (type == SQLITE_INTEGER) {
            values[i].kind = CASEHOOK__OB_NUMBER;
            values[i].number = sqlite3_column_int64(prepared, i);
        } else if (type != SQLITE_NULL) {
            const char *data = sqlite3_column_blob(prepared, i);
            values[i].kind = CASEHOOK__OB_BYTES;
            values[i].bytes.length = (size_t)sqlite3_column_bytes(prepared, i);
            values[i].bytes.data = data ? data : "";
        }
    }
    return rows->take(rows->user, values, (size_t)count);
}

static int step_sqlite(struct sqlite_store *store, sqlite3_stmt *prepared, struct casehook__ob_rows *rows,
                       struct casehook__ob_fault *fault)
{
    int code, status = CASEHOOK_OK;
    int64_t found = 0;
    while (!status && (code = sqlite3_step(prepared)) != SQLITE_DONE) {
        if (code != SQLITE_ROW) {
            status = fail_sqlite(store, code, fault);
            break;
        }
        found++;
        if (rows && rows->take) status = hand_row(prepared, rows);
        if (status)
            casehook__ob_fail(fault, status, "outbox: a row could not be kept: there is no memory left");
    }
    if (rows) rows->changed = found ? found : sqlite3_changes64(store->db);
    sqlite3_reset(prepared);
    return status;
}

/*
 * Rows are numbered here: AUTOINCREMENT would write a page more in each transaction, and to ask for a number
 * with the statement that makes the row would make a table for the answer.  A case has the number of the
 * entry that made it.
 */
enum { NEXT_PLACE = 16 };

static int take_next(void *user, const struct casehook__ob_value *values, size_t count)
{
    if (count == 1) *(int64_t *)user = values[0].number;
    return CASEHOOK_OK;
}

static int number_row(struct sqlite_store *store, sqlite3_stmt *prepared, struct casehook__ob_fault *fault)
{
    struct casehook__ob_rows rows = {.take = take_next, .user = &store->next};
    int status = store->next
                     ? CASEHOOK_OK
                     : store->common.driver->run(&store->common, CASEHOOK__OB_NEXT, NULL, 0, &rows, fault);
    if (status) return status;
    int code = sqlite3_bind_int64(prepared, NEXT_PLACE, store->next);
    return code ? fail_sqlite(store, code, fault) : CASEHOOK_OK;
}

static int hand_made(struct sqlite_store *store, int statement, struct casehook__ob_rows *rows)
{
    const struct casehook__ob_value number = {CASEHOOK__OB_NUMBER, store->next, {NULL, 0}};
    if (!rows || !rows->changed) return CASEHOOK_OK;
    if (statement == CASEHOOK__OB_PUT) store->next++;
    return rows->take(rows->user, &number, 1);
}

static int sqlite_run(struct casehook__ob_store *common, int statement,
                      const struct casehook__ob_value *values, size_t count, struct casehook__ob_rows *rows,
                      struct casehook__ob_fault *fault)
{
    struct sqlite_store *store = (struct sqlite_store *)common;
    sqlite3_stmt **prepared = &store->prepared[statement];
    bool made = casehook__ob_made(statement) != NULL;
    int wanted = (int)strlen(casehook__ob_sql[statement].values);
    if (count < (size_t)wanted)
        return casehook__ob_fail(fault, CASEHOOK_E_SYSTEM, "outbox: a statement lacks values");
    int code = prepare_sqlite(store, common->texts[statement], prepared);
    /* All of them each time: what was bound before is gone. */
    for (int i = 0; !code && i < wanted; i++) code = bind_sqlite(*prepared, i + 1, &values[i]);
    int status = code ? fail_sqlite(store, code, fault) : CASEHOOK_OK;
    if (!status && made) status = number_row(store, *prepared, fault);
    if (!status) status = step_sqlite(store, *prepared, rows, fault);
    return status || !made ? status : hand_made(store, statement, rows);
}

static int sqlite_script(struct casehook__ob_store *common, const char *sql, struct casehook__ob_fault *fault)
{
    struct sqlite_store *store = (struct sqlite_store *)common;
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return code ? fail_sqlite(store, code, fault) : CASEHOOK_OK;
}

/* ---- transactions ----------------------------------------------------------------------------------- */

static int run_fixed(struct sqlite_store *store, const char *text, sqlite3_stmt **prepared,
                     struct casehook__ob_fault *fault)
{
    int code = prepare_sqlite(store, text, prepared);
    return code ? fail_sqlite(store, code, fault) : step_sqlite(store, *prepared, NULL, fault);
}

static int sqlite_begin(struct casehook__ob_store *common, struct casehook__ob_fault *fault)
{
    struct sqlite_store *store = (struct sqlite_store *)common;
    int moved = 0;
    /* Nobody would find what is put into a file that has no name any more. */
    if (!sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) && moved)
        return casehook__ob_fail(
            fault, CASEHOOK_E_SYSTEM,
            "outbox: the file was moved, deleted or replaced while it was open: put it back, "
            "or open the outbox again");
    store->next = 0;
    return run_fixed(store, "BEGIN IMMEDIATE", &store->begin, fault);
}

static void sqlite_rollback(struct casehook__ob_store *common)
{
    struct sqlite_store *store = (struct sqlite_store *)common;
    if (!sqlite3_get_autocommit(store->db)) run_fixed(store, "ROLLBACK", &store->rollback, NULL);
}

static int sqlite_commit(struct casehook__ob_store *common, struct casehook__ob_fault *fault)
{
    struct sqlite_store *store = (struct sqlite_store *)common;
    int status = run_fixed(store, "COMMIT", &store->commit, fault);
    if (status) sqlite_rollback(common);
    return status;
}

static int sqlite_notify(struct casehook__ob_store *common, struct casehook__ob_fault *fault)
{
    (void)common;
    (void)fault;
    return CASEHOOK_OK; /* others look at the version of the data */
}

static bool sqlite_has_news(struct casehook__ob_store *common)
{
    struct sqlite_store *store = (struct sqlite_store *)common;
    if (prepare_sqlite(store, "PRAGMA data_version", &store->data_version)) return true;
    int64_t version =
        sqlite3_step(store->data_version) == SQLITE_ROW ? sqlite3_column_int64(store->data_version, 0) : -1;
    sqlite3_reset(store->data_version);
    bool changed = version != store->seen_version;
    store->seen_version = version;
    return changed;
}

static int sqlite_descriptor(struct casehook__ob_store *common)
{
    (void)common;
    return -1;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static void sqlite_close_store(struct casehook__ob_store *common)
{
    struct sqlite_store *store = (struct sqlite_store *)common;
    for (int i = 0; i < CASEHOOK__OB_STATEMENTS; i++) sqlite3_finalize(store->prepared[i]);
    sqlite3_finalize(store->begin);
    sqlite3_finalize(store->commit);
    sqlite3_finalize(store->rollback);
    sqlite3_finalize(store->data_version);
    sqlite3_close_v2(store->db);
    atomic_fetch_sub(&open_stores, 1);
    casehook__ob_texts_free(common);
    casehook__ob_release(common->heap, store);
}

static int64_t ask_number(struct sqlite_store *store, const char *sql, int *code)
{
    sqlite3_stmt *prepared = NULL;
    int64_t number = -1;
    *code = sqlite3_prepare_v2(store->db, sql, -1, &prepared, NULL);
    if (!*code) *code = sqlite3_step(prepared);
    if (*code == SQLITE_ROW) number = sqlite3_column_int64(prepared, 0);
    if (*code == SQLITE_ROW || *code == SQLITE_DONE) *code = SQLITE_OK;
    sqlite3_finalize(prepared);
    return number;
}

/* Nobody's file is touched but an empty one or one of ours. */
static int check_file(struct sqlite_store *store, struct casehook__ob_fault *fault)
{
    int code;
    int64_t application = ask_number(store, "PRAGMA application_id", &code);
    int64_t tables = code ? 0 : ask_number(store, "SELECT COUNT(*) FROM sqlite_schema", &code);
    if (code) return fail_sqlite(store, code, fault);
    if (application != SQLITE_APPLICATION_ID && (application != 0 || tables != 0))
        return casehook__ob_fail(
            fault, CASEHOOK_E_SYSTEM,
            "outbox: the file is the database of another program: give the path of another one");
    if (sqlite3_db_readonly(store->db, "main") == 1) return fail_sqlite(store, SQLITE_READONLY, fault);
    return CASEHOOK_OK;
}

static int prepare_file(struct sqlite_store *store, struct casehook__ob_fault *fault)
{
    char sql[320];
    snprintf(sql, sizeof sql,
             "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA "
             "cache_size = -8000; PRAGMA "
             "application_id = %d;",
             SQLITE_APPLICATION_ID);
    int code = sqlite3_create_function_v2(store->db, "casehook_now", 0, SQLITE_UTF8, NULL, sqlite_now, NULL,
                                          NULL, NULL);
    if (code) return fail_sqlite(store, code, fault);
    int status = check_file(store, fault);
    /* Written only once: who opens it while another one writes need not wait. */
    if (!status && ask_number(store, "PRAGMA application_id", &code) == SQLITE_APPLICATION_ID)
        snprintf(sql, sizeof sql,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; "
                 "PRAGMA cache_size = -8000;");
    return status ? status : sqlite_script(&store->common, sql, fault);
}

static const struct casehook__ob_driver sqlite_driver = {
    .name = "sqlite",
    .alone = true,
    .dialect = {.bytes = "BLOB",
                .identity = "INTEGER PRIMARY KEY",
                .now = "casehook_now()",
                .lock = "",
                .skip = "",
                .number = "INTEGER",
                .value = "?",  /* then its place is its number */
                .next = "?16", /* NEXT_PLACE */
                .and_id = "",  /* it is in every index */
                .alone = ""},
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .run = sqlite_run,
    .script = sqlite_script,
    .notify = sqlite_notify,
    .has_news = sqlite_has_news,
    .descriptor = sqlite_descriptor,
    .close = sqlite_close_store,
};

/*
 * Cases may hold what is not for everybody.  Only a file that is new is opened here: to close one that SQLite
 * has open elsewhere in this process would drop its locks.
 */
static void make_private(const char *path)
{
    struct stat there;
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    /* A link to what is not there yet. */
    if (file < 0 && errno == EEXIST && stat(path, &there) && errno == ENOENT)
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) close(file);
}

int casehook__ob_sqlite_open(struct casehook__ob_heap *heap, const struct casehook__ob_place *place,
                             struct casehook__ob_store **opened, struct casehook__ob_fault *fault)
{
    *opened = NULL;
    if (inherits_open_stores())
        return casehook__ob_fail(fault, CASEHOOK_E_FORKED,
                                 "this process was forked while an outbox in a file was open: close all of "
                                 "them before fork(), or exec() another program");
    struct sqlite_store *store = casehook__ob_zeroed(heap, sizeof *store);
    if (!store) return casehook__ob_fail_memory(fault);
    store->common = (struct casehook__ob_store){
        .driver = &sqlite_driver, .heap = heap, .timeout_ms = place->timeout_ms, .connections = 1};
    int status = CASEHOOK_OK;
    atomic_store(&owner_pid, (int)getpid());
    atomic_fetch_add(&open_stores, 1);
    make_private(place->location);
    /* One thread at a time uses it: SQLite need not lock. */
    int code = sqlite3_open_v2(
        place->location, &store->db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code) status = fail_sqlite(store, code, fault);
    if (!status) sqlite3_busy_timeout(store->db, (int)place->timeout_ms);
    if (!status) status = prepare_file(store, fault);
    if (!status && casehook__ob_texts_make(&store->common)) status = casehook__ob_fail_memory(fault);
    if (!status)
        *opened = &store->common;
    else
        sqlite_close_store(&store->common);
    return status;
}
#endif
