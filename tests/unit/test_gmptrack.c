/* Blocks lost on purpose are counted and freed; all others are left alone. The
 * sanitizer build sees a block freed twice or not at all. */
#include "arith/gmptrack.h"

#include "arith/big.h"
#include "unit.h"

static void lose(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mpz_t lost;
        mpz_init2(lost, 64 * (1 + unit_random() % 50));
    }
}

static void test_lost(void)
{
    for (size_t count = 0; count < 5000; count = 3 * count + 1) {
        gmptrack_begin();
        lose(count);
        CU_ASSERT_EQUAL(gmptrack_end(), count);
    }
    CU_ASSERT_EQUAL(gmptrack_end(), 0);
}

/* Integers made before, grown and freed meanwhile, and used after. */
static void test_others(void)
{
    enum { COUNT = 500 };
    static mpz_t before[COUNT], meanwhile[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        mpz_init2(before[i], 64);
    gmptrack_begin();
    for (size_t i = 0; i < COUNT; i++) {
        mpz_init(meanwhile[i]);
        mpz_ui_pow_ui(meanwhile[i], 3, 1 + unit_random() % 3000);
        mpz_ui_pow_ui(before[i], 3, i);
        lose(1);
    }
    for (size_t i = 0; i < COUNT; i++)
        mpz_clear(meanwhile[(i * 7) % COUNT]);
    for (size_t i = 0; i < COUNT / 2; i++)
        mpz_clear(before[i]);
    CU_ASSERT_EQUAL(gmptrack_end(), COUNT);
    mpz_t want;
    mpz_init_set_ui(want, 1);
    for (size_t i = 0; i < COUNT; i++, mpz_mul_ui(want, want, 3))
        if (i >= COUNT / 2) {
            CU_ASSERT_EQUAL(mpz_cmp(before[i], want), 0);
            mpz_clear(before[i]);
        }
    mpz_clear(want);
}

static const struct unit_test tests[] = {
    {"lost blocks", test_lost},
    {"other blocks", test_others},
};

UNIT_MAIN("gmptrack", tests)
