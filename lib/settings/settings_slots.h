/*
 * settings_slots.h - finding settings in an object whose names are nested, dotted or both (C2).
 */
#ifndef CASEHOOK_SETTINGS_SLOTS_H
#define CASEHOOK_SETTINGS_SLOTS_H

#include "json/fields.h"

/*
 * Fills nodes[i] with the value of names[i] ("ssl.verificationMode"), NULL when it is not given.  Faults:
 * unknown names with the nearest one, a setting given twice in whatever spellings.  optional_prefix
 * ("xpack.actions." or NULL) may stand before every name.
 */
void casehook__settings_slots(struct casehook__errors *errors, const char *prefix,
                              const char *optional_prefix, const struct casehook__json *object,
                              const char *const *names, size_t count, const struct casehook__json **nodes);

#endif
