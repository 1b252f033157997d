/*
 * A parser by descent, one function for each level of the grammar, that computes as it
 * reads.
 *
 * Nothing is computed before a lower bound of its size is known to be within the limit:
 * 9^9^9^9 is refused before the last power is taken. The bounds are in integers, hence
 * exact and the same on all machines:
 *   a*b  has at least bits(a) + bits(b) - 1 bits;
 *   a^b  at least (bits(a) - 1) * b + 1;
 *   n!   at least the sum of floor(log2 k) for k up to n;
 *   n#   more than n bits from n = 101 on, since the sum of the logarithms of the
 * primes up to n is above 0.84 n there (Rosser and Schoenfeld 1962, theorem 10), and
 *        0.84 / log(2) > 1.
 * The values themselves can be larger than these bounds by a small factor only (2 for
 * 3^b), so that memory is bounded; then they are held against the limit themselves.
 *
 * A token of 1 MiB may hold a hundred thousand factorials. So all operations together
 * may only do so much work, counted in limbs of their results, more for what is dearer.
 */
#include "core/expr.h"

#include <string.h>

#include "arith/big.h"

static const char not_integer[] = "not an integer";
static const char too_many_digits[] = "more digits than --max-digits allows";

enum {
    LIMB_BITS = 64,
    WORK_ADD = 1,      /* weights of a limb ... */
    WORK_MULTIPLY = 4, /* ... also for powers and decimal text */
    WORK_FACTORIAL = 16,
    WORK_BASE = 256, /* limbs of work allowed for each limb of the limit ... */
    WORK_BYTE = 8    /* ... and for each byte of the token */
};

struct parser {
    const char *at, *end;
    uint64_t max_digits, max_bits; /* of any value */
    uint64_t work;                 /* that may still be done */
    unsigned depth;
    const char *what; /* is wrong, if not NULL */
};

static bool fail(struct parser *p, const char *what)
{
    p->what = what;
    return false;
}

/* --- sizes -------------------------------------------------------------------------
 */

static uint64_t bits_of(const mpz_t z)
{
    return mpz_sizeinbase(z, 2);
}

/* Takes the work for a result of about `bits` bits. */
static bool charge(struct parser *p, uint64_t bits, unsigned weight)
{
    if (bits > p->max_bits)
        return fail(p, too_many_digits);
    uint64_t work = (bits / LIMB_BITS + 1) * weight;
    if (work > p->work)
        return fail(p, "expression is too much work");
    p->work -= work;
    return true;
}

static bool check_size(struct parser *p, const mpz_t z)
{
    return bits_of(z) <= p->max_bits || fail(p, too_many_digits);
}

/* The sum of floor(log2 k) for 1 <= k <= n < 2^32: with L = floor(log2 n), the k with
 * floor(log2 k) >= i are n + 1 - 2^i many, for i = 1 .. L. */
static uint64_t factorial_bits(uint64_t n)
{
    if (n < 2)
        return 1;
    uint64_t log = 63 - (uint64_t)__builtin_clzll(n);
    return (n + 1) * log - ((UINT64_C(2) << log) - 2);
}

/* --- operations --------------------------------------------------------------------
 */

static bool take_postfix(struct parser *p, char op, mpz_t z)
{
    if (mpz_sgn(z) < 0)
        return fail(p, "negative");
    /* For n >= 4, n! >= 2^n; n# is above 2^n only from 101 on, so 128 bits more. */
    if (!big_fits(z) || big_u64(z) > p->max_bits + 128 || big_u64(z) > UINT32_MAX)
        return fail(p, too_many_digits);
    uint64_t n = big_u64(z);
    uint64_t bits = op == '!' ? factorial_bits(n) : n < 101 ? 128 : n;
    if (!charge(p, bits, WORK_FACTORIAL))
        return false;
    if (op == '!')
        mpz_fac_ui(z, n);
    else
        mpz_primorial_ui(z, n);
    return check_size(p, z);
}

/* z = z^exponent. */
static bool take_power(struct parser *p, mpz_t z, const mpz_t exponent)
{
    if (mpz_sgn(exponent) < 0)
        return fail(p, "negative exponent");
    if (mpz_cmpabs_ui(z, 1) <= 0) {
        bool is_one =
            mpz_sgn(exponent) == 0 || (mpz_sgn(z) < 0 && mpz_even_p(exponent));
        if (is_one)
            mpz_set_ui(z, 1);
        return true;
    }
    uint64_t bits;
    if (!big_fits(exponent) ||
        __builtin_mul_overflow(bits_of(z) - 1, big_u64(exponent), &bits))
        return fail(p, too_many_digits);
    if (!charge(p, bits, WORK_MULTIPLY))
        return false;
    mpz_pow_ui(z, z, big_u64(exponent));
    return check_size(p, z);
}

static bool take_division(struct parser *p, mpz_t z, const mpz_t divisor)
{
    if (mpz_sgn(divisor) == 0)
        return fail(p, "division by zero");
    if (!charge(p, bits_of(z), WORK_MULTIPLY))
        return false;
    if (!mpz_divisible_p(z, divisor))
        return fail(p, "division is not exact");
    mpz_divexact(z, z, divisor);
    return true;
}

/* z = z op other. */
static bool take(struct parser *p, char op, mpz_t z, const mpz_t other)
{
    uint64_t a = bits_of(z), b = bits_of(other);
    switch (op) {
    case '^':
        return take_power(p, z, other);
    case '/':
        return take_division(p, z, other);
    case '*':
        if (!charge(p, a + b - 1, WORK_MULTIPLY))
            return false;
        mpz_mul(z, z, other);
        return check_size(p, z);
    default:
        if (!charge(p, a > b ? a : b, WORK_ADD))
            return false;
        if (op == '+')
            mpz_add(z, z, other);
        else
            mpz_sub(z, z, other);
        return check_size(p, z);
    }
}

/* --- the grammar -------------------------------------------------------------------
 */

static bool parse_sum(struct parser *p, mpz_t z);

/* The sign that comes next if it is one of `signs`, and moves behind it; or 0. */
static char next_sign(struct parser *p, const char *signs)
{
    if (p->at == p->end || !strchr(signs, *p->at) || *p->at == '\0')
        return 0;
    return *p->at++;
}

static bool parse_digits(struct parser *p, mpz_t z)
{
    const char *from = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    if (p->at == from)
        return fail(p, not_integer);
    while (from < p->at - 1 && *from == '0')
        from++;
    size_t len = (size_t)(p->at - from);
    if (len > p->max_digits)
        return fail(p, too_many_digits);
    /* A digit is less than 4 bits; within the limit, as 3 bits are less than one. */
    if (!charge(p, 3 * (uint64_t)len, WORK_MULTIPLY))
        return false;
    return big_parse(z, from, len) || fail(p, "out of memory");
}

/* z = z * 10^exponent */
static bool shift_decimal(struct parser *p, mpz_t z, mpz_t exponent)
{
    if (mpz_sgn(z) == 0)
        return true;
    mpz_t ten;
    mpz_init_set_ui(ten, 10);
    bool ok = take_power(p, ten, exponent) && take(p, '*', z, ten);
    mpz_clear(ten);
    return ok;
}

static bool parse_atom(struct parser *p, mpz_t z)
{
    if (next_sign(p, "(")) {
        if (!parse_sum(p, z))
            return false;
        return next_sign(p, ")") || fail(p, not_integer);
    }
    if (!parse_digits(p, z))
        return false;
    if (!next_sign(p, "e"))
        return true;
    mpz_t exponent;
    mpz_init(exponent);
    bool ok = parse_digits(p, exponent) && shift_decimal(p, z, exponent);
    mpz_clear(exponent);
    return ok;
}

static bool parse_postfix(struct parser *p, mpz_t z)
{
    if (!parse_atom(p, z))
        return false;
    for (char op; (op = next_sign(p, "!#"));)
        if (!take_postfix(p, op, z))
            return false;
    return true;
}

static bool parse_power(struct parser *p, mpz_t z)
{
    if (!parse_postfix(p, z))
        return false;
    if (!next_sign(p, "^"))
        return true;
    if (p->depth == EXPR_DEPTH)
        return fail(p, "expression too deep");
    p->depth++;
    mpz_t exponent;
    mpz_init(exponent);
    bool ok = parse_power(p, exponent) && take_power(p, z, exponent);
    mpz_clear(exponent);
    p->depth--;
    return ok;
}

static bool parse_product(struct parser *p, mpz_t z)
{
    bool ok = parse_power(p, z);
    mpz_t other;
    mpz_init(other);
    for (char op; ok && (op = next_sign(p, "*/"));)
        ok = parse_power(p, other) && take(p, op, z, other);
    mpz_clear(other);
    return ok;
}

static bool parse_sum(struct parser *p, mpz_t z)
{
    if (p->depth == EXPR_DEPTH)
        return fail(p, "expression too deep");
    p->depth++;
    bool ok = parse_product(p, z);
    mpz_t other;
    mpz_init(other);
    for (char op; ok && (op = next_sign(p, "+-"));)
        ok = parse_product(p, other) && take(p, op, z, other);
    mpz_clear(other);
    p->depth--;
    return ok;
}

/* --- the whole ---------------------------------------------------------------------
 */

bool expr_is(const char *text, size_t len)
{
    if (len == 0 || !(*text == '(' || (*text >= '0' && *text <= '9')))
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0' || !strchr("0123456789e+-*/^!#()", text[i]))
            return false;
    return true;
}

/* Appends z, or says why not. */
static bool put_value(struct parser *p, const mpz_t z, uint32_t max_digits,
                      struct qbuf *digits)
{
    if (mpz_sgn(z) < 0)
        return fail(p, "negative");
    /* At most one digit more than it has: no need to print what is much too long. */
    if (mpz_sizeinbase(z, 10) > (uint64_t)max_digits + 1)
        return fail(p, too_many_digits);
    char *to = qbuf_reserve(digits, big_print_size(z));
    if (!to)
        return fail(p, "out of memory");
    size_t len = big_print(to, z);
    if (len > max_digits)
        return fail(p, too_many_digits);
    digits->len += len;
    return true;
}

int expr_eval(const char *text, size_t len, uint32_t max_digits, struct qbuf *digits,
              const char **what)
{
    struct parser p = {.at = text, .end = text + len};
    p.max_digits = 4 * (uint64_t)max_digits + 1000;
    p.max_bits = p.max_digits * 3322 / 1000; /* log2(10) = 3.3219... */
    p.work = WORK_BASE * (p.max_bits / LIMB_BITS) + WORK_BYTE * (uint64_t)len;
    mpz_t z;
    mpz_init(z);
    bool ok = parse_sum(&p, z) && (p.at == p.end || fail(&p, not_integer)) &&
              put_value(&p, z, max_digits, digits);
    mpz_clear(z);
    if (!ok)
        *what = p.what;
    return ok ? 0 : -1;
}
