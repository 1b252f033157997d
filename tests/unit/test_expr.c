#include "unit.h"

#include "core/expr.h"

#include <gmp.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static struct qbuf out;

/* Evaluates a copy without terminator; gives the digits (terminated) or NULL. */
static const char *eval(const char *text, size_t len, uint32_t max_digits,
                        const char **what)
{
    char *copy = malloc(len + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    copy = realloc(copy, len ? len : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, text, len);
    qbuf_clear(&out);
    qbuf_puts(&out, "kept");
    *what = NULL;
    int rc = expr_eval(copy, len, max_digits, &out, what);
    free(copy);
    CU_ASSERT(!out.failed);
    CU_ASSERT_EQUAL(memcmp(out.data, "kept", 4), 0);
    if (rc != 0) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(*what);
        CU_ASSERT_EQUAL(out.len, 4);
        return NULL;
    }
    CU_ASSERT_PTR_NULL(*what);
    const char *digits = qbuf_cstr(&out) + 4;
    CU_ASSERT(strlen(digits) >= 1 && strlen(digits) <= max_digits);
    CU_ASSERT_EQUAL(strspn(digits, "0123456789"), strlen(digits));
    CU_ASSERT(digits[0] != '0' || digits[1] == '\0');
    return digits;
}

static void check(const char *text, const char *want)
{
    const char *what, *digits = eval(text, strlen(text), 10000, &what);
    CU_ASSERT(expr_is(text, strlen(text)));
    CU_ASSERT_PTR_NOT_NULL(digits);
    if (digits)
        CU_ASSERT_STRING_EQUAL(digits, want);
}

/* Computed with Python 3: the same text with ** for ^, math.factorial(n) for n!, the
 * product of the primes up to n by trial division for n#, and d*10**k for dek. */
static const struct {
    const char *text, *value;
} values[] = {
    {"2^61-1", "2305843009213693951"},
    {"2^64", "18446744073709551616"},
    {"2^64-1", "18446744073709551615"},
    {"2^127-1", "170141183460469231731687303715884105727"},
    {"1e12", "1000000000000"},
    {"1e0", "1"},
    {"0e5", "0"},
    {"0e99999999999", "0"},
    {"12e3", "12000"},
    {"007", "7"},
    {"1e18+9", "1000000000000000009"},
    {"20!", "2432902008176640000"},
    {"25!", "15511210043330985984000000"},
    {"0!", "1"},
    {"1!", "1"},
    {"3!!", "720"},
    {"3!#", "30"},
    {"10#", "210"},
    {"97#", "2305567963945518424753102147331756070"},
    {"0#", "1"},
    {"1#", "1"},
    {"2#", "2"},
    {"101#/97#", "101"},
    {"2^3^2", "512"},
    {"(2^3)^2", "64"},
    {"2^3!", "64"},
    {"2*3^2", "18"},
    {"10-3-2", "5"},
    {"10-(3-2)", "9"},
    {"100/5/2", "10"},
    {"100/(5*2)", "10"},
    {"100/5*2", "40"},
    {"2+3*4", "14"},
    {"(2+3)*4", "20"},
    {"(10^40-1)/9", "1111111111111111111111111111111111111111"},
    {"0^0", "1"},
    {"0^5", "0"},
    {"(1-2)^2", "1"},
    {"(1-2)^(10^50)", "1"},
    {"(1-2)^(10^50+1)+1", "0"},
    {"1^(10^30)", "1"},
    {"0^(10^30)", "0"},
    {"3-5+2", "0"},
    {"(2-5)*(1-3)", "6"},
    {"(0-12)/(0-4)", "3"},
    {"5-(7-9)^3", "13"},
    {"100!/98!", "9900"},
    {"10000!/9998!", "99990000"},
    {"2^89-1", "618970019642690137449562111"},
    {"(2^31-1)*(2^61-1)", "4951760154835678088235319297"},
    {"((((7))))", "7"},
    {"1e3!/1e3!", "1"},
    {"6!/(3!*3!)", "20"},
    {"52!/(5!*47!)", "2598960"},
    {"3^100", "515377520732011331036461129765621272702107522001"},
    {"0-0", "0"},
    {"1e2^2", "10000"},
    {"2^1e1", "1024"},
    {"5!+4!-3!*2!", "132"},
    {"2^2^2^2", "65536"},
    {"30#+1", "6469693231"},
    {"18446744073709551616-1", "18446744073709551615"},
    {"123456789^5", "28679718602997181072337614380936720482949"},
};

static void known_values(void)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        check(values[i].text, values[i].value);
}

/* Large ones: number of digits and residue modulo 10^9 + 7, from Python as above. */
static const struct {
    const char *text;
    size_t digits;
    unsigned long residue;
} large[] = {
    {"3000!", 9131, 341406877},
    {"10007#", 4302, 484260539},
    {"7^11000", 9297, 690693712},
};

static void large_values(void)
{
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        const char *what;
        const char *digits = eval(large[i].text, strlen(large[i].text), 10000, &what);
        CU_ASSERT_PTR_NOT_NULL_FATAL(digits);
        CU_ASSERT_EQUAL(strlen(digits), large[i].digits);
        mpz_t z;
        mpz_init_set_str(z, digits, 10);
        CU_ASSERT_EQUAL(mpz_fdiv_ui(z, 1000000007), large[i].residue);
        mpz_clear(z);
    }
}

/* --- what is refused
 * ------------------------------------------------------------------ */

static void check_bad(const char *text, size_t len, uint32_t max_digits,
                      const char *want)
{
    const char *what, *digits = eval(text, len, max_digits, &what);
    CU_ASSERT_PTR_NULL(digits);
    if (!digits)
        CU_ASSERT_STRING_EQUAL(what, want);
}

static void refused(void)
{
    static const char *const bad[][2] = {
        {"7/2", "division is not exact"}, {"(10^40-2)/9", "division is not exact"},
        {"7/0", "division by zero"},      {"0/0", "division by zero"},
        {"5/(3-3)", "division by zero"},  {"3-5", "negative"},
        {"(1-2)!", "negative"},           {"(1-2)#", "negative"},
        {"2^(1-2)", "negative exponent"}, {"1^(0-1)", "negative exponent"},
        {"5+", "not an integer"},         {"(5", "not an integer"},
        {"5)", "not an integer"},         {"()", "not an integer"},
        {"(5)(6)", "not an integer"},     {"5(6)", "not an integer"},
        {"5++6", "not an integer"},       {"5*-6", "not an integer"},
        {"(-5)", "not an integer"},       {"5e", "not an integer"},
        {"5e+3", "not an integer"},       {"5e3e2", "not an integer"},
        {"5!6", "not an integer"},        {"(5)e3", "not an integer"},
        {"2^^3", "not an integer"},       {"2**3", "not an integer"},
        {"2//2", "not an integer"},       {"", "not an integer"},
        {"1 + 1", "not an integer"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_bad(bad[i][0], strlen(bad[i][0]), 10000, bad[i][1]);
    check_bad("1\0+1", 4, 10000, "not an integer");
    check_bad("1+1\0", 4, 10000, "not an integer");
}

static void limits(void)
{
    static const char more[] = "more digits than --max-digits allows";
    const char *what;
    CU_ASSERT_PTR_NOT_NULL(eval("10^10", 5, 11, &what));
    check_bad("10^10", 5, 10, more);
    CU_ASSERT_PTR_NOT_NULL(eval("10^10-1", 7, 10, &what));
    CU_ASSERT_PTR_NOT_NULL(eval("1e9999", 6, 10000, &what));
    check_bad("1e10000", 7, 10000, more);
    CU_ASSERT_PTR_NOT_NULL(eval("1e10000-1", 9, 10000, &what));
    CU_ASSERT_PTR_NOT_NULL(eval("9", 1, 1, &what));
    check_bad("9+1", 3, 1, more);
    /* On the way: 4 * 10000 + 1000 digits. */
    CU_ASSERT_PTR_NOT_NULL(eval("1e40999/1e40990", 15, 10000, &what));
    check_bad("1e41010/1e41010", 15, 10000, more);
    check_bad("(10^41010)^0", 12, 10000, more);
    /* In bits 41000 * 3.322; Python: 11326! has 136200, 11327! has 136213. */
    CU_ASSERT_PTR_NOT_NULL(eval("11326!/11326!", 13, 10000, &what));
    check_bad("11327!/11327!", 13, 10000, more);
}

/* A number of n nines, times 0. */
static void literals(void)
{
    enum { MOST = 4 * 10000 + 1000 };
    static char text[MOST + 3];
    memset(text, '9', sizeof text);
    for (int n = 10000; n <= 10001; n++) {
        const char *what, *digits = eval(text, (size_t)n, 10000, &what);
        CU_ASSERT_EQUAL(digits != NULL, n == 10000);
        CU_ASSERT(!digits || strspn(digits, "9") == 10000);
    }
    for (int n = MOST; n <= MOST + 1; n++) {
        memcpy(text + n, "*0", 2);
        const char *what, *digits = eval(text, (size_t)n + 2, 10000, &what);
        CU_ASSERT_EQUAL(digits != NULL, n == MOST);
        memcpy(text + n, "99", 2);
    }
}

/* Each would take ages, or all memory, if it were computed before it is judged. */
static void bombs(void)
{
    static const char *const texts[] = {"9^9^9^9",        "10^10^10",
                                        "2^(10^18)",      "2^(2^64)",
                                        "3^(2^64+1)",     "(0-3)^(10^15)",
                                        "1000000000!",    "18446744073709551616!",
                                        "4294967296!",    "1000000000#",
                                        "9!!!",           "99999999999999999999#",
                                        "1e999999999",    "1e99999999999999999999",
                                        "(10^9999)^9999", "2^999999*2^999999",
                                        "136000!",        "1000000#"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_bad(texts[i], strlen(texts[i]), 10000,
                  "more digits than --max-digits allows");
}

/* A token of 1 MiB of one unit, over and over, then `end`. */
static const char *eval_long(const char *begin, const char *unit, const char *end)
{
    size_t len = 0, size = (1 << 20) - 1;
    char *text = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memcpy(text, begin, strlen(begin));
    len = strlen(begin);
    while (len + strlen(unit) + strlen(end) <= size) {
        memcpy(text + len, unit, strlen(unit));
        len += strlen(unit);
    }
    memcpy(text + len, end, strlen(end));
    len += strlen(end);
    const char *what;
    clock_t start = clock();
    eval(text, len, 10000, &what);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (getenv("VERBOSE"))
        printf("%-24s %.3f s %s\n", unit, seconds, what ? what : "");
    CU_ASSERT(seconds < 5);
    free(text);
    return what ? what : "";
}

static void long_tokens(void)
{
    CU_ASSERT_STRING_EQUAL(eval_long("", "(", "1"), "expression too deep");
    CU_ASSERT_STRING_EQUAL(eval_long("1", "^1", ""), "expression too deep");
    CU_ASSERT_STRING_EQUAL(eval_long("(", "(1)+(", "1))"), "expression too deep");
    CU_ASSERT_STRING_EQUAL(eval_long("1", "+1", ""), "");
    CU_ASSERT_STRING_EQUAL(eval_long("1", "*1", ""), "");
    CU_ASSERT_STRING_EQUAL(eval_long("1", "-(1+1)", ""), "negative");
    CU_ASSERT_STRING_EQUAL(eval_long("", "0", "7"), "");
    CU_ASSERT_STRING_EQUAL(eval_long("", "1", "+7"),
                           "more digits than --max-digits allows");
    CU_ASSERT_STRING_EQUAL(eval_long("", "9999!-9999!+", "1"),
                           "expression is too much work");
    CU_ASSERT_STRING_EQUAL(eval_long("", "9^9999*0+", "1"),
                           "expression is too much work");
    CU_ASSERT_STRING_EQUAL(eval_long("", "90000#-90000#+", "1"),
                           "expression is too much work");
    eval_long("1", "!", "");
    eval_long("2^9999", "*2", "");
    eval_long("2^130000", "+1", "");
    eval_long("2^130000", "/1", "");
    eval_long("", "1e9999/", "1");
    eval_long("", "2^66000*2^66000*0+", "1");
    struct rusage u;
    CU_ASSERT_EQUAL(getrusage(RUSAGE_SELF, &u), 0);
    CU_ASSERT(u.ru_maxrss < 256 * 1024);
}

static void depth(void)
{
    char text[2 * EXPR_DEPTH + 3];
    for (size_t n = 1; n <= EXPR_DEPTH; n++) {
        memset(text, '(', n);
        text[n] = '7';
        memset(text + n + 1, ')', n);
        const char *what, *digits = eval(text, 2 * n + 1, 100, &what);
        if (n < EXPR_DEPTH) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(digits);
            CU_ASSERT_STRING_EQUAL(digits, "7");
        } else {
            CU_ASSERT_PTR_NULL(digits);
            CU_ASSERT_STRING_EQUAL(what, "expression too deep");
        }
    }
}

/* --- random expressions, written out from trees that GMP evaluates
 * ---------------------- */

enum level { SUM = 1, PRODUCT, POWER, POSTFIX, ATOM };

struct text {
    char s[8192];
    size_t len;
};

static void put(struct text *t, const char *s)
{
    CU_ASSERT_FATAL(t->len + strlen(s) < sizeof t->s);
    strcpy(t->s + t->len, s);
    t->len += strlen(s);
}

static void put_z(struct text *t, const mpz_t z)
{
    char *digits = mpz_get_str(NULL, 10, z);
    put(t, digits);
    free(digits);
}

static enum level make(struct text *t, unsigned depth, mpz_t z);

/* A part whose level must be at least `need`: in parentheses where it is not, and now
 * and then where it is. */
static void make_part(struct text *t, unsigned depth, enum level need, mpz_t z)
{
    struct text part = {.len = 0};
    enum level level = make(&part, depth, z);
    bool wrap = level < need || unit_random() % 8 == 0;
    put(t, wrap ? "(" : "");
    put(t, part.s);
    put(t, wrap ? ")" : "");
}

static void make_number(struct text *t, uint64_t below, mpz_t z)
{
    mpz_set_ui(z, unit_random() % below);
    put(t, unit_random() % 8 ? "" : "00");
    put_z(t, z);
}

static enum level make_atom(struct text *t, mpz_t z)
{
    make_number(t, UINT64_C(1) << unit_random() % 40, z);
    if (unit_random() % 6 == 0) {
        unsigned k = (unsigned)(unit_random() % 12);
        char exponent[8];
        snprintf(exponent, sizeof exponent, "e%u", k);
        put(t, exponent);
        for (; k > 0; k--)
            mpz_mul_ui(z, z, 10);
    }
    return ATOM;
}

static enum level make_postfix(struct text *t, mpz_t z)
{
    make_number(t, 40, z);
    unsigned long n = mpz_get_ui(z);
    bool factorial = unit_random() % 2;
    mpz_set_ui(z, 1);
    for (unsigned long k = 2; k <= n; k++) {
        bool divisible = false;
        for (unsigned long d = 2; d * d <= k; d++)
            divisible |= k % d == 0;
        if (factorial || !divisible)
            mpz_mul_ui(z, z, k);
    }
    put(t, factorial ? "!" : "#");
    return POSTFIX;
}

static enum level make_power(struct text *t, unsigned depth, mpz_t z)
{
    mpz_t exponent, base;
    mpz_inits(exponent, base, NULL);
    make_part(t, depth, POSTFIX, base);
    put(t, "^");
    if (unit_random() % 3 == 0) { /* to the right: 2^a^b is 2^(a^b) */
        unsigned long a = unit_random() % 3, b = unit_random() % 4;
        char text[16];
        snprintf(text, sizeof text, "%lu^%lu", a, b);
        put(t, text);
        mpz_ui_pow_ui(exponent, a, b);
    } else {
        make_number(t, 6, exponent);
    }
    mpz_set_ui(z, 1);
    for (unsigned long k = mpz_get_ui(exponent); k > 0; k--)
        mpz_mul(z, z, base);
    mpz_clears(exponent, base, NULL);
    return POWER;
}

/* a * b, or a product divided by its factor. */
static enum level make_product(struct text *t, unsigned depth, mpz_t z)
{
    mpz_t b;
    mpz_init(b);
    make_part(t, depth, PRODUCT, z);
    struct text factor = {.len = 0};
    make_part(&factor, depth, POWER, b);
    put(t, "*");
    put(t, factor.s);
    mpz_mul(z, z, b);
    if (mpz_sgn(b) != 0 && unit_random() % 2) {
        put(t, "/");
        put(t, factor.s);
        mpz_tdiv_q(z, z, b);
    }
    mpz_clear(b);
    return PRODUCT;
}

static enum level make_sum(struct text *t, unsigned depth, mpz_t z)
{
    bool plus = unit_random() % 2;
    mpz_t b;
    mpz_init(b);
    make_part(t, depth, SUM, z);
    put(t, plus ? "+" : "-");
    make_part(t, depth, PRODUCT, b);
    if (plus)
        mpz_add(z, z, b);
    else
        mpz_sub(z, z, b);
    mpz_clear(b);
    return SUM;
}

static enum level make(struct text *t, unsigned depth, mpz_t z)
{
    if (depth == 0)
        return unit_random() % 4 ? make_atom(t, z) : make_postfix(t, z);
    switch (unit_random() % 6) {
    case 0:
        return make_atom(t, z);
    case 1:
        return make_power(t, depth - 1, z);
    case 2:
    case 3:
        return make_product(t, depth - 1, z);
    default:
        return make_sum(t, depth - 1, z);
    }
}

static void random_trees(void)
{
    unsigned good = 0, negative = 0;
    for (uint64_t i = 0; i < 5000 * unit_scale(); i++) {
        struct text t = {.len = 0};
        mpz_t z;
        mpz_init(z);
        make(&t, (unsigned)(unit_random() % 4), z);
        const char *what, *digits = eval(t.s, t.len, 10000, &what);
        if (mpz_sgn(z) < 0) {
            CU_ASSERT_PTR_NULL_FATAL(digits);
            CU_ASSERT_STRING_EQUAL(what, "negative");
            negative++;
        } else {
            CU_ASSERT_PTR_NOT_NULL_FATAL(digits);
            char *want = mpz_get_str(NULL, 10, z);
            CU_ASSERT_STRING_EQUAL(digits, want);
            free(want);
            good++;
        }
        mpz_clear(z);
    }
    CU_ASSERT(good > 1000 && negative > 100);
}

/* Any bytes: an answer or a reason, never a crash. */
static void soup(void)
{
    static const char alphabet[] = "0123456789e+-*/^!#()012()()x ";
    unsigned good = 0;
    for (uint64_t i = 0; i < 50000 * unit_scale(); i++) {
        char text[24];
        size_t len = unit_random() % sizeof text;
        for (size_t k = 0; k < len; k++)
            text[k] = alphabet[unit_random() % (sizeof alphabet - 1)];
        const char *what, *digits = eval(text, len, 50, &what);
        good += digits != NULL;
        if (digits)
            CU_ASSERT(expr_is(text, len));
    }
    CU_ASSERT(good > 100);
}

static void what_is_meant(void)
{
    CU_ASSERT(expr_is("5", 1) && expr_is("(", 1) && expr_is("5e3#!^*/+-()", 12));
    CU_ASSERT(!expr_is("", 0) && !expr_is("+5", 2) && !expr_is("-5", 2));
    CU_ASSERT(!expr_is("#5", 2) && !expr_is("!", 1) && !expr_is("e5", 2));
    CU_ASSERT(!expr_is("5\0", 2) && !expr_is("5x", 2) && !expr_is("5 ", 2));
    CU_ASSERT(!expr_is("0x1f", 4) && !expr_is("1.5", 3) && !expr_is("1,000", 5));
    qbuf_release(&out);
}

static const struct unit_test tests[] = {
    {"known values", known_values},
    {"large values", large_values},
    {"refused", refused},
    {"limits", limits},
    {"literals", literals},
    {"bombs", bombs},
    {"long tokens", long_tokens},
    {"depth", depth},
    {"random trees", random_trees},
    {"soup", soup},
    {"what is meant as one", what_is_meant},
};

UNIT_MAIN("expr", tests)
