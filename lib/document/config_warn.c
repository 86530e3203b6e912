/* config_warn.c - what a document without faults does that may not be meant. */
#include "document/config.h"

void casehook__config_warn(const struct casehook__config *config, struct casehook__errors *warnings)
{
    static const char *const names[] = {"case.description", "case.tags", "case.fields.*"};
    const struct casehook__call_kind *kind = casehook__call_kind(CASEHOOK__CALL_UPDATE);
    const struct casehook__call_config *update = &config->calls[CASEHOOK__CALL_UPDATE];
    size_t at = 0;
    for (size_t i = 0; update->on && i < sizeof names / sizeof *names; i++) {
        if (!casehook__template_is_bare(update->body, names[i], &at)) continue;
        struct casehook_error *warning = casehook__errors_add(warnings, "");
        casehook__error_set_config_field(warning, kind->body);
        casehook__fail_at(
            warning, CASEHOOK_E_CONFIG, at,
            "writes %s without a section on it: an update that is not given it empties it; write "
            "{{#...}} and {{/...}} around the member, if only what is given should change",
            names[i]);
    }
}
