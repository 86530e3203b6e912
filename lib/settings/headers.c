/* headers.c - a set of headers, checked as C7 says. */
#include "settings/headers.h"

#include "base/base64.h"
#include "json/fields.h"

static bool is_token_char(char c)
{
    return casehook__is_alpha(c) || casehook__is_digit(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct casehook__text name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!is_token_char(name.data[i])) return false;
    return name.length > 0;
}

static bool is_one_of(struct casehook__text name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (casehook__text_is_nocase(name, names[i])) return true;
    return false;
}

/* What the transport writes itself, and what would change the meaning of the connection. */
static bool is_reserved(struct casehook__text name, bool proxy)
{
    static const char *const reserved[] = {"Host", "Content-Length", "Transfer-Encoding", "Connection",
                                           "TE",   "Trailer",        "Upgrade",           "Expect"};
    if (is_one_of(name, reserved, sizeof reserved / sizeof *reserved)) return true;
    struct casehook__text head = {name.data, name.length < 6 ? name.length : 6};
    if (!casehook__text_is_nocase(head, "Proxy-")) return false;
    return !(proxy && casehook__text_is_nocase(name, "Proxy-Authorization"));
}

static bool carries_credentials(struct casehook__text name)
{
    static const char *const names[] = {"Authorization", "Cookie", "Proxy-Authorization"};
    return is_one_of(name, names, sizeof names / sizeof *names);
}

/* The place of the first character that a value may not have; its length when there is none. */
static size_t bad_value_at(struct casehook__text value)
{
    size_t i = 0;
    while (i < value.length && (value.data[i] == '\t' || (value.data[i] >= ' ' && value.data[i] <= '~'))) i++;
    return i;
}

/* Names the kind of character, never the value. */
static const char *bad_value_name(struct casehook__text value, size_t at)
{
    char c = value.data[at];
    size_t end = at;
    while (end < value.length && casehook__is_space(value.data[end])) end++;
    if (c != '\n' && c != '\r')
        return "holds a character that no header may have: printable ASCII, space and tab only";
    return end == value.length ? "ends in a line break, as what is read from a file often does: remove it"
                               : "holds a line break, which would begin another header: remove it";
}

const char *casehook__header_name_fault(struct casehook__text name, bool proxy)
{
    if (name.length == 0) return "a header needs a name";
    if (!is_token(name))
        return "is no name of a header (without its colon): letters, digits and !#$%&'*+-.^_`|~ only";
    if (is_reserved(name, proxy)) return "is reserved: the library writes this header itself; remove it";
    return NULL;
}

const char *casehook__header_value_fault(struct casehook__text value)
{
    size_t at = bad_value_at(value);
    return at == value.length ? NULL : bad_value_name(value, at);
}

/* True when the name may be used; else the fault is kept. */
static bool check_header_name(const struct casehook__headers *headers, const struct casehook__field *field,
                              struct casehook__text name, bool proxy)
{
    const char *fault = casehook__header_name_fault(name, proxy);
    if (!fault && casehook__headers_find(headers, name))
        fault = "is given twice: names of headers do not differ by upper and lower case";
    if (fault) casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "%s", fault);
    return !fault;
}

static bool check_value(const struct casehook__field *field, struct casehook__text *value)
{
    if (!casehook__field_text(field, value)) return false;
    size_t at = bad_value_at(*value);
    if (at == value->length) return true;
    casehook__fail_at(casehook__field_fault(field), CASEHOOK_E_CONFIG, at, "the value %s",
                      bad_value_name(*value, at));
    return false;
}

static void free_header(struct casehook__heap *heap, struct casehook__header *header)
{
    casehook__free(heap, (char *)(uintptr_t)header->name.data);
    casehook__free_secret(heap, (char *)(uintptr_t)header->value.data, header->value.length);
}

static int copy_header(struct casehook__heap *heap, struct casehook__header *header,
                       struct casehook__text name, struct casehook__text value, bool secret)
{
    *header = (struct casehook__header){
        .name = {casehook__copy(heap, name.data, name.length), name.length},
        .value = {casehook__copy(heap, value.data, value.length), value.length},
        .secret = secret,
    };
    if (header->name.data && header->value.data) return CASEHOOK_OK;
    if (!header->value.data) header->value.length = 0;
    free_header(heap, header);
    return CASEHOOK_E_NO_MEMORY;
}

/* Appends one; the texts are copied.  OK or NO_MEMORY. */
static int append_copy(struct casehook__headers *headers, struct casehook__text name,
                       struct casehook__text value, bool secret)
{
    struct casehook__header *items =
        casehook__realloc(headers->heap, headers->items, (headers->count + 1) * sizeof *items);
    if (!items) return CASEHOOK_E_NO_MEMORY;
    headers->items = items;
    int status = copy_header(headers->heap, &items[headers->count], name, value, secret);
    if (!status) headers->count++;
    return status;
}

void casehook__headers_read(struct casehook__headers *headers, const struct casehook__json *object,
                            bool secret, bool proxy, const char *prefix, struct casehook__errors *errors)
{
    size_t position = 0;
    struct casehook__text name, value;
    struct casehook__json *node;
    while (casehook__json_next(object, &position, &name, &node)) {
        struct casehook__field field = {errors, prefix, name.data, node};
        if (headers->count >= CASEHOOK__HEADERS_MAX) {
            casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "more than %d headers",
                           CASEHOOK__HEADERS_MAX);
            return;
        }
        bool good = check_header_name(headers, &field, name, proxy);
        good = check_value(&field, &value) && good;
        if (good && append_copy(headers, name, value, secret || carries_credentials(name)))
            errors->memory = 1;
    }
}

int casehook__headers_merge(struct casehook__headers *headers, const struct casehook__headers *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct casehook__header *source = &from->items[i];
        size_t at = 0;
        while (at < headers->count && !casehook__text_equal_nocase(headers->items[at].name, source->name))
            at++;
        if (at < headers->count) {
            struct casehook__header fresh;
            int status = copy_header(headers->heap, &fresh, source->name, source->value, source->secret);
            if (status) return status;
            free_header(headers->heap, &headers->items[at]);
            headers->items[at] = fresh;
        } else {
            int status = append_copy(headers, source->name, source->value, source->secret);
            if (status) return status;
        }
    }
    return CASEHOOK_OK;
}

int casehook__headers_add_basic(struct casehook__headers *headers, const char *name,
                                struct casehook__text user, struct casehook__text password)
{
    struct casehook__buf plain, value;
    casehook__buf_init(&plain, headers->heap, SIZE_MAX / 4);
    casehook__buf_init(&value, headers->heap, SIZE_MAX / 2);
    casehook__buf_append_text(&plain, user);
    casehook__buf_append_char(&plain, ':');
    int status = casehook__buf_append_text(&plain, password);
    casehook__buf_append_string(&value, "Basic ");
    if (!status) status = casehook__base64_encode(&value, casehook__buf_text(&plain));
    if (!status) status = append_copy(headers, casehook__text(name), casehook__buf_text(&value), true);
    casehook__buf_free(&value);
    casehook__buf_free(&plain);
    return status;
}

const struct casehook__header *casehook__headers_find(const struct casehook__headers *headers,
                                                      struct casehook__text name)
{
    for (size_t i = 0; i < headers->count; i++)
        if (casehook__text_equal_nocase(headers->items[i].name, name)) return &headers->items[i];
    return NULL;
}

void casehook__headers_remove(struct casehook__headers *headers, size_t at)
{
    free_header(headers->heap, &headers->items[at]);
    headers->count--;
    memmove(headers->items + at, headers->items + at + 1, (headers->count - at) * sizeof *headers->items);
}

void casehook__headers_free(struct casehook__headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) free_header(headers->heap, &headers->items[i]);
    casehook__free(headers->heap, headers->items);
    *headers = (struct casehook__headers){.heap = headers->heap};
}
