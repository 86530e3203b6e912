/* names.c - the codes of the public header in words; not as pointers, which would have to be relocated. */
#include "casehook.h"

#define NAME_OF(names, code, otherwise) \
    ((code) >= 0 && (size_t)(code) < sizeof(names) / sizeof *(names) ? (names)[code] : (otherwise))

const char *casehook_status_name(int status)
{
    /* In the order of the codes, from 0 downwards. */
    static const char names[][16] = {
        "ok",        "argument", "no_memory",   "config",      "unsupported", "params",
        "policy",    "resolve",  "connect",     "proxy",       "tls",         "timeout",
        "cancelled", "network",  "http_status", "redirect",    "response",    "limit",
        "busy",      "forked",   "system",      "unavailable",
    };
    return status <= 0 ? NAME_OF(names, -(int64_t)status, "unknown") : "unknown";
}

const char *casehook_operation_name(int operation)
{
    static const char names[][16] = {
        [CASEHOOK_CREATE] = "create",   [CASEHOOK_GET] = "get",   [CASEHOOK_UPDATE] = "update",
        [CASEHOOK_COMMENT] = "comment", [CASEHOOK_PUSH] = "push",
    };
    return operation ? NAME_OF(names, operation, "") : "";
}

const char *casehook_step_name(int step)
{
    static const char names[][16] = {
        [CASEHOOK_STEP_NONE] = "",
        [CASEHOOK_STEP_CONFIG] = "config",
        [CASEHOOK_STEP_PARAMS] = "params",
        [CASEHOOK_STEP_CREATE] = "create",
        [CASEHOOK_STEP_GET] = "get",
        [CASEHOOK_STEP_UPDATE] = "update",
        [CASEHOOK_STEP_COMMENT] = "comment",
        [CASEHOOK_STEP_VIEW_URL] = "view_url",
        [CASEHOOK_STEP_FIND] = "find",
        [CASEHOOK_STEP_TOKEN] = "token",
        [CASEHOOK_STEP_TRANSITION] = "transition",
    };
    return NAME_OF(names, step, "");
}

const char *casehook_outcome_name(int outcome)
{
    static const char names[][16] = {
        [CASEHOOK_OUTCOME_NONE] = "none",       [CASEHOOK_OUTCOME_DONE] = "done",
        [CASEHOOK_OUTCOME_REFUSED] = "refused", [CASEHOOK_OUTCOME_NOT_SENT] = "not_sent",
        [CASEHOOK_OUTCOME_UNKNOWN] = "unknown",
    };
    return NAME_OF(names, outcome, "");
}

const char *casehook_comment_state_name(int state)
{
    static const char names[][16] = {
        [CASEHOOK_COMMENT_NOT_ATTEMPTED] = "not_attempted",
        [CASEHOOK_COMMENT_SENT] = "sent",
        [CASEHOOK_COMMENT_FAILED] = "failed",
        [CASEHOOK_COMMENT_SKIPPED] = "skipped",
    };
    return NAME_OF(names, state, "");
}

const char *casehook_log_level_name(int level)
{
    static const char names[][16] = {
        [CASEHOOK_LOG_ERROR] = "error", [CASEHOOK_LOG_WARNING] = "warning", [CASEHOOK_LOG_INFO] = "info",
        [CASEHOOK_LOG_DEBUG] = "debug", [CASEHOOK_LOG_TRACE] = "trace",
    };
    return level ? NAME_OF(names, level, "") : "";
}
