/*
 * The oracle: factor64_batch, which has its own tests, must give the same list for
 * every integer; and, so that not all rests on code of ours, FLINT's n_is_prime and the
 * product of the factors for a part of them.
 */
#include "arith/factorrange.h"

#include <flint/flint.h>
#include <flint/ulong_extras.h>
#include <string.h>

#include "arith/factor64.h"
#include "unit.h"

enum { BLOCK = FACTORRANGE_BLOCK };

static struct factorrange *range;
static uint64_t got[BLOCK * FACTOR64_MAX + 1], want[BLOCK * FACTOR64_MAX];
static uint32_t got_end[BLOCK + 1], want_end[BLOCK];
static uint64_t failures; /* each group of checks asserts once: CUnit is slow */

static void complain(const char *what, uint64_t n)
{
    if (failures++ < 10)
        printf("\n    %s: at %" PRIu64 "\n", what, n);
}

static void begin(void)
{
    failures = 0;
    range = factorrange_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(range);
}

static void finish(void)
{
    factorrange_free(range);
    CU_ASSERT_EQUAL(failures, 0);
}

/* Whether p[0..k) is the factorization of n, by FLINT. */
static bool is_factorization(uint64_t n, const uint64_t *p, size_t k)
{
    uint64_t product = 1;
    if (n < 2)
        return k == 0;
    for (size_t i = 0; i < k; i++) {
        if ((i && p[i] < p[i - 1]) || !n_is_prime(p[i]) || (n / product) % p[i] != 0)
            return false;
        product *= p[i];
    }
    return product == n;
}

/* The lists of [first, first + n) in got[] against the oracles. */
static void compare(uint64_t first, size_t n, uint32_t base)
{
    static uint64_t numbers[BLOCK];
    for (size_t i = 0; i < n; i++)
        numbers[i] = first + i;
    CU_ASSERT_FATAL(factor64_batch(numbers, n, want, want_end, base));
    if (memcmp(got_end, want_end, n * sizeof *got_end) != 0 ||
        memcmp(got, want, (got_end[n - 1] - base) * sizeof *got) != 0)
        complain("not as factor64", first);
    for (size_t i = 0; i < n; i += 1 + unit_random() % 64) {
        uint32_t at = i > 0 ? got_end[i - 1] - base : 0;
        if (!is_factorization(first + i, got + at, got_end[i] - base - at))
            complain("not a factorization", first + i);
    }
}

/* The window, in calls of at most `most`. */
static void check(uint64_t first, uint64_t count, uint64_t most)
{
    while (count > 0) {
        uint64_t some = count < most ? count : most;
        size_t room = some < BLOCK ? (size_t)some : BLOCK;
        uint32_t base = (uint32_t)(unit_random() % 1000);
        got[room * FACTOR64_MAX] = 99;
        got_end[room] = 77;
        int n = factorrange(range, first, some, got, got_end, base);
        if (n < 1 || (size_t)n > room) {
            complain("answers", first);
            return;
        }
        if (got[room * FACTOR64_MAX] != 99 || got_end[room] != 77)
            complain("writes beyond its room", first);
        compare(first, (size_t)n, base);
        first += (uint64_t)n;
        count -= (uint64_t)n;
    }
}

static void test_low(void)
{
    begin();
    check(0, 70000, UINT64_MAX);
    check(0, 5000, 1);
    check(1, 20000, 777);
    for (uint64_t i = 0; i < 100; i++)
        check(i, 1 + unit_random() % 100, 1 + unit_random() % 10);
    finish();
}

/* Around borders of size, where the sieve's bound passes SMALL and the end of the
 * table, and around squares and cubes of primes beside these. */
static void test_borders(void)
{
    static const uint64_t at[] = {16777216,
                                  UINT64_C(4093) * 4093,
                                  UINT64_C(4099) * 4099,
                                  UINT64_C(4294967296),
                                  UINT64_C(4099) * 4099 * 4099,
                                  UINT64_C(4099) * 4099 * 4099 * 4099,
                                  UINT64_C(68719476736),
                                  UINT64_C(1) << 50,
                                  UINT64_C(33554393) * 33554393,
                                  UINT64_C(33554467) * 33554467,
                                  UINT64_C(33554393) * 33554467,
                                  UINT64_C(9007199254740992),
                                  1000000000000000,
                                  UINT64_C(1) << 63};
    begin();
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        check(at[i] - 600, 1500, UINT64_MAX);
    for (uint64_t count = 1; count < 5000; count = count * 5 + 1)
        check(UINT64_MAX - count + 1, count, UINT64_MAX);
    finish();
}

/* Integers with more odd primes than a list of the sieve holds. */
static void test_long_lists(void)
{
    uint64_t power = 1;
    begin();
    for (int i = 1; i <= 40; i++) {
        power *= 3;
        check(power - 3, 7, UINT64_MAX);
    }
    check(UINT64_C(16294579238595022365) - 3, 7, 3); /* 3 * 5 * ... * 53 */
    check(UINT64_C(1) << 62, 3, 2);
    finish();
}

/* Whole windows, and jumps inside of and between them. */
static void test_windows(void)
{
    begin();
    uint64_t first = UINT64_C(1000000000000);
    check(first, 300000 * unit_scale(), UINT64_MAX);
    for (uint64_t i = 0; i < 20; i++)
        check(first + unit_random() % 2500000, 1 + unit_random() % 6000,
              1 + unit_random() % 6000);
    finish();
}

static void test_random(void)
{
    begin();
    for (uint64_t i = 0; i < 30 * unit_scale(); i++) {
        uint64_t first = unit_random() >> unit_random() % 64;
        uint64_t count = 1 + unit_random() % 500;
        if (first <= UINT64_MAX - count)
            check(first, count, UINT64_MAX);
    }
    finish();
}

static void test_pays(void)
{
    begin();
    CU_ASSERT_TRUE(factorrange_pays(range, 1, 10000000));
    CU_ASSERT_TRUE(factorrange_pays(range, 1000000000000000, 10000000));
    CU_ASSERT_FALSE(factorrange_pays(range, 1000000000000000, 100));
    CU_ASSERT_FALSE(factorrange_pays(range, UINT64_MAX, 1));
    check(1000000000000000, 10, UINT64_MAX);
    CU_ASSERT_TRUE(factorrange_pays(range, 1000000000000000, 100)); /* it is sieved */
    CU_ASSERT_FALSE(factorrange_pays(range, 999999999999999, 100));
    finish();
}

static const struct unit_test tests[] = {
    {"from 0", test_low},
    {"borders", test_borders},
    {"long lists", test_long_lists},
    {"windows", test_windows},
    {"random places", test_random},
    {"when it pays", test_pays},
};

UNIT_MAIN("factorrange", tests)
