/* casehook_member.c - looks through the text of an object, one member after the other. */
#include "casehook_member.h"

#include <string.h>

/* A member: from its name to behind its value. */
struct member {
    size_t begin, end;
    struct piece name, value;
};

static size_t skip_space(struct piece json, size_t at)
{
    while (at < json.length && memchr(" \t\r\n", json.text[at], 4)) at++;
    return at;
}

/* Where the string that begins at at ends; behind its quote. */
static size_t skip_string(struct piece json, size_t at)
{
    for (at++; at < json.length && json.text[at] != '"'; at++)
        if (json.text[at] == '\\') at++;
    return at < json.length ? at + 1 : json.length;
}

/* Behind the value that begins at at. */
static size_t skip_value(struct piece json, size_t at)
{
    size_t depth = 0;
    while (at < json.length) {
        char c = json.text[at];
        if (depth == 0 && memchr(",}] \t\r\n", c, 7)) break;
        if (c == '{' || c == '[') depth++;
        if (c == '}' || c == ']') depth--;
        at = c == '"' ? skip_string(json, at) : at + 1;
        if (depth == 0 && (c == '}' || c == ']')) break;
    }
    return at;
}

/* Behind the brace that opens the object; 0: it is none. */
static size_t open_object(struct piece json)
{
    bool mark = json.length >= 3 && memcmp(json.text, "\xEF\xBB\xBF", 3) == 0;
    size_t at = skip_space(json, mark ? 3 : 0);
    return at < json.length && json.text[at] == '{' ? at + 1 : 0;
}

/* The member at at, or behind the comma there; false when there is none. */
static bool next_member(struct piece json, size_t at, struct member *member)
{
    at = skip_space(json, at);
    if (at < json.length && json.text[at] == ',') at = skip_space(json, at + 1);
    if (at >= json.length || json.text[at] != '"') return false;
    member->begin = at;
    at = skip_string(json, at);
    member->name = (struct piece){json.text + member->begin + 1, at - member->begin - 2};
    at = skip_space(json, at);
    if (at >= json.length || json.text[at] != ':') return false;
    at = skip_space(json, at + 1);
    member->end = skip_value(json, at);
    member->value = (struct piece){json.text + at, member->end - at};
    return member->end > at;
}

static bool is_called(struct piece name, const char *wanted)
{
    return wanted && name.length == strlen(wanted) && !memcmp(name.text, wanted, name.length);
}

struct piece member_find(struct piece object, const char *name)
{
    struct member member;
    size_t at = open_object(object);
    while (at && next_member(object, at, &member)) {
        if (is_called(member.name, name)) return member.value;
        at = member.end;
    }
    return (struct piece){NULL, 0};
}

struct piece member_case(struct piece params)
{
    struct piece incident = member_find(params, "incident");
    return incident.text && *incident.text == '{' ? incident : params;
}

bool member_is_text(struct piece value)
{
    return value.length > 2 && *value.text == '"';
}

bool member_is_list(struct piece value)
{
    if (!value.text || *value.text != '[') return false;
    size_t at = skip_space(value, 1);
    return at < value.length && value.text[at] != ']';
}

bool member_is_object(struct piece text)
{
    struct member member;
    size_t at = skip_space(text, 0);
    if (at >= text.length || text.text[at] != '{' || memchr(text.text, '\0', text.length)) return false;
    for (at++; next_member(text, at, &member); at = member.end)
        ;
    at = skip_space(text, at);
    return at < text.length && text.text[at] == '}' && skip_space(text, at + 1) == text.length;
}

void member_put(FILE *out, struct piece params, const char *resume, const char *key)
{
    struct member member;
    size_t begin = open_object(params), at = begin, members = 0;
    fwrite(params.text, 1, begin, out);
    if (begin && resume) fprintf(out, "\"resume\":%s", resume), members++;
    if (begin && key) fprintf(out, "%s\"idempotencyKey\":%s", members++ ? "," : "", key);
    while (members && next_member(params, at, &member)) {
        bool replaced =
            (resume && is_called(member.name, "resume")) || (key && is_called(member.name, "idempotencyKey"));
        if (!replaced) {
            putc(',', out);
            fwrite(params.text + member.begin, 1, member.end - member.begin, out);
        }
        at = member.end;
    }
    /* What is not understood stays as it is, for the library to say what is wrong with it. */
    size_t rest = members ? skip_space(params, at) : at;
    if (members && rest < params.length && !memchr(",}", params.text[rest], 2)) putc(',', out);
    fwrite(params.text + rest, 1, params.length - rest, out);
}
