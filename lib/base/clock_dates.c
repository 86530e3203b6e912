/* clock_dates.c - dates as servers write them: those of HTTP (RFC 9110, 5.6.7), and ISO 8601. */
#include "base/clock.h"

#define YEAR_SECONDS INT64_C(31536000)

/* Days from 1970-01-01 in the Gregorian calendar, month 1-12. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2) {
        year--;
        month += 12;
    }
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 719469;
}

struct date {
    int64_t year, month, day, hour, minute, second;
};

/* Takes this text from the beginning of rest. */
static bool take_literal(struct casehook__text *rest, const char *wanted)
{
    size_t length = strlen(wanted);
    if (rest->length < length || memcmp(rest->data, wanted, length) != 0) return false;
    *rest = casehook__text_from(*rest, length);
    return true;
}

/* Takes so many digits. */
static bool take_number(struct casehook__text *rest, size_t digits, int64_t *value)
{
    uint64_t number = 0;
    if (rest->length < digits) return false;
    if (!casehook__text_number((struct casehook__text){rest->data, digits}, 9999, &number)) return false;
    *value = (int64_t)number;
    *rest = casehook__text_from(*rest, digits);
    return true;
}

static bool take_month(struct casehook__text *rest, int64_t *month)
{
    static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (*month = 1; *month <= 12; ++*month)
        if (take_literal(rest, names[*month - 1])) return true;
    return false;
}

/* "08:49:37" */
static bool take_time(struct casehook__text *rest, struct date *date)
{
    return take_number(rest, 2, &date->hour) && take_literal(rest, ":") &&
           take_number(rest, 2, &date->minute) && take_literal(rest, ":") &&
           take_number(rest, 2, &date->second);
}

/* "Sun, " or "Sun ": the name of the day says nothing that the date does not say. */
static bool take_weekday(struct casehook__text *rest, const char *behind)
{
    size_t length = 0;
    while (length < rest->length && casehook__is_alpha(rest->data[length])) length++;
    *rest = casehook__text_from(*rest, length);
    return length >= 3 && take_literal(rest, behind);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_imf(struct casehook__text rest, struct date *date)
{
    return take_weekday(&rest, ", ") && take_number(&rest, 2, &date->day) && take_literal(&rest, " ") &&
           take_month(&rest, &date->month) && take_literal(&rest, " ") &&
           take_number(&rest, 4, &date->year) && take_literal(&rest, " ") && take_time(&rest, date) &&
           take_literal(&rest, " GMT") && rest.length == 0;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT": of the years that the two digits may mean, the nearest. */
static bool read_rfc850(struct casehook__text rest, int64_t now, struct date *date)
{
    if (!take_weekday(&rest, ", ") || !take_number(&rest, 2, &date->day) || !take_literal(&rest, "-") ||
        !take_month(&rest, &date->month) || !take_literal(&rest, "-") ||
        !take_number(&rest, 2, &date->year) || !take_literal(&rest, " ") || !take_time(&rest, date) ||
        !take_literal(&rest, " GMT") || rest.length != 0)
        return false;
    int64_t this_year = 1970 + now / YEAR_SECONDS;
    date->year += this_year - this_year % 100;
    if (date->year > this_year + 50) date->year -= 100;
    if (date->year < this_year - 49) date->year += 100;
    return true;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool read_asctime(struct casehook__text rest, struct date *date)
{
    return take_weekday(&rest, " ") && take_month(&rest, &date->month) && take_literal(&rest, " ") &&
           take_number(&rest, take_literal(&rest, " ") ? 1 : 2, &date->day) && take_literal(&rest, " ") &&
           take_time(&rest, date) && take_literal(&rest, " ") && take_number(&rest, 4, &date->year) &&
           rest.length == 0;
}

/* Seconds since 1970; false: no date. */
static bool seconds_of(const struct date *date, int64_t *at)
{
    if (date->month < 1 || date->month > 12 || date->day < 1 || date->day > 31) return false;
    if (date->hour > 23 || date->minute > 59 || date->second > 60) return false;
    int64_t days = days_since_epoch(date->year, date->month, date->day);
    *at = ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
    return true;
}

static bool read_date(struct casehook__text text, int64_t now, int64_t *at)
{
    struct date date = {0};
    return (read_imf(text, &date) || read_rfc850(text, now, &date) || read_asctime(text, &date)) &&
           seconds_of(&date, at);
}

/* Digits alone, however many: what is longer than a year is a year.  Of several in one header the first. */
static bool read_seconds(struct casehook__text text, int64_t *seconds)
{
    uint64_t number = 0;
    size_t length = 0;
    while (length < text.length && casehook__is_digit(text.data[length])) length++;
    if (length == 0 || (length < text.length && text.data[length] != ',')) return false;
    if (!casehook__text_number((struct casehook__text){text.data, length}, YEAR_SECONDS, &number))
        number = YEAR_SECONDS;
    *seconds = (int64_t)number;
    return true;
}

int64_t casehook__clock_retry_after(struct casehook__text value, int64_t now)
{
    int64_t seconds = 0, at = 0;
    value = casehook__text_trim(value);
    if (!read_seconds(value, &seconds)) {
        if (!read_date(value, now, &at)) return -1;
        seconds = at - now;
    }
    return (seconds < 0 ? 0 : seconds > YEAR_SECONDS ? YEAR_SECONDS : seconds) * 1000;
}

/* ".123" behind the seconds: no more than that is wanted of it. */
static void skip_fraction(struct casehook__text *rest)
{
    if (!take_literal(rest, ".") && !take_literal(rest, ",")) return;
    while (rest->length && casehook__is_digit(*rest->data)) *rest = casehook__text_from(*rest, 1);
}

/* "Z", "+01:00", "-0530", "+02", or nothing: UTC. */
static bool take_zone(struct casehook__text *rest, int64_t *east_seconds)
{
    int64_t hours = 0, minutes = 0, sign = 1;
    *east_seconds = 0;
    if (rest->length == 0 || take_literal(rest, "Z")) return true;
    if (take_literal(rest, "-"))
        sign = -1;
    else if (!take_literal(rest, "+"))
        return false;
    if (!take_number(rest, 2, &hours)) return false;
    take_literal(rest, ":");
    if (rest->length && !take_number(rest, 2, &minutes)) return false;
    *east_seconds = sign * (hours * 60 + minutes) * 60;
    return true;
}

bool casehook__clock_iso_read(struct casehook__text text, int64_t *unix_ms)
{
    struct date date = {0};
    struct casehook__text rest = casehook__text_trim(text);
    int64_t east = 0, at = 0;
    if (!take_number(&rest, 4, &date.year) || !take_literal(&rest, "-") ||
        !take_number(&rest, 2, &date.month) || !take_literal(&rest, "-") || !take_number(&rest, 2, &date.day))
        return false;
    if (rest.length && !take_literal(&rest, "T") && !take_literal(&rest, " ")) return false;
    if (rest.length && !take_time(&rest, &date)) return false;
    skip_fraction(&rest);
    if (!take_zone(&rest, &east) || rest.length || !seconds_of(&date, &at)) return false;
    *unix_ms = (at - east) * 1000;
    return true;
}
