/*
 * bench_case.h - the connector and the case that all benchmarks use: a template as for Jira, a description
 * of 1 KB with quotes, newlines and other characters, four tags.
 */
#ifndef BENCH_CASE_H
#define BENCH_CASE_H

#include <casehook.h>

/*
 * The connector document for a server at url.  $BENCH_CA: file of the CA to trust.  $BENCH_TITLE: where the
 * answer to the create has the title, so that no get is made (K8).  To be freed.
 */
char *bench_document(const char *url);
/* $BENCH_HTTP_VERSION: the setting httpVersion. */
struct casehook_settings *bench_settings(const struct casehook_allocator *allocator);
struct casehook_connector *bench_connector(const struct casehook_settings *settings, const char *document);
/* Lives until the program ends. */
void bench_params(struct casehook_params *params);
/* A push that succeeded; else says why not. */
int bench_is_good(const struct casehook_result *result);
/* Exits when status is an error. */
void bench_need(int status, struct casehook_error *error);

#endif
