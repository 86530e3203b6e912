/*
 * bench_outbox.c - what durability costs.  Speed is never asserted.
 *
 *   bench_outbox put PATH [THREADS [SECONDS]]
 *       durable puts, and bare SQLite commits in groups of the same size: of one thread that has them all,
 *       and of as many threads, which bring one each and wait for it
 *   bench_outbox count PATH [PUTS]
 *       so many of both, for callgrind: what put_one and bare_group cost
 *   bench_outbox many PATH [ENTRIES]
 *       put, next and stats with 1,000 and with so many waiting entries
 *   bench_outbox deliver PATH URL [PUSHES]
 *       pushes through an outbox and through the plain loop, 64 at a time
 */
#include <casehook_outbox.h>

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PARAMS                                                                                             \
    "{\"incident\":{\"title\":\"Disk full on "                                                             \
    "web-%ld\",\"id\":\"alert-%ld\",\"severity\":\"high\",\"status\":\"open\","                            \
    "\"description\":\"/var is at 97 %% of its space since 12:04, and grows by 40 MB a minute; the usual " \
    "cleaner ran.\","                                                                                      \
    "\"tags\":[\"disk\",\"linux\",\"web\"]}}"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void need(int status, struct casehook_outbox_error *error)
{
    if (!status) return;
    fprintf(stderr, "%s: %s\n", casehook_status_name(status), casehook_outbox_error_message(error));
    exit(1);
}

static struct casehook_connector *connector;

static struct casehook_connector *resolve(void *user, const char *name)
{
    (void)user;
    (void)name;
    return casehook_connector_ref(connector);
}

static struct casehook_outbox *open_box(const char *path, int delivers)
{
    struct casehook_outbox_options options = {
        .struct_size = sizeof options, .location = path, .max_entries = 100000000};
    struct casehook_outbox *outbox = NULL;
    struct casehook_outbox_error *error = NULL;
    if (delivers) options.resolve = resolve;
    need(casehook_outbox_open(&options, &outbox, &error), error);
    return outbox;
}

static void remove_box(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char name[4096];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static int operation = CASEHOOK_PUSH;

static __attribute__((noinline)) void put_one(struct casehook_outbox *outbox, long number)
{
    char params[512], key[32];
    int length = snprintf(params, sizeof params, PARAMS, number, number);
    /* An id that no case can have: it is parked before anything is sent. */
    if (operation == CASEHOOK_UPDATE)
        snprintf(params + length - 2, sizeof params - (size_t)length, ",\"externalId\":\".\"}}");
    snprintf(key, sizeof key, "key-%ld", number);
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = "tracker",
                                        .key = key,
                                        .params = params,
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = operation};
    struct casehook_outbox_error *error = NULL;
    need(casehook_outbox_put(outbox, &item, NULL, NULL, &error), error);
}

/* ---- put --------------------------------------------------------------------------------------------- */

enum { THREADS_MAX = 256 };

static struct casehook_outbox *shared;
static atomic_long next_number;
static atomic_int over;

static void *put_many(void *user)
{
    const long *most = user;
    for (long i; !atomic_load(&over) && ((i = atomic_fetch_add(&next_number, 1)) < *most || !*most);)
        put_one(shared, i);
    return NULL;
}

static void sql(sqlite3 *db, const char *text)
{
    char *error = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &error)) fprintf(stderr, "%s: %s\n", text, error), exit(1);
}

struct floor {
    const char *pragmas, *tables; /* tables NULL: those of an outbox */
    const char *inserts[2];       /* of one put; ?1: its number, ?2: its key, ?3: the params, ?4: a title */
};

/* The least that anybody could store: one table with a unique key. */
static const struct floor least = {
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
    "CREATE TABLE entry (id INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB UNIQUE, params BLOB)",
    {"INSERT INTO entry (key, params) VALUES (?2, ?3)", NULL}};

/* What the outbox stores: a case and an entry, in its own tables with their indexes. */
static const struct floor same_rows = {
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; "
    "PRAGMA cache_size = -8000",
    NULL,
    {"INSERT INTO casehook_case (no, connector, case_id, status, replaceable, changed) VALUES "
     "(?1, x'747261636b6572', CAST('alert-' || ?1 AS BLOB), x'6f70656e', 0, 1790000000000 + ?1)",
     "INSERT INTO casehook_entry (id, connector, key, case_no, operation, state, due, put_at, bytes, params, "
     "title, token) VALUES (?1, x'747261636b6572', ?2, ?1, 5, 1, 1790000000000 + ?1, 1790000000000 + ?1, "
     "length(?3), ?3, ?4, x'3031323334353637383930313233343536373839303132333435363738393031')"}};

/* What one put brings. */
struct bare_put {
    long number;
    char params[512], key[32], title[32];
    int length, key_length, title_length;
};

static void bare_make(struct bare_put *put, long number)
{
    put->number = number;
    put->length = snprintf(put->params, sizeof put->params, PARAMS, number, number);
    put->key_length = snprintf(put->key, sizeof put->key, "key-%ld", number);
    put->title_length = snprintf(put->title, sizeof put->title, "Disk full on web-%ld", number);
}

static __attribute__((noinline)) void bare_one(sqlite3_stmt *const *inserts, const struct bare_put *put)
{
    for (size_t i = 0; i < 2 && inserts[i]; i++) {
        int count = sqlite3_bind_parameter_count(inserts[i]);
        sqlite3_bind_int64(inserts[i], 1, put->number + 1);
        if (count > 1) sqlite3_bind_blob(inserts[i], 2, put->key, put->key_length, SQLITE_STATIC);
        if (count > 2) sqlite3_bind_blob(inserts[i], 3, put->params, put->length, SQLITE_STATIC);
        if (count > 3) sqlite3_bind_blob(inserts[i], 4, put->title, put->title_length, SQLITE_STATIC);
        if (sqlite3_step(inserts[i]) != SQLITE_DONE) exit(1);
        sqlite3_reset(inserts[i]);
    }
}

static sqlite3 *bare_open(const char *path, const struct floor *floor, sqlite3_stmt **inserts)
{
    sqlite3 *db;
    remove_box(path);
    if (!floor->tables) casehook_outbox_close(open_box(path, 0));
    if (sqlite3_open(path, &db)) exit(1);
    sql(db, floor->pragmas);
    if (floor->tables) sql(db, floor->tables);
    for (size_t i = 0; i < 2 && floor->inserts[i]; i++)
        if (sqlite3_prepare_v2(db, floor->inserts[i], -1, &inserts[i], NULL))
            fprintf(stderr, "%s\n", sqlite3_errmsg(db)), exit(1);
    return db;
}

static void bare_close(const char *path, sqlite3 *db, sqlite3_stmt **inserts)
{
    for (size_t i = 0; i < 2; i++) sqlite3_finalize(inserts[i]);
    sqlite3_close(db);
    remove_box(path);
}

static __attribute__((noinline)) void bare_group(sqlite3 *db, sqlite3_stmt *const *inserts, long *number,
                                                 double *owed)
{
    struct bare_put put;
    sql(db, "BEGIN IMMEDIATE");
    for (; *owed >= 1; --*owed) {
        bare_make(&put, (*number)++);
        bare_one(inserts, &put);
    }
    sql(db, "COMMIT");
}

/* One thread that has so many puts at once. */
static double bare(const char *path, const struct floor *floor, double group, double seconds, long puts)
{
    sqlite3_stmt *inserts[2] = {NULL, NULL};
    sqlite3 *db = bare_open(path, floor, inserts);
    long number = 0;
    double began = now(), owed = 0;
    while (puts ? number < puts : now() - began < seconds) {
        owed += group;
        bare_group(db, inserts, &number, &owed);
    }
    double rate = (double)number / (now() - began);
    bare_close(path, db, inserts);
    return rate;
}

/* As many threads as put, of which each brings one put and waits until it is stored. */
struct gathering {
    sqlite3 *db;
    sqlite3_stmt **inserts;
    pthread_barrier_t here, stored;
    struct bare_put puts[THREADS_MAX];
    atomic_long number, threads;
    double until;
    bool over;
};

static void *bring(void *user)
{
    struct gathering *all = user;
    struct bare_put *mine = &all->puts[atomic_fetch_add(&all->threads, 1)];
    while (!all->over) {
        bare_make(mine, atomic_fetch_add(&all->number, 1));
        if (pthread_barrier_wait(&all->here) == PTHREAD_BARRIER_SERIAL_THREAD) {
            sql(all->db, "BEGIN IMMEDIATE");
            for (long i = 0; i < all->threads; i++) bare_one(all->inserts, &all->puts[i]);
            sql(all->db, "COMMIT");
            all->over = now() >= all->until;
        }
        pthread_barrier_wait(&all->stored);
    }
    return NULL;
}

static double bare_threads(const char *path, const struct floor *floor, long threads, double seconds)
{
    static struct gathering all;
    sqlite3_stmt *inserts[2] = {NULL, NULL};
    pthread_t ids[THREADS_MAX];
    all = (struct gathering){.db = bare_open(path, floor, inserts), .inserts = inserts};
    pthread_barrier_init(&all.here, NULL, (unsigned)threads);
    pthread_barrier_init(&all.stored, NULL, (unsigned)threads);
    double began = now();
    all.until = began + seconds;
    for (long i = 0; i < threads; i++) pthread_create(&ids[i], NULL, bring, &all);
    for (long i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    double rate = (double)all.number / (now() - began);
    pthread_barrier_destroy(&all.here);
    pthread_barrier_destroy(&all.stored);
    bare_close(path, all.db, inserts);
    return rate;
}

/* puts 0: as many as go in the time. */
static void bench_put(const char *path, long threads, double seconds, long puts)
{
    pthread_t ids[THREADS_MAX];
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    remove_box(path);
    shared = open_box(path, 0);
    double began = now(), used = cpu();
    for (long i = 0; i < threads; i++) pthread_create(&ids[i], NULL, put_many, &puts);
    if (!puts) usleep((useconds_t)(seconds * 1e6));
    if (!puts) atomic_store(&over, 1);
    for (long i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    double took = now() - began;
    used = cpu() - used;
    casehook_outbox_get_stats(shared, &stats, NULL);
    casehook_outbox_close(shared);
    remove_box(path);
    double rate = (double)stats.put / took, group = (double)stats.put / (double)(stats.groups - 1);
    printf("%ld threads: %.0f durable puts/s, %.1f in a group, %.1f us of CPU each\n", threads, rate, group,
           used / (double)stats.put * 1e6);
    static const struct floor *const floors[] = {&same_rows, &least};
    static const char *const names[] = {"the same rows", "one row with a key"};
    for (size_t i = 0; i < 2; i++) {
        double alone = bare(path, floors[i], group, seconds, puts);
        printf("  bare SQLite in such groups, %s: %.0f/s of one thread (%.2f of it)", names[i], alone,
               rate / alone);
        double many = puts ? 0 : bare_threads(path, floors[i], threads, seconds);
        if (many > 0) printf(", %.0f/s of %ld threads (%.2f)", many, threads, rate / many);
        putchar('\n');
    }
}

/* ---- many -------------------------------------------------------------------------------------------- */

static void *fill(void *user)
{
    const long *most = user;
    for (long i; (i = atomic_fetch_add(&next_number, 1)) < *most;) put_one(shared, i);
    return NULL;
}

static void time_all(const char *path, long entries)
{
    pthread_t ids[64];
    long most = entries;
    shared = open_box(path, 0);
    for (int i = 0; i < 64; i++) pthread_create(&ids[i], NULL, fill, &most);
    for (int i = 0; i < 64; i++) pthread_join(ids[i], NULL);
    atomic_store(&next_number, entries + 2000000); /* keys of their own */
    double began = now();
    for (int i = 0; i < 500; i++) put_one(shared, entries + 1000000 + i);
    double put = (now() - began) / 500;
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    began = now();
    for (int i = 0; i < 500; i++) casehook_outbox_get_stats(shared, &stats, NULL);
    double counted = (now() - began) / 500;
    casehook_outbox_close(shared);
    /* All of them are parked at once: what is left is to take entries and to settle. */
    shared = open_box(path, 1);
    struct casehook_outbox_stats before = {.struct_size = sizeof before};
    casehook_outbox_get_stats(shared, &before, NULL);
    began = now();
    casehook_outbox_run(shared, CASEHOOK_OUTBOX_UNTIL_IDLE, 2000);
    double took = now() - began;
    casehook_outbox_get_stats(shared, &stats, NULL);
    printf("%8ld waiting: put %.0f us, stats %.0f us, next and settle %.1f us (%llu)\n", entries, put * 1e6,
           counted * 1e6, took / (double)(stats.attempts - before.attempts) * 1e6,
           (unsigned long long)stats.attempts);
    casehook_outbox_close(shared);
}

static void bench_many(const char *path, long entries)
{
    operation = CASEHOOK_UPDATE;
    static const char document[] =
        "{\"config\":{\"strict\":false,\"hasAuth\":false,\"createIncidentUrl\":\"http://127.0.0.1:1/"
        "{{case.description}}/x\","
        "\"createIncidentJson\":\"{}\",\"createIncidentResponseKey\":\"id\",\"getIncidentUrl\":\"http://"
        "127.0.0.1:1/\","
        "\"getIncidentResponseExternalTitleKey\":\"id\",\"viewIncidentUrl\":\"http://127.0.0.1:1/\","
        "\"updateIncidentUrl\":\"http://127.0.0.1:1/\",\"updateIncidentJson\":\"{}\"},\"secrets\":{}}";
    struct casehook_error *error = NULL;
    if (casehook_connector_new(NULL, document, sizeof document - 1, &connector, &error))
        fprintf(stderr, "%s\n", casehook_error_message(error)), exit(1);
    for (long size = 1000; size <= entries; size *= entries / 1000) {
        remove_box(path);
        atomic_store(&next_number, 0);
        time_all(path, size);
        if (entries <= 1000) break;
    }
    remove_box(path);
    casehook_connector_unref(connector);
}

/* ---- deliver ----------------------------------------------------------------------------------------- */

static void make_connector(const char *url)
{
    static char document[4096];
    struct casehook_error *error = NULL;
    snprintf(
        document, sizeof document,
        "{\"config\":{\"strict\":false,\"hasAuth\":false,\"createIncidentUrl\":\"%s\",\"createIncidentJson\":"
        "\"{\\\"title\\\":{{{case.title}}},\\\"description\\\":{{{case.description}}}}\","
        "\"createIncidentResponseKey\":\"id\","
        "\"getIncidentUrl\":\"%s/"
        "{{external.system.id}}\",\"getIncidentResponseExternalTitleKey\":\"key\",\"viewIncidentUrl\":"
        "\"%s/{{external.system.id}}\",\"updateIncidentUrl\":\"%s/"
        "{{external.system.id}}\",\"updateIncidentJson\":\"{}\"},"
        "\"secrets\":{}}",
        url, url, url, url);
    if (casehook_connector_new(NULL, document, CASEHOOK_TERMINATED, &connector, &error))
        fprintf(stderr, "%s\n", casehook_error_message(error)), exit(1);
}

static double plain_loop(long pushes)
{
    struct casehook_loop *loop = NULL;
    long sent = 0, good = 0;
    if (casehook_loop_new(NULL, &loop)) exit(1);
    double used = cpu();
    while (good < pushes) {
        char params[512];
        while (sent < pushes && casehook_loop_pending(loop) < 64) {
            snprintf(params, sizeof params, PARAMS, sent, sent);
            sent++;
            if (casehook_loop_submit_json(loop, connector, CASEHOOK_PUSH, params, CASEHOOK_TERMINATED, NULL,
                                          NULL, NULL))
                exit(1);
        }
        casehook_loop_wait(loop, -1);
        struct casehook_result *result;
        uint64_t ticket;
        while (result = casehook_loop_next(loop, &ticket), ticket) {
            if (casehook_result_error(result))
                fprintf(stderr, "%s\n", casehook_error_message(casehook_result_error(result))), exit(1);
            casehook_result_free(result);
            good++;
        }
    }
    used = cpu() - used;
    casehook_loop_free(loop);
    return used / (double)pushes;
}

static void bench_deliver(const char *path, const char *url, long pushes)
{
    pthread_t ids[64];
    make_connector(url);
    plain_loop(pushes / 10);
    double plain = plain_loop(pushes);
    remove_box(path);
    shared = open_box(path, 0);
    for (int i = 0; i < 64; i++) pthread_create(&ids[i], NULL, fill, &pushes);
    for (int i = 0; i < 64; i++) pthread_join(ids[i], NULL);
    casehook_outbox_close(shared);
    shared = open_box(path, 1);
    double used = cpu(), began = now();
    casehook_outbox_run(shared, CASEHOOK_OUTBOX_UNTIL_IDLE, -1);
    used = (cpu() - used) / (double)pushes;
    double took = now() - began;
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    casehook_outbox_get_stats(shared, &stats, NULL);
    printf("%llu delivered: %.1f us of CPU each through the outbox (%.0f/s, %.1f in a group), %.1f us by the "
           "plain loop: %.2f times\n",
           (unsigned long long)stats.delivered, used * 1e6, (double)pushes / took,
           (double)stats.delivered / (double)stats.groups, plain * 1e6, used / plain);
    casehook_outbox_close(shared);
    remove_box(path);
    casehook_connector_unref(connector);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 2 ? argv[1] : "";
    long number = argc > 3 ? atol(argv[3]) : 0;
    if (strcmp(kind, "put") == 0)
        bench_put(argv[2], number ? number : 8, argc > 4 ? atof(argv[4]) : 3, 0);
    else if (strcmp(kind, "count") == 0)
        bench_put(argv[2], 8, 0, number ? number : 3000);
    else if (strcmp(kind, "many") == 0)
        bench_many(argv[2], number ? number : 1000000);
    else if (strcmp(kind, "deliver") == 0 && argc > 3)
        bench_deliver(argv[2], argv[3], argc > 4 ? atol(argv[4]) : 10000);
    else
        return fputs("usage: bench_outbox put|many|deliver PATH ...\n", stderr), 2;
    return 0;
}
