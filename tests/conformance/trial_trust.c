/* trial_trust.c - a small tracker behind a certificate. */
#include "trial_trust.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header json = {"content-type", "application/json"};
    static const char found[] = "{\"key\":\"ROC-7\"}", created[] = "{\"id\":\"1\"}";
    struct tracker *tracker = user;
    int create = strcmp(request->method, "POST") == 0;
    if (tracker->location) {
        tracker->header = (struct http_header){"location", tracker->location};
        *response = (struct http_response){.status = 302, .headers = &tracker->header, .header_count = 1};
        return;
    }
    response->headers = &json;
    response->header_count = 1;
    response->body = create ? created : found;
    response->body_length = create ? sizeof created - 1 : sizeof found - 1;
}

static int version_of(const json_t *version)
{
    const char *name = json_string_value(version);
    if (name && strcmp(name, "TLSv1.2") == 0) return TLS1_2_VERSION;
    if (name && strcmp(name, "TLSv1.3") == 0) return TLS1_3_VERSION;
    if (name && strcmp(name, "TLSv1.1") == 0) return TLS1_1_VERSION;
    return 0;
}

static char *file_of(const struct trial *trial, const char *name, const char *suffix)
{
    char *file = must_format("%s%s", name, suffix);
    char *text = trial->file->certs ? certs_join(trial->file->certs, file, NULL) : NULL;
    if (!text) report_problem(trial->report, "the file %s is not among the recipes", file);
    free(file);
    return text;
}

/* The server's certificate, then what it sends along. */
static char *chain_of(const struct trial *trial, const char *name, const json_t *chain)
{
    char *all = file_of(trial, name, ".crt");
    for (size_t i = 0; all && i < json_array_size(chain); i++) {
        char *next = file_of(trial, json_string_value(json_array_get(chain, i)), ".crt");
        char *joined = next ? must_format("%s%s", all, next) : NULL;
        free(all);
        free(next);
        all = joined;
    }
    return all;
}

struct http_server *tracker_start(const struct trial *trial, struct http_log *log, const char *label,
                                  const json_t *server, struct tracker *tracker)
{
    const char *cert = json_string_value(json_object_get(server, "cert"));
    const char *client = json_string_value(json_object_get(server, "client_ca"));
    struct http_server *started = NULL;
    char *chain = NULL, *key = NULL, *ca = NULL;
    if (json_is_true(json_object_get(server, "plain")) || !cert) {
        started = http_server_start(log, label, NULL, answer, tracker);
    } else {
        chain = chain_of(trial, cert, json_object_get(server, "chain"));
        key = file_of(trial, cert, ".key");
        ca = client ? file_of(trial, client, ".crt") : NULL;
        struct http_tls tls = {.certificate = chain,
                               .key = key,
                               .client_ca = ca,
                               .min_version = version_of(json_object_get(server, "min")),
                               .max_version = version_of(json_object_get(server, "max"))};
        if (chain && key && (ca || !client)) started = http_server_start(log, label, &tls, answer, tracker);
    }
    if (!started) report_problem(trial->report, "the server %s did not start", label);
    free(chain);
    free(key);
    free(ca);
    return started;
}
