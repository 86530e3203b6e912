/* site.h - a tracker on loopback with a connector for it, and pushes whose every write has a tag. */
#ifndef TRANSPORT_SITE_H
#define TRANSPORT_SITE_H

#include "drive.h"
#include "tracker.h"

/* Schemes, and versions of TLS. */
enum scheme { HTTP, HTTPS12, HTTPS13, SCHEMES };

const char *scheme_name(enum scheme scheme);

/* A certificate for localhost; NULL for http.  It lives until the program ends. */
const struct http_tls *site_tls(enum scheme scheme);
/* The members of config that name the CA of it and put the tag into the path of a create. */
const char *site_config(const char *base, enum scheme scheme);

struct site {
    struct tracker_records *records;
    struct tracker *tracker;
    struct client client;
    const char *base;
};

/* settings: an object, NULL for none.  config: more members of config, NULL for none.  tags: how many there
 * will be. */
struct site site_new(enum scheme scheme, const char *settings, const char *config, size_t tags,
                     tracker_turn_fn turn, void *user);
void site_free(struct site *site);

/* Params of a push whose create has the tag first and whose comments have those behind it. */
const char *site_params(size_t first, size_t comments);
/* Whether each of these tags was read and done once, and no part of it beside. */
int site_did_once(const struct site *site, size_t first, size_t count);

#endif
