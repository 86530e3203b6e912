/*
 * template_private.h - the program that a template is compiled to, shared by the template_*.c files.
 *
 * parse cuts the text into tags, names says what each one means, json follows the quotes, and what
 * comes out is a flat list of operations: render runs it with values, prove with combinations.
 */
#ifndef CASEHOOK_TEMPLATE_PRIVATE_H
#define CASEHOOK_TEMPLATE_PRIVATE_H

#include "base/hash.h"
#include "json/jsscan.h"
#include "template/template.h"

#define CASEHOOK__TESTED_MAX 8 /* variables whose combinations are tried (C3) */

enum casehook__op_code {
    CASEHOOK__OP_LITERAL,
    CASEHOOK__OP_VALUE,
    CASEHOOK__OP_TEST, /* goes on or jumps to target; `.`, @first and @last stay what they were */
    CASEHOOK__OP_OPEN, /* the same, and iterates; its value becomes `.` */
    CASEHOOK__OP_CLOSE /* of an OPEN; target is that OPEN */
};

/* Where the value of a name comes from. */
enum casehook__base {
    CASEHOOK__BASE_UNKNOWN, /* lenient: nothing, false */
    CASEHOOK__BASE_PATH,    /* a variable of the schema, from the root */
    CASEHOOK__BASE_STACK,   /* no schema: the innermost section that knows the first part */
    CASEHOOK__BASE_DOT,
    CASEHOOK__BASE_FIRST,
    CASEHOOK__BASE_LAST,
    CASEHOOK__BASE_TRUE /* an object of the schema: it is always there */
};

/* There are many of them in every connector, so they are small. */
struct casehook__op {
    uint8_t code, base;
    uint8_t type;      /* enum casehook__variable_type: how a missing value is written */
    uint8_t tested;    /* 1 + index into tested, outside strings only; 0: none */
    uint8_t shown;     /* of a tag: so many bytes are shown in a message */
    bool inside : 1;   /* a JSON string */
    bool negated : 1;  /* TEST */
    bool plain : 1;    /* VALUE in triple braces or with & */
    uint16_t variable; /* PATH: its index in the schema */
    uint32_t at;       /* the literal or the tag, in the text of the template */
    uint32_t target;   /* TEST, OPEN: the operation behind the section; CLOSE: that OPEN */
    uint32_t name;     /* in the text too: PATH: what stands for a `*`; STACK: the whole name */
    uint32_t length;   /* of the literal, or of that name */
};

/* A variable that sections outside strings test: it can change the structure. */
struct casehook__tested {
    uint16_t variable;     /* its index in the schema */
    uint8_t most;          /* members that are tried */
    uint8_t trusted;       /* a longer list is validated when it is rendered */
    uint32_t name, length; /* in the text: what stands for a `*` */
};

/* One block of memory: what it points to lies behind it. */
struct casehook__template {
    struct casehook__heap *heap;
    const struct casehook__variable *variables; /* of the schema */
    const char *text;
    struct casehook__op *ops;
    struct casehook__tested *tested;
    union {
        /* RAW: how {{x}} is written, NULL: as it is; {{{x}}} always is as it is. */
        int (*encode)(struct casehook__buf *out, struct casehook__text text);
        struct casehook__hash_key hash_key; /* JSON, for its keys: values are chosen by outsiders */
    };
    uint32_t length, op_count; /* of text and ops */
    uint8_t kind;              /* enum casehook__template_kind */
    uint8_t tested_count;
    bool too_many_tested;
    bool members_tested; /* a section outside strings tests `.`, which the combinations do not cover */
    bool variable_keys;  /* a key may hold a variable */
    bool proved;         /* every rendering is JSON, unless it holds JSON of others */
};

/* The name that op or tested has of its own. */
static inline struct casehook__text casehook__template_name(const struct casehook__template *tmpl,
                                                            uint32_t name, uint32_t length)
{
    return (struct casehook__text){tmpl->text + name, length};
}

/* What follows the quotes of a JSON body while it is parsed (template_json.c). */
struct casehook__lexer {
    bool inside;
    uint8_t escape;     /* 0 none, 5 behind the backslash, 4 to 1 digits of \u to come */
    uint32_t strings;   /* opening quotes so far: tells one string from another */
    bool tag_in_string; /* the current string is not only literal */
    bool maybe_key;     /* such a string was closed, and what follows is not known yet */
    bool glue;          /* a value must not follow directly */
    enum { CASEHOOK__VALUE_NONE, CASEHOOK__VALUE_ADJACENT, CASEHOOK__VALUE_SPACED } behind; /* a value */
    uint32_t value_at;
};

enum casehook__context {
    CASEHOOK__CONTEXT_SAME,   /* a test: what is around it stays visible */
    CASEHOOK__CONTEXT_OBJECT, /* its names become visible */
    CASEHOOK__CONTEXT_VALUE   /* `.`, @first and @last are its own */
};

struct casehook__section {
    struct casehook__text name;
    uint32_t op, at;
    enum casehook__context context;
    const char *object; /* OBJECT: a name of the schema whose first object_length bytes are the object's */
    size_t object_length;
    uint8_t tested; /* VALUE: as in the op */
    bool inside;    /* the lexer at the opening tag */
    uint32_t strings;
};

struct casehook__parser {
    struct casehook__template *tmpl; /* a draft, whose text is the caller's */
    const struct casehook__schema *schema;
    uint32_t op_capacity;
    struct casehook__tested tested[CASEHOOK__TESTED_MAX]; /* of the draft */
    size_t strict_from;                                   /* a name that stands here or later must be known */
    bool name_refused;                                    /* what ended it was a name */
    struct casehook_error *error;
    struct casehook__text text, open, close;
    size_t at;       /* the next byte to be looked at */
    bool line_start; /* it begins a line of which nothing is left */
    struct casehook__section sections[CASEHOOK__TEMPLATE_MAX_DEPTH];
    size_t depth;
    struct casehook__lexer lexer;
};

/* template_parse.c */
int casehook__parse(struct casehook__parser *parser);

/* template_names.c */

/* Fills base, type, tested, variable and name of op; of a section its context too (section NULL: an
 * interpolation). */
int casehook__name_resolve(struct casehook__parser *parser, struct casehook__text name,
                           struct casehook__op *op, struct casehook__section *section);

/* template_json.c */
/* What stands around a place of text, for a message: 20 characters on both sides. */
struct casehook__text casehook__template_around(struct casehook__text text, size_t at);

int casehook__lex_literal(struct casehook__parser *parser, struct casehook__text text);
/* Any tag; a value or section only when it is one. */
int casehook__lex_tag(struct casehook__parser *parser, size_t at);
int casehook__lex_value(struct casehook__parser *parser, size_t at);
void casehook__lex_border(struct casehook__parser *parser);
int casehook__lex_close(struct casehook__parser *parser, const struct casehook__section *section);

/*
 * Watches that values outside strings stand alone (T2) where sections decide what stands beside them,
 * so that `{{a}}{{#b}},{{/b}}{{c}}` cannot make one number of two.
 */
struct casehook__guard {
    size_t from;      /* what is before this byte does not count */
    size_t value_end; /* of the last value */
    bool pending;     /* nothing but white space came since */
};
bool casehook__guard_literal(struct casehook__guard *guard, const struct casehook__buf *out,
                             struct casehook__text text);
bool casehook__guard_value(const struct casehook__guard *guard, const struct casehook__buf *out);
void casehook__guard_value_done(struct casehook__guard *guard, const struct casehook__buf *out);

/* template_keys.c: what is asked of a rendering */

/* The mark that stands for a tag inside a string when combinations are tried: no byte of UTF-8. */
#define CASEHOOK__TAG_MARK '\xFF'

/*
 * Looks for two equal keys in one object of the valid JSON behind start, which tmpl rendered.  The memory
 * behind the content of buf is used and given back.  literal_only: keys with a mark are left out.  *count,
 * when not NULL, is how many keys there were. OK, PARAMS (twins are these keys, within buf), NO_MEMORY,
 * LIMIT.
 */
int casehook__keys_check(const struct casehook__template *tmpl, struct casehook__buf *buf, size_t start,
                         bool literal_only, struct casehook__text twins[2], size_t *count);

/* The fault that keeps text from being a JSON body; unlike a response it begins with no BOM. */
enum casehook__js_fault casehook__template_json_fault(struct casehook__text text, size_t *offset);

/* template_value.c */

/* value NULL: absent, written as type says. */
int casehook__value_write(const struct casehook__template *tmpl, const struct casehook__op *op,
                          const struct casehook__value *value, struct casehook__buf *out);
bool casehook__value_true(const struct casehook__value *value);

#endif
