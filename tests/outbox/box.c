/* box.c - short words for tests of the outbox. */
#include "box.h"
#include "folder.h"
#include "memory.h"
#include "process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *postgres_location;
static char place[512];
static struct casehook_outbox_list *shown;

void box_use(const char *postgres)
{
    postgres_location = postgres;
}

int box_is_postgres(void)
{
    return postgres_location != NULL;
}

void box_sql(const char *sql)
{
    char *command =
        postgres_location
            ? must_format("psql -q -v ON_ERROR_STOP=1 '%s' -c \"%s\" 2>&1", postgres_location, sql)
            : must_format("sqlite3 -cmd '.timeout 10000' '%s' \"%s\" 2>&1", place, sql);
    assert_int_equal(system(command), 0);
    free(command);
}

const char *box_place(void)
{
    static unsigned number;
    if (postgres_location) {
        box_sql("SET client_min_messages TO error; DROP TABLE IF EXISTS casehook_entry, casehook_case, "
                "casehook_tally, "
                "casehook_outbox");
        return postgres_location;
    }
    const char *folder = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    snprintf(place, sizeof place, "%s/casehook-outbox-%d-%u.db", folder, (int)getpid(), number++);
    box_remove();
    return place;
}

void box_remove(void)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    casehook_outbox_list_free(shown);
    shown = NULL;
    for (size_t i = 0; place[0] && i < 3; i++) {
        char *path = must_format("%s%s", place, endings[i]);
        unlink(path);
        free(path);
    }
}

struct casehook_outbox *box_open(const char *location, const struct casehook_outbox_options *given)
{
    struct casehook_outbox_options options = {.struct_size = sizeof options};
    struct casehook_outbox *outbox = NULL;
    struct casehook_outbox_error *error = NULL;
    if (given) options = *given;
    options.location = location;
    if (casehook_outbox_open(&options, &outbox, &error)) fail_msg("%s", casehook_outbox_error_message(error));
    assert_null(error);
    return outbox;
}

int box_refused(const char *location, const char *words)
{
    struct casehook_outbox_options options = {
        .struct_size = sizeof options, .location = location, .database_timeout_ms = 50};
    struct casehook_outbox *outbox = NULL;
    struct casehook_outbox_error *error = NULL;
    int status = casehook_outbox_open(&options, &outbox, &error);
    assert_null(outbox);
    assert_int_equal(status, casehook_outbox_error_status(error));
    if (!strstr(casehook_outbox_error_message(error), words))
        fail_msg("\"%s\" is not in: %s", words, casehook_outbox_error_message(error));
    casehook_outbox_error_free(error);
    return status;
}

static int put(struct casehook_outbox *outbox, int operation, const char *key, const char *params,
               uint64_t *id, int *stored)
{
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "tracker",
                                        .key = key,
                                        .params = params,
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = operation};
    struct casehook_outbox_error *error = NULL;
    int status = casehook_outbox_put(outbox, &item, id, stored, &error);
    assert_int_equal(status, casehook_outbox_error_status(error));
    casehook_outbox_error_free(error);
    return status;
}

uint64_t box_put(struct casehook_outbox *outbox, int operation, const char *key, const char *params)
{
    uint64_t id;
    int stored;
    assert_int_equal(put(outbox, operation, key, params, &id, &stored), CASEHOOK_OK);
    assert_int_equal(stored, CASEHOOK_OUTBOX_STORED);
    assert_int_not_equal(id, 0);
    return id;
}

int box_put_status(struct casehook_outbox *outbox, int operation, const char *key, const char *params)
{
    return put(outbox, operation, key, params, NULL, NULL);
}

const struct casehook_outbox_entry *box_entry(struct casehook_outbox *outbox, uint64_t id)
{
    static struct casehook_outbox_entry entry;
    struct casehook_outbox_query query = {.struct_size = sizeof query, .id = id, .full = 1};
    casehook_outbox_list_free(shown);
    assert_int_equal(casehook_outbox_find(outbox, &query, &shown, NULL), CASEHOOK_OK);
    entry.struct_size = sizeof entry;
    if (casehook_outbox_list_count(shown) == 0) return NULL;
    assert_int_equal(casehook_outbox_list_entry(shown, 0, &entry), CASEHOOK_OK);
    return &entry;
}

int box_state(struct casehook_outbox *outbox, uint64_t id)
{
    const struct casehook_outbox_entry *entry = box_entry(outbox, id);
    return entry ? entry->state : 0;
}

struct casehook_outbox_stats box_stats(struct casehook_outbox *outbox)
{
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(casehook_outbox_get_stats(outbox, &stats, NULL), CASEHOOK_OK);
    return stats;
}
