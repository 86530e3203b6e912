/* tls_pem.c - finds the blocks of PEM text, so that a fault can say in which block it is. */
#include "tls/tls_private.h"

#include <limits.h>

#define LABEL_MAX 64

/* The position of word in text, or text.length. */
static size_t find_word(struct casehook__text text, const char *word)
{
    size_t length = strlen(word);
    for (size_t at = 0; at + length <= text.length; at++) {
        const char *hit = memchr(text.data + at, word[0], text.length - length - at + 1);
        if (!hit) break;
        at = (size_t)(hit - text.data);
        if (memcmp(hit, word, length) == 0) return at;
    }
    return text.length;
}

static bool ends_with(struct casehook__text text, const char *ending)
{
    size_t length = strlen(ending);
    return text.length >= length && memcmp(text.data + text.length - length, ending, length) == 0;
}

/* Up to the "-----" behind the label; the same line, or it is no label. */
static bool read_label(struct casehook__text text, struct casehook__text *label)
{
    size_t length = find_word(
        (struct casehook__text){text.data, text.length < LABEL_MAX ? text.length : LABEL_MAX}, "-----");
    *label = (struct casehook__text){text.data, length};
    return length < text.length && length < LABEL_MAX && !memchr(text.data, '\n', length);
}

bool casehook__pem_next(struct casehook__text *rest, struct casehook__pem *block)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    while (rest->length) {
        *rest = casehook__text_from(*rest, find_word(*rest, begin));
        if (!rest->length) return false;
        if (read_label(casehook__text_from(*rest, sizeof begin - 1), &block->label)) break;
        *rest = casehook__text_from(*rest, sizeof begin - 1);
    }
    if (!rest->length) return false;
    size_t length = sizeof begin - 1 + block->label.length;
    length += find_word(casehook__text_from(*rest, length), end);
    if (length < rest->length) length += sizeof end - 1;
    length += find_word(casehook__text_from(*rest, length), "-----");
    if (length < rest->length) length += 5;
    block->whole = (struct casehook__text){rest->data, length};
    *rest = casehook__text_from(*rest, length);
    return true;
}

bool casehook__pem_is_certificate(const struct casehook__pem *block)
{
    return ends_with(block->label, "CERTIFICATE"); /* also TRUSTED and X509 CERTIFICATE */
}

bool casehook__pem_is_key(const struct casehook__pem *block)
{
    return ends_with(block->label, "PRIVATE KEY");
}

bool casehook__pem_has_cipher(const struct casehook__pem *block)
{
    return find_word(block->whole, "4,ENCRYPTED") < block->whole.length; /* the comma is in no base64 */
}

static X509 *read_pem_certificate(const struct casehook__pem *block)
{
    if (block->whole.length > INT_MAX) return NULL;
    BIO *bio = BIO_new_mem_buf(block->whole.data, (int)block->whole.length);
    X509 *x509 = bio ? PEM_read_bio_X509_AUX(bio, NULL, NULL, (void *)"") : NULL;
    BIO_free(bio);
    return x509;
}

/* OpenSSL takes a moment without memory for a broken certificate; what is broken stays so at a second look.
 */
X509 *casehook__pem_certificate(const struct casehook__pem *block)
{
    X509 *x509 = read_pem_certificate(block);
    return x509 ? x509 : read_pem_certificate(block);
}

size_t casehook__pem_count_certificates(struct casehook__text text)
{
    struct casehook__pem block;
    size_t count = 0;
    while (casehook__pem_next(&text, &block)) count += casehook__pem_is_certificate(&block);
    return count;
}
