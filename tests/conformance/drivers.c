/* drivers.c - the ways in which an operation can be driven to its end. */
#include "call.h"
#include "drive_exchange.h"
#include "drive_loop.h"

#include <string.h>

/* A bound for a call that would never end; far above what any vector takes. */
static const struct casehook_options patience = {.struct_size = sizeof patience, .deadline_ms = 60000};

static int run_struct(struct casehook_connector *connector, const struct call *call,
                      struct casehook_result **result)
{
    switch (call->operation) {
    case CASEHOOK_CREATE: return casehook_create(connector, &call->params, &patience, result);
    case CASEHOOK_GET: return casehook_get(connector, &call->params, &patience, result);
    case CASEHOOK_UPDATE: return casehook_update(connector, &call->params, &patience, result);
    case CASEHOOK_COMMENT: return casehook_add_comment(connector, &call->params, &patience, result);
    default: return casehook_push(connector, &call->params, &patience, result);
    }
}

static int run_blocking(struct casehook_connector *connector, const struct call *call, enum call_way way,
                        struct casehook_result **result)
{
    if (way == CALL_STRUCT) return run_struct(connector, call, result);
    return casehook_run_json(connector, call->operation, call->json, call->json_length, NULL, result);
}

static const struct driver drivers[] = {
    {"blocking", 0, run_blocking},
    {"exchange", 1, drive_exchange},
    {"loop", 0, drive_loop_wait},
    {"loop-fd", 0, drive_loop_fd},
};

const struct driver *driver_find(const char *name)
{
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        if (strcmp(drivers[i].name, name) == 0) return &drivers[i];
    }
    return NULL;
}
