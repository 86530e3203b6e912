/* exchange_redirect.c - which redirects are followed, and what goes along (H3). */
#include "exchange/exchange_private.h"

static int refuse_redirect(struct casehook__exchange *exchange, int status, const char *why)
{
    return casehook__fail(&exchange->result->error, status, "%s: the server answered %d, %s",
                          casehook__exchange_target(exchange), casehook__exchange_current(exchange)->status,
                          why);
}

/* The path of an absolute URL, without its query. */
static struct casehook__text path_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path ? (struct casehook__text){path, strcspn(path, "?")} : (struct casehook__text){"", 0};
}

/* Nothing but a slash at the end of the path was missing: what Django and FastAPI answer to that. */
static bool adds_slash(struct casehook__exchange *exchange)
{
    struct casehook__text from = path_of(exchange->request.url),
                          to = path_of(casehook__buf_string(&exchange->next_url));
    return to.length == from.length + 1 && to.data[from.length] == '/' &&
           memcmp(from.data, to.data, from.length) == 0;
}

/* Where people log in: a server that knows no such credentials sends everybody there. */
static bool leads_to_login(struct casehook__exchange *exchange)
{
    static const char *const words[] = {"login",   "log-in", "log_in", "signin", "sign-in",
                                        "sign_in", "/sso",   "/saml",  "/oauth"};
    struct casehook__text path = path_of(casehook__buf_string(&exchange->next_url));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        for (size_t at = 0; at + length <= path.length; at++)
            if (casehook__text_is_nocase((struct casehook__text){path.data + at, length}, words[i]))
                return true;
    }
    return false;
}

/* Says where the redirect leads: what the configuration should name instead. */
static int refuse_target(struct casehook__exchange *exchange, int status, const char *why, const char *advice)
{
    char shown[256];
    if (leads_to_login(exchange))
        advice = "; that is a page to log in: the server did not accept the credentials (user, password, "
                 "secretHeaders), or the URL is not that of the API";
    if (adds_slash(exchange))
        advice =
            "; it only adds a slash: end the URL in the document with one and set keepTrailingSlash to true, "
            "which keeps it";
    const char *url = casehook__exchange_show_url(exchange, casehook__buf_string(&exchange->next_url), false);
    casehook__mask_excerpt(NULL, casehook__text(url ? url : "another URL"), shown, sizeof shown);
    return casehook__fail(&exchange->result->error, status,
                          "%s: the server answered %d and points to %s: %s%s",
                          casehook__exchange_target(exchange), casehook__exchange_current(exchange)->status,
                          shown, why, advice);
}

static bool is_redirect(const struct casehook__request *request, int status)
{
    if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) return true;
    return status == 300 && request->method == CASEHOOK__GET;
}

/* An address that is written in the URL; a name is looked at when its socket opens (U5). */
static bool is_denied(const struct casehook__settings *settings, const struct casehook__origin *target)
{
    if (!settings->deny_private_addresses || !(target->ipv4 || target->ipv6)) return false;
    return casehook__address_denied(target->address, target->ipv4 ? 4 : 16, settings->allowed_addresses,
                                    settings->allowed_address_count) != NULL;
}

/* May this request go on to its target?  Everything is decided anew for each hop. */
static int check_target(struct casehook__exchange *exchange, int status,
                        const struct casehook__origin *target)
{
    const struct casehook__request *request = &exchange->request;
    bool same = casehook__origin_equal(request->origin, target);
    if (request->origin->https && !target->https)
        return refuse_target(exchange, CASEHOOK_E_POLICY, "from https to http is not followed", "");
    if (!casehook__host_list_has(&exchange->settings->allowed_hosts, target))
        return refuse_target(exchange, CASEHOOK_E_POLICY, "this host is not in allowedHosts", "");
    if (is_denied(exchange->settings, target))
        return refuse_target(exchange, CASEHOOK_E_POLICY, "denyPrivateAddresses forbids this address", "");
    if (request->method == CASEHOOK__GET || status == 303) return CASEHOOK_OK;
    if (status == 301 || status == 302)
        return refuse_target(exchange, CASEHOOK_E_REDIRECT, "a request with a body is not followed there",
                             "; configure the final URL");
    if (!same)
        return refuse_target(exchange, CASEHOOK_E_REDIRECT,
                             "a request with a body does not go to another origin",
                             "; configure the final URL");
    return CASEHOOK_OK;
}

/* The request as it goes to the target. */
static void follow_location(struct casehook__exchange *exchange, int status,
                            const struct casehook__origin *target)
{
    struct casehook__request *request = &exchange->request;
    bool write = request->method != CASEHOOK__GET;
    casehook__exchange_current(exchange)->outcome =
        write && status != 303 ? CASEHOOK_OUTCOME_REFUSED : CASEHOOK_OUTCOME_DONE;
    if (write && status == 303) {
        exchange->written = request->call != CASEHOOK__CALL_GET;
        request->method = CASEHOOK__GET;
        request->body = (struct casehook__text){NULL, 0};
    }
    request->configured = request->configured && casehook__origin_equal(request->origin, target);
    struct casehook__buf previous = exchange->url;
    exchange->url = exchange->next_url;
    exchange->next_url = previous;
    exchange->origin = *target;
    request->origin = &exchange->origin;
    request->url = casehook__buf_string(&exchange->url);
    exchange->prepared = true;
}

static int redirect(struct casehook__exchange *exchange, const struct casehook__response *response)
{
    struct casehook_error *error = &exchange->result->error;
    struct casehook__text location = casehook__text_trim(response->location);
    struct casehook__origin target;
    if (!is_redirect(&exchange->request, response->status))
        return refuse_redirect(exchange, CASEHOOK_E_REDIRECT, "which is not followed");
    if (location.length == 0)
        return refuse_redirect(exchange, CASEHOOK_E_REDIRECT, "a redirect without a Location");
    casehook__buf_clear(&exchange->next_url);
    if (casehook__url_resolve(exchange->request.url, location, &target, &exchange->next_url, error)) {
        if (error->status == CASEHOOK_E_NO_MEMORY) return error->status;
        return refuse_redirect(exchange, CASEHOOK_E_REDIRECT,
                               "a redirect to something that is no http or https URL");
    }
    int status = check_target(exchange, response->status, &target);
    if (status) return status;
    if (exchange->redirects >= exchange->settings->max_redirects)
        return casehook__fail(error, CASEHOOK_E_LIMIT, "%s: more than %u redirects (setting maxRedirects)",
                              casehook__exchange_target(exchange), exchange->settings->max_redirects);
    exchange->redirects++;
    follow_location(exchange, response->status, &target);
    return CASEHOOK_OK;
}

void casehook__exchange_redirect(struct casehook__exchange *exchange,
                                 const struct casehook__response *response)
{
    struct casehook__exchange_record *entry = casehook__exchange_current(exchange);
    /* After 302 and 303 many servers have done the write: only its answer is elsewhere. */
    bool done =
        exchange->request.method != CASEHOOK__GET && (response->status == 302 || response->status == 303);
    entry->outcome = done ? CASEHOOK_OUTCOME_UNKNOWN : CASEHOOK_OUTCOME_REFUSED;
    if (redirect(exchange, response) == CASEHOOK_OK) return;
    exchange->result->error.http_status = response->status;
    casehook__exchange_stop(exchange, entry->outcome, false);
}
