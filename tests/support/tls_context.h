/* tls_context.h - the server side of TLS from PEM text. */
#ifndef SUPPORT_TLS_CONTEXT_H
#define SUPPORT_TLS_CONTEXT_H

#include "http_server.h"

/* Yours (SSL_CTX_free); NULL with OpenSSL's reason on stderr. */
SSL_CTX *tls_context_new(const struct http_tls *tls);

#endif
