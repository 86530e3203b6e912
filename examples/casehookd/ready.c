/*
 * ready.c - GET /-/ready: whether what is sent here would be accepted.
 *
 * A put that fails says that it would not, and so does the outbox when it cannot write down what it is about
 * to send.  Who is not ready is sent nothing, so no put may tell that it is over: what the last one failed
 * for is tried in other ways then, without leaving an entry.
 */
#include "clients.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAULT_MS = 5000, TRIAL = 64 * 1024 };

void ready_failed(struct server *server, int code)
{
    if (code != CASEHOOK_E_LIMIT && code != CASEHOOK_E_SYSTEM && code != CASEHOOK_E_UNAVAILABLE) return;
    atomic_store(&server->put_fault_ms, now_ms());
    atomic_store(&server->put_fault, code);
}

static bool is_full(const struct server *server, const struct casehook_outbox_stats *s)
{
    const struct casehook_outbox_options *most = &server->started->outbox;
    uint64_t entries = s->waiting + s->queued + s->sending + s->parked + s->unknown;
    return entries >= most->max_entries || s->bytes + TRIAL > most->max_bytes ||
           (most->max_age_ms && s->oldest_age_ms > most->max_age_ms);
}

static const char zeros[TRIAL];

bool ready_owns(int file)
{
    static char there[TRIAL];
    struct stat about;
    return !fstat(file, &about) && S_ISREG(about.st_mode) && about.st_nlink == 1 && about.st_size <= TRIAL &&
           pread(file, there, TRIAL, 0) == about.st_size && !memcmp(there, zeros, (size_t)about.st_size);
}

/* The disk takes a little more: tried in the lock file, which is beside the outbox and else empty. */
static bool has_room(int file)
{
    if (file < 0) return true;
    bool room = pwrite(file, zeros, sizeof zeros, 0) == (ssize_t)sizeof zeros && !fsync(file);
    return !ftruncate(file, 0) && room;
}

int ready_fault(struct server *server, const struct casehook_outbox_stats *stats)
{
    int fault = atomic_load(&server->put_fault);
    if (!fault && stats->away) return CASEHOOK_E_SYSTEM;
    if (!fault || now_ms() - atomic_load(&server->put_fault_ms) < FAULT_MS) return fault;
    if (fault == CASEHOOK_E_LIMIT ? is_full(server, stats) : !has_room(server->lock_file)) return fault;
    /* One that came meanwhile stays. */
    if (now_ms() - atomic_load(&server->put_fault_ms) >= FAULT_MS)
        atomic_compare_exchange_strong(&server->put_fault, &fault, CASEHOOK_OK);
    return stats->away ? CASEHOOK_E_SYSTEM : CASEHOOK_OK;
}

void handle_ready(struct request *request, struct answer *answer)
{
    struct server *server = request->server;
    struct casehook_outbox_stats stats = {.struct_size = sizeof stats};
    struct casehook_outbox_error *error = NULL;
    bool ready = atomic_load(&server->ready) && !atomic_load(&server->stopping);
    if (ready) casehook_outbox_get_stats(server->outbox, &stats, &error);
    int fault = casehook_outbox_error_status(error);
    if (ready && !fault) fault = ready_fault(server, &stats);
    casehook_outbox_error_free(error);
    if (!ready)
        answer_error(answer, 503, "not ready");
    else if (fault)
        /* Anybody may ask: no word of where the database is, and as whom. */
        answer_error(answer, 503, "the outbox cannot be used: %s", casehook_status_name(fault));
    else
        text_string(&answer->body, "ready\n");
}
