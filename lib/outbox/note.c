/* note.c - lines for the host's log. */
#include "outbox/outbox_private.h"

#include <stdio.h>
#include <string.h>

void casehook__ob_note(struct casehook_outbox *outbox, int level, const struct casehook__ob_sending *sending,
                       const char *message)
{
    char line[CASEHOOK__OB_MESSAGE_SIZE + 320];
    struct casehook_log_record record = {.struct_size = sizeof record, .message = line, .level = level};
    if (!outbox->options.log || level > outbox->options.log_level) return;
    if (sending) {
        record.user = (uint64_t)sending->id;
        record.operation = sending->operation;
        record.step = sending->step;
        record.status = sending->status;
        record.outcome = sending->outcome;
        record.http_status = sending->http_status;
        record.attempt = (uint32_t)sending->attempts;
        snprintf(line, sizeof line, "outbox: entry %lld, %s to %s: %s", (long long)sending->id,
                 casehook_operation_name(sending->operation), sending->connector ? sending->connector : "",
                 message);
    } else {
        /* Faults of the database say it already. */
        snprintf(line, sizeof line, "%s%s", strncmp(message, "outbox: ", 8) != 0 ? "outbox: " : "", message);
    }
    outbox->options.log(outbox->options.user, &record);
}

const char *casehook_outbox_state_name(int state)
{
    static const char *const state_words[] = {"",        "waiting", "queued",    "sending", "parked",
                                              "unknown", "done",    "discarded", "replaced"};
    return state > 0 && state < CASEHOOK__OB_STATES ? state_words[state] : "";
}
