/* http_proxy.h - a small recording proxy: absolute form for http, CONNECT for https. */
#ifndef SUPPORT_HTTP_PROXY_H
#define SUPPORT_HTTP_PROXY_H

#include "http_server.h"

enum http_proxy_mode {
    HTTP_PROXY_PASS,
    HTTP_PROXY_REFUSE, /* 403 */
    HTTP_PROXY_AUTH    /* 407, whatever credentials come */
};

struct http_proxy;

/* It writes into the log with this label.  tls NULL: the proxy itself is reached by http. */
struct http_proxy *http_proxy_start(struct http_log *log, const char *label, const struct http_tls *tls,
                                    enum http_proxy_mode mode);
unsigned http_proxy_port(const struct http_proxy *proxy);
size_t http_proxy_connections(struct http_proxy *proxy);
/* Stop it before the servers behind it. */
void http_proxy_stop(struct http_proxy *proxy, unsigned grace_ms);

#endif
