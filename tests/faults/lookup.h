/*
 * lookup.h - a resolver under control: this program's getaddrinfo, which libcurl finds before the system's.
 *
 * Names that end in ".test" are answered here, all others by the system.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

/* From now on name has these addresses ("127.0.0.1", "::1", NULL at the end), in this order. */
void lookup_set(const char *name, const char *const *addresses);
/* The look-up of "hang.test" takes until then; afterwards it fails. */
void lookup_hang(void);
/* Ends them and waits until they have returned. */
void lookup_release(void);
/* Look-ups since the last lookup_set of any name. */
unsigned lookup_count(void);

#endif
