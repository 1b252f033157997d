#include <flint/fmpz.h>
#include <flint/fmpz_factor.h>

#include "calls.h"

extern const struct kernel kernel_verify;

/* --- the oracle: a slow reading of a line, with FLINT --- */

enum judgement { RIGHT, UNFINISHED, WRONG };

/* Digits s[0..len) to z; false if they are none. */
static bool read_digits(fmpz_t z, const char *s, size_t len)
{
    char *copy = strndup(s, len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    bool ok = len > 0 && strspn(copy, "0123456789") == len && strlen(copy) == len;
    if (ok)
        ok = fmpz_set_str(z, copy, 10) == 0;
    free(copy);
    return ok;
}

/* One factor: multiplies it to `product`. */
static enum judgement judge_factor(const char *s, size_t len, fmpz_t product)
{
    enum judgement j = WRONG;
    fmpz_t p, e;
    fmpz_init(p);
    fmpz_init_set_ui(e, 1);
    if (s[0] == '(') {
        if (s[len - 1] == ')' && len > 2 && read_digits(p, s + 1, len - 2) &&
            fmpz_cmp_ui(p, 1) > 0 && !fmpz_is_prime(p))
            j = UNFINISHED;
    } else {
        const char *hat = memchr(s, '^', len);
        size_t base = hat ? (size_t)(hat - s) : len;
        bool ok = read_digits(p, s, base) &&
                  (!hat || read_digits(e, hat + 1, len - base - 1)) &&
                  fmpz_cmp_ui(e, 0) > 0 && fmpz_cmp_ui(p, 1) > 0 && fmpz_is_prime(p);
        /* No number here has so many factors. */
        if (ok && fmpz_cmp_ui(e, 2000) < 0)
            j = RIGHT;
    }
    if (j != WRONG) {
        fmpz_pow_ui(p, p, fmpz_get_ui(e));
        fmpz_mul(product, product, p);
    }
    fmpz_clear(p);
    fmpz_clear(e);
    return j;
}

static enum judgement judge_line(const char *s, size_t len)
{
    enum judgement j = RIGHT;
    size_t i = 0, items = 0;
    fmpz_t n, product;
    fmpz_init(n);
    fmpz_init_set_ui(product, 1);
    while (i < len && s[i] != ':')
        i++;
    if (i == len || !read_digits(n, s, i))
        j = WRONG;
    i++;
    if (i < len && s[i] != ' ' && s[i] != '\t')
        j = WRONG;
    while (j != WRONG) {
        while (i < len && (s[i] == ' ' || s[i] == '\t'))
            i++;
        size_t from = i;
        while (i < len && s[i] != ' ' && s[i] != '\t')
            i++;
        if (i == from)
            break;
        enum judgement f = judge_factor(s + from, i - from, product);
        j = f > j ? f : j;
        items++;
    }
    if (j != WRONG && !(fmpz_is_zero(n) && items == 0) && !fmpz_equal(n, product))
        j = WRONG;
    fmpz_clear(n);
    fmpz_clear(product);
    return j;
}

/* --- the kernel on a text --- */

struct found {
    enum judgement judgement;
    uint64_t before; /* newlines in front of it */
    const char *what, *token;
    size_t len;
};

/* A copy of a complaint that stays; there are few different ones. */
static const char *keep(const char *what)
{
    static char kept[16][64];
    size_t i = 0;
    while (kept[i][0] && strcmp(kept[i], what) != 0)
        CU_ASSERT_FATAL(++i < 16);
    snprintf(kept[i], sizeof kept[i], "%s", what);
    return kept[i];
}

/* Judges the lines of a text in blocks of at most `block`; returns how many. Between
 * calls it counts what is unfinished. */
static size_t run_text(struct calls *c, const char *text, size_t len, size_t block,
                       uint64_t deadline_ns, struct found *found, size_t most)
{
    char *memory = calloc(1, len + 2 * (size_t)CHUNK_PAD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    memcpy(memory + CHUNK_PAD, text, len);
    struct chunk chunk = {.text = memory + CHUNK_PAD, .len = len, .cut = CUT_AT_LINES};
    struct span span = {&chunk, 0, len};
    struct lines_reader reader;
    static struct lines lines;
    size_t n = 0;
    lines_open(&reader, &span);
    while (lines_next(&reader, &lines, block)) {
        rows_clear(&c->rows, NULL);
        struct kernel_call call = {.lines = &lines,
                                   .rows = &c->rows,
                                   .part = &c->part,
                                   .scratch = c->scratch,
                                   .deadline_ns = deadline_ns,
                                   .stop = &c->stop};
        CU_ASSERT_EQUAL_FATAL(c->kernel->run(c->state, &call, &c->e), 0);
        CU_ASSERT_FATAL(c->rows.n >= 1 && c->rows.n <= lines.n);
        CU_ASSERT_FATAL(n + c->rows.n <= most);
        size_t r = 0;
        for (size_t i = 0; i < c->rows.n; i++) {
            struct found f = {RIGHT, lines.before[i], NULL, NULL, 0};
            if (r < c->rows.nrefused && c->rows.refused[r].row == i) {
                f.judgement = WRONG;
                f.what = keep(rows_what(&c->rows, &c->rows.refused[r]));
                f.token = text + (c->rows.refused[r].token - chunk.text);
                f.len = c->rows.refused[r++].len;
            } else if (c->rows.n == 1 && c->rows.unfinished) {
                f.judgement = UNFINISHED;
            }
            found[n++] = f;
        }
        CU_ASSERT_EQUAL(r, c->rows.nrefused);
        lines_unread(&reader, &lines, c->rows.n);
    }
    free(memory);
    return n;
}

/* --- tables --- */

struct known {
    const char *line, *what, *token; /* what NULL: right; "(": unfinished */
};

static const struct known table[] = {
    {"0:", NULL, NULL},
    {"1:", NULL, NULL},
    {"2: 2", NULL, NULL},
    {"360: 2 2 2 3 3 5", NULL, NULL},
    {"360: 5 3 2 3 2 2", NULL, NULL},
    {"360: 2^3 5 3^2", NULL, NULL},
    {"360:\t2^2  3 2\t3 5^1", NULL, NULL},
    {"0360: 02 2 2 3^02 5", NULL, NULL},
    {"18446744073709551557: 18446744073709551557", NULL, NULL},
    {"9223372036854775808: 2^63", NULL, NULL},
    {"18446744073709551616: 2^64", NULL, NULL},
    {"18446744073709551629: 18446744073709551629", NULL, NULL},
    {"340282366920938463463374607431768211457: 59649589127497217 "
     "5704689200685129054721",
     NULL, NULL},
    {"12: (12)", "(", NULL},
    {"12: 2 (6)", "(", NULL},
    {"36: (6) (6)", "(", NULL},
    {"340282366920938463463374607431768211457: "
     "(340282366920938463463374607431768211457)",
     "(", NULL},
    /* the product */
    {"2:", "its factors have another product", "2"},
    {"12: 2 2", "its factors have another product", "12"},
    {"12: 2 2 3 3", "its factors have another product", "12"},
    {"0: 2", "its factors have another product", "0"},
    {"1: 2", "its factors have another product", "1"},
    {"2: 2^64", "its factors have another product", "2"},
    {"4: 2^18446744073709551618", "its factors have another product", "4"},
    {"4: 18446744073709551618 2", "its factors have another product", "4"},
    {"18446744073709551616: 2^65", "its factors have another product",
     "18446744073709551616"},
    {"18446744073709551616: 2^999999999999999", "its factors have another product",
     "18446744073709551616"},
    {"18446744073709551616: 340282366920938463463374607431768211456",
     "its factors have another product", "18446744073709551616"},
    {"18446744073709551629:", "its factors have another product",
     "18446744073709551629"},
    /* 2^64 + 2 is 2 in 64 bits: nothing may wrap */
    {"2: 2 9223372036854775809 2", "its factors have another product", "2"},
    /* the factors */
    {"12: 2 6", "not a prime", "6"},
    {"12: 12", "not a prime", "12"},
    {"36: 6 2 3", "not a prime", "6"},
    {"36: 6^2", "not a prime", "6^2"},
    {"24: 4 2 3", "not a prime", "4"},
    {"24: 6 4", "not a prime", "6"},
    {"1: 1", "not a prime", "1"},
    {"0: 0", "not a prime", "0"},
    {"0: 0 0", "not a prime", "0"},
    {"0: (4) 0", "not a prime", "0"},
    {"0: 0 2^999999999", "not a prime", "0"},
    {"7: 1 7", "not a prime", "1"},
    {"7: 7 1^5", "not a prime", "1^5"},
    {"0: (0)", "not a composite", "(0)"},
    {"1: (1)", "not a composite", "(1)"},
    {"7: 7 (1)", "not a composite", "(1)"},
    {"15: 3 (5)", "not a composite", "(5)"},
    {"18446744073709551629: (18446744073709551629)", "not a composite",
     "(18446744073709551629)"},
    {"18446744073709551617: 18446744073709551617", "not a prime",
     "18446744073709551617"},
    /* strong pseudoprimes: to bases 2, 3, 5, 7; to all prime bases up to 37 */
    {"3215031751: 3215031751", "not a prime", "3215031751"},
    {"3825123056546413051: 3825123056546413051", "not a prime", "3825123056546413051"},
    {"318665857834031151167461: 318665857834031151167461", "not a prime",
     "318665857834031151167461"},
    /* large and small ones that are wrong: the first one is named */
    {"442721857769029238808: 18446744073709551617 4 6", "not a prime",
     "18446744073709551617"},
    {"442721857769029238808: 4 18446744073709551617 6", "not a prime", "4"},
    /* the line */
    {"x", "not a line 'N: p q ...'", "x"},
    {"360", "not a line 'N: p q ...'", "360"},
    {":", "not a line 'N: p q ...'", ":"},
    {": 2", "not a line 'N: p q ...'", ": 2"},
    {"4 : 2 2", "not a line 'N: p q ...'", "4 : 2 2"},
    {"4:2 2", "not a line 'N: p q ...'", "4:2 2"},
    {"-4: 2 2", "not a line 'N: p q ...'", "-4: 2 2"},
    {"# 4: 2 2", "not a line 'N: p q ...'", "# 4: 2 2"},
    {"4: 2 x", "not a factor", "x"},
    {"4: 2 2 # ok", "not a factor", "#"},
    {"4: 2 -2", "not a factor", "-2"},
    {"4: 2, 2", "not a factor", "2,"},
    {"4: 2^", "not a factor", "2^"},
    {"4: 2^0 2 2", "not a factor", "2^0"},
    {"4: 2^+2", "not a factor", "2^+2"},
    {"4: 2^2^1", "not a factor", "2^2^1"},
    {"4: ^2", "not a factor", "^2"},
    {"4: ()", "not a factor", "()"},
    {"4: (4", "not a factor", "(4"},
    {"4: 4)", "not a factor", "4)"},
    {"4: (4))", "not a factor", "(4))"},
    {"16: (4)^2", "not a factor", "(4)^2"},
    {"4: 2 2\t0.000012", "not a factor", "0.000012"},
    {"18446744073709551616: 2^64 x", "not a factor", "x"},
};

enum { KNOWN = sizeof table / sizeof *table };

static bool is_known(const struct known *k, const struct found *f)
{
    if (!k->what)
        return f->judgement == RIGHT;
    if (strcmp(k->what, "(") == 0)
        return f->judgement == UNFINISHED;
    return f->judgement == WRONG && strcmp(f->what, k->what) == 0 &&
           f->len == strlen(k->token) && memcmp(f->token, k->token, f->len) == 0;
}

static void test_table(void)
{
    struct calls c;
    struct found found;
    calls_begin(&c, &kernel_verify, NULL);
    for (size_t i = 0; i < KNOWN; i++) {
        const struct known *k = &table[i];
        CU_ASSERT_EQUAL(
            run_text(&c, k->line, strlen(k->line), 1, UINT64_MAX, &found, 1), 1);
        if (!is_known(k, &found)) {
            printf("\n'%s': %d %s '%.*s'\n", k->line, found.judgement,
                   found.what ? found.what : "", (int)found.len,
                   found.token ? found.token : "");
            CU_FAIL("a known line");
        }
    }
    calls_end(&c);
}

/* All of them in one text, in blocks of any size: the same verdicts, in their lines. */
static void test_blocks(void)
{
    struct qbuf text = QBUF_INIT;
    struct found found[KNOWN];
    struct calls c;
    calls_begin(&c, &kernel_verify, NULL);
    for (size_t i = 0; i < KNOWN; i++)
        qbuf_printf(&text, "%s%s\n%s", i % 5 == 0 ? "  " : "", table[i].line,
                    i % 3 == 0 ? "\r\n" : "");
    static const size_t blocks[] = {1, 2, 7, LINES_BLOCK};
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        for (int hurry = 0; hurry < 2; hurry++) {
            size_t n = run_text(&c, text.data, text.len, blocks[b],
                                hurry ? 0 : UINT64_MAX, found, KNOWN);
            CU_ASSERT_EQUAL_FATAL(n, KNOWN);
            for (size_t i = 0, line = 0; i < KNOWN; i++) {
                bool wrong = table[i].what && strcmp(table[i].what, "(") != 0;
                CU_ASSERT_EQUAL(found[i].judgement == WRONG, wrong);
                CU_ASSERT(!wrong || is_known(&table[i], &found[i]));
                CU_ASSERT_EQUAL(found[i].before, line);
                line += i % 3 == 0 ? 2 : 1;
            }
        }
    }
    qbuf_release(&text);
    calls_end(&c);
}

/* --- random lines, right and damaged --- */

static void put_random_line(struct qbuf *out)
{
    fmpz_t n, p;
    unsigned long left = 1 + unit_random() % 5;
    bool large = unit_random() % 4 == 0;
    struct qbuf factors = QBUF_INIT;
    fmpz_init_set_ui(n, 1);
    fmpz_init(p);
    for (; left > 0; left--) {
        unsigned long bits = large ? 4 + unit_random() % 90 : 4 + unit_random() % 9;
        bool composite = unit_random() % 24 == 0;
        do {
            fmpz_set_ui(p, unit_random());
            fmpz_mul_2exp(p, p, 64);
            fmpz_add_ui(p, p, unit_random());
            fmpz_fdiv_q_2exp(p, p, 128 - bits);
            if (!composite)
                fmpz_nextprime(p, p, 1);
        } while (fmpz_cmp_ui(p, 3) <= 0 || (composite && fmpz_is_prime(p)));
        char *digits = fmpz_get_str(NULL, 10, p);
        unsigned long e = unit_random() % 4 == 0 ? 1 + unit_random() % 3 : 1;
        if (composite)
            e = 1;
        fmpz_pow_ui(p, p, e);
        fmpz_mul(n, n, p);
        if (composite)
            qbuf_printf(&factors, " (%s)", digits);
        else if (e > 1)
            qbuf_printf(&factors, " %s^%lu", digits, e);
        else
            qbuf_printf(&factors, " %s", digits);
        free(digits);
    }
    char *digits = fmpz_get_str(NULL, 10, n);
    qbuf_printf(out, "%s:%s", digits, qbuf_cstr(&factors));
    free(digits);
    qbuf_release(&factors);
    fmpz_clear(n);
    fmpz_clear(p);
}

/* One character changed, lost, new, or two in each other's place. */
static void damage(struct qbuf *line)
{
    static const char letters[] = "0123456789 :^()x";
    size_t at = unit_random() % line->len;
    char c = letters[unit_random() % (sizeof letters - 1)];
    switch (unit_random() % 4) {
    case 0:
        line->data[at] = c;
        break;
    case 1:
        memmove(line->data + at, line->data + at + 1, line->len - at - 1);
        line->len--;
        break;
    case 2:
        qbuf_putc(line, ' ');
        memmove(line->data + at + 1, line->data + at, line->len - at - 1);
        line->data[at] = c;
        break;
    default:
        c = line->data[at];
        line->data[at] = line->data[line->len - 1];
        line->data[line->len - 1] = c;
    }
}

static bool is_empty(const struct qbuf *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] != ' ')
            return false;
    return true;
}

/* Both ends without blanks, as the reader hands it on. */
static enum judgement judge(const struct qbuf *line)
{
    size_t from = 0, to = line->len;
    while (from < to && line->data[from] == ' ')
        from++;
    while (to > from && line->data[to - 1] == ' ')
        to--;
    return judge_line(line->data + from, to - from);
}

static void test_random(void)
{
    enum { LINES = 400 };
    static struct found found[LINES];
    static enum judgement want[LINES];
    struct qbuf text = QBUF_INIT, line = QBUF_INIT;
    struct calls c;
    size_t seen[3] = {0, 0, 0};
    calls_begin(&c, &kernel_verify, NULL);
    for (uint64_t round = 0; round < 10 * unit_scale(); round++) {
        qbuf_clear(&text);
        for (size_t i = 0; i < LINES; i++) {
            do {
                qbuf_clear(&line);
                put_random_line(&line);
                if (unit_random() % 2)
                    damage(&line);
            } while (is_empty(&line));
            want[i] = judge(&line);
            seen[want[i]]++;
            qbuf_add(&text, line.data, line.len);
            qbuf_putc(&text, '\n');
        }
        /* One by one shows what is unfinished; blocks show what is wrong. */
        size_t n = run_text(&c, text.data, text.len, 1, UINT64_MAX, found, LINES);
        CU_ASSERT_EQUAL_FATAL(n, LINES);
        for (size_t i = 0; i < LINES; i++)
            CU_ASSERT_EQUAL(found[i].judgement, want[i]);
        n = run_text(&c, text.data, text.len, LINES_BLOCK, UINT64_MAX, found, LINES);
        CU_ASSERT_EQUAL_FATAL(n, LINES);
        for (size_t i = 0; i < LINES; i++)
            CU_ASSERT_EQUAL(found[i].judgement == WRONG, want[i] == WRONG);
    }
    CU_ASSERT(seen[RIGHT] > 100 && seen[UNFINISHED] > 20 && seen[WRONG] > 100);
    qbuf_release(&text);
    qbuf_release(&line);
    calls_end(&c);
}

/* --- limits --- */

static void test_limits(void)
{
    static const char *const options[] = {"max-digits=20", NULL};
    struct calls c;
    struct found f;
    static const char over[] = "100000000000000000000: 2^20 5^20";
    static const char factor[] = "12: 2 2 300000000000000000003";
    static const char zeros[] = "0000000000000000000000000000000000012: 2 2 3";
    calls_begin(&c, &kernel_verify, options);
    run_text(&c, over, strlen(over), 1, UINT64_MAX, &f, 1);
    CU_ASSERT_STRING_EQUAL_FATAL(f.what, "more digits than --max-digits allows");
    CU_ASSERT_EQUAL(f.len, 21);
    run_text(&c, factor, strlen(factor), 1, UINT64_MAX, &f, 1);
    CU_ASSERT_STRING_EQUAL_FATAL(f.what, "more digits than --max-digits allows");
    CU_ASSERT_EQUAL(f.token - factor, 8);
    run_text(&c, zeros, strlen(zeros), 1, UINT64_MAX, &f, 1);
    CU_ASSERT_EQUAL(f.judgement, RIGHT);

    size_t len = (size_t)TOKEN_MAX + 1;
    char *line = malloc(len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    memset(line, ' ', len);
    memcpy(line, "4:", 2);
    line[len - 1] = '4';
    run_text(&c, line, len, 1, UINT64_MAX, &f, 1);
    CU_ASSERT_STRING_EQUAL(f.what, "line too long");
    line[len - 2] = '4';
    run_text(&c, line, len - 1, 1, UINT64_MAX, &f, 1);
    CU_ASSERT_STRING_EQUAL(f.what, "not a prime");
    free(line);
    calls_end(&c);
}

/* A prime of thousands of digits takes seconds: a stop leaves the line unfinished. */
static void test_stop(void)
{
    struct calls c;
    struct found f;
    struct qbuf text = QBUF_INIT;
    pthread_t thread;
    fmpz_t n;
    fmpz_init_set_ui(n, 1);
    fmpz_mul_2exp(n, n, 23209); /* 2^23209 - 1 is prime */
    fmpz_sub_ui(n, n, 1);
    char *digits = fmpz_get_str(NULL, 10, n);
    qbuf_printf(&text, "%s: %s", digits, digits);
    calls_begin(&c, &kernel_verify, NULL);
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, calls_stop_soon, &c.stop), 0);
    run_text(&c, text.data, text.len, 1, UINT64_MAX, &f, 1);
    pthread_join(thread, NULL);
    CU_ASSERT((double)(qclock_ns() - start) * 1e-9 < stop_seconds);
    CU_ASSERT_EQUAL(f.judgement, UNFINISHED);
    calls_end(&c);
    free(digits);
    qbuf_release(&text);
    fmpz_clear(n);
}

static const struct unit_test tests[] = {
    {"known lines", test_table}, {"blocks", test_blocks}, {"random lines", test_random},
    {"limits", test_limits},     {"stop", test_stop},
};

UNIT_MAIN("kernel_verify", tests)
