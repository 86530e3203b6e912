/*
 * template.h - Mustache templates, compiled once (T1-T6, C3-C5).
 *
 * Compiling finds every fault of the template itself, with its offset.  A JSON body is proved by
 * rendering it with every combination of the variables that can change its structure (C3).
 */
#ifndef CASEHOOK_TEMPLATE_H
#define CASEHOOK_TEMPLATE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

#define CASEHOOK__TEMPLATE_MAX_BYTES (256 * 1024)
#define CASEHOOK__TEMPLATE_MAX_DEPTH 64                 /* nesting of sections */
#define CASEHOOK__TEMPLATE_MAX_STEPS 1000000            /* of one rendering */
#define CASEHOOK__BODY_MAX_BYTES     (16 * 1024 * 1024) /* of one rendering */

struct casehook__template;

enum casehook__template_kind {
    CASEHOOK__TEMPLATE_RAW,  /* text as it is (the Mustache suite) */
    CASEHOOK__TEMPLATE_JSON, /* JSON-aware (T2) */
    CASEHOOK__TEMPLATE_URL   /* values percent-encoded (T5) */
};

#define CASEHOOK__PLACE_PARTS 3 /* no name of a variable has more */

/*
 * The names that exist in one field.  A name is absolute ("case.title"); its type says how a
 * section on it behaves.  Objects are implied by the dots ("case" opens a section because
 * "case.title" exists); "case.fields.*" stands for any custom field.
 */
enum casehook__variable_type { CASEHOOK__VARIABLE_TEXT, CASEHOOK__VARIABLE_LIST, CASEHOOK__VARIABLE_FIELD };

struct casehook__variable {
    const char *name;
    enum casehook__variable_type type;
    const char *const
        *made_of; /* names, NULL behind the last: to use it is to use them (V1); NULL: of itself */
    /* Which member of its object each part of the name is, from 1 on; 0: it is looked for by its name. */
    uint8_t place[CASEHOOK__PLACE_PARTS + 1];
};

struct casehook__schema {
    const struct casehook__variable *variables;
    size_t count;
    /* Names that other fields have: the message says "not available here" instead of "unknown". */
    const struct casehook__variable *elsewhere;
    size_t elsewhere_count;
};

/* The variable that an absolute name means, NULL: none. */
const struct casehook__variable *casehook__schema_find(const struct casehook__schema *schema,
                                                       struct casehook__text name);

/*
 * schema NULL, RAW only: every name is accepted and looked up in the open sections (the Mustache suite).
 * strict: a name that is not in schema is an error; else it renders as nothing, unless it is that of a value
 * which is made of what other fields have (V1).  text is UTF-8 and is copied,
 * schema is borrowed.  Inside a section on case.fields a name without dots is a custom field.
 * Sections on @first and @last test only: inside them `.`, @first and @last are what they were outside.
 * Errors: NO_MEMORY, CONFIG with offset, SYSTEM (no random numbers).
 */
int casehook__template_new(struct casehook__heap *heap, struct casehook__text text,
                           enum casehook__template_kind kind, const struct casehook__schema *schema,
                           bool strict, struct casehook__template **out, struct casehook_error *error);
/* Compiles text from byte `from` on; offsets in errors still count from the start of text. */
int casehook__template_new_behind(struct casehook__heap *heap, struct casehook__text text, size_t from,
                                  enum casehook__template_kind kind, const struct casehook__schema *schema,
                                  bool strict, struct casehook__template **out, struct casehook_error *error);
/*
 * The next name from this offset on that the schema does not have: true, with the fault.  Whatever else is
 * wrong with the text does not count, unless a tag cannot be read: then what stands behind it is not looked
 * at.
 */
bool casehook__template_unknown_name(struct casehook__heap *heap, struct casehook__text text,
                                     const struct casehook__schema *schema, size_t from,
                                     struct casehook_error *error);
void casehook__template_free(struct casehook__template *tmpl);

/*
 * JSON only: renders every combination (C3).  strict: CONFIG, naming the combination, when any is
 * not JSON or too many variables are tested.  lenient: CONFIG when none is JSON.  What the combinations do
 * not cover is validated by casehook__template_render itself.  Where a list in a custom field would repeat a
 * literal key, strict accepts the template and a call with such a list fails (PARAMS).
 */
int casehook__template_prove(struct casehook__template *tmpl, bool strict, struct casehook_error *error);

/* Whether a variable of this absolute name is interpolated or tested anywhere (C4; aliases resolved, C5). */
bool casehook__template_uses(const struct casehook__template *tmpl, const char *name);
/* Whether any variable below this first name is: "case". */
bool casehook__template_uses_any(const struct casehook__template *tmpl, const char *first);

/* Whether a variable that stands outside of all sections is empty with these values. */
bool casehook__template_lacks(const struct casehook__template *tmpl, const struct casehook__value *root);

/*
 * Whether this variable of the schema, or one made of it, is written where no section asks for it: what is
 * not given is written too, as nothing.  *at: the tag.
 */
bool casehook__template_is_bare(const struct casehook__template *tmpl, const char *name, size_t *at);

/*
 * Appends one rendering.  root is an OBJECT.  JSON: trimmed (T6); two equal keys in one object, where
 * keys hold variables, are an error.  Allocates nothing but through out.
 * Errors: NO_MEMORY, LIMIT, CONFIG (a rendering that is not JSON: the call's fault), PARAMS (equal keys:
 * the params' fault, C3 and T2 want them apart).
 */
int casehook__template_render(const struct casehook__template *tmpl, const struct casehook__value *root,
                              struct casehook__buf *out, struct casehook_error *error);

/*
 * The same for callers that must know where variables stand in the output (U3): before a tag of a known
 * variable writes anything (an interpolation; a section each time it is tested, whether it opens or not)
 * at() is told out->length, in rising order.  Unknown names, closing tags and comments are not told.
 */
typedef void casehook__template_at(void *user, const struct casehook__buf *out);
struct casehook__template_watch {
    casehook__template_at *at; /* NULL: nobody asks */
    void *user;
    size_t *steps; /* NULL, or the steps of this rendering are added, also when it fails */
};
int casehook__template_render_at(const struct casehook__template *tmpl, const struct casehook__value *root,
                                 const struct casehook__template_watch *watch, struct casehook__buf *out,
                                 struct casehook_error *error);

#endif
