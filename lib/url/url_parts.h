/*
 * url_parts.h - the pieces of a URL's text, for the url modules alone.
 *
 * Splitting only refuses what must not be there; what a host means is left to the parser (url.c).
 */
#ifndef CASEHOOK_URL_PARTS_H
#define CASEHOOK_URL_PARTS_H

#include "url/url.h"

struct casehook__url_parts {
    bool https;
    bool brackets;              /* the host stood in [ ] */
    uint16_t port;              /* the default one when the URL has none */
    struct casehook__text user; /* user info; data is NULL without an @ */
    struct casehook__text host; /* without brackets */
    struct casehook__text rest; /* path, query and fragment: empty, or begins with one of / ? # */
};

/*
 * Splits a URL, white space around it trimmed.  Refused: controls and \ anywhere; a scheme other than http
 * and https; a tag, % and what no host holds in the authority (C6).  Errors: CONFIG with the offset into url.
 */
int casehook__url_split(struct casehook__text url, struct casehook__url_parts *parts,
                        struct casehook_error *error);

/* The refusal of controls and \ alone, in a text that lies inside url. */
int casehook__url_check_characters(struct casehook__text url, struct casehook__text text,
                                   struct casehook_error *error);
/* The error for user info where none may be. */
int casehook__url_refuse_user(struct casehook__text url, const struct casehook__url_parts *parts,
                              struct casehook_error *error);
/* Whether an ASCII character may stand in a host, or in an address in brackets. */
bool casehook__url_in_host(char c, bool brackets);

/* What the parser makes of scheme, host and port (U1).  Errors: NO_MEMORY, CONFIG. */
int casehook__url_origin(const struct casehook__url_parts *parts, struct casehook__origin *origin,
                         struct casehook_error *error);

/* The ASCII form of a host with other characters, whatever the locale.  Errors: NO_MEMORY, CONFIG. */
int casehook__url_idn(struct casehook__text host, char *ascii, size_t size, struct casehook_error *error);

/*
 * What a character means in a path or a query.  Encoded is what RFC 3986 allows nowhere in a URL; [ ] and |
 * are left as they are, as browsers do, because some servers expect them raw.
 */
enum {
    CASEHOOK__URL_ENCODE_IN_PATH = 1,
    CASEHOOK__URL_ENCODE_IN_QUERY = 2,
    CASEHOOK__URL_SLASH = 4,
    CASEHOOK__URL_PATH_END = 8, /* ? and # */
    CASEHOOK__URL_QUERY_END = 16
};
extern const unsigned char casehook__url_class[256];

/* Percent-encodes what must be encoded of text into out, which has room for three times its length. */
size_t casehook__url_encode(char *out, const char *text, size_t length, bool path);

#endif
