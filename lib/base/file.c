/* file.c - the one way in which files are opened: regular ones, without waiting, up to a limit. */
#include "base/posix.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Words of our own: strerror() is not for threads. */
static const char *reason_of(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR: return "does not exist";
    case EACCES:
    case EPERM: return "may not be read by this user";
    case ELOOP: return "is a symbolic link that leads nowhere";
    case ENAMETOOLONG: return "has a name that is too long";
    case ENXIO: return "is a socket or a device, no regular file";
    case EMFILE:
    case ENFILE: return "cannot be opened: too many files are open";
    case EIO: return "cannot be read: the disk reports an error";
    default: return NULL;
    }
}

static int fail_file(struct casehook_error *error, int code)
{
    const char *reason = reason_of(code);
    if (code == ENOMEM) return casehook__fail_memory(error);
    if (reason) return casehook__fail(error, CASEHOOK_E_SYSTEM, "%s", reason);
    return casehook__fail(error, CASEHOOK_E_SYSTEM, "cannot be read: the system reports error %d", code);
}

static int fail_limit(struct casehook_error *error, size_t limit)
{
    return casehook__fail(error, CASEHOOK_E_LIMIT, "is larger than %zu bytes", limit);
}

static int check_kind(const struct stat *info, size_t room, struct casehook_error *error)
{
    const char *kind = S_ISDIR(info->st_mode)    ? "a folder"
                       : S_ISFIFO(info->st_mode) ? "a FIFO"
                       : S_ISSOCK(info->st_mode) ? "a socket"
                                                 : "a device";
    if (!S_ISREG(info->st_mode))
        return casehook__fail(error, CASEHOOK_E_SYSTEM, "is %s, no regular file", kind);
    if (info->st_size > 0 && (uintmax_t)info->st_size > room) return fail_limit(error, room);
    return CASEHOOK_OK;
}

/* A file may grow while it is read, and those of /proc have no size: the limit of content decides. */
static int read_whole(int file, struct casehook__buf *content, struct casehook_error *error)
{
    for (;;) {
        size_t room = content->limit - content->length, want = room < 16384 ? room + !room : 16384;
        int status = casehook__buf_reserve(content, want);
        if (status == CASEHOOK_E_LIMIT) { /* full: is there more? */
            char more;
            if (read(file, &more, 1) != 0) return fail_limit(error, content->limit);
            content->status = CASEHOOK_OK;
            break;
        }
        if (status) return casehook__fail_memory(error);
        ssize_t got = read(file, content->data + content->length, want);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_file(error, errno);
        if (got == 0) break;
        content->length += (size_t)got;
    }
    if (content->data) content->data[content->length] = '\0';
    return CASEHOOK_OK;
}

int casehook__file_read(const char *path, struct casehook__buf *content, struct casehook_error *error)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0) return fail_file(error, errno);
    int status = fstat(file, &info) ? fail_file(error, errno)
                                    : check_kind(&info, content->limit - content->length, error);
    if (!status) status = read_whole(file, content, error);
    close(file);
    return status;
}
