/* certs.c - keys and certificates for tests: the set itself and the certificates in it. */
#include "certs_set.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

void certs_must(bool ok, const char *what, const char *name)
{
    if (ok) return;
    fprintf(stderr, "certs: %s: cannot make %s\n", name, what);
    ERR_print_errors_fp(stderr);
    abort();
}

struct certs *certs_new(void)
{
    struct certs *certs = calloc(1, sizeof *certs);
    certs_must(certs != NULL, "a set", "certs");
    return certs;
}

void certs_free(struct certs *certs)
{
    if (!certs) return;
    for (struct certs_entry *entry = certs->entries, *next; entry; entry = next) {
        next = entry->next;
        X509_free(entry->x509);
        EVP_PKEY_free(entry->key);
        free(entry->name);
        free(entry);
    }
    for (struct certs_blob *file = certs->files, *next; file; file = next) {
        next = file->next;
        free(file->name);
        free(file->data);
        free(file);
    }
    free(certs);
}

static const struct certs_entry *find(const struct certs *certs, const char *name)
{
    for (const struct certs_entry *entry = certs->entries; entry; entry = entry->next)
        if (strcmp(entry->name, name) == 0) return entry;
    return NULL;
}

X509 *certs_x509(const struct certs *certs, const char *name)
{
    const struct certs_entry *entry = find(certs, name);
    return entry ? entry->x509 : NULL;
}

EVP_PKEY *certs_pkey(const struct certs *certs, const char *name)
{
    const struct certs_entry *entry = find(certs, name);
    return entry ? entry->key : NULL;
}

void certs_add_file(struct certs *certs, const char *name, const void *data, size_t length)
{
    struct certs_blob *file = calloc(1, sizeof *file);
    certs_must(file && (file->name = strdup(name)) && (file->data = malloc(length + 1)), "a file", name);
    if (length) memcpy(file->data, data, length);
    file->data[length] = '\0';
    file->length = length;
    file->next = certs->files;
    certs->files = file;
}

void certs_add_bio(struct certs *certs, const char *name, BIO *bio)
{
    char *data = NULL;
    long length = BIO_get_mem_data(bio, &data);
    certs_must(length > 0, "a file", name);
    certs_add_file(certs, name, data, (size_t)length);
    BIO_free(bio);
}

const char *certs_file(const struct certs *certs, const char *name, size_t *length)
{
    for (const struct certs_blob *file = certs->files; file; file = file->next) {
        if (strcmp(file->name, name) != 0) continue;
        if (length) *length = file->length;
        return file->data;
    }
    return NULL;
}

char *certs_join(const struct certs *certs, const char *names, size_t *length)
{
    char *joined = strdup(""), name[256];
    size_t total = 0, file_length = 0;
    for (const char *at = names; *at; at += *at == '+') {
        size_t n = strcspn(at, "+");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        at += n;
        const char *data = certs_file(certs, name, &file_length);
        char *grown = data ? realloc(joined, total + file_length + 1) : NULL;
        if (!grown) {
            free(joined);
            return NULL;
        }
        joined = grown;
        memcpy(joined + total, data, file_length + 1);
        total += file_length;
    }
    if (length) *length = total;
    return joined;
}

bool certs_write(const struct certs *certs, const char *folder)
{
    char path[4096];
    for (const struct certs_blob *file = certs->files; file; file = file->next) {
        snprintf(path, sizeof path, "%s/%s", folder, file->name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (fd < 0) return false;
        ssize_t written = write(fd, file->data, file->length);
        if (close(fd) != 0 || written != (ssize_t)file->length) return false;
    }
    return true;
}

static EVP_PKEY *make_key(const struct certs *certs, const struct certs_spec *spec)
{
    if (spec->key_of) {
        EVP_PKEY *key = certs_pkey(certs, spec->key_of);
        certs_must(key && EVP_PKEY_up_ref(key), "the key of another", spec->name);
        return key;
    }
    return spec->rsa_bits ? EVP_RSA_gen((unsigned)spec->rsa_bits) : EVP_EC_gen("P-256");
}

/* "O=Example, CN=localhost" */
static void set_subject(X509_NAME *subject, const char *text, const char *name)
{
    for (const char *at = text; *at;) {
        char key[64], value[512];
        int length = 0;
        certs_must(sscanf(at, " %63[^=]=%511[^,]%n", key, value, &length) == 2, "a subject", name);
        certs_must(X509_NAME_add_entry_by_txt(subject, key, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                              -1, 0) == 1,
                   "a subject", name);
        at += length;
        if (*at == ',') at++;
    }
}

/* Backslash 0 stands for a NUL, which no text of OpenSSL's extension language can hold. */
static GENERAL_NAME *alternative_name(const char *text, const char *name)
{
    GENERAL_NAME *general = GENERAL_NAME_new();
    certs_must(general != NULL, "an alternative name", name);
    if (strncmp(text, "IP:", 3) == 0) {
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(text + 3);
        certs_must(address != NULL, "an address", name);
        GENERAL_NAME_set0_value(general, GEN_IPADD, address);
        return general;
    }
    certs_must(strncmp(text, "DNS:", 4) == 0, "an alternative name", name);
    char value[512];
    int length = 0;
    for (const char *at = text + 4; *at && length < (int)sizeof value; at++) {
        bool nul = at[0] == '\\' && at[1] == '0';
        value[length++] = nul ? '\0' : *at;
        at += nul;
    }
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();
    certs_must(string && ASN1_STRING_set(string, value, length), "an alternative name", name);
    GENERAL_NAME_set0_value(general, GEN_DNS, string);
    return general;
}

static void add_names(X509 *x509, const struct certs_spec *spec)
{
    if (!spec->san || !spec->san[0]) return;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    for (size_t i = 0; spec->san[i]; i++)
        certs_must(sk_GENERAL_NAME_push(names, alternative_name(spec->san[i], spec->name)) > 0, "a name",
                   spec->name);
    certs_must(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) == 1, "names", spec->name);
    GENERAL_NAMES_free(names);
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value, const char *name)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    certs_must(extension && X509_add_ext(x509, extension, -1), "an extension", name);
    X509_EXTENSION_free(extension);
}

static void set_date(ASN1_TIME *time, const char *date, const char *name)
{
    char text[32];
    int year = 0, month = 0, day = 0;
    certs_must(sscanf(date, "%4d-%2d-%2d", &year, &month, &day) == 3, "a date", name);
    snprintf(text, sizeof text, "%04d%02d%02d000000Z", year, month, day);
    certs_must(ASN1_TIME_set_string_X509(time, text) == 1, "a date", name);
}

static void set_serial(X509 *x509, const char *name)
{
    unsigned char bytes[8];
    certs_must(RAND_bytes(bytes, sizeof bytes) == 1, "a serial number", name);
    bytes[0] &= 0x7F;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    certs_must(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)), "a serial number", name);
    BN_free(number);
}

static X509 *make_x509(const struct certs *certs, const struct certs_spec *spec, EVP_PKEY *key)
{
    bool self = !spec->issuer || strcmp(spec->issuer, "self") == 0;
    const struct certs_entry *parent = self ? NULL : find(certs, spec->issuer);
    certs_must(self || parent, "a certificate of an unknown issuer", spec->name);
    X509 *x509 = X509_new();
    certs_must(x509 && X509_set_version(x509, X509_VERSION_3), "a certificate", spec->name);
    X509 *issuer = parent ? parent->x509 : x509;
    char subject[300];
    snprintf(subject, sizeof subject, "CN=%s", spec->name);
    set_serial(x509, spec->name);
    set_subject(X509_get_subject_name(x509), spec->subject ? spec->subject : subject, spec->name);
    certs_must(X509_set_issuer_name(x509, X509_get_subject_name(issuer)), "an issuer", spec->name);
    set_date(X509_getm_notBefore(x509), spec->not_before ? spec->not_before : "2024-01-01", spec->name);
    set_date(X509_getm_notAfter(x509), spec->not_after ? spec->not_after : "2044-01-01", spec->name);
    certs_must(X509_set_pubkey(x509, key), "a public key", spec->name);
    add_extension(x509, issuer, NID_basic_constraints, spec->ca ? "critical,CA:TRUE" : "CA:FALSE",
                  spec->name);
    if (spec->ca) add_extension(x509, issuer, NID_key_usage, "critical,keyCertSign,cRLSign", spec->name);
    if (spec->eku) add_extension(x509, issuer, NID_ext_key_usage, spec->eku, spec->name);
    add_extension(x509, issuer, NID_subject_key_identifier, "hash", spec->name);
    if (parent) add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always", spec->name);
    add_names(x509, spec);
    const EVP_MD *digest = EVP_get_digestbyname(spec->digest ? spec->digest : "SHA256");
    certs_must(digest && X509_sign(x509, parent ? parent->key : key, digest), "a signature", spec->name);
    return x509;
}

void certs_make(struct certs *certs, const struct certs_spec *spec)
{
    char name[256];
    struct certs_entry *entry = calloc(1, sizeof *entry);
    certs_must(entry && (entry->name = strdup(spec->name)), "a certificate", spec->name);
    entry->key = make_key(certs, spec);
    certs_must(entry->key != NULL, "a key", spec->name);
    entry->x509 = make_x509(certs, spec, entry->key);
    entry->next = certs->entries;
    certs->entries = entry;

    BIO *bio = BIO_new(BIO_s_mem());
    certs_must(bio && PEM_write_bio_X509(bio, entry->x509), "a certificate", spec->name);
    snprintf(name, sizeof name, "%s.crt", spec->name);
    certs_add_bio(certs, name, bio);
    bio = BIO_new(BIO_s_mem());
    certs_must(bio && PEM_write_bio_PKCS8PrivateKey(bio, entry->key, NULL, NULL, 0, NULL, NULL), "a key",
               spec->name);
    snprintf(name, sizeof name, "%s.key", spec->name);
    certs_add_bio(certs, name, bio);
}
