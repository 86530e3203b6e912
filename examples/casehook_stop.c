/* casehook_stop.c - a thread that waits for signals. */
#include "casehook_stop.h"

#include <string.h>
#include <unistd.h>

static const int asked[] = {SIGINT, SIGTERM, SIGHUP};
static const int finished = SIGUSR1; /* from stop_end() */

static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; /* there is nobody left to tell */
}

static void *wait_for_signals(void *user)
{
    struct stop *stop = user;
    int number = 0;
    if (sigwait(&stop->signals, &number) || number == finished) return NULL;
    atomic_store(&stop->asked, true);
    casehook_cancel_set(stop->cancel);
    casehook_loop_wakeup(stop->loop);
    say("casehook: stopping; once more ends it at once\n");
    if (sigwait(&stop->signals, &number) || number == finished) return NULL;
    _exit(128 + number);
}

/* What was ignored when we began, as under nohup, stays ignored. */
static void choose_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, finished);
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct sigaction action;
        if (sigaction(asked[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(signals, asked[i]);
    }
}

bool stop_asked(struct stop *stop)
{
    return atomic_load(&stop->asked);
}

int stop_begin(struct stop *stop, struct casehook_cancel *cancel, struct casehook_loop *loop)
{
    stop->cancel = cancel;
    stop->loop = loop;
    atomic_init(&stop->asked, false);
    choose_signals(&stop->signals);
    if (pthread_sigmask(SIG_BLOCK, &stop->signals, &stop->before)) return -1;
    stop->running = !pthread_create(&stop->thread, NULL, wait_for_signals, stop);
    if (!stop->running) pthread_sigmask(SIG_SETMASK, &stop->before, NULL);
    return stop->running ? 0 : -1;
}

void stop_end(struct stop *stop)
{
    if (!stop->running) return;
    pthread_kill(stop->thread, finished);
    pthread_join(stop->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &stop->before, NULL);
    stop->running = false;
}
