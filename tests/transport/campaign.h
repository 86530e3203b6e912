/* campaign.h - thousands of tagged creates through one driver, and what their results claim. */
#ifndef TRANSPORT_CAMPAIGN_H
#define TRANSPORT_CAMPAIGN_H

#include "site.h"

/* What came of the creates with the tags from first on. */
struct campaign_counts {
    size_t creates, done, refused, not_sent, unknown;
    size_t unread; /* of the unknown ones: the server never read a byte of it */
    size_t twice, false_done, false_not_sent, wrong_id; /* what must not be */
};

struct campaign {
    enum way way;
    struct casehook_connector *connector;
    struct tracker_records *records;
    size_t first, count;
    struct tracker *settle;      /* between two creates of the blocking way it is waited for; NULL: no */
    void (*between)(void *user); /* called before each create; NULL: nothing */
    void *user;
    unsigned char *outcomes; /* of the creates, by their place */
};

/* Makes them all, some at once where there is a loop. */
void campaign_run(struct campaign *campaign, size_t *wrong_ids);
/* When the server has read all that there was. */
void campaign_count(const struct campaign *campaign, struct campaign_counts *counts);

#endif
