/*
 * test_campaign.c - creates without end at servers that treat kept connections badly (H6, H7).
 *
 *     test_transport_campaign [CREATES [SEED]]
 *
 * Closes before and behind an answer, announced or not, at once or 0.2, 1, 10 ms later, resets, 408 and stray
 * bytes where nothing was asked, second answers, reloads of nginx; by http, https and HTTP/2 and through each
 * driver.  Each server remembers every create that it read, wholly or in part: nothing is sent twice, nothing
 * is called done that was not, and nothing not sent that was read.  "unknown" is only what the server had
 * read, but for where it closes without reading what is on its way already: there nobody can know.
 */
#include "campaign.h"
#include "memory.h"
#include "nginx.h"

enum { CREATES_USUAL = 9000, RELOAD_EVERY = 400 };

static size_t wanted = CREATES_USUAL;
static unsigned seed = 1;

/* ---- what the servers do ------------------------------------------------------------------------- */

#define JSON_HEAD "\r\nContent-Type: application/json\r\nContent-Length: "
static const char second_answer[] = "HTTP/1.1 201 Created" JSON_HEAD "14\r\n\r\n{\"id\":\"STRAY\"}";
static const char too_late[] =
    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/* Abrupt: what was on its way when the connection was closed is not read any more. */
struct mood {
    unsigned state;
    int abrupt;
    int settled; /* the client waits until stray bytes are there */
};

static unsigned draw(struct mood *mood, unsigned below)
{
    mood->state = mood->state * 1664525u + 1013904223u;
    return (mood->state >> 8) % below;
}

static struct turn end_behind(struct mood *mood)
{
    static const long delays_us[] = {0, 200, 1000, 10000};
    struct turn turn = {.end = TURN_CLOSE, .end_us = delays_us[draw(mood, 4)], .silent = (int)draw(mood, 2)};
    turn.drained = !mood->abrupt;
    if (mood->abrupt && draw(mood, 2)) turn.end = TURN_RESET;
    return turn;
}

static struct turn no_answer(struct mood *mood)
{
    struct turn turn = {.no_answer = 1, .undone = (int)draw(mood, 2), .end = TURN_CLOSE};
    if (draw(mood, 2)) turn.end = TURN_RESET;
    return turn;
}

/* Of a hundred requests seventy are treated well. */
static struct turn any_turn(void *user, const struct tracker_request *request)
{
    struct mood *mood = user;
    struct turn turn = {0};
    unsigned dice = draw(mood, 100);
    if (dice < 8) return end_behind(mood);
    if (dice < 12) return no_answer(mood);
    if (dice < 15) return (struct turn){.read_only = 60 + draw(mood, 100), .end = TURN_CLOSE};
    if (dice < 18) return (struct turn){.announced = 1, .end = TURN_CLOSE};
    if (dice < 21) return (struct turn){.idle_us = 2000, .idle_text = too_late, .drained = 1};
    if (dice < 23) return (struct turn){.idle_us = 2000, .idle_text = "\r\n", .drained = 1};
    if (dice < 25) return (struct turn){.idle_us = 2000, .drained = 1};
    if (dice < 27) return (struct turn){.behind = "\r\n", .behind_us = -1};
    if (dice < 29) return (struct turn){.behind = second_answer, .behind_us = -1};
    if (dice < 30 && mood->settled && strcmp(request->method, "GET") == 0)
        turn = (struct turn){.behind = second_answer, .behind_us = 300};
    return turn;
}

/* ---- one server, one driver -------------------------------------------------------------------------- */

static void add(struct campaign_counts *sum, const struct campaign_counts *counts)
{
    sum->creates += counts->creates;
    sum->done += counts->done;
    sum->refused += counts->refused;
    sum->not_sent += counts->not_sent;
    sum->unknown += counts->unknown;
    sum->unread += counts->unread;
    sum->twice += counts->twice;
    sum->false_done += counts->false_done;
    sum->false_not_sent += counts->false_not_sent;
    sum->wrong_id += counts->wrong_id;
}

static void tell(const char *what, enum way way, const struct campaign_counts *counts)
{
    print_message(
        "%-28s %-15s %6zu creates: done %zu, refused %zu, not sent %zu, unknown %zu (never read %zu); sent "
        "twice %zu, false done %zu, false not sent %zu, wrong id %zu\n",
        what, way_name(way), counts->creates, counts->done, counts->refused, counts->not_sent,
        counts->unknown, counts->unread, counts->twice, counts->false_done, counts->false_not_sent,
        counts->wrong_id);
}

static struct campaign_counts sum;
static size_t unread_without_need;

/* Parts that showed no tag belong to creates of which nobody knows. */
static void end_of(const char *what, const struct campaign *campaign, struct campaign_counts *counts)
{
    size_t nameless = atomic_load(&campaign->records->nameless);
    campaign_count(campaign, counts);
    counts->unread -= nameless < counts->unread ? nameless : counts->unread;
    tell(what, campaign->way, counts);
    add(&sum, counts);
}

static const char settings_text[] = "{\"responseTimeout\":\"20s\"}";

static void own_server(const char *what, enum scheme scheme, int abrupt, enum way way, size_t count)
{
    struct mood mood = {.state = seed * 7919u + (unsigned)way, .abrupt = abrupt, .settled = way == BLOCKING};
    struct site site = site_new(scheme, settings_text, NULL, count, any_turn, &mood);
    struct campaign campaign = {
        .way = way, .connector = site.client.connector, .records = site.records, .count = count};
    struct campaign_counts counts = {0};
    campaign.outcomes = must_alloc(count);
    campaign.settle = site.tracker;
    campaign_run(&campaign, &counts.wrong_id);
    client_free(&site.client);
    tracker_stop(site.tracker);
    end_of(what, &campaign, &counts);
    if (!abrupt) unread_without_need += counts.unread;
    free(campaign.outcomes);
    tracker_records_free(site.records);
}

static void no_lies(void)
{
    assert_int_equal(sum.twice, 0);
    assert_int_equal(sum.false_done, 0);
    assert_int_equal(sum.false_not_sent, 0);
    assert_int_equal(sum.wrong_id, 0);
    assert_int_equal(unread_without_need, 0);
    assert_true(sum.unread <= sum.creates / 100);
}

static void servers_of_our_own(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum scheme scheme;
        int abrupt;
    } servers[] = {{"http", HTTP, 0},
                   {"https (TLS 1.3)", HTTPS13, 0},
                   {"https (TLS 1.2)", HTTPS12, 0},
                   {"http, abrupt ends", HTTP, 1},
                   {"https (TLS 1.3), abrupt ends", HTTPS13, 1}};
    for (size_t i = 0; i < COUNT(servers) * WAYS; i++)
        own_server(servers[i / WAYS].what, servers[i / WAYS].scheme, servers[i / WAYS].abrupt, i % WAYS,
                   wanted / 24);
    no_lies();
}

/* ---- nginx, reloaded again and again ------------------------------------------------------------------ */

struct reloads {
    struct nginx *nginx;
    size_t creates;
};

static void reload_now_and_then(void *user)
{
    struct reloads *reloads = user;
    if (++reloads->creates % RELOAD_EVERY == 0) nginx_reload(reloads->nginx);
}

static void behind_nginx(struct nginx_site *nginx_site, struct reloads *reloads, unsigned upstream_tags,
                         struct tracker_records *records, enum way way, size_t count)
{
    struct answer answer;
    enum scheme scheme = nginx_site->chain ? HTTPS13 : HTTP;
    const char *base = text_of("%s://localhost:%u", scheme == HTTP ? "http" : "https", nginx_site->port);
    struct client client =
        client_new(nginx_site->http2 ? "{\"responseTimeout\":\"20s\",\"httpVersion\":\"2\"}" : settings_text,
                   base, site_config(base, scheme), NULL, &answer);
    if (!client.connector) fail_msg("%s", answer.message);
    struct campaign campaign = {.way = way,
                                .connector = client.connector,
                                .records = records,
                                .first = upstream_tags,
                                .count = count,
                                .between = reload_now_and_then,
                                .user = reloads};
    struct campaign_counts counts = {0};
    campaign.outcomes = must_alloc(count);
    campaign_run(&campaign, &counts.wrong_id);
    client_free(&client);
    end_of(text_of("nginx, %s, reloads", nginx_site->name), &campaign, &counts);
    free(campaign.outcomes);
}

static void nginx_with_reloads(void **state)
{
    (void)state;
    if (!nginx_is_there()) {
        print_message("SKIP: there is no nginx here\n");
        skip();
    }
    const struct http_tls *tls = site_tls(HTTPS13);
    struct nginx_site sites[] = {{.name = "http", .lines = "keepalive_requests 1000;"},
                                 {.name = "https", .chain = tls->certificate, .key = tls->key},
                                 {.name = "h2", .chain = tls->certificate, .key = tls->key, .http2 = 1}};
    size_t count = wanted / 24;
    struct tracker_records *records = tracker_records_new(COUNT(sites) * WAYS * count);
    struct tracker *upstream = tracker_start(NULL, records, NULL, NULL);
    struct reloads reloads = {.nginx = nginx_start_with_master(sites, COUNT(sites), tracker_port(upstream))};
    assert_non_null(reloads.nginx);
    for (size_t i = 0; i < COUNT(sites) * WAYS; i++)
        behind_nginx(&sites[i / WAYS], &reloads, (unsigned)(i * count), records, i % WAYS, count);
    nginx_stop(reloads.nginx);
    tracker_stop(upstream);
    tracker_records_free(records);
    no_lies();
}

int main(int argc, char **argv)
{
    if (argc > 1) wanted = strtoul(argv[1], NULL, 10);
    if (argc > 2) seed = (unsigned)strtoul(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(servers_of_our_own),
                                       cmocka_unit_test(nginx_with_reloads)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message("%zu creates: sent twice %zu, false done %zu, false not sent %zu, wrong id %zu; unknown "
                  "%zu, of these never "
                  "read %zu\n",
                  sum.creates, sum.twice, sum.false_done, sum.false_not_sent, sum.wrong_id, sum.unknown,
                  sum.unread);
    return failed;
}
