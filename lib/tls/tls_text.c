/* tls_text.c - modes, OpenSSL's errors, and dates and names of certificates as printable text. */
#include "base/posix.h"

#include "tls/tls_private.h"

#include <stdio.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <openssl/x509v3.h>

const char *casehook__mode_name(enum casehook__mode mode)
{
    switch (mode) {
    case CASEHOOK__MODE_NONE: return "none";
    case CASEHOOK__MODE_CERTIFICATE: return "certificate";
    case CASEHOOK__MODE_UNSET:
    case CASEHOOK__MODE_FULL: break;
    }
    return "full";
}

void casehook__tls_begin(void)
{
    ERR_set_mark();
    ERR_raise(ERR_LIB_USER, 1); /* so that the last error is never the host's */
}

void casehook__tls_end(void)
{
    ERR_pop_to_mark();
}

bool casehook__tls_no_memory(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

int casehook__tls_fail(struct casehook_error *error, const char *field, const char *format, ...)
{
    if (casehook__tls_no_memory()) return casehook__fail_memory(error);
    char line[CASEHOOK__ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    casehook__line_format(line, sizeof line, format, arguments);
    va_end(arguments);
    casehook__error_set_field(error, field);
    return casehook__fail(error, CASEHOOK_E_CONFIG, "%s", line);
}

void casehook__tls_date(char text[CASEHOOK__DATE_SIZE], const ASN1_TIME *time)
{
    struct tm tm;
    if (!time || !ASN1_TIME_to_tm(time, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099) {
        memcpy(text, "an unreadable date", sizeof "an unreadable date");
        return;
    }
    snprintf(text, CASEHOOK__DATE_SIZE, "%04hu-%02hhu-%02hhu %02hhu:%02hhu UTC",
             (unsigned short)(tm.tm_year + 1900), (unsigned char)(tm.tm_mon + 1), (unsigned char)tm.tm_mday,
             (unsigned char)tm.tm_hour, (unsigned char)tm.tm_min);
}

/* Appends what fits and ends in "..." when something did not. */
static void append_text(char *text, size_t size, const char *data, size_t length)
{
    size_t used = strlen(text);
    bool cut = length > size - 1 - used;
    if (cut) length = size - 1 - used;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)data[i];
        text[used + i] = c < 0x20 || c == 0x7F ? '?' : (char)c;
    }
    text[used + length] = '\0';
    if (cut && size > 4) memcpy(text + size - 4, "...", 4);
}

void casehook__tls_subject(char *text, size_t size, const X509_NAME *name)
{
    const unsigned long flags =
        (ASN1_STRFLGS_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN;
    char *data = NULL;
    text[0] = '\0';
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && name && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
        long length = BIO_get_mem_data(bio, &data);
        if (length > 0) append_text(text, size, data, (size_t)length);
    }
    if (!text[0]) append_text(text, size, "no name", 7);
    BIO_free(bio);
}

static void append_name(char *text, size_t size, const void *data, int length)
{
    if (text[0]) append_text(text, size, ", ", 2);
    append_text(text, size, data, length > 0 ? (size_t)length : 0);
}

static void append_alternative(char *text, size_t size, const GENERAL_NAME *general)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(general, &type);
    char address[INET6_ADDRSTRLEN];
    if (type == GEN_DNS) append_name(text, size, ASN1_STRING_get0_data(value), ASN1_STRING_length(value));
    if (type != GEN_IPADD) return;
    int length = ASN1_STRING_length(value);
    if (length != 4 && length != 16) return;
    if (inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), address, sizeof address))
        append_name(text, size, address, (int)strlen(address));
}

static void append_common_name(char *text, size_t size, const X509 *x509)
{
    const X509_NAME *subject = X509_get_subject_name(x509);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0) return;
    unsigned char *utf8 = NULL;
    int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length > 0) append_name(text, size, utf8, length);
    OPENSSL_free(utf8);
}

void casehook__tls_names(char *text, size_t size, const X509 *x509)
{
    text[0] = '\0';
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        append_alternative(text, size, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    if (!text[0]) append_common_name(text, size, x509);
}
