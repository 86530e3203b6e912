/* config.c - the file as a whole. */
#include "config_source.h"

#include "log.h"
#include "text.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { CONFIG_MAX = 4 * 1024 * 1024, SOURCES_MAX = 100, CONNECTORS_MAX = 100 };

/* Faults of the library, below the place that the document has here. */
static void add_errors(struct faults *faults, const char *place, const struct casehook_error *error)
{
    for (; error; error = casehook_error_next(error)) {
        long long offset = casehook_error_offset(error);
        if (offset >= 0)
            faults_add(faults, place, "%s (byte %lld)", casehook_error_message(error), offset);
        else
            faults_add(faults, place, "%s", casehook_error_message(error));
    }
}

/* A member by its dotted name, or by nested ones. */
static json_t *find_setting(json_t *object, const char *name)
{
    const char *member;
    json_t *value, *found = NULL;
    json_object_foreach(object, member, value) {
        size_t length = strlen(member);
        if (!strcmp(member, name)) return value;
        if (!found && !strncmp(member, name, length) && name[length] == '.')
            found = find_setting(value, name + length + 1);
    }
    return found;
}

/* How long a request may take; the library has found no fault in it. */
static int64_t response_timeout_of(const char *settings)
{
    static const char *const names[] = {"responseTimeout", "xpack.actions.responseTimeout"};
    json_t *root = settings ? json_loads(settings, 0, NULL) : NULL, *value = NULL;
    for (size_t i = 0; i < 2 && !value; i++) value = find_setting(root, names[i]);
    struct faults faults = {0};
    struct reader reader = {&faults, ".", true};
    struct object object = {.reader = &reader};
    const char *text = json_string_value(value);
    /* For the library digits alone are ms. */
    if (text && !text[strspn(text, "0123456789")])
        object.json = json_pack("{so}", names[0], json_sprintf("%sms", text));
    else if (value)
        object.json = json_pack("{sO}", names[0], value);
    /* One with a unit that only the library knows, a month or a year, is longer than any lease. */
    int64_t ms = object.json ? read_time(&object, names[0], INT64_MAX, 1, INT64_MAX) : 60000;
    json_decref(object.json);
    json_decref(root);
    faults_clear(&faults);
    return ms;
}

/* The settings for all connectors: an object, or the name of a file. */
static struct casehook_settings *read_settings(const struct object *top, struct config *config)
{
    json_t *value = json_object_get(top->json, "settings");
    struct casehook_settings *settings = NULL;
    struct casehook_error *error = NULL;
    char *text = NULL;
    if (casehook_settings_new(NULL, &settings)) {
        top->reader->faults->no_memory = true;
        return NULL;
    }
    if (json_is_string(value))
        text = read_named_file(top, "settings", json_string_value(value), NULL);
    else if (json_is_object(value))
        text = json_dumps(value, JSON_COMPACT);
    else if (value)
        faults_add(top->reader->faults, "settings", "must be an object, or the name of a file");
    if (text && casehook_settings_load_json(settings, text, CASEHOOK_TERMINATED, &error))
        add_errors(top->reader->faults, "settings", error);
    else
        config->response_timeout_ms = response_timeout_of(text);
    casehook_error_free(error);
    text_wipe(text);
    casehook_settings_set_log(settings, CASEHOOK_LOG_INFO, NULL, log_request, NULL);
    return settings;
}

/* With the secrets of a file of their own. */
static char *join_secrets(const struct object *object, char *document, const char *secrets_file)
{
    size_t length = 0;
    json_error_t where = {.line = 0};
    char *text = read_named_file(object, "secrets", secrets_file, &length), *joined = NULL;
    json_t *secrets = text ? json_loadb(text, length, JSON_REJECT_DUPLICATES, &where) : NULL;
    json_t *root = json_loads(document, JSON_REJECT_DUPLICATES, NULL);
    if (text && !secrets)
        faults_add(object->reader->faults, object->place, "%s line %d column %d: %s", secrets_file,
                   where.line, where.column, json_fault(&where));
    if (root && secrets && !json_object_set(root, "secrets", secrets))
        joined = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    json_decref(secrets);
    text_wipe(text);
    if (!joined) return document;
    text_wipe(document);
    return joined;
}

/* "jira.json", {"file": ..., "secrets": ...}, or the document itself. */
static char *read_document(struct reader *reader, json_t *value, const char *place)
{
    static const char *const names[] = {"file", "secrets", NULL};
    struct object object = {.reader = reader};
    if (json_is_string(value)) {
        snprintf(object.place, sizeof object.place, "%s", place);
        return read_named_file(&object, NULL, json_string_value(value), NULL);
    }
    if (json_is_object(value) && json_object_get(value, "config")) return json_dumps(value, JSON_COMPACT);
    object = object_of(reader, value, place, names);
    char *file = read_text(&object, "file", NULL, true),
         *secrets = read_text(&object, "secrets", NULL, false);
    char *document = file ? read_named_file(&object, "file", file, NULL) : NULL;
    if (document && secrets) document = join_secrets(&object, document, secrets);
    free(file);
    free(secrets);
    return document;
}

static void read_connectors(const struct object *top, const struct casehook_settings *settings,
                            struct config *config)
{
    struct object object = object_member(top, "connectors", NULL);
    const char *name;
    json_t *value;
    if (!object.json || !json_object_size(object.json) || json_object_size(object.json) > CONNECTORS_MAX) {
        if (object.json || !json_object_get(top->json, "connectors"))
            faults_add(top->reader->faults, "connectors", "must be an object of 1 to %d connectors",
                       CONNECTORS_MAX);
        return;
    }
    config->connectors = calloc(json_object_size(object.json), sizeof *config->connectors);
    if (!config->connectors) {
        top->reader->faults->no_memory = true;
        return;
    }
    json_object_foreach(object.json, name, value) {
        char place[PLACE_SIZE];
        struct connector *connector = &config->connectors[config->connector_count];
        struct casehook_error *error = NULL;
        place_of(place, object.place, name, 0);
        if (!*name || strlen(name) > 255) faults_add(top->reader->faults, place, "a name has 1 to 255 bytes");
        if (!(connector->name = text_copy(name))) {
            top->reader->faults->no_memory = true;
            continue;
        }
        config->connector_count++;
        char *document = read_document(top->reader, value, place);
        if (document &&
            casehook_connector_new(settings, document, CASEHOOK_TERMINATED, &connector->handle, &error))
            add_errors(top->reader->faults, place, error);
        casehook_error_free(error);
        text_wipe(document);
    }
}

static void read_sources(const struct object *top, struct config *config)
{
    json_t *list = json_object_get(top->json, "sources"), *item;
    char place[PLACE_SIZE];
    size_t i;
    if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > SOURCES_MAX) {
        faults_add(top->reader->faults, "sources", "must be a list of 1 to %d sources", SOURCES_MAX);
        return;
    }
    config->sources = calloc(json_array_size(list), sizeof *config->sources);
    if (!config->sources) {
        top->reader->faults->no_memory = true;
        return;
    }
    json_array_foreach(list, i, item) {
        struct source *source = &config->sources[i];
        place_of(place, "sources", NULL, i);
        source_read(top->reader, item, place, config, source);
        for (size_t j = 0; j < i && source->path; j++) {
            if (config->sources[j].path && !strcmp(config->sources[j].path, source->path))
                faults_add(top->reader->faults, place, "has the path of sources[%zu], %s", j, source->path);
            if (config->sources[j].name && source->name && !strcmp(config->sources[j].name, source->name))
                faults_add(top->reader->faults, place, "has the name of sources[%zu], %s", j, source->name);
        }
        config->source_count = i + 1;
    }
}

/* A number of an address and no name: what a name means may change, and is not known at each start. */
static bool is_address(const char *host)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    bool good = host && !getaddrinfo(host, NULL, &hints, &found);
    if (good) freeaddrinfo(found);
    return good;
}

static void read_listen(const struct object *object, struct config *config)
{
    char *listen = read_text(object, "listen", "127.0.0.1:9911", true);
    char *colon = listen ? strrchr(listen, ':') : NULL, *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (listen && (!colon || colon == listen || !end || end == colon + 1 || *end || port > 65535))
        faults_add(object->reader->faults, "http.listen",
                   "must be ADDRESS:PORT, such as 127.0.0.1:9911 or [::]:9911");
    else if (listen) {
        bool brackets = *listen == '[' && colon[-1] == ']';
        colon[brackets ? -1 : 0] = '\0';
        config->listen_host = text_copy(listen + brackets);
        if (!config->listen_host)
            object->reader->faults->no_memory = true;
        else if (!is_address(config->listen_host))
            faults_add(object->reader->faults, "http.listen",
                       "%.100s is no address: write 127.0.0.1, 0.0.0.0, [::1] or [::] and a port",
                       config->listen_host);
        config->listen_port = (uint16_t)port;
    }
    free(listen);
}

static void read_http(const struct object *top, struct config *config)
{
    static const char *const names[] = {"listen",    "maxConnections", "requestTimeout",
                                        "maxBodies", "threads",        NULL};
    struct object object = object_member(top, "http", names);
    read_listen(&object, config);
    config->max_connections = (unsigned)read_count(&object, "maxConnections", 1024, 8, 65536);
    config->threads = (unsigned)read_count(&object, "threads", 16, 1, 64);
    config->request_timeout_s = (unsigned)(read_time(&object, "requestTimeout", 10000, 1000, 600000) / 1000);
    config->max_bodies = (size_t)read_size(&object, "maxBodies", 64 << 20, 1 << 20, (uint64_t)4 << 30);
}

/* What can be seen without opening it. */
static void check_outbox(const struct object *object, const struct config *config)
{
    struct faults *faults = object->reader->faults;
    const char *at = config->location ? config->location : "", *scheme = strstr(at, "://");
    bool postgres = !strncmp(at, "postgresql://", 13) || !strncmp(at, "postgres://", 11);
    if ((scheme && !postgres) || *at == ':')
        faults_add(faults, "outbox.location", "is neither a path nor postgresql://...");
    else if (*at && !casehook_outbox_feature(postgres ? "postgresql" : "sqlite"))
        faults_add(faults, "outbox.location", "is of a kind that this build has no driver for");
    if (config->worker && (!*config->worker || strlen(config->worker) > 255))
        faults_add(faults, "outbox.worker", "must have 1 to 255 bytes");
}

/* As all files of the configuration: relative to its folder. */
static void join_location(const struct reader *reader, struct config *config)
{
    struct text joined = {0};
    if (!config->location || !*config->location || *config->location == '/' ||
        strstr(config->location, "://"))
        return;
    text_format(&joined, "%s/%s", reader->folder, config->location);
    free(config->location);
    config->location = joined.data;
    if (joined.failed) reader->faults->no_memory = true;
}

/* The outbox makes its file, but no folder: that is the unit's, or yours, on the machine where it runs. */
static void check_folder(const struct reader *reader, struct config *config)
{
    char *path = config->location && !strstr(config->location, "://") ? text_copy(config->location) : NULL;
    char *slash = path ? strrchr(path, '/') : NULL;
    struct stat about;
    if (slash && slash != path) {
        *slash = '\0';
        bool there = !stat(path, &about), missing = !there && errno == ENOENT;
        if (missing && reader->check)
            config->missing_folder = text_copy(path);
        else if (missing || (there ? !S_ISDIR(about.st_mode) : errno == ENOTDIR))
            faults_add(reader->faults, "outbox.location", "%.300s is no folder: make it first", path);
    }
    free(path);
}

enum { LEASE_MAX_MS = 86400000 };

int64_t config_lease_ms(const struct config *config)
{
    return config->outbox.lease_ms ? config->outbox.lease_ms : 120000;
}

/* Else the attempt is over before its answer comes, however often it is made: an eighth of the lease is left
 * for what is stored then. */
bool config_lease_fits(int64_t lease_ms, int64_t response_timeout_ms)
{
    return lease_ms - lease_ms / 8 > response_timeout_ms;
}

static void check_lease(const struct reader *reader, const struct config *config)
{
    long long lease = config_lease_ms(config), timeout = config->response_timeout_ms;
    if (config_lease_fits(lease, timeout)) return;
    if (timeout >= LEASE_MAX_MS)
        faults_add(reader->faults, "outbox.lease",
                   "seven eighths of it must be longer than the setting responseTimeout; it is %lld ms",
                   lease);
    else
        faults_add(reader->faults, "outbox.lease",
                   "seven eighths of it must be longer than the setting responseTimeout, %lld ms: make it at "
                   "least %lld ms; it is %lld ms",
                   timeout, timeout + timeout / 7 + 1, lease);
}

static void read_outbox(const struct object *top, struct config *config)
{
    static const char *const names[] = {"location",     "worker",      "maxEntries",     "maxBytes",
                                        "maxAge",       "giveUpAfter", "retryBase",      "retryMax",
                                        "keepFinished", "keepCases",   "lease",          "databaseTimeout",
                                        "poll",         "maxSending",  "maxConnections", NULL};
    const int64_t year = INT64_C(366) * 86400000, never = 0;
    struct object object = object_member(top, "outbox", names);
    struct casehook_outbox_options *o = &config->outbox;
    if (!object.json && !json_object_get(top->json, "outbox"))
        faults_add(top->reader->faults, "outbox", "is missing: {\"location\": FILE or postgresql://...}");
    config->location = read_text(&object, "location", NULL, true);
    config->worker = read_text(&object, "worker", NULL, false);
    check_outbox(&object, config);
    join_location(top->reader, config);
    check_folder(top->reader, config);
    o->struct_size = sizeof *o;
    o->max_entries = read_count(&object, "maxEntries", 1000000, 1, 1000000000);
    o->max_bytes = read_size(&object, "maxBytes", (uint64_t)4 << 30, 1 << 20, (uint64_t)1 << 40);
    o->max_age_ms = read_time(&object, "maxAge", never, 1000, year);
    o->give_up_after_ms = read_time(&object, "giveUpAfter", never, 1000, year);
    o->retry_base_ms = read_time(&object, "retryBase", never, 1, year);
    o->retry_max_ms = read_time(&object, "retryMax", never, 1, year);
    o->keep_finished_ms = read_time(&object, "keepFinished", never, 1000, 10 * year);
    o->keep_cases_ms = read_time(&object, "keepCases", never, 1000, 10 * year);
    o->lease_ms = (uint32_t)read_time(&object, "lease", 0, 1000, LEASE_MAX_MS);
    check_lease(top->reader, config);
    o->database_timeout_ms = (uint32_t)read_time(&object, "databaseTimeout", 0, 100, 60000);
    o->poll_ms = (uint32_t)read_time(&object, "poll", 0, 10, 3600000);
    o->max_sending = (uint32_t)read_count(&object, "maxSending", 0, 1, 10000);
    o->max_connections = (uint32_t)read_count(&object, "maxConnections", 0, 1, 10000);
}

static void read_all(struct reader *reader, json_t *root, struct config *config)
{
    static const char *const names[] = {"connectors", "settings", "sources",     "outbox",   "http",
                                        "page",       "metrics",  "stopTimeout", "logLevel", NULL};
    static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
    static const char *const one[] = {"login", NULL};
    struct object top = object_of(reader, root, "", names);
    struct casehook_settings *settings = read_settings(&top, config);
    read_connectors(&top, settings, config);
    casehook_settings_free(settings);
    read_sources(&top, config);
    read_http(&top, config);
    read_outbox(&top, config);
    struct object page = object_member(&top, "page", one), metrics = object_member(&top, "metrics", one);
    config->has_page = page.json;
    if (page.json) read_login(&page, "login", true, &config->page);
    if (page.json && config->page.open)
        faults_add(reader->faults, "page.login",
                   "must be user and password: who sees the page may press its buttons");
    if (page.json && config->page.bearer)
        faults_add(reader->faults, "page.login.bearer", "a browser asks for user and password");
    config->has_metrics = true;
    config->metrics.open = !metrics.json;
    if (metrics.json) read_login(&metrics, "login", true, &config->metrics);
    config->stop_timeout_ms = read_time(&top, "stopTimeout", 20000, 0, 3600000);
    config->log_level = read_word(&top, "logLevel", levels, 2) + 1;
}

struct config *config_load(const char *path, bool check, struct faults *faults)
{
    size_t length = 0, before = faults->count;
    char folder[4096] = ".", *slash;
    json_error_t where = {.line = 0};
    char *text = text_read_file(path, CONFIG_MAX, &length);
    struct config *config = calloc(1, sizeof *config);
    json_t *root = NULL;
    if (!text) faults_add(faults, path, "cannot be read: %s", strerror(errno));
    if (text && !(root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where)))
        faults_add(faults, path, "line %d column %d: %s", where.line, where.column, json_fault(&where));
    if (root && config) {
        snprintf(folder, sizeof folder, "%s", path);
        slash = strrchr(folder, '/');
        snprintf(slash ? slash : folder, 2, "%s", slash == folder ? "/" : slash ? "" : ".");
        struct reader reader = {faults, folder, check};
        atomic_init(&config->references, 1);
        read_all(&reader, root, config);
    }
    if (!config || faults->no_memory) faults_add(faults, path, "out of memory");
    json_decref(root);
    text_wipe(text);
    if (faults->count == before) return config;
    if (config) atomic_store(&config->references, 1);
    config_unref(config);
    return NULL;
}

struct config *config_ref(struct config *config)
{
    atomic_fetch_add(&config->references, 1);
    return config;
}

void config_unref(struct config *config)
{
    if (!config || atomic_fetch_sub(&config->references, 1) != 1) return;
    for (size_t i = 0; i < config->connector_count; i++) {
        free(config->connectors[i].name);
        casehook_connector_unref(config->connectors[i].handle);
    }
    for (size_t i = 0; i < config->source_count; i++) source_clear(&config->sources[i]);
    free(config->connectors);
    free(config->sources);
    free(config->listen_host);
    text_wipe(config->location);
    free(config->worker);
    free(config->missing_folder);
    login_clear(&config->page);
    login_clear(&config->metrics);
    free(config);
}

struct casehook_connector *config_connector(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->connector_count; i++)
        if (!strcmp(config->connectors[i].name, name)) return config->connectors[i].handle;
    return NULL;
}

struct source *config_source(struct config *config, const char *path)
{
    for (size_t i = 0; i < config->source_count; i++)
        if (!strcmp(config->sources[i].path, path)) return &config->sources[i];
    return NULL;
}
