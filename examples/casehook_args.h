/*
 * casehook_args.h - what the command line of the casehook tool says.
 */
#ifndef CASEHOOK_ARGS_H
#define CASEHOOK_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes, by kind of failure; --help documents them. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_CONFIG = 3,
    EXIT_PARAMS = 4,
    EXIT_POLICY = 5,
    EXIT_NETWORK = 6,
    EXIT_TLS = 7,
    EXIT_REFUSED = 8,
    EXIT_ANSWER = 9,
    EXIT_UNKNOWN = 10,
    EXIT_PARTIAL = 11,
    EXIT_CANCELLED = 12,
    EXIT_BATCH = 13,
};

/* An option that may be repeated. */
struct list {
    const char **items;
    size_t count;
};

/* All texts are those of argv. */
struct arguments {
    enum { COMMAND_CHECK, COMMAND_INIT, COMMAND_PREVIEW, COMMAND_RUN } command;
    int operation; /* CASEHOOK_CREATE ...; 0 for check and init */
    const char *connector, *settings, *secrets;
    const char *case_file;
    const char *title, *description, *severity, *status, *id;
    struct list tags, fields, comments, sets;
    const char *external_id;
    const char *resume, *idempotency_key;
    const char *batch, *journal, *failed;
    const char *tracker, *from_curl, *url, *ca; /* of init */
    uint32_t concurrency, max_attempts;         /* 0: not given */
    uint32_t deadline_ms;
    bool retry_unknown, json, verbose, trace, help, version;
};

/*
 * Returns -1 when the command is to be done, otherwise the exit code: help or version was printed, or
 * what is wrong was said on standard error.  Release with arguments_free() in every case.
 */
int arguments_read(struct arguments *arguments, int count, char **values);
void arguments_free(struct arguments *arguments);

#endif
