/*
 * abi.h - reading public structs whose size the caller says.
 */
#ifndef CASEHOOK_ABI_H
#define CASEHOOK_ABI_H

#include "base/error.h"

/* The size of a public struct of another version is believed up to here. */
#define CASEHOOK__STRUCT_MAX_BYTES 4096

/*
 * Whether a struct of given bytes can be read: minimum is the size in the first version, known the
 * size today.  Smaller than minimum: ARGUMENT.  Between: the missing fields are defaults.  Larger: a
 * newer caller, accepted as long as the bytes behind known are zero.  what names the struct.
 */
int casehook__struct_size_check(const void *source, size_t given, size_t minimum, size_t known,
                                const char *what, struct casehook_error *error);

/*
 * Reads a struct that begins with struct_size: checked, then copied into copy (known bytes) with what
 * the caller's version lacks as zero.  source NULL is ARGUMENT.  After an error copy has what is known, or
 * zeros where the size is wrong: nothing is believed then.
 */
int casehook__struct_read(void *copy, const void *source, size_t minimum, size_t known, const char *what,
                          struct casehook_error *error);

/*
 * The heap of an allocator as a caller gave it (NULL: *heap is NULL, malloc).
 * Errors: ARGUMENT (struct_size, no reallocate), NO_MEMORY; its destroy has been called then.
 */
int casehook__allocator_heap(const struct casehook_allocator *given, struct casehook__heap **heap);

#endif
