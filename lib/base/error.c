/* error.c - one fault of fixed size, and the list of faults of a document. */
#include "base/error.h"

#include <stdio.h>

/* What casehook_error_json() would make of it. */
#define NO_MEMORY_JSON                                                                      \
    "[{\"code\":\"no_memory\",\"codeNumber\":-2,\"message\":\"out of memory; nothing was "  \
    "sent\",\"step\":null,"                                                                 \
    "\"stepNumber\":0,\"field\":null,\"offset\":null,\"httpStatus\":null,\"outcome\":null," \
    "\"outcomeNumber\":0,"                                                                  \
    "\"retryable\":true,\"retryAfterMs\":null}]"

/* Needs no memory itself; casehook_error_free() leaves it alone. */
static const struct casehook_error no_memory = {
    .status = CASEHOOK_E_NO_MEMORY,
    .offset = -1,
    .retry_after_ms = -1,
    .retryable = 1,
    .begin = CASEHOOK__ERROR_ROOM,
    .json = (char *)NO_MEMORY_JSON,
    .message = "out of memory; nothing was sent",
};

void casehook__error_init(struct casehook_error *error)
{
    memset(error, 0, offsetof(struct casehook_error, field));
    error->offset = error->retry_after_ms = -1;
    error->begin = CASEHOOK__ERROR_ROOM;
    error->field[0] = error->message[0] = '\0'; /* the rest is never read, and there is much of it */
}

/* Controls, those of U+0080 to U+009F too, which terminals obey, and what else begins a line: U+2028, U+2029.
 */
static bool breaks_line(const char *text, size_t bytes)
{
    const unsigned char *s = (const unsigned char *)text;
    if (bytes == 1) return *s < 0x20 || *s == 0x7F;
    if (bytes == 2) return s[0] == 0xC2 && s[1] < 0xA0;
    return bytes == 0 || (s[0] == 0xE2 && s[1] == 0x80 && (s[2] == 0xA8 || s[2] == 0xA9));
}

/* One printable line of UTF-8, in place. */
static void clean(char *text)
{
    for (size_t length = strlen(text); length;) {
        size_t n = casehook__utf8_length(text, length);
        if (breaks_line(text, n)) {
            *text = '?';
            n = 1;
        }
        text += n;
        length -= n;
    }
}

/* Cut where the buffer ended, so "..." takes the place of the last whole characters. */
static void mark_cut(char *text, size_t size)
{
    size_t end = size - 4;
    while (end && ((unsigned char)text[end] & 0xC0) == 0x80) end--;
    memcpy(text + end, "...", 4);
}

void casehook__line_format(char *text, size_t size, const char *format, va_list arguments)
{
    int length = vsnprintf(text, size, format, arguments);
    if (length >= (int)size) mark_cut(text, size);
    clean(text);
}

/* Of these words a field in front makes a sentence; in front of all others it needs a colon. */
static bool is_predicate(const char *message)
{
    static const char verbs[][9] = {"is",    "must", "has",   "holds",  "does",   "ends",  "excludes",
                                    "means", "may",  "needs", "stands", "cannot", "looks", "makes"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        size_t length = strlen(verbs[i]);
        if (strncmp(message, verbs[i], length) == 0 && message[length] == ' ') return true;
    }
    return false;
}

/* Puts the field in front of the message, as soon as there are both. */
static void join_field(struct casehook_error *error)
{
    size_t length = strlen(error->field);
    error->begin = CASEHOOK__ERROR_ROOM;
    if (length == 0 || !error->message[0]) return;
    const char *between = is_predicate(error->message) ? " " : ": ";
    error->begin -= length + strlen(between);
    memcpy(error->text + error->begin, error->field, length);
    memcpy(error->text + error->begin + length, between, strlen(between));
}

static int fill_text(struct casehook_error *error, int status, int64_t offset, const char *format,
                     va_list arguments)
{
    if (!error) return status;
    error->status = status;
    error->offset = offset;
    casehook__line_format(error->message, sizeof error->message, format, arguments);
    join_field(error);
    return status;
}

int casehook__fail(struct casehook_error *error, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill_text(error, status, -1, format, arguments);
    va_end(arguments);
    return status;
}

int casehook__fail_at(struct casehook_error *error, int status, size_t offset, const char *format, ...)
{
    va_list arguments;
    uint64_t wide = offset; /* where size_t has 32 bits all of them fit */
    va_start(arguments, format);
    fill_text(error, status, wide > INT64_MAX ? INT64_MAX : (int64_t)wide, format, arguments);
    va_end(arguments);
    return status;
}

int casehook__fail_memory(struct casehook_error *error)
{
    return casehook__fail(error, CASEHOOK_E_NO_MEMORY, "out of memory");
}

void casehook__error_set_field(struct casehook_error *error, const char *field)
{
    if (!error || error->field[0]) return;
    size_t length = strlen(field);
    if (length >= sizeof error->field) length = sizeof error->field - 1;
    memcpy(error->field, field, length);
    error->field[length] = '\0';
    clean(error->field);
    join_field(error);
}

void casehook__error_set_config_field(struct casehook_error *error, const char *name)
{
    char field[CASEHOOK__ERROR_FIELD_SIZE];
    snprintf(field, sizeof field, "config.%s", name);
    casehook__error_set_field(error, field);
}

void casehook__error_take(struct casehook_error *error, const struct casehook_error *source)
{
    error->status = source->status;
    error->offset = source->offset;
    memcpy(error->message, source->message, sizeof error->message);
    join_field(error);
}

void casehook__error_set_step(struct casehook_error *error, int step)
{
    if (error && !error->step) error->step = step;
}

void casehook__error_refuse(struct casehook_error *error)
{
    casehook__error_set_step(error, CASEHOOK_STEP_PARAMS);
    error->outcome = CASEHOOK_OUTCOME_NONE;
    error->retryable = error->status == CASEHOOK_E_BUSY || error->status == CASEHOOK_E_NO_MEMORY ||
                       error->status == CASEHOOK_E_SYSTEM;
}

void casehook__errors_init(struct casehook__errors *errors, struct casehook__heap *heap)
{
    *errors = (struct casehook__errors){.heap = heap};
}

/* Filled like any other and never looked at: the answer is NO_MEMORY or what was found first. */
static struct casehook_error *spare(struct casehook__errors *errors)
{
    casehook__error_init(&errors->spare);
    return &errors->spare;
}

struct casehook_error *casehook__errors_add(struct casehook__errors *errors, const char *field)
{
    errors->count++;
    if (errors->count > CASEHOOK__ERRORS_MAX) return spare(errors);
    struct casehook_error *error = casehook__alloc(errors->heap, sizeof *error);
    if (!error) {
        errors->memory = 1;
        return spare(errors);
    }
    casehook__error_init(error);
    error->step = CASEHOOK_STEP_CONFIG; /* documents have no other one (R4) */
    error->heap = casehook__heap_ref(errors->heap);
    casehook__error_set_field(error, field);
    if (errors->last)
        errors->last->next = error;
    else
        errors->first = error;
    errors->last = error;
    return error;
}

void casehook__errors_add_copy(struct casehook__errors *errors, const char *field,
                               const struct casehook_error *source)
{
    struct casehook_error *error = casehook__errors_add(errors, source->field[0] ? source->field : field);
    casehook__error_take(error, source);
}

int casehook__errors_finish(struct casehook__errors *errors, struct casehook_error **out)
{
    struct casehook_error *first = errors->first;
    for (struct casehook_error *error = first; error; error = error->next)
        if (error->status == CASEHOOK_E_NO_MEMORY) errors->memory = 1;
    if (errors->memory) {
        casehook_error_free(first);
        first = (struct casehook_error *)(uintptr_t)&no_memory; /* nobody writes to it */
    } else if (errors->count > CASEHOOK__ERRORS_MAX) {
        errors->last->field[0] = '\0'; /* it stands for many */
        casehook__fail(errors->last, errors->last->status, "and %zu more faults",
                       errors->count - CASEHOOK__ERRORS_MAX + 1);
    }
    int status = first ? first->status : CASEHOOK_OK;
    errors->first = errors->last = NULL;
    if (out)
        *out = first;
    else
        casehook_error_free(first);
    return status;
}

int casehook_error_status(const struct casehook_error *error)
{
    return error ? error->status : CASEHOOK_OK;
}

const char *casehook_error_message(const struct casehook_error *error)
{
    return error ? error->text + error->begin : "no error";
}

int casehook_error_step(const struct casehook_error *error)
{
    return error ? error->step : CASEHOOK_STEP_NONE;
}

const char *casehook_error_field(const struct casehook_error *error)
{
    return error ? error->field : "";
}

int64_t casehook_error_offset(const struct casehook_error *error)
{
    return error ? error->offset : -1;
}

int casehook_error_http_status(const struct casehook_error *error)
{
    return error ? error->http_status : 0;
}

int casehook_error_outcome(const struct casehook_error *error)
{
    return error ? error->outcome : CASEHOOK_OUTCOME_NONE;
}

int casehook_error_retryable(const struct casehook_error *error)
{
    return error ? error->retryable : 0;
}

int64_t casehook_error_retry_after_ms(const struct casehook_error *error)
{
    return error ? error->retry_after_ms : -1;
}

const struct casehook_error *casehook_error_next(const struct casehook_error *error)
{
    return error ? error->next : NULL;
}

void casehook_error_free(struct casehook_error *error)
{
    while (error && error != &no_memory) {
        struct casehook_error *next = error->next;
        struct casehook__heap *heap = error->heap;
        casehook__kept_free(heap, &error->json);
        casehook__free(heap, error);
        casehook__heap_unref(heap);
        error = next;
    }
}
