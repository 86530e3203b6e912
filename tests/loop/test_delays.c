/* test_delays.c - operations of a loop that wait for a time: what they hold, when they go on, how they end.
 */
#include "documents.h"
#include "fake_transport.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct casehook_connector *connector;
static struct casehook_loop *loop;
static char sent[64][32]; /* "create a", "get a": the requests, in their order */
static size_t sent_count;
static int64_t answer_after;
static unsigned answer_goes;

static void note(const char *call, const char *name, size_t length)
{
    if (sent_count < 64) snprintf(sent[sent_count], sizeof *sent, "%s %.*s", call, (int)length, name);
    sent_count++;
}

/* The id of a case is its title, of one letter. */
static void answer(void *user, const struct casehook__request *request, struct fake_answer *answer)
{
    static char ids[26][16];
    (void)user;
    answer->after_ms = answer_after;
    answer->goes = answer_goes;
    if (request->call == CASEHOOK__CALL_CREATE) {
        const char *title = strstr(request->body.data, "\"title\":\"") + 9;
        char *id = ids[*title - 'a'];
        snprintf(id, sizeof *ids, "{\"id\":\"%c\"}", *title);
        answer->status = 201;
        answer->body = id;
        note("create", title, 1);
    } else {
        answer->status = 200;
        answer->body = "{\"key\":\"CASE\"}";
        note("get", strrchr(request->url, '/') + 1, 1);
    }
}

static void begin(uint32_t max_connections)
{
    fake_reset();
    fake.answer = answer;
    sent_count = 0;
    answer_after = answer_goes = 0;
    connector = document_connector(NULL, "http://127.0.0.1:1", NULL, NULL);
    fake_use(connector);
    loop = fake_loop(10000, max_connections, NULL);
}

static void end(void)
{
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    assert_int_equal(fake.transports, 0);
    assert_int_equal(fake.under_way, 0);
}

static uint64_t submit(const char *title, uint64_t user, struct casehook_cancel *cancel, uint32_t deadline_ms)
{
    struct casehook_params params = {.struct_size = sizeof params, .title = title};
    struct casehook_options options = {
        .struct_size = sizeof options, .user = user, .cancel = cancel, .deadline_ms = deadline_ms};
    uint64_t ticket = 0;
    assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, &options, &ticket, NULL),
                     CASEHOOK_OK);
    return ticket;
}

/* What can be done now. */
static void turn(void)
{
    assert_int_equal(casehook_loop_wait(loop, 0), CASEHOOK_OK);
}

static struct casehook_result *finish(uint64_t *ticket)
{
    struct casehook_result *result;
    for (int i = 0; !(result = casehook_loop_next(loop, ticket)); i++) {
        assert_true(i < 100000);
        assert_int_equal(casehook_loop_wait(loop, 60000), CASEHOOK_OK);
    }
    return result;
}

static void finish_well(void)
{
    uint64_t ticket;
    struct casehook_result *result = finish(&ticket);
    assert_null(casehook_result_error(result));
    casehook_result_free(result);
}

static void expect_not_sent(int status)
{
    uint64_t ticket;
    struct casehook_result *result = finish(&ticket);
    const struct casehook_error *error = casehook_result_error(result);
    assert_int_equal(casehook_error_status(error), status);
    assert_int_equal(casehook_error_outcome(error), CASEHOOK_OUTCOME_NOT_SENT);
    casehook_result_free(result);
    assert_int_equal(sent_count, 0);
}

/* The user of an operation is a time: before its first request it waits until then. */
static int64_t wait_first(void *user, const struct casehook__machine *machine)
{
    (void)user;
    return machine->result->request_count == 0 ? (int64_t)machine->user : 0;
}

/* The same before its second request. */
static int64_t wait_between(void *user, const struct casehook__machine *machine)
{
    (void)user;
    return machine->result->request_count == 1 ? (int64_t)machine->user : 0;
}

/* ---- very many --------------------------------------------------------------------------------- */

#define MANY  10000
#define TIMES 100 /* at which some of them go on */

static void ten_thousand_cost_nothing_while_they_wait(void **state)
{
    (void)state;
    begin(4);
    fake.wait = wait_first;
    for (int i = 0; i < MANY; i++) submit("a", (uint64_t)(fake.now + 1000 + i * 37 % TIMES), NULL, 0);
    while (loop->incoming.first || loop->queue) turn();
    assert_int_equal(fake.transports, 0);
    assert_int_equal(sent_count, 0);
    unsigned before = fake.waits;
    assert_int_equal(casehook_loop_wait(loop, 999), CASEHOOK_OK);
    assert_int_equal(fake.waits - before, 1);
    assert_int_equal(sent_count, 0);
    for (int i = 0; i < MANY; i++) finish_well();
    assert_int_equal(sent_count, 2 * MANY);
    assert_in_range(fake.waits - before, TIMES, 2 * TIMES);
    assert_in_range(fake.most_under_way, 1, 4);
    end();
}

static size_t held;

static void *counted(void *user, void *pointer, size_t size)
{
    (void)user;
    if (pointer) held -= malloc_usable_size(pointer);
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    void *memory = realloc(pointer, size);
    if (memory) held += malloc_usable_size(memory);
    return memory;
}

/* One after a request, whose record it holds as well. */
static void one_holds_little(void **state)
{
    static const struct casehook_allocator allocator = {sizeof allocator, NULL, counted, NULL};
    enum { COUNT = 1000, MOST = 4 * 1024 };
    const size_t params = sizeof(struct casehook_params) + sizeof(struct casehook__parsed_params);
    struct casehook_settings *settings = NULL;
    (void)state;
    begin(4);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    assert_int_equal(casehook_settings_new(&allocator, &settings), CASEHOOK_OK);
    connector = document_connector(settings, "http://127.0.0.1:1", NULL, NULL);
    fake_use(connector);
    loop = fake_loop(10000, 4, &allocator);
    fake.wait = wait_between;
    for (int i = 0; i < 8; i++) submit("a", (uint64_t)fake.now + 5000, NULL, 0); /* what is there once */
    while (sent_count < 8) turn();
    turn();
    size_t before = held;
    for (int i = 0; i < COUNT; i++) submit("a", (uint64_t)fake.now + 5000, NULL, 0);
    while (sent_count < 8 + COUNT) turn();
    turn();
    size_t each = (held - before) / COUNT;
    printf("an operation that waits holds %zu bytes, %zu of them for its params\n", each, params);
    assert_in_range(each, 1, params + MOST);
    for (int i = 0; i < 8 + COUNT; i++) finish_well();
    end();
    casehook_settings_free(settings);
    assert_int_equal(held, 0);
}

/* ---- turns ------------------------------------------------------------------------------------- */

/* While a waits another one has its place; when its time has come it is the next. */
static void others_run_meanwhile(void **state)
{
    static const char *const order[] = {"create a", "create b", "get b",    "get a",
                                        "create c", "get c",    "create d", "get d"};
    (void)state;
    begin(1);
    fake.wait = wait_between;
    answer_after = 100;
    submit("a", (uint64_t)fake.now + 150, NULL, 0);
    submit("b", 0, NULL, 0);
    submit("c", 0, NULL, 0);
    submit("d", 0, NULL, 0);
    for (int i = 0; i < 4; i++) finish_well();
    assert_int_equal(sent_count, 8);
    for (size_t i = 0; i < 8; i++) assert_string_equal(sent[i], order[i]);
    assert_int_equal(fake.most_under_way, 1);
    assert_int_equal(fake.transfers_made, 1); /* always the same slot */
    end();
}

/* Those that go on do so in the order of their times. */
static void the_earlier_one_goes_first(void **state)
{
    (void)state;
    begin(1);
    fake.wait = wait_first;
    answer_after = 100;
    submit("a", (uint64_t)fake.now + 30, NULL, 0);
    submit("b", (uint64_t)fake.now + 20, NULL, 0);
    submit("c", (uint64_t)fake.now + 10, NULL, 0);
    for (int i = 0; i < 3; i++) finish_well();
    assert_string_equal(sent[0], "create c");
    assert_string_equal(sent[2], "create b");
    assert_string_equal(sent[4], "create a");
    end();
}

/* A connector of which all wait has no connections after idleTimeout, and gets new ones. */
static void connections_do_not_wait(void **state)
{
    (void)state;
    begin(4);
    fake.wait = wait_between;
    submit("a", (uint64_t)fake.now + 60000, NULL, 0);
    while (sent_count < 1) turn();
    turn();
    assert_int_equal(fake.transports, 1);
    assert_int_equal(casehook_loop_wait(loop, 20000), CASEHOOK_OK);
    assert_int_equal(fake.transports, 0);
    finish_well();
    assert_int_equal(fake.opened, 2);
    end();
}

/* ---- ends -------------------------------------------------------------------------------------- */

static void a_cancel_by_ticket(void **state)
{
    (void)state;
    begin(4);
    fake.wait = wait_first;
    int64_t begun = fake.now;
    uint64_t ticket = submit("a", (uint64_t)fake.now + 1000, NULL, 0);
    turn();
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
    expect_not_sent(CASEHOOK_E_CANCELLED);
    assert_int_equal(fake.now, begun);
    end();
}

static void a_cancel_by_handle(void **state)
{
    struct casehook_cancel *cancel = NULL;
    (void)state;
    begin(4);
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
    fake.wait = wait_first;
    int64_t begun = fake.now;
    submit("a", (uint64_t)fake.now + 1000, cancel, 0);
    turn();
    casehook_cancel_set(cancel);
    expect_not_sent(CASEHOOK_E_CANCELLED);
    assert_int_equal(fake.now, begun);
    casehook_cancel_free(cancel);
    end();
}

/* Its time has come, but not its turn. */
static void a_cancel_when_it_queues_again(void **state)
{
    uint64_t ticket, other;
    (void)state;
    begin(1);
    fake.wait = wait_first;
    answer_after = 1000;
    ticket = submit("a", (uint64_t)fake.now + 500, NULL, 0);
    submit("b", 0, NULL, 0);
    assert_int_equal(casehook_loop_wait(loop, 600), CASEHOOK_OK);
    assert_int_equal(casehook_loop_cancel(loop, ticket), CASEHOOK_OK);
    struct casehook_result *result = finish(&other);
    assert_true(other == ticket);
    assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_CANCELLED);
    casehook_result_free(result);
    finish_well();
    end();
}

static void the_deadline_of_one(void **state)
{
    (void)state;
    begin(4);
    fake.wait = wait_first;
    int64_t begun = fake.now;
    submit("a", (uint64_t)fake.now + 1000, NULL, 400);
    expect_not_sent(CASEHOOK_E_TIMEOUT);
    assert_int_equal(fake.now, begun + 400);
    end();
}

/* After its create it has an id, whatever comes then. */
static void what_is_known_is_not_lost(void **state)
{
    uint64_t ticket;
    (void)state;
    begin(4);
    fake.wait = wait_between;
    submit("a", (uint64_t)fake.now + 1000, NULL, 400);
    struct casehook_result *result = finish(&ticket);
    assert_int_equal(casehook_error_status(casehook_result_error(result)), CASEHOOK_E_TIMEOUT);
    assert_string_equal(casehook_result_id(result, NULL), "a");
    casehook_result_free(result);
    end();
}

/* The host was away; an answer that came in time takes several reads, and the time is over (R1). */
static void a_large_answer_is_read_late(void **state)
{
    (void)state;
    begin(4);
    fake.watchable = true; /* only ever waited on: driven directly */
    answer_after = 50;
    answer_goes = 4;
    submit("a", 0, NULL, 300);
    turn();
    assert_int_equal(sent_count, 1);
    fake.now += 700;
    uint64_t ticket;
    struct casehook_result *result = finish(&ticket);
    assert_string_equal(casehook_result_id(result, NULL), "a");
    casehook_result_free(result);
    end();
}

static void the_loop_is_freed(void **state)
{
    (void)state;
    begin(1);
    fake.wait = wait_between;
    for (int i = 0; i < 3; i++) submit("a", (uint64_t)fake.now + 1000, NULL, 0);
    while (sent_count < 2) turn(); /* some wait for a time, some for their turn */
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_cost_nothing_while_they_wait),
        cmocka_unit_test(one_holds_little),
        cmocka_unit_test(others_run_meanwhile),
        cmocka_unit_test(the_earlier_one_goes_first),
        cmocka_unit_test(connections_do_not_wait),
        cmocka_unit_test(a_cancel_by_ticket),
        cmocka_unit_test(a_cancel_by_handle),
        cmocka_unit_test(a_cancel_when_it_queues_again),
        cmocka_unit_test(the_deadline_of_one),
        cmocka_unit_test(what_is_known_is_not_lost),
        cmocka_unit_test(a_large_answer_is_read_late),
        cmocka_unit_test(the_loop_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
