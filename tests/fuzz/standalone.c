/*
 * standalone.c - gives files to a fuzz target, for compilers without a fuzzer and for regressions.
 *
 *     fuzz_TARGET [-COUNT] FILE...
 *
 * With a count so many changed ones of each file follow it, the same in each run.
 */
#include "fuzz.h"

#define GROWTH 16 /* bytes that may be put in */

static uint32_t random_below(uint32_t limit)
{
    static uint32_t seed = 1;
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % limit;
}

static void give(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact_copy(data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* One change: a byte another one, a bit of it, a stretch said twice, a stretch left out, the end cut off. */
static size_t change(uint8_t *data, size_t size, size_t room)
{
    if (size == 0) return 0;
    size_t at = random_below((uint32_t)size), length = 1 + random_below(GROWTH / 2);
    if (length > size - at) length = size - at;
    switch (random_below(8)) {
    case 0: return at;
    case 1: memmove(data + at, data + at + length, size - at - length); return size - length;
    case 2:
        if (length > room - size) return size;
        memmove(data + at + length, data + at, size - at);
        return size + length;
    case 3:
    case 4: data[at] ^= (uint8_t)(1U << random_below(8)); return size;
    default: data[at] = (uint8_t)random_below(256); return size;
    }
}

static void give_changed(const uint8_t *data, size_t size, unsigned long count)
{
    uint8_t *changed = malloc(size + GROWTH);
    if (!changed) abort();
    for (; count > 0; count--) {
        size_t length = size;
        memcpy(changed, data, size);
        for (uint32_t i = 1 + random_below(6); i > 0; i--) length = change(changed, length, size + GROWTH);
        give(changed, length);
    }
    free(changed);
}

static int replay(const char *name, unsigned long count)
{
    int status = 1;
    long size;
    uint8_t *data = NULL;
    FILE *file = fopen(name, "rb");
    if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0) goto out;
    rewind(file);
    data = malloc(size ? (size_t)size : 1);
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size) goto out;
    give(data, (size_t)size);
    give_changed(data, (size_t)size, count);
    status = 0;
out:
    if (status) perror(name);
    free(data);
    if (file) fclose(file);
    return status;
}

int main(int argc, char **argv)
{
    int status = 0, first = argc > 1 && argv[1][0] == '-';
    unsigned long count = first ? strtoul(argv[1] + 1, NULL, 10) : 0;
    for (int i = 1 + first; i < argc; i++) status |= replay(argv[i], count);
    return status;
}
