/*
 * verify: are lines "N: p q ..." right, whoever wrote them?
 *
 * A line is read once. Its product is taken on the way, with 64 bits while N has so
 * few; factors below 2^64 are gathered from many lines for the batch test of primality.
 * Larger ones are tested on a second walk over the line, when its product is known to
 * be right. A line has one verdict: that it cannot be read, or that the product
 * differs, or else the first factor that is not what it should be. So the verdict does
 * not depend on when a batch is tested.
 *
 * Nothing is written. A wrong line is refused, and so becomes a diagnostic.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/decimal.h"
#include "arith/prime64.h"
#include "arith/primebig.h"
#include "base/qclock.h"
#include "kernel.h"

enum {
    BATCH = 1024,          /* factors in a call of the batch kernel */
    LOOK_AT_CLOCK = 64,    /* lines between two looks */
    TIMES_DIGITS = 9,      /* an exponent of more digits counts as ... */
    TIMES_MAX = 1000000000 /* ... this: no N is 2 to that */
};

struct verify_state {
    struct kernel_state head;
    uint32_t max_digits;
};

static const struct schema no_rows = {.columns = NULL, .ncolumns = 0, .text = NULL};

static int verify_open(struct kernel_state **state, const struct job *job,
                       struct qerr *e)
{
    struct verify_state *s = calloc(1, sizeof *s);
    if (!s)
        return qerr_nomem(e);
    s->head.schema = &no_rows;
    s->head.folds = true;
    s->max_digits = (uint32_t)job_count(job, "max-digits");
    *state = &s->head;
    return 0;
}

static void verify_close(struct kernel_state *state)
{
    free(state);
}

/* --- verdicts --- */

struct verdict {
    const char *what; /* NULL: right, so far */
    const char *token;
    size_t len;
    bool final;        /* nothing else counts */
    bool unfinished;   /* a composite is left, or there was no time */
    uint32_t probable; /* factors that are not proved prime */
};

/* A factor waits for its test. */
struct waiting {
    uint32_t line;
    uint32_t len;
    const char *token;
    bool left; /* it stands in parentheses: it is to be composite */
};

struct verify_scratch {
    uint32_t max_digits;
    mpz_t n, product, p;
    struct verdict verdicts[LINES_BLOCK];
    size_t nwaiting;
    uint64_t v[BATCH];
    uint8_t prime[BATCH];
    struct waiting waiting[BATCH];
};

static int verify_attach(const struct kernel_state *state, void **scratch,
                         struct qerr *e)
{
    struct verify_scratch *w = malloc(sizeof *w);
    if (!w)
        return qerr_nomem(e);
    w->max_digits = ((const struct verify_state *)state)->max_digits;
    w->nwaiting = 0;
    mpz_init(w->n);
    mpz_init(w->product);
    mpz_init(w->p);
    *scratch = w;
    return 0;
}

static void verify_detach(void *scratch)
{
    struct verify_scratch *w = scratch;
    if (!w)
        return;
    mpz_clear(w->n);
    mpz_clear(w->product);
    mpz_clear(w->p);
    free(w);
}

static void condemn(struct verdict *v, const char *what, const char *token, size_t len)
{
    v->what = what;
    v->token = token;
    v->len = len;
    v->final = true;
}

/* A factor is not what it should be; the first one of a line counts. */
static void blame(struct verdict *v, bool left, const char *token, size_t len)
{
    if (v->final || (v->what && v->token <= token))
        return;
    v->what = left ? "not a composite" : "not a prime";
    v->token = token;
    v->len = len;
}

static void test_waiting(struct verify_scratch *w)
{
    prime64_batch(w->v, w->nwaiting, w->prime);
    for (size_t i = 0; i < w->nwaiting; i++) {
        const struct waiting *f = &w->waiting[i];
        if (f->left ? w->prime[i] || w->v[i] <= 1 : !w->prime[i])
            blame(&w->verdicts[f->line], f->left, f->token, f->len);
    }
    w->nwaiting = 0;
}

/* --- reading --- */

/* One factor: "p", "p^e" or "(C)". */
struct item {
    const char *token;
    size_t len;
    const char *digits; /* without leading zeros */
    size_t ndigits;
    uint64_t v;     /* its value, if ... */
    bool small;     /* ... that is below 2^64 */
    bool left;      /* it stands in parentheses */
    uint64_t times; /* the exponent */
};

struct line {
    const char *text, *end;
    const char *factors; /* what follows the colon */
    const char *at;      /* the next factor */
    size_t ndigits;      /* of N, as written */
    struct verdict *verdict;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* `ndigits` digits at *digits, without leading zeros. */
static void strip_zeros(const char **digits, size_t *ndigits)
{
    while (*ndigits > 1 && **digits == '0') {
        (*digits)++;
        (*ndigits)--;
    }
}

/* The exponent in s[0..len), which may be ""; 0 if it is none. */
static uint64_t read_times(const char *s, size_t len)
{
    if (len == 0)
        return 1;
    if (*s != '^' || decimal_span(s + 1, len - 1) != len - 1)
        return 0;
    const char *digits = s + 1;
    size_t ndigits = len - 1;
    strip_zeros(&digits, &ndigits);
    uint64_t times = TIMES_MAX;
    if (ndigits <= TIMES_DIGITS && !decimal_parse(digits, ndigits, &times))
        return 0;
    return times;
}

/* The next factor. False at the end of the line, or when there is none: then the
 * verdict is made. */
static bool next_item(const struct verify_scratch *w, struct line *l, struct item *f)
{
    while (l->at < l->end && is_blank(*l->at))
        l->at++;
    if (l->at == l->end)
        return false;
    f->token = l->at;
    while (l->at < l->end && !is_blank(*l->at))
        l->at++;
    f->len = (size_t)(l->at - f->token);
    f->left = *f->token == '(';
    f->digits = f->token + f->left;
    f->ndigits = decimal_span(f->digits, f->len - f->left);
    size_t behind = f->left + f->ndigits;
    if (f->left)
        f->times = f->len == behind + 1 && f->token[behind] == ')';
    else
        f->times = read_times(f->token + behind, f->len - behind);
    if (f->ndigits == 0 || f->times == 0) {
        condemn(l->verdict, "not a factor", f->token, f->len);
        return false;
    }
    strip_zeros(&f->digits, &f->ndigits);
    if (f->ndigits > w->max_digits) {
        condemn(l->verdict, "more digits than --max-digits allows", f->token, f->len);
        return false;
    }
    f->small = decimal_parse(f->digits, f->ndigits, &f->v);
    return true;
}

/* Lets a factor below 2^64 wait for its test. */
static void wait_for_test(struct verify_scratch *w, uint32_t line, const struct item *f)
{
    if (w->nwaiting == BATCH)
        test_waiting(w);
    w->v[w->nwaiting] = f->v;
    w->waiting[w->nwaiting++] =
        (struct waiting){line, (uint32_t)f->len, f->token, f->left};
}

static void product_differs(const struct line *l)
{
    condemn(l->verdict, "its factors have another product", l->text, l->ndigits);
}

/* --- a line with N below 2^64 --- */

/* *product *= v^times. False if it reaches 2^64. */
static bool multiply(uint64_t *product, uint64_t v, uint64_t times)
{
    if (v <= 1 || *product == 0) {
        *product *= v;
        return true;
    }
    while (times-- > 0)
        if (__builtin_mul_overflow(*product, v, product))
            return false;
    return true;
}

static void check_small(struct verify_scratch *w, struct line *l, uint32_t i,
                        uint64_t n)
{
    uint64_t product = 1, last = 0;
    struct item f;
    size_t items = 0;
    while (next_item(w, l, &f)) {
        if (!f.small || !multiply(&product, f.v, f.times)) {
            product_differs(l);
            return;
        }
        if (f.left)
            l->verdict->unfinished = true;
        if (f.left || f.v != last || f.v == 0)
            wait_for_test(w, i, &f);
        last = f.left ? 0 : f.v;
        items++;
    }
    if (!l->verdict->final && product != n && !(n == 0 && items == 0))
        product_differs(l);
}

/* --- a larger one --- */

/* w->product *= p^times for p = w->p. False if it exceeds `bits` bits by far. */
static bool multiply_large(struct verify_scratch *w, uint64_t times, size_t bits)
{
    size_t size = mpz_sizeinbase(w->p, 2);
    if (mpz_cmp_ui(w->p, 1) <= 0) {
        mpz_mul(w->product, w->product, w->p);
        return true;
    }
    if (times > bits / (size > 1 ? size - 1 : 1))
        return false;
    if (times > 1)
        mpz_pow_ui(w->p, w->p, (unsigned long)times);
    mpz_mul(w->product, w->product, w->p);
    return mpz_sizeinbase(w->product, 2) <= bits;
}

/* Adds what was multiplied in 64 bits to w->product. */
static bool settle(struct verify_scratch *w, uint64_t *small, size_t bits)
{
    big_set(w->p, *small);
    *small = 1;
    return multiply_large(w, 1, bits);
}

/* The product of all factors against N. Those below 2^64 then wait for their test;
 * returns how many are larger, or a negative qcode. */
static int64_t multiply_line(struct verify_scratch *w, struct line *l, uint32_t i,
                             const atomic_bool *stop, struct qerr *e)
{
    size_t bits = mpz_sizeinbase(w->n, 2);
    uint64_t small = 1, last = 0;
    int64_t large = 0;
    struct item f;
    mpz_set_ui(w->product, 1);
    while (next_item(w, l, &f)) {
        bool fits;
        uint64_t more = small;
        if (f.small && multiply(&more, f.v, f.times)) {
            small = more;
            fits = true;
        } else if (big_parse(w->p, f.digits, f.ndigits)) {
            fits = multiply_large(w, f.times, bits) && settle(w, &small, bits);
        } else {
            return qerr_nomem(e);
        }
        if (!fits) {
            product_differs(l);
            return 0;
        }
        if (f.left)
            l->verdict->unfinished = true;
        large += !f.small;
        if (f.small && (f.left || f.v != last || f.v == 0))
            wait_for_test(w, i, &f);
        last = f.small && !f.left ? f.v : 0;
        if (atomic_load_explicit(stop, memory_order_relaxed))
            return 0;
    }
    if (!l->verdict->final &&
        (!settle(w, &small, bits) || mpz_cmp(w->product, w->n) != 0))
        product_differs(l);
    return l->verdict->final ? 0 : large;
}

/* Tests the factors of 2^64 and more. */
static int test_large(struct verify_scratch *w, struct line *l, const atomic_bool *stop,
                      struct qerr *e)
{
    struct item f, last = {.ndigits = 0};
    l->at = l->factors;
    while (next_item(w, l, &f)) {
        if (f.small)
            continue;
        bool again = last.digits && last.ndigits == f.ndigits && last.left == f.left &&
                     memcmp(last.digits, f.digits, f.ndigits) == 0;
        last = f;
        if (again)
            continue;
        if (!big_parse(w->p, f.digits, f.ndigits))
            return qerr_nomem(e);
        enum prime_class class;
        enum prime_proof proof;
        if (!primebig_until(w->p, stop, &class, &proof)) {
            l->verdict->unfinished = true;
            return 0;
        }
        if ((class == CLASS_COMPOSITE) != f.left)
            blame(l->verdict, f.left, f.token, f.len);
        else if (class == CLASS_PROBABLE)
            l->verdict->probable++;
        if (l->verdict->what)
            return 0;
    }
    return 0;
}

static int check_large(struct verify_scratch *w, struct line *l, uint32_t i,
                       const char *digits, size_t ndigits, const atomic_bool *stop,
                       struct qerr *e)
{
    if (!big_parse(w->n, digits, ndigits))
        return qerr_nomem(e);
    int64_t large = multiply_line(w, l, i, stop, e);
    if (large > 0)
        return test_large(w, l, stop, e);
    if (atomic_load_explicit(stop, memory_order_relaxed))
        l->verdict->unfinished = true;
    return (int)large;
}

/* --- lines --- */

/* Reads "N:". False, with a verdict, if it is not there. */
static bool read_head(const struct verify_scratch *w, struct line *l,
                      const char **digits, size_t *ndigits)
{
    size_t len = (size_t)(l->end - l->text);
    if (len > TOKEN_MAX) {
        condemn(l->verdict, "line too long", l->text, len);
        return false;
    }
    l->ndigits = *ndigits = decimal_span(l->text, len);
    const char *colon = l->text + *ndigits;
    if (*ndigits == 0 || colon == l->end || *colon != ':' ||
        (colon + 1 < l->end && !is_blank(colon[1]))) {
        condemn(l->verdict, "not a line 'N: p q ...'", l->text, len);
        return false;
    }
    l->at = l->factors = colon + 1;
    *digits = l->text;
    strip_zeros(digits, ndigits);
    if (*ndigits > w->max_digits) {
        condemn(l->verdict, "more digits than --max-digits allows", l->text,
                l->ndigits);
        return false;
    }
    return true;
}

/* Returns 1 when it was much work, 0, or a negative qcode. */
static int check_line(struct verify_scratch *w, const struct lines *lines, uint32_t i,
                      const atomic_bool *stop, struct qerr *e)
{
    struct line l = {.text = lines->text[i],
                     .end = lines->text[i] + lines->len[i],
                     .verdict = &w->verdicts[i]};
    const char *digits;
    size_t ndigits;
    uint64_t n;
    w->verdicts[i] = (struct verdict){.what = NULL};
    if (!read_head(w, &l, &digits, &ndigits))
        return 0;
    if (!decimal_parse(digits, ndigits, &n)) {
        int rc = check_large(w, &l, i, digits, ndigits, stop, e);
        return rc < 0 ? rc : 1;
    }
    check_small(w, &l, i, n);
    return 0;
}

static int verify_run(const struct kernel_state *state, struct kernel_call *call,
                      struct qerr *e)
{
    (void)state;
    struct verify_scratch *w = call->scratch;
    struct rows *rows = call->rows;
    uint32_t n = 0;
    w->nwaiting = 0;
    while (n < call->lines->n) {
        int rc = check_line(w, call->lines, n, call->stop, e);
        if (rc < 0)
            return rc;
        n++;
        if ((rc > 0 || n % LOOK_AT_CLOCK == 0) &&
            (kernel_stopped(call) || qclock_ns() >= call->deadline_ns))
            break;
    }
    test_waiting(w);
    rows->n = n;
    for (uint32_t i = 0; i < n; i++) {
        const struct verdict *v = &w->verdicts[i];
        if (v->what) {
            rows_refuse(rows, i, v->what, v->token, v->len);
        } else {
            rows->unfinished += v->unfinished;
            rows->probable += v->probable;
        }
    }
    return 0;
}

/* Nothing is folded, and nothing comes of it. */
static int verify_fold(const struct kernel_state *state, struct qbuf *total,
                       const char *part, size_t len, struct qerr *e)
{
    (void)state;
    (void)total;
    (void)part;
    (void)len;
    (void)e;
    return 0;
}

static int verify_result(const struct kernel_state *state, const struct qbuf *total,
                         struct rows *rows, struct qerr *e)
{
    (void)state;
    (void)total;
    (void)rows;
    (void)e;
    return 0;
}

const struct kernel kernel_verify = {
    .name = "verify",
    .summary = "check lines 'N: p q ...' of anyone's factorizations",
    .description =
        "Reads lines 'N: p q ...', as factor prints them, and checks that the product "
        "of the factors is N and that each of them is prime. They may stand in any "
        "order; 'p^e' stands for e factors p. A composite in parentheses counts as "
        "unfinished. Empty lines are skipped.\n\n"
        "Each wrong line is named on standard error, and the exit status is then 4; "
        "standard output stays empty.",
    .accepts = ACCEPT_LINES,
    .judges = true,
    .open = verify_open,
    .close = verify_close,
    .attach = verify_attach,
    .detach = verify_detach,
    .run = verify_run,
    .fold = verify_fold,
    .result = verify_result,
};
