#include "engine/stats.h"

#include <string.h>

#include "base/qclock.h"
#include "unit.h"

static struct meters all;

static void work(enum meter_role role, unsigned index, unsigned tasks)
{
    struct meter *m = meter_join(&all, role, index);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    for (unsigned i = 0; i < tasks; i++)
        meter_records(m, 100, 10);
    for (unsigned i = 0; i < tasks; i++)
        meter_end(m, &(struct meter_done){.task = role == METER_FETCHER ? TASK_FETCH
                                                                        : TASK_CHUNK,
                                          .start_ns = 1000 * i,
                                          .end_ns = 1000 * i + 100 * (index + 1),
                                          .records = 10,
                                          .errors = 1,
                                          .bytes = 7});
    meter_leave(m);
}

static void collect(struct rank_stats *s, bool events)
{
    struct qerr e = QERR_INIT;
    meters_init(&all, qclock_ns(), 16);
    work(METER_WORKER, 0, 5);
    work(METER_WORKER, 1, 100);
    work(METER_FETCHER, 0, 3);
    CU_ASSERT_EQUAL_FATAL(stats_collect(s, 3, &all, events, &e), 0);
    meters_release(&all);
}

static void test_collect(void)
{
    struct rank_stats s;
    collect(&s, false);
    CU_ASSERT_EQUAL(s.rank, 3);
    CU_ASSERT(s.cpu_ns > 0);
    CU_ASSERT(s.peak_bytes > 1 << 20);
    CU_ASSERT(strlen(s.host) > 0);
    CU_ASSERT(s.end_ns >= s.start_ns);
    CU_ASSERT_EQUAL(s.nthreads, 3);
    CU_ASSERT_EQUAL(s.chunk_ns.n, 105);
    CU_ASSERT_EQUAL(s.record_ns.n, 1050);
    CU_ASSERT_EQUAL(s.fetch_ns.n, 3);
    CU_ASSERT_EQUAL(s.threads[1].role, METER_WORKER);
    CU_ASSERT_EQUAL(s.threads[1].index, 1);
    CU_ASSERT_EQUAL(s.threads[1].busy_ns, 20000);
    CU_ASSERT_EQUAL(s.threads[1].records, 1000);
    CU_ASSERT_EQUAL(s.threads[1].errors, 100);
    CU_ASSERT_PTR_NULL(s.threads[1].events);
    stats_release(&s);
    collect(&s, true);
    CU_ASSERT(s.threads[1].nevents > 0 && s.threads[1].nevents <= 16);
    stats_release(&s);
}

static void test_bytes(void)
{
    struct qerr e = QERR_INIT;
    struct qbuf once = QBUF_INIT, twice = QBUF_INIT;
    struct rank_stats s, t;
    collect(&s, true);
    s.offset_ns = -5;
    stats_pack(&s, &once);
    CU_ASSERT_EQUAL_FATAL(stats_unpack(&t, once.data, once.len, &e), 0);
    CU_ASSERT_EQUAL(t.rank, 3);
    CU_ASSERT_EQUAL(t.offset_ns, -5);
    CU_ASSERT_STRING_EQUAL(t.host, s.host);
    CU_ASSERT_EQUAL(t.threads[1].nevents, s.threads[1].nevents);
    stats_pack(&t, &twice);
    CU_ASSERT_EQUAL(once.len, twice.len);
    CU_ASSERT_EQUAL(memcmp(once.data, twice.data, once.len), 0);
    stats_release(&s);
    stats_release(&t);
    qbuf_release(&once);
    qbuf_release(&twice);
}

static void test_damage(void)
{
    struct qbuf bytes = QBUF_INIT;
    struct rank_stats s, t;
    collect(&s, true);
    stats_pack(&s, &bytes);
    for (size_t len = 0; len < bytes.len; len += len < 100 ? 1 : 61) {
        struct qerr e = QERR_INIT;
        CU_ASSERT_EQUAL(stats_unpack(&t, bytes.data, len, &e), -Q_ECHECK);
        CU_ASSERT_PTR_NULL(t.threads);
    }
    struct qerr e = QERR_INIT;
    qbuf_putc(&bytes, 'x');
    CU_ASSERT_EQUAL(stats_unpack(&t, bytes.data, bytes.len, &e), -Q_ECHECK);
    stats_release(&s);
    qbuf_release(&bytes);
}

static const struct unit_test tests[] = {
    {"collecting", test_collect},
    {"to bytes and back", test_bytes},
    {"damaged bytes", test_damage},
};
UNIT_MAIN("stats", tests)
