/* curl_wire.c - wires: libcurl's connections and transfers of one owner. */
#include "base/posix.h"

#include "transport/curl_private.h"

#include <time.h>

#define DEAF_MS      20           /* so often is looked for a wakeup that cannot end a poll */
#define ONE_GO_BYTES (512 * 1024) /* more than libcurl reads of HTTP/1 before it returns */

static CURLM *multi_new(struct casehook__wire *wire)
{
    CURLM *multi = curl_multi_init();
    if (!multi) return NULL;
    wire->deaf = curl_multi_wakeup(multi) != CURLM_OK;
    if (curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, wire->keep) == CURLM_OK) return multi;
    curl_multi_cleanup(multi);
    return NULL;
}

int casehook__wire_new(struct casehook__heap *heap, const struct casehook__settings *settings,
                       struct casehook__wire **out)
{
    struct casehook__wire *wire = casehook__calloc(heap, 1, sizeof *wire);
    *out = NULL;
    if (!wire) return CASEHOOK_E_NO_MEMORY;
    wire->heap = heap;
    /* One for each call at most: it serves one operation at a time.  0 would mean libcurl's own choice. */
    wire->keep = settings->max_idle_connections < CASEHOOK__CALLS ? (long)settings->max_idle_connections
                                                                  : CASEHOOK__CALLS;
    if (wire->keep == 0) wire->keep = 1;
    wire->multi = multi_new(wire);
    if (!wire->multi) {
        casehook__free(heap, wire);
        return CASEHOOK_E_NO_MEMORY;
    }
    *out = wire;
    return CASEHOOK_OK;
}

static int multi_on_socket(CURL *easy, curl_socket_t socket, int what, void *user, void *of_socket)
{
    struct casehook__wire *wire = user;
    int events = 0;
    (void)easy;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= CASEHOOK__READABLE;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= CASEHOOK__WRITABLE;
    wire->watcher.socket(wire->watcher.user, socket, events, !of_socket);
    if (events && !of_socket) curl_multi_assign(wire->multi, socket, wire); /* no longer fresh */
    return 0;
}

static int multi_on_timer(CURLM *multi, long in_ms, void *user)
{
    struct casehook__wire *wire = user;
    (void)multi;
    wire->watcher.timer(wire->watcher.user, in_ms);
    return 0;
}

void casehook__curl_watch(struct casehook__wire *wire)
{
    curl_multi_setopt(wire->multi, CURLMOPT_SOCKETFUNCTION, multi_on_socket);
    curl_multi_setopt(wire->multi, CURLMOPT_SOCKETDATA, wire);
    curl_multi_setopt(wire->multi, CURLMOPT_TIMERFUNCTION, multi_on_timer);
    curl_multi_setopt(wire->multi, CURLMOPT_TIMERDATA, wire);
}

bool casehook__curl_mend(struct casehook__wire *wire)
{
    CURLM *fresh = wire->first ? NULL : multi_new(wire);
    if (!fresh) return false;
    curl_multi_cleanup(wire->multi);
    wire->multi = fresh;
    wire->spoiled = false;
    if (wire->watcher.socket) casehook__curl_watch(wire);
    return true;
}

void casehook__wire_free(struct casehook__wire *wire)
{
    if (!wire) return;
    curl_multi_cleanup(wire->multi);
    casehook__curl_forget_connections(wire);
    casehook__free(wire->heap, wire);
}

void casehook__curl_open_gate(struct casehook__wire *wire)
{
    wire->gate.left = ONE_GO_BYTES;
    wire->go++;
}

/* What fails here for want of memory is tried again the next time; the limits of the transfers go on. */
void casehook__wire_perform(struct casehook__wire *wire)
{
    int running;
    casehook__curl_open_gate(wire);
    curl_multi_perform(wire->multi, &running);
}

void casehook__curl_rest(int ms)
{
    if (ms > DEAF_MS) ms = DEAF_MS;
    struct timespec time = {.tv_sec = 0, .tv_nsec = ms * 1000000L};
    nanosleep(&time, NULL);
}

bool casehook__wire_poll(struct casehook__wire *wire, int timeout_ms)
{
    int ready = 0;
    if (wire->deaf && timeout_ms > DEAF_MS) timeout_ms = DEAF_MS;
    if (curl_multi_poll(wire->multi, NULL, 0, timeout_ms, &ready) == CURLM_OK) return ready > 0;
    casehook__curl_rest(timeout_ms);
    return true;
}

void casehook__wire_wakeup(struct casehook__wire *wire)
{
    curl_multi_wakeup(wire->multi);
}
