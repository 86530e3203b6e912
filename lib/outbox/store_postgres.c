/* store_postgres.c - the outbox in a PostgreSQL database. */
#include "outbox/posix.h"

#include "outbox/statements.h"

#include <stdio.h>

#ifndef CASEHOOK_OUTBOX_POSTGRESQL
int casehook__ob_postgres_open(struct casehook__ob_heap *heap, const struct casehook__ob_place *place,
                               struct casehook__ob_store **store, struct casehook__ob_fault *fault)
{
    (void)heap;
    (void)place;
    *store = NULL;
    return casehook__ob_fail(fault, CASEHOOK_E_UNSUPPORTED,
                             "this build has no outbox in PostgreSQL: build the library with libpq");
}
#else

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

enum { PG_VALUES_MAX = 16, PG_COLUMNS_MAX = 32, PG_AGAIN_MS = 500 };
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_INT4 = 23 };

struct postgres_store {
    struct casehook__ob_store common;
    char *location;
    PGconn *connection; /* NULL: there is none */
    bool prepared[CASEHOOK__OB_STATEMENTS];
    bool in_transaction;
    int64_t not_before; /* after a failure it is not tried at once */
};

static int64_t pg_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void drop_connection(struct postgres_store *store)
{
    if (store->connection) PQfinish(store->connection);
    store->connection = NULL;
    store->in_transaction = false;
    memset(store->prepared, 0, sizeof store->prepared);
    store->not_before = pg_clock() + PG_AGAIN_MS;
}

static int fail_away(struct postgres_store *store, const char *what, struct casehook__ob_fault *fault)
{
    char words[256];
    snprintf(words, sizeof words, "%s", store->connection ? PQerrorMessage(store->connection) : "");
    words[strcspn(words, "\n")] = '\0'; /* what follows is advice, or nothing */
    return casehook__ob_fail(fault, CASEHOOK_E_UNAVAILABLE, "outbox: %s (PostgreSQL: %s)", what,
                             words[0] ? words : "no connection");
}

/* ---- answers ---------------------------------------------------------------------------------------- */

/* Waits for the server, no longer than is allowed. */
static bool is_ready(struct postgres_store *store)
{
    int64_t end = pg_clock() + store->common.timeout_ms;
    struct pollfd wait = {.fd = PQsocket(store->connection), .events = POLLIN};
    while (PQisBusy(store->connection)) {
        int64_t left = end - pg_clock();
        if (left <= 0) return false;
        if (poll(&wait, 1, (int)left) < 0 && errno != EINTR) return false;
        if (!PQconsumeInput(store->connection)) return false;
    }
    return true;
}

/* The last result of what was sent; NULL: the connection is gone, or takes too long. */
static PGresult *await(struct postgres_store *store)
{
    PGresult *last = NULL, *next;
    for (;;) {
        if (!is_ready(store)) break;
        next = PQgetResult(store->connection);
        if (!next) {
            if (PQstatus(store->connection) == CONNECTION_OK && last) return last;
            break;
        }
        if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(next); /* the first failure is the one that tells why */
            continue;
        }
        PQclear(last);
        last = next;
    }
    PQclear(last);
    return NULL;
}

static int fail_postgres(struct postgres_store *store, const PGresult *result,
                         struct casehook__ob_fault *fault)
{
    static const struct {
        const char *state, *advice;
        int status;
        bool repeats;
    } known[] = {
        {"40001", "others were in the way", CASEHOOK_E_BUSY, true},
        {"40P01", "others were in the way", CASEHOOK_E_BUSY, true},
        {"23505", "others were in the way", CASEHOOK_E_BUSY, true},
        {"55P03", "another session holds what is needed: try again", CASEHOOK_E_BUSY, false},
        {"57014", "the database took too long: try again", CASEHOOK_E_BUSY, false},
        {"53100", "the database's disk is full: make room; nothing was stored", CASEHOOK_E_SYSTEM, false},
        {"53", "the database has no room for this: look at its log", CASEHOOK_E_UNAVAILABLE, false},
        {"57P", "the database is going down", CASEHOOK_E_UNAVAILABLE, false},
        {"25006", "the database is read-only: give the address of the primary", CASEHOOK_E_UNAVAILABLE,
         false},
        {"25P03", "the session was idle for too long", CASEHOOK_E_UNAVAILABLE, false},
        {"42501", "the role may not do this: give it the right to", CASEHOOK_E_SYSTEM, false},
        {"42P01", "the tables of the outbox are not there", CASEHOOK_E_SYSTEM, false},
    };
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    int status = CASEHOOK_E_SYSTEM;
    const char *advice = "see what PostgreSQL says";
    for (size_t i = 0; state && i < sizeof known / sizeof *known; i++) {
        if (strncmp(state, known[i].state, strlen(known[i].state)) != 0) continue;
        status = known[i].status;
        advice = known[i].advice;
        store->common.repeats = known[i].repeats;
        break;
    }
    casehook__ob_fail(fault, status, "outbox: %s (PostgreSQL: %s)", advice,
                      words ? words : PQresultErrorMessage(result));
    /* Another server may be the primary now: it is looked for anew. */
    if (status == CASEHOOK_E_UNAVAILABLE) drop_connection(store);
    return status;
}

static int64_t pg_number(const PGresult *result, int row, int column)
{
    const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, row, column);
    int length = PQgetlength(result, row, column);
    uint64_t number = length > 0 && bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < length && i < 8; i++) number = number << 8 | bytes[i];
    return (int64_t)number;
}

static int hand_rows(const PGresult *result, struct casehook__ob_rows *rows, struct casehook__ob_fault *fault)
{
    struct casehook__ob_value values[PG_COLUMNS_MAX];
    int count = PQnfields(result), status = CASEHOOK_OK;
    for (int row = 0; !status && rows->take && row < PQntuples(result); row++) {
        memset(values, 0, sizeof values);
        for (int i = 0; i < count && i < PG_COLUMNS_MAX; i++) {
            if (PQgetisnull(result, row, i)) continue;
            bool number = PQftype(result, i) == OID_INT8 || PQftype(result, i) == OID_INT4;
            values[i].kind = number ? CASEHOOK__OB_NUMBER : CASEHOOK__OB_BYTES;
            if (number)
                values[i].number = pg_number(result, row, i);
            else
                values[i].bytes = (struct casehook__ob_text){PQgetvalue(result, row, i),
                                                             (size_t)PQgetlength(result, row, i)};
        }
        status = rows->take(rows->user, values, (size_t)count);
        if (status)
            casehook__ob_fail(fault, status, "outbox: a row could not be kept: there is no memory left");
    }
    return status;
}

static int take_result(struct postgres_store *store, PGresult *result, struct casehook__ob_rows *rows,
                       struct casehook__ob_fault *fault)
{
    int status = CASEHOOK_OK;
    if (!result) {
        status = fail_away(store, "the connection to the database broke", fault);
        drop_connection(store);
        return status;
    }
    ExecStatusType what = PQresultStatus(result);
    if (what != PGRES_TUPLES_OK && what != PGRES_COMMAND_OK) {
        status = fail_postgres(store, result, fault);
    } else if (rows) {
        rows->changed = what == PGRES_TUPLES_OK ? PQntuples(result) : strtoll(PQcmdTuples(result), NULL, 10);
        status = hand_rows(result, rows, fault);
    }
    PQclear(result);
    return status;
}

/* ---- statements ------------------------------------------------------------------------------------- */

static int postgres_script(struct casehook__ob_store *common, const char *sql,
                           struct casehook__ob_fault *fault)
{
    struct postgres_store *store = (struct postgres_store *)common;
    if (!store->connection) return fail_away(store, "the database cannot be reached", fault);
    return take_result(store, PQsendQuery(store->connection, sql) ? await(store) : NULL, NULL, fault);
}

static int prepare_postgres(struct postgres_store *store, int statement, const char *name,
                            struct casehook__ob_fault *fault)
{
    Oid types[PG_VALUES_MAX];
    const char *kinds = casehook__ob_sql[statement].values;
    int count = (int)strlen(kinds);
    if (store->prepared[statement]) return CASEHOOK_OK;
    for (int i = 0; i < count; i++) types[i] = kinds[i] == 'i' ? OID_INT8 : OID_BYTEA;
    int sent = PQsendPrepare(store->connection, name, store->common.texts[statement], count, types);
    int status = take_result(store, sent ? await(store) : NULL, NULL, fault);
    if (!status) store->prepared[statement] = true;
    return status;
}

static int postgres_run(struct casehook__ob_store *common, int statement,
                        const struct casehook__ob_value *values, size_t count, struct casehook__ob_rows *rows,
                        struct casehook__ob_fault *fault)
{
    struct postgres_store *store = (struct postgres_store *)common;
    unsigned char numbers[PG_VALUES_MAX][8];
    const char *data[PG_VALUES_MAX];
    int lengths[PG_VALUES_MAX], formats[PG_VALUES_MAX];
    char name[16];
    size_t wanted = strlen(casehook__ob_sql[statement].values);
    if (!store->connection) return fail_away(store, "the database cannot be reached", fault);
    if (count < wanted || count > PG_VALUES_MAX)
        return casehook__ob_fail(fault, CASEHOOK_E_SYSTEM, "outbox: a statement lacks values");
    snprintf(name, sizeof name, "ch%d", statement);
    int status = prepare_postgres(store, statement, name, fault);
    if (status) return status;
    for (size_t i = 0; i < wanted; i++) {
        formats[i] = 1;
        for (int byte = 0; byte < 8; byte++)
            numbers[i][byte] = (unsigned char)((uint64_t)values[i].number >> (56 - 8 * byte));
        bool number = values[i].kind == CASEHOOK__OB_NUMBER;
        data[i] = number                                ? (const char *)numbers[i]
                  : values[i].kind == CASEHOOK__OB_NULL ? NULL
                                                        : values[i].bytes.data;
        lengths[i] = number ? 8 : (int)values[i].bytes.length;
    }
    int sent = PQsendQueryPrepared(store->connection, name, (int)wanted, data, lengths, formats, 1);
    return take_result(store, sent ? await(store) : NULL, rows, fault);
}

/* ---- connecting ------------------------------------------------------------------------------------- */

/* What a session needs, whatever the database's own settings are. */
static int set_up(struct postgres_store *store, struct casehook__ob_fault *fault)
{
    char sql[512];
    snprintf(
        sql, sizeof sql,
        "SET client_min_messages TO warning; SET default_transaction_isolation TO 'read committed'; "
        /* A server that waits for others as well goes on to. */
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN "
        "('off', 'local'); SET lock_timeout TO %u; SET statement_timeout TO %u; "
        /* Whoever sleeps in the middle of a transaction holds up the others. */
        "SET idle_in_transaction_session_timeout TO %u;%s",
        (unsigned)store->common.timeout_ms, (unsigned)store->common.timeout_ms,
        (unsigned)store->common.timeout_ms, store->common.tells ? " LISTEN casehook_outbox;" : "");
    return postgres_script(&store->common, sql, fault);
}

/* What the server says by the way would go to the terminal. */
static void say_nothing(void *user, const PGresult *notice)
{
    (void)user;
    (void)notice;
}

static int connect_postgres(struct postgres_store *store, struct casehook__ob_fault *fault)
{
    char seconds[16], milliseconds[16];
    unsigned timeout = store->common.timeout_ms;
    if (pg_clock() < store->not_before) return fail_away(store, "the database cannot be reached", fault);
    snprintf(seconds, sizeof seconds, "%u", timeout < 2000 ? 2 : timeout / 1000);
    snprintf(milliseconds, sizeof milliseconds, "%u", timeout);
    /* What stands in the location comes last, and wins. */
    const char *const names[] = {"connect_timeout",      "tcp_user_timeout", "keepalives_idle",
                                 "keepalives_interval",  "keepalives_count", "application_name",
                                 "target_session_attrs", "dbname",           NULL};
    const char *const values[] = {seconds,      milliseconds,    "10", "5", "3", "casehook-outbox",
                                  "read-write", store->location, NULL};
    store->connection = PQconnectdbParams(names, values, 1);
    if (!store->connection) return casehook__ob_fail_memory(fault);
    PQsetNoticeReceiver(store->connection, say_nothing, NULL);
    int status = CASEHOOK_OK;
    if (PQstatus(store->connection) != CONNECTION_OK)
        status = fail_away(store, "the database cannot be reached", fault);
    if (!status) status = set_up(store, fault);
    if (status)
        drop_connection(store);
    else
        store->common.connections++;
    return status;
}

/* ---- transactions ----------------------------------------------------------------------------------- */

static int postgres_begin(struct casehook__ob_store *common, struct casehook__ob_fault *fault)
{
    struct postgres_store *store = (struct postgres_store *)common;
    for (int tries = 0;; tries++) {
        if (!store->connection) {
            int status = connect_postgres(store, fault);
            if (status) return status;
        }
        int status = postgres_script(common, "BEGIN", fault);
        store->in_transaction = !status;
        /* One that was lost while nobody used it: nothing of ours was in it. */
        if (!status || store->connection || tries) return status;
        store->not_before = 0;
    }
}

static void postgres_rollback(struct casehook__ob_store *common)
{
    struct postgres_store *store = (struct postgres_store *)common;
    bool repeats = common->repeats;
    if (store->connection && store->in_transaction && postgres_script(common, "ROLLBACK", NULL))
        drop_connection(store);
    store->in_transaction = false;
    common->repeats = repeats;
}

static int postgres_commit(struct casehook__ob_store *common, struct casehook__ob_fault *fault)
{
    struct postgres_store *store = (struct postgres_store *)common;
    struct casehook__ob_fault why = {.status = CASEHOOK_OK};
    /* One that has failed ends without an error, and nothing is stored. */
    bool failed = store->connection && PQtransactionStatus(store->connection) == PQTRANS_INERROR;
    int status = postgres_script(common, "COMMIT", &why);
    store->in_transaction = false;
    if (!status && failed)
        status = casehook__ob_fail(&why, CASEHOOK_E_SYSTEM, "outbox: PostgreSQL undid it: look at its log");
    if (!status) return CASEHOOK_OK;
    if (store->connection) {
        *fault = why; /* it was refused */
        return status;
    }
    return casehook__ob_fail(
        fault, CASEHOOK_E_NETWORK,
        "outbox: the connection broke in the middle of a commit: nobody knows whether it was "
        "stored; to put the same key again is safe");
}

static int postgres_notify(struct casehook__ob_store *common, struct casehook__ob_fault *fault)
{
    return postgres_script(common, "NOTIFY casehook_outbox", fault);
}

static bool postgres_has_news(struct casehook__ob_store *common)
{
    struct postgres_store *store = (struct postgres_store *)common;
    PGnotify *notice;
    bool news = false;
    if (!store->connection) return true;
    if (!PQconsumeInput(store->connection)) {
        drop_connection(store);
        return true;
    }
    while ((notice = PQnotifies(store->connection))) {
        news |= notice->be_pid != PQbackendPID(store->connection); /* what we said ourselves is no news */
        PQfreemem(notice);
    }
    return news;
}

static int postgres_descriptor(struct casehook__ob_store *common)
{
    struct postgres_store *store = (struct postgres_store *)common;
    return store->connection ? PQsocket(store->connection) : -1;
}

static void postgres_close(struct casehook__ob_store *common)
{
    struct postgres_store *store = (struct postgres_store *)common;
    drop_connection(store);
    if (store->location) memset(store->location, 0, strlen(store->location)); /* a password may be in it */
    casehook__ob_release(common->heap, store->location);
    casehook__ob_texts_free(common);
    casehook__ob_release(common->heap, store);
}

static const struct casehook__ob_driver postgres_driver = {
    .name = "postgresql",
    .dialect = {.bytes = "BYTEA",
                .identity = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                .now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
                .lock = "FOR UPDATE",
                .skip = "FOR UPDATE SKIP LOCKED",
                .number = "BIGINT",
                .value = "$",
                .next = "DEFAULT",
                .and_id = ", id",
                .returning = true,
                .alone = "SET LOCAL statement_timeout TO 0; SELECT pg_advisory_xact_lock(1667330917)"},
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .run = postgres_run,
    .script = postgres_script,
    .notify = postgres_notify,
    .has_news = postgres_has_news,
    .descriptor = postgres_descriptor,
    .close = postgres_close,
};

static int check_location(const char *location, struct casehook__ob_fault *fault)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(location, &why);
    int status = CASEHOOK_OK;
    if (!options)
        status = casehook__ob_fail(fault, CASEHOOK_E_CONFIG,
                                   "location is no address of a database that libpq can read");
    /* Of a password with a '/' that is not written %2F the beginning is read as a port, and said of it. */
    for (const PQconninfoOption *each = options; each && each->keyword; each++)
        if (strcmp(each->keyword, "port") == 0 && each->val && each->val[strspn(each->val, "0123456789,")])
            status = casehook__ob_fail(fault, CASEHOOK_E_CONFIG,
                                       "location has a port that is no number; in a password '/' is %%2F");
    PQconninfoFree(options);
    PQfreemem(why);
    return status;
}

int casehook__ob_postgres_open(struct casehook__ob_heap *heap, const struct casehook__ob_place *place,
                               struct casehook__ob_store **opened, struct casehook__ob_fault *fault)
{
    *opened = NULL;
    int status = check_location(place->location, fault);
    struct postgres_store *store = status ? NULL : casehook__ob_zeroed(heap, sizeof *store);
    if (status) return status;
    if (!store) return casehook__ob_fail_memory(fault);
    store->common = (struct casehook__ob_store){
        .driver = &postgres_driver, .heap = heap, .timeout_ms = place->timeout_ms, .tells = place->tells};
    store->location = casehook__ob_copy(heap, casehook__ob_text(place->location));
    if (!store->location || casehook__ob_texts_make(&store->common)) status = casehook__ob_fail_memory(fault);
    if (!status) status = connect_postgres(store, fault);
    if (!status)
        *opened = &store->common;
    else
        postgres_close(&store->common);
    return status;
}
#endif
