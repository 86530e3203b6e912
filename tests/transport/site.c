/* site.c - certificates, documents and params for a tagging tracker. */
#include "site.h"

const char *scheme_name(enum scheme scheme)
{
    static const char *const names[SCHEMES] = {"http", "https (TLS 1.2)", "https (TLS 1.3)"};
    return names[scheme];
}

/* ---- TLS -------------------------------------------------------------------------------------- */

static struct certs *certs;

static void free_certs(void)
{
    certs_free(certs);
}

static void make_certs(void)
{
    static const char *const names[] = {"DNS:localhost", "IP:127.0.0.1", NULL};
    static const struct certs_spec specs[] = {{.name = "ca", .ca = true},
                                              {.name = "server", .issuer = "ca", .san = names}};
    if (certs) return;
    certs = certs_new();
    for (size_t i = 0; i < COUNT(specs); i++) certs_make(certs, &specs[i]);
    atexit(free_certs);
}

const struct http_tls *site_tls(enum scheme scheme)
{
    static struct http_tls tls[SCHEMES];
    if (scheme == HTTP) return NULL;
    make_certs();
    int version = scheme == HTTPS12 ? TLS1_2_VERSION : TLS1_3_VERSION;
    tls[scheme] = (struct http_tls){.certificate = certs_file(certs, "server.crt", NULL),
                                    .key = certs_file(certs, "server.key", NULL),
                                    .min_version = version,
                                    .max_version = version};
    return &tls[scheme];
}

/* ---- documents -------------------------------------------------------------------------------- */

const char *site_config(const char *base, enum scheme scheme)
{
    const char *create = text_of("\"createIncidentUrl\":\"%s/issue/{{{case.title}}}\"", base);
    if (scheme == HTTP) return create;
    make_certs();
    return text_of("%s,\"ca\":%s", create, json_of(certs_file(certs, "ca.crt", NULL)));
}

struct site site_new(enum scheme scheme, const char *settings, const char *config, size_t tags,
                     tracker_turn_fn turn, void *user)
{
    struct answer answer;
    struct site site = {.records = tracker_records_new(tags)};
    site.tracker = tracker_start(site_tls(scheme), site.records, turn, user);
    site.base = text_of("%s://127.0.0.1:%u", scheme == HTTP ? "http" : "https", tracker_port(site.tracker));
    const char *usual = site_config(site.base, scheme);
    site.client =
        client_new(settings, site.base, config ? text_of("%s,%s", usual, config) : usual, NULL, &answer);
    if (!site.client.connector) fail_msg("%s", answer.message);
    return site;
}

void site_free(struct site *site)
{
    client_free(&site->client);
    tracker_stop(site->tracker);
    tracker_records_free(site->records);
}

/* ---- pushes ----------------------------------------------------------------------------------- */

const char *site_params(size_t first, size_t comments)
{
    static char text[4096];
    int length = snprintf(text, sizeof text, "{\"title\":\"tag-%08zu\",\"comments\":[", first);
    for (size_t i = 1; i <= comments; i++)
        length +=
            snprintf(text + length, sizeof text - (size_t)length,
                     "%s{\"commentId\":\"%zu\",\"comment\":\"tag-%08zu\"}", i > 1 ? "," : "", i, first + i);
    snprintf(text + length, sizeof text - (size_t)length, "]}");
    return text;
}

int site_did_once(const struct site *site, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        const struct tracker_record *record = &site->records->of[i];
        if (atomic_load(&record->whole) != 1 || atomic_load(&record->done) != 1 || atomic_load(&record->part))
            return 0;
    }
    return 1;
}
