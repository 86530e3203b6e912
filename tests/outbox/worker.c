/*
 * worker.c - a process with an outbox, for tests that kill it.
 *
 *   worker LOCATION CONNECTOR.json work NAME LEASE-MS     puts what it reads from standard input, and
 * delivers worker LOCATION CONNECTOR.json drain NAME LEASE-MS    delivers until nothing is due worker
 * LOCATION - list | retry ID | done ID EXTERNAL-ID | stats
 *
 * A line of the input is "KEY OPERATION PARAMS"; "+KEY" is the answer once it is durable, "-KEY STATUS" when
 * it is not stored.  What is refused because the database is away is put again before what comes after it:
 * the next entry of its case would overtake it.  The end of the input ends it.
 */
#include <casehook_outbox.h>

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct casehook_connector *connector;
static struct casehook_outbox *outbox;

static struct casehook_connector *resolve(void *user, const char *name)
{
    (void)user;
    (void)name;
    return casehook_connector_ref(connector);
}

static void say(void *user, const struct casehook_log_record *record)
{
    (void)user;
    fprintf(stderr, "%s\n", record->message);
}

static struct casehook_connector *load(const char *path)
{
    static char document[65536];
    struct casehook_settings *settings = NULL;
    struct casehook_connector *made = NULL;
    struct casehook_error *error = NULL;
    const char *text = "{\"retry\":{\"baseDelay\":\"1ms\",\"findDelay\":\"1ms\"},\"responseTimeout\":\"20s\","
                       "\"run\":{\"maxAttempts\":2}}";
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    size_t length = fread(document, 1, sizeof document, file);
    fclose(file);
    if (casehook_settings_new(NULL, &settings) ||
        casehook_settings_load_json(settings, text, CASEHOOK_TERMINATED, &error) ||
        casehook_connector_new(settings, document, length, &made, &error))
        fprintf(stderr, "%s\n", casehook_error_message(error));
    casehook_error_free(error);
    casehook_settings_free(settings);
    return made;
}

static void answer(const char *format, const char *key, int status)
{
    char line[300];
    int length = snprintf(line, sizeof line, format, key, status);
    if (write(1, line, (size_t)length) != length) _exit(3);
}

enum { AGAIN_MS = 20 };

/* The database is away, or was when it was to say that it has it: once more, the key makes that safe. */
static bool is_passing(int status)
{
    return status == CASEHOOK_E_UNAVAILABLE || status == CASEHOOK_E_NETWORK || status == CASEHOOK_E_BUSY;
}

static void *put_lines(void *user)
{
    static char line[65536];
    (void)user;
    while (fgets(line, sizeof line, stdin)) {
        char key[64], operation[16];
        int at = 0;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%63s %15s %n", key, operation, &at) != 2) continue;
        struct casehook_outbox_item item = {.struct_size = sizeof item,
                                            .connector = "tracker",
                                            .key = key,
                                            .params = line + at,
                                            .params_length = CASEHOOK_TERMINATED,
                                            .operation =
                                                *operation == 'c' ? CASEHOOK_COMMENT : CASEHOOK_PUSH};
        int status = casehook_outbox_put(outbox, &item, NULL, NULL, NULL);
        /* Entries go in the order in which they were stored: what comes after this one waits for it. */
        for (; is_passing(status); status = casehook_outbox_put(outbox, &item, NULL, NULL, NULL))
            poll(NULL, 0, AGAIN_MS);
        answer(status ? "-%s %d\n" : "+%s\n", key, status);
    }
    casehook_outbox_pause(outbox, 1);
    casehook_outbox_wakeup(outbox);
    return NULL;
}

static int work(int drain)
{
    pthread_t thread;
    if (drain) return casehook_outbox_run(outbox, CASEHOOK_OUTBOX_UNTIL_IDLE, 60000);
    if (pthread_create(&thread, NULL, put_lines, NULL)) return 1;
    casehook_outbox_run(outbox, 0, -1);
    pthread_join(thread, NULL);
    while (casehook_outbox_sending(outbox)) casehook_outbox_run(outbox, 0, 20);
    return 0;
}

static int manage(int argc, char **argv)
{
    struct casehook_outbox_query query = {.struct_size = sizeof query, .limit = 1000, .full = 1};
    struct casehook_outbox_list *list = NULL;
    uint64_t id = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    char text[2048];
    if (strcmp(argv[3], "retry") == 0) return casehook_outbox_retry(outbox, id, NULL);
    if (strcmp(argv[3], "done") == 0)
        return casehook_outbox_done(outbox, id, argc > 5 ? argv[5] : NULL, NULL);
    if (strcmp(argv[3], "stats") == 0)
        return !casehook_outbox_stats_json(outbox, text, sizeof text) || puts(text) < 0;
    for (;;) {
        struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
        if (casehook_outbox_find(outbox, &query, &list, NULL)) return 1;
        size_t count = casehook_outbox_list_count(list);
        if (count) puts(casehook_outbox_list_json(list, NULL));
        if (count) casehook_outbox_list_entry(list, count - 1, &entry);
        casehook_outbox_list_free(list);
        if (count < query.limit) return 0;
        query.before = entry.id;
    }
}

int main(int argc, char **argv)
{
    struct casehook_outbox_error *error = NULL;
    int delivers = argc > 5 && (strcmp(argv[3], "work") == 0 || strcmp(argv[3], "drain") == 0);
    if (argc < 4) return 2;
    struct casehook_outbox_options options = {.struct_size = sizeof options,
                                              .location = argv[1],
                                              .log = say,
                                              .retry_base_ms = 20,
                                              .retry_max_ms = 200,
                                              .max_sending = 16,
                                              .poll_ms = 50};
    if (delivers) {
        connector = load(argv[2]);
        if (!connector) return 2;
        options.resolve = resolve;
        options.worker = strcmp(argv[4], "-") == 0 ? NULL : argv[4];
        options.lease_ms = (uint32_t)strtoul(argv[5], NULL, 10);
    }
    if (casehook_outbox_open(&options, &outbox, &error)) {
        fprintf(stderr, "%s\n", casehook_outbox_error_message(error));
        casehook_outbox_error_free(error);
        return 4;
    }
    int status = delivers ? work(strcmp(argv[3], "drain") == 0) : manage(argc, argv);
    casehook_outbox_close(outbox);
    casehook_connector_unref(connector);
    return status ? 1 : 0;
}
