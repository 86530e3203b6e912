/* config_schema.c - which variables exist in which field (C4, T5, N1). */
#include "document/call_kinds.h"

#define TEXT(name)                          \
    {                                       \
        name, CASEHOOK__VARIABLE_TEXT, NULL \
    }
#define LIST(name)                          \
    {                                       \
        name, CASEHOOK__VARIABLE_LIST, NULL \
    }
#define SCHEMA_FIELD(name)                   \
    {                                        \
        name, CASEHOOK__VARIABLE_FIELD, NULL \
    }

/* One table; each field sees a part of it that lies together. */
static const struct casehook__variable variables[] = {
    TEXT("case.comment"),          /* 0: comment body */
    TEXT("case.idempotencyKey"),   /* 1: comment URL */
    TEXT("external.system.title"), /* 2: the view URL */
    TEXT("external.system.id"),    /* 3: get, update */
    SCHEMA_FIELD("external.fields.*"),
    TEXT("case.title"), /* 5: create; what answers tell ends here */
    TEXT("case.description"),
    TEXT("case.id"),
    TEXT("case.severity"),
    TEXT("case.status"),
    LIST("case.tags"),
    LIST("case.labels"),
    SCHEMA_FIELD("case.fields.*"), /* 12: update ends here */
    TEXT("case.idempotencyKey"),
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
