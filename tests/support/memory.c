/* memory.c - allocation that never returns NULL. */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *pointer)
{
    if (pointer) return pointer;
    fputs("the test itself is out of memory\n", stderr);
    abort();
}

void *must_alloc(size_t size)
{
    return check(calloc(1, size ? size : 1));
}

void *must_grow(void *pointer, size_t size)
{
    return check(realloc(pointer, size ? size : 1));
}

char *must_copy(const char *text, size_t length)
{
    char *copy = must_alloc(length + 1);
    if (length) memcpy(copy, text, length);
    return copy;
}

char *must_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) abort();
    char *text = must_alloc((size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
