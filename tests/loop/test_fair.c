/* test_fair.c - limits, back-pressure, turns between connectors. */
#include "fixture.h"

#include "loop/loop_private.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static void busy(void **state)
{
    struct tracker tracker;
    uint64_t ticket = 1;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(3, 0);
    struct casehook_params params = {.struct_size = sizeof params, .title = "disk full"};
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 3; i++) submit_create(loop, connector, "disk full");
        assert_int_equal(casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, &ticket, NULL),
                         CASEHOOK_E_BUSY);
        assert_true(ticket == 0);
        assert_int_equal(casehook_loop_pending(loop), 3);
        for (int i = 0; i < 3; i++) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    }
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

static void connections_are_limited_and_used_again(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 3);
    for (int i = 0; i < 12; i++) submit_create(loop, connector, "slow");
    for (int i = 0; i < 12; i++) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    assert_int_equal(http_server_connections(tracker.server), 3);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

/* The operations of one connector begin in order. */
static void in_order(void **state)
{
    struct tracker tracker;
    uint64_t tickets[20];
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = loop_make(0, 1);
    for (int i = 0; i < 20; i++) tickets[i] = submit_create(loop, connector, "disk full");
    for (int i = 0; i < 20; i++) {
        struct finished finished = loop_finish(loop);
        assert_true(finished.ticket == tickets[i]);
        assert_int_equal(finished_status(finished), CASEHOOK_OK);
    }
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

/* A connector with a long queue does not hold up one with a single operation. */
static void connectors_take_turns(void **state)
{
    struct tracker trackers[4];
    struct casehook_connector *connectors[4];
    uint64_t single[4] = {0};
    (void)state;
    for (int i = 0; i < 4; i++) {
        tracker_start(&trackers[i], NULL, NULL);
        connectors[i] = tracker_connector(&trackers[i]);
    }
    struct casehook_loop *loop = loop_make(2000, 2);
    for (int i = 0; i < 40; i++) submit_create(loop, connectors[0], "slow");
    for (int i = 1; i < 4; i++) single[i] = submit_create(loop, connectors[i], "disk full");
    int others = 0, before = 0;
    while (others < 3) {
        struct finished finished = loop_finish(loop);
        bool other =
            finished.ticket == single[1] || finished.ticket == single[2] || finished.ticket == single[3];
        others += other;
        before += !other;
        assert_int_equal(finished_status(finished), CASEHOOK_OK);
    }
    assert_true(before < 30);
    casehook_loop_free(loop);
    for (int i = 0; i < 4; i++) {
        casehook_connector_unref(connectors[i]);
        tracker_stop(&trackers[i]);
    }
}

/* A connector whose server does not answer holds nobody up. */
static void a_dead_server_hurts_only_its_own(void **state)
{
    struct tracker dead, alive;
    (void)state;
    tracker_start(&dead, NULL, NULL);
    tracker_start(&alive, NULL, NULL);
    struct casehook_connector *bad = tracker_connector(&dead), *good = tracker_connector(&alive);
    struct casehook_loop *loop = loop_make(0, 4);
    for (int i = 0; i < 8; i++) submit_create(loop, bad, "stall");
    loop_until_requests(loop, &dead, 4);
    for (int i = 0; i < 20; i++) submit_create(loop, good, "disk full");
    int64_t begun = now_ms();
    for (int i = 0; i < 20; i++) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    assert_true(now_ms() - begun < 8000);
    assert_int_equal(casehook_loop_pending(loop), 8);
    casehook_loop_free(loop);
    casehook_connector_unref(bad);
    casehook_connector_unref(good);
    tracker_stop(&dead);
    tracker_stop(&alive);
}

/* A transport with very many connections takes long to find a free one; nobody answers here, so all stay. */
static void many_connections_are_shared_out(void **state)
{
    enum { COUNT = CASEHOOK__GROUP_SLOTS + 100 };
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    char base[64];
    unsigned most = 0, all = 0;
    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, COUNT), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    snprintf(base, sizeof base, "http://127.0.0.1:%u", ntohs(address.sin_port));
    struct casehook_connector *connector = document_connector(NULL, base, NULL, NULL);
    struct casehook_loop *loop = loop_make(COUNT, COUNT);
    for (int i = 0; i < COUNT; i++) submit_create(loop, connector, "disk full");
    for (int i = 0; i < 1000 && all < COUNT; i++) {
        loop_turn(loop, 10);
        most = all = 0;
        for (uint32_t k = 0; k < loop->client_count; k++) {
            all += loop->clients[k]->transfers;
            if (loop->clients[k]->transfers > most) most = loop->clients[k]->transfers;
        }
    }
    assert_int_equal(all, COUNT);
    assert_int_equal(most, CASEHOOK__GROUP_SLOTS);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    close(listener);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(busy),
        cmocka_unit_test(connections_are_limited_and_used_again),
        cmocka_unit_test(in_order),
        cmocka_unit_test(connectors_take_turns),
        cmocka_unit_test(a_dead_server_hurts_only_its_own),
        cmocka_unit_test(many_connections_are_shared_out),
    };
    mode_set(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
