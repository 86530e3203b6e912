/* box.h - short words for tests of the outbox. */
#ifndef OUTBOX_BOX_H
#define OUTBOX_BOX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <casehook_outbox.h>

/* Where the outbox of a test is: a new file, or the tables of the database, which are emptied. */
const char *box_place(void);
/* postgresql://... when the test was given one, else NULL. */
void box_use(const char *postgres);
int box_is_postgres(void);
/* The rest of a test is of one kind of database. */
#define ONLY_OF_A_FILE()   SKIP_UNLESS(!box_is_postgres(), "it is about SQLite, or its clock")
#define ONLY_OF_A_SERVER() SKIP_UNLESS(box_is_postgres() && getenv("CASEHOOK_PG_DATA"), "it stops PostgreSQL")
#define SKIP_UNLESS(is, why)              \
    do {                                  \
        if (is) break;                    \
        print_message("SKIP: %s\n", why); \
        skip();                           \
    } while (0)
/* Statements of a person at the database itself. */
void box_sql(const char *sql);
void box_remove(void);

struct casehook_outbox *box_open(const char *place, const struct casehook_outbox_options *options);
/* The status of opening, whose message has these words. */
int box_refused(const char *place, const char *words);

/* Puts and asserts that it was stored; returns its id. */
uint64_t box_put(struct casehook_outbox *outbox, int operation, const char *key, const char *params);
int box_put_status(struct casehook_outbox *outbox, int operation, const char *key, const char *params);

/* The state of an entry, 0: there is none; the message is kept until the next call. */
int box_state(struct casehook_outbox *outbox, uint64_t id);
const struct casehook_outbox_entry *box_entry(struct casehook_outbox *outbox, uint64_t id);
struct casehook_outbox_stats box_stats(struct casehook_outbox *outbox);

#endif
