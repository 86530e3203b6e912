/*
 * squid.h - a real squid with an open and a locked http port and two https ports.
 */
#ifndef REAL_SQUID_H
#define REAL_SQUID_H

/* The login that the locked port wants. */
#define SQUID_USER     "proxy user"
#define SQUID_PASSWORD "pa:ss w\xC3\xB6rd%41"
/* The same in a URL. */
#define SQUID_LOGIN "proxy%20user:pa%3Ass%20w%C3%B6rd%2541@"

struct squid;

struct squid_ports {
    unsigned open;   /* http, anybody may */
    unsigned locked; /* http, login */
    unsigned tls;    /* https, anybody may */
    unsigned other;  /* https with another certificate, login */
};

/* PEM text. */
struct squid_certs {
    const char *tls_crt, *tls_key, *other_crt, *other_key;
};

/* Whether there is a squid with OpenSSL here. */
int squid_is_there(void);
/* Started by root it becomes another user, who must be able to write to /dev/shm. */
int squid_may_run(void);

/* NULL, and its own words on stderr, when it does not start. */
struct squid *squid_start(const struct squid_certs *certs, struct squid_ports *ports);
void squid_stop(struct squid *squid);

/*
 * The lines of its access log so far, one per request: "METHOD TARGET STATUS USER", "-" for no user.  It
 * writes a line when a request or a tunnel has ended: waits until there are count of them.  To be freed.
 */
char *squid_log(struct squid *squid, unsigned count);

#endif
