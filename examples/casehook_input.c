/* casehook_input.c - reads files, joins connector and secrets, wipes what it held. */
#include "casehook_input.h"

#include <casehook.h>
#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((size_t)16 * 1024 * 1024)

int trouble_set(struct trouble *trouble, int status, const char *field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(trouble->message, sizeof trouble->message, format, arguments);
    va_end(arguments);
    trouble->field = field;
    trouble->status = status;
    return status;
}

/* A compiler may not leave this out, as it may a memset() before free(). */
static void wipe(void *pointer, size_t size)
{
    volatile unsigned char *byte = pointer;
    while (size--) *byte++ = 0;
}

void document_free(struct document *document)
{
    if (document->text) wipe(document->text, document->length);
    free(document->text);
    document->text = NULL;
    document->length = 0;
}

/* ---- jansson --------------------------------------------------------------------------------- */

/* What stands before each piece of memory; as large as the strictest alignment. */
union header {
    size_t size;
    max_align_t align;
};

static void *json_allocate(size_t size)
{
    if (size > SIZE_MAX - sizeof(union header)) return NULL;
    union header *header = malloc(sizeof *header + size);
    if (!header) return NULL;
    header->size = size;
    return header + 1;
}

static void json_wipe(void *pointer)
{
    if (!pointer) return;
    union header *header = (union header *)pointer - 1;
    wipe(pointer, header->size);
    free(header);
}

void input_wipe_json(void)
{
    json_set_alloc_funcs(json_allocate, json_wipe);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Twice the room, without leaving a copy of the content behind as realloc() may. */
static int grow(struct document *document, size_t *capacity)
{
    size_t larger = *capacity ? *capacity * 2 : (size_t)16 * 1024;
    char *text = malloc(larger);
    if (!text) return -1;
    if (document->length) memcpy(text, document->text, document->length);
    size_t length = document->length;
    document_free(document);
    document->text = text;
    document->length = length;
    *capacity = larger;
    return 0;
}

static int read_all(int file, struct document *document)
{
    size_t capacity = 0;
    for (;;) {
        if (document->length > FILE_MAX_BYTES) {
            errno = EFBIG;
            return -1;
        }
        if (document->length == capacity && grow(document, &capacity)) return -1;
        ssize_t got = read(file, document->text + document->length, capacity - document->length);
        if (got == 0) return 0;
        if (got < 0 && errno != EINTR) return -1;
        if (got > 0) document->length += (size_t)got;
    }
}

int input_file(const char *path, const char *field, int status, struct document *document,
               struct trouble *trouble)
{
    int standard_input = !strcmp(path, "-");
    int file = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    int failed = file < 0 || read_all(file, document);
    int reason = errno;
    if (file >= 0 && !standard_input) close(file);
    if (!failed) return 0;
    document_free(document);
    return trouble_set(trouble, reason == ENOMEM ? CASEHOOK_E_NO_MEMORY : status, field,
                       "the file \"%s\" cannot be read: %s", path, strerror(reason));
}

/* ---- the connector --------------------------------------------------------------------------- */

int input_dump(const json_t *value, size_t flags, struct document *document)
{
    size_t size = json_dumpb(value, NULL, 0, flags);
    if (size == 0 || !(document->text = malloc(size + 1))) return -1;
    document->length = size;
    document->text[size] = '\0';
    return json_dumpb(value, document->text, size, flags) == size ? 0 : -1;
}

/* joined is the connector's document with the secrets; connector may be emptied. */
static int join(struct document *connector, const struct document *secrets, struct document *joined,
                const struct arguments *arguments, struct trouble *trouble)
{
    json_error_t error;
    json_t *config = NULL, *secret = NULL;
    const json_t *present;
    int status = 0;
    secret = json_loadb(secrets->text, secrets->length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!secret) { /* the parser's own words would quote from the file */
        status = trouble_set(trouble, CASEHOOK_E_CONFIG, "secrets",
                             "the file \"%s\" is not JSON, or has a member twice: look at line %d, column %d",
                             arguments->secrets, error.line, error.column);
        goto out;
    }
    if (!json_is_object(secret)) {
        status = trouble_set(trouble, CASEHOOK_E_CONFIG, "secrets", "the file \"%s\" must hold a JSON object",
                             arguments->secrets);
        goto out;
    }
    config = json_loadb(connector->text, connector->length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!json_is_object(config)) { /* the library says better what is wrong with it */
        *joined = *connector;
        *connector = (struct document){NULL, 0};
        goto out;
    }
    present = json_object_get(config, "secrets");
    if (present && !json_is_null(present) && !(json_is_object(present) && json_object_size(present) == 0)) {
        status = trouble_set(trouble, CASEHOOK_E_CONFIG, "secrets",
                             "the connector holds secrets and --secrets gives them too; leave one out");
        goto out;
    }
    if (json_object_set(config, "secrets", secret) || input_dump(config, 0, joined))
        status = trouble_set(trouble, CASEHOOK_E_NO_MEMORY, "", "out of memory");
out:
    json_decref(config);
    json_decref(secret);
    return status;
}

int input_connector(const struct arguments *arguments, struct document *document, struct trouble *trouble)
{
    struct document connector = {NULL, 0}, secrets = {NULL, 0};
    int status = input_file(arguments->connector, "connector", CASEHOOK_E_CONFIG, &connector, trouble);
    if (status || !arguments->secrets) {
        *document = connector;
        return status;
    }
    status = input_file(arguments->secrets, "secrets", CASEHOOK_E_CONFIG, &secrets, trouble);
    if (!status) status = join(&connector, &secrets, document, arguments, trouble);
    document_free(&secrets);
    document_free(&connector);
    return status;
}
