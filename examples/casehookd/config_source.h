/*
 * config_source.h - one source of alerts or cases.
 */
#ifndef CASEHOOKD_CONFIG_SOURCE_H
#define CASEHOOKD_CONFIG_SOURCE_H

#include "config_read.h"

/* Fills source, which is zeroed, from a value at place. */
void source_read(struct reader *reader, json_t *value, const char *place, const struct config *config,
                 struct source *source);
void source_clear(struct source *source);

#endif
