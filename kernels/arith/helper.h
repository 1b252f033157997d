/*
 * helper: what is done in a process of its own.
 *
 * FLINT's quadratic sieve corrupts memory when two threads use it and writes files into
 * the working directory; neither it nor FLINT's proof of primality can be interrupted;
 * and to load FLINT takes longer than most runs. So a number that needs it gets a
 * process (kernels/helper/quern-qs.c) and a private directory, and what happens there
 * cannot hurt the caller. Thread-safe.
 */
#ifndef QUERN_ARITH_HELPER_H
#define QUERN_ARITH_HELPER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "arith/big.h"

enum helper_status {
    HELPER_DONE,    /* it ended well; its answer is yet to be checked */
    HELPER_STOPPED, /* *stop became true; the process is gone */
    HELPER_FAILED   /* there is no helper program, or it crashed or refused */
};

enum helper_task {
    HELPER_FACTOR, /* prime factors, one a line */
    HELPER_PROVE   /* a line "prime", "composite" or "unknown" */
};

enum {
    HELPER_PATH = 4096,
    HELPER_MAX_DIGITS = 2000,
    HELPER_ANSWER = 1024 /* bytes: far more than any right answer has */
};

struct helper_answer {
    char text[HELPER_ANSWER + 1]; /* terminated */
    size_t len;
};

/* Writes the path of the helper program to `path`: $QUERN_LIBEXEC or libexec beside or
 * above this program. False if there is none. */
bool helper_program(char path[HELPER_PATH]);

/* Gives n to a helper and waits for it. `stop` (may be NULL) is polled at least every
 * 10 ms. */
enum helper_status helper_run(struct helper_answer *answer, enum helper_task task,
                              const mpz_t n, const atomic_bool *stop);

#endif
