/*
 * fields.h - one member of a document: its value, its name for errors, and its type.
 */
#ifndef CASEHOOK_FIELDS_H
#define CASEHOOK_FIELDS_H

#include "base/error.h"
#include "json/json.h"

struct casehook__field {
    struct casehook__errors *errors;
    const char *prefix;                /* "config" */
    const char *name;                  /* "createIncidentUrl" */
    const struct casehook__json *node; /* NULL: absent */
};

/* The member of object (NULL: nothing is there). */
struct casehook__field casehook__field_of(struct casehook__errors *errors, const char *prefix,
                                          const struct casehook__json *object, const char *name);

/* A fresh fault of "prefix.name" (of "prefix" when name is NULL), to be filled. */
struct casehook_error *casehook__field_fault(const struct casehook__field *field);
/* The same of "prefix.name[index]". */
struct casehook_error *casehook__field_item_fault(const struct casehook__field *field, size_t index);
/* Keeps a fault that a lower function filled, if it did (status 0: nothing). */
void casehook__field_keep(const struct casehook__field *field, const struct casehook_error *fault);
void casehook__field_item_keep(const struct casehook__field *field, size_t index,
                               const struct casehook_error *fault);
/* Says that the type is wrong: wanted is "a text". */
void casehook__field_wrong(const struct casehook__field *field, const char *wanted);

/* Absent or null. */
bool casehook__field_is_null(const struct casehook__field *field);

/*
 * These leave *value alone and return false when the member is absent; a wrong type (null too) is a
 * fault and false.
 */
bool casehook__field_text(const struct casehook__field *field, struct casehook__text *value);
bool casehook__field_boolean(const struct casehook__field *field, bool *value);
bool casehook__field_integer(const struct casehook__field *field, int64_t low, int64_t high, int64_t *value);
/* True when there is a list. */
bool casehook__field_list(const struct casehook__field *field);
/* A text that parse understands, or a whole number that parse understands as text ("1mb", 1048576). */
typedef int (*casehook__amount_fn)(struct casehook__text text, uint64_t *value, struct casehook_error *error);
bool casehook__field_amount(const struct casehook__field *field, casehook__amount_fn parse, uint64_t *value);
/* One of count words, without case when nocase; index into words.  The fault lists the words. */
bool casehook__field_word(const struct casehook__field *field, const char *const *words, size_t count,
                          bool nocase, size_t *index);

/* Item index of a list as the number of an HTTP status that refuses, 400 to 599; else a fault, and 0. */
int casehook__field_refusal(const struct casehook__field *field, size_t index);

/* Faults for all members of object that are not among the known names, with the nearest one. */
void casehook__fields_unknown(struct casehook__errors *errors, const char *prefix,
                              const struct casehook__json *object, const char *const *known, size_t count);

/* OK, or the status of the first fault so far (NO_MEMORY beats it). */
int casehook__errors_status(const struct casehook__errors *errors);

/*
 * The object that a document is, to be freed by casehook__json_free; NULL with its fault in errors.
 * name: what errors call the document.
 */
struct casehook__json *casehook__field_root(struct casehook__text json, const char *name,
                                            struct casehook__errors *errors);

#endif
