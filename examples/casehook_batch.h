/*
 * casehook_batch.h - many pushes from one file, on one thread.
 */
#ifndef CASEHOOK_BATCH_H
#define CASEHOOK_BATCH_H

#include "casehook_input.h"
#include "casehook_retry.h"

#include <casehook.h>

/*
 * Pushes every line of arguments->batch (JSON params) with at most arguments->concurrency in flight.
 * Each result is one line on standard output, {"index": LINE FROM 0, "result": {...}}, as it comes;
 * lines that Ctrl-C kept from being sent have "notAttempted": true, those whose result there was no memory to
 * print "outcomeUnknown": true.  With arguments->journal only what is missing in it is done, and a result is
 * told when it is on disk.  Returns the exit code.
 */
int batch_run(const struct arguments *arguments, struct casehook_connector *connector,
              const struct facts *facts, struct trouble *trouble);

#endif
