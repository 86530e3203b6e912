/* graphemes.c - where a character, as its reader sees it, ends; the one file that knows utf8proc. */
#include "base/unicode.h"

#if defined(CASEHOOK_HAVE_UTF8PROC)

#include <utf8proc.h>

bool casehook__grapheme_ends(uint32_t before, uint32_t behind, int32_t *state)
{
    return utf8proc_grapheme_break_stateful((utf8proc_int32_t)before, (utf8proc_int32_t)behind, state);
}

#else

bool casehook__grapheme_ends(uint32_t before, uint32_t behind, int32_t *state)
{
    (void)before;
    (void)behind;
    (void)state;
    return true;
}

#endif
