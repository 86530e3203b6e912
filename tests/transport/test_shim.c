/*
 * test_shim.c - each call of the C library fails in turn, in libcurl and OpenSSL too, while a push is made.
 *
 *     test_transport_shim [POINTS [SEED]]
 *     test_transport_shim point STAGE WAY HTTPS KIND NTH FOR_EVER     one of them, for a debugger; all
 * numbers
 *
 * Whatever fails: the process lives, the operation ends by its limits, and what the result says of a write is
 * what the tracker has read: "done" only what it did, "not sent" only what it never read, nothing twice.  Of
 * all points so many are taken, spread over the kinds of calls, the drivers, the schemes and the stages.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, usleep */
#include "memory.h"
#include "point.h"
#include "process.h"
#include "site.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POINTS_USUAL = 1200, TOLD_MAX = 40 };

enum { COMBINATIONS = STAGES * WAYS * 2 };

/* One kind of call in one combination, once or for ever. */
struct series {
    struct point point; /* nth is free */
    unsigned calls;     /* of that kind when nothing fails */
    size_t first, taken;
};

struct campaign {
    struct tracker_records *records;
    struct claim *claims; /* of every point, shared */
    struct point *points;
    size_t count;
    pid_t tracker;
    int alive[2]; /* the trackers end when it is closed */
    struct point_documents documents;
    size_t crashes, hangs, falsehoods, deaf, told;
};

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) abort();
    return memory;
}

/* ---- the trackers, in a process that nothing fails in ------------------------------------------------ */

static void run_trackers(struct campaign *campaign, unsigned *ports)
{
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(campaign->alive[1]);
    struct tracker *plain = tracker_start(NULL, campaign->records, NULL, NULL);
    struct tracker *tls = tracker_start(site_tls(HTTPS13), campaign->records, NULL, NULL);
    ports[1] = tracker_port(tls);
    __atomic_store_n(&ports[0], tracker_port(plain), __ATOMIC_RELEASE);
    while (read(campaign->alive[0], &byte, 1) > 0) continue;
    tracker_stop(plain);
    tracker_stop(tls);
    _exit(0);
}

static void start_trackers(struct campaign *campaign)
{
    unsigned *ports = shared(2 * sizeof *ports);
    if (pipe(campaign->alive) != 0) abort();
    site_tls(HTTPS13); /* the certificates are the same in all processes */
    campaign->tracker = fork();
    if (campaign->tracker == 0) run_trackers(campaign, ports);
    while (!__atomic_load_n(&ports[0], __ATOMIC_ACQUIRE)) usleep(1000);
    for (int https = 0; https < 2; https++) {
        /* A name: libcurl looks it up with a thread of its own. */
        const char *base = text_of("%s://localhost:%u", https ? "https" : "http", ports[https]);
        campaign->documents.of[https] = document_new(base, site_config(base, https ? HTTPS13 : HTTP), NULL);
    }
}

static void stop_trackers(struct campaign *campaign)
{
    close(campaign->alive[1]);
    waitpid(campaign->tracker, NULL, 0);
    free(campaign->documents.of[0]);
    free(campaign->documents.of[1]);
}

/* ---- points ------------------------------------------------------------------------------------- */

static void tell(struct campaign *campaign, const struct point *point, const struct claim *claim,
                 const char *what)
{
    if (++campaign->told > TOLD_MAX) return;
    print_message("%s %u%s fails, %s, %s, %s: %s (status %s, %u ms; point %d %d %d %d %u %d)\n",
                  shim_name(point->kind), point->nth, point->for_ever ? " and all behind it" : "",
                  stage_name(point->stage), way_name(point->way), point->https ? "https" : "http", what,
                  casehook_status_name(claim->status), claim->milliseconds, (int)point->stage,
                  (int)point->way, point->https, (int)point->kind, point->nth, point->for_ever);
}

/* Not to be caught as a test that failed: the child would go on as if it were the parent. */
static void die_of_signals(void)
{
    static const int signals[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS, SIGABRT};
    for (size_t i = 0; i < COUNT(signals); i++) signal(signals[i], SIG_DFL);
}

static void run_in_child(struct campaign *campaign, const struct point *point, size_t number,
                         struct claim *claim)
{
    int state = 0;
    pid_t child = fork();
    if (child == 0) {
        close(campaign->alive[1]);
        die_of_signals();
        alarm(WATCHDOG_S);
        point_run(point, &campaign->documents, number, claim);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &state, 0) < 0) abort();
    int hung = WIFSIGNALED(state) && WTERMSIG(state) == SIGALRM;
    int crashed = !hung && (WIFSIGNALED(state) || WEXITSTATUS(state));
    if (!hung && claim->milliseconds > DEADLINE_MS + ALLOWANCE_MS) hung = 1;
    campaign->hangs += hung != 0;
    campaign->crashes += crashed != 0;
    if (hung) tell(campaign, point, claim, "it does not end by its limits");
    if (crashed) tell(campaign, point, claim, text_of("the process died, signal %d", WTERMSIG(state)));
    /* OpenSSL initialises itself once: what fails then fails for as long as the process lives. */
    int initialising = point->stage == FROM_THE_START && point->kind <= SHIM_REALLOC;
    if (!hung && !crashed && point->nth && !claim->works_again && !initialising) {
        campaign->deaf++;
        tell(campaign, point, claim, "nothing works afterwards");
    }
}

static struct point combination(unsigned i)
{
    struct point point = {.stage = i / (WAYS * 2), .way = i / 2 % WAYS, .https = i % 2};
    return point;
}

/* How many calls of each kind there are when nothing fails. */
static void count_calls(struct campaign *campaign, struct series *series)
{
    for (unsigned i = 0; i < COMBINATIONS; i++) {
        struct point point = combination(i);
        struct claim *claim = &campaign->claims[i];
        run_in_child(campaign, &point, i, claim);
        if (!claim->ended || claim->status) {
            tell(campaign, &point, claim, "the push was not done though nothing failed");
            fail();
        }
        for (int kind = 0; kind < SHIM_KINDS; kind++) {
            for (int for_ever = 0; for_ever < 2; for_ever++, series++) {
                *series = (struct series){.point = point, .calls = claim->counts[kind]};
                series->point.kind = (enum shim_kind)kind;
                series->point.for_ever = for_ever;
            }
        }
    }
}

static size_t taken_with(const struct series *series, size_t count, size_t most)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += series[i].calls < most ? series[i].calls : most;
    return sum;
}

/* Few calls are all taken, of many calls as many as of any other, from their first to their last. */
static void choose(struct campaign *campaign, struct series *series, size_t count, size_t wanted)
{
    size_t most = 1;
    while (most < 1000000 && taken_with(series, count, most) < wanted) most++;
    campaign->points = must_alloc(taken_with(series, count, most) * sizeof *campaign->points);
    for (size_t i = 0; i < count; i++) {
        size_t take = series[i].calls < most ? series[i].calls : most;
        size_t offset = (size_t)rand();
        for (size_t k = 0; k < take; k++) {
            size_t step = series[i].calls / take;
            struct point *point = &campaign->points[campaign->count++];
            *point = series[i].point;
            point->nth = (unsigned)(1 + k * series[i].calls / take + offset % step);
        }
    }
}

/* ---- what was claimed, and what was read ----------------------------------------------------------- */

static const char *falsehood_of(int outcome, const struct tracker_record *record)
{
    unsigned whole = atomic_load(&record->whole), part = atomic_load(&record->part);
    if (whole + part > 1) return "sent twice";
    if (outcome == CASEHOOK_OUTCOME_DONE && atomic_load(&record->done) != 1)
        return "done, says the result, but it was not";
    if (outcome == CASEHOOK_OUTCOME_NOT_SENT && whole + part)
        return "not sent, says the result, but it was read";
    if (outcome == CASEHOOK_OUTCOME_NONE && whole + part)
        return "no word of it in the result, but it was read";
    if (outcome == CASEHOOK_OUTCOME_REFUSED) return "refused, says the result, but nothing is ever refused";
    return NULL;
}

/* When all has ended and the trackers have read what there was. */
static void compare(struct campaign *campaign)
{
    size_t nameless = atomic_load(&campaign->records->nameless), unread = 0;
    for (size_t i = 0; i < campaign->count; i++) {
        const struct claim *claim = &campaign->claims[COMBINATIONS + i];
        if (!claim->ended) continue;
        for (size_t tag = 0; tag < POINT_TAGS; tag++) {
            const struct tracker_record *record =
                &campaign->records->of[(COMBINATIONS + i) * POINT_TAGS + tag];
            const char *what = falsehood_of(claim->outcome[tag], record);
            unread += claim->outcome[tag] == CASEHOOK_OUTCOME_UNKNOWN && !atomic_load(&record->whole) &&
                      !atomic_load(&record->part);
            if (!what) continue;
            campaign->falsehoods++;
            tell(campaign, &campaign->points[i], claim, text_of("write %zu: %s", tag, what));
        }
    }
    /* Parts without a tag belong to writes of which nobody knows. */
    if (nameless > unread) campaign->falsehoods += nameless - unread;
}

static void all_points(size_t wanted)
{
    struct campaign campaign = {.count = 0};
    size_t count = (size_t)COMBINATIONS * SHIM_KINDS * 2, room = COMBINATIONS + 2 * wanted + count;
    struct series *series = must_alloc(count * sizeof *series);
    campaign.records = tracker_records_new(room * POINT_TAGS);
    campaign.claims = shared(room * sizeof *campaign.claims);
    start_trackers(&campaign);
    count_calls(&campaign, series);
    choose(&campaign, series, count, wanted);
    for (size_t i = 0; i < campaign.count; i++)
        run_in_child(&campaign, &campaign.points[i], COMBINATIONS + i, &campaign.claims[COMBINATIONS + i]);
    stop_trackers(&campaign);
    compare(&campaign);
    print_message("%zu points, %zu crashes, %zu hangs, %zu false outcomes, %zu deaf afterwards\n",
                  campaign.count, campaign.crashes, campaign.hangs, campaign.falsehoods, campaign.deaf);
    assert_int_equal(campaign.crashes + campaign.hangs + campaign.falsehoods + campaign.deaf, 0);
    free(series);
    free(campaign.points);
    tracker_records_free(campaign.records);
}

static size_t points = POINTS_USUAL;

static void each_call_fails_in_turn(void **state)
{
    (void)state;
    all_points(points);
}

/* In this process, so that it can be looked at where it dies. */
static int one_point(char **numbers)
{
    int n[6];
    for (int i = 0; i < 6; i++) n[i] = (int)strtol(numbers[i], NULL, 10);
    struct campaign campaign = {.count = 0};
    struct point point = {.stage = (enum stage)n[0],
                          .way = (enum way)n[1],
                          .https = n[2],
                          .kind = (enum shim_kind)n[3],
                          .nth = (unsigned)n[4],
                          .for_ever = n[5]};
    struct claim claim = {.ended = 0};
    campaign.records = tracker_records_new(POINT_TAGS);
    start_trackers(&campaign);
    point_run(&point, &campaign.documents, 0, &claim);
    stop_trackers(&campaign);
    print_message("%s after %u ms, works again: %d\n", casehook_status_name(claim.status), claim.milliseconds,
                  claim.works_again);
    tracker_records_free(campaign.records);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 8 && strcmp(argv[1], "point") == 0) return one_point(argv + 2);
    if (process_under_valgrind()) {
        puts("SKIP: valgrind has functions of its own in place of the C library's");
        return 77;
    }
    if (argc > 1) points = strtoul(argv[1], NULL, 10);
    srand(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_call_fails_in_turn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
