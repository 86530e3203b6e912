/* folder.c - a temporary folder and the files in it. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "folder.h"
#include "memory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_MAX_FOLDERS 8

struct folder {
    char *path;
    char **names;
    size_t count;
};

static void must(int ok, const char *what)
{
    if (ok) return;
    perror(what);
    abort();
}

struct folder *folder_new(void)
{
    const char *temporary = getenv("TMPDIR");
    struct folder *folder = must_alloc(sizeof *folder);
    folder->path = must_format("%s/casehook-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    must(mkdtemp(folder->path) != NULL, folder->path);
    must(chmod(folder->path, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH) == 0, folder->path);
    return folder;
}

const char *folder_path(const struct folder *folder)
{
    return folder->path;
}

const char *folder_name(struct folder *folder, const char *name)
{
    char *path = must_format("%s/%s", folder->path, name);
    folder->names = must_grow(folder->names, (folder->count + 1) * sizeof *folder->names);
    folder->names[folder->count++] = path;
    return path;
}

static const char *write_file(struct folder *folder, const char *name, const char *text, mode_t mode)
{
    const char *path = folder_name(folder, name);
    FILE *file = fopen(path, "w");
    must(file != NULL, path);
    must(fputs(text, file) >= 0 && fclose(file) == 0 && chmod(path, mode) == 0, path);
    return path;
}

const char *folder_write(struct folder *folder, const char *name, const char *text)
{
    return write_file(folder, name, text, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
}

const char *folder_write_program(struct folder *folder, const char *name, const char *text)
{
    return write_file(folder, name, text, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH);
}

char *folder_read(struct folder *folder, const char *name, size_t *length)
{
    FILE *file = fopen(folder_name(folder, name), "r");
    char *text = NULL;
    size_t used = 0, got;
    if (!file) return NULL;
    do {
        text = must_grow(text, used + 4097);
        got = fread(text + used, 1, 4096, file);
        used += got;
    } while (got);
    text[used] = '\0';
    fclose(file);
    if (length) *length = used;
    return text;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void folder_free(struct folder *folder)
{
    if (!folder) return;
    nftw(folder->path, remove_one, OPEN_MAX_FOLDERS, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < folder->count; i++) free(folder->names[i]);
    free(folder->names);
    free(folder->path);
    free(folder);
}
