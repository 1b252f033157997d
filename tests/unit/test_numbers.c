#include "unit.h"

#include "core/expr.h"
#include "core/numbers.h"

#include <errno.h>
#include <gmp.h>
#include <string.h>

/* --- an independent reading of a text ------------------------------------------------
 * One character at a time, from the grammar. Everything is kept as text. */

struct event {
    const char *what;  /* NULL: a good record */
    const char *token; /* the token, or the digits of a record */
    size_t len;
    uint64_t after; /* position behind the token */
    uint64_t line;
    bool value; /* the digits are the value of an expression */
};

enum { EVENTS = 1 << 13 };

struct events {
    size_t n;
    struct event e[EVENTS];
};

static void note(struct events *to, struct event e)
{
    CU_ASSERT_FATAL(to->n < EVENTS);
    to->e[to->n++] = e;
}

static char values[1 << 16];
static size_t nvalues;

/* What an expression is worth is test_expr's matter; here only that it is asked for. */
static void evaluate(struct event *e, uint32_t max_digits)
{
    struct qbuf digits = QBUF_INIT;
    if (expr_eval(e->token, e->len, max_digits, &digits, &e->what) == 0) {
        CU_ASSERT_FATAL(digits.len < sizeof values - nvalues);
        memcpy(values + nvalues, digits.data, digits.len);
        e->token = values + nvalues;
        e->len = digits.len;
        e->value = true;
        nvalues += digits.len;
    }
    qbuf_release(&digits);
}

static bool is_expression(const char *token, size_t len)
{
    bool sign = false;
    for (size_t i = 0; i < len; i++) {
        if (token[i] == '\0' || !strchr("0123456789e+-*/^!#()", token[i]))
            return false;
        sign |= token[i] < '0' || token[i] > '9';
    }
    return sign && (token[0] == '(' || (token[0] >= '0' && token[0] <= '9'));
}

static struct event judge(const char *token, size_t len, uint32_t max_digits)
{
    struct event e = {.token = token, .len = len};
    size_t at = 0, digits = 0, zeros = 0;
    if (token[0] == '+' || token[0] == '-')
        at = 1;
    for (size_t i = at; i < len; i++)
        if (token[i] >= '0' && token[i] <= '9') {
            zeros += digits == zeros && token[i] == '0';
            digits++;
        }
    if (len > TOKEN_MAX)
        e.what = "token too long";
    else if (is_expression(token, len))
        evaluate(&e, max_digits);
    else if (digits == 0 || digits != len - at)
        e.what = "not an integer";
    else if (token[0] == '-')
        e.what = "negative";
    else if (digits - zeros > max_digits)
        e.what = "more digits than --max-digits allows";
    else if (digits == zeros)
        e = (struct event){.token = token + len - 1, .len = 1};
    else
        e = (struct event){.token = token + at + zeros, .len = digits - zeros};
    return e;
}

static void read_slowly(const char *text, size_t len, bool comment, uint32_t max_digits,
                        struct events *to)
{
    to->n = 0;
    nvalues = 0;
    uint64_t line = 0;
    size_t token = SIZE_MAX; /* where the token began that we are in */
    for (size_t i = 0; i <= len; i++) {
        int c = i < len ? (unsigned char)text[i] : -1;
        bool blank = c == -1 || c == ' ' || (c >= 9 && c <= 13);
        if (!comment && token == SIZE_MAX && c == '#') {
            comment = true;
        } else if (!comment && token == SIZE_MAX && !blank) {
            token = i;
        } else if (token != SIZE_MAX && blank) {
            struct event e = judge(text + token, i - token, max_digits);
            e.after = i;
            e.line = line;
            note(to, e);
            token = SIZE_MAX;
        }
        if (c == '\n') {
            comment = false;
            line++;
        }
    }
}

/* --- reading with numbers.c
 * ----------------------------------------------------------- */

static uint64_t slow_lines(const char *text, uint64_t from, uint64_t to)
{
    uint64_t n = 0;
    for (uint64_t i = from; i < to; i++)
        n += text[i] == '\n';
    return n;
}

static void check_value(const struct numbers *b, size_t i, size_t *big)
{
    char copy[32];
    bool fits = b->len[i] <= 20;
    if (fits) {
        memcpy(copy, b->digits[i], b->len[i]);
        copy[b->len[i]] = '\0';
        errno = 0;
        uint64_t want = strtoull(copy, NULL, 10);
        fits = errno == 0;
        CU_ASSERT_EQUAL(b->v[i], fits ? want : 0);
    }
    if (!fits) {
        CU_ASSERT_EQUAL(b->v[i], 0);
        CU_ASSERT_FATAL(*big < b->nbig);
        CU_ASSERT_EQUAL(b->big[(*big)++], i);
    }
}

static void expect(const struct events *want, size_t *at, const char *what,
                   const char *token, size_t len, uint64_t after, uint64_t line)
{
    CU_ASSERT_FATAL(*at < want->n);
    const struct event *e = &want->e[(*at)++];
    if (what == NULL || e->what == NULL)
        CU_ASSERT_PTR_EQUAL_FATAL(what, e->what);
    if (what) {
        CU_ASSERT_STRING_EQUAL(what, e->what);
        CU_ASSERT_EQUAL(line, e->line);
    }
    CU_ASSERT_EQUAL_FATAL(len, e->len);
    if (e->value)
        CU_ASSERT_EQUAL(memcmp(token, e->token, len), 0);
    CU_ASSERT(e->value || token == e->token);
    CU_ASSERT_EQUAL(after, e->after);
}

/* Takes the block: all of it must be what is expected next. */
static void take(const struct numbers *b, const struct numbers_reader *r,
                 const struct events *want, size_t *at)
{
    const char *text = r->span.chunk->text;
    uint64_t lines = slow_lines(text, 0, r->span.begin);
    size_t bad = 0, big = 0;
    for (size_t i = 0; i <= b->n; i++) {
        for (; bad < b->nbad && b->bad[bad].before == i; bad++) {
            const struct bad_number *x = &b->bad[bad];
            expect(want, at, x->what, x->token, x->len,
                   (uint64_t)(x->token - text) + x->len, lines + x->line);
        }
        if (i < b->n) {
            check_value(b, i, &big);
            expect(want, at, NULL, b->digits[i], b->len[i], b->after[i], 0);
        }
    }
    CU_ASSERT_EQUAL(bad, b->nbad);
    CU_ASSERT_EQUAL(big, b->nbig);
}

/* How a text is read: chosen at random, without effect on the records. */
struct plan {
    size_t max;         /* most in a block */
    bool unread, split; /* put records back; read the rest as a span of its own */
    size_t want;        /* length of spans, 0: one */
};

static struct numbers block;

static void read_span(struct numbers_reader *r, struct span s, const struct plan *p,
                      const struct events *want, size_t *at)
{
    struct qerr e = QERR_INIT;
    const char *text = s.chunk->text;
    numbers_open(r, &s);
    int rc;
    while ((rc = numbers_next(r, &block, p->max ? p->max : 1 + unit_random() % 9,
                              &e)) == 1) {
        CU_ASSERT(block.n > 0 || block.nbad > 0);
        CU_ASSERT(block.nbad <= NUMBERS_BLOCK);
        CU_ASSERT(block.n <= (p->max ? p->max : 9));
        if (p->unread && unit_random() % 2) {
            size_t done = unit_random() % (block.n + 1);
            size_t kept = 0;
            while (kept < block.nbad && block.bad[kept].before <= done)
                kept++;
            numbers_unread(r, &block, done);
            CU_ASSERT_EQUAL(block.n, done);
            CU_ASSERT_EQUAL(block.nbad, kept);
        }
        take(&block, r, want, at);
        CU_ASSERT(r->pos <= s.end);
        if (unit_random() % 4 == 0) {
            uint64_t upto = s.begin + unit_random() % (s.end - s.begin + 1);
            CU_ASSERT_EQUAL(numbers_lines(r, upto), slow_lines(text, s.begin, upto));
        }
        if (p->split && block.n > 0 && unit_random() % 2) {
            uint64_t cut = block.after[block.n - 1];
            if (cut < r->pos)
                numbers_unread(r, &block, block.n);
            if (r->pos == cut) {
                s.begin = cut;
                numbers_open(r, &s);
            }
        }
    }
    CU_ASSERT_EQUAL_FATAL(rc, 0);
    CU_ASSERT_EQUAL(numbers_lines(r, s.end), slow_lines(text, s.begin, s.end));
    CU_ASSERT_EQUAL(numbers_next(r, &block, 1, &e), 0);
}

static void check_text(const struct chunk *c, uint32_t max_digits, const struct plan *p,
                       const struct events *want)
{
    struct numbers_reader r;
    numbers_reader_init(&r, max_digits);
    size_t at = 0;
    struct span rest = {c, 0, c->len};
    while (rest.begin < rest.end) {
        struct span s = rest;
        if (p->want)
            s.end = span_cut(&rest, p->want);
        read_span(&r, s, p, want, &at);
        rest.begin = s.end;
    }
    CU_ASSERT_EQUAL(at, want->n);
    numbers_reader_release(&r);
}

static struct events events;

/* A chunk of a copy of text, with pads that must have no effect. */
static void check_all(const char *text, size_t len, bool comment, uint32_t max_digits,
                      char around)
{
    char *bytes = malloc(len + 2 * CHUNK_PAD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    memset(bytes, around, len + 2 * CHUNK_PAD);
    memcpy(bytes + CHUNK_PAD, text, len);
    const struct chunk c = {.kind = CHUNK_OF_TEXT,
                            .text = bytes + CHUNK_PAD,
                            .len = len,
                            .comment = comment,
                            .has_hash = len && memchr(text, '#', len)};
    read_slowly(c.text, len, comment, max_digits, &events);
    const struct plan plans[] = {
        {.max = NUMBERS_BLOCK},
        {.max = 1},
        {.max = 0, .unread = true},
        {.max = 0, .unread = true, .split = true, .want = 1},
        {.max = 0,
         .unread = true,
         .split = true,
         .want = 1 + unit_random() % (len + 1)},
        {.max = NUMBERS_BLOCK, .unread = true, .want = 1 + unit_random() % (len + 1)},
    };
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
        check_text(&c, max_digits, &plans[i], &events);
    free(bytes);
}

/* --- texts
 * ------------------------------------------------------------------------------ */

static size_t put(char *to, const char *s)
{
    size_t n = strlen(s);
    memcpy(to, s, n);
    return n;
}

/* Bytes, and pieces of the grammar; at most 64 bytes each. */
static size_t random_piece(char *to)
{
    static const char *const pieces[] = {"\n",
                                         "\n",
                                         "\n",
                                         " ",
                                         "\r\n",
                                         "\t",
                                         "#",
                                         "+",
                                         "-",
                                         "0",
                                         "00000000000000000000000",
                                         "18446744073709551615",
                                         "18446744073709551616",
                                         "99999999999999999999",
                                         "100000000000000000000",
                                         "184467440737095516150",
                                         "\xef\xbb\xbf",
                                         "x",
                                         ".",
                                         ",",
                                         "0x1f",
                                         "# a comment\n",
                                         "#\n",
                                         "+0",
                                         "-0",
                                         "\v",
                                         "\f",
                                         "/",
                                         ":",
                                         "--",
                                         "++1",
                                         "1234567",
                                         "12345678",
                                         "1234567890123456",
                                         "\xff",
                                         "1#",
                                         "12!"};
    size_t n = 0;
    switch (unit_random() % 4) {
    case 0:
        to[0] = (char)unit_random();
        return 1;
    case 1:
        for (size_t len = 1 + unit_random() % 24; n < len; n++)
            to[n] = (char)('0' + unit_random() % 10);
        return n;
    default:
        return put(to, pieces[unit_random() % (sizeof pieces / sizeof *pieces)]);
    }
}

static void byte_soup(void)
{
    for (uint64_t round = 0; round < 4000 * unit_scale(); round++) {
        char text[600];
        size_t room = unit_random() % 500, len = 0;
        bool clean = round % 2;
        while (len < room) {
            len += random_piece(text + len);
            if (clean)
                text[len++] = '\n';
        }
        if (len > 0 && round % 8 == 0)
            text[unit_random() % len] = '\0';
        check_all(text, len, round % 16 == 3,
                  round % 5 ? 10000 : 1 + (uint32_t)(round % 23), "1 \n#"[round % 4]);
    }
}

/* Every way to cut a text in two, with all that can stand at a cut. */
static void every_cut(void)
{
    static const char text[] =
        "12 +34\r\n0056\n# 7 8\n9#9 18446744073709551616\n"
        "  -1\tx\0y 2^65-1 000\n+\n(1+1)\n 123456789012345678901234567890 #end";
    size_t len = sizeof text - 1;
    read_slowly(text, len, false, 10000, &events);
    char bytes[sizeof text + 2 * CHUNK_PAD];
    memset(bytes, '5', sizeof bytes);
    memcpy(bytes + CHUNK_PAD, text, len);
    const struct chunk c = {
        .kind = CHUNK_OF_TEXT, .text = bytes + CHUNK_PAD, .len = len, .has_hash = true};
    read_slowly(c.text, len, false, 10000, &events);
    struct numbers_reader r;
    numbers_reader_init(&r, 10000);
    for (uint64_t want = 1; want <= len; want++)
        for (size_t max = 1; max < 6; max++) {
            size_t at = 0;
            const struct plan p = {.max = max};
            struct span s = {&c, 0, len};
            s.end = span_cut(&s, want);
            read_span(&r, s, &p, &events, &at);
            s.begin = s.end;
            s.end = len;
            read_span(&r, s, &p, &events, &at);
            CU_ASSERT_EQUAL(at, events.n);
        }
    numbers_reader_release(&r);
}

struct said {
    const char *text, *digits, *what;
};

/* Hand-made: what a user types and what must come of it. */
static void what_is_said(void)
{
    static const struct said cases[] = {
        {"+007", "7", NULL},
        {"000", "0", NULL},
        {"0", "0", NULL},
        {"+0", "0", NULL},
        {"18446744073709551616", "18446744073709551616", NULL},
        {"0000000000000000000000000018446744073709551615", "18446744073709551615",
         NULL},
        {"1234567890", "1234567890", NULL},
        {"1e12", "1000000000000", NULL},
        {"10#", "210", NULL},
        {"(2^64)", "18446744073709551616", NULL},
        {"2^64-1", "18446744073709551615", NULL},
        {"007e0", "7", NULL},
        {"7/2", NULL, "division is not exact"},
        {"5-7", NULL, "negative"},
        {"5e", NULL, "not an integer"},
        {"+1e3", NULL, "not an integer"},
        {"-5+7", NULL, "not an integer"},
        {"1e11", NULL, "more digits than --max-digits allows"},
        {"+", NULL, "not an integer"},
        {"-", NULL, "not an integer"},
        {"-5", NULL, "negative"},
        {"-0", NULL, "negative"},
        {"-5x", NULL, "not an integer"},
        {"+-5", NULL, "not an integer"},
        {"++5", NULL, "not an integer"},
        {"0x1f", NULL, "not an integer"},
        {"1.5", NULL, "not an integer"},
        {"1,000", NULL, "not an integer"},
        {"\xef\xbb\xbf"
         "5",
         NULL, "not an integer"},
        {"12345678901", NULL, "more digits than --max-digits allows"},
        {"000012345678901", NULL, "more digits than --max-digits allows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct said *s = &cases[i];
        char bytes[256];
        memset(bytes, '8', sizeof bytes);
        size_t len = strlen(s->text);
        memcpy(bytes + CHUNK_PAD, s->text, len);
        const struct chunk c = {
            .kind = CHUNK_OF_TEXT, .text = bytes + CHUNK_PAD, .len = len};
        const struct span span = {&c, 0, len};
        struct numbers_reader r;
        struct qerr e = QERR_INIT;
        numbers_reader_init(&r, s->what && *s->what == 'm' ? 10 : 10000);
        numbers_open(&r, &span);
        CU_ASSERT_EQUAL(numbers_next(&r, &block, NUMBERS_BLOCK, &e), 1);
        CU_ASSERT_EQUAL_FATAL(block.n, s->digits != NULL);
        CU_ASSERT_EQUAL_FATAL(block.nbad, s->what != NULL);
        if (s->digits) {
            CU_ASSERT_EQUAL(block.len[0], strlen(s->digits));
            CU_ASSERT_EQUAL(memcmp(block.digits[0], s->digits, block.len[0]), 0);
        } else {
            CU_ASSERT_STRING_EQUAL(block.bad[0].what, s->what);
        }
        numbers_reader_release(&r);
    }
}

static void check_long(char *text, size_t len, const char *what)
{
    check_all(text, len, false, 10000, '1');
    CU_ASSERT_EQUAL_FATAL(events.n, 1);
    if (what)
        CU_ASSERT_STRING_EQUAL(events.e[0].what, what);
    CU_ASSERT_EQUAL(events.e[0].what == NULL, what == NULL);
}

static void long_tokens(void)
{
    char *text = malloc(TOKEN_MAX + 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, '0', TOKEN_MAX + 2);
    text[TOKEN_MAX - 2] = '6';
    check_long(text, TOKEN_MAX - 1, NULL);
    check_long(text, TOKEN_MAX, NULL);
    check_long(text, TOKEN_MAX + 1, "token too long");
    memset(text, '1', TOKEN_MAX + 2);
    check_long(text, 10000, NULL);
    check_long(text, 10001, "more digits than --max-digits allows");
    check_long(text, TOKEN_MAX - 1, "more digits than --max-digits allows");
    check_long(text, TOKEN_MAX + 1, "token too long");
    text[TOKEN_MAX - 2] = 'x';
    check_long(text, TOKEN_MAX - 1, "not an integer");
    free(text);
}

/* Values of expressions fill the arena: it moves, and blocks end before it grows far.
 */
static void many_values(void)
{
    enum { RECORDS = 2000 };
    char *bytes = malloc(RECORDS * 16 + 2 * CHUNK_PAD), *text = bytes + CHUNK_PAD;
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    size_t len = 0;
    for (int i = 0; i < RECORDS; i++)
        len += (size_t)sprintf(text + len, i % 3 ? "%d\n" : "10^%d\n", 1000 + i);
    const struct chunk c = {.kind = CHUNK_OF_TEXT, .text = text, .len = len};
    const struct span s = {&c, 0, len};
    struct numbers_reader r;
    struct qerr e = QERR_INIT;
    numbers_reader_init(&r, 10000);
    numbers_open(&r, &s);
    size_t n = 0, blocks = 0;
    for (; numbers_next(&r, &block, NUMBERS_BLOCK, &e) == 1; blocks++) {
        CU_ASSERT(r.arena.cap <= 4 << 20 && block.nbad == 0);
        for (size_t i = 0; i < block.n; i++, n++) {
            char want[32];
            size_t zeros = n % 3 ? 0 : 1000 + n;
            CU_ASSERT_FATAL(block.digits[i] != NULL);
            CU_ASSERT_EQUAL(block.len[i], zeros ? zeros + 1 : 4);
            snprintf(want, sizeof want, "%zu", 1000 + n);
            CU_ASSERT_EQUAL(memcmp(block.digits[i], zeros ? "1000" : want, 4), 0);
            if (zeros)
                CU_ASSERT_EQUAL(block.digits[i][zeros], '0');
        }
    }
    CU_ASSERT(n == RECORDS && blocks > 1);
    numbers_reader_release(&r);
    free(bytes);
}

/* More bad records in a row than a block lists, and blocks that are full of good ones.
 */
static void full_blocks(void)
{
    enum { RECORDS = 3 * NUMBERS_BLOCK / 2 };
    char *text = malloc(RECORDS * 8);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (int kind = 0; kind < 3; kind++) {
        size_t len = 0;
        for (int i = 0; i < RECORDS; i++)
            len += (size_t)sprintf(text + len, "%s%d\n",
                                   kind == 0 || (kind == 1 && i % 2) ? "" : "x", i);
        check_all(text, len, false, 10000, '1');
    }
    free(text);
}

/* --- ranges
 * ----------------------------------------------------------------------------- */

static void check_range(const char *base, uint64_t first, uint64_t count, size_t max)
{
    char text[64];
    size_t len = strlen(base);
    memcpy(text, base, len);
    const struct chunk c = {.kind = CHUNK_OF_RANGE,
                            .text = text,
                            .len = len,
                            .first = first,
                            .count = count};
    struct numbers_reader r;
    struct qerr e = QERR_INIT;
    mpz_t want, step;
    mpz_init_set_str(want, *base ? base : "0", 10);
    mpz_init(step);
    mpz_import(step, 1, 1, sizeof first, 0, 0, &first);
    mpz_add(want, want, step);
    numbers_reader_init(&r, 10000);
    uint64_t at = 0;
    struct span s = {&c, 0, count};
    while (s.begin < count) {
        s.end = count;
        s.end = span_cut(&s, 1 + unit_random() % (count + 1));
        numbers_open(&r, &s);
        while (numbers_next(&r, &block, max, &e) == 1) {
            CU_ASSERT(block.n > 0 && block.nbad == 0);
            numbers_unread(&r, &block, 1 + unit_random() % (2 * block.n));
            CU_ASSERT_EQUAL(numbers_lines(&r, r.pos), 0);
            size_t big = 0;
            for (size_t i = 0; i < block.n; i++, at++) {
                char digits[80];
                mpz_get_str(digits, 10, want);
                mpz_add_ui(want, want, 1);
                CU_ASSERT_EQUAL(block.after[i], at + 1);
                if (*base) {
                    CU_ASSERT_EQUAL_FATAL(block.len[i], strlen(digits));
                    CU_ASSERT_EQUAL(memcmp(block.digits[i], digits, block.len[i]), 0);
                    check_value(&block, i, &big);
                } else {
                    CU_ASSERT_PTR_NULL(block.digits[i]);
                    CU_ASSERT_EQUAL(block.v[i], strtoull(digits, NULL, 10));
                }
            }
            CU_ASSERT_EQUAL(big, block.nbig);
        }
        CU_ASSERT_EQUAL(r.pos, s.end);
        s.begin = s.end;
    }
    CU_ASSERT_EQUAL(at, count);
    mpz_clears(want, step, NULL);
    numbers_reader_release(&r);
}

static void ranges(void)
{
    static const char *const bases[] = {"",
                                        "",
                                        "5",
                                        "99999",
                                        "18446744073709551610",
                                        "18446744073709551616",
                                        "99999999999999999999990",
                                        "123456789012345678901234567890123456789"};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        check_range(bases[i], 0, 300, 7);
        check_range(bases[i], UINT64_MAX - 299, 300, NUMBERS_BLOCK);
        check_range(bases[i], UINT64_C(9999999999999999900), 3, 1);
        for (uint64_t k = 0; k < 20 * unit_scale(); k++)
            check_range(bases[i], unit_random() >> k % 64, 1 + unit_random() % 50,
                        1 + k);
    }
    check_range("", 0, 3 * NUMBERS_BLOCK + 1, NUMBERS_BLOCK);
    check_range("99999999999999999999000", 0, 3 * NUMBERS_BLOCK + 1, NUMBERS_BLOCK);
    check_range("", UINT64_MAX, 1, 5);
}

/* A range whose numbers are long does not make the arena grow with the block. */
static void long_range(void)
{
    enum { DIGITS = 10000 };
    char *base = malloc(DIGITS);
    CU_ASSERT_PTR_NOT_NULL_FATAL(base);
    memset(base, '9', DIGITS);
    const struct chunk c = {
        .kind = CHUNK_OF_RANGE, .text = base, .len = DIGITS, .count = 500};
    const struct span s = {&c, 0, 500};
    struct numbers_reader r;
    struct qerr e = QERR_INIT;
    numbers_reader_init(&r, DIGITS + 1);
    numbers_open(&r, &s);
    uint64_t n = 0;
    while (numbers_next(&r, &block, NUMBERS_BLOCK, &e) == 1) {
        CU_ASSERT(r.arena.cap <= 4 << 20);
        for (size_t i = 0; i < block.n; i++, n++) {
            CU_ASSERT_EQUAL(block.len[i], n == 0 ? DIGITS : DIGITS + 1);
            CU_ASSERT_EQUAL(block.digits[i][0], n == 0 ? '9' : '1');
            CU_ASSERT_EQUAL(block.digits[i][block.len[i] - 1],
                            (char)('0' + (n + 9) % 10));
        }
        CU_ASSERT_EQUAL(block.nbig, block.n);
    }
    CU_ASSERT_EQUAL(n, 500);
    numbers_reader_release(&r);
    free(base);
}

static void with_block(void (*test)(void))
{
    numbers_init(&block);
    test();
    numbers_release(&block);
}

#define WITH_BLOCK(test)                                                               \
    static void run_##test(void)                                                       \
    {                                                                                  \
        with_block(test);                                                              \
    }
WITH_BLOCK(what_is_said)
WITH_BLOCK(byte_soup)
WITH_BLOCK(every_cut)
WITH_BLOCK(long_tokens)
WITH_BLOCK(full_blocks)
WITH_BLOCK(many_values)
WITH_BLOCK(ranges)
WITH_BLOCK(long_range)

static const struct unit_test tests[] = {
    {"what a token is", run_what_is_said},
    {"byte soup, read in any pieces", run_byte_soup},
    {"every cut", run_every_cut},
    {"long tokens", run_long_tokens},
    {"full blocks", run_full_blocks},
    {"values of expressions", run_many_values},
    {"ranges", run_ranges},
    {"a range of long numbers", run_long_range},
};

UNIT_MAIN("numbers", tests)
