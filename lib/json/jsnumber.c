/*
 * jsnumber.c - the text that JavaScript makes of a JSON number (K3).
 *
 * Exact: the decimal is brought to the nearest double by integer division, and the shortest digits
 * that lead back to it are generated, both on integers of a fixed size.  No floating point takes
 * part, so neither locale nor rounding mode matters.
 */
#include "json/jstext.h"

#include <assert.h>

/* ---- integers of up to 4,160 bits ---- */

/*
 * The largest: a denominator of 10^1124 (DIGITS_MAX digits, the first below 10^-324) has 3,734 bits,
 * and a numerator that is shifted to be 55 bits longer.
 */
#define LIMBS 130

struct big {
    size_t used; /* the highest limb is not 0 */
    uint32_t limb[LIMBS];
};

static void big_set(struct big *big, uint64_t value)
{
    big->used = 0;
    for (; value; value >>= 32) big->limb[big->used++] = (uint32_t)value;
}

/* big = big * factor + add */
static void big_multiply(struct big *big, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (size_t i = 0; i < big->used; i++) {
        carry += (uint64_t)big->limb[i] * factor;
        big->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (!carry) return;
    assert(big->used < LIMBS);
    big->limb[big->used++] = (uint32_t)carry;
}

static void big_multiply_power_of_ten(struct big *big, int power)
{
    for (; power >= 9; power -= 9) big_multiply(big, 1000000000, 0);
    for (; power > 0; power--) big_multiply(big, 10, 0);
}

static int big_bits(const struct big *big)
{
    if (!big->used) return 0;
    int bits = (int)(big->used - 1) * 32;
    for (uint32_t top = big->limb[big->used - 1]; top; top >>= 1) bits++;
    return bits;
}

static void big_shift_left(struct big *big, int bits)
{
    size_t limbs = (size_t)bits / 32;
    big_multiply(big, 1u << bits % 32, 0);
    if (!limbs || !big->used) return;
    assert(big->used + limbs <= LIMBS);
    memmove(big->limb + limbs, big->limb, big->used * sizeof *big->limb);
    memset(big->limb, 0, limbs * sizeof *big->limb);
    big->used += limbs;
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->used != b->used) return a->used < b->used ? -1 : 1;
    for (size_t i = a->used; i-- > 0;)
        if (a->limb[i] != b->limb[i]) return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static void big_add(struct big *a, const struct big *b)
{
    uint64_t carry = 0;
    size_t count = a->used > b->used ? a->used : b->used;
    for (size_t i = 0; i < count; i++) {
        carry += (uint64_t)(i < a->used ? a->limb[i] : 0) + (i < b->used ? b->limb[i] : 0);
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    a->used = count;
    if (!carry) return;
    assert(a->used < LIMBS);
    a->limb[a->used++] = (uint32_t)carry;
}

/* a -= b, which is not greater */
static void big_subtract(struct big *a, const struct big *b)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < a->used; i++) {
        uint64_t take = (i < b->used ? b->limb[i] : 0) + borrow;
        borrow = a->limb[i] < take;
        a->limb[i] = (uint32_t)(a->limb[i] - take);
    }
    while (a->used && !a->limb[a->used - 1]) a->used--;
}

/* a %= b; the quotient, which is small: below 10 times for digits */
static int big_divide(struct big *a, const struct big *b)
{
    int quotient = 0;
    for (; big_compare(a, b) >= 0; quotient++) big_subtract(a, b);
    return quotient;
}

/* ---- decimal text to the nearest double ---- */

/* More digits than any point halfway between two doubles has; the rest only says "and something more". */
#define DIGITS_MAX    800
#define EXPONENT_MAX  ((int64_t)1 << 60) /* beyond what digits could make good */
#define POINT_MAX     310                /* 0.1e310 is beyond the range */
#define POINT_MIN     (-324)  /* 0.99e-324 is nearer to 0 than to 5e-324, half of which is 0.247e-323 */
#define EXPONENT2_MIN (-1074) /* of the last bit */

/* 0.DIGITS times ten to the power of point */
struct decimal {
    char digits[DIGITS_MAX + 1]; /* values, not characters */
    int count;                   /* 0: zero */
    int64_t point;
};

static int64_t read_exponent(const char *p, const char *end)
{
    int64_t exponent = 0;
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    for (; p < end && exponent < EXPONENT_MAX / 10; p++) exponent = exponent * 10 + (*p - '0');
    return negative ? -exponent : exponent;
}

static void read_decimal(struct casehook__text source, struct decimal *decimal)
{
    const char *p = source.data, *end = p + source.length;
    bool fraction = false, more = false;
    decimal->count = 0;
    decimal->point = 0;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = true;
        } else if (casehook__is_digit(*p)) {
            if (decimal->count || *p != '0') {
                if (decimal->count < DIGITS_MAX)
                    decimal->digits[decimal->count++] = (char)(*p - '0');
                else
                    more |= *p != '0';
                if (!fraction) decimal->point++;
            } else if (fraction) {
                decimal->point--;
            }
        }
    }
    if (more) decimal->digits[decimal->count++] = 1;
    while (decimal->count && !decimal->digits[decimal->count - 1]) decimal->count--;
    if (p < end) decimal->point += read_exponent(p + 1, end);
}

/* mantissa times two to the power of exponent */
struct binary {
    uint64_t mantissa;
    int exponent;
};

static int bits_of(uint64_t value)
{
    int bits = 0;
    for (; value; value >>= 1) bits++;
    return bits;
}

/* Drops at least one bit, so that 53 or the denormal's fewer stay; half goes to even. */
static struct binary round_binary(uint64_t quotient, int exponent, bool more)
{
    int drop = bits_of(quotient) - 53;
    if (drop < EXPONENT2_MIN - exponent) drop = EXPONENT2_MIN - exponent;
    uint64_t half = (uint64_t)1 << (drop - 1), lost = quotient & (2 * half - 1);
    struct binary value = {quotient >> drop, exponent + drop};
    if (lost > half || (lost == half && (more || (value.mantissa & 1)))) value.mantissa++;
    if (value.mantissa == (uint64_t)1 << 53) {
        value.mantissa >>= 1;
        value.exponent++;
    }
    return value;
}

/* decimal is not zero and its point is in the range */
static struct binary nearest(const struct decimal *decimal)
{
    struct big numerator, denominator;
    int power = (int)decimal->point - decimal->count;
    big_set(&numerator, 0);
    big_set(&denominator, 1);
    for (int i = 0; i < decimal->count; i++) big_multiply(&numerator, 10, (uint32_t)decimal->digits[i]);
    big_multiply_power_of_ten(power < 0 ? &denominator : &numerator, power < 0 ? -power : power);

    /* Such that the quotient has 54 or 55 bits, fewer where the last bit is the smallest of all. */
    int exponent = big_bits(&numerator) - big_bits(&denominator) - 54;
    if (exponent < EXPONENT2_MIN - 1) exponent = EXPONENT2_MIN - 1;
    big_shift_left(exponent < 0 ? &numerator : &denominator, exponent < 0 ? -exponent : exponent);

    uint64_t quotient = 0;
    int extra = big_bits(&numerator) - big_bits(&denominator);
    if (extra < 0) extra = 0;
    big_shift_left(&denominator, extra);
    for (int i = 0;; i++) {
        bool bit = big_compare(&numerator, &denominator) >= 0;
        if (bit) big_subtract(&numerator, &denominator);
        quotient = quotient << 1 | bit;
        if (i == extra) break;
        big_multiply(&numerator, 2, 0);
    }
    return round_binary(quotient, exponent, numerator.used != 0);
}

/* ---- the shortest digits of a double ---- */

/* The value is rest / scale; above and below reach halfway to the neighbours, in the same scale. */
struct shortest {
    struct big rest, scale, above, below;
    bool even; /* halfway itself still leads back */
};

static void shortest_begin(struct shortest *s, struct binary value)
{
    /* The neighbour below a power of two is only half as far away. */
    int narrow = value.mantissa == (uint64_t)1 << 52 && value.exponent > EXPONENT2_MIN;
    int up = value.exponent > 0 ? value.exponent : 0, down = value.exponent < 0 ? -value.exponent : 0;
    big_set(&s->rest, value.mantissa);
    big_set(&s->scale, 1);
    big_set(&s->below, 1);
    big_shift_left(&s->rest, up + 1 + narrow);
    big_shift_left(&s->scale, down + 1 + narrow);
    big_shift_left(&s->below, up);
    s->above = s->below;
    big_shift_left(&s->above, narrow);
    s->even = !(value.mantissa & 1);
}

/* Does rest + above reach the next unit? */
static bool reaches_unit(const struct shortest *s)
{
    struct big sum = s->rest;
    big_add(&sum, &s->above);
    int order = big_compare(&sum, &s->scale);
    return order > 0 || (order == 0 && s->even);
}

static void times_ten(struct shortest *s, int power)
{
    big_multiply_power_of_ten(&s->rest, power);
    big_multiply_power_of_ten(&s->above, power);
    big_multiply_power_of_ten(&s->below, power);
}

/* Brings the value below 1, and its first digit right behind the point; the power of ten taken out. */
static int shortest_scale(struct shortest *s, struct binary value)
{
    /* log10(2) is 1233/4096 and a bit; the estimate is never too high by more than one. */
    int point = (value.exponent + bits_of(value.mantissa) - 1) * 1233 / 4096;
    if (point > 0)
        big_multiply_power_of_ten(&s->scale, point);
    else
        times_ten(s, -point);
    while (reaches_unit(s)) {
        big_multiply(&s->scale, 10, 0);
        point++;
    }
    for (;;) {
        struct shortest next = *s;
        times_ten(&next, 1);
        if (reaches_unit(&next)) return point;
        *s = next;
        point--;
    }
}

/* At most 17 digits, as characters; their count. */
static int shortest_digits(struct binary value, char digits[17], int *point)
{
    struct shortest s;
    shortest_begin(&s, value);
    *point = shortest_scale(&s, value);
    for (int count = 0;;) {
        times_ten(&s, 1);
        int digit = big_divide(&s.rest, &s.scale), order = big_compare(&s.rest, &s.below);
        bool low = order < 0 || (order == 0 && s.even), high = reaches_unit(&s);
        if (low || high) {
            big_multiply(&s.rest, 2, 0);
            order = big_compare(&s.rest, &s.scale);
            bool up = low && high ? order > 0 || (order == 0 && digit % 2) : high;
            digits[count++] = (char)('0' + digit + up);
            return count;
        }
        digits[count++] = (char)('0' + digit);
    }
}

/* ---- the text ---- */

static void append_zeros(struct casehook__buf *buf, int count)
{
    for (; count > 0; count--) casehook__buf_append_char(buf, '0');
}

/* Number::toString of ECMAScript; the value is 0.DIGITS times ten to the power of point. */
static int append_number(struct casehook__buf *buf, const char *digits, int count, int point)
{
    if (point > 21 || point < -5) {
        casehook__buf_append(buf, digits, 1);
        if (count > 1) casehook__buf_append_char(buf, '.');
        casehook__buf_append(buf, digits + 1, (size_t)count - 1);
        casehook__buf_append_string(buf, point > 0 ? "e+" : "e");
        return casehook__buf_append_number(buf, point - 1);
    }
    if (point <= 0) {
        casehook__buf_append_string(buf, "0.");
        append_zeros(buf, -point);
        return casehook__buf_append(buf, digits, (size_t)count);
    }
    int whole = count < point ? count : point;
    casehook__buf_append(buf, digits, (size_t)whole);
    append_zeros(buf, point - whole);
    if (count > whole) casehook__buf_append_char(buf, '.');
    return casehook__buf_append(buf, digits + whole, (size_t)(count - whole));
}

static bool is_integer(struct casehook__text source)
{
    for (size_t i = 0; i < source.length; i++)
        if (!casehook__is_digit(source.data[i]) && source.data[i] != '-') return false;
    return true;
}

int casehook__js_number(struct casehook__buf *buf, struct casehook__text source)
{
    struct decimal decimal;
    char digits[17];
    int point;
    if (is_integer(source)) {
        if (casehook__text_is(source, "-0")) return casehook__buf_append_char(buf, '0');
        return casehook__buf_append_text(buf, source);
    }
    read_decimal(source, &decimal);
    if (decimal.count == 0 || decimal.point <= POINT_MIN) return casehook__buf_append_char(buf, '0');
    if (decimal.point > POINT_MAX) return CASEHOOK_E_RESPONSE;
    struct binary value = nearest(&decimal);
    if (value.mantissa == 0) return casehook__buf_append_char(buf, '0');
    if (value.exponent + bits_of(value.mantissa) > 1024) return CASEHOOK_E_RESPONSE;
    if (source.data[0] == '-') casehook__buf_append_char(buf, '-');
    int count = shortest_digits(value, digits, &point);
    return append_number(buf, digits, count, point);
}
