/*
 * slurm: when the Slurm job that this run is part of will end, which --time-limit is by
 * default. squeue is asked, once, by a child that runs beside the computation: nobody
 * waits for it, and a run that is over at once does not ask (a loop of thousands of
 * short runs in a job must not trouble the controller). Main only.
 */
#ifndef QUERN_ENGINE_SLURM_H
#define QUERN_ENGINE_SLURM_H

#include <stdint.h>
#include <sys/types.h>

#include "base/qenv.h"

enum { SLURM_JOB_NAME = 32, SLURM_ANSWER = 64 };

struct slurm_limit {
    enum {
        SLURM_SETTLED, /* nothing to wait for: until_ns holds */
        SLURM_TO_ASK,
        SLURM_ASKED
    } state;
    char job[SLURM_JOB_NAME]; /* as squeue -j wants it */
    uint64_t next_ns;         /* when to look again; UINT64_MAX: never */
    uint64_t give_up_ns;
    uint64_t until_ns; /* when the run should end; UINT64_MAX: not known, or no limit */
    pid_t child;
    int fd; /* its standard output */
    size_t len;
    char answer[SLURM_ANSWER];
};

/* For a run that began at `start_ns` (qclock). Outside a job there is nothing to ask,
 * and with NULL nobody is. */
void slurm_begin(struct slurm_limit *s, const struct qenv *env, uint64_t start_ns);

/* Goes on with asking as far as that is possible at once. Call it at next_ns. */
void slurm_poll(struct slurm_limit *s, uint64_t now_ns);

/* Ends a child that has not answered yet. */
void slurm_release(struct slurm_limit *s);

/* Nanoseconds that a run may take of a job with that much left, as squeue's %L says it
 * ([days-][hours:]minutes:seconds); UINT64_MAX when there is no limit, or the text says
 * none. */
uint64_t slurm_share(const char *left);

#endif
