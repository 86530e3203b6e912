/* real.h - what the tests against real servers share: texts, calls of the library, a small tracker. */
#ifndef REAL_H
#define REAL_H

#include "certs.h"
#include "documents.h"
#include "folder.h"
#include "http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Like asprintf; the text lives until the program ends. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
const char *
text_of(const char *format, ...);
/* A text as a JSON string, with its quotes. */
const char *json_of(const char *text);
/* Bytes in base64. */
const char *base64_of(const void *bytes, size_t length);
/* Files of a set joined, "srv.crt+int1.crt". */
const char *pem_of(const struct certs *certs, const char *names);

/* "authType": "ssl" and the members of secrets for a certificate of the set with its key. */
#define WITH_CERTIFICATE "\"hasAuth\":true,\"authType\":\"ssl\""
const char *certificate_secrets(const struct certs *certs, const char *name);

/* ---- calls ------------------------------------------------------------------------------------ */

/* A connector with its settings; settings, config and secrets are JSON, NULL for none (documents.h). */
struct client {
    struct casehook_settings *settings;
    struct casehook_connector *connector;
};

struct answer {
    int status;  /* CASEHOOK_OK or the code */
    int refused; /* there was no connector: found before anything was sent */
    int outcome; /* CASEHOOK_OUTCOME_* of the error */
    int retryable;
    int http_status;
    int64_t retry_after_ms;
    char message[1200], id[2048], field[128];
};

/* The settings are an object, config and secrets the members of one.  NULL connector: see answer. */
struct client client_new(const char *settings, const char *base, const char *config, const char *secrets,
                         struct answer *answer);
/* The same from a whole document. */
struct client client_from(const char *settings, const char *document, struct answer *answer);
void client_free(struct client *client);

/* What a result says; it is freed.  NULL: there was no memory for it. */
struct answer answer_from(struct casehook_result *result);

/* params: JSON, NULL for {"title":"t"} with "externalId":"42".  With TEST_DRIVER=loop in the environment it
 * runs in one loop for all clients, which keeps their connections until clients_end(). */
void clients_end(void);
struct answer client_call(struct client *client, int operation, const char *params);

/* A connector for one call. */
struct answer call_once(const char *settings, const char *base, const char *config, const char *secrets,
                        int operation);

/* ---- the tracker behind or in place of a real server --------------------------------------------- */

/* Answers every call: created is {"id":"42"}, read is {"key":"CASE-42"}. */
void tracker_answer(void *user, const struct http_request *request, struct http_response *response);

/* A header that nginx.h's proxy adds, "" when it has no value. */
const char *seen(const struct http_request *request, const char *name);

/* Any byte of the request holds the text. */
int request_holds(const struct http_request *request, const char *text);

#endif
