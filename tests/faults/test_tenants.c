/*
 * test_tenants.c - what a connector may not ask for: refused when it is made, naming the setting (C2, U4,
 * U5, P2).  No server is there; nothing is sent.
 */
#include "real.h"

#define DENY "\"denyPrivateAddresses\":true"

static void is_refused(const char *settings, const char *base, const char *config, const char *setting)
{
    struct answer answer;
    struct client client = client_new(settings, base, config, NULL, &answer);
    if (client.connector) print_message("%s accepted %s %s\n", settings, base, config ? config : "");
    assert_null(client.connector);
    client_free(&client);
    if (answer.status != CASEHOOK_E_POLICY || !strstr(answer.message, setting))
        print_message("%s, %s %s: status %d, %s: %s\n", settings, base, config ? config : "", answer.status,
                      answer.field, answer.message);
    assert_int_equal(answer.status, CASEHOOK_E_POLICY);
    assert_non_null(strstr(answer.message, setting));
}

static void is_accepted(const char *settings, const char *base, const char *config)
{
    struct answer answer;
    struct client client = client_new(settings, base, config, NULL, &answer);
    if (!client.connector)
        print_message("%s refused %s %s: %s\n", settings, base, config ? config : "", answer.message);
    assert_non_null(client.connector);
    client_free(&client);
}

static void verification_mode(void **state)
{
    (void)state;
    static const char minimum[] = "ssl.minimumVerificationMode";
    is_refused("{\"ssl.minimumVerificationMode\":\"full\"}", "https://a.example",
               "\"verificationMode\":\"none\"", minimum);
    is_refused("{\"ssl.minimumVerificationMode\":\"full\"}", "https://a.example",
               "\"verificationMode\":\"certificate\"", minimum);
    is_refused("{\"ssl\":{\"minimumVerificationMode\":\"certificate\"}}", "https://a.example",
               "\"verificationMode\":\"none\"", minimum);
    is_accepted("{\"ssl.minimumVerificationMode\":\"certificate\"}", "https://a.example",
                "\"verificationMode\":\"certificate\"");
    is_accepted("{}", "https://a.example", "\"verificationMode\":\"none\"");
}

static void own_proxy(void **state)
{
    (void)state;
    static const char proxy[] = "\"proxyUrl\":\"http://proxy.example:3128\"";
    is_refused("{}", "http://a.example", proxy, "allowConnectorProxy");
    is_refused("{\"allowConnectorProxy\":false}", "http://a.example", proxy, "allowConnectorProxy");
    is_refused("{\"proxyUrl\":\"http://p.example\"}", "http://a.example", "\"proxyHeaders\":{\"X-A\":\"1\"}",
               "allowConnectorProxy");
    is_refused("{\"allowConnectorProxy\":true,\"allowedHosts\":[\"a.example\"]}", "http://a.example", proxy,
               "allowedHosts");
    is_refused("{\"allowConnectorProxy\":true," DENY "}", "http://a.example",
               "\"proxyUrl\":\"http://10.0.0.1:3128\"", "denyPrivateAddresses");
    is_refused("{\"allowConnectorProxy\":true," DENY "}", "http://a.example",
               "\"proxyUrl\":\"https://[::ffff:169.254.169.254]\"", "denyPrivateAddresses");
    is_accepted("{\"allowConnectorProxy\":true}", "http://a.example", proxy);
    is_accepted("{\"allowConnectorProxy\":true,\"allowedHosts\":[\"a.example\",\"proxy.example:3128\"]}",
                "http://a.example", proxy);
}

/* Every spelling of an address that is not for tenants; through a proxy too. */
static void special_addresses(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1",
                                        "127.1",
                                        "127.0.1",
                                        "2130706433",
                                        "0177.0.0.1",
                                        "0x7f.1",
                                        "0x7F000001",
                                        "017700000001",
                                        "127.0.0.1.",
                                        "0x7f.0x0.0x0.0x1",
                                        "0",
                                        "0.0.0.0",
                                        "[::]",
                                        "[::1]",
                                        "[0:0:0:0:0:0:0:1]",
                                        "[0000::0001]",
                                        "[::ffff:127.0.0.1]",
                                        "[::FFFF:7f00:1]",
                                        "[::127.0.0.1]",
                                        "[::ffff:0:127.0.0.1]",
                                        "[64:ff9b::7f00:1]",
                                        "[64:ff9b::10.1.2.3]",
                                        "[64:ff9b:1::1]",
                                        "[2002:7f00:1::]",
                                        "[2002:a9fe:a9fe::1]",
                                        "[2001:db8::1]",
                                        "[2001::1]",
                                        "[2a00:1450::200:5efe:7f00:1]",
                                        "[fe80::1]",
                                        "[fec0::1]",
                                        "[fc00::1]",
                                        "[fd12:3456::1]",
                                        "[ff02::1]",
                                        "169.254.169.254",
                                        "0xA9FEA9FE",
                                        "2852039166",
                                        "100.64.0.1",
                                        "100.127.255.255",
                                        "10.0.0.1",
                                        "172.16.0.1",
                                        "172.31.255.255",
                                        "192.168.1.1",
                                        "192.0.0.1",
                                        "198.18.0.1",
                                        "224.0.0.1",
                                        "255.255.255.255",
                                        "\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1" /* 127 in circles */};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const char *base = text_of("http://%s:8080", hosts[i]);
        is_refused("{" DENY "}", base, NULL, "denyPrivateAddresses");
        is_refused("{" DENY ",\"proxyUrl\":\"http://proxy.example:3128\"}", base, NULL,
                   "denyPrivateAddresses");
        is_refused("{" DENY "}", "http://a.example",
                   text_of("\"getIncidentUrl\":\"%s/{{{external.system.id}}}\"", base),
                   "denyPrivateAddresses");
        is_accepted("{}", base, NULL);
    }
}

/* These are no addresses that anything could connect to: refused whatever the settings say. */
static void no_addresses(void **state)
{
    (void)state;
    static const char *const hosts[] = {"[fe80::1%lo]",
                                        "[fe80::1%25lo]",
                                        "[::1",
                                        "::1",
                                        "127.0.0.1%2e",
                                        "0x7f.0.0.0.0.1",
                                        "256.0.0.1",
                                        "1.2.3.4.5",
                                        "[::1]x",
                                        "[v1.x]",
                                        "0x.1.1.1",
                                        "127.0.0.1@a.example",
                                        "a.example\\\\@127.0.0.1",
                                        "99999999999"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct answer answer;
        struct client client = client_new("{" DENY "}", text_of("http://%s", hosts[i]), NULL, NULL, &answer);
        if (client.connector) print_message("%s\n", hosts[i]);
        assert_null(client.connector);
        client_free(&client);
    }
}

static void exceptions(void **state)
{
    (void)state;
    is_accepted("{" DENY ",\"allowedAddresses\":[\"127.0.0.1\"]}", "http://127.1", NULL);
    is_accepted("{" DENY ",\"allowedAddresses\":[\"10.1.0.0/16\"]}", "http://10.1.255.9", NULL);
    is_accepted("{" DENY ",\"allowedAddresses\":[\"fd00::/8\"]}", "http://[fd00::7]", NULL);
    is_accepted("{" DENY ",\"allowedAddresses\":[\"127.0.0.0/8\"]}", "http://[::ffff:127.0.0.1]", NULL);
    is_refused("{" DENY ",\"allowedAddresses\":[\"127.0.0.1\"]}", "http://127.0.0.2", NULL,
               "denyPrivateAddresses");
    is_refused("{" DENY ",\"allowedAddresses\":[\"10.1.0.0/16\"]}", "http://10.2.0.0", NULL,
               "denyPrivateAddresses");
    is_refused("{" DENY ",\"allowedAddresses\":[\"::/0\"]}", "http://127.0.0.1", NULL,
               "denyPrivateAddresses");
    is_refused("{" DENY ",\"allowedAddresses\":[]}", "http://127.0.0.1", NULL, "allowedAddresses");
}

static void hosts(void **state)
{
    (void)state;
    static const char one[] =
        "{\"allowedHosts\":[\"a.example\",\"b.example:8443\",\"*.c.example\",\"127.0.0.1\"]}";
    static const char *const refused[] = {"http://x.example",
                                          "http://a.example.evil.example",
                                          "http://evila.example",
                                          "https://b.example",
                                          "http://c.example",
                                          "http://xc.example",
                                          "http://127.0.0.2",
                                          "http://[::1]",
                                          "http://a.example.c.example.evil"};
    static const char *const accepted[] = {"http://a.example", "https://A.EXAMPLE.:444",
                                           "https://b.example:8443", "http://x.c.example",
                                           "http://2130706433"};
    for (size_t i = 0; i < COUNT(refused); i++) is_refused(one, refused[i], NULL, "allowedHosts");
    for (size_t i = 0; i < COUNT(accepted); i++) is_accepted(one, accepted[i], NULL);
    is_refused("{\"allowedHosts\":[]}", "http://a.example", NULL, "allowedHosts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verification_mode), cmocka_unit_test(own_proxy),
        cmocka_unit_test(special_addresses), cmocka_unit_test(no_addresses),
        cmocka_unit_test(exceptions),        cmocka_unit_test(hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
