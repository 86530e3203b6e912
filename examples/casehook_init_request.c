/* casehook_init_request.c - what one request says of a tracker, and what has to be guessed of the others. */
#include "casehook_init_request.h"

#include "casehook_init_body.h"
#include "casehook_text.h"

#include <casehook.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ID "{{{external.system.id}}}"

/* ---- the URLs ---------------------------------------------------------------------------------- */

static void say(const char *field, const char *text, const char *why)
{
    fprintf(stderr, "casehook: %s is ", field);
    print_clean(stderr, text, strlen(text));
    fprintf(stderr, "%s\n", why);
}

/* Whether --set gives the field a value. */
static bool is_set(const struct arguments *arguments, const char *field)
{
    size_t length = strlen(field);
    for (size_t i = 0; i < arguments->sets.count; i++) {
        const char *set = arguments->sets.items[i];
        if (!strncmp(set, "config.", 7)) set += 7;
        if (!strncmp(set, field, length) && (set[length] == '=' || !strncmp(set + length, ":=", 2)))
            return true;
    }
    return false;
}

/* The URL of one case: behind the path, in front of ".json" and of a query. */
static char *url_of_case(const char *url, bool for_people)
{
    char *made = NULL;
    size_t size = 0, length = strcspn(url, "?#"), path;
    bool json = length > 5 && !strncmp(url + length - 5, ".json", 5);
    FILE *out = open_memstream(&made, &size);
    if (!out) return NULL;
    path = json ? length - 5 : length;
    while (path && url[path - 1] == '/') path--;
    fprintf(out, "%.*s/" ID "%s%s", (int)path, url, json && !for_people ? ".json" : "",
            for_people ? "" : url + length);
    if (!fclose(out)) return made;
    free(made);
    return NULL;
}

static bool put_urls(json_t *config, const struct arguments *arguments, const char *url)
{
    char *of_case = url_of_case(url, false), *shown = url_of_case(url, true);
    bool put = of_case && shown && !json_object_set_new(config, "createIncidentUrl", json_string(url)) &&
               !json_object_set_new(config, "getIncidentUrl", json_string(of_case)) &&
               !json_object_set_new(config, "viewIncidentUrl", json_string(shown)) &&
               !json_object_set_new(config, "updateIncidentUrl", json_string(of_case));
    if (put && !(is_set(arguments, "getIncidentUrl") && is_set(arguments, "updateIncidentUrl")))
        say("the URL of a case", of_case, ": a guess, for getIncidentUrl and updateIncidentUrl");
    if (put && !is_set(arguments, "viewIncidentUrl"))
        say("viewIncidentUrl", shown, ": a guess, the page for people");
    free(of_case);
    free(shown);
    return put;
}

/* ---- secrets of the query ---------------------------------------------------------------------- */

static bool is_secret_parameter(const char *name)
{
    static const char *const ends[] = {"key", "token", "secret", "password", "passwd"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        const char *before = name + length - end;
        if (length < end || strcasecmp(before, ends[i])) continue;
        /* "key" and "apiKey", but no "projectKey". */
        return i > 0 || before == name || (length > end + 2 && !strncasecmp(name, "api", 3));
    }
    return false;
}

/* What a part of a query means, to be freed. */
static char *decoded(const char *from, size_t length)
{
    char *text = malloc(length + 1), *to = text;
    for (const char *end = from + length; text && from < end; from++) {
        bool escaped = *from == '%' && end - from > 2 && isxdigit((unsigned char)from[1]) &&
                       isxdigit((unsigned char)from[2]);
        if (escaped) {
            const char digits[] = {from[1], from[2], '\0'};
            *to++ = (char)strtoul(digits, NULL, 16);
            from += 2;
        } else
            *to++ = *from == '+' ? ' ' : *from;
    }
    if (text) *to = '\0';
    return text;
}

/* Takes them out of the URL, to where they are kept out of what people read. */
static bool take_secrets(json_t *secrets, char *url)
{
    size_t path = strcspn(url, "?#");
    if (url[path] != '?') return true;
    char *query = url + path + 1, *to = query, *end = query + strcspn(query, "#");
    json_t *taken = json_object();
    bool done = taken != NULL;
    for (const char *at = query; at < end && done;) {
        size_t length = strcspn(at, "&#"), before = strcspn(at, "=&#");
        char *name = decoded(at, before);
        char *value = decoded(at + before + (before < length), length - before - (before < length));
        done = name && value;
        if (done && *value && is_secret_parameter(name)) {
            done = !json_object_set_new(taken, name, json_string(value));
        } else if (done) {
            if (to > query) *to++ = '&';
            memmove(to, at, length);
            to += length;
        }
        free(name);
        free(value);
        at += length + (at[length] == '&');
    }
    memmove(to == query ? to - 1 : to, end, strlen(end) + 1);
    if (done && json_object_size(taken)) {
        done = !json_object_set(secrets, "secretQuery", taken);
        fputs("casehook: a secret of the query goes into secrets.secretQuery: every URL will have it\n",
              stderr);
    }
    json_decref(taken);
    return done;
}

/* ---- headers and login ------------------------------------------------------------------------- */

static bool is_secret(const char *name, size_t length)
{
    static const char *const words[] = {"auth", "token", "key", "secret", "password", "cookie", "session"};
    char lower[64] = "";
    for (size_t i = 0; i < length && i < sizeof lower - 1; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(lower, words[i])) return true;
    return false;
}

/* The library sends these itself. */
static bool is_usual(const char *name, size_t length, const char *value)
{
    bool json = !strncasecmp(value, "application/json", 16) && (!value[16] || strchr("; ", value[16]));
    if (length == 12 && !strncasecmp(name, "Content-Type", 12)) return json;
    if (length == 6 && !strncasecmp(name, "Accept", 6)) return json || !strcmp(value, "*/*");
    return (length == 4 && !strncasecmp(name, "Host", 4)) ||
           (length == 14 && !strncasecmp(name, "Content-Length", 14)) ||
           (length == 6 && !strncasecmp(name, "Expect", 6));
}

static bool put_headers(json_t *config, json_t *secrets, const struct curl_command *command)
{
    json_t *plain = json_object(), *secret = json_object();
    bool put = plain && secret;
    for (size_t i = 0; i < command->header_count && put; i++) {
        const char *header = command->headers[i], *value = strchr(header, ':');
        if (!value) continue;
        size_t length = (size_t)(value - header);
        value += 1 + strspn(value + 1, " \t");
        if (is_usual(header, length, value)) continue;
        put = !json_object_setn_new(is_secret(header, length) ? secret : plain, header, length,
                                    json_string(value));
    }
    if (put && json_object_size(plain)) put = !json_object_set(config, "headers", plain);
    if (put && json_object_size(secret)) put = !json_object_set(secrets, "secretHeaders", secret);
    json_decref(plain);
    json_decref(secret);
    return put;
}

/* The text of a certificate's file, as the document holds it. */
static int put_file(json_t *object, const char *field, const char *path, struct trouble *trouble)
{
    struct document document = {NULL, 0};
    if (!path) return 0;
    int status = input_file(path, field, CASEHOOK_E_CONFIG, &document, trouble);
    if (!status && json_object_set_new(object, field, json_stringn(document.text, document.length)))
        status = trouble_set(trouble, CASEHOOK_E_CONFIG, field, "the file \"%s\" is not text: give it as PEM",
                             path);
    document_free(&document);
    return status;
}

static bool put_login(json_t *config, json_t *secrets, const struct curl_command *command)
{
    const char *user = command->user, *colon = user ? strchr(user, ':') : NULL;
    bool login = user || command->cert;
    bool put = !json_object_set_new(config, "hasAuth", json_boolean(login));
    if (put && login) put = !json_object_set_new(config, "authType", json_string(user ? "basic" : "ssl"));
    if (put && !user && command->cert) put = !json_object_set_new(config, "certType", json_string("crt"));
    if (put && user)
        put = !json_object_set_new(secrets, "user",
                                   json_stringn(user, colon ? (size_t)(colon - user) : strlen(user))) &&
              !json_object_set_new(secrets, "password", json_string(colon ? colon + 1 : "YOUR-PASSWORD"));
    if (put && command->insecure) put = !json_object_set_new(config, "verificationMode", json_string("none"));
    if (command->insecure)
        fputs("casehook: verificationMode is none, as -k says: anybody in between can read the login; better "
              "give the CA (--ca FILE)\n",
              stderr);
    return put;
}

static int put_trust(json_t *config, json_t *secrets, const struct curl_command *command,
                     struct trouble *trouble)
{
    int status = put_file(config, "ca", command->ca, trouble);
    if (!status && !command->user) status = put_file(secrets, "crt", command->cert, trouble);
    if (!status && !command->user) status = put_file(secrets, "key", command->key, trouble);
    return status;
}

/* ---- the body and its answer ------------------------------------------------------------------- */

static bool put_keys(json_t *config, const struct arguments *arguments, const struct body_template *made)
{
    char id[256];
    snprintf(id, sizeof id, "%s%sid", made->wrapper ? made->wrapper : "", made->wrapper ? "." : "");
    const char *title = made->title_key ? made->title_key : "title";
    if (!is_set(arguments, "createIncidentResponseKey"))
        say("createIncidentResponseKey", id, ": a guess; where the id is in the answer");
    if (!is_set(arguments, "getIncidentResponseExternalTitleKey"))
        say("getIncidentResponseExternalTitleKey", title,
            ": a guess; where the title is, when the case is read");
    return !json_object_set_new(config, "createIncidentResponseKey", json_string(id)) &&
           !json_object_set_new(config, "getIncidentResponseExternalTitleKey", json_string(title));
}

static int put_body(json_t *config, const struct arguments *arguments, const struct curl_command *command,
                    struct trouble *trouble)
{
    const struct body_sample sample = {arguments->title, arguments->description, arguments->severity,
                                       arguments->id};
    struct body_template made = {.create = NULL};
    json_error_t error;
    json_t *body = json_loads(command->body, JSON_REJECT_DUPLICATES, &error);
    int status = 0;
    if (!body)
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                           "the body is not JSON: line %d, column %d of it", error.line, error.column);
    const char *method = command->method && strcasecmp(command->method, "POST") ? command->method : "post";
    bool put = body_make(body, &sample, &made) &&
               !json_object_set_new(config, "createIncidentMethod", json_string(method)) &&
               !json_object_set_new(config, "createIncidentJson", json_string(made.create)) &&
               !json_object_set_new(config, "updateIncidentMethod", json_string("put")) &&
               !json_object_set_new(config, "updateIncidentJson",
                                    json_string(made.update ? made.update : made.create)) &&
               put_keys(config, arguments, &made);
    if (put && !(made.title && made.description))
        put = !json_object_set_new(config, "strict", json_string("names"));
    if (!put) status = trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
    if (!made.title && put)
        fputs("casehook: no title in the body: give the text that the sample has, with --title\n", stderr);
    body_free(&made);
    json_decref(body);
    return status;
}

json_t *request_document(const struct arguments *arguments, const struct curl_command *command,
                         struct trouble *trouble)
{
    json_t *config = json_object(), *secrets = json_object();
    json_t *document = json_pack("{s:o?, s:o?}", "config", config, "secrets", secrets);
    int status =
        document && config && secrets ? 0 : trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
    const char *host = strstr(command->url, "://");
    if (!status && host && memchr(host, '@', strcspn(host + 3, "/?#") + 3))
        status = trouble_set(trouble, CASEHOOK_E_CONFIG, "url",
                             "the URL holds a login, in front of its @: give it with -u USER:PASSWORD");
    char *url = strdup(command->url);
    if (!status && (!url || !put_login(config, secrets, command) || !put_headers(config, secrets, command) ||
                    !take_secrets(secrets, url) || !put_urls(config, arguments, url)))
        status = trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory, or text that is no UTF-8");
    free(url);
    if (!status) status = put_trust(config, secrets, command, trouble);
    if (!status) status = put_body(config, arguments, command, trouble);
    if (!status) return document;
    json_decref(document);
    return NULL;
}
