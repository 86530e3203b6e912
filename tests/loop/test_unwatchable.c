/* test_unwatchable.c - sockets that the system refuses to watch: operations go on, and nobody else's suffer.
 */
#include "fixture.h"

#include "loop/loop_private.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__linux__)

#define FILES_MAX 1024

static struct casehook__backend_ops ops; /* epoll, but for watch */
static uint32_t blinded = UINT32_MAX;    /* sockets of this client are refused */
static uint32_t owners[FILES_MAX];       /* + 1, of what is watched or was refused */
static unsigned refused, taken_away;

static bool watch(void *backend, int descriptor, int events, bool fresh, uint32_t owner)
{
    assert_in_range(descriptor, 0, FILES_MAX - 1);
    if (events == 0 && owners[descriptor] && owners[descriptor] != owner + 1) taken_away++;
    owners[descriptor] = events ? owner + 1 : 0;
    if (events && owner == blinded) {
        refused++;
        return false;
    }
    return casehook__backend_epoll.watch(backend, descriptor, events, fresh, owner);
}

static struct casehook_loop *make(void)
{
    struct casehook_loop *loop = NULL;
    ops = casehook__backend_epoll;
    ops.watch = watch;
    refused = taken_away = 0;
    memset(owners, 0, sizeof owners);
    assert_int_equal(casehook__loop_new_with(NULL, &ops, &loop), CASEHOOK_OK);
    if (mode == MODE_FD) assert_true(casehook_loop_fd(loop) >= 0);
    return loop;
}

static void operations_go_on(void **state)
{
    struct tracker tracker;
    (void)state;
    tracker_start(&tracker, NULL, NULL);
    struct casehook_connector *connector = tracker_connector(&tracker);
    struct casehook_loop *loop = make();
    blinded = 0;
    for (int i = 0; i < 20; i++) submit_create(loop, connector, i % 2 ? "slow" : "disk full");
    for (int i = 0; i < 20; i++) assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    if (mode == MODE_FD) assert_true(refused > 0);
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    tracker_stop(&tracker);
}

/* Listens and never accepts. */
static int silent_listener(int family, int backlog, in_port_t *port)
{
    struct sockaddr_in v4 = {
        .sin_family = AF_INET, .sin_port = *port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = *port, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool six = family == AF_INET6;
    socklen_t length = six ? sizeof v6 : sizeof v4;
    struct sockaddr *address = six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    int listener = socket(family, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, address, length) || listen(listener, backlog) ||
        getsockname(listener, address, &length))
        return -1;
    *port = six ? v6.sin6_port : v4.sin_port;
    return listener;
}

/* Fills the queue of a listener: further connections to it stay on their way. */
static void fill(int listener, int sockets[4])
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    for (int i = 0; i < 4; i++) {
        sockets[i] = socket(address.ss_family, SOCK_STREAM, 0);
        fcntl(sockets[i], F_SETFL, O_NONBLOCK);
        (void)!connect(sockets[i], (struct sockaddr *)&address, length);
    }
}

/* An attempt to connect that loses is closed silently; its number goes to a socket of the other connector. */
static void use_a_number_again(in_port_t port)
{
    struct tracker tracker;
    char base[64];
    tracker_start(&tracker, NULL, NULL);
    snprintf(base, sizeof base, "http://localhost:%u", ntohs(port));
    struct casehook_connector *two = document_connector(NULL, base, NULL, NULL),
                              *one = tracker_connector(&tracker);
    struct casehook_loop *loop = make();
    submit_create(loop, one, "disk full"); /* its client is the first one, and keeps a connection */
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_OK);
    blinded = 1;
    uint64_t lost = submit_create(loop, two, "disk full");
    for (int i = 0; i < 80; i++) loop_turn(loop, 10);
    uint64_t stalled[2] = {submit_create(loop, one, "stall"), submit_create(loop, one, "stall")};
    loop_until_requests(loop, &tracker, 4);
    assert_int_equal(casehook_loop_cancel(loop, lost), CASEHOOK_OK);
    assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_E_CANCELLED);
    if (mode == MODE_FD) assert_true(refused > 0);
    assert_int_equal(taken_away, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(casehook_loop_cancel(loop, stalled[i]), CASEHOOK_OK);
        assert_int_equal(finished_status(loop_finish(loop)), CASEHOOK_E_CANCELLED);
    }
    casehook_loop_free(loop);
    casehook_connector_unref(one);
    casehook_connector_unref(two);
    tracker_stop(&tracker);
}

static void numbers_that_are_used_again(void **state)
{
    (void)state;
    for (int stuck = 0; stuck < 2; stuck++) { /* whichever libcurl tries first */
        in_port_t port = 0;
        int sockets[4], listeners[2];
        listeners[0] = silent_listener(AF_INET, stuck == 0 ? 0 : 16, &port);
        listeners[1] = silent_listener(AF_INET6, stuck == 1 ? 0 : 16, &port);
        assert_true(listeners[0] >= 0);
        if (listeners[1] < 0) {
            print_message("SKIP: no IPv6 on loopback, so no attempt to connect can lose\n");
            close(listeners[0]);
            return;
        }
        fill(listeners[stuck], sockets);
        use_a_number_again(port);
        for (int i = 0; i < 4; i++) close(sockets[i]);
        for (int i = 0; i < 2; i++) close(listeners[i]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_go_on),
        cmocka_unit_test(numbers_that_are_used_again),
    };
    mode_set(argc, argv);
    if (mode == MODE_POLL) {
        puts("SKIP: the backend of poll refuses for lack of memory alone");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void)
{
    puts("SKIP: it stands in for the backend of Linux");
    return 77;
}
#endif
