/* memory.h - memory of the tests: there is enough of it, or the test ends. */
#ifndef SUPPORT_MEMORY_H
#define SUPPORT_MEMORY_H

#include <stddef.h>

void *must_alloc(size_t size); /* zeroed */
void *must_grow(void *pointer, size_t size);
char *must_copy(const char *text, size_t length); /* with a NUL behind it */

/* Like asprintf: the text is yours. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
char *
must_format(const char *format, ...);

#endif
