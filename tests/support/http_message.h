/* http_message.h - requests as they came over the wire, and the answers to them. */
#ifndef SUPPORT_HTTP_MESSAGE_H
#define SUPPORT_HTTP_MESSAGE_H

#include "stream.h"

struct http_header {
    const char *name;  /* as it was sent */
    const char *value; /* without outer spaces and tabs */
};

struct http_request {
    size_t number;      /* order of arrival among all servers of one log, from 0 */
    const char *server; /* the label of the server */
    size_t connection;  /* of that server, from 0 */
    int ipv6;           /* it came over IPv6 */
    int incomplete;     /* the connection ended, or the framing broke, in the middle of it */
    int garbage;        /* it does not begin like HTTP (a TLS handshake, say); it was answered with 400 */
    char *head;         /* every byte up to and with the empty line */
    size_t head_length;
    char *line; /* the request line without its end */
    char *method, *target, *version;
    struct http_header *headers; /* in their order, repeated ones too */
    size_t header_count;
    char *body; /* what was in the chunks when there were any; a NUL follows */
    size_t body_length;
    char *peer; /* subject of the client certificate, NULL without one */
};

/* What of the connection was read, but not used. */
struct http_input {
    struct stream *stream;
    char *bytes;
    size_t length, size;
};

/*
 * 1 and a request (complete or not, http_request_clear), or 0 when nothing came any more.  A head may
 * have 4 MiB, a body 64 MiB.
 */
int http_request_read(struct http_input *input, struct http_request *request);
void http_request_clear(struct http_request *request);

/* The value of the index-th header with this name (case does not count), NULL when there is none. */
const char *http_request_header(const struct http_request *request, const char *name, size_t index);
size_t http_request_header_count(const struct http_request *request, const char *name);

enum http_fault {
    HTTP_NO_FAULT,
    HTTP_CLOSE_BEFORE_RESPONSE, /* read the request, close without answering */
    HTTP_RESET_BEFORE_RESPONSE, /* the same with a reset */
    HTTP_CLOSE_IN_BODY          /* announce claimed_length, send body, close */
};

/* All zero is an empty answer with status 200. */
struct http_response {
    int status;
    const char *reason; /* NULL: the usual phrase */
    const struct http_header *headers;
    size_t header_count;
    const char *body;
    size_t body_length;
    int chunked;             /* in pieces of piece bytes, 3 when that is 0 */
    int close;               /* say "Connection: close" and close */
    unsigned delay_ms;       /* before the first byte */
    size_t piece;            /* write the body in such pieces, 0: at once */
    unsigned piece_delay_ms; /* between them */
    enum http_fault fault;
    size_t claimed_length;
    const char *raw; /* sent as it is in place of all of the above (but for delay_ms), then closed */
    size_t raw_length;
};

/* 1 when the connection may be used again. */
int http_response_write(struct stream *stream, const struct http_response *response);

#endif
