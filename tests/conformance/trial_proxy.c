/* trial_proxy.c - vectors of proxy.json: a target and the proxy in front of it. */
#include "http_proxy.h"
#include "memory.h"
#include "trial_trust.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 5

struct path {
    struct http_log *log;
    struct tracker tracker;
    struct http_server *target;
    struct http_proxy *proxy;
    char *texts[PLACES];
    struct place places[PLACES];
};

/* "srv_ok" or "srv_ok:mtls"; without certificate the target is plain. */
static json_t *server_of(const char *target_cert)
{
    if (!target_cert) return json_pack("{s:b}", "plain", 1);
    size_t length = strcspn(target_cert, ":");
    json_t *server = json_pack("{s:o}", "cert", json_stringn(target_cert, length));
    if (strcmp(target_cert + length, ":mtls") == 0)
        json_object_set_new(server, "client_ca", json_string("ca1"));
    return server;
}

static enum http_proxy_mode mode_of(const char *proxy)
{
    if (!proxy) return HTTP_PROXY_PASS;
    return strcmp(proxy, "refuse") == 0 ? HTTP_PROXY_REFUSE : HTTP_PROXY_AUTH;
}

static int open_path(const struct trial *trial, struct path *path)
{
    static const char *const names[PLACES] = {"BASE", "TPORT", "PROXY", "PROXY_LOCALHOST", "PROXY_CRED"};
    const char *cert = json_string_value(json_object_get(trial->vector, "target_cert"));
    json_t *server = server_of(cert);
    path->target = tracker_start(trial, path->log, "target", server, &path->tracker);
    json_decref(server);
    const char *mode = json_string_value(json_object_get(trial->vector, "proxy"));
    path->proxy = http_proxy_start(path->log, "proxy", NULL, mode_of(mode));
    if (!path->target || !path->proxy) return -1;
    unsigned port = http_server_port(path->target), proxy = http_proxy_port(path->proxy);
    path->texts[0] =
        cert ? must_format("https://localhost:%u", port) : must_format("http://127.0.0.1:%u", port);
    path->texts[1] = must_format("%u", port);
    path->texts[2] = must_format("http://127.0.0.1:%u", proxy);
    path->texts[3] = must_format("http://localhost:%u", proxy);
    path->texts[4] = must_format("http://pu:p%%40ss@127.0.0.1:%u", proxy);
    for (size_t i = 0; i < PLACES; i++) path->places[i] = (struct place){names[i], path->texts[i]};
    return 0;
}

static void close_path(const struct trial *trial, void *user)
{
    struct path *path = user;
    http_proxy_stop(path->proxy, TRIAL_GRACE_MS);
    trial_stop(trial, path->target);
    path->proxy = NULL;
    path->target = NULL;
}

static void check_place(const struct trial *trial, const char *what, const json_t *expected,
                        const struct http_request *actual)
{
    const char *method = json_string_value(json_object_get(expected, "method"));
    const char *target = json_string_value(json_object_get(expected, "target"));
    if (!target) target = json_string_value(json_object_get(expected, "path"));
    if (!method || strcmp(method, actual->method) != 0)
        report_texts(trial->report, what, method, actual->method);
    if (!target || strcmp(target, actual->target) != 0)
        report_texts(trial->report, what, target, actual->target);
}

/*
 * What a proxy that passes a request on in absolute form hands to the target is its own affair: there only
 * the headers that the vector lists are looked at.
 */
static void check_one(const struct trial *trial, const json_t *vector, const char *what,
                      const json_t *expected, const struct http_request *actual, int handed_on)
{
    const char *at = json_string_value(json_object_get(expected, "at"));
    struct forbidden forbidden = {.config = json_object_get(vector, "config"),
                                  .secrets = json_object_get(vector, "secrets"),
                                  .settings = json_object_get(vector, "settings"),
                                  .proxy_headers = strcmp(actual->server, "target") == 0};
    if (!at || strcmp(at, actual->server) != 0) {
        report_texts(trial->report, what, at, actual->server);
        return;
    }
    check_place(trial, what, expected, actual);
    json_t *listed = json_pack("{s:O}", "headers", json_object_get(expected, "headers"));
    check_headers(trial->report, what, handed_on ? listed : expected, actual, handed_on ? NULL : &forbidden);
    if (!handed_on && strcmp(actual->method, "CONNECT") != 0)
        check_common(trial->report, what, &forbidden, actual);
    json_decref(listed);
}

static void check_seen(const struct trial *trial, void *user, const json_t *vector,
                       const struct outcome *outcome)
{
    struct http_log *log = ((struct path *)user)->log;
    const json_t *seen = json_object_get(vector, "seen");
    size_t count = http_log_count(log), expected = json_array_size(seen);
    int handed_on = 0;
    (void)outcome;
    if (count != expected)
        report_problem(trial->report, "requests: expected %zu, actual %zu", expected, count);
    for (size_t i = 0; i < count && i < expected; i++) {
        const struct http_request *actual = http_log_at(log, i);
        char *what = must_format("request %zu at the %s", i, actual->server);
        check_one(trial, vector, what, json_array_get(seen, i), actual, handed_on);
        handed_on = strcmp(actual->server, "proxy") == 0 && strcmp(actual->method, "CONNECT") != 0;
        free(what);
    }
}

void trial_proxy(struct trial *trial)
{
    struct path path;
    memset(&path, 0, sizeof path);
    path.log = http_log_new();
    struct trial_scene scene = {.user = &path,
                                .places = path.places,
                                .place_count = PLACES,
                                .log = path.log,
                                .close = close_path,
                                .check = check_seen};
    if (open_path(trial, &path) == 0) trial_play(trial, &scene);
    close_path(trial, &path);
    for (size_t i = 0; i < PLACES; i++) free(path.texts[i]);
    http_log_free(path.log);
}
