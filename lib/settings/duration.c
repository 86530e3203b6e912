/* duration.c - times and sizes with their units (C2). */
#include "settings/settings.h"

struct unit {
    const char *name;
    uint64_t factor;
};

/* The digits in front and the unit behind them; false without digits. */
static bool split_duration(struct casehook__text text, uint64_t *number, struct casehook__text *unit)
{
    size_t digits = 0;
    while (digits < text.length && casehook__is_digit(text.data[digits])) digits++;
    *unit = (struct casehook__text){text.data + digits, text.length - digits};
    if (digits == 0) return false;
    if (!casehook__text_number((struct casehook__text){text.data, digits}, UINT64_MAX, number))
        *number = UINT64_MAX; /* all digits, only too many */
    return true;
}

static const struct unit *find_unit(const struct unit *units, size_t count, struct casehook__text name,
                                    bool nocase)
{
    for (size_t i = 0; i < count; i++)
        if (nocase ? casehook__text_is_nocase(name, units[i].name) : casehook__text_is(name, units[i].name))
            return &units[i];
    return NULL;
}

static uint64_t multiply(uint64_t number, uint64_t factor, uint64_t max)
{
    return number > max / factor ? max : number * factor;
}

int casehook__duration_parse(struct casehook__text text, uint64_t *ms, struct casehook_error *error)
{
    /* M and m differ. */
    static const struct unit units[] = {
        {"", 1},         {"ms", 1},         {"s", 1000},          {"m", 60000},         {"h", 3600000},
        {"d", 86400000}, {"w", 604800000U}, {"M", 2592000000ULL}, {"Y", 31536000000ULL}};
    uint64_t number;
    struct casehook__text name;
    const struct unit *unit = NULL;
    if (split_duration(text, &number, &name))
        unit = find_unit(units, sizeof units / sizeof *units, name, false);
    if (!unit)
        return casehook__fail(
            error, CASEHOOK_E_CONFIG,
            "is not a time: write a whole number and one of ms, s, m, h, d, w, M, Y (\"60s\")");
    if (number == 0) return casehook__fail(error, CASEHOOK_E_CONFIG, "must be longer than 0");
    *ms = multiply(number, unit->factor, CASEHOOK__DURATION_MAX_MS);
    return CASEHOOK_OK;
}

int casehook__size_parse(struct casehook__text text, uint64_t *bytes, struct casehook_error *error)
{
    static const struct unit units[] = {{"", 1}, {"b", 1}, {"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}};
    uint64_t number;
    struct casehook__text name;
    const struct unit *unit = NULL;
    if (split_duration(text, &number, &name))
        unit = find_unit(units, sizeof units / sizeof *units, name, true);
    if (!unit)
        return casehook__fail(
            error, CASEHOOK_E_CONFIG,
            "is not a size: write a number of bytes, or a whole number and b, kb, mb or gb");
    uint64_t size = multiply(number, unit->factor, UINT64_MAX);
    if (size == 0 || size > CASEHOOK__SIZE_MAX_BYTES)
        return casehook__fail(error, CASEHOOK_E_CONFIG, "must be 1 byte to %llu bytes",
                              (unsigned long long)CASEHOOK__SIZE_MAX_BYTES);
    *bytes = size;
    return CASEHOOK_OK;
}
