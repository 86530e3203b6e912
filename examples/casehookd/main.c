/*
 * casehookd - alerts in, cases out.
 *
 *   casehookd [--check] CONFIGURATION
 *
 * Takes alerts and cases over HTTP, keeps them in an outbox, and delivers them.  SIGHUP: the configuration is
 * read again; SIGTERM, SIGINT: stops when what is being sent has ended, at most stopTimeout later.
 */
#define _XOPEN_SOURCE 700 /* realpath */
#include "clients.h"
#include "log.h"
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 500 };

static const char usage[] =
    "usage: casehookd [--check] CONFIGURATION\n"
    "\n"
    "Takes alerts (Alertmanager, Grafana) and cases over HTTP, and opens, updates and closes cases in a "
    "tracker.\n"
    "\n"
    "  --check     look for faults in the configuration and end: 0 there is none, 3 there are some\n"
    "  --help, --version\n"
    "\n"
    "SIGHUP reads the configuration again, SIGTERM stops.\n";

/* The connector of the current configuration; kept while it is used, whatever a reload does. */
static struct casehook_connector *resolve(void *user, const char *name)
{
    struct config *config = server_config(user);
    struct casehook_connector *found = config_connector(config, name);
    if (found) casehook_connector_ref(found);
    config_unref(config);
    return found;
}

static struct config *load(const char *path, bool check)
{
    struct faults faults = {0};
    struct config *config = config_load(path, check, &faults);
    for (size_t i = 0; i < faults.count; i++)
        if (check)
            fprintf(stderr, "%s\n", faults.items[i]);
        else
            log_line(CASEHOOK_LOG_ERROR, "%s", faults.items[i]);
    faults_clear(&faults);
    if (config && config->missing_folder)
        fprintf(stderr, "warning: outbox.location: %s is not there: it has to be when casehookd starts\n",
                config->missing_folder);
    return config;
}

/*
 * A file is one daemon's, by whatever path or link: what the one before was sending when it died is taken
 * over at once.  -1: another one has it; the descriptor is kept until the end.  Others may write in this
 * folder: a link of theirs is not followed.
 */
static int lock_file(const char *location, int *lock)
{
    struct text path = {0};
    char *real = realpath(location, NULL);
    text_format(&path, "%s.lock", real ? real : location);
    free(real);
    *lock = path.failed ? -1 : open(path.data, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    bool locked = *lock >= 0 && !flock(*lock, LOCK_EX | LOCK_NB);
    const char *fault = locked                               ? NULL
                        : *lock >= 0 && errno == EWOULDBLOCK ? "another casehookd works with this outbox"
                        : errno == ELOOP                     ? "it is a link, which casehookd never makes"
                                                             : strerror(errno);
    if (locked && !ready_owns(*lock))
        fault = "it is no lock file of casehookd: see whose it is, and move it away";
    if (fault) log_line(CASEHOOK_LOG_ERROR, "outbox: %s: %s", path.data ? path.data : location, fault);
    text_free(&path);
    return fault ? -1 : 0;
}

static int open_outbox(struct server *server, const struct config *config)
{
    struct casehook_outbox_options options = config->outbox;
    struct casehook_outbox_error *error = NULL;
    bool file = !strstr(config->location, "://");
    options.location = config->location;
    options.worker = config->worker ? config->worker : file ? "casehookd" : NULL;
    options.user = server;
    options.resolve = resolve;
    options.log = log_record;
    options.log_level = config->log_level;
    int status = casehook_outbox_open(&options, &server->outbox, &error);
    const char *message = casehook_outbox_error_message(error);
    if (status)
        log_line(CASEHOOK_LOG_ERROR, "%s%s", strncmp(message, "outbox: ", 8) != 0 ? "outbox: " : "", message);
    casehook_outbox_error_free(error);
    /* The file is there now.  Before anything is delivered nothing is taken over. */
    if (!status && file) status = lock_file(config->location, &server->lock_file);
    return status;
}

/* What a reload cannot change, in words; NULL: nothing of it differs from what the start had. */
static const char *needs_restart(const struct config *old, const struct config *new)
{
    static const char *const words[] = {NULL, "\"outbox\"", "\"http\"", "\"outbox\" and \"http\""};
    const struct casehook_outbox_options *a = &old->outbox, *b = &new->outbox;
    const char *worker_a = old->worker ? old->worker : "", *worker_b = new->worker ? new->worker : "";
    bool outbox = strcmp(old->location, new->location) != 0 || strcmp(worker_a, worker_b) != 0 ||
                  memcmp(a, b, sizeof *a) != 0;
    bool http = strcmp(old->listen_host, new->listen_host) != 0 || old->listen_port != new->listen_port ||
                old->max_connections != new->max_connections || old->threads != new->threads ||
                old->request_timeout_s != new->request_timeout_s || old->max_bodies != new->max_bodies;
    return words[outbox + 2 * http];
}

/* Counters are there from the beginning: a rate needs the 0 before the first one. */
static void count_sources(struct server *server, const struct config *config)
{
    for (size_t i = 0; i < config->source_count; i++) server_counts(server, config->sources[i].name);
}

/* The settings would be new ones at once, the lease that they need only after a restart. */
static struct config *load_again(const struct server *server, const char *path)
{
    struct config *config = load(path, false);
    long long lease = config_lease_ms(server->started);
    if (!config || config_lease_fits(lease, config->response_timeout_ms)) return config;
    log_line(
        CASEHOOK_LOG_ERROR,
        "settings: a responseTimeout of %lld ms needs a longer outbox.lease than the %lld ms that it was "
        "started with: restart it",
        (long long)config->response_timeout_ms, lease);
    config_unref(config);
    return NULL;
}

/* All of the new configuration, or nothing of it. */
static void reload(struct server *server, const char *path)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    notify_send("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    struct config *config = load_again(server, path);
    if (!config) {
        atomic_fetch_add(&server->failed_reloads, 1);
        log_line(CASEHOOK_LOG_ERROR, "%s has faults: the configuration before it stays", path);
    } else {
        const char *restart = needs_restart(server->started, config);
        if (restart)
            log_line(CASEHOOK_LOG_WARNING, "changes of %s need a restart: the rest is taken over", restart);
        pthread_mutex_lock(&server->lock);
        struct config *old = server->config;
        server->config = config;
        pthread_mutex_unlock(&server->lock);
        config_unref(old);
        count_sources(server, config);
        log_set_level(config->log_level);
        atomic_fetch_add(&server->reloads, 1);
        log_line(CASEHOOK_LOG_INFO, "%s was read again", path);
    }
    notify_send("READY=1");
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    /* Inherited by all threads: signals come here alone. */
    if (pthread_sigmask(SIG_BLOCK, &set, NULL)) return -1;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is a disk that is full */
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* True: it is time to stop. */
static bool read_signals(int signals, struct server *server, const char *path)
{
    struct signalfd_siginfo info;
    bool stop = false, again = false;
    while (read(signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP)
            again = true;
        else
            stop = true;
    }
    if (again && !stop) reload(server, path);
    return stop;
}

/* What is to be done beside delivering. */
static void tick(struct server *server, int64_t *last, int64_t *watched)
{
    int64_t now = now_ms(), watchdog = notify_watchdog_ms();
    if (now - *last >= TICK_MS) {
        clients_reap(server);
        *last = now;
    }
    if (watchdog && now - *watched >= watchdog) {
        notify_send("WATCHDOG=1");
        *watched = now;
    }
}

/* One turn: waits, at most until the next tick, then delivers what can be delivered.  -1: the outbox is
 * broken. */
static int turn(struct server *server, struct pollfd watched[2])
{
    int64_t wait = watched[1].fd < 0 ? casehook_outbox_timeout_ms(server->outbox) : TICK_MS;
    if (wait < 0 || wait > TICK_MS) wait = TICK_MS;
    if (poll(watched, 2, (int)wait) < 0 && errno != EINTR) return -1;
    int status = casehook_outbox_process(server->outbox);
    if (status && status != CASEHOOK_E_BUSY) {
        log_line(CASEHOOK_LOG_ERROR, "outbox: %s", casehook_status_name(status));
        return -1;
    }
    return 0;
}

static int run(struct server *server, int signals, const char *path)
{
    struct pollfd watched[2] = {{.fd = signals, .events = POLLIN},
                                {.fd = casehook_outbox_fd(server->outbox), .events = POLLIN}};
    int64_t last = 0, told = 0;
    while (!turn(server, watched)) {
        tick(server, &last, &told);
        if (watched[0].revents && read_signals(signals, server, path)) return 0;
    }
    return -1;
}

/* Finishes what is in flight. */
static void stop(struct server *server, int signals)
{
    struct pollfd watched[2] = {{.fd = signals, .events = POLLIN},
                                {.fd = casehook_outbox_fd(server->outbox), .events = POLLIN}};
    struct config *config = server_config(server);
    int64_t end = now_ms() + config->stop_timeout_ms, last = 0, told = 0;
    notify_send("STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld", (long long)(config->stop_timeout_ms + 10000) * 1000);
    log_line(CASEHOOK_LOG_INFO, "stopping: %zu entries are being sent",
             casehook_outbox_sending(server->outbox));
    server_quiesce(server);
    casehook_outbox_pause(server->outbox, 1);
    while (casehook_outbox_sending(server->outbox) && now_ms() < end) {
        if (turn(server, watched)) break;
        tick(server, &last, &told);
        struct signalfd_siginfo info;
        if (watched[0].revents && read(signals, &info, sizeof info) > 0 && info.ssi_signo != SIGHUP) break;
    }
    size_t left = casehook_outbox_sending(server->outbox);
    if (left)
        log_line(CASEHOOK_LOG_WARNING, "%zu entries are still being sent: the next start goes on with them",
                 left);
    config_unref(config);
}

static int serve(struct config *config, const char *path)
{
    struct server server = {
        .config = config, .started = config_ref(config), .started_ms = now_ms(), .lock_file = -1};
    int signals = open_signals(), code = 1;
    pthread_mutex_init(&server.lock, NULL);
    log_set_level(config->log_level);
    if (signals < 0 || open_outbox(&server, config)) goto end;
    count_sources(&server, config);
    if (server_start(&server, config)) goto end;
    atomic_store(&server.ready, true);
    bool v6 = strchr(config->listen_host, ':');
    log_line(CASEHOOK_LOG_INFO, "listening on http://%s%s%s:%u", v6 ? "[" : "", config->listen_host,
             v6 ? "]" : "", server_port(&server));
    notify_send("READY=1\nSTATUS=listening on %s port %u", config->listen_host, server_port(&server));
    code = run(&server, signals, path) ? 1 : 0;
    stop(&server, signals);
end:
    server_stop(&server);
    casehook_outbox_close(server.outbox);
    config_unref(server.config);
    config_unref(server.started);
    pthread_mutex_destroy(&server.lock);
    if (signals >= 0) close(signals);
    if (server.lock_file >= 0) close(server.lock_file);
    if (!code) log_line(CASEHOOK_LOG_INFO, "stopped");
    return code;
}

int main(int count, char **words)
{
    bool check = count > 1 && !strcmp(words[1], "--check");
    if (count > 1 && !strcmp(words[1], "--help")) return fputs(usage, stdout) < 0;
    if (count > 1 && !strcmp(words[1], "--version"))
        return printf("casehookd %s\n", casehook_version_string()) < 0;
    if (count != 2 + check || words[count - 1][0] == '-') {
        fputs(usage, stderr);
        return 2;
    }
    json_watch_memory();
    notify_open();
    if (!check) log_set_level(CASEHOOK_LOG_INFO);
    struct config *config = load(words[count - 1], check);
    if (!config) return 3;
    if (!check) return serve(config, words[count - 1]);
    printf("%s: no faults\n", words[1 + check]);
    config_unref(config);
    return 0;
}
