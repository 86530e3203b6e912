/*
 * posix.h - asks the system's headers for POSIX and what is usual beside it; the first include of every file
 * that needs more than C11.
 */
#ifndef CASEHOOK_OUTBOX_POSIX_H
#define CASEHOOK_OUTBOX_POSIX_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif

#endif
