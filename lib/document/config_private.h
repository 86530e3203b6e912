/*
 * config_private.h - what the parts of reading a connector document share.
 */
#ifndef CASEHOOK_CONFIG_PRIVATE_H
#define CASEHOOK_CONFIG_PRIVATE_H

#include "document/config.h"
#include "json/fields.h"

struct casehook__config_reader {
    const struct casehook__settings_snapshot *settings;
    struct casehook__config *config; /* being filled */
    struct casehook__errors *errors;
    const struct casehook__json *document; /* the members "config" and "secrets", NULL where absent */
    const struct casehook__json *secrets;
    bool secrets_left_out; /* there were too many */
};

/* A field of "config", and the same with null taken as absent. */
struct casehook__field casehook__config_field(const struct casehook__config_reader *reader, const char *name);
struct casehook__field casehook__config_nullable(const struct casehook__config_reader *reader,
                                                 const char *name);
/* A field of "secrets"; null and "" are absent. */
struct casehook__field casehook__config_secret(const struct casehook__config_reader *reader,
                                               const char *name);
/* Its text; a wrong type was told once for all secrets and is only false here. */
bool casehook__config_secret_text(const struct casehook__field *field, struct casehook__text *text);

/* The name of a header that the library writes itself, checked (C7) and copied; absent: *header stays. */
void casehook__config_own_header(struct casehook__config_reader *reader, const struct casehook__field *field,
                                 struct casehook__text *header);

/* config_values.c: values and secrets.values (V1, V3), before anything that uses them. */
void casehook__config_read_values(struct casehook__config_reader *reader);
/* What there is in a field of this document: base, and the values that are known there. */
const struct casehook__schema *casehook__config_schema(struct casehook__config_reader *reader,
                                                       const struct casehook__schema *base);
/* Null and "" are not. */
bool casehook__config_is_given(const struct casehook__field *field);
/* It is there, and false. */
bool casehook__config_is_false(const struct casehook__config_reader *reader, const char *name);
/* A field that says nothing without another one: its fault, where it is given alone. */
void casehook__config_need(const struct casehook__config_reader *reader, const char *name, const char *other);

/* URLs, methods, bodies and keys of all calls and the view URL, in the order of the document. */
void casehook__config_read_calls(struct casehook__config_reader *reader);
/* config_answers.c: types, keys of errors and titles, other places of ids (H4, K6-K9). */
void casehook__config_read_answers(struct casehook__config_reader *reader);
/* config_headers.c: headers of each call (C9), after the calls and before secretHeaders were read. */
void casehook__config_read_headers(struct casehook__config_reader *reader);
/* An object of headers, null is none; prefix: as errors name it. */
void casehook__config_read_header_object(struct casehook__config_reader *reader,
                                         const struct casehook__field *field, bool secret, const char *prefix,
                                         struct casehook__headers *headers);
/* createResponseFields and getResponseFields (K4). */
void casehook__config_read_response_fields(struct casehook__config_reader *reader);
/* A key of a response; one that is not required may be absent or null. */
void casehook__config_read_key(struct casehook__config_reader *reader, const char *name, bool required,
                               struct casehook__keypath **path);
/*
 * config_export.c: the object of an export that has "config"; NULL: it is none.  Then, after everything was
 * read, the faults about secrets say that an export has none.
 */
const struct casehook__json *casehook__config_exported(const struct casehook__config_reader *reader,
                                                       const struct casehook__json *root);
void casehook__config_name_export(const struct casehook__config_reader *reader);
/* The document was no JSON: whether a whole export is given in place of one connector. */
void casehook__config_name_lines(const struct casehook__errors *errors);

/* config_find.c: what goes with the call that looks for a case (D3, L2), after read_calls. */
void casehook__config_read_find(struct casehook__config_reader *reader);
/* config_idempotency.c: how requests are known again (D4), after headers and secrets were read. */
void casehook__config_read_idempotency(struct casehook__config_reader *reader);
/* headers, the kind of authentication, CA and mode (C7, C8, P2). */
void casehook__config_read_auth(struct casehook__config_reader *reader);
/* secretHeaders and what the authentication needs (C7, C8), after read_auth. */
void casehook__config_read_secrets(struct casehook__config_reader *reader);
/* config_oauth.c: how tokens are asked for (A1), after headers, secrets and certificates were read. */
void casehook__config_read_oauth(struct casehook__config_reader *reader);
/* By what the document says, whether that is right or not; *named: it says something. */
enum casehook__token_auth casehook__config_token_auth(const struct casehook__config_reader *reader,
                                                      bool *named);
void casehook__oauth_free(struct casehook__heap *heap, struct casehook__oauth *oauth);
/* config_query.c: secretQuery (A2), after read_calls. */
void casehook__config_read_query(struct casehook__config_reader *reader);
void casehook__query_free(struct casehook__heap *heap, struct casehook__secret_query *secret);
/* config_signature.c: how requests are signed (A3), after headers and secrets were read. */
void casehook__config_read_signature(struct casehook__config_reader *reader);
void casehook__signature_free(struct casehook__heap *heap, struct casehook__signature *signature);
/* The connector's own proxy (P2). */
void casehook__config_read_proxy(struct casehook__config_reader *reader);
/* The list of secrets for masking (R3), after all else was read. */
void casehook__config_collect_secrets(struct casehook__config_reader *reader);

/* What few calls have, for writing; NULL: no memory, which is told. */
struct casehook__call_more *casehook__config_call_more(const struct casehook__config_reader *reader,
                                                       struct casehook__call_config *call);

/* Whether a host may be connected to: allowedHosts (U4), literal private addresses (U5). */
void casehook__config_check_origin(const struct casehook__config_reader *reader,
                                   const struct casehook__field *field,
                                   const struct casehook__origin *origin);

#endif
