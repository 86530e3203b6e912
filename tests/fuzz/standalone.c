/* standalone.c - gives files to a fuzz target, for compilers without a fuzzer and for regressions. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of exactly its size, so that a memory checker sees a read behind it. */
static int replay(const char *name)
{
    int status = 1;
    long size;
    uint8_t *data = NULL;
    FILE *file = fopen(name, "rb");
    if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0) goto out;
    rewind(file);
    data = malloc(size ? (size_t)size : 1);
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size) goto out;
    LLVMFuzzerTestOneInput(data, (size_t)size);
    status = 0;
out:
    if (status) perror(name);
    free(data);
    if (file) fclose(file);
    return status;
}

int main(int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc; i++) status |= replay(argv[i]);
    return status;
}
