/*
 * documents.h - connector documents for tests.
 */
#ifndef SUPPORT_DOCUMENTS_H
#define SUPPORT_DOCUMENTS_H

#include <casehook.h>

/*
 * A whole document for a tracker at base: issues below /issue, id under "id", title under "key",
 * comments by POST.  config and secrets are more members ("\"headers\": {...}"), or NULL; a member of
 * config replaces the usual one of the same name.  strict is false.  To be freed.
 */
char *document_new(const char *base, const char *config, const char *secrets);

/* A connector made from it; prints the faults and aborts when there are any. */
struct casehook_connector *document_connector(const struct casehook_settings *settings, const char *base,
                                              const char *config, const char *secrets);

/* Settings made from JSON; prints the faults and aborts when there are any. */
struct casehook_settings *document_settings(const char *json);

#endif
