/* How many threads take jobs, on a clock of the test's own: what each load comes to,
 * and how often another thread is tried in vain. */
#include "source/crew.h"

#include "unit.h"

#define WINDOW UINT64_C(20000000)

enum { COST = 1000 };

static struct crew c;
static uint64_t now, slept, ended;

static void begin(unsigned least, unsigned most)
{
    now = 1000;
    slept = ended = 0;
    crew_init(&c, least, most, COST, now);
    CU_ASSERT_EQUAL(c.n, most);
}

/* A window in which all threads together were busy for `percent` of it. */
static bool look(unsigned percent)
{
    CU_ASSERT(!crew_is_due(&c, now + WINDOW - 1));
    now += WINDOW;
    slept += WINDOW * c.most - WINDOW * percent / 100;
    ended += COST;
    bool due = crew_is_due(&c, now);
    CU_ASSERT_EQUAL(due, c.least < c.most);
    unsigned before = c.n;
    bool changed = due && crew_look(&c, now, slept, ended);
    CU_ASSERT_EQUAL(changed, c.n != before);
    CU_ASSERT(c.n >= c.least && c.n <= c.most);
    return changed;
}

/* What one thread can do is left to it. */
static void test_fewer(void)
{
    begin(1, 2);
    CU_ASSERT(look(98) && c.n == 1);
    begin(1, 30);
    CU_ASSERT(look(250) && c.n == 3);
    CU_ASSERT(look(20) && c.n == 1);
    for (int i = 0; i < 100; i++)
        CU_ASSERT(!look(60));
    begin(3, 8);
    CU_ASSERT(look(20) && c.n == 3);
}

/* Nothing is known of threads that wait. */
static void test_idle(void)
{
    begin(1, 2);
    CU_ASSERT(!look(0) && !look(3) && !look(9) && c.n == 2);
    CU_ASSERT(look(30) && !look(0) && c.n == 1);
}

/* A few large bodies stay where they are. */
static void test_cost(void)
{
    begin(1, 2);
    for (unsigned i = 1; i < COST / 10; i++) {
        ended = 10 * (uint64_t)i - COST; /* look adds COST */
        CU_ASSERT(!look(80));
    }
    ended = 0;
    CU_ASSERT(look(80) && c.n == 1);
}

/* All that are busy go on. */
static void test_all(void)
{
    begin(1, 4);
    for (int i = 0; i < 100; i++)
        CU_ASSERT(!look(390) && !look(320));
}

/* One after the other joins while all are busy, and a window that is not full counts
 * for nothing. */
static void test_more(void)
{
    begin(1, 3);
    CU_ASSERT(look(50) && c.n == 1);
    for (int i = 0; i < 3; i++)
        CU_ASSERT(!look(100));
    CU_ASSERT(!look(80));
    for (int i = 0; i < 3; i++)
        CU_ASSERT(!look(100));
    CU_ASSERT(look(100) && c.n == 2);
    CU_ASSERT(!look(199)); /* it is of use: the next one is tried sooner */
    CU_ASSERT(look(199) && c.n == 3);
    CU_ASSERT(!look(290));
    for (int i = 0; i < 10; i++)
        CU_ASSERT(!look(300));
}

/* Two together do no more than one alone: ever fewer windows are spent on that. */
static void test_in_vain(void)
{
    enum { WINDOWS = 1000 };
    unsigned two = 0;
    begin(1, 2);
    for (unsigned i = 0; i < WINDOWS; i++) {
        two += c.n == 2;
        look(c.n == 2 ? 97 : 100);
    }
    CU_ASSERT(two > 10 && two < 25);
}

/* Nothing to decide, a clock that stands still, a thread that sleeps longer than it
 * can: no harm. */
static void test_edges(void)
{
    begin(1, 1);
    CU_ASSERT(!look(100) && !look(0));
    begin(2, 2);
    CU_ASSERT(!look(100) && !look(0));
    begin(1, 2);
    CU_ASSERT(!crew_is_due(&c, now) && !crew_is_due(&c, 0));
    CU_ASSERT(!crew_look(&c, now + WINDOW, 3 * WINDOW, COST));
}

static const struct unit_test tests[] = {
    {"fewer", test_fewer}, {"idle", test_idle}, {"all", test_all},
    {"cost", test_cost},   {"more", test_more}, {"in vain", test_in_vain},
    {"edges", test_edges},
};

UNIT_MAIN("crew", tests)
