/*
 * casehook.h - open a case in any tracker that has a REST API
 *
 * A connector document (JSON) says where the tracker is, how its requests look and which key of an
 * answer holds the id of the new case.  A connector made from it creates, reads, updates and
 * comments cases.  Every call gives a result, for failures too: what was learnt before the failure
 * (above all the id of a case that exists now) is in it.
 *
 * Rules that hold for everything below
 *
 *  - Text is UTF-8.  A length of CASEHOOK_TERMINATED means "up to the NUL"; a length of 0 is an empty text,
 *    of which nothing is read.
 *  - Text that a function returns is borrowed from the handle it was asked of and lives as long as that
 *    handle, or as long as its comment says.  Only handles have to be released, each with its own
 *    function, in any order.  Release functions and getters accept NULL.
 *  - Functions that can fail return CASEHOOK_OK or a negative code of the table below.  Outputs come
 *    last and are set on failure too (NULL where there is nothing).  An output for an error may be
 *    NULL when the caller does not want it.
 *  - Structs that the caller fills start with struct_size = sizeof the struct; all other fields may
 *    be zero, which is their default.  Fields are only ever appended.  A struct of a newer header is
 *    accepted by an older library as long as the fields it does not know are zero.
 *  - Structs that the library fills have struct_size too: all bytes of that size are written, those that
 *    an older library does not know as zero.  Nothing is written where the size itself is wrong.
 *  - A destroy function is called exactly once for the call that it was given to: when that fails, before
 *    it returns; that of an allocator, when there is an error to free, with the error.  Only in a struct whose
 *    struct_size is wrong it is not seen.
 *  - Times are milliseconds, sizes and lengths are bytes.
 *  - Threads: what the comment of a handle says holds for each of its functions that says nothing else.
 *  - A letter and a number, as in (R1), is the rule of behaviour that holds there (lib/README.md).
 *  - The library starts no threads, has no global state of its own, reads no environment, writes
 *    nothing to the terminal and never prompts.  Callbacks run inside calls of this header only.
 *  - A name look-up that hangs never blocks a call: libcurl's thread for it is abandoned and ends when the
 *    look-up returns.  The shared library therefore stays mapped after dlclose().
 *  - The first connector of a process initialises libcurl, behind a lock.  After fork() the child
 *    must not use handles of the parent (CASEHOOK_E_FORKED); releasing them there is safe.
 */
#ifndef CASEHOOK_H
#define CASEHOOK_H

#include <stddef.h>
#include <stdint.h>

/* A copy inside something else stays hidden there: -fvisibility=hidden -DCASEHOOK_API= */
#ifndef CASEHOOK_API
#if defined(__GNUC__) && !defined(_WIN32)
#define CASEHOOK_API __attribute__((visibility("default")))
#else
#define CASEHOOK_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header; casehook_version() is that of the library that runs. */
#define CASEHOOK_VERSION_MAJOR  0
#define CASEHOOK_VERSION_MINOR  2
#define CASEHOOK_VERSION_PATCH  0
#define CASEHOOK_VERSION_STRING "0.2.0"

/* As a length: the text ends at its NUL.  Since: 0.1 */
#define CASEHOOK_TERMINATED ((size_t)-1)

/*
 * Codes.  0 or negative, stable; new ones are appended.  casehook_status_name() gives the name in
 * lower case without the prefix ("no_memory").  Since: 0.1
 */
enum casehook_status {
    CASEHOOK_OK = 0,
    CASEHOOK_E_ARGUMENT = -1,     /* an argument of the call itself: NULL, struct_size, operation */
    CASEHOOK_E_NO_MEMORY = -2,    /* the allocator returned NULL */
    CASEHOOK_E_CONFIG = -3,       /* connector document or settings: see field and offset */
    CASEHOOK_E_UNSUPPORTED = -4,  /* understood, but not offered by this version or build */
    CASEHOOK_E_PARAMS = -5,       /* the params of this call */
    CASEHOOK_E_POLICY = -6,       /* forbidden by the settings: host, address, scheme, mode */
    CASEHOOK_E_RESOLVE = -7,      /* the name of the host (or of the proxy) was not found */
    CASEHOOK_E_CONNECT = -8,      /* no connection to the host */
    CASEHOOK_E_PROXY = -9,        /* the proxy refused or broke */
    CASEHOOK_E_TLS = -10,         /* handshake or certificate check */
    CASEHOOK_E_TIMEOUT = -11,     /* responseTimeout, connectTimeout or the deadline of the call */
    CASEHOOK_E_CANCELLED = -12,   /* casehook_cancel_set(), casehook_loop_cancel() */
    CASEHOOK_E_NETWORK = -13,     /* the connection broke while it was in use */
    CASEHOOK_E_HTTP_STATUS = -14, /* the server refused: see http_status; a 2xx: its answer said so (K7) */
    CASEHOOK_E_REDIRECT = -15,    /* a redirect that is not followed */
    CASEHOOK_E_RESPONSE = -16,    /* an answer that cannot be used: type, JSON, key */
    CASEHOOK_E_LIMIT = -17,       /* a limit was reached: the message names the setting */
    CASEHOOK_E_BUSY = -18,        /* the loop is full, or another thread is in it */
    CASEHOOK_E_FORKED = -19,      /* the handle belongs to the parent process */
    CASEHOOK_E_SYSTEM = -20,      /* the operating system or a library below refused */
    CASEHOOK_E_UNAVAILABLE =
        -21 /* the tracker failed too often in a row: circuit.pause, nothing more is sent */
};

/* Operations, for the calls that take any of them.  Since: 0.1 */
enum casehook_operation {
    CASEHOOK_CREATE = 1,
    CASEHOOK_GET = 2,
    CASEHOOK_UPDATE = 3,
    CASEHOOK_COMMENT = 4,
    CASEHOOK_PUSH = 5
};

/* The parts of an operation (R4): where something failed, what a request is for.  Since: 0.2 */
enum casehook_step {
    CASEHOOK_STEP_NONE = 0,
    CASEHOOK_STEP_CONFIG = 1, /* connector document or settings */
    CASEHOOK_STEP_PARAMS = 2,
    CASEHOOK_STEP_CREATE = 3,
    CASEHOOK_STEP_GET = 4,
    CASEHOOK_STEP_UPDATE = 5,
    CASEHOOK_STEP_COMMENT = 6,
    CASEHOOK_STEP_VIEW_URL = 7,   /* what viewIncidentUrl makes of a case that is written already */
    CASEHOOK_STEP_FIND = 8,       /* whether the tracker has the case: findIncidentUrl */
    CASEHOOK_STEP_TOKEN = 9,      /* a token for the requests that follow: accessTokenUrl */
    CASEHOOK_STEP_TRANSITION = 10 /* the new status of a case, where that is a request of its own */
};

/* What became of one request.  Since: 0.1 */
enum casehook_outcome {
    CASEHOOK_OUTCOME_NONE = 0,     /* there was no request */
    CASEHOOK_OUTCOME_DONE = 1,     /* the server did it */
    CASEHOOK_OUTCOME_REFUSED = 2,  /* the server said no */
    CASEHOOK_OUTCOME_NOT_SENT = 3, /* nothing reached the server */
    CASEHOOK_OUTCOME_UNKNOWN = 4   /* it was sent, there is no usable answer: it may have happened */
};

/* What became of one comment.  Since: 0.1 */
enum casehook_comment_state {
    CASEHOOK_COMMENT_NOT_ATTEMPTED = 0,
    CASEHOOK_COMMENT_SENT = 1,
    CASEHOOK_COMMENT_FAILED = 2,
    CASEHOOK_COMMENT_SKIPPED = 3 /* no text, or the connector has no comment configuration */
};

/* The usual words; severity and status are free text.  Since: 0.1 */
#define CASEHOOK_SEVERITY_LOW       "low"
#define CASEHOOK_SEVERITY_MEDIUM    "medium"
#define CASEHOOK_SEVERITY_HIGH      "high"
#define CASEHOOK_SEVERITY_CRITICAL  "critical"
#define CASEHOOK_STATUS_OPEN        "open"
#define CASEHOOK_STATUS_IN_PROGRESS "in-progress"
#define CASEHOOK_STATUS_CLOSED      "closed"

/* ---- library --------------------------------------------------------------------------------- */

/*
 * The version of the running library as 0xMMmmpp.
 * Threads: any.  Since: 0.1
 */
CASEHOOK_API uint32_t casehook_version(void);

/*
 * The same as text, "0.2.0".
 * Ownership: static.  Threads: any.  Since: 0.1
 */
CASEHOOK_API const char *casehook_version_string(void);

/*
 * 1 when this build offers the named feature, else 0: "http2", "idn", "gzip", "brotli", "zstd",
 * "https-proxy", "sse2", "graphemes" (V1).  Unknown names are 0.
 * Threads: any.  Since: 0.1
 */
CASEHOOK_API int casehook_feature(const char *name);

/*
 * The features that this library has names for, whether this build offers them or not: how many, and the name
 * of one, NULL beyond them.  Ownership: static.  Threads: any.  Since: 0.2
 */
CASEHOOK_API size_t casehook_feature_count(void);
CASEHOOK_API const char *casehook_feature_name(size_t index);

/*
 * The name of a code: CASEHOOK_E_NO_MEMORY is "no_memory"; "unknown" for what is not in the table.
 * Ownership: static.  Threads: any.  Since: 0.1
 */
CASEHOOK_API const char *casehook_status_name(int status);

/*
 * The other codes in the words that JSON has for them: CASEHOOK_PUSH is "push", CASEHOOK_STEP_VIEW_URL is
 * "view_url", CASEHOOK_OUTCOME_NOT_SENT is "not_sent", CASEHOOK_COMMENT_SENT is "sent", CASEHOOK_LOG_INFO is
 * "info".  "" for what is not in the table, and for CASEHOOK_STEP_NONE.
 * Ownership: static.  Threads: any.  Since: 0.2
 */
CASEHOOK_API const char *casehook_operation_name(int operation);
CASEHOOK_API const char *casehook_step_name(int step);
CASEHOOK_API const char *casehook_outcome_name(int outcome);
CASEHOOK_API const char *casehook_comment_state_name(int state);
CASEHOOK_API const char *casehook_log_level_name(int level);

/* ---- errors ---------------------------------------------------------------------------------- */

/*
 * One fault.  It comes from a call that has no result (then it is yours: casehook_error_free), or
 * is borrowed from a result.  All getters accept NULL and then say "no error".  Messages are one
 * line of valid UTF-8 without control characters, and never hold a secret (R3).
 * Threads: getters any number at once, casehook_error_free() alone.  Since: 0.1
 */
struct casehook_error;

/* The code, one of CASEHOOK_E_*; CASEHOOK_OK without error (R3).  Since: 0.1 */
CASEHOOK_API int casehook_error_status(const struct casehook_error *error);

/*
 * What was wrong, on which side, and what to do (R3): a sentence that needs nothing beside it.  Where there
 * is a field it stands in front: "config.createIncidentUrl is missing: ...".  Never NULL, never empty.
 * Since: 0.1
 */
CASEHOOK_API const char *casehook_error_message(const struct casehook_error *error);

/* The step that failed (R4), one of CASEHOOK_STEP_*; NONE without error.  Since: 0.2 */
CASEHOOK_API int casehook_error_step(const struct casehook_error *error);

/*
 * The field at fault ("config.createIncidentJson", "settings.proxyUrl", "title"), "" when none (C3).
 * Since: 0.1
 */
CASEHOOK_API const char *casehook_error_field(const struct casehook_error *error);

/* Where in the field, in bytes from its beginning; -1 when it is not one place (C3).  Since: 0.1 */
CASEHOOK_API int64_t casehook_error_offset(const struct casehook_error *error);

/* The HTTP status of the answer, 0 without one (R3).  Since: 0.1 */
CASEHOOK_API int casehook_error_http_status(const struct casehook_error *error);

/* One of CASEHOOK_OUTCOME_*: what became of the request that failed (R1).  Since: 0.1 */
CASEHOOK_API int casehook_error_outcome(const struct casehook_error *error);

/*
 * 1 if repeating the same call later may succeed with nothing changed, and cannot duplicate work that already
 * happened; never 1 for a create or comment whose outcome is unknown (R3).  Since: 0.1
 */
CASEHOOK_API int casehook_error_retryable(const struct casehook_error *error);

/* How long the server asks to wait before that (Retry-After), in ms; -1 when it did not say.  Since: 0.1 */
CASEHOOK_API int64_t casehook_error_retry_after_ms(const struct casehook_error *error);

/*
 * The next fault of the same document, NULL after the last (C3: all faults are found at once).
 * Ownership: borrowed from the first one.  Since: 0.1
 */
CASEHOOK_API const struct casehook_error *casehook_error_next(const struct casehook_error *error);

/*
 * This fault and all that follow it as a JSON array of objects: code, codeNumber, message, step, stepNumber,
 * field, offset, httpStatus, outcome, outcomeNumber, retryable, retryAfterMs.  What is absent is null; codes
 * are there in words and, as NAMENumber, as in this header.  "[]" without error; NULL when memory ran out.
 * Ownership: borrowed from the error.  Since: 0.2
 */
CASEHOOK_API const char *casehook_error_json(const struct casehook_error *error, size_t *length);

/* Releases an error and all that follow it.  Not for errors that a result lent.  Since: 0.1 */
CASEHOOK_API void casehook_error_free(struct casehook_error *error);

/* ---- settings -------------------------------------------------------------------------------- */

/*
 * The administrator's side: allowed hosts, proxies, TLS of hosts, limits (C2).  A connector takes a
 * snapshot when it is made; later changes do not reach it.
 * Threads: one at a time.  Since: 0.1
 */
struct casehook_settings;

/*
 * Memory from the host.  reallocate(user, NULL, n) allocates, (user, p, n) resizes, (user, p, 0)
 * frees and returns NULL; NULL for n > 0 means out of memory, which is an ordinary error.  It must
 * be callable from every thread that uses the library.  destroy, when not NULL, is called exactly
 * once for each call that was given the allocator: after the last object made with it is gone, or when
 * the call failed.  What libcurl, OpenSSL and jansson allocate inside themselves does not come from here.
 * Ownership: the struct is copied, user stays yours until destroy.  Since: 0.1
 */
typedef void *(*casehook_reallocate_fn)(void *user, void *pointer, size_t size);
typedef void (*casehook_destroy_fn)(void *user);

struct casehook_allocator {
    size_t struct_size;
    void *user;
    casehook_reallocate_fn reallocate;
    casehook_destroy_fn destroy;
};

/*
 * Levels of log lines.  ERROR: an operation failed, or casehook_loop_free() ended it.  WARNING: a request
 * waits for its answer for longer than the setting slowRequestTimeout (once per request; only where the
 * library runs: in blocking calls, in process and wait).  INFO: a request has ended, or an operation waits
 * before it goes on (D2; an exchange writes none of a wait); the lines of an operation come when it waits or
 * has ended.  DEBUG: a request begins.  TRACE (since 0.2): blocking calls and loops show each request ("> ")
 * and each answer ("< ") whole, headers and bodies too, line by line; secrets are masked, what a case holds
 * is not.  Since: 0.1
 */
enum casehook_log_level {
    CASEHOOK_LOG_ERROR = 1,
    CASEHOOK_LOG_WARNING = 2,
    CASEHOOK_LOG_INFO = 3,
    CASEHOOK_LOG_DEBUG = 4,
    CASEHOOK_LOG_TRACE = 5
};

/*
 * One log line.  message is all of it, without newline and without secrets (R3); the other members are what
 * it was made of.  Those that a newer version appends are there when struct_size says so.
 * Ownership: all of it dies with the call.  Since: 0.2
 */
struct casehook_log_record {
    size_t struct_size;
    const char *message;
    uint64_t user;        /* of the operation's options */
    const char *method;   /* of the request; NULL: the line is about none */
    const char *url;      /* as in casehook_result_request_url() */
    int level;            /* CASEHOOK_LOG_* */
    int operation;        /* CASEHOOK_CREATE ... */
    int step;             /* CASEHOOK_STEP_* */
    int status;           /* of a failed operation, CASEHOOK_E_*; else CASEHOOK_OK */
    int outcome;          /* CASEHOOK_OUTCOME_*; NONE while a request is under way */
    int http_status;      /* 0: no answer */
    uint32_t attempt;     /* 1 for the first try of a request; 0: the line is about none */
    uint32_t duration_ms; /* of the request, or of a failed operation from its first step on */
};

/*
 * Takes one line.  It must return: no exception, no longjmp() may leave it, as what the call was about (the
 * id of a new case perhaps) would be lost.  It must not call this library but for the functions that give
 * names. Since: 0.2
 */
typedef void (*casehook_log_fn)(void *user, const struct casehook_log_record *record);

/*
 * Default settings (C2); allocator NULL means malloc.  The allocator is copied.
 * Ownership: yours (casehook_settings_free).  Threads: any.
 * Errors: ARGUMENT, NO_MEMORY; destroy has been called then.  Since: 0.1
 */
CASEHOOK_API int casehook_settings_new(const struct casehook_allocator *allocator,
                                       struct casehook_settings **settings);

/*
 * Reads settings from one JSON object, nested or dotted, with or without the prefix
 * "xpack.actions." (C2).  It replaces everything that an earlier call set; on failure nothing has
 * changed.  CA files are read now.
 * Ownership: error is yours, json is not kept.  Errors: ARGUMENT, NO_MEMORY, CONFIG, UNSUPPORTED.  Since: 0.1
 */
CASEHOOK_API int casehook_settings_load_json(struct casehook_settings *settings, const char *json,
                                             size_t length, struct casehook_error **error);

/*
 * Where log lines of level and below go.  Every operation that was begun and failed gets one at ERROR, faults
 * of its params too; a submission that was not accepted has no line.  log NULL switches them off (the
 * default).  destroy, when not NULL, is called exactly once with user: when it is replaced, or when the last
 * connector that uses it is gone.  log may be called from every thread that uses a connector, two at once
 * too.
 * Errors: ARGUMENT, NO_MEMORY; destroy has been called then, and the log is the one before.  Since: 0.1
 */
CASEHOOK_API int casehook_settings_set_log(struct casehook_settings *settings, int level, void *user,
                                           casehook_log_fn log, casehook_destroy_fn destroy);

/* Releases settings; connectors made from them keep their snapshot.  Since: 0.1 */
CASEHOOK_API void casehook_settings_free(struct casehook_settings *settings);

/* ---- connectors ------------------------------------------------------------------------------ */

/*
 * A checked, compiled connector document with its connections.  Immutable and reference counted.  A
 * connection that was idle for longer than idleTimeout is closed by one of the next blocking calls on any
 * connector of the same settings object, or with the connector: there is no timer that would do it.
 * Threads: any number at once, every function.  Since: 0.1
 */
struct casehook_connector;

/*
 * Makes a connector from {"config": {...}, "secrets": {...}} (C1).  Everything that can be found
 * without the network is found here (C3): error is then the first fault, casehook_error_next() the
 * others.  settings NULL means defaults.  The document is not needed afterwards; secrets in it
 * should be wiped by the caller.
 * Ownership: connector is yours (casehook_connector_unref), error too.
 * Errors: ARGUMENT, NO_MEMORY, CONFIG, UNSUPPORTED, POLICY, SYSTEM.  Since: 0.1
 */
CASEHOOK_API int casehook_connector_new(const struct casehook_settings *settings, const char *json,
                                        size_t length, struct casehook_connector **connector,
                                        struct casehook_error **error);

/*
 * The same checks without making a connector: CASEHOOK_OK, or the code of the first fault and all
 * faults in error (C3).  Nothing is sent.
 * Ownership: error is yours.  Errors: as above.  Since: 0.1
 */
CASEHOOK_API int casehook_connector_check(const struct casehook_settings *settings, const char *json,
                                          size_t length, struct casehook_error **error);

/*
 * What the connector does that its author may not have meant, a list like that of faults: field, offset and
 * message say what, the status says nothing (CASEHOOK_E_CONFIG).  Today: a body of an update that writes
 * description, tags or fields without a section on them, which empties what an update is not given.
 * Ownership: warnings is yours (casehook_error_free); NULL when there is none.
 * Errors: ARGUMENT, NO_MEMORY; warnings is then NULL, or the error.  Since: 0.2
 */
CASEHOOK_API int casehook_connector_warnings(const struct casehook_connector *connector,
                                             struct casehook_error **warnings);

/* One more owner, who calls casehook_connector_unref(); returns its argument.  Since: 0.1 */
CASEHOOK_API struct casehook_connector *casehook_connector_ref(struct casehook_connector *connector);

/*
 * One owner less; the last one closes the connections and wipes the secrets.  Calls that are
 * running keep the connector.  Results outlive it.  Since: 0.1
 */
CASEHOOK_API void casehook_connector_unref(struct casehook_connector *connector);

/*
 * Numbers of a connector as one JSON object (D7): operations by operation and code, requests by step and
 * class of status ("none": no answer), retries, waits and waitedMs, found and adopted (cases that the tracker
 * had already, or had from a create whose answer was lost), bytesSent, bytesReceived, requestTimes (how many
 * requests took up to so many ms), openConnections, circuit ("closed", "open", "half_open").  An operation is
 * counted when it has ended. buffer gets what fits of it with a NUL behind; NULL with a size of 0 asks for
 * the length alone.  Returns the length of all of it, which may have grown by the next call; 0 when connector
 * is NULL, memory ran out, or after fork().
 * Threads: any number at once.  Since: 0.2
 */
CASEHOOK_API size_t casehook_connector_stats_json(struct casehook_connector *connector, char *buffer,
                                                  size_t size);

/* ---- what a call is given -------------------------------------------------------------------- */

/* One comment.  Both are required; a comment with empty text is skipped in a push (H1).  Since: 0.1 */
struct casehook_comment {
    const char *id;
    const char *text;
};

/*
 * The case (N1).  NULL means absent.  Text with NUL characters goes by JSON.  A list that is not
 * NULL with a count of 0 is present and empty.  Invalid UTF-8 becomes U+FFFD (T3).
 *
 *   create   title is required
 *   update   external_id and title are required; what is sent is what updateIncidentJson says, so a
 *            member that is NULL here empties its field in the tracker unless the template guards it
 *            with a section
 *   get      external_id is required, all else but external_fields is ignored (as JSON it must be well
 *            formed)
 *   comment  external_id and exactly one comment with text are required
 *   push     title is required; an update when external_id is given, else a create; then comments
 *
 * fields is a JSON object, its members are {{case.fields.NAME}}: names of [A-Za-z0-9_-]+, values
 * text, number, boolean, null or a list of these.
 *
 * idempotency_key: by what the tracker knows a request that it has had before, where the connector has an
 * idempotencyHeader (D4): 1 to 255 printable ASCII characters, no space.  NULL: made of the id of the case,
 * else random; casehook_result_idempotency_key() tells it.
 *
 * resume: the JSON of an earlier result of the same operation on the same case (D5).  What it says is done is
 * not done again: its id is the external id, comments that were sent or skipped stay as they are.  Everything
 * else is done, a comment that failed too.  NULL: the operation begins afresh.
 *
 * external_fields: what is known of the case in the tracker besides its id, a JSON object whose members are
 * {{external.fields.NAME}} (V2): names as of fields, values text or number.  What the answers of the
 * operation tell is put over it.  A get takes it too.
 * Ownership: yours; nothing is kept after the call.  Since: 0.1
 */
struct casehook_params {
    size_t struct_size;
    const char *title;
    const char *description;
    const char *id;
    const char *severity;
    const char *status;
    const char *external_id;
    const char *const *tags;
    size_t tag_count;
    const char *const *labels;
    size_t label_count;
    const char *fields;
    size_t fields_length; /* CASEHOOK_TERMINATED: up to the NUL */
    const struct casehook_comment *comments;
    size_t comment_count;
    size_t comment_size;           /* sizeof(struct casehook_comment) */
    const char *idempotency_key;   /* since 0.2 */
    const char *resume;            /* since 0.2 */
    size_t resume_length;          /* CASEHOOK_TERMINATED: up to the NUL */
    const char *external_fields;   /* since 0.2 */
    size_t external_fields_length; /* CASEHOOK_TERMINATED: up to the NUL */
};

/*
 * Stops operations from outside.  One handle may be given to any number of operations.
 * Threads: any.  Since: 0.1
 */
struct casehook_cancel;

/*
 * A handle that is not set.  allocator NULL means malloc; it is copied.
 * Ownership: yours (casehook_cancel_free).  Errors: ARGUMENT, NO_MEMORY; destroy has been called then.
 * Since: 0.1
 */
CASEHOOK_API int casehook_cancel_new(const struct casehook_allocator *allocator,
                                     struct casehook_cancel **cancel);

/*
 * Every operation that was given this handle ends as soon as its thread runs, with
 * CASEHOOK_E_CANCELLED and the outcome of what it was doing; operations that start later do not
 * start (R1).  It stays set.  Not for signal handlers.  Since: 0.1
 */
CASEHOOK_API void casehook_cancel_set(struct casehook_cancel *cancel);

/* Releases the handle; running operations keep it.  Since: 0.1 */
CASEHOOK_API void casehook_cancel_free(struct casehook_cancel *cancel);

/*
 * How to do one operation.  NULL where one is wanted means all defaults.
 * deadline_ms: time for the whole operation from the moment of the call, 0 for no other limit than
 * the settings' responseTimeout of each request (H5).  reserved must be 0.
 * user: a number or pointer of the caller's own that is only handed back: by casehook_result_user(), in JSON,
 * and with log lines.
 * Ownership: yours; cancel is kept by the operation.  Since: 0.1
 */
struct casehook_options {
    size_t struct_size;
    struct casehook_cancel *cancel;
    uint32_t deadline_ms;
    uint32_t reserved;
    uint64_t user; /* since 0.2 */
};

/* ---- operations ------------------------------------------------------------------------------ */

/*
 * What became of an operation (R1).  It exists for failures too, and owns all it shows: what a getter gives
 * stays as it is until the result is released.
 * Threads: getters any number at once, casehook_result_free() alone.  Since: 0.1
 */
struct casehook_result;

/*
 * These block until the operation has ended (H1).  They return CASEHOOK_OK or the code of the error
 * in the result.  *result is always set but for two cases in which nothing was sent: result itself
 * is NULL (ARGUMENT), or there was no memory for it (NO_MEMORY).  A request with a body goes on the
 * wire once (H6): after CASEHOOK_OUTCOME_UNKNOWN look for the case before you try again.
 *
 *   create   POST, then GET for the title           -> id, title, url, pushed date, fields
 *   get      GET                                    -> id, title, fields
 *   update   PUT, then GET for the title            -> id, title, url, pushed date, fields
 *   comment  one request                            -> id, the comment's state
 *   push     create or update, then the comments    -> all of it, the states of all comments
 *
 * Threads: any number at once on one connector.  SIGPIPE is blocked in the calling thread meanwhile.
 * Ownership: the result is yours (casehook_result_free).
 * Errors: all codes but BUSY.  Since: 0.1
 */
CASEHOOK_API int casehook_create(struct casehook_connector *connector, const struct casehook_params *params,
                                 const struct casehook_options *options, struct casehook_result **result);
CASEHOOK_API int casehook_get(struct casehook_connector *connector, const struct casehook_params *params,
                              const struct casehook_options *options, struct casehook_result **result);
CASEHOOK_API int casehook_update(struct casehook_connector *connector, const struct casehook_params *params,
                                 const struct casehook_options *options, struct casehook_result **result);
CASEHOOK_API int casehook_add_comment(struct casehook_connector *connector,
                                      const struct casehook_params *params,
                                      const struct casehook_options *options,
                                      struct casehook_result **result);
CASEHOOK_API int casehook_push(struct casehook_connector *connector, const struct casehook_params *params,
                               const struct casehook_options *options, struct casehook_result **result);

/*
 * Any operation with its params as JSON (N1): {"incident": {"title": ..., "externalId": ...},
 * "comments": [{"commentId": ..., "comment": ...}]}, or the members of incident beside comments;
 * idempotencyKey and resume (an object) beside them too. Numbers keep their source text.  Threads, ownership,
 * errors: as above.  Since: 0.1
 */
CASEHOOK_API int casehook_run_json(struct casehook_connector *connector, int operation, const char *json,
                                   size_t length, const struct casehook_options *options,
                                   struct casehook_result **result);

/*
 * What an operation would send, without sending it: a result whose requests are all there
 * with its headers and body, outcome "not_sent".  The body is byte for byte the body that would be
 * sent (T6); headers are those of H2 and the document's, without what belongs to the connection (Host,
 * Content-Length, Accept-Encoding), and secrets in them are masked (R3).  What only the server knows is
 * shown as EXTERNAL-ID and EXTERNAL-TITLE.  casehook_result_json() gives it all.
 * Threads, ownership: as above.  Errors: ARGUMENT, NO_MEMORY, CONFIG, PARAMS, RESPONSE (two keys that are
 * equal with these placeholders), LIMIT, SYSTEM, FORKED.  Since: 0.1
 */
CASEHOOK_API int casehook_preview(struct casehook_connector *connector, int operation,
                                  const struct casehook_params *params, struct casehook_result **result);
CASEHOOK_API int casehook_preview_json(struct casehook_connector *connector, int operation, const char *json,
                                       size_t length, struct casehook_result **result);

/* ---- results --------------------------------------------------------------------------------- */

/* The error of a failed operation (R3), NULL after a success.  Ownership: borrowed.  Since: 0.1 */
CASEHOOK_API const struct casehook_error *casehook_result_error(const struct casehook_result *result);

/* Which operation it was, CASEHOOK_CREATE ..., also when its params were wrong; 0 without result.  Since: 0.2
 */
CASEHOOK_API int casehook_result_operation(const struct casehook_result *result);

/* What the options of the operation had as user, 0 without; also in faults.  Since: 0.2 */
CASEHOOK_API uint64_t casehook_result_user(const struct casehook_result *result);

/*
 * status and step of the error, CASEHOOK_OK and CASEHOOK_STEP_NONE after a success.  outcome is that of the
 * request that failed; after a success DONE, in a preview NOT_SENT.  Since: 0.2
 */
CASEHOOK_API int casehook_result_status(const struct casehook_result *result);
CASEHOOK_API int casehook_result_step(const struct casehook_result *result);
CASEHOOK_API int casehook_result_outcome(const struct casehook_result *result);

/*
 * The id in the tracker: of the case that was created or read, or that the params named.  NULL when
 * there is none.  length, when not NULL, gets its bytes (ids may hold NUL).  Also after failures: a
 * case that was created keeps its id whatever happened later (R1).  Since: 0.1
 */
CASEHOOK_API const char *casehook_result_id(const struct casehook_result *result, size_t *length);

/*
 * 1: the tracker had the case already, or had it from a create whose answer was lost (D3); else 0.
 * Since: 0.2
 */
CASEHOOK_API int casehook_result_found(const struct casehook_result *result);

/*
 * By what the tracker knows the create of this operation when it has had it before (D4); NULL: the connector
 * sends no key.  Since: 0.2
 */
CASEHOOK_API const char *casehook_result_idempotency_key(const struct casehook_result *result);

/*
 * 1: the tracker knows by that key a create or a comment that it has had before (D4: idempotencyHeader,
 * idempotencyInBody), so that it may be sent once more when its outcome is unknown; 0: it does not, also where
 * the key only helps to find the case (D3).  Since: 0.2
 */
CASEHOOK_API int casehook_result_idempotent(const struct casehook_result *result);

/* The title that the tracker shows (K2, getIncidentResponseExternalTitleKey), or NULL.  Since: 0.1 */
CASEHOOK_API const char *casehook_result_title(const struct casehook_result *result, size_t *length);

/* Where a person can look at the case (H1, viewIncidentUrl), or NULL.  Since: 0.1 */
CASEHOOK_API const char *casehook_result_url(const struct casehook_result *result, size_t *length);

/* When create, update or push was done (H1), "2026-01-31T12:00:00.000Z", or NULL.  Since: 0.1 */
CASEHOOK_API const char *casehook_result_pushed_date(const struct casehook_result *result);

/*
 * A value that createResponseFields, getResponseFields or another one of these asked for (K4): the text of a
 * string, a number as K3 prints it, anything else as JSON; NULL when it was not found.  Since: 0.1
 */
CASEHOOK_API const char *casehook_result_field(const struct casehook_result *result, const char *name,
                                               size_t *length);

/*
 * All of them, in the order in which they were found: how many; name and value of one, NULL beyond them; 1
 * when the value was a string in the answer, 0 when it is a number or other JSON.  Since: 0.2
 */
CASEHOOK_API size_t casehook_result_field_count(const struct casehook_result *result);
CASEHOOK_API const char *casehook_result_field_name(const struct casehook_result *result, size_t index);
CASEHOOK_API const char *casehook_result_field_value(const struct casehook_result *result, size_t index,
                                                     size_t *length);
CASEHOOK_API int casehook_result_field_is_text(const struct casehook_result *result, size_t index);

/* The comments of the params, in their order (R1): how many; the id of one, or NULL.  Since: 0.1 */
CASEHOOK_API size_t casehook_result_comment_count(const struct casehook_result *result);
CASEHOOK_API const char *casehook_result_comment_id(const struct casehook_result *result, size_t index,
                                                    size_t *length);
/* What became of one, CASEHOOK_COMMENT_*; NOT_ATTEMPTED beyond them (R1).  Since: 0.1 */
CASEHOOK_API int casehook_result_comment_state(const struct casehook_result *result, size_t index);

/* How many requests there were, redirect hops too; they have their order (R1).  Since: 0.2 */
CASEHOOK_API size_t casehook_result_request_count(const struct casehook_result *result);

/*
 * One of them, by its number from 0: what it was for, CASEHOOK_STEP_*; "POST"; where it went, without query
 * values (R3) but for a preview; the HTTP status, 0 without answer; what became of it, CASEHOOK_OUTCOME_*.
 * Beyond them NONE, NULL and 0.  The url is NULL too when there was no memory for it.  Since: 0.2
 */
CASEHOOK_API int casehook_result_request_step(const struct casehook_result *result, size_t index);
CASEHOOK_API const char *casehook_result_request_method(const struct casehook_result *result, size_t index);
CASEHOOK_API const char *casehook_result_request_url(const struct casehook_result *result, size_t index);
CASEHOOK_API int casehook_result_request_status(const struct casehook_result *result, size_t index);
CASEHOOK_API int casehook_result_request_outcome(const struct casehook_result *result, size_t index);

/*
 * When it began, in ms since 1970 UTC, and how long it took, until its answer was read or given up; -1 in a
 * preview and beyond them.  Since: 0.2
 */
CASEHOOK_API int64_t casehook_result_request_started_ms(const struct casehook_result *result, size_t index);
CASEHOOK_API int64_t casehook_result_request_duration_ms(const struct casehook_result *result, size_t index);

/*
 * Which try of its request it was, from 1 (D1); redirect hops belong to a try.  How long was waited before
 * it, in ms.  Beyond them 0 and -1.  Since: 0.2
 */
CASEHOOK_API uint32_t casehook_result_request_attempt(const struct casehook_result *result, size_t index);
CASEHOOK_API int64_t casehook_result_request_delay_ms(const struct casehook_result *result, size_t index);

/* What took its time, each counted from the beginning of the request.  Since: 0.2 */
enum casehook_time {
    CASEHOOK_TIME_NAME = 1,       /* the name of the host was looked up */
    CASEHOOK_TIME_CONNECT = 2,    /* the connection was there */
    CASEHOOK_TIME_TLS = 3,        /* and the TLS handshake was done */
    CASEHOOK_TIME_FIRST_BYTE = 4, /* the answer began */
    CASEHOOK_TIME_TOTAL = 5
};

/*
 * How one went (D7): a time of CASEHOOK_TIME_* in microseconds; bytes on the wire with headers, without TLS;
 * 1 when its connection had been used before.  -1, and 0, where the library cannot know: in a preview, in an
 * exchange, of what was not reached, and beyond them.  Since: 0.2
 */
CASEHOOK_API int64_t casehook_result_request_time_us(const struct casehook_result *result, size_t index,
                                                     int which);
CASEHOOK_API int64_t casehook_result_request_bytes_sent(const struct casehook_result *result, size_t index);
CASEHOOK_API int64_t casehook_result_request_bytes_received(const struct casehook_result *result,
                                                            size_t index);
CASEHOOK_API int casehook_result_request_reused(const struct casehook_result *result, size_t index);

/*
 * The same as JSON: {"step", "stepNumber", "method", "url", "status", "outcome", "outcomeNumber", "attempt",
 * "delayMs", "startedMs", "durationMs", "timesUs" {"name", "connect", "tls", "firstByte", "total"},
 * "bytesSent", "bytesReceived", "reused"}, in a preview "headers" and "body" too.  NULL when index is too
 * large or memory ran out.
 * Ownership: borrowed from the result.  Since: 0.2
 */
CASEHOOK_API const char *casehook_result_request_json(const struct casehook_result *result, size_t index,
                                                      size_t *length);

/*
 * All of the result as one JSON object: ok, operation, user (a string), step, outcome, id, found, title, url,
 * pushedDate, idempotencyKey, fields, comments [{commentId, state}], requests [...], error {as in
 * casehook_error_json()}. What is absent is null (R1-R4); operation, step, outcome and state are there as
 * NAMENumber too.  NULL when memory ran out.
 * Ownership: borrowed from the result.  Since: 0.1
 */
CASEHOOK_API const char *casehook_result_json(const struct casehook_result *result, size_t *length);

/* Releases a result and all that it lent.  Since: 0.1 */
CASEHOOK_API void casehook_result_free(struct casehook_result *result);

/* ---- templates of the host --------------------------------------------------------------------- */

/*
 * The engine of the connector documents (Mustache, T1) over any JSON object: for hosts that make title and
 * description of a case from an alert.  A tag gives what it names as plain text, nothing is escaped; numbers
 * keep their source text, null, objects and names that do not exist give nothing, lists are joined by ",".
 * Names are looked up in the open sections, then in the object.
 * Threads: one at a time.  Since: 0.2
 */
struct casehook_renderer;

/*
 * Compiles a template of at most 256 KiB; the text is copied.  allocator NULL means malloc; it is copied.
 * Ownership: renderer is yours (casehook_renderer_free), error, when wanted, too.
 * Errors: ARGUMENT, NO_MEMORY, CONFIG with the offset in the template, SYSTEM; destroy of the allocator has
 * been called then.  Since: 0.2
 */
CASEHOOK_API int casehook_renderer_new(const struct casehook_allocator *allocator, const char *text,
                                       size_t length, struct casehook_renderer **renderer,
                                       struct casehook_error **error);

/*
 * Renders it over the object that json is; of members with the same name the first one counts.  text is valid
 * UTF-8, of which what was not becomes U+FFFD; text_length, when not NULL, gets its bytes (it may hold NUL).
 * Ownership: text is borrowed until the next call on renderer; error, when wanted, is yours.
 * Errors: ARGUMENT, NO_MEMORY, PARAMS (json is no JSON, or no object), LIMIT (8 MiB, 64 levels or 1,000,000
 * values of JSON, 1,000,000 steps, 16 MiB of text).  Since: 0.2
 */
CASEHOOK_API int casehook_render(struct casehook_renderer *renderer, const char *json, size_t length,
                                 const char **text, size_t *text_length, struct casehook_error **error);

/* Releases it, and the text of its last rendering.  Since: 0.2 */
CASEHOOK_API void casehook_renderer_free(struct casehook_renderer *renderer);

/* ---- the loop -------------------------------------------------------------------------------- */

/*
 * Many operations at once on one thread.  A host with an event loop watches one descriptor; a host
 * without one calls casehook_loop_wait().  Results are pulled, there are no callbacks.
 *
 *     casehook_loop_submit(loop, connector, CASEHOOK_PUSH, &params, NULL, &ticket, NULL);
 *     while (casehook_loop_pending(loop) && casehook_loop_wait(loop, -1) == CASEHOOK_OK)
 *         while (result = casehook_loop_next(loop, &ticket), ticket) { ...; casehook_result_free(result); }
 *
 * Operations of one connector begin in the order of their submission; those of different connectors
 * take turns.  A loop keeps open connections of its own for each connector, never shared with another
 * one; it closes them, and lets the connector go, after idleTimeout without work.  Loops and blocking calls
 * count separately: a server may see max_connections of each loop and, beside them, one of each blocking call
 * and the idle ones of the setting maxIdleConnections.
 *
 * Threads: submit, submit_json, cancel, wakeup and pending may be called from any thread; fd, timeout_ms,
 * process, wait, next and free from one thread at a time, the loop's.  A second one that comes meanwhile
 * gets CASEHOOK_E_BUSY (NULL, -1), so does a callback that comes back.  SIGPIPE is blocked in process, wait
 * and free.  Since: 0.1
 */
struct casehook_loop;

/*
 * max_operations: operations that are accepted and have not ended, 0 for 1,000; one more is BUSY.
 * max_connections: requests at once to the hosts of one connector, 0 for 64; operations beyond it wait
 * for their turn.  allocator: NULL for malloc; it is copied, and must be callable from every thread
 * that submits.  Results come from the allocator of their connector.  Since: 0.1
 */
struct casehook_loop_options {
    size_t struct_size;
    const struct casehook_allocator *allocator;
    uint32_t max_operations;
    uint32_t max_connections;
};

/*
 * A loop without operations.  options NULL means all defaults.
 * Ownership: yours (casehook_loop_free).  Threads: any.
 * Errors: ARGUMENT, NO_MEMORY, SYSTEM; destroy of the allocator has been called then.  Since: 0.1
 */
CASEHOOK_API int casehook_loop_new(const struct casehook_loop_options *options, struct casehook_loop **loop);

/*
 * A descriptor that is readable when casehook_loop_process() has something to do: a socket is ready, a
 * time has come, an operation was submitted or cancelled.  Level triggered; it stays the same for the
 * life of the loop and belongs to it: watch it for reading, do nothing else with it.  Finished results do not
 * make it readable: only process and wait produce results, so after each of them call casehook_loop_next()
 * until it returns nothing.  Ask for it before the first operation when you can.
 * -1 where the system offers no such thing, or after fork(): then call process when
 * casehook_loop_timeout_ms() says, or use casehook_loop_wait().  Since: 0.1
 */
CASEHOOK_API int casehook_loop_fd(struct casehook_loop *loop);

/*
 * For a host that does not use the descriptor: in how many ms casehook_loop_process() should be called
 * at the latest; -1: not before the next submission.  Always -1 once the descriptor was asked for, which
 * knows the time itself.  Since: 0.1
 */
CASEHOOK_API int64_t casehook_loop_timeout_ms(struct casehook_loop *loop);

/* Does what can be done without waiting.  Errors: ARGUMENT, FORKED, BUSY.  Since: 0.1 */
CASEHOOK_API int casehook_loop_process(struct casehook_loop *loop);

/*
 * Waits until a result can be pulled, until timeout_ms have passed (negative: no limit) or until
 * casehook_loop_wakeup(), and does what is to be done meanwhile.  It returns CASEHOOK_OK in all three
 * cases.  A signal handler that runs does not end it.  A loop that is only ever waited on is faster than
 * one whose descriptor is watched.  Errors: ARGUMENT, FORKED, BUSY.  Since: 0.1
 */
CASEHOOK_API int casehook_loop_wait(struct casehook_loop *loop, int32_t timeout_ms);

/*
 * Makes a wait that runs, or else the next one, return; the descriptor becomes readable until process.
 * Not for signal handlers.  Since: 0.1
 */
CASEHOOK_API void casehook_loop_wakeup(struct casehook_loop *loop);

/*
 * Hands an operation over; params are copied, connector and cancel handle are kept.  ticket, never 0,
 * names it (NULL: not wanted); it is set before the operation can end.  deadline_ms counts from now,
 * time spent waiting for its turn too (H5).  Faults of the params come as a result like any other (R4).
 * Ownership: error, when wanted, is yours.
 * Errors: ARGUMENT (loop, connector, operation, params NULL or of a wrong size), NO_MEMORY, BUSY,
 * FORKED: the operation was not accepted, nothing will be sent and there will be no result.  Since: 0.2
 */
CASEHOOK_API int casehook_loop_submit(struct casehook_loop *loop, struct casehook_connector *connector,
                                      int operation, const struct casehook_params *params,
                                      const struct casehook_options *options, uint64_t *ticket,
                                      struct casehook_error **error);
CASEHOOK_API int casehook_loop_submit_json(struct casehook_loop *loop, struct casehook_connector *connector,
                                           int operation, const char *json, size_t length,
                                           const struct casehook_options *options, uint64_t *ticket,
                                           struct casehook_error **error);

/*
 * The operation ends with CASEHOOK_E_CANCELLED; its result, which still comes, says what was sent.  One
 * that ends at the same moment in the thread of the loop keeps the result that it has (R1).
 * Errors: ARGUMENT (no such ticket, or it has ended), FORKED.  Since: 0.1
 */
CASEHOOK_API int casehook_loop_cancel(struct casehook_loop *loop, uint64_t ticket);

/*
 * A finished operation, NULL when there is none now.  ticket, when not NULL, gets its name, 0 when there
 * is none.  NULL with a ticket: the operation has ended, nothing was sent, and there was no memory for
 * its result.  Ownership: the result is yours; it outlives loop and connector.  Since: 0.1
 */
CASEHOOK_API struct casehook_result *casehook_loop_next(struct casehook_loop *loop, uint64_t *ticket);

/* Operations that were accepted and whose result was not pulled yet.  Since: 0.1 */
CASEHOOK_API size_t casehook_loop_pending(const struct casehook_loop *loop);

/*
 * At any moment: ends what is running without results, closes its connections; the log names what was ended
 * and whether it was sent.  No call on this loop may come later, and none that is for any thread may run
 * meanwhile.
 * Errors: BUSY (a thread is in process, wait, next, fd or timeout_ms: nothing was freed).  Since: 0.1
 */
CASEHOOK_API int casehook_loop_free(struct casehook_loop *loop);

/* ---- the exchange: for hosts with their own HTTP client --------------------------------------- */

/*
 * One operation without I/O.  The host asks for the next request, does it with whatever client it has,
 * and feeds the response or the failure back, until there is no next request; then it takes the result.
 *
 *     while ((turn = casehook_exchange_next(exchange, &request)) > CASEHOOK_EXCHANGE_ENDED) {
 *         if (turn == CASEHOOK_EXCHANGE_WAIT) { ... come back in request.wait_ms ...; continue; }
 *         ... do it ...
 *         casehook_exchange_feed(exchange, status, headers, length, body, body_length);
 *     }
 *     result = casehook_exchange_result(exchange);
 *
 * Allowed hosts, redirects, limits on what is fed, and which credentials go to which hop stay the
 * library's.  The host must: follow no redirect (a 3xx is fed back like any answer), send the request
 * once, add no Accept-Encoding (fed bodies are identity), and enforce the hop's policy: verification
 * mode, CA, client certificate, proxy, times.  denyPrivateAddresses is the host's for names (U5).
 * Threads: one at a time.  Since: 0.1
 */
struct casehook_exchange;

/*
 * One header; both NUL-terminated.  Those of a newer library may be larger: the one at index i begins
 * header_size * i bytes behind the first, of headers and of proxy_headers alike; headers[i] is right by
 * accident only.  Since: 0.1
 */
struct casehook_http_header {
    const char *name;
    const char *value;
};

/*
 * A request to be done, and how.  The host sets struct_size; everything else is written by
 * casehook_exchange_next(), as zero where there is no request (method and url as ""), and borrowed until the next
 * call on the exchange.  Some of it is secret.
 * Since: 0.1
 */
struct casehook_http_request {
    size_t struct_size;
    const char *method; /* "POST" */
    const char *url;
    const struct casehook_http_header *headers;
    size_t header_count;
    size_t header_size; /* bytes from one header to the next, of proxy_headers too */
    const char *body;   /* NULL: none */
    size_t body_length;
    const char *verification_mode;                    /* "full", "certificate", "none" */
    const char *ca;                                   /* PEM; NULL: the system's */
    const char *client_certificate;                   /* PEM with its chain; NULL: none */
    const char *client_key;                           /* PEM, unencrypted; NULL: none */
    const char *proxy_url;                            /* NULL: direct */
    const struct casehook_http_header *proxy_headers; /* the login is among them */
    size_t proxy_header_count;
    const char *proxy_verification_mode;
    const char *proxy_ca;
    size_t max_body_bytes;
    uint32_t timeout_ms;
    uint32_t connect_timeout_ms;
    int operation;   /* CASEHOOK_CREATE ... */
    int step;        /* what of it this request is: CASEHOOK_STEP_CREATE ... */
    int64_t wait_ms; /* with CASEHOOK_EXCHANGE_WAIT: when to ask again; then there is no request */
};

/* What casehook_exchange_next() answers, besides negative codes.  Since: 0.2 */
enum casehook_exchange_turn {
    CASEHOOK_EXCHANGE_ENDED = 0,   /* the operation has ended: take the result */
    CASEHOOK_EXCHANGE_REQUEST = 1, /* a request is to be done, once (H6), and answered */
    CASEHOOK_EXCHANGE_WAIT = 2     /* nothing is to be done for wait_ms; then ask again (D2, D6) */
};

/*
 * Starts an operation.  Faults of the params are in the result: casehook_exchange_next() gives 0 at once.
 * Ownership: exchange is yours (casehook_exchange_free); it keeps the connector, params are not kept.  error,
 * when wanted, is yours.  Errors: ARGUMENT, NO_MEMORY, FORKED.  Since: 0.2
 */
CASEHOOK_API int casehook_exchange_new(struct casehook_connector *connector, int operation,
                                       const struct casehook_params *params,
                                       const struct casehook_options *options,
                                       struct casehook_exchange **exchange, struct casehook_error **error);
CASEHOOK_API int casehook_exchange_new_json(struct casehook_connector *connector, int operation,
                                            const char *json, size_t length,
                                            const struct casehook_options *options,
                                            struct casehook_exchange **exchange,
                                            struct casehook_error **error);

/*
 * One of CASEHOOK_EXCHANGE_*.  Asked before a wait is over it says again how long to wait.
 * Errors: ARGUMENT (the last request was not answered; struct_size is wrong), FORKED.  Since: 0.1
 */
CASEHOOK_API int casehook_exchange_next(struct casehook_exchange *exchange,
                                        struct casehook_http_request *request);

/*
 * The same as one JSON object: operation and step (also as operationNumber and stepNumber), method, url,
 * headers {}, body, verificationMode, ca, clientCertificate, clientKey, proxy {url, headers,
 * verificationMode, ca}, maxBodyBytes, timeoutMs, connectTimeoutMs.  {"waitMs": 1500} alone while it waits.
 * NULL when the operation has ended, the last request was not answered, memory ran out, or after fork().
 * Ownership: borrowed until the next call on the exchange.  Since: 0.1
 */
CASEHOOK_API const char *casehook_exchange_next_json(struct casehook_exchange *exchange, size_t *length);

/*
 * The answer: headers as they came, "Name: value" lines ended by LF or CRLF, without the status line; one may
 * go on in lines that begin with a blank.
 * Bytes beyond the limits are an error of the operation (H5).
 * Errors: ARGUMENT (no request waits for an answer; http_status is not 200 to 999: interim answers, 1xx,
 * are not fed), FORKED.  Since: 0.1
 */
CASEHOOK_API int casehook_exchange_feed(struct casehook_exchange *exchange, int http_status,
                                        const char *headers, size_t headers_length, const char *body,
                                        size_t body_length);

/*
 * An answer whose headers came whole and whose body broke off after body_length bytes; status and message
 * as for casehook_exchange_fail().  What was learnt stays in the result (R1): a refusal is one, whatever came
 * of its body; of a success the status, an excerpt and, where it is whole in what came, the id of a new case,
 * though its outcome is unknown.
 * Errors: ARGUMENT (no request waits for an answer; http_status is not 200 to 999; another status), FORKED.
 * Since: 0.2
 */
CASEHOOK_API int casehook_exchange_feed_partial(struct casehook_exchange *exchange, int http_status,
                                                const char *headers, size_t headers_length, const char *body,
                                                size_t body_length, int status, const char *message);

/*
 * There is no answer: status is CASEHOOK_E_RESOLVE, _CONNECT, _PROXY, _TLS, _TIMEOUT, _CANCELLED or
 * _NETWORK; sent is 0 only when certainly nothing reached the server; message says what happened (NULL:
 * nobody knows).
 * Errors: ARGUMENT (no request waits for an answer, another status), FORKED.  Since: 0.1
 */
CASEHOOK_API int casehook_exchange_fail(struct casehook_exchange *exchange, int status, int sent,
                                        const char *message);

/*
 * The result, once; an operation that has not ended ends as cancelled.  NULL the second time, or after fork().
 * Ownership: yours.  Since: 0.1
 */
CASEHOOK_API struct casehook_result *casehook_exchange_result(struct casehook_exchange *exchange);

/* Releases it, at any moment; what was sent until then is the host's to know.  Since: 0.1 */
CASEHOOK_API void casehook_exchange_free(struct casehook_exchange *exchange);

#ifdef __cplusplus
}
#endif

#endif
