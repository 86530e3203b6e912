/*
 * casehook_queue.h - the commands notify and outbox: a durable queue from the command line.
 */
#ifndef CASEHOOK_QUEUE_H
#define CASEHOOK_QUEUE_H

#include <casehook_outbox.h>
#include <stdbool.h>

/* All texts are those of argv, or of the environment. */
struct outbox_arguments {
    const char *words[3]; /* what is no option */
    size_t word_count;
    const char *outbox, *to, *connector, *settings, *secrets, *external_id, *state;
    const char *host, *service, *type, *output, *author, *comment, *title;
    bool json, forever, verbose, help;
};

/* -1, or the exit code: what is wrong was said.  values[0] is the name of the command. */
int outbox_arguments_read(struct outbox_arguments *arguments, int count, char **values);

/* The outbox of the arguments, with a fault said on standard error. */
struct casehook_outbox *outbox_open(const struct outbox_arguments *arguments, void *user,
                                    casehook_outbox_resolve_fn resolve);
/* Says it, frees it, and gives the exit code. */
int outbox_fault(const char *what, struct casehook_outbox_error *error);

int notify_run(int count, char **values);
int outbox_run(int count, char **values);

#endif
