/*
 * casehook_input.h - the files and options of the tool, made into the texts that the library takes.
 */
#ifndef CASEHOOK_INPUT_H
#define CASEHOOK_INPUT_H

#include "casehook_args.h"

/* Text in memory; it may hold secrets, so releasing wipes it. */
struct document {
    char *text;
    size_t length;
};

/* What the tool itself found wrong. */
struct trouble {
    int status; /* CASEHOOK_E_..., 0 for nothing */
    const char *field;
    char message[512];
};

/* Makes jansson wipe what it frees.  To be called first of all: the whole process shares its memory. */
void input_wipe_json(void);

/* These return 0, or the status with trouble filled. */
int input_file(const char *path, const char *field, int status, struct document *document,
               struct trouble *trouble);
/* The connector document, with the secrets of their own file put in. */
int input_connector(const struct arguments *arguments, struct document *document, struct trouble *trouble);
/* The params of an operation. */
int input_case(const struct arguments *arguments, struct document *document, struct trouble *trouble);

void document_free(struct document *document);

/* Writes a value as JSON, with a NUL behind it: memory of malloc(), unlike jansson's.  0 or -1. */
struct json_t;
int input_dump(const struct json_t *value, size_t flags, struct document *document);

/* For the modules that read input. */
int trouble_set(struct trouble *trouble, int status, const char *field, const char *format, ...);

#endif
