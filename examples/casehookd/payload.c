/* payload.c - reads and renders; what follows from it is in plan.c. */
#include "payload.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP_KEY_MAX = 64 * 1024, ALERTS_MAX = 100000, TEXT_MAX = 64 * 1024, CONTEXT_MAX = 8000000 };

static int refuse(char why[WHY_SIZE], int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(char why[WHY_SIZE], int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, WHY_SIZE, format, arguments);
    va_end(arguments);
    return status;
}

static bool is_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) && json_string_length(value) > 0;
}

/* "firing" or "resolved"; anything else is NULL. */
static const char *status_of(const json_t *object)
{
    const char *status = json_string_value(json_object_get(object, "status"));
    if (status && !strcmp(status, "firing")) return "firing";
    return status && !strcmp(status, "resolved") ? "resolved" : NULL;
}

static int check_version(const struct source *source, const json_t *root, char why[WHY_SIZE])
{
    const char *wanted = source->type == SOURCE_GRAFANA ? "1" : "4";
    const json_t *version = json_object_get(root, "version");
    if (json_is_string(version) && !strcmp(json_string_value(version), wanted)) return 0;
    if (!version) return refuse(why, 422, "version is missing: this is no webhook of that kind");
    return refuse(why, 422, "version must be \"%s\"%s%.40s", wanted, json_is_string(version) ? ", not " : "",
                  json_is_string(version) ? json_string_value(version) : "");
}

static int check_alert(const json_t *alert, size_t index, char why[WHY_SIZE])
{
    const char *name;
    json_t *value;
    if (!json_is_object(alert)) return refuse(why, 422, "alerts[%zu] must be an object", index);
    if (!status_of(alert)) return refuse(why, 422, "alerts[%zu].status must be firing or resolved", index);
    if (!json_is_object(json_object_get(alert, "labels")))
        return refuse(why, 422, "alerts[%zu].labels must be an object", index);
    json_object_foreach(json_object_get(alert, "labels"), name, value)
        if (!json_is_string(value))
            return refuse(why, 422, "alerts[%zu].labels.%.40s must be a text", index, name);
    return 0;
}

static int check_root(const struct source *source, const json_t *root, char why[WHY_SIZE])
{
    if (!json_is_object(root)) return refuse(why, 422, "the payload must be an object");
    int status = check_version(source, root, why);
    if (status) return status;
    const json_t *alerts = json_object_get(root, "alerts");
    if (!is_text(root, "groupKey") || json_string_length(json_object_get(root, "groupKey")) > GROUP_KEY_MAX)
        return refuse(why, 422, "groupKey must be a text of 1 to %d bytes", GROUP_KEY_MAX);
    if (!status_of(root)) return refuse(why, 422, "status must be firing or resolved");
    if (!json_is_array(alerts) || !json_array_size(alerts) || json_array_size(alerts) > ALERTS_MAX)
        return refuse(why, 422, "alerts must be a list of 1 to %d alerts", ALERTS_MAX);
    for (size_t i = 0; i < json_array_size(alerts); i++) {
        status = check_alert(json_array_get(alerts, i), i, why);
        if (status) return status;
    }
    return 0;
}

/* No text of C can hold a NUL, so U+FFFD stands for it, in all texts below; false: memory ran out. */
static bool replace_nuls(json_t *value)
{
    const char *name, *text = json_string_value(value);
    size_t length = json_string_length(value), i;
    json_t *member;
    bool good = true;
    json_object_foreach(value, name, member) good = replace_nuls(member) && good;
    json_array_foreach(value, i, member) good = replace_nuls(member) && good;
    if (!text || !memchr(text, '\0', length)) return good;
    struct text copy = {0};
    for (i = 0; i < length; i += strlen(text + i) + 1) {
        text_string(&copy, text + i);
        if (i + strlen(text + i) < length) text_string(&copy, "\xEF\xBF\xBD");
    }
    good = !copy.failed && !json_string_setn(value, copy.data, copy.length);
    text_free(&copy);
    return good;
}

/* ---- identity --------------------------------------------------------------------------------- */

static bool make_id(const struct source *source, const json_t *root, struct notice *notice)
{
    struct text whole = {0};
    char hex[33];
    const json_t *organisation = json_object_get(root, "orgId"), *key = json_object_get(root, "groupKey");
    if (source->type == SOURCE_GRAFANA && json_is_integer(organisation))
        text_format(&whole, "%lld:", (long long)json_integer_value(organisation));
    text_append(&whole, json_string_value(key), json_string_length(key));
    bool good = !whole.failed && text_digest(whole.data, whole.length, hex, sizeof hex);
    if (good) snprintf(notice->case_id, sizeof notice->case_id, "%s%s", source->id_prefix, hex);
    text_free(&whole);
    return good;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* One line that tells an alert from another one, and from itself when it was firing before. */
static char *alert_line(const json_t *alert)
{
    struct text line = {0};
    const json_t *labels = json_object_get(alert, "labels");
    char *text = labels ? json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS) : text_copy("");
    text_format(&line, "%s %s %s", status_of(alert), text_of(alert, "startsAt"), text ? text : "");
    if (!text || line.failed) text_free(&line);
    free(text);
    return line.data;
}

/* Of the alerts that have this status, in whatever order, and of more; false: memory ran out. */
static bool digest_alerts(const json_t *alerts, const char *status, const char *more, char *hex, size_t size)
{
    size_t count = 0, i;
    char **lines = calloc(json_array_size(alerts), sizeof *lines);
    struct text whole = {0};
    const json_t *alert;
    bool good = lines && more;
    json_array_foreach(alerts, i, alert) {
        if (!good || strcmp(status_of(alert), status) != 0) continue;
        good = (lines[count] = alert_line(alert));
        count += good;
    }
    if (good) qsort(lines, count, sizeof *lines, compare_texts);
    for (i = 0; good && i < count; i++) text_format(&whole, "%s\n", lines[i]);
    text_string(&whole, good ? more : "");
    good = good && !whole.failed;
    if (good && whole.length) good = text_digest(whole.data, whole.length, hex, size);
    for (i = 0; i < count; i++) free(lines[i]);
    free(lines);
    text_free(&whole);
    return good;
}

/* The first half: what fires, and the case as it was rendered.  The second: what is resolved, zeros for
 * nothing. */
static bool make_digest(const json_t *alerts, const json_t *incident, struct notice *notice)
{
    char half[DIGEST_HALF + 1];
    struct text whole = {0};
    char *text = json_dumps(incident, JSON_COMPACT | JSON_SORT_KEYS);
    text_format(&whole, "%d %s", notice->resolved, text ? text : "");
    bool good = text && !whole.failed;
    good = good && digest_alerts(alerts, "firing", whole.data, half, sizeof half);
    if (good) memcpy(notice->digest, half, DIGEST_HALF);
    memset(half, '0', DIGEST_HALF);
    good = good && digest_alerts(alerts, "resolved", "", half, sizeof half);
    if (good) memcpy(notice->digest + DIGEST_HALF, half, DIGEST_HALF);
    free(text);
    text_free(&whole);
    return good;
}

/* ---- times ------------------------------------------------------------------------------------- */

/* So many digits, which *at is behind then; -1: there are fewer. */
static int read_digits(const char **at, int count)
{
    int number = 0;
    for (; count > 0; count--, ++*at) {
        if (**at < '0' || **at > '9') return -1;
        number = number * 10 + (**at - '0');
    }
    return number;
}

/* "Z" or "+01:30" at the end, in minutes; INT_MIN: it is neither. */
static int read_zone(const char *at)
{
    int sign = *at == '-' ? -1 : 1;
    if (!strcmp(at, "Z")) return 0;
    if (*at != '+' && *at != '-') return INT_MIN;
    at++;
    int hours = read_digits(&at, 2);
    if (hours < 0 || *at++ != ':') return INT_MIN;
    int minutes = read_digits(&at, 2);
    return minutes < 0 || *at ? INT_MIN : sign * (hours * 60 + minutes);
}

/* The days from 1970 to a day; years are counted from March on, so that the leap day is the last one. */
static int64_t days_until(int year, int month, int day)
{
    int64_t years = month > 2 ? year : year - 1;
    int since_march = (month + 9) % 12;
    return years * 365 + years / 4 - years / 100 + years / 400 + (153 * since_march + 2) / 5 + day - 719469;
}

/* Milliseconds since 1970 of a time of RFC 3339; INT64_MIN: it is none. */
static int64_t time_of(const char *at)
{
    static const char behind[] = "--T::";
    enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, COUNT };
    int parts[COUNT], thousandths = 0;
    for (int i = 0; i < COUNT; i++) {
        parts[i] = read_digits(&at, i == YEAR ? 4 : 2);
        if (parts[i] < 0 || (i < SECOND && *at++ != behind[i])) return INT64_MIN;
    }
    if (parts[YEAR] < 1 || parts[MONTH] < 1 || parts[MONTH] > 12) return INT64_MIN;
    if (*at == '.') {
        if (at[1] < '0' || at[1] > '9') return INT64_MIN;
        at++;
        for (int scale = 100; *at >= '0' && *at <= '9'; at++, scale /= 10) thousandths += (*at - '0') * scale;
    }
    int zone = read_zone(at);
    if (zone == INT_MIN) return INT64_MIN;
    int64_t minutes =
        days_until(parts[YEAR], parts[MONTH], parts[DAY]) * 1440 + parts[HOUR] * 60 + parts[MINUTE] - zone;
    return (minutes * 60 + parts[SECOND]) * 1000 + thousandths;
}

/* When the first of those began that fire; INT64_MIN: none does, or of one that is not known. */
static int64_t first_start(const json_t *alerts)
{
    const json_t *alert;
    int64_t first = INT64_MAX;
    size_t i;
    json_array_foreach(alerts, i, alert) {
        if (*status_of(alert) != 'f') continue;
        int64_t start = time_of(text_of(alert, "startsAt"));
        if (start < first) first = start;
    }
    return first == INT64_MAX ? INT64_MIN : first;
}

/* ---- what templates see ------------------------------------------------------------------------ */

/* {"a": "x"} as [{"name": "a", "value": "x"}], which a section can walk through. */
static json_t *pairs_of(const json_t *object)
{
    json_t *list = json_array(), *value;
    const char *name;
    if (!json_is_object(object)) return list;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
        if (json_is_string(value))
            json_array_append_new(list, json_pack("{ss,sO}", "name", name, "value", value));
    return list;
}

/* Texts that no tracker would take: a label of a megabyte is in the context several times. */
static void shorten(json_t *value)
{
    const char *name, *text = json_string_value(value);
    json_t *member;
    size_t i, length = 0;
    json_object_foreach(value, name, member) shorten(member);
    json_array_foreach(value, i, member) shorten(member);
    if (!text || json_string_length(value) <= TEXT_MAX) return;
    char *copy = malloc(TEXT_MAX + sizeof "\xE2\x80\xA6");
    if (!copy) return;
    memcpy(copy, text, TEXT_MAX);
    for (length = TEXT_MAX; ((unsigned char)text[length] & 0xC0) == 0x80;) length--;
    memcpy(copy + length, "\xE2\x80\xA6", sizeof "\xE2\x80\xA6");
    json_string_set(value, copy);
    free(copy);
}

/* Members of ours win over those of a payload. */
static char *context_with(json_t *root, size_t max_alerts)
{
    json_t *alerts = json_object_get(root, "alerts"), *alert, *seen = json_array();
    json_t *firing = json_array(), *resolved = json_array();
    size_t i, count[2] = {0, 0};
    json_array_foreach(alerts, i, alert) {
        bool fires = *status_of(alert) == 'f';
        if (count[!fires]++ >= max_alerts) continue;
        json_object_set_new(alert, "labelList", pairs_of(json_object_get(alert, "labels")));
        json_array_append(fires ? firing : resolved, alert);
        if (json_array_size(seen) < max_alerts) json_array_append(seen, alert);
    }
    /* In a template 0 is something. */
    if (json_number_value(json_object_get(root, "truncatedAlerts")) <= 0)
        json_object_del(root, "truncatedAlerts");
    json_object_set_new(root, "alertCount", json_integer((json_int_t)(count[0] + count[1])));
    json_object_set_new(root, "firingCount", json_integer((json_int_t)count[0]));
    json_object_set_new(root, "resolvedCount", json_integer((json_int_t)count[1]));
    json_object_set_new(root, "commonLabelList", pairs_of(json_object_get(root, "commonLabels")));
    json_object_set_new(root, "groupLabelList", pairs_of(json_object_get(root, "groupLabels")));
    json_t *context = json_copy(root);
    json_object_set_new(context, "alerts", seen);
    json_object_set_new(context, "firingAlerts", firing);
    json_object_set_new(context, "resolvedAlerts", resolved);
    char *text = json_dumps(context, JSON_COMPACT);
    json_decref(context);
    return text;
}

/* As many alerts as a template can take: one that has too many, or too long ones, is about no fewer. */
static char *context_of(json_t *root, const struct source *source)
{
    size_t most = source->max_alerts;
    char *text = context_with(root, most);
    while (text && most > 1 && strlen(text) > CONTEXT_MAX) {
        free(text);
        text = context_with(root, most /= 2);
    }
    return text;
}

/*
 * Leaves out addresses of who has sent this, and what Grafana makes for one notification: of two
 * Alertmanagers each has its own, and none of them is news of the alerts.
 */
static void forget_sender(json_t *root)
{
    static const char *const names[] = {"generatorURL", "silenceURL", "dashboardURL", "panelURL", "imageURL"};
    json_t *alert;
    size_t i;
    json_object_del(root, "externalURL");
    json_array_foreach(json_object_get(root, "alerts"), i, alert)
        for (size_t name = 0; name < sizeof names / sizeof *names; name++)
            json_object_del(alert, names[name]);
}

/* What all alerts have of this object, as Alertmanager counts it. */
static json_t *common_of(const json_t *alerts, const char *name)
{
    json_t *common = json_copy(json_object_get(json_array_get(alerts, 0), name)), *value, *alert;
    const char *key;
    void *next;
    size_t i;
    json_array_foreach(alerts, i, alert) {
        const json_t *other = json_object_get(alert, name);
        json_object_foreach_safe(common, next, key, value)
        {
            if (!json_equal(value, json_object_get(other, key))) json_object_del(common, key);
        }
    }
    return common ? common : json_object();
}

/* As the next notification is, which leaves out what is told to be resolved now. */
static void forget_resolved(json_t *root)
{
    json_t *alerts = json_array(), *alert;
    size_t i;
    json_array_foreach(json_object_get(root, "alerts"), i, alert)
        if (*status_of(alert) == 'f') json_array_append(alerts, alert);
    if (json_array_size(alerts) < json_array_size(json_object_get(root, "alerts"))) {
        json_object_set_new(root, "commonLabels", common_of(alerts, "labels"));
        json_object_set_new(root, "commonAnnotations", common_of(alerts, "annotations"));
    }
    json_object_set_new(root, "alerts", alerts);
}

/* ---- rendering --------------------------------------------------------------------------------- */

struct rendering {
    const char *context;
    char *why;
    int status; /* 0, or what to answer */
};

/* NULL: there is no such template, or it failed. */
static char *render(struct rendering *r, struct casehook_renderer *renderer, const char *what)
{
    const char *text = NULL;
    size_t length = 0;
    struct casehook_error *error = NULL;
    char *copy = NULL;
    if (!renderer || r->status) return NULL;
    if (casehook_render(renderer, r->context, CASEHOOK_TERMINATED, &text, &length, &error))
        r->status = refuse(r->why, casehook_error_status(error) == CASEHOOK_E_NO_MEMORY ? 503 : 422,
                           "%s: %.180s", what, casehook_error_message(error));
    else if (!(copy = malloc(length + 1)))
        r->status = refuse(r->why, 503, "out of memory");
    if (copy) memcpy(copy, text, length + 1);
    casehook_error_free(error);
    return copy;
}

/* White space at both ends away; in one line, if that is wanted. */
static char *tidy(char *text, bool one_line)
{
    if (!text) return NULL;
    size_t from = strspn(text, " \t\r\n"), length = strlen(text + from);
    memmove(text, text + from, length + 1);
    while (length && strchr(" \t\r\n", text[length - 1])) text[--length] = '\0';
    for (char *p = text; one_line && *p; p++)
        if (*p == '\n' || *p == '\r' || *p == '\t') *p = ' ';
    return text;
}

/* Adds what is not empty; takes text. */
static void put_text(json_t *object, const char *name, char *text)
{
    if (text && *text) json_object_set_new(object, name, json_string(text));
    free(text);
}

static void render_texts(struct rendering *r, struct source *source, json_t *incident)
{
    char *title = tidy(render(r, source->texts[TEXT_TITLE].renderer, "title"), true);
    if (title && !*title) json_object_set_new(incident, "title", json_string("Alert"));
    put_text(incident, "title", title);
    put_text(incident, "description",
             tidy(render(r, source->texts[TEXT_DESCRIPTION].renderer, "description"), false));
    put_text(incident, "severity", tidy(render(r, source->texts[TEXT_SEVERITY].renderer, "severity"), true));
    json_t *tags = source->tag_count ? json_array() : NULL;
    for (size_t i = 0; i < source->tag_count; i++) {
        char *tag = tidy(render(r, source->tags[i].renderer, "tags"), true);
        if (tag && *tag) json_array_append_new(tags, json_string(tag));
        free(tag);
    }
    if (tags) json_object_set_new(incident, "tags", tags);
    json_t *fields = source->field_count ? json_object() : NULL;
    for (size_t i = 0; i < source->field_count; i++)
        put_text(fields, source->fields[i].name,
                 tidy(render(r, source->fields[i].renderer, "fields"), false));
    if (fields) json_object_set_new(incident, "fields", fields);
}

static void render_comments(struct rendering *r, struct source *source, struct notice *notice)
{
    notice->changed = tidy(render(r, source->texts[TEXT_CHANGED].renderer, "comments.changed"), false);
    notice->ended = tidy(render(r, source->texts[TEXT_RESOLVED].renderer, "comments.resolved"), false);
}

/* The case as its source's texts make it, with the comments if they are wanted; NULL: r has the fault. */
static json_t *render_incident(struct rendering *r, struct source *source, json_t *root, bool comments,
                               struct notice *notice)
{
    json_t *incident = json_pack("{ss}", "id", notice->case_id);
    char *context = context_of(root, source);
    r->context = context;
    if (!context || !incident) r->status = refuse(r->why, 503, "out of memory");
    pthread_mutex_lock(&source->lock);
    if (!r->status) render_texts(r, source, incident);
    if (!r->status && comments) render_comments(r, source, notice);
    pthread_mutex_unlock(&source->lock);
    free(context);
    if (!r->status) return incident;
    json_decref(incident);
    return NULL;
}

static int notice_fill(struct source *source, json_t *root, struct notice *notice, char why[WHY_SIZE])
{
    struct rendering r = {.why = why};
    json_t *alerts = json_incref(json_object_get(root, "alerts")), *said = NULL;
    notice->source = source;
    notice->resolved = *status_of(root) == 'r';
    notice->alerts = json_array_size(alerts);
    notice->starts_ms = first_start(alerts);
    if (!make_id(source, root, notice)) r.status = refuse(why, 503, "out of memory");
    shorten(root);
    if (!r.status) notice->incident = render_incident(&r, source, root, true, notice);
    forget_sender(root);
    if (!notice->resolved) forget_resolved(root);
    if (!r.status) said = render_incident(&r, source, root, false, notice);
    if (!r.status && !make_digest(alerts, said, notice)) r.status = refuse(why, 503, "out of memory");
    json_decref(said);
    json_decref(alerts);
    return r.status;
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* Bytes of the number that begins there, in a text with a NUL behind it; large: an integer of more than 64
 * bits. */
static size_t number_at(const char *text, bool *large)
{
    size_t length = strspn(text, "+-.0123456789eE");
    char *end;
    errno = 0;
    strtoll(text, &end, 10);
    *large = errno == ERANGE && end == text + length;
    return length;
}

/* Integers that are too large become reals, all others stay as exact as they are. */
static void copy_with_reals(struct text *copy, const char *body, size_t length)
{
    bool inside = false, large;
    size_t done = 0;
    for (size_t i = 0; i < length; i++) {
        if (inside && body[i] == '\\') {
            i++;
        } else if (body[i] == '"') {
            inside = !inside;
        } else if (!inside && (body[i] == '-' || (body[i] >= '0' && body[i] <= '9'))) {
            i += number_at(body + i, &large) - 1;
            if (!large) continue;
            text_append(copy, body + done, i + 1 - done);
            text_string(copy, ".0");
            done = i + 1;
        }
    }
    text_append(copy, body + done, length - done);
}

/* Grafana's values are reals, which Go writes without a point up to 1e21. */
static json_t *load(const char *body, size_t length, json_error_t *where, bool *no_memory)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    struct text copy = {0};
    json_t *root = json_loadb(body, length, flags, where);
    if (!root && json_error_code(where) == json_error_numeric_overflow) {
        copy_with_reals(&copy, body, length);
        if (!copy.failed) root = json_loadb(copy.data, copy.length, flags, where);
    }
    *no_memory = copy.failed || json_lacked_memory();
    text_free(&copy);
    return root;
}

int notice_read(struct source *source, const char *body, size_t length, struct notice *notice,
                char why[WHY_SIZE])
{
    json_error_t where = {.line = 0}; /* jansson itself leaves the code as it was where it has no memory */
    bool no_memory;
    memset(notice, 0, sizeof *notice);
    *why = '\0';
    json_lacked_memory();
    json_t *root = load(body, length, &where, &no_memory);
    int status = no_memory ? refuse(why, 503, "out of memory")
                 : !root ? refuse(why, 400, "line %d column %d: %.160s", where.line, where.column, where.text)
                 : replace_nuls(root) ? check_root(source, root, why)
                                      : refuse(why, 503, "out of memory");
    if (!status) status = notice_fill(source, root, notice, why);
    /* Whatever followed from that. */
    if (json_lacked_memory()) status = refuse(why, 503, "out of memory");
    json_decref(root);
    return status;
}

void notice_clear(struct notice *notice)
{
    json_decref(notice->incident);
    free(notice->changed);
    free(notice->ended);
    memset(notice, 0, sizeof *notice);
}
