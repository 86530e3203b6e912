/*
 * fuzz_url.c - URLs from outside.  What is accepted must be read by libcurl as the same scheme, host and
 * port (U1), and what is shown must hold no user info.
 */
#include "fuzz.h"
#include "url/hosts.h"
#include "url/url_path.h"

#include <curl/curl.h>

static char *part(CURLU *url, CURLUPart which, unsigned flags)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, which, &text, flags);
    CHECK(code == CURLUE_OK || code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD ||
          code == CURLUE_NO_FRAGMENT);
    return text;
}

/* libcurl's reading of the normal form. */
static void check_normal(const struct casehook__buf *normal, const struct casehook__origin *origin)
{
    CURLU *url = curl_url();
    CHECK(url);
    CHECK(curl_url_set(url, CURLUPART_URL, casehook__buf_string(normal), 0) == CURLUE_OK);
    char *scheme = part(url, CURLUPART_SCHEME, 0), *host = part(url, CURLUPART_HOST, 0);
    char *port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT), *user = part(url, CURLUPART_USER, 0);
    char *fragment = part(url, CURLUPART_FRAGMENT, 0);
    size_t brackets = origin->ipv6 ? 1 : 0;
    CHECK(!user && !fragment);
    CHECK(strcmp(scheme, origin->https ? "https" : "http") == 0);
    CHECK(strtol(port, NULL, 10) == origin->port);
    CHECK(strlen(host) == strlen(origin->host) + 2 * brackets);
    CHECK(memcmp(host + brackets, origin->host, strlen(origin->host)) == 0);
    for (size_t i = 0; i < normal->length; i++)
        CHECK((unsigned char)normal->data[i] > 0x20 && (unsigned char)normal->data[i] < 0x7F &&
              normal->data[i] != '\\');
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    curl_free(fragment);
    curl_url_cleanup(url);
}

/* The normal form is its own normal form, and one host of the list that is made from its host. */
static void check_again(const struct casehook__buf *normal, const struct casehook__origin *origin)
{
    struct casehook__origin again;
    struct casehook__buf same;
    struct casehook__host_list list = {0};
    casehook__buf_init(&same, NULL, 1 << 20);
    CHECK(casehook__url_parse(casehook__buf_text(normal), CASEHOOK__URL_REFUSE_USER, &again, &same, NULL) ==
          CASEHOOK_OK);
    CHECK(casehook__origin_equal(origin, &again));
    CHECK(casehook__text_equal(casehook__buf_text(normal), casehook__buf_text(&same)));
    CHECK(casehook__host_list_add(&list, casehook__text(origin->host), NULL) == CASEHOOK_OK);
    CHECK(casehook__host_list_has(&list, origin));
    casehook__host_list_free(&list);
    casehook__buf_free(&same);
}

static void check_display(const char *url)
{
    struct casehook__buf shown;
    casehook__buf_init(&shown, NULL, 1 << 20);
    CHECK(casehook__url_for_display(&shown, url, false) == CASEHOOK_OK);
    const char *text = casehook__buf_string(&shown), *authority = strstr(text, "://");
    authority = authority ? authority + 3 : text;
    CHECK(!memchr(authority, '@', strcspn(authority, "/?#")));
    CHECK(!strchr(text, '#'));
    casehook__buf_free(&shown);
}

static void check_path(const char *url)
{
    struct casehook__buf buf;
    const char *rest = strpbrk(url, "/?#");
    for (int how = 0; rest && how < 4; how++) {
        struct casehook__url_style style = {.shown = how % 2, .keep_slash = how / 2};
        casehook__buf_init(&buf, NULL, 1 << 20);
        casehook__buf_append_string(&buf, "x");
        casehook__buf_append_string(&buf, rest);
        CHECK(casehook__url_path_normalise(&buf, 1, style) == CASEHOOK_OK);
        size_t path = strcspn(buf.data, "?#");
        CHECK(strlen(buf.data) == buf.length);
        for (size_t i = 1; i + 1 < path; i++) CHECK(buf.data[i] != '/' || buf.data[i + 1] != '/');
        CHECK(path <= 2 || buf.data[path - 1] != '/' || style.keep_slash || strpbrk(rest, "?#"));
        style.keep_slash = true; /* an empty query behind a slash is gone now */
        char *once = exact_copy(buf.data, buf.length + 1);
        CHECK(casehook__url_path_normalise(&buf, 1, style) == CASEHOOK_OK);
        CHECK(strcmp(once, buf.data) == 0);
        free(once);
        casehook__buf_free(&buf);
    }
}

/* A URL template: whatever the value, a rendering leads to the origin that the text names. */
static void check_template(struct casehook__text text)
{
    static const struct casehook__variable variables[] = {{"x", CASEHOOK__VARIABLE_TEXT, NULL, {0}}};
    static const struct casehook__schema schema = {variables, 1, NULL, 0};
    static const char *const values[] = {"", ".", "..", "/../@evil.example:1/?#\\", "a"};
    struct casehook__url_template *url = NULL;
    if (casehook__url_template_new(NULL, text, &schema, false, false, &url, NULL) != CASEHOOK_OK) return;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct casehook__value value = {.kind = CASEHOOK__VALUE_TEXT, .text = casehook__text(values[i])};
        struct casehook__text name = casehook__text("x");
        struct casehook__value root = {
            .kind = CASEHOOK__VALUE_OBJECT, .names = &name, .items = &value, .count = 1};
        struct casehook__buf out;
        casehook__buf_init(&out, NULL, 1 << 20);
        if (casehook__url_template_render(url, &root, true, &out, NULL, NULL) == CASEHOOK_OK) {
            struct casehook__origin origin;
            casehook__url_template_origin(url, &origin);
            check_normal(&out, &origin);
            check_again(&out, &origin);
        }
        casehook__buf_free(&out);
    }
    casehook__url_template_free(url);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const char base[] = "http://base.example:81/a/b?c";
    struct casehook__origin origin;
    struct casehook__buf normal, user, password;
    struct casehook__host_pattern pattern;
    struct casehook__cidr cidr;
    struct casehook_error error;
    if (size > 4096) return 0;
    char *copy = malloc(size + 1);
    CHECK(copy);
    memcpy(copy, data, size);
    copy[size] = '\0';
    struct casehook__text text = {copy, size};
    casehook__error_init(&error);
    casehook__buf_init(&normal, NULL, 1 << 20);
    casehook__buf_init(&user, NULL, 8192);
    casehook__buf_init(&password, NULL, 8192);

    if (casehook__url_parse(text, CASEHOOK__URL_DROP_USER, &origin, &normal, &error) == CASEHOOK_OK) {
        check_normal(&normal, &origin);
        check_again(&normal, &origin);
    }
    casehook__buf_clear(&normal);
    if (casehook__url_resolve(base, text, &origin, &normal, &error) == CASEHOOK_OK) {
        check_normal(&normal, &origin);
        check_again(&normal, &origin);
    }
    casehook__url_parse_proxy(text, &origin, &user, &password, &error);
    casehook__host_pattern_parse(text, &pattern, &error);
    casehook__cidr_parse(text, &cidr, &error);
    check_template(text);
    check_display(copy);
    check_path(copy);

    casehook__buf_free(&normal);
    casehook__buf_free(&user);
    casehook__buf_free(&password);
    free(copy);
    return 0;
}
