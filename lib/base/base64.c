/* base64.c - base64 both ways, by OpenSSL. */
#include "base/base64.h"

#include <openssl/evp.h>

#define CHUNK 48 /* bytes in, 64 characters out: a multiple of three, so only the last one is padded */

int casehook__base64_encode(struct casehook__buf *buf, struct casehook__text data)
{
    unsigned char out[CHUNK / 3 * 4 + 1];
    for (size_t at = 0; at < data.length && !buf->status; at += CHUNK) {
        size_t n = data.length - at < CHUNK ? data.length - at : CHUNK;
        int length = EVP_EncodeBlock(out, (const unsigned char *)data.data + at, (int)n);
        casehook__buf_append(buf, out, (size_t)length);
    }
    casehook__wipe(out, sizeof out);
    return buf->status;
}

int casehook__base64url_encode(struct casehook__buf *buf, struct casehook__text data)
{
    size_t begin = buf->length;
    if (casehook__base64_encode(buf, data)) return buf->status;
    for (char *c = buf->data + begin; buf->length > begin && *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    while (buf->length > begin && buf->data[buf->length - 1] == '=') buf->data[--buf->length] = '\0';
    return CASEHOOK_OK;
}

static bool is_base64(char c)
{
    return casehook__is_alpha(c) || casehook__is_digit(c) || c == '+' || c == '/';
}

/* One group of up to four characters; a last one may be short. */
static int decode_group(struct casehook__buf *buf, unsigned char *group, size_t count)
{
    unsigned char out[3];
    if (count == 1) return CASEHOOK_E_CONFIG;
    for (size_t i = count; i < 4; i++) group[i] = '=';
    if (EVP_DecodeBlock(out, group, 4) != 3) return CASEHOOK_E_CONFIG;
    int status = casehook__buf_append(buf, out, count - 1);
    casehook__wipe(out, sizeof out);
    return status;
}

/* Padding at the end: as much as the last group needs, or none. */
static bool padding_fits(size_t count, size_t padding)
{
    return padding == 0 || (count >= 2 && count + padding == 4);
}

int casehook__base64_decode(struct casehook__buf *buf, struct casehook__text text)
{
    unsigned char group[4];
    size_t count = 0, padding = 0;
    int status = buf->status;
    for (size_t i = 0; i < text.length && !status; i++) {
        char c = text.data[i];
        if (casehook__is_space(c)) continue;
        if (c == '=') {
            padding++;
        } else if (padding || !is_base64(c)) {
            status = CASEHOOK_E_CONFIG;
        } else {
            group[count++] = (unsigned char)c;
            if (count == 4) {
                status = decode_group(buf, group, count);
                count = 0;
            }
        }
    }
    if (!status && !padding_fits(count, padding)) status = CASEHOOK_E_CONFIG;
    if (!status && count) status = decode_group(buf, group, count);
    casehook__wipe(group, sizeof group);
    return status;
}
