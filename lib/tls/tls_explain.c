/* tls_explain.c - what a failed handshake means, and which setting would change it. */
#include "tls/tls.h"

#include <stdio.h>

#include <openssl/x509_vfy.h>

/* Who was on the other side, and where the policy towards it is set. */
struct peer_names {
    const struct casehook__tls_report *report;
    char name[300];  /* "tracker.example", "the proxy proxy.example" */
    char whose[340]; /* "the certificate of tracker.example" */
    const char *mode_setting, *mode, *relax, *trust_setting;
};

static void describe_certificate(struct peer_names *peer, const struct casehook__tls_report *report,
                                 enum casehook__mode mode, const char *host, bool is_proxy)
{
    peer->report = report;
    snprintf(peer->name, sizeof peer->name, "%s%.255s", is_proxy ? "the proxy " : "", host);
    snprintf(peer->whose, sizeof peer->whose, "%s of %s",
             report && report->verify_error && report->depth > 0 ? "a certificate in the chain"
                                                                 : "the certificate",
             peer->name);
    peer->mode = casehook__mode_name(mode);
    peer->mode_setting = is_proxy ? "ssl.proxyVerificationMode" : "verificationMode";
    peer->relax = is_proxy ? "set ssl.proxyVerificationMode to none"
                           : "set verificationMode to none for this host in customHostSettings";
    peer->trust_setting =
        is_proxy ? "certificateAuthoritiesData in the customHostSettings entry of the proxy's origin"
                 : "config.ca (or certificateAuthoritiesData of this host in customHostSettings)";
}

static int fail_dates(const struct peer_names *peer, struct casehook_error *error)
{
    const struct casehook__tls_report *report = peer->report;
    if (report->verify_error == X509_V_ERR_CERT_HAS_EXPIRED)
        return casehook__fail(error, CASEHOOK_E_TLS, "%s expired on %s (subject %s, %s %s): renew it, or %s",
                              peer->whose, report->not_after, report->subject, peer->mode_setting, peer->mode,
                              peer->relax);
    return casehook__fail(
        error, CASEHOOK_E_TLS,
        "%s is not valid before %s (subject %s, %s %s): check the clock on both sides, or %s", peer->whose,
        report->not_before, report->subject, peer->mode_setting, peer->mode, peer->relax);
}

static int fail_trust(const struct peer_names *peer, struct casehook_error *error)
{
    const struct casehook__tls_report *report = peer->report;
    switch (report->verify_error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return casehook__fail(
            error, CASEHOOK_E_TLS,
            "%s is self-signed and not trusted (subject %s, %s %s): give that certificate as %s", peer->whose,
            report->subject, peer->mode_setting, peer->mode, peer->trust_setting);
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return casehook__fail(
            error, CASEHOOK_E_TLS,
            "the certificate of %s comes from a CA that is not trusted (%s, %s %s): give the CA's "
            "certificate as %s",
            peer->name, report->subject, peer->mode_setting, peer->mode, peer->trust_setting);
    default:
        return casehook__fail(
            error, CASEHOOK_E_TLS,
            "%s has an issuer that is not trusted (subject %s, issuer %s, %s %s): give the "
            "issuing CA's certificate as %s; if it is there already, the server does not send its "
            "intermediate certificate",
            peer->whose, report->subject, report->issuer, peer->mode_setting, peer->mode,
            peer->trust_setting);
    }
}

static int fail_pem_kind(const struct peer_names *peer, const char *fault, const char *remedy,
                         struct casehook_error *error)
{
    return casehook__fail(error, CASEHOOK_E_TLS, "%s %s (subject %s, %s %s): %s", peer->whose, fault,
                          peer->report->subject, peer->mode_setting, peer->mode, remedy);
}

static int explain_check(const struct peer_names *peer, struct casehook_error *error)
{
    int code = peer->report->verify_error;
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return fail_dates(peer, error);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return fail_trust(peer, error);
    case X509_V_ERR_INVALID_PURPOSE:
        return fail_pem_kind(peer, "was not issued for this purpose",
                             "the server needs one with extended key usage serverAuth", error);
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        return fail_pem_kind(peer, "has a key that is too short", "RSA needs 2048 bits or more", error);
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return fail_pem_kind(peer, "has a weak signature (MD5 or SHA-1)", "have it issued again with SHA-256",
                             error);
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        return fail_pem_kind(peer, "is not a CA's and may not issue others",
                             "have the server's certificate issued by a CA", error);
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return fail_pem_kind(peer, "has a signature that is not its issuer's",
                             "something between here and the server may be changing it", error);
    case X509_V_ERR_STORE_LOOKUP:
        return fail_pem_kind(peer, "would have been checked against other CAs than the configured ones",
                             "this libcurl replaces them and cannot be used", error);
    default: return fail_pem_kind(peer, "was refused", X509_verify_cert_error_string(code), error);
    }
}

static int explain_name(const struct peer_names *peer, const char *host, bool is_proxy,
                        struct casehook_error *error)
{
    const struct casehook__tls_report *report = peer->report;
    const char *names = report && report->names[0] ? report->names : "no name at all";
    bool address = report && report->verify_error == X509_V_ERR_IP_ADDRESS_MISMATCH;
    return casehook__fail(
        error, CASEHOOK_E_TLS,
        "%s is for [%s], not for %s%s (%s %s): use one of its names in the URL, or set %s to "
        "certificate%s",
        peer->whose, names, host, address ? " as an address (subjectAltName IP)" : "", peer->mode_setting,
        peer->mode, peer->mode_setting, is_proxy ? "" : " for this host in customHostSettings");
}

/* What TLS alerts and OpenSSL's reasons mean; the first whose words are in libcurl's text counts. */
static const struct {
    const char *words, *meaning;
} reasons[] = {
    {"certificate required",
     "it demands a client certificate: set authType to webhook-authentication-ssl and "
     "give secrets.crt and secrets.key, or secrets.pfx"},
    {"alert unknown ca",
     "it does not know the CA that issued our client certificate: use one of a CA that it "
     "accepts, with its intermediate certificates"},
    {"alert certificate expired", "it says that our client certificate has expired"},
    {"alert certificate revoked", "it says that our client certificate is revoked"},
    {"alert bad certificate", "it refused our client certificate, or demands one and got none"},
    {"alert unsupported certificate", "it refused the type or the purpose of our client certificate"},
    {"alert certificate unknown", "it refused our client certificate"},
    {"alert access denied", "it knows our client certificate and denies access"},
    {"unrecognized name", "it does not serve this host name: check the host in the URL"},
    {"alert handshake failure",
     "it found nothing in common with us, or demands a client certificate and got none: then set authType "
     "to webhook-authentication-ssl and give secrets.crt and secrets.key, or secrets.pfx"},
    {"wrong version number", "it does not speak TLS on this port: check scheme and port of its URL"},
    {"http request", "it does not speak TLS on this port: check scheme and port of its URL"},
    {"packet length too long", "it does not speak TLS on this port: check scheme and port of its URL"},
    {"unsupported protocol", "it offers nothing newer than TLS 1.1; TLS 1.2 is the oldest that is used"},
    {"alert protocol version", "it offers nothing newer than TLS 1.1; TLS 1.2 is the oldest that is used"},
    {"legacy renegotiation", "it lacks secure renegotiation (RFC 5746): it must be updated"},
    {"dh key too small", "its key exchange is too weak (Diffie-Hellman of less than 2048 bits)"},
    {"no ciphers available", "this OpenSSL allows no cipher: see its openssl.cnf"},
    {"unexpected eof",
     "it closed the connection during the handshake; servers do this too when they miss a client "
     "certificate"},
};

static int explain_detail(const struct peer_names *peer, const char *detail, struct casehook_error *error)
{
    for (size_t i = 0; detail && i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(detail, reasons[i].words))
            return casehook__fail(error, CASEHOOK_E_TLS, "no TLS connection with %s: %s (%.300s)", peer->name,
                                  reasons[i].meaning, detail);
    return casehook__fail(error, CASEHOOK_E_TLS, "no TLS connection with %s: %.300s", peer->name,
                          detail && detail[0] ? detail : "the handshake failed");
}

void casehook__tls_explain(const struct casehook__tls_report *report, enum casehook__mode mode,
                           const char *host, bool is_proxy, bool name_failed, const char *detail,
                           struct casehook_error *error)
{
    struct peer_names peer;
    describe_certificate(&peer, report, mode, host, is_proxy);
    if (name_failed || (report && report->verify_error == X509_V_ERR_IP_ADDRESS_MISMATCH))
        explain_name(&peer, host, is_proxy, error);
    else if (report && report->verify_error)
        explain_check(&peer, error);
    else
        explain_detail(&peer, detail, error);
}
