/* test_url.c - plain URLs, proxies, Locations, and how URLs are shown. */
#include "url/url.h"
#include "url/url_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <curl/curl.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct case_ {
    const char *url, *normal; /* normal NULL: refused */
    const char *host;
    unsigned port;
    const char *word; /* refused: must be in the message */
};

static const struct case_ urls[] = {
    /* one spelling */
    {"http://a.example", "http://a.example/", "a.example", 80, NULL},
    {"HTTPS://A.Example:443/X?", "https://a.example/X", "a.example", 443, NULL},
    {"http://a.example:/x", "http://a.example/x", "a.example", 80, NULL},
    {"http://a.example:00080/x", "http://a.example/x", "a.example", 80, NULL},
    {"http://a.example:443/x", "http://a.example:443/x", "a.example", 443, NULL},
    {" \t\r\nhttp://a.example/x \n", "http://a.example/x", "a.example", 80, NULL},
    {"http://a.example./x", "http://a.example./x", "a.example.", 80, NULL},
    {"http://no_such_host.invalid:1/x", "http://no_such_host.invalid:1/x", "no_such_host.invalid", 1, NULL},
    /* path and query */
    {"http://h?a=b", "http://h/?a=b", "h", 80, NULL},
    {"http://h#f?x", "http://h/", "h", 80, NULL},
    {"http://h/a//b/?x=//y#z", "http://h/a//b/?x=//y", "h", 80, NULL},
    {"http://h/a/./b/../c", "http://h/a/c", "h", 80, NULL},
    {"http://h/a b/\xC3\xA4?q=c d\xC3\xA4", "http://h/a%20b/%C3%A4?q=c%20d%C3%A4", "h", 80, NULL},
    {"http://h/%zz%2f|[]\"<>`{}^?|[]\"<>`{}^", "http://h/%zz%2f|[]%22%3C%3E%60%7B%7D%5E?|[]%22%3C%3E`{}^",
     "h", 80, NULL},
    {"http://h/a@b:c", "http://h/a@b:c", "h", 80, NULL},
    /* addresses */
    {"http://127.1/", "http://127.0.0.1/", "127.0.0.1", 80, NULL},
    {"http://127.0.0.1./", "http://127.0.0.1/", "127.0.0.1", 80, NULL},
    {"http://127.1./", "http://127.0.0.1/", "127.0.0.1", 80, NULL},
    {"http://2130706433/", "http://127.0.0.1/", "127.0.0.1", 80, NULL},
    {"http://0x7F.1/", "http://127.0.0.1/", "127.0.0.1", 80, NULL},
    {"http://0177.0.0.01/", "http://127.0.0.1/", "127.0.0.1", 80, NULL},
    {"http://1.2.3/", "http://1.2.0.3/", "1.2.0.3", 80, NULL},
    {"http://[::1]:8080/x", "http://[::1]:8080/x", "::1", 8080, NULL},
    {"http://[0:0:0:0:0:0:0:1]/", "http://[::1]/", "::1", 80, NULL},
    {"http://[::FFFF:1.2.3.4]/", "http://[::ffff:1.2.3.4]/", "::ffff:1.2.3.4", 80, NULL},
    {"http://127.0.0.256/x", NULL, NULL, 0, "IPv4"},
    {"http://256.1.1.1/x", NULL, NULL, 0, "IPv4"},
    {"http://1.2.3.4.5/x", NULL, NULL, 0, "IPv4"},
    {"http://127.0.0.08/x", NULL, NULL, 0, "IPv4"},
    {"http://4294967296/x", NULL, NULL, 0, "IPv4"},
    {"http://a.0x/x", NULL, NULL, 0, "IPv4"},
    {"http://a.1./x", NULL, NULL, 0, "IPv4"},
    {"http://[::1/x", NULL, NULL, 0, "closed"},
    {"http://[bad", NULL, NULL, 0, "closed"},
    {"http://[::1]x/", NULL, NULL, 0, "]"},
    {"http://[]/", NULL, NULL, 0, "no host"},
    {"http://[:]/", NULL, NULL, 0, "valid"},
    {"http://[1.2.3.4]/", NULL, NULL, 0, "valid"},
    {"http://[fe80::1%25eth0]/", NULL, NULL, 0, "zone"},
    {"http://::1/", NULL, NULL, 0, "brackets"},
    /* schemes */
    {"", NULL, NULL, 0, "empty"},
    {"  ", NULL, NULL, 0, "empty"},
    {"not a url", NULL, NULL, 0, "scheme"},
    {"/rest/api", NULL, NULL, 0, "https://"},
    {"localhost:8080/x", NULL, NULL, 0, "https://"},
    {"wiki.example/x", NULL, NULL, 0, "https://"},
    {"http://", NULL, NULL, 0, "no host"},
    {"http:///x", NULL, NULL, 0, "no host"},
    {"http://:80/x", NULL, NULL, 0, "no host"},
    {"http:/127.0.0.1:80/x", NULL, NULL, 0, "slashes"},
    {"http:127.0.0.1:80/x", NULL, NULL, 0, "slashes"},
    {"ftp://127.0.0.1/x", NULL, NULL, 0, "ftp"},
    {"ws://127.0.0.1/x", NULL, NULL, 0, "ws"},
    {"mailto:a@b.example", NULL, NULL, 0, "https://"},
    {"file:///etc/passwd", NULL, NULL, 0, "file"},
    {"httpx://a/", NULL, NULL, 0, "httpx"},
    /* authorities */
    {"http://127.0.0.1:99999/x", NULL, NULL, 0, "65535"},
    {"http://h:0/x", NULL, NULL, 0, "65535"},
    {"http://h:-1/x", NULL, NULL, 0, "65535"},
    {"http://h:8o/x", NULL, NULL, 0, "65535"},
    {"http://a b/x", NULL, NULL, 0, "space"},
    {"http://local%68ost/x", NULL, NULL, 0, "%"},
    {"http://localhost%2Eevil.invalid/x", NULL, NULL, 0, "%"},
    {"http://bob:s%40c@127.0.0.1/a", NULL, NULL, 0, "user info"},
    {"http://127.0.0.1:1@localhost/i", NULL, NULL, 0, "user info"},
    {"http://@localhost/i", NULL, NULL, 0, "user info"},
    {"http://127.0.0.1\\@localhost/x", NULL, NULL, 0, "\\"},
    {"http://h/a\\b", NULL, NULL, 0, "\\"},
    {"http://h/?a\\b", NULL, NULL, 0, "\\"},
    {"http://h/\x01", NULL, NULL, 0, "control"},
    {"http://h/\x7F", NULL, NULL, 0, "control"},
    {"http://h\r\nX: y/", NULL, NULL, 0, "control"},
    {"http://a..b/", NULL, NULL, 0, "valid"},
    {"http://.a/", NULL, NULL, 0, "valid"},
    {"http://./", NULL, NULL, 0, "valid"},
    {"http://a,b/", NULL, NULL, 0, "','"},
    {"http://h{{x}}/", NULL, NULL, 0, "variable"},
    {"{{x}}://h/", NULL, NULL, 0, "variable"},
    {"{{x}}/", NULL, NULL, 0, "scheme"},
#ifdef CASEHOOK_HAVE_IDN2
    {"http://b\xC3\xBC"
     "cher.localhost:8/i",
     "http://xn--bcher-kva.localhost:8/i", "xn--bcher-kva.localhost", 8, NULL},
    {"http://B\xC3\x9C"
     "CHER.localhost/",
     "http://xn--bcher-kva.localhost/", "xn--bcher-kva.localhost", 80, NULL},
    {"http://fa\xC3\x9F.example/", "http://xn--fa-hia.example/", "xn--fa-hia.example", 80, NULL},
    /* U+3002, full-width digits: what they mean is an address */
    {"http://127\xE3\x80\x82\x30.0.1/", "http://127.0.0.1/", "127.0.0.1", 80, NULL},
    {"http://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.1/", "http://127.0.0.1/", "127.0.0.1", 80, NULL},
    {"http://a\xEF\xBC\x8F"
     "b.example/",
     NULL, NULL, 0, "valid"}, /* U+FF0F, a slash */
    {"http://a\xEF\xBC\xA0"
     "b.example/",
     NULL, NULL, 0, "valid"}, /* U+FF20, an @ */
    {"http://a\xEF\xBC\x85"
     "31.example/",
     NULL, NULL, 0, "valid"}, /* U+FF05, a percent sign */
    {"http://a\xE2\x84\x80"
     ".example/",
     NULL, NULL, 0, "valid"}, /* U+2100, "a/c" */
    {"http://\xFF.example/", NULL, NULL, 0, "UTF-8"},
#else
    {"http://b\xC3\xBC"
     "cher.localhost/i",
     NULL, NULL, 0, "xn--"},
#endif
};

static void fail_with(const char *url, const char *what)
{
    fail_msg("%s: %s", url, what);
}

static void parses_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        const struct case_ *c = &urls[i];
        struct casehook__origin origin;
        struct casehook__buf normal;
        struct casehook_error error;
        casehook__error_init(&error);
        casehook__buf_init(&normal, NULL, 1000);
        int status =
            casehook__url_parse(casehook__text(c->url), CASEHOOK__URL_REFUSE_USER, &origin, &normal, &error);
        if (c->normal) {
            if (status) fail_with(c->url, error.message);
            assert_string_equal(casehook__buf_string(&normal), c->normal);
            assert_string_equal(origin.host, c->host);
            assert_int_equal(origin.port, c->port);
        } else {
            if (status != CASEHOOK_E_CONFIG) fail_with(c->url, "was accepted");
            if (!strstr(error.message, c->word)) fail_with(c->url, error.message);
        }
        casehook__buf_free(&normal);
    }
}

static void knows_addresses(void **state)
{
    (void)state;
    struct casehook__origin origin;
    assert_int_equal(
        casehook__url_parse(casehook__text("http://0x7f.1/"), CASEHOOK__URL_DROP_USER, &origin, NULL, NULL),
        0);
    assert_true(origin.ipv4 && !origin.ipv6);
    assert_memory_equal(origin.address, "\x7F\0\0\1", 4);
    assert_int_equal(casehook__url_parse(casehook__text("http://[::FFFF:a00:1]/"), CASEHOOK__URL_DROP_USER,
                                         &origin, NULL, NULL),
                     0);
    assert_true(origin.ipv6 && !origin.ipv4);
    assert_memory_equal(origin.address, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF\x0A\0\0\1", 16);
    assert_int_equal(casehook__url_parse(casehook__text("http://a.example/"), CASEHOOK__URL_DROP_USER,
                                         &origin, NULL, NULL),
                     0);
    assert_true(!origin.ipv6 && !origin.ipv4);
}

static void errors_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int offset;
    } cases[] = {
        {" http://h/a\\b", 11}, {"http://a b/", 8},    {"http://u:p@h/", 7},
        {"http://h:x/", 9},     {"http://a{{b}}/", 8},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__origin origin;
        struct casehook_error error;
        casehook__error_init(&error);
        casehook__url_parse(casehook__text(cases[i].url), CASEHOOK__URL_REFUSE_USER, &origin, NULL, &error);
        assert_int_equal(error.offset, cases[i].offset);
    }
}

static void refuses_nul_and_length(void **state)
{
    (void)state;
    struct casehook__origin origin;
    char url[400] = "http://";
    struct casehook__text nul = {"http://h/\0x", 11};
    assert_int_equal(casehook__url_parse(nul, CASEHOOK__URL_DROP_USER, &origin, NULL, NULL),
                     CASEHOOK_E_CONFIG);
    memset(url + 7, 'a', 300);
    assert_int_equal(casehook__url_parse(casehook__text(url), CASEHOOK__URL_DROP_USER, &origin, NULL, NULL),
                     CASEHOOK_E_CONFIG);
    struct casehook__buf normal;
    casehook__buf_init(&normal, NULL, 27);
    assert_int_equal(casehook__url_parse(casehook__text("http://a.example/0123456789"),
                                         CASEHOOK__URL_DROP_USER, &origin, &normal, NULL),
                     CASEHOOK_OK);
    casehook__buf_clear(&normal);
    assert_int_equal(casehook__url_parse(casehook__text("http://a.example/ 0123456789"),
                                         CASEHOOK__URL_DROP_USER, &origin, &normal, NULL),
                     CASEHOOK_E_LIMIT);
    casehook__buf_free(&normal);
}

static void compares_origins(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"http://A/x", "http://a:80/y?z", true},    {"https://a", "https://a:443/", true},
        {"http://a", "https://a", false},           {"http://a:443", "https://a", false},
        {"http://a", "http://a.", false},           {"http://127.1", "http://127.0.0.1.", true},
        {"http://[::1]", "http://[0::0:1]/", true}, {"http://a", "http://b", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__origin a, b;
        assert_int_equal(
            casehook__url_parse(casehook__text(cases[i].a), CASEHOOK__URL_DROP_USER, &a, NULL, NULL), 0);
        assert_int_equal(
            casehook__url_parse(casehook__text(cases[i].b), CASEHOOK__URL_DROP_USER, &b, NULL, NULL), 0);
        if (casehook__origin_equal(&a, &b) != cases[i].equal) fail_with(cases[i].a, cases[i].b);
    }
}

static void parses_proxies(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host;
        unsigned port;
        const char *user, *password, *word;
    } cases[] = {
        {"http://proxy.example", "proxy.example", 80, "", "", NULL},
        {"http://127.0.0.1:3128/", "127.0.0.1", 3128, "", "", NULL},
        {"https://pu:p%40ss@127.0.0.1:1", "127.0.0.1", 1, "pu", "p@ss", NULL},
        {"http://pu:a:b%3A@h", "h", 80, "pu", "a:b:", NULL},
        {"http://pu@h", "h", 80, "pu", "", NULL},
        {"http://a@b:c@h", "h", 80, "a@b", "c", NULL},
        {"http://u:p%C3%A4\xC3\xA4@h", "h", 80, "u", "p\xC3\xA4\xC3\xA4", NULL},
        {"not a url", NULL, 0, NULL, NULL, "https://"},
        {"ftp://127.0.0.1:1", NULL, 0, NULL, NULL, "ftp"},
        {"socks5://127.0.0.1:1", NULL, 0, NULL, NULL, "scheme"},
        {"http://", NULL, 0, NULL, NULL, "no host"},
        {"http://u:p@", NULL, 0, NULL, NULL, "no host"},
        {"http://h/x", NULL, 0, NULL, NULL, "path"},
        {"http://h?x", NULL, 0, NULL, NULL, "query"},
        {"http://h/#", NULL, 0, NULL, NULL, "fragment"},
        {"http://u%3Av:p@h", NULL, 0, NULL, NULL, "colon"},
        {"http://u:p%zz@h", NULL, 0, NULL, NULL, "%25"},
        {"http://u:p%4@h", NULL, 0, NULL, NULL, "%25"},
        {"http://u:p%0d%0a@h", NULL, 0, NULL, NULL, "control"},
        {"http://u%00:p@h", NULL, 0, NULL, NULL, "control"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__origin origin;
        struct casehook__buf user, password;
        struct casehook_error error;
        casehook__error_init(&error);
        casehook__buf_init(&user, NULL, 100);
        casehook__buf_init(&password, NULL, 100);
        int status =
            casehook__url_parse_proxy(casehook__text(cases[i].url), &origin, &user, &password, &error);
        if (cases[i].host) {
            if (status) fail_with(cases[i].url, error.message);
            assert_string_equal(origin.host, cases[i].host);
            assert_int_equal(origin.port, cases[i].port);
            assert_string_equal(casehook__buf_string(&user), cases[i].user);
            assert_string_equal(casehook__buf_string(&password), cases[i].password);
        } else {
            assert_int_equal(status, CASEHOOK_E_CONFIG);
            if (!strstr(error.message, cases[i].word)) fail_with(cases[i].url, error.message);
        }
        casehook__buf_free(&user);
        casehook__buf_free(&password);
    }
}

static void resolves_locations(void **state)
{
    (void)state;
    static const char base[] = "http://127.0.0.1:8080/rest/api/2/issue/1?q=/a/b";
    static const struct {
        const char *location, *url;
    } cases[] = {
        {"http://127.0.0.1:8080/moved", "http://127.0.0.1:8080/moved"},
        {"/other/path?x=1", "http://127.0.0.1:8080/other/path?x=1"},
        {"../up", "http://127.0.0.1:8080/rest/api/2/up"},
        {"../../../../../up", "http://127.0.0.1:8080/up"},
        {"x", "http://127.0.0.1:8080/rest/api/2/issue/x"},
        {"./x/./y", "http://127.0.0.1:8080/rest/api/2/issue/x/y"},
        {"?a=b", "http://127.0.0.1:8080/rest/api/2/issue/1?a=b"},
        {"?u=http://evil.example/", "http://127.0.0.1:8080/rest/api/2/issue/1?u=http://evil.example/"},
        {"//127.0.0.1:9/p", "http://127.0.0.1:9/p"},
        {"//LocalHost", "http://localhost/"},
        {"http://127.0.0.1:8080/a//b/", "http://127.0.0.1:8080/a//b/"},
        {"/a//b/", "http://127.0.0.1:8080/a//b/"},
        {"/..//evil.example/", "http://127.0.0.1:8080//evil.example/"},
        {"HTTPS://LOCALHOST:1/x#frag", "https://localhost:1/x"},
        {"http://a:b@127.0.0.1:8080/x", "http://127.0.0.1:8080/x"},
        {"//a:b@127.0.0.1:8080/x", "http://127.0.0.1:8080/x"},
        {" /x \t", "http://127.0.0.1:8080/x"},
        {"/a b?c d\xC3\xA4", "http://127.0.0.1:8080/a%20b?c%20d%C3%A4"},
        {"#frag", "http://127.0.0.1:8080/rest/api/2/issue/1?q=/a/b"},
        {"/x#?y", "http://127.0.0.1:8080/x"},
        {"/x?", "http://127.0.0.1:8080/x"},
        {"x:y/z", NULL},
        {"/x:y/z", "http://127.0.0.1:8080/x:y/z"},
        {"@evil.example/", "http://127.0.0.1:8080/rest/api/2/issue/@evil.example/"},
        {"", NULL},
        {"  ", NULL},
        {"http://[bad", NULL},
        {"ftp://127.0.0.1/x", NULL},
        {"javascript:alert(1)", NULL},
        {"http:x", NULL},
        {"//", NULL},
        {"///evil.example/", NULL},
        {"/\\evil.example", NULL},
        {"\\\\evil.example", NULL},
        {"/a\x01", NULL},
        {"http://a%2eb/", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__origin origin;
        struct casehook__buf normal;
        struct casehook_error error;
        casehook__error_init(&error);
        casehook__buf_init(&normal, NULL, 1000);
        int status = casehook__url_resolve(base, casehook__text(cases[i].location), &origin, &normal, &error);
        if (cases[i].url) {
            if (status) fail_with(cases[i].location, error.message);
            assert_string_equal(casehook__buf_string(&normal), cases[i].url);
        } else {
            if (status != CASEHOOK_E_CONFIG) fail_with(cases[i].location, casehook__buf_string(&normal));
            assert_true(error.message[0] != '\0');
        }
        casehook__buf_free(&normal);
    }
}

static void shows_no_secret(void **state)
{
    (void)state;
    static const struct {
        const char *url, *plain, *masked;
    } cases[] = {
        {"https://h.example/a/b?x=1&y=2&z#f", "https://h.example/a/b?x=&y=&***",
         "https://h.example/***?x=&y=&***"},
        {"https://u:p@h.example:8/a", "https://h.example:8/a", "https://h.example:8/***"},
        {"https://u:p@x@h.example/users/@me", "https://h.example/users/@me", "https://h.example/***"},
        {"http://[::1]:80/", "http://[::1]:80/", "http://[::1]:80/"},
        {"http://[::1]", "http://[::1]", "http://[::1]"},
        {"http://h", "http://h", "http://h"},
        {"http://h?token", "http://h?***", "http://h?***"},
        {"http://h#u:p", "http://h", "http://h"},
        {"http://h/?a=1;b=2;&", "http://h/?a=;b=;&", "http://h/?a=;b=;&"},
        {"u:secret@h/x", "h/x", "h/***"},
        {"http:/u:secret@h/x", "h/x", "h/***"},
        {"http:///u:secret@h/x", "http://h/x", "http://h/***"},
        {"http://u:sec/ret@h/x", "http://h/x", "http://h/***"},
        {"http://u:sec?ret@h/x", "http://h/x", "http://h/***"},
        {"http://u:sec#ret@h/x", "http://h/x", "http://h/***"},
        {"", "", ""},
        {"?", "?", "?"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__buf buf;
        casehook__buf_init(&buf, NULL, 1000);
        assert_int_equal(casehook__url_for_display(&buf, cases[i].url, false), CASEHOOK_OK);
        assert_string_equal(casehook__buf_string(&buf), cases[i].plain);
        casehook__buf_clear(&buf);
        assert_int_equal(casehook__url_for_display(&buf, cases[i].url, true), CASEHOOK_OK);
        assert_string_equal(casehook__buf_string(&buf), cases[i].masked);
        casehook__buf_free(&buf);
    }
}

static void normalises_paths(void **state)
{
    (void)state;
    static const struct {
        const char *text, *requested, *shown;
    } cases[] = {
        {"", "/", ""},
        {"/", "/", "/"},
        {"//", "/", "/"},
        {"/?", "/", "/?"},
        {"?", "/", "?"},
        {"?id=77", "/?id=77", "?id=77"},
        {"#f", "/", "#f"},
        {"/a/77#frag/x", "/a/77", "/a/77#frag/x"},
        {"/a?#f", "/a", "/a?#f"},
        {"/a?b#f?", "/a?b", "/a?b#f?"},
        {"/issue/77/", "/issue/77", "/issue/77"},
        {"/issue/77///", "/issue/77", "/issue/77"},
        {"//a///b////77", "/a/b/77", "/a/b/77"},
        {"/a://b/77", "/a:/b/77", "/a:/b/77"},
        {"/a?path=x//y&u=http://h//z/", "/a?path=x//y&u=http://h//z/", "/a?path=x//y&u=http://h//z/"},
        {"//a/1/?x=//y/../z/&w=/", "/a/1/?x=//y/../z/&w=/", "/a/1/?x=//y/../z/&w=/"},
        {"//v//1/?a=//b/#//c/", "/v/1/?a=//b/", "/v/1/?a=//b/#//c/"},
        {"/v//?", "/v/", "/v/?"},
        {"/v/#", "/v/", "/v/#"},
        {"/v/x/..?a", "/v/?a", "/v/x/..?a"},
        {"/a/./b/../c/77", "/a/c/77", "/a/./b/../c/77"},
        {"/a/%2e/b/%2E./c/77", "/a/c/77", "/a/%2e/b/%2E./c/77"},
        {"/../../x", "/x", "/../../x"},
        {"/a/b/..", "/a", "/a/b/.."},
        {"/a/..", "/", "/a/.."},
        {"/...", "/...", "/..."},
        {"/.a/..b/%2", "/.a/..b/%2", "/.a/..b/%2"},
        {"/a b/77?q=c d", "/a%20b/77?q=c%20d", "/a b/77?q=c d"},
        {"/f\xC3\xA4lle//77/?q=\xE6\x97\xA5# \xC3", "/f%C3%A4lle/77/?q=%E6%97%A5",
         "/f\xC3\xA4lle/77/?q=\xE6\x97\xA5# \xC3"},
        {"/a%2fb%2Fc%zz/77", "/a%2fb%2Fc%zz/77", "/a%2fb%2Fc%zz/77"},
        {"/a\"b<c>d`e|g[h]i;j,k'l(m)*!~@$&=+:/77", "/a%22b%3Cc%3Ed%60e|g[h]i;j,k'l(m)*!~@$&=+:/77",
         "/a\"b<c>d`e|g[h]i;j,k'l(m)*!~@$&=+:/77"},
        {"/A b/../\xC3\xA9//1", "/%C3%A9/1", "/A b/../\xC3\xA9/1"},
    };
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct casehook__buf buf;
        bool shown = i % 2;
        casehook__buf_init(&buf, NULL, 1000);
        casehook__buf_append_string(&buf, "http://h");
        casehook__buf_append_string(&buf, cases[i / 2].text);
        assert_int_equal(casehook__url_path_normalise(&buf, 8, (struct casehook__url_style){.shown = shown}),
                         CASEHOOK_OK);
        assert_string_equal(casehook__buf_string(&buf) + 8,
                            shown ? cases[i / 2].shown : cases[i / 2].requested);
        assert_int_equal(strlen(buf.data), buf.length);
        casehook__buf_free(&buf);
    }
}

static int allocations_left;

static void *reallocate(void *user, void *pointer, size_t size)
{
    (void)user;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    return allocations_left-- > 0 ? realloc(pointer, size) : NULL;
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    const struct casehook_allocator allocator = {sizeof allocator, NULL, reallocate, NULL};
    struct casehook__heap *heap = NULL;
    int status = CASEHOOK_E_NO_MEMORY, failed = 0;
    allocations_left = 10;
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    for (int n = 0; status == CASEHOOK_E_NO_MEMORY; n++) {
        struct casehook__origin origin;
        struct casehook__buf normal;
        casehook__buf_init(&normal, heap, 1000);
        allocations_left = n;
        status = casehook__url_resolve("http://h/a", casehook__text("//u@i/b c"), &origin, &normal, NULL);
        if (status == CASEHOOK_OK) {
            casehook__buf_clear(&normal);
            status = casehook__url_resolve("http://h/a", casehook__text("b c"), &origin, &normal, NULL);
        }
        failed += status == CASEHOOK_E_NO_MEMORY;
        casehook__buf_free(&normal);
    }
    assert_int_equal(status, CASEHOOK_OK);
    assert_true(failed > 2);
    casehook__heap_unref(heap);
}

static void *curl_allocate(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *curl_zeroed(size_t count, size_t size)
{
    return allocations_left-- > 0 ? calloc(count, size) : NULL;
}

static void *curl_reallocate(void *block, size_t size)
{
    return allocations_left-- > 0 ? realloc(block, size) : NULL;
}

static char *curl_copy(const char *text)
{
    return allocations_left-- > 0 ? strdup(text) : NULL;
}

/* libcurl's own lack of memory is no fault of the URL. */
static void survives_lack_of_memory_in_libcurl(void **state)
{
    (void)state;
    int status = CASEHOOK_E_NO_MEMORY, failed = 0;
    allocations_left = 1000;
    assert_int_equal(curl_global_init_mem(CURL_GLOBAL_NOTHING, curl_allocate, free, curl_reallocate,
                                          curl_copy, curl_zeroed),
                     CURLE_OK);
    for (int n = 0; status != CASEHOOK_OK; n++) {
        struct casehook__origin origin;
        struct casehook__buf normal;
        struct casehook_error error = {0};
        casehook__buf_init(&normal, NULL, 1000);
        allocations_left = n;
        status = casehook__url_parse(casehook__text("http://h:81/a?b=c"), CASEHOOK__URL_REFUSE_USER, &origin,
                                     &normal, &error);
        allocations_left = 1000;
        if (status) {
            assert_int_equal(status, CASEHOOK_E_NO_MEMORY);
            assert_int_equal(error.status, CASEHOOK_E_NO_MEMORY);
            failed++;
        } else {
            assert_string_equal(casehook__buf_string(&normal), "http://h:81/a?b=c");
        }
        casehook__buf_free(&normal);
    }
    assert_true(failed > 4);
    allocations_left = 1000000;
    curl_global_cleanup();
}

/* Two logins in one buffer: a colon in the first is not one in the second. */
static void proxy_logins_are_appended(void **state)
{
    (void)state;
    struct casehook__origin origin;
    struct casehook__buf user, password;
    casehook__buf_init(&user, NULL, 100);
    casehook__buf_init(&password, NULL, 100);
    casehook__buf_append_string(&user, "a:b ");
    assert_int_equal(
        casehook__url_parse_proxy(casehook__text("http://user:p@h"), &origin, &user, &password, NULL),
        CASEHOOK_OK);
    assert_string_equal(casehook__buf_string(&user), "a:b user");
    assert_int_equal(
        casehook__url_parse_proxy(casehook__text("http://:p@h"), &origin, &user, &password, NULL),
        CASEHOOK_OK);
    assert_int_equal(
        casehook__url_parse_proxy(casehook__text("http://x%3A:p@h"), &origin, &user, &password, NULL),
        CASEHOOK_E_CONFIG);
    casehook__buf_free(&user);
    casehook__buf_free(&password);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_urls),
        cmocka_unit_test(knows_addresses),
        cmocka_unit_test(errors_say_where),
        cmocka_unit_test(refuses_nul_and_length),
        cmocka_unit_test(compares_origins),
        cmocka_unit_test(parses_proxies),
        cmocka_unit_test(resolves_locations),
        cmocka_unit_test(shows_no_secret),
        cmocka_unit_test(normalises_paths),
        cmocka_unit_test(survives_lack_of_memory),
        cmocka_unit_test(proxy_logins_are_appended),
        cmocka_unit_test(survives_lack_of_memory_in_libcurl), /* last: its functions stay */
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
