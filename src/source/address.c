#include "source/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static bool is_private4(uint32_t a)
{
    static const struct {
        uint32_t net;
        unsigned bits;
    } nets[] = {/* IANA's special-purpose registry: what is not globally reachable */
                {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},
                {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24},
                {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24},
                {0xe0000000, 4},  {0xf0000000, 4}};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        if ((a ^ nets[i].net) >> (32 - nets[i].bits) == 0)
            return true;
    return false;
}

static bool is_private6(const struct in6_addr *a)
{
    const uint8_t *b = a->s6_addr;
    uint32_t inner;
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    bool nat = memcmp(b, nat64, sizeof nat64) == 0;
    if (IN6_IS_ADDR_V4MAPPED(a) || nat || IN6_IS_ADDR_V4COMPAT(a)) {
        memcpy(&inner, b + 12, sizeof inner);
        return is_private4(ntohl(inner)); /* ::1 and :: are in 0/8 */
    }
    if (b[0] == 0x20 && b[1] == 0x02) { /* 6to4 */
        memcpy(&inner, b + 2, sizeof inner);
        return is_private4(ntohl(inner));
    }
    /* Global unicast is 2000::/3, but for documentation. */
    return (b[0] & 0xe0) != 0x20 ||
           (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8);
}

bool address_is_private(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return is_private4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return true;
    memcpy(&v6, address, sizeof v6);
    return is_private6(&v6.sin6_addr);
}
