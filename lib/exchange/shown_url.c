/* shown_url.c - URLs and requests as results and messages show them (R3, C6). */
#include "exchange/answer.h"

#include <stdio.h>

#define SHOWN_URL_MAX 2048 /* bytes: what of a URL from outside is kept in a result */

static const char *show_url(const struct casehook__config *config, const struct casehook__mask *mask,
                            const char *url, bool whole, struct casehook__buf *shown)
{
    size_t length = strlen(url);
    bool cut = !whole && length > SHOWN_URL_MAX;
    if (cut) length = SHOWN_URL_MAX;
    size_t size = length + sizeof "***"; /* no secret that is searched for is shorter */
    casehook__buf_clear(shown);
    if (casehook__buf_reserve(shown, size)) return NULL;
    /* First, because a secret may hold the signs that divide a URL. */
    casehook__mask_excerpt(mask, (struct casehook__text){url, length}, shown->data, size);
    shown->length = strlen(shown->data);
    if (!whole && !casehook__url_hides_nothing(shown->data, config->secret_url)) {
        char *masked = casehook__copy(shown->heap, shown->data, shown->length);
        casehook__buf_clear(shown);
        if (masked) casehook__url_for_display(shown, masked, config->secret_url);
        casehook__free(shown->heap, masked);
        if (!masked) return NULL;
    }
    if (cut) casehook__buf_append_string(shown, "...");
    return shown->status ? NULL : shown->data;
}

/* The whole one shows query values, and among these secrets that are too short to be searched for. */
const char *casehook__shown_url(const struct casehook__config *config, const struct casehook__mask *mask,
                                const char *url, bool whole, struct casehook__buf *shown)
{
    struct casehook__buf hidden;
    if (!config->query || !whole) return show_url(config, mask, url, whole, shown);
    casehook__buf_init(&hidden, shown->heap, CASEHOOK__URL_MAX_BYTES + 1024);
    casehook__query_hide(config, url, &hidden);
    const char *text = hidden.status ? NULL : show_url(config, mask, hidden.data, whole, shown);
    casehook__buf_free(&hidden);
    return text;
}

const char *casehook__question_target(const struct casehook__question *question)
{
    int length = snprintf(question->target, CASEHOOK__TARGET_SIZE, "%s %s", question->method, question->url);
    if (length >= CASEHOOK__TARGET_SIZE) memcpy(question->target + CASEHOOK__TARGET_SIZE - 4, "...", 4);
    return question->target;
}
