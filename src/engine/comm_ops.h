/*
 * comm_ops: what comm.c asks of an MPI library. comm_mpi.c is the one body; it is not
 * linked into the program but built, for each MPI there is, as a module that comm.c
 * loads when a launcher is seen. So a plain start does not pay for MPI, and one
 * program serves Open MPI and MPICH.
 *
 * The module knows nothing of quern but this header. Main thread only (FUNNELED). All
 * functions but `library` return 0, or an error code of MPI for `say`.
 */
#ifndef QUERN_ENGINE_COMM_OPS_H
#define QUERN_ENGINE_COMM_OPS_H

#include <stdbool.h>
#include <stddef.h>

enum { COMM_OPS_VERSION = 1, COMM_SAID = 512 };

/* A transfer under way: the module's. */
struct comm_transfer;

struct comm_ops {
    unsigned version;
    const char *(*library)(void); /* "Open MPI 4.1.4". Any time */
    int (*init)(unsigned *rank, unsigned *size);
    int (*finalize)(void);
    void (*say)(int error, char text[COMM_SAID]);

    /* `bytes` stay where they are until the transfer is over. */
    int (*send)(const void *bytes, size_t n, unsigned to, int tag,
                struct comm_transfer **t);
    /* A message that has come and is not being received yet: *n is its size. */
    int (*probe)(bool *there, unsigned *from, int *tag, size_t *n);
    int (*receive)(void *bytes, size_t n, unsigned from, int tag,
                   struct comm_transfer **t);
    /* Whether the transfer is over; it is freed then. */
    int (*test)(struct comm_transfer *t, bool *over);
};

/* The one symbol of a module. */
extern const struct comm_ops quern_comm_ops;

#endif
