/*
 * casehook_print_json.h - what the tool says with --json: one object on standard output.
 */
#ifndef CASEHOOK_PRINT_JSON_H
#define CASEHOOK_PRINT_JSON_H

#include "casehook_input.h"

#include <casehook.h>

/* {"ok", "errors": [those of casehook_error_json()], "warnings": [the same]} */
void print_check_json(const struct casehook_error *faults, const struct casehook_error *warnings);
/* The object of casehook_result_json().  False: there was no memory for it, as standard error says. */
bool print_result_json(const struct casehook_result *result);
/* The same shape for an error without a result. */
void print_error_json(const struct casehook_error *error, int operation);
void print_trouble_json(const struct trouble *trouble, int operation, bool check);

#endif
