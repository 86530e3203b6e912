/* notify.c - one datagram for each thing to tell. */
#include "notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address;
static socklen_t address_length;
static int64_t watchdog_ms;

void notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET"), *watchdog = getenv("WATCHDOG_USEC"),
               *whose = getenv("WATCHDOG_PID");
    size_t length = path ? strlen(path) : 0;
    if (length > 1 && length < sizeof address.sun_path && (*path == '/' || *path == '@')) {
        address.sun_family = AF_UNIX;
        memcpy(address.sun_path, path, length + 1);
        if (*path == '@') address.sun_path[0] = '\0';
        address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    }
    if (watchdog && (!whose || strtol(whose, NULL, 10) == getpid()))
        watchdog_ms = strtoll(watchdog, NULL, 10) / 2000;
    if (watchdog && watchdog_ms < 1) watchdog_ms = 0;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_send(const char *format, ...)
{
    char text[512];
    va_list arguments;
    if (!address_length) return;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (out < 0 || length < 0) return;
    sendto(out, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, address_length);
    close(out);
}

int64_t notify_watchdog_ms(void)
{
    return watchdog_ms;
}
