/* auth.c - bearer tokens and Basic logins. */
#include "server.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int value_of(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* Base64 without its padding, as text; NULL when it is none. */
static char *decode_base64(const char *text)
{
    char *out = malloc(strlen(text) + 1), *p = out;
    unsigned bits = 0, count = 0;
    for (; out && *text && *text != '='; text++) {
        int value = value_of(*text);
        if (value < 0) {
            free(out);
            return NULL;
        }
        bits = bits << 6 | (unsigned)value;
        if ((count += 6) >= 8) *p++ = (char)(bits >> (count -= 8));
    }
    if (out) *p = '\0';
    return out;
}

static bool basic_allows(const struct login *login, const char *encoded)
{
    char *pair = decode_base64(encoded), *colon = pair ? strchr(pair, ':') : NULL;
    bool allows = false;
    if (colon) {
        *colon = '\0';
        /* Both are compared, so that the time does not say which one was wrong. */
        bool user = text_same_secret(pair, login->user), word = text_same_secret(colon + 1, login->password);
        allows = user && word;
        *colon = ':';
    }
    text_wipe(pair);
    return allows;
}

bool login_allows(const struct login *login, const struct request *request)
{
    const char *given = request_header(request, "Authorization");
    if (login->open) return true;
    if (!given) return false;
    const char *rest = strchr(given, ' ');
    if (!rest) return false;
    size_t length = (size_t)(rest - given);
    rest += strspn(rest, " ");
    if (login->bearer && length == 6 && !strncasecmp(given, "Bearer", 6))
        return text_same_secret(rest, login->bearer);
    if (login->user && length == 5 && !strncasecmp(given, "Basic", 5)) return basic_allows(login, rest);
    return false;
}
