/* process.c - a guardian per program, which starts it and ends it. */
#include "process.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define STEP_MS    10
#define PATIENCE   200 /* steps between SIGTERM and SIGKILL */
#define LAST_CHILD 1024

struct process {
    pid_t guardian;
    int alive; /* the end of the pipe that the guardian watches */
    int ended;
};

int process_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

char *process_find(const char *name)
{
    const char *path = getenv("PATH");
    char *all = must_format("%s:/usr/sbin:/usr/local/sbin:/sbin", path ? path : "/usr/bin"), *rest = NULL;
    char *found = NULL;
    for (char *folder = strtok_r(all, ":", &rest); folder && !found; folder = strtok_r(NULL, ":", &rest)) {
        found = must_format("%s/%s", folder, name);
        if (access(found, X_OK) == 0) break;
        free(found);
        found = NULL;
    }
    free(all);
    return found;
}

/* ---- in the guardian: after fork in a program with threads, so nothing but system calls ---------- */

static void pause_step(void)
{
    struct timespec step = {0, STEP_MS * 1000000L};
    nanosleep(&step, NULL);
}

static void be_program(const char *const *argv)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the guardian itself be killed */
#endif
    union {
        const char *const *given;
        char *const *wanted;
    } list = {argv};
    execv(argv[0], list.wanted);
    _exit(127);
}

static void end_program(pid_t program)
{
    kill(program, SIGTERM);
    for (int step = 0; step < PATIENCE; step++) {
        if (waitpid(program, NULL, WNOHANG) != 0) return;
        pause_step();
    }
    kill(program, SIGKILL);
    waitpid(program, NULL, 0);
}

/* The sockets of the test must not stay open here. */
static void close_all_but(int kept)
{
    for (int fd = 3; fd < LAST_CHILD; fd++)
        if (fd != kept) close(fd);
}

static void be_guardian(const char *const *argv, int output, int alive)
{
    int nothing = open("/dev/null", O_RDONLY);
    if (dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(126);
    close_all_but(alive);
    pid_t program = fork();
    if (program < 0) _exit(126);
    if (program == 0) be_program(argv);
    for (;;) {
        struct pollfd wait = {.fd = alive, .events = POLLIN};
        if (poll(&wait, 1, 5 * STEP_MS) > 0) break;
        if (waitpid(program, NULL, WNOHANG) != 0) _exit(0);
    }
    end_program(program);
    _exit(0);
}

/* ---- in the test ------------------------------------------------------------------------------ */

static void must(int ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "process: %s: %s\n", what, strerror(errno));
    abort();
}

struct process *process_start(const char *const *argv, const char *output)
{
    int ends[2];
    struct process *process = must_alloc(sizeof *process);
    int file = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
    must(file >= 0, output);
    must(pipe(ends) == 0, "pipe");
    must(fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0, "pipe");
    process->guardian = fork();
    must(process->guardian >= 0, "fork");
    if (process->guardian == 0) be_guardian(argv, file, ends[0]);
    close(ends[0]);
    close(file);
    process->alive = ends[1];
    return process;
}

int process_running(struct process *process)
{
    if (!process->ended) process->ended = waitpid(process->guardian, NULL, WNOHANG) != 0;
    return !process->ended;
}

static int file_holds(const char *path, const char *text)
{
    char content[16384];
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    return strstr(content, text) != NULL;
}

int process_await(struct process *process, const char *path, const char *text, unsigned milliseconds)
{
    for (unsigned waited = 0; waited <= milliseconds; waited += STEP_MS) {
        if (file_holds(path, text)) return process_running(process) ? 0 : -1;
        if (!process_running(process)) return -1;
        pause_step();
    }
    return -1;
}

void process_stop(struct process *process)
{
    if (!process) return;
    close(process->alive);
    if (!process->ended) waitpid(process->guardian, NULL, 0);
    free(process);
}

static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
             getsockname(fd, (struct sockaddr *)&address, &length) == 0,
         "no free port");
    close(fd);
    return ntohs(address.sin_port);
}

/* The system may offer a port again that was given away here and is not in use yet. */
unsigned process_free_port(void)
{
    static unsigned char given[65536 / 8];
    unsigned port;
    do {
        port = free_port();
    } while (given[port / 8] & 1u << port % 8);
    given[port / 8] = (unsigned char)(given[port / 8] | 1u << port % 8);
    return port;
}

void process_leave(int failed)
{
    char code[8];
    snprintf(code, sizeof code, "exit %d", failed);
    execl("/bin/sh", "sh", "-c", code, (char *)NULL);
    _exit(127);
}
