/* signature.c - signatures of requests, by the scheme of Standard Webhooks or as the document says. */
#include "exchange/signature.h"

#include "base/base64.h"
#include "base/digest.h"

#include <stdio.h>

int casehook__message_id(char id[CASEHOOK__MESSAGE_ID_SIZE])
{
    char uuid[CASEHOOK__UUID_SIZE], *at = id + 4;
    int status = casehook__uuid(uuid);
    memcpy(id, "msg_", 4);
    for (const char *from = uuid; !status && *from; from++)
        if (*from != '-') *at++ = *from;
    *at = '\0';
    return status;
}

/* What of a URL stands behind its host. */
static struct casehook__text target_of(const char *url)
{
    const char *host = strstr(url, "://");
    return casehook__text(host ? host + 3 + strcspn(host + 3, "/?") : url);
}

/* The texts that are signed, one behind the other; how many. */
static size_t list_pieces(const struct casehook__signature *signature,
                          const struct casehook__request *request, const char *id, const char *seconds,
                          struct casehook__text texts[CASEHOOK__SIGNED_PIECES])
{
    static const enum casehook__signed_part standard[] = {CASEHOOK__SIGNED_ID, CASEHOOK__SIGNED_TEXT,
                                                          CASEHOOK__SIGNED_TIMESTAMP, CASEHOOK__SIGNED_TEXT,
                                                          CASEHOOK__SIGNED_BODY};
    size_t count = signature->standard ? sizeof standard / sizeof *standard : signature->piece_count;
    for (size_t i = 0; i < count; i++) {
        struct casehook__text *text = &texts[i];
        switch (signature->standard ? standard[i] : signature->pieces[i].part) {
        case CASEHOOK__SIGNED_BODY: *text = request->body; break;
        case CASEHOOK__SIGNED_TIMESTAMP: *text = casehook__text(seconds); break;
        case CASEHOOK__SIGNED_METHOD: *text = casehook__text(casehook__method_name(request->method)); break;
        case CASEHOOK__SIGNED_PATH: *text = target_of(request->url); break;
        case CASEHOOK__SIGNED_ID: *text = casehook__text(id); break;
        default: *text = signature->standard ? CASEHOOK__TEXT(".") : signature->pieces[i].text; break;
        }
    }
    return count;
}

static void append_bytes(struct casehook__buf *store, bool base64, const unsigned char *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    if (base64) {
        casehook__base64_encode(store, (struct casehook__text){(const char *)bytes, length});
        return;
    }
    for (size_t i = 0; i < length; i++) {
        casehook__buf_append_char(store, digits[bytes[i] >> 4]);
        casehook__buf_append_char(store, digits[bytes[i] & 15]);
    }
}

/* One signature by each key, with the NUL behind them; false: no memory. */
static bool append_signatures(const struct casehook__signature *signature, const struct casehook__text *texts,
                              size_t count, struct casehook__buf *store)
{
    unsigned char bytes[CASEHOOK__HMAC_SIZE];
    bool standard = signature->standard;
    for (size_t i = 0; i < signature->key_count; i++) {
        size_t length = casehook__hmac(signature->algorithm, signature->keys[i], texts, count, bytes);
        if (length == 0) return false;
        if (i) casehook__buf_append_string(store, standard ? " " : ", ");
        casehook__buf_append_text(store, standard ? CASEHOOK__TEXT("v1,") : signature->prefix);
        append_bytes(store, standard || signature->base64, bytes, length);
    }
    casehook__buf_append_char(store, '\0');
    return store->status == CASEHOOK_OK;
}

size_t casehook__sign(const struct casehook__signature *signature, const struct casehook__request *request,
                      const char *id, int64_t seconds, struct casehook__buf *store,
                      struct casehook__header items[CASEHOOK__SIGNATURE_HEADERS])
{
    struct casehook__text texts[CASEHOOK__SIGNED_PIECES];
    char time[24];
    size_t count = 0, length;
    snprintf(time, sizeof time, "%lld", (long long)seconds);
    casehook__buf_clear(store);
    bool done = append_signatures(signature, texts, list_pieces(signature, request, id, time, texts), store);
    length = done ? store->length - 1 : 0;
    casehook__buf_append_string(store, time);
    if (!done || store->status) return 0;
    struct casehook__text value = {store->data, length}, stamp = {store->data + length + 1, strlen(time)};
    struct casehook__text header = CASEHOOK__TEXT("webhook-signature"),
                          stamp_header = CASEHOOK__TEXT("webhook-timestamp");
    if (signature->standard) {
        items[count++] = (struct casehook__header){CASEHOOK__TEXT("webhook-id"), casehook__text(id), true};
    } else {
        header = signature->header;
        stamp_header = signature->timestamp_header;
    }
    if (stamp_header.data) items[count++] = (struct casehook__header){stamp_header, stamp, true};
    items[count++] = (struct casehook__header){header, value, true};
    return count;
}
