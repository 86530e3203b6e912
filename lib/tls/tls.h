/*
 * tls.h - trust stores, client certificates and the explanation of failed handshakes, with OpenSSL.
 *
 * Nothing here touches the host's default library context: files with legacy algorithms are opened
 * in a private one.
 */
#ifndef CASEHOOK_TLS_H
#define CASEHOOK_TLS_H

#include "base/buf.h"
#include "base/error.h"

/* In the order of strength. */
enum casehook__mode {
    CASEHOOK__MODE_UNSET,
    CASEHOOK__MODE_NONE,
    CASEHOOK__MODE_CERTIFICATE,
    CASEHOOK__MODE_FULL
};

/* "none", "certificate", "full". */
const char *casehook__mode_name(enum casehook__mode mode);

/*
 * One parsed set of CAs, reference counted, shared by every connection that trusts it (P3).  Flags:
 * trusted first, no partial chains.
 */
struct casehook__trust;

/* pem: one certificate or more, or one in DER.  Errors: NO_MEMORY, CONFIG ("certificate 2 of 3 cannot be
 * read"). */
int casehook__trust_from_pem(struct casehook__heap *heap, struct casehook__text pem,
                             struct casehook__trust **trust, struct casehook_error *error);
/*
 * The content of a CA file, PEM or one certificate in DER, appended to pem as PEM once every certificate in
 * it was read.  Errors: NO_MEMORY, LIMIT (of pem), CONFIG (what it is instead: "is empty", "is a script"
 * ...).
 */
int casehook__ca_append(struct casehook__buf *pem, struct casehook__text content,
                        struct casehook_error *error);
/*
 * The CA bundle of the system: at path, where libcurl has it (NULL: nowhere), else at the usual places;
 * never from the environment.  Errors: NO_MEMORY, SYSTEM.
 */
int casehook__trust_system(struct casehook__heap *heap, const char *path, struct casehook__trust **trust,
                           struct casehook_error *error);
struct casehook__trust *casehook__trust_ref(struct casehook__trust *trust);
void casehook__trust_unref(struct casehook__trust *trust);

/* A client certificate with its key and chain; the key is wiped with it. */
struct casehook__identity;

/*
 * crt (one certificate and its chain) and key as PEM; passphrase.data NULL: none.  Never prompts.
 * The leaf is the first certificate that the key belongs to; what of the rest issued it goes along as its
 * chain, in whatever order they stand.
 * Errors, each with its own text: CONFIG (not PEM, no key, passphrase missing or wrong, key of another
 * certificate, expired since DATE, not valid before DATE, too weak for TLS), NO_MEMORY, SYSTEM.  error's
 * field is set to "secrets.crt", "secrets.key", "secrets.pfx" or "secrets.password".
 */
int casehook__identity_from_pem(struct casehook__heap *heap, struct casehook__text crt,
                                struct casehook__text key, struct casehook__text passphrase,
                                struct casehook__identity **identity, struct casehook_error *error);
/* Only whether there is a key that the passphrase opens: for faults beside those of the certificate (C3). */
int casehook__key_check(struct casehook__text key, struct casehook__text passphrase,
                        struct casehook_error *error);
/*
 * The same from PKCS#12 bytes, legacy algorithms too (C8); CAs inside are sent as chain, never trusted.
 * The MAC's and the encryption's iteration counts are bounded before they are worked through.  Without a MAC
 * it is accepted when it opens.  Of several keys the first certificate's that has one is taken.
 */
int casehook__identity_from_pfx(struct casehook__heap *heap, struct casehook__text pfx,
                                struct casehook__text passphrase, struct casehook__identity **identity,
                                struct casehook_error *error);
void casehook__identity_free(struct casehook__identity *identity);
/* Certificate and chain as PEM, and the key as unencrypted PEM (a secret): for the public exchange. */
int casehook__identity_to_pem(const struct casehook__identity *identity, struct casehook__buf *crt,
                              struct casehook__buf *key);

/* Hashes of signatures by a shared key. */
enum casehook__hmac { CASEHOOK__HMAC_SHA256, CASEHOOK__HMAC_SHA512, CASEHOOK__HMAC_SHA1 };

#define CASEHOOK__HMAC_SIZE 64

/* HMAC over the texts, one behind the other.  How many bytes of out it takes; 0: no memory. */
size_t casehook__hmac(enum casehook__hmac algorithm, struct casehook__text key,
                      const struct casehook__text *texts, size_t count,
                      unsigned char out[CASEHOOK__HMAC_SIZE]);

/* A private key that signs JWTs (RFC 7518); any thread. */
struct casehook__signer;

/*
 * key: PEM; passphrase.data NULL: none.  algorithm: "RS256", "PS256" or "ES256"; NULL: RS256 of an RSA key,
 * ES256 of one on P-256.  Errors: NO_MEMORY, CONFIG ("secrets.key", "secrets.password" or no field: the
 * algorithm does not fit).
 */
int casehook__signer_new(struct casehook__heap *heap, struct casehook__text key,
                         struct casehook__text passphrase, const char *algorithm,
                         struct casehook__signer **signer, struct casehook_error *error);
void casehook__signer_free(struct casehook__signer *signer);
const char *casehook__signer_algorithm(const struct casehook__signer *signer);
/* Appends the signature over a text, in base64url.  Errors: NO_MEMORY, LIMIT (of buf), SYSTEM. */
int casehook__signer_sign(const struct casehook__signer *signer, struct casehook__text text,
                          struct casehook__buf *buf);

/*
 * What one handshake found out; it must outlive the SSL_CTX it was given to.  Filled by the verify
 * callback, so that a failure can be told in words.
 */
struct casehook__tls_report {
    int verify_error; /* X509_V_ERR_*, 0: the chain was accepted or not looked at */
    int depth;
    bool verified;     /* the callback ran */
    bool asked;        /* the server asked for a client certificate, whether it got one or not */
    const void *store; /* the one that must be asked */
    char subject[256]; /* of the certificate at fault, one line, printable */
    char issuer[256];
    char not_before[32], not_after[32]; /* "2026-01-31 12:00 UTC" */
    char names[512];                    /* the names of the leaf: "a.example, *.b.example, 10.0.0.1" */
};

/*
 * Makes an SSL_CTX (void *: only tls*.c knows OpenSSL) of libcurl's follow the policy: TLS 1.2 at
 * least, trust as the only store, identity (NULL: none), no key log; in modes certificate and full (UNSET
 * counts as full, trust is needed) keys and signatures of 112 bits at least, whatever openssl.cnf allows.
 * The host name is libcurl's to check.  Takes references, so trust and identity may go first; report may be
 * NULL.  False: out of memory, or OpenSSL or a missing trust refused it; do not connect.
 */
bool casehook__tls_apply(void *ssl_ctx, enum casehook__mode mode, struct casehook__trust *trust,
                         struct casehook__identity *identity, struct casehook__tls_report *report);

/*
 * The certificate must be issued to this address (4 or 16 bytes), as one of its alternative names: for mode
 * full and a host that is an address, which libcurl would find in a common name too.  After
 * casehook__tls_apply; false: out of memory.
 */
bool casehook__tls_require_address(void *ssl_ctx, const unsigned char *address, size_t length);

/*
 * Bounds what is read from one connection in one go: libcurl's HTTP/2 reads on as long as bytes come without
 * a body in them, and returns to nobody.  When nothing is left, reading looks as if nothing had come yet.
 */
struct casehook__tls_gate {
    size_t left; /* bytes; set before each go */
};
/* After casehook__tls_apply, for a connection right on a socket; the gate must outlive the connection. */
void casehook__tls_set_gate(void *ssl_ctx, struct casehook__tls_gate *gate);
/* Of a connection (SSL *): it has bytes that were received but not read. */
bool casehook__tls_has_pending(void *ssl);
/* HTTP/2 was agreed upon. */
bool casehook__tls_is_http2(void *ssl);

/*
 * The sentence for a failed handshake: which check failed, on which certificate, under which mode,
 * and which setting would change it.  detail: libcurl's own text, used when report knows nothing.
 * is_proxy: the handshake was with the proxy.
 */
void casehook__tls_explain(const struct casehook__tls_report *report, enum casehook__mode mode,
                           const char *host, bool is_proxy, bool name_failed, const char *detail,
                           struct casehook_error *error);

#endif
