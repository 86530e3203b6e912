/* settings_trust.c - the system's CAs, parsed once for everything made from one settings snapshot. */
#include "base/posix.h"

#include "settings/settings.h"

#include <unistd.h>

int casehook__settings_system_trust(const struct casehook__settings_snapshot *given, const char *path,
                                    struct casehook__trust **trust, struct casehook_error *error)
{
    /* The one part of a snapshot that changes, behind its lock. */
    struct casehook__settings_snapshot *settings = (struct casehook__settings_snapshot *)(uintptr_t)given;
    int status = CASEHOOK_OK;
    /* In a child process a thread that is not there may hold the lock: what is made there has its own. */
    if (settings->process != getpid()) return casehook__trust_system(settings->heap, path, trust, error);
    pthread_mutex_lock(&settings->system_trust_lock);
    if (!settings->system_trust)
        status = casehook__trust_system(settings->heap, path, &settings->system_trust, error);
    *trust = status ? NULL : casehook__trust_ref(settings->system_trust);
    pthread_mutex_unlock(&settings->system_trust_lock);
    return status;
}
