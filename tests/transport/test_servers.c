/*
 * test_servers.c - nginx and HAProxy as they close kept connections in daily life: after their own time, and
 * when they are reloaded (H6).  Each create and each push is done, once.
 */
#include "haproxy.h"
#include "nginx.h"
#include "site.h"

#include <poll.h>

enum { ROUNDS = 5, COMMENTS = 3, WRITES = 1 + COMMENTS, SITES = 4 };

static struct nginx_site sites[SITES] = {
    {.name = "brief", .lines = "keepalive_timeout 1s;"},
    {.name = "brief12", .lines = "keepalive_timeout 1s; ssl_protocols TLSv1.2;"},
    {.name = "long", .lines = "keepalive_timeout 75s;"},
    {.name = "plain", .lines = "keepalive_timeout 1s;"},
};
static struct tracker_records *records;
static struct tracker *upstream;
static size_t next_tag;

static int begin(void **state)
{
    (void)state;
    records = tracker_records_new(4096);
    upstream = tracker_start(NULL, records, NULL, NULL);
    next_tag = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    tracker_stop(upstream);
    tracker_records_free(records);
    return 0;
}

/* ---- a client for each way ----------------------------------------------------------------------- */

struct user {
    struct drive drive;
    struct client client;
};

static void users_new(struct user users[WAYS], const char *base, enum scheme scheme)
{
    for (enum way way = 0; way < WAYS; way++) {
        struct answer answer;
        users[way].drive = drive_new(way);
        users[way].client = client_new(NULL, base, site_config(base, scheme), NULL, &answer);
        if (!users[way].client.connector) fail_msg("%s", answer.message);
    }
}

static void users_free(struct user users[WAYS])
{
    for (enum way way = 0; way < WAYS; way++) {
        drive_free(&users[way].drive);
        client_free(&users[way].client);
    }
}

/* One push by each of them; how many were not done, or not once. */
static int push_all(struct user users[WAYS], const char *what, size_t comments)
{
    int failed = 0;
    struct site site = {.records = records};
    for (enum way way = 0; way < WAYS; way++) {
        size_t tag = next_tag;
        next_tag += 1 + comments;
        int operation = comments ? CASEHOOK_PUSH : CASEHOOK_CREATE;
        struct answer answer =
            drive_call(&users[way].drive, &users[way].client, operation, site_params(tag, comments), 0);
        if (!answer.status && site_did_once(&site, tag, 1 + comments)) continue;
        failed++;
        print_message("%s, %s: status %d, outcome %d: %s\n", what, way_name(way), answer.status,
                      answer.outcome, answer.message);
    }
    return failed;
}

/* ---- servers ------------------------------------------------------------------------------------- */

static struct nginx *start_nginx(void)
{
    const struct http_tls *tls = site_tls(HTTPS13);
    for (size_t i = 0; i < SITES - 1; i++) {
        sites[i].chain = tls->certificate;
        sites[i].key = tls->key;
    }
    struct nginx *nginx = nginx_start_with_master(sites, SITES, tracker_port(upstream));
    assert_non_null(nginx);
    return nginx;
}

static const char *base_of(size_t site)
{
    return text_of("%s://localhost:%u", site == SITES - 1 ? "http" : "https", sites[site].port);
}

static void nginx_closes_after_a_second(void **state)
{
    (void)state;
    static const size_t brief[] = {0, 1, 3};
    struct user users[COUNT(brief)][WAYS];
    struct nginx *nginx = start_nginx();
    int failed = 0;
    for (size_t i = 0; i < COUNT(brief); i++)
        users_new(users[i], base_of(brief[i]), brief[i] == 3 ? HTTP : HTTPS13);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < COUNT(brief); i++) failed += push_all(users[i], sites[brief[i]].name, 0);
        if (round + 1 < ROUNDS) poll(NULL, 0, 2000);
    }
    for (size_t i = 0; i < COUNT(brief); i++) users_free(users[i]);
    nginx_stop(nginx);
    assert_int_equal(failed, 0);
}

static void nginx_is_reloaded(void **state)
{
    (void)state;
    struct user users[WAYS];
    struct nginx *nginx = start_nginx();
    int failed = 0;
    users_new(users, base_of(2), HTTPS13);
    for (int round = 0; round < ROUNDS; round++) {
        failed += push_all(users, "between reloads", 0);
        assert_int_equal(nginx_reload(nginx), 0);
        poll(NULL, 0, 700);
    }
    users_free(users);
    nginx_stop(nginx);
    assert_int_equal(failed, 0);
}

static void haproxy_closes_after_200_ms(void **state)
{
    (void)state;
    if (!haproxy_is_there()) {
        print_message("SKIP: there is no haproxy here\n");
        skip();
    }
    struct user users[WAYS];
    const struct http_tls *tls = site_tls(HTTPS13);
    struct haproxy *haproxy = haproxy_start(tls->certificate, tls->key, "200ms", tracker_port(upstream));
    assert_non_null(haproxy);
    int failed = 0;
    users_new(users, text_of("https://127.0.0.1:%u", haproxy_port(haproxy)), HTTPS13);
    for (int round = 0; round < 3 * ROUNDS; round++) {
        failed += push_all(users, "HAProxy", COMMENTS);
        poll(NULL, 0, 250);
    }
    users_free(users);
    haproxy_stop(haproxy);
    assert_int_equal(failed, 0);
}

int main(void)
{
    if (!nginx_is_there()) {
        print_message("SKIP: there is no nginx here\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nginx_closes_after_a_second, begin, end),
        cmocka_unit_test_setup_teardown(nginx_is_reloaded, begin, end),
        cmocka_unit_test_setup_teardown(haproxy_closes_after_200_ms, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
