/* test_params.c - params from the struct and from JSON (N1, U3, K5). */
#include "document/call_kinds.h"
#include "exchange/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* An allocator that counts, to see that warm calls take nothing. */
struct counter {
    size_t calls, fail_at; /* fail_at 0: never */
};

static void *count_reallocate(void *user, void *pointer, size_t size)
{
    struct counter *counter = user;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    if (++counter->calls == counter->fail_at) return NULL;
    return realloc(pointer, size);
}

static void assert_text(struct casehook__text text, const char *expected)
{
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.data, expected, text.length);
}

static const struct casehook__value *member(const struct casehook__value *object, const char *name)
{
    for (size_t i = 0; i < object->count; i++)
        if (casehook__text_is(object->names[i], name)) return &object->items[i];
    return NULL;
}

static void json_accepted(void **state)
{
    (void)state;
    static const struct {
        int operation;
        const char *json, *title, *external_id; /* NULL: absent */
        size_t comments;
    } cases[] = {
        {CASEHOOK_PUSH, "{\"incident\":{\"title\":\"t\"}}", "t", NULL, 0},
        {CASEHOOK_PUSH, "{\"incident\":{\"title\":\"\"}}", "", NULL, 0},
        {CASEHOOK_CREATE, "{\"incident\":{\"summary\":\"Disk full\",\"tags\":[\"d\"]}}", "Disk full", NULL,
         0},
        {CASEHOOK_PUSH,
         "{\"title\":\"Flat\",\"description\":\"x\",\"tags\":[\"f\"],\"comments\":[{\"commentId\":\"c1\","
         "\"comment\":\"one\"}]}",
         "Flat", NULL, 1},
        {CASEHOOK_PUSH, "{\"title\":\"Flat\",\"externalId\":\"12\"}", "Flat", "12", 0},
        {CASEHOOK_PUSH,
         "{\"incident\":{\"title\":\"t\",\"externalId\":null,\"summary\":null},\"comments\":null}", "t", NULL,
         0},
        {CASEHOOK_PUSH, "{\"incident\":null,\"title\":\"t\",\"comments\":[]}", "t", NULL, 0},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"comments\":[{\"commentId\":\"\",\"comment\":\"\"}]}", "t", NULL,
         1},
        {CASEHOOK_GET, "{\"externalId\":\"a\\u0000b\"}", NULL, NULL, 0},
        /* a get ignores all but what it is about, as it does in a struct */
        {CASEHOOK_GET,
         "{\"externalId\":\"7\",\"title\":\"t\",\"status\":\"open\",\"idempotencyKey\":\"a b\",\"resume\":{},"
         "\"comments\":[{\"commentId\":\"1\",\"comment\":\"x\"}]}",
         NULL, "7", 0},
        {CASEHOOK_COMMENT, "{\"externalId\":\"5\",\"comments\":[{\"comment\":\" \",\"commentId\":\"c\"}]}",
         NULL, "5", 1},
        {CASEHOOK_UPDATE, "\xEF\xBB\xBF {\"t\\u0069tle\":\"\\u00e9\\n\",\"externalId\":\"5\"} ", "\xC3\xA9\n",
         "5", 0},
        {CASEHOOK_CREATE, "{\"title\":\"stray \xFF byte\"}", "stray \xFF byte", NULL, 0},
    };
    struct casehook__parsed_params params;
    casehook__params_init(&params, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook_error error;
        casehook__error_init(&error);
        assert_int_equal(
            casehook__params_from_json(&params, cases[i].operation, casehook__text(cases[i].json), &error),
            CASEHOOK_OK);
        if (cases[i].title) assert_text(params.title, cases[i].title);
        if (cases[i].external_id) assert_text(params.external_id, cases[i].external_id);
        assert_int_equal(params.comment_count, cases[i].comments);
        if (cases[i].operation == CASEHOOK_GET) {
            assert_null(params.title.data);
            assert_null(params.status.data);
            assert_null(params.resume.data);
        }
    }
    casehook__params_free(&params);
}

static void json_refused(void **state)
{
    (void)state;
    static const struct {
        int operation;
        const char *json, *field, *says;
    } cases[] = {
        {CASEHOOK_PUSH, "{\"incident\":{\"description\":\"x\"}}", "title", "missing"},
        {CASEHOOK_CREATE, "{}", "title", "missing"},
        {CASEHOOK_CREATE, "{\"title\":null}", "title", "missing"},
        {CASEHOOK_PUSH, "{\"incident\":{\"title\":\"t\",\"owner\":\"me\"}}", "owner", "no such member"},
        {CASEHOOK_CREATE, "{\"title\":\"t\",\"titel\":\"x\"}", "titel", "\"title\""},
        {CASEHOOK_CREATE, "{\"incident\":{\"title\":\"t\",\"label\":[\"x\"]}}", "label", "\"labels\""},
        {CASEHOOK_CREATE, "{\"incident\":{\"title\":\"t\",\"comments\":[]}}", "comments", "no such member"},
        {CASEHOOK_PUSH, "{\"incident\":{\"title\":\"t\",\"tags\":\"a,b\"}}", "tags", "array"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"tags\":[\"a\",5]}", "tags[1]", "a string"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"tags\":[null]}", "tags[0]", "a string"},
        {CASEHOOK_PUSH, "{\"incident\":{\"title\":\"t\",\"externalId\":5}}", "externalId", "a string"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"externalId\":\"\"}", "externalId", "empty"},
        {CASEHOOK_GET, "{\"externalId\":\"..\"}", "externalId", "\"..\""},
        {CASEHOOK_GET, "{\"externalId\":\".\"}", "externalId", "another place"},
        {CASEHOOK_GET, "{}", "externalId", "missing"},
        {CASEHOOK_UPDATE, "{\"title\":\"t\"}", "externalId", "missing"},
        {CASEHOOK_UPDATE, "{\"externalId\":\"5\"}", "title", "missing"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"summary\":\"u\"}", "summary", "title"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"incident\":{\"title\":\"t\"}}", "title", "beside incident"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"title\":\"t\"}", "title", "twice"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"t\\u0069tle\":\"t\"}", "title", "twice"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"comments\":{}}", "comments", "array"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"comments\":[5]}", "comments[0]", "object"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"comments\":[{\"comment\":\"x\"}]}", "comments[0].commentId",
         "missing"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"comments\":[{\"commentId\":\"x\",\"comment\":null}]}",
         "comments[0].comment", "missing"},
        {CASEHOOK_PUSH,
         "{\"title\":\"t\",\"comments\":[{\"commentId\":\"x\",\"comment\":\"y\",\"user\":\"z\"}]}",
         "comments[0].user", "no such member"},
        {CASEHOOK_PUSH, "{\"title\":\"t\",\"comments\":[{\"commentId\":1,\"comment\":\"y\"}]}",
         "comments[0].commentId", "a string"},
        {CASEHOOK_COMMENT, "{\"externalId\":\"5\"}", "comments", "exactly one"},
        {CASEHOOK_COMMENT, "{\"externalId\":\"5\",\"comments\":[{\"commentId\":\"c\",\"comment\":\"\"}]}",
         "comments[0]", "empty"},
        {CASEHOOK_CREATE, "{\"title\":\"t\",\"fields\":{\"a b\":1}}", "fields.a b", "letters"},
        {CASEHOOK_CREATE, "{\"title\":\"t\",\"fields\":{\"a.b\":1}}", "fields.a.b", "letters"},
        {CASEHOOK_CREATE, "{\"title\":\"t\",\"fields\":{\"\":1}}", "fields", "letters"},
        {CASEHOOK_CREATE, "{\"title\":\"t\",\"fields\":{\"a\":1,\"a\":2}}", "fields.a", "twice"},
        {CASEHOOK_CREATE, "{\"title\":\"t\",\"fields\":{\"a\":{\"b\":1}}}", "fields.a", "an object"},
        {CASEHOOK_CREATE, "{\"title\":\"t\",\"fields\":{\"a\":[\"x\",[\"y\"]]}}", "fields.a", "an array"},
        {CASEHOOK_CREATE, "{\"title\":\"t\",\"fields\":[]}", "fields", "an object"},
        {CASEHOOK_CREATE, "{\"incident\":{\"title\":\"t\",}}", "", ""},
        {CASEHOOK_CREATE, "", "", ""},
        {CASEHOOK_CREATE, "[]", "", "object"},
        {CASEHOOK_CREATE, "{\"incident\":[]}", "incident", "an object"},
    };
    struct casehook__parsed_params params;
    casehook__params_init(&params, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct casehook_error error;
        error.heap = NULL;
        casehook__error_init(&error);
        assert_int_equal(
            casehook__params_from_json(&params, cases[i].operation, casehook__text(cases[i].json), &error),
            CASEHOOK_E_PARAMS);
        assert_string_equal(error.field, cases[i].field);
        assert_non_null(strstr(error.message, cases[i].says));
        assert_int_equal(error.step, CASEHOOK_STEP_PARAMS);
        /* the same without an error to be told in */
        assert_int_equal(
            casehook__params_from_json(&params, cases[i].operation, casehook__text(cases[i].json), NULL),
            CASEHOOK_E_PARAMS);
    }
    casehook__params_free(&params);
}

static void faults_have_their_offset(void **state)
{
    (void)state;
    struct casehook__parsed_params params;
    struct casehook_error error;
    casehook__error_init(&error);
    casehook__params_init(&params, NULL);
    casehook__params_from_json(&params, CASEHOOK_CREATE, casehook__text("{\"title\":\"t\",\"id\":5}"),
                               &error);
    assert_int_equal(error.offset, 18);
    casehook__params_free(&params);
}

static void ids_are_bounded(void **state)
{
    (void)state;
    char id[CASEHOOK__ID_MAX_BYTES + 2];
    memset(id, 'a', sizeof id);
    assert_null(casehook__id_fault((struct casehook__text){id, CASEHOOK__ID_MAX_BYTES}));
    assert_non_null(casehook__id_fault((struct casehook__text){id, CASEHOOK__ID_MAX_BYTES + 1}));
    assert_non_null(casehook__id_fault(casehook__text("")));
    assert_null(casehook__id_fault(casehook__text("...")));
}

static void fields_keep_their_text(void **state)
{
    (void)state;
    struct casehook__parsed_params params;
    casehook__params_init(&params, NULL);
    const char *json =
        "{\"title\":\"t\",\"fields\":{\"n\":0.10,\"long\":123456789012345678901234567890,"
        "\"t\":\"a\\\"b\",\"y\":true,\"f\":false,\"z\":null,\"l\":[1.0,\"x\\ty\",null],\"e\":[]}}";
    assert_int_equal(casehook__params_from_json(&params, CASEHOOK_CREATE, casehook__text(json), NULL),
                     CASEHOOK_OK);
    assert_int_equal(params.fields.count, 8);
    assert_text(member(&params.fields, "n")->text, "0.10");
    assert_text(member(&params.fields, "long")->text, "123456789012345678901234567890");
    assert_int_equal(member(&params.fields, "long")->kind, CASEHOOK__VALUE_NUMBER);
    assert_text(member(&params.fields, "t")->text, "a\"b");
    assert_int_equal(member(&params.fields, "y")->kind, CASEHOOK__VALUE_TRUE);
    assert_int_equal(member(&params.fields, "f")->kind, CASEHOOK__VALUE_FALSE);
    assert_int_equal(member(&params.fields, "z")->kind, CASEHOOK__VALUE_NULL);
    const struct casehook__value *list = member(&params.fields, "l");
    assert_int_equal(list->kind, CASEHOOK__VALUE_LIST);
    assert_int_equal(list->count, 3);
    assert_text(list->items[0].text, "1.0");
    assert_text(list->items[1].text, "x\ty");
    assert_int_equal(list->items[2].kind, CASEHOOK__VALUE_NULL);
    assert_int_equal(member(&params.fields, "e")->count, 0);
    casehook__params_free(&params);
}

static void tags_and_labels_stand_in(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t tags, labels;
    } cases[] = {
        {"{\"title\":\"t\"}", 0, 0},
        {"{\"title\":\"t\",\"tags\":[\"a\",\"b\"]}", 2, 2},
        {"{\"title\":\"t\",\"labels\":[\"a\"]}", 1, 1},
        {"{\"title\":\"t\",\"labels\":[\"a\"],\"tags\":[]}", 0, 1},
        {"{\"title\":\"t\",\"labels\":null,\"tags\":[\"a\"]}", 1, 1},
        {"{\"title\":\"t\",\"labels\":[\"x\",\"y\"],\"tags\":[\"a\"]}", 1, 2},
    };
    struct casehook__parsed_params params;
    casehook__params_init(&params, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(
            casehook__params_from_json(&params, CASEHOOK_CREATE, casehook__text(cases[i].json), NULL),
            CASEHOOK_OK);
        assert_int_equal(params.tags.kind, CASEHOOK__VALUE_LIST);
        assert_int_equal(params.tags.count, cases[i].tags);
        assert_int_equal(params.labels.count, cases[i].labels);
    }
    casehook__params_free(&params);
}

static void too_many(void **state)
{
    (void)state;
    struct casehook__parsed_params params;
    casehook__params_init(&params, NULL);
    size_t size = 1000000, length;
    char *json = malloc(size);
    assert_non_null(json);
    length = (size_t)snprintf(json, size, "{\"title\":\"t\",\"comments\":[");
    for (int i = 0; i <= CASEHOOK__COMMENTS_MAX; i++)
        length += (size_t)snprintf(json + length, size - length, "%s{\"commentId\":\"\",\"comment\":\"\"}",
                                   i ? "," : "");
    length += (size_t)snprintf(json + length, size - length, "]}");
    struct casehook__text text = {json, length};
    assert_int_equal(casehook__params_from_json(&params, CASEHOOK_PUSH, text, NULL), CASEHOOK_E_PARAMS);
    length = (size_t)snprintf(json, size, "{\"title\":\"t\",\"fields\":{");
    for (int i = 0; i <= CASEHOOK__FIELDS_MAX; i++)
        length += (size_t)snprintf(json + length, size - length, "%s\"f%d\":1", i ? "," : "", i);
    length += (size_t)snprintf(json + length, size - length, "}}");
    text.length = length;
    assert_int_equal(casehook__params_from_json(&params, CASEHOOK_PUSH, text, NULL), CASEHOOK_E_PARAMS);
    free(json);
    casehook__params_free(&params);
}

static struct casehook_params base(void)
{
    return (struct casehook_params){.struct_size = sizeof(struct casehook_params), .title = "t"};
}

static void struct_accepted(void **state)
{
    (void)state;
    static const char *const tags[] = {"a", "b"};
    static const struct casehook_comment comments[] = {{"c1", "one"}, {"c2", ""}};
    struct casehook__parsed_params params;
    struct casehook_error error;
    casehook__error_init(&error);
    struct casehook_params source = base();
    source.external_id = "12";
    source.tags = tags;
    source.tag_count = 2;
    source.fields = "{\"a\":[\"\\u00e9\"]}, and more";
    source.fields_length = 16;
    source.comments = comments;
    source.comment_count = 2;
    source.comment_size = sizeof *comments;
    casehook__params_init(&params, NULL);
    assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_PUSH, &source, &error), CASEHOOK_OK);
    assert_text(params.title, "t");
    assert_null(params.description.data);
    assert_text(params.tags.items[1].text, "b");
    assert_int_equal(params.labels.count, 2);
    assert_text(member(&params.fields, "a")->items[0].text, "\xC3\xA9");
    assert_int_equal(params.comment_count, 2);
    assert_text(params.comments[0].text, "one");

    source.labels = tags;
    source.label_count = 0; /* present and empty */
    assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_PUSH, &source, &error), CASEHOOK_OK);
    assert_int_equal(params.labels.count, 0);
    assert_int_equal(params.tags.count, 2);

    source.title = NULL;
    source.fields = "no json"; /* a get ignores it */
    source.fields_length = CASEHOOK_TERMINATED;
    assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_GET, &source, &error), CASEHOOK_OK);
    assert_text(params.external_id, "12");
    casehook__params_free(&params);
}

static void struct_refused(void **state)
{
    (void)state;
    static const char *const tags[] = {"a", NULL};
    static const struct casehook_comment no_id[] = {{NULL, "x"}}, no_text[] = {{"c", NULL}};
    struct casehook__parsed_params params;
    struct casehook_params sources[12];
    static const struct {
        int status;
        const char *field;
    } expected[12] = {
        {CASEHOOK_E_ARGUMENT, ""},
        {CASEHOOK_E_ARGUMENT, ""},
        {CASEHOOK_E_PARAMS, "title"},
        {CASEHOOK_E_PARAMS, "tags[1]"},
        {CASEHOOK_E_PARAMS, "fields"},
        {CASEHOOK_E_PARAMS, "fields"},
        {CASEHOOK_E_PARAMS, "comments[0].id"},
        {CASEHOOK_E_PARAMS, "comments[0].text"},
        {CASEHOOK_E_ARGUMENT, "comment_size"},
        {CASEHOOK_E_ARGUMENT, "labels"},
        {CASEHOOK_E_PARAMS, "external_id"},
        {CASEHOOK_E_PARAMS, "comments"},
    };
    for (size_t i = 0; i < 12; i++) sources[i] = base();
    sources[0].struct_size = 0;
    sources[1].struct_size = CASEHOOK__PARAMS_FIRST_SIZE - 1;
    sources[2].title = NULL;
    sources[3].tags = tags;
    sources[3].tag_count = 2;
    sources[4].fields = "{\"a\":}";
    sources[5].fields = "[1]";
    sources[4].fields_length = sources[5].fields_length = CASEHOOK_TERMINATED;
    for (size_t i = 6; i < 9; i++) {
        sources[i].comments = i == 7 ? no_text : no_id;
        sources[i].comment_count = 1;
        sources[i].comment_size = i == 8 ? 0 : sizeof(struct casehook_comment);
    }
    sources[9].label_count = 1;
    sources[10].external_id = "..";
    sources[11].comments = no_id;
    sources[11].comment_count = CASEHOOK__COMMENTS_MAX + 1;
    sources[11].comment_size = sizeof(struct casehook_comment);
    casehook__params_init(&params, NULL);
    for (size_t i = 0; i < 12; i++) {
        struct casehook_error error;
        casehook__error_init(&error);
        casehook__error_init(&error);
        assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_PUSH, &sources[i], &error),
                         expected[i].status);
        assert_string_equal(error.field, expected[i].field);
        assert_true(error.message[0]);
    }
    struct casehook_params good = base();
    assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_PUSH, NULL, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook__params_from_struct(&params, 0, &good, NULL), CASEHOOK_E_ARGUMENT);
    assert_int_equal(casehook__params_from_struct(&params, 6, &good, NULL), CASEHOOK_E_ARGUMENT);
    casehook__params_free(&params);
}

/* Comments of a newer header are longer; what is new in them must be zero. */
static void longer_comments(void **state)
{
    (void)state;
    struct {
        struct casehook_comment known;
        void *fresh;
    } comments[2] = {{{"a", "one"}, NULL}, {{"b", "two"}, NULL}};
    struct casehook_params source = base();
    source.comments = &comments[0].known;
    source.comment_count = 2;
    source.comment_size = sizeof *comments;
    struct casehook__parsed_params params;
    casehook__params_init(&params, NULL);
    assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_PUSH, &source, NULL), CASEHOOK_OK);
    assert_text(params.comments[1].text, "two");
    comments[1].fresh = &source;
    assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_PUSH, &source, NULL),
                     CASEHOOK_E_ARGUMENT);
    casehook__params_free(&params);
}

static const char *const big_json = "{\"incident\":{\"title\":\"a\\nb\",\"description\":\"\\u00e9\",\"tags\":"
                                    "[\"x\",\"y\\\\\"],\"fields\":{\"a\":[1,2],"
                                    "\"b\":\"\\t\"}},\"comments\":[{\"commentId\":\"1\",\"comment\":\"c\"},{"
                                    "\"commentId\":\"2\",\"comment\":\"\\\"\"}]}";

static void warm_calls_allocate_nothing(void **state)
{
    (void)state;
    struct counter counter = {0};
    struct casehook_allocator allocator = {sizeof allocator, &counter, count_reallocate, NULL};
    struct casehook__heap *heap = NULL;
    struct casehook__parsed_params params;
    assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
    casehook__params_init(&params, heap);
    for (int i = 0; i < 3; i++) {
        size_t before = counter.calls;
        assert_int_equal(casehook__params_from_json(&params, CASEHOOK_PUSH, casehook__text(big_json), NULL),
                         CASEHOOK_OK);
        if (i) assert_int_equal(counter.calls, before);
        assert_text(params.title, "a\nb");
        assert_text(params.comments[1].text, "\"");
    }
    casehook__params_free(&params);
    casehook__heap_unref(heap);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    for (size_t fail_at = 2;; fail_at++) {
        struct counter counter = {.fail_at = fail_at};
        struct casehook_allocator allocator = {sizeof allocator, &counter, count_reallocate, NULL};
        struct casehook__heap *heap = NULL;
        struct casehook__parsed_params params;
        assert_int_equal(casehook__heap_new(&allocator, &heap), CASEHOOK_OK);
        casehook__params_init(&params, heap);
        int status = casehook__params_from_json(&params, CASEHOOK_PUSH, casehook__text(big_json), NULL);
        casehook__params_free(&params);
        casehook__heap_unref(heap);
        if (counter.calls < fail_at) {
            assert_int_equal(status, CASEHOOK_OK);
            assert_true(fail_at > 4); /* some calls did fail */
            return;
        }
        assert_int_equal(status, CASEHOOK_E_NO_MEMORY);
    }
}

static void the_tree(void **state)
{
    (void)state;
    struct casehook__parsed_params params;
    struct casehook__param_tree tree;
    const struct casehook__request_values absent = {.comment = {NULL, 0}},
                                          present = {.external_id = casehook__text("7"),
                                                     .external_title = casehook__text(""),
                                                     .comment = casehook__text("c"),
                                                     .idempotency_key = casehook__text("k")};
    casehook__params_init(&params, NULL);
    casehook__params_from_json(&params, CASEHOOK_CREATE,
                               casehook__text("{\"title\":\"t\",\"tags\":[\"a\"],\"fields\":{\"p\":1}}"),
                               NULL);
    casehook__params_tree(&params, &absent, &tree);
    const struct casehook__value *cases = member(&tree.root, "case");
    assert_text(member(cases, "title")->text, "t");
    assert_int_equal(member(cases, "description")->kind, CASEHOOK__VALUE_TEXT);
    assert_text(member(cases, "description")->text, "");
    assert_int_equal(member(cases, "labels")->count, 1);
    assert_text(member(member(cases, "fields"), "p")->text, "1");
    assert_int_equal(member(cases, "comment")->kind, CASEHOOK__VALUE_ABSENT);
    const struct casehook__value *external = member(member(&tree.root, "external"), "system");
    assert_int_equal(member(external, "id")->kind, CASEHOOK__VALUE_ABSENT);
    assert_int_equal(member(external, "title")->kind, CASEHOOK__VALUE_ABSENT);

    casehook__params_clear(&params); /* nothing given at all */
    casehook__params_tree(&params, &present, &tree);
    cases = member(&tree.root, "case");
    external = member(member(&tree.root, "external"), "system");
    assert_text(member(cases, "title")->text, "");
    assert_int_equal(member(cases, "tags")->kind, CASEHOOK__VALUE_LIST);
    assert_int_equal(member(cases, "fields")->kind, CASEHOOK__VALUE_OBJECT);
    assert_text(member(cases, "comment")->text, "c");
    assert_text(member(cases, "idempotencyKey")->text, "k");
    assert_text(member(external, "id")->text, "7");
    assert_text(member(external, "ID")->text, "7");
    assert_int_equal(member(external, "title")->kind, CASEHOOK__VALUE_TEXT);
    casehook__params_free(&params);
}

/* Where the schema says that a variable stands is what its name leads to. */
static void places_in_the_tree(void **state)
{
    (void)state;
    struct casehook__parsed_params params;
    struct casehook__param_tree tree;
    const struct casehook__request_values absent = {.comment = {NULL, 0}};
    const struct casehook__schema *schema = casehook__schema_all();
    casehook__params_init(&params, NULL);
    casehook__params_tree(&params, &absent, &tree);
    assert_true(schema->count > 10);
    for (size_t i = 0; i < schema->count; i++) {
        struct casehook__text name = casehook__text(schema->variables[i].name);
        const struct casehook__value *value = &tree.root;
        if (name.data[name.length - 1] == '*') name.length -= 2;
        assert_int_not_equal(schema->variables[i].place[0], 0);
        for (const uint8_t *place = schema->variables[i].place; *place; place++) {
            assert_int_equal(value->kind, CASEHOOK__VALUE_OBJECT);
            assert_in_range(*place, 1, value->count);
            value = &value->items[*place - 1];
        }
        assert_ptr_equal(value, casehook__value_at(&tree.root, name));
    }
    casehook__params_free(&params);
}

/* The largest params, of bytes that become three each. */
static void the_largest_params(void **state)
{
    (void)state;
    struct casehook__parsed_params params;
    static const char head[] = "{\"title\":\"\\n", tail[] = "\"}";
    size_t inside = CASEHOOK__PARAMS_MAX_BYTES - (sizeof head - 1) - (sizeof tail - 1);
    char *json = malloc(CASEHOOK__PARAMS_MAX_BYTES + 2);
    assert_non_null(json);
    casehook__params_init(&params, NULL);
    memcpy(json, head, sizeof head - 1);
    memset(json + sizeof head - 1, 0xFF, inside + 1);
    memcpy(json + sizeof head - 1 + inside, tail, sizeof tail);
    struct casehook__text text = {json, CASEHOOK__PARAMS_MAX_BYTES};
    assert_int_equal(casehook__params_from_json(&params, CASEHOOK_CREATE, text, NULL), CASEHOOK_OK);
    assert_int_equal(params.title.length, 1 + 3 * inside); /* with its escape, which makes it be decoded */
    memset(json + sizeof head - 1, 'a', inside + 1);
    memcpy(json + sizeof head + inside, tail, sizeof tail - 1);
    text.length++;
    assert_int_equal(casehook__params_from_json(&params, CASEHOOK_CREATE, text, NULL), CASEHOOK_E_PARAMS);
    free(json);
    casehook__params_free(&params);
}

/* Fields of a struct have the limit of all params, and a message of their own beyond it. */
static void the_largest_fields_of_a_struct(void **state)
{
    (void)state;
    struct casehook__parsed_params params;
    struct casehook_error error;
    char *fields = malloc(CASEHOOK__PARAMS_MAX_BYTES + 2);
    assert_non_null(fields);
    casehook__params_init(&params, NULL);
    memset(fields, ' ', CASEHOOK__PARAMS_MAX_BYTES + 1);
    memcpy(fields, "{\"f\":1}", 7);
    struct casehook_params source = base();
    source.title = "";
    source.fields = fields;
    for (size_t more = 0; more < 2; more++) {
        source.fields_length = CASEHOOK__PARAMS_MAX_BYTES + more;
        casehook__error_init(&error);
        assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_CREATE, &source, &error),
                         more ? CASEHOOK_E_PARAMS : CASEHOOK_OK);
        assert_string_equal(error.field, more ? "fields" : "");
    }
    assert_non_null(strstr(error.message, "too large"));
    free(fields);
    casehook__params_free(&params);
}

/* All lists together. */
static void the_longest_lists(void **state)
{
    (void)state;
    struct casehook__parsed_params params;
    size_t size = 4 * (size_t)CASEHOOK__ITEMS_MAX + 100;
    char *json = malloc(size);
    assert_non_null(json);
    casehook__params_init(&params, NULL);
    for (size_t more = 0; more < 2; more++) {
        char *at = json + sprintf(json, "{\"title\":\"t\",\"tags\":[\"\"");
        for (size_t i = 1; i < CASEHOOK__ITEMS_MAX / 2; i++) at += sprintf(at, ",\"\"");
        at += sprintf(at, "],\"labels\":[\"\"");
        for (size_t i = 1; i < CASEHOOK__ITEMS_MAX / 2 + more; i++) at += sprintf(at, ",\"\"");
        sprintf(at, "]}");
        assert_int_equal(casehook__params_from_json(&params, CASEHOOK_CREATE, casehook__text(json), NULL),
                         more ? CASEHOOK_E_PARAMS : CASEHOOK_OK);
    }
    free(json);
    casehook__params_free(&params);
}

/* Each member by the name that it has where it was given. */
static void names_of_external_fields(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
    } cases[] = {{"{\"a\":", "external_fields"},
                 {"[]", "external_fields"},
                 {"{\"a b\":1}", "external_fields.a b"},
                 {"{\"a\":true}", "external_fields.a"}};
    char text[8192] = "{", json[64];
    for (size_t i = 0; i <= CASEHOOK__FIELDS_MAX; i++)
        sprintf(text + strlen(text), "%s\"n%zu\":1", i ? "," : "", i);
    strcat(text, "}");
    for (size_t i = 0; i <= sizeof cases / sizeof *cases; i++) {
        bool many = i == sizeof cases / sizeof *cases;
        struct casehook__parsed_params params;
        struct casehook_error error;
        struct casehook_params source = {.struct_size = sizeof source,
                                         .title = "t",
                                         .external_fields = many ? text : cases[i].text,
                                         .external_fields_length = CASEHOOK_TERMINATED};
        casehook__error_init(&error);
        casehook__params_init(&params, NULL);
        assert_int_equal(casehook__params_from_struct(&params, CASEHOOK_CREATE, &source, &error),
                         CASEHOOK_E_PARAMS);
        assert_string_equal(error.field, many ? "external_fields" : cases[i].field);
        casehook__params_free(&params);
    }
    struct casehook__parsed_params params;
    struct casehook_error error;
    casehook__error_init(&error);
    casehook__params_init(&params, NULL);
    snprintf(json, sizeof json, "{\"title\":\"t\",\"externalFields\":%s}", cases[3].text);
    assert_int_equal(casehook__params_from_json(&params, CASEHOOK_CREATE, casehook__text(json), &error),
                     CASEHOOK_E_PARAMS);
    assert_string_equal(error.field, "externalFields.a");
    casehook__params_free(&params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_accepted),
        cmocka_unit_test(json_refused),
        cmocka_unit_test(faults_have_their_offset),
        cmocka_unit_test(ids_are_bounded),
        cmocka_unit_test(fields_keep_their_text),
        cmocka_unit_test(tags_and_labels_stand_in),
        cmocka_unit_test(too_many),
        cmocka_unit_test(struct_accepted),
        cmocka_unit_test(struct_refused),
        cmocka_unit_test(names_of_external_fields),
        cmocka_unit_test(longer_comments),
        cmocka_unit_test(warm_calls_allocate_nothing),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(the_tree),
        cmocka_unit_test(places_in_the_tree),
        cmocka_unit_test(the_largest_params),
        cmocka_unit_test(the_largest_fields_of_a_struct),
        cmocka_unit_test(the_longest_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
