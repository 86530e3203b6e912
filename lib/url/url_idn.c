/* url_idn.c - the ASCII form of international host names (IDNA 2008 with the mapping of UTS 46). */
#include "url/url_parts.h"

#ifdef CASEHOOK_HAVE_IDN2

#include <idn2.h>

int casehook__url_idn(struct casehook__text host, char *ascii, size_t size, struct casehook_error *error)
{
    char input[1024], *output = NULL;
    int status = CASEHOOK_OK;
    for (size_t i = 0, length; i < host.length; i += length) {
        length = casehook__utf8_length(host.data + i, host.length - i);
        if (length == 0) return casehook__fail(error, CASEHOOK_E_CONFIG, "the host of the URL is not UTF-8");
    }
    if (host.length >= sizeof input)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "the host of the URL is too long");
    memcpy(input, host.data, host.length);
    input[host.length] = '\0';
    int result = idn2_to_ascii_8z(input, &output, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (result == IDN2_MALLOC)
        status = casehook__fail_memory(error);
    else if (result != IDN2_OK || strlen(output) >= size)
        status = casehook__fail(error, CASEHOOK_E_CONFIG,
                                "the host of the URL is not a valid international name: check its spelling");
    else
        memcpy(ascii, output, strlen(output) + 1);
    idn2_free(output);
    return status;
}

#else

int casehook__url_idn(struct casehook__text host, char *ascii, size_t size, struct casehook_error *error)
{
    (void)host;
    (void)ascii;
    (void)size;
    return casehook__fail(error, CASEHOOK_E_CONFIG,
                          "this build knows no international host names: write the ASCII form (xn--...)");
}

#endif
