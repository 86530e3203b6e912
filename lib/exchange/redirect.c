/* redirect.c - which redirects are followed, and what goes along (H3). */
#include "exchange/answer.h"

/* What one redirect is judged by. */
struct redirect {
    const struct casehook__question *question;
    int http_status;
    struct casehook__text location;
    struct casehook__hop *hop; /* being filled */
    struct casehook__buf *url;
    struct casehook_error *error;
};

static int refuse_redirect(const struct redirect *redirect, int status, const char *why)
{
    return casehook__fail(redirect->error, status, "%s: the server answered %d, %s",
                          casehook__question_target(redirect->question), redirect->http_status, why);
}

/* The path of an absolute URL, without its query. */
static struct casehook__text path_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path ? (struct casehook__text){path, strcspn(path, "?")} : (struct casehook__text){"", 0};
}

/* Nothing but a slash at the end of the path was missing: what Django and FastAPI answer to that. */
static bool adds_slash(const struct redirect *redirect)
{
    struct casehook__text from = path_of(redirect->question->request->url),
                          to = path_of(casehook__buf_string(redirect->url));
    return to.length == from.length + 1 && to.data[from.length] == '/' &&
           memcmp(from.data, to.data, from.length) == 0;
}

/* Where people log in: a server that knows no such credentials sends everybody there. */
static bool leads_to_login(const struct redirect *redirect)
{
    static const char *const words[] = {"login",   "log-in", "log_in", "signin", "sign-in",
                                        "sign_in", "/sso",   "/saml",  "/oauth"};
    struct casehook__text path = path_of(casehook__buf_string(redirect->url));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        for (size_t at = 0; at + length <= path.length; at++)
            if (casehook__text_is_nocase((struct casehook__text){path.data + at, length}, words[i]))
                return true;
    }
    return false;
}

/* Says where the redirect leads: what the configuration should name instead. */
static int refuse_target(const struct redirect *redirect, int status, const char *why, const char *advice)
{
    const struct casehook__question *question = redirect->question;
    char shown[256];
    if (leads_to_login(redirect))
        advice = "; that is a page to log in: the server did not accept the credentials (user, password, "
                 "secretHeaders), or the URL is not that of the API";
    if (adds_slash(redirect))
        advice =
            "; it only adds a slash: end the URL in the document with one and set keepTrailingSlash to true, "
            "which keeps it";
    const char *url = casehook__shown_url(question->config, question->mask,
                                          casehook__buf_string(redirect->url), false, question->scratch);
    casehook__mask_excerpt(NULL, casehook__text(url ? url : "another URL"), shown, sizeof shown);
    return casehook__fail(redirect->error, status, "%s: the server answered %d and points to %s: %s%s",
                          casehook__question_target(question), redirect->http_status, shown, why, advice);
}

static bool is_redirect(const struct casehook__request *request, int status)
{
    if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308) return true;
    return status == 300 && request->method == CASEHOOK__METHOD_GET;
}

/* An address that is written in the URL; a name is looked at when its socket opens (U5). */
static bool is_denied(const struct casehook__settings_snapshot *settings,
                      const struct casehook__origin *target)
{
    if (!settings->deny_private_addresses || !(target->ipv4 || target->ipv6)) return false;
    return casehook__address_denied(target->address, target->ipv4 ? 4 : 16, settings->allowed_addresses,
                                    settings->allowed_address_count) != NULL;
}

/* May this request go on to its target?  Everything is decided anew for each hop. */
static int check_target(const struct redirect *redirect)
{
    const struct casehook__request *request = redirect->question->request;
    const struct casehook__settings_snapshot *settings = redirect->question->settings;
    const struct casehook__origin *target = &redirect->hop->origin;
    int http_status = redirect->http_status;
    if (request->origin->https && !target->https)
        return refuse_target(redirect, CASEHOOK_E_POLICY, "from https to http is not followed", "");
    if (!casehook__host_list_has(&settings->allowed_hosts, target))
        return refuse_target(redirect, CASEHOOK_E_POLICY, "this host is not in allowedHosts", "");
    if (is_denied(settings, target))
        return refuse_target(redirect, CASEHOOK_E_POLICY, "denyPrivateAddresses forbids this address", "");
    if (request->method == CASEHOOK__METHOD_GET || http_status == 303) return CASEHOOK_OK;
    if (http_status == 301 || http_status == 302)
        return refuse_target(redirect, CASEHOOK_E_REDIRECT, "a request with a body is not followed there",
                             "; configure the final URL");
    if (!casehook__origin_equal(request->origin, target))
        return refuse_target(redirect, CASEHOOK_E_REDIRECT,
                             "a request with a body does not go to another origin",
                             "; configure the final URL");
    return CASEHOOK_OK;
}

/* Where the redirect leads, and whether the request may go there. */
static int find_hop(const struct redirect *redirect, unsigned redirects)
{
    const struct casehook__question *question = redirect->question;
    if (!is_redirect(question->request, redirect->http_status))
        return refuse_redirect(redirect, CASEHOOK_E_REDIRECT, "which is not followed");
    if (redirect->location.length == 0)
        return refuse_redirect(redirect, CASEHOOK_E_REDIRECT, "a redirect without a Location");
    casehook__buf_clear(redirect->url);
    if (casehook__url_resolve(question->request->url, redirect->location, &redirect->hop->origin,
                              redirect->url, redirect->error)) {
        if (redirect->error->status == CASEHOOK_E_NO_MEMORY) return CASEHOOK_E_NO_MEMORY;
        return refuse_redirect(redirect, CASEHOOK_E_REDIRECT,
                               "a redirect to something that is no http or https URL");
    }
    int status = check_target(redirect);
    if (!status && redirects >= question->settings->max_redirects)
        status = casehook__fail(redirect->error, CASEHOOK_E_LIMIT,
                                "%s: more than %u redirects (setting maxRedirects)",
                                casehook__question_target(question), question->settings->max_redirects);
    return status;
}

/* The request as it goes there. */
static void fill_hop(const struct casehook__request *request, int http_status, struct casehook__hop *hop)
{
    bool answer_elsewhere = request->method != CASEHOOK__METHOD_GET && http_status == 303;
    hop->method = answer_elsewhere ? CASEHOOK__METHOD_GET : request->method;
    hop->configured = request->configured && casehook__origin_equal(request->origin, &hop->origin);
    hop->written = answer_elsewhere && casehook__call_kind(request->call)->effect != CASEHOOK__EFFECT_READS;
}

struct casehook__verdict casehook__redirect_judge(const struct casehook__question *question,
                                                  const struct casehook__response *response,
                                                  unsigned redirects, struct casehook__hop *hop,
                                                  struct casehook__buf *url, struct casehook_error *error)
{
    const struct redirect redirect = {
        question, response->status, casehook__text_trim(response->location), hop, url, error};
    bool has_body = question->request->method != CASEHOOK__METHOD_GET;
    struct casehook__verdict verdict = {.http_status = response->status};
    verdict.status = find_hop(&redirect, redirects);
    verdict.follow = verdict.status == CASEHOOK_OK;
    if (verdict.follow) {
        fill_hop(question->request, response->status, hop);
        verdict.outcome =
            has_body && response->status != 303 ? CASEHOOK_OUTCOME_REFUSED : CASEHOOK_OUTCOME_DONE;
    } else {
        /* After 302 and 303 many servers have done the write: only its answer is elsewhere. */
        bool done = has_body && (response->status == 302 || response->status == 303);
        verdict.outcome = done ? CASEHOOK_OUTCOME_UNKNOWN : CASEHOOK_OUTCOME_REFUSED;
        error->http_status = response->status;
    }
    return verdict;
}
