/* learn.c - what an answer tells of the case: id, title and other fields (K1-K9, R1). */
#include "exchange/learn_private.h"

static void tell_of_id(struct casehook_error *error)
{
    struct casehook_error before = *error;
    casehook__fail(error, before.status, "%s; " CASEHOOK__ID_IS_KEPT, before.message);
    error->offset = before.offset;
}

/* ---- what is looked for ---------------------------------------------------------------------- */

enum sought_key { SOUGHT_ERROR, SOUGHT_KEY, SOUGHT_TITLE, SOUGHT_KEYS };

/* Keys of an answer with what was found: first those three, then the fields. */
struct sought {
    const struct casehook__keypath *paths[SOUGHT_KEYS + 2 * CASEHOOK__RESPONSE_FIELDS_MAX];
    struct casehook__js_value found[SOUGHT_KEYS + 2 * CASEHOOK__RESPONSE_FIELDS_MAX];
    size_t count;
    uint8_t place[SOUGHT_KEYS];            /* 1 + index; 0: it is not looked for */
    const struct casehook__call_more *get; /* whose fields are looked for too (K8); NULL: none are */
};

static void seek(struct sought *sought, const struct casehook__keypath *path, enum sought_key key)
{
    sought->place[key] = 0;
    if (!path) return;
    sought->paths[sought->count++] = path;
    sought->place[key] = (uint8_t)sought->count;
}

static void seek_fields(struct sought *sought, const struct casehook__call_more *more)
{
    for (size_t i = 0; i < more->field_count; i++) sought->paths[sought->count++] = more->fields[i].path;
}

static const struct casehook__js_value *sought_value(const struct sought *sought, enum sought_key key)
{
    static const struct casehook__js_value none = {.kind = CASEHOOK__JS_NONE};
    return sought->place[key] ? &sought->found[sought->place[key] - 1] : &none;
}

/* Where a write tells the title, or nobody asks for it, its answer stands for that of the get. */
static void seek_all(const struct casehook__question *question, struct sought *sought)
{
    const struct casehook__call_config *call = casehook__learn_call(question),
                                       *get = &question->config->calls[CASEHOOK__CALL_GET];
    const struct casehook__call_more *more = casehook__call_more(call);
    bool writes = casehook__call_kind(question->request->call)->title_key != NULL;
    sought->count = 0;
    seek(sought, more->error_key, SOUGHT_ERROR);
    seek(sought, call->key, SOUGHT_KEY);
    seek(sought, more->title_key, SOUGHT_TITLE);
    sought->get = writes && (more->title_key || !get->on) ? casehook__call_more(get) : NULL;
    seek_fields(sought, more);
    if (sought->get) seek_fields(sought, sought->get);
}

/* Text of one line that does not begin as JSON or a page does. */
static bool may_be_value(struct casehook__text text)
{
    if (text.length == 0 || strchr("{[\"<", *text.data)) return false;
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.data[i] < ' ') return false;
    return true;
}

/*
 * Where any type will do, the whole answer is its text, unless it is JSON (K1, H4): a number keeps the form
 * in which it was written, and a page is no id.
 */
static void find_whole_text(const struct casehook__response *response, enum casehook__js_fault fault,
                            struct sought *sought)
{
    struct casehook__js_value text = {CASEHOOK__JS_PLAIN, casehook__js_top(response->body).text};
    bool json = casehook__is_json_type(casehook__media_type(response->content_type));
    for (size_t i = 0; i < sought->count; i++) {
        struct casehook__js_value *found = &sought->found[i];
        if (fault) *found = (struct casehook__js_value){.kind = CASEHOOK__JS_NONE};
        if (sought->paths[i]->whole.length) continue;
        bool main = i + 1 == sought->place[SOUGHT_KEY] || i + 1 == sought->place[SOUGHT_TITLE];
        if (fault ? text.text.length && (!main || may_be_value(text.text))
                  : found->kind == CASEHOOK__JS_NUMBER && !json)
            *found = text;
    }
}

/* ---- answers to writes and gets --------------------------------------------------------------- */

/* "/api/cases/7/?x" -> "7"; the host of a URL is none. */
static struct casehook__text last_segment(struct casehook__text url)
{
    size_t end = 0, host = 0;
    while (end < url.length && url.data[end] != '?' && url.data[end] != '#') end++;
    for (size_t i = 0; i + 1 < end; i++) {
        bool scheme = casehook__is_alpha(url.data[i]) || casehook__is_digit(url.data[i]) ||
                      url.data[i] == '+' || url.data[i] == '-' || url.data[i] == '.' || url.data[i] == ':';
        if (url.data[i] == '/' && url.data[i + 1] == '/' && (i == 0 || url.data[i - 1] == ':')) {
            for (host = i + 2; host < end && url.data[host] != '/';) host++;
            break;
        }
        if (!scheme) break;
    }
    while (end > host && url.data[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > host && url.data[begin - 1] != '/') begin--;
    return (struct casehook__text){url.data + begin, end - begin};
}

/* Into scratch, %XX as what it stands for, once. */
static int decode_segment(struct casehook__text segment, struct casehook__buf *out)
{
    for (size_t i = 0; i < segment.length; i++) {
        char c = segment.data[i];
        int high = -1, low = -1;
        if (c == '%' && segment.length - i > 2) {
            high = casehook__hex_value(segment.data[i + 1]);
            low = casehook__hex_value(segment.data[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        casehook__buf_append_char(out, c);
    }
    return out->status;
}

static bool is_utf8(struct casehook__text text)
{
    while (text.length) {
        size_t length = casehook__utf8_length(text.data, text.length);
        if (length == 0) return false;
        text = casehook__text_from(text, length);
    }
    return true;
}

/* K6.  After a redirect the id may be known already: the answer behind it need not repeat it. */
static int keep_header_id(const struct casehook__question *question,
                          const struct casehook__response *response, struct casehook_result *result)
{
    struct casehook__text name = casehook__text(casehook__create_more(question->config)->id_header),
                          value = casehook__text_trim(response->id_header);
    struct casehook__js_value source = {CASEHOOK__JS_PLAIN, value};
    if (!value.data && result->id_length) return CASEHOOK_OK;
    if (!value.data) {
        casehook__learn_name_key(question, &result->error);
        return casehook__fail(&result->error, CASEHOOK_E_RESPONSE,
                              "%s: the answer (status %d) has no header \"%s\", where the id of the case "
                              "should be",
                              casehook__question_target(question), response->status, name.data);
    }
    casehook__buf_clear(question->scratch);
    bool location =
        casehook__text_is_nocase(name, "Location") || casehook__text_is_nocase(name, "Content-Location");
    int status = location ? decode_segment(last_segment(value), question->scratch)
                          : casehook__buf_append_text(question->scratch, value);
    if (status) return casehook__fail_memory(&result->error);
    struct casehook__text id = casehook__buf_text(question->scratch);
    if (!is_utf8(id))
        return casehook__learn_bad_id(question, &source, "is not UTF-8, so that no URL can name it",
                                      &result->error);
    const char *fault = casehook__id_fault(id); /* what leads elsewhere never was an id */
    if (fault) return casehook__learn_bad_id(question, &source, fault, &result->error);
    casehook__result_set_id(result, id);
    return CASEHOOK_OK;
}

/* The title in the answer of a write; what is none is as if it were not there (K8). */
static int keep_told_title(const struct casehook__question *question, const struct casehook__js_value *value,
                           struct casehook_result *result)
{
    if (!casehook__learn_usable(value->kind, false)) return CASEHOOK_OK;
    casehook__buf_clear(question->scratch);
    int status = casehook__learn_text(question->scratch, value);
    if (!status && question->scratch->length <= CASEHOOK__TITLE_MAX_BYTES)
        status = casehook__learn_keep_title(question, result);
    return status == CASEHOOK_E_NO_MEMORY ? casehook__fail_memory(&result->error) : CASEHOOK_OK;
}

/* The id out of a body that is not whole.  What is wrong with it is not what failed. */
static bool keep_whole_id(const struct casehook__question *question, const struct casehook__js_value *found,
                          struct casehook__text body, struct casehook_result *result)
{
    struct casehook_error before = result->error;
    bool whole = found->kind == CASEHOOK__JS_STRING || /* another digit may have been on its way */
                 (found->kind == CASEHOOK__JS_NUMBER &&
                  found->text.data + found->text.length < body.data + body.length);
    bool learnt = casehook__learn_wants_id(question) && whole &&
                  !casehook__learn_keep_found_id(question, found, result);
    result->error = before;
    return learnt;
}

/* Id and title: what the call must give, and what it may. */
static int keep_main(const struct casehook__question *question, const struct casehook__response *response,
                     const struct sought *sought, struct casehook_result *result)
{
    const struct casehook__js_value *value = sought_value(sought, SOUGHT_KEY);
    const struct casehook__request *request = question->request;
    int status = CASEHOOK_OK;
    if (request->own_id.data)
        casehook__result_set_id(result, request->own_id);
    else if (casehook__learn_in_header(question))
        status = keep_header_id(question, response, result);
    else if (casehook__call_kind(request->call)->learns) {
        status = casehook__learn_read(question, value, &result->error);
        if (!status)
            status = casehook__learn_wants_id(question) ? casehook__learn_keep_id(question, value, result)
                                                        : casehook__learn_keep_title(question, result);
    } else if (!casehook__learn_is_nothing(value)) /* an update may tell another id (K9) */
        status = casehook__learn_keep_found_id(question, value, result);
    if (status) return status;
    return keep_told_title(question, sought_value(sought, SOUGHT_TITLE), result);
}

static int keep_learnt(const struct casehook__question *question, const struct casehook__response *response,
                       const struct sought *sought, struct casehook_result *result)
{
    const struct casehook__call_more *more = casehook__call_more(casehook__learn_call(question));
    const struct casehook__js_value *fields = sought->found + sought->count;
    int status = keep_main(question, response, sought, result);
    if (status && status != CASEHOOK_E_NO_MEMORY && response->body.length)
        casehook__learn_show(question, response, sought_value(sought, SOUGHT_KEY)->kind == CASEHOOK__JS_NONE,
                             &result->error);
    /* What can be known of a case without id or title is kept too (R1). */
    fields -= more->field_count + (sought->get ? sought->get->field_count : 0);
    int kept = casehook__learn_fields(more, fields, question->scratch, result);
    if (!kept && sought->get && (result->title || !question->config->calls[CASEHOOK__CALL_GET].on))
        kept = casehook__learn_fields(sought->get, fields + more->field_count, question->scratch, result);
    return status ? status : kept;
}

bool casehook__learn_needs_body(const struct casehook__question *question)
{
    return casehook__call_kind(question->request->call)->learns && !question->request->own_id.data &&
           !casehook__learn_in_header(question);
}

int casehook__learn(const struct casehook__question *question, const struct casehook__response *response,
                    struct casehook_result *result)
{
    struct sought sought;
    size_t offset = 0;
    bool any = casehook__call_more(casehook__learn_call(question))->any_type ||
               casehook__learn_in_header(question),
         needed = casehook__learn_needs_body(question);
    seek_all(question, &sought);
    if (sought.count == 0 && any) return keep_learnt(question, response, &sought, result);
    enum casehook__js_fault fault =
        casehook__jsscan(response->body, sought.paths, sought.count, sought.found, &offset);
    struct casehook__js_value whole = *sought_value(&sought, SOUGHT_KEY);
    if (any) find_whole_text(response, fault, &sought);
    const struct casehook__js_value *said = sought_value(&sought, SOUGHT_ERROR);
    if (casehook__learn_says_no(said) && (!fault || any))
        return casehook__learn_fail_said(question, response, said, &result->error);
    /* Where nothing is needed, white space is as good as nothing. */
    bool usable = !fault || (needed ? sought_value(&sought, SOUGHT_KEY)->kind != CASEHOOK__JS_NONE && any
                                    : any || fault == CASEHOOK__JS_EMPTY);
    if (usable) return keep_learnt(question, response, &sought, result);
    casehook__learn_not_json(question, response, fault, offset, &result->error);
    if (needed && keep_whole_id(question, &whole, response->body, result)) tell_of_id(&result->error);
    return result->error.status;
}

bool casehook__learn_partial_id(const struct casehook__question *question,
                                const struct casehook__response *response, struct casehook_result *result)
{
    struct sought sought = {.count = 0};
    struct casehook_error before = result->error;
    if (question->request->call != CASEHOOK__CALL_CREATE) return false;
    seek(&sought, casehook__call_more(casehook__learn_call(question))->error_key, SOUGHT_ERROR);
    seek(&sought, casehook__learn_call(question)->key, SOUGHT_KEY);
    if (response->body.length)
        casehook__jsscan(response->body, sought.paths, sought.count, sought.found, NULL);
    else
        sought.place[SOUGHT_ERROR] = sought.place[SOUGHT_KEY] = 0;
    if (casehook__learn_says_no(sought_value(&sought, SOUGHT_ERROR))) return false;
    if (casehook__learn_needs_body(question))
        return keep_whole_id(question, sought_value(&sought, SOUGHT_KEY), response->body, result);
    sought.place[SOUGHT_TITLE] = 0;
    bool learnt = !keep_main(question, response, &sought, result);
    result->error = before;
    return learnt;
}
