/* casehook_attempts.c - one setting in place of that of a file, in whatever form that is written. */
#include "casehook_attempts.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

/* Names may be dotted, nested, or both. */
static void drop(json_t *settings, const char *name)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(settings, next, key, value)
    {
        size_t length = strlen(key);
        if (!strcmp(key, name))
            json_object_del(settings, key);
        else if (!strncmp(key, name, length) && name[length] == '.' && json_is_object(value))
            drop(value, name + length + 1);
    }
}

int attempts_put(const struct document *settings, uint32_t attempts, struct document *joined)
{
    json_t *all =
        settings->text ? json_loadb(settings->text, settings->length, JSON_ALLOW_NUL, NULL) : json_object();
    int failed = -1;
    drop(all, "run.maxAttempts");
    drop(all, "xpack.actions.run.maxAttempts");
    if (json_object_set_new(all, "run.maxAttempts", json_integer(attempts))) goto out;
    joined->length = json_dumpb(all, NULL, 0, JSON_COMPACT);
    joined->text = malloc(joined->length);
    failed = !joined->text || json_dumpb(all, joined->text, joined->length, JSON_COMPACT) != joined->length
                 ? -1
                 : 0;
out:
    json_decref(all);
    return failed;
}
