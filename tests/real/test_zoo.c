/*
 * test_zoo.c - good and bad certificates against the three verification modes, as one table.
 *
 * Every certificate is served by a real nginx, which loads weak ones too when its security level is 0.
 */
#include "nginx.h"
#include "real.h"

#define NAMES(...)        \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static const char *const modes[] = {"full", "certificate", "none"};

/* One certificate at one host; check and remedy are words of the message where it is refused. */
struct row {
    const char *name;
    const char *host;
    struct certs_spec spec;
    const char *chain; /* what is sent besides, "int1.crt" */
    const char *ca;    /* what is trusted; NULL: ca1 */
    int accepted[3];   /* by modes full, certificate, none */
    const char *check, *remedy;
};

#define ALWAYS  \
    {           \
        1, 1, 1 \
    }
#define NOT_FULL \
    {            \
        0, 1, 1  \
    } /* the name is wrong */
#define NONE    \
    {           \
        0, 0, 1 \
    } /* the chain is wrong */
#define ISSUER "config.ca (or certificateAuthoritiesData"
#define RENAME "set verificationMode to certificate for this host in customHostSettings"
#define RELAX  "set verificationMode to none for this host in customHostSettings"

static const struct row rows[] = {
    {"good", "localhost", {.san = NAMES("DNS:localhost")}, NULL, NULL, ALWAYS, NULL, NULL},
    {"upper case", "LocalHost", {.san = NAMES("DNS:LOCALHOST")}, NULL, NULL, ALWAYS, NULL, NULL},
    {"second name",
     "localhost",
     {.san = NAMES("DNS:a.example", "DNS:localhost")},
     NULL,
     NULL,
     ALWAYS,
     NULL,
     NULL},
    {"wrong name",
     "localhost",
     {.san = NAMES("DNS:other.example")},
     NULL,
     NULL,
     NOT_FULL,
     "is for [other.example], not for localhost",
     RENAME},
    {"no name", "localhost", {.subject = "O=Nobody"}, NULL, NULL, NOT_FULL, "not for localhost", RENAME},
    {"ip right", "127.0.0.1", {.san = NAMES("IP:127.0.0.1")}, NULL, NULL, ALWAYS, NULL, NULL},
    {"ip wrong",
     "127.0.0.1",
     {.san = NAMES("IP:127.0.0.2")},
     NULL,
     NULL,
     NOT_FULL,
     "is for [127.0.0.2], not for 127.0.0.1 as an address",
     RENAME},
    {"ip as dns name",
     "127.0.0.1",
     {.san = NAMES("DNS:127.0.0.1")},
     NULL,
     NULL,
     NOT_FULL,
     "not for 127.0.0.1 as an address (subjectAltName IP)",
     RENAME},
    {"ip in CN only",
     "127.0.0.1",
     {.subject = "CN=127.0.0.1"},
     NULL,
     NULL,
     NOT_FULL,
     "not for 127.0.0.1 as an address (subjectAltName IP)",
     RENAME},
    {"ipv6 right", "[::1]", {.san = NAMES("IP:::1")}, NULL, NULL, ALWAYS, NULL, NULL},
    {"ipv6 wrong", "[::1]", {.san = NAMES("IP:::2")}, NULL, NULL, NOT_FULL, "is for [::2], not for", RENAME},
    {"wildcard one label",
     "a.zone.localhost",
     {.san = NAMES("DNS:*.zone.localhost")},
     NULL,
     NULL,
     ALWAYS,
     NULL,
     NULL},
    {"wildcard two labels",
     "b.a.zone.localhost",
     {.san = NAMES("DNS:*.zone.localhost")},
     NULL,
     NULL,
     NOT_FULL,
     "is for [*.zone.localhost], not for b.a.zone.localhost",
     RENAME},
    {"wildcard no label",
     "zone.localhost",
     {.san = NAMES("DNS:*.zone.localhost")},
     NULL,
     NULL,
     NOT_FULL,
     "not for zone.localhost",
     RENAME},
    {"wildcard of all",
     "a.localhost",
     {.san = NAMES("DNS:*.localhost")},
     NULL,
     NULL,
     NOT_FULL,
     "not for a.localhost",
     RENAME},
    {"wildcard inside",
     "ab.zone.localhost",
     {.san = NAMES("DNS:a*.zone.localhost")},
     NULL,
     NULL,
     NOT_FULL,
     "not for ab.zone.localhost",
     RENAME},
    {"wildcard for an ip",
     "127.0.0.1",
     {.san = NAMES("DNS:*.0.0.1")},
     NULL,
     NULL,
     NOT_FULL,
     "not for 127.0.0.1 as an address (subjectAltName IP)",
     RENAME},
    {"CN only", "localhost", {.subject = "CN=localhost"}, NULL, NULL, ALWAYS, NULL, NULL},
    {"CN with other SAN",
     "localhost",
     {.subject = "CN=localhost", .san = NAMES("DNS:other.example")},
     NULL,
     NULL,
     NOT_FULL,
     "is for [other.example], not for localhost",
     RENAME},
    {"NUL in name",
     "localhost",
     {.san = NAMES("DNS:localhost\\0.evil.example")},
     NULL,
     NULL,
     NOT_FULL,
     "is for [localhost?.evil.example], not for localhost",
     RENAME},
    {"idn",
     "b\xC3\xBC"
     "cher.localhost",
     {.san = NAMES("DNS:xn--bcher-kva.localhost")},
     NULL,
     NULL,
     ALWAYS,
     NULL,
     NULL},
    {"idn wrong",
     "b\xC3\xBC"
     "cher.localhost",
     {.san = NAMES("DNS:bucher.localhost")},
     NULL,
     NULL,
     NOT_FULL,
     "is for [bucher.localhost], not for xn--bcher-kva.localhost",
     RENAME},
    {"expired",
     "localhost",
     {.san = NAMES("DNS:localhost"), .not_before = "2020-01-01", .not_after = "2021-02-03"},
     NULL,
     NULL,
     NONE,
     "expired on 2021-02-03",
     RELAX},
    {"not yet valid",
     "localhost",
     {.san = NAMES("DNS:localhost"), .not_before = "2043-02-03"},
     NULL,
     NULL,
     NONE,
     "is not valid before 2043-02-03",
     "check the clock"},
    {"wrong purpose",
     "localhost",
     {.san = NAMES("DNS:localhost"), .eku = "clientAuth"},
     NULL,
     NULL,
     NONE,
     "was not issued for this purpose",
     "serverAuth"},
    {"right purpose",
     "localhost",
     {.san = NAMES("DNS:localhost"), .eku = "clientAuth,serverAuth"},
     NULL,
     NULL,
     ALWAYS,
     NULL,
     NULL},
    {"self-signed",
     "localhost",
     {.issuer = "self", .san = NAMES("DNS:localhost")},
     NULL,
     NULL,
     NONE,
     "is self-signed",
     ISSUER},
    {"self-signed, trusted",
     "localhost",
     {.issuer = "self", .san = NAMES("DNS:localhost")},
     NULL,
     "self",
     ALWAYS,
     NULL,
     NULL},
    {"weak key",
     "localhost",
     {.san = NAMES("DNS:localhost"), .rsa_bits = 1024},
     NULL,
     NULL,
     NONE,
     "has a key that is too short",
     "2048 bits"},
    {"sha-1",
     "localhost",
     {.san = NAMES("DNS:localhost"), .digest = "SHA1"},
     NULL,
     NULL,
     NONE,
     "has a weak signature",
     "SHA-256"},
    {"intermediate sent",
     "localhost",
     {.issuer = "int1", .san = NAMES("DNS:localhost")},
     "int1.crt",
     NULL,
     ALWAYS,
     NULL,
     NULL},
    {"intermediate missing",
     "localhost",
     {.issuer = "int1", .san = NAMES("DNS:localhost")},
     NULL,
     NULL,
     NONE,
     "issuer that is not trusted",
     "does not send its intermediate certificate"},
    {"intermediate trusted",
     "localhost",
     {.issuer = "int1", .san = NAMES("DNS:localhost")},
     NULL,
     "int1.crt",
     NONE,
     "issuer that is not trusted",
     ISSUER},
    {"intermediate expired",
     "localhost",
     {.issuer = "int_old", .san = NAMES("DNS:localhost")},
     "int_old.crt",
     NULL,
     NONE,
     "a certificate in the chain of localhost expired on 2021-01-01",
     RELAX},
    {"issued by no CA",
     "localhost",
     {.issuer = "leaf", .san = NAMES("DNS:localhost")},
     "leaf.crt",
     NULL,
     NONE,
     "is not a CA's",
     "issued by a CA"},
    {"other CA",
     "localhost",
     {.issuer = "ca2", .san = NAMES("DNS:localhost")},
     NULL,
     NULL,
     NONE,
     "issuer that is not trusted",
     ISSUER},
    {"other CA, sent",
     "localhost",
     {.issuer = "ca2", .san = NAMES("DNS:localhost")},
     "ca2.crt",
     NULL,
     NONE,
     "comes from a CA that is not trusted",
     ISSUER},
    {"expired, wrong name",
     "localhost",
     {.san = NAMES("DNS:other.example"), .not_before = "2020-01-01", .not_after = "2021-02-03"},
     NULL,
     NULL,
     NONE,
     "expired on 2021-02-03",
     RELAX},
};
#define ROWS COUNT(rows)

static struct certs *certs;
static struct nginx_site sites[ROWS];
static struct nginx *nginx;
static struct http_log *http;
static struct http_server *upstream;
static unsigned wrong;

static void make_certs(void)
{
    static const struct certs_spec issuers[] = {
        {.name = "ca1", .ca = true},
        {.name = "ca2", .ca = true},
        {.name = "int1", .ca = true, .issuer = "ca1"},
        {.name = "int_old",
         .ca = true,
         .issuer = "ca1",
         .not_before = "2020-01-01",
         .not_after = "2021-01-01"},
        {.name = "leaf", .issuer = "ca1"},
    };
    certs = certs_new();
    for (size_t i = 0; i < COUNT(issuers); i++) certs_make(certs, &issuers[i]);
    for (size_t i = 0; i < ROWS; i++) {
        struct certs_spec spec = rows[i].spec;
        spec.name = text_of("zoo%zu", i);
        if (!spec.issuer) spec.issuer = "ca1";
        certs_make(certs, &spec);
    }
}

static int start(void **state)
{
    (void)state;
    make_certs();
    for (size_t i = 0; i < ROWS; i++) {
        const char *name = text_of("zoo%zu", i), *chain = rows[i].chain;
        sites[i] = (struct nginx_site){
            .name = name,
            .chain = pem_of(certs, chain ? text_of("%s.crt+%s", name, chain) : text_of("%s.crt", name)),
            .key = pem_of(certs, text_of("%s.key", name)),
            .lines = "ssl_ciphers DEFAULT@SECLEVEL=0;",
        };
    }
    http = http_log_new();
    upstream = http_server_start(http, "upstream", NULL, tracker_answer, NULL);
    nginx = nginx_start(sites, ROWS, http_server_port(upstream));
    return nginx ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    clients_end();
    nginx_stop(nginx);
    http_server_stop(upstream, 5000);
    http_log_free(http);
    certs_free(certs);
    return 0;
}

static const char *trusted(size_t i)
{
    if (!rows[i].ca) return pem_of(certs, "ca1.crt");
    if (strcmp(rows[i].ca, "self") == 0) return pem_of(certs, text_of("zoo%zu.crt", i));
    return pem_of(certs, rows[i].ca);
}

/* What is wrong with an answer, NULL when nothing is. */
static const char *fault_of(const struct row *row, int mode, const struct answer *answer, size_t requests)
{
    int accepted = answer->status == CASEHOOK_OK;
    if (accepted != row->accepted[mode]) return accepted ? "accepted" : "refused";
    if (requests != (accepted ? 1 : 0)) return "another number of requests arrived";
    if (accepted) return NULL;
    if (answer->status != CASEHOOK_E_TLS) return "the code is not tls";
    if (answer->outcome != CASEHOOK_OUTCOME_NOT_SENT) return "the outcome is not not_sent";
    if (answer->retryable) return "it is retryable";
    if (!strstr(answer->message, row->check)) return "the message does not name the check";
    if (!strstr(answer->message, row->remedy)) return "the message does not name the remedy";
    if (!strstr(answer->message, text_of("verificationMode %s", modes[mode]))) return "the mode is not named";
    return NULL;
}

static void try_cell(size_t i, int mode)
{
    const struct row *row = &rows[i];
    size_t before = http_log_count(http);
    struct answer answer =
        call_once(NULL, text_of("https://%s:%u", row->host, sites[i].port),
                  text_of("\"ca\":%s,\"verificationMode\":\"%s\"", json_of(trusted(i)), modes[mode]), NULL,
                  CASEHOOK_GET);
    const char *fault = fault_of(row, mode, &answer, http_log_count(http) - before);
    printf("%-22s %-20s %-12s %-8s %-8s %s%s\n", row->name, row->host, modes[mode],
           row->accepted[mode] ? "accepted" : "refused", answer.status ? "refused" : "accepted",
           fault ? "WRONG: " : "", fault ? fault : "");
    if (answer.status && (fault || mode == 0)) printf("    %s\n", answer.message);
    wrong += fault != NULL;
}

static void the_zoo(void **state)
{
    (void)state;
    printf("%-22s %-20s %-12s %-8s %-8s\n", "certificate", "host", "mode", "expected", "actual");
    for (size_t i = 0; i < ROWS; i++)
        for (int mode = 0; mode < 3; mode++) try_cell(i, mode);
    printf("%zu certificates, %zu cells, %u wrong\n", ROWS, ROWS * 3, wrong);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_zoo)};
    if (!nginx_is_there()) {
        puts("SKIP: nginx is not installed (package nginx-light)");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
