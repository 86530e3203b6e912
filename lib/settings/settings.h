/*
 * settings.h - the administrator's networking settings, read and checked (C2, P1, P2, U4, U5).
 *
 * A snapshot is immutable and reference counted; connectors keep the one they were made with.
 */
#ifndef CASEHOOK_SETTINGS_H
#define CASEHOOK_SETTINGS_H

#include "settings/headers.h"
#include "url/hosts.h"
#include "json/json.h"
#include "base/log.h"
#include "settings/reuse.h"
#include "tls/tls.h"

#include <pthread.h>
#include <stdatomic.h>

/* A proxy of the settings or of a connector. */
struct casehook__proxy {
    struct casehook__origin origin;
    struct casehook__headers headers; /* proxyHeaders, and the login as a Proxy-Authorization among them */
};
void casehook__proxy_free(struct casehook__proxy *proxy, struct casehook__heap *heap);
/*
 * Reads proxyUrl (text, NULL or null: none) and proxyHeaders (object, NULL or null: none) of settings or
 * config; prefix "settings" or "config".  A login in the URL becomes a Proxy-Authorization header unless
 * proxyHeaders has one.  Without a URL *proxy stays NULL, the headers are checked all the same.
 */
void casehook__proxy_read(struct casehook__heap *heap, const struct casehook__json *url,
                          const struct casehook__json *headers, const char *prefix,
                          struct casehook__proxy **proxy, struct casehook__errors *errors);
/* The proxy of the settings with headers of a connector above its own.  OK or NO_MEMORY. */
int casehook__proxy_derive(struct casehook__heap *heap, const struct casehook__proxy *from,
                           const struct casehook__headers *headers, struct casehook__proxy **proxy);

struct casehook__host_settings {
    struct casehook__origin origin; /* https */
    enum casehook__mode mode;       /* UNSET: the global one */
    struct casehook__text ca;       /* PEM, data NULL: none */
    struct casehook__trust *trust;  /* made of ca by settings_handle.c; NULL without */
};

#define CASEHOOK__RETRY_STATUS_FIRST 400 /* and up to 599 */
#define CASEHOOK__RETRY_STATUSES     200

/* When a request is made again, and how long after the one before (D1-D3). */
struct casehook__retry {
    unsigned max_attempts;
    uint32_t base_delay_ms, max_delay_ms, max_retry_after_ms, find_delay_ms;
    uint32_t deadline_ms; /* of the whole operation; 0: none */
    uint8_t statuses[CASEHOOK__RETRY_STATUSES / 8];
};

/* What one connector may ask for (D6); each is off when its first member is 0. */
struct casehook__limits {
    unsigned rate_requests, rate_burst;
    uint32_t rate_per_ms;
    unsigned circuit_failures;
    uint32_t circuit_pause_ms;
};

enum casehook__http_version { CASEHOOK__HTTP_1_1, CASEHOOK__HTTP_2, CASEHOOK__HTTP_AUTO };

struct casehook__settings_snapshot {
    struct casehook__heap *heap;
    atomic_int references;

    struct casehook__host_list allowed_hosts;
    struct casehook__proxy *proxy; /* NULL: direct */
    struct casehook__host_list proxy_bypass, proxy_only;
    bool has_proxy_only; /* the list was given, perhaps empty */
    struct casehook__host_settings *hosts;
    size_t host_count;

    enum casehook__mode mode, proxy_mode, minimum_mode; /* never UNSET; minimum NONE by default */
    bool allow_connector_proxy;
    bool deny_private_addresses;
    struct casehook__cidr *allowed_addresses;
    size_t allowed_address_count;

    size_t max_response_content_length;
    uint32_t response_timeout_ms, connect_timeout_ms, idle_timeout_ms, slow_request_ms;
    unsigned max_redirects, max_idle_connections;
    struct casehook__retry retry;
    struct casehook__limits limits;
    enum casehook__http_version http_version;
    enum casehook__reuse_mode reuse_connections;

    /* The system's CAs, parsed at the first use that needs them: casehook__settings_system_trust. */
    struct casehook__trust *system_trust;
    pthread_mutex_t system_trust_lock;
    pid_t process; /* that made it */
};

/* The defaults of C2.  NULL: no memory. */
struct casehook__settings_snapshot *casehook__settings_default(struct casehook__heap *heap);

/*
 * A snapshot read from JSON (C2).  All faults at once into errors, fields named "settings.NAME".  CA
 * files are read through read_file (absolute paths; settings_handle.c passes the real one, tests a fake).
 */
typedef int (*casehook__read_file_fn)(const char *path, struct casehook__buf *content,
                                      struct casehook_error *error);
int casehook__settings_read(struct casehook__heap *heap, struct casehook__text json,
                            casehook__read_file_fn read_file, struct casehook__settings_snapshot **settings,
                            struct casehook__errors *errors);

struct casehook__settings_snapshot *casehook__settings_ref(struct casehook__settings_snapshot *settings);
void casehook__settings_unref(struct casehook__settings_snapshot *settings);

/*
 * The CAs of the system (path as for casehook__trust_system), a reference of the caller's.  Any thread.
 * Errors: NO_MEMORY, SYSTEM.
 */
int casehook__settings_system_trust(const struct casehook__settings_snapshot *settings, const char *path,
                                    struct casehook__trust **trust, struct casehook_error *error);

/* 400 to 599. */
void casehook__retry_add_status(struct casehook__retry *retry, int http_status);
/* retry.statuses: whether a refusal with this status counts as one that may pass. */
bool casehook__retry_has_status(const struct casehook__retry *retry, int http_status);

/* The entry of an origin, or NULL. */
const struct casehook__host_settings *casehook__settings_host(
    const struct casehook__settings_snapshot *settings, const struct casehook__origin *origin);

/*
 * "1500", "60s", "20m" ... to ms (months of 30 days, years of 365 as in the reference).  CONFIG when it
 * is none, and for 0.  What is longer than CASEHOOK__DURATION_MAX_MS is that (24 days).
 */
#define CASEHOOK__DURATION_MAX_MS 0x7FFFFFFF
int casehook__duration_parse(struct casehook__text text, uint64_t *ms, struct casehook_error *error);

/* "1048576", "512kb", "1mb", "2gb" to bytes, at most CASEHOOK__SIZE_MAX_BYTES.  CONFIG when it is none. */
#define CASEHOOK__SIZE_MAX_BYTES (SIZE_MAX / 8 < 0x400000000ULL ? SIZE_MAX / 8 : 0x400000000ULL)
int casehook__size_parse(struct casehook__text text, uint64_t *bytes, struct casehook_error *error);

#endif
