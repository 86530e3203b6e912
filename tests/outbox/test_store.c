/* test_store.c - putting, looking and deciding, without anything being sent.  test_outbox_store [LOCATION] */
#define _GNU_SOURCE /* unshare */
#include "box.h"
#include "memory.h"
#include "outbox/outbox_private.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE(id, more) "{\"incident\":{\"title\":\"T\",\"id\":\"" id "\"" more "}}"

static int close_all(void **state)
{
    (void)state;
    box_remove();
    return 0;
}

static void what_was_put_is_there_after_opening_again(void **state)
{
    (void)state;
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, NULL);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, "k",
                          "{\"title\":\"a \\u00e9\\n\",\"id\":\"c\\u0000d\",\"status\":\"open\"}");
    casehook_outbox_close(outbox);
    outbox = box_open(place, NULL);
    const struct casehook_outbox_entry *entry = box_entry(outbox, id);
    assert_non_null(entry);
    assert_string_equal(entry->connector, "tracker");
    assert_string_equal(entry->key, "k");
    assert_string_equal(entry->title, "a \xc3\xa9\n");
    assert_memory_equal(entry->case_id, "c\0d", 4);
    assert_string_equal(entry->params,
                        "{\"title\":\"a \\u00e9\\n\",\"id\":\"c\\u0000d\",\"status\":\"open\"}");
    assert_int_equal(entry->state, CASEHOOK_OUTBOX_WAITING);
    assert_int_equal(entry->operation, CASEHOOK_PUSH);
    assert_int_equal(entry->bytes, strlen(entry->params));
    assert_int_equal(entry->attempts, 0);
    assert_true(entry->put_ms > 1700000000000 && entry->due_ms == entry->put_ms);
    assert_null(entry->external_id);
    casehook_outbox_close(outbox);
}

static void a_key_is_one_entry(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, "same", CASE("1", "")), again = 0;
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "tracker",
                                        .key = "same",
                                        .params = CASE("2", ",\"externalId\":\"9\""),
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = CASEHOOK_UPDATE};
    int stored = 0;
    assert_int_equal(casehook_outbox_put(outbox, &item, &again, &stored, NULL), CASEHOOK_OK);
    assert_int_equal(stored, CASEHOOK_OUTBOX_KNOWN);
    assert_int_equal(again, id);
    item.connector = "other"; /* whose keys are its own */
    assert_int_equal(casehook_outbox_put(outbox, &item, &again, &stored, NULL), CASEHOOK_OK);
    assert_int_equal(stored, CASEHOOK_OUTBOX_STORED);
    /* Without a key nothing is the same. */
    assert_int_not_equal(box_put(outbox, CASEHOOK_PUSH, NULL, CASE("8", "")),
                         box_put(outbox, CASEHOOK_PUSH, NULL, CASE("8", "")));
    /* Finished, it is known still; purged it is not. */
    assert_int_equal(casehook_outbox_discard(outbox, id, NULL), CASEHOOK_OK);
    item.connector = "tracker";
    assert_int_equal(casehook_outbox_put(outbox, &item, &again, &stored, NULL), CASEHOOK_OK);
    assert_int_equal(stored, CASEHOOK_OUTBOX_KNOWN);
    uint64_t deleted = 0;
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    while (!deleted) assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_put(outbox, &item, &again, &stored, NULL), CASEHOOK_OK);
    assert_int_equal(stored, CASEHOOK_OUTBOX_STORED);
    assert_true(again > id);
    casehook_outbox_close(outbox);
}

/* Hosts ask what they have said of a case last; a repetition of it is known as long as the case is. */
static void the_last_of_a_case_stays_as_long_as_the_case(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, "first", CASE("1", "")),
             second = box_put(outbox, CASEHOOK_PUSH, "second", CASE("1", ",\"status\":\"open\"")),
             deleted = 0;
    assert_int_equal(box_state(outbox, first), CASEHOOK_OUTBOX_REPLACED);
    assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    assert_int_equal(deleted, 1);
    assert_int_equal(casehook_outbox_discard(outbox, second, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    assert_int_equal(deleted, 0);
    struct casehook_outbox_query query = {
        .struct_size = sizeof query, .connector = "tracker", .case_id = "1", .full = 1};
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    struct casehook_outbox_list *list;
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 1);
    assert_int_equal(casehook_outbox_list_entry(list, 0, &entry), CASEHOOK_OK);
    assert_string_equal(entry.key, "second");
    assert_string_equal(entry.title, "T");
    assert_string_equal(entry.params, "{}"); /* what it said is as old as that of the others */
    casehook_outbox_list_free(list);
    assert_int_equal(box_stats(outbox).discarded, 1);
    uint64_t third = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    assert_int_equal(deleted, 1);
    /* Without its case it is an entry like any other. */
    box_sql("DELETE FROM casehook_case");
    assert_int_equal(casehook_outbox_discard(outbox, third, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    assert_int_equal(deleted, 1);
    assert_int_equal(box_stats(outbox).discarded, 0);
    casehook_outbox_close(outbox);
}

#define UP_TO(count) "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " count ") "
#define FINISHED \
    "INSERT INTO casehook_entry (connector, case_no, operation, state, due, put_at, bytes, token, params) "

/* So many that were done at one moment, long ago: of 1,500 cases the last, and of none 2,500 behind them. */
static void fill_with_finished(void)
{
    box_sql("INSERT INTO casehook_case (connector, case_id, changed) " UP_TO(
        "1500") "SELECT 'tracker', CAST(CAST(i AS TEXT) AS BYTEA), 4000000000000 FROM n");
    box_sql(FINISHED "SELECT 'tracker', no, 1, 6, 1, 1, 2, 't', '{}' FROM casehook_case");
    box_sql(FINISHED UP_TO("2500") "SELECT 'tracker', 0, 1, 6, 1, 1, 2, 't', '{}' FROM n");
    box_sql("INSERT INTO casehook_tally (shard, state, entries, bytes) VALUES (77, 6, 4000, 0)");
}

static void what_is_kept_is_not_in_the_way_of_what_goes(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    uint64_t deleted = 0;
    fill_with_finished();
    assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    assert_int_equal(deleted, 2500);
    assert_int_equal(box_stats(outbox).done, 1500);
    casehook_outbox_close(outbox);
}

static struct casehook_connector *resolve_none(void *user, const char *name)
{
    (void)user;
    (void)name;
    return NULL;
}

/* Deleting keeps up with what finishes: a piece follows the other, although nothing else happens. */
static void delivering_deletes_all_that_is_old(void **state)
{
    (void)state;
    const struct casehook_outbox_options options = {.struct_size = sizeof options, .resolve = resolve_none};
    struct casehook_outbox *outbox = box_open(box_place(), &options);
    fill_with_finished();
    for (int i = 0; i < 600 && box_stats(outbox).done > 1500; i++)
        assert_int_equal(casehook_outbox_run(outbox, 0, 50), CASEHOOK_OK);
    assert_int_equal(box_stats(outbox).done, 1500);
    casehook_outbox_close(outbox);
}

static void numbers_of_what_is_gone_are_not_given_again(void **state)
{
    (void)state;
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, NULL);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"no case\"}"), deleted = 0;
    assert_int_equal(casehook_outbox_discard(outbox, id, NULL), CASEHOOK_OK);
    while (!deleted) assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    /* Another case under the same number would have the history of this one. */
    uint64_t second = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", "")),
             third = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("3", ""));
    assert_true(second > id);
    assert_true(third > second);
    casehook_outbox_close(outbox);
    outbox = box_open(place, NULL);
    assert_true(box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", "")) > third);
    casehook_outbox_close(outbox);
}

static void entries_of_a_case_wait_for_each_other(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ",\"status\":\"open\"")),
             second = box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("1", "")),
             third = box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("1", "")),
             other = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", "")),
             none = box_put(outbox, CASEHOOK_CREATE, NULL, "{\"title\":\"T\"}");
    assert_int_equal(box_state(outbox, first), CASEHOOK_OUTBOX_WAITING);
    assert_int_equal(box_state(outbox, second), CASEHOOK_OUTBOX_QUEUED);
    assert_int_equal(box_state(outbox, third), CASEHOOK_OUTBOX_QUEUED);
    assert_int_equal(box_state(outbox, other), CASEHOOK_OUTBOX_WAITING);
    assert_int_equal(box_state(outbox, none), CASEHOOK_OUTBOX_WAITING);
    assert_int_equal(casehook_outbox_discard(outbox, third, NULL), CASEHOOK_OK);
    assert_int_equal(box_state(outbox, second), CASEHOOK_OUTBOX_QUEUED);
    assert_int_equal(casehook_outbox_discard(outbox, first, NULL), CASEHOOK_OK);
    assert_int_equal(box_state(outbox, second), CASEHOOK_OUTBOX_WAITING);
    struct casehook_outbox_stats stats = box_stats(outbox);
    assert_int_equal(stats.waiting, 3);
    assert_int_equal(stats.queued, 0);
    assert_int_equal(stats.discarded, 2);
    casehook_outbox_close(outbox);
}

static void a_newer_update_replaces_one_that_waits(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    const char *open = CASE("1", ",\"status\":\"open\""), *closed = CASE("1", ",\"status\":\"closed\"");
    uint64_t opens = box_put(outbox, CASEHOOK_PUSH, NULL, open),
             update = box_put(outbox, CASEHOOK_PUSH, NULL, open);
    assert_int_equal(box_state(outbox, opens), CASEHOOK_OUTBOX_WAITING); /* it gave the status */
    uint64_t comment = box_put(outbox, CASEHOOK_PUSH, NULL,
                               "{\"incident\":{\"title\":\"T\",\"id\":\"1\"},\"comments\":[{\"commentId\":"
                               "\"1\",\"comment\":\"c\"}]}");
    assert_int_equal(box_state(outbox, update), CASEHOOK_OUTBOX_REPLACED);
    uint64_t newer = box_put(outbox, CASEHOOK_UPDATE, NULL, CASE("1", ""));
    assert_int_equal(box_state(outbox, comment), CASEHOOK_OUTBOX_QUEUED);
    uint64_t closes = box_put(outbox, CASEHOOK_UPDATE, NULL, closed);
    assert_int_equal(box_state(outbox, newer), CASEHOOK_OUTBOX_REPLACED);
    uint64_t last = box_put(outbox, CASEHOOK_UPDATE, NULL, closed);
    assert_int_equal(box_state(outbox, closes), CASEHOOK_OUTBOX_QUEUED);
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "tracker",
                                        .params = closed,
                                        .params_length = strlen(closed),
                                        .operation = CASEHOOK_UPDATE,
                                        .flags = CASEHOOK_OUTBOX_KEEP};
    uint64_t kept;
    assert_int_equal(casehook_outbox_put(outbox, &item, &kept, NULL, NULL), CASEHOOK_OK);
    assert_int_equal(box_state(outbox, last), CASEHOOK_OUTBOX_REPLACED);
    box_put(outbox, CASEHOOK_UPDATE, NULL, closed);
    assert_int_equal(box_state(outbox, kept), CASEHOOK_OUTBOX_QUEUED);
    /* The head of a case, replaced, leaves its place to the newer one. */
    uint64_t head = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", "")),
             next = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", ""));
    assert_int_equal(box_state(outbox, head), CASEHOOK_OUTBOX_REPLACED);
    assert_int_equal(box_state(outbox, next), CASEHOOK_OUTBOX_WAITING);
    /* A push makes the case; an update, which cannot, does not stand for it. */
    uint64_t update_2 = box_put(outbox, CASEHOOK_UPDATE, NULL, CASE("2", ""));
    assert_int_equal(box_state(outbox, next), CASEHOOK_OUTBOX_WAITING);
    assert_int_equal(box_state(outbox, update_2), CASEHOOK_OUTBOX_QUEUED);
    /* What knows the case is not replaced by what would make a second one. */
    uint64_t knows = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("3", ",\"externalId\":\"7\""));
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("3", ""));
    assert_int_equal(box_state(outbox, knows), CASEHOOK_OUTBOX_WAITING);
    /* What was put between them would come after it. */
    uint64_t before = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("4", ""));
    box_put(outbox, CASEHOOK_COMMENT, NULL,
            "{\"incident\":{\"id\":\"4\"},\"comments\":[{\"commentId\":\"1\",\"comment\":\"c\"}]}");
    uint64_t behind = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("4", ""));
    assert_int_equal(box_state(outbox, before), CASEHOOK_OUTBOX_WAITING);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("4", ""));
    assert_int_equal(box_state(outbox, behind), CASEHOOK_OUTBOX_REPLACED);
    casehook_outbox_close(outbox);
}

static void a_full_outbox_says_so(void **state)
{
    (void)state;
    struct casehook_outbox_options options = {.struct_size = sizeof options, .max_entries = 3};
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, &options);
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, "1", CASE("1", ""));
    box_put(outbox, CASEHOOK_PUSH, "2", CASE("2", ""));
    box_put(outbox, CASEHOOK_PUSH, "3", CASE("3", ""));
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "4", CASE("4", "")), CASEHOOK_E_LIMIT);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "3", CASE("3", "")), CASEHOOK_OK); /* known */
    assert_int_equal(box_stats(outbox).refused, 1);
    assert_int_equal(casehook_outbox_discard(outbox, first, NULL), CASEHOOK_OK);
    box_put(outbox, CASEHOOK_PUSH, "4", CASE("4", ""));
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "5", CASE("5", "")), CASEHOOK_E_LIMIT);
    casehook_outbox_close(outbox);
    options.max_entries = 0;
    options.max_bytes = strlen(CASE("4", "")) * 4;
    outbox = box_open(place, &options);
    box_put(outbox, CASEHOOK_PUSH, "5", CASE("5", ""));
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "6", CASE("6", "")), CASEHOOK_E_LIMIT);
    casehook_outbox_close(outbox);
    options.max_bytes = 0;
    options.max_age_ms = 1;
    outbox = box_open(place, &options);
    while (box_stats(outbox).oldest_age_ms <= 1) continue;
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "7", CASE("7", "")), CASEHOOK_E_LIMIT);
    casehook_outbox_close(outbox);
}

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    static const char *const wrong[] = {"",
                                        "[]",
                                        "1",
                                        "{",
                                        "{}x",
                                        "{\"title\":}",
                                        "{\"title\":\"\\x\"}",
                                        "{\"a\":01}",
                                        "{\"a\":1,}",
                                        "{\"title\":\"T\",\"resume\":{}}",
                                        "nul",
                                        "{\"a\":[1,2}",
                                        "{\"a\" 1}",
                                        "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (box_put_status(outbox, CASEHOOK_PUSH, NULL, wrong[i]) != CASEHOOK_E_PARAMS)
            fail_msg("%s", wrong[i]);
    char *deep = must_alloc(2000);
    memset(deep, '[', 1000);
    memcpy(deep, "{\"a\":", 5);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, NULL, deep), CASEHOOK_E_PARAMS);
    free(deep);
    /* As long as a call may be: what is added when it is sent would be too much. */
    enum { CALL_MAX = 8 << 20 };
    char *large = must_alloc(CALL_MAX + 1);
    memset(large, 'x', CALL_MAX);
    memcpy(large, "{\"a\":\"", 6);
    memcpy(large + CALL_MAX - 2, "\"}", 3);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, NULL, large), CASEHOOK_E_PARAMS);
    free(large);
    assert_int_equal(box_put_status(outbox, CASEHOOK_GET, NULL, CASE("1", "")), CASEHOOK_E_ARGUMENT);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "", CASE("1", "")), CASEHOOK_E_ARGUMENT);
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "",
                                        .params = "{}",
                                        .params_length = 2,
                                        .operation = CASEHOOK_PUSH};
    assert_int_equal(casehook_outbox_put(outbox, &item, NULL, NULL, NULL), CASEHOOK_E_ARGUMENT);
    item.connector = "x";
    item.struct_size--;
    assert_int_equal(casehook_outbox_put(outbox, &item, NULL, NULL, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_put(NULL, &item, NULL, NULL, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_put(outbox, NULL, NULL, NULL, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_process(outbox), CASEHOOK_E_ARGUMENT); /* nobody resolves */
    assert_int_equal(casehook_outbox_retry(outbox, 77, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "none", NULL), CASEHOOK_E_ARGUMENT);
    struct casehook_outbox_stats stats = box_stats(outbox);
    assert_int_equal(stats.waiting + stats.queued, 0);
    casehook_outbox_close(outbox);
}

static void people_decide(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", "")),
             second = box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("1", ""));
    assert_int_equal(casehook_outbox_done(outbox, first, "X-1", NULL), CASEHOOK_E_ARGUMENT); /* it waits */
    box_sql("UPDATE casehook_entry SET state = 5 WHERE state = 1; UPDATE casehook_tally SET state = 5 WHERE "
            "state = 1;");
    assert_int_equal(casehook_outbox_done(outbox, first, "X-1", NULL), CASEHOOK_OK);
    assert_int_equal(box_state(outbox, second), CASEHOOK_OUTBOX_WAITING);
    assert_string_equal(box_entry(outbox, second)->external_id, "X-1");
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "1", NULL), CASEHOOK_OK);
    assert_null(box_entry(outbox, second)->external_id);
    assert_int_equal(casehook_outbox_retry(outbox, first, NULL), CASEHOOK_E_ARGUMENT); /* it is done */
    casehook_outbox_close(outbox);
}

static void anew_forgets_once(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "tracker",
                                        .key = "k",
                                        .params = CASE("1", ""),
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = CASEHOOK_UPDATE,
                                        .flags = CASEHOOK_OUTBOX_ANEW};
    uint64_t id = 7, first = box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("1", ",\"externalId\":\"7\""));
    int stored = 0;
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, &stored, NULL), CASEHOOK_E_ARGUMENT);
    item.operation = CASEHOOK_PUSH;
    /* What waits may be sent to the old one. */
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, &stored, NULL), CASEHOOK_E_BUSY);
    assert_int_equal(box_stats(outbox).waiting + box_stats(outbox).queued, 1);
    assert_int_equal(id, 0);
    box_sql("UPDATE casehook_entry SET state = 5; UPDATE casehook_tally SET state = 5 WHERE state = 1;");
    assert_int_equal(casehook_outbox_put(outbox, &item, NULL, NULL, NULL), CASEHOOK_E_BUSY);
    assert_int_equal(casehook_outbox_done(outbox, first, "X-1", NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, &stored, NULL), CASEHOOK_OK);
    assert_int_equal(stored, CASEHOOK_OUTBOX_STORED);
    assert_null(box_entry(outbox, id)->external_id);
    /* The other one, which comes while it waits, and after that: nothing is forgotten again. */
    uint64_t second = id;
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, &stored, NULL), CASEHOOK_OK);
    assert_true(stored == CASEHOOK_OUTBOX_KNOWN && id == second);
    box_sql(
        "UPDATE casehook_entry SET state = 5 WHERE state = 1; DELETE FROM casehook_tally WHERE state = 5; "
        "UPDATE casehook_tally SET state = 5 WHERE state = 1;");
    assert_int_equal(casehook_outbox_done(outbox, second, "X-2", NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, &stored, NULL), CASEHOOK_OK);
    assert_true(stored == CASEHOOK_OUTBOX_KNOWN && id == second);
    uint64_t third = box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("1", ""));
    assert_string_equal(box_entry(outbox, third)->external_id, "X-2");
    /* A case that nobody knows. */
    item.key = NULL;
    item.params = CASE("2", "");
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, &stored, NULL), CASEHOOK_OK);
    assert_int_equal(box_state(outbox, id), CASEHOOK_OUTBOX_WAITING);
    casehook_outbox_close(outbox);
}

/* A push that must not make its case. */
static void existing_makes_no_case(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "tracker",
                                        .params = CASE("1", ""),
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = CASEHOOK_CREATE,
                                        .flags = CASEHOOK_OUTBOX_EXISTING};
    uint64_t id = 7;
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, NULL, NULL), CASEHOOK_E_ARGUMENT);
    item.operation = CASEHOOK_PUSH;
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, NULL, NULL), CASEHOOK_E_PARAMS);
    assert_int_equal(id, 0);
    item.params = "{\"title\":\"of no case\"}";
    assert_int_equal(casehook_outbox_put(outbox, &item, NULL, NULL, NULL), CASEHOOK_E_PARAMS);
    item.params = CASE("2", ",\"externalId\":\"X-2\"");
    assert_int_equal(casehook_outbox_put(outbox, &item, NULL, NULL, NULL), CASEHOOK_OK);
    item.params = CASE("1", "");
    /* What waits will make it, unless somebody says that it shall not. */
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ",\"comments\":[]"));
    assert_int_equal(casehook_outbox_discard(outbox, first, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_put(outbox, &item, NULL, NULL, NULL), CASEHOOK_E_PARAMS);
    uint64_t second = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    item.flags |= CASEHOOK_OUTBOX_KEEP;
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, NULL, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_discard(outbox, second, NULL), CASEHOOK_OK); /* it is not replaced */
    assert_int_equal(casehook_outbox_discard(outbox, id, NULL), CASEHOOK_OK);
    /* What is in the tracker is there until it is forgotten. */
    uint64_t third = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    box_sql(
        "UPDATE casehook_entry SET state = 5 WHERE state = 1; DELETE FROM casehook_tally WHERE state = 5; "
        "UPDATE casehook_tally SET state = 5 WHERE state = 1;");
    assert_int_equal(casehook_outbox_done(outbox, third, "X-1", NULL), CASEHOOK_OK);
    item.key = "k";
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, NULL, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_discard(outbox, id, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "1", NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_put(outbox, &item, NULL, NULL, NULL), CASEHOOK_OK); /* it is known */
    item.key = NULL;
    assert_int_equal(casehook_outbox_put(outbox, &item, NULL, NULL, NULL), CASEHOOK_E_PARAMS);
    casehook_outbox_close(outbox);
}

/* A parked entry that is tried again does not overtake, and is not overtaken twice. */
static void a_parked_entry_comes_back_in_turn(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", "")),
             second = box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("1", ""));
    box_sql("UPDATE casehook_entry SET state = CASE state WHEN 1 THEN 4 ELSE 1 END; "
            "UPDATE casehook_tally SET state = CASE state WHEN 1 THEN 4 ELSE 1 END;");
    assert_int_equal(box_state(outbox, second), CASEHOOK_OUTBOX_WAITING);
    assert_int_equal(casehook_outbox_retry(outbox, first, NULL), CASEHOOK_OK);
    assert_int_equal(box_state(outbox, first), CASEHOOK_OUTBOX_QUEUED);
    assert_int_equal(casehook_outbox_discard(outbox, second, NULL), CASEHOOK_OK);
    assert_int_equal(box_state(outbox, first), CASEHOOK_OUTBOX_WAITING);
    casehook_outbox_close(outbox);
}

/* However long ago it was overtaken. */
static void a_parked_entry_stays_overtaken(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    uint64_t deleted = 0, ids[7];
    for (size_t i = 0; i < 6; i++)
        ids[i] = box_put(outbox, i == 4 || i == 5 ? CASEHOOK_COMMENT : CASEHOOK_PUSH, NULL,
                         CASE("1", ",\"comments\":[]"));
    box_sql(
        "UPDATE casehook_entry SET state = CASE WHEN id = (SELECT MIN(id) FROM casehook_entry) THEN 4 ELSE "
        "6 END; DELETE FROM casehook_tally; INSERT INTO casehook_tally (shard, state, entries, bytes) VALUES "
        "(77, 4, 1, 0), (77, 6, 5, 0)");
    /* What is on its way may come to nothing. */
    ids[6] = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    assert_int_equal(deleted, 4); /* but the newest update that was done */
    assert_int_equal(box_state(outbox, ids[3]), CASEHOOK_OUTBOX_DONE);
    assert_int_equal(casehook_outbox_discard(outbox, ids[6], NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_retry(outbox, ids[0], NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_discard(outbox, ids[0], NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_purge(outbox, 0, &deleted, NULL), CASEHOOK_OK);
    assert_int_equal(deleted, 2); /* but the newest, which was discarded now */
    casehook_outbox_close(outbox);
}

static void lists_show_what_is_asked_for(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    struct casehook_outbox_list *list;
    for (int i = 0; i < 12; i++) {
        char params[80], key[8];
        snprintf(params, sizeof params, "{\"title\":\"T%d\",\"id\":\"%d\"}", i, i / 2);
        snprintf(key, sizeof key, "k%d", i);
        box_put(outbox, CASEHOOK_CREATE, key, params);
    }
    struct casehook_outbox_query query = {
        .struct_size = sizeof query, .states = CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_QUEUED), .limit = 4};
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 4);
    assert_int_equal(casehook_outbox_list_entry(list, 3, &entry), CASEHOOK_OK);
    assert_string_equal(entry.title, "T5");
    assert_null(entry.params);
    assert_int_equal(casehook_outbox_list_entry(list, 4, &entry), CASEHOOK_E_ARGUMENT);
    casehook_outbox_list_free(list);
    query.before = entry.id ? entry.id : 6;
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 2);
    casehook_outbox_list_free(list);
    query = (struct casehook_outbox_query){.struct_size = sizeof query, .connector = "tracker", .key = "k7"};
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 1);
    assert_non_null(strstr(casehook_outbox_list_json(list, NULL), "\"title\":\"T7\""));
    casehook_outbox_list_free(list);
    query = (struct casehook_outbox_query){.struct_size = sizeof query, .case_id = "3"};
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 2);
    casehook_outbox_list_free(list);
    query.connector = "tracker"; /* then the case is looked up, and what is its own alone */
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 2);
    assert_int_equal(casehook_outbox_list_entry(list, 0, &entry), CASEHOOK_OK);
    assert_string_equal(entry.title, "T7");
    casehook_outbox_list_free(list);
    query.limit = 1; /* the newest first, whatever their states are */
    for (int i = 7; i >= 6; i--) {
        assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
        assert_int_equal(casehook_outbox_list_count(list), 1);
        assert_int_equal(casehook_outbox_list_entry(list, 0, &entry), CASEHOOK_OK);
        assert_int_equal(entry.title[1] - '0', i);
        query.before = entry.id;
        casehook_outbox_list_free(list);
    }
    query.states = CASEHOOK_OUTBOX_IN(CASEHOOK_OUTBOX_QUEUED);
    query.before = entry.id;
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 0);
    casehook_outbox_list_free(list);
    query = (struct casehook_outbox_query){.struct_size = sizeof query, .id = 999};
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 0);
    assert_string_equal(casehook_outbox_list_json(list, NULL), "[]");
    casehook_outbox_list_free(list);
    query.limit = 1001;
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_E_ARGUMENT);
    casehook_outbox_close(outbox);
}

static void a_child_may_only_release(void **state)
{
    (void)state;
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, NULL);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    pid_t child = fork();
    if (child == 0) {
        struct casehook_outbox_item item = {.struct_size = sizeof item,
                                            .connector = "x",
                                            .params = "{}",
                                            .params_length = 2,
                                            .operation = CASEHOOK_PUSH};
        int status = casehook_outbox_put(outbox, &item, NULL, NULL, NULL);
        casehook_outbox_close(outbox);
        /* SQLite would not see there that the parent closes the file, and what it takes away then. */
        const struct casehook_outbox_options options = {.struct_size = sizeof options, .location = place};
        int opened = casehook_outbox_open(&options, &outbox, NULL);
        _exit(status == CASEHOOK_E_FORKED && opened == (box_is_postgres() ? CASEHOOK_OK : CASEHOOK_E_FORKED)
                  ? 0
                  : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", "")); /* nothing was taken away from the parent */
    assert_int_equal(box_stats(outbox).waiting, 2);
    casehook_outbox_close(outbox);
}

/* What was closed before is no reason: the child has a list of locks of its own. */
static void a_child_opens_what_the_parent_has_closed(void **state)
{
    (void)state;
    const char *place = box_place();
    casehook_outbox_close(box_open(place, NULL));
    pid_t child = fork();
    if (child == 0) {
        const struct casehook_outbox_options options = {.struct_size = sizeof options, .location = place};
        struct casehook_outbox *outbox;
        _exit(casehook_outbox_open(&options, &outbox, NULL) ? 1 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Whoever decides in another process tells nobody. */
static void the_oldest_is_another_one_again(void **state)
{
    (void)state;
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, NULL), *other = box_open(place, NULL);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", ""));
    box_sql(
        "UPDATE casehook_entry SET state = 4, put_at = put_at - 3600000 WHERE put_at = (SELECT MIN(put_at) "
        "FROM casehook_entry) AND id = (SELECT MIN(id) FROM casehook_entry);");
    assert_true(box_stats(outbox).oldest_age_ms < 3600000);
    assert_int_equal(casehook_outbox_retry(other, id, NULL), CASEHOOK_OK);
    assert_true(box_stats(outbox).oldest_age_ms >= 3600000);
    casehook_outbox_close(outbox);
    casehook_outbox_close(other);
}

/* As for a connector. */
static void an_empty_id_is_none(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"A\",\"id\":\"\"}"),
             second = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"B\",\"id\":\"\"}");
    assert_int_equal(box_state(outbox, first), CASEHOOK_OUTBOX_WAITING);
    assert_int_equal(box_state(outbox, second), CASEHOOK_OUTBOX_WAITING);
    casehook_outbox_close(outbox);
}

/* The file is its owner's alone, where a link leads to it as well. */
static void a_new_file_is_private(void **state)
{
    (void)state;
    ONLY_OF_A_FILE();
    const char *place = box_place();
    char *link = must_format("%s.link", place);
    struct stat about;
    mode_t before = umask(0);
    assert_int_equal(symlink(place, link), 0);
    struct casehook_outbox *outbox = box_open(link, NULL);
    umask(before);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    casehook_outbox_close(outbox);
    assert_int_equal(stat(place, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    unlink(link);
    free(link);
}

/* What is put into a file without a name is lost. */
static void a_file_that_is_gone(void **state)
{
    (void)state;
    ONLY_OF_A_FILE();
    const char *place = box_place();
    char *away = must_format("%s.away", place);
    struct casehook_outbox *outbox = box_open(place, NULL);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    assert_int_equal(rename(place, away), 0);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, NULL, CASE("2", "")), CASEHOOK_E_SYSTEM);
    assert_int_equal(rename(away, place), 0);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", ""));
    assert_int_equal(unlink(place), 0);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, NULL, CASE("3", "")), CASEHOOK_E_SYSTEM);
    casehook_outbox_close(outbox);
    free(away);
}

/* In a child the threads that waited in the parent are not there: they must not be waited for. */
static struct casehook_outbox *crowded;
static atomic_bool crowd_goes;

static void *put_again_and_again(void *user)
{
    (void)user;
    while (!crowd_goes) box_put_status(crowded, CASEHOOK_PUSH, NULL, CASE("1", ""));
    return NULL;
}

static void a_child_of_a_busy_parent_may_release(void **state)
{
    (void)state;
    enum { CROWD = 6, CHILDREN = 10 };
    pthread_t threads[CROWD];
    int hung = 0, status;
    crowded = box_open(box_place(), NULL);
    crowd_goes = false;
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_again_and_again, NULL), 0);
    for (int i = 0; i < CHILDREN; i++) {
        uint64_t put = box_stats(crowded).put;
        while (box_stats(crowded).put < put + CROWD) continue;
        pid_t child = fork();
        if (child == 0) {
            alarm(5);
            casehook_outbox_close(crowded);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        hung += status != 0;
    }
    crowd_goes = true;
    for (int i = 0; i < CROWD; i++) pthread_join(threads[i], NULL);
    casehook_outbox_close(crowded);
    assert_int_equal(hung, 0);
}

static void count_call(void *user)
{
    ++*(int *)user;
}

/* A destroy function is called once, whatever was wrong. */
static void what_cannot_be_opened_is_destroyed(void **state)
{
    (void)state;
    int destroyed = 0;
    struct casehook_allocator allocator = {.struct_size = sizeof allocator - 1};
    struct casehook_outbox_options options = {
        .struct_size = sizeof options, .location = box_place(), .user = &destroyed, .destroy = count_call};
    struct casehook_outbox *outbox = NULL;
    struct casehook_outbox_error *error = NULL;
    assert_int_equal(casehook_outbox_open(&options, NULL, &error), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_error_status(error), CASEHOOK_E_ARGUMENT);
    assert_int_equal(destroyed, 1);
    casehook_outbox_error_free(error);
    options.allocator = &allocator;
    assert_int_equal(casehook_outbox_open(&options, &outbox, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(destroyed, 2);
    allocator.struct_size = sizeof allocator;
    assert_int_equal(casehook_outbox_open(&options, &outbox, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(destroyed, 3);
    /* The longest times that there are. */
    options.allocator = NULL;
    options.database_timeout_ms = UINT32_MAX;
    options.lease_ms = UINT32_MAX;
    options.give_up_after_ms = options.retry_base_ms = options.retry_max_ms = INT64_MAX;
    options.keep_finished_ms = options.keep_cases_ms = options.max_age_ms = INT64_MAX;
    assert_int_equal(casehook_outbox_open(&options, &outbox, NULL), CASEHOOK_OK);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    casehook_outbox_close(outbox);
    assert_int_equal(destroyed, 4);
}

static void an_update_needs_a_case(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    assert_int_equal(box_put_status(outbox, CASEHOOK_UPDATE, "u", CASE("1", "")), CASEHOOK_E_PARAMS);
    assert_int_equal(box_put_status(outbox, CASEHOOK_COMMENT, NULL, CASE("1", "")), CASEHOOK_E_PARAMS);
    assert_int_equal(box_put_status(outbox, CASEHOOK_UPDATE, NULL, "{\"title\":\"T\"}"), CASEHOOK_E_PARAMS);
    box_put(outbox, CASEHOOK_UPDATE, NULL, CASE("1", ",\"externalId\":\"7\""));
    box_put(outbox, CASEHOOK_UPDATE, NULL, "{\"title\":\"T\",\"externalId\":\"7\"}");
    assert_int_equal(box_put_status(outbox, CASEHOOK_UPDATE, NULL, CASE("1", "")), CASEHOOK_E_PARAMS);
    uint64_t push = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", ""));
    box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("2", ""));
    /* It will not be made any more. */
    assert_int_equal(casehook_outbox_discard(outbox, push, NULL), CASEHOOK_OK);
    assert_int_equal(box_put_status(outbox, CASEHOOK_COMMENT, NULL, CASE("2", "")), CASEHOOK_E_PARAMS);
    box_sql(box_is_postgres() ? "UPDATE casehook_case SET external_id = 'X'::bytea;"
                              : "UPDATE casehook_case SET external_id = CAST('X' AS BLOB);");
    box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("2", ""));
    casehook_outbox_close(outbox);
}

/* Names of members are what they stand for, however they are written. */
static void names_with_escapes(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\",\"\\u0072esume\":{}}"),
                     CASEHOOK_E_PARAMS);
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", "")),
             second = box_put(outbox, CASEHOOK_PUSH, NULL,
                              "{\"incident\":{\"title\":\"T\",\"i\\u0064\":\"1\"},\"\\u0063omments\":[{}]}");
    assert_string_equal(box_entry(outbox, second)->case_id, "1");
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    assert_int_equal(box_state(outbox, first), CASEHOOK_OUTBOX_REPLACED);
    assert_int_not_equal(box_state(outbox, second), CASEHOOK_OUTBOX_REPLACED);
    casehook_outbox_close(outbox);
}

static void long_texts(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    char *text = must_alloc(SIZE + 1), *params;
    for (size_t i = 0; i < SIZE; i++) text[i] = i % 2 ? '\xa9' : '\xc3';
    text[0] = 'x', text[SIZE - 1] = text[SIZE] = '\0';
    params = must_format("{\"title\":\"%s\"}", text);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, params);
    const struct casehook_outbox_entry *entry = box_entry(outbox, id);
    size_t length = strlen(entry->title);
    assert_true(length > 1000 && length <= 1024);
    assert_int_equal((unsigned char)entry->title[length - 1], 0xa9);
    assert_int_equal(entry->bytes, strlen(params));
    free(params);
    /* What the index of a database cannot hold fails nobody else. */
    memset(text, 'i', SIZE);
    text[1025] = '\0';
    params = must_format(CASE("%s", ""), text);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, NULL, params), CASEHOOK_E_PARAMS);
    free(params);
    text[1024] = '\0';
    params = must_format(CASE("%s", ""), text);
    id = box_put(outbox, CASEHOOK_PUSH, NULL, params);
    assert_int_equal(casehook_outbox_done(outbox, id, "", NULL), CASEHOOK_E_ARGUMENT);
    box_sql("UPDATE casehook_entry SET state = 4; UPDATE casehook_tally SET state = 4;");
    static const char *const wrong[] = {"", ".", ".."};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(casehook_outbox_done(outbox, id, wrong[i], NULL), CASEHOOK_E_ARGUMENT);
    text[1024] = 'i';
    assert_int_equal(casehook_outbox_done(outbox, id, text, NULL), CASEHOOK_E_ARGUMENT);
    text[1024] = '\0';
    assert_int_equal(casehook_outbox_done(outbox, id, text, NULL), CASEHOOK_OK);
    free(params);
    free(text);
    casehook_outbox_close(outbox);
}

/* A log that is written in pieces: others see all of a transaction, and those of several pieces too. */
static void what_one_has_put_another_one_sees(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100 << 10, 130 << 10, 1 << 20, 3 << 20, 10};
    const char *place = box_place();
    struct casehook_outbox *one = box_open(place, NULL), *other = box_open(place, NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct casehook_outbox *putter = i % 2 ? other : one, *looker = i % 2 ? one : other;
        char *text = must_alloc(sizes[i] + 1);
        memset(text, 'a' + (int)i, sizes[i]);
        text[sizes[i]] = '\0';
        char *params = must_format("{\"id\":\"%zu\",\"description\":\"%s\"}", i, text);
        uint64_t id = box_put(putter, CASEHOOK_PUSH, NULL, params);
        const struct casehook_outbox_entry *entry = box_entry(looker, id);
        assert_non_null(entry);
        assert_string_equal(entry->params, params);
        assert_int_equal(box_stats(looker).waiting, i + 1);
        free(params);
        free(text);
    }
    casehook_outbox_close(one);
    casehook_outbox_close(other);
}

static void *list_as_json(void *list)
{
    const char *json = casehook_outbox_list_json(list, NULL);
    return (void *)(uintptr_t)json;
}

static void a_list_is_for_many_threads(void **state)
{
    (void)state;
    enum { READERS = 4 };
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    for (int i = 0; i < 50; i++) box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\"}");
    struct casehook_outbox_query query = {.struct_size = sizeof query, .before = UINT64_MAX};
    for (int round = 0; round < 20; round++) {
        struct casehook_outbox_list *list;
        pthread_t threads[READERS];
        void *first = NULL, *json;
        assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
        assert_int_equal(casehook_outbox_list_count(list), 50);
        for (int i = 0; i < READERS; i++) pthread_create(&threads[i], NULL, list_as_json, list);
        for (int i = 0; i < READERS; i++) {
            pthread_join(threads[i], &json);
            assert_non_null(json);
            if (i) assert_ptr_equal(json, first);
            first = json;
        }
        casehook_outbox_list_free(list);
    }
    casehook_outbox_close(outbox);
}

/* The clock was set back by an hour. */
static void nothing_is_younger_than_now(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    box_sql("UPDATE casehook_entry SET put_at = put_at + 3600000;");
    char text[2000];
    assert_true(casehook_outbox_stats_json(outbox, text, sizeof text) > 0);
    assert_non_null(strstr(text, "\"oldestAgeMs\":0,"));
    casehook_outbox_close(outbox);
}

static void numbers_that_cannot_be(void **state)
{
    (void)state;
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, NULL);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    box_sql("UPDATE casehook_entry SET state = -70000;");
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    casehook_outbox_close(outbox);
    box_sql("UPDATE casehook_outbox SET version = -70000;");
    assert_int_equal(box_refused(place, "damaged"), CASEHOOK_E_SYSTEM);
}

static void tables_of_a_newer_version_are_left_alone(void **state)
{
    (void)state;
    const char *place = box_place();
    casehook_outbox_close(box_open(place, NULL));
    box_sql("UPDATE casehook_outbox SET version = 99;");
    assert_int_equal(box_refused(place, "newer version"), CASEHOOK_E_UNSUPPORTED);
}

static void tables_of_an_older_version_are_brought_up(void **state)
{
    (void)state;
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, NULL);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    casehook_outbox_close(outbox);
    box_sql(
        "DROP INDEX casehook_entry_case; ALTER TABLE casehook_case DROP COLUMN fields; "
        "ALTER TABLE casehook_outbox DROP COLUMN last_id; ALTER TABLE casehook_entry DROP COLUMN existing; "
        "UPDATE casehook_outbox SET version = 1;");
    if (!box_is_postgres())
        box_sql(
            "UPDATE casehook_case SET no = 70, replaceable = 90; UPDATE casehook_entry SET case_no = 70;");
    outbox = box_open(place, NULL);
    assert_int_equal(box_state(outbox, id), CASEHOOK_OUTBOX_WAITING);
    /* Numbers of cases, and of entries that cases know of, are not given again. */
    id = box_put(outbox, CASEHOOK_PUSH, NULL, CASE("2", ""));
    if (!box_is_postgres()) assert_int_equal(id, 91);
    casehook_outbox_close(outbox);
    box_sql("DROP INDEX casehook_entry_case; SELECT fields FROM casehook_case;"); /* they are there again */
}

/* ---- files ------------------------------------------------------------------------------------------ */

/* The database says COMMIT to nobody whose transaction has failed, but that is no error to it. */
static int fail_unseen(struct casehook_outbox *outbox, struct casehook__ob_job *job,
                       struct casehook__ob_fault *fault)
{
    (void)job;
    (void)fault;
    assert_int_not_equal(outbox->store->driver->script(outbox->store, "SELECT 1 / 0", NULL), CASEHOOK_OK);
    return CASEHOOK_OK;
}

static void a_commit_that_was_none(void **state)
{
    (void)state;
    SKIP_UNLESS(box_is_postgres(), "it is about PostgreSQL");
    struct casehook_outbox *outbox = box_open(box_place(), NULL);
    struct casehook__ob_job job = {.do_it = fail_unseen};
    assert_int_equal(casehook__ob_group(outbox, &job), CASEHOOK_E_SYSTEM);
    box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ""));
    casehook_outbox_close(outbox);
}

static void locations_that_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(box_refused("", "location"), CASEHOOK_E_CONFIG);
    assert_int_equal(box_refused(":memory:", "must last"), CASEHOOK_E_CONFIG);
    assert_int_equal(box_refused("mysql://x/y", "location"), CASEHOOK_E_CONFIG);
    assert_int_equal(box_refused("/nowhere/at/all.db", "cannot be opened"), CASEHOOK_E_SYSTEM);
    assert_int_equal(box_refused("/tmp", "cannot be opened"), CASEHOOK_E_SYSTEM);
    if (casehook_outbox_feature("postgresql"))
        assert_int_equal(box_refused("postgresql://x@/y?host=/nowhere", "cannot be reached"),
                         CASEHOOK_E_UNAVAILABLE);
    assert_int_equal(casehook_outbox_feature("sqlite"), 1);
    assert_int_equal(casehook_outbox_feature("oracle"), 0);
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void files_that_are_no_outbox(void **state)
{
    (void)state;
    ONLY_OF_A_FILE();
    const char *place = box_place();
    char noise[8192];
    memset(noise, 'x', sizeof noise);
    write_file(place, noise, sizeof noise);
    assert_int_equal(box_refused(place, "no outbox"), CASEHOOK_E_SYSTEM);
    box_remove();
    box_sql("CREATE TABLE theirs (a)");
    assert_int_equal(box_refused(place, "another program"), CASEHOOK_E_SYSTEM);
}

static void a_damaged_file_is_told(void **state)
{
    (void)state;
    ONLY_OF_A_FILE();
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, NULL);
    for (int i = 0; i < 200; i++) box_put(outbox, CASEHOOK_PUSH, NULL, CASE("1", ",\"status\":\"open\""));
    casehook_outbox_close(outbox);
    struct stat about;
    assert_int_equal(stat(place, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    FILE *file = fopen(place, "r+b");
    assert_non_null(file);
    for (long at = 4096; at < about.st_size; at += 4096) {
        fseek(file, at, SEEK_SET);
        fwrite("damaged!damaged!damaged!", 1, 24, file);
    }
    fclose(file);
    struct casehook_outbox_options options = {.struct_size = sizeof options, .location = place};
    struct casehook_outbox_error *error = NULL;
    int status = casehook_outbox_open(&options, &outbox, &error);
    if (!status) {
        struct casehook_outbox_item item = {.struct_size = sizeof item,
                                            .connector = "x",
                                            .params = CASE("9", ""),
                                            .params_length = CASEHOOK_TERMINATED,
                                            .operation = CASEHOOK_PUSH};
        status = casehook_outbox_put(outbox, &item, NULL, NULL, &error);
        casehook_outbox_close(outbox);
    }
    assert_int_equal(status, CASEHOOK_E_SYSTEM);
    assert_non_null(strstr(casehook_outbox_error_message(error), "damaged"));
    casehook_outbox_error_free(error);
}

static void a_locked_file_is_told(void **state)
{
    (void)state;
    ONLY_OF_A_FILE();
    const char *place = box_place();
    struct casehook_outbox_options options = {.struct_size = sizeof options, .database_timeout_ms = 20};
    struct casehook_outbox *outbox = box_open(place, &options);
    char *command =
        must_format("sqlite3 '%s' 'BEGIN IMMEDIATE; SELECT 1;' '.shell echo locked; read line' 2>&1", place);
    int to[2], from[2];
    assert_int_equal(pipe(to) | pipe(from), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    char word[64];
    assert_true(read(from[0], word, sizeof word) > 0);
    while (box_put_status(outbox, CASEHOOK_PUSH, NULL, CASE("1", "")) == CASEHOOK_OK)
        continue; /* until it has it */
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "k", CASE("2", "")), CASEHOOK_E_BUSY);
    close(to[1]);
    close(to[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    box_put(outbox, CASEHOOK_PUSH, "k", CASE("2", ""));
    casehook_outbox_close(outbox);
    close(from[0]);
    close(from[1]);
    free(command);
}

static void a_file_that_cannot_be_written(void **state)
{
    (void)state;
    ONLY_OF_A_FILE();
    const char *place = box_place();
    casehook_outbox_close(box_open(place, NULL));
    chmod(place, 0444);
    pid_t child = fork();
    if (child == 0) { /* for root nothing is read-only */
        if (getuid() == 0 && (setgid(65534) || setuid(65534))) _exit(77);
        _exit(box_refused(place, "cannot be") == CASEHOOK_E_SYSTEM ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* In a mount namespace of its own: 0, or 77 where that may not be. */
static int fill_a_disk(const char *folder)
{
    char place[256];
    unsigned stored = 0;
    int status;
    if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) ||
        mount("none", folder, "tmpfs", 0, "size=400k"))
        return 77;
    snprintf(place, sizeof place, "%s/outbox.db", folder);
    struct casehook_outbox *outbox = box_open(place, NULL);
    struct casehook_outbox_error *error = NULL;
    do {
        struct casehook_outbox_item item = {.struct_size = sizeof item,
                                            .connector = "x",
                                            .params = CASE("1", ",\"status\":\"a\",\"externalId\":\"7\""),
                                            .params_length = CASEHOOK_TERMINATED,
                                            .operation = CASEHOOK_COMMENT};
        status = casehook_outbox_put(outbox, &item, NULL, NULL, &error);
        stored += !status;
    } while (!status && stored < 100000);
    if (status != CASEHOOK_E_SYSTEM || !strstr(casehook_outbox_error_message(error), "disk is full"))
        return 1;
    casehook_outbox_error_free(error);
    casehook_outbox_close(outbox);
    if (mount("none", folder, "tmpfs", MS_REMOUNT, "size=8m")) return 2;
    outbox = box_open(place, NULL);
    struct casehook_outbox_stats stats = box_stats(outbox);
    if (stored == 0 || stats.waiting + stats.queued != stored) return 3;
    box_put(outbox, CASEHOOK_COMMENT, NULL, CASE("1", ",\"externalId\":\"7\""));
    casehook_outbox_close(outbox);
    return 0;
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    char folder[] = "/tmp/casehook-full-XXXXXX";
    ONLY_OF_A_FILE();
    assert_non_null(mkdtemp(folder));
    pid_t child = fork();
    if (child == 0) _exit(fill_a_disk(folder));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    rmdir(folder);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("SKIP a full disk: no tmpfs can be mounted here\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void serve(const char *word)
{
    char *command = must_format("%s/pg.sh %s >/dev/null 2>&1", getenv("CASEHOOK_PG_DATA"), word);
    assert_int_equal(system(command), 0);
    free(command);
}

static void a_database_that_goes_away_comes_back(void **state)
{
    (void)state;
    ONLY_OF_A_SERVER();
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, NULL);
    box_put(outbox, CASEHOOK_PUSH, "1", CASE("1", ""));
    serve("stop");
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "2", CASE("2", "")), CASEHOOK_E_UNAVAILABLE);
    assert_int_equal(box_put_status(outbox, CASEHOOK_PUSH, "2", CASE("2", "")), CASEHOOK_E_UNAVAILABLE);
    assert_int_equal(box_refused(place, "cannot be reached"), CASEHOOK_E_UNAVAILABLE);
    serve("start");
    int status;
    while ((status = box_put_status(outbox, CASEHOOK_PUSH, "2", CASE("2", ""))))
        assert_int_equal(status, CASEHOOK_E_UNAVAILABLE);
    serve("kill"); /* the connection is dead, and nobody has seen it */
    serve("start");
    while ((status = box_put_status(outbox, CASEHOOK_PUSH, "3", CASE("3", ""))))
        assert_int_equal(status, CASEHOOK_E_UNAVAILABLE);
    assert_int_equal(box_stats(outbox).waiting, 3);
    assert_int_equal(box_stats(outbox).reconnects, 2);
    casehook_outbox_close(outbox);
}

int main(int argc, char **argv)
{
    if (argc > 1) box_use(argv[1]);
#define TEST(name) cmocka_unit_test_teardown(name, close_all)
    const struct CMUnitTest tests[] = {TEST(what_was_put_is_there_after_opening_again),
                                       TEST(a_key_is_one_entry),
                                       TEST(the_last_of_a_case_stays_as_long_as_the_case),
                                       TEST(what_is_kept_is_not_in_the_way_of_what_goes),
                                       TEST(delivering_deletes_all_that_is_old),
                                       TEST(numbers_of_what_is_gone_are_not_given_again),
                                       TEST(what_one_has_put_another_one_sees),
                                       TEST(entries_of_a_case_wait_for_each_other),
                                       TEST(a_newer_update_replaces_one_that_waits),
                                       TEST(a_full_outbox_says_so),
                                       TEST(what_is_wrong_is_refused),
                                       TEST(people_decide),
                                       TEST(anew_forgets_once),
                                       TEST(existing_makes_no_case),
                                       TEST(a_parked_entry_comes_back_in_turn),
                                       TEST(a_parked_entry_stays_overtaken),
                                       TEST(lists_show_what_is_asked_for),
                                       TEST(a_new_file_is_private),
                                       TEST(a_file_that_is_gone),
                                       TEST(a_child_of_a_busy_parent_may_release),
                                       TEST(what_cannot_be_opened_is_destroyed),
                                       TEST(an_update_needs_a_case),
                                       TEST(names_with_escapes),
                                       TEST(long_texts),
                                       TEST(a_list_is_for_many_threads),
                                       TEST(nothing_is_younger_than_now),
                                       TEST(numbers_that_cannot_be),
                                       TEST(a_child_may_only_release),
                                       TEST(a_child_opens_what_the_parent_has_closed),
                                       TEST(the_oldest_is_another_one_again),
                                       TEST(an_empty_id_is_none),
                                       TEST(tables_of_a_newer_version_are_left_alone),
                                       TEST(tables_of_an_older_version_are_brought_up),
                                       TEST(a_commit_that_was_none),
                                       TEST(locations_that_cannot_be),
                                       TEST(files_that_are_no_outbox),
                                       TEST(a_damaged_file_is_told),
                                       TEST(a_locked_file_is_told),
                                       TEST(a_file_that_cannot_be_written),
                                       TEST(a_full_disk_is_told),
                                       TEST(a_database_that_goes_away_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
