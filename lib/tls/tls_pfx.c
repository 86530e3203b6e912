/* tls_pfx.c - a client certificate from PKCS#12. */
#include "tls/tls_private.h"

#include <limits.h>

#include <openssl/pkcs12.h>

#define PFX_FIELD  "secrets.pfx"
#define BAGS_MAX   200
#define BAGS_DEPTH 8 /* of bags in bags */

struct pfx {
    struct casehook__pbe pbe;
    struct casehook__parts parts;
    size_t bags;
    struct casehook_error *error;
};

static int add_pfx_key(struct pfx *pfx, EVP_PKEY *key)
{
    int status = casehook__parts_add_key(&pfx->parts, key, pfx->error);
    if (status == CASEHOOK_E_CONFIG) casehook__error_set_field(pfx->error, PFX_FIELD);
    return status;
}

static int read_plain_key(struct pfx *pfx, const PKCS12_SAFEBAG *bag)
{
    EVP_PKEY *key = NULL;
    int status = casehook__key_from_pkcs8(PKCS12_SAFEBAG_get0_p8inf(bag), PFX_FIELD, &key, pfx->error);
    return status ? status : add_pfx_key(pfx, key);
}

static int read_shrouded_key(struct pfx *pfx, const PKCS12_SAFEBAG *bag)
{
    EVP_PKEY *key = NULL;
    int status = casehook__pbe_open_key(&pfx->pbe, PKCS12_SAFEBAG_get0_pkcs8(bag), &key, pfx->error);
    return status ? status : add_pfx_key(pfx, key);
}

static int read_pfx_certificate(struct pfx *pfx, const PKCS12_SAFEBAG *bag)
{
    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate) return CASEHOOK_OK;
    X509 *x509 = PKCS12_SAFEBAG_get1_cert(bag);
    if (!x509)
        return casehook__tls_fail(pfx->error, PFX_FIELD, "a certificate inside the PFX file is damaged");
    int status = casehook__parts_add_certificate(&pfx->parts, x509, pfx->error);
    if (status == CASEHOOK_E_CONFIG) casehook__error_set_field(pfx->error, PFX_FIELD);
    return status;
}

static int read_bags(struct pfx *pfx, const STACK_OF(PKCS12_SAFEBAG) * bags, unsigned depth)
{
    int status = CASEHOOK_OK;
    for (int i = 0; !status && i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        if (++pfx->bags > BAGS_MAX)
            return casehook__tls_fail(pfx->error, PFX_FIELD, "the PFX file has more than %d entries",
                                      BAGS_MAX);
        switch (PKCS12_SAFEBAG_get_nid(bag)) {
        case NID_keyBag: status = read_plain_key(pfx, bag); break;
        case NID_pkcs8ShroudedKeyBag: status = read_shrouded_key(pfx, bag); break;
        case NID_certBag: status = read_pfx_certificate(pfx, bag); break;
        case NID_safeContentsBag:
            if (depth == BAGS_DEPTH)
                return casehook__tls_fail(pfx->error, PFX_FIELD, "the PFX file is nested too deeply");
            status = read_bags(pfx, PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
            break;
        default: break; /* revocation lists, secrets of other kinds */
        }
    }
    return status;
}

static int read_content(struct pfx *pfx, PKCS7 *content)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    int status = CASEHOOK_OK;
    int type = OBJ_obj2nid(content->type);
    if (type == NID_pkcs7_encrypted && content->d.encrypted && content->d.encrypted->enc_data->enc_data) {
        const PKCS7_ENC_CONTENT *encrypted = content->d.encrypted->enc_data;
        void *opened = NULL;
        status = casehook__pbe_open(&pfx->pbe, encrypted->algorithm, ASN1_ITEM_rptr(PKCS12_SAFEBAGS),
                                    encrypted->enc_data, &opened, pfx->error);
        bags = opened;
    } else if (type == NID_pkcs7_data && content->d.data) {
        bags = PKCS12_unpack_p7data(content);
    } else {
        return CASEHOOK_OK; /* encrypted to a public key, which is not ours to open */
    }
    if (!status && !bags)
        status = casehook__tls_fail(pfx->error, PFX_FIELD, "a part of the PFX file is damaged");
    if (!status) status = read_bags(pfx, bags, 0);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    return status;
}

static int read_contents(struct pfx *pfx, const PKCS12 *file)
{
    STACK_OF(PKCS7) *contents = PKCS12_unpack_authsafes(file);
    int status = CASEHOOK_OK;
    if (!contents)
        status = casehook__tls_fail(pfx->error, PFX_FIELD,
                                    "the PFX file is damaged, or not protected by a passphrase");
    casehook__parts_free(&pfx->parts);
    pfx->bags = 0;
    for (int i = 0; !status && i < sk_PKCS7_num(contents); i++)
        status = read_content(pfx, sk_PKCS7_value(contents, i));
    sk_PKCS7_pop_free(contents, PKCS7_free);
    return status;
}

/* ---- the passphrase -------------------------------------------------------------------------- */

static int fail_passphrase(const struct pfx *pfx, struct casehook__text given)
{
    if (given.length)
        return casehook__tls_fail(pfx->error, "secrets.password",
                                  "the passphrase does not open the PFX file");
    return casehook__tls_fail(pfx->error, "secrets.password",
                              "the PFX file needs a passphrase: give it in secrets.password");
}

/* *wrong: the MAC does not agree with the passphrase. */
static int check_mac(struct pfx *pfx, PKCS12 *file, bool *wrong)
{
    const ASN1_INTEGER *iterations = NULL;
    const X509_ALGOR *algorithm = NULL;
    uint64_t count = 1;
    PKCS12_get0_mac(NULL, &algorithm, NULL, &iterations, file);
    if (iterations && !ASN1_INTEGER_get_uint64(&count, iterations)) count = UINT64_MAX;
    if (algorithm && OBJ_obj2nid(algorithm->algorithm) == NID_pbmac1) count = casehook__pbe_cost(algorithm);
    int status = casehook__pbe_count(&pfx->pbe, count, pfx->error);
    if (status) return status;
    if (PKCS12_verify_mac(file, pfx->pbe.passphrase.data, (int)pfx->pbe.passphrase.length) == 1)
        return CASEHOOK_OK;
    unsigned long last = ERR_peek_last_error();
    bool broken =
        ERR_GET_LIB(last) == ERR_LIB_PKCS12 && (ERR_GET_REASON(last) == PKCS12_R_MAC_GENERATION_ERROR ||
                                                ERR_GET_REASON(last) == PKCS12_R_UNKNOWN_DIGEST_ALGORITHM);
    if (broken || casehook__tls_no_memory())
        return casehook__tls_fail(
            pfx->error, PFX_FIELD,
            "the PFX file's MAC is of a kind that this OpenSSL does not have: write the file "
            "again with a SHA-256 MAC");
    *wrong = true;
    return CASEHOOK_OK;
}

/*
 * A file without a MAC is accepted when it opens: whoever could change it could change the connector
 * document around it, and the key must still match its certificate.
 */
static int open_with(struct pfx *pfx, PKCS12 *file, struct casehook__text passphrase, bool *wrong)
{
    int status = CASEHOOK_OK;
    *wrong = false;
    pfx->pbe.passphrase = passphrase;
    pfx->pbe.iterations = 0;
    if (PKCS12_mac_present(file)) {
        status = check_mac(pfx, file, wrong);
        return status || *wrong ? status : read_contents(pfx, file);
    }
    status = read_contents(pfx, file);
    *wrong = status && pfx->pbe.wrong;
    return status;
}

/* No passphrase has two forms in PKCS#12, nothing and the empty text; programs write either. */
static int open_file(struct pfx *pfx, PKCS12 *file, struct casehook__text passphrase)
{
    struct casehook_error *error = pfx->error, first = {0};
    bool wrong = false;
    if (passphrase.length > INT_MAX) return fail_passphrase(pfx, passphrase);
    if (passphrase.length == 0) {
        casehook__error_init(&first);
        pfx->error = &first;
        int status = open_with(pfx, file, (struct casehook__text){NULL, 0}, &wrong);
        pfx->error = error;
        if (!status && !wrong) return CASEHOOK_OK;
        if (!wrong) {
            casehook__error_set_field(error, first.field);
            return casehook__fail(error, status, "%s", first.message);
        }
        passphrase = CASEHOOK__TEXT("");
    }
    int status = open_with(pfx, file, passphrase, &wrong);
    return wrong ? fail_passphrase(pfx, passphrase) : status;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int parse(struct casehook__text pfx, PKCS12 **file, struct casehook_error *error)
{
    const unsigned char *data = (const unsigned char *)pfx.data, *at = data;
    long length = 0;
    int tag = 0, class = 0;
    *file = NULL;
    if (pfx.length >= 11 && memcmp(pfx.data, "-----BEGIN ", 11) == 0)
        return casehook__tls_fail(error, PFX_FIELD,
                                  "is PEM text, not a PFX file: give it as secrets.crt and secrets.key");
    if (pfx.length && pfx.length <= INT_MAX) *file = d2i_PKCS12(NULL, &at, (long)pfx.length);
    if (*file) return CASEHOOK_OK;
    if (casehook__tls_no_memory()) return casehook__fail_memory(error);
    at = data;
    if (pfx.length > 2 && pfx.length <= INT_MAX &&
        (ASN1_get_object(&at, &length, &tag, &class, (long)pfx.length) & 0x80) && tag == V_ASN1_SEQUENCE &&
        length > (long)pfx.length - (at - data))
        return casehook__tls_fail(error, PFX_FIELD, "the PFX file is cut off: %zu of %ld bytes are there",
                                  pfx.length, length + (long)(at - data));
    return casehook__tls_fail(error, PFX_FIELD, "is not a PFX file (PKCS#12), or it is damaged");
}

static int check_parts(const struct pfx *pfx)
{
    if (pfx->parts.key_count == 0)
        return casehook__tls_fail(pfx->error, PFX_FIELD, "the PFX file holds no private key");
    if (sk_X509_num(pfx->parts.certificates) <= 0)
        return casehook__tls_fail(pfx->error, PFX_FIELD, "the PFX file holds no certificate");
    return CASEHOOK_OK;
}

int casehook__identity_from_pfx(struct casehook__heap *heap, struct casehook__text text,
                                struct casehook__text passphrase, struct casehook__identity **identity,
                                struct casehook_error *error)
{
    struct pfx pfx = {.pbe = {.field = PFX_FIELD, .what = "the PFX file"}, .error = error};
    PKCS12 *file = NULL;
    *identity = NULL;
    casehook__tls_begin();
    int status = parse(text, &file, error);
    if (!status) status = open_file(&pfx, file, passphrase);
    if (!status) status = check_parts(&pfx);
    if (!status)
        status = casehook__identity_assemble(heap, &pfx.parts, PFX_FIELD, PFX_FIELD, identity, error);
    casehook__parts_free(&pfx.parts);
    casehook__pbe_free(&pfx.pbe);
    PKCS12_free(file);
    casehook__tls_end();
    return status;
}
