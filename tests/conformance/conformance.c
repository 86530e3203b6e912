/*
 * conformance.c - runs folders of vectors against the library.
 *
 * usage: conformance [OPTIONS] FOLDER...
 */
#include "memory.h"
#include "spoil.h"
#include "trial.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORKERS_MAX 16
#define ATTEMPTS    3

static const char usage[] =
    "usage: conformance [OPTIONS] FOLDER...\n"
    "       conformance --spoil FOLDER NEW_FOLDER\n"
    "\n"
    "Runs every vector of every *.json in the folders (but fields.json); exit status 1 when one failed.\n"
    "\n"
    "  --driver NAME   blocking (the default), exchange, loop or loop-fd\n"
    "  --params WAY    struct, json or both (the default: each vector in both ways where a struct can\n"
    "                  carry its params)\n"
    "  --file NAME     only this file, without .json\n"
    "  --only NAME     only vectors of this name\n"
    "  --jobs N        vectors at once (4)\n"
    "  --skipped       name the skipped vectors too\n"
    "  --passed        name those that passed too\n"
    "  --spoil         write a copy of a folder in which one expectation of each vector is wrong\n";

struct options {
    const struct driver *driver;
    const char *file, *only;
    int by_struct, by_json, jobs, show[3]; /* by verdict */
};

struct task {
    const struct vector_file *file;
    const json_t *vector;
    struct report report;
    enum verdict verdict;
};

struct run {
    const struct options *options;
    struct task *tasks;
    size_t count;
    pthread_mutex_t lock;
    size_t next;
};

/* ---- a crash names its vectors ---------------------------------------------------------------- */

static const char *volatile running[WORKERS_MAX];
static struct sigaction earlier[2];

static void crashed(int number)
{
    static const char text[] = "\ncrashed while these ran:";
    if (write(2, text, sizeof text - 1) < 0) _exit(3);
    for (int i = 0; i < WORKERS_MAX; i++) {
        const char *name = running[i];
        if (name && (write(2, " ", 1) < 0 || write(2, name, strlen(name)) < 0)) _exit(3);
    }
    if (write(2, "\n", 1) < 0) _exit(3);
    sigaction(number, &earlier[number == SIGABRT], NULL); /* and now as without us */
    if (number == SIGABRT) raise(number);
}

static void watch_crashes(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = crashed;
    sigaction(SIGSEGV, &action, &earlier[0]);
    sigaction(SIGABRT, &action, &earlier[1]);
}

/* ---- one vector ------------------------------------------------------------------------------- */

static const char *text_of(const json_t *vector, const char *name)
{
    const char *text = json_string_value(json_object_get(vector, name));
    return text ? text : "";
}

static int fits_struct(const json_t *vector)
{
    struct call call;
    if (call_open(&call, json_object_get(vector, "call")) != 0) return 0;
    int fits = call.has_struct;
    call_close(&call);
    return fits;
}

static void run_trial(const struct options *options, struct task *task, enum call_way way)
{
    struct trial trial = {.report = &task->report,
                          .driver = options->driver,
                          .way = way,
                          .file = task->file,
                          .vector = task->vector};
    task->report.way = way == CALL_STRUCT ? "struct" : "json";
    switch (task->file->kind) {
    case VECTOR_LIST: trial_list(&trial); break;
    case VECTOR_TLS: trial_tls(&trial); break;
    case VECTOR_PROXY: trial_proxy(&trial); break;
    }
}

/* Its server waits and its client does not. */
static int is_about_time(const json_t *vector)
{
    char *text = json_dumps(vector, JSON_COMPACT);
    int found = text && strstr(text, "\"delay_ms\":") != NULL;
    free(text);
    return found;
}

static void try_task(const struct options *options, struct task *task)
{
    const char *skip = json_string_value(json_object_get(task->vector, "skip"));
    char *needs = skip ? NULL : trial_needs(options->driver, task->vector);
    report_begin(&task->report);
    if (skip || needs) {
        report_skip(&task->report, skip ? skip : needs);
    } else {
        int fits = fits_struct(task->vector);
        if (fits && options->by_struct) run_trial(options, task, CALL_STRUCT);
        if (!fits || options->by_json) run_trial(options, task, CALL_JSON);
    }
    free(needs);
    task->verdict = report_end(&task->report);
}

/* On a busy machine, or under valgrind, everything is slow, not only the server of such a vector. */
static void run_task(const struct options *options, struct task *task)
{
    int more = is_about_time(task->vector) ? ATTEMPTS - 1 : 0;
    try_task(options, task);
    while (task->verdict == VERDICT_FAILED && more--) {
        report_clear(&task->report);
        try_task(options, task);
    }
}

static void *worker(void *argument)
{
    struct run *run = argument;
    int slot = -1;
    for (;;) {
        pthread_mutex_lock(&run->lock);
        for (int i = 0; slot < 0; i++) {
            if (!running[i]) slot = i;
        }
        struct task *task = run->next < run->count ? &run->tasks[run->next++] : NULL;
        running[slot] = task ? text_of(task->vector, "name") : "";
        pthread_mutex_unlock(&run->lock);
        if (!task) return NULL;
        run_task(run->options, task);
    }
}

/* ---- all of them ------------------------------------------------------------------------------ */

static size_t collect(const struct vector_set *set, const struct options *options, struct task **tasks)
{
    size_t count = 0;
    *tasks = NULL;
    for (size_t i = 0; i < set->count; i++) {
        const struct vector_file *file = &set->files[i];
        if (options->file && strcmp(options->file, file->name) != 0) continue;
        for (size_t k = 0; k < json_array_size(file->cases); k++) {
            const json_t *vector = json_array_get(file->cases, k);
            if (options->only && strcmp(options->only, text_of(vector, "name")) != 0) continue;
            *tasks = must_grow(*tasks, (count + 1) * sizeof **tasks);
            (*tasks)[count++] = (struct task){.file = file, .vector = vector};
        }
    }
    return count;
}

static void run_all(struct run *run)
{
    pthread_t threads[WORKERS_MAX];
    int started = 0;
    pthread_mutex_init(&run->lock, NULL);
    while (started < run->options->jobs && pthread_create(&threads[started], NULL, worker, run) == 0)
        started++;
    if (!started) worker(run);
    while (started) pthread_join(threads[--started], NULL);
    pthread_mutex_destroy(&run->lock);
}

static void show(const struct task *task)
{
    const char *rule = text_of(task->vector, "rule");
    if (task->verdict == VERDICT_PASSED) {
        printf("PASS %s/%s\n", task->file->name, text_of(task->vector, "name"));
        return;
    }
    if (task->verdict == VERDICT_SKIPPED) {
        printf("SKIP %s/%s: %s", task->file->name, text_of(task->vector, "name"), task->report.text);
        return;
    }
    printf("FAIL %s/%s: %s%s%s%s\n%s", task->file->name, text_of(task->vector, "name"),
           text_of(task->vector, "why"), *rule ? " (" : "", rule, *rule ? ")" : "", task->report.text);
}

static int finish(const struct run *run)
{
    size_t counts[3] = {0, 0, 0};
    for (size_t i = 0; i < run->count; i++) {
        struct task *task = &run->tasks[i];
        counts[task->verdict]++;
        if (run->options->show[task->verdict]) show(task);
        report_clear(&task->report);
    }
    printf("%zu passed, %zu failed, %zu skipped\n", counts[VERDICT_PASSED], counts[VERDICT_FAILED],
           counts[VERDICT_SKIPPED]);
    return counts[VERDICT_FAILED] || !run->count;
}

/* ---- the command line ------------------------------------------------------------------------- */

static int take_option(struct options *options, const char *name, const char *value)
{
    if (strcmp(name, "--driver") == 0) {
        options->driver = driver_find(value);
        return options->driver ? 0 : -1;
    }
    if (strcmp(name, "--params") == 0) {
        options->by_struct = strcmp(value, "json") != 0;
        options->by_json = strcmp(value, "struct") != 0;
        return strcmp(value, "both") == 0 || !options->by_struct || !options->by_json ? 0 : -1;
    }
    if (strcmp(name, "--jobs") == 0) {
        options->jobs = atoi(value);
        return options->jobs > 0 && options->jobs <= WORKERS_MAX ? 0 : -1;
    }
    if (strcmp(name, "--file") == 0)
        options->file = value;
    else if (strcmp(name, "--only") == 0)
        options->only = value;
    else
        return -1;
    return 0;
}

/* The number of arguments that were options, -1 for a wrong one. */
static int take_options(struct options *options, int argc, char **argv)
{
    int i = 1;
    while (i < argc && argv[i][0] == '-') {
        if (strcmp(argv[i], "--skipped") == 0 || strcmp(argv[i], "--passed") == 0) {
            options->show[argv[i][2] == 's' ? VERDICT_SKIPPED : VERDICT_PASSED] = 1;
            i++;
        } else if (i + 1 < argc && take_option(options, argv[i], argv[i + 1]) == 0) {
            i += 2;
        } else {
            return -1;
        }
    }
    return i;
}

int main(int argc, char **argv)
{
    struct options options = {.driver = driver_find("blocking"),
                              .by_struct = 1,
                              .by_json = 1,
                              .jobs = 4,
                              .show[VERDICT_FAILED] = 1};
    struct vector_set set = {0};
    if (argc == 4 && strcmp(argv[1], "--spoil") == 0) return spoil_folder(argv[2], argv[3]) == 0 ? 0 : 1;
    int first = take_options(&options, argc, argv), status = 2;
    if (first < 0 || first >= argc) {
        fputs(usage, stderr);
        return 2;
    }
    for (int i = first; i < argc; i++) {
        if (vector_set_add(&set, argv[i]) != 0) goto out;
    }
    watch_crashes();
    struct run run = {.options = &options};
    run.count = collect(&set, &options, &run.tasks);
    run_all(&run);
    status = finish(&run);
    free(run.tasks);
out:
    vector_set_clear(&set);
    return status;
}
