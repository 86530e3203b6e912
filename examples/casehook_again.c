/* casehook_again.c - lines that failed, with what makes it safe to send them again. */
#include "casehook_again.h"

#include <casehook.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_same(const struct stat *mine, const struct stat *its)
{
    return mine->st_dev == its->st_dev && mine->st_ino == its->st_ino && S_ISREG(mine->st_mode);
}

static bool is_read(const char *path, const int *files, const char *const *names, size_t count)
{
    struct stat mine, its;
    if (stat(path, &mine)) return false;
    for (; *files >= 0; files++)
        if (!fstat(*files, &its) && is_same(&mine, &its)) return true;
    for (; count; count--, names++)
        if (*names && !stat(*names, &its) && is_same(&mine, &its)) return true;
    return false;
}

int again_open(struct again *again, const char *path, const int *files, const char *const *names,
               size_t count, struct trouble *trouble)
{
    if (is_read(path, files, names, count))
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "failed",
                           "%s: the lines that failed want a file of their own: this one is read", path);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    again->file = file < 0 ? NULL : fdopen(file, "w");
    if (!again->file) {
        int reason = errno;
        if (file >= 0) close(file);
        return trouble_set(trouble, CASEHOOK_E_PARAMS, "failed", "%s: %s", path, strerror(reason));
    }
    again->path = path;
    return 0;
}

static void note(struct again *again, int failed)
{
    if (failed && !again->failed)
        fprintf(stderr, "casehook: %s: %s; not all lines that failed are in it\n", again->path,
                strerror(errno));
    again->failed = again->failed || failed;
}

void again_begin(struct again *again)
{
    struct stat status;
    if (!again->path || again->begun) return;
    again->begun = true;
    if (!fstat(fileno(again->file), &status) && S_ISREG(status.st_mode))
        note(again, ftruncate(fileno(again->file), 0));
}

void again_write(struct again *again, struct piece line, const char *resume)
{
    if (!again->path) return;
    again_begin(again);
    member_put(again->file, line, resume, NULL);
    note(again, putc('\n', again->file) == EOF);
}

bool again_close(struct again *again)
{
    if (!again->path) return true;
    note(again, fflush(again->file) || ferror(again->file));
    note(again, fsync(fileno(again->file)) && errno != EINVAL && errno != EROFS);
    note(again, fclose(again->file));
    return !again->failed;
}
