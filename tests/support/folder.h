/* folder.h - a temporary folder, removed with all that is in it. */
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H

#include <stddef.h>

struct folder;

/* Readable for everybody: a server may give up its rights.  Ends the test when there is none. */
struct folder *folder_new(void);
const char *folder_path(const struct folder *folder);

/* Writes a file (mode 0644, or 0755) and returns its path, which lives as long as the folder. */
const char *folder_write(struct folder *folder, const char *name, const char *text);
const char *folder_write_program(struct folder *folder, const char *name, const char *text);
/* The path that a file of that name has or would have. */
const char *folder_name(struct folder *folder, const char *name);

/* Everything a file holds; to be freed.  NULL when there is no such file. */
char *folder_read(struct folder *folder, const char *name, size_t *length);

void folder_free(struct folder *folder);

#endif
