/*
 * casehook_init_body.h - the body of a sample request, made into a template.
 */
#ifndef CASEHOOK_INIT_BODY_H
#define CASEHOOK_INIT_BODY_H

#include <jansson.h>
#include <stdbool.h>

/* What the sample says of the case; NULL: not told, then names of members decide. */
struct body_sample {
    const char *title, *description, *severity, *id;
};

/* What was made of it. */
struct body_template {
    char *create, *update; /* update: what holds variables, and nothing else; NULL: nothing does */
    char *title_key;       /* where the title is, such as "fields.summary"; NULL: nowhere */
    char *wrapper;         /* "ticket" where {"ticket": {...}} is all of it; or NULL */
    bool title, description;
};

/* Says on standard error what went where.  False: out of memory.  body is changed. */
bool body_make(json_t *body, const struct body_sample *sample, struct body_template *made);
void body_free(struct body_template *made);

#endif
