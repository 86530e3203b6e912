/* drive.h - one operation by each of the ways that the library offers. */
#ifndef TRANSPORT_DRIVE_H
#define TRANSPORT_DRIVE_H

#include "real.h"

enum way { BLOCKING, LOOP_WAIT, LOOP_DESCRIPTOR, WAYS };

const char *way_name(enum way way);

struct drive {
    enum way way;
    struct casehook_loop *loop; /* NULL when it blocks, and when there was no memory for one */
    int fd;                     /* -1 when it is not watched */
};

struct drive drive_new(enum way way);
void drive_free(struct drive *drive);

/* Hands it over, waits for its end.  deadline_ms 0: none.  NULL only when the loop had no memory for a
 * result. */
struct casehook_result *drive_result(struct drive *drive, struct casehook_connector *connector, int operation,
                                     const char *params, uint32_t deadline_ms);
struct answer drive_call(struct drive *drive, struct client *client, int operation, const char *params,
                         uint32_t deadline_ms);

/* A turn of the loop: waits for what comes next, at most so long. */
void drive_turn(struct drive *drive, int milliseconds);

#endif
