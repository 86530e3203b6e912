/* drive_loop.h - an operation driven to its end by a loop. */
#ifndef DRIVE_LOOP_H
#define DRIVE_LOOP_H

#include "call.h"

/* By casehook_loop_wait(), or by the loop's descriptor and poll(2). */
int drive_loop_wait(struct casehook_connector *connector, const struct call *call, enum call_way way,
                    struct casehook_result **result);
int drive_loop_fd(struct casehook_connector *connector, const struct call *call, enum call_way way,
                  struct casehook_result **result);

#endif
