/*
 * The oracle is FLINT, number by number, or the difference of two counts that were
 * published (pi(10^k): OEIS A006880).
 */
#include "arith/primerange.h"

#include <flint/flint.h>
#include <flint/ulong_extras.h>
#include <string.h>
#include <unistd.h>

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

/* What else may be asked for is a hint, which need not be true. */
static uint64_t ahead(void)
{
    return unit_random() % 2 ? unit_random() >> unit_random() % 64 : 0;
}

static uint64_t count_all(uint64_t first, uint64_t count)
{
    uint64_t sum = 0;
    while (count > 0) {
        uint64_t primes, done = primerange_count(range, first, count, ahead(), &primes);
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
        uint64_t done =
            primerange_list(range, first, some, ahead(), primes + n, room, &found);
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

/* What primerange_claim calls worth a claim is sieved, at any height. */
static void test_claims(void)
{
    begin();
    for (uint64_t last = 1000000; primerange_library() && last < UINT64_MAX / 10;
         last *= 10) {
        uint64_t least, primes;
        unsigned ms;
        primerange_claim(last / 2, last, true, &least, &ms);
        CU_ASSERT(ms >= 100 && least < last);
        CU_ASSERT(ms <= (last < UINT64_C(1) << 54 ? 2000 : 30000));
        if (primerange_count(range, last - least, least, 0, &primes) <= 10000)
            complain("not sieved", last - least, least);
    }
    uint64_t high;
    unsigned ms;
    primerange_claim(1, UINT64_MAX, true, &high, &ms); /* what of it is sieved */
    CU_ASSERT(high > 100000000 && ms > 1000);
    finish();
}

/* Far up, where a start takes long: lists that go on, that pass over what others have,
 * that begin anew; and the largest prime of 64 bits, behind which there is none. How
 * many there are is from primesieve's own program. */
static void test_far(void)
{
    static const struct {
        uint64_t first, count, primes;
    } known[] = {
        {UINT64_C(10000000000000000), 100000000, 2714904},
        {UINT64_C(1000000000000000000), 200000000, 4829026},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint64_t first = known[i].first, count = known[i].count;
        uint64_t cut = count / 2, hole = cut / 8;
        begin();
        CU_ASSERT_EQUAL(count_all(first, cut) + count_all(first + cut, count - cut),
                        known[i].primes);
        check(first + cut, 1000); /* back */
        uint64_t sum = count_all(first, cut);
        sum += count_all(first + cut + hole, count - cut - hole);
        CU_ASSERT_EQUAL(sum + count_all(first + cut, hole), known[i].primes);
        finish();
    }
    begin();
    CU_ASSERT_EQUAL(count_all(UINT64_MAX - 299999999, 300000000), 6761558);
    check(UINT64_MAX - 99, 100);
    finish();
}

/* No more threads than CPUs keep that many primes; who comes too late tests. */
static void test_crowd(void)
{
    enum { MOST_CPUS = 4 };
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus > MOST_CPUS || !primerange_library())
        return;
    struct primerange *all[MOST_CPUS + 1];
    const uint64_t first = UINT64_C(20000000000000000), count = 50000000;
    for (long i = 0; i <= cpus; i++) {
        uint64_t primes;
        all[i] = primerange_new();
        CU_ASSERT_PTR_NOT_NULL_FATAL(all[i]);
        uint64_t done = primerange_count(all[i], first, count, 0, &primes);
        CU_ASSERT(i < cpus ? done == count : done > 0 && done < 10000);
    }
    for (long i = 0; i <= cpus; i++)
        primerange_free(all[i]);
}

static const struct unit_test tests[] = {
    {"windows at all heights, whole and in parts", test_windows},
    {"windows that are sieved", test_sieved},
    {"random windows", test_random},
    {"published counts", test_published},
    {"claims that are worth it", test_claims},
    {"far up", test_far},
    {"more threads than CPUs", test_crowd},
};

UNIT_MAIN("primerange", tests)
