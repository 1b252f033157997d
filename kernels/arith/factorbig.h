/*
 * factorbig: the prime factors of integers of any size.
 *
 * Up to FACTORBIG_SURE digits the answer is always complete, whatever the factors: a
 * quadratic sieve (mpqs.h) splits what small methods leave, up to 84 digits. From
 * larger composite parts ECM takes what it finds in a fixed number of curves, fewer the
 * larger the number, and the rest is left over.
 *
 * The same n always gives the same answer: effort is counted, never timed, and all that
 * is random in the curves derives from n. Thread-safe.
 *
 * Time of one core (3 to 4 GHz) for the hardest numbers of a size: 60 digits 0.4 s,
 * 70 digits 5 s, 80 digits a minute; left over after two minutes at 85 to 130 digits,
 * and after some seconds to a minute from there to 10,000.
 */
#ifndef QUERN_ARITH_FACTORBIG_H
#define QUERN_ARITH_FACTORBIG_H

#include <stdatomic.h>

#include "arith/big.h"
#include "arith/primebig.h"

enum { FACTORBIG_SURE = 70 };

enum factorbig_status {
    FACTORBIG_DONE,       /* all factors are prime */
    FACTORBIG_UNFINISHED, /* a composite cofactor is left over */
    FACTORBIG_STOPPED,    /* *stop became true: the primes found so far; the cofactor is
                             what is left, of which nothing is known */
    FACTORBIG_WRONG,      /* the product or a factor's primality did not check: a bug */
    FACTORBIG_NOMEM
};

struct mpqs;

/* Prime factors ascending with repetition, and the product of what is left. Use one for
 * many numbers, but by one thread at a time. */
struct factorbig {
    mpz_t *p; /* p[0..cap) are initialised */
    size_t n, cap;
    mpz_t cofactor;         /* 1 when done */
    enum prime_proof proof; /* the weakest of the factors' */
    struct mpqs *sieve;     /* its memory, kept from call to call; or NULL */
};

/* The version of GMP-ECM that is linked. */
const char *factorbig_library(void);

void factorbig_init(struct factorbig *f);
void factorbig_release(struct factorbig *f);

/* Factors n >= 0 (0 and 1 have no factors). `stop` is polled at least every 10 ms,
 * above 80 digits every 100 ms. */
enum factorbig_status factorbig(struct factorbig *f, const mpz_t n,
                                const atomic_bool *stop);

/* Some of the prime factors, for who needs no more: the work ends when those found
 * multiply to `enough`, or when what can be had quickly is found; what is left, prime
 * or not, is the cofactor, and the status then UNFINISHED. Milliseconds up to 40
 * digits, and far less than a proof by APR-CL above. */
enum factorbig_status factorbig_some(struct factorbig *f, const mpz_t n,
                                     const mpz_t enough, const atomic_bool *stop);

/* For those who find factors in their own way: start, add each prime with its proof
 * (false when memory ran out), and finish, which sorts the factors, multiplies them and
 * the cofactor back to n, and says what has come out. */
void factorbig_clear(struct factorbig *f);
bool factorbig_add(struct factorbig *f, const mpz_t p, enum prime_proof proof);
enum factorbig_status factorbig_finish(struct factorbig *f, const mpz_t n);

/* The same when the work was stopped: the cofactor becomes what is left of n. Returns
 * FACTORBIG_STOPPED, or FACTORBIG_WRONG. */
enum factorbig_status factorbig_break_off(struct factorbig *f, const mpz_t n);

#endif
