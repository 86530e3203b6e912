/*
 * test_environment.c - what surrounds the program is not read: a clean run and one in a hostile environment
 * put the same bytes on the wire.
 *
 * The program runs itself as the child that uses the library: test_faults_environment child BASES... CA
 * [curl]; with the last word it is a host that has initialised libcurl itself.
 */
#include "http_proxy.h"
#include "memory.h"
#include "real.h"

#include <curl/curl.h>
#include <openssl/pem.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- the child -------------------------------------------------------------------------------- */

enum { PLAIN_BASE = 2, TLS_BASE, EVIL_BASE, PROXY_BASE, CA_FILE, ARGUMENTS };

static char *content_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = must_alloc(16384);
    if (!file || fread(text, 1, 16383, file) == 0) abort();
    fclose(file);
    return text;
}

static void report(const char *name, const struct answer *answer)
{
    printf("%s: %d\n", name, answer->status);
}

static void run(const char *name, const char *settings, const char *base, const char *config)
{
    static const char secrets[] = "\"user\":\"u\",\"password\":\"pass\",\"secretHeaders\":{\"X-Key\":\"k\"}";
    struct answer answer = call_once(settings, base, config, secrets, CASEHOOK_CREATE);
    report(name, &answer);
    answer = call_once(settings, base, "\"hasAuth\":false", NULL, CASEHOOK_GET);
    report(name, &answer);
}

/* Direct, with a CA that is given, with a server that only the environment vouches for, through a proxy. */
static int child(int argc, char **argv)
{
    if (argc > ARGUMENTS) curl_global_init(CURL_GLOBAL_DEFAULT);
    char *pem = content_of(argv[CA_FILE]);
    const char *own_ca =
        text_of("{\"customHostSettings\":[{\"url\":\"%s\",\"ssl\":{\"certificateAuthoritiesData\":%s}}]}",
                argv[TLS_BASE], json_of(pem));
    const char *with_proxy =
        text_of("{\"proxyUrl\":\"http://pu:pp@%s\"}", argv[PROXY_BASE] + strlen("http://"));
    const char *both = text_of("{\"proxyUrl\":\"%s\",%s", argv[PROXY_BASE], own_ca + 1);
    run("plain", "{}", argv[PLAIN_BASE], NULL);
    run("tls", own_ca, argv[TLS_BASE], NULL);
    run("evil", "{}", argv[EVIL_BASE], NULL);
    run("proxy", with_proxy, argv[PLAIN_BASE], NULL);
    run("tunnel", both, argv[TLS_BASE], NULL);
    free(pem);
    return 0;
}

/* ---- the parent ------------------------------------------------------------------------------- */

struct place {
    struct certs *certs;
    struct http_log *log, *trap_log;
    struct http_server *plain, *tls, *evil, *trap;
    struct http_proxy *proxy;
    struct folder *folder;
    const char *arguments[ARGUMENTS + 2];
    const char *program;
};

static struct http_server *tls_server(struct place *place, const char *name)
{
    struct http_tls tls = {.certificate = pem_of(place->certs, text_of("%s.crt", name)),
                           .key = pem_of(place->certs, text_of("%s.key", name))};
    return http_server_start(place->log, name, &tls, tracker_answer, NULL);
}

static void make_certificate(struct certs *certs, const char *ca, const char *name)
{
    static const char *const san[] = {"IP:127.0.0.1", "DNS:localhost", NULL};
    certs_make(certs, &(struct certs_spec){.name = ca, .ca = true});
    certs_make(certs, &(struct certs_spec){.name = name, .issuer = ca, .san = san});
}

static void open_place(struct place *place, const char *program)
{
    *place = (struct place){
        .certs = certs_new(), .log = http_log_new(), .trap_log = http_log_new(), .folder = folder_new()};
    make_certificate(place->certs, "ca", "srv");
    make_certificate(place->certs, "evil-ca", "evil");
    place->plain = http_server_start(place->log, "plain", NULL, tracker_answer, NULL);
    place->tls = tls_server(place, "srv");
    place->evil = tls_server(place, "evil");
    place->trap = http_server_start(place->trap_log, "trap", NULL, tracker_answer, NULL);
    place->proxy = http_proxy_start(place->log, "proxy", NULL, HTTP_PROXY_PASS);
    place->arguments[0] = place->program = program;
    place->arguments[1] = "child";
    place->arguments[PLAIN_BASE] = text_of("http://127.0.0.1:%u", http_server_port(place->plain));
    place->arguments[TLS_BASE] = text_of("https://127.0.0.1:%u", http_server_port(place->tls));
    place->arguments[EVIL_BASE] = text_of("https://127.0.0.1:%u", http_server_port(place->evil));
    place->arguments[PROXY_BASE] = text_of("http://127.0.0.1:%u", http_proxy_port(place->proxy));
    place->arguments[CA_FILE] =
        folder_write(place->folder, "ca.pem", certs_file(place->certs, "ca.crt", NULL));
}

static void close_place(struct place *place)
{
    http_proxy_stop(place->proxy, 2000);
    http_server_stop(place->plain, 2000);
    http_server_stop(place->tls, 2000);
    http_server_stop(place->evil, 2000);
    http_server_stop(place->trap, 2000);
    http_log_free(place->log);
    http_log_free(place->trap_log);
    certs_free(place->certs);
    folder_free(place->folder);
}

/* The name by which OpenSSL looks for a CA in a folder. */
static const char *hashed_name(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    const char *name = text_of("%08lx.0", X509_subject_name_hash(x509));
    X509_free(x509);
    BIO_free(bio);
    return name;
}

/* Every name that curl, OpenSSL or their tools look for. */
static char **hostile_environment(struct place *place)
{
    static const char *const proxies[] = {"http_proxy",  "HTTP_PROXY", "https_proxy",
                                          "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};
    static const char *const others[] = {
        "NO_PROXY=*",        "no_proxy=*",         "CURL_SSL_BACKEND=gnutls", "CURL_VERBOSE=1",
        "RES_OPTIONS=debug", "LC_ALL=tr_TR.UTF-8", "SSLKEYLOGFILE",           "HOME",
        "CURL_HOME",         "XDG_CONFIG_HOME",    "SSL_CERT_FILE",           "CURL_CA_BUNDLE",
        "SSL_CERT_DIR"};
    static char *list[COUNT(proxies) + COUNT(others) + 2];
    size_t count = 0;
    const char *folder = folder_path(place->folder);
    const char *ca = folder_write(place->folder, "evil.pem", certs_file(place->certs, "evil-ca.crt", NULL));
    const char *evil_pem = certs_file(place->certs, "evil-ca.crt", NULL);
    folder_write(place->folder, hashed_name(evil_pem), evil_pem);
    const char *evil_login = "machine 127.0.0.1 login evil password evil\ndefault login evil password evil\n";
    folder_write(place->folder, ".netrc", evil_login);
    folder_write(place->folder, "_netrc", evil_login);
    folder_write(place->folder, ".curlrc",
                 "header = \"X-Evil: 1\"\nproxy = http://127.0.0.1:1\nverbose\ninsecure\n");
    folder_write(place->folder, "none", certs_file(place->certs, "evil-ca.crt", NULL));
    for (size_t i = 0; i < COUNT(proxies); i++)
        list[count++] =
            must_format("%s=http://evil:evil@127.0.0.1:%u", proxies[i], http_server_port(place->trap));
    for (size_t i = 0; i < COUNT(others); i++) {
        const char *value = strstr(others[i], "CERT_FILE") || strstr(others[i], "BUNDLE") ? ca : folder;
        if (strcmp(others[i], "SSLKEYLOGFILE") == 0) value = folder_name(place->folder, "keys.log");
        list[count++] =
            strchr(others[i], '=') ? must_format("%s", others[i]) : must_format("%s=%s", others[i], value);
    }
    list[count] = NULL;
    return list;
}

/* Runs the child; what it printed. */
static char *run_child(struct place *place, char **environment)
{
    int ends[2], status;
    pid_t pid;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    assert_int_equal(posix_spawn(&pid, place->program, &actions, NULL,
                                 (char *const *)(uintptr_t)place->arguments, environment),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *output = fdopen(ends[0], "r");
    char *text = must_alloc(4096);
    assert_true(fread(text, 1, 4095, output) > 0);
    fclose(output);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return text;
}

/* Requests from index on, each with where it came. */
static char *traffic(struct http_log *log, size_t from)
{
    char *all = must_copy("", 0);
    for (size_t i = from; i < http_log_count(log); i++) {
        const struct http_request *request = http_log_at(log, i);
        char *longer = must_format("%s== %s\n%.*s%s\n", all, request->server, (int)request->head_length,
                                   request->head, request->body ? request->body : "");
        free(all);
        all = longer;
    }
    return all;
}

static const char *program;

static void a_hostile_environment(void **state)
{
    (void)state;
    char directory[4096];
    struct place place;
    char *none[] = {NULL};
    open_place(&place, program);
    assert_non_null(getcwd(directory, sizeof directory));
    char *clean = run_child(&place, none), *clean_traffic = traffic(place.log, 0);
    size_t from = http_log_count(place.log);
    char **environment = hostile_environment(&place);
    assert_int_equal(chdir(folder_path(place.folder)), 0);
    char *hostile = run_child(&place, environment), *hostile_traffic = traffic(place.log, from);
    assert_int_equal(chdir(directory), 0);
    assert_string_equal(clean, hostile);
    assert_string_equal(clean_traffic, hostile_traffic);
    assert_string_equal(clean,
                        text_of("plain: 0\nplain: 0\ntls: 0\ntls: 0\nevil: %d\nevil: %d\nproxy: 0\nproxy: 0\n"
                                "tunnel: 0\ntunnel: 0\n",
                                CASEHOOK_E_TLS, CASEHOOK_E_TLS));
    assert_int_equal(http_server_connections(place.trap), 0);
    assert_true(http_proxy_connections(place.proxy) > 0);
    assert_null(folder_read(place.folder, "keys.log", NULL));
    assert_null(strstr(hostile_traffic, "evil:") ? hostile_traffic : strstr(hostile_traffic, "X-Evil"));
    /* The host's own libcurl makes the file; no key of ours is in it. */
    place.arguments[ARGUMENTS] = "curl";
    char *with_curl = run_child(&place, environment), *keys = folder_read(place.folder, "keys.log", NULL);
    assert_string_equal(with_curl, clean);
    assert_string_equal(keys ? keys : "", "");
    free(with_curl);
    free(keys);
    for (char **entry = environment; *entry; entry++) free(*entry);
    free(clean);
    free(hostile);
    free(clean_traffic);
    free(hostile_traffic);
    close_place(&place);
}

int main(int argc, char **argv)
{
    static char path[4096];
    if (argc >= ARGUMENTS && strcmp(argv[1], "child") == 0) return child(argc, argv);
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    program = length > 0 ? path : argv[0];
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_hostile_environment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
