/* tls_trust.c - sets of CAs, parsed once and shared by every connection that trusts them. */
#include "tls/tls_private.h"

#include "base/file.h"

#include <openssl/x509v3.h>

#define BUNDLE_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* The store has no look-up of its own: neither OpenSSL's folders nor the environment add to it. */
static struct casehook__trust *trust_new(struct casehook__heap *heap)
{
    struct casehook__trust *trust = casehook__calloc(heap, 1, sizeof *trust);
    if (!trust) return NULL;
    atomic_init(&trust->references, 1);
    trust->heap = casehook__heap_ref(heap);
    trust->store = X509_STORE_new();
    if (trust->store && X509_STORE_set_flags(trust->store, X509_V_FLAG_TRUSTED_FIRST)) return trust;
    casehook__trust_unref(trust);
    return NULL;
}

struct casehook__trust *casehook__trust_ref(struct casehook__trust *trust)
{
    if (trust) atomic_fetch_add_explicit(&trust->references, 1, memory_order_relaxed);
    return trust;
}

void casehook__trust_unref(struct casehook__trust *trust)
{
    if (!trust || atomic_fetch_sub_explicit(&trust->references, 1, memory_order_acq_rel) != 1) return;
    struct casehook__heap *heap = trust->heap;
    X509_STORE_free(trust->store);
    casehook__free(heap, trust);
    casehook__heap_unref(heap);
}

/* Takes x509.  CONFIG: it is none; adding fails only for want of memory. */
static int add_certificate(struct casehook__trust *trust, X509 *x509)
{
    if (!x509) return casehook__tls_no_memory() ? CASEHOOK_E_NO_MEMORY : CASEHOOK_E_CONFIG;
    X509_check_purpose(x509, -1, 0); /* reads the extensions now, not while threads meet */
    bool added = X509_STORE_add_cert(trust->store, x509) == 1;
    X509_free(x509);
    return added ? CASEHOOK_OK : CASEHOOK_E_NO_MEMORY;
}

/* all: every certificate must be readable, else the unreadable are left out. */
static int add_blocks(struct casehook__trust *trust, struct casehook__text pem, bool all, size_t *added,
                      struct casehook_error *error)
{
    struct casehook__text rest = pem;
    struct casehook__pem block;
    int status = CASEHOOK_OK;
    *added = 0;
    for (size_t number = 1; !status && casehook__pem_next(&rest, &block);) {
        if (!casehook__pem_is_certificate(&block)) continue;
        casehook__tls_begin();
        int result = add_certificate(trust, casehook__pem_certificate(&block));
        if (!result)
            ++*added;
        else if (result == CASEHOOK_E_NO_MEMORY)
            status = casehook__fail_memory(error);
        else if (all)
            status = casehook__fail_at(error, CASEHOOK_E_CONFIG, (size_t)(block.whole.data - pem.data),
                                       "certificate %zu of %zu cannot be read: it is damaged or cut off",
                                       number, casehook__pem_count_certificates(pem));
        casehook__tls_end();
        number++;
    }
    return status;
}

int casehook__trust_from_pem(struct casehook__heap *heap, struct casehook__text pem,
                             struct casehook__trust **out, struct casehook_error *error)
{
    *out = NULL;
    size_t added = 0;
    casehook__tls_begin();
    struct casehook__trust *trust = trust_new(heap);
    int status = trust ? add_blocks(trust, pem, true, &added, error) : casehook__fail_memory(error);
    if (!status && added == 0) status = add_certificate(trust, casehook__der_certificate(pem));
    if (status == CASEHOOK_E_CONFIG && added == 0 && !casehook__pem_count_certificates(pem))
        casehook__fail(error, CASEHOOK_E_CONFIG, "%s", casehook__ca_explain(pem));
    else if (status == CASEHOOK_E_NO_MEMORY)
        casehook__fail_memory(error);
    casehook__tls_end();
    if (status)
        casehook__trust_unref(trust);
    else
        *out = trust;
    return status;
}

int casehook__ca_append(struct casehook__buf *pem, struct casehook__text content,
                        struct casehook_error *error)
{
    struct casehook__trust *trust = NULL;
    struct casehook__buf own;
    casehook__buf_init(&own, pem->heap, pem->limit);
    casehook__tls_begin();
    int status = casehook__pem_count_certificates(content) ? casehook__buf_append_text(&own, content)
                                                           : casehook__der_to_pem(content, &own);
    if (status == CASEHOOK_E_CONFIG) {
        casehook__fail(error, CASEHOOK_E_CONFIG, "%s", casehook__ca_explain(content));
    } else if (!status) {
        status = casehook__trust_from_pem(pem->heap, casehook__buf_text(&own), &trust, error);
        casehook__trust_unref(trust);
        if (!status) status = casehook__buf_append_text(pem, casehook__buf_text(&own));
    }
    casehook__tls_end();
    casehook__buf_free(&own);
    if (status == CASEHOOK_E_NO_MEMORY) casehook__fail_memory(error);
    return status;
}

static const char *const places[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Gentoo */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* older Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* SUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine, OpenBSD, macOS */
    "/usr/local/share/certs/ca-root-nss.crt",            /* FreeBSD */
};
#define PLACES (sizeof places / sizeof *places)

/* What cannot be read is as if it were not there: *added stays 0. */
static int add_file(struct casehook__trust *trust, const char *path, size_t *added,
                    struct casehook_error *error)
{
    struct casehook__buf buf;
    casehook__buf_init(&buf, trust->heap, BUNDLE_MAX_BYTES);
    int status = casehook__file_read(path, &buf, NULL);
    if (status == CASEHOOK_E_NO_MEMORY)
        casehook__fail_memory(error);
    else
        status = status ? CASEHOOK_OK : add_blocks(trust, casehook__buf_text(&buf), false, added, error);
    casehook__buf_free(&buf);
    return status;
}

int casehook__trust_system(struct casehook__heap *heap, const char *path, struct casehook__trust **out,
                           struct casehook_error *error)
{
    *out = NULL;
    size_t added = 0;
    if (path && path[0] != '/') path = NULL; /* the working directory is nobody's CA store */
    casehook__tls_begin();
    struct casehook__trust *trust = trust_new(heap);
    int status = trust ? CASEHOOK_OK : casehook__fail_memory(error);
    if (!status && path) status = add_file(trust, path, &added, error);
    for (size_t i = 0; i < PLACES && !status && !added; i++)
        status = add_file(trust, places[i], &added, error);
    if (!status && added == 0)
        status =
            casehook__fail(error, CASEHOOK_E_SYSTEM,
                           "the system has no CA certificates: looked for %s%s%s, %s, %s, %s, %s and %s; "
                           "install them (ca-certificates) or give config.ca",
                           path ? path : "", path ? ", " : "", places[0], places[1], places[2], places[3],
                           places[4], places[5]);
    casehook__tls_end();
    if (status)
        casehook__trust_unref(trust);
    else
        *out = trust;
    return status;
}
