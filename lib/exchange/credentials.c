/* credentials.c - the token of a connector: one gets it, all use it. */
#include "base/posix.h"

#include "exchange/credentials.h"

#include <pthread.h>
#include <unistd.h>

#define VALUE_MAX    (64 * 1024)
#define EARLY_PART   10    /* a tenth of its life before its end a token is renewed */
#define EARLY_MAX_MS 60000 /* and no earlier than that */
#define RETRY_PART   2     /* after a renewal that failed half of what is left is waited */

struct casehook__credentials {
    struct casehook__heap *heap; /* borrowed */
    pid_t process;               /* that made it: in a child the lock may be held by nobody who is there */
    pthread_mutex_t lock;        /* of what follows */

    struct casehook__text value; /* secret; data NULL: there is none */
    uint64_t generation, round_of_value;
    int64_t renew_at, ends_at; /* INT64_MAX: nobody knows */

    uint64_t round; /* of the last token request */
    struct casehook__claim *owner;
    int64_t lease; /* until then the owner may take */
    struct casehook__claim *first;

    uint64_t failed_round;
    struct casehook_error failure;
};

int casehook__credentials_new(struct casehook__heap *heap, struct casehook__credentials **out)
{
    struct casehook__credentials *credentials = *out = casehook__calloc(heap, 1, sizeof *credentials);
    if (!credentials) return CASEHOOK_E_NO_MEMORY;
    credentials->heap = heap;
    credentials->process = getpid();
    if (!pthread_mutex_init(&credentials->lock, NULL)) return CASEHOOK_OK;
    casehook__free(heap, credentials);
    *out = NULL;
    return CASEHOOK_E_NO_MEMORY;
}

static void drop_value(struct casehook__credentials *credentials)
{
    casehook__free_secret(credentials->heap, (char *)(uintptr_t)credentials->value.data,
                          credentials->value.length);
    credentials->value = (struct casehook__text){NULL, 0};
}

void casehook__credentials_free(struct casehook__credentials *credentials)
{
    if (!credentials) return;
    drop_value(credentials);
    if (credentials->process == getpid()) pthread_mutex_destroy(&credentials->lock);
    casehook__free(credentials->heap, credentials);
}

/* False: this is a child of the process that it belongs to, where nothing is done. */
static bool lock_credentials(struct casehook__credentials *credentials)
{
    if (credentials->process != getpid()) return false;
    pthread_mutex_lock(&credentials->lock);
    return true;
}

/* ---- under the lock ----------------------------------------------------------------------------- */

static void unlist(struct casehook__credentials *credentials, struct casehook__claim *claim)
{
    if (!claim->listed) return;
    *(claim->previous ? &claim->previous->next : &credentials->first) = claim->next;
    if (claim->next) claim->next->previous = claim->previous;
    claim->next = claim->previous = NULL;
    claim->listed = false;
    claim->wake = NULL;
}

static void enlist(struct casehook__credentials *credentials, struct casehook__claim *claim)
{
    claim->listed = true;
    claim->previous = NULL;
    claim->next = credentials->first;
    if (claim->next) claim->next->previous = claim;
    credentials->first = claim;
}

/* All that wait ask again. */
static void call_all(struct casehook__credentials *credentials)
{
    struct casehook__claim *claim;
    while ((claim = credentials->first) != NULL) {
        void (*wake)(void *) = claim->wake;
        void *user = claim->user;
        unlist(credentials, claim);
        atomic_store(&claim->called, true);
        if (wake) wake(user);
    }
}

static void disown(struct casehook__credentials *credentials, struct casehook__claim *claim)
{
    if (credentials->owner == claim) credentials->owner = NULL;
    claim->owns = false;
    claim->round = 0;
}

static void own(struct casehook__credentials *credentials, struct casehook__claim *claim, int64_t lease)
{
    credentials->owner = claim;
    credentials->lease = lease;
    claim->owns = true;
    claim->round = ++credentials->round;
}

/* Whoever waited for a token takes it, however short its life is. */
static bool may_use(const struct casehook__credentials *credentials, const struct casehook__claim *claim,
                    int64_t now)
{
    if (!credentials->value.data) return false;
    return now < credentials->ends_at || (claim->round && credentials->round_of_value >= claim->round);
}

static enum casehook__grant grant(struct casehook__credentials *credentials, int64_t now, int64_t lease_ms,
                                  struct casehook__claim *claim, int64_t *until)
{
    bool owned = credentials->owner && credentials->owner != claim && now < credentials->lease;
    if (may_use(credentials, claim, now)) {
        bool renew = !owned && !claim->round && now >= credentials->renew_at && now < credentials->ends_at;
        claim->round = 0;
        if (!renew) return CASEHOOK__GRANTED;
        own(credentials, claim, now + lease_ms);
        return CASEHOOK__GRANT_RENEW;
    }
    if (claim->round && credentials->failed_round >= claim->round) return CASEHOOK__GRANT_FAILED;
    if (!owned) {
        own(credentials, claim, now + lease_ms);
        return CASEHOOK__GRANT_OWN;
    }
    if (!claim->round) claim->round = credentials->round;
    enlist(credentials, claim);
    *until = credentials->lease;
    return CASEHOOK__GRANT_LATER;
}

/* ---- what operations call ----------------------------------------------------------------------- */

enum casehook__grant casehook__credentials_ask(struct casehook__credentials *credentials, int64_t now,
                                               int64_t lease_ms, struct casehook__claim *claim,
                                               struct casehook__buf *value, uint64_t *generation,
                                               int64_t *until, struct casehook_error *error)
{
    enum casehook__grant granted = CASEHOOK__GRANT_FAILED;
    if (!lock_credentials(credentials)) {
        casehook__fail(error, CASEHOOK_E_FORKED, "this connector was made before fork()");
        return granted;
    }
    unlist(credentials, claim);
    atomic_store(&claim->called, false);
    granted = grant(credentials, now, lease_ms, claim, until);
    if (granted == CASEHOOK__GRANT_FAILED) {
        *error = credentials->failure;
        claim->round = 0;
    }
    if (granted == CASEHOOK__GRANTED || granted == CASEHOOK__GRANT_RENEW) {
        casehook__buf_clear(value);
        *generation = credentials->generation;
        if (casehook__buf_append_text(value, credentials->value)) {
            disown(credentials, claim);
            casehook__fail_memory(error);
            granted = CASEHOOK__GRANT_FAILED;
        }
    }
    pthread_mutex_unlock(&credentials->lock);
    return granted;
}

void casehook__credentials_hold(struct casehook__credentials *credentials, struct casehook__claim *claim,
                                int64_t until)
{
    if (!lock_credentials(credentials)) return;
    if (credentials->owner == claim && until > credentials->lease) credentials->lease = until;
    pthread_mutex_unlock(&credentials->lock);
}

static char *make_value(struct casehook__heap *heap, struct casehook__text token, size_t *length)
{
    struct casehook__buf buf;
    casehook__buf_init(&buf, heap, VALUE_MAX);
    casehook__buf_append_string(&buf, "Bearer ");
    casehook__buf_append_text(&buf, token);
    char *value = buf.status ? NULL : casehook__copy(heap, buf.data, buf.length);
    *length = value ? buf.length : 0;
    casehook__buf_free(&buf);
    return value;
}

int casehook__credentials_put(struct casehook__credentials *credentials, struct casehook__claim *claim,
                              struct casehook__text token, int64_t asked_at, int64_t life_ms)
{
    size_t length;
    int64_t early = life_ms / EARLY_PART < EARLY_MAX_MS ? life_ms / EARLY_PART : EARLY_MAX_MS;
    char *value = make_value(credentials->heap, token, &length);
    if (!value) return CASEHOOK_E_NO_MEMORY;
    if (!lock_credentials(credentials)) {
        casehook__free_secret(credentials->heap, value, length);
        return CASEHOOK_OK;
    }
    uint64_t round = claim->round;
    drop_value(credentials);
    credentials->value = (struct casehook__text){value, length};
    credentials->generation++;
    credentials->round_of_value = credentials->round;
    credentials->ends_at = life_ms < 0 ? INT64_MAX : asked_at + life_ms;
    credentials->renew_at = life_ms < 0 ? INT64_MAX : credentials->ends_at - early;
    disown(credentials, claim);
    claim->round = round; /* this one takes it, however short its life is */
    call_all(credentials);
    pthread_mutex_unlock(&credentials->lock);
    return CASEHOOK_OK;
}

void casehook__credentials_fail(struct casehook__credentials *credentials, struct casehook__claim *claim,
                                int64_t now, const struct casehook_error *error)
{
    if (!lock_credentials(credentials)) return;
    bool owner = credentials->owner == claim;
    disown(credentials, claim);
    if (owner) {
        bool early = credentials->value.data && now < credentials->ends_at;
        if (early) credentials->renew_at = now + 1 + (credentials->ends_at - now) / RETRY_PART;
        credentials->failed_round = credentials->round;
        credentials->failure = *error;
        call_all(credentials);
    }
    pthread_mutex_unlock(&credentials->lock);
}

void casehook__credentials_reject(struct casehook__credentials *credentials, uint64_t generation)
{
    if (!lock_credentials(credentials)) return;
    if (credentials->generation == generation) drop_value(credentials);
    pthread_mutex_unlock(&credentials->lock);
}

void casehook__credentials_leave(struct casehook__credentials *credentials, struct casehook__claim *claim)
{
    if (!claim->owns && !claim->round) return; /* it neither waits nor was called */
    if (!lock_credentials(credentials)) return;
    bool owner = credentials->owner == claim;
    unlist(credentials, claim);
    disown(credentials, claim);
    atomic_store(&claim->called, false);
    if (owner) call_all(credentials);
    pthread_mutex_unlock(&credentials->lock);
}

bool casehook__credentials_listen(struct casehook__credentials *credentials, struct casehook__claim *claim,
                                  void (*wake)(void *user), void *user)
{
    if (!lock_credentials(credentials)) return false;
    bool listed = claim->listed;
    claim->wake = listed ? wake : NULL;
    claim->user = user;
    pthread_mutex_unlock(&credentials->lock);
    return listed;
}

void casehook__credentials_ignore(struct casehook__credentials *credentials, struct casehook__claim *claim)
{
    if (!lock_credentials(credentials)) return;
    claim->wake = NULL;
    pthread_mutex_unlock(&credentials->lock);
}
