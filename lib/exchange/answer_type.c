/* answer_type.c - content types of answers (H4). */
#include "exchange/answer.h"

/* "application/json; charset=utf-8, text/html" -> "application/json" */
struct casehook__text casehook__media_type(struct casehook__text header)
{
    struct casehook__text type = {header.data, 0};
    while (type.length < header.length && header.data[type.length] != ',' && header.data[type.length] != ';')
        type.length++;
    return casehook__text_trim(type);
}

bool casehook__is_json_type(struct casehook__text type)
{
    static const char prefix[] = "application/", suffix[] = "+json";
    if (casehook__text_is_nocase(type, "application/json") || casehook__text_is_nocase(type, "text/json"))
        return true;
    if (type.length <= sizeof prefix - 1 + sizeof suffix - 1) return false;
    struct casehook__text head = {type.data, sizeof prefix - 1};
    struct casehook__text tail = {type.data + type.length - (sizeof suffix - 1), sizeof suffix - 1};
    return casehook__text_is_nocase(head, prefix) && casehook__text_is_nocase(tail, suffix);
}
