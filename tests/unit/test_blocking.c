/* test_blocking.c - the driver that blocks: which slot it has when, how it waits, how it ends. */
#include "documents.h"
#include "fake_transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct casehook_connector *connector;
static struct casehook_cancel *cancel;
static unsigned sent;
static int64_t answer_after;
static size_t idle_in_pause;

static void answer(void *user, const struct casehook__request *request, struct fake_answer *answer)
{
    (void)user;
    sent++;
    answer->after_ms = answer_after;
    answer->status = request->call == CASEHOOK__CALL_CREATE ? 201 : 200;
    answer->body = "{\"id\":\"42\",\"key\":\"CASE-42\"}";
}

/* The user of an operation is a time: before its second request it waits until then. */
static int64_t wait_between(void *user, const struct casehook__machine *machine)
{
    (void)user;
    return machine->result->request_count == 1 ? (int64_t)machine->user : 0;
}

static void look(void *user, int64_t until)
{
    (void)user;
    (void)until;
    idle_in_pause = connector->idle_count;
}

static void cancel_it(void *user, int64_t until)
{
    (void)user;
    (void)until;
    casehook_cancel_set(cancel);
}

static void begin(void)
{
    fake_reset();
    fake.answer = answer;
    sent = 0;
    answer_after = 0;
    connector = document_connector(NULL, "http://127.0.0.1:1", NULL, NULL);
    fake_use(connector);
    assert_int_equal(casehook_cancel_new(NULL, &cancel), CASEHOOK_OK);
}

static void end(void)
{
    casehook_cancel_free(cancel);
    casehook_connector_unref(connector);
    assert_int_equal(fake.transports, 0);
}

static struct casehook_result *create(int64_t wait_ms, uint32_t deadline_ms)
{
    struct casehook_params params = {.struct_size = sizeof params, .title = "disk full"};
    struct casehook_options options = {.struct_size = sizeof options,
                                       .user = (uint64_t)(fake.now + wait_ms),
                                       .cancel = cancel,
                                       .deadline_ms = deadline_ms};
    struct casehook_result *result = NULL;
    casehook_create(connector, &params, &options, &result);
    assert_non_null(result);
    return result;
}

static void expect(struct casehook_result *result, int status)
{
    assert_int_equal(casehook_error_status(casehook_result_error(result)), status);
    casehook_result_free(result);
}

static void one_slot_for_what_follows_at_once(void **state)
{
    (void)state;
    begin();
    for (int i = 0; i < 3; i++) expect(create(0, 0), CASEHOOK_OK);
    assert_int_equal(sent, 6);
    assert_int_equal(fake.opened, 1);
    assert_int_equal(fake.transfers_made, 1);
    assert_int_equal(fake.pauses, 0);
    assert_int_equal(connector->idle_count, 1);
    assert_int_equal(connector->warm_count, 1);
    end();
}

static void nothing_is_held_in_a_wait(void **state)
{
    (void)state;
    begin();
    fake.wait = wait_between;
    fake.pause = look;
    int64_t begun = fake.now;
    expect(create(5000, 0), CASEHOOK_OK);
    assert_int_equal(fake.now, begun + 5000);
    assert_int_equal(fake.pauses, 1);
    assert_int_equal(idle_in_pause, 1);
    assert_int_equal(fake.opened, 1);
    end();
}

static void a_cancel_ends_a_wait(void **state)
{
    (void)state;
    begin();
    fake.wait = wait_between;
    fake.pause = cancel_it;
    int64_t begun = fake.now;
    struct casehook_result *result = create(5000, 0);
    assert_string_equal(casehook_result_id(result, NULL), "42");
    expect(result, CASEHOOK_E_CANCELLED);
    assert_int_equal(fake.now, begun);
    assert_int_equal(sent, 1);
    end();
}

static void so_does_the_deadline(void **state)
{
    (void)state;
    begin();
    fake.wait = wait_between;
    int64_t begun = fake.now;
    struct casehook_result *result = create(5000, 700);
    assert_string_equal(casehook_result_id(result, NULL), "42");
    expect(result, CASEHOOK_E_TIMEOUT);
    assert_int_equal(fake.now, begun + 700);
    assert_int_equal(sent, 1);
    end();
}

static void an_answer_has_its_time(void **state)
{
    (void)state;
    begin();
    int64_t begun = fake.now;
    answer_after = connector->context.settings->response_timeout_ms - 1;
    expect(create(0, 0), CASEHOOK_OK);
    assert_int_equal(fake.now, begun + 2 * answer_after);
    begun = fake.now;
    answer_after += 2;
    expect(create(0, 0), CASEHOOK_E_TIMEOUT);
    assert_int_equal(fake.now, begun + answer_after - 1);
    begun = fake.now;
    expect(create(0, 300), CASEHOOK_E_TIMEOUT);
    assert_int_equal(fake.now, begun + 300);
    end();
}

/* Machines go with the slots that they are kept beside. */
static void idle_ones_go(void **state)
{
    (void)state;
    begin();
    expect(create(0, 0), CASEHOOK_OK);
    struct casehook__slot *slot = casehook__slot_take(connector), *other = casehook__slot_new(connector);
    struct casehook__work *work = casehook__work_take(connector), *more = casehook__work_new(connector);
    casehook__slot_give(connector, slot);
    casehook__slot_give(connector, other);
    casehook__work_give(connector, work);
    casehook__work_give(connector, more);
    assert_int_equal(connector->warm_count, 2);
    fake.now += connector->context.settings->idle_timeout_ms + 1;
    casehook__slot_give(connector, casehook__slot_new(connector));
    assert_int_equal(connector->idle_count, 1);
    assert_int_equal(connector->warm_count, 1);
    assert_int_equal(fake.transports, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_slot_for_what_follows_at_once),
        cmocka_unit_test(nothing_is_held_in_a_wait),
        cmocka_unit_test(a_cancel_ends_a_wait),
        cmocka_unit_test(so_does_the_deadline),
        cmocka_unit_test(an_answer_has_its_time),
        cmocka_unit_test(idle_ones_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
