/* Counting in pieces, however they are cut, against a count byte by byte. */
#include <ctype.h>
#include <string.h>

#include "calls.h"
#include "kernel.h"

extern const struct kernel kernel_count;

/* Leftmost occurrences that do not overlap. */
static uint64_t slow_count(const char *text, size_t len, const char *word, bool exact)
{
    size_t m = strlen(word);
    uint64_t n = 0;
    for (size_t i = 0; i + m <= len;) {
        size_t k = 0;
        while (k < m && (exact ? text[i + k] == word[k]
                               : tolower((unsigned char)text[i + k]) ==
                                     tolower((unsigned char)word[k])))
            k++;
        n += k == m;
        i += k == m ? m : 1;
    }
    return n;
}

static struct calls calls;

static void begin(const char *word, bool exact)
{
    char option[1100];
    snprintf(option, sizeof option, "word=%s", word);
    const char *options[] = {option, exact ? "case" : NULL, NULL};
    calls = (struct calls){.kernel = &kernel_count, .e = QERR_INIT};
    atomic_init(&calls.stop, false);
    job_make(&calls.job, &kernel_count, options);
    job_add_input(&calls.job, INPUT_FILE, "a", &calls.e);
    job_add_input(&calls.job, INPUT_FILE, "b", &calls.e);
    CU_ASSERT_EQUAL_FATAL(kernel_count.open(&calls.state, &calls.job, &calls.e), 0);
    CU_ASSERT_EQUAL_FATAL(rows_init(&calls.rows, calls.state->schema, &calls.e), 0);
    CU_ASSERT_EQUAL_FATAL(kernel_count.attach(calls.state, &calls.scratch, &calls.e),
                          0);
}

static void end(void)
{
    kernel_count.detach(calls.scratch);
    rows_release(&calls.rows);
    kernel_count.close(calls.state);
    qbuf_release(&calls.part);
    job_release(&calls.job);
}

/* Adds a piece of a text to the part, with pads that hold what must not be looked at.
 */
static void run_piece(const char *text, size_t len)
{
    char memory[3000];
    CU_ASSERT_FATAL(len + 2 * (size_t)CHUNK_PAD <= sizeof memory);
    memset(memory, 'a', len + 2 * (size_t)CHUNK_PAD);
    memcpy(memory + CHUNK_PAD, text, len);
    struct kernel_text piece = {NULL, memory + CHUNK_PAD, len};
    struct kernel_call call = {.text = &piece,
                               .rows = &calls.rows,
                               .part = &calls.part,
                               .scratch = calls.scratch,
                               .stop = &calls.stop};
    CU_ASSERT_EQUAL_FATAL(kernel_count.run(calls.state, &call, &calls.e), 0);
}

static void fold(struct qbuf *total)
{
    CU_ASSERT_EQUAL_FATAL(kernel_count.fold(calls.state, total, calls.part.data,
                                            calls.part.len, &calls.e),
                          0);
    qbuf_clear(&calls.part);
}

/* What the input comes to, and with it the total of all. */
static uint64_t settle(struct qbuf *total)
{
    rows_clear(&calls.rows, NULL);
    CU_ASSERT_EQUAL_FATAL(
        kernel_count.settle(calls.state, total, "in", &calls.rows, &calls.e), 0);
    CU_ASSERT_EQUAL_FATAL(calls.rows.n, 1);
    return calls.rows.cells[0].v[0];
}

/* The text, cut at random places (or, `bits`, at those), pieces in parts of one or
 * more. */
static uint64_t count_cut(const char *text, size_t len, uint64_t bits, unsigned most)
{
    struct qbuf total = QBUF_INIT;
    size_t from = 0;
    for (size_t to = 1; to <= len; to++) {
        bool cut =
            to == len || (most ? unit_random() % most == 0 : to < 64 && bits >> to & 1);
        if (!cut)
            continue;
        run_piece(text + from, to - from);
        from = to;
        if (to == len || unit_random() % 3)
            fold(&total);
    }
    uint64_t n = settle(&total);
    qbuf_release(&total);
    return n;
}

/* All texts of two letters up to this length, cut in all ways. */
static void test_all_cuts(void)
{
    static const char *const words[] = {"a",    "aa",  "aaa",  "ab",   "aba",
                                        "abab", "aab", "abba", "aaaa", "abaab"};
    const size_t longest = unit_scale() > 1 ? 11 : 8;
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        begin(words[w], false);
        for (size_t len = 1; len <= longest; len++)
            for (uint32_t t = 0; t < 1u << len; t++) {
                char text[16];
                for (size_t i = 0; i < len; i++)
                    text[i] = t >> i & 1 ? 'b' : 'A';
                uint64_t want = slow_count(text, len, words[w], false);
                for (uint64_t cuts = 0; cuts < 1u << (len - 1); cuts++)
                    CU_ASSERT_EQUAL_FATAL(count_cut(text, len, cuts << 1, 0), want);
            }
        end();
    }
}

/* Longer texts, made of the word and of what is nearly it. */
static void test_random(void)
{
    for (uint64_t i = 0; i < 4000 * unit_scale(); i++) {
        char word[40], text[2000];
        size_t m = 1 + unit_random() % (i % 3 ? 6 : 30), period = 1 + unit_random() % m;
        for (size_t k = 0; k < m; k++)
            word[k] = k < period ? (char)('a' + unit_random() % 3) : word[k - period];
        word[m] = '\0';
        size_t len = unit_random() % sizeof text, at = 0;
        while (at < len)
            if (unit_random() % 8 == 0)
                text[at++] = (char)('a' + unit_random() % 4);
            else
                for (size_t k = 0; k < period && at < len; k++)
                    text[at++] = (char)(unit_random() % 2 ? word[k] : toupper(word[k]));
        bool exact = unit_random() % 4 == 0;
        begin(word, exact);
        uint64_t want = slow_count(text, len, word, exact);
        CU_ASSERT_EQUAL_FATAL(count_cut(text, len, 0, 0), want);
        CU_ASSERT_EQUAL_FATAL(count_cut(text, len, 0, 2), want);
        CU_ASSERT_EQUAL_FATAL(count_cut(text, len, 0, 30), want);
        CU_ASSERT_EQUAL_FATAL(count_cut(text, len, 0, 400), want);
        end();
    }
}

/* The word that has as many steps as it has letters, at its longest. */
static void test_longest(void)
{
    char word[1025], text[2048];
    memset(word, 'a', 1024);
    word[1024] = '\0';
    memset(text, 'A', sizeof text);
    begin(word, false);
    struct qbuf total = QBUF_INIT;
    for (size_t i = 0; i < 9; i++)
        run_piece(text, 2047 - 100 * i);
    fold(&total);
    size_t len = 9 * 2047 - 100 * 36;
    CU_ASSERT_EQUAL(settle(&total), len / 1024);
    qbuf_release(&total);
    end();
}

/* Inputs one after the other: nothing goes over from one to the next; a failed one does
 * not count; the total is of the others. */
static void test_inputs(void)
{
    struct qbuf total = QBUF_INIT;
    begin("abab", false);
    run_piece("xabab-ab", 8);
    fold(&total);
    CU_ASSERT_EQUAL(settle(&total), 1);
    run_piece("ab", 2);
    fold(&total);
    CU_ASSERT_EQUAL(settle(&total), 0);
    run_piece("abab", 4);
    fold(&total);
    CU_ASSERT_EQUAL(kernel_count.settle(calls.state, &total, "in", NULL, &calls.e), 0);
    CU_ASSERT_EQUAL(settle(&total), 0); /* empty */
    run_piece("abababab", 8);
    fold(&total);
    CU_ASSERT_EQUAL(settle(&total), 2);
    rows_clear(&calls.rows, NULL);
    CU_ASSERT_EQUAL(kernel_count.result(calls.state, &total, &calls.rows, &calls.e), 0);
    CU_ASSERT_EQUAL_FATAL(calls.rows.n, 1);
    CU_ASSERT_EQUAL(calls.rows.cells[0].v[0], 3);
    qbuf_release(&total);
    end();
}

/* A damaged part or total is an error, never a crash. */
static void test_damage(void)
{
    struct qbuf total = QBUF_INIT, part = QBUF_INIT;
    begin("abab", false);
    run_piece("ababab", 6);
    qbuf_add(&part, calls.part.data, calls.part.len);
    for (size_t len = 1; len < part.len; len++) {
        struct qerr e = QERR_INIT;
        qbuf_clear(&total);
        CU_ASSERT_EQUAL(kernel_count.fold(calls.state, &total, part.data, len, &e),
                        -Q_ECHECK);
    }
    for (size_t i = 0; i < part.len * 8; i++) {
        struct qerr e = QERR_INIT;
        qbuf_clear(&total);
        part.data[i / 8] ^= (char)(1 << i % 8);
        (void)kernel_count.fold(calls.state, &total, part.data, part.len, &e);
        part.data[i / 8] ^= (char)(1 << i % 8);
    }
    struct qerr e = QERR_INIT;
    qbuf_clear(&total);
    qbuf_puts(&total, "damaged");
    CU_ASSERT_EQUAL(kernel_count.settle(calls.state, &total, "in", NULL, &e),
                    -Q_ECHECK);
    qbuf_release(&total);
    qbuf_release(&part);
    end();
}

static const struct unit_test tests[] = {
    {"all texts of two letters, cut in all ways", test_all_cuts},
    {"random texts", test_random},
    {"the longest word", test_longest},
    {"inputs and the total", test_inputs},
    {"damaged parts", test_damage},
};

UNIT_MAIN("kernel_count", tests)
