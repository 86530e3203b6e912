/*
 * transport.h - HTTP requests: what drivers see of those who do them.
 *
 * A transport holds the connections of one policy of one connector and of one thread at a time.  A transfer
 * does one request after the other on it and never changes its identity: its handle is made once for the
 * policy, and only method, headers, URL, body and time change (P3).
 */
#ifndef CASEHOOK_TRANSPORT_H
#define CASEHOOK_TRANSPORT_H

#include "base/clock.h"
#include "document/mask.h"
#include "exchange/request.h"
#include "document/policy.h"
#include "settings/reuse.h"

#include <stdatomic.h>

#define CASEHOOK__HEADER_BYTES_MAX (64 * 1024) /* of one response, status lines and interim responses too */

/* libcurl's own initialisation, once per process.  Errors: UNSUPPORTED, SYSTEM (it cannot be used). */
int casehook__transport_init(struct casehook_error *error);

/* For casehook_feature(): 1 when the running libcurl has it, 0 when not, -1 when it is none of libcurl's. */
int casehook__transport_feature(const char *name);

/* What they are, only an implementation knows: the functions below take those of their own. */
struct casehook__transport;
struct casehook__transfer;

/* What is to be looked out for on a socket, and what was seen there. */
enum { CASEHOOK__READABLE = 1, CASEHOOK__WRITABLE = 2, CASEHOOK__BROKEN = 4 };

/* What is known of the origins that a connector talks to, the different ones, and to which of them a call
 * goes. */
struct casehook__reuse_map {
    struct casehook__reuse *origins;
    uint8_t of[CASEHOOK__CALLS];
};

/* Who looks after the sockets and the timer of a transport; called inside the functions below. */
struct casehook__watcher {
    void *user;
    /* events 0: no longer; fresh: it was not looked after before. */
    void (*socket)(void *user, int socket, int events, bool fresh);
    void (*timer)(void *user, int64_t in_ms); /* then tick; -1: no longer */
};

struct casehook__transport_ops {
    /* connections counts those that are open, and outlives the transport.  Errors: NO_MEMORY. */
    int (*open)(struct casehook__heap *heap, const struct casehook__settings_snapshot *settings,
                atomic_uint *connections, struct casehook__transport **transport);
    /* No transfer may be on it; NULL: nothing is done. */
    void (*close)(struct casehook__transport *transport);

    /*
     * The policy is copied; what it borrows must outlive the transfer, and so must reuse; NULL for a single
     * request, which shares no connection.  Errors: NO_MEMORY.
     */
    int (*transfer_new)(struct casehook__heap *heap, const struct casehook__config *config,
                        const struct casehook__settings_snapshot *settings,
                        const struct casehook__policy *policy, const struct casehook__reuse_map *reuse,
                        struct casehook__transfer **transfer);
    /* Takes it off its transport first; NULL: nothing is done. */
    void (*transfer_free)(struct casehook__transfer *transfer);
    /* Gives back memory of an unusually large answer; transfer may be NULL. */
    void (*shrink)(struct casehook__transfer *transfer, size_t kept);

    /*
     * Puts a request on the transport; deadline is a time of casehook__clock_ms(), owner what next gives
     * back. False: it could not start, failure says why.  request and what it borrows must live until the
     * end.
     */
    bool (*start)(struct casehook__transfer *transfer, struct casehook__transport *transport,
                  const struct casehook__request *request, int64_t deadline, void *owner);
    /*
     * When it must have ended (casehook__clock_ms()).  A transport does not look after that by itself: an
     * answer that came in time but is read late counts.
     */
    int64_t (*limit)(const struct casehook__transfer *transfer);
    /* Its time has passed, and what lay in its socket was read: ends it. */
    void (*expire)(struct casehook__transfer *transfer);
    /* Ends a running transfer at once. */
    void (*cancel)(struct casehook__transfer *transfer);
    /* The answer, or NULL: then there is a failure. */
    const struct casehook__response *(*response)(const struct casehook__transfer *transfer);
    const struct casehook__failure *(*failure)(const struct casehook__transfer *transfer);

    /* Does what can be done without waiting. */
    void (*perform)(struct casehook__transport *transport);
    /* Waits at most timeout_ms for something to do, or for a wakeup.  False: there is nothing to do. */
    bool (*poll)(struct casehook__transport *transport, int timeout_ms);
    /* The same, and a readable descriptor ends it too.  True: it is readable. */
    bool (*poll_with)(struct casehook__transport *transport, int descriptor, int timeout_ms);
    /* From any thread: ends a poll, now or the next one. */
    void (*wakeup)(struct casehook__transport *transport);
    /* The owner of a transfer that has ended, which is off the transport then; NULL when there is none. */
    void *(*next)(struct casehook__transport *transport);

    /* How many connections it keeps while requests come and go. */
    void (*keep)(struct casehook__transport *transport, unsigned connections);
    /*
     * From now on it is driven by act and tick instead of perform and poll; transfers may be on it.  False,
     * here and below: there was no memory, and next has all that were under way, failed; they must be taken
     * before anything is driven again.
     */
    bool (*watch)(struct casehook__transport *transport, const struct casehook__watcher *watcher);
    /* Something was seen on a socket; one that the transport has closed since is no harm. */
    bool (*act)(struct casehook__transport *transport, int socket, int events);
    bool (*tick)(struct casehook__transport *transport);
    /* In place of perform, for one with sockets that could not be watched: tells of those that are gone. */
    bool (*sweep)(struct casehook__transport *transport);
};

/* curl.c: by libcurl. */
extern const struct casehook__transport_ops casehook__transport_curl;

#endif
