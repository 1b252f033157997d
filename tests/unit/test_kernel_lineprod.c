/* Products of lines, against GMP and a table. */
#include <gmp.h>
#include <string.h>

#include "calls.h"
#include "kernel.h"

extern const struct kernel kernel_lineprod;

static struct calls calls;

static void begin(const char *lines, bool folds)
{
    char option[100];
    snprintf(option, sizeof option, "lines=%s", lines);
    const char *options[] = {option, folds ? "fold" : NULL, NULL};
    calls_begin(&calls, &kernel_lineprod, options);
}

static void run(const char *text, size_t len)
{
    char *memory = calloc(1, len + 2 * (size_t)CHUNK_PAD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    memset(memory, '7', len + 2 * (size_t)CHUNK_PAD); /* not to be read as a digit */
    memcpy(memory + CHUNK_PAD, text, len);
    struct kernel_text doc = {"doc", memory + CHUNK_PAD, len};
    struct kernel_call call = {.text = &doc,
                               .rows = &calls.rows,
                               .part = &calls.part,
                               .scratch = calls.scratch,
                               .stop = &calls.stop};
    rows_clear(&calls.rows, NULL);
    CU_ASSERT_EQUAL_FATAL(kernel_lineprod.run(calls.state, &call, &calls.e), 0);
    CU_ASSERT_EQUAL(rows_check(&calls.rows, &calls.e), 0);
    CU_ASSERT_EQUAL_FATAL(calls.rows.n, 1);
    free(memory);
}

struct known {
    const char *lines, *text, *answer; /* the line of text, or the complaint */
    uint64_t at;                       /* line of the complaint, or 0 */
};

static const struct known table[] = {
    {"1,1", "12", "144 doc\n", 0},
    {"1,2", "3\n-5\n", "-15 doc\n", 0},
    {"2,1", "3\n+5", "15 doc\n", 0},
    {"1,3", "0\r\nx\r\n -7 \r\n", "0 doc\n", 0},
    {"1,2", "-3\n-0005", "15 doc\n", 0},
    {"1,2", "18446744073709551616\n18446744073709551615\n",
     "340282366920938463444927863358058659840 doc\n", 0},
    {"1,3", "1\n2\n", "there is no such line", 3},
    {"3,9", "1\n2\n", "there is no such line", 3},
    {"1,2", "1\n\n3\n", "the line is empty", 2},
    {"1,2", "1\n \t\r\n3\n", "the line is empty", 2},
    {"1,2", "1\n1.5\n", "not an integer", 2},
    {"1,2", "x\ny\n", "not an integer", 1},
    {"2,1", "x\ny\n", "not an integer", 2},
    {"1,2", "+\n1\n", "not an integer", 1},
    {"1,2", "--1\n1\n", "not an integer", 1},
    {"1,2", "1 2\n1\n", "not an integer", 1},
    {"1,2", "0x1\n1\n", "not an integer", 1},
    {"1,2", "", "there is no such line", 1},
    {"1,18446744073709551615", "5\n", "there is no such line", UINT64_MAX},
};

static void test_table(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct known *k = &table[i];
        begin(k->lines, false);
        run(k->text, strlen(k->text));
        const struct rows *rows = &calls.rows;
        CU_ASSERT_EQUAL_FATAL(rows->nrefused, k->at > 0);
        if (k->at > 0) {
            CU_ASSERT_STRING_EQUAL(rows_what(rows, rows->refused), k->answer);
            CU_ASSERT_EQUAL(rows->refused[0].line, k->at);
        } else {
            qbuf_clear(&calls.text);
            rows->schema->text(rows, 0, 1, &calls.text);
            CU_ASSERT_STRING_EQUAL(qbuf_cstr(&calls.text), k->answer);
        }
        calls_end(&calls);
    }
}

/* Sums of products of any size and sign, folded in two orders of parts. */
static void test_fold(void)
{
    gmp_randstate_t random;
    gmp_randinit_default(random);
    gmp_randseed_ui(random, (unsigned long)unit_random());
    for (uint64_t round = 0; round < 20 * unit_scale(); round++) {
        mpz_t a, b, sum;
        mpz_inits(a, b, sum, NULL);
        begin("2,1", true);
        struct qbuf total = QBUF_INIT;
        for (int i = 0; i < 40; i++) {
            mpz_urandomb(a, random, (mp_bitcnt_t)(unit_random() % 200));
            mpz_urandomb(b, random, (mp_bitcnt_t)(unit_random() % 70));
            if (unit_random() % 2)
                mpz_neg(a, a);
            char *text;
            int len = gmp_asprintf(&text, "%Zd\n%Zd%s", a, b, i % 2 ? "\n" : "");
            run(text, (size_t)len);
            free(text);
            mpz_addmul(sum, a, b);
            if (unit_random() % 4 == 0 || i == 39) {
                CU_ASSERT_EQUAL_FATAL(kernel_lineprod.fold(calls.state, &total,
                                                           calls.part.data,
                                                           calls.part.len, &calls.e),
                                      0);
                qbuf_clear(&calls.part);
            }
        }
        char *want = mpz_get_str(NULL, 10, sum);
        CU_ASSERT_STRING_EQUAL(qbuf_cstr(&total), want);
        free(want);
        qbuf_release(&total);
        calls_end(&calls);
        mpz_clears(a, b, sum, NULL);
    }
    gmp_randclear(random);
}

/* A bad document adds nothing; of nothing the sum is 0. */
static void test_nothing(void)
{
    struct qbuf total = QBUF_INIT;
    begin("1,2", true);
    run("1\nx", 3);
    CU_ASSERT_EQUAL(calls.rows.nrefused, 1);
    CU_ASSERT_EQUAL(calls.part.len, 0);
    rows_clear(&calls.rows, NULL);
    CU_ASSERT_EQUAL(kernel_lineprod.result(calls.state, &total, &calls.rows, &calls.e),
                    0);
    qbuf_clear(&calls.text);
    calls.rows.schema->text(&calls.rows, 0, 1, &calls.text);
    CU_ASSERT_STRING_EQUAL(qbuf_cstr(&calls.text), "0\n");
    CU_ASSERT_EQUAL(kernel_lineprod.fold(calls.state, &total, "x", 1, &calls.e),
                    -Q_ECHECK);
    calls_end(&calls);
}

static void test_usage(void)
{
    static const char *const bad[] = {
        "3",    "3,",  ",3",   "0,1", "1,0",
        "1,2,", "a,b", "-1,2", "1;2", "1,18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char option[100];
        snprintf(option, sizeof option, "lines=%s", bad[i]);
        const char *options[] = {option, NULL};
        struct job job;
        struct kernel_state *state;
        struct qerr e = QERR_INIT;
        job_make(&job, &kernel_lineprod, options);
        CU_ASSERT_EQUAL(kernel_lineprod.open(&state, &job, &e), -Q_EUSAGE);
        job_release(&job);
    }
}

static const struct unit_test tests[] = {
    {"products and complaints", test_table},
    {"sums", test_fold},
    {"nothing to add", test_nothing},
    {"what is no pair of lines", test_usage},
};

UNIT_MAIN("kernel_lineprod", tests)
