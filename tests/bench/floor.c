/* floor.c - what the two floors share. */
#include "floor.h"

#include <casehook.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct curl_slist *write_headers, *read_headers;
static char *body;
static size_t body_length;
static char base[512];

/* The headers of the library, so that the bytes on the wire are the same. */
static struct curl_slist *headers(const char *last)
{
    struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
    list = curl_slist_append(list, "User-Agent: libcasehook/" CASEHOOK_VERSION_STRING);
    list = curl_slist_append(list, "Authorization: Basic dXNlcjpwYXNzd29yZA==");
    list = curl_slist_append(list, last);
    if (!list) exit(2);
    return list;
}

void floor_begin(struct bench *bench, int argc, char **argv)
{
    bench_begin(bench, argc, argv);
    snprintf(base, sizeof base, "%s/rest/api/2/issue", bench->url);
    body = bench_read("body_1k.json", &body_length);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) exit(2);
    read_headers = headers("Accept-Encoding: gzip");
    write_headers = headers("Content-Type: application/json");
}

void floor_end(void)
{
    curl_slist_free_all(read_headers);
    curl_slist_free_all(write_headers);
    free(body);
    curl_global_cleanup();
}

static size_t keep(char *data, size_t size, size_t count, void *user)
{
    struct floor_push *push = user;
    size *= count;
    if (push->length + size >= push->capacity) {
        push->capacity = (push->length + size + 1) * 2;
        push->answer = realloc(push->answer, push->capacity);
        if (!push->answer) exit(2);
    }
    memcpy(push->answer + push->length, data, size);
    push->length += size;
    push->answer[push->length] = '\0';
    return size;
}

void floor_push_init(struct floor_push *push)
{
    const char *ca = getenv("BENCH_CA");
    memset(push, 0, sizeof *push);
    push->easy = curl_easy_init();
    if (!push->easy) exit(2);
    curl_easy_setopt(push->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(push->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(push->easy, CURLOPT_TIMEOUT_MS, 60000L);
    curl_easy_setopt(push->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(push->easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(push->easy, CURLOPT_WRITEDATA, push);
    curl_easy_setopt(push->easy, CURLOPT_PRIVATE, push);
    curl_easy_setopt(push->easy, CURLOPT_CAPATH, NULL);
    if (ca) curl_easy_setopt(push->easy, CURLOPT_CAINFO, ca);
}

void floor_push_free(struct floor_push *push)
{
    curl_easy_cleanup(push->easy);
    free(push->answer);
}

void floor_set_post(struct floor_push *push)
{
    push->length = 0;
    push->reading = 0;
    push->began = bench_now();
    curl_easy_setopt(push->easy, CURLOPT_URL, base);
    curl_easy_setopt(push->easy, CURLOPT_HTTPHEADER, write_headers);
    curl_easy_setopt(push->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(push->easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(push->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_length);
}

void floor_set_get(struct floor_push *push)
{
    char url[sizeof base + sizeof push->id];
    push->length = 0;
    push->reading = 1;
    snprintf(url, sizeof url, "%s/%s", base, push->id);
    curl_easy_setopt(push->easy, CURLOPT_URL, url);
    curl_easy_setopt(push->easy, CURLOPT_HTTPHEADER, read_headers);
    curl_easy_setopt(push->easy, CURLOPT_HTTPGET, 1L);
}

int floor_check(struct floor_push *push, CURLcode code)
{
    long status = 0;
    if (code != CURLE_OK) {
        fprintf(stderr, "%s\n", curl_easy_strerror(code));
        return 0;
    }
    curl_easy_getinfo(push->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!push->length) return 0;
    if (push->reading) return status == 200 && strstr(push->answer, "\"summary\":\"");
    const char *id = strstr(push->answer, "\"id\":\"");
    size_t length = id ? strcspn(id + 6, "\"") : 0;
    if (status != 201 || length == 0 || length >= sizeof push->id) return 0;
    memcpy(push->id, id + 6, length);
    push->id[length] = '\0';
    return 1;
}
