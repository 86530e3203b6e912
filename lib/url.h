/*
 * url.h - URLs and URL templates (U1-U3, T5, C6).
 *
 * libcurl's URL parser decides everything about scheme, host and port; it is the parser that later
 * connects.  The origin of a template is fixed when it is compiled: rendering writes path and query
 * behind it and parses nothing.
 */
#ifndef CASEHOOK_URL_H
#define CASEHOOK_URL_H

#include "buf.h"
#include "error.h"
#include "template.h"

#define CASEHOOK__URL_MAX_BYTES (256 * 1024) /* of one rendered URL: a 64 KiB title three times encoded */

/* Scheme, host and port in the parser's form. */
struct casehook__origin {
    bool https;
    uint16_t port;   /* the default one when the URL has none */
    bool ipv4, ipv6; /* the host is an address; address holds it in network order */
    unsigned char address[16];
    char host[256]; /* lower case, ASCII (IDNA); IPv6 without brackets, with its zone id if any; a trailing
                       dot stays */
};

bool casehook__origin_equal(const struct casehook__origin *a, const struct casehook__origin *b);
/* "https://host:port", the port only where it is not the default. */
int casehook__origin_append(struct casehook__buf *buf, const struct casehook__origin *origin);

/*
 * An absolute http or https URL as plain text: origin, and into *normal (when not NULL) the URL that
 * would be requested: user info and fragment dropped, path as is (no slash collapsing).
 * user_info: CASEHOOK__URL_REFUSE_USER (an error) or CASEHOOK__URL_DROP_USER.
 * Errors: NO_MEMORY, CONFIG (what is wrong, and what to write instead).
 */
enum casehook__url_user { CASEHOOK__URL_REFUSE_USER, CASEHOOK__URL_DROP_USER };
int casehook__url_parse(struct casehook__text url, enum casehook__url_user user,
                        struct casehook__origin *origin, struct casehook__buf *normal,
                        struct casehook_error *error);

/*
 * The same for a proxy URL: user and password are decoded into the two buffers (they are secrets),
 * path, query and fragment are refused.
 */
int casehook__url_parse_proxy(struct casehook__text url, struct casehook__origin *origin,
                              struct casehook__buf *user, struct casehook__buf *password,
                              struct casehook_error *error);

/* Resolves a Location against the URL of the request; user info is dropped, the fragment too (H3). */
int casehook__url_resolve(const char *base, struct casehook__text location, struct casehook__origin *origin,
                          struct casehook__buf *normal, struct casehook_error *error);

/* The URL as it may be shown: without query values (name=... stays name=), user info and fragment; the path
 * masked when secret. */
int casehook__url_for_display(struct casehook__buf *buf, const char *url, bool mask_path);

struct casehook__url_template;

/* keep_fragment: the view URL (U2).  Errors: NO_MEMORY, CONFIG with offset into text. */
int casehook__url_template_new(struct casehook__heap *heap, struct casehook__text text,
                               const struct casehook__schema *schema, bool strict, bool keep_fragment,
                               struct casehook__url_template **out, struct casehook_error *error);
void casehook__url_template_free(struct casehook__url_template *url);
const struct casehook__origin *casehook__url_template_origin(const struct casehook__url_template *url);
bool casehook__url_template_uses(const struct casehook__url_template *url, const char *name);

/*
 * Appends the whole URL.  requested: a path segment with a tag of a known variable must not come out
 * empty, "." or ".." (U3; an error with status PARAMS).  Errors: NO_MEMORY, LIMIT, PARAMS.
 */
int casehook__url_template_render(const struct casehook__url_template *url,
                                  const struct casehook__value *root, bool requested,
                                  struct casehook__buf *out, struct casehook_error *error);

#endif
