/*
 * primebig: primality of integers of any size, and what it rests on. Thread-safe.
 */
#ifndef QUERN_ARITH_PRIMEBIG_H
#define QUERN_ARITH_PRIMEBIG_H

#include <stdatomic.h>

#include "arith/big.h"

enum prime_class { CLASS_NEITHER, CLASS_COMPOSITE, CLASS_PRIME, CLASS_PROBABLE };

/* Why a number is said to be prime; the order is from strong to weak. */
enum prime_proof {
    PROOF_NONE,             /* composite, or 0 and 1 */
    PROOF_DETERMINISTIC_64, /* n < 2^64: proved base sets, or BPSW checked exhaustively
                             */
    PROOF_MR13, /* n < 3317044064679887385961981: the first 13 primes as bases */
    PROOF_BLS,  /* Brillhart, Lehmer, Selfridge: factors of n - 1 */
    PROOF_APRCL,
    PROOF_BPSW /* a probable prime: no proof */
};

/* Class of n >= 0, and its proof in *proof (PROOF_NONE unless prime or probable). Never
 * CLASS_PROBABLE below 3317044064679887385961981 (Sorenson and Webster 2015), above
 * which a prime is CLASS_PROBABLE by PROOF_BPSW. A prime of 10,000 digits takes some 10
 * s; a composite a third of it, or next to nothing if it has a small factor. */
enum prime_class primebig(const mpz_t n, enum prime_proof *proof);

/* The same with a stop flag, polled at least every 10 ms up to 10,000 digits: false,
 * and no answer, once *stop is true. */
bool primebig_until(const mpz_t n, const atomic_bool *stop, enum prime_class *class,
                    enum prime_proof *proof);

#endif
