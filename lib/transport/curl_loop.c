/* curl_loop.c - transports whose sockets and timer a loop looks after. */
#include "transport/curl_private.h"

bool casehook__curl_watch(struct casehook__transport *transport, const struct casehook__watcher *watcher)
{
    transport->watcher = *watcher;
    casehook__curl_set_watcher(transport);
    return casehook__curl_sweep(transport);
}

/*
 * When libcurl runs out of memory while it notes which socket a transfer waits for, it leaves a table behind
 * that it divides by the size of, which is 0 then, as soon as that transfer is driven again; and nobody knows
 * which one it was.  So all that were under way end here, and before something else begins there are new
 * tables.
 */
static void doom(struct casehook__transport *transport)
{
    for (struct casehook__transfer *transfer = transport->first; transfer; transfer = transfer->next) {
        transport->doomed += !transfer->doomed;
        transfer->doomed = true;
    }
    transport->spoiled = true;
}

static bool check_multi(struct casehook__transport *transport, CURLMcode code)
{
    if (code != CURLM_OK) doom(transport);
    return code == CURLM_OK;
}

/* Deprecated, but the one call that looks at all transfers and tells the callback about all sockets. */
bool casehook__curl_sweep(struct casehook__transport *transport)
{
    int running;
    CURLMcode code;
    if (transport->doomed) return false;
    casehook__curl_open_gate(transport);
    CURL_IGNORE_DEPRECATION(code = curl_multi_socket_all(transport->multi, &running);)
    return check_multi(transport, code);
}

bool casehook__curl_act(struct casehook__transport *transport, int socket, int events)
{
    int what = 0, running;
    if (transport->doomed) return false;
    casehook__curl_open_gate(transport);
    if (events & CASEHOOK__READABLE) what |= CURL_CSELECT_IN;
    if (events & CASEHOOK__WRITABLE) what |= CURL_CSELECT_OUT;
    if (events & CASEHOOK__BROKEN) what |= CURL_CSELECT_ERR;
    return check_multi(transport, curl_multi_socket_action(transport->multi, socket, what, &running));
}

bool casehook__curl_tick(struct casehook__transport *transport)
{
    int running;
    if (transport->doomed) return false;
    casehook__curl_open_gate(transport);
    return check_multi(transport,
                       curl_multi_socket_action(transport->multi, CURL_SOCKET_TIMEOUT, 0, &running));
}

bool casehook__curl_poll_with(struct casehook__transport *transport, int descriptor, int timeout_ms)
{
    struct curl_waitfd extra = {.fd = descriptor, .events = CURL_WAIT_POLLIN};
    if (curl_multi_poll(transport->multi, &extra, 1, timeout_ms, NULL) == CURLM_OK) return extra.revents != 0;
    casehook__curl_rest(timeout_ms);
    return true;
}

void casehook__curl_keep(struct casehook__transport *transport, unsigned connections)
{
    transport->keep = (long)connections;
    curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, transport->keep);
}
