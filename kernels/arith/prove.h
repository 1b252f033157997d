/*
 * prove: from "probably prime" to a proof. Thread-safe.
 */
#ifndef QUERN_ARITH_PROVE_H
#define QUERN_ARITH_PROVE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "arith/factorbig.h"
#include "arith/primebig.h"

enum prove_status {
    PROVE_PRIME,
    PROVE_COMPOSITE, /* it has fooled BPSW: nobody knows such a number */
    PROVE_FAILED,    /* too large (PROVE_DIGITS), or the helper program is not there or
                        crashed */
    PROVE_STOPPED    /* *stop became true */
};

/* So many digits go to the helper program, if n - 1 does not give a proof. */
enum { PROVE_DIGITS = 1000 };

/* For n that passes BPSW and is above the range where that is settled (primebig.h): by
 * n - 1 (bls.h) in process, else by APR-CL in the helper program. *proof is set with
 * PROVE_PRIME: PROOF_BLS or PROOF_APRCL. `stop` (may be NULL) is polled at least every
 * 10 ms. 40 digits take some 2 ms, 100 some 0.1 s, 200 half a second, 500 a quarter of
 * a minute. */
enum prove_status prove(const mpz_t n, const atomic_bool *stop,
                        enum prime_proof *proof);

/* Whether the helper program is there: without it only n - 1 is tried. */
bool prove_has_helper(void);

/* Proves those factors of f that rest on BPSW, as far as it goes, and sets f->proof
 * anew. PROVE_PRIME if all are proved. */
enum prove_status prove_factors(struct factorbig *f, const atomic_bool *stop);

#endif
