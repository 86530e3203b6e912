/* spoil.h - vectors with wrong expectations: a runner that passes one of them is blind. */
#ifndef CONFORMANCE_SPOIL_H
#define CONFORMANCE_SPOIL_H

/*
 * Writes a copy of every vector file of a folder to another one (which is made), with one expectation of
 * each vector spoiled that is still to be run.  0, or -1 with a line on stderr.
 */
int spoil_folder(const char *from, const char *to);

#endif
