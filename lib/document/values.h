/*
 * values.h - what a document makes of variables, and its secret ones, compiled (V1, V3).
 */
#ifndef CASEHOOK_VALUES_H
#define CASEHOOK_VALUES_H

#include "base/arena.h"
#include "base/unicode.h"
#include "base/value.h"
#include "document/call_kinds.h"

#define CASEHOOK__VALUES_MAX      128  /* of a document */
#define CASEHOOK__VALUE_FROM_MAX  16   /* variables that one is made of */
#define CASEHOOK__VALUE_WORDS_MAX 1000 /* of a map */
#define CASEHOOK__VALUE_LINES_MAX 100000
#define CASEHOOK__VALUE_BYTES_MAX (16 * 1024 * 1024)
#define CASEHOOK__VALUE_WORK_MAX  (10 * 64000000) /* in making those of one request */

enum casehook__format {
    CASEHOOK__FORMAT_NONE,
    CASEHOOK__FORMAT_LINES,
    CASEHOOK__FORMAT_ADF,
    CASEHOOK__FORMAT_HTML
};

/* One word of a map. */
struct casehook__value_word {
    struct casehook__text word;
    struct casehook__value value;
};

/* How a value is made, in this order. */
struct casehook__value_rule {
    const char *const *from;                /* the first that is there; NULL behind the last */
    enum casehook__variable_type from_type; /* of the last: what is written when none is there */
    bool mapped, single_line;
    bool has_default;
    const struct casehook__value_word *words; /* in the order of value_word_order */
    size_t word_count;
    struct casehook__value otherwise; /* the default */
    enum casehook__format format;
    enum casehook__unit unit;
    size_t most;                          /* of these units; 0: as long as it is */
    struct casehook__text prefix, suffix; /* data NULL: none */
    bool lasting;                         /* made of what one operation does not change */
};

struct casehook__derived_schema;

struct casehook__values {
    struct casehook__arena arena; /* has all the rest; wiped */
    struct casehook__text *names; /* of the values, without "value." */
    struct casehook__value_rule *rules;
    struct casehook__variable *variables; /* of the values, and behind them the secrets */
    size_t count;
    struct casehook__text *secret_names;
    struct casehook__value *secrets, *masked; /* TEXT; masked: what a preview shows */
    size_t secret_count;
    struct casehook__derived_schema *schemas;
};

/* NULL: no memory. */
struct casehook__values *casehook__values_new(struct casehook__heap *heap);
void casehook__values_free(struct casehook__values *values);

/*
 * What there is in a field: base, and of the values those that are made of something in it.  values NULL:
 * base.  It lives as long as values.  NULL: no memory.
 */
const struct casehook__schema *casehook__values_schema(struct casehook__values *values,
                                                       const struct casehook__schema *base);

/*
 * value_compute.c: a value by its rule.  root has the variables; *value borrows from root and rule, or lies
 * in arena.  name: of the value, for errors.  *work grows by the bytes that are gone through for it.
 * Errors: PARAMS (a word that the map does not know), LIMIT, NO_MEMORY.
 */
int casehook__value_compute(const struct casehook__value_rule *rule, const char *name,
                            const struct casehook__value *root, struct casehook__arena *arena,
                            struct casehook__value *value, size_t *work, struct casehook_error *error);
/* Of two words of a map, as bsearch wants it. */
int casehook__value_word_order(const void *one, const void *other);
/* Valid JSON as a value; lists of more than VALUE_LINES_MAX items stay JSON.  NO_MEMORY. */
int casehook__value_of_json(struct casehook__arena *arena, struct casehook__text json,
                            struct casehook__value *value);

#endif
