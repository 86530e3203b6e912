/*
 * casehook_journal_read.h - the lines of a journal that is there already.
 */
#ifndef CASEHOOK_JOURNAL_READ_H
#define CASEHOOK_JOURNAL_READ_H

#include "casehook_journal.h"

/* Reads all of it, as journal_open() says; end is then that of its last whole line. */
int journal_read(struct journal *journal, uint64_t target, struct trouble *trouble);

#endif
