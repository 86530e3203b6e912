/*
 * casehook_member.h - members of a JSON object, found and put in without touching the rest of the text:
 * numbers keep their digits.
 */
#ifndef CASEHOOK_MEMBER_H
#define CASEHOOK_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A piece of somebody else's text. */
struct piece {
    const char *text;
    size_t length;
};

/*
 * The value of the member with this name, without space around it; text is NULL where there is none, and
 * where the text is no object.  Not a parser: whether it is JSON the library judges.
 */
struct piece member_find(struct piece object, const char *name);

/* "incident" of params, or all of them where they are flat. */
struct piece member_case(struct piece params);
/* Whether it is a text that is not empty; a list that is not empty. */
bool member_is_text(struct piece value);
bool member_is_list(struct piece value);
/*
 * Whether the text is one object from its first brace to its last one, so that it cannot end what it is put
 * into; what stands inside, numbers of any size, is not judged.
 */
bool member_is_object(struct piece text);

/*
 * Writes params with "resume" and "idempotencyKey" in front, in place of their own; NULL: it stays as it is.
 * Both are JSON.  What is no object is written as it is.
 */
void member_put(FILE *out, struct piece params, const char *resume, const char *key);

#endif
