/* batch.c - runs trials by each driver, twice where the first run failed. */
#include "batch.h"
#include "host.h"
#include "memory.h"
#include "rig.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS_USUAL = 8 };

/* A batch under way. */
struct run {
    struct batch *batch;
    struct rig rig;
    struct drive drive; /* of the loop */
    struct claim claims[2][TRIALS_MAX];
    unsigned seen_before[TRIALS_MAX][KINDS], updates_before[TRIALS_MAX];
    int resuming;
    atomic_size_t next; /* trial for a worker */
};

/* ---- what is asked for ---------------------------------------------------------------------------- */

static int operation_of(enum scenario scenario)
{
    static const int operations[SCENARIOS] = {
        [CREATE_CASE] = CASEHOOK_CREATE, [UPDATE_CASE] = CASEHOOK_UPDATE, [MOVE_CASE] = CASEHOOK_UPDATE,
        [PUSH_NEW] = CASEHOOK_PUSH,      [PUSH_FOUND] = CASEHOOK_PUSH,    [GET_CASE] = CASEHOOK_GET};
    return operations[scenario];
}

static char *with(char *text, char *more)
{
    char *both = must_format("%s,%s", text, more);
    free(text);
    free(more);
    return both;
}

/* The key is made from the id of the case, or given, or random. */
enum { KEY_OF_ID, KEY_GIVEN, KEY_RANDOM, KEYS };

static char *params_of(const struct run *run, size_t trial)
{
    enum scenario scenario = run->batch->points[trial].scenario;
    size_t serial = run->batch->serial + trial;
    char *text = must_format("{\"title\":\"T%zu\"", trial);
    if (serial % KEYS == KEY_OF_ID) text = with(text, must_format("\"id\":\"alert-%zu\"", serial));
    if (serial % KEYS == KEY_GIVEN && policy_has_key(run->batch->setting.policy))
        text = with(text, must_format("\"idempotencyKey\":\"key-%zu\"", serial));
    if (run->resuming) text = with(text, must_format("\"resume\":%s", run->claims[0][trial].json));
    if (scenario == MOVE_CASE) text = with(text, must_format("\"status\":\"closed\""));
    if (scenario == UPDATE_CASE || scenario == MOVE_CASE || scenario == GET_CASE)
        text = with(text, must_format("\"externalId\":\"T%zu-1\"", trial));
    if (scenario == PUSH_NEW || scenario == PUSH_FOUND)
        text = with(text, must_format("\"comments\":[{\"commentId\":\"a\",\"comment\":\"comment 1\"},"
                                      "{\"commentId\":\"b\",\"comment\":\"comment 2\"},"
                                      "{\"commentId\":\"c\",\"comment\":\"comment 3\"}]"));
    char *whole = must_format("%s}", text);
    free(text);
    return whole;
}

/* In the second run those that failed. */
static int is_wanted(const struct run *run, size_t trial)
{
    return !run->resuming || (run->claims[0][trial].status && run->claims[0][trial].json);
}

static void take(struct run *run, size_t trial, struct casehook_result *result)
{
    claim_take(&run->claims[run->resuming][trial], result);
}

/* ---- threads ------------------------------------------------------------------------------------- */

struct refusal {
    struct run *run;
    size_t trial;
};

static void heal(void *user)
{
    const struct refusal *refusal = user;
    if (refusal->run->rig.own) tracked_heal(rig_port(&refusal->run->rig, refusal->trial));
}

static void run_one(struct run *run, struct host *host, size_t trial)
{
    struct casehook_options options = {.struct_size = sizeof options, .user = trial + 1};
    struct casehook_connector *connector = rig_connector(&run->rig, trial, run->resuming);
    struct casehook_result *result = NULL;
    int operation = operation_of(run->batch->points[trial].scenario);
    struct refusal refusal = {run, trial};
    char *params = params_of(run, trial);
    if (run->batch->setting.driver == DRIVE_EXCHANGE)
        result = host_run(host, connector, operation, params, heal, &refusal);
    else
        casehook_run_json(connector, operation, params, CASEHOOK_TERMINATED, &options, &result);
    take(run, trial, result);
    free(params);
}

static void *work(void *argument)
{
    struct run *run = argument;
    struct host *host = host_new();
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (run->batch->setting.driver == DRIVE_EXCHANGE) pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    for (size_t trial; (trial = atomic_fetch_add(&run->next, 1)) < run->batch->count;)
        if (is_wanted(run, trial)) run_one(run, host, trial);
    host_free(host);
    return NULL;
}

static void run_in_threads(struct run *run)
{
    pthread_t threads[TRIALS_MAX];
    int waits = run->batch->pace == PACE_STALLED || run->batch->pace == PACE_WAITING;
    size_t count = waits ? run->batch->count : WORKERS_USUAL;
    atomic_store(&run->next, 0);
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, run)) abort();
    for (size_t i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

/* ---- the loop ------------------------------------------------------------------------------------- */

static void submit(struct run *run, size_t trial, uint64_t *ticket)
{
    struct casehook_options options = {.struct_size = sizeof options, .user = trial + 1};
    char *params = params_of(run, trial);
    if (casehook_loop_submit_json(run->drive.loop, rig_connector(&run->rig, trial, run->resuming),
                                  operation_of(run->batch->points[trial].scenario), params,
                                  CASEHOOK_TERMINATED, &options, ticket, NULL))
        abort();
    free(params);
}

static void run_in_loop(struct run *run)
{
    uint64_t tickets[TRIALS_MAX] = {0}, ticket;
    size_t left = 0;
    for (size_t trial = 0; trial < run->batch->count; trial++) {
        if (!is_wanted(run, trial)) continue;
        submit(run, trial, &tickets[trial]);
        left++;
    }
    while (left) {
        drive_turn(&run->drive, -1);
        for (struct casehook_result *result; result = casehook_loop_next(run->drive.loop, &ticket), ticket;
             left--) {
            size_t trial = 0;
            while (tickets[trial] != ticket) trial++;
            take(run, trial, result);
        }
    }
}

static void run_all(struct run *run)
{
    if (run->batch->setting.driver == DRIVE_LOOP)
        run_in_loop(run);
    else
        run_in_threads(run);
}

/* ---- batches -------------------------------------------------------------------------------------- */

static void prepare(struct model *model, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct point *point = &batch->points[i];
        struct model_trial *trial = &model->trials[i];
        trial->case_count = point->scenario == CREATE_CASE || point->scenario == PUSH_NEW ? 0 : 1;
        trial->mishaps[0] = point->mishap;
        trial->mishaps[1] = point->before;
        trial->arms = mishap_to_connection(&point->mishap) ? point->arms : (struct place){KINDS, 1};
    }
}

static void judge(struct run *run, struct finding (*verify)(const struct evidence *evidence))
{
    struct batch *batch = run->batch;
    for (size_t i = 0; i < batch->count; i++) {
        struct evidence evidence = {.setting = &batch->setting,
                                    .point = &batch->points[i],
                                    .trial = &run->rig.model->trials[i],
                                    .number = i,
                                    .first = &run->claims[0][i],
                                    .second = &run->claims[1][i],
                                    .updates_before = run->updates_before[i]};
        memcpy(evidence.seen_before, run->seen_before[i], sizeof evidence.seen_before);
        if (!is_wanted(run, i)) continue;
        struct finding finding = verify(&evidence);
        if (!batch->findings[i].fault) batch->findings[i] = finding;
    }
}

/* Whoever resumes has waited as long as he was asked to, and the tracker is well again. */
static void begin_again(struct run *run)
{
    struct model *model = run->rig.model;
    for (size_t i = 0; run->rig.own && i < run->batch->count; i++) tracked_heal(rig_port(&run->rig, i));
    model_lock(model);
    for (size_t i = 0; i < run->batch->count; i++) {
        struct model_trial *trial = &model->trials[i];
        trial->not_before = 0;
        run->batch->happened[i] = trial->hit[0];
        for (size_t m = 0; m < MISHAPS_MAX; m++) trial->hit[m] = 1;
        memcpy(run->seen_before[i], trial->seen, sizeof trial->seen);
        run->updates_before[i] = trial->cases[0].updates;
    }
    model_unlock(model);
    run->resuming = 1;
}

static void tell(struct run *run)
{
    for (size_t i = 0; i < run->batch->count; i++) {
        struct claim *first = &run->claims[0][i], *second = &run->claims[1][i];
        if (run->batch->findings[i].fault)
            run->batch->told[i] = must_format("%s%s%s", first->words, second->there ? "\n    resumed: " : "",
                                              second->there ? second->words : "");
        run->batch->resumed += second->there != 0;
        claim_clear(first);
        claim_clear(second);
    }
}

static struct run *begin(struct batch *batch)
{
    enum policy policy = batch->setting.policy;
    struct run *run = must_alloc(sizeof *run);
    struct model *model = model_new(policy_has_key(policy), policy == POLICY_REFUSED);
    run->batch = batch;
    prepare(model, batch);
    rig_build(&run->rig, &batch->setting, model, batch->pace, batch->count);
    run->drive = drive_new(batch->setting.driver != DRIVE_LOOP ? BLOCKING
                           : batch->serial & 1                 ? LOOP_WAIT
                                                               : LOOP_DESCRIPTOR);
    return run;
}

static void end(struct run *run)
{
    struct model *model = run->rig.model;
    drive_free(&run->drive);
    rig_end(&run->rig);
    tell(run);
    model_free(model);
    free(run);
}

void batch_run(struct batch *batch)
{
    struct run *run = begin(batch);
    run_all(run);
    model_lock(run->rig.model);
    judge(run, verify_first);
    model_unlock(run->rig.model);
    begin_again(run);
    run_all(run);
    model_lock(run->rig.model);
    judge(run, verify_second);
    model_unlock(run->rig.model);
    end(run);
}

static void keep_least(size_t *length, size_t seen)
{
    if (seen && (!*length || seen < *length)) *length = seen;
}

/* Those with the shortest keys have the shortest requests. */
struct lengths batch_measure(const struct setting *setting)
{
    static const enum scenario scenarios[] = {CREATE_CASE, MOVE_CASE, PUSH_NEW};
    struct lengths lengths = {{0}, {0}, {0}};
    struct batch batch = {.setting = *setting, .count = COUNT(scenarios) * KEYS};
    for (size_t i = 0; i < batch.count; i++) batch.points[i].scenario = scenarios[i / KEYS];
    struct run *run = begin(&batch);
    run_all(run);
    for (size_t i = 0; i < batch.count; i++) {
        const struct model_trial *trial = &run->rig.model->trials[i];
        if (run->claims[0][i].status) fail_msg("%s", run->claims[0][i].words);
        for (enum kind kind = 0; kind < KINDS; kind++) {
            keep_least(&lengths.request[kind], trial->request_length[kind]);
            keep_least(&lengths.answer[kind], trial->answer_length[kind]);
            keep_least(&lengths.chunked[kind], trial->chunked_length[kind]);
        }
    }
    end(run);
    return lengths;
}
