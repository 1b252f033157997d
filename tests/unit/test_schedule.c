/*
 * The schedule under a clock of the test's own. Invariants after each step: no origin
 * and not all together hold more places than they may, nothing starts while its gate is
 * shut, and origins do not starve each other.
 */
#include "source/schedule.h"

#include <string.h>

#include "unit.h"

#define MS UINT64_C(1000000)

enum { JOBS = 300, SITES = 7 };

static struct schedule s;
static struct turn turns[JOBS];
static struct origin *sites[SITES];
static struct qerr e;

static void begin(unsigned workers, unsigned per_host, uint64_t interval_ns,
                  uint64_t burst)
{
    struct schedule_limits limits = {.workers = workers,
                                     .per_host = per_host,
                                     .rate = {interval_ns},
                                     .burst = burst};
    e = (struct qerr)QERR_INIT;
    schedule_init(&s, &limits);
    for (unsigned i = 0; i < SITES; i++) {
        char key[32];
        snprintf(key, sizeof key, "http://h%u:80", i);
        sites[i] = schedule_origin(&s, key, &e);
        CU_ASSERT_PTR_NOT_NULL_FATAL(sites[i]);
        CU_ASSERT(schedule_origin(&s, key, &e) == sites[i]);
    }
    memset(turns, 0, sizeof turns);
}

static void add(unsigned i, unsigned site)
{
    turns[i].id = i + 1;
    turns[i].origin = sites[site];
    schedule_add(&s, &turns[i]);
}

/* The number of the job that starts at `now`, 0 when none does; then `wake` is checked.
 */
static uint64_t next(uint64_t now, uint64_t wake)
{
    uint64_t got;
    struct turn *t = schedule_next(&s, now, NULL, &got);
    if (!t)
        CU_ASSERT_EQUAL(got, wake);
    return t ? t->id : 0;
}

static void end_of_test(void)
{
    struct turn *t;
    while ((t = schedule_any(&s)) != NULL)
        schedule_remove(&s, t);
    CU_ASSERT_EQUAL(s.queued, 0);
    CU_ASSERT_EQUAL(s.nheap, 0);
    schedule_release(&s);
}

static void test_turns(void)
{
    begin(10, 10, 0, 1);
    add(0, 0);
    add(1, 0);
    add(2, 0);
    add(3, 1);
    add(4, 2);
    CU_ASSERT_EQUAL(next(1, 0), 1);
    CU_ASSERT_EQUAL(next(1, 0), 4);
    CU_ASSERT_EQUAL(next(1, 0), 5);
    CU_ASSERT_EQUAL(next(1, 0), 2);
    CU_ASSERT_EQUAL(next(1, 0), 3);
    CU_ASSERT_EQUAL(next(1, UINT64_MAX), 0);
    CU_ASSERT_EQUAL(s.active, 5);
    end_of_test();
}

static void test_places(void)
{
    begin(3, 2, 0, 1);
    for (unsigned i = 0; i < 5; i++)
        add(i, 0);
    add(5, 1);
    add(6, 1);
    CU_ASSERT_EQUAL(next(1, 0), 1);
    CU_ASSERT_EQUAL(next(1, 0), 6);
    CU_ASSERT_EQUAL(next(1, 0), 2);
    CU_ASSERT_EQUAL(next(1, UINT64_MAX), 0); /* all places are taken */
    schedule_remove(&s, &turns[5]);
    CU_ASSERT_EQUAL(next(1, 0), 7); /* the first site has its share */
    schedule_remove(&s, &turns[6]);
    CU_ASSERT_EQUAL(next(1, UINT64_MAX), 0);
    schedule_remove(&s, &turns[0]);
    CU_ASSERT_EQUAL(next(1, 0), 3);
    end_of_test();
}

/* A shut origin holds up no other, and opens when it said. */
static void test_gates(void)
{
    begin(10, 10, 0, 1);
    for (unsigned i = 0; i < 4; i++)
        add(i, i / 2);
    gate_shut(&sites[0]->gate, 1 * MS, 100 * MS);
    CU_ASSERT_EQUAL(schedule_waiting(&s, 2 * MS), 2);
    CU_ASSERT_EQUAL(next(2 * MS, 0), 3);
    CU_ASSERT_EQUAL(next(2 * MS, 0), 4);
    CU_ASSERT_EQUAL(next(2 * MS, 100 * MS), 0);
    CU_ASSERT_EQUAL(next(100 * MS, 0), 1);
    CU_ASSERT_EQUAL(schedule_waiting(&s, 100 * MS), 0);
    end_of_test();
}

static void test_rate(void)
{
    begin(10, 10, 100 * MS, 2);
    for (unsigned i = 0; i < 4; i++)
        add(i, 0);
    add(4, 1);
    CU_ASSERT_EQUAL(next(1 * MS, 0), 1);
    CU_ASSERT_EQUAL(next(1 * MS, 0), 5); /* each origin has a bucket of its own */
    CU_ASSERT_EQUAL(next(1 * MS, 0), 2);
    CU_ASSERT_EQUAL(next(1 * MS, 101 * MS), 0);
    CU_ASSERT_EQUAL(next(101 * MS, 0), 3);
    CU_ASSERT_EQUAL(next(102 * MS, 201 * MS), 0);
    end_of_test();
}

static void test_total_rate(void)
{
    begin(10, 10, 0, 1);
    bucket_init(&s.total, (struct rate){100 * MS}, 1);
    add(0, 0);
    add(1, 1);
    CU_ASSERT_EQUAL(next(1 * MS, 0), 1);
    CU_ASSERT_EQUAL(next(1 * MS, 101 * MS), 0);
    CU_ASSERT_EQUAL(next(101 * MS, 0), 2);
    end_of_test();
}

/* One that comes back goes before those that have not begun. */
static void test_delays(void)
{
    begin(1, 1, 0, 1);
    for (unsigned i = 0; i < 4; i++)
        add(i, 0);
    CU_ASSERT_EQUAL(next(1, 0), 1);
    schedule_remove(&s, &turns[0]);
    CU_ASSERT_EQUAL(schedule_delay(&s, &turns[0], 50, &e), 0);
    CU_ASSERT_EQUAL(next(1, 0), 2);
    schedule_remove(&s, &turns[1]);
    CU_ASSERT_EQUAL(next(60, 0), 1);
    schedule_remove(&s, &turns[0]);
    CU_ASSERT_EQUAL(next(60, 0), 3);
    end_of_test();
}

static void test_urgent(void)
{
    uint64_t wake;
    begin(1, 1, 0, 1);
    add(0, 0);
    add(1, 0);
    CU_ASSERT_EQUAL(next(1, 0), 1);
    CU_ASSERT_PTR_NULL(schedule_next(&s, 1, NULL, &wake));
    CU_ASSERT(schedule_next(&s, 1, &turns[1], &wake) == &turns[1]);
    CU_ASSERT_PTR_NULL(schedule_next(&s, 1, &turns[1], &wake)); /* it has begun */
    schedule_remove(&s, &turns[1]);
    add(2, 0);
    gate_shut(&sites[0]->gate, 1, 50);
    CU_ASSERT_PTR_NULL(schedule_next(&s, 2, &turns[2], &wake)); /* nor may it now */
    CU_ASSERT_EQUAL(wake, 50);
    CU_ASSERT_PTR_NULL(schedule_urgent(&s, 2, &turns[2], &wake));
    CU_ASSERT_EQUAL(wake, 50);
    CU_ASSERT(schedule_urgent(&s, 50, &turns[2], &wake) == &turns[2]);
    end_of_test();
}

/* Nobody else asks while all places are taken: it is queued when its time has come. */
static void test_urgent_later(void)
{
    uint64_t wake;
    begin(1, 1, 0, 1);
    add(0, 0);
    add(1, 0);
    add(2, 0);
    CU_ASSERT_EQUAL(next(1, 0), 1);
    schedule_remove(&s, &turns[1]);
    CU_ASSERT_EQUAL(schedule_delay(&s, &turns[1], 100, &e), 0);
    CU_ASSERT_PTR_NULL(schedule_urgent(&s, 99, &turns[1], &wake));
    CU_ASSERT_EQUAL(wake, 100);
    CU_ASSERT_PTR_NULL(schedule_urgent(&s, 100, NULL, &wake)); /* or nothing */
    CU_ASSERT_EQUAL(wake, UINT64_MAX);
    CU_ASSERT(schedule_urgent(&s, 100, &turns[1], &wake) == &turns[1]);
    end_of_test();
}

/* Many random steps. */
static void test_random(void)
{
    uint64_t now = 1, started = 0;
    begin(5, 3, 2 * MS, 3);
    for (unsigned i = 0; i < JOBS; i++)
        add(i, (unsigned)(unit_random() % SITES));
    for (unsigned step = 0; step < 400000 && (s.queued + s.nheap + s.active) > 0;
         step++) {
        uint64_t wake;
        struct turn *t = schedule_next(&s, now, NULL, &wake);
        if (t) {
            started++;
            CU_ASSERT_EQUAL(t->state, TURN_ACTIVE);
            CU_ASSERT_FALSE(gate_is_shut(&t->origin->gate, now));
            CU_ASSERT(t->origin->active <= t->origin->gate.cap);
            CU_ASSERT(s.active <= 5);
        } else {
            CU_ASSERT(wake > now);
        }
        unsigned pick = (unsigned)(unit_random() % JOBS);
        if (turns[pick].state == TURN_ACTIVE) {
            schedule_remove(&s, &turns[pick]);
            if (unit_random() % 3 == 0)
                schedule_delay(&s, &turns[pick], now + unit_random() % (20 * MS), &e);
            else if (unit_random() % 10 == 0)
                gate_shut(&turns[pick].origin->gate, now, now + 5 * MS);
            else
                gate_succeeded(&turns[pick].origin->gate);
        }
        now += unit_random() % MS;
    }
    CU_ASSERT_EQUAL(s.queued + s.nheap + s.active, 0);
    CU_ASSERT(started >= JOBS);
    end_of_test();
}

static const struct unit_test tests[] = {
    {"origins take turns", test_turns},
    {"places", test_places},
    {"gates", test_gates},
    {"a rate for each origin", test_rate},
    {"a rate for all", test_total_rate},
    {"delays", test_delays},
    {"an urgent job", test_urgent},
    {"an urgent one, later", test_urgent_later},
    {"many steps", test_random},
};

UNIT_MAIN("schedule", tests)
