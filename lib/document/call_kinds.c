/* call_kinds.c - one row for each kind of call (C1, C3, C4, H4, K1, K4, K6-K8, L1). */
#include "document/call_kinds.h"

/* The fields that every call has, all of them named by what it does. */
#define NAMES(call)                                                                             \
    .url = call "Url", .method = call "Method", .body = call "Json", .headers = call "Headers", \
    .type = call "ResponseType", .error_key = call "ResponseErrorKey"

static const struct casehook__call_kind call_kinds[CASEHOOK__CALLS] = {
    [CASEHOOK__CALL_CREATE] =
        {
            .step = CASEHOOK_STEP_CREATE,
            NAMES("createIncident"),
            .key = "createIncidentResponseKey",
            .id_header = "createIncidentResponseHeader",
            .title_key = "createIncidentResponseExternalTitleKey",
            .fields = "createResponseFields",
            .methods = {CASEHOOK__METHOD_POST, CASEHOOK__METHOD_PUT, CASEHOOK__METHOD_PATCH},
            .method_count = 3,
            .url_schema = casehook__schema_create_url,
            .body_schema = casehook__schema_create_body,
            .body_required = {"case.title", "case.description"},
            .effect = CASEHOOK__EFFECT_ADDS,
            .keyed = true,
            .learns = CASEHOOK__LEARNS_ID,
        },
    [CASEHOOK__CALL_GET] =
        {
            .step = CASEHOOK_STEP_GET,
            NAMES("getIncident"),
            .off = "getIncident",
            .key = "getIncidentResponseExternalTitleKey",
            .fields = "getResponseFields",
            .methods = {CASEHOOK__METHOD_GET, CASEHOOK__METHOD_POST},
            .method_count = 2,
            .body_may_be = true,
            .url_schema = casehook__schema_id,
            .body_schema = casehook__schema_id,
            .url_required = "external.system.id",
            .effect = CASEHOOK__EFFECT_READS,
            .learns = CASEHOOK__LEARNS_TITLE,
        },
    [CASEHOOK__CALL_UPDATE] =
        {
            .step = CASEHOOK_STEP_UPDATE,
            NAMES("updateIncident"),
            .off = "updateIncident",
            .key = "updateIncidentResponseKey",
            .title_key = "updateIncidentResponseExternalTitleKey",
            .fields = "updateResponseFields",
            .methods = {CASEHOOK__METHOD_PUT, CASEHOOK__METHOD_POST, CASEHOOK__METHOD_PATCH},
            .method_count = 3,
            .url_schema = casehook__schema_id,
            .body_schema = casehook__schema_update_body,
            .body_required = {"case.title", "case.description"},
            .effect = CASEHOOK__EFFECT_CHANGES,
        },
    [CASEHOOK__CALL_COMMENT] =
        {
            .step = CASEHOOK_STEP_COMMENT,
            NAMES("createComment"),
            .fields = "commentResponseFields",
            .methods = {CASEHOOK__METHOD_PUT, CASEHOOK__METHOD_POST, CASEHOOK__METHOD_PATCH},
            .method_count = 3,
            .optional = true,
            .url_schema = casehook__schema_comment_url,
            .body_schema = casehook__schema_comment_body,
            .body_required = {"case.comment"},
            .effect = CASEHOOK__EFFECT_ADDS,
            .keyed = true,
        },
    [CASEHOOK__CALL_FIND] =
        {
            .step = CASEHOOK_STEP_FIND,
            NAMES("findIncident"),
            .key = "findIncidentResponseKey",
            .fields = "findResponseFields",
            .methods = {CASEHOOK__METHOD_GET, CASEHOOK__METHOD_POST},
            .method_count = 2,
            .by_url = true,
            .body_may_be = true,
            .url_schema = casehook__schema_create_url,
            .body_schema = casehook__schema_create_body,
            .effect = CASEHOOK__EFFECT_READS,
            .learns = CASEHOOK__LEARNS_WHETHER,
        },
    [CASEHOOK__CALL_TRANSITION] =
        {
            .step = CASEHOOK_STEP_TRANSITION,
            NAMES("transitionIncident"),
            .methods = {CASEHOOK__METHOD_POST, CASEHOOK__METHOD_PUT, CASEHOOK__METHOD_PATCH},
            .method_count = 3,
            .by_url = true,
            .body_may_be = true,
            .url_schema = casehook__schema_update_body,
            .body_schema = casehook__schema_update_body,
            .effect = CASEHOOK__EFFECT_ADDS,
        },
    [CASEHOOK__CALL_TOKEN] =
        {
            .step = CASEHOOK_STEP_TOKEN,
            .url = "accessTokenUrl",
            .effect = CASEHOOK__EFFECT_READS,
        },
};

const struct casehook__call_kind *casehook__call_kind(enum casehook__call call)
{
    return &call_kinds[call];
}

const char *casehook__method_name(enum casehook__method method)
{
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH"};
    return names[method];
}
