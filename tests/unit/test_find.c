/* The search in all its variants against a search byte by byte. */
#include "arith/find.h"

#include <ctype.h>
#include <string.h>

#include "arith/cpu.h"
#include "unit.h"

enum { TEXT = 600 };

typedef size_t (*list_fn)(const struct find *, const char *, size_t, size_t *,
                          uint32_t *, size_t);

static bool slow_at(const char *text, const char *word, size_t len, bool ignore)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char a = (unsigned char)text[i], b = (unsigned char)word[i];
        if (ignore && a < 128 && b < 128) {
            a = (unsigned char)tolower(a);
            b = (unsigned char)tolower(b);
        }
        if (a != b)
            return false;
    }
    return true;
}

static void check_list(list_fn list, const struct find *f, const char *text, size_t len,
                       const uint32_t *want, size_t n, size_t max)
{
    uint32_t got[TEXT];
    size_t from = 0, at = 0;
    while (from < len) {
        size_t k = list(f, text, len, &from, got, max);
        CU_ASSERT_FATAL(k <= max && at + k <= n && from <= len);
        CU_ASSERT_EQUAL_FATAL(memcmp(got, want + at, k * sizeof *got), 0);
        at += k;
        CU_ASSERT_FATAL(k == max || from == len);
    }
    CU_ASSERT_EQUAL_FATAL(at, n);
}

/* All variants on one text; around it stands what would be found if it were looked at.
 */
static void check(const char *word, size_t wlen, const char *text, size_t len,
                  bool ignore)
{
    char *memory = malloc(len + 2 * (size_t)FIND_PAD + wlen);
    uint32_t want[TEXT];
    size_t n = 0;
    for (size_t i = 0; i < FIND_PAD; i++)
        memory[i] = memory[FIND_PAD + len + i] = word[i % wlen];
    char *at = memory + FIND_PAD;
    memcpy(at, text, len);
    for (size_t i = 0; i + wlen <= len; i++)
        if (slow_at(text + i, word, wlen, ignore))
            want[n++] = (uint32_t)i;
    struct find f;
    find_init(&f, word, wlen, ignore);
    bool overlaps = false;
    for (size_t shift = 1; shift < wlen; shift++)
        overlaps = overlaps || slow_at(word + shift, word, wlen - shift, ignore);
    CU_ASSERT_EQUAL_FATAL(f.overlaps, overlaps);
    CU_ASSERT_FATAL(f.a <= f.b && f.b < wlen && (f.a < f.b || wlen == 1));
    size_t max = 1 + unit_random() % 40;
    CU_ASSERT_EQUAL_FATAL(find_count_generic(&f, at, len), n);
    check_list(find_list_generic, &f, at, len, want, n, max);
    CU_ASSERT_EQUAL_FATAL(find_count(&f, at, len), n);
    check_list(find_list, &f, at, len, want, n, max);
#if defined(__x86_64__)
    if (cpu_can_run(CPU_AVX2)) {
        CU_ASSERT_EQUAL_FATAL(find_count_avx2(&f, at, len), n);
        check_list(find_list_avx2, &f, at, len, want, n, max);
    }
#endif
    free(memory);
}

static void fill(char *to, size_t n, const char *letters, size_t nletters)
{
    for (size_t i = 0; i < n; i++)
        to[i] = letters[unit_random() % nletters];
}

/* Few letters, so that the word is often there and overlaps itself. */
static void test_random(void)
{
    static const char letters[] = "aAbB-\xc3\xa9@`[{\0\x80";
    for (uint64_t i = 0; i < 20000 * unit_scale(); i++) {
        char text[TEXT], word[40];
        size_t n = 1 + unit_random() % (sizeof letters - 1);
        size_t len = unit_random() % (i % 4 ? 100 : TEXT);
        size_t wlen = 1 + unit_random() % (i % 8 ? 5 : sizeof word);
        fill(text, len, letters, n);
        fill(word, wlen, letters, n);
        if (len >= wlen && unit_random() % 2) /* or it would hardly be there */
            memcpy(text + unit_random() % (len - wlen + 1), word, wlen);
        check(word, wlen, text, len, unit_random() % 2);
    }
}

/* Every byte as a word, against every byte. */
static void test_bytes(void)
{
    char text[256];
    for (int i = 0; i < 256; i++)
        text[i] = (char)i;
    for (int i = 0; i < 256; i++) {
        char word = (char)i;
        check(&word, 1, text, sizeof text, false);
        check(&word, 1, text, sizeof text, true);
    }
}

static void test_known(void)
{
    static const char text[] = "Error: terror, ERROR; err or eRRor";
    check("error", 5, text, sizeof text - 1, true);
    check("error", 5, text, sizeof text - 1, false);
    check("z", 1, text, 0, true);
    struct find f;
    find_init(&f, "error", 5, true);
    CU_ASSERT_EQUAL(find_count(&f, text, 0), 0);
}

/* The longest word, at each end. */
static void test_long(void)
{
    char *text = malloc(3 * FIND_MAX + FIND_PAD), *word = malloc(FIND_MAX);
    CU_ASSERT_FATAL(text && word);
    memset(text, 'x', 3 * FIND_MAX + FIND_PAD);
    fill(word, FIND_MAX, "abcdefgh", 8);
    memcpy(text, word, FIND_MAX);
    memcpy(text + 2 * FIND_MAX, word, FIND_MAX);
    struct find f;
    find_init(&f, word, FIND_MAX, true);
    CU_ASSERT_EQUAL(find_count(&f, text, 3 * FIND_MAX), 2);
    CU_ASSERT_EQUAL(find_count_generic(&f, text, 3 * FIND_MAX), 2);
    CU_ASSERT_EQUAL(find_count(&f, text, 3 * FIND_MAX - 1), 1);
    free(text);
    free(word);
}

static const struct unit_test tests[] = {
    {"random texts and words", test_random},
    {"every byte", test_bytes},
    {"known texts", test_known},
    {"the longest word", test_long},
};

UNIT_MAIN("find", tests)
