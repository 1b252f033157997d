#include "engine/work.h"

#include <pthread.h>

#include "chunks.h"
#include "fake.h"

extern const struct kernel kernel_factor;

/* --- a worker and what its parts come to --- */

struct bench {
    struct job job;
    struct work work;
    struct kernel_state *state;
    struct worker *worker;
    struct part part;
    struct chunk *chunk;
    struct qerr e;
};

static void bench_begin(struct bench *b, const struct kernel *kernel)
{
    *b = (struct bench){.chunk = chunk_make(), .e = QERR_INIT};
    job_make(&b->job, kernel, NULL);
    CU_ASSERT_EQUAL_FATAL(kernel->open(&b->state, &b->job, &b->e), 0);
    b->work = (struct work){
        .kernel = kernel, .state = b->state, .sink = &sink_text, .max_digits = 10000};
    CU_ASSERT_EQUAL_FATAL(work_init(&b->work, 1, &b->e), 0);
    b->worker = malloc(sizeof *b->worker);
    CU_ASSERT_FATAL(b->worker != NULL);
    CU_ASSERT_EQUAL_FATAL(worker_init(b->worker, &b->work, &b->e), 0);
    part_init(&b->part);
}

static void bench_end(struct bench *b)
{
    part_release(&b->part);
    worker_release(b->worker);
    free(b->worker);
    work_release(&b->work);
    b->work.kernel->close(b->state);
    job_release(&b->job);
    chunk_unmake(b->chunk);
}

static void bench_text(struct bench *b, const char *text, size_t len)
{
    CU_ASSERT_FATAL(len <= CHUNK_TEXT);
    b->chunk->kind = CHUNK_OF_TEXT;
    memcpy(b->chunk->text, text, len);
    memset(b->chunk->text + len, '7', CHUNK_PAD); /* nobody may trust it */
    b->chunk->len = len;
    b->chunk->has_hash = memchr(text, '#', len) != NULL;
    b->chunk->comment = false;
}

/* What all parts come to, with places counted from the start of the chunk. */
struct sum {
    struct qbuf out, fold;
    uint64_t records, lines, unfinished;
    size_t nbad, nparts;
    bool right; /* every bad record so far is where `want` has it */
};

static void sum_part(struct sum *s, const struct part *p,
                     const struct fake_answer *want)
{
    for (size_t i = 0; i < p->nbad; i++, s->nbad++) {
        const struct bad_record *got = &p->bad[i];
        const struct fake_bad *bad = &want->bad[s->nbad];
        s->right = s->right && s->nbad < want->nbad && got->len < TOKEN_KEPT &&
                   s->lines + got->line + 1 == bad->line &&
                   s->records + got->before == bad->before &&
                   (s->out.len + got->at == bad->at || fake_folds) &&
                   strcmp(part_what(p, got), bad->what) == 0 &&
                   got->len == strlen(bad->token) &&
                   memcmp(p->tokens.data + got->token, bad->token, got->len) == 0;
    }
    qbuf_add(&s->out, p->out.data, p->out.len);
    qbuf_add(&s->fold, p->fold.data, p->fold.len);
    s->records += p->records;
    s->unfinished += p->unfinished;
    s->lines += p->lines;
    s->nparts++;
}

static void sum_release(struct sum *s)
{
    qbuf_release(&s->out);
    qbuf_release(&s->fold);
}

/* Runs the chunk in spans of about `want`, each in portions: patience_ns 0 is a
 * deadline that has always passed. */
static struct sum run_chunk(struct bench *b, uint64_t want, uint64_t patience_ns,
                            const struct fake_answer *answer)
{
    struct sum s = {.right = true};
    uint64_t size = chunk_size(b->chunk);
    for (uint64_t at = 0; at < size;) {
        struct span span = {b->chunk, at, size};
        span.end = span_cut(&span, want ? want : 1 + unit_random() % 200);
        while (span.begin < span.end) {
            uint64_t deadline =
                patience_ns == UINT64_MAX ? NO_DEADLINE : qclock_ns() + patience_ns;
            uint64_t upto = worker_run(b->worker, &span, deadline, &b->part);
            CU_ASSERT_EQUAL(b->part.err.code, Q_OK);
            CU_ASSERT_FATAL(upto > span.begin && upto <= span.end);
            sum_part(&s, &b->part, answer);
            span.begin = upto;
        }
        at = span.end;
    }
    return s;
}

static bool same_bytes(const struct qbuf *a, const struct qbuf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* --- any cut gives the same bytes --- */

static void check_text(struct bench *b, const char *text, size_t len)
{
    struct fake_answer want = fake_read(text, len);
    static const uint64_t wants[] = {UINT64_MAX, 1, 50, 0, 100000};
    bench_text(b, text, len);
    for (size_t i = 0; i < 5; i++) {
        for (int hurry = 0; hurry < 3; hurry++) {
            uint64_t patience = hurry == 0 ? UINT64_MAX : hurry == 1 ? 0 : 20000;
            struct sum s = run_chunk(b, wants[i], patience, &want);
            CU_ASSERT(s.right);
            CU_ASSERT(same_bytes(&s.out, &want.good));
            CU_ASSERT_EQUAL(s.records, want.records);
            CU_ASSERT_EQUAL(s.nbad, want.nbad);
            CU_ASSERT_EQUAL(s.lines, want.lines);
            sum_release(&s);
        }
    }
    fake_forget(&want);
}

static void test_cuts(void)
{
    static const unsigned bad_in[] = {0, 1, 2, 5, 50};
    struct bench b;
    struct qbuf text = QBUF_INIT;
    bench_begin(&b, &kernel_fake);
    for (uint64_t i = 0; i < 10 * unit_scale(); i++) {
        fake_text(&text, unit_random() % 300, bad_in[i % 5]);
        check_text(&b, text.data, text.len);
    }
    fake_text(&text, 5000, 3); /* several blocks */
    check_text(&b, text.data, text.len);
    check_text(&b, "", 0);
    check_text(&b, " \n\n \t", 5);
    check_text(&b, "# 7\n#\n# x", 9);
    check_text(&b, "x", 1);
    check_text(&b, "\n\nx 7\n", 6);
    qbuf_release(&text);
    bench_end(&b);
}

/* A chunk that begins inside a comment. */
static void test_comment(void)
{
    static const char text[] = "5 6\n7 x\n# 8\n9";
    struct bench b;
    bench_begin(&b, &kernel_fake);
    struct fake_answer want = fake_read(text + 3, strlen(text) - 3);
    for (uint64_t cut = 1; cut < 20; cut++) {
        bench_text(&b, text, strlen(text));
        b.chunk->comment = true;
        struct sum s = run_chunk(&b, cut, cut % 2 ? 0 : UINT64_MAX, &want);
        CU_ASSERT(s.right && s.nbad == 1);
        CU_ASSERT(same_bytes(&s.out, &want.good));
        sum_release(&s);
    }
    fake_forget(&want);
    bench_end(&b);
}

static void test_range(void)
{
    struct bench b;
    struct qbuf want = QBUF_INIT;
    bench_begin(&b, &kernel_fake);
    b.chunk->kind = CHUNK_OF_RANGE;
    b.chunk->first = UINT64_MAX - 9999;
    b.chunk->count = 10000;
    b.chunk->len = 0;
    for (uint64_t i = 0; i < 10000; i++)
        qbuf_printf(&want, "%" PRIu64 "\n", b.chunk->first + i);
    for (uint64_t cut = 1; cut < 20000; cut *= 7) {
        struct sum s = run_chunk(&b, cut, cut % 3 ? 0 : UINT64_MAX, NULL);
        CU_ASSERT(same_bytes(&s.out, &want));
        CU_ASSERT_EQUAL(s.records, 10000);
        CU_ASSERT_EQUAL(s.lines, 0);
        sum_release(&s);
    }
    qbuf_release(&want);
    bench_end(&b);
}

static void test_fold(void)
{
    struct bench b;
    struct qbuf text = QBUF_INIT;
    fake_folds = true;
    bench_begin(&b, &kernel_fake);
    for (int ends = 0; ends < 2; ends++) {
        fake_text(&text, 9000, 100);
        struct fake_answer want = fake_read(text.data, text.len);
        for (size_t i = 0; i < want.good.len; i++)
            if (want.good.data[i] == '\n')
                want.good.data[i] = ' ';
        b.work.end_at_bad = ends;
        bench_text(&b, text.data, text.len);
        struct sum s = run_chunk(&b, ends ? UINT64_MAX : 3000, UINT64_MAX, &want);
        CU_ASSERT(s.right);
        CU_ASSERT_EQUAL(s.out.len, 0);
        CU_ASSERT(same_bytes(&s.fold, &want.good));
        CU_ASSERT_EQUAL(s.records, want.records);
        CU_ASSERT_EQUAL(s.nbad, want.nbad);
        sum_release(&s);
        fake_forget(&want);
    }
    qbuf_release(&text);
    bench_end(&b);
    fake_folds = false;
}

/* With end_at_bad a part holds nothing behind its first bad records. */
static void test_end_at_bad(void)
{
    static const char text[] = "1 2 x y 3 4 z";
    static const struct {
        size_t upto, nbad;
        uint64_t records;
        const char *fold;
    } want[] = {{7, 2, 2, "1 2 "}, {13, 1, 2, "3 4 "}};
    struct bench b;
    fake_folds = true;
    bench_begin(&b, &kernel_fake);
    b.work.end_at_bad = true;
    bench_text(&b, text, strlen(text));
    struct span span = {b.chunk, 0, strlen(text)};
    for (int i = 0; i < 2; i++) {
        span.begin = worker_run(b.worker, &span, NO_DEADLINE, &b.part);
        CU_ASSERT_EQUAL(span.begin, want[i].upto);
        CU_ASSERT_EQUAL(b.part.nbad, want[i].nbad);
        CU_ASSERT_EQUAL(b.part.records, want[i].records);
        CU_ASSERT(b.part.fold.len == 4 &&
                  memcmp(b.part.fold.data, want[i].fold, 4) == 0);
    }
    bench_end(&b);
    fake_folds = false;
}

/* --- --timing --- */

static void test_timing(void)
{
    static const char text[] =
        "7 x 9313105295130943005\n\n340282366920938463463374607431 y";
    struct bench b;
    struct fake_answer want = fake_read(text, strlen(text));
    bench_begin(&b, &kernel_fake);
    b.work.timed = true;
    bench_text(&b, text, strlen(text));
    for (int hurry = 0; hurry < 2; hurry++) {
        struct sum s = run_chunk(&b, UINT64_MAX, hurry ? 0 : UINT64_MAX, &want);
        CU_ASSERT_EQUAL(s.nbad, 2);
        CU_ASSERT_EQUAL(s.records, 3);
        unsigned long long v;
        int at = 0;
        double first, second, third;
        (void)qbuf_cstr(&s.out);
        int n = sscanf(s.out.data,
                       "7\t%lf\n%llu\t%lf\n340282366920938463463374607431\t%lf\n%n",
                       &first, &v, &second, &third, &at);
        CU_ASSERT(n == 4 && (size_t)at == s.out.len && v == FAKE_COSTLY);
        CU_ASSERT(first >= 0 && second >= 0.002 && second < 10 && third >= 0);
        const char *tab = strchr(s.out.data, '\t');
        CU_ASSERT(tab && strchr(tab, '.') && strchr(tab, '\n') - strchr(tab, '.') == 7);
        sum_release(&s);
    }
    fake_forget(&want);
    bench_end(&b);
}

/* --- where it ends --- */

/* At a deadline that has passed one record is answered, of costly ones. */
static void test_deadline(void)
{
    static const char text[] = "x 9313105295130943005 9313105295130943005 y 7";
    struct bench b;
    bench_begin(&b, &kernel_fake);
    bench_text(&b, text, strlen(text));
    struct span span = {b.chunk, 0, strlen(text)};
    uint64_t upto = worker_run(b.worker, &span, 1, &b.part);
    CU_ASSERT_EQUAL(upto, 21);
    CU_ASSERT_EQUAL(b.part.records, 1);
    CU_ASSERT_EQUAL(b.part.nbad, 1);
    CU_ASSERT_EQUAL(b.part.bad[0].at, 0);
    CU_ASSERT(b.part.busy_ns >= 2000000);
    span.begin = upto;
    upto = worker_run(b.worker, &span, 1, &b.part);
    CU_ASSERT_EQUAL(upto, 43);
    CU_ASSERT_EQUAL(b.part.records, 1);
    CU_ASSERT_EQUAL(b.part.nbad, 1);
    CU_ASSERT_EQUAL(b.part.bad[0].before, 1);
    bench_end(&b);
}

/* What is in front of an error holds, and the position is behind just that: a journal
 * must not skip records that have no answer. */
static void check_error(const char *front, unsigned n)
{
    struct bench b;
    struct qbuf text = QBUF_INIT;
    bench_begin(&b, &kernel_fake);
    for (unsigned i = 0; i < n; i++)
        qbuf_printf(&text, "%s", front);
    qbuf_printf(&text, "7 x %" PRIu64 "\ny 7\n", FAKE_FAILS);
    bench_text(&b, text.data, text.len);
    struct span span = {b.chunk, 0, text.len};
    uint64_t upto = worker_run(b.worker, &span, NO_DEADLINE, &b.part);
    CU_ASSERT_EQUAL(b.part.err.code, Q_ECHECK);
    CU_ASSERT_STRING_EQUAL(b.part.err.text, "the kernel failed");
    CU_ASSERT_FATAL(upto <= text.len);
    struct fake_answer want = fake_read(text.data, upto);
    for (size_t i = 0; fake_folds && i < want.good.len; i++)
        if (want.good.data[i] == '\n')
            want.good.data[i] = ' ';
    CU_ASSERT(same_bytes(fake_folds ? &b.part.fold : &b.part.out, &want.good));
    CU_ASSERT_EQUAL(b.part.records, want.records);
    CU_ASSERT_EQUAL(b.part.nbad, want.nbad);
    CU_ASSERT_EQUAL(b.part.lines, want.lines);
    CU_ASSERT(fake_folds || n < NUMBERS_BLOCK || want.records > 0);
    fake_forget(&want);
    qbuf_release(&text);
    bench_end(&b);
}

static void test_error(void)
{
    for (int folds = 0; folds < 2; folds++) {
        fake_folds = folds;
        check_error("", 0);
        check_error("7\n", 10);
        check_error("7\n", 2 * NUMBERS_BLOCK);
        check_error("x 7\n", 2 * NUMBERS_BLOCK + 5);
    }
    fake_folds = false;
}

/* --time-per-item breaks off the record that takes too long, and only that. */
static void *break_off_soon(void *work)
{
    for (int i = 0; i < 50; i++) {
        fake_sleep(5);
        work_break_off(work);
    }
    return NULL;
}

static void test_item_time(void)
{
    static const char text[] = "7 9313105295130943003 8 x 9313105295130943003 9";
    struct bench b;
    pthread_t thread;
    struct fake_answer want = fake_read(text, strlen(text));
    bench_begin(&b, &kernel_fake);
    b.work.item_ns = 20000000;
    bench_text(&b, text, strlen(text));
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, break_off_soon, &b.work), 0);
    struct sum s = run_chunk(&b, UINT64_MAX, UINT64_MAX, &want);
    pthread_join(thread, NULL);
    CU_ASSERT(s.right);
    CU_ASSERT(same_bytes(&s.out, &want.good));
    CU_ASSERT_EQUAL(s.unfinished, 2);
    sum_release(&s);
    fake_forget(&want);
    bench_end(&b);
}

static void test_unfinished(void)
{
    static const char text[] = "7 9313105295130943002 8";
    struct bench b;
    bench_begin(&b, &kernel_fake);
    bench_text(&b, text, strlen(text));
    struct fake_answer want = fake_read(text, strlen(text));
    struct sum s = run_chunk(&b, 1, UINT64_MAX, &want);
    CU_ASSERT_EQUAL(s.unfinished, 1);
    CU_ASSERT_EQUAL(s.records, 3);
    sum_release(&s);
    fake_forget(&want);
    bench_end(&b);
}

/* --- the stop flag --- */

static void *stop_soon(void *work)
{
    fake_sleep(30);
    work_stop(work);
    return NULL;
}

/* The record during which a stop comes has no answer: its row is not to be rendered,
 * its contribution to a fold is not to be folded. What is answered before it holds. */
static void check_stop(const struct kernel *kernel, const char *text, const char *want)
{
    struct bench b;
    pthread_t thread;
    struct sum s = {.right = true};
    bench_begin(&b, kernel);
    bench_text(&b, text, strlen(text));
    struct span span = {b.chunk, 0, strlen(text)};
    uint64_t start = qclock_ns();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, stop_soon, &b.work), 0);
    span.end = span_cut(&span, 1);
    span.begin = worker_run(b.worker, &span, NO_DEADLINE, &b.part);
    sum_part(&s, &b.part, NULL);
    span.end = strlen(text);
    uint64_t upto = worker_run(b.worker, &span, NO_DEADLINE, &b.part);
    CU_ASSERT(qclock_ns() - start < 1000000000);
    CU_ASSERT_EQUAL(upto, span.begin);
    CU_ASSERT_EQUAL(b.part.records, 0);
    CU_ASSERT_EQUAL(b.part.err.code, Q_OK);
    sum_part(&s, &b.part, NULL);
    const struct qbuf *got = fake_folds ? &s.fold : &s.out;
    CU_ASSERT(got->len == strlen(want) && memcmp(got->data, want, got->len) == 0);
    pthread_join(thread, NULL);
    sum_release(&s);
    bench_end(&b);
}

static void test_stop(void)
{
    check_stop(&kernel_fake, "7\n9313105295130943003\n8\n", "7\n");
    fake_folds = true;
    check_stop(&kernel_fake, "7\n9313105295130943003\n8\n", "7 ");
    fake_folds = false;
    /* The primes after the first 40 digits of pi and of e. */
    check_stop(&kernel_factor,
               "8\n853973422267356706546355086954657449627808618549591961"
               "2915056738168718046411221\n8\n",
               "8: 2 2 2\n");
}

static void test_stopped(void)
{
    struct bench b;
    bench_begin(&b, &kernel_fake);
    bench_text(&b, "7 x", 3);
    struct span span = {b.chunk, 0, 3};
    work_stop(&b.work);
    CU_ASSERT_EQUAL(worker_run(b.worker, &span, NO_DEADLINE, &b.part), 0);
    CU_ASSERT(b.part.records == 0 && b.part.nbad == 0 && b.part.out.len == 0);
    bench_end(&b);
}

static void test_attach(void)
{
    struct bench b;
    struct worker *w = malloc(sizeof *w);
    CU_ASSERT_FATAL(w != NULL);
    bench_begin(&b, &kernel_fake);
    atomic_store(&fake_attach_fails, true);
    CU_ASSERT_EQUAL(worker_init(w, &b.work, &b.e), -Q_ENOMEM);
    atomic_store(&fake_attach_fails, false);
    free(w);
    bench_end(&b);
}

static const struct unit_test tests[] = {
    {"the same bytes for any cut and deadline", test_cuts},
    {"a chunk that begins in a comment", test_comment},
    {"a range", test_range},
    {"folds", test_fold},
    {"a part ends at its bad records", test_end_at_bad},
    {"--timing", test_timing},
    {"a deadline", test_deadline},
    {"a kernel's error", test_error},
    {"--time-per-item", test_item_time},
    {"unfinished records are counted", test_unfinished},
    {"a stop inside a record", test_stop},
    {"a stop before", test_stopped},
    {"no scratch memory", test_attach},
};

UNIT_MAIN("work", tests)
