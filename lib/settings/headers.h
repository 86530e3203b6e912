/*
 * headers.h - a set of headers, checked as C7 says.
 */
#ifndef CASEHOOK_HEADERS_H
#define CASEHOOK_HEADERS_H

#include "base/error.h"
#include "json/json.h"

#define CASEHOOK__HEADERS_MAX 256 /* of one object */

/* One header as it goes on the wire. */
struct casehook__header {
    struct casehook__text name;
    struct casehook__text value;
    bool secret; /* masked wherever it is shown, wiped when freed */
};

struct casehook__headers {
    struct casehook__heap *heap;    /* borrowed */
    struct casehook__header *items; /* owned texts, NUL-terminated */
    size_t count;
};

/*
 * Reads an object of strings (NULL or null: nothing) into headers, which is empty but for its heap:
 * names are tokens, values printable ASCII, space and tab, reserved names and two spellings of one
 * name are refused (C7).  secret: all of them; else those that carry credentials by their name.
 * proxy: Proxy-Authorization is allowed.  prefix names the field in errors ("config.headers").
 */
void casehook__headers_read(struct casehook__headers *headers, const struct casehook__json *object,
                            bool secret, bool proxy, const char *prefix, struct casehook__errors *errors);
/* What is wrong with a name, but for a second one like it; NULL: nothing. */
const char *casehook__header_name_fault(struct casehook__text name, bool proxy);
/* The same of a value, as what is said of it. */
const char *casehook__header_value_fault(struct casehook__text value);
/* Puts all of from into headers; of equal names those of from win.  OK or NO_MEMORY. */
int casehook__headers_merge(struct casehook__headers *headers, const struct casehook__headers *from);
/*
 * Appends name: Basic with the token of user and password, secret.  OK or NO_MEMORY.
 */
int casehook__headers_add_basic(struct casehook__headers *headers, const char *name,
                                struct casehook__text user, struct casehook__text password);
/* NULL when there is none of that name, compared without case. */
const struct casehook__header *casehook__headers_find(const struct casehook__headers *headers,
                                                      struct casehook__text name);
/* Takes the one at this place out. */
void casehook__headers_remove(struct casehook__headers *headers, size_t at);
void casehook__headers_free(struct casehook__headers *headers);

#endif
