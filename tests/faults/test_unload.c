/*
 * test_unload.c - a host that unloads the library, or ends, while a name look-up of libcurl hangs: the
 * thread that is in it comes back to code that is still there.
 *
 *     test_faults_unload LIBRARY
 *
 * The program is not linked with the library, nor with libcurl.
 */
#include "lookup.h"

#include <casehook.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static const char document[] =
    "{\"config\":{\"createIncidentUrl\":\"http://hang.test/\",\"createIncidentJson\":\"{}\","
    "\"createIncidentResponseKey\":\"id\",\"getIncidentUrl\":\"http://hang.test/\","
    "\"getIncidentResponseExternalTitleKey\":\"key\",\"viewIncidentUrl\":\"http://hang.test/\","
    "\"updateIncidentUrl\":\"http://hang.test/\",\"updateIncidentJson\":\"{}\",\"strict\":false,"
    "\"hasAuth\":false},\"secrets\":{}}";

static void need(int good, const char *what)
{
    if (good) return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* The library's functions, as a host finds them that loads it late. */
static struct {
    void *handle;
    int (*connector_new)(const struct casehook_settings *, const char *, size_t, struct casehook_connector **,
                         struct casehook_error **);
    int (*run_json)(struct casehook_connector *, int, const char *, size_t, const struct casehook_options *,
                    struct casehook_result **);
    void (*result_free)(struct casehook_result *);
    void (*connector_unref)(struct casehook_connector *);
} lib;

static void load(const char *path)
{
    lib.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    need(lib.handle != NULL, "the library does not load");
    *(void **)&lib.connector_new = dlsym(lib.handle, "casehook_connector_new");
    *(void **)&lib.run_json = dlsym(lib.handle, "casehook_run_json");
    *(void **)&lib.result_free = dlsym(lib.handle, "casehook_result_free");
    *(void **)&lib.connector_unref = dlsym(lib.handle, "casehook_connector_unref");
}

/* Everything is released with a thread of libcurl still in the look-up. */
static void leave_a_lookup_behind(void)
{
    struct casehook_connector *connector = NULL;
    struct casehook_result *result = NULL;
    const struct casehook_options options = {.struct_size = sizeof options, .deadline_ms = 100};
    need(lib.connector_new(NULL, document, CASEHOOK_TERMINATED, &connector, NULL) == CASEHOOK_OK,
         "connector");
    int status =
        lib.run_json(connector, CASEHOOK_CREATE, "{\"title\":\"t\"}", CASEHOOK_TERMINATED, &options, &result);
    need(status == CASEHOOK_E_TIMEOUT, "the deadline was not kept");
    lib.result_free(result);
    lib.connector_unref(connector);
}

int main(int argc, char **argv)
{
    need(argc == 2, "usage: test_faults_unload LIBRARY");
    for (int turn = 0; turn < 2; turn++) {
        lookup_hang();
        load(argv[1]);
        leave_a_lookup_behind();
        dlclose(lib.handle);
        lookup_release();
    }
    lookup_hang();
    load(argv[1]);
    leave_a_lookup_behind();
    return 0; /* the look-up hangs on */
}
