/* report.c - differences in the words of the vectors. */
#include "report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 800

void report_begin(struct report *report)
{
    memset(report, 0, sizeof *report);
    report->way = "";
    report->out = open_memstream(&report->text, &report->length);
    if (!report->out) abort();
}

enum verdict report_end(struct report *report)
{
    fclose(report->out);
    report->out = NULL;
    if (report->problems) return VERDICT_FAILED;
    return report->skipped ? VERDICT_SKIPPED : VERDICT_PASSED;
}

void report_clear(struct report *report)
{
    free(report->text);
    memset(report, 0, sizeof *report);
}

void report_skip(struct report *report, const char *reason)
{
    report->skipped = 1;
    fprintf(report->out, "%s\n", reason);
}

static void write_quoted(FILE *out, const char *text, size_t length)
{
    if (!text) {
        fputs("(none)", out);
        return;
    }
    putc('"', out);
    for (size_t i = 0; i < length && i < SHOWN; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\n')
            fputs("\\n", out);
        else if (c < 0x20 || c == 0x7F)
            fprintf(out, "\\u%04x", c);
        else
            putc(c, out);
    }
    putc('"', out);
    if (length > SHOWN) fprintf(out, "... (%zu bytes)", length);
}

static void start(struct report *report)
{
    report->problems++;
    fputs("    ", report->out);
    if (*report->way) fprintf(report->out, "[%s] ", report->way);
}

void report_bytes(struct report *report, const char *what, const char *expected, size_t expected_length,
                  const char *actual, size_t actual_length)
{
    start(report);
    fprintf(report->out, "%s\n        expected ", what);
    write_quoted(report->out, expected, expected_length);
    fputs("\n        actual   ", report->out);
    write_quoted(report->out, actual, actual_length);
    putc('\n', report->out);
}

void report_texts(struct report *report, const char *what, const char *expected, const char *actual)
{
    report_bytes(report, what, expected, expected ? strlen(expected) : 0, actual,
                 actual ? strlen(actual) : 0);
}

void report_problem(struct report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    start(report);
    vfprintf(report->out, format, arguments);
    putc('\n', report->out);
    va_end(arguments);
}

void report_note(struct report *report, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("        ", report->out);
    vfprintf(report->out, format, arguments);
    putc('\n', report->out);
    va_end(arguments);
}
