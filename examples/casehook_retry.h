/*
 * casehook_retry.h - whether a line of a batch can be sent again without doing anything twice, and with what.
 */
#ifndef CASEHOOK_RETRY_H
#define CASEHOOK_RETRY_H

#include "casehook_journal.h"
#include "casehook_member.h"

/* What the connector document has against doing things twice. */
struct facts {
    bool find;        /* a case that may be there is looked for */
    bool find_by_id;  /* by the id of the case, which must be given then */
    bool key;         /* creates and comments have an idempotency key */
    bool comments;    /* it sends comments at all */
    bool transitions; /* a new status is a request of its own */
    uint64_t target;  /* a hash of where cases are made */
};

void facts_read(struct facts *facts, const struct document *connector);

enum retry {
    RETRY_SEND,  /* the line is sent as it is */
    RETRY_AGAIN, /* it is sent with "resume": what was done is not done again */
    RETRY_LEAVE  /* it may have been done, and nothing would notice */
};

/*
 * What is to be done with a line after that result.  anyway: also where it may do something twice.  With
 * RETRY_AGAIN *resume is what the member says, yours to free(), NULL when memory ran out.
 */
enum retry retry_after(const struct facts *facts, struct piece line, struct piece result, bool anyway,
                       char **resume);

/* The same for a line of the journal; begun is known of it. */
enum retry retry_begun(const struct facts *facts, struct piece line, const struct journal *journal,
                       const struct journal_entry *begun, bool anyway, char **resume);

/* Whether the key of a line would be another one each time it is sent, unless one is put in. */
bool retry_wants_key(const struct facts *facts, struct piece line);

#endif
