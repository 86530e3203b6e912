/* config_schema.c - which variables exist in which field (C4, T5, N1). */
#include "document/call_kinds.h"

#define TEXT(name)                    \
    {                                 \
        name, CASEHOOK__VARIABLE_TEXT \
    }
#define LIST(name)                    \
    {                                 \
        name, CASEHOOK__VARIABLE_LIST \
    }
#define SCHEMA_FIELD(name)             \
    {                                  \
        name, CASEHOOK__VARIABLE_FIELD \
    }

/* One table; each field sees a part of it that lies together. */
static const struct casehook__variable variables[] = {
    TEXT("case.comment"),        /* 0: comment body */
    TEXT("case.idempotencyKey"), /* 1: comment URL */
    TEXT("external.system.id"),  /* 2: get, update */
    TEXT("case.title"),          /* 3: create */
    TEXT("case.description"),
    TEXT("case.id"),
    TEXT("case.severity"),
    TEXT("case.status"),
    LIST("case.tags"),
    LIST("case.labels"),
    SCHEMA_FIELD("case.fields.*"), /* 10: update ends here */
    TEXT("case.idempotencyKey"),
    TEXT("external.system.id"), /* 12: the view URL */
    TEXT("external.system.title"),
};

#define SCHEMA_COUNT (sizeof variables / sizeof *variables)

#define SCHEMA(function, first, number)                                                        \
    const struct casehook__schema *function(void)                                              \
    {                                                                                          \
        static const struct casehook__schema schema = {variables + (first), number, variables, \
                                                       SCHEMA_COUNT};                          \
        return &schema;                                                                        \
    }

SCHEMA(casehook__schema_comment_body, 0, 3)
SCHEMA(casehook__schema_comment_url, 1, 2)
SCHEMA(casehook__schema_id, 2, 1)
SCHEMA(casehook__schema_update_body, 2, 9)
SCHEMA(casehook__schema_create_url, 3, 9)
SCHEMA(casehook__schema_create_body, 3, 9)
SCHEMA(casehook__schema_view_url, 12, 2)
