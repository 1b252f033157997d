/*
 * n - 1 first: at 128 bits it is quicker than to start a process, and where n has the
 * form k * 2^m + 1 it reaches far beyond what APR-CL can do. APR-CL (Adleman, Pomerance
 * and Rumely 1983; Cohen and Lenstra 1984) needs no luck; FLINT has it.
 */
#include "arith/prove.h"

#include <string.h>

#include "arith/bls.h"
#include "arith/helper.h"
#include "arith/stop.h"

static enum prove_status by_helper(const mpz_t n, const atomic_bool *stop)
{
    struct helper_answer answer;
    if (mpz_sizeinbase(n, 10) > PROVE_DIGITS)
        return PROVE_FAILED;
    switch (helper_run(&answer, HELPER_PROVE, n, stop)) {
    case HELPER_STOPPED:
        return PROVE_STOPPED;
    case HELPER_DONE:
        return strcmp(answer.text, "prime\n") == 0       ? PROVE_PRIME
               : strcmp(answer.text, "composite\n") == 0 ? PROVE_COMPOSITE
                                                         : PROVE_FAILED;
    case HELPER_FAILED:
        break;
    }
    return PROVE_FAILED;
}

bool prove_has_helper(void)
{
    char path[HELPER_PATH];
    return helper_program(path);
}

enum prove_status prove(const mpz_t n, const atomic_bool *stop, enum prime_proof *proof)
{
    switch (bls(n, stop)) {
    case BLS_PRIME:
        *proof = PROOF_BLS;
        return PROVE_PRIME;
    case BLS_COMPOSITE:
        return PROVE_COMPOSITE;
    case BLS_STOPPED:
        if (stop_raised(stop))
            return PROVE_STOPPED;
        break;
    case BLS_UNKNOWN:
        break;
    }
    enum prove_status status = by_helper(n, stop);
    if (status == PROVE_PRIME)
        *proof = PROOF_APRCL;
    return status;
}

enum prove_status prove_factors(struct factorbig *f, const atomic_bool *stop)
{
    enum prove_status all = PROVE_PRIME;
    if (f->proof != PROOF_BPSW)
        return all;
    f->proof = PROOF_NONE;
    for (size_t i = 0; i < f->n; i++) {
        enum prime_class class;
        enum prime_proof why;
        if (i > 0 && mpz_cmp(f->p[i], f->p[i - 1]) == 0)
            continue;
        if (!primebig_until(f->p[i], stop, &class, &why))
            return PROVE_STOPPED;
        if (class == CLASS_PROBABLE) {
            enum prove_status status = prove(f->p[i], stop, &why);
            if (status == PROVE_STOPPED || status == PROVE_COMPOSITE)
                return status;
            if (status != PROVE_PRIME)
                all = status;
        }
        if (why > f->proof)
            f->proof = why;
    }
    return all;
}
