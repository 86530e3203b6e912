/* drive_loop.c - an operation driven to its end by a loop. */
#include "drive_loop.h"

#include <poll.h>
#include <stdbool.h>

static const struct casehook_options patience = {.struct_size = sizeof patience, .deadline_ms = 60000};

static int turn(struct casehook_loop *loop, bool by_descriptor)
{
    struct pollfd descriptor = {.fd = casehook_loop_fd(loop), .events = POLLIN};
    if (!by_descriptor) return casehook_loop_wait(loop, -1);
    poll(&descriptor, 1, (int)casehook_loop_timeout_ms(loop));
    return casehook_loop_process(loop);
}

static int drive(struct casehook_connector *connector, const struct call *call, enum call_way way,
                 bool by_descriptor, struct casehook_result **result)
{
    struct casehook_loop *loop = NULL;
    uint64_t ticket = 0, ended = 0;
    int status = casehook_loop_new(NULL, &loop);
    if (status) return status;
    if (by_descriptor) casehook_loop_fd(loop); /* before anything begins, as a host's event loop would */
    if (way == CALL_STRUCT)
        status =
            casehook_loop_submit(loop, connector, call->operation, &call->params, &patience, &ticket, NULL);
    else
        status = casehook_loop_submit_json(loop, connector, call->operation, call->json, call->json_length,
                                           &patience, &ticket, NULL);
    while (!status && !(*result = casehook_loop_next(loop, &ended))) status = turn(loop, by_descriptor);
    if (!status && ended != ticket) status = CASEHOOK_E_SYSTEM;
    casehook_loop_free(loop);
    return status ? status : casehook_error_status(casehook_result_error(*result));
}

int drive_loop_wait(struct casehook_connector *connector, const struct call *call, enum call_way way,
                    struct casehook_result **result)
{
    return drive(connector, call, way, false, result);
}

int drive_loop_fd(struct casehook_connector *connector, const struct call *call, enum call_way way,
                  struct casehook_result **result)
{
    return drive(connector, call, way, true, result);
}
