/* operation.c - what every way of running an operation checks first, and the way that blocks. */
#include "run/operation.h"

#include "base/abi.h"
#include "base/cancel.h"
#include "base/clock.h"

#define OPTIONS_FIRST_SIZE (offsetof(struct casehook_options, reserved) + sizeof(uint32_t))

int casehook__call_fault(struct casehook__heap *heap, const struct casehook__input *input,
                         const struct casehook_error *error, struct casehook_result **result)
{
    *result = casehook__result_fault(heap);
    if (!*result) return CASEHOOK_E_NO_MEMORY;
    (*result)->operation = input->operation;
    (*result)->user = input->user;
    (*result)->error = *error;
    (*result)->error.heap = heap; /* for its JSON; the result has the reference */
    casehook__error_refuse(&(*result)->error);
    return error->status;
}

int casehook__call_refuse(struct casehook__heap *heap, const struct casehook_error *error,
                          struct casehook_error **out)
{
    struct casehook__errors errors;
    if (!out || !error->status) return error->status;
    casehook__errors_init(&errors, heap);
    struct casehook_error *copy = casehook__errors_add(&errors, error->field);
    casehook__error_take(copy, error);
    casehook__error_refuse(copy);
    return casehook__errors_finish(&errors, out);
}

int casehook__call_check(const struct casehook_connector *connector, int operation,
                         struct casehook_error *error)
{
    if (!connector) return casehook__fail(error, CASEHOOK_E_ARGUMENT, "connector is NULL");
    if (operation < CASEHOOK_CREATE || operation > CASEHOOK_PUSH)
        return casehook__fail(error, CASEHOOK_E_ARGUMENT,
                              "%d is no operation: see CASEHOOK_CREATE and the others", operation);
    if (!casehook__connector_is_here(connector))
        return casehook__fail(error, CASEHOOK_E_FORKED,
                              "this connector was made before fork(): make one in the child process");
    return CASEHOOK_OK;
}

int casehook__options_read(const struct casehook_options *given, struct casehook_options *options,
                           struct casehook_error *error)
{
    *options = (struct casehook_options){.struct_size = sizeof *options};
    if (!given) return CASEHOOK_OK;
    int status =
        casehook__struct_read(options, given, OPTIONS_FIRST_SIZE, sizeof *options, "casehook_options", error);
    /* A newer header may give it a meaning, which must not be ignored. */
    if (!status && options->reserved)
        status = casehook__fail(error, CASEHOOK_E_ARGUMENT, "reserved in struct casehook_options is not 0");
    return status;
}

int64_t casehook__options_deadline(const struct casehook_options *options)
{
    return options->deadline_ms ? casehook__clock_ms() + options->deadline_ms : CASEHOOK__NO_DEADLINE;
}

int casehook__input_read(const struct casehook__input *input, struct casehook__parsed_params *params,
                         struct casehook_error *error)
{
    if (!input->json && !input->params)
        return casehook__fail(error, CASEHOOK_E_ARGUMENT, "the params are NULL");
    if (!input->json) return casehook__params_from_struct(params, input->operation, input->params, error);
    return casehook__params_from_json(params, input->operation,
                                      casehook__text_given(input->json, input->length), error);
}

/* The result of a call that cannot begin. */
static int refuse_call(struct casehook_connector *connector, const struct casehook__input *input,
                       bool preview, struct casehook_error *error, struct casehook_result **result)
{
    casehook__error_set_step(error, CASEHOOK_STEP_PARAMS);
    if (connector && !preview && error->status != CASEHOOK_E_FORKED)
        casehook__log_fault(connector, input, error);
    return casehook__call_fault(connector ? connector->heap : NULL, input, error, result);
}

static int start(struct casehook__machine *machine, const struct casehook__input *input, bool preview,
                 struct casehook_error *error)
{
    int status = casehook__input_read(input, &machine->params, error);
    if (status) return status;
    status = casehook__machine_begin(machine, input->operation, preview);
    return status ? casehook__fail_memory(error) : CASEHOOK_OK;
}

int casehook__run(struct casehook_connector *connector, struct casehook__input *input,
                  const struct casehook_options *given, bool preview, struct casehook_result **result)
{
    struct casehook_error error;
    struct casehook_options options;
    struct casehook__work *work = NULL;
    int status;
    if (!result) return CASEHOOK_E_ARGUMENT;
    *result = NULL;
    casehook__error_init(&error);
    status = casehook__call_check(connector, input->operation, &error);
    if (!status) status = casehook__options_read(given, &options, &error);
    if (!status) input->user = options.user;
    if (!status && !(work = casehook__work_take(connector))) status = casehook__fail_memory(&error);
    if (status) return refuse_call(connector, input, preview, &error, result);
    work->machine.deadline = casehook__options_deadline(&options);
    /* Another thread may let go of both meanwhile. */
    casehook_connector_ref(connector);
    casehook__cancel_ref(options.cancel);
    struct casehook__machine *machine = &work->machine;
    machine->cancel = options.cancel;
    machine->user = options.user;
    status = start(machine, input, preview, &error);
    if (status) {
        casehook__params_clear(&machine->params);
        status = refuse_call(connector, input, preview, &error, result);
    } else {
        if (preview)
            casehook__drive_preview(machine);
        else
            casehook__drive_blocking(connector, machine);
        *result = casehook__machine_finish(machine);
        status = (*result)->error.status;
        if (!preview) casehook__operation_ended(connector, *result);
    }
    casehook__work_give(connector, work);
    casehook_cancel_free(options.cancel);
    casehook_connector_unref(connector);
    return status;
}
