/* page_action.c - POST /entries: the buttons of the page, which other sites cannot press. */
#include "log.h"
#include "page.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void form_token(const struct login *login, int days, char token[FORM_TOKEN_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char text[512];
    const char *key = login->password ? login->password : "";
    snprintf(text, sizeof text, "casehookd form %lld %.400s", (long long)time(NULL) / 86400 - days,
             login->user ? login->user : "");
    HMAC(EVP_sha256(), key, (int)strlen(key), (unsigned char *)text, strlen(text), digest, &length);
    for (unsigned i = 0; i < 32; i++) sprintf(token + 2 * (size_t)i, "%02x", digest[i]);
}

static int hex_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* In place; false where it is not encoded as forms are, or holds a NUL. */
static bool decode_form(char *text)
{
    char *out = text;
    for (; *text; text++) {
        int high = *text == '%' ? hex_of(text[1]) : 0, low = *text == '%' && high >= 0 ? hex_of(text[2]) : 0;
        if (high < 0 || low < 0 || (*text == '%' && !high && !low)) return false;
        *out++ = (char)(*text == '%' ? high << 4 | low : *text == '+' ? ' ' : *text);
        if (*text == '%') text += 2;
    }
    *out = '\0';
    return true;
}

/* The value of a member of a=1&b=2. */
static bool form_value(const char *form, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    for (const char *at = form; at; at = strchr(at, '&')) {
        if (*at == '&') at++;
        if (strncmp(at, name, length) != 0 || at[length] != '=') continue;
        const char *begin = at + length + 1;
        size_t count = strcspn(begin, "&");
        if (count >= size) return false;
        memcpy(value, begin, count);
        value[count] = '\0';
        return decode_form(value);
    }
    return false;
}

/*
 * What browsers say of where a request comes from; others say nothing.  Over plain HTTP, except to the
 * machine itself, they leave out Sec-Fetch-Site, and say "null" as origin where Referrer-Policy is
 * no-referrer.
 */
static bool is_same_site(const struct request *request)
{
    const char *site = request_header(request, "Sec-Fetch-Site"), *origin = request_header(request, "Origin");
    const char *host = request_header(request, "Host");
    if (site) return !strcmp(site, "same-origin");
    if (!origin) return true;
    const char *authority = strstr(origin, "://");
    return authority && host && !strcmp(authority + 3, host);
}

static bool has_token(const struct request *request)
{
    char given[FORM_TOKEN_SIZE], wanted[FORM_TOKEN_SIZE];
    bool same = false;
    if (!form_value(request->body.data, "token", given, sizeof given)) return false;
    for (int days = 0; days < 2; days++) {
        form_token(&request->config->page, days, wanted);
        same |= text_same_secret(given, wanted);
    }
    return same;
}

static const char *const actions[] = {"retry", "discard", "done", "again"};
enum { ACTION_RETRY, ACTION_DISCARD, ACTION_DONE, ACTION_AGAIN, ACTIONS };

/* The tracker says that it has no such case, and this push can make it. */
bool page_can_make_again(const struct casehook_outbox_entry *entry)
{
    return entry->state == CASEHOOK_OUTBOX_PARKED && entry->operation == CASEHOOK_PUSH && entry->case_id &&
           entry->external_id && (entry->http_status == 404 || entry->http_status == 410);
}

static int do_action(struct casehook_outbox *outbox, uint64_t id, int action, const char *external,
                     struct casehook_outbox_error **error)
{
    switch (action) {
    case ACTION_RETRY: return casehook_outbox_retry(outbox, id, error);
    case ACTION_DISCARD: return casehook_outbox_discard(outbox, id, error);
    case ACTION_AGAIN: return casehook_outbox_again(outbox, id, error);
    default: return casehook_outbox_done(outbox, id, *external ? external : NULL, error);
    }
}

static void act(struct request *request, struct answer *answer, uint64_t id, int action, const char *external)
{
    struct casehook_outbox_error *error = NULL;
    int status = do_action(request->server->outbox, id, action, external, &error);
    if (status) {
        answer_outbox_fault(answer, error);
    } else {
        log_line(CASEHOOK_LOG_INFO, "entry %llu: %s, by %s from the page", (unsigned long long)id,
                 actions[action], request->login->user);
        answer->status = 303;
        snprintf(answer->location, sizeof answer->location, "/?done=%s", actions[action]);
    }
    casehook_outbox_error_free(error);
}

void handle_action(struct request *request, struct answer *answer)
{
    char id[24] = "", name[16] = "", external[1024] = "", *end = NULL;
    const char *form = request->body.data;
    int action = 0;
    if (!form) {
        answer_error(answer, 400, "a form is missing");
        return;
    }
    if (!is_same_site(request) || !has_token(request)) {
        answer_error(answer, 403, "this form is not of this page, or too old: load the page again");
        return;
    }
    bool given = form_value(form, "id", id, sizeof id) && form_value(form, "action", name, sizeof name);
    if (given && strstr(form, "external=")) given = form_value(form, "external", external, sizeof external);
    unsigned long long number = strtoull(id, &end, 10);
    while (action < ACTIONS && strcmp(actions[action], name) != 0) action++;
    if (!given || !number || *end || *id == '-' || action == ACTIONS)
        answer_error(answer, 400, "id and action (retry, discard, done, again) are wanted");
    else
        act(request, answer, number, action, external);
}
