/* casehook_init_body.c - finds the text of the case in a sample body, and puts variables there. */
#include "casehook_init_body.h"
#include "casehook_input.h"
#include "casehook_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32 /* of a sample; jansson bounds what it reads */

/* Names of members that usually hold it, the surest first. */
static const char *const title_names[] = {"title",    "summary", "subject", "short_description",
                                          "headline", "Title",   "Subject", "message",
                                          "name",     NULL};
static const char *const description_names[] = {
    "description", "body", "markdown_content", "content", "notes",   "note", "details", "comment",
    "article",     "text", "Content",          "Body",    "message", NULL};
/* Where the text is, in a member that is an object. */
static const char *const inner_names[] = {"body", "text", "content", "html_body", "details", "value", NULL};

#define VARIABLE(name) "{{{case." name "}}}"

struct walk {
    const char *path[2 * DEPTH_MAX];
    size_t depth;
    const char *sought, *variable;
    unsigned put;
};

static void say_path(const struct walk *walk, const char *what)
{
    fputs("casehook:   ", stderr);
    for (size_t i = 0; i < walk->depth; i++) {
        if (i && walk->path[i]) putc('.', stderr);
        if (walk->path[i])
            print_clean(stderr, walk->path[i], strlen(walk->path[i]));
        else
            fputs("[]", stderr);
    }
    fprintf(stderr, " %s", what);
}

/* ---- where the text of the sample is ----------------------------------------------------------- */

/* text with each sought in it replaced; NULL: it is not in it, or no memory. */
static char *replaced(const char *text, const char *sought, const char *with)
{
    char *made = NULL;
    size_t length = 0;
    if (!*sought || !strstr(text, sought)) return NULL;
    FILE *out = open_memstream(&made, &length);
    if (!out) return NULL;
    for (const char *at; (at = strstr(text, sought)); text = at + strlen(sought)) {
        fwrite(text, 1, (size_t)(at - text), out);
        fputs(with, out);
    }
    fputs(text, out);
    if (fclose(out)) {
        free(made);
        return NULL;
    }
    return made;
}

/* Shown to visit: all that is neither an object nor a list, with the path to it. */
static void go_through(struct walk *walk, json_t *value, void (*visit)(struct walk *walk, json_t *value))
{
    const char *name;
    json_t *member;
    size_t index;
    if (walk->depth == DEPTH_MAX) return;
    if (!json_is_object(value) && !json_is_array(value)) {
        visit(walk, value);
        return;
    }
    walk->depth++;
    json_object_foreach(value, name, member) {
        walk->path[walk->depth - 1] = name;
        go_through(walk, member, visit);
    }
    json_array_foreach(value, index, member) {
        walk->path[walk->depth - 1] = NULL;
        go_through(walk, member, visit);
    }
    walk->depth--;
}

static void put_sample(struct walk *walk, json_t *value)
{
    char *made =
        json_is_string(value) ? replaced(json_string_value(value), walk->sought, walk->variable) : NULL;
    if (!made) return;
    json_string_set(value, made);
    free(made);
    say_path(walk, "is ");
    fprintf(stderr, "%s\n", walk->variable);
    walk->put++;
}

/* ---- where names say that it is ---------------------------------------------------------------- */

static json_t *inner_text(json_t *value, size_t depth)
{
    json_t *found = NULL;
    size_t index;
    json_t *item;
    if (json_is_string(value)) return value;
    if (depth == 0) return NULL;
    if (json_is_array(value))
        json_array_foreach(value, index, item)
            if (!found) found = inner_text(item, depth - 1);
    for (size_t i = 0; json_is_object(value) && inner_names[i] && !found; i++)
        found = inner_text(json_object_get(value, inner_names[i]), depth - 1);
    return found;
}

/* A member of this name, the outermost first; "name" is often that of another thing when it lies deep. */
static json_t *find_named(json_t *value, const char *name, size_t depth)
{
    const char *key;
    json_t *member, *found;
    if (!json_is_object(value)) return NULL;
    found = inner_text(json_object_get(value, name), 8);
    if (found && !strstr(json_string_value(found), "{{{case.")) return found;
    found = NULL;
    if (depth > 1)
        json_object_foreach(value, key, member)
            if (!found) found = find_named(member, name, depth - 1);
    return found;
}

static bool put_named(json_t *body, const char *const *names, const char *variable)
{
    for (size_t i = 0; names[i]; i++) {
        json_t *found = find_named(body, names[i], strcmp(names[i], "name") ? 6 : 2);
        if (!found) continue;
        fprintf(stderr, "casehook:   %s is %s, for its name says so\n", names[i], variable);
        json_string_set(found, variable);
        return true;
    }
    return false;
}

static bool put(json_t *body, const char *sample, const char *variable, const char *const *names)
{
    struct walk walk = {.sought = sample, .variable = variable};
    if (sample) go_through(&walk, body, put_sample);
    if (sample && !walk.put) {
        fputs("casehook:   not found in the body: ", stderr);
        print_clean(stderr, sample, strlen(sample));
        putc('\n', stderr);
    }
    return walk.put || (!sample && names && put_named(body, names, variable));
}

/* What stays as it is, for the reader to judge. */
static void say_constants(struct walk *walk, json_t *value)
{
    if (json_is_string(value) && strstr(json_string_value(value), "{{{")) return;
    struct document shown = {NULL, 0};
    if (!input_dump(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15), &shown)) {
        say_path(walk, "stays ");
        print_clean(stderr, shown.text, shown.length);
        putc('\n', stderr);
    }
    document_free(&shown);
}

/* ---- the templates ----------------------------------------------------------------------------- */

static bool holds(json_t *value, const char *text)
{
    const char *name;
    json_t *member;
    size_t index;
    bool has = json_is_string(value) && strstr(json_string_value(value), text);
    if (json_is_object(value))
        json_object_foreach(value, name, member) has = has || holds(member, text);
    if (json_is_array(value))
        json_array_foreach(value, index, member) has = has || holds(member, text);
    return has;
}

static bool has_variable(json_t *value)
{
    return holds(value, "{{{");
}

static bool is_text_name(const char *name)
{
    for (size_t i = 0; description_names[i]; i++)
        if (!strcmp(description_names[i], name)) return true;
    return false;
}

/* Removes what holds no variable; a description that is a document of its own stays whole. */
static void prune(json_t *object)
{
    const char *name;
    json_t *member;
    void *next;
    json_object_foreach_safe(object, next, name, member)
    {
        if (!has_variable(member))
            json_object_del(object, name);
        else if (json_is_object(member) && !is_text_name(name))
            prune(member);
    }
}

/* What an update need not have, and the members between which dump() puts it into a section. */
static const struct {
    const char *variable, *begin, *end;
} optional[] = {
    {VARIABLE("description"), "\001#case.description", "\001/case.description"},
    {VARIABLE("severity"), "\001#case.severity", "\001/case.severity"},
};

/* The first one that the member is about, or -1; what has the title too is about more. */
static int about(json_t *member)
{
    if (!holds(member, VARIABLE("title")))
        for (size_t i = 0; i < sizeof optional / sizeof *optional; i++)
            if (holds(member, optional[i].variable)) return (int)i;
    return -1;
}

/*
 * An update that is not given a description leaves it alone: its members come last, where a section can begin
 * with their comma.  False: out of memory.
 */
static bool guard(json_t *object)
{
    const char *name;
    json_t *member;
    void *next;
    size_t others = 0;
    bool good = true;
    json_object_foreach(object, name, member) {
        others += about(member) < 0;
        if (json_is_object(member) && about(member) < 0) good = guard(member) && good;
    }
    for (int i = 0; others && i < (int)(sizeof optional / sizeof *optional); i++) {
        json_t *moved = json_object();
        json_object_foreach_safe(object, next, name, member)
        {
            if (about(member) != i) continue;
            good = !json_object_set(moved, name, member) && good;
            json_object_del(object, name);
        }
        if (moved && json_object_size(moved))
            good = !json_object_set_new(object, optional[i].begin, json_null()) &&
                   !json_object_update(object, moved) &&
                   !json_object_set_new(object, optional[i].end, json_null()) && good;
        good = moved && good;
        json_decref(moved);
    }
    return good;
}

/* Alone in its quotes, a variable is better without them: they belong to the value. */
static char *dump(const json_t *value)
{
    static const char mark[] = ", \"\\u0001", after[] = "\": null";
    struct document document = {NULL, 0};
    if (input_dump(value, JSON_REAL_PRECISION(15), &document)) {
        document_free(&document);
        return NULL;
    }
    char *text = document.text, *to = text;
    for (const char *from = text; *from;) {
        size_t length = strncmp(from, "\"{{{case.", 9) ? 0 : strcspn(from + 1, "}") + 4;
        const char *end = strncmp(from, mark, sizeof mark - 1) ? NULL : strstr(from, after);
        if (end) { /* a mark of guard(), which is longer than its tag */
            from += sizeof mark - 1;
            size_t name = (size_t)(end - from);
            memcpy(to, "{{", 2);
            memmove(to + 2, from, name);
            memcpy(to + 2 + name, "}}", 2);
            to += name + 4;
            from = end + sizeof after - 1;
            continue;
        }
        if (length && !strncmp(from + length - 3, "}}}", 3) && from[length] == '"') {
            memmove(to, from + 1, length - 1);
            to += length - 1;
            from += length + 1;
        } else
            *to++ = *from++;
    }
    *to = '\0';
    return text;
}

/* The path of the title, as a key of an answer has it. */
static bool find_title(json_t *value, FILE *out, size_t depth)
{
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member) {
        bool here = json_is_string(member) && strstr(json_string_value(member), VARIABLE("title"));
        if (!here && !(json_is_object(member) && depth && has_variable(member))) continue;
        long before = ftell(out);
        fprintf(out, "%s%s", before ? "." : "", name);
        if (here || find_title(member, out, depth - 1)) return true;
        if (fseek(out, before, SEEK_SET)) return false;
    }
    return false;
}

static bool name_title(json_t *body, struct body_template *made)
{
    size_t length = 0;
    FILE *out = open_memstream(&made->title_key, &length);
    if (!out) return false;
    bool found = json_is_object(body) && find_title(body, out, 8);
    long end = ftell(out);
    if (fclose(out)) return false;
    if (found && end >= 0) made->title_key[end] = '\0';
    if (!found) {
        free(made->title_key);
        made->title_key = NULL;
    }
    return true;
}

bool body_make(json_t *body, const struct body_sample *sample, struct body_template *made)
{
    struct walk walk = {.depth = 0};
    *made = (struct body_template){.create = NULL};
    fputs("casehook: in the body\n", stderr);
    /* The longer text first: it may hold the other one. */
    bool first = sample->title && sample->description && strlen(sample->description) > strlen(sample->title);
    if (first) made->description = put(body, sample->description, VARIABLE("description"), NULL);
    made->title = put(body, sample->title, VARIABLE("title"), title_names);
    if (!first)
        made->description = put(body, sample->description, VARIABLE("description"), description_names);
    if (sample->severity) put(body, sample->severity, VARIABLE("severity"), NULL);
    if (sample->id) put(body, sample->id, VARIABLE("id"), NULL);
    go_through(&walk, body, say_constants);
    made->create = dump(body);
    if (!made->create || !name_title(body, made)) return false;
    if (json_object_size(body) == 1) {
        const char *only = json_object_iter_key(json_object_iter(body));
        if (json_is_object(json_object_get(body, only)) && strcmp(only, "fields") && strcmp(only, "input"))
            made->wrapper = strdup(only);
    }
    if (json_is_object(body) && has_variable(body)) {
        prune(body);
        if (guard(body)) made->update = dump(body);
        return made->update;
    }
    return true;
}

void body_free(struct body_template *made)
{
    free(made->create);
    free(made->update);
    free(made->title_key);
    free(made->wrapper);
}
