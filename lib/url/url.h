/*
 * url.h - URLs and URL templates (U1-U3, T5, C6).
 *
 * libcurl's URL parser decides everything about scheme, host and port; it is the parser that later
 * connects.  The origin of a template is fixed when it is compiled: rendering writes path and query
 * behind it and parses nothing.
 */
#ifndef CASEHOOK_URL_H
#define CASEHOOK_URL_H

#include "base/buf.h"
#include "base/error.h"
#include "template/template.h"

#define CASEHOOK__URL_MAX_BYTES (256 * 1024) /* of one rendered URL: a 64 KiB title three times encoded */

/* Scheme, host and port in the parser's form. */
struct casehook__origin {
    bool https;
    uint16_t port;   /* the default one when the URL has none */
    bool ipv4, ipv6; /* the host is an address; address holds it in network order */
    unsigned char address[16];
    char host[256]; /* lower case, ASCII (IDNA); IPv6 without brackets, never a zone (C6); a trailing dot
                       stays, but for IPv4 */
};

bool casehook__origin_equal(const struct casehook__origin *a, const struct casehook__origin *b);
/* The length of the host without a dot at its end, which patterns and settings ignore (U4). */
size_t casehook__origin_host_length(const struct casehook__origin *origin);
/* "https://host:port", the port only where it is not the default. */
int casehook__origin_append(struct casehook__buf *buf, const struct casehook__origin *origin);

/*
 * An absolute http or https URL as plain text: its origin, and appended to *normal (when not NULL) the URL
 * that would be requested: user info and fragment dropped, dot segments resolved, raw spaces and non-ASCII
 * encoded, slashes as they are.
 * user_info: CASEHOOK__URL_REFUSE_USER (an error) or CASEHOOK__URL_DROP_USER.
 * Errors: NO_MEMORY, LIMIT (of normal), CONFIG (what is wrong, and what to write instead).
 */
enum casehook__url_user { CASEHOOK__URL_REFUSE_USER, CASEHOOK__URL_DROP_USER };
int casehook__url_parse(struct casehook__text url, enum casehook__url_user user,
                        struct casehook__origin *origin, struct casehook__buf *normal,
                        struct casehook_error *error);

/*
 * The same for a proxy URL: user and password are decoded and appended to the two buffers (they are
 * secrets), path, query and fragment are refused.  A port is 80 or 443 by default; libcurl's own default for
 * http proxies is another one, so it must be told.
 */
int casehook__url_parse_proxy(struct casehook__text url, struct casehook__origin *origin,
                              struct casehook__buf *user, struct casehook__buf *password,
                              struct casehook_error *error);

/*
 * Resolves a Location against the URL of the request (H3), into origin and *normal as above; user info and
 * fragment are dropped.  base must not lie in normal.
 */
int casehook__url_resolve(const char *base, struct casehook__text location, struct casehook__origin *origin,
                          struct casehook__buf *normal, struct casehook_error *error);

/*
 * Any text that was meant as a URL, as it may be shown: without query values (a=b is a=), user info and
 * fragment; the path masked when secret.  The buffer's status.
 */
int casehook__url_for_display(struct casehook__buf *buf, const char *url, bool mask_path);
/* Whether that is the URL as it is. */
bool casehook__url_hides_nothing(const char *url, bool mask_path);

struct casehook__url_template;

/*
 * keep_fragment: the view URL (U2), which is text for people: what is written before the path stays as it is,
 * and of the path only the slashes are touched.  Errors: NO_MEMORY, CONFIG with offset into text.
 */
int casehook__url_template_new(struct casehook__heap *heap, struct casehook__text text,
                               const struct casehook__schema *schema, bool strict, bool keep_fragment,
                               struct casehook__url_template **out, struct casehook_error *error);
void casehook__url_template_free(struct casehook__url_template *url);
void casehook__url_template_origin(const struct casehook__url_template *url, struct casehook__origin *origin);
bool casehook__url_template_same_origin(const struct casehook__url_template *url,
                                        const struct casehook__url_template *other);
/* Lets url use the origin of other when it is the same: of one document, made and freed by one thread. */
void casehook__url_template_share(struct casehook__url_template *url, struct casehook__url_template *other);
/* One slash at the very end of what is rendered stays (U2). */
void casehook__url_template_keep_slash(struct casehook__url_template *url);
bool casehook__url_template_uses(const struct casehook__url_template *url, const char *name);
bool casehook__url_template_uses_any(const struct casehook__url_template *url, const char *first);
bool casehook__url_template_lacks(const struct casehook__url_template *url,
                                  const struct casehook__value *root);

/*
 * Appends the whole URL.  requested: a path segment with a tag of a known variable must not come out
 * empty, "." or ".." (U3; an error with status PARAMS).  *steps, when not NULL, gets what it took added.
 * Errors: NO_MEMORY, LIMIT, PARAMS.
 */
int casehook__url_template_render(const struct casehook__url_template *url,
                                  const struct casehook__value *root, bool requested,
                                  struct casehook__buf *out, size_t *steps, struct casehook_error *error);

#endif
