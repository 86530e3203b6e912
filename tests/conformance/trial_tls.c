/* trial_tls.c - vectors of tls.json: one server, or two with a redirect between them. */
#include "memory.h"
#include "trial_trust.h"

#include <stdlib.h>
#include <string.h>

struct servers {
    struct http_log *log;
    struct tracker trackers[2];
    struct http_server *first, *second;
    char *base, *location, *ports[2];
    struct place places[3];
};

static const char *host_of(const json_t *server)
{
    const char *host = json_string_value(json_object_get(server, "host"));
    return host ? host : "localhost";
}

/* The second one runs before the first, which has to know where it is. */
static int open_servers(const struct trial *trial, struct servers *servers)
{
    const json_t *server = json_object_get(trial->vector, "server");
    const json_t *target = json_object_get(server, "redirect_to");
    if (target) {
        servers->second = tracker_start(trial, servers->log, "second", target, &servers->trackers[1]);
        if (!servers->second) return -1;
        int plain = json_is_true(json_object_get(target, "plain"));
        servers->location = must_format("%s://%s:%u/rest/api/2/issue/1", plain ? "http" : "https",
                                        host_of(target), http_server_port(servers->second));
        servers->trackers[0].location = servers->location;
    }
    servers->first = tracker_start(trial, servers->log, "first", server, &servers->trackers[0]);
    if (!servers->first) return -1;
    unsigned port = http_server_port(servers->first);
    servers->base = must_format("https://%s:%u", host_of(server), port);
    servers->ports[0] = must_format("%u", port);
    servers->ports[1] = must_format("%u", servers->second ? http_server_port(servers->second) : 1);
    servers->places[0] = (struct place){"BASE", servers->base};
    servers->places[1] = (struct place){"PORT", servers->ports[0]};
    servers->places[2] = (struct place){"PORT2", servers->ports[1]};
    return 0;
}

static void close_servers(const struct trial *trial, void *user)
{
    struct servers *servers = user;
    trial_stop(trial, servers->first);
    trial_stop(trial, servers->second);
    servers->first = servers->second = NULL;
}

static void free_servers(struct servers *servers)
{
    free(servers->base);
    free(servers->location);
    free(servers->ports[0]);
    free(servers->ports[1]);
}

static int has_seen(struct http_log *log, const char *label)
{
    for (size_t i = 0; i < http_log_count(log); i++) {
        const struct http_request *request = http_log_at(log, i);
        if (strcmp(request->server, label) == 0 && !request->garbage) return 1;
    }
    return 0;
}

static int lists(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), name) == 0) return 1;
    }
    return 0;
}

static void check_seen(const struct trial *trial, void *user, const json_t *vector,
                       const struct outcome *outcome)
{
    static const char *const labels[] = {"first", "second"};
    struct http_log *log = ((struct servers *)user)->log;
    const json_t *seen = json_object_get(json_object_get(vector, "result"), "requests_seen");
    int want = json_is_true(json_object_get(json_object_get(vector, "server"), "want_authorization"));
    struct forbidden forbidden = {.config = json_object_get(vector, "config"),
                                  .secrets = json_object_get(vector, "secrets")};
    (void)outcome;
    for (size_t i = 0; i < 2; i++) {
        if (has_seen(log, labels[i]) == lists(seen, labels[i])) continue;
        report_texts(trial->report, "requests_seen", lists(seen, labels[i]) ? labels[i] : NULL,
                     has_seen(log, labels[i]) ? labels[i] : NULL);
    }
    for (size_t i = 0; i < http_log_count(log); i++) {
        const struct http_request *request = http_log_at(log, i);
        if (request->garbage) continue; /* a handshake at a plain server */
        check_common(trial->report, request->server, &forbidden, request);
        if (want && i == 0 && !http_request_header(request, "authorization", 0))
            report_problem(trial->report, "no authorization header arrived");
    }
}

void trial_tls(struct trial *trial)
{
    struct servers servers;
    memset(&servers, 0, sizeof servers);
    servers.log = http_log_new();
    struct trial_scene scene = {.user = &servers,
                                .places = servers.places,
                                .place_count = 3,
                                .log = servers.log,
                                .close = close_servers,
                                .check = check_seen};
    if (open_servers(trial, &servers) == 0) trial_play(trial, &scene);
    close_servers(trial, &servers);
    free_servers(&servers);
    http_log_free(servers.log);
}
