/*
 * settings_hosts.h - customHostSettings: TLS of single hosts (C2, P2).
 */
#ifndef CASEHOOK_SETTINGS_HOSTS_H
#define CASEHOOK_SETTINGS_HOSTS_H

#include "json/fields.h"
#include "settings/settings.h"

/* A text that names a verification mode. */
bool casehook__field_mode(const struct casehook__field *field, enum casehook__mode *mode);

/* Reads the list into settings->hosts; CA files are read now. */
void casehook__settings_read_hosts(struct casehook__settings_snapshot *settings,
                                   const struct casehook__field *list, casehook__read_file_fn read_file);

#endif
