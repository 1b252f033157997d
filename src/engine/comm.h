/*
 * comm: the processes of this run, and messages between them. The seam to MPI: without
 * a launcher it is a world of one, and no MPI is loaded.
 *
 * A message is a tag and bytes, at most COMM_MOST of them. Messages from one rank to
 * another arrive in the order in which they were sent. No call waits for another rank,
 * but for comm_open and comm_close.
 *
 * Only the main thread calls these. comm_open comes first, once; comm_close last, also
 * after an error.
 */
#ifndef QUERN_ENGINE_COMM_H
#define QUERN_ENGINE_COMM_H

#include <stdbool.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "engine/comm_ops.h"

enum { COMM_MOST = 1 << 30, COMM_TAGS = 32 };

enum comm_wish {
    COMM_AUTO, /* MPI when a launcher is seen */
    COMM_YES,  /* in any case: fails without */
    COMM_NO
};

int comm_open(enum comm_wish wish, struct qerr *e);

/* The same with this body and no module, for programs that have it linked. */
int comm_open_with(const struct comm_ops *ops, struct qerr *e);
void comm_close(void);

/* This process and how many there are: 0 and 1 before comm_open and in a world of one.
 */
unsigned comm_rank(void);
unsigned comm_size(void);

/* The MPI that is in use ("Open MPI 4.1.4"), or NULL. */
const char *comm_library(void);

/* An MPI that a module is there for ("Open MPI"), or NULL. */
const char *comm_module(void);

/* Appends the MPIs that modules are there for, with commas between, or "no". */
void comm_list(struct qbuf *out);

struct comm_message {
    unsigned from;
    int tag;          /* 0 .. COMM_TAGS - 1 */
    struct qbuf body; /* the receiver's, who releases it */
};

/* Takes the body (which is empty afterwards, also on failure). */
int comm_send(unsigned to, int tag, struct qbuf *body, struct qerr *e);

/* The next message: 1, 0 when none has come yet, or an error. */
int comm_receive(struct comm_message *m, struct qerr *e);

/* Whether all that was sent has left. */
bool comm_is_quiet(void);

#endif
