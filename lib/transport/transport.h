/*
 * transport.h - HTTP requests, done by libcurl.
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

#define CASEHOOK__HEADER_BYTES_MAX (64 * 1024) /* of one response, status lines and interim responses too */

/* libcurl's own initialisation, once per process.  Errors: UNSUPPORTED, SYSTEM (it cannot be used). */
int casehook__transport_init(struct casehook_error *error);

/* For casehook_feature(): 1 when the running libcurl has it, 0 when not, -1 when it is none of libcurl's. */
int casehook__transport_feature(const char *name);

struct casehook__transport;
struct casehook__transfer;

/* Errors: NO_MEMORY. */
int casehook__transport_new(struct casehook__heap *heap, const struct casehook__settings_snapshot *settings,
                            struct casehook__transport **transport);
/* No transfer may be on it. */
void casehook__transport_free(struct casehook__transport *transport);

/*
 * The policy is copied; what it borrows must outlive the transfer, and so must reuse: what is known of the
 * origin of each call; NULL for a single request, which shares no connection.  Errors: NO_MEMORY.
 */
int casehook__transfer_new(struct casehook__heap *heap, const struct casehook__config *config,
                           const struct casehook__settings_snapshot *settings,
                           const struct casehook__policy *policy, struct casehook__reuse *const *reuse,
                           struct casehook__transfer **transfer);
/* Takes it off its transport first. */
void casehook__transfer_free(struct casehook__transfer *transfer);

/*
 * Puts a request on the transport; deadline is a time of casehook__clock_ms().  False: it could not start,
 * casehook__transfer_failure says why.  request and what it borrows must live until the end.
 */
bool casehook__transfer_start(struct casehook__transfer *transfer, struct casehook__transport *transport,
                              const struct casehook__request *request, int64_t deadline);
/*
 * When it must have ended (casehook__clock_ms()).  libcurl does not look after that: its own limit would
 * throw away an answer that came in time but is read late, and it would be gone with a timer that libcurl
 * lost.
 */
int64_t casehook__transfer_limit(const struct casehook__transfer *transfer);
/* Its time has passed, and what lay in its socket was read: ends it. */
void casehook__transfer_expire(struct casehook__transfer *transfer);
/* Ends a running transfer at once. */
void casehook__transfer_cancel(struct casehook__transfer *transfer);
/* The answer, or NULL: then there is a failure. */
const struct casehook__response *casehook__transfer_response(const struct casehook__transfer *transfer);
const struct casehook__failure *casehook__transfer_failure(const struct casehook__transfer *transfer);

/* Gives back memory of an unusually large answer; transfer may be NULL. */
void casehook__transfer_shrink(struct casehook__transfer *transfer, size_t kept);

/* Whatever the loop that owns a transfer wants to find again. */
void casehook__transfer_set_owner(struct casehook__transfer *transfer, void *owner);
void *casehook__transfer_owner(const struct casehook__transfer *transfer);

/* Does what can be done without waiting. */
void casehook__transport_perform(struct casehook__transport *transport);
/* Waits at most timeout_ms for something to do, or for a wakeup.  False: there is nothing to do. */
bool casehook__transport_poll(struct casehook__transport *transport, int timeout_ms);
/* From any thread: ends a poll, now or the next one. */
void casehook__transport_wakeup(struct casehook__transport *transport);
/* A transfer that has ended, off the transport; NULL when there is none. */
struct casehook__transfer *casehook__transport_next(struct casehook__transport *transport);

/* ---- transports under a loop (curl_loop.c) ------------------------------------------------ */

/* What is to be looked out for on a socket, and what was seen there. */
enum { CASEHOOK__READABLE = 1, CASEHOOK__WRITABLE = 2, CASEHOOK__BROKEN = 4 };

/* Who looks after the sockets and the timer of a transport; called inside the functions of this header. */
struct casehook__watcher {
    void *user;
    /* events 0: no longer; fresh: it was not looked after before. */
    void (*socket)(void *user, int socket, int events, bool fresh);
    void (*timer)(void *user, int64_t in_ms); /* then casehook__transport_tick; -1: no longer */
};

/* From now on the transport is driven by act and tick instead of perform and poll; transfers may be on it. */
bool casehook__transport_watch(struct casehook__transport *transport,
                               const struct casehook__watcher *watcher);
/*
 * Something was seen on a socket; one that the transport has closed since is no harm.  False, here, above and
 * below: there was no memory, and casehook__transport_next has all that were under way, failed; they must be
 * taken before anything is driven again.
 */
bool casehook__transport_act(struct casehook__transport *transport, int socket, int events);
bool casehook__transport_tick(struct casehook__transport *transport);
/* In place of perform, for a transport with sockets that could not be watched: tells of those that are gone.
 */
bool casehook__transport_sweep(struct casehook__transport *transport);
/* For a transport that is not watched: a poll that a readable descriptor ends too.  True: it is readable. */
bool casehook__transport_poll_with(struct casehook__transport *transport, int descriptor, int timeout_ms);
/* How many connections it keeps while requests come and go. */
void casehook__transport_keep(struct casehook__transport *transport, unsigned connections);

#endif
