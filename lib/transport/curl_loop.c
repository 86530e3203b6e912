/* curl_loop.c - wires whose sockets and timer a loop looks after. */
#include "transport/curl_private.h"

bool casehook__wire_watch(struct casehook__wire *wire, const struct casehook__watcher *watcher)
{
    wire->watcher = *watcher;
    casehook__curl_watch(wire);
    return casehook__wire_sweep(wire);
}

/*
 * When libcurl runs out of memory while it notes which socket a transfer waits for, it leaves a table behind
 * that it divides by the size of, which is 0 then, as soon as that transfer is driven again; and nobody knows
 * which one it was.  So all that were under way end here, and before something else begins there are new
 * tables.
 */
static void doom(struct casehook__wire *wire)
{
    for (struct casehook__transfer *transfer = wire->first; transfer; transfer = transfer->next) {
        wire->doomed += !transfer->doomed;
        transfer->doomed = true;
    }
    wire->spoiled = true;
}

static bool check_multi(struct casehook__wire *wire, CURLMcode code)
{
    if (code != CURLM_OK) doom(wire);
    return code == CURLM_OK;
}

/* Deprecated, but the one call that looks at all transfers and tells the callback about all sockets. */
bool casehook__wire_sweep(struct casehook__wire *wire)
{
    int running;
    CURLMcode code;
    if (wire->doomed) return false;
    casehook__curl_open_gate(wire);
    CURL_IGNORE_DEPRECATION(code = curl_multi_socket_all(wire->multi, &running);)
    return check_multi(wire, code);
}

bool casehook__wire_act(struct casehook__wire *wire, int socket, int events)
{
    int what = 0, running;
    if (wire->doomed) return false;
    casehook__curl_open_gate(wire);
    if (events & CASEHOOK__READABLE) what |= CURL_CSELECT_IN;
    if (events & CASEHOOK__WRITABLE) what |= CURL_CSELECT_OUT;
    if (events & CASEHOOK__BROKEN) what |= CURL_CSELECT_ERR;
    return check_multi(wire, curl_multi_socket_action(wire->multi, socket, what, &running));
}

bool casehook__wire_tick(struct casehook__wire *wire)
{
    int running;
    if (wire->doomed) return false;
    casehook__curl_open_gate(wire);
    return check_multi(wire, curl_multi_socket_action(wire->multi, CURL_SOCKET_TIMEOUT, 0, &running));
}

bool casehook__wire_poll_with(struct casehook__wire *wire, int descriptor, int timeout_ms)
{
    struct curl_waitfd extra = {.fd = descriptor, .events = CURL_WAIT_POLLIN};
    if (curl_multi_poll(wire->multi, &extra, 1, timeout_ms, NULL) == CURLM_OK) return extra.revents != 0;
    casehook__curl_rest(timeout_ms);
    return true;
}

void casehook__wire_keep(struct casehook__wire *wire, unsigned connections)
{
    wire->keep = (long)connections;
    curl_multi_setopt(wire->multi, CURLMOPT_MAXCONNECTS, wire->keep);
}
