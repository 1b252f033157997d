#include "unit.h"

#include "arith/cpu.h"
#include "arith/decimal.h"

#include <ctype.h>
#include <errno.h>
#include <gmp.h>
#include <string.h>

/* A copy of text with `behind` bytes around it that must have no effect, and nothing
 * more (for ASan to see): free it with unpad. */
static char *pad(const char *text, size_t len, char around, size_t behind)
{
    char *bytes = malloc(DECIMAL_PAD + len + behind);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    memset(bytes, around, DECIMAL_PAD + len + behind);
    memcpy(bytes + DECIMAL_PAD, text, len);
    return bytes + DECIMAL_PAD;
}

static void unpad(char *s)
{
    free(s - DECIMAL_PAD);
}

/* Any number of digits, each count equally often. */
static uint64_t random_u64(void)
{
    unsigned shift = (unsigned)(unit_random() % 64);
    return unit_random() >> shift;
}

typedef size_t print_function(char *, uint64_t);

/* The one run goes through all values, so that its memory of the last one is tested. */
static size_t print_run(char *to, uint64_t v)
{
    static struct decimal_run run;
    return decimal_print_run(&run, to, v);
}

static void check_printed(print_function *print, uint64_t v, const char *want, size_t n)
{
    char got[DECIMAL_ROOM + 8];
    memset(got, '~', sizeof got);
    CU_ASSERT_EQUAL(print(got, v), n);
    CU_ASSERT_EQUAL(memcmp(got, want, n), 0);
    for (size_t i = DECIMAL_ROOM; i < sizeof got; i++)
        CU_ASSERT_EQUAL(got[i], '~');
}

static void check_print(uint64_t v)
{
    char want[32];
    size_t n = (size_t)snprintf(want, sizeof want, "%" PRIu64, v);
    check_printed(decimal_print, v, want, n);
    check_printed(decimal_print_small, v, want, n);
    check_printed(print_run, v, want, n);
}

/* strtoull is the oracle; it takes more than digits, so those are checked before. */
static void check_parse(const char *text, size_t len)
{
    bool good = len > 0;
    for (size_t i = 0; i < len; i++)
        good &= isdigit((unsigned char)text[i]) != 0;
    char copy[64];
    memcpy(copy, text, len);
    copy[len] = '\0';
    errno = 0;
    uint64_t want = strtoull(copy, NULL, 10);
    good = good && errno == 0;
    for (const char *around = "0 9\xff"; *around; around++) {
        uint64_t v = 12345;
        char *s = pad(text, len, *around, 8);
        bool got = decimal_parse(s, len, &v);
        unpad(s);
        CU_ASSERT_EQUAL(got, good);
        CU_ASSERT_EQUAL(v, good ? want : 12345);
    }
}

static void each_edge(void (*check)(uint64_t))
{
    uint64_t power = 1;
    for (int k = 0; k < 20; k++, power *= 10)
        for (uint64_t d = 0; d < 3; d++)
            check(power + d - 1);
    for (unsigned k = 0; k < 64; k++)
        for (uint64_t d = 0; d < 3; d++)
            check((UINT64_C(1) << k) + d - 1);
    for (uint64_t v = 0; v < 20000; v++)
        check(v);
    check(UINT64_MAX);
}

static void print_edges(void)
{
    each_edge(check_print);
}

static void print_random(void)
{
    for (uint64_t i = 0; i < 100000 * unit_scale(); i++)
        check_print(random_u64());
    for (uint64_t i = 0; i < 100 * unit_scale(); i++) {
        uint64_t v = random_u64();
        for (uint64_t k = 0; k < 2500; k += 1 + i % 7)
            check_print(v + k);
    }
    /* All values of a word of eight digits, by four digits at a time. */
    for (uint64_t v = 0; v < 10000; v++) {
        check_print(v * 10000 + (v * 7919) % 10000);
        check_print(v * UINT64_C(1000000000000) + v);
    }
}

static void parse_value(uint64_t v)
{
    char text[64];
    for (int zeros = 0; zeros < 24; zeros += 5) {
        int n = snprintf(text, sizeof text, "%.*s%" PRIu64, zeros,
                         "000000000000000000000000", v);
        check_parse(text, (size_t)n);
    }
}

static void parse_edges(void)
{
    static const char *const texts[] = {
        "",
        "18446744073709551614",
        "18446744073709551615", /* 2^64 - 1 */
        "18446744073709551616",
        "18446744073709551617",
        "18446744073709551619",
        "18446744073709551625", /* 2^64 + 9 */
        "18446744073709551599",
        "18446744073710000000",
        "18450000000000000000",
        "20000000000000000000",
        "36893488147419103232", /* 2^65: wraps to 0 */
        "99999999999999999999",
        "10000000000000000000",
        "100000000000000000000",
        "184467440737095516150",
        "00000000000000000000000000000000018446744073709551615",
        "00000000000000000000000000000000018446744073709551616",
        "000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_parse(texts[i], strlen(texts[i]));
    each_edge(parse_value);
}

static void parse_bad(void)
{
    /* Every byte that is no digit, at every place of every length. */
    for (int byte = 0; byte < 256; byte++)
        for (size_t len = 1; len <= 21; len++) {
            char text[32];
            memset(text, '1', sizeof text);
            text[unit_random() % len] = (char)byte;
            check_parse(text, len);
        }
    for (size_t len = 1; len <= 21; len++)
        for (size_t at = 0; at < len; at++)
            for (const char *byte = "/:\xb0\xb9 "; *byte; byte++) {
                char text[32];
                memset(text, '9', sizeof text);
                text[0] = '1';
                text[at] = *byte;
                check_parse(text, len);
            }
}

/* Two limbs against GMP: every length, and around the first value that does not fit. */
static void parse_128(void)
{
    mpz_t z;
    mpz_init(z);
    for (unsigned i = 0; i < 6000; i++) {
        if (i < 2000) {
            mpz_ui_pow_ui(z, 2, 128);
            mpz_add_ui(z, z, i);
            mpz_sub_ui(z, z, 1000);
        } else {
            mpz_ui_pow_ui(z, 10, i % 42);
            mpz_mul_ui(z, z, unit_random() % 9 + 1);
            mpz_add_ui(z, z, unit_random() >> (unit_random() % 64));
        }
        char text[80];
        mpz_get_str(text, 10, z);
        char *s = pad(text, strlen(text), '7', 8);
        uint64_t high = 1, low = 2;
        bool fits = mpz_sizeinbase(z, 2) <= 128;
        CU_ASSERT_EQUAL(decimal_parse128(s, strlen(text), &high, &low), fits);
        CU_ASSERT_EQUAL(high, fits ? mpz_getlimbn(z, 1) : 1);
        CU_ASSERT_EQUAL(low, fits ? mpz_getlimbn(z, 0) : 2);
        unpad(s);
    }
    mpz_clear(z);
}

static void span(void)
{
    for (int byte = 0; byte < 256; byte++)
        for (size_t len = 0; len < 30; len++) {
            char text[32];
            memset(text, '0' + byte % 10, sizeof text);
            size_t at = unit_random() % 31;
            text[at] = (char)byte;
            char *s = pad(text, len, byte % 2 ? '5' : 'x', 8);
            size_t want = at < len && !isdigit(byte) ? at : len;
            CU_ASSERT_EQUAL(decimal_span(s, len), want);
            for (size_t less = 0; less < len; less++)
                CU_ASSERT_EQUAL(decimal_span(s, less), want < less ? want : less);
            unpad(s);
        }
}

/* --- decimal_scan -------------------------------------------------------------------
 */

enum { SCAN_MAX = 4096 };

/* What decimal_scan is said to do, one character at a time. */
static size_t slow_scan(const char *text, size_t *pos, size_t end, size_t max,
                        uint32_t max_digits, size_t *at, size_t *len)
{
    size_t n = 0;
    for (;;) {
        while (*pos < end && strchr(" \t\n\v\f\r", text[*pos]) && text[*pos])
            ++*pos;
        size_t stop = *pos;
        while (stop < end && !(strchr(" \t\n\v\f\r", text[stop]) && text[stop]))
            stop++;
        bool plain =
            stop > *pos && stop < end && (text[*pos] != '0' || stop == *pos + 1);
        for (size_t i = *pos; i < stop; i++)
            plain &= text[i] >= '0' && text[i] <= '9';
        plain = plain && stop - *pos <= max_digits && stop - *pos <= 20;
        if (plain && stop - *pos == 20)
            plain = memcmp(text + *pos, "18446744073709551615", 20) <= 0;
        if (!plain || n == max)
            return n;
        at[n] = *pos;
        len[n++] = stop - *pos;
        *pos = stop;
    }
}

typedef size_t scan_function(const char *, size_t *, size_t, size_t, uint32_t,
                             const struct decimal_out *);

static void check_variant(scan_function *scan, const char *text, size_t from,
                          size_t end, size_t max, uint32_t max_digits)
{
    static uint64_t v[SCAN_MAX], after[SCAN_MAX];
    static const char *digits[SCAN_MAX];
    static uint32_t len[SCAN_MAX];
    static size_t want_at[SCAN_MAX], want_len[SCAN_MAX];
    size_t want_pos = from, pos = from;
    size_t want = slow_scan(text, &want_pos, end, max, max_digits, want_at, want_len);
    const struct decimal_out out = {v, digits, len, after};
    size_t n = scan(text, &pos, end, max, max_digits, &out);
    CU_ASSERT_EQUAL_FATAL(n, want);
    /* It may stop before or behind the blanks around the place. */
    CU_ASSERT(pos <= end);
    while (pos < end && isspace((unsigned char)text[pos]))
        pos++;
    CU_ASSERT_EQUAL(pos, want_pos);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_PTR_EQUAL(digits[i], text + want_at[i]);
        CU_ASSERT_EQUAL(len[i], want_len[i]);
        CU_ASSERT_EQUAL(after[i], want_at[i] + want_len[i]);
        CU_ASSERT_EQUAL(v[i], strtoull(text + want_at[i], NULL, 10));
    }
}

static void check_scan(const char *text, size_t from, size_t end, size_t max,
                       uint32_t max_digits)
{
    check_variant(decimal_scan, text, from, end, max, max_digits);
    check_variant(decimal_scan_generic, text, from, end, max, max_digits);
#if defined(__x86_64__)
    if (cpu_can_run(CPU_AVX2))
        check_variant(decimal_scan_avx2, text, from, end, max, max_digits);
#endif
}

/* Mostly numbers that decimal_scan takes, of all lengths, with all kinds of blanks. */
static size_t make_text(char *to, size_t room, unsigned odd)
{
    size_t n = 0;
    while (n + 64 < room) {
        if (unit_random() % 100 < odd) {
            static const char *const others[] = {"0",
                                                 "07",
                                                 "00",
                                                 "007",
                                                 "x",
                                                 "-5",
                                                 "+5",
                                                 "#",
                                                 "18446744073709551616",
                                                 "5#",
                                                 "\xb5",
                                                 "1.",
                                                 "",
                                                 "1:",
                                                 "/12",
                                                 "99999999999999999999",
                                                 "123456789012345678901"};
            n += (size_t)sprintf(
                to + n, "%s", others[unit_random() % (sizeof others / sizeof *others)]);
        } else {
            n += (size_t)sprintf(to + n, "%" PRIu64, random_u64() | 1);
        }
        do
            to[n++] = unit_random() % 4 ? '\n' : " \t\n\v\f\r"[unit_random() % 6];
        while (unit_random() % 8 == 0);
    }
    return n;
}

static void scan_random(void)
{
    for (uint64_t round = 0; round < 100 * unit_scale(); round++) {
        char text[4096];
        size_t len =
            make_text(text, unit_random() % sizeof text + 1, (unsigned)(round % 3) * 2);
        char *s = pad(text, len, "7 \n\xff"[round % 4], DECIMAL_PAD);
        check_scan(s, 0, len, SCAN_MAX, 20 - (uint32_t)(round % 7 == 0) * 11);
        for (int i = 0; i < 20 && len > 0; i++) {
            size_t end = unit_random() % len + 1;
            check_scan(s, 0, end, 1 + unit_random() % 200, 20);
            /* From the start of a line. */
            size_t from = unit_random() % end;
            while (from > 0 && s[from - 1] != '\n')
                from--;
            check_scan(s, from, end, SCAN_MAX, 20);
        }
        unpad(s);
    }
}

/* Eleven short numbers, of which one is not plain: in each place, each stopping byte,
 * and each length, with a leading zero or without. */
static void scan_short(void)
{
    for (unsigned odd = 0; odd < 11; odd++)
        for (unsigned byte = 0; byte < 256; byte++) {
            char text[128];
            size_t len = 0;
            for (unsigned k = 0; k < 11; k++) {
                size_t digits = k == odd ? byte % 10 : 1 + unit_random() % 7;
                for (size_t i = 0; i < digits; i++)
                    text[len++] = (char)('1' + unit_random() % 9);
                if (k == odd && digits > 0 && byte % 3 == 0)
                    text[len - digits] = '0';
                text[len++] = k == odd ? (char)byte : " \t\n\v\f\r"[unit_random() % 6];
            }
            char *s = pad(text, len, "1\n"[byte % 2], DECIMAL_PAD);
            check_scan(s, 0, len, 20, 20);
            check_scan(s, 0, len, 20, 1 + byte % 9);
            check_scan(s, 0, len, 1 + byte % 9, 20);
            unpad(s);
        }
}

/* Eleven numbers of one length, of which one is at an edge, in each place. */
static void scan_long(void)
{
    static const char *const edges[] = {"18446744073709551615",
                                        "18446744073709551616",
                                        "18446744073709551614",
                                        "18446744073700000000",
                                        "18446744073699999999",
                                        "18446744073609551615",
                                        "18446744073800000000",
                                        "18446744083709551615",
                                        "99999999999999999999",
                                        "10000000000000000000",
                                        "184467440737095516150",
                                        "01844674407370955161",
                                        "00000000000000000001",
                                        "0",
                                        "00",
                                        "10000000",
                                        "01000000",
                                        "9999999",
                                        "1000000000000000",
                                        "0999999999999999",
                                        "9999999999999999"};
    for (size_t i = 0; i < 11 * (sizeof edges / sizeof *edges); i++)
        for (size_t digits = 1; digits <= 20; digits++) {
            char text[512];
            size_t len = 0;
            for (size_t k = 0; k < 11; k++) {
                if (k == i % 11)
                    len += (size_t)sprintf(text + len, "%s", edges[i / 11]);
                else
                    for (size_t d = 0; d < digits; d++)
                        text[len++] = d == 0 ? '1' : (char)('0' + unit_random() % 10);
                text[len++] = '\n';
            }
            char *s = pad(text, len, "1\n"[i % 2], DECIMAL_PAD);
            check_scan(s, 0, len, 20, 20);
            check_scan(s, 0, len, 20, (uint32_t)digits);
            check_scan(s, 0, len, 1 + i % 9, 20);
            unpad(s);
        }
}

static void scan_stops(void)
{
    /* One token of each length and each stopping byte, alone, cut at each place. */
    for (size_t len = 1; len <= 26; len++)
        for (int byte = 0; byte < 256; byte++) {
            char text[64];
            memset(text, '1', sizeof text);
            text[len] = (char)byte;
            text[len + 1 + len % 5] = '\n';
            char *s = pad(text, 40, '1', DECIMAL_PAD);
            check_scan(s, 0, 40, 10, 20);
            check_scan(s, 0, len, 10, 20);
            check_scan(s, 0, len + 1, 10, 20);
            unpad(s);
        }
}

static const struct unit_test tests[] = {
    {"print: edges", print_edges},       {"print: random", print_random},
    {"parse: edges", parse_edges},       {"parse: what is no number", parse_bad},
    {"parse: two limbs", parse_128},     {"span", span},
    {"scan: random text", scan_random},  {"scan: every stop", scan_stops},
    {"scan: short numbers", scan_short}, {"scan: long numbers", scan_long},
};

UNIT_MAIN("decimal", tests)
