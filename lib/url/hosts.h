/*
 * hosts.h - patterns of hosts: allowed hosts, proxy lists (U4), and special addresses (U5).
 */
#ifndef CASEHOOK_HOSTS_H
#define CASEHOOK_HOSTS_H

#include "url/url.h"

#define CASEHOOK__HOST_LIST_MAX 10000 /* entries of one list */

/* "*", a host, host:port, "*.example.com", an address; IPv6 needs its brackets before a port only. */
struct casehook__host_pattern {
    bool any;        /* "*" */
    bool subdomains; /* "*.host": only what is below host */
    uint16_t port;   /* 0: every port */
    char host[256];  /* in the form of struct casehook__origin, without a trailing dot */
};

struct casehook__host_list {
    struct casehook__heap *heap;
    struct casehook__host_pattern *patterns;
    size_t count;
};

/*
 * Parses one entry.  An entry that can never match a host (with a scheme, a path, ...) is an error that says
 * how to write it.  Errors: NO_MEMORY, CONFIG.
 */
int casehook__host_pattern_parse(struct casehook__text entry, struct casehook__host_pattern *pattern,
                                 struct casehook_error *error);
/* What a message may show of an entry of any list: what stands before an @ may be a login. */
struct casehook__text casehook__host_entry_shown(struct casehook__text entry);
int casehook__host_list_add(struct casehook__host_list *list, struct casehook__text entry,
                            struct casehook_error *error);
void casehook__host_list_free(struct casehook__host_list *list);
bool casehook__host_list_has(const struct casehook__host_list *list, const struct casehook__origin *origin);

/* A range of addresses, IPv4 as IPv4-mapped IPv6. */
struct casehook__cidr {
    unsigned char address[16];
    unsigned prefix; /* 0-128 */
};

/* "10.0.0.0/8", "::1", "fd00::/8"; an address alone is one host.  Errors: CONFIG. */
int casehook__cidr_parse(struct casehook__text text, struct casehook__cidr *cidr,
                         struct casehook_error *error);

/*
 * Whether an address (4 or 16 bytes) is private, loopback, link-local or otherwise special (U5):
 * 0/8 10/8 100.64/10 127/8 169.254/16 172.16/12 192.0.0/24 192.0.2/24 192.88.99/24 192.168/16 198.18/15
 * 198.51.100/24 203.0.113/24 224/4 240/4, ::/128 ::1 fc00::/7 fe80::/10 fec0::/10 ff00::/8 2001:db8::/32
 * 2001::/23 100::/64 3fff::/20 5f00::/16 64:ff9b:1::/48, and IPv6 forms that carry such an IPv4 address
 * (mapped, translated, compatible, NAT64 64:ff9b::/96, 6to4, ISATAP; Teredo lies in 2001::/23).  Returns its
 * kind in words, NULL for a public address.
 */
const char *casehook__address_special(const unsigned char *address, size_t size);
/*
 * The same with exceptions: NULL when the address may be used.  An exception of IPv4 covers the mapped form
 * too; one of IPv6, even ::/0, covers no IPv4 address.
 */
const char *casehook__address_denied(const unsigned char *address, size_t size,
                                     const struct casehook__cidr *exceptions, size_t count);

#endif
