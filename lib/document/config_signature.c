/* config_signature.c - how requests are signed (A3). */
#include "document/config_private.h"

#include "base/base64.h"

#define SIGNING_KEYS_MAX 8
#define SIGNING_KEY_MAX  4096 /* bytes */

static struct casehook__text copy_signed(struct casehook__config_reader *reader, struct casehook__text text)
{
    struct casehook__text copy = {casehook__copy(reader->config->heap, text.data, text.length), text.length};
    if (copy.data) return copy;
    reader->errors->memory = 1;
    return (struct casehook__text){NULL, 0};
}

/* ---- what is signed ----------------------------------------------------------------------------- */

static bool add_piece(struct casehook__signature *signature, enum casehook__signed_part part,
                      struct casehook__text text)
{
    if (part == CASEHOOK__SIGNED_TEXT && text.length == 0) return true;
    if (signature->piece_count == CASEHOOK__SIGNED_PIECES) return false;
    signature->pieces[signature->piece_count++] = (struct casehook__signed_piece){part, text};
    return true;
}

static int fail_tag(struct casehook_error *error, struct casehook__text content, size_t at,
                    struct casehook__text name)
{
    static const char *const names[] = {"body", "timestamp", "method", "path"};
    const char *near = casehook__nearest(name, names, 4);
    return casehook__fail_at(error, CASEHOOK_E_CONFIG, at,
                             "{{%.*s}} is unknown here: there are {{body}}, {{timestamp}}, {{method}} and "
                             "{{path}}%s%s%s",
                             name.length < 64 ? (int)name.length : 64, content.length ? name.data : "",
                             near ? "; did you mean {{" : "", near ? near : "", near ? "}}?" : "");
}

static enum casehook__signed_part part_named(struct casehook__text name)
{
    static const char *const names[] = {
        [CASEHOOK__SIGNED_BODY] = "body",
        [CASEHOOK__SIGNED_TIMESTAMP] = "timestamp",
        [CASEHOOK__SIGNED_METHOD] = "method",
        [CASEHOOK__SIGNED_PATH] = "path",
    };
    for (int i = CASEHOOK__SIGNED_BODY; i <= CASEHOOK__SIGNED_PATH; i++)
        if (casehook__text_is(name, names[i])) return (enum casehook__signed_part)i;
    return CASEHOOK__SIGNED_TEXT;
}

/* The next "{{" from a place on, or the end. */
static size_t find_tag(struct casehook__text content, size_t at)
{
    while (at < content.length &&
           !(content.data[at] == '{' && at + 1 < content.length && content.data[at + 1] == '{'))
        at++;
    return at;
}

/* The tag at a place: its name without braces, and where the text goes on; 0: it does not end. */
static size_t read_signed_tag(struct casehook__text content, size_t at, struct casehook__text *name)
{
    size_t begin = at, braces = 0, end;
    while (begin < content.length && content.data[begin] == '{' && braces < 3) begin++, braces++;
    for (end = begin; end < content.length && content.data[end] != '}'; end++) {}
    *name = casehook__text_trim((struct casehook__text){content.data + begin, end - begin});
    for (; braces > 0; braces--, end++)
        if (end >= content.length || content.data[end] != '}') return 0;
    return end;
}

int casehook__signature_compile(struct casehook__heap *heap, struct casehook__signature *signature,
                                struct casehook_error *error)
{
    struct casehook__text content = signature->content, name;
    bool fits = true;
    signature->pieces = casehook__calloc(heap, CASEHOOK__SIGNED_PIECES, sizeof *signature->pieces);
    if (!signature->pieces) return casehook__fail_memory(error);
    for (size_t at = 0; at < content.length && fits;) {
        size_t tag = find_tag(content, at), behind = tag;
        fits =
            add_piece(signature, CASEHOOK__SIGNED_TEXT, (struct casehook__text){content.data + at, tag - at});
        if (tag < content.length) {
            behind = read_signed_tag(content, tag, &name);
            if (!behind)
                return casehook__fail_at(error, CASEHOOK_E_CONFIG, tag,
                                         "the tag that begins here has no end");
            enum casehook__signed_part part = part_named(name);
            if (part == CASEHOOK__SIGNED_TEXT) return fail_tag(error, content, tag, name);
            fits = fits && add_piece(signature, part, name);
        }
        at = behind;
    }
    return fits
               ? CASEHOOK_OK
               : casehook__fail(error, CASEHOOK_E_CONFIG, "has more than %d pieces", CASEHOOK__SIGNED_PIECES);
}

static bool uses_part(const struct casehook__signature *signature, enum casehook__signed_part part)
{
    for (size_t i = 0; i < signature->piece_count; i++)
        if (signature->pieces[i].part == part) return true;
    return false;
}

/* ---- the document ------------------------------------------------------------------------------- */

static const char *const signature_names[] = {"scheme", "header",  "algorithm",      "encoding",
                                              "prefix", "content", "timestampHeader"};
#define SIGNATURE_NAMES (sizeof signature_names / sizeof *signature_names)

static struct casehook__field part_of(const struct casehook__field *object, const char *name)
{
    struct casehook__field field = casehook__field_of(object->errors, "config.signature", object->node, name);
    if (casehook__field_is_null(&field)) field.node = NULL;
    return field;
}

static void fail_part(const struct casehook__field *object, const char *name, const char *message)
{
    struct casehook__field field = part_of(object, name);
    casehook__fail(casehook__field_fault(&field), CASEHOOK_E_CONFIG, "%s", message);
}

/* Headers, in one of which the signature goes along. */
static void read_own_headers(struct casehook__config_reader *reader, const struct casehook__field *object)
{
    struct casehook__signature *signature = reader->config->signature;
    struct casehook__field header = part_of(object, "header"), time = part_of(object, "timestampHeader");
    if (!header.node)
        fail_part(object, "header",
                  "is missing: the name of the header for the signature, or give scheme standard-webhooks");
    casehook__config_own_header(reader, &header, &signature->header);
    casehook__config_own_header(reader, &time, &signature->timestamp_header);
    if (signature->header.data && signature->timestamp_header.data &&
        casehook__text_equal_nocase(signature->header, signature->timestamp_header))
        fail_part(object, "timestampHeader", "is the header of the signature as well: choose another one");
}

static void read_prefix(struct casehook__config_reader *reader, const struct casehook__field *object)
{
    struct casehook__field prefix = part_of(object, "prefix");
    struct casehook__text text;
    if (!casehook__field_text(&prefix, &text) || text.length == 0) return;
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < ' ' || text.data[i] > '~' || text.length > 64) {
            casehook__fail_at(casehook__field_fault(&prefix), CASEHOOK_E_CONFIG, i,
                              "is no beginning of a header's value: at most 64 printable ASCII characters");
            return;
        }
    reader->config->signature->prefix = copy_signed(reader, text);
}

static void read_signed_content(struct casehook__config_reader *reader, const struct casehook__field *object)
{
    struct casehook__signature *signature = reader->config->signature;
    struct casehook__field content = part_of(object, "content");
    struct casehook__text text = CASEHOOK__TEXT("{{body}}");
    struct casehook_error fault;
    casehook__error_init(&fault);
    if (content.node && !casehook__field_text(&content, &text)) return;
    if (text.length == 0) fail_part(object, "content", "is empty: nothing would be signed");
    signature->content = copy_signed(reader, text);
    if (!signature->content.data) return;
    casehook__signature_compile(reader->config->heap, signature, &fault);
    casehook__field_keep(&content, &fault);
    if (!fault.status && uses_part(signature, CASEHOOK__SIGNED_TIMESTAMP) &&
        !part_of(object, "timestampHeader").node)
        fail_part(object, "timestampHeader",
                  "is missing: content uses {{timestamp}}, which the server must be told to check it");
}

static void read_own(struct casehook__config_reader *reader, const struct casehook__field *object)
{
    static const char *const algorithms[] = {"sha256", "sha512", "sha1"}, *const encodings[] = {"hex",
                                                                                                "base64"};
    struct casehook__field algorithm = part_of(object, "algorithm"), encoding = part_of(object, "encoding");
    size_t word = 0;
    casehook__field_word(&algorithm, algorithms, 3, false, &word);
    reader->config->signature->algorithm = (enum casehook__hmac)word;
    word = 0;
    casehook__field_word(&encoding, encodings, 2, false, &word);
    reader->config->signature->base64 = word == 1;
    read_own_headers(reader, object);
    read_prefix(reader, object);
    read_signed_content(reader, object);
}

/* Nothing else may be given, and its headers must be free. */
static void read_standard(struct casehook__config_reader *reader, const struct casehook__field *object)
{
    static const char *const headers[] = {"webhook-id", "webhook-timestamp", "webhook-signature"};
    reader->config->signature->standard = true;
    for (size_t i = 1; i < SIGNATURE_NAMES; i++)
        if (part_of(object, signature_names[i]).node)
            fail_part(object, signature_names[i],
                      "does not go with a scheme, which says all of it: remove it, or the scheme");
    for (size_t i = 0; i < 3; i++) {
        const struct casehook__idempotency *key = reader->config->idempotency;
        if (key && key->header.data && casehook__text_is_nocase(key->header, headers[i]))
            casehook__fail(casehook__field_fault(object), CASEHOOK_E_CONFIG,
                           "writes the header %s, which is idempotencyHeader as well: choose another one",
                           headers[i]);
        if (casehook__config_has_header(reader->config, casehook__text(headers[i])))
            casehook__fail(casehook__field_fault(object), CASEHOOK_E_CONFIG,
                           "writes the header %s, which is among the configured ones too: remove it there",
                           headers[i]);
    }
}

/* ---- keys --------------------------------------------------------------------------------------- */

/* "whsec_" and base64, or the text itself. */
static int decode_signing_key(struct casehook__config_reader *reader, struct casehook__text text,
                              struct casehook__text *key)
{
    static const char mark[] = "whsec_";
    size_t length = sizeof mark - 1;
    struct casehook__buf bytes;
    if (text.length < length || memcmp(text.data, mark, length) != 0) {
        *key = copy_signed(reader, text);
        return CASEHOOK_OK;
    }
    casehook__buf_init(&bytes, reader->config->heap, SIGNING_KEY_MAX);
    int status = casehook__base64_decode(&bytes, casehook__text_from(text, length));
    if (!status && bytes.length) *key = copy_signed(reader, casehook__buf_text(&bytes));
    if (!status && !bytes.length) status = CASEHOOK_E_CONFIG;
    casehook__buf_free(&bytes);
    return status;
}

static const char *signing_key_fault(struct casehook__config_reader *reader,
                                     const struct casehook__json *node, struct casehook__text *key)
{
    struct casehook__text text = casehook__json_text(node);
    if (text.length == 0) return "is empty";
    if (text.length > SIGNING_KEY_MAX) return "is longer than 4096 bytes";
    int status = decode_signing_key(reader, text, key);
    if (status == CASEHOOK_E_NO_MEMORY) reader->errors->memory = 1;
    return status == CASEHOOK_E_CONFIG ? "is no base64 behind whsec_: copy it again" : NULL;
}

static void read_signing_keys(struct casehook__config_reader *reader, const struct casehook__field *field)
{
    struct casehook__signature *signature = reader->config->signature;
    bool list = casehook__json_kind(field->node) == CASEHOOK__JSON_ARRAY;
    size_t count = list ? casehook__json_count(field->node) : 1;
    if (count == 0 || count > SIGNING_KEYS_MAX) {
        casehook__fail(casehook__field_fault(field), CASEHOOK_E_CONFIG, "has no key, or more than %d",
                       SIGNING_KEYS_MAX);
        return;
    }
    signature->keys = casehook__calloc(reader->config->heap, count, sizeof *signature->keys);
    if (!signature->keys) reader->errors->memory = 1;
    for (size_t i = 0; i < count && signature->keys; i++) {
        const struct casehook__json *node = list ? casehook__json_item(field->node, i) : field->node;
        const char *fault = "must be a text, or a list of texts";
        if (casehook__json_kind(node) == CASEHOOK__JSON_TEXT)
            fault = signing_key_fault(reader, node, &signature->keys[signature->key_count]);
        if (fault)
            casehook__fail(list ? casehook__field_item_fault(field, i) : casehook__field_fault(field),
                           CASEHOOK_E_CONFIG, "%s", fault);
        else
            signature->key_count++;
    }
}

void casehook__config_read_signature(struct casehook__config_reader *reader)
{
    static const char *const schemes[] = {"standard-webhooks"};
    struct casehook__config *config = reader->config;
    struct casehook__field object = casehook__config_nullable(reader, "signature");
    struct casehook__field key = casehook__config_secret(reader, "signingKey");
    size_t unused;
    if (!object.node) {
        if (key.node)
            casehook__fail(casehook__field_fault(&key), CASEHOOK_E_CONFIG,
                           "does nothing without config.signature, which says what is signed");
        return;
    }
    if (casehook__json_kind(object.node) != CASEHOOK__JSON_OBJECT) {
        casehook__field_wrong(&object, "an object");
        return;
    }
    config->signature = casehook__calloc(config->heap, 1, sizeof *config->signature);
    if (!config->signature) {
        reader->errors->memory = 1;
        return;
    }
    casehook__fields_unknown(reader->errors, "config.signature", object.node, signature_names,
                             SIGNATURE_NAMES);
    struct casehook__field scheme = part_of(&object, "scheme");
    if (!scheme.node)
        read_own(reader, &object);
    else if (casehook__field_word(&scheme, schemes, 1, false, &unused))
        read_standard(reader, &object);
    if (key.node)
        read_signing_keys(reader, &key);
    else
        casehook__fail(casehook__field_fault(&key), CASEHOOK_E_CONFIG,
                       "is missing: config.signature needs the key to sign with");
}

void casehook__signature_free(struct casehook__heap *heap, struct casehook__signature *signature)
{
    if (!signature) return;
    const struct casehook__text texts[] = {signature->header, signature->timestamp_header, signature->prefix,
                                           signature->content};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        casehook__free(heap, (char *)(uintptr_t)texts[i].data);
    for (size_t i = 0; i < signature->key_count; i++)
        casehook__free_secret(heap, (char *)(uintptr_t)signature->keys[i].data, signature->keys[i].length);
    casehook__free(heap, signature->keys);
    casehook__free(heap, signature->pieces);
    casehook__free(heap, signature);
}
