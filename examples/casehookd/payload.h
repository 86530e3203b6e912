/*
 * payload.h - from the payload of a webhook to what is to be put into the outbox.  No I/O.
 *
 * One group of alerts is one case.  Its id is made of the group's key, so every notification of the group,
 * from each of several Alertmanagers, is about the same case.
 */
#ifndef CASEHOOKD_PAYLOAD_H
#define CASEHOOKD_PAYLOAD_H

#include "config.h"
#include "text.h"

#define CASE_ID_SIZE 128
#define KEY_SIZE     128
#define WHY_SIZE     256
#define DIGEST_HALF  16

/* What one notification says. */
struct notice {
    char case_id[CASE_ID_SIZE];
    /* Of what it says, whoever sends it: what fires and the texts of the case, then what is resolved, each
     * DIGEST_HALF digits. */
    char digest[2 * DIGEST_HALF + 1];
    bool resolved;
    size_t alerts;
    int64_t starts_ms;     /* of the alert that has been firing longest; INT64_MIN: not known */
    json_t *incident;      /* id, title, description, severity, tags, fields */
    char *changed, *ended; /* comments, NULL where there is no text */
    const struct source *source;
};

/*
 * Reads a payload.  0, or the HTTP status to answer with why: 400 it is no JSON, 422 it is none that can be
 * used. source is locked meanwhile.  Release with notice_clear() in every case.
 */
int notice_read(struct source *source, const char *body, size_t length, struct notice *notice,
                char why[WHY_SIZE]);
void notice_clear(struct notice *notice);

/* The entry that follows from a notice and the one that was put last for this case. */
struct plan {
    int operation; /* 0: nothing is to be done */
    uint32_t flags;
    char *params; /* NULL: memory ran out */
    char key[KEY_SIZE];
    const char *reason; /* why nothing */
    bool known;         /* this notification was accepted before */
};

/* The entry that was put last for a case by a plan. */
struct last {
    char key[KEY_SIZE]; /* "": none is known: nothing was put, or it is too long ago */
    uint64_t id;        /* 0: there is none; without a key any number that no other plan has had */
    int64_t put_ms;
    bool finished; /* of the case, nothing is on its way, or may have been done */
    bool no_case;  /* the tracker has none, and nothing is going to make one */
    bool decided;  /* somebody has discarded it, or said that it was done */
};

/* Whether an entry of this key follows from a plan, and is not of a program.  key may be NULL. */
bool plan_made(const char *key);
void plan_make(const struct notice *notice, const struct last *last, struct plan *plan);
void plan_clear(struct plan *plan);

#endif
