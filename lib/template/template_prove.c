/*
 * template_prove.c - every combination of the variables that can change the structure of a body (C3).
 *
 * Only sections outside strings change the structure, and a value there is always a whole value, so
 * a rendering stands for all values of the same combination: `[]` is put for values (nothing that
 * touches it could make JSON with it) and a mark for whatever tags do inside strings.  Sections
 * inside strings are gone through once, for the escapes and controls in them.
 *
 * The work is bounded by BUDGET; beyond it strict refuses the template and lenient leaves the check
 * to each rendering, so that nothing unproved is ever sent unseen.
 */
#include "template/template_private.h"

#include <stdio.h>

#define BUDGET   ((size_t)64 << 20) /* bytes and steps of all combinations */
#define KEY_COST 64                 /* looking for equal keys, in bytes of text for each */

enum verdict {
    IS_JSON,
    NOT_JSON,
    IS_GLUED,
    REPEATS_KEY, /* one key of the template, by iteration */
    HAS_TWINS,   /* two keys of the template */
    TOO_LONG,
    NO_MEMORY
};

struct prove_frame {
    size_t index, count;
};

struct prover {
    struct casehook__template *tmpl;
    struct casehook_error *error;
    struct casehook__buf out;
    uint8_t members[CASEHOOK__TESTED_MAX]; /* the combination: times that a section is gone through */
    struct casehook__guard guard;
    struct prove_frame frames[CASEHOOK__TEMPLATE_MAX_DEPTH];
    size_t depth, work;
    /* Looking for the source of one byte: SIZE_MAX, or the byte; then its place in the template. */
    size_t wanted, source;
    /* Of a verdict. */
    enum casehook__js_fault fault;
    size_t at;
    size_t key_length;
};

static size_t times(const struct prover *p, const struct casehook__op *op)
{
    const struct prove_frame *top = p->depth ? &p->frames[p->depth - 1] : NULL;
    switch ((enum casehook__base)op->base) {
    case CASEHOOK__BASE_PATH:
    case CASEHOOK__BASE_STACK: return op->tested ? p->members[op->tested - 1] : 1;
    case CASEHOOK__BASE_FIRST: return !top || top->index == 0;
    case CASEHOOK__BASE_LAST: return !top || top->index + 1 == top->count;
    case CASEHOOK__BASE_DOT:
    case CASEHOOK__BASE_TRUE: return 1;
    case CASEHOOK__BASE_UNKNOWN: break;
    }
    return 0;
}

static int mark_seen(struct prover *p)
{
    return casehook__buf_append_char(&p->out, CASEHOOK__TAG_MARK);
}

/* False: something touches a value. */
static bool prove_put(struct prover *p, const struct casehook__op *op)
{
    struct casehook__text text = {p->tmpl->text + op->at, op->length};
    bool alone = true;
    if (op->code == CASEHOOK__OP_LITERAL) {
        alone = casehook__guard_literal(&p->guard, &p->out, text);
        casehook__buf_append_text(&p->out, text);
    } else if (op->inside) {
        mark_seen(p);
    } else if (op->base != CASEHOOK__BASE_UNKNOWN) {
        alone = casehook__guard_value(&p->guard, &p->out);
        casehook__buf_append(&p->out, "[]", 2);
        casehook__guard_value_done(&p->guard, &p->out);
    }
    return alone;
}

/* Whether the section is entered. */
static bool enter(struct prover *p, const struct casehook__op *op)
{
    if (op->inside) {
        mark_seen(p);
        return true;
    }
    size_t count = times(p, op);
    if ((count > 0) == op->negated) return false;
    if (op->code == CASEHOOK__OP_OPEN) p->frames[p->depth++] = (struct prove_frame){0, count};
    return true;
}

/* Whether the section goes round once more.  Members that touch are no fault of the text: see `[]`. */
static bool again(struct prover *p, const struct casehook__op *op)
{
    if (op->inside) return false;
    struct prove_frame *frame = &p->frames[p->depth - 1];
    if (++frame->index < frame->count) {
        p->guard = (struct casehook__guard){.from = p->out.length};
        return true;
    }
    p->depth--;
    return false;
}

/* One combination into out; stops when the wanted byte is written. */
static enum verdict prove_run(struct prover *p)
{
    const struct casehook__op *ops = p->tmpl->ops;
    size_t steps = 0;
    enum verdict verdict = IS_JSON;
    casehook__buf_clear(&p->out);
    p->guard = (struct casehook__guard){.from = 0};
    p->depth = 0;
    for (size_t i = 0; i < p->tmpl->op_count && verdict == IS_JSON && !p->out.status; steps++) {
        const struct casehook__op *op = &ops[i++];
        size_t before = p->out.length;
        if (steps == CASEHOOK__TEMPLATE_MAX_STEPS) verdict = TOO_LONG;
        if (op->code == CASEHOOK__OP_LITERAL || op->code == CASEHOOK__OP_VALUE) {
            if (!prove_put(p, op)) verdict = IS_GLUED;
        } else if (op->code == CASEHOOK__OP_CLOSE) {
            if (again(p, op)) i = op->target + 1;
        } else if (!enter(p, op)) {
            i = op->target;
        }
        if (verdict == IS_GLUED) p->at = op->at;
        if (p->out.length <= p->wanted) continue;
        p->source = op->at + (op->code == CASEHOOK__OP_LITERAL ? p->wanted - before : 0);
        break;
    }
    p->work += steps + p->out.length;
    if (p->out.status) return p->out.status == CASEHOOK_E_LIMIT ? TOO_LONG : NO_MEMORY;
    return verdict;
}

/* The place in the template that wrote byte offset of the rendering. */
static size_t source_of(struct prover *p, size_t offset)
{
    p->source = p->tmpl->length;
    p->wanted = offset;
    prove_run(p);
    p->wanted = SIZE_MAX;
    return p->source;
}

static enum verdict judge_keys(struct prover *p)
{
    struct casehook__text twins[2];
    size_t count = 0;
    int status = casehook__keys_check(p->tmpl, &p->out, 0, true, twins, &count);
    p->work += count * KEY_COST;
    if (!status) return IS_JSON;
    if (status != CASEHOOK_E_PARAMS) return NO_MEMORY;
    size_t first = (size_t)(twins[0].data - p->out.data), second = (size_t)(twins[1].data - p->out.data);
    p->key_length = twins[1].length;
    p->at = source_of(p, second);
    return source_of(p, first) == p->at ? REPEATS_KEY : HAS_TWINS;
}

static enum verdict judge_value(struct prover *p)
{
    enum verdict verdict = prove_run(p);
    if (verdict != IS_JSON) return verdict;
    struct casehook__text text = casehook__text_trim(casehook__buf_text(&p->out));
    size_t offset = 0, before = (size_t)(text.data - casehook__buf_string(&p->out));
    p->fault = casehook__template_json_fault(text, &offset);
    if (p->fault != CASEHOOK__JS_VALID) {
        p->at = before + offset;
        return NOT_JSON;
    }
    return judge_keys(p);
}

/* "with case.severity absent, case.tags of 2 members: ", nothing when nothing is tested. */
static void describe_place(const struct prover *p, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < p->tmpl->tested_count && length + 1 < size; i++) {
        const struct casehook__tested *tested = &p->tmpl->tested[i];
        const struct casehook__variable *variable = &p->tmpl->variables[tested->variable];
        int name = (int)(strlen(variable->name) - (tested->length ? 1 : 0)); /* without the `*` */
        int field = tested->length > 48 ? 48 : (int)tested->length;
        unsigned members = p->members[i];
        bool one = variable->type == CASEHOOK__VARIABLE_LIST && members == 1;
        const char *state = members == 0 ? " absent" : " present";
        if (one) state = " of 1 member";
        if (members == 2) state = " of 2 members";
        if (members == 3) state = " of 3 members";
        int written = snprintf(text + length, size - length, "%s%.*s%.*s%s", i ? ", " : "with ", name,
                               variable->name, field, p->tmpl->text + tested->name, state);
        length += written > 0 ? (size_t)written : 0;
    }
    if (length && length + 3 < size) memcpy(text + length, ": ", 3);
}

/* What stands at a place of the template, for a message. */
static struct casehook__text prove_excerpt(const struct prover *p, size_t at)
{
    struct casehook__text text = {p->tmpl->text + at, p->tmpl->length - at};
    for (size_t i = 0; i < p->tmpl->op_count; i++) {
        const struct casehook__op *op = &p->tmpl->ops[i];
        if (op->code == CASEHOOK__OP_LITERAL || op->at != at) continue;
        text.length = op->shown;
        return text;
    }
    size_t one = casehook__utf8_length(text.data, text.length);
    text.length = one < text.length ? one : text.length;
    return text;
}

/* Tells the verdict on the combination that was run last. */
static int refuse_body(struct prover *p, enum verdict verdict)
{
    char with[700];
    describe_place(p, with, sizeof with);
    if (verdict == NO_MEMORY) return casehook__fail_memory(p->error);
    if (verdict == TOO_LONG)
        return casehook__fail(p->error, CASEHOOK_E_CONFIG,
                              "%srendering the body takes more than %d steps or %d bytes", with,
                              CASEHOOK__TEMPLATE_MAX_STEPS, CASEHOOK__BODY_MAX_BYTES);
    struct casehook__text text = {p->tmpl->text, p->tmpl->length};
    size_t at = verdict == NOT_JSON ? source_of(p, p->at) : p->at;
    struct casehook__text around = casehook__template_around(text, at);
    if (verdict == IS_GLUED)
        return casehook__fail_at(
            p->error, CASEHOOK_E_CONFIG, at,
            "%soutside quotes a variable is a whole JSON value and nothing may touch it, but "
            "something does at byte %zu, in \"%.*s\"",
            with, at, (int)around.length, around.data);
    if (verdict == HAS_TWINS || verdict == REPEATS_KEY)
        return casehook__fail_at(p->error, CASEHOOK_E_CONFIG, at,
                                 "%sthe key \"%.*s\" at byte %zu is twice in one object", with,
                                 p->key_length > 80 ? 80 : (int)p->key_length, text.data + at, at);
    if (at >= p->tmpl->length)
        return casehook__fail_at(p->error, CASEHOOK_E_CONFIG, at, "%sthe body %s, behind \"%.*s\"", with,
                                 casehook__js_fault_name(p->fault), (int)around.length, around.data);
    struct casehook__text here = prove_excerpt(p, at);
    return casehook__fail_at(
        p->error, CASEHOOK_E_CONFIG, at, "%sthe body %s: \"%.*s\" at byte %zu, in \"%.*s\"", with,
        casehook__js_fault_name(p->fault), (int)here.length, here.data, at, (int)around.length, around.data);
}

/*
 * The next combination.  A text that is present and a list of one are rendered alike, so custom
 * fields have no fourth state.
 */
static bool prove_advance(struct prover *p)
{
    for (size_t i = 0; i < p->tmpl->tested_count; i++) {
        if (p->members[i] < p->tmpl->tested[i].most) {
            p->members[i]++;
            return true;
        }
        p->members[i] = 0;
    }
    return false;
}

/* Operations of a rendering in which every list has two members; counted up to one more than allowed. */
static size_t steps_with_two(const struct casehook__template *tmpl)
{
    const size_t most = CASEHOOK__TEMPLATE_MAX_STEPS + 1;
    size_t sums[CASEHOOK__TEMPLATE_MAX_DEPTH + 1] = {0}, depth = 0;
    for (size_t i = 0; i < tmpl->op_count; i++) {
        const struct casehook__op *op = &tmpl->ops[i];
        if (op->code == CASEHOOK__OP_CLOSE) {
            const struct casehook__op *open = &tmpl->ops[op->target];
            bool list = open->base == CASEHOOK__BASE_PATH && open->type != CASEHOOK__VARIABLE_TEXT;
            size_t body = sums[depth--] + 1;
            sums[depth] += list ? body * 2 : body;
        } else {
            sums[depth]++;
            if (op->code == CASEHOOK__OP_OPEN) sums[++depth] = 0;
        }
        if (sums[depth] > most) sums[depth] = most;
    }
    return sums[0];
}

static bool is_field(const struct casehook__template *tmpl, size_t tested)
{
    return tmpl->variables[tmpl->tested[tested].variable].type == CASEHOOK__VARIABLE_FIELD;
}

/*
 * `{{#case.fields.x}},"x":{{.}}{{/case.fields.x}}` is how an optional field is written.  That a list
 * in it would repeat the key does not condemn the template: such a list is the params' fault (T2), so
 * renderings that are given one are looked at.
 */
static bool is_fault_of_fields(struct prover *p)
{
    uint8_t combination[CASEHOOK__TESTED_MAX];
    memcpy(combination, p->members, sizeof combination);
    for (size_t i = 0; i < p->tmpl->tested_count && i < CASEHOOK__TESTED_MAX; i++)
        if (is_field(p->tmpl, i) && p->members[i] > 1) p->members[i] = 1;
    bool good = memcmp(combination, p->members, sizeof combination) != 0 && judge_value(p) == IS_JSON;
    for (size_t i = 0; i < p->tmpl->tested_count && good; i++)
        if (p->members[i] != combination[i]) p->tmpl->tested[i].trusted = 1;
    memcpy(p->members, combination, sizeof combination);
    return good;
}

static int prove_all(struct prover *p, bool strict, bool *complete)
{
    size_t good = 0, bad = 0;
    uint8_t first[CASEHOOK__TESTED_MAX] = {0}; /* that is not JSON */
    do {
        if (p->work > BUDGET) {
            if (!strict) return CASEHOOK_OK;
            return casehook__fail(
                p->error, CASEHOOK_E_CONFIG,
                "the sections of this template have too many combinations for its size: test fewer "
                "variables outside strings");
        }
        enum verdict verdict = judge_value(p);
        if (verdict == REPEATS_KEY && is_fault_of_fields(p)) verdict = IS_JSON;
        bool always = verdict == IS_GLUED || verdict == HAS_TWINS || verdict == NO_MEMORY;
        if (verdict != IS_JSON && (strict || always))
            return refuse_body(p, verdict == REPEATS_KEY ? judge_value(p) : verdict);
        if (verdict != IS_JSON && bad++ == 0) memcpy(first, p->members, sizeof first);
        if (verdict == IS_JSON) good++;
    } while (prove_advance(p));
    *complete = bad == 0;
    if (good) return CASEHOOK_OK;
    memcpy(p->members, first, sizeof first);
    return refuse_body(p, judge_value(p));
}

int casehook__template_prove(struct casehook__template *tmpl, bool strict, struct casehook_error *error)
{
    if (tmpl->kind != CASEHOOK__TEMPLATE_JSON) return CASEHOOK_OK;
    if (tmpl->too_many_tested) {
        if (!strict) return CASEHOOK_OK;
        return casehook__fail(
            error, CASEHOOK_E_CONFIG,
            "more than %d variables are tested by sections outside strings: their combinations are "
            "too many to be tried",
            CASEHOOK__TESTED_MAX);
    }
    bool too_long = steps_with_two(tmpl) > CASEHOOK__TEMPLATE_MAX_STEPS;
    if (too_long && strict)
        return casehook__fail(
            error, CASEHOOK_E_CONFIG,
            "with lists of 2 members rendering takes more than %d steps: fewer list sections inside "
            "each other",
            CASEHOOK__TEMPLATE_MAX_STEPS);
    struct prover p;
    memset(&p, 0, sizeof p);
    p.tmpl = tmpl;
    p.error = error;
    p.wanted = SIZE_MAX;
    casehook__buf_init(&p.out, tmpl->heap, CASEHOOK__BODY_MAX_BYTES);
    bool complete = false;
    for (size_t i = 0; i < tmpl->tested_count; i++) tmpl->tested[i].trusted = tmpl->tested[i].most;
    int status = prove_all(&p, strict, &complete);
    tmpl->proved = !status && complete && !tmpl->members_tested;
    casehook__buf_free(&p.out);
    return status;
}
