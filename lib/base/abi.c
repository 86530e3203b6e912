/* abi.c - reading public structs whose size the caller says. */
#include "base/abi.h"

int casehook__struct_size_check(const void *source, size_t given, size_t minimum, size_t known,
                                const char *what, struct casehook_error *error)
{
    if (given < minimum || given > CASEHOOK__STRUCT_MAX_BYTES)
        return casehook__fail(error, CASEHOOK_E_ARGUMENT,
                              "the size given for struct %s is %zu: it must be sizeof(struct %s)", what,
                              given, what);
    const unsigned char *bytes = source;
    for (size_t i = known; i < given; i++)
        if (bytes[i])
            return casehook__fail(error, CASEHOOK_E_ARGUMENT,
                                  "struct %s has a field that this version of the library does not know",
                                  what);
    return CASEHOOK_OK;
}

int casehook__struct_read(void *copy, const void *source, size_t minimum, size_t known, const char *what,
                          struct casehook_error *error)
{
    size_t given;
    memset(copy, 0, known);
    if (!source) return casehook__fail(error, CASEHOOK_E_ARGUMENT, "struct %s is NULL", what);
    memcpy(&given, source, sizeof given);
    int status = casehook__struct_size_check(source, given, minimum, known, what, error);
    if (given >= minimum && given <= CASEHOOK__STRUCT_MAX_BYTES)
        memcpy(copy, source, given < known ? given : known);
    return status;
}

int casehook__allocator_heap(const struct casehook_allocator *given, struct casehook__heap **heap)
{
    struct casehook_allocator allocator;
    size_t first_size = offsetof(struct casehook_allocator, destroy) + sizeof allocator.destroy;
    *heap = NULL;
    if (!given) return CASEHOOK_OK;
    int status =
        casehook__struct_read(&allocator, given, first_size, sizeof allocator, "casehook_allocator", NULL);
    if (!status && allocator.reallocate) return casehook__heap_new(&allocator, heap);
    if (allocator.destroy) allocator.destroy(allocator.user);
    return CASEHOOK_E_ARGUMENT;
}
