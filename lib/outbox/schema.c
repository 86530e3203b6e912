/* schema.c - the tables, and how those of an older version become those of this one. */
#include "outbox/statements.h"

/*
 * What each version added to the one before it.  Never changed once it was released.
 *
 * due: of a waiting entry when it may be sent, of one that is being sent the end of its lease, of any other
 * when it came to its state.  fence: counts who had it; only the last one may settle it.  doubt: an attempt
 * before may have been done; 1: of a worker that is gone, 2: its result says how far it came.  token: the
 * idempotency key of all its attempts.  existing: it must not make its case.  replaceable: of a case the
 * entry that a newer update would replace, 0: none, -1: the one that has its number; fields: the
 * externalFields of what comes next. casehook_tally: how many entries there are in each state; a shard is
 * written by few, so that they do not wait for each other.
 */
static const char *const versions[] = {
    "CREATE TABLE casehook_case (no %IDENTITY, connector %BYTES NOT NULL, case_id %BYTES NOT NULL, "
    "external_id %BYTES, url %BYTES, status %BYTES, replaceable %NUMBER NOT NULL DEFAULT 0, "
    "last_entry %NUMBER NOT NULL DEFAULT 0, changed %NUMBER NOT NULL, UNIQUE (case_id, connector));"
    "CREATE TABLE casehook_entry (id %IDENTITY, connector %BYTES NOT NULL, key %BYTES, "
    "case_no %NUMBER NOT NULL, operation %NUMBER NOT NULL, state %NUMBER NOT NULL, due %NUMBER NOT NULL, "
    "put_at %NUMBER NOT NULL, first_at %NUMBER NOT NULL DEFAULT 0, attempts %NUMBER NOT NULL DEFAULT 0, "
    "fence %NUMBER NOT NULL DEFAULT 0, instance %NUMBER NOT NULL DEFAULT 0, doubt %NUMBER NOT NULL DEFAULT "
    "0, "
    "status %NUMBER NOT NULL DEFAULT 0, http_status %NUMBER NOT NULL DEFAULT 0, "
    "outcome %NUMBER NOT NULL DEFAULT 0, step %NUMBER NOT NULL DEFAULT 0, bytes %NUMBER NOT NULL, "
    "worker %BYTES, title %BYTES, message %BYTES, url %BYTES, external_id %BYTES, token %BYTES NOT NULL, "
    "params %BYTES NOT NULL, result %BYTES, UNIQUE (key, connector));"
    "CREATE INDEX casehook_entry_due ON casehook_entry (state, due);"
    "CREATE TABLE casehook_tally (shard %NUMBER NOT NULL, state %NUMBER NOT NULL, entries %NUMBER NOT NULL, "
    "bytes %NUMBER NOT NULL, PRIMARY KEY (shard, state));",
    /* Who is next in a case. */
    "CREATE INDEX casehook_entry_case ON casehook_entry (case_no, id) WHERE state <= 5 AND case_no > 0;",
    /*
     * What answers told of a case; all that ever was of it, the newest first; and what is due without that of
     * connectors that rest, of which there may be many.
     */
    "ALTER TABLE casehook_case ADD COLUMN fields %BYTES;"
    "DROP INDEX casehook_entry_due;"
    "CREATE INDEX casehook_entry_due ON casehook_entry (state, due, connector);"
    "CREATE INDEX casehook_entry_history ON casehook_entry (case_no, id) WHERE case_no <> 0;",
    /* One index for both, without the first entry of each case.  Where the database does not number rows
       itself: the last number that was given. */
    "DROP INDEX casehook_entry_case;"
    "DROP INDEX casehook_entry_history;"
    "CREATE INDEX casehook_entry_case ON casehook_entry (case_no, state%AND_ID) "
    "WHERE case_no > 0 AND case_no <> id;"
    "ALTER TABLE casehook_outbox ADD COLUMN last_id %NUMBER NOT NULL DEFAULT 0;"
    "UPDATE casehook_outbox SET last_id = (SELECT COALESCE(MAX(n), 0) FROM (SELECT no AS n FROM "
    "casehook_case "
    "UNION ALL SELECT last_entry FROM casehook_case UNION ALL SELECT replaceable FROM casehook_case) AS "
    "given);",
    "ALTER TABLE casehook_entry ADD COLUMN existing %NUMBER NOT NULL DEFAULT 0;",
};
enum { SCHEMA_VERSION = sizeof versions / sizeof *versions };

static int take_version(void *user, const struct casehook__ob_value *values, size_t count)
{
    int64_t *version = user;
    if (count == 1) *version = values[0].number;
    return CASEHOOK_OK;
}

static int read_version(struct casehook__ob_store *store, int64_t *version, struct casehook__ob_fault *fault)
{
    struct casehook__ob_rows rows = {.take = take_version, .user = version};
    *version = 0;
    return store->driver->run(store, CASEHOOK__OB_VERSION, NULL, 0, &rows, fault);
}

static int run_script(struct casehook__ob_store *store, const char *text, struct casehook__ob_fault *fault)
{
    char *sql = casehook__ob_in_dialect(store->heap, &store->driver->dialect, text);
    if (!sql) return casehook__ob_fail_memory(fault);
    int status = store->driver->script(store, sql, fault);
    casehook__ob_release(store->heap, sql);
    return status;
}

static int check_version(int64_t version, struct casehook__ob_fault *fault)
{
    if (version < 0)
        return casehook__ob_fail(fault, CASEHOOK_E_SYSTEM,
                                 "the outbox says that its tables are of version %lld: it is damaged, or of "
                                 "another program",
                                 (long long)version);
    if (version <= SCHEMA_VERSION) return CASEHOOK_OK;
    return casehook__ob_fail(
        fault, CASEHOOK_E_UNSUPPORTED,
        "the outbox was made by a newer version of this library (tables of version %lld, this "
        "one knows %d): update the library",
        (long long)version, (int)SCHEMA_VERSION);
}

/* In a transaction that nobody else has at the same time. */
static int upgrade(struct casehook__ob_store *store, struct casehook__ob_fault *fault)
{
    int64_t version = 0;
    struct casehook__ob_buf sql = {.heap = store->heap};
    int status =
        run_script(store, "CREATE TABLE IF NOT EXISTS casehook_outbox (version %NUMBER NOT NULL);", fault);
    if (!status) status = read_version(store, &version, fault);
    if (!status) status = check_version(version, fault);
    if (status || version == SCHEMA_VERSION) return status;
    for (int64_t i = version; i < SCHEMA_VERSION; i++) casehook__ob_put(&sql, versions[i]);
    casehook__ob_put(&sql, version ? "UPDATE casehook_outbox SET version = "
                                   : "INSERT INTO casehook_outbox (version) VALUES (");
    casehook__ob_number(&sql, SCHEMA_VERSION);
    casehook__ob_put(&sql, version ? ";" : ");");
    status = sql.broken ? casehook__ob_fail_memory(fault) : run_script(store, sql.data, fault);
    casehook__ob_buf_free(&sql);
    return status;
}

int casehook__ob_schema(struct casehook__ob_store *store, struct casehook__ob_fault *fault)
{
    int64_t version = 0;
    int status = store->driver->begin(store, fault);
    if (status) return status;
    /* Most often the tables are there, and whoever opens it need not be allowed to make any. */
    status = read_version(store, &version, NULL);
    store->driver->rollback(store);
    if (!status && version == SCHEMA_VERSION) return CASEHOOK_OK;
    if (!status) {
        status = check_version(version, fault);
        if (status) return status;
    }
    status = store->driver->begin(store, fault);
    if (status) return status;
    status = store->driver->script(store, store->driver->dialect.alone, fault);
    /* An index of a million entries takes longer than any other statement may. */
    uint32_t timeout_ms = store->timeout_ms;
    store->timeout_ms = INT32_MAX;
    if (!status) status = upgrade(store, fault);
    store->timeout_ms = timeout_ms;
    if (!status) return store->driver->commit(store, fault);
    store->driver->rollback(store);
    return status;
}
