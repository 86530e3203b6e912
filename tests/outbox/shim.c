/*
 * shim.c - preloaded into a worker: a disk and a clock that misbehave.
 *
 *   SHIM_FILES=TEXT         files whose path has this text are watched
 *   SHIM_KILL_AT=N          the process dies at the Nth write or sync of them, before it is done
 *   SHIM_TORN=1             a write that it dies at is half done
 *   SHIM_LOSES=SEED         and what was not synced is lost then, as when the power goes: all of it, or a
 * part SHIM_COUNT=PATH         the number of writes and syncs is written there at the end SHIM_CLOCK=SECONDS
 * the wall clock is wrong by so much
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MAX = 1024, UNDO_MAX = 4096 };

/* What a write has overwritten. */
struct undo {
    int fd;
    off_t at, size; /* size: of the file before */
    size_t length;
    char *bytes;
};

static struct {
    pthread_mutex_t lock;
    char watched[FILES_MAX];
    struct undo undo[UNDO_MAX];
    size_t undos;
    long count, kill_at;
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static int is_watched(int fd)
{
    return fd >= 0 && fd < FILES_MAX && shim.watched[fd];
}

static void note_open(int fd, const char *path)
{
    const char *text = getenv("SHIM_FILES");
    if (fd >= 0 && fd < FILES_MAX) shim.watched[fd] = text && strstr(path, text) && !strstr(path, "-shm");
}

/* ---- losing power ----------------------------------------------------------------------------------- */

static void remember(int fd, off_t at, size_t length)
{
    struct stat about;
    if (!getenv("SHIM_LOSES") || shim.undos == UNDO_MAX || fstat(fd, &about)) return;
    struct undo *undo = &shim.undo[shim.undos++];
    *undo = (struct undo){fd, at, about.st_size, length, malloc(length ? length : 1)};
    ssize_t got = REAL(ssize_t, "pread64", int, void *, size_t, off_t)(fd, undo->bytes, length, at);
    undo->length = got > 0 ? (size_t)got : 0;
}

static void forget(int fd)
{
    size_t kept = 0;
    for (size_t i = 0; i < shim.undos; i++) {
        if (shim.undo[i].fd == fd)
            free(shim.undo[i].bytes);
        else
            shim.undo[kept++] = shim.undo[i];
    }
    shim.undos = kept;
}

/* The last one first, so that the file is as it was; of some files all of it, of others a part. */
static void lose(void)
{
    const char *seed = getenv("SHIM_LOSES");
    unsigned random = seed ? (unsigned)atoi(seed) : 0;
    for (size_t i = shim.undos; i-- > 0;) {
        const struct undo *undo = &shim.undo[i];
        random = random * 1103515245u + 12345u;
        if (seed && atoi(seed) % 2 && (random >> 16) % 3 == 0) continue; /* it reached the disk by chance */
        if (undo->length) REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t)
        (undo->fd, undo->bytes, undo->length, undo->at);
        if (undo->size < undo->at + 1 && REAL(int, "ftruncate64", int, off_t)(undo->fd, undo->size)) abort();
    }
}

/* ---- dying ------------------------------------------------------------------------------------------ */

/* 1: this is the call at which it dies; the lock is held. */
static int is_last(void)
{
    if (!shim.kill_at) {
        const char *at = getenv("SHIM_KILL_AT");
        shim.kill_at = at ? atol(at) : -1;
    }
    return ++shim.count == shim.kill_at;
}

static void die(void)
{
    lose();
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("SHIM_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "%ld\n", shim.count);
    fclose(file);
}

static ssize_t watched_write(int fd, const void *bytes, size_t length, off_t at)
{
    pthread_mutex_lock(&shim.lock);
    remember(fd, at, length);
    if (is_last()) {
        if (getenv("SHIM_TORN"))
            REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t)(fd, bytes, length / 2, at);
        die();
    }
    ssize_t done = REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t)(fd, bytes, length, at);
    pthread_mutex_unlock(&shim.lock);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at)
{
    if (is_watched(fd)) return watched_write(fd, bytes, length, at);
    return REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t)(fd, bytes, length, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    return pwrite64(fd, bytes, length, at);
}

static int watched_sync(int fd, const char *name)
{
    pthread_mutex_lock(&shim.lock);
    if (is_last()) die();
    int status = REAL(int, name, int)(fd);
    if (!status) forget(fd);
    pthread_mutex_unlock(&shim.lock);
    return status;
}

int fsync(int fd)
{
    return is_watched(fd) ? watched_sync(fd, "fsync") : REAL(int, "fsync", int)(fd);
}

int fdatasync(int fd)
{
    return is_watched(fd) ? watched_sync(fd, "fdatasync") : REAL(int, "fdatasync", int)(fd);
}

int open64(const char *path, int flags, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, flags);
    int mode = flags & O_CREAT ? __builtin_va_arg(arguments, int) : 0;
    __builtin_va_end(arguments);
    int fd = REAL(int, "open64", const char *, int, ...)(path, flags, mode);
    note_open(fd, path);
    return fd;
}

int close(int fd)
{
    if (is_watched(fd)) {
        pthread_mutex_lock(&shim.lock);
        forget(fd); /* not synced, but nobody can tell whose number this will be */
        shim.watched[fd] = 0;
        pthread_mutex_unlock(&shim.lock);
    }
    return REAL(int, "close", int)(fd);
}

/* ---- time ------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static int (*real)(clockid_t, struct timespec *);
    static long shift = 1;
    if (!real) real = REAL(int, "clock_gettime", clockid_t, struct timespec *);
    if (shift == 1) shift = getenv("SHIM_CLOCK") ? atol(getenv("SHIM_CLOCK")) : 0;
    int status = real(clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec += shift;
    return status;
}
