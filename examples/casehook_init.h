/*
 * casehook_init.h - writes a connector document: one of the gallery, or one made of a request.
 */
#ifndef CASEHOOK_INIT_H
#define CASEHOOK_INIT_H

#include "casehook_args.h"

/* The document goes to standard output, what is to be done with it to standard error.  The exit code. */
int init_run(const struct arguments *arguments);

#endif
