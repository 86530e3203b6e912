/* campaign.c - creates, one after the other or in a window of a loop. */
#include "campaign.h"

#include <jansson.h>
#include <poll.h>

enum { WINDOW = 8, PAUSE_MASK = 15 };

static unsigned char outcome_of(struct casehook_result *result)
{
    static const char *const names[] = {"none", "done", "refused", "not_sent", "unknown"};
    const char *text = casehook_result_request_json(result, 0, NULL);
    json_t *exchange = text ? json_loads(text, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(exchange, "outcome"));
    unsigned char outcome = CASEHOOK_OUTCOME_NOT_SENT; /* without a request nothing was sent */
    for (unsigned char i = 0; name && i < COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) outcome = i;
    json_decref(exchange);
    return outcome;
}

/* An id that belongs to another create came with somebody else's answer. */
static void campaign_take(struct campaign *campaign, size_t place, struct casehook_result *result,
                          size_t *wrong_ids)
{
    char digits[16];
    const char *id = casehook_result_id(result, NULL);
    snprintf(digits, sizeof digits, "%08zu", campaign->first + place);
    campaign->outcomes[place] = outcome_of(result);
    if (id && strcmp(id, digits) != 0) (*wrong_ids)++;
    casehook_result_free(result);
}

/* Now and then the connections rest for a moment. */
static void campaign_pause(const struct campaign *campaign, size_t place)
{
    if (campaign->between) campaign->between(campaign->user);
    if (campaign->settle && campaign->way == BLOCKING) tracker_settle(campaign->settle);
    if ((place & PAUSE_MASK) == PAUSE_MASK) poll(NULL, 0, (int)(place / (PAUSE_MASK + 1) % 6));
}

static void run_blocking(struct campaign *campaign, struct drive *drive, size_t *wrong_ids)
{
    for (size_t place = 0; place < campaign->count; place++) {
        campaign_pause(campaign, place);
        const char *params = site_params(campaign->first + place, 0);
        campaign_take(campaign, place, drive_result(drive, campaign->connector, CASEHOOK_CREATE, params, 0),
                      wrong_ids);
    }
}

static void submit(const struct campaign *campaign, struct drive *drive, size_t place, uint64_t *ticket)
{
    const char *params = site_params(campaign->first + place, 0);
    campaign_pause(campaign, place);
    if (casehook_loop_submit_json(drive->loop, campaign->connector, CASEHOOK_CREATE, params,
                                  CASEHOOK_TERMINATED, NULL, ticket, NULL))
        fail_msg("the loop takes no operation");
}

static size_t slot_of(const uint64_t tickets[WINDOW], uint64_t ticket)
{
    size_t slot = 0;
    while (tickets[slot] != ticket) slot++;
    return slot;
}

static void run_window(struct campaign *campaign, struct drive *drive, size_t *wrong_ids)
{
    uint64_t tickets[WINDOW] = {0}, ticket;
    size_t places[WINDOW] = {0}, next = 0, ended = 0;
    while (ended < campaign->count) {
        for (; next < campaign->count && next - ended < WINDOW; next++) {
            size_t slot = slot_of(tickets, 0);
            places[slot] = next;
            submit(campaign, drive, next, &tickets[slot]);
        }
        drive_turn(drive, -1);
        for (struct casehook_result *result; result = casehook_loop_next(drive->loop, &ticket), ticket;
             ended++) {
            size_t slot = slot_of(tickets, ticket);
            tickets[slot] = 0;
            campaign_take(campaign, places[slot], result, wrong_ids);
        }
    }
}

void campaign_run(struct campaign *campaign, size_t *wrong_ids)
{
    struct drive drive = drive_new(campaign->way);
    if (campaign->way == BLOCKING)
        run_blocking(campaign, &drive, wrong_ids);
    else
        run_window(campaign, &drive, wrong_ids);
    drive_free(&drive);
}

static void count_one(unsigned char outcome, const struct tracker_record *record,
                      struct campaign_counts *counts)
{
    unsigned whole = atomic_load(&record->whole), part = atomic_load(&record->part);
    counts->creates++;
    counts->done += outcome == CASEHOOK_OUTCOME_DONE;
    counts->refused += outcome == CASEHOOK_OUTCOME_REFUSED;
    counts->not_sent += outcome == CASEHOOK_OUTCOME_NOT_SENT;
    counts->unknown += outcome == CASEHOOK_OUTCOME_UNKNOWN;
    counts->unread += outcome == CASEHOOK_OUTCOME_UNKNOWN && whole + part == 0;
    counts->twice += whole + part > 1;
    counts->false_done += outcome == CASEHOOK_OUTCOME_DONE && atomic_load(&record->done) != 1;
    counts->false_not_sent += outcome == CASEHOOK_OUTCOME_NOT_SENT && whole + part > 0;
}

void campaign_count(const struct campaign *campaign, struct campaign_counts *counts)
{
    for (size_t place = 0; place < campaign->count; place++)
        count_one(campaign->outcomes[place], &campaign->records->of[campaign->first + place], counts);
}
