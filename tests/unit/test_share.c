/* share: how much goes to whom. */
#include "engine/share.h"
#include "unit.h"

enum { MS = 1000000 };

static void test_claims_grow_to_their_time(void)
{
    struct claim c;
    claim_init(&c, 0, 0);
    CU_ASSERT(c.want.bytes > 0 && c.want.bytes < 1000 && c.want.integers == 1);
    for (int i = 0; i < 20; i++) /* 100 ns a byte */
        claim_learn(&c, true, c.want.bytes, c.want.bytes * 100, CLAIM_NS);
    CU_ASSERT_EQUAL(c.want.bytes, CLAIM_NS / 100);
    CU_ASSERT_EQUAL(c.want.integers, 1);
    uint64_t before = c.want.bytes;
    claim_learn(&c, true, 1, 1000 * MS, CLAIM_NS); /* one hard record */
    CU_ASSERT_EQUAL(c.want.bytes, 1);
    claim_learn(&c, true, 1, 1, CLAIM_NS);
    CU_ASSERT(c.want.bytes > 1 && c.want.bytes < before);
    for (int i = 0; i < 40; i++)
        claim_learn(&c, true, c.want.bytes, 0, CLAIM_NS);
    CU_ASSERT_EQUAL(c.want.bytes, CHUNK_TEXT);
}

/* Where a claim costs more than its integers, none is of fewer than are worth it. */
static void test_least(void)
{
    struct claim c;
    claim_init(&c, 0, 1000000);
    CU_ASSERT(c.want.integers == 1000000 && c.want.bytes < 1000);
    claim_learn(&c, false, 1000000, 1000u * MS, CLAIM_NS);
    CU_ASSERT_EQUAL(c.want.integers, 1000000);
    claim_learn(&c, false, 1000000, 1, CLAIM_NS);
    CU_ASSERT_EQUAL(c.want.integers, 8000000);
    claim_learn(&c, true, 64, 64 * 100, CLAIM_NS);
    CU_ASSERT(c.want.bytes < 1000);
}

static void test_fixed(void)
{
    struct claim c;
    claim_init(&c, 900, 0);
    claim_learn(&c, true, 900, 1, CLAIM_NS);
    claim_learn(&c, false, 900, 1, CLAIM_NS);
    CU_ASSERT(c.want.bytes == 900 && c.want.integers == 900);
}

static void test_budget(void)
{
    CU_ASSERT_EQUAL(share_budget(CLAIM_NS), BUDGET_NS);
    CU_ASSERT(share_budget(1000) > 1000 && share_budget(1000) < 2000);
}

/* Two batches in flight, whatever a claim takes, and never less than a claim for each
 * thread. */
static void test_in_flight(void)
{
    for (unsigned threads = 1; threads <= 64; threads *= 4)
        for (uint64_t each = MS / 10; each < 100000u * MS; each *= 3) {
            struct share s = {.threads = threads};
            for (int i = 0; i < 50; i++)
                share_learn(&s, each);
            CU_ASSERT(s.slot_ns > each / 2 && s.slot_ns < each + each / 2);
            unsigned most = share_most(&s);
            CU_ASSERT(most >= threads + 1);
            if (each >= 2 * MS && each <= BATCH_NS)
                CU_ASSERT(most * each >=
                          threads * UINT64_C(2) * BATCH_NS * 3 / 4 - each);
            if (each > 4u * BATCH_NS)
                CU_ASSERT_EQUAL(most, threads + 1);
            s.out = most;
            CU_ASSERT_EQUAL(share_room(&s), 0);
            s.out = 0;
            CU_ASSERT_EQUAL(share_room(&s), most);
            s.out = threads - 1; /* a thread is idle */
            CU_ASSERT(share_room(&s) > 0);
        }
}

static void test_not_ready(void)
{
    struct share s = {.threads = 0};
    CU_ASSERT_EQUAL(share_room(&s), 0);
}

static void test_due(void)
{
    CU_ASSERT_EQUAL(share_due(1000, 1, 4), 250);
    CU_ASSERT_EQUAL(share_due(1000, 3, 4), 750);
    CU_ASSERT_EQUAL(share_due(3, 1, 4), 1);
    CU_ASSERT_EQUAL(share_due(0, 1, 4), 1);
    CU_ASSERT_EQUAL(share_due(UINT64_MAX, 2, 4), UINT64_MAX / 2);
    uint64_t sum = 0;
    for (unsigned threads = 1; threads <= 9; threads++)
        sum += share_due(45 * 7, threads, 45);
    CU_ASSERT_EQUAL(sum, 45 * 7);
}

static const struct unit_test tests[] = {
    {"claims grow to their time", test_claims_grow_to_their_time},
    {"no claim is too small", test_least},
    {"--chunk", test_fixed},
    {"budget", test_budget},
    {"in flight", test_in_flight},
    {"not ready", test_not_ready},
    {"due", test_due},
};

UNIT_MAIN("share", tests)
