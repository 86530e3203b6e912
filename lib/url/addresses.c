/* addresses.c - special addresses (U5): private, local, documentation and the like, in every disguise. */
#include "base/posix.h"

#include "url/hosts.h"

#include <arpa/inet.h>

struct range {
    unsigned char address[16];
    unsigned prefix;
    const char *kind;
};

static const struct range special_ipv4[] = {
    {{0}, 8, "this network"},
    {{10}, 8, "private"},
    {{100, 64}, 10, "shared by a carrier"},
    {{127}, 8, "loopback"},
    {{169, 254}, 16, "link-local"},
    {{172, 16}, 12, "private"},
    {{192, 0, 0}, 24, "reserved for protocols"},
    {{192, 0, 2}, 24, "for documentation"},
    {{192, 88, 99}, 24, "a 6to4 relay"},
    {{192, 168}, 16, "private"},
    {{198, 18}, 15, "for benchmarks"},
    {{198, 51, 100}, 24, "for documentation"},
    {{203, 0, 113}, 24, "for documentation"},
    {{224}, 4, "multicast"},
    {{240}, 4, "reserved"},
};

static const struct range special_ipv6[] = {
    {{0}, 128, "unspecified"},
    {{[15] = 1}, 128, "loopback"},
    {{0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01}, 48, "translated locally"},
    {{0x01}, 63, "discarded"},
    {{0x20, 0x01}, 23, "reserved for protocols"},
    {{0x20, 0x01, 0x0D, 0xB8}, 32, "for documentation"},
    {{0x3F, 0xFF}, 20, "for documentation"},
    {{0x5F}, 16, "a segment route"},
    {{0xFC}, 7, "private"},
    {{0xFE, 0x80}, 10, "link-local"},
    {{0xFE, 0xC0}, 10, "site-local"},
    {{0xFF}, 8, "multicast"},
};

/* Where IPv6 addresses of a range carry an IPv4 address. */
static const struct carrier {
    unsigned char address[16];
    unsigned prefix;
    unsigned offset;
} carriers[] = {
    {{[10] = 0xFF, 0xFF}, 96, 12},      /* mapped */
    {{[8] = 0xFF, 0xFF}, 96, 12},       /* translated (SIIT) */
    {{0}, 96, 12},                      /* compatible */
    {{0x00, 0x64, 0xFF, 0x9B}, 96, 12}, /* NAT64 */
    {{0x20, 0x02}, 16, 2},              /* 6to4 */
};

#define ADDRESS_COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool in_range(const unsigned char *address, const unsigned char *range, unsigned prefix)
{
    unsigned bytes = prefix / 8, bits = prefix % 8;
    if (memcmp(address, range, bytes) != 0) return false;
    return bits == 0 || (address[bytes] ^ range[bytes]) >> (8 - bits) == 0;
}

static const char *address_kind(const unsigned char *address, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (in_range(address, ranges[i].address, ranges[i].prefix)) return ranges[i].kind;
    return NULL;
}

static const char *kind_of_ipv4(const unsigned char *address)
{
    return address_kind(address, special_ipv4, ADDRESS_COUNT(special_ipv4));
}

/* An interface identifier of ISATAP, under whatever prefix: 0000:5efe or 0200:5efe and the IPv4 address. */
static bool is_isatap(const unsigned char *address)
{
    return (address[8] & 0xFD) == 0 && address[9] == 0 && address[10] == 0x5E && address[11] == 0xFE;
}

const char *casehook__address_special(const unsigned char *address, size_t size)
{
    if (size == 4) return kind_of_ipv4(address);
    if (size != 16) return "of an unknown family";
    const char *kind = address_kind(address, special_ipv6, ADDRESS_COUNT(special_ipv6));
    for (size_t i = 0; i < ADDRESS_COUNT(carriers) && !kind; i++)
        if (in_range(address, carriers[i].address, carriers[i].prefix))
            kind = kind_of_ipv4(address + carriers[i].offset);
    return !kind && is_isatap(address) ? kind_of_ipv4(address + 12) : kind;
}

static const unsigned char mapped[16] = {[10] = 0xFF, 0xFF};

const char *casehook__address_denied(const unsigned char *address, size_t size,
                                     const struct casehook__cidr *exceptions, size_t count)
{
    const char *kind = casehook__address_special(address, size);
    unsigned char wide[16];
    if (!kind || (size != 4 && size != 16)) return kind;
    memcpy(wide, mapped, sizeof wide);
    memcpy(wide + 16 - size, address, size);
    unsigned least = in_range(wide, mapped, 96) ? 96 : 0;
    for (size_t i = 0; i < count; i++)
        if (exceptions[i].prefix >= least && in_range(wide, exceptions[i].address, exceptions[i].prefix))
            return NULL;
    return kind;
}

int casehook__cidr_parse(struct casehook__text text, struct casehook__cidr *cidr,
                         struct casehook_error *error)
{
    char address[INET6_ADDRSTRLEN];
    struct casehook__text all = casehook__text_trim(text);
    const char *slash = all.length ? memchr(all.data, '/', all.length) : NULL;
    size_t length = slash ? (size_t)(slash - all.data) : all.length;
    uint64_t prefix = 0;
    memcpy(cidr->address, mapped, sizeof mapped);
    if (length == 0 || length >= sizeof address || memchr(all.data, '\0', length)) goto refused;
    memcpy(address, all.data, length);
    address[length] = '\0';
    bool ipv4 = inet_pton(AF_INET, address, cidr->address + 12) == 1;
    if (!ipv4 && inet_pton(AF_INET6, address, cidr->address) != 1) goto refused;
    unsigned width = ipv4 ? 32 : 128;
    if (slash &&
        !casehook__text_number((struct casehook__text){slash + 1, all.length - length - 1}, width, &prefix))
        return casehook__fail(error, CASEHOOK_E_CONFIG, "\"%.*s\": behind the / stands a number from 0 to %u",
                              all.length < 64 ? (int)all.length : 64, all.data, width);
    cidr->prefix = (slash ? (unsigned)prefix : width) + 128 - width;
    return CASEHOOK_OK;
refused:
    all = casehook__host_entry_shown(all);
    return casehook__fail(error, CASEHOOK_E_CONFIG,
                          "\"%.*s\" is not an address or range: write 10.0.0.0/8, fd00::/8 or one address",
                          all.length < 64 ? (int)all.length : 64, all.data);
}
