/* tracker_keys.c - keys of requests that were done, bounded: the oldest make room for new ones. */
#include "tracker_keys.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool keys_is_key(const char *key)
{
    size_t length = 0;
    for (; key[length]; length++)
        if (key[length] < 0x20 || key[length] > 0x7e || length == KEYS_MAX_LENGTH) return false;
    return length > 0;
}

/* FNV-1a: enough to tell mistakes from repetitions, and this tracker has no enemies. */
static uint64_t add_hash(uint64_t hash, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* What tells one request from another. */
static void print_request(char *text, size_t size, const char *path, const char *body, size_t length)
{
    uint64_t hash = add_hash(UINT64_C(0xcbf29ce484222325), path, strlen(path) + 1);
    snprintf(text, size, "%016" PRIx64 " %zu", add_hash(hash, body, length), length);
}

enum keys_status keys_look(const struct keys *keys, const char *key, const char *path, const char *body,
                           size_t length, const char **answer, const char **location)
{
    char request[64];
    json_t *known = json_object_get(keys->answers, key);
    *answer = *location = NULL;
    if (!known) return KEYS_NEW;
    print_request(request, sizeof request, path, body, length);
    if (strcmp(request, json_string_value(json_array_get(known, 0))) != 0) return KEYS_OTHER;
    *answer = json_string_value(json_array_get(known, 1));
    *location = json_string_value(json_array_get(known, 2));
    return KEYS_SAME;
}

static void forget_oldest(struct keys *keys)
{
    void *oldest = json_object_iter(keys->answers);
    keys->bytes -= json_string_length(json_array_get(json_object_iter_value(oldest), 1));
    json_object_del(keys->answers, json_object_iter_key(oldest));
}

int keys_keep(struct keys *keys, const char *key, const char *path, const char *body, size_t length,
              const char *answer, const char *location)
{
    char request[64];
    size_t size = strlen(answer);
    print_request(request, sizeof request, path, body, length);
    if (!keys->answers) keys->answers = json_object();
    while (json_object_size(keys->answers) > 0 &&
           (json_object_size(keys->answers) == KEYS_MAX || keys->bytes + size > KEYS_MAX_BYTES))
        forget_oldest(keys);
    if (json_object_set_new(keys->answers, key, json_pack("[sss]", request, answer, location))) return -1;
    keys->bytes += size;
    return 0;
}

void keys_free(struct keys *keys)
{
    json_decref(keys->answers);
    keys->answers = NULL;
    keys->bytes = 0;
}
