/*
 * loop_poll.c - a case for every line of standard input, with poll(2) around the loop's descriptor:
 *
 *     loop_poll CONNECTOR.json < titles
 *
 * Lines are read and cases are opened at the same time, on one thread; when the loop has enough to do,
 * reading stops until something has ended.
 *
 * Build: cc loop_poll.c $(pkg-config --cflags --libs libcasehook) -o loop_poll
 */
#define _POSIX_C_SOURCE 200809L
#include <casehook.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct lines {
    char text[64 * 1024];
    size_t length;
    int ended; /* no more to read */
};

static struct casehook_connector *read_connector(const char *path)
{
    static char document[1024 * 1024];
    struct casehook_connector *connector = NULL;
    struct casehook_error *error = NULL;
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(document, 1, sizeof document, file) : 0;
    if (!file) {
        perror(path);
        return NULL;
    }
    fclose(file);
    if (casehook_connector_new(NULL, document, length, &connector, &error))
        for (const struct casehook_error *fault = error; fault; fault = casehook_error_next(fault))
            fprintf(stderr, "%s\n", casehook_error_message(fault)); /* it begins with the field */
    memset(document, 0, length); /* it may hold secrets */
    casehook_error_free(error);
    return connector;
}

/* Hands every whole line over.  0 when the loop takes no more now: the rest of the lines stays. */
static int submit_lines(struct casehook_loop *loop, struct casehook_connector *connector, struct lines *lines)
{
    char *end;
    while ((end = memchr(lines->text, '\n', lines->length)) != NULL) {
        struct casehook_params params = {.struct_size = sizeof params, .title = lines->text};
        *end = '\0';
        int status = casehook_loop_submit(loop, connector, CASEHOOK_CREATE, &params, NULL, NULL, NULL);
        *end = '\n';
        if (status == CASEHOOK_E_BUSY) return 0;
        if (status) fprintf(stderr, "not accepted: %s\n", casehook_status_name(status));
        lines->length -= (size_t)(end + 1 - lines->text);
        memmove(lines->text, end + 1, lines->length);
    }
    return 1;
}

static void read_lines(struct lines *lines)
{
    size_t room = sizeof lines->text - lines->length;
    ssize_t count = room > 1 ? read(STDIN_FILENO, lines->text + lines->length, room - 1) : 0;
    if (count > 0) {
        lines->length += (size_t)count;
        return;
    }
    if (room <= 1) fputs("a line is too long; what follows was not read\n", stderr);
    lines->ended = 1;
    if (lines->length > 0 && lines->text[lines->length - 1] != '\n') lines->text[lines->length++] = '\n';
}

/* Results come about inside casehook_loop_process(): all of them are taken after each call. */
static int print_results(struct casehook_loop *loop)
{
    struct casehook_result *result;
    uint64_t ticket;
    int failed = 0;
    while ((result = casehook_loop_next(loop, &ticket)) != NULL || ticket) {
        const struct casehook_error *error = casehook_result_error(result);
        const char *id = casehook_result_id(result, NULL), *url = casehook_result_url(result, NULL);
        if (id) printf("case %s: %s\n", id, url ? url : "");
        if (error || !result)
            fprintf(stderr, "%s\n", result ? casehook_error_message(error) : "out of memory");
        failed |= error || !result;
        casehook_result_free(result);
    }
    return failed;
}

int main(int argc, char **argv)
{
    static struct lines lines;
    const struct casehook_loop_options options = {.struct_size = sizeof options, .max_operations = 200};
    struct casehook_loop *loop = NULL;
    int failed = 0, accepts = 1;
    struct casehook_connector *connector = argc == 2 ? read_connector(argv[1]) : NULL;
    if (argc != 2) fputs("usage: loop_poll CONNECTOR.json < titles\n", stderr);
    if (!connector) return 2;
    if (casehook_loop_new(&options, &loop) || casehook_loop_fd(loop) < 0) {
        fputs("there is no loop with a descriptor on this system\n", stderr);
        casehook_loop_free(loop);
        casehook_connector_unref(connector);
        return 2;
    }
    while (!lines.ended || !accepts || casehook_loop_pending(loop)) {
        struct pollfd watched[2] = {
            {.fd = casehook_loop_fd(loop), .events = POLLIN},
            {.fd = accepts && !lines.ended ? STDIN_FILENO : -1, .events = POLLIN},
        };
        if (poll(watched, 2, -1) < 0) continue; /* a signal */
        if (watched[1].revents) read_lines(&lines);
        if (watched[0].revents) casehook_loop_process(loop);
        failed |= print_results(loop);
        accepts = submit_lines(loop, connector, &lines);
    }
    casehook_loop_free(loop);
    casehook_connector_unref(connector);
    return failed;
}
