/* dispatch: rank 0 among ranks that are not there. */
#include "engine/dispatch.h"

#include <signal.h>
#include <string.h>

#include "base/qclock.h"
#include "capture.h"
#include "engine/wire.h"
#include "engine/world.h"
#include "fake.h"
#include "fakempi.h"
#include "jobs.h"
#include "unit.h"

static const char *const names[FAKE_RANKS] = {"rank 0 on n1", "rank 1 on n1",
                                              "rank 2 on n2", "rank 3 on n2"};

static struct {
    struct job job;
    struct work work;
    struct kernel_state state;
    struct ring *ring;
    struct dispatch *dispatch;
} lead;

/* The input is the file "numbers", which nobody has: its text goes as bytes. */
static void begin(const char *text)
{
    static const char *const chunk[] = {"chunk=3", NULL};
    struct qerr e = QERR_INIT;
    const struct ring_limits limits = {
        .chunks = 4, .window = SIZE_MAX, .texts = SIZE_MAX};
    mpi_begin();
    mpi.leaving.over = true;
    job_make(&lead.job, &kernel_fake, chunk);
    CU_ASSERT_EQUAL_FATAL(job_add_input(&lead.job, INPUT_FILE, "numbers", &e), 0);
    lead.work = (struct work){.kernel = &kernel_fake, .state = &lead.state};
    lead.ring = ring_new(&limits, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lead.ring);
    struct chunk *c = ring_chunk(lead.ring, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    c->kind = CHUNK_OF_TEXT;
    c->cut = CUT_AT_BLANKS;
    c->len = strlen(text);
    memcpy(c->text, text, c->len);
    CU_ASSERT_EQUAL(ring_put(lead.ring, c, &e), 0);
    lead.dispatch = dispatch_new(&lead.job, &lead.work, names, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lead.dispatch);
    dispatch_local(lead.dispatch, 1);
}

static void end(void)
{
    dispatch_free(lead.dispatch);
    ring_stop(lead.ring);
    ring_free(lead.ring);
    job_release(&lead.job);
    for (unsigned i = 1; i < FAKE_RANKS; i++)
        mpi_comes(i, WIRE_FIN, NULL);
    int status = 0;
    world_close(&status);
    mpi_end();
}

static void comes_number(unsigned from, int tag, uint64_t number)
{
    struct qbuf body = QBUF_INIT;
    qwire_put(&body, number);
    mpi_comes(from, tag, &body);
}

static void is_ready(unsigned rank)
{
    struct qbuf body = QBUF_INIT;
    struct qerr none = QERR_INIT;
    qwire_put(&body, 1);
    qwire_put_error(&body, &none);
    qwire_put_text(&body, "somewhere");
    mpi_comes(rank, WIRE_READY, &body);
}

static int turn(int *signal, struct qerr *e)
{
    *signal = 0;
    *e = (struct qerr)QERR_INIT;
    return dispatch_turn(lead.dispatch, lead.ring, qclock_ns(), signal, e);
}

/* A signal that comes before the work has begun ends the waiting and is not lost. */
static void test_early_signal(void)
{
    struct qerr e = QERR_INIT;
    int signal;
    begin("1 2 3 ");
    is_ready(1);
    comes_number(2, WIRE_SIGNAL, SIGUSR1);
    uint64_t begun = qclock_ns();
    CU_ASSERT_EQUAL(dispatch_wait_ready(lead.dispatch, 5000000000, &e), 0);
    CU_ASSERT(qclock_ns() - begun < 4000000000);
    CU_ASSERT_EQUAL(turn(&signal, &e), 0);
    CU_ASSERT_EQUAL(signal, SIGUSR1);
    CU_ASSERT_EQUAL(turn(&signal, &e), 0);
    CU_ASSERT_EQUAL(signal, 0); /* told once */
    comes_number(1, WIRE_SIGNAL, SIGTERM);
    comes_number(2, WIRE_SIGNAL, SIGUSR2);
    CU_ASSERT_EQUAL(turn(&signal, &e), 0);
    CU_ASSERT_EQUAL(signal, SIGTERM); /* not lost behind one that only asks */
    end();
}

/* A rank that leaves has failed, which ends the run; nobody waits for it afterwards. */
static void test_left(void)
{
    struct qerr e;
    int signal;
    begin("1 2 3 ");
    is_ready(1);
    mpi_comes(2, WIRE_FIN, NULL);
    CU_ASSERT_EQUAL(turn(&signal, &e), -Q_EIO);
    CU_ASSERT_STRING_EQUAL(e.text, "rank 2 on n2 has left before the end");
    uint64_t begun = qclock_ns();
    end();
    CU_ASSERT(qclock_ns() - begun < 4000000000);
    CU_ASSERT_EQUAL(mpi_was_sent(1, WIRE_BYE), 1);
    CU_ASSERT_EQUAL(mpi_was_sent(2, WIRE_BYE), 0);
}

/* Gives back, unread, all tasks of a WORK message. */
static void answer_blind(const struct fake_message *m)
{
    struct qbuf body = QBUF_INIT;
    struct qwire w;
    struct part none;
    part_init(&none);
    qwire_init(&w, &m->body);
    if (m->tag != WIRE_WORK)
        return;
    while (w.left > 0) {
        struct chunk c = {.text = NULL};
        struct wire_file file;
        struct span span;
        struct qerr e = QERR_INIT;
        bool in_file;
        qwire_put(&body, qwire_get(&w));
        CU_ASSERT_EQUAL_FATAL(wire_get_span(&w, &c, &span, &in_file, &file, &e), 0);
        qwire_put(&body, 0);     /* done */
        qwire_put(&body, 0);     /* ns */
        qwire_put(&body, false); /* begun */
        qwire_put(&body, true);  /* blind */
        wire_put_part(&body, &none);
        chunk_release(&c);
    }
    mpi_comes(m->rank, WIRE_RESULT, &body);
}

static unsigned lines_said(struct capture *c, char *last, size_t size)
{
    char line[512];
    unsigned n = 0;
    while (capture_next(c, line, sizeof line)) {
        snprintf(last, size, "%s", line);
        n++;
    }
    return n;
}

/* That ranks do not see a file is said once, of all of them. */
static void test_blind(void)
{
    struct capture c;
    struct qerr e;
    char said[512] = "";
    int signal;
    begin("1 2 3 4 5 6 7 8 9 ");
    for (unsigned i = 1; i < FAKE_RANKS; i++)
        is_ready(i);
    capture_begin(&c, STDERR_FILENO);
    mpi.answer = answer_blind;
    CU_ASSERT_EQUAL(turn(&signal, &e), 0);
    mpi.answer = NULL;
    CU_ASSERT_EQUAL(turn(&signal, &e), 0);
    CU_ASSERT_EQUAL(turn(&signal, &e), 0);
    unsigned n = lines_said(&c, said, sizeof said);
    end();
    n += lines_said(&c, said, sizeof said);
    capture_end(&c);
    CU_ASSERT_EQUAL(n, 1);
    CU_ASSERT_STRING_EQUAL(
        said, "quern: warning: rank 1 on n1 and 2 more, on 2 hosts, do not "
              "see numbers as rank 0 does: they are sent what they need\n");
}

/* Of one rank alone, at the end at the latest. */
static void test_one_blind(void)
{
    struct capture c;
    struct qerr e;
    char said[512] = "";
    int signal;
    begin("1 2 3 4 5 6 7 8 9 ");
    for (unsigned i = 1; i < FAKE_RANKS; i++)
        is_ready(i);
    capture_begin(&c, STDERR_FILENO);
    CU_ASSERT_EQUAL(turn(&signal, &e), 0);
    for (unsigned i = 0, sent = mpi.nsent; i < sent; i++)
        if (mpi.sent[i].rank == 3)
            answer_blind(&mpi.sent[i]);
    CU_ASSERT_EQUAL(turn(&signal, &e), 0);
    CU_ASSERT_EQUAL(lines_said(&c, said, sizeof said), 0);
    end();
    CU_ASSERT_EQUAL(lines_said(&c, said, sizeof said), 1);
    capture_end(&c);
    CU_ASSERT_STRING_EQUAL(said, "quern: warning: rank 3 on n2 does not see numbers as "
                                 "rank 0 does: it is sent what it needs\n");
}

static const struct unit_test tests[] = {
    {"a signal before the work", test_early_signal},
    {"a rank that leaves", test_left},
    {"ranks that do not see a file", test_blind},
    {"one rank that does not", test_one_blind},
};

UNIT_MAIN("dispatch", tests)
