/* check_request.c - one recorded request against one expected request. */
#include "check.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int has_name(const json_t *headers, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)headers, key, value) {
        if (strcasecmp(key, name) == 0) return 1;
    }
    return 0;
}

static int is_configured(const struct forbidden *forbidden, const char *name)
{
    return has_name(json_object_get(forbidden->config, "headers"), name) ||
           has_name(json_object_get(forbidden->secrets, "secretHeaders"), name);
}

static int is_for_proxy(const struct forbidden *forbidden, const char *name)
{
    return strcasecmp(name, "proxy-authorization") == 0 ||
           has_name(json_object_get(forbidden->settings, "proxyHeaders"), name) ||
           has_name(json_object_get(forbidden->config, "proxyHeaders"), name);
}

/* Accept and User-Agent are always there, so there only the configured value is forbidden. */
static int is_own_value(const struct http_header *header)
{
    char *agent = must_format("libcasehook/%s", casehook_version_string());
    int own = (strcasecmp(header->name, "accept") == 0 && strcmp(header->value, "application/json") == 0) ||
              (strcasecmp(header->name, "user-agent") == 0 && strcmp(header->value, agent) == 0);
    free(agent);
    return own;
}

static int is_forbidden(const struct forbidden *forbidden, const struct http_header *header)
{
    static const char *const always[] = {"authorization", "cookie", "content-type"};
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        if (strcasecmp(always[i], header->name) == 0) return 1;
    }
    if (forbidden->proxy_headers && is_for_proxy(forbidden, header->name)) return 1;
    return is_configured(forbidden, header->name) && !is_own_value(header);
}

static const char *trim(const char *text, size_t *length)
{
    while (*text == ' ' || *text == '\t') text++;
    for (*length = strlen(text); *length && strchr(" \t", text[*length - 1]);) --*length;
    return text;
}

static void check_listed(struct report *report, const char *what, const char *name, const char *value,
                         const struct http_request *actual)
{
    size_t length, count = http_request_header_count(actual, name);
    const char *expected = trim(value, &length), *got = http_request_header(actual, name, 0);
    char *title = must_format("%s: header %s", what, name);
    if (!got || strlen(got) != length || memcmp(got, expected, length) != 0)
        report_bytes(report, title, expected, length, got, got ? strlen(got) : 0);
    else if (count > 1)
        report_problem(report, "%s is there %zu times", title, count);
    free(title);
}

void check_headers(struct report *report, const char *what, const json_t *expected,
                   const struct http_request *actual, const struct forbidden *forbidden)
{
    const char *name;
    json_t *value, *listed = json_object_get(expected, "headers");
    json_object_foreach(listed, name, value)
        check_listed(report, what, name, json_string_value(value), actual);
    size_t i;
    json_array_foreach(json_object_get(expected, "absent_headers"), i, value) {
        const char *got = http_request_header(actual, json_string_value(value), 0);
        if (got)
            report_problem(report, "%s: header %s must not be there: %s", what, json_string_value(value),
                           got);
    }
    for (i = 0; forbidden && i < actual->header_count; i++) {
        const struct http_header *header = &actual->headers[i];
        if (is_forbidden(forbidden, header) && !has_name(listed, header->name))
            report_problem(report, "%s: header %s is not expected: %s", what, header->name, header->value);
    }
}

static void check_default(struct report *report, const char *what, const struct forbidden *forbidden,
                          const struct http_request *actual, const char *name, const char *value)
{
    const char *got = http_request_header(actual, name, 0);
    if (http_request_header_count(actual, name) != 1)
        report_problem(report, "%s: there must be one header %s", what, name);
    else if (!is_configured(forbidden, name) && strcmp(got, value) != 0)
        report_problem(report, "%s: header %s is %s", what, name, got);
}

void check_common(struct report *report, const char *what, const struct forbidden *forbidden,
                  const struct http_request *actual)
{
    char *agent = must_format("libcasehook/%s", casehook_version_string());
    check_default(report, what, forbidden, actual, "Accept", "application/json");
    check_default(report, what, forbidden, actual, "User-Agent", agent);
    if (http_request_header(actual, "Expect", 0)) report_problem(report, "%s: header Expect is there", what);
    if (http_request_header_count(actual, "Host") != 1)
        report_problem(report, "%s: not one header Host", what);
    if (actual->incomplete) report_problem(report, "%s: the request is not complete", what);
    free(agent);
}

void check_request(struct report *report, const char *what, const json_t *expected,
                   const struct http_request *actual)
{
    const char *method = json_string_value(json_object_get(expected, "method"));
    const json_t *path = json_object_get(expected, "path"), *body = json_object_get(expected, "body");
    char *title = must_format("%s: method", what);
    if (strcmp(actual->method, method ? method : "") != 0)
        report_texts(report, title, method, actual->method);
    free(title);
    title = must_format("%s: path", what);
    if (strcmp(actual->target, json_string_value(path)) != 0)
        report_texts(report, title, json_string_value(path), actual->target);
    free(title);
    title = must_format("%s: body", what);
    const char *text = json_is_string(body) ? json_string_value(body) : "";
    size_t length = json_string_length(body);
    if (actual->body_length != length || memcmp(actual->body, text, length) != 0)
        report_bytes(report, title, text, length, actual->body, actual->body_length);
    free(title);
}
