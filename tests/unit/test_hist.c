#include "core/hist.h"

#include "unit.h"

/* Every duration is in one bucket, whose bounds hold it and are an eighth apart. */
static void test_buckets(void)
{
    for (unsigned i = 0; i + 1 < HIST_BUCKETS; i++) {
        CU_ASSERT_EQUAL(hist_high(i) + 1, hist_low(i + 1));
        CU_ASSERT(hist_high(i) <= hist_low(i) + hist_low(i) / 8);
    }
    for (unsigned i = 0; i < 1000 * unit_scale(); i++) {
        static struct hist h;
        uint64_t ns = unit_random() >> (20 + unit_random() % 44);
        h = (struct hist){.n = 0};
        hist_add(&h, ns, 1);
        unsigned at = 0;
        while (h.count[at] == 0)
            at++;
        CU_ASSERT(hist_low(at) <= ns && ns <= hist_high(at));
        CU_ASSERT_EQUAL(hist_quantile(&h, 0.5), ns);
    }
}

static void test_quantiles(void)
{
    static struct hist h;
    CU_ASSERT_EQUAL(hist_quantile(&h, 0.5), 0);
    for (uint64_t ns = 1; ns <= 100000; ns++)
        hist_add(&h, ns, 1);
    CU_ASSERT_EQUAL(h.n, 100000);
    CU_ASSERT_EQUAL(h.sum_ns, UINT64_C(5000050000));
    CU_ASSERT_EQUAL(h.max_ns, 100000);
    CU_ASSERT_EQUAL(hist_quantile(&h, 1), 100000);
    for (int p = 1; p < 100; p++) {
        double true_value = 1000.0 * p;
        double got = (double)hist_quantile(&h, p / 100.0);
        CU_ASSERT(got >= true_value * 0.999 && got <= true_value * 1.126);
    }
}

static void test_weights(void)
{
    static struct hist a, b;
    hist_add(&a, 10, 99);
    hist_add(&a, 5, 0);
    hist_add(&b, UINT64_MAX / 2, 1); /* beyond the last bucket: in it */
    hist_merge(&a, &b);
    CU_ASSERT_EQUAL(a.n, 100);
    CU_ASSERT_EQUAL(hist_quantile(&a, 0.99), 10);
    CU_ASSERT_EQUAL(a.max_ns, UINT64_MAX / 2);
    CU_ASSERT_EQUAL(a.count[HIST_BUCKETS - 1], 1);
}

static const struct unit_test tests[] = {
    {"buckets", test_buckets},
    {"quantiles", test_quantiles},
    {"weights and merging", test_weights},
};
UNIT_MAIN("hist", tests)
