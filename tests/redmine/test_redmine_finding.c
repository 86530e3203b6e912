/*
 * test_redmine_finding.c - one alert, many processes, some of which are killed: how many issues there are
 * (D3): BASE_URL CONNECTOR
 */
#include "redmine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 4, EACH = 5, POLLS_MAX = 2000 };

/* A process that pushes one alert again and again, and says what became of each push. */
struct pusher {
    pid_t process;
    int said; /* a pipe: one struct push each */
};

struct push {
    int status, found;
    char id[32];
};

/* ---- in the process ------------------------------------------------------------------------------ */

static struct push push_once(struct casehook_connector *connector, const char *alert)
{
    struct casehook_result *result = NULL;
    struct push push = {0};
    struct casehook_params params = {
        .struct_size = sizeof params, .title = alert, .id = alert, .severity = CASEHOOK_SEVERITY_HIGH};
    push.status = casehook_push(connector, &params, NULL, &result);
    push.found = casehook_result_found(result);
    if (push.status) fprintf(stderr, "%s\n", casehook_error_message(casehook_result_error(result)));
    const char *id = casehook_result_id(result, NULL);
    snprintf(push.id, sizeof push.id, "%s", id ? id : "");
    casehook_result_free(result);
    return push;
}

/* lock: a file that is locked around each push, NULL: none. */
static void push_all(const char *alert, const char *lock, int count, int say)
{
    struct casehook_connector *connector = redmine_connector(NULL, 1);
    int locked = lock ? open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (!connector || (lock && locked < 0)) _exit(1);
    for (int i = 0; i < count; i++) {
        if (lock && flock(locked, LOCK_EX)) _exit(1);
        struct push push = push_once(connector, alert);
        if (lock) flock(locked, LOCK_UN);
        if (write(say, &push, sizeof push) != sizeof push) _exit(1);
    }
    casehook_connector_unref(connector);
    _exit(0);
}

static struct pusher start(const char *alert, const char *lock, int count)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct pusher pusher = {.process = fork(), .said = ends[0]};
    assert_true(pusher.process >= 0);
    if (pusher.process == 0) push_all(alert, lock, count, ends[1]);
    close(ends[1]);
    return pusher;
}

/* ---- outside ------------------------------------------------------------------------------------- */

/* 0: it says no more. */
static int hear(const struct pusher *pusher, struct push *push)
{
    return read(pusher->said, push, sizeof *push) == sizeof *push;
}

static void end(const struct pusher *pusher)
{
    int status = 0;
    assert_int_equal(waitpid(pusher->process, &status, 0), pusher->process);
    close(pusher->said);
}

static void kill_hard(const struct pusher *pusher)
{
    assert_int_equal(kill(pusher->process, SIGKILL), 0);
    end(pusher);
}

/* How many issues of this alert Redmine has. */
static int count_issues(const char *alert)
{
    char path[256];
    snprintf(path, sizeof path, "/issues.json?project_id=cases&status_id=*&cf_3=%s", alert);
    json_t *root = redmine_read(path);
    assert_non_null(root);
    int count = (int)json_integer_value(json_object_get(root, "total_count"));
    json_decref(root);
    return count;
}

static void await_issue(const char *alert)
{
    int polls = 0;
    while (count_issues(alert) == 0) assert_true(++polls < POLLS_MAX);
}

/* Everything that it still has to say must be that the case was found, and ended well. */
static int hear_all(const struct pusher *pusher, int must_find)
{
    struct push push;
    int pushes = 0;
    for (; hear(pusher, &push); pushes++) {
        assert_int_equal(push.status, CASEHOOK_OK);
        if (must_find) assert_true(push.found);
    }
    end(pusher);
    return pushes;
}

/* One that this Redmine has not had before. */
static char *name_alert(const char *kind, char name[64])
{
    snprintf(name, 64, "alert-%s-%ld", kind, (long)getpid());
    return name;
}

/* ---- tests --------------------------------------------------------------------------------------- */

/* Killed as soon as the tracker has the case, before or after its answer: the others find it. */
static void killed_while_it_creates(void **state)
{
    (void)state;
    char name[64], *alert = name_alert("killed", name);
    struct pusher others[PROCESSES], first = start(alert, NULL, EACH);
    int pushes = 0;
    await_issue(alert);
    kill_hard(&first);
    for (int i = 0; i < PROCESSES; i++) others[i] = start(alert, NULL, EACH);
    for (int i = 0; i < PROCESSES; i++) pushes += hear_all(&others[i], 1);
    assert_int_equal(pushes, PROCESSES * EACH);
    assert_int_equal(count_issues(alert), 1);
}

/* Four push the alert, and one of them is killed whatever it is doing, and started again. */
static void killed_in_between(void **state)
{
    (void)state;
    char name[64], *alert = name_alert("between", name);
    struct push push;
    struct pusher others[PROCESSES - 1], first = start(alert, NULL, EACH), again;
    int pushes = 2;
    await_issue(alert);
    for (int i = 0; i < PROCESSES - 1; i++) others[i] = start(alert, NULL, EACH);
    for (int i = 0; i < 2; i++) assert_true(hear(&first, &push));
    kill_hard(&first);
    again = start(alert, NULL, EACH - 2);
    pushes += hear_all(&again, 1);
    for (int i = 0; i < PROCESSES - 1; i++) pushes += hear_all(&others[i], 1);
    assert_int_equal(pushes, PROCESSES * EACH);
    assert_int_equal(count_issues(alert), 1);
}

/* What finding cannot promise, a lock of the caller's can: nobody asks while another one creates. */
static void at_the_same_moment(void **state)
{
    (void)state;
    char name[64], *alert = name_alert("locked", name);
    char lock[] = "/tmp/redmine-lock-XXXXXX";
    struct pusher pushers[PROCESSES];
    int pushes = 0, file = mkstemp(lock);
    assert_true(file >= 0);
    close(file);
    for (int i = 0; i < PROCESSES; i++) pushers[i] = start(alert, lock, EACH);
    for (int i = 0; i < PROCESSES; i++) pushes += hear_all(&pushers[i], 0);
    unlink(lock);
    assert_int_equal(pushes, PROCESSES * EACH);
    assert_int_equal(count_issues(alert), 1);

    alert = name_alert("open", name);
    for (int i = 0; i < PROCESSES; i++) pushers[i] = start(alert, NULL, EACH);
    for (int i = 0; i < PROCESSES; i++) hear_all(&pushers[i], 0);
    int issues = count_issues(alert);
    print_message("%d processes at the same moment, without a lock: %d issues\n", PROCESSES, issues);
    assert_in_range(issues, 1, PROCESSES); /* and each pusher made no more than one */
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    redmine_use(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_while_it_creates),
                                       cmocka_unit_test(killed_in_between),
                                       cmocka_unit_test(at_the_same_moment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
