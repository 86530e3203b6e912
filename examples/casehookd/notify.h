/*
 * notify.h - telling systemd what happens: the protocol of sd_notify, without its library.
 */
#ifndef CASEHOOKD_NOTIFY_H
#define CASEHOOKD_NOTIFY_H

#include <stdint.h>

/* Reads NOTIFY_SOCKET and WATCHDOG_USEC, and takes them out of the environment. */
void notify_open(void);
/* "READY=1", "STOPPING=1" ...; nothing where nobody listens. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How often the watchdog wants to hear something, in ms; 0: never. */
int64_t notify_watchdog_ms(void);

#endif
