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

static int build_feature(const char *name)
{
#if defined(CASEHOOK_HAVE_IDN2)
    if (strcmp(name, "idn") == 0) return 1;
#endif
#if defined(__SSE2__)
    if (strcmp(name, "sse2") == 0) return 1;
#endif
    return 0;
}

int casehook_feature(const char *name)
{
    int offered = name ? casehook__transport_feature(name) : 0;
    return offered < 0 ? build_feature(name) : offered;
}
