/*
 * loop_glib.c - the loop as a source of GLib's main loop:
 *
 *     loop_glib CONNECTOR.json TITLE...
 *
 * Build: cc loop_glib.c $(pkg-config --cflags --libs libcasehook glib-2.0) -o loop_glib
 */
#include <casehook.h>

#include <glib.h>
#include <string.h>

/* ---- the source: what a GLib program takes over as it is --------------------------------------- */

typedef void (*case_ended)(guint64 ticket, struct casehook_result *result, gpointer user);

struct case_source {
    GSource base;
    struct casehook_loop *loop;
    gpointer tag; /* of the descriptor */
};

/* The descriptor knows the loop's times too, so there is no timeout here. */
static gboolean source_prepare(GSource *source, gint *timeout)
{
    (void)source;
    *timeout = -1;
    return FALSE;
}

static gboolean source_check(GSource *source)
{
    return g_source_query_unix_fd(source, ((struct case_source *)source)->tag) != 0;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer user)
{
    struct casehook_loop *loop = ((struct case_source *)source)->loop;
    case_ended ended = (case_ended)(void (*)(void))callback;
    struct casehook_result *result;
    uint64_t ticket;
    casehook_loop_process(loop);
    while ((result = casehook_loop_next(loop, &ticket)) != NULL || ticket) ended(ticket, result, user);
    return G_SOURCE_CONTINUE;
}

static void source_finalize(GSource *source)
{
    casehook_loop_free(((struct case_source *)source)->loop);
}

/* The source owns the loop.  NULL when there is none. */
static GSource *case_source_new(case_ended ended, gpointer user)
{
    static GSourceFuncs functions = {.prepare = source_prepare,
                                     .check = source_check,
                                     .dispatch = source_dispatch,
                                     .finalize = source_finalize};
    struct casehook_loop *loop = NULL;
    if (casehook_loop_new(NULL, &loop) || casehook_loop_fd(loop) < 0) {
        casehook_loop_free(loop);
        return NULL;
    }
    GSource *source = g_source_new(&functions, sizeof(struct case_source));
    struct case_source *cases = (struct case_source *)source;
    cases->loop = loop;
    cases->tag = g_source_add_unix_fd(source, casehook_loop_fd(loop), G_IO_IN);
    g_source_set_callback(source, (GSourceFunc)(void (*)(void))ended, user, NULL);
    return source;
}

/* ---- a program that uses it -------------------------------------------------------------------- */

struct program {
    GMainLoop *main;
    int left, failed;
};

static void ended(guint64 ticket, struct casehook_result *result, gpointer user)
{
    struct program *program = user;
    const struct casehook_error *error = casehook_result_error(result);
    const char *id = casehook_result_id(result, NULL), *url = casehook_result_url(result, NULL);
    (void)ticket;
    if (id) g_print("case %s: %s\n", id, url ? url : "");
    if (error || !result) g_printerr("%s\n", result ? casehook_error_message(error) : "out of memory");
    program->failed |= error || !result;
    casehook_result_free(result);
    if (--program->left == 0) g_main_loop_quit(program->main);
}

static struct casehook_connector *read_connector(const char *path)
{
    struct casehook_connector *connector = NULL;
    struct casehook_error *error = NULL;
    gchar *document = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &document, &length, NULL)) {
        g_printerr("%s cannot be read\n", path);
        return NULL;
    }
    if (casehook_connector_new(NULL, document, length, &connector, &error))
        for (const struct casehook_error *fault = error; fault; fault = casehook_error_next(fault))
            g_printerr("%s\n", casehook_error_message(fault)); /* it begins with the field */
    memset(document, 0, length); /* it may hold secrets */
    g_free(document);
    casehook_error_free(error);
    return connector;
}

int main(int argc, char **argv)
{
    struct program program = {NULL, 0, 0};
    struct casehook_connector *connector = argc > 2 ? read_connector(argv[1]) : NULL;
    if (argc < 3) g_printerr("usage: loop_glib CONNECTOR.json TITLE...\n");
    GSource *source = connector ? case_source_new(ended, &program) : NULL;
    if (!source) {
        casehook_connector_unref(connector);
        return 2;
    }
    program.main = g_main_loop_new(NULL, FALSE);
    g_source_attach(source, NULL);
    for (int i = 2; i < argc; i++) {
        struct casehook_params params = {.struct_size = sizeof params, .title = argv[i]};
        int status = casehook_loop_submit(((struct case_source *)source)->loop, connector, CASEHOOK_CREATE,
                                          &params, NULL, NULL, NULL);
        if (status) g_printerr("not accepted: %s\n", casehook_status_name(status));
        program.failed |= status != CASEHOOK_OK;
        program.left += status == CASEHOOK_OK;
    }
    if (program.left) g_main_loop_run(program.main);
    g_source_destroy(source);
    g_source_unref(source);
    g_main_loop_unref(program.main);
    casehook_connector_unref(connector);
    return program.failed;
}
