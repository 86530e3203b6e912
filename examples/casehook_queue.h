/*
 * casehook_queue.h - the commands notify and outbox: a durable queue from the command line.
 */
#ifndef CASEHOOK_QUEUE_H
#define CASEHOOK_QUEUE_H

#include <casehook_outbox.h>
#include <stdbool.h>

/* Bits: options say which of them they are for. */
enum outbox_command {
    QUEUE_NOTIFY = 1,
    QUEUE_LIST = 2,
    QUEUE_SHOW = 4,
    QUEUE_RETRY = 8,
    QUEUE_DISCARD = 16,
    QUEUE_DONE = 32,
    QUEUE_FORGET = 64,
    QUEUE_STATS = 128,
    QUEUE_RUN = 256,
    QUEUE_AGAIN = 512
};

/* All texts are those of argv, or of the environment. */
struct outbox_arguments {
    enum outbox_command command;
    const char *words[2]; /* what is no option */
    size_t word_count;
    uint64_t entry; /* of the commands about one */
    const char *outbox, *to, *connector, *settings, *secrets, *external_id, *state;
    const char *limit, *before;
    const char *host, *service, *type, *output, *author, *comment, *title;
    bool json, forever, verbose, help;
};

enum { OUTBOX_HELP = -2 }; /* in place of an exit code: --help was given */

/* -1, OUTBOX_HELP, or the exit code: what is wrong was said.  values[0] is "notify" or "outbox". */
int outbox_arguments_read(struct outbox_arguments *arguments, int count, char **values);
/* A whole number from 1 on. */
bool outbox_number(const char *text, uint64_t *number);

/* The outbox of the arguments, with a fault said on standard error. */
struct casehook_outbox *outbox_open(const struct outbox_arguments *arguments, void *user,
                                    casehook_outbox_resolve_fn resolve);
/* Says it, frees it, and gives the exit code.  A location with a login is not repeated. */
int outbox_fault(const char *what, struct casehook_outbox_error *error);

/* casehook_queue_run.c: outbox run. */
int outbox_deliver(const struct outbox_arguments *arguments);

/* The exit code, or OUTBOX_HELP. */
int notify_run(int count, char **values);
int outbox_run(int count, char **values);

#endif
