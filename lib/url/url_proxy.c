/* url_proxy.c - proxy URLs: an origin and a login (P1). */
#include "url/url_parts.h"

/* Percent-decodes a part of the user info. */
static int decode_part(struct casehook__text text, struct casehook__buf *out, struct casehook_error *error)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '%') {
            int high = i + 1 < text.length ? casehook__hex_value(text.data[i + 1]) : -1;
            int low = i + 2 < text.length ? casehook__hex_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return casehook__fail(error, CASEHOOK_E_CONFIG,
                                      "the login in the proxy URL holds a %% without two hexadecimal digits: "
                                      "write %%25 for a percent sign");
            c = (unsigned char)(high * 16 + low);
            i += 2;
        }
        if (c < 0x20 || c == 0x7F)
            return casehook__fail(error, CASEHOOK_E_CONFIG,
                                  "the login in the proxy URL holds a control character: remove it");
        casehook__buf_append_char(out, (char)c);
    }
    return out->status == CASEHOOK_OK ? CASEHOOK_OK
           : out->status == CASEHOOK_E_LIMIT
               ? casehook__fail(error, CASEHOOK_E_CONFIG, "the login in the proxy URL is too long")
               : casehook__fail_memory(error);
}

static int decode_login(struct casehook__text login, struct casehook__buf *user,
                        struct casehook__buf *password, struct casehook_error *error)
{
    size_t colon = 0, start = user->length;
    while (colon < login.length && login.data[colon] != ':') colon++;
    int status = decode_part((struct casehook__text){login.data, colon}, user, error);
    if (status) return status;
    if (user->length > start && memchr(user->data + start, ':', user->length - start))
        return casehook__fail(
            error, CASEHOOK_E_CONFIG,
            "the user in the proxy URL holds a colon: basic authentication cannot carry it");
    if (colon == login.length) return CASEHOOK_OK;
    return decode_part((struct casehook__text){login.data + colon + 1, login.length - colon - 1}, password,
                       error);
}

int casehook__url_parse_proxy(struct casehook__text url, struct casehook__origin *origin,
                              struct casehook__buf *user, struct casehook__buf *password,
                              struct casehook_error *error)
{
    struct casehook__url_parts parts;
    int status = casehook__url_split(url, &parts, error);
    if (status) return status;
    if (parts.rest.length > 1 || (parts.rest.length == 1 && parts.rest.data[0] != '/'))
        return casehook__fail_at(error, CASEHOOK_E_CONFIG, (size_t)(parts.rest.data - url.data),
                                 "a proxy URL has no path, query or fragment: it ends with the host or port");
    status = casehook__url_origin(&parts, origin, error);
    if (status || !parts.user.data) return status;
    return decode_login(parts.user, user, password, error);
}
