/* config_read.c - one member at a time. */
#include "config_read.h"

#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 4 * 1024 * 1024, TEXT_MAX = 256 * 1024 };

static const char *kind_of(const json_t *value)
{
    static const char *const kinds[] = {[JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",
                                        [JSON_STRING] = "a text",    [JSON_INTEGER] = "a whole number",
                                        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",
                                        [JSON_FALSE] = "false",      [JSON_NULL] = "null"};
    return kinds[json_typeof(value)];
}

static void fault(const struct object *object, const char *name, const char *message)
{
    char place[PLACE_SIZE];
    faults_add(object->reader->faults, name ? place_of(place, object->place, name, 0) : object->place, "%s",
               message);
}

static void fault_kind(const struct object *object, const char *name, const char *wanted, const json_t *value)
{
    char message[128];
    snprintf(message, sizeof message, "must be %s, not %s", wanted, kind_of(value));
    fault(object, name, message);
}

struct object object_of(struct reader *reader, json_t *value, const char *place, const char *const *names)
{
    struct object object = {.reader = reader};
    const char *name;
    json_t *member;
    snprintf(object.place, sizeof object.place, "%s", place);
    if (!value) return object;
    if (!json_is_object(value)) {
        faults_add(reader->faults, place, "must be an object, not %s", kind_of(value));
        return object;
    }
    object.json = value;
    json_object_foreach(value, name, member) {
        size_t i = 0;
        while (names && names[i] && strcmp(names[i], name) != 0) i++;
        if (!names || names[i]) continue;
        struct text known = {0};
        for (i = 0; names[i]; i++) text_format(&known, "%s%s", i ? ", " : "", names[i]);
        char where[PLACE_SIZE];
        faults_add(reader->faults, place_of(where, place, name, 0), "there is no such member; known here: %s",
                   known.data ? known.data : "none");
        text_free(&known);
    }
    return object;
}

struct object object_member(const struct object *outer, const char *name, const char *const *names)
{
    char place[PLACE_SIZE];
    return object_of(outer->reader, json_object_get(outer->json, name),
                     place_of(place, outer->place, name, 0), names);
}

char *read_text(const struct object *object, const char *name, const char *fallback, bool required)
{
    const json_t *value = json_object_get(object->json, name);
    if (!value && required && !fallback && object->json) fault(object, name, "is missing");
    char *copy = NULL;
    if (!value) {
        copy = text_copy(fallback);
        if (fallback && !copy) object->reader->faults->no_memory = true;
        return copy;
    }
    if (!json_is_string(value)) {
        fault_kind(object, name, "a text", value);
    } else if (strlen(json_string_value(value)) != json_string_length(value)) {
        fault(object, name, "holds a NUL character");
    } else if (json_string_length(value) > TEXT_MAX) {
        fault(object, name, "is longer than 256 KiB");
    } else if (required && !json_string_length(value)) {
        fault(object, name, "is empty");
    } else {
        copy = text_copy(json_string_value(value));
        if (!copy) object->reader->faults->no_memory = true;
        return copy;
    }
    return NULL;
}

bool read_flag(const struct object *object, const char *name, bool fallback)
{
    const json_t *value = json_object_get(object->json, name);
    if (!value) return fallback;
    if (!json_is_boolean(value)) fault_kind(object, name, "true or false", value);
    return json_is_true(value);
}

struct unit {
    const char *name;
    int64_t factor;
};

/* A number and a unit; a bare number is one of the first unit. */
static uint64_t read_measure(const struct object *object, const char *name, uint64_t fallback, uint64_t min,
                             uint64_t max, const struct unit *units, const char *example)
{
    const json_t *value = json_object_get(object->json, name);
    char message[160];
    uint64_t number = 0, factor = 1;
    if (!value) return fallback;
    bool good = json_is_integer(value) && json_integer_value(value) >= 0;
    if (good) number = (uint64_t)json_integer_value(value);
    if (json_is_string(value) && units) {
        const char *text = json_string_value(value);
        char *end = NULL;
        errno = 0;
        number = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
        for (const struct unit *unit = units; end && !errno && unit->name && !good; unit++)
            if (!strcmp(end, unit->name)) {
                factor = (uint64_t)unit->factor;
                good = number <= UINT64_MAX / factor;
            }
    }
    if (!good) {
        snprintf(message, sizeof message, "must be a whole number%s%s", units ? ", or such as " : "",
                 units ? example : "");
    } else if (number * factor < min || number * factor > max) {
        snprintf(message, sizeof message, "must be from %llu to %llu%s", (unsigned long long)min,
                 (unsigned long long)max,
                 !units                  ? ""
                 : strstr(example, "mb") ? " bytes"
                                         : " milliseconds");
    } else {
        return number * factor;
    }
    fault(object, name, message);
    return fallback;
}

uint64_t read_count(const struct object *object, const char *name, uint64_t fallback, uint64_t min,
                    uint64_t max)
{
    return read_measure(object, name, fallback, min, max, NULL, "");
}

uint64_t read_size(const struct object *object, const char *name, uint64_t fallback, uint64_t min,
                   uint64_t max)
{
    static const struct unit units[] = {
        {"", 1}, {"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}, {NULL, 0}};
    return read_measure(object, name, fallback, min, max, units, "\"2mb\"");
}

int64_t read_time(const struct object *object, const char *name, int64_t fallback, int64_t min, int64_t max)
{
    static const struct unit units[] = {{"ms", 1},       {"s", 1000},      {"m", 60000}, {"h", 3600000},
                                        {"d", 86400000}, {"w", 604800000}, {NULL, 0}};
    return (int64_t)read_measure(object, name, (uint64_t)fallback, (uint64_t)min, (uint64_t)max, units,
                                 "\"30s\", \"5m\", \"3d\"");
}

int read_word(const struct object *object, const char *name, const char *const *words, int fallback)
{
    char *text = read_text(object, name, NULL, false);
    struct text known = {0};
    int found = fallback, i = 0;
    for (; text && words[i] && strcmp(words[i], text) != 0; i++)
        text_format(&known, "%s\"%s\"", i ? ", " : "must be one of ", words[i]);
    if (text && words[i]) found = i;
    if (text && !words[i]) fault(object, name, known.data ? known.data : "is unknown");
    free(text);
    text_free(&known);
    return found;
}

char *read_named_file(const struct object *object, const char *member, const char *name, size_t *length)
{
    struct text path = {0};
    char message[512], *data = NULL;
    if (*name != '/') text_format(&path, "%s/", object->reader->folder);
    text_string(&path, name);
    if (path.data && !path.failed) data = text_read_file(path.data, FILE_MAX, length);
    if (!data) {
        snprintf(message, sizeof message, "%.300s cannot be read: %s", path.data ? path.data : name,
                 errno == EINVAL  ? "it is no regular file"
                 : errno == EFBIG ? "it has more than 4 MiB"
                                  : strerror(errno));
        fault(object, member, message);
    }
    text_free(&path);
    return data;
}

/* A secret in the file, or in one of its own, of which the line break at the end does not count. */
static char *read_secret(const struct object *object, const char *name, const char *file_name)
{
    char *text = read_text(object, name, NULL, false), *file = read_text(object, file_name, NULL, false);
    size_t read = 0;
    if (text && file) fault(object, name, "and its file are both given: one of them is enough");
    if (file && !text && (text = read_named_file(object, file_name, file, &read))) {
        if (strlen(text) != read) fault(object, file_name, "names a file with a NUL character");
        size_t length = strlen(text);
        while (length && (text[length - 1] == '\n' || text[length - 1] == '\r')) text[--length] = '\0';
    }
    for (const char *at = text; at && *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F) {
            fault(object, name, "holds a control character: no request can have it");
            break;
        }
    if (text && (*text == ' ' || (*text && text[strlen(text) - 1] == ' ')))
        fault(object, name, "begins or ends with a space: no request can have it so");
    if (text && strlen(text) < 8) fault(object, name, "is shorter than 8 bytes: anybody could guess it");
    free(file);
    return text;
}

void read_login(const struct object *outer, const char *name, bool required, struct login *login)
{
    static const char *const names[] = {"bearer", "bearerFile", "user", "password", "passwordFile", NULL};
    const json_t *value = json_object_get(outer->json, name);
    if (!value && required && outer->json)
        fault(outer, name,
              "is missing: {\"bearer\": ...}, {\"user\": ..., \"password\": ...}, or \"none\" where "
              "everybody may come in");
    login->open = !value && !required;
    if (json_is_string(value) && !strcmp(json_string_value(value), "none")) {
        login->open = true;
        return;
    }
    struct object object = object_member(outer, name, names);
    if (!object.json) return;
    login->bearer = read_secret(&object, "bearer", "bearerFile");
    login->user = read_text(&object, "user", NULL, false);
    login->password = read_secret(&object, "password", "passwordFile");
    if (login->user && strchr(login->user, ':')) fault(&object, "user", "holds a colon");
    if (!login->user != !login->password)
        fault(&object, login->user ? "password" : "user", "is missing: a login has both");
    if (!login->bearer && !login->user && !login->password)
        faults_add(object.reader->faults, object.place,
                   "names neither a bearer token nor a user with password");
}

const char *json_fault(const json_error_t *where)
{
    switch (json_error_code(where)) {
    case json_error_out_of_memory: return "out of memory";
    case json_error_stack_overflow: return "it is nested too deeply";
    case json_error_invalid_utf8: return "it is not UTF-8";
    case json_error_premature_end_of_input: return "it ends too early";
    case json_error_end_of_input_expected: return "something follows after its end";
    case json_error_null_character:
    case json_error_null_byte_in_key: return "it holds a NUL character";
    case json_error_duplicate_key: return "a duplicate member";
    case json_error_numeric_overflow: return "a number is too large";
    default: return "no JSON: a colon, comma, quote or bracket is missing, or one too many";
    }
}

void login_clear(struct login *login)
{
    text_wipe(login->bearer);
    text_wipe(login->user);
    text_wipe(login->password);
}
