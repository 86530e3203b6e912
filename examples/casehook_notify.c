/*
 * casehook_notify.c - the notification command of Nagios and Icinga 2.
 *
 * It puts the notification into an outbox and ends; casehookd, or "casehook outbox run", delivers it.  One
 * host, or one service of a host, is one case: a problem opens it, or opens it again, a recovery closes it,
 * everything else is a comment.
 */
#include "casehook_args.h"
#include "casehook_input.h"
#include "casehook_queue.h"
#include "casehook_text.h"

#include <jansson.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* What is not an option comes from the environment, where Nagios puts its macros. */
static const char *macro(const char *given, const char *service, const char *name)
{
    static const char *const prefixes[] = {"NAGIOS_", "ICINGA_"};
    char variable[64];
    for (size_t i = 0; !given && i < sizeof prefixes / sizeof *prefixes; i++) {
        snprintf(variable, sizeof variable, "%s%s%s", prefixes[i], service, name);
        given = getenv(variable);
    }
    return given ? given : "";
}

struct notification {
    const char *host, *service, *type, *state, *output, *author, *comment;
    char id[1024];
};

/* What would look like a byte that was written so. */
static bool is_escape(const char *text)
{
    return text[0] == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
}

/*
 * The case of a host or service.  Bytes that are not UTF-8 become %XX: by a question mark two services would
 * become one case, as they would if a name that says %XX itself stayed as it is.  False: it is too long.
 */
static bool make_id(struct notification *n)
{
    char name[512];
    size_t used = 0, length = (size_t)snprintf(name, sizeof name, "%s%s%s", n->host, *n->service ? "!" : "",
                                               n->service);
    if (length >= sizeof name) return false;
    for (size_t i = 0; i < length;) {
        size_t whole = is_escape(name + i) ? 0 : utf8_length(name + i, length - i);
        if (sizeof n->id - used <= 4) return false;
        if (whole)
            memcpy(n->id + used, name + i, whole);
        else
            snprintf(n->id + used, 4, "%%%02X", (unsigned char)name[i]);
        used += whole ? whole : 3;
        i += whole ? whole : 1;
    }
    n->id[used] = '\0';
    return true;
}

/* Fills n; a message when something is missing. */
static const char *read_notification(const struct outbox_arguments *a, struct notification *n)
{
    n->host = macro(a->host, "", "HOSTNAME");
    n->service = macro(a->service, "", "SERVICEDESC");
    const char *kind = *n->service ? "SERVICE" : "HOST";
    n->type = macro(a->type, "", "NOTIFICATIONTYPE");
    n->state = macro(a->state, kind, "STATE");
    n->output = macro(a->output, kind, "OUTPUT");
    n->author = macro(a->author, "", "NOTIFICATIONAUTHOR");
    n->comment = macro(a->comment, "", "NOTIFICATIONCOMMENT");
    if (!*n->host) return "--host is missing, and NAGIOS_HOSTNAME is not in the environment";
    if (!*n->type) return "--type is missing, and NAGIOS_NOTIFICATIONTYPE is not in the environment";
    return make_id(n) ? NULL : "the names of host and service are too long";
}

static const char *severity_of(const char *state)
{
    static const char *const table[][2] = {{"CRITICAL", CASEHOOK_SEVERITY_CRITICAL},
                                           {"DOWN", CASEHOOK_SEVERITY_CRITICAL},
                                           {"UNREACHABLE", CASEHOOK_SEVERITY_HIGH},
                                           {"WARNING", CASEHOOK_SEVERITY_MEDIUM},
                                           {"UNKNOWN", CASEHOOK_SEVERITY_LOW}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (!strcasecmp(table[i][0], state)) return table[i][1];
    return CASEHOOK_SEVERITY_MEDIUM;
}

/* Long texts are cut between two characters; bytes that are not UTF-8, as plug-ins may write them, become
 * question marks. */
static json_t *text_of(const char *format, const char *a, const char *b, const char *c)
{
    char text[8192];
    bool cut = (size_t)snprintf(text, sizeof text, format, a, b, c) >= sizeof text;
    size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        size_t whole = utf8_length(text + i, length - i);
        if (!whole && cut && length - i < 4)
            length = i;
        else if (!whole)
            text[i] = '?';
        i += whole ? whole : 1;
    }
    return json_stringn(text, length);
}

static json_t *comment_of(const struct notification *n, const char *key)
{
    bool said = *n->author || *n->comment;
    json_t *text = said ? text_of("%s by %s: %s", n->type, n->author, n->comment)
                        : text_of("%s: %s %s", n->type, n->state, n->output);
    return json_pack("[{ss,so}]", "commentId", key, "comment", text);
}

/* Whether this case was closed by the notification before, or has none. */
static bool is_closed(struct casehook_outbox *outbox, const struct outbox_arguments *a, const char *id,
                      bool *any)
{
    struct casehook_outbox_query query = {
        .struct_size = sizeof query, .connector = a->to, .case_id = id, .limit = 1};
    struct casehook_outbox_entry entry = {.struct_size = sizeof entry};
    struct casehook_outbox_list *list = NULL;
    bool closed = true;
    *any = !casehook_outbox_find(outbox, &query, &list, NULL) && casehook_outbox_list_count(list) &&
           !casehook_outbox_list_entry(list, 0, &entry);
    if (*any) closed = entry.key && *entry.key == 'r';
    casehook_outbox_list_free(list);
    return closed;
}

/* The case for an operation; is it open or closed by it, or neither (NULL)? */
static json_t *params_of(const struct outbox_arguments *a, const struct notification *n, int operation,
                         const char *status, const char *comment_key)
{
    json_t *incident = json_pack("{so}", "id", text_of("%s%s%s", n->id, "", ""));
    if (operation != CASEHOOK_COMMENT) {
        json_t *title = a->title      ? text_of("%s%s%s", a->title, "", "")
                        : *n->service ? text_of("%s on %s is %s", n->service, n->host, n->state)
                                      : text_of("%s%s is %s", n->host, "", n->state);
        json_object_set_new(incident, "title", title);
        json_object_set_new(incident, "description", text_of("%s%s%s", n->output, "", ""));
        json_object_set_new(incident, "severity", json_string(severity_of(n->state)));
        json_object_set_new(incident, "fields",
                            json_pack("{so,so}", "host", text_of("%s%s%s", n->host, "", ""), "service",
                                      text_of("%s%s%s", n->service, "", "")));
        if (status) json_object_set_new(incident, "status", json_string(status));
    }
    json_t *root = json_pack("{so}", "incident", incident);
    if (comment_key) json_object_set_new(root, "comments", comment_of(n, comment_key));
    return root;
}

static int put(struct casehook_outbox *outbox, const struct outbox_arguments *a, const struct notification *n)
{
    bool problem = !strcasecmp(n->type, "PROBLEM"), recovery = !strcasecmp(n->type, "RECOVERY"), any;
    bool closed = is_closed(outbox, a, n->id, &any);
    char key[96];
    struct timespec now;
    struct casehook_outbox_error *error = NULL;
    clock_gettime(CLOCK_REALTIME, &now);
    /* What is only a comment leaves the case as closed, or as open, as it is. */
    snprintf(key, sizeof key, "%c-%lld.%09ld-%ld", recovery || (!problem && closed) ? 'r' : 'p',
             (long long)now.tv_sec, now.tv_nsec, (long)getpid());
    int operation = problem || (recovery && any) ? CASEHOOK_PUSH
                    : recovery                   ? CASEHOOK_UPDATE
                                                 : CASEHOOK_COMMENT;
    const char *status = recovery ? CASEHOOK_STATUS_CLOSED : problem && closed ? CASEHOOK_STATUS_OPEN : NULL;
    bool says = operation == CASEHOOK_COMMENT || (operation == CASEHOOK_PUSH && any);
    json_t *params = params_of(a, n, operation, status, says ? key : NULL);
    struct document text = {NULL, 0};
    if (params) input_dump(params, JSON_COMPACT, &text);
    json_decref(params);
    struct casehook_outbox_item item = {.struct_size = sizeof item,
                                        .connector = a->to,
                                        .key = key,
                                        .params = text.text,
                                        .params_length = text.length,
                                        .operation = operation};
    int code = EXIT_OK, put_status = casehook_outbox_put(outbox, &item, NULL, NULL, &error);
    document_free(&text);
    /* Nothing was ever said of this case: there is nothing to close or to comment. */
    bool nothing = put_status == CASEHOOK_E_PARAMS && !any && !problem;
    if (put_status && !nothing) code = outbox_fault(a->outbox, error), error = NULL;
    casehook_outbox_error_free(error);
    return code;
}

int notify_run(int count, char **values)
{
    struct outbox_arguments arguments;
    struct notification notification;
    int code = outbox_arguments_read(&arguments, count, values);
    if (code != -1) return code;
    const char *missing = arguments.word_count ? "notify takes options only" : NULL;
    if (!missing) missing = read_notification(&arguments, &notification);
    if (missing) {
        fprintf(stderr, "casehook: %s\n", missing);
        return EXIT_USAGE;
    }
    struct casehook_outbox *outbox = outbox_open(&arguments, NULL, NULL);
    code = outbox ? put(outbox, &arguments, &notification) : EXIT_OTHER;
    casehook_outbox_close(outbox);
    return code;
}
