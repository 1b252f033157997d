/* Buckets, gates and waits under a clock of the test's own. */
#include "source/throttle.h"

#include "unit.h"

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

static void check_rate(const char *text, uint64_t interval_ns)
{
    struct qerr e = QERR_INIT;
    struct rate r = {0};
    CU_ASSERT_EQUAL(rate_parse(text, &r, &e), 0);
    CU_ASSERT_EQUAL(r.interval_ns, interval_ns);
}

static void test_rates(void)
{
    static const char *const bad[] = {"",     "0",     "-1",   "1/d", "x",
                                      "1/ s", "1e3",   "0x10", "inf", "nan",
                                      " 1",   "1.2.3", "/s"};
    check_rate("10", 100 * MS);
    check_rate("10/s", 100 * MS);
    check_rate("0.5", 2 * SECOND);
    check_rate("30/m", 2 * SECOND);
    check_rate("3600/h", SECOND);
    check_rate("3", 333333334); /* never faster than asked for */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct qerr e = QERR_INIT;
        struct rate r = {7};
        CU_ASSERT_EQUAL(rate_parse(bad[i], &r, &e), -Q_EUSAGE);
        CU_ASSERT_EQUAL(r.interval_ns, 7);
    }
}

static void test_no_limit(void)
{
    struct bucket b;
    bucket_init(&b, (struct rate){0}, 5);
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT(bucket_ready(&b) <= 10);
        bucket_take(&b, 10);
    }
    bucket_drain(&b, 10);
    CU_ASSERT(bucket_ready(&b) <= 10);
}

/* In any window of L at most burst + L / interval start; and no token is kept back. */
static void test_windows(void)
{
    enum { N = 400 };
    for (unsigned round = 0; round < 200; round++) {
        uint64_t interval = 1 + unit_random() % (50 * MS),
                 burst = 1 + unit_random() % 8;
        uint64_t now = unit_random() % SECOND + 1, at[N];
        struct bucket b;
        bucket_init(&b, (struct rate){interval}, burst);
        for (unsigned i = 0; i < N; i++) {
            if (unit_random() % 10 == 0) /* a pause: the bucket fills again */
                now += unit_random() % (10 * interval);
            if (bucket_ready(&b) > now)
                now = bucket_ready(&b);
            at[i] = now;
            bucket_take(&b, now);
        }
        bool fine = true;
        for (unsigned i = 0; i < N; i++)
            for (unsigned k = i; k < N; k++)
                fine = fine && k - i + 1 <= burst + (at[k] - at[i]) / interval;
        CU_ASSERT(fine);
    }
}

static void test_burst_first(void)
{
    struct bucket b;
    bucket_init(&b, (struct rate){100 * MS}, 5);
    uint64_t now = 7 * SECOND;
    for (int i = 0; i < 5; i++) {
        CU_ASSERT(bucket_ready(&b) <= now);
        bucket_take(&b, now);
    }
    CU_ASSERT_EQUAL(bucket_ready(&b), now + 100 * MS);
    now += SECOND; /* full again, and no more than full */
    for (int i = 0; i < 5; i++) {
        CU_ASSERT(bucket_ready(&b) <= now);
        bucket_take(&b, now);
    }
    CU_ASSERT_EQUAL(bucket_ready(&b), now + 100 * MS);
}

static void test_drain(void)
{
    struct bucket b;
    bucket_init(&b, (struct rate){100 * MS}, 5);
    bucket_drain(&b, SECOND);
    CU_ASSERT_EQUAL(bucket_ready(&b), SECOND + 100 * MS);
    bucket_take(&b, SECOND + 100 * MS);
    CU_ASSERT_EQUAL(bucket_ready(&b), SECOND + 200 * MS);
    bucket_drain(&b, SECOND + 100 * MS); /* it is empty: nothing changes */
    CU_ASSERT_EQUAL(bucket_ready(&b), SECOND + 200 * MS);
}

static void test_gate(void)
{
    struct gate g;
    gate_init(&g, 16);
    CU_ASSERT_FALSE(gate_is_shut(&g, 1));
    gate_shut(&g, 10, 110);
    CU_ASSERT(gate_is_shut(&g, 109) && !gate_is_shut(&g, 110));
    CU_ASSERT_EQUAL(g.cap, 8);
    gate_shut(&g, 20, 90); /* of the same period: neither earlier nor another half */
    CU_ASSERT_EQUAL(g.until_ns, 110);
    CU_ASSERT_EQUAL(g.cap, 8);
    gate_shut(&g, 30, 200);
    CU_ASSERT_EQUAL(g.until_ns, 200);
    CU_ASSERT_EQUAL(g.cap, 8);
    gate_shut(&g, 200, 300);
    CU_ASSERT_EQUAL(g.cap, 4);
    for (int i = 0; i < GATE_STREAK - 1; i++)
        gate_succeeded(&g);
    CU_ASSERT_EQUAL(g.cap, 4);
    gate_succeeded(&g);
    CU_ASSERT_EQUAL(g.cap, 5);
    for (uint64_t now = 1000; now < 2000; now += 100)
        gate_shut(&g, now, now + 1);
    CU_ASSERT_EQUAL(g.cap, 1);
    for (int i = 0; i < 100 * GATE_STREAK; i++)
        gate_succeeded(&g);
    CU_ASSERT_EQUAL(g.cap, 16);
}

static void test_backoff(void)
{
    static const uint64_t most[] = {500, 1000, 2000, 4000, 8000, 16000, 32000, 60000};
    for (uint64_t job = 1; job < 200; job++)
        for (unsigned tries = 1; tries < 30; tries++) {
            uint64_t b = most[tries <= 8 ? tries - 1 : 7] * MS;
            uint64_t w = backoff_wait(1, job, tries);
            CU_ASSERT(w >= b / 2 && w <= b);
            CU_ASSERT_EQUAL(w, backoff_wait(1, job, tries));
        }
    CU_ASSERT_NOT_EQUAL(backoff_wait(1, 1, 3), backoff_wait(1, 2, 3));
    CU_ASSERT_NOT_EQUAL(backoff_wait(1, 1, 3), backoff_wait(2, 1, 3));
}

/* What the server names is a minimum, never undercut. */
static void test_backoff_after(void)
{
    for (uint64_t job = 1; job < 500; job++) {
        uint64_t w = backoff_wait_after(1, job, 1, 10 * SECOND);
        CU_ASSERT(w >= 10 * SECOND && w <= 11 * SECOND);
        w = backoff_wait_after(1, job, 1, SECOND);
        CU_ASSERT(w >= SECOND && w <= SECOND + 100 * MS);
        CU_ASSERT(backoff_wait_after(1, job, 8, SECOND) >= 30 * SECOND);
        CU_ASSERT_EQUAL(backoff_wait_after(1, job, 3, 0), backoff_wait(1, job, 3));
    }
    CU_ASSERT_EQUAL(backoff_wait_after(1, 1, 1, UINT64_MAX), UINT64_MAX);
}

static const struct unit_test tests[] = {
    {"rates", test_rates},
    {"no limit", test_no_limit},
    {"no window has too many", test_windows},
    {"a burst, then the rate", test_burst_first},
    {"an emptied bucket", test_drain},
    {"the gate and its cap", test_gate},
    {"backoff", test_backoff},
    {"backoff and Retry-After", test_backoff_after},
};

UNIT_MAIN("throttle", tests)
