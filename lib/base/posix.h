/*
 * posix.h - asks the system's headers for POSIX; the first include of a file that needs more than C11.
 */
#ifndef CASEHOOK_POSIX_H
#define CASEHOOK_POSIX_H

#if !defined(_POSIX_C_SOURCE) || _POSIX_C_SOURCE < 200809L
#undef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#endif
