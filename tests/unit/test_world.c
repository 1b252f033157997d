/* world: who is there, seen from rank 0. */
#include "engine/world.h"

#include <string.h>
#include <unistd.h>

#include "base/qclock.h"
#include "base/qself.h"
#include "capture.h"
#include "engine/wire.h"
#include "fakempi.h"
#include "unit.h"

static void says_hello(unsigned rank, const char *host, const char *cpus,
                       unsigned ncpus)
{
    struct qbuf body = QBUF_INIT;
    struct qerr e = QERR_INIT;
    char build[QSELF_BUILD];
    CU_ASSERT_EQUAL_FATAL(qself_build(build, &e), 0);
    qwire_put_text(&body, build);
    qwire_put_text(&body, host);
    qwire_put_text(&body, cpus);
    qwire_put(&body, ncpus);
    qwire_put(&body, ncpus);
    mpi_comes(rank, WIRE_HELLO, &body);
}

static void end(struct world *w)
{
    int status = 0;
    world_release(w);
    mpi.leaving.over = true;
    for (unsigned i = 1; i < FAKE_RANKS; i++)
        mpi_comes(i, WIRE_FIN, NULL);
    world_close(&status);
    mpi_end();
}

static void test_gather(void)
{
    struct world w;
    struct qerr e = QERR_INIT;
    mpi_begin();
    says_hello(1, "n2", "0-7", 8);
    says_hello(3, "n2", "8-15", 8);
    says_hello(2, "n2", "0-7", 8);
    CU_ASSERT_EQUAL_FATAL(world_gather(&w, &e), 0);
    CU_ASSERT_STRING_EQUAL(w.names[3], "rank 3 on n2");
    struct placement_peers one = world_peers(&w, 1), three = world_peers(&w, 3);
    CU_ASSERT(one.host_ranks == 3 && one.mask_ranks == 2);
    CU_ASSERT(three.host_ranks == 3 && three.mask_ranks == 1);
    end(&w);
}

/* A rank that has left before it was here is not waited for, now or at the end. */
static void test_left(void)
{
    struct world w;
    struct qerr e = QERR_INIT;
    uint64_t begun = qclock_ns();
    mpi_begin();
    says_hello(1, "n2", "0", 1);
    mpi_comes(2, WIRE_FIN, NULL);
    CU_ASSERT_EQUAL(world_gather(&w, &e), -Q_EIO);
    CU_ASSERT_STRING_EQUAL(e.text, "rank 2 has left before the work began");
    end(&w);
    CU_ASSERT(qclock_ns() - begun < 4000000000);
    CU_ASSERT_EQUAL(mpi_was_sent(2, WIRE_BYE), 0);
    CU_ASSERT_EQUAL(mpi_was_sent(3, WIRE_BYE), 1);
}

/* What is crowded is said of every set of CPUs, wherever it is. */
static void test_crowded(void)
{
    struct world w;
    struct qerr e = QERR_INIT;
    struct capture c;
    char line[256];
    mpi_begin();
    says_hello(1, "n2", "0-3", 4);
    says_hello(2, "n2", "0-3", 4);
    says_hello(3, "n3", "0-9999", 10000);
    CU_ASSERT_EQUAL_FATAL(world_gather(&w, &e), 0);
    capture_begin(&c, STDERR_FILENO);
    world_warn_crowded(&w, 0);
    CU_ASSERT(!capture_next(&c, line, sizeof line));
    world_warn_crowded(&w, 9000);
    CU_ASSERT(capture_next(&c, line, sizeof line)); /* of this host */
    CU_ASSERT(capture_next(&c, line, sizeof line));
    CU_ASSERT_STRING_EQUAL(
        line, "quern: warning: 18000 threads take turns on 4 CPUs of n2\n");
    CU_ASSERT(!capture_next(&c, line, sizeof line));
    capture_end(&c);
    end(&w);
}

static const struct unit_test tests[] = {
    {"who shares CPUs with whom", test_gather},
    {"a rank that has left", test_left},
    {"more threads than CPUs", test_crowded},
};

UNIT_MAIN("world", tests)
