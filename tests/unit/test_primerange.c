/*
 * The oracle is FLINT, number by number, or the difference of two counts that were
 * published (pi(10^k): OEIS A006880).
 */
#include "arith/primerange.h"

#include <flint/flint.h>
#include <flint/ulong_extras.h>
#include <string.h>

#include "unit.h"

enum { ROOM = 4096, MOST = 1 << 16 };

static struct primerange *range;
static uint64_t failures; /* each group of checks asserts once: CUnit is slow */

static void complain(const char *what, uint64_t first, uint64_t count)
{
    if (failures++ < 10)
        printf("\n    %s: %" PRIu64 " and %" PRIu64 " more\n", what, first, count - 1);
}

static void begin(void)
{
    failures = 0;
    range = primerange_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(range);
}

static void finish(void)
{
    primerange_free(range);
    CU_ASSERT_EQUAL(failures, 0);
}

static uint64_t count_all(uint64_t first, uint64_t count)
{
    uint64_t sum = 0;
    while (count > 0) {
        uint64_t primes, done = primerange_count(range, first, count, &primes);
        if (done == 0 || done > count || primes > done) {
            complain("count goes wrong", first, count);
            return 0;
        }
        sum += primes;
        first += done;
        count -= done;
    }
    return sum;
}

/* The list with this much room a call, which breaks off and goes on at random places.
 */
static size_t list_all(uint64_t first, uint64_t count, uint64_t *primes, size_t room)
{
    size_t n = 0;
    while (count > 0) {
        uint64_t some = unit_random() % 4 ? count : 1 + unit_random() % count;
        size_t found = 0;
        primes[n + room] = 77;
        uint64_t done = primerange_list(range, first, some, primes + n, room, &found);
        if (done == 0 || done > some || found > room || primes[n + room] != 77) {
            complain("list goes wrong", first, some);
            return 0;
        }
        n += found;
        first += done;
        count -= done;
    }
    return n;
}

/* Counts and lists the window, whole and in two parts. */
static void check(uint64_t first, uint64_t count)
{
    static uint64_t want[MOST], got[MOST + ROOM + 1];
    size_t n = 0;
    for (uint64_t i = 0; i < count; i++)
        if (n_is_prime(first + i))
            want[n++] = first + i;
    uint64_t cut = unit_random() % (count + 1);
    if (count_all(first, count) != n ||
        count_all(first, cut) + count_all(first + cut, count - cut) != n)
        complain("count", first, count);
    size_t room = unit_random() % 2 ? ROOM : 1 + unit_random() % 50;
    if (list_all(first, count, got, room) != n ||
        memcmp(got, want, n * sizeof *got) != 0)
        complain("list", first, count);
}

static void test_windows(void)
{
    static const uint64_t around[] = {UINT64_C(1) << 16, UINT64_C(1) << 32,
                                      UINT64_C(1) << 53, UINT64_C(1) << 54,
                                      1000000000000000,  UINT64_C(1) << 63};
    begin();
    for (uint64_t first = 0; first < 40; first++)
        for (uint64_t count = 1; count < 40; count++)
            check(first, count);
    check(0, MOST - 1);
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        check(around[i] - 5000, 10000);
    for (uint64_t count = 1; count < 10000; count = count * 3 + 1)
        check(UINT64_MAX - count + 1, count);
    finish();
}

/* Long enough to be sieved: short windows far up are tested only. */
static void test_sieved(void)
{
    begin();
    check(UINT64_C(1000000000) - 30000, 60000);
    check(UINT64_C(4294967296) - 30000, 60000);
    for (uint64_t i = 0; i < 10 * unit_scale(); i++)
        check(unit_random() >> 24, MOST - 1);
    finish();
}

static void test_random(void)
{
    begin();
    for (uint64_t i = 0; i < 100 * unit_scale(); i++) {
        uint64_t first = unit_random() >> unit_random() % 64;
        uint64_t count = 1 + unit_random() % 3000;
        if (first <= UINT64_MAX - count)
            check(first, count);
    }
    finish();
}

static void test_published(void)
{
    begin();
    CU_ASSERT_EQUAL(count_all(0, 1000000000), 50847534);
    CU_ASSERT_EQUAL(count_all(100000000, 900000000), 50847534 - 5761455);
    CU_ASSERT_EQUAL(count_all(10000000, 990000001), 50847534 - 664579);
    finish();
}

/* What primerange_claim calls worth a claim is sieved, in one go, at any height where
 * that is done at all. */
static void test_claims(void)
{
    begin();
    if (primerange_library())
        for (uint64_t last = 1000000; last < UINT64_C(1) << 54; last *= 10) {
            uint64_t least, primes;
            unsigned ms;
            primerange_claim(last / 2, last, true, &least, &ms);
            CU_ASSERT(ms >= 100 && ms <= 2000 && least < last);
            if (primerange_count(range, last - least, least, &primes) != least)
                complain("not in one go", last - least, least);
        }
    uint64_t high, low;
    unsigned ms;
    primerange_claim(1, UINT64_MAX, true, &high, &ms); /* what of it is sieved */
    CU_ASSERT(high > 100000000 && ms > 1000);
    primerange_claim(UINT64_C(1) << 54, UINT64_MAX, true, &low, &ms);
    CU_ASSERT(low == 1 && ms == 100);
    finish();
}

static const struct unit_test tests[] = {
    {"windows at all heights, whole and in parts", test_windows},
    {"windows that are sieved", test_sieved},
    {"random windows", test_random},
    {"published counts", test_published},
    {"claims that are worth it", test_claims},
};

UNIT_MAIN("primerange", tests)
