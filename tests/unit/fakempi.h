/*
 * fakempi: an MPI that is not there. This process is rank 0 of FAKE_RANKS; what the
 * others say stands in a queue, and what they are sent is kept.
 */
#ifndef QUERN_TESTS_FAKEMPI_H
#define QUERN_TESTS_FAKEMPI_H

#include <string.h>

#include "engine/comm.h"
#include "unit.h"

enum { FAKE_RANKS = 4, FAKE_MESSAGES = 64 };

struct comm_transfer {
    bool over;
};

struct fake_message {
    unsigned rank; /* the other one */
    int tag;
    struct qbuf body;
    struct comm_transfer transfer;
};

static struct {
    struct fake_message queue[FAKE_MESSAGES], sent[FAKE_MESSAGES];
    unsigned n, next, nsent;
    struct comm_transfer leaving; /* of all that is sent */

    /* The answer to a message, if it is to have one at once; or NULL. */
    void (*answer)(const struct fake_message *m);
} mpi;

static const char *fake_library(void)
{
    return "a fake";
}

static int fake_init(unsigned *rank, unsigned *size)
{
    *rank = 0;
    *size = FAKE_RANKS;
    return 0;
}

static int fake_finalize(void)
{
    return 0;
}

static void fake_say(int error, char text[COMM_SAID])
{
    snprintf(text, COMM_SAID, "error %d", error);
}

static int fake_send(const void *bytes, size_t n, unsigned to, int tag,
                     struct comm_transfer **t)
{
    CU_ASSERT_FATAL(mpi.nsent < FAKE_MESSAGES);
    struct fake_message *m = &mpi.sent[mpi.nsent++];
    *m = (struct fake_message){.rank = to, .tag = tag};
    qbuf_add(&m->body, bytes, n);
    *t = &mpi.leaving;
    if (mpi.answer)
        mpi.answer(m);
    return 0;
}

static int fake_probe(bool *there, unsigned *from, int *tag, size_t *n)
{
    *there = mpi.next < mpi.n;
    if (*there) {
        *from = mpi.queue[mpi.next].rank;
        *tag = mpi.queue[mpi.next].tag;
        *n = mpi.queue[mpi.next].body.len;
    }
    return 0;
}

static int fake_receive(void *bytes, size_t n, unsigned from, int tag,
                        struct comm_transfer **t)
{
    struct fake_message *m = &mpi.queue[mpi.next++];
    CU_ASSERT_EQUAL(from, m->rank);
    CU_ASSERT_EQUAL(tag, m->tag);
    CU_ASSERT_EQUAL_FATAL(n, m->body.len);
    if (n > 0)
        memcpy(bytes, m->body.data, n);
    *t = &m->transfer;
    return 0;
}

static int fake_test(struct comm_transfer *t, bool *over)
{
    *over = t->over;
    return 0;
}

static const struct comm_ops fake_mpi = {.version = COMM_OPS_VERSION,
                                         .library = fake_library,
                                         .init = fake_init,
                                         .finalize = fake_finalize,
                                         .say = fake_say,
                                         .send = fake_send,
                                         .probe = fake_probe,
                                         .receive = fake_receive,
                                         .test = fake_test};

/* Rank `from` says so; takes the body, which may be NULL. */
static inline struct fake_message *mpi_comes(unsigned from, int tag, struct qbuf *body)
{
    CU_ASSERT_FATAL(mpi.n < FAKE_MESSAGES);
    struct fake_message *m = &mpi.queue[mpi.n++];
    *m = (struct fake_message){.rank = from, .tag = tag, .transfer = {true}};
    if (body) {
        m->body = *body;
        qbuf_init(body);
    }
    return m;
}

static inline void mpi_begin(void)
{
    struct qerr e = QERR_INIT;
    memset(&mpi, 0, sizeof mpi);
    CU_ASSERT_EQUAL_FATAL(comm_open_with(&fake_mpi, &e), 0);
    CU_ASSERT_EQUAL(comm_size(), FAKE_RANKS);
}

/* comm_close has been called. */
static inline void mpi_end(void)
{
    for (unsigned i = 0; i < mpi.n; i++)
        qbuf_release(&mpi.queue[i].body);
    for (unsigned i = 0; i < mpi.nsent; i++)
        qbuf_release(&mpi.sent[i].body);
}

/* How many messages of this kind rank `to` was sent. */
static inline unsigned mpi_was_sent(unsigned to, int tag)
{
    unsigned n = 0;
    for (unsigned i = 0; i < mpi.nsent; i++)
        n += mpi.sent[i].rank == to && mpi.sent[i].tag == tag;
    return n;
}

#endif
