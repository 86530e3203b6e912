/*
 * test_campaign.c - many tagged creates to servers that close, reset, say 408, write what nobody asked for,
 * or are reloaded, at random (H6, H7, R1).
 *
 *     test_transport_campaign [CREATES [SEED]]
 *
 * Of every create it is compared what the result says and what the server has read.
 */
#include "nginx.h"
#include "memory.h"
#include "nginx.h"
#include "site.h"

#include <poll.h>

enum { CREATES_USUAL = 9000, TOLD_MAX = 20, TURNS = 24 };

static size_t creates = CREATES_USUAL;
static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

/* ---- what servers do ------------------------------------------------------------------------------- */

#define LATE "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define STRAY \
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"id\":\"STRAY\"}"

static const struct turn misdeeds[] = {
    {.end = TURN_CLOSE},
    {.end = TURN_CLOSE, .end_us = 200},
    {.end = TURN_CLOSE, .end_us = 1000},
    {.end = TURN_CLOSE, .end_us = 10000},
    {.end = TURN_CLOSE, .end_us = 200, .silent = 1},
    {.end = TURN_CLOSE, .announced = 1},
    {.end = TURN_RESET, .end_us = 500},
    {.end = TURN_CLOSE, .drained = 1},
    {.no_answer = 1, .end = TURN_CLOSE},
    {.no_answer = 1, .end = TURN_RESET},
    {.no_answer = 1, .undone = 1, .end = TURN_CLOSE},
    {.read_only = 40, .end = TURN_CLOSE},
    {.read_only = 200, .end = TURN_RESET},
    {.idle_us = 1500},
    {.idle_us = 1500, .idle_text = LATE},
    {.idle_us = 1500, .idle_text = "\r\n"},
    {.behind = STRAY, .behind_us = -1},
    {.behind = "\r\n", .behind_us = -1},
    {.behind = "stray", .behind_us = 0},
};

/* Two of three requests are treated well. */
static struct turn at_random(void *user, const struct tracker_request *request)
{
    (void)user;
    (void)request;
    return random_below(3) ? (struct turn){0} : misdeeds[random_below(COUNT(misdeeds))];
}

/* ---- what came of it ------------------------------------------------------------------------------- */

struct sum {
    size_t done, refused, not_sent, unknown, twice, false_done, false_not_sent, unread;
};

static void tell(const char *what, size_t tag, const struct answer *answer)
{
    static size_t told;
    if (told++ < TOLD_MAX) print_message("tag %zu %s: %s\n", tag, what, answer->message);
}

/* The outcome of the create itself: a result that failed later has its id. */
static int outcome_of(const struct answer *answer)
{
    return answer->status == CASEHOOK_OK || (answer->id[0] && answer->outcome != CASEHOOK_OUTCOME_UNKNOWN)
               ? CASEHOOK_OUTCOME_DONE
               : answer->outcome;
}

static void judge(struct sum *sum, const struct tracker_record *record, size_t tag,
                  const struct answer *answer)
{
    unsigned whole = atomic_load(&record->whole), part = atomic_load(&record->part),
             done = atomic_load(&record->done);
    switch (outcome_of(answer)) {
    case CASEHOOK_OUTCOME_DONE:
        sum->done++;
        if (done == 1) break;
        sum->false_done++;
        tell("was not done", tag, answer);
        break;
    case CASEHOOK_OUTCOME_NOT_SENT:
        sum->not_sent++;
        if (whole + part == 0) break;
        sum->false_not_sent++;
        tell("was sent", tag, answer);
        break;
    case CASEHOOK_OUTCOME_REFUSED: sum->refused++; break;
    default:
        sum->unknown++;
        if (whole + part) break;
        sum->unread++;
        tell("is unknown, and was not read", tag, answer);
    }
    if (whole + part <= 1) return;
    sum->twice++;
    tell("was sent twice", tag, answer);
}

static void sum_add(struct sum *sum, const struct sum *more)
{
    sum->done += more->done;
    sum->refused += more->refused;
    sum->not_sent += more->not_sent;
    sum->unknown += more->unknown;
    sum->twice += more->twice;
    sum->false_done += more->false_done;
    sum->false_not_sent += more->false_not_sent;
    sum->unread += more->unread;
}

static void print_sum(const char *what, const struct sum *sum)
{
    print_message(
        "%s: %zu done, %zu refused, %zu not sent, %zu unknown (%zu of these not read); sent twice %zu, "
        "false done %zu, false not sent %zu\n",
        what, sum->done, sum->refused, sum->not_sent, sum->unknown, sum->unread, sum->twice, sum->false_done,
        sum->false_not_sent);
}

/* ---- the campaign ----------------------------------------------------------------------------------- */

static void make_creates(struct sum *sum, struct site *site, enum way way, size_t count,
                         void (*between)(void *user, size_t number), void *user)
{
    struct drive drive = drive_new(way);
    struct answer *answers = must_alloc(count * sizeof *answers);
    for (size_t i = 0; i < count; i++) {
        answers[i] = drive_call(&drive, &site->client, CASEHOOK_CREATE, site_params(i, 0), 0);
        if (random_below(50) == 0) poll(NULL, 0, 3);
        if (between) between(user, i);
    }
    drive_free(&drive);
    if (site->tracker) tracker_settle(site->tracker);
    for (size_t i = 0; i < count; i++) judge(sum, &site->records->of[i], i, &answers[i]);
    free(answers);
}

static void servers_of_our_own(void **state)
{
    (void)state;
    struct sum sum = {0};
    size_t count = creates / (SCHEMES * WAYS);
    for (int i = 0; i < SCHEMES * WAYS; i++) {
        struct site site = site_new(i / WAYS, "{\"responseTimeout\":\"2s\"}", NULL, count, at_random, NULL);
        struct sum own = {0};
        make_creates(&own, &site, i % WAYS, count, NULL, NULL);
        print_sum(text_of("%s, %s", scheme_name(i / WAYS), way_name(i % WAYS)), &own);
        site_free(&site);
        sum_add(&sum, &own);
    }
    print_sum("all", &sum);
    assert_int_equal(sum.twice + sum.false_done + sum.false_not_sent, 0);
    /* Trust is lost by a write at most once for each connector, and then it is dear. */
    assert_in_range(sum.unread, 0, SCHEMES * WAYS);
    assert_true(sum.done > sum.unknown);
}

/* ---- nginx that is reloaded ---------------------------------------------------------------------------- */

enum { NGINX_SITES = 3, CREATES_PER_RELOAD = 150 };

static struct nginx_site sites[NGINX_SITES] = {
    {.name = "plain"}, {.name = "tls"}, {.name = "h2", .http2 = 1}};

static void reload_now_and_then(void *user, size_t number)
{
    if (number % CREATES_PER_RELOAD == CREATES_PER_RELOAD - 1) assert_int_equal(nginx_reload(user), 0);
}

static void servers_that_are_reloaded(void **state)
{
    (void)state;
    if (!nginx_is_there()) {
        print_message("SKIP: there is no nginx here\n");
        skip();
    }
    struct sum sum = {0};
    size_t count = creates / (NGINX_SITES * WAYS) / 2;
    for (size_t i = 0; i < NGINX_SITES * WAYS; i++) {
        struct answer answer;
        struct sum own = {0};
        size_t which = i / WAYS;
        struct site site = {.records = tracker_records_new(count)};
        site.tracker = tracker_start(NULL, site.records, NULL, NULL);
        const struct http_tls *tls = site_tls(HTTPS13);
        for (size_t k = 1; k < NGINX_SITES; k++) sites[k].chain = tls->certificate, sites[k].key = tls->key;
        struct nginx *nginx = nginx_start_with_master(sites, NGINX_SITES, tracker_port(site.tracker));
        assert_non_null(nginx);
        site.base = text_of("%s://localhost:%u", which ? "https" : "http", sites[which].port);
        site.client = client_new(which == 2 ? "{\"httpVersion\":\"2\"}" : NULL, site.base,
                                 site_config(site.base, which ? HTTPS13 : HTTP), NULL, &answer);
        if (!site.client.connector) fail_msg("%s", answer.message);
        make_creates(&own, &site, i % WAYS, count, reload_now_and_then, nginx);
        print_sum(text_of("nginx %s, %s", sites[which].name, way_name(i % WAYS)), &own);
        nginx_stop(nginx);
        site_free(&site);
        sum_add(&sum, &own);
    }
    print_sum("nginx", &sum);
    assert_int_equal(sum.twice + sum.false_done + sum.false_not_sent, 0);
    assert_in_range(sum.unknown, 0, NGINX_SITES * WAYS);
}

int main(int argc, char **argv)
{
    if (argc > 1) creates = strtoul(argv[1], NULL, 10);
    if (argc > 2) seed = (uint32_t)strtoul(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(servers_of_our_own),
                                       cmocka_unit_test(servers_that_are_reloaded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
