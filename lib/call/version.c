/* version.c - what this library is and can do. */
#include "casehook.h"
#include "transport/transport.h"

uint32_t casehook_version(void)
{
    return (CASEHOOK_VERSION_MAJOR << 16) | (CASEHOOK_VERSION_MINOR << 8) | CASEHOOK_VERSION_PATCH;
}

const char *casehook_version_string(void)
{
    return CASEHOOK_VERSION_STRING;
}

/* Those that are not libcurl's are known when this is compiled. */
static int has_idn(const char *name)
{
    (void)name;
#if defined(CASEHOOK_HAVE_IDN2)
    return 1;
#else
    return 0;
#endif
}

static int has_graphemes(const char *name)
{
    (void)name;
#if defined(CASEHOOK_HAVE_UTF8PROC)
    return 1;
#else
    return 0;
#endif
}

static int has_sse2(const char *name)
{
    (void)name;
#if defined(__SSE2__)
    return 1;
#else
    return 0;
#endif
}

static const struct {
    const char *name;
    int (*is_offered)(const char *name);
} features[] = {
    {"http2", casehook__transport_feature},
    {"idn", has_idn},
    {"graphemes", has_graphemes},
    {"gzip", casehook__transport_feature},
    {"brotli", casehook__transport_feature},
    {"zstd", casehook__transport_feature},
    {"https-proxy", casehook__transport_feature},
    {"sse2", has_sse2},
};
#define FEATURE_COUNT (sizeof features / sizeof *features)

int casehook_feature(const char *name)
{
    for (size_t i = 0; name && i < FEATURE_COUNT; i++)
        if (strcmp(name, features[i].name) == 0) return features[i].is_offered(name) > 0;
    return 0;
}

size_t casehook_feature_count(void)
{
    return FEATURE_COUNT;
}

const char *casehook_feature_name(size_t index)
{
    return index < FEATURE_COUNT ? features[index].name : NULL;
}
