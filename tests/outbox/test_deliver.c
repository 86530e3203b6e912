/* test_deliver.c - what follows from answers.  test_outbox_deliver [postgresql://...] */
#define _GNU_SOURCE /* syscall */
#include "box.h"
#include "documents.h"
#include "http_server.h"
#include "memory.h"
#include "outbox/outbox_private.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    DONE = CASEHOOK_OUTBOX_DONE,
    WAITING = CASEHOOK_OUTBOX_WAITING,
    PARKED = CASEHOOK_OUTBOX_PARKED,
    UNKNOWN = CASEHOOK_OUTBOX_UNKNOWN
};

/* A tracker, whose answers to POST and PUT are set; a GET is always answered. */
static struct {
    struct http_log *log;
    struct http_server *server;
    struct casehook_connector *connector;
    struct casehook_connector *other; /* "other": the same tracker, with settings of its own */
    _Atomic int status, fault, years;
    const char *_Atomic fault_at; /* writes to such targets alone; NULL: all */
    _Atomic unsigned faults;
    void (*_Atomic also)(const struct http_request *, struct http_response *); /* changes answers */
    _Atomic unsigned tokens, issues;
    _Atomic unsigned writes, delay_ms, failures; /* failures: so many writes are answered with 500 */
    const char *_Atomic body;                    /* of answers; NULL: the usual one */
    char last[512];                              /* "METHOD TARGET BODY" of the last write */
    char keys[8][64];
} site;

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header headers[] = {{"Content-Type", "application/json"},
                                                 {"Retry-After", "99999999"}};
    (void)user;
    response->headers = headers;
    response->header_count = site.years ? 2 : 1;
    response->status = 200;
    if (strncmp(request->line, "GET", 3) == 0) {
        response->body = "{\"id\":\"7\",\"key\":\"K-7\"}";
    } else {
        const char *key = http_request_header(request, "Idempotency-Key", 0);
        snprintf(site.keys[site.writes % 8], sizeof site.keys[0], "%s", key ? key : "");
        response->delay_ms = site.delay_ms;
        site.writes++;
        snprintf(site.last, sizeof site.last, "%s %s", request->line, request->body);
        response->status = site.failures ? 500 : site.status ? site.status : 200;
        if (site.failures) site.failures--;
        if (site.fault && (!site.fault_at || strstr(request->line, site.fault_at))) {
            response->fault = HTTP_RESET_BEFORE_RESPONSE;
            site.faults++;
        }
        response->body = "{\"id\":\"7\",\"key\":\"K-7\"}";
    }
    if (site.body) response->body = site.body;
    void (*also)(const struct http_request *, struct http_response *) = site.also;
    if (also) also(request, response);
    response->body_length = strlen(response->body);
}

static struct casehook_connector *resolve(void *user, const char *name)
{
    (void)user;
    if (strcmp(name, "other") == 0) return casehook_connector_ref(site.other);
    return strcmp(name, "tracker") == 0 && site.connector ? casehook_connector_ref(site.connector) : NULL;
}

#define KEYED "\"idempotencyHeader\":\"Idempotency-Key\""

static void begin(const char *config)
{
    memset(&site, 0, sizeof site);
    site.log = http_log_new();
    site.server = http_server_start(site.log, "tracker", NULL, answer, NULL);
    char *base = must_format("http://127.0.0.1:%u", http_server_port(site.server));
    site.connector = document_connector(NULL, base, config, NULL);
    free(base);
}

/* The same with a call more, and quick to look: name: "findIncident" and the like, path: below the tracker,
 * rest: more members. */
static void begin_with(const char *name, const char *path, const char *rest)
{
    begin(NULL);
    char *base = must_format("http://127.0.0.1:%u", http_server_port(site.server));
    char *config = must_format("\"%sUrl\":\"%s%s\",%s", name, base, path, rest);
    struct casehook_settings *settings = document_settings("{\"retry.findDelay\":\"1ms\"}");
    casehook_connector_unref(site.connector);
    site.connector = document_connector(settings, base, config, NULL);
    casehook_settings_free(settings);
    free(config);
    free(base);
}

static int end(void **state)
{
    (void)state;
    box_remove();
    casehook_connector_unref(site.connector);
    casehook_connector_unref(site.other);
    http_server_stop(site.server, 2000);
    http_log_free(site.log);
    return 0;
}

static struct casehook_outbox *open_box(const char *place)
{
    const struct casehook_outbox_options options = {.struct_size = sizeof options,
                                                    .resolve = resolve,
                                                    .worker = "one",
                                                    .retry_base_ms = 1,
                                                    .retry_max_ms = 4};
    return box_open(place, &options);
}

/* Until the entry does not go on by itself. */
static int settle(struct casehook_outbox *outbox, uint64_t id)
{
    /* At most half a minute: idle is as well who waits for the next attempt. */
    for (int i = 0; i < 6000 && box_state(outbox, id) <= CASEHOOK_OUTBOX_SENDING; i++)
        assert_int_equal(casehook_outbox_run(outbox, 0, 5), CASEHOOK_OK);
    return box_state(outbox, id);
}

/* All that is there was being sent by a worker of our name, which is gone. */
static void a_worker_died_with_all(void)
{
    char *sql = must_format("UPDATE casehook_entry SET state = 3, fence = 1, instance = 5, attempts = 1, "
                            "worker = %s; UPDATE casehook_tally SET state = 3;",
                            box_is_postgres() ? "'one'::bytea" : "CAST('one' AS BLOB)");
    box_sql(sql);
    free(sql);
}

#define PUSH(more) "{\"incident\":{\"title\":\"T\",\"id\":\"c\"" more "}}"
#define COMMENTED(no)                                                                 \
    "{\"incident\":{\"title\":\"T\",\"id\":\"c\"},\"comments\":[{\"commentId\":\"" no \
    "\",\"comment\":\"C" no "\"}]}"

static void the_second_push_is_an_update(void **state)
{
    (void)state;
    begin(NULL);
    const char *place = box_place();
    struct casehook_outbox *outbox = open_box(place);
    uint64_t first = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    assert_int_equal(settle(outbox, first), DONE);
    assert_string_equal(box_entry(outbox, first)->external_id, "7");
    assert_non_null(box_entry(outbox, first)->url);
    assert_int_equal(strncmp(site.last, "POST /issue", 11), 0);
    casehook_outbox_close(outbox);
    outbox = open_box(place);
    uint64_t second = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"externalId\":null"));
    assert_int_equal(settle(outbox, second), DONE);
    assert_non_null(strstr(site.last, "PUT /issue/7"));
    uint64_t comment = box_put(outbox, CASEHOOK_COMMENT, NULL, COMMENTED("1"));
    assert_int_equal(settle(outbox, comment), DONE);
    assert_non_null(strstr(site.last, "C1"));
    /* What was forgotten is created. */
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "c", NULL), CASEHOOK_OK);
    uint64_t again = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    assert_int_equal(settle(outbox, again), DONE);
    assert_int_equal(strncmp(site.last, "POST /issue ", 12), 0);
    assert_int_equal(box_stats(outbox).delivered, 3);
    struct casehook_outbox_query query = {.struct_size = sizeof query, .by_case = 1};
    struct casehook_outbox_list *list;
    assert_int_equal(casehook_outbox_find(outbox, &query, &list, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_list_count(list), 1);
    casehook_outbox_list_free(list);
    casehook_outbox_close(outbox);
}

/* What comes of an entry that is being sent would be remembered again. */
static void nothing_is_forgotten_while_it_is_sent(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    site.delay_ms = 300; /* so that it is on its way still */
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    casehook_outbox_process(outbox);
    assert_int_equal(box_state(outbox, id), CASEHOOK_OUTBOX_SENDING);
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "c", NULL), CASEHOOK_E_BUSY);
    assert_int_equal(settle(outbox, id), DONE);
    site.delay_ms = 0;
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "c", NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    assert_int_equal(strncmp(site.last, "POST /issue ", 12), 0);
    casehook_outbox_close(outbox);
}

/* What answers told of a case is there for its later updates, as long as the case is known. */
static void what_answers_told_is_remembered(void **state)
{
    (void)state;
    begin("\"createResponseFields\":{\"room\":\"room\",\"no\":\"no\",\"gone\":\"gone\"},"
          "\"updateResponseFields\":{\"version\":\"version\"},"
          "\"updateIncidentJson\":\"{\\\"r\\\":{{{external.fields.room}}},\\\"n\\\":{{{external.fields.no}}},"
          "\\\"v\\\":{{{external.fields.version}}}}\"");
    const char *place = box_place();
    struct casehook_outbox *outbox = open_box(place);
    site.body = "{\"id\":\"7\",\"key\":\"K\",\"room\":\"\\u00e9\\\"\",\"no\":12,\"gone\":[1]}";
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    site.body = "{\"id\":\"7\",\"key\":\"K\",\"version\":\"5\"}";
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_UPDATE, NULL, PUSH(""))), DONE);
    assert_non_null(strstr(site.last, "{\"r\":\"\xc3\xa9\\\"\",\"n\":12,\"v\":"));
    assert_null(strstr(site.last, "\"v\":\"5\""));
    casehook_outbox_close(outbox);
    outbox = open_box(place);
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\",\"id\":\"c\"}")),
                     DONE);
    assert_non_null(strstr(site.last, "{\"r\":\"\xc3\xa9\\\"\",\"n\":12,\"v\":\"5\"}"));
    /* The host knows better. */
    uint64_t own = box_put(outbox, CASEHOOK_UPDATE, NULL, PUSH(",\"externalFields\":{\"room\":\"mine\"}"));
    assert_int_equal(settle(outbox, own), DONE);
    assert_non_null(strstr(site.last, "\"r\":\"mine\""));
    assert_null(strstr(site.last, "12"));
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "c", NULL), CASEHOOK_OK);
    uint64_t again = box_put(outbox, CASEHOOK_UPDATE, NULL, PUSH(",\"externalId\":\"7\""));
    assert_int_equal(settle(outbox, again), DONE);
    assert_null(strstr(site.last, "12"));
    casehook_outbox_close(outbox);
}

/* ---- circuits ----------------------------------------------------------------------------------------- */

enum { HELD_UP = 10 };

static struct casehook_outbox *open_one_at_a_time(void)
{
    const struct casehook_outbox_options options = {.struct_size = sizeof options,
                                                    .resolve = resolve,
                                                    .retry_base_ms = 1,
                                                    .retry_max_ms = 1,
                                                    .max_sending = 1};
    return box_open(box_place(), &options);
}

static void add_other(const char *settings_json)
{
    char *base = must_format("http://127.0.0.1:%u", http_server_port(site.server));
    struct casehook_settings *settings = document_settings(settings_json);
    site.other = document_connector(settings, base, KEYED, NULL);
    casehook_settings_free(settings);
    free(base);
}

static void put_others(struct casehook_outbox *outbox, uint64_t ids[HELD_UP])
{
    for (int i = 0; i < HELD_UP; i++) {
        char params[64];
        snprintf(params, sizeof params, "{\"title\":\"T\",\"id\":\"o%d\"}", i);
        struct casehook_outbox_item item = {.struct_size = sizeof item,
                                            .connector = "other",
                                            .params = params,
                                            .params_length = CASEHOOK_TERMINATED,
                                            .operation = CASEHOOK_PUSH};
        assert_int_equal(casehook_outbox_put(outbox, &item, &ids[i], NULL, NULL), CASEHOOK_OK);
    }
}

/* Its entries stay where they are, as if never tried; what is for others goes on. */
static void an_open_circuit_holds_up_its_own(void **state)
{
    (void)state;
    uint64_t ids[HELD_UP];
    begin(NULL);
    add_other("{\"circuit.failures\":1,\"circuit.pause\":\"1h\"}");
    struct casehook_outbox *outbox = open_one_at_a_time();
    site.failures = 1;
    put_others(outbox, ids);
    uint64_t mine = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    assert_int_equal(settle(outbox, mine), DONE);
    casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 20000);
    assert_int_equal(site.writes, 2);
    for (int i = 0; i < HELD_UP; i++) {
        const struct casehook_outbox_entry *entry = box_entry(outbox, ids[i]);
        assert_int_equal(entry->state, WAITING);
        assert_int_equal(entry->attempts, i == 0);
        assert_int_equal(entry->first_ms != 0, i == 0);
    }
    /* Of all of them one at most was taken to see it. */
    assert_true(box_stats(outbox).attempts <= 3);
    casehook_outbox_close(outbox);
}

/* One entry tries it; the others follow when the tracker answers. */
static void an_open_circuit_is_tried(void **state)
{
    (void)state;
    uint64_t ids[HELD_UP];
    unsigned attempts = 0;
    begin(NULL);
    add_other("{\"circuit.failures\":1,\"circuit.pause\":\"5ms\"}");
    struct casehook_outbox *outbox = open_one_at_a_time();
    site.failures = 4;
    put_others(outbox, ids);
    for (int i = 0; i < HELD_UP; i++) assert_int_equal(settle(outbox, ids[i]), DONE);
    for (int i = 0; i < HELD_UP; i++) attempts += box_entry(outbox, ids[i])->attempts;
    assert_int_equal(site.writes, HELD_UP + 4);
    assert_int_equal(attempts, HELD_UP + 4);
    casehook_outbox_close(outbox);
}

static void a_refusal_is_parked_and_the_case_goes_on(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    site.status = 400;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"status\":\"a\"")),
             next = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"status\":\"b\""));
    assert_int_equal(settle(outbox, id), PARKED);
    const struct casehook_outbox_entry *entry = box_entry(outbox, id);
    assert_int_equal(entry->http_status, 400);
    assert_int_equal(entry->status, CASEHOOK_E_HTTP_STATUS);
    assert_int_equal(entry->attempts, 1);
    assert_non_null(strstr(entry->message, "400"));
    assert_non_null(strstr(entry->result, "\"httpStatus\":400"));
    assert_int_equal(settle(outbox, next), PARKED);
    site.status = 0;
    assert_int_equal(casehook_outbox_retry(outbox, id, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, id), DONE);
    casehook_outbox_close(outbox);
}

/* What was closed meanwhile is not opened again by what was said before. */
static void what_is_parked_does_not_come_back_over_what_is_newer(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    struct casehook_outbox_error *error;
    uint64_t ids[3];
    site.status = 400;
    for (int i = 0; i < 2; i++) {
        ids[i] = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"status\":\"open\""));
        assert_int_equal(settle(outbox, ids[i]), PARKED);
    }
    uint64_t comment = box_put(outbox, CASEHOOK_COMMENT, NULL, COMMENTED("1"));
    site.status = 0;
    casehook_outbox_discard(outbox, comment, NULL);
    /* The newest one of those that were parked may. */
    assert_int_equal(casehook_outbox_retry(outbox, ids[1], NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_retry(outbox, ids[0], NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(settle(outbox, ids[1]), DONE);
    ids[2] = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"status\":\"closed\""));
    assert_int_equal(settle(outbox, ids[2]), DONE);
    assert_int_equal(casehook_outbox_retry(outbox, ids[0], &error), CASEHOOK_E_ARGUMENT);
    assert_non_null(strstr(casehook_outbox_error_message(error), "discard it"));
    casehook_outbox_error_free(error);
    assert_int_equal(box_state(outbox, ids[0]), PARKED);
    casehook_outbox_close(outbox);
}

/* Nor is what was said of a case written into the one that stands for it now. */
static void what_is_parked_does_not_come_back_over_a_new_case(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "tracker",
                                        .params = PUSH(",\"description\":\"new\""),
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = CASEHOOK_CREATE,
                                        .flags = CASEHOOK_OUTBOX_ANEW};
    uint64_t newer;
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    site.status = 400;
    uint64_t old = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"old\""));
    assert_int_equal(settle(outbox, old), PARKED);
    site.status = 0;
    assert_int_equal(casehook_outbox_put(outbox, &item, &newer, NULL, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, newer), DONE);
    assert_int_equal(casehook_outbox_retry(outbox, old, NULL), CASEHOOK_E_ARGUMENT);
    casehook_outbox_close(outbox);
}

static void a_busy_tracker_is_asked_again(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    site.status = 503;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    while (site.writes < 3) casehook_outbox_run(outbox, 0, 5);
    site.status = 0;
    assert_int_equal(settle(outbox, id), DONE);
    assert_true(box_entry(outbox, id)->attempts >= 4);
    assert_true(box_stats(outbox).retried >= 3);
    casehook_outbox_close(outbox);
}

/* Not longer than until it is given up: somebody has to see it. */
static void a_tracker_that_asks_for_a_year(void **state)
{
    (void)state;
    begin(NULL);
    const struct casehook_outbox_options options = {.struct_size = sizeof options,
                                                    .resolve = resolve,
                                                    .retry_base_ms = 1,
                                                    .retry_max_ms = 1,
                                                    .give_up_after_ms = 600000};
    struct casehook_outbox *outbox = box_open(box_place(), &options);
    site.status = 503;
    site.years = 1;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    while (!box_entry(outbox, id)->message) casehook_outbox_run(outbox, 0, 5);
    const struct casehook_outbox_entry *entry = box_entry(outbox, id);
    assert_int_equal(entry->state, WAITING);
    assert_in_range(entry->due_ms - entry->first_ms, 500000, 600100);
    casehook_outbox_close(outbox);
}

static void who_gave_up_is_parked(void **state)
{
    (void)state;
    begin(NULL);
    const struct casehook_outbox_options options = {.struct_size = sizeof options,
                                                    .resolve = resolve,
                                                    .retry_base_ms = 1,
                                                    .retry_max_ms = 2,
                                                    .give_up_after_ms = 500};
    struct casehook_outbox *outbox = box_open(box_place(), &options);
    site.status = 503;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    assert_int_equal(settle(outbox, id), PARKED);
    assert_true(box_entry(outbox, id)->attempts > 1);
    casehook_outbox_close(outbox);
}

/* Without finding and keys nobody can know, and nothing is repeated. */
static void what_may_have_been_done_waits_for_a_person(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    site.fault = 1;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH("")),
             next = box_put(outbox, CASEHOOK_COMMENT, NULL, COMMENTED("1"));
    assert_int_equal(settle(outbox, id), UNKNOWN);
    site.fault = 0;
    assert_int_equal(site.writes, 1);
    assert_int_equal(casehook_outbox_run(outbox, 2, 1000), CASEHOOK_E_ARGUMENT);
    casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 1000);
    assert_int_equal(box_state(outbox, next), CASEHOOK_OUTBOX_QUEUED);
    assert_int_equal(casehook_outbox_done(outbox, id, "7", NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, next), DONE);
    assert_non_null(strstr(site.last, "/issue/7"));
    casehook_outbox_close(outbox);
}

/* A server that broke inside may have made the case before; the library would make it again. */
static void a_create_that_broke_inside_waits_for_a_person(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    site.failures = 1;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    assert_int_equal(settle(outbox, id), UNKNOWN);
    assert_int_equal(site.writes, 1);
    assert_non_null(strstr(box_entry(outbox, id)->message, "look for its title"));
    casehook_outbox_close(outbox);
}

static void with_keys_it_is_repeated(void **state)
{
    (void)state;
    begin(KEYED);
    struct casehook_outbox *outbox = open_box(box_place());
    site.fault = 1;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    while (site.writes < 2) casehook_outbox_run(outbox, 0, 5);
    assert_int_equal(box_entry(outbox, id)->doubt, 1);
    site.fault = 0;
    assert_int_equal(settle(outbox, id), DONE);
    assert_int_equal(box_entry(outbox, id)->doubt, 0);
    assert_int_not_equal(site.keys[0][0], 0);
    assert_string_equal(site.keys[0], site.keys[1]);
    assert_string_equal(site.keys[0], site.keys[2]);
    casehook_outbox_close(outbox);
}

/* "Now" is no "from the beginning": the tracker may have it. */
static void hurrying_forgets_no_doubt(void **state)
{
    (void)state;
    begin(KEYED);
    struct casehook_outbox_options options = {
        .struct_size = sizeof options, .resolve = resolve, .retry_base_ms = 600000, .retry_max_ms = 600000};
    struct casehook_outbox *outbox = box_open(box_place(), &options);
    site.fault = 1;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    for (int i = 0; i < 1000 && !box_entry(outbox, id)->message; i++) casehook_outbox_run(outbox, 0, 20);
    assert_int_equal(box_state(outbox, id), WAITING);
    assert_int_equal(box_entry(outbox, id)->doubt, 1);
    int64_t first = box_entry(outbox, id)->first_ms;
    assert_int_equal(casehook_outbox_retry(outbox, id, NULL), CASEHOOK_OK);
    assert_int_equal(box_entry(outbox, id)->doubt, 1);
    assert_true(box_entry(outbox, id)->first_ms == first && first > 0);
    site.fault = 0;
    assert_int_equal(settle(outbox, id), DONE);
    casehook_outbox_close(outbox);
}

/* A host without the descriptor asks when to come: not at once and at once again. */
static void while_the_database_is_away_nobody_hurries(void **state)
{
    (void)state;
    begin(NULL);
    ONLY_OF_A_FILE();
    struct casehook_outbox_options options = {
        .struct_size = sizeof options, .resolve = resolve, .database_timeout_ms = 1};
    const char *place = box_place();
    struct casehook_outbox *outbox = box_open(place, &options);
    box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    char *command = must_format("sqlite3 -batch '%s'", place);
    FILE *other = popen(command, "w");
    assert_non_null(other);
    fputs(".timeout 20000\nBEGIN IMMEDIATE;\n", other);
    fflush(other);
    while (box_put_status(outbox, CASEHOOK_PUSH, NULL, PUSH("")) == CASEHOOK_OK) continue;
    assert_int_equal(casehook_outbox_process(outbox), CASEHOOK_OK);
    assert_in_range(casehook_outbox_timeout_ms(outbox), 1, 1000);
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    assert_int_equal(casehook_outbox_get_stats(outbox, &stats, NULL), CASEHOOK_E_BUSY);
    assert_int_equal(stats.away, 1);
    pclose(other);
    casehook_outbox_pause(outbox, 1); /* it is looked at all the same */
    for (int i = 0; i < 100 && stats.away; i++) {
        casehook_outbox_run(outbox, 0, 100);
        stats = box_stats(outbox);
    }
    assert_int_equal(stats.away, 0);
    free(command);
    casehook_outbox_close(outbox);
}

/* A worker of the same name comes back: what it was sending may have been done. */
static void what_a_dead_worker_was_sending(void **state)
{
    (void)state;
    for (int keyed = 0; keyed < 2; keyed++) {
        begin(keyed ? KEYED : NULL);
        struct casehook_outbox *outbox = open_box(box_place());
        uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, COMMENTED("1")),
                 other = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\"}");
        a_worker_died_with_all();
        casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 5000);
        assert_int_equal(box_state(outbox, id), keyed ? DONE : UNKNOWN);
        assert_int_equal(box_state(outbox, other), keyed ? DONE : UNKNOWN);
        if (!keyed) assert_null(strstr(box_entry(outbox, other)->message, "resume"));
        if (!keyed) assert_non_null(strstr(box_entry(outbox, other)->message, "look for its title"));
        assert_int_equal(site.writes, keyed ? 3 : 0);
        assert_int_equal(box_stats(outbox).doubted, 2);
        casehook_outbox_close(outbox);
        if (!keyed) end(state);
    }
}

/* A key that only the find looks for says nothing to who takes a comment. */
static void a_comment_with_a_key_for_the_find(void **state)
{
    (void)state;
    begin_with("findIncident", "/find?q={{{case.idempotencyKey}}}", "\"findIncidentResponseKey\":\"id\"");
    struct casehook_outbox *outbox = open_box(box_place());
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    site.fault = 1;
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_COMMENT, NULL, COMMENTED("1"))), UNKNOWN);
    assert_int_equal(site.faults, 1);
    casehook_outbox_close(outbox);
}

#define MOVED PUSH(",\"externalId\":\"7\",\"status\":\"closed\"")

static struct casehook_outbox *open_with_transition(void)
{
    begin_with("transitionIncident", "/move/{{external.system.id}}",
               "\"transitionIncidentJson\":\"{\\\"to\\\":{{case.status}}}\"");
    site.fault_at = "/move/";
    return open_box(box_place());
}

/* Nor is it known of a transition, which a workflow may take twice. */
static void a_transition_is_not_repeated(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = open_with_transition();
    site.fault = 1;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, MOVED);
    assert_int_equal(settle(outbox, id), UNKNOWN);
    assert_int_equal(site.faults, 1);
    site.fault = 0;
    assert_int_equal(casehook_outbox_retry(outbox, id, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, id), DONE);
    assert_non_null(strstr(site.last, "/move/7"));
    casehook_outbox_close(outbox);
}

static void a_transition_that_a_dead_worker_was_sending(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = open_with_transition();
    uint64_t moves = box_put(outbox, CASEHOOK_PUSH, NULL, MOVED),
             stays = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\",\"externalId\":\"8\"}");
    a_worker_died_with_all();
    assert_int_equal(settle(outbox, moves), UNKNOWN);
    assert_int_equal(settle(outbox, stays), DONE);
    assert_int_equal(site.writes, 1);
    casehook_outbox_close(outbox);
}

static void answer_as_usual(const struct http_request *request, struct http_response *response)
{
    (void)request;
    (void)response;
}

static void break_finds(const struct http_request *request, struct http_response *response)
{
    if (strstr(request->line, "/find") || strncmp(request->line, "POST", 4) == 0)
        response->fault = HTTP_RESET_BEFORE_RESPONSE;
}

/* The result says that no comment was tried, whatever is not known of the create. */
static void comments_behind_a_create_that_was_not_answered(void **state)
{
    (void)state;
    begin_with("findIncident", "/find?q={{case.id}}", "\"findIncidentResponseKey\":\"id\"");
    struct casehook_outbox *outbox = open_box(box_place());
    site.also = break_finds;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, COMMENTED("1"));
    while (!box_entry(outbox, id)->message) casehook_outbox_run(outbox, 0, 5);
    assert_int_equal(box_entry(outbox, id)->doubt, 1);
    site.also = answer_as_usual;
    assert_int_equal(settle(outbox, id), DONE);
    assert_int_equal(site.writes, 2);
    assert_non_null(strstr(site.last, "C1"));
    casehook_outbox_close(outbox);
}

#define BY_ID_OF_CASE "/find?q={{case.id}}", "\"findIncident\":\"always\",\"findIncidentResponseKey\":\"id\""

/* What a find before each push finds may have been there before the crash: it is no case that was just made.
 */
static void a_case_that_is_found_after_a_crash_is_updated(void **state)
{
    (void)state;
    begin_with("findIncident", BY_ID_OF_CASE);
    struct casehook_outbox *outbox = open_box(box_place());
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"new\""));
    a_worker_died_with_all();
    assert_int_equal(settle(outbox, id), DONE);
    assert_int_equal(site.writes, 1);
    assert_non_null(strstr(site.last, "PUT /issue/7"));
    casehook_outbox_close(outbox);
}

static void break_first_get(const struct http_request *request, struct http_response *response)
{
    if (strncmp(request->line, "GET /issue/", 11) == 0 && site.issues++ == 0) response->status = 503;
}

/* Also when what follows the find fails at first. */
static void a_case_that_is_found_after_a_crash_is_updated_later(void **state)
{
    (void)state;
    begin_with("findIncident", BY_ID_OF_CASE);
    struct casehook_outbox *outbox = open_box(box_place());
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"new\""));
    a_worker_died_with_all();
    site.also = break_first_get;
    assert_int_equal(settle(outbox, id), DONE);
    assert_true(site.issues > 1);
    assert_int_equal(site.writes, 1);
    assert_non_null(strstr(site.last, "PUT /issue/7"));
    casehook_outbox_close(outbox);
}

/* Whether the worker that died had moved it already, nobody knows. */
static void a_case_that_is_found_after_a_crash_is_not_moved(void **state)
{
    (void)state;
    begin(NULL);
    char *base = must_format("http://127.0.0.1:%u", http_server_port(site.server));
    char *config = must_format("\"findIncidentUrl\":\"%s/find?q={{case.id}}\",\"findIncident\":\"always\","
                               "\"findIncidentResponseKey\":\"id\",\"transitionIncidentUrl\":\"%s/move/7\","
                               "\"transitionIncidentJson\":\"{\\\"to\\\":{{case.status}}}\"",
                               base, base);
    casehook_connector_unref(site.connector);
    site.connector = document_connector(NULL, base, config, NULL);
    free(config);
    free(base);
    struct casehook_outbox *outbox = open_box(box_place());
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"status\":\"closed\""));
    a_worker_died_with_all();
    assert_int_equal(settle(outbox, id), UNKNOWN);
    assert_int_equal(site.writes, 0);
    assert_int_equal(casehook_outbox_retry(outbox, id, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, id), DONE);
    assert_non_null(strstr(site.last, "POST /move/7"));
    casehook_outbox_close(outbox);
}

/* Nobody has to look for a comment that this operation does not send. */
static void comments_that_are_never_sent(void **state)
{
    (void)state;
    begin_with("findIncident", "/find?q={{case.id}}", "\"findIncidentResponseKey\":\"id\"");
    struct casehook_outbox *outbox = open_box(box_place());
    uint64_t id = box_put(outbox, CASEHOOK_CREATE, NULL, COMMENTED("1"));
    a_worker_died_with_all();
    assert_int_equal(settle(outbox, id), DONE);
    assert_int_equal(site.writes, 0);
    casehook_outbox_close(outbox);
}

static void find_nothing(const struct http_request *request, struct http_response *response)
{
    if (strstr(request->line, "/find")) response->body = "{}";
}

/* The body of the create breaks off, and its case cannot be found yet. */
static void answer_cut(const struct http_request *request, struct http_response *response)
{
    find_nothing(request, response);
    if (strncmp(request->line, "POST", 4) != 0) return;
    response->status = 201;
    response->body = "{\"key\":";
    response->fault = HTTP_CLOSE_IN_BODY;
    response->claimed_length = 100;
}

/* However often it is not found: the tracker has said that it has the case. */
static void a_create_that_was_accepted_is_not_made_again(void **state)
{
    (void)state;
    begin_with("findIncident", "/find?q={{case.id}}", "\"findIncidentResponseKey\":\"id\"");
    const char *place = box_place();
    struct casehook_outbox *outbox = open_box(place);
    site.also = answer_cut;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    while (box_entry(outbox, id)->attempts < 4) casehook_outbox_run(outbox, 0, 5);
    assert_int_equal(site.writes, 1);
    assert_true(box_entry(outbox, id)->doubt);
    site.also = answer_as_usual;
    assert_int_equal(settle(outbox, id), DONE);
    assert_int_equal(site.writes, 1);
    assert_string_equal(box_entry(outbox, id)->external_id, "7");
    /* Unless a person has looked, and says that it is not there, whatever comes between. */
    site.also = answer_cut;
    uint64_t other = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\",\"id\":\"d\"}");
    while (!box_entry(outbox, other)->doubt) casehook_outbox_run(outbox, 0, 5);
    casehook_outbox_close(outbox);
    box_sql("UPDATE casehook_entry SET state = 5 WHERE state < 5; DELETE FROM casehook_tally; "
            "INSERT INTO casehook_tally (shard, state, entries, bytes) VALUES (77, 5, 1, 0), (77, 6, 1, 0);");
    outbox = open_box(place);
    assert_int_equal(casehook_outbox_retry(outbox, other, NULL), CASEHOOK_OK);
    box_sql("UPDATE casehook_entry SET doubt = 1 WHERE state = 1;");
    site.also = find_nothing;
    assert_int_equal(settle(outbox, other), DONE);
    assert_int_equal(site.writes, 3);
    casehook_outbox_close(outbox);
}

static void a_parked_create_does_not_come_back(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    site.status = 400;
    uint64_t old = box_put(outbox, CASEHOOK_CREATE, NULL, PUSH(""));
    assert_int_equal(settle(outbox, old), PARKED);
    site.status = 0;
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    assert_int_equal(casehook_outbox_retry(outbox, old, NULL), CASEHOOK_E_ARGUMENT);
    casehook_outbox_close(outbox);
}

/* What a person says of the case holds, whatever was reached before. */
static void another_id_of_the_case(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    site.status = 404;
    uint64_t comment = box_put(outbox, CASEHOOK_COMMENT, NULL, COMMENTED("1"));
    assert_int_equal(settle(outbox, comment), PARKED);
    uint64_t update = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"b\""));
    assert_int_equal(settle(outbox, update), PARKED);
    site.status = 0;
    site.body = "{\"id\":\"8\",\"key\":\"K-8\"}";
    assert_int_equal(casehook_outbox_done(outbox, update, "8", NULL), CASEHOOK_OK);
    assert_null(box_entry(outbox, update)->message);
    assert_int_equal(casehook_outbox_retry(outbox, comment, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, comment), DONE);
    assert_non_null(strstr(site.last, "POST /issue/8/comment"));
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    assert_non_null(strstr(site.last, "PUT /issue/8"));
    /* Not while something is on its way to the old one. */
    site.status = 404;
    comment = box_put(outbox, CASEHOOK_COMMENT, NULL, COMMENTED("2"));
    assert_int_equal(settle(outbox, comment), PARKED);
    site.status = 0;
    site.delay_ms = 100;
    update = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"c\""));
    while (box_state(outbox, update) != CASEHOOK_OUTBOX_SENDING) casehook_outbox_process(outbox);
    assert_int_equal(casehook_outbox_done(outbox, comment, "9", NULL), CASEHOOK_E_BUSY);
    assert_int_equal(casehook_outbox_done(outbox, comment, "8", NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, update), DONE);
    /* Nor while that may make it. */
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "c", NULL), CASEHOOK_OK);
    site.status = 400;
    uint64_t push = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    assert_int_equal(settle(outbox, push), PARKED);
    site.status = 0;
    update = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"d\""));
    while (box_state(outbox, update) != CASEHOOK_OUTBOX_SENDING) casehook_outbox_process(outbox);
    assert_int_equal(casehook_outbox_done(outbox, push, "9", NULL), CASEHOOK_E_BUSY);
    assert_int_equal(settle(outbox, update), DONE);
    casehook_outbox_close(outbox);
}

/* The newest of what is parked makes the case again, and that once. */
static void a_case_that_was_deleted_is_made_again(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    uint64_t made = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH("")), ids[3];
    assert_int_equal(settle(outbox, made), DONE);
    assert_int_equal(casehook_outbox_again(outbox, made, NULL), CASEHOOK_E_ARGUMENT);
    site.status = 404;
    for (int i = 0; i < 3; i++) {
        ids[i] = i < 2 ? box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"more\""))
                       : box_put(outbox, CASEHOOK_COMMENT, NULL, COMMENTED("1"));
        assert_int_equal(settle(outbox, ids[i]), PARKED);
    }
    site.status = 0;
    site.body = "{\"id\":\"8\",\"key\":\"K-8\"}";
    assert_int_equal(casehook_outbox_again(outbox, 999, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_again(outbox, ids[2], NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_again(outbox, ids[0], NULL), CASEHOOK_E_ARGUMENT);
    assert_string_equal(box_entry(outbox, ids[2])->external_id, "7"); /* nothing is forgotten */
    assert_int_equal(casehook_outbox_again(outbox, ids[1], NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, ids[1]), DONE);
    assert_int_equal(strncmp(site.last, "POST /issue ", 12), 0);
    assert_int_equal(casehook_outbox_again(outbox, ids[1], NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_again(outbox, ids[0], NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_retry(outbox, ids[2], NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_again(outbox, ids[0], NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(settle(outbox, ids[2]), DONE);
    assert_non_null(strstr(site.last, "POST /issue/8/comment"));
    casehook_outbox_close(outbox);
}

/* What ends a case, and must not make it. */
static uint64_t put_end(struct casehook_outbox *outbox, const char *params, int64_t delay_ms)
{
    const struct casehook_outbox_item item = {.struct_size = sizeof item,
                                              .connector = "tracker",
                                              .params = params,
                                              .params_length = CASEHOOK_TERMINATED,
                                              .delay_ms = delay_ms,
                                              .operation = CASEHOOK_PUSH,
                                              .flags = CASEHOOK_OUTBOX_EXISTING};
    uint64_t id;
    assert_int_equal(casehook_outbox_put(outbox, &item, &id, NULL, NULL), CASEHOOK_OK);
    return id;
}

/* An end of what the tracker did not take. */
static void who_must_not_make_a_case(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    uint64_t end_of_it, made;
    site.status = 400;
    uint64_t maker = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    assert_int_equal(settle(outbox, maker), PARKED);
    site.status = 0;
    end_of_it = put_end(outbox, PUSH(",\"status\":\"closed\""), 0);
    assert_int_equal(settle(outbox, end_of_it), PARKED);
    assert_int_equal(site.writes, 1);
    assert_non_null(strstr(box_entry(outbox, end_of_it)->message, "retry what was put before it"));
    /* It goes on when there is a case, and makes none when that was deleted. */
    assert_int_equal(casehook_outbox_retry(outbox, maker, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, maker), DONE);
    site.status = 404;
    made = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"more\""));
    assert_int_equal(settle(outbox, made), PARKED);
    assert_int_equal(casehook_outbox_discard(outbox, end_of_it, NULL), CASEHOOK_OK);
    end_of_it = put_end(outbox, PUSH(",\"status\":\"closed\""), 0);
    assert_int_equal(settle(outbox, end_of_it), PARKED);
    site.status = 0;
    assert_int_equal(casehook_outbox_again(outbox, end_of_it, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook_outbox_again(outbox, made, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, made), DONE);
    assert_int_equal(strncmp(site.last, "POST /issue ", 12), 0);
    assert_int_equal(casehook_outbox_retry(outbox, end_of_it, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, end_of_it), DONE);
    assert_non_null(strstr(site.last, "PUT /issue/7"));
    casehook_outbox_close(outbox);
}

/* Nor does it stand for what is to make it, or keep that from being tried again. */
static void who_makes_a_case_is_not_replaced(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    uint64_t maker = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH("")), end_of_it;
    end_of_it = put_end(outbox, PUSH(",\"description\":\"end\""), 0);
    assert_int_equal(settle(outbox, maker), DONE);
    assert_int_equal(settle(outbox, end_of_it), DONE);
    assert_non_null(strstr(site.last, "PUT /issue/7"));
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "c", NULL), CASEHOOK_OK);
    site.status = 400;
    maker = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    assert_int_equal(settle(outbox, maker), PARKED);
    site.status = 0;
    end_of_it = put_end(outbox, PUSH(",\"description\":\"end\""), 3600000);
    assert_int_equal(casehook_outbox_retry(outbox, maker, NULL), CASEHOOK_OK);
    assert_int_equal(casehook_outbox_retry(outbox, end_of_it, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, end_of_it), PARKED);
    assert_int_equal(settle(outbox, maker), DONE);
    /* But where there is a case, it is. */
    site.status = 400;
    uint64_t old = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(",\"description\":\"old\""));
    assert_int_equal(settle(outbox, old), PARKED);
    assert_int_equal(casehook_outbox_discard(outbox, end_of_it, NULL), CASEHOOK_OK);
    end_of_it = put_end(outbox, PUSH(",\"description\":\"end\""), 3600000);
    assert_int_equal(casehook_outbox_retry(outbox, old, NULL), CASEHOOK_E_ARGUMENT);
    casehook_outbox_close(outbox);
}

/* A tracker would take a new case with the key of the old one for that. */
static void a_case_that_is_made_again_has_new_keys(void **state)
{
    (void)state;
    begin(KEYED);
    struct casehook_outbox *outbox = open_box(box_place());
    site.fault_at = "/comment";
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    site.status = 404;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, COMMENTED("1"));
    assert_int_equal(settle(outbox, id), PARKED);
    site.status = 0;
    /* Whatever was not known before it was refused. */
    char *sql = must_format("UPDATE casehook_entry SET doubt = 1, token = %s WHERE id = %llu;",
                            box_is_postgres() ? "'0123456789abcdef0123456789abcdef'::bytea"
                                              : "CAST('0123456789abcdef0123456789abcdef' AS BLOB)",
                            (unsigned long long)id);
    box_sql(sql);
    free(sql);
    assert_int_equal(casehook_outbox_again(outbox, id, NULL), CASEHOOK_OK);
    assert_int_equal(settle(outbox, id), DONE);
    const char *key = site.keys[2];
    assert_memory_equal(key, "0123456789abcdef01234567", 24);
    assert_int_equal(strspn(key, "0123456789abcdef"), 32);
    assert_string_not_equal(key, "0123456789abcdef0123456789abcdef");
    casehook_outbox_close(outbox);
}

/* Nor does a push that has no case to remember what was found. */
static void what_is_found_after_a_crash_ends(void **state)
{
    (void)state;
    for (int creates = 0; creates < 2; creates++) {
        begin_with("findIncident", "/find?q={{case.title}}",
                   "\"findIncident\":\"always\",\"findIncidentResponseKey\":\"id\"");
        struct casehook_outbox *outbox = open_box(box_place());
        uint64_t id = creates ? box_put(outbox, CASEHOOK_CREATE, NULL, PUSH(""))
                              : box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\",\"id\":null}");
        a_worker_died_with_all();
        assert_int_equal(settle(outbox, id), DONE);
        assert_true(box_entry(outbox, id)->attempts <= 3);
        casehook_outbox_close(outbox);
        if (!creates) end(state);
    }
}

/* The second and the third token are not given. */
static bool answer_token(const struct http_request *request, struct http_response *response)
{
    if (!strstr(request->line, "/token")) return false;
    unsigned count = ++site.tokens;
    response->status = count == 2 || count == 3 ? 503 : 200;
    response->body = "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":3600}";
    response->body_length = strlen(response->body);
    return true;
}

/* The first create is done, and its answer is elsewhere, where the token does not do any more. */
static void answer_elsewhere(const struct http_request *request, struct http_response *response)
{
    static const struct http_header there[] = {{"Content-Type", "application/json"}, {"Location", "/made"}};
    if (answer_token(request, response)) return;
    if (strstr(request->line, "POST /issue") && site.issues++ == 0) {
        response->status = 303;
        response->headers = there;
        response->header_count = 2;
    }
    if (strstr(request->line, "GET /made")) response->status = 401;
}

/* The first create is not answered, the second one needs another token; the tracker knows the third. */
static void answer_known(const struct http_request *request, struct http_response *response)
{
    if (answer_token(request, response) || !strstr(request->line, "POST /issue")) return;
    unsigned count = site.issues++;
    response->status = count == 1 ? 401 : 409;
    if (count == 0) response->fault = HTTP_RESET_BEFORE_RESPONSE;
}

static struct casehook_outbox *open_with_tokens(const char *more)
{
    begin(NULL);
    struct casehook_settings *settings =
        document_settings("{\"retry\":{\"baseDelay\":\"1ms\"},\"run\":{\"maxAttempts\":2}}");
    char *base = must_format("http://127.0.0.1:%u", http_server_port(site.server));
    char *config = must_format("\"hasAuth\":true,\"authType\":\"oauth2\",\"accessTokenUrl\":\"%s/token\","
                               "\"clientId\":\"c\"%s",
                               base, more);
    casehook_connector_unref(site.connector);
    site.connector = document_connector(settings, base, config, "\"clientSecret\":\"x\"");
    casehook_settings_free(settings);
    free(config);
    free(base);
    return open_box(box_place());
}

/* Without a token it is not known what came of the create before. */
static void a_create_that_no_token_was_left_for(void **state)
{
    (void)state;
    struct casehook_outbox *outbox = open_with_tokens("");
    site.also = answer_elsewhere;
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), UNKNOWN);
    assert_int_equal(site.issues, 1);
    casehook_outbox_close(outbox);
    end(state);
    outbox = open_with_tokens("," KEYED ",\"idempotencyDuplicateStatuses\":[409]");
    site.also = answer_known;
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), UNKNOWN);
    casehook_outbox_close(outbox);
}

/* One entry that is being sent for so long that it can be looked at meanwhile. */
static struct casehook_outbox *send_slowly(uint64_t *id)
{
    struct casehook_outbox *outbox = open_box(box_place());
    *id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    site.delay_ms = 300;
    casehook_outbox_process(outbox);
    assert_int_equal(box_state(outbox, *id), CASEHOOK_OUTBOX_SENDING);
    return outbox;
}

static void until_it_was_sent(struct casehook_outbox *outbox)
{
    for (int i = 0; casehook_outbox_sending(outbox) && i < 1000; i++) casehook_outbox_run(outbox, 0, 10);
}

/* Somebody else has had it since: what came of ours is not stored. */
static void a_lost_lease_settles_nothing(void **state)
{
    (void)state;
    begin(NULL);
    uint64_t id;
    struct casehook_outbox *outbox = send_slowly(&id);
    assert_int_equal(casehook_outbox_sending(outbox), 1);
    assert_int_equal(casehook_outbox_discard(outbox, id, NULL), CASEHOOK_E_BUSY);
    box_sql("UPDATE casehook_entry SET fence = fence + 1, instance = 9;");
    until_it_was_sent(outbox);
    assert_int_equal(box_state(outbox, id), CASEHOOK_OUTBOX_SENDING);
    assert_int_equal(box_stats(outbox).lost, 1);
    casehook_outbox_close(outbox);
}

/* Its lease ended and nobody has had it since: what came of ours is better than to know nothing. */
static void an_answer_after_the_lease_is_stored(void **state)
{
    (void)state;
    begin(NULL);
    uint64_t id;
    struct casehook_outbox *outbox = send_slowly(&id);
    /* As another one does it, who then has others to send. */
    box_sql("UPDATE casehook_entry SET state = 1, doubt = 1, instance = -1, due = due + 3600000;"
            "UPDATE casehook_tally SET entries = CASE state WHEN 1 THEN 1 ELSE 0 END;");
    until_it_was_sent(outbox);
    assert_int_equal(box_state(outbox, id), DONE);
    assert_non_null(box_entry(outbox, id)->external_id);
    assert_int_equal(box_stats(outbox).lost, 0);
    assert_int_equal(box_stats(outbox).waiting, 0);
    casehook_outbox_close(outbox);
}

/* But not of a case that was forgotten meanwhile. */
static void an_answer_after_forgetting_is_not(void **state)
{
    (void)state;
    begin(NULL);
    uint64_t id;
    struct casehook_outbox *outbox = send_slowly(&id);
    box_sql("UPDATE casehook_entry SET state = 1, doubt = 1, instance = -1, due = due + 3600000 WHERE state "
            "= 3;");
    assert_int_equal(casehook_outbox_forget(outbox, "tracker", "c", NULL), CASEHOOK_OK);
    until_it_was_sent(outbox);
    assert_int_equal(box_state(outbox, id), WAITING);
    assert_null(box_entry(outbox, id)->external_id);
    assert_int_equal(box_stats(outbox).lost, 1);
    casehook_outbox_close(outbox);
}

/* The clock of the machine, which somebody sets. */
static _Atomic int64_t set_by_ms;

int clock_gettime(clockid_t which, struct timespec *now);
int clock_gettime(clockid_t which, struct timespec *now)
{
    int status = (int)syscall(SYS_clock_gettime, which, now);
    if (which == CLOCK_REALTIME) now->tv_sec += set_by_ms / 1000;
    return status;
}

static void a_clock_that_is_set_forward(void **state)
{
    (void)state;
    begin(NULL);
    ONLY_OF_A_FILE();
    struct casehook_outbox *outbox =
        box_open(box_place(), &(struct casehook_outbox_options){
                                  .struct_size = sizeof(struct casehook_outbox_options), .resolve = resolve});
    site.delay_ms = 500; /* so that it is on its way still */
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH("")), other;
    casehook_outbox_process(outbox);
    assert_int_equal(box_state(outbox, id), CASEHOOK_OUTBOX_SENDING);
    set_by_ms = 86400000;
    other = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\"}"); /* entries are taken */
    assert_int_equal(settle(outbox, id), DONE);
    assert_int_equal(settle(outbox, other), DONE);
    assert_int_equal(site.writes, 2);
    assert_int_equal(box_stats(outbox).doubted, 0);
    assert_int_equal(box_stats(outbox).lost, 0);
    casehook_outbox_close(outbox);
    set_by_ms = 0;
}

static void a_clock_that_is_set_back(void **state)
{
    (void)state;
    begin(NULL);
    ONLY_OF_A_FILE();
    const struct casehook_outbox_options options = {
        .struct_size = sizeof options, .resolve = resolve, .retry_base_ms = 400, .retry_max_ms = 400};
    struct casehook_outbox *outbox = box_open(box_place(), &options);
    site.status = 503;
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    while (!box_entry(outbox, id)->message) casehook_outbox_run(outbox, 0, 5);
    set_by_ms = -86400000;
    site.status = 0;
    uint64_t other = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\"}");
    assert_int_equal(settle(outbox, other), DONE);
    assert_int_equal(settle(outbox, id), DONE);
    casehook_outbox_close(outbox);
    set_by_ms = 0;
}

/* A worker that has none of the connectors; user counts the lines of its log. */
static struct casehook_connector *resolve_nothing(void *user, const char *name)
{
    (void)user;
    (void)name;
    return NULL;
}

static void count_lines(void *user, const struct casehook_log_record *record)
{
    assert_non_null(strstr(record->message, "there is no connector \"tracker\": its entries wait"));
    assert_int_equal(record->level, CASEHOOK_LOG_WARNING);
    ++*(int *)user;
}

static void without_its_connector_an_entry_waits(void **state)
{
    (void)state;
    begin(NULL);
    int lines = 0;
    const char *place = box_place();
    struct casehook_connector *connector = site.connector;
    struct casehook_outbox *outbox = open_box(place);
    const struct casehook_outbox_options options = {.struct_size = sizeof options,
                                                    .resolve = resolve_nothing,
                                                    .user = &lines,
                                                    .log = count_lines,
                                                    .give_up_after_ms = 1,
                                                    .retry_base_ms = 600000};
    struct casehook_outbox *stranger = box_open(place, &options);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH("")),
             more = box_put(outbox, CASEHOOK_PUSH, NULL, "{\"title\":\"T\"}");
    while (!box_entry(outbox, id)->message || !box_entry(outbox, more)->message)
        casehook_outbox_run(stranger, 0, 20);
    casehook_outbox_run(stranger, CASEHOOK_OUTBOX_UNTIL_IDLE, 20000);
    assert_int_equal(lines, 1);
    assert_non_null(strstr(box_entry(outbox, id)->message, "no connector"));
    assert_int_equal(box_state(outbox, id), WAITING);
    assert_int_equal(box_entry(outbox, id)->attempts, 0);
    assert_int_equal(box_entry(outbox, id)->first_ms, 0);
    assert_int_equal(box_stats(stranger).attempts, 0);
    /* Whoever has it sends it, as if nobody had looked at it before. */
    casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 20000);
    assert_int_equal(box_state(outbox, id), DONE);
    assert_int_equal(box_entry(outbox, id)->attempts, 1);
    casehook_outbox_close(stranger);
    /* One that the host has again is noticed. */
    site.connector = NULL;
    id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    while (!box_entry(outbox, id)->message) casehook_outbox_run(outbox, 0, 20);
    site.connector = connector;
    assert_int_equal(settle(outbox, id), DONE);
    casehook_outbox_close(outbox);
}

static void the_descriptor_says_when(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    struct pollfd ready = {.fd = casehook_outbox_fd(outbox), .events = POLLIN};
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    while (box_state(outbox, id) != DONE) {
        assert_int_equal(poll(&ready, 1, 20000), 1);
        assert_int_equal(casehook_outbox_process(outbox), CASEHOOK_OK);
    }
    casehook_outbox_pause(outbox, 1);
    id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 5000);
    assert_int_equal(box_state(outbox, id), WAITING);
    casehook_outbox_pause(outbox, 0);
    assert_int_equal(settle(outbox, id), DONE);
    casehook_outbox_close(outbox);
}

static void closing_gives_back(void **state)
{
    (void)state;
    begin(NULL);
    const char *place = box_place();
    struct casehook_outbox *outbox = open_box(place);
    uint64_t id = box_put(outbox, CASEHOOK_UPDATE, NULL, PUSH(",\"externalId\":\"7\""));
    casehook_outbox_process(outbox);
    casehook_outbox_close(outbox); /* in the middle of it */
    outbox = open_box(place);
    assert_int_equal(settle(outbox, id), DONE);
    assert_int_equal(box_stats(outbox).doubted, 0);
    casehook_outbox_close(outbox);
}

/* What a commit took of which nobody knew the end was never sent: it has the time of one that is new. */
static void what_is_given_back_was_never_tried(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    assert_int_equal(settle(outbox, box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""))), DONE);
    uint64_t id = box_put(outbox, CASEHOOK_PUSH, NULL, PUSH(""));
    char *sql = must_format("UPDATE casehook_entry SET state = 3, instance = %lld, fence = 1, attempts = 1, "
                            "first_at = 1000 WHERE id = %llu;",
                            (long long)outbox->instance, (unsigned long long)id);
    box_sql(sql);
    free(sql);
    outbox->away = true; /* as after a commit that broke */
    site.status = 503;
    while (!box_entry(outbox, id)->message) casehook_outbox_run(outbox, 0, 5);
    assert_true(box_entry(outbox, id)->first_ms > 1000);
    casehook_outbox_close(outbox);
}

/* Each of them needs more memory than it is long: there may be many, but not all at once. */
static void large_entries_are_few_at_a_time(void **state)
{
    enum { ENTRIES = 12, BYTES = 390000 };
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    char *params = must_alloc(BYTES + 1);
    uint64_t ids[ENTRIES];
    size_t length = (size_t)sprintf(params, "{\"title\":\"T\",\"tags\":[\"a\"");
    while (length < BYTES - 10) length += (size_t)sprintf(params + length, ",\"a\"");
    memcpy(params + length, "]}", 3);
    for (size_t i = 0; i < ENTRIES; i++) ids[i] = box_put(outbox, CASEHOOK_PUSH, NULL, params);
    free(params);
    site.delay_ms = 200; /* so that they are on their way still */
    for (int i = 0; i < 10; i++) casehook_outbox_process(outbox);
    assert_in_range(casehook_outbox_sending(outbox), 1, ENTRIES / 2);
    site.delay_ms = 0;
    for (size_t i = 0; i < ENTRIES; i++) assert_int_equal(settle(outbox, ids[i]), DONE);
    casehook_outbox_close(outbox);
}

/* ---- threads ------------------------------------------------------------------------------------------ */

enum { THREADS = 4, PUTS = 25 };

struct putter {
    struct casehook_outbox *outbox;
    unsigned number;
};

static void *put_and_look(void *user)
{
    const struct putter *putter = user;
    for (unsigned i = 0; i < PUTS; i++) {
        char params[128], key[32];
        snprintf(params, sizeof params, "{\"title\":\"T\",\"id\":\"%u\",\"status\":\"%u-%u\"}", i % 3,
                 putter->number, i);
        snprintf(key, sizeof key, "%u-%u", putter->number, i);
        box_put(putter->outbox, CASEHOOK_PUSH, key, params);
        if (i % 10 == 0) assert_true(box_stats(putter->outbox).put > 0);
    }
    return NULL;
}

static void many_put_while_one_delivers(void **state)
{
    (void)state;
    begin(NULL);
    struct casehook_outbox *outbox = open_box(box_place());
    struct putter putters[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        putters[i] = (struct putter){outbox, i};
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_look, &putters[i]), 0);
    }
    for (int i = 0; box_stats(outbox).delivered < THREADS * PUTS && i < 4000; i++)
        casehook_outbox_run(outbox, 0, 20);
    for (unsigned i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    struct casehook_outbox_stats stats = box_stats(outbox);
    assert_int_equal(stats.delivered, THREADS * PUTS);
    assert_int_equal(stats.done, THREADS * PUTS);
    assert_int_equal(stats.bytes, 0);
    assert_true(stats.groups < 4 * THREADS * PUTS);
    casehook_outbox_close(outbox);
}

static void *put_until_it_is_there(void *user)
{
    const struct putter *putter = user;
    for (unsigned i = 0; i < PUTS; i++) {
        char params[64], key[32];
        snprintf(params, sizeof params, "{\"title\":\"T\",\"id\":\"%u\",\"status\":\"%u\"}", putter->number,
                 i);
        snprintf(key, sizeof key, "%u-%u", putter->number, i);
        for (int status; (status = box_put_status(putter->outbox, CASEHOOK_PUSH, key, params));) {
            assert_true(status == CASEHOOK_E_UNAVAILABLE || status == CASEHOOK_E_NETWORK);
            poll(NULL, 0, 5);
        }
    }
    return NULL;
}

static void *restart_the_database(void *user)
{
    static const char *const words[] = {"kill", "start"};
    (void)user;
    for (int i = 0; i < 4; i++) {
        char *command = must_format("%s/pg.sh %s >/dev/null 2>&1", getenv("CASEHOOK_PG_DATA"), words[i % 2]);
        if (system(command)) abort();
        free(command);
    }
    return NULL;
}

/* The connection is lost and made again by one thread while another one looks after its descriptor. */
static void many_put_while_the_database_restarts(void **state)
{
    (void)state;
    begin(KEYED);
    ONLY_OF_A_SERVER();
    struct casehook_outbox *outbox = open_box(box_place());
    struct putter putters[THREADS];
    pthread_t threads[THREADS], database;
    assert_int_equal(pthread_create(&database, NULL, restart_the_database, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        putters[i] = (struct putter){outbox, i};
        assert_int_equal(pthread_create(&threads[i], NULL, put_until_it_is_there, &putters[i]), 0);
    }
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    for (int i = 0; stats.done < THREADS * PUTS && i < 4000; i++) {
        casehook_outbox_run(outbox, 0, 20);
        if (casehook_outbox_get_stats(outbox, &stats, NULL)) stats.done = 0;
    }
    for (unsigned i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    pthread_join(database, NULL);
    assert_int_equal(box_stats(outbox).done, THREADS * PUTS);
    assert_int_equal(box_stats(outbox).bytes, 0);
    casehook_outbox_close(outbox);
}

int main(int argc, char **argv)
{
    if (argc > 1) box_use(argv[1]);
#define TEST(name) cmocka_unit_test_teardown(name, end)
    const struct CMUnitTest tests[] = {TEST(the_second_push_is_an_update),
                                       TEST(nothing_is_forgotten_while_it_is_sent),
                                       TEST(what_answers_told_is_remembered),
                                       TEST(an_open_circuit_holds_up_its_own),
                                       TEST(an_open_circuit_is_tried),
                                       TEST(a_refusal_is_parked_and_the_case_goes_on),
                                       TEST(what_is_parked_does_not_come_back_over_what_is_newer),
                                       TEST(what_is_parked_does_not_come_back_over_a_new_case),
                                       TEST(a_busy_tracker_is_asked_again),
                                       TEST(a_tracker_that_asks_for_a_year),
                                       TEST(who_gave_up_is_parked),
                                       TEST(what_may_have_been_done_waits_for_a_person),
                                       TEST(a_create_that_broke_inside_waits_for_a_person),
                                       TEST(with_keys_it_is_repeated),
                                       TEST(hurrying_forgets_no_doubt),
                                       TEST(while_the_database_is_away_nobody_hurries),
                                       TEST(what_a_dead_worker_was_sending),
                                       TEST(a_comment_with_a_key_for_the_find),
                                       TEST(a_transition_is_not_repeated),
                                       TEST(a_transition_that_a_dead_worker_was_sending),
                                       TEST(comments_behind_a_create_that_was_not_answered),
                                       TEST(a_case_that_is_found_after_a_crash_is_updated),
                                       TEST(a_case_that_is_found_after_a_crash_is_updated_later),
                                       TEST(a_case_that_is_found_after_a_crash_is_not_moved),
                                       TEST(comments_that_are_never_sent),
                                       TEST(a_create_that_was_accepted_is_not_made_again),
                                       TEST(a_parked_create_does_not_come_back),
                                       TEST(another_id_of_the_case),
                                       TEST(a_case_that_was_deleted_is_made_again),
                                       TEST(who_must_not_make_a_case),
                                       TEST(who_makes_a_case_is_not_replaced),
                                       TEST(a_case_that_is_made_again_has_new_keys),
                                       TEST(what_is_found_after_a_crash_ends),
                                       TEST(a_create_that_no_token_was_left_for),
                                       TEST(a_lost_lease_settles_nothing),
                                       TEST(an_answer_after_the_lease_is_stored),
                                       TEST(an_answer_after_forgetting_is_not),
                                       TEST(a_clock_that_is_set_forward),
                                       TEST(a_clock_that_is_set_back),
                                       TEST(without_its_connector_an_entry_waits),
                                       TEST(the_descriptor_says_when),
                                       TEST(closing_gives_back),
                                       TEST(what_is_given_back_was_never_tried),
                                       TEST(large_entries_are_few_at_a_time),
                                       TEST(many_put_while_one_delivers),
                                       TEST(many_put_while_the_database_restarts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
