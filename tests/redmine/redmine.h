/* redmine.h - a Redmine as its own API shows it, and connectors to it. */
#ifndef REDMINE_H
#define REDMINE_H

#include <casehook.h>

#include <jansson.h>

/* From the command line: BASE_URL CONNECTOR. */
void redmine_use(const char *base_url, const char *connector_file);
const char *redmine_base(void);

/* What GET of this path answers with 200; to be released. */
json_t *redmine_read(const char *path);

/* The connector's document with the server's address; password: another one, or NULL; always: it asks for the
 * case before every create.  NULL, and a line to stderr: there is none. */
struct casehook_connector *redmine_connector(const char *password, int always);

#endif
