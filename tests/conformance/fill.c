/* fill.c - putting in what {{NAME}} stands for. */
#include "memory.h"
#include "vectors.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fill {
    const struct place *places;
    size_t place_count;
    const json_t *repeat;
    const struct certs *certs;
    char **problem;
};

static int is_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void write_file(const struct fill *fill, const char *names, size_t length, int base64, FILE *out)
{
    char *list = must_copy(names, length);
    size_t size = 0;
    char *bytes = certs_join(fill->certs, list, &size);
    if (!bytes && !*fill->problem) *fill->problem = must_format("the file %s is not among the recipes", list);
    if (bytes && base64) {
        unsigned char *text = must_alloc(size / 3 * 4 + 8);
        EVP_EncodeBlock(text, (const unsigned char *)bytes, (int)size);
        fputs((const char *)text, out);
        free(text);
    } else if (bytes) {
        fwrite(bytes, 1, size, out);
    }
    free(bytes);
    free(list);
}

/* 1 when the name between the braces is known; its text has been written then. */
static int write_place(const struct fill *fill, const char *name, size_t length, FILE *out)
{
    for (size_t i = 0; i < fill->place_count; i++) {
        if (strlen(fill->places[i].name) == length && memcmp(fill->places[i].name, name, length) == 0) {
            fputs(fill->places[i].text, out);
            return 1;
        }
    }
    if (fill->certs && length > 4 && (memcmp(name, "B64:", 4) == 0 || memcmp(name, "PEM:", 4) == 0)) {
        write_file(fill, name + 4, length - 4, *name == 'B', out);
        return 1;
    }
    char *key = must_copy(name, length);
    const json_t *item = json_object_get(fill->repeat, key);
    const json_t *text = json_object_get(item, "text");
    json_int_t times = json_integer_value(json_object_get(item, "times"));
    for (json_int_t i = 0; i < times; i++) fwrite(json_string_value(text), 1, json_string_length(text), out);
    free(key);
    return item != NULL;
}

/* The length of the placeholder at text, 0 when there is none. */
static size_t place_length(const char *text, size_t left)
{
    if (left < 5 || text[0] != '{' || text[1] != '{' || text[2] < 'A' || text[2] > 'Z') return 0;
    size_t n = 2;
    while (n < left && is_name(text[n])) n++;
    if (n < left && text[n] == ':') {
        while (n < left && text[n] != '{' && text[n] != '}') n++;
    }
    return left - n >= 2 && text[n] == '}' && text[n + 1] == '}' ? n + 2 : 0;
}

static char *fill_text(const struct fill *fill, const char *text, size_t length, size_t *filled)
{
    char *result = NULL;
    FILE *out = open_memstream(&result, filled);
    if (!out) abort();
    for (size_t i = 0; i < length;) {
        size_t n = place_length(text + i, length - i);
        if (n && write_place(fill, text + i + 2, n - 4, out)) {
            i += n;
        } else {
            putc(text[i], out);
            i++;
        }
    }
    fclose(out);
    return result;
}

static json_t *fill_value(const struct fill *fill, const json_t *value)
{
    size_t length = 0;
    if (json_is_string(value)) {
        char *text = fill_text(fill, json_string_value(value), json_string_length(value), &length);
        json_t *copy = json_stringn(text, length);
        free(text);
        return copy;
    }
    if (json_is_array(value)) {
        json_t *copy = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(copy, fill_value(fill, json_array_get(value, i)));
        return copy;
    }
    if (!json_is_object(value)) return json_deep_copy(value);
    json_t *copy = json_object();
    void *iterator = json_object_iter((json_t *)(uintptr_t)value);
    for (; iterator; iterator = json_object_iter_next((json_t *)(uintptr_t)value, iterator)) {
        const char *name = json_object_iter_key(iterator);
        char *key = fill_text(fill, name, strlen(name), &length);
        json_object_set_new(copy, key, fill_value(fill, json_object_iter_value(iterator)));
        free(key);
    }
    return copy;
}

json_t *vector_fill(const json_t *value, const struct place *places, size_t place_count, const json_t *repeat,
                    const struct certs *certs, char **problem)
{
    struct fill fill = {places, place_count, repeat, certs, problem};
    *problem = NULL;
    json_t *copy = fill_value(&fill, value);
    if (!*problem) return copy;
    json_decref(copy);
    return NULL;
}
