/* test_file.c - only regular files are read, and nothing is waited for. */
#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT 40000

static char folder[] = "/tmp/casehook-file-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, size_t size)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++) fputc('a' + (int)(i % 26), file);
    assert_int_equal(fclose(file), 0);
}

static void make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", in_folder(name));
    int file = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(file, (struct sockaddr *)&address, sizeof address), 0);
    close(file);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    write_file("empty", 0);
    write_file("small", 10);
    write_file("full", LIMIT);
    write_file("large", LIMIT + 1);
    make_socket("socket");
    return mkdir(in_folder("folder"), 0700) || mkfifo(in_folder("fifo"), 0600) ||
           symlink("loop", in_folder("loop")) || symlink("small", in_folder("link"));
}

static int tear_down(void **state)
{
    static const char *const names[] = {"empty", "small", "full", "large", "socket", "fifo", "loop", "link"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(in_folder(names[i]));
    rmdir(in_folder("folder"));
    return rmdir(folder);
}

static void whole_files(void **state)
{
    static const struct {
        const char *name;
        size_t size;
    } files[] = {{"empty", 0}, {"small", 10}, {"link", 10}, {"full", LIMIT}};
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct casehook__buf content;
        casehook__buf_init(&content, NULL, LIMIT);
        assert_int_equal(casehook__file_read(in_folder(files[i].name), &content, NULL), CASEHOOK_OK);
        assert_int_equal(content.length, files[i].size);
        for (size_t at = 0; at < content.length; at++)
            assert_int_equal(content.data[at], 'a' + (int)(at % 26));
        assert_int_equal(strlen(casehook__buf_string(&content)), files[i].size);
        casehook__buf_free(&content);
    }
}

/* A file without a size, as those of /proc are. */
static void files_without_size(void **state)
{
    (void)state;
    struct casehook__buf content;
    casehook__buf_init(&content, NULL, LIMIT);
    if (access("/proc/self/status", R_OK)) {
        print_message("SKIP: there is no /proc here\n");
        skip();
    }
    assert_int_equal(casehook__file_read("/proc/self/status", &content, NULL), CASEHOOK_OK);
    assert_true(content.length > 0);
    casehook__buf_free(&content);
    struct casehook_error error;
    casehook__error_init(&error);
    casehook__buf_init(&content, NULL, 5);
    assert_int_equal(casehook__file_read("/proc/self/status", &content, &error), CASEHOOK_E_LIMIT);
    assert_string_equal(error.message, "is larger than 5 bytes");
    casehook__buf_free(&content);
}

static void files_that_are_none(void **state)
{
    static const struct {
        const char *path; /* absolute, or in the folder */
        int status;
        const char *message;
    } cases[] = {
        {"missing", CASEHOOK_E_SYSTEM, "does not exist"},
        {"small/below", CASEHOOK_E_SYSTEM, "does not exist"},
        {"folder", CASEHOOK_E_SYSTEM, "is a folder, no regular file"},
        {"fifo", CASEHOOK_E_SYSTEM, "is a FIFO, no regular file"},
        {"socket", CASEHOOK_E_SYSTEM, "is a socket or a device, no regular file"},
        {"loop", CASEHOOK_E_SYSTEM, "is a symbolic link that leads nowhere"},
        {"/dev/zero", CASEHOOK_E_SYSTEM, "is a device, no regular file"},
        {"large", CASEHOOK_E_LIMIT, "is larger than 40000 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook__buf content;
        struct casehook_error error;
        const char *path = *cases[i].path == '/' ? cases[i].path : in_folder(cases[i].path);
        casehook__error_init(&error);
        casehook__buf_init(&content, NULL, LIMIT);
        assert_int_equal(casehook__file_read(path, &content, &error), cases[i].status);
        assert_string_equal(error.message, cases[i].message);
        casehook__buf_free(&content);
    }
}

static void a_file_of_somebody_else(void **state)
{
    (void)state;
    struct casehook__buf content;
    struct casehook_error error;
    casehook__error_init(&error);
    casehook__buf_init(&content, NULL, LIMIT);
    assert_int_equal(chmod(in_folder("small"), 0), 0);
    int status = geteuid() == 0 ? CASEHOOK_OK : CASEHOOK_E_SYSTEM; /* root may read everything */
    assert_int_equal(casehook__file_read(in_folder("small"), &content, &error), status);
    assert_string_equal(error.message, status ? "may not be read by this user" : "");
    casehook__buf_free(&content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files),
        cmocka_unit_test(files_without_size),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(a_file_of_somebody_else),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
