/* casehook_init.c - which document is written, what is set in it, and what is still to be done. */
#include "casehook_init.h"

#include "casehook_gallery.h"
#include "casehook_init_request.h"
#include "casehook_print.h"
#include "casehook_text.h"

#include <casehook.h>
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- texts of the document --------------------------------------------------------------------- */

/* How a text is written where a placeholder stands: in a body it is inside a JSON string, in a URL inside a
 * path. */
static bool write_filling(FILE *out, const char *text, const char *field)
{
    size_t length = strlen(field);
    bool body = length > 4 && !strcmp(field + length - 4, "Json"),
         url = length > 3 && !strcmp(field + length - 3, "Url");
    char *json = NULL;
    size_t size = 0;
    if (body) {
        FILE *quoted = open_memstream(&json, &size);
        if (!quoted) return false;
        write_json_string(quoted, text, strlen(text));
        if (!fclose(quoted) && size >= 2) fwrite(json + 1, 1, size - 2, out);
        free(json);
        return true;
    }
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (url && (byte <= ' ' || byte >= 127 || strchr("\"#%<>?\\^`{|}", byte)))
            fprintf(out, "%%%02X", byte);
        else
            putc(byte, out);
    }
    return true;
}

/* Replaces word in all texts below value; the number of places, or -1 without memory. */
static int fill(json_t *value, const char *field, const char *word, const char *text)
{
    const char *name, *at, *from = json_string_value(value);
    json_t *member;
    size_t index, size = 0;
    int count = 0, inner;
    char *made = NULL;
    if (json_is_object(value))
        json_object_foreach(value, name, member) {
            if ((inner = fill(member, name, word, text)) < 0) return -1;
            count += inner;
        }
    if (json_is_array(value))
        json_array_foreach(value, index, member) {
            if ((inner = fill(member, field, word, text)) < 0) return -1;
            count += inner;
        }
    if (!from || !*word || !strstr(from, word)) return count;
    FILE *out = open_memstream(&made, &size);
    if (!out) return -1;
    for (; (at = strstr(from, word)); from = at + strlen(word), count++) {
        fwrite(from, 1, (size_t)(at - from), out);
        if (!write_filling(out, text, field)) count = -1;
    }
    fputs(from, out);
    if (fclose(out) || json_string_setn(value, made, size)) count = -1;
    free(made);
    return count;
}

static int set_field(json_t *document, const char *name, json_t *value, struct trouble *trouble)
{
    bool secret = !strncmp(name, "secrets.", 8), plain = !strncmp(name, "config.", 7);
    json_t *object = json_object_get(document, secret ? "secrets" : "config");
    const char *dot;
    for (name += secret  ? 8
                 : plain ? 7
                         : 0;
         (dot = strchr(name, '.')); name = dot + 1) { /* secrets.secretHeaders.X */
        json_t *inner = json_object_getn(object, name, (size_t)(dot - name));
        if (!inner && json_object_setn_new(object, name, (size_t)(dot - name), inner = json_object()))
            inner = NULL; /* below a text there are no members; it is freed */
        object = inner;
    }
    if (!json_object_set_new(object, name, value)) return 0; /* which frees the value either way */
    return trouble_set(trouble, CASEHOOK_E_CONFIG, "set", "--set %s: it cannot be set there", name);
}

/* NAME=TEXT or NAME:=JSON; a word of the document that is no field is replaced. */
static int set(json_t *document, const char *option, struct trouble *trouble)
{
    char name[256];
    const char *value = strchr(option, '=');
    bool raw = value && value > option && value[-1] == ':';
    size_t length = value ? (size_t)(value - option) - raw : 0;
    if (length == 0 || length >= sizeof name)
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "set", "--set wants NAME=TEXT or NAME:=JSON");
    memcpy(name, option, length);
    name[length] = '\0';
    value++;
    if (!raw && strncmp(name, "secrets.", 8) && strncmp(name, "config.", 7) &&
        !json_object_get(json_object_get(document, "config"), name)) {
        int count = fill(document, "", name, value);
        if (count < 0)
            return trouble_set(trouble, CASEHOOK_E_CONFIG, "set", "--set %s: out of memory, or no UTF-8",
                               name);
        if (count > 0) return 0;
    }
    json_t *set_value = raw ? json_loads(value, JSON_DECODE_ANY, NULL) : json_string(value);
    if (!set_value)
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "set", "--set %s: that is not %s", name,
                           raw ? "JSON" : "UTF-8");
    return set_field(document, name, set_value, trouble);
}

/* ---- the gallery ------------------------------------------------------------------------------- */

static const struct gallery_entry *find_tracker(const char *name)
{
    for (size_t i = 0; i < casehook_gallery_count; i++)
        if (!strcasecmp(casehook_gallery[i].name, name)) return &casehook_gallery[i];
    return NULL;
}

static void list_trackers(void)
{
    for (size_t i = 0; i < casehook_gallery_count; i++)
        printf("%-18s %s\n", casehook_gallery[i].name, casehook_gallery[i].title);
}

/* Whether a word of the row is still in the document; a row without words is about values that may fit. */
static bool is_open(const char *words, const char *json)
{
    char word[128];
    if (!*words) return true;
    while (*words) {
        size_t length = strcspn(words, " ");
        if (length < sizeof word) {
            memcpy(word, words, length);
            word[length] = '\0';
            if (strstr(json, word)) return true;
        }
        words += length + (words[length] == ' ');
    }
    return false;
}

static void say_open(const struct gallery_entry *entry, const char *json)
{
    const char *before = "casehook: to fill in, or to look at\n";
    for (size_t i = 0; i < entry->fill_count; i++) {
        if (!is_open(entry->fill[i].words, json)) continue;
        fprintf(stderr, "%s  %s: %s\n", before, entry->fill[i].place, entry->fill[i].what);
        before = "";
    }
}

/* A segment of the gallery's path fits any other where it is to be filled in. */
static bool fits(const char *path, const char *url)
{
    for (;;) {
        size_t length = strcspn(path, "/?"), other = strcspn(url, "/?");
        if (strncmp(path, "YOUR-", 5) && (length != other || strncmp(path, url, length))) return false;
        path += length;
        url += other;
        if (*path != '/' || *url != '/') return *path != '/' && *url != '/';
        path++;
        url++;
    }
}

static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    return path ? path + 1 : "";
}

/* Somebody has made the document already. */
static void say_known(const char *url)
{
    for (size_t i = 0; i < casehook_gallery_count; i++) {
        json_t *document = json_loadb(casehook_gallery[i].json, casehook_gallery[i].length, 0, NULL);
        const char *known =
            json_string_value(json_object_get(json_object_get(document, "config"), "createIncidentUrl"));
        if (known && *path_of(known) && fits(path_of(known), path_of(url)))
            fprintf(stderr,
                    "casehook: this looks like %s, for which there is a whole document: casehook init "
                    "--tracker %s\n",
                    casehook_gallery[i].title, casehook_gallery[i].name);
        json_decref(document);
    }
}

/* ---- which document ---------------------------------------------------------------------------- */

static json_t *from_tracker(const struct arguments *arguments, const struct gallery_entry **entry,
                            struct trouble *trouble)
{
    *entry = find_tracker(arguments->tracker);
    if (!*entry) {
        trouble_set(trouble, CASEHOOK_E_CONFIG, "tracker",
                    "there is no document for \"%s\"; casehook init lists them", arguments->tracker);
        return NULL;
    }
    return json_loadb((*entry)->json, (*entry)->length, 0, NULL);
}

static json_t *from_curl(const struct arguments *arguments, struct trouble *trouble)
{
    struct curl_command command = {.url = NULL};
    struct document input = {NULL, 0};
    json_t *document = NULL;
    char *text = NULL;
    int status = 0;
    if (!strcmp(arguments->from_curl, "-")) {
        status = input_file("-", "from-curl", CASEHOOK_E_CONFIG, &input, trouble);
        text = status ? NULL : strndup(input.text ? input.text : "", input.length);
    }
    if (!status) status = command_read(text ? text : arguments->from_curl, &command, trouble);
    if (!status) {
        say_known(command.url);
        document = request_document(arguments, &command, trouble);
    }
    document_free(&(struct document){text, text ? strlen(text) : 0});
    document_free(&input);
    command_free(&command);
    return document;
}

static json_t *from_url(const struct arguments *arguments, struct trouble *trouble)
{
    static char body[] = "{\"title\": \"{{{case.title}}}\", \"description\": \"{{{case.description}}}\"}";
    struct arguments sample = *arguments;
    const struct curl_command command = {.url = (char *)(uintptr_t)arguments->url, .body = body};
    sample.title = "{{{case.title}}}";
    sample.description = "{{{case.description}}}";
    return request_document(&sample, &command, trouble);
}

static int put_ca(json_t *document, const char *path, struct trouble *trouble)
{
    struct document file = {NULL, 0};
    if (!path) return 0;
    int status = input_file(path, "ca", CASEHOOK_E_CONFIG, &file, trouble);
    if (!status) status = set_field(document, "ca", json_stringn(file.text, file.length), trouble);
    document_free(&file);
    return status;
}

/* Prints it, and what the library says of it. */
static int finish(const struct arguments *arguments, json_t *document, const struct gallery_entry *entry)
{
    struct casehook_error *error = NULL;
    struct casehook_settings *settings = NULL;
    struct document json = {NULL, 0};
    if (input_dump(document, JSON_INDENT(2) | JSON_REAL_PRECISION(15), &json)) return EXIT_OTHER;
    int status = casehook_settings_new(NULL, &settings);
    if (!status) status = casehook_connector_check(settings, json.text, json.length, &error);
    /* As it is, a document of the gallery has a layout for people. */
    bool as_it_is = entry && !arguments->sets.count && !arguments->ca;
    bool printed =
        as_it_is ? fwrite(entry->json, 1, entry->length, stdout) == entry->length : puts(json.text) >= 0;
    if (entry) say_open(entry, json.text);
    if (error) print_faults(arguments, "the document", error);
    fputs(status ? "casehook: the document has faults, see above\n"
                 : "casehook: next: casehook preview --connector FILE --title T --description D, then "
                   "create; the file holds secrets\n",
          stderr);
    document_free(&json);
    casehook_settings_free(settings);
    casehook_error_free(error);
    if (!printed) return EXIT_OTHER;
    return status ? EXIT_CONFIG : EXIT_OK;
}

int init_run(const struct arguments *arguments)
{
    const struct gallery_entry *entry = NULL;
    struct trouble trouble = {0};
    json_t *document = NULL;
    int code = EXIT_CONFIG;
    if (!arguments->tracker && !arguments->from_curl && !arguments->url) {
        list_trackers();
        return EXIT_OK;
    }
    document = arguments->tracker     ? from_tracker(arguments, &entry, &trouble)
               : arguments->from_curl ? from_curl(arguments, &trouble)
                                      : from_url(arguments, &trouble);
    if (!document && !trouble.status) trouble_set(&trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
    if (!trouble.status) put_ca(document, arguments->ca, &trouble);
    for (size_t i = 0; i < arguments->sets.count && !trouble.status; i++)
        set(document, arguments->sets.items[i], &trouble);
    if (trouble.status)
        print_trouble(arguments, &trouble);
    else
        code = finish(arguments, document, entry);
    json_decref(document);
    return code;
}
