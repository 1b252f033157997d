/*
 * fuzz_verify: lines of factorizations, as `quern verify` judges them. Input: HEAD
 * bytes that choose the cuts, then the text.
 *
 * Each line is judged by a slow reading with GMP's test of primality; then the text is
 * cut by span_cut, read by lines.c in blocks of any size, put back, and judged by the
 * kernel with and without a deadline. Numbers have at most MAX_DIGITS digits, since a
 * test of a large one takes its time.
 */
#include <gmp.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cmd/options.h"
#include "core/lines.h"
#include "fuzz.h"
#include "kernel.h"

extern const struct kernel kernel_verify;

enum { HEAD = 6, MAX_DIGITS = 120, TIMES_MAX = 100000 };

enum judgement { RIGHT, UNFINISHED, WRONG };

/* --- the slow reading ---------------------------------------------------------------
 */

/* Decimal digits s[0..len), at most `most` of them without leading zeros, to z. */
static bool read_digits(mpz_ptr z, const char *s, size_t len, size_t most)
{
    mpz_set_ui(z, 0);
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        mpz_mul_ui(z, z, 10);
        mpz_add_ui(z, z, (unsigned long)(s[i] - '0'));
        if (mpz_sizeinbase(z, 2) > 4 * most + 4)
            return false;
    }
    if (len == 0)
        return false;
    char *digits = mpz_get_str(NULL, 10, z);
    bool ok = strlen(digits) <= most;
    void (*release)(void *, size_t);
    mp_get_memory_functions(NULL, NULL, &release);
    release(digits, strlen(digits) + 1);
    return ok;
}

/* An exponent; what is larger than TIMES_MAX is as good as that. */
static uint64_t read_times(const char *s, size_t len)
{
    uint64_t times = 0;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return 0;
        times = 10 * times + (uint64_t)(s[i] - '0');
        times = times < TIMES_MAX ? times : TIMES_MAX;
    }
    return times;
}

/* Multiplies a factor to `product`, unless that is larger than any N anyway. */
static enum judgement judge_factor(const char *s, size_t len, mpz_ptr product)
{
    enum judgement j = WRONG;
    mpz_t p;
    mpz_init(p);
    if (*s == '(') {
        if (len > 2 && s[len - 1] == ')' &&
            read_digits(p, s + 1, len - 2, MAX_DIGITS) && mpz_cmp_ui(p, 1) > 0 &&
            !mpz_probab_prime_p(p, 25)) {
            mpz_mul(product, product, p);
            j = UNFINISHED;
        }
    } else {
        const char *hat = memchr(s, '^', len);
        size_t base = hat ? (size_t)(hat - s) : len;
        uint64_t times = hat ? read_times(hat + 1, len - base - 1) : 1;
        if (times > 0 && read_digits(p, s, base, MAX_DIGITS) &&
            mpz_probab_prime_p(p, 25)) {
            j = RIGHT;
            for (; times > 0 && mpz_sizeinbase(product, 2) <= 4 * MAX_DIGITS + 4;
                 times--)
                mpz_mul(product, product, p);
        }
    }
    mpz_clear(p);
    return j;
}

static bool is_between(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* s[0..len), len > 0, without blanks around it; *bad: the first factor that is wrong.
 */
static enum judgement judge(const char *s, size_t len, const char **bad)
{
    const char *colon = memchr(s, ':', len), *end = s + len;
    if (!colon || (colon + 1 < end && !is_between(colon[1])))
        return WRONG;
    enum judgement j = RIGHT;
    mpz_t n, product;
    mpz_init(n);
    mpz_init_set_ui(product, 1);
    if (!read_digits(n, s, (size_t)(colon - s), MAX_DIGITS))
        j = WRONG;
    bool any = false;
    for (const char *at = colon + 1; j != WRONG && at < end; at++) {
        const char *from = at;
        while (at < end && !is_between(*at))
            at++;
        if (at == from)
            continue;
        enum judgement f = judge_factor(from, (size_t)(at - from), product);
        j = f > j ? f : j;
        any = true;
        if (f == WRONG)
            *bad = from;
    }
    if (j != WRONG && !(mpz_sgn(n) == 0 && !any) && mpz_cmp(n, product) != 0)
        j = WRONG;
    mpz_clear(n);
    mpz_clear(product);
    return j;
}

struct event {
    enum judgement judgement;
    const char *text; /* the line */
    size_t len;
    uint64_t line;          /* newlines in front of it */
    uint64_t after;         /* position behind it and its newline */
    const char *bad;        /* the first factor that is wrong, or NULL */
    struct refusal refusal; /* what the kernel said first; must be said again */
    char what[64];          /* of the refusal */
};

struct events {
    struct event *at;
    size_t n;
    uint64_t unfinished;
};

static void read_slowly(struct events *to, const char *text, size_t len)
{
    uint64_t line = 0;
    *to = (struct events){.at = calloc(len + 1, sizeof *to->at)};
    CLAIM(to->at);
    for (size_t from = 0; from < len; line++) {
        size_t end = from;
        while (end < len && text[end] != '\n')
            end++;
        size_t first = from, last = end;
        while (first < last && is_blank(text[first]))
            first++;
        while (last > first && is_blank(text[last - 1]))
            last--;
        from = end < len ? end + 1 : end;
        if (first == last)
            continue;
        struct event *e = &to->at[to->n++];
        *e = (struct event){.text = text + first, .len = last - first, .line = line};
        e->after = from;
        e->judgement = judge(e->text, e->len, &e->bad);
        to->unfinished += e->judgement == UNFINISHED;
    }
}

/* --- the kernel ----------------------------------------------------------------------
 */

struct run {
    struct kernel_state *state;
    void *scratch;
    struct rows rows;
    struct choices choices;
    const struct events *want;
    size_t at; /* the next event */
    uint64_t lines, unfinished;
};

static atomic_bool no_stop;
static struct lines block;

static void begin(struct run *r)
{
    static const struct qopt *const tables[] = {options_numbers, options_shared};
    struct qerr e = QERR_INIT;
    struct job job;
    char digits[16];
    snprintf(digits, sizeof digits, "%d", MAX_DIGITS);
    CLAIM(job_init(&job, "verify", tables, 2, &e) == 0);
    CLAIM(job_set(&job, job_find(&job, "max-digits"), digits, &e) == 0);
    CLAIM(kernel_verify.open(&r->state, &job, &e) == 0);
    CLAIM(rows_init(&r->rows, r->state->schema, &e) == 0);
    CLAIM(kernel_verify.attach(r->state, &r->scratch, &e) == 0);
    job_release(&job);
}

/* What the kernel says of a line; `refused` is NULL if it is not refused. */
static void check_line(const struct run *r, size_t i, const struct refusal *refused)
{
    struct event *e = &r->want->at[r->at + i];
    CLAIM(block.len[i] == e->len && memcmp(block.text[i], e->text, e->len) == 0);
    CLAIM((refused != NULL) == (e->judgement == WRONG));
    if (!refused)
        return;
    const char *what = rows_what(&r->rows, refused);
    CLAIM(*what && refused->token >= block.text[i] &&
          refused->token + refused->len <= block.text[i] + block.len[i]);
    if (strcmp(what, "not a prime") == 0 || strcmp(what, "not a composite") == 0)
        CLAIM(refused->token == e->bad);
    if (!e->what[0]) {
        e->refusal = *refused;
        snprintf(e->what, sizeof e->what, "%s", what);
    }
    CLAIM(strcmp(e->what, what) == 0);
    CLAIM(e->refusal.token == refused->token && e->refusal.len == refused->len);
}

/* Judges the block: returns how many lines of it. */
static size_t judge_block(struct run *r, const struct span *s)
{
    struct qerr e = QERR_INIT;
    struct qbuf part = QBUF_INIT;
    struct kernel_call call = {.lines = &block,
                               .rows = &r->rows,
                               .part = &part,
                               .scratch = r->scratch,
                               .deadline_ns = choose(&r->choices, 2) ? 0 : UINT64_MAX,
                               .stop = &no_stop};
    rows_clear(&r->rows, NULL);
    CLAIM(kernel_verify.run(r->state, &call, &e) == 0 && rows_check(&r->rows, &e) == 0);
    size_t n = r->rows.n, refused = 0;
    CLAIM(n >= 1 && n <= block.n && r->at + n <= r->want->n);
    for (size_t i = 0; i < n; i++) {
        const struct event *want = &r->want->at[r->at + i];
        bool is_refused =
            refused < r->rows.nrefused && r->rows.refused[refused].row == i;
        check_line(r, i, is_refused ? &r->rows.refused[refused++] : NULL);
        CLAIM(r->lines + block.before[i] == want->line);
        CLAIM(block.after[i] == want->after && block.after[i] <= s->end);
    }
    CLAIM(refused == r->rows.nrefused);
    r->at += n;
    r->unfinished += r->rows.unfinished;
    qbuf_release(&part);
    return n;
}

static void run_span(struct run *r, const struct span *s, size_t most)
{
    struct lines_reader reader;
    lines_open(&reader, s);
    while (lines_next(&reader, &block, 1 + choose(&r->choices, most))) {
        CLAIM(block.n > 0);
        if (choose(&r->choices, 3) == 0)
            lines_unread(&reader, &block, 1 + choose(&r->choices, block.n));
        lines_unread(&reader, &block, judge_block(r, s));
    }
    CLAIM(reader.pos == s->end);
    r->lines += reader.lines;
}

/* All lines of the chunk, in spans of at most about `want` bytes. */
static void run_chunk(struct run *r, const struct chunk *chunk, size_t want,
                      size_t most)
{
    struct span rest = {chunk, 0, chunk->len};
    r->at = 0;
    r->lines = r->unfinished = 0;
    while (rest.begin < rest.end) {
        struct span s = rest;
        s.end = span_cut(&rest, 1 + choose(&r->choices, want));
        run_span(r, &s, most);
        rest.begin = s.end;
    }
    CLAIM(r->at == r->want->n && r->unfinished == r->want->unfinished);
}

static void run_text(struct run *r, struct bytes *in, char around)
{
    size_t most = 1 + (size_t)bytes_take(in) % 40, want = 1 + (size_t)bytes_take(in);
    r->choices.state = 1 + bytes_take(in) + 256u * bytes_take(in);
    if (bytes_take(in) % 4 == 0)
        most = LINES_BLOCK;
    size_t len = bytes_left(in);
    char *bytes = malloc(len + 2 * CHUNK_PAD);
    CLAIM(bytes);
    memset(bytes, around, len + 2 * CHUNK_PAD); /* of no effect */
    memcpy(bytes + CHUNK_PAD, in->at, len);
    struct chunk chunk = {.text = bytes + CHUNK_PAD, .len = len, .cut = CUT_AT_LINES};
    struct events events;
    read_slowly(&events, chunk.text, len);
    r->want = &events;
    run_chunk(r, &chunk, len + 1, 1); /* one by one */
    run_chunk(r, &chunk, want, most);
    free(events.at);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    struct bytes in = {data, data + size};
    char around = "5 \n:"[bytes_take(&in) % 4];
    if (size <= HEAD)
        return 0;
    if (!run.state)
        begin(&run);
    run_text(&run, &in, around);
    return 0;
}
