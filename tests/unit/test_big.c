/* Oracle: GMP's own conversions. */
#include "arith/big.h"

#include <string.h>

#include "unit.h"

static void check_round_trip(const mpz_t z)
{
    mpz_t back;
    mpz_init(back);
    char *want = mpz_get_str(NULL, 10, z);
    char *got = malloc(big_print_size(z));
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    CU_ASSERT_EQUAL(big_print(got, z), strlen(want));
    CU_ASSERT_STRING_EQUAL(got, want);
    CU_ASSERT_TRUE(big_parse(back, want, strlen(want)));
    CU_ASSERT_EQUAL(mpz_cmp(back, z), 0);
    if (mpz_size(z) <= BIG_LIMBS) {
        uint64_t limbs[BIG_LIMBS] = {0};
        char to[BIG_LIMBS * 20];
        mpz_export(limbs, NULL, -1, 8, 0, 0, z);
        big_set_limbs(back, limbs, BIG_LIMBS);
        CU_ASSERT_EQUAL(mpz_cmp(back, z), 0);
        size_t len = big_print_limbs(to, limbs, BIG_LIMBS);
        CU_ASSERT_TRUE(len == strlen(want) && memcmp(to, want, len) == 0);
    }
    free(want);
    free(got);
    mpz_clear(back);
}

static void test_edges(void)
{
    mpz_t z;
    mpz_init(z);
    check_round_trip(z);
    for (unsigned e = 0; e < 700; e++)
        for (int d = -2; d <= 2; d++) {
            mpz_ui_pow_ui(z, 2, e);
            if (d < 0)
                mpz_sub_ui(z, z, (unsigned)-d);
            else
                mpz_add_ui(z, z, (unsigned)d);
            if (mpz_sgn(z) >= 0)
                check_round_trip(z);
        }
    for (unsigned e = 0; e < 320; e++) {
        mpz_ui_pow_ui(z, 10, e);
        check_round_trip(z);
        mpz_sub_ui(z, z, 1);
        check_round_trip(z);
    }
    mpz_ui_pow_ui(z, 10, 10000);
    check_round_trip(z);
    mpz_clear(z);
}

static void test_random(void)
{
    mpz_t z;
    mpz_init(z);
    for (uint64_t i = 0; i < 5000 * unit_scale(); i++) {
        uint64_t limbs[12];
        size_t n = unit_random() % 12;
        for (size_t k = 0; k < n; k++)
            limbs[k] = unit_random() % 8 ? unit_random() : 0;
        mpz_import(z, n, -1, 8, 0, 0, limbs);
        check_round_trip(z);
    }
    mpz_clear(z);
}

static void test_leading_zeros(void)
{
    mpz_t z;
    mpz_init_set_ui(z, 7);
    char zeros[400];
    memset(zeros, '0', sizeof zeros);
    zeros[399] = '9';
    for (size_t len = 1; len < 400; len++) {
        CU_ASSERT_TRUE(big_parse(z, zeros, len));
        CU_ASSERT_EQUAL(mpz_sgn(z), 0);
        CU_ASSERT_TRUE(big_parse(z, zeros + 400 - len, len));
        CU_ASSERT_EQUAL(mpz_cmp_ui(z, 9), 0);
    }
    mpz_clear(z);
}

static void test_fits(void)
{
    mpz_t z;
    mpz_init(z);
    big_set(z, UINT64_MAX);
    CU_ASSERT_TRUE(big_fits(z));
    CU_ASSERT_EQUAL(big_u64(z), UINT64_MAX);
    mpz_add_ui(z, z, 1);
    CU_ASSERT_FALSE(big_fits(z));
    big_set(z, 0);
    CU_ASSERT_TRUE(big_fits(z));
    mpz_clear(z);
}

/* Smallest divisor that is 2, 3 or prime to 6, by brute force. */
static uint32_t naive_divisor(uint64_t n, uint32_t from, uint32_t limit)
{
    for (uint32_t d = from < 2 ? 2 : from; d <= limit; d++)
        if ((d == 2 || d == 3 || (d % 2 && d % 3)) && n % d == 0)
            return d;
    return 0;
}

static void test_divisor(void)
{
    mpz_t z;
    mpz_init(z);
    for (uint64_t i = 0; i < 20000 * unit_scale(); i++) {
        uint64_t n = (unit_random() >> (unit_random() % 60)) | 1;
        uint32_t from = (uint32_t)(unit_random() % 300);
        uint32_t limit = (uint32_t)(unit_random() % 2000);
        mpz_set_ui(z, n);
        CU_ASSERT_EQUAL(big_divisor(z, from, limit), naive_divisor(n, from, limit));
    }
    mpz_ui_pow_ui(z, 65537, 500);
    CU_ASSERT_EQUAL(big_divisor(z, 0, 65536), 0);
    CU_ASSERT_EQUAL(big_divisor(z, 0, 65537), 65537);
    CU_ASSERT_EQUAL(big_divisor(z, 65538, (1 << 24) - 1), 0);
    mpz_clear(z);
}

static const struct unit_test tests[] = {
    {"edges", test_edges},
    {"random", test_random},
    {"leading zeros", test_leading_zeros},
    {"64 bits", test_fits},
    {"small divisors", test_divisor},
};

UNIT_MAIN("big", tests)
