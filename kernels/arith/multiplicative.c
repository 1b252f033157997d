#include "arith/multiplicative.h"

void multiplicative_init(struct multiplicative *m)
{
    mpz_init(m->phi);
    mpz_init(m->sigma);
    mpz_init(m->radical);
    mpz_init(m->power);
    mpz_init(m->tmp);
    multiplicative_clear(m);
}

void multiplicative_release(struct multiplicative *m)
{
    mpz_clear(m->phi);
    mpz_clear(m->sigma);
    mpz_clear(m->radical);
    mpz_clear(m->power);
    mpz_clear(m->tmp);
}

void multiplicative_clear(struct multiplicative *m)
{
    m->omega = m->bigomega = 0;
    m->mu = 1;
    mpz_set_ui(m->phi, 1);
    mpz_set_ui(m->sigma, 1);
    mpz_set_ui(m->radical, 1);
}

/* phi(p^e) = p^(e-1) (p-1) and sigma(p^e) = (p^(e+1) - 1) / (p-1). */
void multiplicative_add(struct multiplicative *m, const mpz_t p, uint32_t e)
{
    m->omega++;
    m->bigomega += e;
    m->mu = e > 1 ? 0 : -m->mu;
    mpz_mul(m->radical, m->radical, p);
    mpz_sub_ui(m->tmp, p, 1);
    mpz_mul(m->phi, m->phi, m->tmp);
    if (e == 1) {
        mpz_add_ui(m->power, p, 1);
    } else {
        mpz_pow_ui(m->power, p, e - 1);
        mpz_mul(m->phi, m->phi, m->power);
        mpz_mul(m->power, m->power, p);
        mpz_mul(m->power, m->power, p);
        mpz_sub_ui(m->power, m->power, 1);
        mpz_divexact(m->power, m->power, m->tmp);
    }
    mpz_mul(m->sigma, m->sigma, m->power);
}
