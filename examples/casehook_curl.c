/* casehook_curl.c - the words of a shell, and the options of curl that say what is requested. */
#include "casehook_curl.h"

#include <casehook.h>

#include <stdlib.h>
#include <string.h>

/* ---- words ----------------------------------------------------------------------------------- */

struct words {
    char *text; /* one behind the other, each with its end */
    char **items;
    size_t count;
};

/* An escape in $'...': what it means goes to *to. */
static const char *read_ansi(const char *from, char **to)
{
    static const char names[] = "abefnrtv", values[] = "\a\b\033\f\n\r\t\v";
    const char *name = *from ? strchr(names, *from) : NULL;
    if (*from == 'x' && strspn(from + 1, "0123456789abcdefABCDEF") >= 2) {
        char digits[] = {from[1], from[2], '\0'};
        *(*to)++ = (char)strtoul(digits, NULL, 16);
        return from + 3;
    }
    if (!name && *from && !strchr("\\'\"?", *from)) *(*to)++ = '\\';
    if (*from) *(*to)++ = name ? values[name - names] : *from;
    return *from ? from + 1 : from;
}

/* What stands in quotes, behind the first of them; NULL: they are not closed. */
static const char *read_quoted(const char *from, char quote, bool ansi, char **to)
{
    for (; *from != quote; from++) {
        if (!*from) return NULL;
        if (ansi && *from == '\\') {
            from = read_ansi(from + 1, to) - 1;
            continue;
        }
        if (quote == '"' && *from == '\\' && from[1] && strchr("\\\"$`\n", from[1])) {
            if (*++from == '\n') continue;
        }
        *(*to)++ = *from;
    }
    return from + 1;
}

/* One word; it needs no more room than it takes in the text. */
static const char *read_word(const char *from, char **to)
{
    while (from && *from && !strchr(" \t\r\n", *from)) {
        if (*from == '\'' || *from == '"')
            from = read_quoted(from + 1, *from, false, to);
        else if (*from == '$' && from[1] == '\'')
            from = read_quoted(from + 2, '\'', true, to);
        else if (*from == '\\' && from[1]) {
            if (from[1] != '\n') *(*to)++ = from[1];
            from += 2;
        } else
            *(*to)++ = *from++;
    }
    return from;
}

static const char *skip_blanks(const char *from)
{
    for (;;) {
        from += strspn(from, " \t\r\n");
        if (from[0] == '\\' && from[1] == '\n')
            from += 2;
        else if (from[0] == '\\' && from[1] == '\r' && from[2] == '\n')
            from += 3;
        else
            return from;
    }
}

static int read_words(const char *text, struct words *words, struct trouble *trouble)
{
    size_t length = strlen(text);
    words->text = malloc(2 * length + 2);
    words->items = calloc(length + 1, sizeof *words->items);
    if (!words->text || !words->items) return trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
    char *to = words->text;
    for (text = skip_blanks(text); *text; text = skip_blanks(text)) {
        if (*text == '#') { /* a comment, to the end of its line */
            text += strcspn(text, "\n");
            continue;
        }
        if (strchr("|;&<>", *text))
            return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                               "what begins with \"%c\" is not for curl but for a shell: leave it out",
                               *text);
        words->items[words->count++] = to;
        text = read_word(text, &to);
        if (!text)
            return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                               "the command has a quote that is not closed");
        *to++ = '\0';
    }
    return 0;
}

/* ---- options --------------------------------------------------------------------------------- */

/* What becomes of the value of an option; those without use here are read and forgotten. */
enum use {
    USE_NONE,
    USE_METHOD,
    USE_HEADER,
    USE_BODY,
    USE_RAW,
    USE_JSON,
    USE_USER,
    USE_URL,
    USE_BEARER,
    USE_AGENT,
    USE_CA,
    USE_CERT,
    USE_KEY,
    USE_INSECURE,
    USE_REFUSED
};

struct curl_option {
    const char *name;
    char letter;
    bool takes;
    enum use use;
};

static const struct curl_option curl_options[] = {
    {"request", 'X', true, USE_METHOD},
    {"header", 'H', true, USE_HEADER},
    {"data", 'd', true, USE_BODY},
    {"data-ascii", 0, true, USE_BODY},
    {"data-binary", 0, true, USE_BODY},
    {"data-raw", 0, true, USE_RAW},
    {"json", 0, true, USE_JSON},
    {"user", 'u', true, USE_USER},
    {"url", 0, true, USE_URL},
    {"oauth2-bearer", 0, true, USE_BEARER},
    {"user-agent", 'A', true, USE_AGENT},
    {"cacert", 0, true, USE_CA},
    {"cert", 'E', true, USE_CERT},
    {"key", 0, true, USE_KEY},
    {"insecure", 'k', false, USE_INSECURE},
    {"form", 'F', true, USE_REFUSED},
    {"form-string", 0, true, USE_REFUSED},
    {"data-urlencode", 0, true, USE_REFUSED},
    {"get", 'G', false, USE_REFUSED},
    {"upload-file", 'T', true, USE_REFUSED},
    {"cookie", 'b', true, USE_REFUSED},
    {"config", 'K', true, USE_REFUSED},
    {"basic", 0, false, USE_NONE},
    {"silent", 's', false, USE_NONE},
    {"show-error", 'S', false, USE_NONE},
    {"include", 'i', false, USE_NONE},
    {"verbose", 'v', false, USE_NONE},
    {"location", 'L', false, USE_NONE},
    {"fail", 'f', false, USE_NONE},
    {"fail-with-body", 0, false, USE_NONE},
    {"compressed", 0, false, USE_NONE},
    {"globoff", 'g', false, USE_NONE},
    {"no-buffer", 'N', false, USE_NONE},
    {"progress-bar", '#', false, USE_NONE},
    {"http1.1", 0, false, USE_NONE},
    {"http2", 0, false, USE_NONE},
    {"output", 'o', true, USE_NONE},
    {"write-out", 'w', true, USE_NONE},
    {"dump-header", 'D', true, USE_NONE},
    {"max-time", 'm', true, USE_NONE},
    {"connect-timeout", 0, true, USE_NONE},
    {"retry", 0, true, USE_NONE},
    {"cookie-jar", 'c', true, USE_NONE},
    {"referer", 'e', true, USE_NONE},
    {"proxy", 'x', true, USE_NONE},
};
#define CURL_OPTION_COUNT (sizeof curl_options / sizeof *curl_options)

static const struct curl_option *find_curl_option(const char *name, char letter)
{
    for (size_t i = 0; i < CURL_OPTION_COUNT; i++)
        if (name ? !strcmp(curl_options[i].name, name) : curl_options[i].letter == letter)
            return &curl_options[i];
    return NULL;
}

static int no_memory(struct trouble *trouble)
{
    return trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
}

static char *copy(const char *before, const char *text)
{
    size_t first = strlen(before), length = strlen(text) + 1;
    char *joined = malloc(first + length);
    if (!joined) return NULL;
    memcpy(joined, before, first);
    memcpy(joined + first, text, length);
    return joined;
}

static int put_text(char **place, const char *before, const char *text, struct trouble *trouble)
{
    char *joined = copy(before, text);
    if (!joined) return no_memory(trouble);
    free(*place);
    *place = joined;
    return 0;
}

static int put_header(struct curl_command *command, const char *before, const char *text,
                      struct trouble *trouble)
{
    char **more = realloc(command->headers, (command->header_count + 1) * sizeof *more);
    if (!more) return no_memory(trouble);
    command->headers = more;
    more[command->header_count] = NULL;
    return put_text(&more[command->header_count++], before, text, trouble);
}

/* Several of them are joined by &, as curl does it. */
static int put_body(struct curl_command *command, const char *text, bool file, struct trouble *trouble)
{
    if (file && *text == '@')
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                           "the body is in the file \"%s\": put its text into the command", text + 1);
    if (!command->body) return put_text(&command->body, "", text, trouble);
    char *joined = copy(command->body, "&");
    if (!joined) return no_memory(trouble);
    free(command->body);
    command->body = joined;
    return put_text(&command->body, command->body, text, trouble);
}

static int use_option(struct curl_command *command, const struct curl_option *option, const char *value,
                      struct trouble *trouble)
{
    switch (option->use) {
    case USE_METHOD: return put_text(&command->method, "", value, trouble);
    case USE_HEADER:
        if (*value == '@')
            return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                               "headers are in the file \"%s\": put them into the command", value + 1);
        return put_header(command, "", value, trouble);
    case USE_JSON:
    case USE_BODY: return put_body(command, value, true, trouble);
    case USE_RAW: return put_body(command, value, false, trouble);
    case USE_USER: return put_text(&command->user, "", value, trouble);
    case USE_BEARER: return put_header(command, "Authorization: Bearer ", value, trouble);
    case USE_AGENT: return put_header(command, "User-Agent: ", value, trouble);
    case USE_CA: return put_text(&command->ca, "", value, trouble);
    case USE_CERT: return put_text(&command->cert, "", value, trouble);
    case USE_KEY: return put_text(&command->key, "", value, trouble);
    case USE_INSECURE: command->insecure = true; return 0;
    case USE_URL:
        if (!command->url) return put_text(&command->url, "", value, trouble);
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                           "the command has a second URL, \"%s\": quote what has blanks in it", value);
    case USE_REFUSED:
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                           "a connector cannot do what --%s does: it sends JSON bodies", option->name);
    default: return 0;
    }
}

/* -sSXPOST, -X POST: *index is then the last word that was used. */
static int read_letters(struct curl_command *command, const struct words *words, size_t *index,
                        struct trouble *trouble)
{
    for (const char *letter = words->items[*index] + 1; *letter; letter++) {
        const struct curl_option *option = find_curl_option(NULL, *letter);
        const char *value = letter + 1;
        if (!option)
            return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                               "-%c of curl is not known here: leave it out", *letter);
        if (!option->takes) {
            if (use_option(command, option, "", trouble)) return trouble->status;
            continue;
        }
        if (!*value && *index + 1 >= words->count)
            return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl", "a value is missing after -%c",
                               *letter);
        return use_option(command, option, *value ? value : words->items[++*index], trouble);
    }
    return 0;
}

static int read_long(struct curl_command *command, const struct words *words, size_t *index,
                     struct trouble *trouble)
{
    const char *name = words->items[*index] + 2;
    const struct curl_option *option = find_curl_option(name, 0);
    if (!option)
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                           "--%s of curl is not known here: leave it out", name);
    if (!option->takes) return use_option(command, option, "", trouble);
    if (*index + 1 >= words->count)
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl", "a value is missing after --%s", name);
    return use_option(command, option, words->items[++*index], trouble);
}

static int use_words(struct curl_command *command, const struct words *words, struct trouble *trouble)
{
    const struct curl_option *url = find_curl_option("url", 0);
    size_t first = words->count && !strcmp(words->items[0], "curl");
    for (size_t i = first; i < words->count; i++) {
        const char *word = words->items[i];
        int status = !strncmp(word, "--", 2)     ? read_long(command, words, &i, trouble)
                     : word[0] == '-' && word[1] ? read_letters(command, words, &i, trouble)
                                                 : use_option(command, url, word, trouble);
        if (status) return status;
    }
    if (!command->url) return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl", "the command has no URL");
    if (!command->body)
        return trouble_set(trouble, CASEHOOK_E_CONFIG, "from-curl",
                           "the command sends nothing: give the one that makes a case, with its body");
    return 0;
}

int command_read(const char *text, struct curl_command *command, struct trouble *trouble)
{
    struct words words = {NULL, NULL, 0};
    *command = (struct curl_command){.url = NULL};
    int status = read_words(text, &words, trouble);
    if (!status) status = use_words(command, &words, trouble);
    struct document held = {words.text, words.text ? 2 * strlen(text) + 2 : 0};
    document_free(&held);
    free(words.items);
    return status;
}

static void free_text(char *text)
{
    struct document held = {text, text ? strlen(text) : 0};
    document_free(&held);
}

void command_free(struct curl_command *command)
{
    char *const texts[] = {command->url, command->method, command->body, command->user,
                           command->ca,  command->cert,   command->key};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free_text(texts[i]);
    for (size_t i = 0; i < command->header_count; i++) free_text(command->headers[i]);
    free(command->headers);
}
