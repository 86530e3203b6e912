/*
 * casehook.c - a plugin of collectd: notifications become cases.
 *
 *   LoadPlugin casehook
 *   <Plugin casehook>
 *     Outbox "/var/lib/casehook-shared/outbox.db"
 *     To "tracker"
 *   </Plugin>
 *
 * A notification is put into an outbox, which takes as long as the disk; casehookd, or "casehook outbox run",
 * delivers it.  What was measured, such as web-01/df-root/percent_bytes-free, is a case: WARNING and FAILURE
 * open it, or change it with a comment; OKAY closes it.
 */
#include "collectd.h"

#include "plugin.h"

#include <casehook_outbox.h>
#include <jansson.h>

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_SIZE (6 * DATA_MAX_NAME_LEN)
#define ID_SIZE   (3 * NAME_SIZE)

static char *location, *to;
static struct casehook_outbox *outbox;
/* One notification at a time: what is put depends on what was put before. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int config_text(const oconfig_item_t *item, char **text)
{
    if (item->values_num != 1 || item->values[0].type != OCONFIG_TYPE_STRING) {
        ERROR("casehook plugin: %s takes one text", item->key);
        return -1;
    }
    free(*text);
    *text = strdup(item->values[0].value.string);
    return *text ? 0 : -1;
}

static int configure(oconfig_item_t *item)
{
    for (int i = 0; i < item->children_num; i++) {
        const oconfig_item_t *child = &item->children[i];
        char **text = !strcasecmp(child->key, "Outbox") ? &location
                      : !strcasecmp(child->key, "To")   ? &to
                                                        : NULL;
        if (!text) {
            ERROR("casehook plugin: there is no option %s; Outbox and To are known", child->key);
            return -1;
        }
        if (config_text(child, text)) return -1;
    }
    return 0;
}

/* Other plugins notify before our turn to begin has come. */
static int open_once(void)
{
    struct casehook_outbox_options options = {
        .struct_size = sizeof options, .location = location, .database_timeout_ms = 1000};
    struct casehook_outbox_error *error = NULL;
    if (outbox) return 0;
    if (!location || !to) {
        ERROR("casehook plugin: Outbox and To are wanted");
        return -1;
    }
    int status = casehook_outbox_open(&options, &outbox, &error);
    if (status) ERROR("casehook plugin: %s: %s", location, casehook_outbox_error_message(error));
    casehook_outbox_error_free(error);
    return status ? -1 : 0;
}

static int begin(void)
{
    pthread_mutex_lock(&lock);
    int status = open_once();
    pthread_mutex_unlock(&lock);
    return status;
}

static int end(void)
{
    pthread_mutex_lock(&lock);
    casehook_outbox_close(outbox);
    outbox = NULL;
    free(location);
    free(to);
    location = to = NULL;
    pthread_mutex_unlock(&lock);
    return 0;
}

/* Bytes of the character of UTF-8 that begins there, 0: it is none. */
static size_t character_length(const unsigned char *at)
{
    size_t length = *at < 0x80                  ? 1
                    : *at >= 0xc2 && *at < 0xe0 ? 2
                    : *at >= 0xe0 && *at < 0xf0 ? 3
                    : *at >= 0xf0 && *at < 0xf5 ? 4
                                                : 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f)) return 0;
    return (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f) ? 0 : length;
}

/* collectd cuts long messages in the middle of a character, and takes any bytes: JSON wants UTF-8. */
static void make_utf8(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at;) {
        size_t length = character_length(at);
        if (length == 0) *at = '?';
        at += length ? length : 1;
    }
}

/* What tells it from another one of the same moment: times may be whole seconds. */
static uint64_t digest_of(const char *id, const char *message)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    const char *const texts[] = {id, message};
    for (size_t i = 0; i < 2; i++)
        for (const char *at = texts[i];; at++) {
            digest = (digest ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
            if (!*at) break;
        }
    return digest;
}

/* "host/plugin-instance/type-instance" */
static void make_name(const notification_t *n, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s/%s%s%s/%s%s%s", n->host, n->plugin, *n->plugin_instance ? "-" : "",
             n->plugin_instance, n->type, *n->type_instance ? "-" : "", n->type_instance);
}

/* What would look like a byte that was written so. */
static bool is_escape(const char *text)
{
    return text[0] == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
}

/*
 * Bytes that are not UTF-8 become %XX: by a question mark two hosts would become one case, as they would if a
 * name that says %XX itself stayed as it is.
 */
static void make_id(const char *name, char id[ID_SIZE])
{
    while (*name) {
        size_t length = is_escape(name) ? 0 : character_length((const unsigned char *)name);
        if (length)
            memcpy(id, name, length);
        else
            snprintf(id, 4, "%%%02X", (unsigned char)*name);
        id += length ? length : 3;
        name += length ? length : 1;
    }
    *id = '\0';
}

struct last {
    unsigned long long entry;
    char kind; /* 'r' it was resolved, 'f' it was not, 0 nothing was put */
    char key[128];
};

/* What was put last for a case.  False: the outbox cannot be read. */
static bool last_of(const char *id, struct last *last)
{
    struct casehook_outbox_query query = {
        .struct_size = sizeof query, .connector = to, .case_id = id, .limit = 1};
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    struct casehook_outbox_list *list = NULL;
    struct casehook_outbox_error *error = NULL;
    int status = casehook_outbox_find(outbox, &query, &list, &error);
    *last = (struct last){.kind = 0};
    if (status)
        ERROR("casehook plugin: a notification about %s is lost: %s", id,
              casehook_outbox_error_message(error));
    else if (casehook_outbox_list_count(list) && !casehook_outbox_list_entry(list, 0, &entry)) {
        last->kind = entry.key && *entry.key == 'r' ? 'r' : 'f';
        last->entry = entry.id;
        snprintf(last->key, sizeof last->key, "%s", entry.key ? entry.key : "");
    }
    casehook_outbox_list_free(list);
    casehook_outbox_error_free(error);
    return !status;
}

/* name: what the case is called, for people. */
static json_t *params_of(const notification_t *n, const char *id, const char *name, const char *status,
                         const char *key, bool says)
{
    const char *severity = n->severity == NOTIF_FAILURE   ? CASEHOOK_SEVERITY_CRITICAL
                           : n->severity == NOTIF_WARNING ? CASEHOOK_SEVERITY_MEDIUM
                                                          : CASEHOOK_SEVERITY_LOW;
    char title[NAME_SIZE + 64];
    snprintf(title, sizeof title, "%s: %s", name,
             n->severity == NOTIF_FAILURE   ? "failure"
             : n->severity == NOTIF_WARNING ? "warning"
                                            : "okay");
    json_t *root = json_pack("{s{ss,ss,ss,ss,s{ss}}}", "incident", "id", id, "title", title, "description",
                             n->message, "severity", severity, "fields", "host", n->host);
    json_t *incident = json_object_get(root, "incident");
    if (status) json_object_set_new(incident, "status", json_string(status));
    if (says)
        json_object_set_new(root, "comments",
                            json_pack("[{ss,ss}]", "commentId", key, "comment", n->message));
    return root;
}

static int put_as(const char *key, json_t *params, const char *id, int *stored)
{
    char *text = params ? json_dumps(params, JSON_COMPACT) : NULL;
    struct casehook_outbox_error *error = NULL;
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = to,
                                        .params = text,
                                        .params_length = CASEHOOK_TERMINATED,
                                        .operation = CASEHOOK_PUSH,
                                        .key = key};
    int failed = !text || casehook_outbox_put(outbox, &item, NULL, stored, &error);
    if (failed)
        ERROR("casehook plugin: a notification about %s is lost: %s", id,
              text ? casehook_outbox_error_message(error) : "memory ran out");
    casehook_outbox_error_free(error);
    json_decref(params);
    free(text);
    return failed ? -1 : 0;
}

static int put(notification_t *n)
{
    bool okay = n->severity == NOTIF_OKAY;
    char name[NAME_SIZE], id[ID_SIZE], key[96], again[128];
    struct last last;
    int stored = 0;
    make_name(n, name);
    make_id(name, id);
    if (!last_of(id, &last)) return -1;
    if (okay && last.kind != 'f') return 0; /* there is nothing to close */
    snprintf(key, sizeof key, "%c-%llu-%d-%016llx", okay ? 'r' : 'f', (unsigned long long)n->time,
             n->severity, (unsigned long long)digest_of(id, n->message));
    make_utf8(name);
    make_utf8(n->host);
    make_utf8(n->message);
    const char *status = okay ? CASEHOOK_STATUS_CLOSED : last.kind != 'f' ? CASEHOOK_STATUS_OPEN : NULL;
    if (put_as(key, params_of(n, id, name, status, key, last.kind != 0), id, &stored)) return -1;
    /* Said twice, it is one thing; said again after something else, as a failure after an okay, it is news.
     */
    if (stored != CASEHOOK_OUTBOX_KNOWN || !strncmp(last.key, key, strlen(key))) return 0;
    snprintf(again, sizeof again, "%s-%llu", key, last.entry);
    return put_as(again, params_of(n, id, name, status, again, last.kind != 0), id, &stored);
}

static int notify(const notification_t *n, user_data_t *user)
{
    (void)user;
    pthread_mutex_lock(&lock);
    notification_t copy = *n;
    int status = open_once() ? -1 : put(&copy);
    pthread_mutex_unlock(&lock);
    return status;
}

void module_register(void);
void module_register(void)
{
    plugin_register_complex_config("casehook", configure);
    plugin_register_init("casehook", begin);
    plugin_register_shutdown("casehook", end);
    plugin_register_notification("casehook", notify, NULL);
}
