/* template_render.c - runs a compiled template with values. */
#include "template/template_private.h"

/* An open section. */
struct render_frame {
    const struct casehook__value *value; /* what `.` is */
    const struct casehook__value *items; /* of a list; else value itself */
    size_t index, count;
};

struct renderer {
    const struct casehook__template *tmpl;
    const struct casehook__value *root;
    struct casehook__buf *out;
    struct casehook_error *error;
    const struct casehook__template_watch *watch;
    size_t start; /* where this rendering begins in out */
    size_t steps;
    bool unproved; /* it went beyond what the combinations showed */
    int unmade;    /* why a value could not be made */
    struct casehook__guard guard;
    size_t depth;
    struct render_frame frames[CASEHOOK__TEMPLATE_MAX_DEPTH];
};

static const struct casehook__value yes = {.kind = CASEHOOK__VALUE_TRUE},
                                    no = {.kind = CASEHOOK__VALUE_FALSE};

static const struct casehook__value *find_member(struct renderer *r, const struct casehook__value *object,
                                                 struct casehook__text name)
{
    if (!object || object->kind != CASEHOOK__VALUE_OBJECT) return NULL;
    for (size_t i = 0; i < object->count; i++) {
        if (!casehook__text_equal(object->names[i], name)) continue;
        r->steps += i / 16; /* a search is work too */
        return &object->items[i];
    }
    r->steps += object->count / 16;
    return NULL;
}

static const struct casehook__value *follow_names(const struct casehook__value *value, const char *name)
{
    struct casehook__text path = casehook__text(name);
    while (value && path.length && *path.data != '*') value = casehook__value_part(value, &path);
    return value;
}

static const struct casehook__value *follow_place(const struct casehook__value *value, const uint8_t *place)
{
    for (; *place; place++) {
        if (value->kind != CASEHOOK__VALUE_OBJECT || *place > value->count) return NULL;
        value = &value->items[*place - 1];
    }
    return value;
}

/* A variable of the schema; the operation has the name that its `*` stands for. */
static const struct casehook__value *follow_path(struct renderer *r, const struct casehook__op *op)
{
    const struct casehook__variable *variable = &r->tmpl->variables[op->variable];
    const struct casehook__value *value =
        *variable->place ? follow_place(r->root, variable->place) : follow_names(r->root, variable->name);
    if (value && op->length)
        value = find_member(r, value, casehook__template_name(r->tmpl, op->name, op->length));
    if (value && value->kind == CASEHOOK__VALUE_MADE) {
        int status = value->source->make(value->source, value->count, &value, r->error);
        if (status) value = NULL;
        if (status) r->unmade = status;
    }
    return value;
}

static bool is_empty(const struct casehook__value *value)
{
    if (!value || value->kind == CASEHOOK__VALUE_ABSENT || value->kind == CASEHOOK__VALUE_NULL) return true;
    if (value->kind == CASEHOOK__VALUE_LIST) return value->count == 0;
    return value->kind == CASEHOOK__VALUE_TEXT && value->text.length == 0;
}

bool casehook__template_lacks(const struct casehook__template *tmpl, const struct casehook__value *root)
{
    struct casehook_error error; /* a value that cannot be made is told when it is rendered */
    struct renderer r;
    r.tmpl = tmpl;
    r.root = root;
    r.error = &error;
    r.steps = 0;
    r.unmade = CASEHOOK_OK;
    casehook__error_init(&error);
    for (size_t i = 0; i < tmpl->op_count;) {
        const struct casehook__op *op = &tmpl->ops[i++];
        if (op->code == CASEHOOK__OP_TEST || op->code == CASEHOOK__OP_OPEN)
            i = op->target;
        else if (op->code == CASEHOOK__OP_VALUE && op->base == CASEHOOK__BASE_PATH &&
                 is_empty(follow_path(&r, op)))
            return true;
    }
    return false;
}

/* Takes the first part away from a name; of the last one name.data is NULL then. */
static struct casehook__text take_part(struct casehook__text *name)
{
    struct casehook__text part = *name;
    const char *dot = memchr(name->data, '.', name->length);
    if (dot) part.length = (size_t)(dot - name->data);
    *name = dot ? casehook__text_from(*name, part.length + 1) : (struct casehook__text){NULL, 0};
    return part;
}

/* The innermost section that knows the first part decides, even when the rest is not there. */
static const struct casehook__value *search(struct renderer *r, const struct casehook__op *op)
{
    struct casehook__text rest = casehook__template_name(r->tmpl, op->name, op->length);
    struct casehook__text part = take_part(&rest);
    const struct casehook__value *value = NULL;
    for (size_t i = r->depth; i-- > 0 && !value;) value = find_member(r, r->frames[i].value, part);
    if (!value) value = find_member(r, r->root, part);
    while (value && rest.data) value = find_member(r, value, take_part(&rest));
    return value;
}

static const struct casehook__value *evaluate(struct renderer *r, const struct casehook__op *op)
{
    const struct render_frame *top = r->depth ? &r->frames[r->depth - 1] : NULL;
    switch ((enum casehook__base)op->base) {
    case CASEHOOK__BASE_PATH: return follow_path(r, op);
    case CASEHOOK__BASE_STACK: return search(r, op);
    case CASEHOOK__BASE_DOT: return top ? top->value : r->root;
    case CASEHOOK__BASE_FIRST: return !top || top->index == 0 ? &yes : &no;
    case CASEHOOK__BASE_LAST: return !top || top->index + 1 == top->count ? &yes : &no;
    case CASEHOOK__BASE_TRUE: return &yes;
    case CASEHOOK__BASE_UNKNOWN: break;
    }
    return NULL;
}

/* render_at: where a variable stands. */
static void tell_variable(struct renderer *r, const struct casehook__op *op)
{
    bool known =
        op->base == CASEHOOK__BASE_PATH || op->base == CASEHOOK__BASE_STACK || op->base == CASEHOOK__BASE_DOT;
    if (r->watch->at && known) r->watch->at(r->watch->user, r->out);
}

static int body_not_json(struct renderer *r, const struct casehook__op *op)
{
    return casehook__fail_at(
        r->error, CASEHOOK_E_CONFIG, op->at,
        "the body is not JSON with these values: outside quotes a variable is a whole JSON "
        "value, but what is rendered touches it at byte %u of the template",
        (unsigned)op->at);
}

static int do_literal(struct renderer *r, const struct casehook__op *op)
{
    struct casehook__text text = {r->tmpl->text + op->at, op->length};
    if (!casehook__guard_literal(&r->guard, r->out, text)) return body_not_json(r, op);
    return casehook__buf_append_text(r->out, text);
}

/* JSON of others, of whose depth and keys no proof knows. */
static bool holds_json(const struct casehook__value *value)
{
    bool is_list = value && value->kind == CASEHOOK__VALUE_LIST;
    for (size_t i = 0; is_list && i < value->count; i++)
        if (value->items[i].kind == CASEHOOK__VALUE_JSON) return true;
    return value && value->kind == CASEHOOK__VALUE_JSON;
}

static int do_value(struct renderer *r, const struct casehook__op *op)
{
    tell_variable(r, op);
    if (op->base == CASEHOOK__BASE_UNKNOWN) return CASEHOOK_OK;
    const struct casehook__value *value = evaluate(r, op);
    if (r->tmpl->kind != CASEHOOK__TEMPLATE_JSON || op->inside)
        return casehook__value_write(r->tmpl, op, value, r->out);
    if (!casehook__guard_value(&r->guard, r->out)) return body_not_json(r, op);
    if (holds_json(value)) r->unproved = true;
    int status = casehook__value_write(r->tmpl, op, value, r->out);
    casehook__guard_value_done(&r->guard, r->out);
    return status;
}

/* Whether the section is entered. */
static bool do_open(struct renderer *r, const struct casehook__op *op)
{
    tell_variable(r, op);
    const struct casehook__value *value = evaluate(r, op);
    if (casehook__value_true(value) == op->negated) return false;
    if (op->code == CASEHOOK__OP_TEST) return true;
    struct render_frame *frame = &r->frames[r->depth++];
    bool list = value->kind == CASEHOOK__VALUE_LIST;
    *frame = (struct render_frame){value, value, 0, 1};
    if (list) *frame = (struct render_frame){value->items, value->items, 0, value->count};
    if (op->tested && frame->count > r->tmpl->tested[op->tested - 1].trusted) r->unproved = true;
    return true;
}

/* Whether the section goes round once more. */
static bool do_close(struct renderer *r)
{
    struct render_frame *frame = &r->frames[r->depth - 1];
    if (++frame->index < frame->count) {
        frame->value = &frame->items[frame->index];
        return true;
    }
    r->depth--;
    return false;
}

static int render_run(struct renderer *r)
{
    const struct casehook__op *ops = r->tmpl->ops;
    int status = CASEHOOK_OK;
    for (size_t i = 0; i < r->tmpl->op_count && !status;) {
        const struct casehook__op *op = &ops[i++];
        if (++r->steps > CASEHOOK__TEMPLATE_MAX_STEPS)
            return casehook__fail_at(
                r->error, CASEHOOK_E_LIMIT, op->at,
                "rendering takes more than %d steps: fewer list sections inside each other "
                "than at byte %u of the template, or shorter lists",
                CASEHOOK__TEMPLATE_MAX_STEPS, (unsigned)op->at);
        switch ((enum casehook__op_code)op->code) {
        case CASEHOOK__OP_LITERAL: status = do_literal(r, op); break;
        case CASEHOOK__OP_VALUE: status = do_value(r, op); break;
        case CASEHOOK__OP_TEST:
        case CASEHOOK__OP_OPEN:
            if (!do_open(r, op)) i = op->target;
            break;
        case CASEHOOK__OP_CLOSE:
            if (do_close(r)) i = op->target + 1;
            break;
        }
        if (r->unmade) status = r->unmade;
    }
    return status;
}

/* T6 */
static void trim_body(struct casehook__buf *out, size_t start)
{
    size_t from = start;
    while (out->length > start && casehook__is_space(out->data[out->length - 1])) out->length--;
    while (from < out->length && casehook__is_space(out->data[from])) from++;
    if (from > start) memmove(out->data + start, out->data + from, out->length - from);
    out->length -= from - start;
    if (out->data) out->data[out->length] = '\0';
}

static int check_json(struct renderer *r)
{
    struct casehook__buf *out = r->out;
    struct casehook__text text = {casehook__buf_string(out) + r->start, out->length - r->start}, twins[2];
    bool unproved = !r->tmpl->proved || r->unproved;
    if (unproved) {
        size_t offset = 0;
        enum casehook__js_fault fault = casehook__template_json_fault(text, &offset);
        if (fault != CASEHOOK__JS_VALID)
            return casehook__fail(
                r->error, CASEHOOK_E_CONFIG,
                "the body %s with these values (byte %zu of what is rendered): see the sections of "
                "the template",
                casehook__js_fault_name(fault), offset);
    }
    if (!unproved && !r->tmpl->variable_keys) return CASEHOOK_OK;
    int status = casehook__keys_check(r->tmpl, out, r->start, false, twins, NULL);
    if (status != CASEHOOK_E_PARAMS) return status;
    return casehook__fail(
        r->error, status,
        "two keys \"%.*s\" in one object of the body: give the variables in them other values",
        twins[1].length > 80 ? 80 : (int)twins[1].length, twins[1].data);
}

/* An error has its text already unless it is the buffer's. */
static int explain(struct renderer *r, int status)
{
    if (status == r->out->status && status == CASEHOOK_E_NO_MEMORY) return casehook__fail_memory(r->error);
    if (status == r->out->status && status == CASEHOOK_E_LIMIT)
        return casehook__fail(r->error, status, "what is rendered is larger than %zu bytes", r->out->limit);
    return status;
}

int casehook__template_render_at(const struct casehook__template *tmpl, const struct casehook__value *root,
                                 const struct casehook__template_watch *watch, struct casehook__buf *out,
                                 struct casehook_error *error)
{
    struct renderer r;
    r.tmpl = tmpl;
    r.root = root;
    r.out = out;
    r.error = error;
    r.watch = watch;
    r.start = out->length;
    r.steps = r.depth = 0;
    r.unproved = false;
    r.unmade = CASEHOOK_OK;
    r.guard = (struct casehook__guard){.from = out->length};
    size_t room = out->limit - out->length;
    int status = casehook__buf_reserve(out, tmpl->length < room ? tmpl->length : room);
    if (!status) status = render_run(&r);
    if (watch->steps) *watch->steps += r.steps;
    if (!status && tmpl->kind == CASEHOOK__TEMPLATE_JSON) {
        trim_body(out, r.start);
        status = check_json(&r);
    }
    if (!status) return CASEHOOK_OK;
    out->length = r.start;
    if (out->data) out->data[out->length] = '\0';
    return explain(&r, status);
}

int casehook__template_render(const struct casehook__template *tmpl, const struct casehook__value *root,
                              struct casehook__buf *out, struct casehook_error *error)
{
    static const struct casehook__template_watch nobody = {0};
    return casehook__template_render_at(tmpl, root, &nobody, out, error);
}
