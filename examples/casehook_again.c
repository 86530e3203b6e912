/* casehook_again.c - lines that failed, with what makes it safe to send them again. */
#include "casehook_again.h"

#include <casehook.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_same(const char *path, int other)
{
    struct stat mine, its;
    return !stat(path, &mine) && !fstat(other, &its) && mine.st_dev == its.st_dev &&
           mine.st_ino == its.st_ino && S_ISREG(mine.st_mode);
}

int again_open(struct again *again, const char *path, const int *others, struct trouble *trouble)
{
    for (; *others >= 0; others++)
        if (is_same(path, *others))
            return trouble_set(trouble, CASEHOOK_E_PARAMS, "failed",
                               "%s: the lines that failed want a file of their own: this one is read", path);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
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

void again_write(struct again *again, struct piece line, const char *resume)
{
    if (!again->path) return;
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
