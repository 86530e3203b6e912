/* log.c - "<4>text" for the journal, "warning: text" for a terminal. */
#include "log.h"

#include "text.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic int wanted = CASEHOOK_LOG_INFO;

void log_set_level(int level)
{
    atomic_store(&wanted, level);
}

int log_level(void)
{
    return atomic_load(&wanted);
}

/* Levels of syslog. */
static int journal_level(int level)
{
    static const int levels[] = {[CASEHOOK_LOG_ERROR] = 3,
                                 [CASEHOOK_LOG_WARNING] = 4,
                                 [CASEHOOK_LOG_INFO] = 6,
                                 [CASEHOOK_LOG_DEBUG] = 7};
    return level >= CASEHOOK_LOG_ERROR && level <= CASEHOOK_LOG_DEBUG ? levels[level] : 7;
}

static void write_line(int level, const char *text)
{
    char line[2048];
    size_t length;
    if (level > log_level()) return;
    if (isatty(STDERR_FILENO))
        length = (size_t)snprintf(line, sizeof line, "%s: ", casehook_log_level_name(level));
    else
        length = (size_t)snprintf(line, sizeof line, "<%d>", journal_level(level));
    while (*text && length < sizeof line - 8) {
        size_t size = text_character(text);
        unsigned char c = (unsigned char)*text, next = (unsigned char)text[1];
        bool c1 = c == 0xC2 && next < 0xA0; /* controls too, to terminals */
        bool plain = size && c >= ' ' && c != 0x7F && !c1;
        memcpy(line + length, plain ? text : "?", plain ? size : 1);
        length += plain ? size : 1;
        text += size ? size : 1;
    }
    line[length++] = '\n';
    /* One write is one line, whatever other threads do.  Where it fails there is nobody to tell. */
    if (write(STDERR_FILENO, line, length) < 0) return;
}

void log_line(int level, const char *format, ...)
{
    char text[1800];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_line(level, text);
}

void log_record(void *user, const struct casehook_log_record *record)
{
    (void)user;
    write_line(record->level, record->message);
}

void log_request(void *user, const struct casehook_log_record *record)
{
    (void)user;
    write_line(record->level == CASEHOOK_LOG_WARNING ? CASEHOOK_LOG_WARNING : CASEHOOK_LOG_DEBUG,
               record->message);
}
