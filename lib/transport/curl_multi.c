/* curl_multi.c - transports: libcurl's connections and transfers of one owner. */
#include "base/posix.h"

#include "transport/curl_private.h"

#include <time.h>

#define DEAF_MS      20           /* so often is looked for a wakeup that cannot end a poll */
#define ONE_GO_BYTES (512 * 1024) /* more than libcurl reads of HTTP/1 before it returns */

static CURLM *multi_new(struct casehook__transport *transport)
{
    CURLM *multi = curl_multi_init();
    if (!multi) return NULL;
    transport->deaf = curl_multi_wakeup(multi) != CURLM_OK;
    if (curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, transport->keep) == CURLM_OK) return multi;
    curl_multi_cleanup(multi);
    return NULL;
}

int casehook__curl_open(struct casehook__heap *heap, const struct casehook__settings_snapshot *settings,
                        atomic_uint *connections, struct casehook__transport **out)
{
    struct casehook__transport *transport = casehook__calloc(heap, 1, sizeof *transport);
    *out = NULL;
    if (!transport) return CASEHOOK_E_NO_MEMORY;
    transport->heap = heap;
    transport->counter = connections;
    /* One for each call at most: it serves one operation at a time.  0 would mean libcurl's own choice. */
    transport->keep = settings->max_idle_connections < CASEHOOK__CALLS ? (long)settings->max_idle_connections
                                                                       : CASEHOOK__CALLS;
    if (transport->keep == 0) transport->keep = 1;
    transport->multi = multi_new(transport);
    if (!transport->multi) {
        casehook__free(heap, transport);
        return CASEHOOK_E_NO_MEMORY;
    }
    *out = transport;
    return CASEHOOK_OK;
}

static int multi_on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *of_socket)
{
    struct casehook__transport *transport = user;
    int events = 0;
    (void)easy;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= CASEHOOK__READABLE;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= CASEHOOK__WRITABLE;
    if (!events && !of_socket) return 0; /* nobody looks after it any more: casehook__curl_give_up */
    transport->watcher.socket(transport->watcher.user, socket, events, !of_socket);
    if (events && !of_socket) curl_multi_assign(transport->multi, socket, transport); /* no longer fresh */
    return 0;
}

static int multi_on_timer(CURLM *multi, long in_ms, void *user)
{
    struct casehook__transport *transport = user;
    (void)multi;
    transport->watcher.timer(transport->watcher.user, in_ms);
    return 0;
}

void casehook__curl_set_watcher(struct casehook__transport *transport)
{
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, multi_on_socket);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, multi_on_timer);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
}

bool casehook__curl_mend(struct casehook__transport *transport)
{
    CURLM *fresh = transport->first ? NULL : multi_new(transport);
    if (!fresh) return false;
    curl_multi_cleanup(transport->multi);
    transport->multi = fresh;
    transport->spoiled = false;
    if (transport->watcher.socket) casehook__curl_set_watcher(transport);
    return true;
}

void casehook__curl_close(struct casehook__transport *transport)
{
    if (!transport) return;
    curl_multi_cleanup(transport->multi);
    casehook__curl_forget_connections(transport);
    atomic_fetch_sub_explicit(transport->counter, transport->open_sockets, memory_order_relaxed);
    casehook__free(transport->heap, transport);
}

void casehook__curl_open_gate(struct casehook__transport *transport)
{
    transport->gate.left = ONE_GO_BYTES;
    transport->go++;
}

/* What fails here for want of memory is tried again the next time; the limits of the transfers go on. */
void casehook__curl_perform(struct casehook__transport *transport)
{
    int running;
    casehook__curl_open_gate(transport);
    curl_multi_perform(transport->multi, &running);
}

void casehook__curl_rest(int ms)
{
    if (ms > DEAF_MS) ms = DEAF_MS;
    struct timespec time = {.tv_sec = 0, .tv_nsec = ms * 1000000L};
    nanosleep(&time, NULL);
}

bool casehook__curl_poll(struct casehook__transport *transport, int timeout_ms)
{
    int ready = 0;
    if (transport->deaf && timeout_ms > DEAF_MS) timeout_ms = DEAF_MS;
    if (curl_multi_poll(transport->multi, NULL, 0, timeout_ms, &ready) == CURLM_OK) return ready > 0;
    casehook__curl_rest(timeout_ms);
    return true;
}

void casehook__curl_wakeup(struct casehook__transport *transport)
{
    curl_multi_wakeup(transport->multi);
}
