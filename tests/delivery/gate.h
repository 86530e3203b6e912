/* gate.h - a port in front of another one, which can be closed: then connections are refused. */
#ifndef DELIVERY_GATE_H
#define DELIVERY_GATE_H

struct gate;

/* Open; what comes goes to that port of 127.0.0.1.  Ends the test when there is no port. */
struct gate *gate_new(unsigned to_port);
unsigned gate_port(const struct gate *gate);
/* From any thread, any number of times.  Connections that exist are not touched. */
void gate_close(struct gate *gate);
void gate_open(struct gate *gate);
/* Ends every connection. */
void gate_free(struct gate *gate);

#endif
