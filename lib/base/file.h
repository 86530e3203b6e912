/*
 * file.h - the one way in which the library opens files that a document or the system names.
 */
#ifndef CASEHOOK_FILE_H
#define CASEHOOK_FILE_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Appends a whole regular file to content, whose limit is that of the file.  Nothing else is read: a FIFO, a
 * device, a socket or a folder is an error at once, and never a wait.
 * Errors: NO_MEMORY, LIMIT, SYSTEM; the message is what is the matter with it ("does not exist").
 */
int casehook__file_read(const char *path, struct casehook__buf *content, struct casehook_error *error);

#endif
