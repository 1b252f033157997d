/*
 * fuzz_expr: expressions. Input: a byte that chooses --max-digits, then the token.
 *
 * What is accepted is computed again by other means: with two stacks (Dijkstra's
 * shunting yard) and without limits, which is safe as every value on the way is known
 * to be small.
 */
#include <gmp.h>
#include <stdbool.h>
#include <time.h>

#include "core/expr.h"
#include "fuzz.h"

/* CPU seconds for one token; the worst known takes 0.02 without sanitizers. */
static const double most_seconds = 2;

/* --- the grammar, as a machine with two states ---------------------------------------
 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(const char *s, size_t len, size_t at)
{
    while (at < len && is_digit(s[at]))
        at++;
    return at;
}

/* Behind the atom "digits" or "digits e digits" at s[at], or `at` if there is none. */
static size_t skip_atom(const char *s, size_t len, size_t at)
{
    size_t end = skip_digits(s, len, at);
    if (end == at || end == len || s[end] != 'e')
        return end;
    size_t all = skip_digits(s, len, end + 1);
    return all > end + 1 ? all : at;
}

static bool is_well_formed(const char *s, size_t len)
{
    bool operand = true; /* one is to come next */
    size_t depth = 0;
    for (size_t at = 0; at < len;) {
        char c = s[at];
        size_t behind = operand ? skip_atom(s, len, at) : at;
        if (behind > at) {
            operand = false;
            at = behind;
            continue;
        }
        at++;
        if (operand && c == '(')
            depth++;
        else if (!operand && c == ')' && depth > 0)
            depth--;
        else if (!operand && c != '\0' && strchr("+-*/^", c))
            operand = true;
        else if (operand || (c != '!' && c != '#'))
            return false;
    }
    return !operand && depth == 0;
}

/* --- its value, with two stacks ------------------------------------------------------
 */

enum { STACK = 1 << 12 };

static mpz_t values[STACK]; /* set up once, used again and again */
static char signs[STACK];
static size_t nvalues, nsigns;

static int rank(char sign)
{
    return sign == '(' ? 0 : sign == '+' || sign == '-' ? 1 : sign == '^' ? 3 : 2;
}

static void divide(mpz_ptr a, mpz_srcptr b)
{
    mpz_t rest;
    CLAIM(mpz_sgn(b) != 0);
    mpz_init(rest);
    mpz_tdiv_qr(a, rest, a, b);
    CLAIM(mpz_sgn(rest) == 0);
    mpz_clear(rest);
}

static void power(mpz_ptr a, mpz_srcptr b)
{
    CLAIM(mpz_sgn(b) >= 0);
    if (mpz_cmpabs_ui(a, 1) > 0)
        CLAIM(mpz_fits_ulong_p(b));
    /* 0 and 1 take any exponent, and -1 only looks at whether it is odd. */
    if (mpz_fits_ulong_p(b))
        mpz_pow_ui(a, a, mpz_get_ui(b));
    else if (mpz_even_p(b))
        mpz_mul(a, a, a);
}

static void apply(char sign)
{
    CLAIM(nvalues >= 2);
    nvalues--;
    mpz_ptr a = values[nvalues - 1];
    mpz_srcptr b = values[nvalues];
    switch (sign) {
    case '+':
        mpz_add(a, a, b);
        break;
    case '-':
        mpz_sub(a, a, b);
        break;
    case '*':
        mpz_mul(a, a, b);
        break;
    case '/':
        divide(a, b);
        break;
    default:
        CLAIM(sign == '^');
        power(a, b);
    }
}

static bool is_prime(unsigned long n)
{
    for (unsigned long d = 2; d * d <= n; d++)
        if (n % d == 0)
            return false;
    return n > 1;
}

static void apply_postfix(char sign, mpz_ptr z)
{
    CLAIM(mpz_fits_ulong_p(z));
    unsigned long n = mpz_get_ui(z);
    mpz_set_ui(z, 1);
    if (n > 20000) /* too slow to do by hand */
        (sign == '!' ? mpz_fac_ui : mpz_primorial_ui)(z, n);
    for (unsigned long k = 2; n <= 20000 && k <= n; k++)
        if (sign == '!' || is_prime(k))
            mpz_mul_ui(z, z, k);
}

static void push_digits(const char *s, size_t len)
{
    CLAIM(nvalues < STACK);
    char *copy = strndup(s, len);
    CLAIM(copy && mpz_set_str(values[nvalues++], copy, 10) == 0);
    free(copy);
}

static size_t push_atom(const char *s, size_t len, size_t at)
{
    size_t digits = skip_digits(s, len, at), end = skip_atom(s, len, at);
    push_digits(s + at, digits - at);
    if (end > digits && mpz_sgn(values[nvalues - 1]) != 0) {
        push_digits(s + digits + 1, end - digits - 1);
        CLAIM(mpz_fits_ulong_p(values[nvalues - 1]));
        mpz_ui_pow_ui(values[nvalues - 1], 10, mpz_get_ui(values[nvalues - 1]));
        apply('*');
    }
    return end;
}

static void push_sign(char sign)
{
    while (sign != '(' && nsigns > 0 &&
           (rank(signs[nsigns - 1]) > rank(sign) ||
            (rank(signs[nsigns - 1]) == rank(sign) && sign != '^')))
        apply(signs[--nsigns]);
    CLAIM(nsigns < STACK);
    signs[nsigns++] = sign;
}

static void close_parenthesis(void)
{
    while (signs[nsigns - 1] != '(')
        apply(signs[--nsigns]);
    nsigns--;
}

/* Of a well-formed expression whose values are known to be small. */
static mpz_srcptr value_of(const char *s, size_t len)
{
    nvalues = nsigns = 0;
    for (size_t at = 0; at < len;) {
        char c = s[at];
        if (is_digit(c)) {
            at = push_atom(s, len, at);
            continue;
        }
        at++;
        if (c == ')')
            close_parenthesis();
        else if (c == '!' || c == '#')
            apply_postfix(c, values[nvalues - 1]);
        else
            push_sign(c);
    }
    while (nsigns > 0)
        apply(signs[--nsigns]);
    CLAIM(nvalues == 1);
    return values[0];
}

/* --- claims -------------------------------------------------------------------------
 */

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check_value(const char *text, size_t len, const char *digits,
                        size_t ndigits, uint32_t max_digits)
{
    CLAIM(ndigits > 0 && ndigits <= max_digits);
    CLAIM(skip_digits(digits, ndigits, 0) == ndigits);
    CLAIM(ndigits == 1 || digits[0] != '0');

    struct qbuf again = QBUF_INIT;
    const char *what = NULL;
    CLAIM(expr_eval(digits, ndigits, max_digits, &again, &what) == 0);
    CLAIM(again.len == ndigits && memcmp(again.data, digits, ndigits) == 0);
    qbuf_release(&again);

    if (len >= STACK || ndigits > 3000)
        return;
    char *want = mpz_get_str(NULL, 10, value_of(text, len));
    CLAIM(strlen(want) == ndigits && memcmp(want, digits, ndigits) == 0);
    void (*release)(void *, size_t);
    mp_get_memory_functions(NULL, NULL, &release);
    release(want, strlen(want) + 1);
}

static void check_refusal(const char *text, size_t len, const char *what)
{
    static const char *const reasons[] = {"not an integer",
                                          "more digits than --max-digits allows",
                                          "expression is too much work",
                                          "expression too deep",
                                          "negative",
                                          "negative exponent",
                                          "division by zero",
                                          "division is not exact"};
    size_t i = 0;
    CLAIM(what);
    while (i < sizeof reasons / sizeof *reasons && strcmp(what, reasons[i]) != 0)
        i++;
    CLAIM(i < sizeof reasons / sizeof *reasons);
    if (i == 0)
        CLAIM(!is_well_formed(text, len));
    /* Without postfix signs that is said only when all is computed. */
    if (strcmp(what, "negative") == 0 && len < STACK && !memchr(text, '!', len) &&
        !memchr(text, '#', len))
        CLAIM(mpz_sgn(value_of(text, len)) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t limits[] = {10000, 1, 2, 20, 100, 1000, 10000, 30000};
    if (size == 0)
        return 0;
    static bool ready;
    for (size_t i = 0; !ready && i < STACK; i++)
        mpz_init(values[i]);
    ready = true;
    uint32_t max_digits = limits[data[0] % 8];
    size_t len = size - 1;
    char *text = exact_copy(data + 1, len);
    struct qbuf digits = QBUF_INIT;
    const char *what = NULL;
    qbuf_putc(&digits, 'x');

    double from = cpu_seconds();
    int rc = expr_eval(text, len, max_digits, &digits, &what);
    CLAIM(cpu_seconds() - from < most_seconds);
    CLAIM(!digits.failed && digits.data[0] == 'x');
    if (rc == 0) {
        CLAIM(expr_is(text, len) && is_well_formed(text, len));
        check_value(text, len, digits.data + 1, digits.len - 1, max_digits);
    } else {
        CLAIM(rc == -1 && digits.len == 1);
        check_refusal(text, len, what);
    }
    qbuf_release(&digits);
    free(text);
    return 0;
}
