/*
 * Point-to-point messages that do not block, and nothing else of MPI: no one-sided
 * communication (between hosts it progresses only while the target is inside MPI, so a
 * target that computes stalls everyone), no collectives, no derived types.
 *
 * Messages are probed, then received: there is one thread, so what was probed is what
 * is received.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/comm_ops.h"

struct comm_transfer {
    MPI_Request request;
};

static const char *mpi_library(void)
{
#if defined(OPEN_MPI)
    static char name[32];
    snprintf(name, sizeof name, "Open MPI %d.%d.%d", OMPI_MAJOR_VERSION,
             OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION);
    return name;
#elif defined(MPICH_VERSION)
    return "MPICH " MPICH_VERSION;
#else
    return "MPI";
#endif
}

static int mpi_init(unsigned *rank, unsigned *size)
{
    int provided, r = 0, n = 1;
    int rc = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    if (rc == MPI_SUCCESS)
        rc = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (rc == MPI_SUCCESS)
        rc = MPI_Comm_rank(MPI_COMM_WORLD, &r);
    if (rc == MPI_SUCCESS)
        rc = MPI_Comm_size(MPI_COMM_WORLD, &n);
    *rank = (unsigned)r;
    *size = (unsigned)n;
    return rc;
}

static int mpi_finalize(void)
{
    return MPI_Finalize();
}

static void mpi_say(int error, char text[COMM_SAID])
{
    char said[MPI_MAX_ERROR_STRING];
    int n = 0;
    if (MPI_Error_string(error, said, &n) != MPI_SUCCESS)
        n = 0;
    snprintf(text, COMM_SAID, "%.*s", n, said);
}

static struct comm_transfer *transfer_new(void)
{
    return malloc(sizeof(struct comm_transfer));
}

static int mpi_send(const void *bytes, size_t n, unsigned to, int tag,
                    struct comm_transfer **t)
{
    if (!(*t = transfer_new()))
        return MPI_ERR_NO_MEM;
    return MPI_Isend(bytes, (int)n, MPI_BYTE, (int)to, tag, MPI_COMM_WORLD,
                     &(*t)->request);
}

static int mpi_probe(bool *there, unsigned *from, int *tag, size_t *n)
{
    int flag = 0, count = 0;
    MPI_Status status;
    int rc = MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, &status);
    if (rc == MPI_SUCCESS && flag)
        rc = MPI_Get_count(&status, MPI_BYTE, &count);
    *there = flag;
    if (flag) {
        *from = (unsigned)status.MPI_SOURCE;
        *tag = status.MPI_TAG;
        *n = (size_t)count;
    }
    return rc;
}

static int mpi_receive(void *bytes, size_t n, unsigned from, int tag,
                       struct comm_transfer **t)
{
    if (!(*t = transfer_new()))
        return MPI_ERR_NO_MEM;
    return MPI_Irecv(bytes, (int)n, MPI_BYTE, (int)from, tag, MPI_COMM_WORLD,
                     &(*t)->request);
}

static int mpi_test(struct comm_transfer *t, bool *over)
{
    int flag = 0;
    int rc = MPI_Test(&t->request, &flag, MPI_STATUS_IGNORE);
    *over = flag;
    if (flag)
        free(t);
    return rc;
}

const struct comm_ops quern_comm_ops = {
    .version = COMM_OPS_VERSION,
    .library = mpi_library,
    .init = mpi_init,
    .finalize = mpi_finalize,
    .say = mpi_say,
    .send = mpi_send,
    .probe = mpi_probe,
    .receive = mpi_receive,
    .test = mpi_test,
};
