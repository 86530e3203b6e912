/* tracker_fault.c - faults as texts, and which request meets one. */
#include "tracker_fault.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

static const char *const requests[FAULT_REQUESTS] = {"create", "get", "update", "comment", "find"};

/* Takes a word off the text, when it begins with it. */
static bool take(const char **text, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0) return false;
    *text += length;
    return true;
}

static bool take_number(const char **text, unsigned long most, unsigned long *number)
{
    const char *digit = *text;
    *number = 0;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        *number = *number * 10 + (unsigned long)(*digit - '0');
        if (*number > most) return false;
    }
    bool some = digit > *text;
    *text = digit;
    return some;
}

static const char *read_action(const char **text, struct fault *fault)
{
    unsigned long number;
    fault->retry_after = -1;
    if (take(text, "drop-after-commit")) {
        fault->action = FAULT_DROP_AFTER;
    } else if (take(text, "drop-before-commit")) {
        fault->action = FAULT_DROP_BEFORE;
    } else if (take(text, "status=")) {
        fault->action = FAULT_STATUS;
        if (!take_number(text, 599, &number) || number < 400) return "a status is a number from 400 to 599";
        fault->status = (unsigned)number;
        if (!take(text, ",")) return NULL;
        if (!take(text, "retry-after=") || !take_number(text, 1000000, &number))
            return "after the status only \",retry-after=SECONDS\" may come, of at most 1000000 seconds";
        fault->retry_after = (int)number;
    } else if (take(text, "delay=")) {
        fault->action = FAULT_DELAY;
        if (!take_number(text, 3600000, &number)) return "a delay is a number of ms, at most 3600000";
        fault->delay_ms = (unsigned)number;
    } else {
        return "it begins with drop-after-commit, drop-before-commit, status=CODE or delay=MS";
    }
    return NULL;
}

static const char *read_which(const char **text, struct fault *fault)
{
    static const char wrong[] = "which request: a number from 1, such as 2, a range, such as 2-4, or *";
    if (take(text, "*")) {
        fault->first = 1;
        fault->last = ULONG_MAX;
        return NULL;
    }
    if (!take_number(text, 1000000000, &fault->first)) return wrong;
    fault->last = fault->first;
    if (take(text, "-") && !take_number(text, 1000000000, &fault->last)) return wrong;
    return fault->first == 0 || fault->last < fault->first ? wrong : NULL;
}

const char *fault_add(struct faults *faults, const char *text)
{
    struct fault fault = {.action = FAULT_NONE};
    int request = 0;
    const char *wrong = read_action(&text, &fault);
    if (wrong) return wrong;
    if (!take(&text, ":")) return "behind the action comes \":\" and create, get, update, comment or find";
    while (request < FAULT_REQUESTS && !take(&text, requests[request])) request++;
    if (request == FAULT_REQUESTS) return "the request is one of create, get, update, comment and find";
    fault.request = (enum fault_request)request;
    if (!take(&text, ":")) return "behind the request comes \":\" and which of them: 1, 2-4 or *";
    wrong = read_which(&text, &fault);
    if (!wrong && *text) wrong = "there is more than ACTION:REQUEST:WHICH";
    if (!wrong && faults->count == FAULT_MAX) wrong = "there are too many; 32 is the most";
    if (!wrong) faults->all[faults->count++] = fault;
    return wrong;
}

const struct fault *fault_meet(struct faults *faults, enum fault_request request)
{
    unsigned long number = ++faults->seen[request];
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->all[i];
        if (fault->request == request && number >= fault->first && number <= fault->last) return fault;
    }
    return NULL;
}
