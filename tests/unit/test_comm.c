/* comm: what is received when, with an MPI whose messages take their time. */
#include "engine/comm.h"

#include <string.h>

#include "fakempi.h"
#include "unit.h"

static struct comm_transfer *comes(unsigned from, int tag, const char *text, bool slow)
{
    struct qbuf body = QBUF_INIT;
    qbuf_puts(&body, text);
    struct fake_message *m = mpi_comes(from, tag, &body);
    m->transfer.over = !slow;
    return &m->transfer;
}

/* The next message is this one. */
static void expect(unsigned from, const char *text)
{
    struct qerr e = QERR_INIT;
    struct comm_message m;
    CU_ASSERT_EQUAL_FATAL(comm_receive(&m, &e), 1);
    CU_ASSERT_EQUAL(m.from, from);
    CU_ASSERT_EQUAL(m.body.len, strlen(text));
    CU_ASSERT(memcmp(m.body.data, text, m.body.len) == 0);
    qbuf_release(&m.body);
}

static void expect_nothing(void)
{
    struct qerr e = QERR_INIT;
    struct comm_message m;
    CU_ASSERT_EQUAL_FATAL(comm_receive(&m, &e), 0);
}

static void end(void)
{
    comm_close();
    mpi_end();
}

static void test_at_once(void)
{
    mpi_begin();
    expect_nothing();
    comes(1, 3, "one", false);
    comes(1, 3, "two", false);
    comes(2, 4, "", false);
    expect(1, "one");
    expect(1, "two");
    expect(2, "");
    expect_nothing();
    end();
}

/* Who looks once has all that can be seen under way. */
static void test_slow_ones_hide_nobody(void)
{
    mpi_begin();
    struct comm_transfer *slow = comes(1, 3, "slow", true);
    struct comm_transfer *slower = comes(2, 3, "slower", true);
    comes(3, 3, "quick", false);
    expect(3, "quick");
    CU_ASSERT_EQUAL(mpi.next, 3);
    expect_nothing();
    slower->over = true;
    expect(2, "slower");
    slow->over = true;
    expect(1, "slow");
    expect_nothing();
    end();
}

/* Of one rank a message does not overtake the one before it. */
static void test_in_order(void)
{
    mpi_begin();
    struct comm_transfer *first = comes(1, 3, "first", true);
    comes(1, 3, "second", false);
    expect_nothing();
    CU_ASSERT_EQUAL(mpi.next, 1);
    first->over = true;
    expect(1, "first");
    expect(1, "second");
    expect_nothing();
    end();
}

static void test_sends(void)
{
    struct qerr e = QERR_INIT;
    struct qbuf body = QBUF_INIT;
    mpi_begin();
    qbuf_puts(&body, "text");
    CU_ASSERT_EQUAL(comm_send(1, 5, &body, &e), 0);
    CU_ASSERT_EQUAL(body.len, 0);
    CU_ASSERT_EQUAL(mpi_was_sent(1, 5), 1);
    CU_ASSERT(!comm_is_quiet());
    mpi.leaving.over = true;
    CU_ASSERT(comm_is_quiet());
    end();
}

static const struct unit_test tests[] = {
    {"messages that are there", test_at_once},
    {"slow messages hide nobody", test_slow_ones_hide_nobody},
    {"messages of a rank in order", test_in_order},
    {"sends", test_sends},
};

UNIT_MAIN("comm", tests)
