/* gather: the statistics of other ranks, some of which do not answer. */
#include "engine/gather.h"

#include <string.h>

#include "base/qclock.h"
#include "engine/wire.h"
#include "engine/world.h"
#include "fakempi.h"
#include "unit.h"

enum { BEHIND_S = 100 }; /* the clock of another host, behind ours */

/* What a rank answers that has done something, on this host or on another one. */
static void answers(unsigned rank, const char *host)
{
    struct qerr e = QERR_INIT;
    struct qbuf body = QBUF_INIT;
    struct rank_stats s;
    struct meters none;
    meters_init(&none, 0, 0);
    uint64_t now = qclock_ns();
    CU_ASSERT_EQUAL_FATAL(stats_collect(&s, rank, &none, false, &e), 0);
    if (host) {
        now -= BEHIND_S * UINT64_C(1000000000);
        snprintf(s.host, sizeof s.host, "%s", host);
        snprintf(s.clock, sizeof s.clock, "%s's boot", host);
    }
    s.cpu_ns = 1000 + rank;
    qbuf_add(&body, &now, sizeof now);
    stats_pack(&s, &body);
    stats_release(&s);
    mpi_comes(rank, WIRE_STATS, &body);
}

static void ask(int status, size_t expected, struct rank_stats **stats, struct qerr *e)
{
    size_t n = 99;
    *e = (struct qerr)QERR_INIT;
    CU_ASSERT_EQUAL(gather_ask(stats, &n, e), status);
    CU_ASSERT_EQUAL_FATAL(n, expected);
    for (size_t i = 0; i < n; i++)
        stats_release(&(*stats)[i]);
}

static void end(struct rank_stats *stats)
{
    int status = 0;
    free(stats);
    mpi.answer = NULL;
    mpi.leaving.over = true;
    for (unsigned i = 1; i < FAKE_RANKS; i++)
        mpi_comes(i, WIRE_FIN, NULL);
    world_close(&status);
    mpi_end();
}

/* All of them, each asked once, by their numbers, with the clock of the other host. */
static void answer_all(const struct fake_message *m)
{
    if (m->tag == WIRE_STATS && m->rank == FAKE_RANKS - 1)
        for (unsigned i = FAKE_RANKS - 1; i > 0; i--)
            answers(i, i == 2 ? "a host of another name" : NULL);
}

static void test_all(void)
{
    struct rank_stats *stats;
    struct qerr e;
    mpi_begin();
    mpi.answer = answer_all;
    ask(0, 3, &stats, &e);
    for (unsigned i = 1; i < FAKE_RANKS; i++) {
        CU_ASSERT_EQUAL(mpi_was_sent(i, WIRE_STATS), 1);
        CU_ASSERT_EQUAL(stats[i - 1].rank, i);
        CU_ASSERT_EQUAL(stats[i - 1].cpu_ns, 1000 + i);
    }
    CU_ASSERT_EQUAL(stats[0].offset_ns, 0);
    CU_ASSERT_EQUAL(stats[2].offset_ns, 0);
    int64_t off = stats[1].offset_ns - BEHIND_S * INT64_C(1000000000);
    CU_ASSERT(off > -5000000000 && off < 5000000000);
    end(stats);
}

/* What comes late, of others than STATS, is no answer; who has left does not answer. */
static void answer_some(const struct fake_message *m)
{
    struct qbuf late = QBUF_INIT;
    if (m->tag != WIRE_STATS || m->rank != FAKE_RANKS - 1)
        return;
    qbuf_puts(&late, "late");
    mpi_comes(1, WIRE_RESULT, &late);
    mpi_comes(2, WIRE_FIN, NULL);
    answers(3, NULL);
    answers(1, NULL);
}

static void test_some(void)
{
    struct rank_stats *stats;
    struct qerr e;
    mpi_begin();
    mpi.answer = answer_some;
    uint64_t begun = qclock_ns();
    ask(0, 2, &stats, &e);
    CU_ASSERT(qclock_ns() - begun < 1900000000); /* it has not waited for rank 2 */
    CU_ASSERT_EQUAL(stats[0].rank, 1);
    CU_ASSERT_EQUAL(stats[1].rank, 3);
    end(stats);
    CU_ASSERT_EQUAL(mpi_was_sent(1, WIRE_BYE), 1);
    CU_ASSERT_EQUAL(mpi_was_sent(2, WIRE_BYE), 0);
}

/* Who answers and then leaves is one rank, not two: the others are waited for. */
static void answer_and_leave(const struct fake_message *m)
{
    if (m->tag != WIRE_STATS || m->rank != FAKE_RANKS - 1)
        return;
    answers(3, NULL);
    mpi_comes(3, WIRE_FIN, NULL);
    answers(1, NULL);
    answers(2, NULL);
}

static void test_left(void)
{
    struct rank_stats *stats;
    struct qerr e;
    mpi_begin();
    mpi.answer = answer_and_leave;
    ask(0, 3, &stats, &e);
    end(stats);
}

/* A rank that is silent is waited for, but not for ever. */
static void answer_but_one(const struct fake_message *m)
{
    if (m->tag == WIRE_STATS && m->rank != 2)
        answers(m->rank, NULL);
}

/* Who has left before is not asked at all. */
static void test_gone(void)
{
    struct rank_stats *stats;
    struct qerr e;
    mpi_begin();
    mpi.answer = answer_but_one;
    world_take_fin(2);
    uint64_t begun = qclock_ns();
    ask(0, 2, &stats, &e);
    CU_ASSERT(qclock_ns() - begun < 1900000000);
    CU_ASSERT_EQUAL(mpi_was_sent(2, WIRE_STATS), 0);
    end(stats);
}

static void test_silent(void)
{
    struct rank_stats *stats;
    struct qerr e;
    mpi_begin();
    mpi.answer = answer_but_one;
    uint64_t begun = qclock_ns();
    ask(0, 2, &stats, &e);
    CU_ASSERT(qclock_ns() - begun >= 2000000000);
    end(stats);
}

static void answer_damaged(const struct fake_message *m)
{
    struct qbuf body = QBUF_INIT;
    qbuf_puts(&body, m->rank == 1 ? "short" : "long enough, but no statistics");
    if (m->tag == WIRE_STATS)
        mpi_comes(m->rank, WIRE_STATS, &body);
    qbuf_release(&body);
}

static void test_damaged(void)
{
    struct rank_stats *stats;
    struct qerr e;
    mpi_begin();
    mpi.answer = answer_damaged;
    ask(-Q_ECHECK, 0, &stats, &e);
    CU_ASSERT(strstr(e.text, "damaged") != NULL);
    end(stats);
}

/* In the other direction: what gather_answer sends is what gather_ask takes. */
static void answer_as_a_rank(const struct fake_message *m)
{
    static struct meters mine;
    struct qerr e = QERR_INIT;
    mpi.answer = NULL; /* this process plays them all */
    if (m->tag != WIRE_STATS)
        return;
    meters_init(&mine, 77, 0);
    CU_ASSERT_EQUAL(gather_answer(&mine, false, &e), 0);
    const struct fake_message *said = &mpi.sent[mpi.nsent - 1];
    for (unsigned i = 1; i < FAKE_RANKS; i++) {
        struct qbuf body = QBUF_INIT;
        qbuf_add(&body, said->body.data, said->body.len);
        mpi_comes(i, WIRE_STATS, &body);
    }
    CU_ASSERT_EQUAL(said->rank, 0);
    CU_ASSERT_EQUAL(said->tag, WIRE_STATS);
}

static void test_answer(void)
{
    struct rank_stats *stats;
    struct qerr e;
    mpi_begin();
    mpi.answer = answer_as_a_rank;
    ask(0, 3, &stats, &e);
    CU_ASSERT_EQUAL(stats[0].start_ns, 77);
    end(stats);
}

/* A container on this host: another name, the same clock. */
static void answer_from_container(const struct fake_message *m)
{
    struct qerr e = QERR_INIT;
    struct qbuf body = QBUF_INIT;
    struct rank_stats s;
    struct meters none;
    if (m->tag != WIRE_STATS)
        return;
    meters_init(&none, 0, 0);
    uint64_t now = qclock_ns();
    CU_ASSERT_EQUAL_FATAL(stats_collect(&s, m->rank, &none, false, &e), 0);
    snprintf(s.host, sizeof s.host, "container");
    qbuf_add(&body, &now, sizeof now);
    stats_pack(&s, &body);
    stats_release(&s);
    mpi_comes(m->rank, WIRE_STATS, &body);
}

static void test_container(void)
{
    struct rank_stats *stats;
    struct qerr e;
    mpi_begin();
    mpi.answer = answer_from_container;
    ask(0, 3, &stats, &e);
    for (unsigned i = 1; i < FAKE_RANKS; i++) {
        CU_ASSERT_STRING_EQUAL(stats[i - 1].host, "container");
        CU_ASSERT_EQUAL(stats[i - 1].offset_ns, 0);
    }
    end(stats);
}

/* There and back take 1000 ns each, or one of them all of 2000; the clock is 7 s ahead
 * or behind. */
static void test_offset(void)
{
    static const int64_t second = 1000000000;
    const uint64_t asked = UINT64_C(5000000000), taken = asked + 2000;
    for (int64_t ahead = -7 * second / 2; ahead < 8 * second; ahead += second) {
        CU_ASSERT_EQUAL(
            gather_offset(asked, (uint64_t)(5 * second + 1000 + ahead), taken), -ahead);
        CU_ASSERT_EQUAL(gather_offset(asked, (uint64_t)(5 * second + ahead), taken),
                        -ahead + 1000);
        CU_ASSERT_EQUAL(
            gather_offset(asked, (uint64_t)(5 * second + 2000 + ahead), taken),
            -ahead - 1000);
    }
    CU_ASSERT_EQUAL(gather_offset(asked, 0, asked), 5 * second);
    CU_ASSERT_EQUAL(gather_offset(0, UINT64_C(1) << 62, 0), -(INT64_C(1) << 62));
}

static void test_alone(void)
{
    struct rank_stats *stats;
    struct qerr e;
    ask(0, 0, &stats, &e); /* before comm_open: a world of one */
    CU_ASSERT_PTR_NULL(stats);
}

static const struct unit_test tests[] = {
    {"alone", test_alone},
    {"all answer", test_all},
    {"one has left", test_some},
    {"one answers and leaves", test_left},
    {"one had left", test_gone},
    {"one is silent", test_silent},
    {"damaged answers", test_damaged},
    {"an answer", test_answer},
    {"a container's clock is the host's", test_container},
    {"the offset of a clock", test_offset},
};

UNIT_MAIN("gather", tests)
