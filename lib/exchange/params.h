/*
 * params.h - what one call is given, from the public struct or from JSON (N1), as values for templates.
 */
#ifndef CASEHOOK_PARAMS_H
#define CASEHOOK_PARAMS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

#define CASEHOOK__ID_MAX_BYTES     1024
#define CASEHOOK__TITLE_MAX_BYTES  (64 * 1024)
#define CASEHOOK__KEY_MAX_BYTES    255 /* of an idempotency key as it is given */
#define CASEHOOK__PARAMS_MAX_BYTES (8 * 1024 * 1024)
#define CASEHOOK__COMMENTS_MAX     10000
#define CASEHOOK__FIELDS_MAX       256    /* members of fields */
#define CASEHOOK__ITEMS_MAX        100000 /* of all lists of one call together */

/* The sizes of the public structs in 0.1; fields that are appended later do not change them. */
#define CASEHOOK__PARAMS_FIRST_SIZE  (offsetof(struct casehook_params, comment_size) + sizeof(size_t))
#define CASEHOOK__COMMENT_FIRST_SIZE (offsetof(struct casehook_comment, text) + sizeof(char *))

struct casehook__param_comment {
    struct casehook__text id;
    struct casehook__text text;
};

/* Texts are borrowed from the caller's params or lie in store. */
struct casehook__parsed_params {
    struct casehook__heap *heap;
    struct casehook__text title, description, id, severity, status; /* data NULL: absent */
    struct casehook__text external_id;
    struct casehook__text idempotency_key;
    struct casehook__text resume;           /* the object as JSON; valid */
    struct casehook__value tags, labels;    /* LIST; the absent one is the other, both absent: empty */
    struct casehook__value fields;          /* OBJECT, perhaps empty */
    struct casehook__value external_fields; /* the same: what is known of the case in the tracker (V2) */
    struct casehook__param_comment *comments;
    size_t comment_count;

    /* Memory of the values above; kept and reused from call to call (warm calls allocate nothing). */
    struct casehook__buf store;
    struct casehook__value *values;
    size_t value_count, value_capacity;
    struct casehook__text *names;
    size_t name_count, name_capacity;
    size_t comment_capacity;
};

void casehook__params_init(struct casehook__parsed_params *params, struct casehook__heap *heap);
/* Forgets the content, keeps the memory. */
void casehook__params_clear(struct casehook__parsed_params *params);
void casehook__params_free(struct casehook__parsed_params *params);

/*
 * operation: CASEHOOK_CREATE ...; what it requires is checked here (see struct casehook_params), ids
 * by U3 and K5.  Errors: ARGUMENT (struct_size, comment_size), PARAMS with the field, NO_MEMORY.
 */
int casehook__params_from_struct(struct casehook__parsed_params *params, int operation,
                                 const struct casehook_params *source, struct casehook_error *error);
int casehook__params_from_json(struct casehook__parsed_params *params, int operation,
                               struct casehook__text json, struct casehook_error *error);

/* U3: "", "." and ".." are no ids; K5: 1,024 bytes.  What is wrong with it, or NULL. */
const char *casehook__id_fault(struct casehook__text id);

/* What templates are rendered with besides the params; each may be absent (data NULL). */
struct casehook__request_values {
    struct casehook__text external_id, external_title, comment, idempotency_key;
};

/*
 * The tree that templates of one request are rendered with: case.*, external.system.*.  It borrows from
 * params and values, which must live as long.  made.c may add external.fields.*, value.* and secret.*.
 */
struct casehook__param_tree {
    struct casehook__value root;
    struct casehook__value top[4], cases[10], external[2], system[3];
};
void casehook__params_tree(const struct casehook__parsed_params *params,
                           const struct casehook__request_values *values, struct casehook__param_tree *tree);

/* ---- between params*.c ----------------------------------------------------------------------- */

/*
 * Room for a whole call before it is read, so that nothing that points into it moves.  values: all
 * list items and fields; store: bytes of decoded text.  OK or NO_MEMORY.
 */
int casehook__params_reserve(struct casehook__parsed_params *params, size_t values, size_t names,
                             size_t comments, size_t store);
/* Where the next value goes.  Without room there are no values, and nothing may be added to NULL. */
static inline struct casehook__value *casehook__params_next_value(
    const struct casehook__parsed_params *params)
{
    return params->values ? params->values + params->value_count : NULL;
}
/* What params have after reading: the fallback of tags and labels, what the operation requires, ids. */
int casehook__params_finish(struct casehook__parsed_params *params, int operation,
                            const char *external_id_name, struct casehook_error *error);
/* Bytes of store that decoding all strings of a JSON text can need, and the values and names of fields. */
size_t casehook__params_store_need(struct casehook__text json);
int casehook__params_count_fields(const char *name, struct casehook__text object, size_t *values,
                                  size_t *names, struct casehook_error *error);
/*
 * Reads a valid object that lies in json (for offsets) into params->fields, or into external_fields.  name:
 * as it was given, for errors.
 */
int casehook__params_read_fields(struct casehook__parsed_params *params, const char *name,
                                 struct casehook__text json, struct casehook__text object, bool external,
                                 struct casehook_error *error);

#endif
