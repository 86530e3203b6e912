/*
 * casehook_curl.h - a curl command line, read as far as it describes a request.
 */
#ifndef CASEHOOK_CURL_H
#define CASEHOOK_CURL_H

#include "casehook_input.h"

/* What the command says; everything is its own memory, and may hold secrets. */
struct curl_command {
    char *url, *method, *body, *user;
    char **headers; /* "Name: value" */
    size_t header_count;
    char *ca, *cert, *key; /* names of files */
    bool insecure;
};

/* Returns 0, or the status with trouble filled.  Release with command_free() in every case. */
int command_read(const char *text, struct curl_command *command, struct trouble *trouble);
void command_free(struct curl_command *command);

#endif
