/*
 * page.h - what the page and its buttons share.
 */
#ifndef CASEHOOKD_PAGE_H
#define CASEHOOKD_PAGE_H

#include "server.h"

#define FORM_TOKEN_SIZE 65

/*
 * What a form of the page carries, and no other site can know: made of the login and the day, so it is the
 * same on every machine behind a load balancer.  days: 0 for today, 1 for yesterday.
 */
void form_token(const struct login *login, int days, char token[FORM_TOKEN_SIZE]);

/* Whether the button that forgets a case, so that it is made again, is for this entry. */
bool page_can_make_again(const struct casehook_outbox_entry *entry);

#endif
