/* redmine.c - a Redmine as its own API shows it, and connectors to it. */
#include "redmine.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *base, *file_name;

void redmine_use(const char *base_url, const char *connector_file)
{
    base = base_url;
    file_name = connector_file;
}

const char *redmine_base(void)
{
    return base;
}

/* ---- its own API --------------------------------------------------------------------------------- */

struct page {
    char *data;
    size_t length;
};

static size_t receive(char *data, size_t size, size_t count, void *user)
{
    struct page *page = user;
    char *grown = realloc(page->data, page->length + size * count);
    if (!grown) return 0;
    page->data = grown;
    memcpy(page->data + page->length, data, size * count);
    page->length += size * count;
    return size * count;
}

json_t *redmine_read(const char *path)
{
    char url[512];
    struct page page = {NULL, 0};
    long status = 0;
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "%s%s", base, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_USERNAME, "casehook");
    curl_easy_setopt(curl, CURLOPT_PASSWORD, "case:hook-2026");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &page);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    json_t *root = code == CURLE_OK && status == 200 ? json_loadb(page.data, page.length, 0, NULL) : NULL;
    if (!root) fprintf(stderr, "%s: %s, status %ld\n", url, curl_easy_strerror(code), status);
    free(page.data);
    return root;
}

/* ---- connectors ---------------------------------------------------------------------------------- */

/* One that stands in the text at from becomes another; how long the first one is, 0: it does not stand there.
 */
struct replacement {
    const char *word, *by;
};

static size_t put_replaced(char *out, size_t size, const char *from, const struct replacement *list,
                           size_t count)
{
    size_t length = 0;
    while (*from && length + 1 < size) {
        size_t i = 0;
        while (i < count && (!list[i].by || strncmp(from, list[i].word, strlen(list[i].word)) != 0)) i++;
        if (i < count) {
            length += (size_t)snprintf(out + length, size - length, "%s", list[i].by);
            from += strlen(list[i].word);
        } else {
            out[length++] = *from++;
        }
    }
    return length;
}

static int use_settings(const char *json, struct casehook_settings **settings, struct casehook_error **error)
{
    int status = casehook_settings_new(NULL, settings);
    return status ? status : casehook_settings_load_json(*settings, json, strlen(json), error);
}

struct casehook_connector *redmine_connector(const char *password, int always)
{
    static char text[16 * 1024], document[32 * 1024];
    const struct replacement list[] = {
        {"http://REDMINE", base},
        {"case:hook-2026", password},
        {"\"findIncidentUrl\"", always ? "\"findIncident\": \"always\", \"findIncidentUrl\"" : NULL}};
    /* Of two updates of one issue at a moment, Redmine may refuse the second with 409, 422 or 500. */
    static const char attempts[] =
        "{\"run\": {\"maxAttempts\": 8},"
        " \"retry\": {\"baseDelay\": \"50ms\", \"statuses\": [409, 422, 429, 500, 502, 503, 504]}}";
    struct casehook_connector *connector = NULL;
    struct casehook_settings *settings = NULL;
    struct casehook_error *error = NULL;
    FILE *file = fopen(file_name, "rb");
    if (!file) return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    size_t length = put_replaced(document, sizeof document, text, list, sizeof list / sizeof *list);
    if ((always && use_settings(attempts, &settings, &error)) ||
        casehook_connector_new(settings, document, length, &connector, &error))
        fprintf(stderr, "%s: %s\n", casehook_error_field(error), casehook_error_message(error));
    casehook_settings_free(settings);
    casehook_error_free(error);
    return connector;
}
