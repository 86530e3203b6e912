/*
 * config.h - a connector document, read, checked and compiled (C1, C3-C8, K4).
 */
#ifndef CASEHOOK_CONFIG_H
#define CASEHOOK_CONFIG_H

#include "document/values.h"
#include "json/keypath.h"
#include "settings/settings.h"
#include "url/url.h"

#define CASEHOOK__RESPONSE_FIELDS_MAX 64 /* of one call; more are an error of the config */

/* A name of createResponseFields or getResponseFields. */
struct casehook__response_field {
    char *name;
    struct casehook__keypath *path;
};

/* Headers of one kind of call alone (C9). */
struct casehook__call_headers {
    struct casehook__headers set;           /* over those of all requests; values as the document has them */
    struct casehook__template *templates[]; /* of each what it is rendered by; NULL: it is sent as it is */
};

/* What few calls have. */
struct casehook__call_more {
    struct casehook__keypath *title_key, *error_key; /* of a title besides (K8), of errors (K7); NULL: none */
    struct casehook__call_headers *headers;          /* NULL: it has none of its own */
    struct casehook__response_field *fields;
    uint16_t field_count;
    bool any_type; /* an answer of any type is one (H4) */
    /* Of the create alone. */
    char *id_header;                   /* of its answer has the id (K6); NULL: none */
    struct casehook__template *own_id; /* the id is what it sends (K9); NULL: it is not */
};

struct casehook__call_config {
    struct casehook__url_template *url; /* NULL: a call that is not configured */
    struct casehook__template *body;    /* NULL: none is sent */
    struct casehook__keypath *key;      /* of what is learnt from the answer; NULL: nothing is */
    struct casehook__call_more *more;   /* NULL: nothing; read by casehook__call_more */
    bool on; /* it can be made: what it needs is there, and it is not switched off */
    bool url_waits,
        body_waits; /* they hold what only answers tell, besides the id; a URL stands for headers too */
    enum casehook__method method;
};

/* What is done with a case that was found closed (L2). */
enum casehook__when_closed {
    CASEHOOK__WHEN_CLOSED_UPDATE,
    CASEHOOK__WHEN_CLOSED_CREATE,
    CASEHOOK__WHEN_CLOSED_IGNORE
};

/* What besides the id is looked for where a case is found (D3, L2). */
struct casehook__find_config {
    bool always;                          /* before every create, not only after one that nobody knows of */
    struct casehook__keypath *status_key; /* NULL: nothing is known of closed cases */
    struct casehook__text *closed;        /* statuses */
    size_t closed_count;
    enum casehook__when_closed when_closed;
    struct casehook__keypath *closed_at_key; /* NULL: since when does not matter */
    int64_t reopen_within_ms;
};

#define CASEHOOK__DUPLICATE_STATUSES_MAX 16

/* How the tracker knows a request that it has had before (D4). */
struct casehook__idempotency {
    struct casehook__text header; /* data NULL: the key goes along in URL or body */
    bool counts;                  /* the tracker knows requests by it; else it is a variable and no more */
    int duplicate_statuses[CASEHOOK__DUPLICATE_STATUSES_MAX];
    size_t duplicate_count;
};

/* Secrets that go along in the query of every URL of the tracker (A2). */
struct casehook__secret_pair {
    char *name;
    struct casehook__text pair; /* "name=value", encoded */
};

struct casehook__secret_query {
    size_t count;
    struct casehook__secret_pair items[];
};

/* What of a request a signature is made over. */
enum casehook__signed_part {
    CASEHOOK__SIGNED_TEXT, /* of the document */
    CASEHOOK__SIGNED_BODY,
    CASEHOOK__SIGNED_TIMESTAMP,
    CASEHOOK__SIGNED_METHOD,
    CASEHOOK__SIGNED_PATH, /* and query, as they are requested */
    CASEHOOK__SIGNED_ID    /* of the message */
};

#define CASEHOOK__SIGNED_PIECES 32 /* at most */

struct casehook__signed_piece {
    enum casehook__signed_part part;
    struct casehook__text text;
};

/* How requests are signed (A3). */
struct casehook__signature {
    enum casehook__hmac algorithm;
    bool standard, base64;                                  /* standard: of Standard Webhooks */
    struct casehook__text header, timestamp_header, prefix; /* data NULL: there is none */
    struct casehook__text content;                          /* in which the texts of the pieces lie */
    struct casehook__signed_piece *pieces;
    size_t piece_count;
    struct casehook__text *keys; /* one signature by each */
    size_t key_count;
};

/* A client's certificate or key, decoded, secret; data NULL where absent. */
struct casehook__identity_texts {
    struct casehook__text crt, key, pfx, passphrase;
};

enum casehook__auth { CASEHOOK__AUTH_NONE, CASEHOOK__AUTH_BASIC, CASEHOOK__AUTH_SSL, CASEHOOK__AUTH_OAUTH2 };

/* How the client shows the authorization server who it is (A1). */
enum casehook__token_auth {
    CASEHOOK__TOKEN_POST,
    CASEHOOK__TOKEN_BASIC,
    CASEHOOK__TOKEN_JWT,
    CASEHOOK__TOKEN_TLS,
    CASEHOOK__TOKEN_NOBODY /* not at all: the JWT that is the grant says it */
};

/* How tokens are asked for; data NULL: there is none. */
struct casehook__oauth {
    enum casehook__token_auth auth;
    bool jwt_bearer;           /* else client credentials */
    struct casehook__text url; /* as requested */
    struct casehook__text client_id, client_secret, scope, audience, key_id;
    struct casehook__text basic;  /* the value of Authorization */
    struct casehook__text fields; /* additionalFields, encoded */
    struct casehook__text claims; /* members of a JSON object, a comma before each */
    struct casehook__signer *signer;
};

struct casehook__config {
    struct casehook__heap *heap;
    bool strict;  /* unknown variables are faults */
    bool demands; /* so is that a call does not use those that it needs (C4) */
    bool secret_url, keep_slash;
    bool uses_fields;          /* external.fields.* is used somewhere */
    bool keeps_fields;         /* some answer is asked for fields (K4) */
    uint16_t rendered_headers; /* the most that any call has (C9) */
    uint16_t secret_count;
    struct casehook__values *values; /* NULL: there are none, and no secret ones */
    struct casehook__call_config calls[CASEHOOK__CALLS];
    struct casehook__find_config *find;        /* NULL: cases cannot be looked for */
    struct casehook__idempotency *idempotency; /* NULL: requests carry no key */
    struct casehook__url_template *view_url;

    /* headers and secretHeaders merged (the secret one wins), the Authorization of basic among them. */
    struct casehook__headers headers;

    enum casehook__auth auth;
    enum casehook__mode mode;                  /* UNSET: not asked for */
    struct casehook__text ca;                  /* PEM text, decoded; data NULL: none */
    struct casehook__identity_texts *identity; /* NULL: none, or it was checked and is forgotten */
    struct casehook__proxy *proxy;             /* the connector's own; NULL: the settings' */
    struct casehook__oauth *oauth;             /* NULL: there are no tokens */
    struct casehook__secret_query *query;      /* NULL: there is none */
    struct casehook__signature *signature;     /* NULL: requests are not signed */

    /* Every secret in plain form, for masking (R3): passwords, tokens, secret header values, proxy logins. */
    struct casehook__text *secrets;
};

/*
 * Reads and checks a document against settings.  All faults at once go into errors (fields
 * "config.NAME", "secrets.NAME").  Certificates are decoded here and checked by connector.c:
 * *config is set even when there are faults, so that it can check them too; members with a fault may be
 * missing.  OK or the status of the first fault.
 */
int casehook__config_read(struct casehook__heap *heap, const struct casehook__settings_snapshot *settings,
                          struct casehook__text json, struct casehook__config **config,
                          struct casehook__errors *errors);
/* config_warn.c: what a document without faults does that may not be meant. */
void casehook__config_warn(const struct casehook__config *config, struct casehook__errors *warnings);
/* An empty one; NULL: no memory. */
struct casehook__config *casehook__config_new(struct casehook__heap *heap);
void casehook__config_free(struct casehook__config *config); /* wipes all secrets */
/* Once certificate and key are loaded, their texts are not kept. */
void casehook__config_forget_identity(struct casehook__config *config);

/* call_more.c: what few calls have, for reading; the second of the create. */
const struct casehook__call_more *casehook__call_more(const struct casehook__call_config *call);
const struct casehook__call_more *casehook__create_more(const struct casehook__config *config);

/* call_headers.c: whether all requests or those of some call have a header of this name. */
bool casehook__config_has_header(const struct casehook__config *config, struct casehook__text name);
void casehook__call_headers_free(struct casehook__heap *heap, struct casehook__call_headers *headers);

/* config_signature.c: the content into pieces.  Errors: NO_MEMORY, CONFIG with offset. */
int casehook__signature_compile(struct casehook__heap *heap, struct casehook__signature *signature,
                                struct casehook_error *error);

/*
 * config_query.c: appends the secret query to a URL of the tracker.  hop: of a redirect, which may have it
 * already; else that is an error.  Errors: NO_MEMORY, LIMIT, PARAMS.
 */
int casehook__query_append(const struct casehook__config *config, bool hop, struct casehook__buf *url,
                           struct casehook_error *error);
/* Another origin is not to have them, even where the redirect that leads there does. */
void casehook__query_drop(const struct casehook__config *config, struct casehook__buf *url);
/* Appends the URL with "***" for these secrets, however short they are. */
void casehook__query_hide(const struct casehook__config *config, const char *url, struct casehook__buf *out);

#endif
