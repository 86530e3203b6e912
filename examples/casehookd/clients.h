/*
 * clients.h - the open connections, and which of them take too long.
 *
 * libmicrohttpd ends a connection on which nothing moves.  Here those are ended on which too little moves: a
 * request must be whole within requestTimeout, however steadily its bytes drip.
 */
#ifndef CASEHOOKD_CLIENTS_H
#define CASEHOOKD_CLIENTS_H

#include "server.h"

/* A MHD_NotifyConnectionCallback. */
void clients_notify(void *server, struct MHD_Connection *connection, void **socket_context,
                    enum MHD_ConnectionNotificationCode code);
/* A callback for MHD_OPTION_URI_LOG_CALLBACK: the first line of a request is whole, it may have taken as long
 * as the connection may be idle; what follows has the time of a request. */
void *clients_begin(void *server, const char *uri, struct MHD_Connection *connection);
/* The request of this connection is whole, its answer is made; then, another one may come. */
void clients_answering(struct request *request);
void clients_waiting(struct server *server, struct MHD_Connection *connection);
/* Ends those that are too slow; to be called every second or so. */
void clients_reap(struct server *server);

int64_t now_ms(void); /* by a clock that never goes back */

#endif
