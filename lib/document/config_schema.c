/* config_schema.c - which variables exist in which field (C4, T5, N1). */
#include "document/call_kinds.h"

#define CASE(name, type, place)                          \
    {                                                    \
        "case." name, CASEHOOK__VARIABLE_##type, NULL,   \
        {                                                \
            CASEHOOK__PLACE_CASE, CASEHOOK__CASE_##place \
        }                                                \
    }
#define SYSTEM(name, place)                                                               \
    {                                                                                     \
        "external.system." name, CASEHOOK__VARIABLE_TEXT, NULL,                           \
        {                                                                                 \
            CASEHOOK__PLACE_EXTERNAL, CASEHOOK__EXTERNAL_SYSTEM, CASEHOOK__SYSTEM_##place \
        }                                                                                 \
    }

/* One table; each field sees a part of it that lies together. */
static const struct casehook__variable variables[] = {
    CASE("comment", TEXT, COMMENT),                /* 0: comment body */
    CASE("idempotencyKey", TEXT, IDEMPOTENCY_KEY), /* 1: comment URL */
    SYSTEM("title", TITLE),                        /* 2: the view URL */
    SYSTEM("id", ID),                              /* 3: get, update */
    {"external.fields.*",
     CASEHOOK__VARIABLE_FIELD,
     NULL,
     {CASEHOOK__PLACE_EXTERNAL, CASEHOOK__EXTERNAL_FIELDS}},
    CASE("title", TEXT, TITLE), /* 5: create; what answers tell ends here */
    CASE("description", TEXT, DESCRIPTION),
    CASE("id", TEXT, ID),
    CASE("severity", TEXT, SEVERITY),
    CASE("status", TEXT, STATUS),
    CASE("tags", LIST, TAGS),
    CASE("labels", LIST, LABELS),
    CASE("fields.*", FIELD, FIELDS), /* 12: update ends here */
    CASE("idempotencyKey", TEXT, IDEMPOTENCY_KEY),
};

#define SCHEMA_COUNT (sizeof variables / sizeof *variables)

#define SCHEMA(function, first, number)                                                        \
    const struct casehook__schema *function(void)                                              \
    {                                                                                          \
        static const struct casehook__schema schema = {variables + (first), number, variables, \
                                                       SCHEMA_COUNT};                          \
        return &schema;                                                                        \
    }

SCHEMA(casehook__schema_comment_body, 0, 5)
SCHEMA(casehook__schema_comment_url, 1, 4)
SCHEMA(casehook__schema_view_url, 2, 3)
SCHEMA(casehook__schema_id, 3, 2)
SCHEMA(casehook__schema_update_body, 3, 10)
SCHEMA(casehook__schema_create_url, 5, 9)
SCHEMA(casehook__schema_create_body, 5, 9)
SCHEMA(casehook__schema_all, 0, SCHEMA_COUNT)
