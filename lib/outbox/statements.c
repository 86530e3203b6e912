/*
 * statements.c - every statement of the outbox, for both databases.
 *
 * Numbers of states are those of the header: up to 5 an entry is not finished.
 */
#include "outbox/statements.h"

#define LISTED                                                                                            \
    "e.id, e.state, e.operation, e.status, e.http_status, e.outcome, e.step, e.attempts, e.doubt, "       \
    "CASE WHEN c.external_id IS NULL THEN 0 ELSE 1 END, e.existing, e.put_at, "                           \
    "e.first_at, e.due, e.bytes, e.connector, e.key, c.case_id, COALESCE(e.external_id, c.external_id), " \
    "e.title, "                                                                                           \
    "COALESCE(e.url, c.url), e.worker, e.message, "

#define IN_STATES "e.state IN ($1, $2, $3, $4, $5, $6, $7, $8) "

/*
 * Entries of a case.  The index has all but the one whose number the case has, if there is one: that is the
 * first of the case, and most cases have no other.  An index of them all would cost each put.
 */
#define OF_CASE(no, which)                                    \
    "SELECT n.id FROM casehook_entry n WHERE n.case_no = " no \
    " AND n.case_no > 0 AND n.case_no <> n.id AND " which     \
    " UNION ALL SELECT n.id FROM casehook_entry n WHERE n.id = " no " AND n.case_no = n.id AND " which " "

/* What has its turn, or would have it: what is parked for a fault of its own holds nobody up. */
#define BUSY_OF_CASE   OF_CASE("$1", "n.state IN (1, 3, 5)")
#define NEXT_OF_CASE   OF_CASE("$1", "n.state = 2") "ORDER BY 1 LIMIT 1"
#define MAKERS_OF_CASE OF_CASE("c.no", "n.state <= 5 AND n.operation IN (1, 5) AND n.existing = 0")

/* In the order of the index each, so that no more is read than is wanted; of a key there is only one. */
#define ASKED_CASE       "(SELECT no FROM casehook_case WHERE connector = $10 AND case_id = $12 AND $11 IS NULL)"
#define ASKED(state)     OF_CASE(ASKED_CASE, "n.state = " state " AND n.id < $9")
#define AND_ASKED(state) "UNION ALL " ASKED(state)
#define NEWEST_OF_CASE \
    ASKED("$1")        \
    AND_ASKED("$2")    \
    AND_ASKED("$3")    \
    AND_ASKED("$4")    \
    AND_ASKED("$5") AND_ASKED("$6") AND_ASKED("$7") AND_ASKED("$8") "ORDER BY 1 DESC LIMIT $13"

/*
 * Of those that are due, and are not left out, the first, and others up to so many bytes.  The time is asked
 * once, so that an index can be used.
 */
#define CLAIM(which)                                                                               \
    "WITH mine AS MATERIALIZED (SELECT id, due, connector, bytes FROM casehook_entry "             \
    "WHERE state = 1 "                                                                             \
    "AND due <= (SELECT %NOW) " which "ORDER BY due, connector, id LIMIT $1 %SKIP) "               \
    "UPDATE casehook_entry SET state = 3, fence = fence + 1, due = %NOW + $2, instance = $3, "     \
    "worker = $4, attempts = attempts + 1, "                                                       \
    "first_at = CASE WHEN first_at = 0 THEN %NOW ELSE first_at END "                               \
    "WHERE id IN (SELECT id FROM (SELECT id, SUM(bytes) OVER (ORDER BY due, connector, id) "       \
    "- bytes AS earlier FROM mine) AS m WHERE earlier < 1048576) "                                 \
    "RETURNING id, fence, case_no, operation, doubt, attempts, %NOW - first_at, bytes, existing, " \
    "connector, params, result, token, "                                                           \
    "(SELECT external_id FROM casehook_case WHERE no = casehook_entry.case_no), "                  \
    "(SELECT fields FROM casehook_case WHERE no = casehook_entry.case_no)"

/*
 * Finished, from where deleting had got to, up to there.  One bound on each side: of two SQLite uses any one
 * for the index, and reads all that is finished.
 */
#define FINISHED_BEHIND "WHERE state = $1 AND due >= $2 AND (due > $2 OR id > $3) "
#define FINISHED_WITHIN FINISHED_BEHIND "AND due <= $4 AND (due < $4 OR id <= $5) "
/*
 * Of a case that is remembered the newest stays, which says what was told of it last, and behind one that a
 * person may try again the newest update, which overtook it.  All states are named for the index.
 */
#define NEWER_OF_CASE \
    OF_CASE("casehook_entry.case_no", "n.state IN (1, 2, 3, 4, 5, 6, 7, 8) AND n.id > casehook_entry.id")
#define PARKED_BEFORE OF_CASE("casehook_entry.case_no", "n.state = 4 AND n.id < casehook_entry.id")
#define UPDATED_SINCE                                                                        \
    OF_CASE("casehook_entry.case_no", "n.state = 6 AND n.operation IN (1, 3, 5) AND n.id > " \
                                      "casehook_entry.id")
#define LATER_OF_CASE \
    OF_CASE("casehook_entry.case_no", "n.state IN (1, 2, 3, 5) AND n.id > casehook_entry.id")
/* One that must not make its case, and waits until that is made, is not newer than who may make it. */
#define NEWER_UPDATES_OF_CASE                                                                             \
    OF_CASE("$1", "n.id > $2 AND n.operation IN (1, 3, 5) AND (n.state = 6 OR (n.state IN (1, 3, 5) AND " \
                  "(n.existing = 0 OR EXISTS (SELECT 1 FROM casehook_case k WHERE k.no = $1 AND "         \
                  "k.external_id IS NOT NULL))) OR (n.state = $3 AND n.existing = 0))")
#define IS_KEPT                                                                                    \
    "(case_no > 0 AND EXISTS (SELECT 1 FROM casehook_case c WHERE c.no = casehook_entry.case_no) " \
    "AND (NOT EXISTS (" NEWER_OF_CASE ") OR (state = 6 AND operation IN (1, 3, 5) "                \
    "AND EXISTS (" PARKED_BEFORE ") AND NOT EXISTS (" UPDATED_SINCE ")))) "

const struct casehook__ob_sql casehook__ob_sql[CASEHOOK__OB_STATEMENTS] = {
    [CASEHOOK__OB_VERSION] = {"SELECT version FROM casehook_outbox", ""},
    [CASEHOOK__OB_TALLY_READ] = {"SELECT state, CAST(SUM(entries) AS BIGINT), CAST(SUM(bytes) AS BIGINT) "
                                 "FROM casehook_tally GROUP BY state",
                                 ""},
    [CASEHOOK__OB_TALLY_ADD] = {"UPDATE casehook_tally SET entries = entries + $3, bytes = bytes + $4 "
                                "WHERE shard = $1 AND state = $2",
                                "iiii"},
    [CASEHOOK__OB_TALLY_NEW] =
        {"INSERT INTO casehook_tally (shard, state, entries, bytes) VALUES ($1, $2, $3, $4)", "iiii"},
    [CASEHOOK__OB_OLDEST] = {"SELECT id, %NOW - put_at FROM casehook_entry WHERE id >= $1 AND +state <= 3 "
                             "ORDER BY id LIMIT 1",
                             "i"},
    [CASEHOOK__OB_OLDEST_OF_FEW] = {"SELECT id, %NOW - put_at FROM casehook_entry WHERE state IN (1, 2, 3) "
                                    "ORDER BY +id LIMIT 1",
                                    ""},
    [CASEHOOK__OB_KEY_FIND] = {"SELECT id FROM casehook_entry WHERE connector = $1 AND key = $2", "bb"},
    [CASEHOOK__OB_CASE_FIND] = {"SELECT no, replaceable, status, %NOW - changed FROM casehook_case "
                                "WHERE connector = $1 AND case_id = $2 %LOCK",
                                "bb"},
    [CASEHOOK__OB_CASE_NEW] = {"INSERT INTO casehook_case (no, connector, case_id, status, changed, "
                               "replaceable) VALUES (%NEXT, $1, $2, $3, %NOW, $4) "
                               "ON CONFLICT (connector, case_id) DO NOTHING",
                               "bbbi"},
    [CASEHOOK__OB_CASE_DROP] = {"DELETE FROM casehook_case WHERE no = $1", "i"},
    [CASEHOOK__OB_CASE_SET] =
        {"UPDATE casehook_case SET replaceable = $2, status = $3, changed = %NOW WHERE no = $1", "iib"},
    [CASEHOOK__OB_CASE_LOCK] = {"SELECT no FROM casehook_case WHERE no = $1 %LOCK", "i"},
    [CASEHOOK__OB_CASE_LEARN] = {"UPDATE casehook_case SET external_id = COALESCE($2, external_id), "
                                 "url = COALESCE($3, url), fields = COALESCE($5, fields), last_entry = CASE "
                                 "WHEN $4 > 0 THEN $4 ELSE last_entry END, "
                                 "changed = %NOW WHERE no = $1",
                                 "ibbib"},
    /* And what could be taken is held, so that nobody begins to send it. */
    [CASEHOOK__OB_CASE_SENDING] = {"SELECT state, id FROM casehook_entry WHERE +state IN (1, 3) AND id IN "
                                   "(" OF_CASE("$1", "n.state IN (1, 3)") ") ORDER BY state DESC %LOCK",
                                   "i"},
    [CASEHOOK__OB_CASE_OTHER] =
        {"SELECT no FROM casehook_case WHERE no = $1 AND (external_id IS NULL OR external_id <> $2)", "ib"},
    [CASEHOOK__OB_CASE_FORGET] = {"UPDATE casehook_case SET external_id = NULL, url = NULL, fields = NULL "
                                  "WHERE no = $1",
                                  "i"},
    /* What was reached of its entries is nothing in another case; nor is what a late answer tells, or a key
     * that the tracker knows from the one before, unless it is what tells whether that was done. */
    [CASEHOOK__OB_RESULTS_FORGET] =
        {"UPDATE casehook_entry SET result = NULL, fence = fence + 1, token = CASE WHEN doubt = 0 OR state = "
         "4 THEN "
         "CAST(substr(token, 1, 24) || $2 AS %BYTES) ELSE token END WHERE id IN (" OF_CASE(
             "$1", "n.state IN (1, 2, 4, 5)") ")",
         "ib"},
    /* $2 is about to be replaced. */
    [CASEHOOK__OB_BLOCKING] = {"SELECT id FROM (" BUSY_OF_CASE ") AS busy WHERE id <> $2 LIMIT 1", "ii"},
    /* A case that is in the tracker, or that something unfinished will make. */
    [CASEHOOK__OB_CASE_MADE] = {"SELECT c.no FROM casehook_case c WHERE c.connector = $1 AND c.case_id = $2 "
                                "AND (c.external_id IS NOT NULL OR EXISTS (" MAKERS_OF_CASE "))",
                                "bb"},
    [CASEHOOK__OB_REPLACE] = {"UPDATE casehook_entry SET state = 8, due = %NOW WHERE id = $1", "i"},
    [CASEHOOK__OB_PUT] =
        {"INSERT INTO casehook_entry (id, connector, key, case_no, operation, state, due, put_at, bytes, "
         "params, title, token, existing) VALUES (%NEXT, $1, $2, $3, $4, $5, %NOW + $6, %NOW, $7, $8, $9, "
         "$10, "
         "$11) ON CONFLICT (connector, key) DO NOTHING",
         "bbiiiiibbbi"},
    [CASEHOOK__OB_EXPIRE] = {"WITH late AS MATERIALIZED (SELECT id FROM casehook_entry WHERE state = 3 "
                             "AND due < (SELECT %NOW) - $1 AND instance <> $3 ORDER BY due LIMIT $2 %SKIP) "
                             "UPDATE casehook_entry SET state = 1, doubt = 1, due = %NOW, instance = -1 "
                             "WHERE id IN (SELECT id FROM late) RETURNING id, bytes",
                             "iii"},
    [CASEHOOK__OB_SET_BACK] =
        {"UPDATE casehook_entry SET due = CASE WHEN due - $1 < %NOW THEN %NOW ELSE due - $1 "
         "END WHERE state = 1 AND due > %NOW",
         "i"},
    [CASEHOOK__OB_TAKE_OVER] = {"UPDATE casehook_entry SET state = 1, doubt = 1, due = %NOW, instance = -1 "
                                "WHERE state = 3 AND worker = $1 AND instance <> $2 RETURNING id, bytes",
                                "bi"},
    /* Taken by a commit of which nobody knew whether it was done, and never sent. */
    [CASEHOOK__OB_GIVE_BACK] = {"UPDATE casehook_entry SET state = 1, due = %NOW, attempts = attempts - 1, "
                                "first_at = CASE WHEN attempts = 1 THEN 0 ELSE first_at END, "
                                "instance = 0 WHERE id = $1 AND fence = $2 AND state = 3 RETURNING id, bytes",
                                "ii"},
    [CASEHOOK__OB_CLAIM] = {CLAIM(""), "iiib"},
    [CASEHOOK__OB_CLAIM_BUT] = {CLAIM("AND connector NOT IN ($5, $6, $7, $8, $9, $10, $11, $12) "),
                                "iiibbbbbbbbb"},
    [CASEHOOK__OB_CLAIM_OF] = {CLAIM("AND connector = $5 "), "iiibb"},
    [CASEHOOK__OB_OURS] = {"SELECT id, fence FROM casehook_entry WHERE state = 3 AND instance = $1", "i"},
    [CASEHOOK__OB_SETTLE] =
        {"UPDATE casehook_entry SET state = $3, due = %NOW + $4, status = $5, http_status = $6, "
         "outcome = $7, step = $8, doubt = $9, message = $10, url = COALESCE($11, url), "
         /* An attempt that was not made does not count. */
         "first_at = CASE WHEN attempts = $14 THEN 0 ELSE first_at END, attempts = attempts - $14, "
         "external_id = COALESCE($12, external_id), result = CASE WHEN $3 = 6 THEN NULL ELSE COALESCE($13, "
         "result) END, "
         "instance = CASE WHEN state = 3 THEN 0 ELSE -2 END "
         "WHERE id = $1 AND fence = $2 AND (state = 3 OR (state = 1 AND instance = -1)) "
         "RETURNING case_no, bytes, instance",
         "iiiiiiiiibbbbi"},
    [CASEHOOK__OB_WHOSE] = {"SELECT fence, state FROM casehook_entry WHERE id = $1", "i"},
    [CASEHOOK__OB_PROMOTE] = {"UPDATE casehook_entry SET state = 1 WHERE id = (" NEXT_OF_CASE
                              ") AND NOT EXISTS (" BUSY_OF_CASE ") RETURNING id, bytes",
                              "i"},
    [CASEHOOK__OB_NEXT_DUE] = {"SELECT due - %NOW FROM casehook_entry WHERE state = $1 ORDER BY due LIMIT 1",
                               "i"},
    [CASEHOOK__OB_NEXT_DUE_BUT] = {"SELECT due - %NOW FROM casehook_entry WHERE state = $1 "
                                   "AND connector NOT IN ($2, $3, $4, $5, $6, $7, $8, $9) "
                                   "ORDER BY due LIMIT 1",
                                   "ibbbbbbbb"},
    /* Where it must not make its case a push, 5, is as good as an update, 3. */
    [CASEHOOK__OB_STATE] =
        {"SELECT state, case_no, bytes, operation - 2 * existing FROM casehook_entry WHERE id = $1 %LOCK",
         "i"},
    /* A newer push, update or create of its case that was sent, or goes before it, or is in state $3 and may
     * make the case. */
    [CASEHOOK__OB_OVERTAKEN] = {"SELECT id FROM (" NEWER_UPDATES_OF_CASE ") AS newer WHERE EXISTS (SELECT 1 "
                                "FROM casehook_entry e WHERE e.id = $2 AND e.operation IN (1, 3, 5)) "
                                "ORDER BY id DESC LIMIT 1",
                                "iii"},
    /* Whether a newer update may stand for it: not before what was put between them, nor one that must not
     * make the case for one that may. */
    [CASEHOOK__OB_OLDER] = {"SELECT state, bytes FROM casehook_entry "
                            "WHERE id = $1 AND state <= 2 AND attempts = 0 "
                            "AND (operation = 3 OR (operation = $2 AND existing >= $4)) AND case_no = $3 "
                            "AND NOT EXISTS (" LATER_OF_CASE ") %LOCK",
                            "iiii"},
    /* One that waits may have been sent: only what a person has looked at begins anew. */
    [CASEHOOK__OB_DECIDE] =
        {"UPDATE casehook_entry SET state = $2, due = %NOW, fence = fence + 1, "
         "doubt = CASE WHEN state <= 2 THEN doubt ELSE 0 END, "
         "first_at = CASE WHEN $2 <= 2 AND state > 2 THEN 0 ELSE first_at END, "
         "message = CASE WHEN $2 = 6 THEN NULL ELSE message END, "
         "result = CASE WHEN $2 <= 2 AND state > 2 AND external_id IS NULL THEN NULL ELSE result END, "
         "external_id = COALESCE($3, external_id) WHERE id = $1",
         "iib"},
    /* Numbers of what was deleted are not given again; where the database does not see to that itself. */
    [CASEHOOK__OB_NEXT] = {"SELECT 1 + CASE WHEN m > last_id THEN m ELSE last_id END FROM casehook_outbox, "
                           "(SELECT COALESCE(MAX(id), 0) AS m FROM casehook_entry) AS e",
                           ""},
    [CASEHOOK__OB_KEEP_LAST] = {"UPDATE casehook_outbox SET last_id = (SELECT MAX(id) FROM casehook_entry) "
                                "WHERE last_id < (SELECT MAX(id) FROM casehook_entry)",
                                ""},
    /* The last of so many, or else the moment up to which they are old enough. */
    [CASEHOOK__OB_PURGE_END] =
        {"SELECT due, id, more FROM (SELECT due, id, 1 AS more FROM casehook_entry " FINISHED_BEHIND
         "AND due <= (SELECT %NOW) - $4 ORDER BY due, id LIMIT 1 OFFSET $5) AS piece "
         "UNION ALL SELECT %NOW - $4, 9223372036854775807, 0 ORDER BY 3 DESC LIMIT 1",
         "iiiii"},
    [CASEHOOK__OB_PURGE] = {"DELETE FROM casehook_entry " FINISHED_WITHIN "AND NOT " IS_KEPT, "iiiii"},
    /* What is left is of cases that are remembered: no more of it is kept than that needs. */
    [CASEHOOK__OB_EMPTY] = {"UPDATE casehook_entry SET params = $6 " FINISHED_WITHIN "AND length(params) > 2",
                            "iiiiib"},
    [CASEHOOK__OB_PURGE_CASES] = {"DELETE FROM casehook_case WHERE no IN (SELECT no FROM casehook_case "
                                  "WHERE changed < %NOW - $1 LIMIT $2) AND changed < %NOW - $1 "
                                  "AND NOT EXISTS (" OF_CASE("casehook_case.no", "n.state <= 5") ")",
                                  "ii"},
    /* Of few entries the index of states finds them all; of many the newest ones are found by walking back.
     */
    [CASEHOOK__OB_LIST_FEW] = {"SELECT " LISTED
                               "CASE WHEN $14 = 1 THEN e.params END, CASE WHEN $14 = 1 THEN e.result END "
                               "FROM casehook_entry e LEFT JOIN casehook_case c ON c.no = e.case_no "
                               "WHERE " IN_STATES "AND e.id < $9 AND ($10 IS NULL OR e.connector = $10) "
                               "AND ($11 IS NULL OR e.key = $11) AND ($12 IS NULL OR c.case_id = $12) "
                               "ORDER BY +e.id DESC LIMIT $13",
                               "iiiiiiiiibbbii"},
    [CASEHOOK__OB_LIST_MANY] = {"SELECT " LISTED
                                "CASE WHEN $14 = 1 THEN e.params END, CASE WHEN $14 = 1 THEN e.result END "
                                "FROM casehook_entry e LEFT JOIN casehook_case c ON c.no = e.case_no "
                                "WHERE +" IN_STATES "AND e.id < $9 AND ($10 IS NULL OR e.connector = $10) "
                                "AND ($11 IS NULL OR e.key = $11) AND ($12 IS NULL OR c.case_id = $12) "
                                "ORDER BY e.id DESC LIMIT $13",
                                "iiiiiiiiibbbii"},
    [CASEHOOK__OB_LIST_CASE] = {"SELECT " LISTED
                                "CASE WHEN $14 = 1 THEN e.params END, CASE WHEN $14 = 1 THEN e.result END "
                                "FROM casehook_entry e JOIN casehook_case c ON c.no = e.case_no "
                                "WHERE e.id IN (" NEWEST_OF_CASE ") ORDER BY e.id DESC",
                                "iiiiiiiiibbbii"},
    [CASEHOOK__OB_LIST_CASES] =
        {"SELECT " LISTED "CASE WHEN $5 = 1 THEN e.params END, CASE WHEN $5 = 1 THEN e.result END "
         "FROM casehook_entry e JOIN casehook_case c ON c.no = e.case_no AND c.last_entry = e.id "
         "WHERE e.state = 6 AND e.due < $1 AND ($2 IS NULL OR c.connector = $2) "
         "AND ($3 IS NULL OR c.case_id = $3) ORDER BY e.due DESC LIMIT $4",
         "ibbii"},
};

const char *casehook__ob_made(int statement)
{
    return statement == CASEHOOK__OB_CASE_NEW ? "no" : statement == CASEHOOK__OB_PUT ? "id" : NULL;
}

char *casehook__ob_in_dialect(struct casehook__ob_heap *heap, const struct casehook__ob_dialect *dialect,
                              const char *text)
{
    const struct {
        const char *word, *meant;
    } words[] = {{"%NOW", dialect->now},     {"%LOCK", dialect->lock},         {"%SKIP", dialect->skip},
                 {"%BYTES", dialect->bytes}, {"%IDENTITY", dialect->identity}, {"%NUMBER", dialect->number},
                 {"%NEXT", dialect->next},   {"%AND_ID", dialect->and_id},     {"$", dialect->value}};
    struct casehook__ob_buf buf = {.heap = heap};
    while (*text) {
        size_t plain = strcspn(text, "%$");
        casehook__ob_add(&buf, text, plain);
        text += plain;
        for (size_t i = 0; *text && i < sizeof words / sizeof *words; i++) {
            size_t length = strlen(words[i].word);
            if (strncmp(text, words[i].word, length) != 0) continue;
            casehook__ob_put(&buf, words[i].meant);
            text += length;
            break;
        }
    }
    if (!buf.broken) return buf.data;
    casehook__ob_buf_free(&buf);
    return NULL;
}

int casehook__ob_texts_make(struct casehook__ob_store *store)
{
    const struct casehook__ob_dialect *dialect = &store->driver->dialect;
    store->texts = casehook__ob_zeroed(store->heap, CASEHOOK__OB_STATEMENTS * sizeof *store->texts);
    for (int i = 0; store->texts && i < CASEHOOK__OB_STATEMENTS; i++) {
        const char *made = casehook__ob_made(i);
        struct casehook__ob_buf buf = {.heap = store->heap};
        casehook__ob_put(&buf, casehook__ob_sql[i].text);
        if (made && dialect->returning) {
            casehook__ob_put(&buf, " RETURNING ");
            casehook__ob_put(&buf, made);
        }
        if (!buf.broken) store->texts[i] = casehook__ob_in_dialect(store->heap, dialect, buf.data);
        casehook__ob_buf_free(&buf);
        if (!store->texts[i]) return CASEHOOK_E_NO_MEMORY;
    }
    return store->texts ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
}

void casehook__ob_texts_free(struct casehook__ob_store *store)
{
    for (int i = 0; store->texts && i < CASEHOOK__OB_STATEMENTS; i++)
        casehook__ob_release(store->heap, store->texts[i]);
    casehook__ob_release(store->heap, store->texts);
}
