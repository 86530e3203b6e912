/* squid.c - writes a configuration, starts squid in the foreground, stops it. */
#include "squid.h"
#include "folder.h"
#include "memory.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <time.h>

#define ATTEMPTS 4

struct squid {
    struct folder *folder;
    struct process *process;
};

/* squid gives user and password to its helper in percent encoding. */
static const char helper[] = "#!/bin/sh\n"
                             "while read -r line; do\n"
                             "  case $line in\n"
                             "  'proxy%20user pa:ss%20w%C3%B6rd%2541') echo OK ;;\n"
                             "  *) echo ERR ;;\n"
                             "  esac\n"
                             "done\n";

static const char policy[] = "auth_param basic children 1 startup=1 idle=1\n"
                             "auth_param basic realm tests\n"
                             "acl anybody myportname open tls\n"
                             "acl users proxy_auth REQUIRED\n"
                             "http_access allow anybody\n"
                             "http_access allow users\n"
                             "http_access deny all\n"
                             "logformat short %rm %ru %>Hs %un\n"
                             "cache deny all\n"
                             "cache_mem 0 MB\n"
                             "cache_log /dev/null\n"
                             "pid_filename none\n"
                             "netdb_filename none\n"
                             "pinger_enable off\n"
                             "dns_nameservers 127.0.0.1\n"
                             "coredump_dir none\n"
                             "max_filedescriptors 1024\n"
                             "visible_hostname casehook.test\n"
                             "shutdown_lifetime 0 seconds\n"
                             "logfile_rotate 0\n"
                             "buffered_logs off\n";

int squid_may_run(void)
{
    struct stat shared;
    return geteuid() != 0 || (stat("/dev/shm", &shared) == 0 && (shared.st_mode & S_IWOTH));
}

int squid_is_there(void)
{
    char *path = process_find("squid"), line[4096];
    int found = 0;
    if (!path) return 0;
    char *command = must_format("%s -v", path);
    FILE *output = popen(command, "r");
    while (output && fgets(line, sizeof line, output)) found |= strstr(line, "--with-openssl") != NULL;
    if (output) pclose(output);
    free(command);
    free(path);
    return found;
}

static void write_tls_port(FILE *text, struct folder *folder, unsigned port, const char *name,
                           const char *crt, const char *key)
{
    char file[64];
    snprintf(file, sizeof file, "%s.crt", name);
    fprintf(text, "https_port 127.0.0.1:%u name=%s tls-cert=%s ", port, name,
            folder_write(folder, file, crt));
    snprintf(file, sizeof file, "%s.key", name);
    fprintf(text, "tls-key=%s\n", folder_write(folder, file, key));
}

static char *configuration(struct folder *folder, const struct squid_certs *certs, struct squid_ports *ports)
{
    char *config = NULL;
    size_t length = 0;
    FILE *text = open_memstream(&config, &length);
    if (!text) abort();
    *ports = (struct squid_ports){process_free_port(), process_free_port(), process_free_port(),
                                  process_free_port()};
    fprintf(text, "http_port 127.0.0.1:%u name=open\n", ports->open);
    fprintf(text, "http_port 127.0.0.1:%u name=locked\n", ports->locked);
    write_tls_port(text, folder, ports->tls, "tls", certs->tls_crt, certs->tls_key);
    write_tls_port(text, folder, ports->other, "other", certs->other_crt, certs->other_key);
    fprintf(text, "auth_param basic program %s\n%s", folder_write_program(folder, "helper", helper), policy);
    fprintf(text, "access_log stdio:%s short\n", folder_name(folder, "access.log"));
    fclose(text);
    return config;
}

/* Started by root it gives up its rights: what it writes must be there and writable for everybody. */
static void make_log(struct folder *folder)
{
    const char *path = folder_write(folder, "access.log", "");
    if (chmod(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH) != 0) abort();
}

static struct process *run(struct folder *folder, const char *program, const char *config,
                           const struct squid_ports *ports)
{
    /* Its shared memory is named after the service: two at once must not meet. */
    char *service = must_format("casehook%ld", (long)getpid());
    const char *const argv[] = {program, "-N", "-d", "1", "-n", service, "-f", config, NULL};
    struct process *process = process_start(argv, folder_name(folder, "squid.out"));
    char *last = must_format("local=127.0.0.1:%u ", ports->other);
    int failed = process_await(process, folder_name(folder, "squid.out"), last, 15000);
    free(last);
    free(service);
    if (!failed) return process;
    process_stop(process);
    return NULL;
}

struct squid *squid_start(const struct squid_certs *certs, struct squid_ports *ports)
{
    struct squid *squid = must_alloc(sizeof *squid);
    char *program = process_find("squid");
    squid->folder = folder_new();
    make_log(squid->folder);
    for (int attempt = 0; program && !squid->process && attempt < ATTEMPTS; attempt++) {
        char *config = configuration(squid->folder, certs, ports);
        squid->process =
            run(squid->folder, program, folder_write(squid->folder, "squid.conf", config), ports);
        free(config);
    }
    free(program);
    if (squid->process) return squid;
    char *words = folder_read(squid->folder, "squid.out", NULL);
    fprintf(stderr, "squid did not start:\n%s\n", words ? words : "");
    free(words);
    squid_stop(squid);
    return NULL;
}

void squid_stop(struct squid *squid)
{
    if (!squid) return;
    process_stop(squid->process);
    folder_free(squid->folder);
    free(squid);
}

static unsigned lines_of(const char *text)
{
    unsigned count = 0;
    for (; text && *text; text++) count += *text == '\n';
    return count;
}

char *squid_log(struct squid *squid, unsigned count)
{
    const struct timespec step = {0, 20 * 1000000L};
    char *text = folder_read(squid->folder, "access.log", NULL);
    for (int i = 0; i < 250 && lines_of(text) < count; i++) {
        free(text);
        nanosleep(&step, NULL);
        text = folder_read(squid->folder, "access.log", NULL);
    }
    return text;
}
