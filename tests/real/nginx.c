/* nginx.c - writes a configuration, starts nginx in the foreground, stops it. */
#include "nginx.h"
#include "folder.h"
#include "memory.h"
#include "process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS 4

struct nginx {
    struct folder *folder;
    struct process *process;
};

static const char head[] = "daemon off;\n"
                           "master_process %s;\n"
                           "worker_processes 1;\n"
                           "worker_shutdown_timeout 2s;\n"
                           "pid nginx.pid;\n"
                           "error_log stderr warn;\n"
                           "events { worker_connections 512; }\n"
                           "http {\n"
                           "  access_log off;\n"
                           "  client_body_temp_path body;\n"
                           "  proxy_temp_path proxy;\n"
                           "  fastcgi_temp_path fastcgi;\n"
                           "  uwsgi_temp_path uwsgi;\n"
                           "  scgi_temp_path scgi;\n"
                           "  merge_slashes off;\n"
                           "  large_client_header_buffers 8 32k;\n"
                           "  ssl_session_cache shared:all:1m;\n"
                           "  ssl_session_tickets on;\n";

static const char passed_on[] = "      proxy_http_version 1.1;\n"
                                "      proxy_set_header Connection \"\";\n"
                                "      proxy_set_header Host $http_host;\n"
                                "      proxy_set_header X-Seen-Protocol $server_protocol;\n"
                                "      proxy_set_header X-Seen-Tls $ssl_protocol;\n"
                                "      proxy_set_header X-Seen-Subject $ssl_client_s_dn;\n"
                                "      proxy_set_header X-Seen-Verify $ssl_client_verify;\n"
                                "      proxy_set_header X-Seen-Connection $connection;\n"
                                "      proxy_set_header X-Seen-Reused $ssl_session_reused;\n"
                                "      proxy_set_header X-Seen-Uri $request_uri;\n"
                                "      proxy_set_header X-Seen-Host $http_host;\n";

int nginx_is_there(void)
{
    char *path = process_find("nginx");
    free(path);
    return path != NULL;
}

/* Loopback has IPv6 nearly everywhere, and names of localhost are tried there first. */
static int have_ipv6(void)
{
    FILE *file = fopen("/proc/net/if_inet6", "r");
    if (file) fclose(file);
    return file != NULL;
}

static const char *write_file(struct folder *folder, const struct nginx_site *site, const char *suffix,
                              const char *text)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", site->name, suffix);
    return folder_write(folder, name, text);
}

static void write_tls(struct folder *folder, FILE *text, const struct nginx_site *site)
{
    fprintf(text, "    ssl_certificate %s;\n", write_file(folder, site, ".crt", site->chain));
    fprintf(text, "    ssl_certificate_key %s;\n", write_file(folder, site, ".key", site->key));
    if (!site->client) return;
    fprintf(text, "    ssl_verify_client %s;\n", site->client);
    fprintf(text, "    ssl_client_certificate %s;\n", write_file(folder, site, ".ca", site->client_ca));
}

static void write_site(struct folder *folder, FILE *text, struct nginx_site *site, unsigned upstream)
{
    const char *kind = site->http2 ? " ssl http2" : site->chain ? " ssl" : "";
    site->port = process_free_port();
    fprintf(text, "  server {\n    listen 127.0.0.1:%u%s;\n", site->port, kind);
    if (have_ipv6()) fprintf(text, "    listen [::1]:%u%s;\n", site->port, kind);
    if (site->chain) write_tls(folder, text, site);
    fprintf(text, "%s\n    location / {\n      proxy_pass http://127.0.0.1:%u;\n",
            site->lines ? site->lines : "", upstream);
    fprintf(text, "%s      proxy_set_header X-Seen-Site %s;\n    }\n  }\n", passed_on, site->name);
}

static char *configuration(struct folder *folder, struct nginx_site *sites, size_t count, unsigned upstream,
                           int master)
{
    char *config = NULL;
    size_t length = 0;
    FILE *text = open_memstream(&config, &length);
    if (!text) abort();
    fprintf(text, head, master ? "on" : "off");
    for (size_t i = 0; i < count; i++) write_site(folder, text, &sites[i], upstream);
    fputs("}\n", text);
    fclose(text);
    return config;
}

static struct process *run(struct folder *folder, const char *program)
{
    const char *const argv[] = {program, "-e", "stderr", "-p", folder_path(folder), "-c", "nginx.conf", NULL};
    struct process *process = process_start(argv, folder_name(folder, "nginx.out"));
    if (process_await(process, folder_name(folder, "nginx.pid"), "", 20000) == 0) return process;
    process_stop(process);
    return NULL;
}

static void tell_failure(struct folder *folder)
{
    char *words = folder_read(folder, "nginx.out", NULL);
    fprintf(stderr, "nginx did not start:\n%s\n", words ? words : "");
    free(words);
}

static struct nginx *start(struct nginx_site *sites, size_t count, unsigned upstream, int master)
{
    struct nginx *nginx = must_alloc(sizeof *nginx);
    char *program = process_find("nginx");
    nginx->folder = folder_new();
    for (int attempt = 0; program && !nginx->process && attempt < ATTEMPTS; attempt++) {
        char *config = configuration(nginx->folder, sites, count, upstream, master);
        folder_write(nginx->folder, "nginx.conf", config);
        free(config);
        nginx->process = run(nginx->folder, program);
    }
    free(program);
    if (nginx->process) return nginx;
    tell_failure(nginx->folder);
    nginx_stop(nginx);
    return NULL;
}

struct nginx *nginx_start(struct nginx_site *sites, size_t count, unsigned upstream)
{
    return start(sites, count, upstream, 0);
}

struct nginx *nginx_start_with_master(struct nginx_site *sites, size_t count, unsigned upstream)
{
    return start(sites, count, upstream, 1);
}

int nginx_reload(struct nginx *nginx)
{
    char *text = folder_read(nginx->folder, "nginx.pid", NULL);
    long pid = text ? strtol(text, NULL, 10) : 0;
    free(text);
    return pid > 1 ? kill((pid_t)pid, SIGHUP) : -1;
}

void nginx_stop(struct nginx *nginx)
{
    if (!nginx) return;
    process_stop(nginx->process);
    folder_free(nginx->folder);
    free(nginx);
}
