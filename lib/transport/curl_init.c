/* curl_init.c - libcurl's own initialisation, and what this libcurl can do. */
#include "base/posix.h"

#include "transport/curl_private.h"

#include <pthread.h>

extern __attribute__((visibility("default"))) char **environ; /* the one file of all may hide its own names */

/* The one piece of process-wide state: libcurl's documented initialisation must succeed once. */
static pthread_mutex_t curl_lock = PTHREAD_MUTEX_INITIALIZER;
static bool curl_is_ready;

/*
 * While it is initialised, libcurl creates the file that SSLKEYLOGFILE names, whether it is used or not.
 * The environment must have no such effect, so the variable is out of its sight for that moment: one
 * pointer of environ is exchanged, nothing is moved or freed that another thread may be reading.
 */
static CURLcode init_curl(void)
{
    static const char variable[] = "SSLKEYLOGFILE=";
    static char hidden[] = "CASEHOOK_HIDDEN=";
    char *found = NULL;
    for (char **entry = environ; entry && *entry && !found; entry++) {
        if (strncmp(*entry, variable, sizeof variable - 1) != 0) continue;
        found = *entry;
        *entry = hidden;
    }
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    for (char **entry = environ; found && *entry; entry++)
        if (*entry == hidden) *entry = found;
    return code;
}

/* What failed for want of memory may work the next time. */
static CURLcode need_curl(void)
{
    CURLcode code = CURLE_OK;
    pthread_mutex_lock(&curl_lock);
    if (!curl_is_ready) code = init_curl();
    curl_is_ready = code == CURLE_OK;
    pthread_mutex_unlock(&curl_lock);
    return code;
}

int casehook__transport_init(struct casehook_error *error)
{
    CURLcode code = need_curl();
    if (code == CURLE_OUT_OF_MEMORY) return casehook__fail_memory(error);
    if (code != CURLE_OK)
        return casehook__fail(error, CASEHOOK_E_SYSTEM, "libcurl could not be initialised: %s",
                              curl_easy_strerror(code));
    const curl_version_info_data *version = curl_version_info(CURLVERSION_NOW);
    if (version->version_num < 0x075800)
        return casehook__fail(error, CASEHOOK_E_UNSUPPORTED, "libcurl %s is too old, 7.88.0 is needed",
                              version->version);
    if (!version->ssl_version || strncmp(version->ssl_version, "OpenSSL/", 8) != 0)
        return casehook__fail(error, CASEHOOK_E_UNSUPPORTED,
                              "this libcurl was built with %s, OpenSSL is needed",
                              version->ssl_version ? version->ssl_version : "no TLS");
    return CASEHOOK_OK;
}

int casehook__transport_feature(const char *name)
{
    static const struct {
        const char *name;
        int bit;
    } features[] = {{"http2", CURL_VERSION_HTTP2},
                    {"gzip", CURL_VERSION_LIBZ},
                    {"brotli", CURL_VERSION_BROTLI},
                    {"zstd", CURL_VERSION_ZSTD},
                    {"https-proxy", CURL_VERSION_HTTPS_PROXY}};
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (strcmp(name, features[i].name) == 0)
            return (curl_version_info(CURLVERSION_NOW)->features & features[i].bit) != 0;
    return -1;
}
