/*
 * What the helper says is believed only if the product of its factors is n.
 */
#include "arith/qs.h"

#include <string.h>

#include "arith/helper.h"

/* Takes the numbers of the answer: true if each is a divisor, one of them proper (to
 * f), and their product n. */
static bool take_answer(mpz_t f, const struct helper_answer *a, const mpz_t n)
{
    mpz_t left, p;
    mpz_init_set(left, n);
    mpz_init(p);
    bool ok = true, proper = false;
    for (size_t at = 0, len; ok && at < a->len; at += len + 1) {
        for (len = 0; at + len < a->len && a->text[at + len] != '\n';)
            len++;
        ok = strspn(a->text + at, "0123456789") >= len &&
             big_parse(p, a->text + at, len) && mpz_cmp_ui(p, 1) > 0 &&
             mpz_divisible_p(left, p);
        if (ok)
            mpz_divexact(left, left, p);
        if (ok && !proper && mpz_cmp(p, n) < 0) {
            mpz_set(f, p);
            proper = true;
        }
    }
    ok = ok && proper && mpz_cmp_ui(left, 1) == 0;
    mpz_clears(left, p, NULL);
    return ok;
}

enum qs_status qs_split(mpz_t f, const mpz_t n, const atomic_bool *stop)
{
    struct helper_answer answer;
    if (mpz_sizeinbase(n, 10) > QS_MAX_DIGITS + 1)
        return QS_FAILED;
    switch (helper_run(&answer, HELPER_FACTOR, n, stop)) {
    case HELPER_STOPPED:
        return QS_STOPPED;
    case HELPER_DONE:
        return take_answer(f, &answer, n) ? QS_DONE : QS_FAILED;
    case HELPER_FAILED:
        break;
    }
    return QS_FAILED;
}
