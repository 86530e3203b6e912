/* model.c - what the tracker keeps, and what it does with a request. */
#include "model.h"
#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct model_key {
    char *value, *request; /* the line and the body that it came with first */
    struct reply reply;
};

struct model *model_new(int honours_keys, int refuses_repeats)
{
    struct model *model = must_alloc(sizeof *model);
    pthread_mutex_init(&model->lock, NULL);
    model->honours_keys = honours_keys;
    model->refuses_repeats = refuses_repeats;
    return model;
}

void model_free(struct model *model)
{
    for (size_t i = 0; i < model->key_count; i++) {
        free(model->keys[i].value);
        free(model->keys[i].request);
    }
    free(model->keys);
    pthread_mutex_destroy(&model->lock);
    free(model);
}

void model_lock(struct model *model)
{
    pthread_mutex_lock(&model->lock);
}

void model_unlock(struct model *model)
{
    pthread_mutex_unlock(&model->lock);
}

int64_t model_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* ---- targets ------------------------------------------------------------------------------------ */

size_t model_trial_of(const char *target)
{
    const char *name = strstr(target, "/T");
    size_t number = name ? strtoul(name + 2, NULL, 10) : TRIALS_MAX;
    return number < TRIALS_MAX ? number : TRIALS_MAX;
}

enum kind model_kind_of(const char *method, const char *target)
{
    if (strncmp(target, "/find/", 6) == 0) return KIND_FIND;
    if (strncmp(target, "/new/", 5) == 0) return KIND_CREATE;
    if (strstr(target, "/comment")) return KIND_COMMENT;
    if (strstr(target, "/move")) return KIND_TRANSITION;
    return strcmp(method, "GET") == 0 ? KIND_GET : KIND_UPDATE;
}

/* "/case/T7-2/comment": NULL when there is no such case. */
static struct model_case *case_of(struct model_trial *trial, const char *target)
{
    const char *dash = strchr(target, '-');
    size_t number = dash ? strtoul(dash + 1, NULL, 10) : 0;
    return number > 0 && number <= trial->case_count ? &trial->cases[number - 1] : NULL;
}

/* ---- what it does ------------------------------------------------------------------------------- */

static void say(struct reply *reply, int status, const char *name, size_t trial, size_t number)
{
    reply->status = status;
    snprintf(reply->body, sizeof reply->body, "{\"%s\":\"T%zu-%zu\"}", name, trial, number);
}

static void refuse(struct reply *reply, int status)
{
    reply->status = status;
    snprintf(reply->body, sizeof reply->body, "{\"error\":\"refused\"}");
}

static void find(const struct model_trial *trial, size_t number, struct reply *reply)
{
    reply->status = 200;
    if (trial->case_count)
        snprintf(reply->body, sizeof reply->body, "{\"items\":[{\"id\":\"T%zu-1\"}]}", number);
    else
        snprintf(reply->body, sizeof reply->body, "{\"items\":[]}");
}

/* The text of a comment ends in its number. */
static int add_comment(struct model_case *found, const char *body)
{
    const char *mark = strstr(body, "comment ");
    size_t number = mark ? strtoul(mark + 8, NULL, 10) : 0;
    if (number == 0 || number > COMMENTS) return -1;
    for (size_t before = 0; before + 1 < number; before++) found->out_of_order += !found->comments[before];
    found->comments[number - 1]++;
    return 0;
}

static void to_case(struct model_trial *trial, size_t number, enum kind kind,
                    const struct http_request *request, struct reply *reply)
{
    struct model_case *found = case_of(trial, request->target);
    if (!found || (kind == KIND_COMMENT && add_comment(found, request->body))) {
        refuse(reply, 404);
        return;
    }
    if (kind == KIND_UPDATE) found->updates++;
    if (kind == KIND_TRANSITION) found->transitions++;
    say(reply, kind == KIND_COMMENT ? 201 : 200, kind == KIND_GET ? "key" : "id", number,
        (size_t)(found - trial->cases) + 1);
}

static void do_plainly(struct model *model, enum kind kind, const struct http_request *request,
                       struct reply *reply)
{
    size_t number = model_trial_of(request->target);
    struct model_trial *trial = &model->trials[number];
    if (kind == KIND_FIND) {
        find(trial, number, reply);
    } else if (kind != KIND_CREATE) {
        to_case(trial, number, kind, request, reply);
    } else if (trial->case_count == CASES_MAX) {
        refuse(reply, 507);
    } else {
        trial->case_count++;
        say(reply, 201, "id", number, trial->case_count);
    }
}

/* ---- keys --------------------------------------------------------------------------------------- */

static struct model_key *key_of(struct model *model, const char *value)
{
    for (size_t i = 0; i < model->key_count; i++)
        if (strcmp(model->keys[i].value, value) == 0) return &model->keys[i];
    return NULL;
}

static void keep_key(struct model *model, const char *value, char *request, const struct reply *reply)
{
    model->keys = must_grow(model->keys, (model->key_count + 1) * sizeof *model->keys);
    model->keys[model->key_count++] =
        (struct model_key){.value = must_copy(value, strlen(value)), .request = request, .reply = *reply};
}

static void do_with_key(struct model *model, enum kind kind, const char *value,
                        const struct http_request *request, int undone, struct reply *reply)
{
    char *whole = must_format("%s\n%s", request->line, request->body);
    const struct model_key *known = key_of(model, value);
    if (known && strcmp(known->request, whole) != 0) {
        model->keys_wrong++;
        refuse(reply, 422);
    } else if (known && model->refuses_repeats) {
        refuse(reply, MODEL_REPEATED);
    } else if (known) {
        *reply = known->reply;
    } else if (!undone) {
        do_plainly(model, kind, request, reply);
        keep_key(model, value, whole, reply);
        return;
    }
    free(whole);
}

void model_do(struct model *model, const struct http_request *request, int undone, struct reply *reply)
{
    enum kind kind = model_kind_of(request->method, request->target);
    struct model_trial *trial = &model->trials[model_trial_of(request->target)];
    const char *key = http_request_header(request, "Idempotency-Key", 0);
    trial->read[kind]++;
    if (kind == KIND_CREATE || kind == KIND_COMMENT) {
        trial->keyed += key != NULL;
        trial->keyless += key == NULL;
    }
    if (key && model->honours_keys)
        do_with_key(model, kind, key, request, undone, reply);
    else if (!undone)
        do_plainly(model, kind, request, reply);
}
