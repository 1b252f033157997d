#include "source/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "unit.h"

static bool is_private(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return address_is_private((const struct sockaddr *)(const void *)&v4);
    CU_ASSERT_EQUAL(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return address_is_private((const struct sockaddr *)(const void *)&v6);
}

static void test_private(void)
{
    static const char *const no[] = {"127.0.0.1",
                                     "127.255.1.1",
                                     "0.0.0.0",
                                     "10.1.2.3",
                                     "172.16.0.1",
                                     "172.31.255.255",
                                     "192.168.0.1",
                                     "169.254.169.254",
                                     "100.64.0.1",
                                     "224.0.0.1",
                                     "255.255.255.255",
                                     "198.18.0.1",
                                     "192.0.2.1",
                                     "::1",
                                     "::",
                                     "fe80::1",
                                     "fd00::1",
                                     "ff02::1",
                                     "::ffff:127.0.0.1",
                                     "::ffff:10.0.0.1",
                                     "64:ff9b::7f00:1",
                                     "2002:7f00:1::1",
                                     "2001:db8::1",
                                     "::10.0.0.1"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        CU_ASSERT(is_private(no[i]));
}

static void test_public(void)
{
    static const char *const yes[] = {
        "1.1.1.1",        "9.255.255.255",    "11.0.0.0",       "172.15.255.255",
        "172.32.0.0",     "192.167.255.255",  "192.169.0.0",    "100.63.255.255",
        "100.128.0.0",    "223.255.255.255",  "2606:4700::1",   "2a00::1",
        "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        CU_ASSERT_FALSE(is_private(yes[i]));
}

static void test_other_families(void)
{
    struct sockaddr a = {.sa_family = AF_UNIX};
    CU_ASSERT(address_is_private(&a));
}

static const struct unit_test tests[] = {
    {"not globally reachable", test_private},
    {"public", test_public},
    {"neither of IP", test_other_families},
};

UNIT_MAIN("address", tests)
