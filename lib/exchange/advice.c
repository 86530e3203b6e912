/* advice.c - what a refusal most likely comes from, and what to do about it (R3). */
#include "exchange/answer.h"

#include "document/policy.h"

#include <stdio.h>

#define LOOKED_AT 4096 /* bytes of the answer */

static bool advice_has(struct casehook__text body, const char *words)
{
    size_t length = strlen(words), end = body.length < LOOKED_AT ? body.length : LOOKED_AT;
    for (size_t i = 0; i + length <= end; i++)
        if (casehook__text_is_nocase((struct casehook__text){body.data + i, length}, words)) return true;
    return false;
}

/* nginx, Apache, Go's server, HAProxy's and Tomcat's words for the same. */
static bool is_plain_to_tls(const struct casehook__question *question,
                            const struct casehook__response *response)
{
    if (question->request->origin->https || response->status != 400) return false;
    return advice_has(response->body, "plain HTTP request was sent to HTTPS port") ||
           advice_has(response->body, "speaking plain HTTP to an SSL-enabled") ||
           advice_has(response->body, "HTTP request to an HTTPS server") ||
           advice_has(response->body, "requires TLS");
}

static bool is_read_too_early(const struct casehook__question *question,
                              const struct casehook__response *response)
{
    return question->was_accepted && question->request->call == CASEHOOK__CALL_GET && response->status == 404;
}

/* What comes out of a tunnel is the server's own. */
static bool answered_by_proxy(const struct casehook__question *question)
{
    const struct casehook__origin *origin = question->request->origin;
    return !origin->https && casehook__policy_proxy(question->settings, question->config, origin);
}

const char *casehook__answer_advice(const struct casehook__question *question,
                                    const struct casehook__response *response)
{
    if (is_plain_to_tls(question, response))
        return "; this port speaks TLS: begin the URL with https:// instead of http://";
    if (is_read_too_early(question, response))
        return "; the write before was only accepted (202), the server may carry it out later: get the case "
               "by "
               "this id after a while, do not create it again";
    if (advice_has(response->body, "APPEND_SLASH"))
        return "; the server wants a slash at the end: end the URL in the document with one and set "
               "keepTrailingSlash to true, which keeps it";
    switch (response->status) {
    case 401:
        if (!question->request->configured)
            return "; the redirect to this place took no credentials along: configure the final URL";
        return question->config->oauth ? "; the token is refused: check scope"
                                       : "; check user, password and secretHeaders";
    case 403: return "; the account may not do this";
    case 404: /* also what some servers say to a method that they do not expect */
        return question->request->call == CASEHOOK__CALL_CREATE
                   ? "; check the URL and the method"
                   : "; check the URL and the method, and that the case exists";
    case 405: return "; check the method of this call";
    case 407:
        return answered_by_proxy(question)
                   ? "; the proxy wants a login: give it in proxyUrl or in proxyHeaders"
                   : "; it answers as a proxy does: check host and port of the URL";
    case 413: return "; the request is too large for the server";
    case 415: return "; the server wants another type: set Content-Type in headers";
    case 429: return "; the server asks to slow down";
    default: return "";
    }
}

/* An entry of customHostSettings for this host that does not hold for the port of the request, or NULL. */
static const struct casehook__origin *entry_of_other_port(const struct casehook__question *question)
{
    const struct casehook__settings_snapshot *settings = question->settings;
    const struct casehook__origin *origin = question->request->origin;
    if (casehook__settings_host(settings, origin)) return NULL;
    for (size_t i = 0; i < settings->host_count; i++) {
        const struct casehook__origin *entry = &settings->hosts[i].origin;
        size_t length = casehook__origin_host_length(entry);
        if (length == casehook__origin_host_length(origin) && memcmp(entry->host, origin->host, length) == 0)
            return entry;
    }
    return NULL;
}

void casehook__failure_advice(const struct casehook__question *question,
                              const struct casehook__failure *failure, char *out, size_t size)
{
    const struct casehook__origin *origin = question->request->origin, *entry = NULL;
    bool broke = failure->status == CASEHOOK_E_NETWORK && failure->sent && !failure->partial;
    out[0] = '\0';
    if (failure->status == CASEHOOK_E_TLS && origin->https) entry = entry_of_other_port(question);
    if (entry)
        snprintf(out, size,
                 "; the entry of this host in customHostSettings is for port %u and this URL has port %u: "
                 "write the port into its url",
                 (unsigned)entry->port, (unsigned)origin->port);
    else if (!origin->https && origin->port != 80 &&
             (broke || (failure->status == CASEHOOK_E_RESPONSE && !failure->partial)))
        snprintf(out, size, "; if port %u speaks TLS, which ends like this, begin the URL with https://",
                 (unsigned)origin->port);
}
