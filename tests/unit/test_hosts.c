/* test_hosts.c - patterns of hosts. */
#include "url/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct casehook__origin origin_of(const char *url)
{
    struct casehook__origin origin;
    struct casehook_error error;
    casehook__error_init(&error);
    if (casehook__url_parse(casehook__text(url), CASEHOOK__URL_REFUSE_USER, &origin, NULL, &error))
        fail_msg("%s: %s", url, error.message);
    return origin;
}

static void matches_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *entry, *url;
        bool matches;
    } cases[] = {
        {"*", "http://127.0.0.1:8080/", true},
        {"*:8080", "http://127.0.0.1:8080/", true},
        {"*:8081", "http://127.0.0.1:8080/", false},
        {"127.0.0.1", "http://127.0.0.1:8080/", true},
        {"example.com", "http://127.0.0.1:8080/", false},
        {"127.0.0.1:8080", "http://127.0.0.1:8080/", true},
        {"127.0.0.1:1", "http://127.0.0.1:8080/", false},
        {"localhost", "http://LocalHost:8080/", true},
        {"LOCALHOST", "http://localhost:8080/", true},
        {" localhost\t", "http://localhost:8080/", true},
        {"::1", "http://[::1]:8080/", true},
        {"[::1]", "http://[::1]:8080/", true},
        {"[::1]:8080", "http://[::1]:8080/", true},
        {"[::1]:8081", "http://[::1]:8080/", false},
        {"0:0::0001", "http://[::1]:8080/", true},
        {"::2", "http://[::1]:8080/", false},
        {"2001:DB8::A", "http://[2001:db8:0::a]/", true},
        {"localhost", "http://api.localhost/", false},
        {"*.localhost", "http://api.localhost/", true},
        {"*.localhost", "http://localhost/", false},
        {"localhost", "http://localhost./", true},
        {"localhost.", "http://localhost/", true},
        {"*.localhost.", "http://api.localhost./", true},
        {"127.0.0.1", "http://127.1/", true},
        {"127.1", "http://127.1/", true},
        {"0x7f.1:80", "http://127.0.0.1/", true},
        {"127.0.0.1", "http://127.0.0.1./", true},
        {"127.0.0.1.", "http://127.0.0.1/", true},
        {"*.example.com", "https://api.example.com/", true},
        {"*.example.com", "https://a.b.example.com/", true},
        {"*.example.com", "https://example.com/", false},
        {"*.example.com", "https://badexample.com/", false},
        {"*.example.com", "https://example.com.evil.example/", false},
        {"*.EXAMPLE.com", "https://API.example.COM/", true},
        {"*.example.com:443", "https://api.example.com/", true},
        {"*.example.com:80", "https://api.example.com/", false},
        {"example.com", "https://notexample.com/", false},
        {"api.example.com:443", "https://api.example.com/", true},
        {"api.example.com:80", "https://api.example.com/", false},
        {"api.example.com.", "https://api.example.com/", true},
        {"::ffff:127.0.0.1", "http://127.0.0.1/", false},
#ifdef CASEHOOK_HAVE_IDN2
        {"b\xC3\xBC"
         "cher.localhost",
         "http://b\xC3\xBC"
         "cher.localhost/",
         true},
        {"b\xC3\xBC"
         "cher.example",
         "https://xn--bcher-kva.example/", true},
        {"*.B\xC3\x9C"
         "CHER.example",
         "https://a.xn--bcher-kva.example/", true},
#endif
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__host_list list = {0};
        struct casehook_error error;
        struct casehook__origin origin = origin_of(cases[i].url);
        casehook__error_init(&error);
        if (casehook__host_list_add(&list, casehook__text(cases[i].entry), &error))
            fail_msg("%s: %s", cases[i].entry, error.message);
        if (casehook__host_list_has(&list, &origin) != cases[i].matches)
            fail_msg("%s and %s", cases[i].entry, cases[i].url);
        casehook__host_list_free(&list);
    }
}

static void refuses_what_never_matches(void **state)
{
    (void)state;
    static const struct {
        const char *entry, *word;
    } cases[] = {
        {"", "host:port"},        {"  ", "host:port"},       {"http://127.0.0.1", "scheme"},
        {"example.com/x", "URL"}, {"example.com?", "URL"},   {"u@example.com", "user info"},
        {"a b", "valid"},         {"a:b", "port"},           {"a:", "port"},
        {"a:0", "port"},          {"a:65536", "port"},       {"[::1]:", "port"},
        {"[::1", "valid"},        {"[::1]8", "port"},        {"::1:x", "valid"},
        {"**", "alone"},          {"*example.com", "alone"}, {"a.*.b", "alone"},
        {"*.", "alone"},          {"*.*.b", "alone"},        {"*.1.2", "subdomains"},
        {"*.[::1]", "valid"},     {"1.2.3.256", "valid"},    {"a..b", "valid"},
        {"a\\b", "valid"},        {"a%2eb", "valid"},        {"*.example.com:x", "port"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__host_pattern pattern;
        struct casehook_error error;
        casehook__error_init(&error);
        if (casehook__host_pattern_parse(casehook__text(cases[i].entry), &pattern, &error) !=
            CASEHOOK_E_CONFIG)
            fail_msg("%s was accepted", cases[i].entry);
        if (!strstr(error.message, cases[i].word)) fail_msg("%s: %s", cases[i].entry, error.message);
    }
    struct casehook__host_pattern pattern;
    char entry[700];
    memset(entry, 'a', sizeof entry);
    assert_int_equal(
        casehook__host_pattern_parse((struct casehook__text){entry, sizeof entry}, &pattern, NULL),
        CASEHOOK_E_CONFIG);
    assert_int_equal(casehook__host_pattern_parse((struct casehook__text){"a\0b", 3}, &pattern, NULL),
                     CASEHOOK_E_CONFIG);
}

static void lists_grow(void **state)
{
    (void)state;
    struct casehook__host_list list = {0};
    struct casehook__origin a = origin_of("http://h39.example/"), b = origin_of("http://h40.example/");
    assert_false(casehook__host_list_has(&list, &a)); /* an empty list allows nothing */
    for (int i = 0; i < 40; i++) {
        char entry[32] = "h00.example";
        entry[1] = (char)('0' + i / 10);
        entry[2] = (char)('0' + i % 10);
        assert_int_equal(casehook__host_list_add(&list, casehook__text(entry), NULL), CASEHOOK_OK);
    }
    assert_int_equal(list.count, 40);
    assert_true(casehook__host_list_has(&list, &a));
    assert_false(casehook__host_list_has(&list, &b));
    casehook__host_list_free(&list);
}

/* A login that somebody put into a list is no more shown than one in a URL. */
static void logins_are_not_shown(void **state)
{
    (void)state;
    static const char *const entries[] = {"admin:hunter2@tracker.example",
                                          "http://admin:hunter2@tracker.example", "admin:hunter2@10.0.0.0/8",
                                          "a@hunter2@tracker.example:99999"};
    for (size_t i = 0; i < COUNT(entries); i++) {
        struct casehook__host_pattern pattern;
        struct casehook__cidr cidr;
        struct casehook_error error;
        casehook__error_init(&error);
        assert_int_equal(casehook__host_pattern_parse(casehook__text(entries[i]), &pattern, &error),
                         CASEHOOK_E_CONFIG);
        assert_null(strstr(error.message, "hunter2"));
        assert_non_null(strstr(error.message, strrchr(entries[i], '@') + 1));
        casehook__error_init(&error);
        assert_int_equal(casehook__cidr_parse(casehook__text(entries[i]), &cidr, &error), CASEHOOK_E_CONFIG);
        assert_null(strstr(error.message, "hunter2"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_as_written),
        cmocka_unit_test(refuses_what_never_matches),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(logins_are_not_shown),
    };
    return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
