/* fault.c - faults of calls, and the sizes of structs. */
#include "outbox/memory.h"

#include <stdarg.h>
#include <stdio.h>

enum { STRUCT_BYTES_MAX = 4096 };

struct casehook_outbox_error {
    struct casehook__ob_heap *heap; /* NULL: nobody's, it is never freed */
    struct casehook__ob_fault fault;
};

static const struct casehook_outbox_error no_memory_error = {
    NULL, {CASEHOOK_E_NO_MEMORY, "there is no memory left: try again when there is"}};

int casehook__ob_fail(struct casehook__ob_fault *fault, int status, const char *format, ...)
{
    va_list arguments;
    if (!fault) return status;
    fault->status = status;
    va_start(arguments, format);
    vsnprintf(fault->message, sizeof fault->message, format, arguments);
    va_end(arguments);
    for (char *at = fault->message; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = ' ';
    return status;
}

int casehook__ob_fail_memory(struct casehook__ob_fault *fault)
{
    return casehook__ob_fail(fault, CASEHOOK_E_NO_MEMORY, "%s", no_memory_error.fault.message);
}

int casehook__ob_tell(struct casehook__ob_heap *heap, const struct casehook__ob_fault *fault,
                      struct casehook_outbox_error **error)
{
    if (!error || !fault->status) return fault->status;
    *error = NULL;
    if (!heap && fault->status != CASEHOOK_E_NO_MEMORY) return fault->status;
    struct casehook_outbox_error *made = NULL;
    if (heap && fault->status != CASEHOOK_E_NO_MEMORY) made = casehook__ob_resize(heap, NULL, sizeof *made);
    if (made) {
        made->heap = casehook__ob_heap_ref(heap);
        made->fault = *fault;
        *error = made;
    } else {
        /* Never written through: every function that takes an error only reads it. */
        union {
            const struct casehook_outbox_error *kept;
            struct casehook_outbox_error *given;
        } same = {.kept = &no_memory_error};
        *error = same.given;
    }
    return fault->status;
}

int casehook_outbox_error_status(const struct casehook_outbox_error *error)
{
    return error ? error->fault.status : CASEHOOK_OK;
}

const char *casehook_outbox_error_message(const struct casehook_outbox_error *error)
{
    return error ? error->fault.message : "no error";
}

void casehook_outbox_error_free(struct casehook_outbox_error *error)
{
    if (!error || !error->heap) return;
    struct casehook__ob_heap *heap = error->heap;
    casehook__ob_release(heap, error);
    casehook__ob_heap_unref(heap);
}

/* ---- structs ------------------------------------------------------------------------------------- */

int casehook__ob_read_struct(void *copy, const void *given, size_t minimum, size_t known, const char *name,
                             struct casehook__ob_fault *fault)
{
    size_t size;
    memset(copy, 0, known);
    if (!given) return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT, "struct %s is NULL", name);
    memcpy(&size, given, sizeof size);
    if (size < minimum || size > STRUCT_BYTES_MAX)
        return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT,
                                 "struct_size of struct %s is %zu: it must be sizeof(struct %s)", name, size,
                                 name);
    memcpy(copy, given, size < known ? size : known);
    for (size_t i = known; i < size; i++)
        if (((const unsigned char *)given)[i])
            return casehook__ob_fail(fault, CASEHOOK_E_ARGUMENT,
                                     "struct %s has a field that this version of the library does not know",
                                     name);
    return CASEHOOK_OK;
}

int casehook__ob_write_struct(void *given, const void *ours, size_t minimum, size_t known)
{
    size_t size;
    if (!given) return CASEHOOK_E_ARGUMENT;
    memcpy(&size, given, sizeof size);
    if (size < minimum || size > STRUCT_BYTES_MAX) return CASEHOOK_E_ARGUMENT;
    memset(given, 0, size);
    memcpy(given, ours, size < known ? size : known);
    memcpy(given, &size, sizeof size);
    return CASEHOOK_OK;
}
