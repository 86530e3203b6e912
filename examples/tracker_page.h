/*
 * tracker_page.h - the web pages of the demo tracker.
 */
#ifndef TRACKER_PAGE_H
#define TRACKER_PAGE_H

#include "tracker_store.h"

/* Each gives a page in memory that the caller frees, or NULL when memory ran out. */
/* A hundred cases, the newest first, from the one before this id on; 0: from the newest on.  url: of the
 * tracker. */
char *page_list(const struct store *store, size_t before, const char *url, size_t *length);
char *page_case(const json_t *record, size_t *length);
char *page_message(const char *message, size_t *length);

#endif
