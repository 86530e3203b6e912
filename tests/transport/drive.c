/* drive.c - blocking, waiting on a loop, watching its descriptor. */
#include "drive.h"

#include <poll.h>

const char *way_name(enum way way)
{
    static const char *const names[WAYS] = {"blocking", "loop wait", "loop descriptor"};
    return names[way];
}

struct drive drive_new(enum way way)
{
    struct drive drive = {.way = way, .loop = NULL, .fd = -1};
    if (way == BLOCKING) return drive;
    if (casehook_loop_new(NULL, &drive.loop)) return drive;
    if (way == LOOP_DESCRIPTOR) drive.fd = casehook_loop_fd(drive.loop);
    return drive;
}

void drive_free(struct drive *drive)
{
    casehook_loop_free(drive->loop);
    drive->loop = NULL;
}

/* Without a descriptor the loop says when it wants to be called. */
static int shorter(int milliseconds, int64_t wanted)
{
    return wanted >= 0 && (milliseconds < 0 || wanted < milliseconds) ? (int)wanted : milliseconds;
}

void drive_turn(struct drive *drive, int milliseconds)
{
    struct pollfd wait = {.fd = drive->fd, .events = POLLIN};
    if (drive->way == LOOP_WAIT) {
        casehook_loop_wait(drive->loop, milliseconds);
        return;
    }
    if (drive->fd < 0) milliseconds = shorter(milliseconds, casehook_loop_timeout_ms(drive->loop));
    poll(&wait, 1, milliseconds);
    casehook_loop_process(drive->loop);
}

struct casehook_result *drive_result(struct drive *drive, struct casehook_connector *connector, int operation,
                                     const char *params, uint32_t deadline_ms)
{
    struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = deadline_ms};
    struct casehook_result *result = NULL;
    uint64_t ticket = 0;
    if (drive->way == BLOCKING) {
        casehook_run_json(connector, operation, params, CASEHOOK_TERMINATED, &options, &result);
        return result;
    }
    if (!drive->loop) return NULL;
    if (casehook_loop_submit_json(drive->loop, connector, operation, params, CASEHOOK_TERMINATED, &options,
                                  NULL, NULL))
        return NULL;
    while (result = casehook_loop_next(drive->loop, &ticket), !ticket) drive_turn(drive, -1);
    return result;
}

struct answer drive_call(struct drive *drive, struct client *client, int operation, const char *params,
                         uint32_t deadline_ms)
{
    return answer_from(drive_result(drive, client->connector, operation, params, deadline_ms));
}
