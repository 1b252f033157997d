/*
 * unit: the frame of a unit test program. A test file defines its functions, lists them
 * in a table, and ends with UNIT_MAIN("module", table). A program prints CUnit's
 * summary and returns 0 only if at least one test ran and none failed. Its last line is
 * "test_module: P passed, F failed", which tests/run adds up.
 *
 * UNIT_SCALE (environment TEST_SCALE, default 1) multiplies the number of random cases;
 * UNIT_SEED (environment TEST_SEED) is printed when a test program starts.
 */
#ifndef QUERN_TESTS_UNIT_H
#define QUERN_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct unit_test {
    const char *name;
    void (*run)(void);
};

static inline uint64_t unit_env(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : fallback;
}

static inline uint64_t unit_scale(void)
{
    return unit_env("TEST_SCALE", 1);
}

/* SplitMix64 (Steele, Lea, Flood 2014): a seeded stream of 64-bit numbers. */
static uint64_t unit_state;

static inline uint64_t unit_random(void)
{
    uint64_t z = (unit_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline int unit_main(const char *module, const struct unit_test *tests, size_t n)
{
    setvbuf(stdout, NULL, _IOLBF, 0); /* what was printed before a crash is seen */
    unit_state = unit_env("TEST_SEED", 20261122);
    printf("test_%s: seed %" PRIu64 ", scale %" PRIu64 "\n", module, unit_state,
           unit_scale());
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(module, NULL, NULL);
    for (size_t i = 0; suite && i < n; i++)
        if (!CU_add_test(suite, tests[i].name, tests[i].run))
            suite = NULL;
    if (!suite)
        return 2;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned ran = CU_get_number_of_tests_run();
    unsigned failed = CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    size_t passed = ran - failed;
    printf("\ntest_%s: %zu passed, %zu failed\n", module, passed, n - passed);
    return n > 0 && passed == n ? 0 : 1;
}

#define UNIT_MAIN(module, tests)                                                       \
    int main(void)                                                                     \
    {                                                                                  \
        return unit_main(module, tests, sizeof(tests) / sizeof((tests)[0]));           \
    }

#endif
