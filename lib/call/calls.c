/* calls.c - the blocking calls of the public header. */
#include "run/operation.h"

static int run_struct(struct casehook_connector *connector, int operation,
                      const struct casehook_params *params, const struct casehook_options *options,
                      struct casehook_result **result)
{
    struct casehook__input input = {.operation = operation, .params = params};
    return casehook__run(connector, &input, options, false, result);
}

int casehook_create(struct casehook_connector *connector, const struct casehook_params *params,
                    const struct casehook_options *options, struct casehook_result **result)
{
    return run_struct(connector, CASEHOOK_CREATE, params, options, result);
}

int casehook_get(struct casehook_connector *connector, const struct casehook_params *params,
                 const struct casehook_options *options, struct casehook_result **result)
{
    return run_struct(connector, CASEHOOK_GET, params, options, result);
}

int casehook_update(struct casehook_connector *connector, const struct casehook_params *params,
                    const struct casehook_options *options, struct casehook_result **result)
{
    return run_struct(connector, CASEHOOK_UPDATE, params, options, result);
}

int casehook_add_comment(struct casehook_connector *connector, const struct casehook_params *params,
                         const struct casehook_options *options, struct casehook_result **result)
{
    return run_struct(connector, CASEHOOK_COMMENT, params, options, result);
}

int casehook_push(struct casehook_connector *connector, const struct casehook_params *params,
                  const struct casehook_options *options, struct casehook_result **result)
{
    return run_struct(connector, CASEHOOK_PUSH, params, options, result);
}

int casehook_run_json(struct casehook_connector *connector, int operation, const char *json, size_t length,
                      const struct casehook_options *options, struct casehook_result **result)
{
    struct casehook__input input = {.operation = operation, .json = json, .length = length};
    return casehook__run(connector, &input, options, false, result);
}

int casehook_preview(struct casehook_connector *connector, int operation,
                     const struct casehook_params *params, struct casehook_result **result)
{
    struct casehook__input input = {.operation = operation, .params = params};
    return casehook__run(connector, &input, NULL, true, result);
}

int casehook_preview_json(struct casehook_connector *connector, int operation, const char *json,
                          size_t length, struct casehook_result **result)
{
    struct casehook__input input = {.operation = operation, .json = json, .length = length};
    return casehook__run(connector, &input, NULL, true, result);
}
