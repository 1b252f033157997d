/*
 * benchtarget: what 'quern bench' measures: a command line or a job file, and how it is
 * told to run in each mode.
 *
 *   serial     one thread, the serial loop; URLs one after the other
 *   threads    W compute threads; URLs by W threads with one transfer each
 *   processes  W processes: ranks of mpirun, with one thread each; of 'fetch', W plain
 *              processes, each with a slice of the URLs
 *   event      URLs only: W transfers at a time by one thread
 */
#ifndef QUERN_CMD_BENCHTARGET_H
#define QUERN_CMD_BENCHTARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/qbuf.h"
#include "base/qerr.h"
#include "core/job.h"

enum bench_mode { BENCH_SERIAL, BENCH_THREADS, BENCH_PROCESSES, BENCH_EVENT };
enum { BENCH_MODES = 4 };
const char *bench_mode_name(enum bench_mode mode);

/* Strings, owned; ended by NULL. */
struct wordlist {
    char **at;
    size_t n, cap;
};
int wordlist_add(struct wordlist *l, const char *word, struct qerr *e);
void wordlist_release(struct wordlist *l);

struct bench_target {
    struct wordlist head;    /* "prime", or "run" FILE */
    struct wordlist options; /* as given */
    struct wordlist fixed;   /* the operand that is no INPUT */
    struct wordlist inputs;
    bool urls;      /* all of them are */
    bool files;     /* the command makes files, in --output-dir */
    bool discards;  /* ... or is told to make none */
    bool timed;     /* lines of text end with seconds */
    bool unordered; /* lines come in any order */
    bool literal;   /* URLs stand for themselves alone (--globoff) */
    bool open_mpi;  /* mpirun is Open MPI's */
};

/* Takes the arguments apart: a command's name and its arguments, or a job file and its.
 * Refuses what cannot be run again and again. */
int bench_target_take(struct bench_target *t, int argc, char **argv, struct qerr *e);
void bench_target_release(struct bench_target *t);

/* Why this mode cannot be, or NULL. */
const char *bench_target_lacks(const struct bench_target *t, enum bench_mode mode);

/* How many processes bench starts itself in this mode. */
unsigned bench_target_processes(const struct bench_target *t, enum bench_mode mode,
                                unsigned width);

struct bench_call {
    enum bench_mode mode;
    unsigned width;
    unsigned times;            /* the INPUTs are given so many times */
    unsigned process;          /* which of bench_target_processes */
    const char *folder;        /* for files; each process has one of its own in it */
    const char *stats, *trace; /* or NULL */
};

/* The arguments of one process, from the program on. */
int bench_target_argv(const struct bench_target *t, const struct bench_call *call,
                      struct wordlist *argv, struct qerr *e);

#endif
