/* torture.c - memory that fails when told, and a tracker. */
#include "torture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long armed, blocks; /* armed counts down to the failure while > 0 */
static bool failed;

static void *reallocate(void *user, void *pointer, size_t size)
{
    void *block = NULL;
    (void)user;
    pthread_mutex_lock(&lock);
    if (size == 0) {
        free(pointer);
        blocks--;
    } else if (armed > 0 && --armed == 0) {
        failed = true;
    } else {
        block = realloc(pointer, size);
        blocks += pointer == NULL;
    }
    pthread_mutex_unlock(&lock);
    return block;
}

const struct casehook_allocator torture_allocator = {sizeof torture_allocator, NULL, reallocate, NULL};

void memory_arm(long point)
{
    failed = false;
    armed = point;
}

bool memory_disarm(void)
{
    armed = 0;
    return failed;
}

long memory_blocks(void)
{
    return blocks;
}

struct http_log *torture_http;
static struct http_server *server;
char torture_base[64];
int torture_refuse_get, torture_create_status, torture_created;
int torture_token_status = 200, torture_unauthorized;

/* 503 and 504 are of one create only. */
static int create_case(void)
{
    int status = torture_create_status ? torture_create_status : 200;
    torture_create_status = 0;
    if (status != 503) torture_created++;
    return status;
}

/* Creates cases, and refuses to show them when told. */
static void answer(void *user, const struct http_request *request, struct http_response *response)
{
    static const struct http_header headers[] = {{"Content-Type", "application/json"}, {"X-Id", "42"}};
    static const char created[] = "{\"id\":\"42\",\"n\":{\"x\":[1,\"\\u00e9\"]}}",
                      read[] = "{\"key\":\"CASE-42\",\"state\":\"open\"}";
    (void)user;
    response->headers = headers;
    response->header_count = 2;
    if (strcmp(request->target, "/token") == 0) {
        response->status = torture_token_status;
        response->body = torture_token_status == 200
                             ? "{\"access_token\":\"a.token\",\"token_type\":\"Bearer\",\"expires_in\":3600}"
                             : "{\"error\":\"invalid_client\",\"error_description\":\"who?\"}";
        response->body_length = strlen(response->body);
        return;
    }
    if (torture_unauthorized > 0) {
        torture_unauthorized--;
        response->status = 401;
        return;
    }
    response->status = strcmp(request->method, "GET") == 0 && torture_refuse_get ? 500 : 200;
    if (strcmp(request->method, "POST") == 0 && strcmp(request->target, "/issue") == 0)
        response->status = create_case();
    if (strncmp(request->target, "/find", 5) == 0) /* by then there is one, or always was */
        response->body = created;
    else
        response->body = strcmp(request->method, "POST") == 0 ? created : read;
    response->body_length = strlen(response->body);
}

void torture_start(void)
{
    torture_http = http_log_new();
    server = http_server_start(torture_http, "tracker", NULL, answer, NULL);
    if (!server) abort();
    snprintf(torture_base, sizeof torture_base, "http://127.0.0.1:%u", http_server_port(server));
}

void torture_stop(void)
{
    http_server_stop(server, 5000);
    http_log_free(torture_http);
}
