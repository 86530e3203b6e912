/* call_more.c - what few calls have, and most connectors need no memory for. */
#include "document/config_private.h"

const struct casehook__call_more *casehook__call_more(const struct casehook__call_config *call)
{
    static const struct casehook__call_more nothing = {0};
    return call->more ? call->more : &nothing;
}

const struct casehook__call_more *casehook__create_more(const struct casehook__config *config)
{
    return casehook__call_more(&config->calls[CASEHOOK__CALL_CREATE]);
}

struct casehook__call_more *casehook__config_call_more(const struct casehook__config_reader *reader,
                                                       struct casehook__call_config *call)
{
    if (!call->more) call->more = casehook__calloc(reader->config->heap, 1, sizeof *call->more);
    if (!call->more) reader->errors->memory = 1;
    return call->more;
}
