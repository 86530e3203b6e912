/* test_addresses.c - special addresses and their exceptions. */
#include "url/hosts.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static size_t bytes_of(const char *text, unsigned char *address)
{
    if (inet_pton(AF_INET, text, address) == 1) return 4;
    assert_int_equal(inet_pton(AF_INET6, text, address), 1);
    return 16;
}

static void knows_special_ranges(void **state)
{
    (void)state;
    /* first and last of each range, and their public neighbours where there are any */
    static const char *const special[] = {
        "0.0.0.0",
        "0.255.255.255",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.0",
        "127.255.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.0.0.255",
        "192.0.2.0",
        "192.0.2.255",
        "192.88.99.0",
        "192.88.99.255",
        "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.0",
        "198.51.100.255",
        "203.0.113.0",
        "203.0.113.255",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "fc00::",
        "fdff:ffff::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "feff::1",
        "ff02::1",
        "ff0e::1",
        "2001:db8::",
        "2001:db8:ffff::1",
        "2001::1",
        "2001:1ff::1",
        "100::",
        "100::ffff:ffff:ffff:ffff",
        "100:0:0:1::1",
        "3fff::1",
        "3fff:fff::1",
        "5f00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:0:10.1.2.3",
        "::127.0.0.1",
        "::10.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::1",
        "64:ff9b:1:ffff::8.8.8.8",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:c0a8:101::5",
        "2001:0:102:304::1",
        "2a00::5efe:10.0.0.1",
        "2a00::200:5efe:127.0.0.1",
        "2a00:1:2:3:0:5efe:c0a8:1",
    };
    static const char *const public[] = {
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "8.8.8.8",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2001:db7:ffff::1",
        "2001:db9::1",
        "2a00::1",
        "fbff::1",
        "101::1",
        "100:0:0:2::1",
        "3ffe::1",
        "3fff:1000::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2a00::5efe:8.8.8.8",
        "2a00::1:5efe:10.0.0.1",
        "2a00::100:5efe:10.0.0.1",
        "2a00::400:5efe:10.0.0.1",
        "2a00::5eff:10.0.0.1",
        "2a00::5ffe:10.0.0.1",
        "fe00::1",
    };
    unsigned char address[16];
    for (size_t i = 0; i < COUNT(special); i++) {
        size_t size = bytes_of(special[i], address);
        if (!casehook__address_special(address, size)) fail_msg("%s is taken for public", special[i]);
    }
    for (size_t i = 0; i < COUNT(public); i++) {
        size_t size = bytes_of(public[i], address);
        const char *kind = casehook__address_special(address, size);
        if (kind) fail_msg("%s is taken for %s", public[i], kind);
    }
    assert_non_null(casehook__address_special(address, 5));
}

static void odd_spellings_come_down_to_bytes(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://0x7f.0.0.0x1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://169.254.169.254/",
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.254/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[0:0:0::1]/",
#ifdef CASEHOOK_HAVE_IDN2
        "http://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.1/", /* circled digits */
#endif
    };
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct casehook__origin origin;
        assert_int_equal(
            casehook__url_parse(casehook__text(urls[i]), CASEHOOK__URL_REFUSE_USER, &origin, NULL, NULL), 0);
        assert_true(origin.ipv4 || origin.ipv6);
        if (!casehook__address_special(origin.address, origin.ipv4 ? 4 : 16)) fail_msg("%s", urls[i]);
    }
}

static void exceptions_permit(void **state)
{
    (void)state;
    static const struct {
        const char *exception, *address;
        bool denied;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", false},
        {"10.0.0.0/8", "11.0.0.1", false}, /* public anyway */
        {"10.0.0.0/8", "127.0.0.1", true},
        {"10.0.0.0/8", "::ffff:10.0.0.1", false},
        {"10.0.0.0/8", "64:ff9b::10.0.0.1", true},
        {"10.0.0.0/8", "::10.0.0.1", true},
        {"10.1.2.3", "10.1.2.3", false},
        {"10.1.2.3", "10.1.2.4", true},
        {"10.1.2.3/31", "10.1.2.2", false},
        {"10.1.2.3/31", "10.1.2.4", true},
        {"0.0.0.0/0", "192.168.1.1", false},
        {"0.0.0.0/0", "::1", true},
        {"::/0", "::1", false},
        {"::/0", "fe80::1", false},
        {"::/0", "10.0.0.1", true},
        {"::/0", "::ffff:10.0.0.1", true},
        {"::1", "::1", false},
        {"::1/128", "::", true},
        {"fd00::/8", "fd12::1", false},
        {"fd00::/8", "fc00::1", true},
        {"::ffff:10.0.0.0/104", "10.9.9.9", false},
        {"64:ff9b::/96", "64:ff9b::10.0.0.1", false},
        {"\t10.0.0.0/8 ", "10.0.0.1", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct casehook__cidr cidr;
        unsigned char address[16];
        size_t size = bytes_of(cases[i].address, address);
        assert_int_equal(casehook__cidr_parse(casehook__text(cases[i].exception), &cidr, NULL), CASEHOOK_OK);
        if ((casehook__address_denied(address, size, &cidr, 1) != NULL) != cases[i].denied)
            fail_msg("%s, %s", cases[i].exception, cases[i].address);
    }
    unsigned char loopback[4] = {127, 0, 0, 1};
    assert_string_equal(casehook__address_denied(loopback, 4, NULL, 0), "loopback");
}

static void refuses_bad_ranges(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "/",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10.0.0.0/ 8",
        "10.0.0.0/+8",
        "10.0.0/8",
        "10",
        "0x7f.1",
        "256.0.0.0/8",
        "::1/129",
        "fe80::1%eth0",
        "[::1]",
        "localhost",
        "10.0.0.0/8x",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999",
        "0000000000000000000000000000000000000000000000000000::1",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct casehook__cidr cidr;
        struct casehook_error error;
        casehook__error_init(&error);
        if (casehook__cidr_parse(casehook__text(bad[i]), &cidr, &error) != CASEHOOK_E_CONFIG)
            fail_msg("%s was accepted", bad[i]);
        assert_true(error.message[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_special_ranges),
        cmocka_unit_test(odd_spellings_come_down_to_bytes),
        cmocka_unit_test(exceptions_permit),
        cmocka_unit_test(refuses_bad_ranges),
    };
    return cmocka_run_group_tests_name("addresses", tests, NULL, NULL);
}
