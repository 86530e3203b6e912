/* haproxy.c - writes a configuration, starts HAProxy in the foreground, stops it. */
#include "haproxy.h"
#include "folder.h"
#include "memory.h"
#include "process.h"
#include "stream.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ATTEMPTS 4
#define STEPS    400 /* of 25 ms */

struct haproxy {
    struct folder *folder;
    struct process *process;
    unsigned port;
};

int haproxy_is_there(void)
{
    char *path = process_find("haproxy");
    free(path);
    return path != NULL;
}

static void configure(struct haproxy *haproxy, const char *pem, const char *keep_alive, unsigned upstream)
{
    char *text = must_format("global\n"
                             "  maxconn 200\n"
                             "defaults\n"
                             "  mode http\n"
                             "  retries 0\n"
                             "  timeout connect 5s\n"
                             "  timeout client 30s\n"
                             "  timeout server 30s\n"
                             "  timeout http-keep-alive %s\n"
                             "frontend site\n"
                             "  bind 127.0.0.1:%u ssl crt %s\n"
                             "  default_backend tracker\n"
                             "backend tracker\n"
                             "  server one 127.0.0.1:%u\n",
                             keep_alive, haproxy->port, pem, upstream);
    folder_write(haproxy->folder, "haproxy.cfg", text);
    free(text);
}

/* It says nothing when it is ready. */
static int is_ready(struct haproxy *haproxy)
{
    char port[16];
    snprintf(port, sizeof port, "%u", haproxy->port);
    for (int step = 0; step < STEPS && process_running(haproxy->process); step++) {
        int fd = stream_connect("127.0.0.1", port);
        if (fd >= 0) close(fd);
        if (fd >= 0) return 1;
        poll(NULL, 0, 25);
    }
    return 0;
}

static int run(struct haproxy *haproxy, const char *program)
{
    const char *const argv[] = {program, "-db", "-f", folder_name(haproxy->folder, "haproxy.cfg"), NULL};
    haproxy->process = process_start(argv, folder_name(haproxy->folder, "haproxy.out"));
    if (is_ready(haproxy)) return 1;
    process_stop(haproxy->process);
    haproxy->process = NULL;
    return 0;
}

static void tell_failure(struct haproxy *haproxy)
{
    char *words = folder_read(haproxy->folder, "haproxy.out", NULL);
    fprintf(stderr, "haproxy did not start:\n%s\n", words ? words : "");
    free(words);
}

struct haproxy *haproxy_start(const char *certificate, const char *key, const char *keep_alive,
                              unsigned upstream)
{
    struct haproxy *haproxy = must_alloc(sizeof *haproxy);
    char *program = process_find("haproxy"), *both = must_format("%s\n%s", certificate, key);
    haproxy->folder = folder_new();
    const char *pem = folder_write(haproxy->folder, "site.pem", both);
    int ready = 0;
    for (int attempt = 0; program && !ready && attempt < ATTEMPTS; attempt++) {
        haproxy->port = process_free_port();
        configure(haproxy, pem, keep_alive, upstream);
        ready = run(haproxy, program);
    }
    free(both);
    free(program);
    if (ready) return haproxy;
    tell_failure(haproxy);
    haproxy_stop(haproxy);
    return NULL;
}

unsigned haproxy_port(const struct haproxy *haproxy)
{
    return haproxy->port;
}

void haproxy_stop(struct haproxy *haproxy)
{
    if (!haproxy) return;
    process_stop(haproxy->process);
    folder_free(haproxy->folder);
    free(haproxy);
}
