/* settings_hosts.c - customHostSettings: TLS of single hosts (C2, P2). */
#include "settings/settings_hosts.h"

#include "settings/settings_slots.h"

#include <stdio.h>

#define HOSTS_MAX    1000
#define CA_MAX_BYTES (4 * 1024 * 1024) /* of all CAs of one host */

enum host_slot { URL, HOST_MODE, CA_FILES, CA_DATA, HOST_SLOTS };

static const char *const host_slot_names[HOST_SLOTS] = {
    "url", "ssl.verificationMode", "ssl.certificateAuthoritiesFiles", "ssl.certificateAuthoritiesData"};

struct host_reader {
    struct casehook__settings_snapshot *settings;
    struct casehook__errors *errors;
    casehook__read_file_fn read_file;
    char prefix[64]; /* "settings.customHostSettings[3]" */
    const struct casehook__json *nodes[HOST_SLOTS];
};

bool casehook__field_mode(const struct casehook__field *field, enum casehook__mode *mode)
{
    static const char *const words[] = {"none", "certificate", "full"};
    static const enum casehook__mode modes[] = {CASEHOOK__MODE_NONE, CASEHOOK__MODE_CERTIFICATE,
                                                CASEHOOK__MODE_FULL};
    size_t index;
    if (!casehook__field_word(field, words, 3, false, &index)) return false;
    *mode = modes[index];
    return true;
}

static struct casehook__field host_field_of(const struct host_reader *reader, enum host_slot slot)
{
    return (struct casehook__field){reader->errors, reader->prefix, host_slot_names[slot],
                                    reader->nodes[slot]};
}

static void read_host_url(const struct host_reader *reader, struct casehook__host_settings *host)
{
    struct casehook__field field = host_field_of(reader, URL);
    struct casehook__text text;
    struct casehook_error fault;
    casehook__error_init(&fault);
    if (!field.node) {
        casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG,
                       "is missing: the https URL of the host");
        return;
    }
    if (!casehook__field_text(&field, &text)) return;
    if (!casehook__url_parse(text, CASEHOOK__URL_DROP_USER, &host->origin, NULL, &fault)) {
        if (!host->origin.https)
            casehook__fail(&fault, CASEHOOK_E_CONFIG, "must be an https URL: these are settings of TLS");
        else if (casehook__settings_host(reader->settings, &host->origin))
            casehook__fail(&fault, CASEHOOK_E_CONFIG, "there are settings for this host already; keep one");
    }
    casehook__field_keep(&field, &fault);
}

static int append_pem(struct casehook__buf *ca, struct casehook__text pem)
{
    if (ca->length && ca->data[ca->length - 1] != '\n') casehook__buf_append_char(ca, '\n');
    return casehook__buf_append_text(ca, pem);
}

/* One file; what is wrong goes into fault. */
static void read_host_ca_file(const struct host_reader *reader, const struct casehook__json *item,
                              struct casehook__buf *ca, struct casehook_error *fault)
{
    struct casehook__text path = casehook__json_text(item);
    struct casehook__buf content;
    if (casehook__json_kind(item) != CASEHOOK__JSON_TEXT) {
        casehook__fail(fault, CASEHOOK_E_CONFIG, "must be a text, not %s", casehook__json_kind_name(item));
        return;
    }
    if (path.length == 0 || path.data[0] != '/' || strlen(path.data) != path.length) {
        casehook__fail(fault, CASEHOOK_E_CONFIG, "must be an absolute path");
        return;
    }
    casehook__buf_init(&content, reader->settings->heap, CA_MAX_BYTES);
    struct casehook_error why;
    casehook__error_init(&why);
    int status = reader->read_file ? reader->read_file(path.data, &content, &why) : CASEHOOK_E_SYSTEM;
    if (!status) status = append_pem(ca, casehook__buf_text(&content));
    if (status == CASEHOOK_E_NO_MEMORY)
        casehook__fail_memory(fault);
    else if (status == CASEHOOK_E_LIMIT)
        casehook__fail(fault, CASEHOOK_E_CONFIG, "the CAs of one host are larger than %d bytes",
                       CA_MAX_BYTES);
    else if (status)
        casehook__fail(fault, CASEHOOK_E_CONFIG, "the file %.512s %s", path.data, why.message);
    casehook__buf_free(&content);
}

/* One path or a list of paths. */
static void read_ca_files(const struct host_reader *reader, struct casehook__buf *ca)
{
    struct casehook__field field = host_field_of(reader, CA_FILES);
    if (!field.node) return;
    bool is_list = casehook__json_kind(field.node) == CASEHOOK__JSON_ARRAY;
    size_t count = is_list ? casehook__json_count(field.node) : 1;
    for (size_t i = 0; i < count; i++) {
        struct casehook_error fault;
        casehook__error_init(&fault);
        read_host_ca_file(reader, is_list ? casehook__json_item(field.node, i) : field.node, ca, &fault);
        if (is_list)
            casehook__field_item_keep(&field, i, &fault);
        else
            casehook__field_keep(&field, &fault);
    }
}

static void read_ca(const struct host_reader *reader, struct casehook__host_settings *host)
{
    struct casehook__field data = host_field_of(reader, CA_DATA);
    struct casehook__heap *heap = reader->settings->heap;
    struct casehook__text text;
    struct casehook__buf ca;
    casehook__buf_init(&ca, heap, CA_MAX_BYTES);
    read_ca_files(reader, &ca);
    if (casehook__field_text(&data, &text) && append_pem(&ca, text) == CASEHOOK_E_LIMIT)
        casehook__fail(casehook__field_fault(&data), CASEHOOK_E_CONFIG,
                       "the CAs of one host are larger than %d bytes", CA_MAX_BYTES);
    if (ca.length) {
        host->ca = (struct casehook__text){casehook__copy(heap, ca.data, ca.length), ca.length};
        if (!host->ca.data) reader->errors->memory = 1;
    }
    if (ca.status == CASEHOOK_E_NO_MEMORY) reader->errors->memory = 1;
    casehook__buf_free(&ca);
}

static void read_host(struct host_reader *reader, const struct casehook__json *object,
                      struct casehook__host_settings *host)
{
    casehook__settings_slots(reader->errors, reader->prefix, NULL, object, host_slot_names, HOST_SLOTS,
                             reader->nodes);
    struct casehook__field mode = host_field_of(reader, HOST_MODE);
    read_host_url(reader, host);
    casehook__field_mode(&mode, &host->mode);
    read_ca(reader, host);
}

void casehook__settings_read_hosts(struct casehook__settings_snapshot *settings,
                                   const struct casehook__field *list, casehook__read_file_fn read_file)
{
    struct host_reader reader = {.settings = settings, .errors = list->errors, .read_file = read_file};
    size_t count = casehook__json_count(list->node);
    if (count > HOSTS_MAX) {
        casehook__fail(casehook__field_fault(list), CASEHOOK_E_CONFIG, "has more than %d entries", HOSTS_MAX);
        return;
    }
    settings->hosts = casehook__calloc(settings->heap, count, sizeof *settings->hosts);
    if (!settings->hosts) {
        list->errors->memory = 1;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct casehook__json *item = casehook__json_item(list->node, i);
        snprintf(reader.prefix, sizeof reader.prefix, "%s.%s[%zu]", list->prefix, list->name, i);
        if (casehook__json_kind(item) == CASEHOOK__JSON_OBJECT)
            read_host(&reader, item, &settings->hosts[i]);
        else
            casehook__fail(casehook__field_item_fault(list, i), CASEHOOK_E_CONFIG,
                           "must be an object, not %s", casehook__json_kind_name(item));
        settings->host_count = i + 1; /* those before it are looked at for a second one of an origin */
    }
}
