/*
 * bench_text: reading and printing numbers, in memory, on the thread's CPU clock,
 * beside memcpy of the same bytes: the median of seven alternating rounds. The text is
 * made here from a seed; sums and printed bytes are checked.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arith/decimal.h"
#include "core/numbers.h"
#include "core/rows.h"

enum { ROUNDS = 7, CHUNKS = 12 };

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *t)
{
    qsort(t, ROUNDS, sizeof *t, compare);
    return t[ROUNDS / 2];
}

static uint64_t next_random(void)
{
    static uint64_t state = 1;
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* --- workloads ----------------------------------------------------------------------
 */

static uint64_t any64(void)
{
    return next_random();
}

static uint64_t digits20(void)
{
    return next_random() % UINT64_C(8446744073709551616) +
           UINT64_C(10000000000000000000);
}

static uint64_t digits10(void)
{
    return UINT64_C(1000000000) + next_random() % UINT64_C(3294967296);
}

static uint64_t small(void)
{
    return next_random() % 1000;
}

static uint64_t mixed(void)
{
    unsigned shift = (unsigned)(next_random() % 64);
    return next_random() >> shift;
}

struct workload {
    const char *name;
    uint64_t (*make)(void);
    const char *end; /* of a line */
    unsigned tail;   /* digits appended, so that it is above 2^64 */
};

static const struct workload workloads[] = {
    {"20 digits", digits20, "\n", 0},  {"random 64 bits", any64, "\n", 0},
    {"10 digits", digits10, "\n", 0},  {"0 to 999", small, "\n", 0},
    {"mixed lengths", mixed, "\n", 0}, {"20 digits, CRLF", digits20, "\r\n", 0},
    {"40 digits", digits20, "\n", 20},
};

struct data {
    char *bytes;
    struct chunk chunk[CHUNKS];
    size_t numbers, size;
    uint64_t sum; /* of the values that fit, plus the lengths of the others */
    uint64_t *v;  /* all values */
};

static bool make_data(const struct workload *w, struct data *d)
{
    size_t stride = CHUNK_TEXT + 2 * CHUNK_PAD;
    *d = (struct data){.bytes = calloc(CHUNKS, stride),
                       .v = malloc(CHUNKS * (CHUNK_TEXT / 2) * sizeof *d->v)};
    if (!d->bytes || !d->v)
        return false;
    for (size_t c = 0; c < CHUNKS; c++) {
        char *text = d->bytes + c * stride + CHUNK_PAD;
        size_t len = 0;
        while (len + 64 < CHUNK_TEXT) {
            uint64_t v = w->make();
            d->v[d->numbers++] = v;
            int n = snprintf(text + len, 64, "%" PRIu64 "%.*s%s", v, (int)w->tail,
                             "12345678901234567890", w->end);
            d->sum += w->tail ? (uint64_t)n - strlen(w->end) : v;
            len += (size_t)n;
        }
        d->chunk[c] = (struct chunk){.kind = CHUNK_OF_TEXT, .text = text, .len = len};
        d->size += len;
    }
    return true;
}

/* --- what is measured ---------------------------------------------------------------
 */

static struct numbers block;
static char target[CHUNK_TEXT + 64];

static double run_memcpy(const struct data *d)
{
    double start = cpu_seconds();
    for (size_t c = 0; c < CHUNKS; c++) {
        memcpy(target, d->chunk[c].text, d->chunk[c].len);
        __asm__ volatile("" ::"r"(target) : "memory");
    }
    return cpu_seconds() - start;
}

static double run_parse(const struct data *d, bool *ok)
{
    struct numbers_reader r;
    struct qerr e = QERR_INIT;
    numbers_reader_init(&r, 10000);
    uint64_t sum = 0, n = 0;
    double seconds = 0;
    for (size_t c = 0; c < CHUNKS; c++) {
        const struct span s = {&d->chunk[c], 0, d->chunk[c].len};
        numbers_open(&r, &s);
        for (;;) {
            double start = cpu_seconds();
            int rc = numbers_next(&r, &block, NUMBERS_BLOCK, &e);
            seconds += cpu_seconds() - start;
            if (rc != 1)
                break;
            n += block.n;
            for (size_t i = 0; i < block.n; i++)
                sum += block.v[i];
            for (size_t i = 0; i < block.nbig; i++)
                sum += block.len[block.big[i]];
        }
    }
    numbers_reader_release(&r);
    *ok &= sum == d->sum && n == d->numbers;
    return seconds;
}

static double run_print(const struct data *d, bool *ok)
{
    double start = cpu_seconds();
    size_t len = 0, total = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < d->numbers; i++) {
        len += decimal_print(target + len, d->v[i]);
        target[len++] = '\n';
        if (len > CHUNK_TEXT - 64) {
            total += len;
            len = 0;
        }
        last = d->v[i];
    }
    double seconds = cpu_seconds() - start;
    char want[32];
    int n = snprintf(want, sizeof want, "%" PRIu64 "\n", last);
    *ok &= len < (size_t)n || memcmp(target + len - n, want, (size_t)n) == 0;
    *ok &= total + len <= d->size || d->size / d->numbers < 4;
    return seconds;
}

/* The records of a block back to text. `how` 0: record by record; 1: as lines; 2: lines
 * with a word, as `quern prime` prints them. */
static void put_rows(struct rows *r, int how, struct qbuf *out)
{
    if (how == 1)
        rows_put_records(r, 0, r->n, out);
    if (how == 2)
        rows_put_words(r, 0, r->n, 1, out);
    if (how == 0)
        for (size_t i = 0; i < r->n; i++) {
            rows_put_record(r, i, out);
            qbuf_putc(out, '\n');
        }
}

static double run_records(const struct data *d, int how, bool *ok)
{
    static const char *const words[] = {"prime", "composite"};
    static const struct column columns[] = {{"n", COLUMN_RECORD, NULL},
                                            {"class", COLUMN_WORD, words}};
    static const struct schema schema = {.columns = columns, .ncolumns = 2};
    struct numbers_reader reader;
    struct rows r;
    struct qerr e = QERR_INIT;
    struct qbuf out = QBUF_INIT;
    numbers_reader_init(&reader, 10000);
    *ok &= rows_init(&r, &schema, &e) == 0;
    double seconds = 0;
    for (size_t c = 0; *ok && c < CHUNKS; c++) {
        const struct chunk *chunk = &d->chunk[c];
        const struct span s = {chunk, 0, chunk->len};
        qbuf_clear(&out);
        numbers_open(&reader, &s);
        while (numbers_next(&reader, &block, NUMBERS_BLOCK, &e) == 1) {
            rows_clear(&r, &block);
            r.n = block.n;
            for (size_t i = 0; i < r.n; i++)
                r.cells[1].word[i] = block.v[i] % 32 != 1;
            double start = cpu_seconds();
            put_rows(&r, how, &out);
            seconds += cpu_seconds() - start;
        }
        if (how < 2 && !memchr(chunk->text, '\r', chunk->len))
            *ok &= out.len == chunk->len && memcmp(out.data, chunk->text, out.len) == 0;
    }
    rows_release(&r);
    numbers_reader_release(&reader);
    qbuf_release(&out);
    return seconds;
}

/* --- factorizations
 * ------------------------------------------------------------------- */

enum { FACTOR_FROM = 10000000, FACTOR_BLOCKS = 64 };

/* The factors of a block of consecutive integers, and of n with a large prime beside.
 */
static void fill_factors(struct rows *r, uint64_t first, uint64_t large)
{
    for (size_t i = 0; i < NUMBERS_BLOCK; i++) {
        uint64_t n = first + i;
        block.v[i] = large ? large : n;
        block.digits[i] = NULL;
        block.len[i] = 0;
        for (uint64_t p = 2; p * p <= n; p++)
            for (; n % p == 0; n /= p)
                rows_add(r, 1, p);
        rows_add(r, 1, n);
        if (large)
            rows_add(r, 1, large / n);
        rows_end(r, 1, i);
    }
    block.n = r->n = NUMBERS_BLOCK;
}

static uint64_t digit_sum(const struct qbuf *b)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < b->len; i++)
        sum = sum * 31 + (unsigned char)b->data[i];
    return sum;
}

/* "N: p1 p2 ..." in one call a block, and row by row with snprintf. */
static int bench_factors(const char *name, uint64_t large)
{
    static const struct column columns[] = {{"n", COLUMN_RECORD, NULL},
                                            {"factors", COLUMN_INTEGERS, NULL}};
    static const struct schema schema = {.columns = columns, .ncolumns = 2};
    struct rows r;
    struct qerr e = QERR_INIT;
    struct qbuf fast = QBUF_INIT, slow = QBUF_INIT;
    double seconds[ROUNDS] = {0};
    bool ok = rows_init(&r, &schema, &e) == 0;
    for (uint64_t b = 0; ok && b < FACTOR_BLOCKS; b++) {
        rows_clear(&r, &block);
        fill_factors(&r, FACTOR_FROM + b * NUMBERS_BLOCK, large);
        for (int round = 0; round < ROUNDS; round++) {
            qbuf_clear(&fast);
            double start = cpu_seconds();
            rows_put_lists(&r, 0, r.n, 1, ":", " ", &fast);
            seconds[round] += cpu_seconds() - start;
        }
        qbuf_clear(&slow);
        for (size_t i = 0; i < r.n; i++) {
            qbuf_printf(&slow, "%" PRIu64 ":", block.v[i]);
            for (size_t k = i ? r.cells[1].end[i - 1] : 0; k < r.cells[1].end[i]; k++)
                qbuf_printf(&slow, " %" PRIu64, r.cells[1].v[k]);
            qbuf_puts(&slow, "\n");
        }
        ok = fast.len == slow.len && digit_sum(&fast) == digit_sum(&slow);
    }
    if (ok)
        printf("%-16s %.2f ns a line\n", name,
               median(seconds) * 1e9 / (FACTOR_BLOCKS * NUMBERS_BLOCK));
    else
        fprintf(stderr, "bench_text: %s: wrong result\n", name);
    rows_release(&r);
    qbuf_release(&fast);
    qbuf_release(&slow);
    return !ok;
}

static int bench(const struct workload *w)
{
    struct data d;
    bool ok = make_data(w, &d);
    double copy[ROUNDS], parse[ROUNDS], print[ROUNDS], records[3][ROUNDS];
    for (int round = 0; ok && round < ROUNDS; round++) {
        copy[round] = run_memcpy(&d);
        parse[round] = run_parse(&d, &ok);
        print[round] = run_print(&d, &ok);
        for (int how = 0; how < 3; how++)
            records[how][round] = run_records(&d, how, &ok);
    }
    if (ok) {
        double gb = 1e-9 * (double)d.size, per = 1e9 / (double)d.numbers;
        double p = median(parse), q = median(print);
        printf("%-16s memcpy %5.1f GB/s  parse %5.2f GB/s %5.2f ns  print %5.2f ns  "
               "record %5.2f, lines %5.2f, with words %5.2f ns\n",
               w->name, gb / median(copy), gb / p, p * per, q * per,
               median(records[0]) * per, median(records[1]) * per,
               median(records[2]) * per);
    } else {
        fprintf(stderr, "bench_text: %s: wrong result\n", w->name);
    }
    free(d.bytes);
    free(d.v);
    return !ok;
}

int main(void)
{
    int failed = 0;
    numbers_init(&block);
    for (size_t i = 0; i < sizeof workloads / sizeof *workloads; i++)
        failed |= bench(&workloads[i]);
    failed |= bench_factors("factors, 10^7", 0);
    failed |= bench_factors("factors, 10^19", UINT64_C(10000000000000000051));
    numbers_release(&block);
    return failed;
}
