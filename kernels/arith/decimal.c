/*
 * Eight digits are one 64-bit word (first digit in the lowest byte: little-endian), and
 * the word is treated as a vector. Reading adds neighbours: digits to pairs, pairs to
 * fours, fours to eights, three multiplications in all. Printing goes the same way
 * back. A number of up to 20 digits is at most three words, and the last, partial one
 * is shifted so that zeros stand in front of its digits: so the work does not depend on
 * the length in a way that a branch would have to guess, except at 8 and 16 digits.
 */
#include "arith/decimal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "arith/cpu.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "words hold text little-endian");

static const uint64_t small_power[8] = {1,     10,     100,     1000,
                                        10000, 100000, 1000000, 10000000};

static inline uint64_t load8(const char *s)
{
    uint64_t w;
    memcpy(&w, s, sizeof w);
    return w;
}

static inline bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* --- reading ------------------------------------------------------------------------
 */

/* `w` is text ^ '0' in each byte. The high bit of each byte that is no digit: 10 + 0x76
 * is 0x80, and 0x7f + 0x76 does not carry into the next byte. */
static inline uint64_t not_digits(uint64_t w)
{
    return (((w & DECIMAL_REPEAT8(0x7f)) + DECIMAL_REPEAT8(0x76)) | w) &
           DECIMAL_REPEAT8(0x80);
}

/* The value of eight digits. No step carries into a neighbour: 99 < 2^8, 9999 < 2^16,
 * 99999999 < 2^32. */
static inline uint64_t value_of_eight(uint64_t w)
{
    w = (w * 10 + (w >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    w = (w * 100 + (w >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (w * 10000 + (w >> 32)) & 0xffffffff;
}

/* The value of the first `k` <= 7 digits of w. */
static inline uint64_t value_of_some(uint64_t w, unsigned k)
{
    return value_of_eight(w << 1 << (63 - 8 * k));
}

/* Appends `k` <= 7 digits of w to *v; false if that is 2^64 or more. */
static inline bool append_some(uint64_t *v, uint64_t w, unsigned k)
{
    uint64_t high;
    return !__builtin_mul_overflow(*v, small_power[k], &high) &&
           !__builtin_add_overflow(high, value_of_some(w, k), v);
}

/* Reads the digits that stand at s: their number, at most DECIMAL_U64, and their value;
 * 0 if there is none, or more, or the value is 2^64 or more. Reads 24 bytes. */
static inline unsigned read_digits(const char *s, uint64_t *v)
{
    uint64_t w = load8(s) ^ DECIMAL_REPEAT8('0');
    uint64_t stop = not_digits(w);
    if (stop) {
        unsigned k = (unsigned)__builtin_ctzll(stop) / 8;
        *v = value_of_some(w, k);
        return k;
    }
    uint64_t value = value_of_eight(w);
    w = load8(s + 8) ^ DECIMAL_REPEAT8('0');
    stop = not_digits(w);
    if (stop) {
        unsigned k = (unsigned)__builtin_ctzll(stop) / 8;
        *v = value * small_power[k] + value_of_some(w, k);
        return 8 + k;
    }
    value = value * DECIMAL_POW8 + value_of_eight(w);
    w = load8(s + 16) ^ DECIMAL_REPEAT8('0');
    stop = not_digits(w);
    unsigned k = stop ? (unsigned)__builtin_ctzll(stop) / 8 : 8;
    if (k > DECIMAL_U64 - 16 || !append_some(&value, w, k))
        return 0;
    *v = value;
    return 16 + k;
}

size_t decimal_span(const char *s, size_t len)
{
    for (size_t n = 0; n < len; n += 8) {
        uint64_t stop = not_digits(load8(s + n) ^ DECIMAL_REPEAT8('0'));
        if (stop) {
            n += (size_t)__builtin_ctzll(stop) / 8;
            return n < len ? n : len;
        }
    }
    return len;
}

bool decimal_parse(const char *s, size_t len, uint64_t *v)
{
    while (len > DECIMAL_U64 && *s == '0') {
        s++;
        len--;
    }
    if (len == 0 || len > DECIMAL_U64)
        return false;
    uint64_t value = 0;
    for (; len >= 8; s += 8, len -= 8) {
        uint64_t w = load8(s) ^ DECIMAL_REPEAT8('0');
        if (not_digits(w))
            return false;
        value = value * DECIMAL_POW8 + value_of_eight(w); /* at most 16 digits */
    }
    uint64_t w = load8(s) ^ DECIMAL_REPEAT8('0');
    unsigned k = (unsigned)len;
    if (not_digits(w) << 1 << (63 - 8 * k) || !append_some(&value, w, k))
        return false;
    *v = value;
    return true;
}

bool decimal_parse128(const char *s, size_t len, uint64_t *high, uint64_t *low)
{
    __extension__ typedef unsigned __int128 uint128;
    enum { PIECE = 19 };
    const uint64_t power = UINT64_C(10000000000000000000); /* 10^PIECE */
    uint128 value = 0;
    for (size_t piece = (len - 1) % PIECE + 1; len > 0; piece = PIECE) {
        uint64_t v = 0;
        if (value > ~(uint128)0 / power || !decimal_parse(s, piece, &v))
            return false;
        value *= power;
        if (value + v < value)
            return false;
        value += v;
        s += piece;
        len -= piece;
    }
    *high = (uint64_t)(value >> 64);
    *low = (uint64_t)value;
    return true;
}

size_t decimal_scan_generic(const char *text, size_t *pos, size_t end, size_t max,
                            uint32_t max_digits, const struct decimal_out *out)
{
    size_t n = 0, at = *pos;
    while (n < max && at < end) {
        const char *s = text + at;
        uint64_t v;
        unsigned len = read_digits(s, &v);
        if (len == 0) {
            if (!is_space(*s))
                break;
            at++;
            continue;
        }
        size_t after = at + len;
        if ((*s == '0' && len > 1) || after >= end || len > max_digits ||
            !is_space(text[after]))
            break;
        out->v[n] = v;
        out->digits[n] = s;
        out->len[n] = len;
        out->after[n] = after;
        n++;
        at = after + 1;
    }
    *pos = at;
    return n;
}

/* --- reading with AVX2
 * ----------------------------------------------------------------
 *
 * One number after the other, the start of each waits for the length of the one before,
 * about 20 cycles. So first all places in a window of text are listed where a byte is
 * no digit, which no step has to wait for, and then the tokens between them are
 * independent of each other. The window begins small, for texts with little to sweep
 * over, and grows.
 *
 * A value is made from the 32 bytes that end with its last digit: what stands before
 * the number is masked to zeros, then neighbours are joined as in value_of_eight, by
 * instructions that multiply and add pairs. Numbers of up to eight digits are taken
 * four at a time, each in 64 bits, when all is as plain as it can be. */

#if defined(__x86_64__)

enum { WINDOW_FIRST = 128, WINDOW_LAST = 512 };

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define AVX2_INLINE                                                                    \
    static inline __attribute__((target("avx2,bmi,popcnt"), always_inline))

/* One bit for each of the 32 bytes at s: it is no digit. */
AVX2_INLINE uint32_t stops_of_32(const char *s)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)s);
    __m256i d = _mm256_sub_epi8(bytes, _mm256_set1_epi8('0'));
    __m256i digit = _mm256_cmpeq_epi8(_mm256_min_epu8(d, _mm256_set1_epi8(9)), d);
    return ~(uint32_t)_mm256_movemask_epi8(digit);
}

/* Lists the places in text[at .. end) where no digit stands; returns how many. `stops`
 * has room for end - at + 4, and the text may be read 64 bytes beyond `end`. */
AVX2_INLINE size_t list_stops(const char *text, size_t at, size_t end, uint64_t *stops)
{
    size_t n = 0;
    for (; at < end; at += 64) {
        uint64_t mask = stops_of_32(text + at) | (uint64_t)stops_of_32(text + at + 32)
                                                     << 32;
        if (end - at < 64)
            mask &= (UINT64_C(1) << (end - at)) - 1;
        size_t count = (size_t)__builtin_popcountll(mask);
        /* Four at a time, needed or not: how many there are is hard to guess. */
        for (size_t i = 0; i < count; i += 4) {
            uint64_t *to = stops + n + i;
#pragma GCC unroll 4
            for (size_t k = 0; k < 4; k++, mask = _blsr_u64(mask))
                to[k] = at + _tzcnt_u64(mask);
        }
        n += count;
    }
    return n;
}

/* Reads four numbers, which end at stops[0..4), the first begins behind stops[-1];
 * false if one of them has no digits, or more than `limit` <= 7, or a leading zero, or
 * anything but white space behind it. */
AVX2_INLINE bool read_four(const char *text, const uint64_t *stops, int64_t limit,
                           const struct decimal_out *out, size_t n)
{
    const __m256i one = _mm256_set1_epi64x(1), low = _mm256_set1_epi64x(0xff);
    __m256i stop = _mm256_loadu_si256((const __m256i *)(const void *)stops);
    __m256i begin = _mm256_loadu_si256((const __m256i *)(const void *)(stops - 1));
    begin = _mm256_add_epi64(begin, one);
    __m256i len = _mm256_sub_epi64(stop, begin), bits = _mm256_slli_epi64(len, 3);
    uint64_t w[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        w[k] = load8(text + stops[k - 1] + 1);
    __m256i t =
        _mm256_setr_epi64x((int64_t)w[0], (int64_t)w[1], (int64_t)w[2], (int64_t)w[3]);
    __m256i d = _mm256_sub_epi8(t, _mm256_set1_epi8('0'));
    /* What must not be, in the lowest byte: the first digit is 0 and not the last; what
     * is behind is no white space. */
    __m256i zero = _mm256_andnot_si256(_mm256_cmpeq_epi64(len, one),
                                       _mm256_cmpeq_epi8(d, _mm256_setzero_si256()));
    __m256i c = _mm256_srlv_epi64(t, bits);
    __m256i tab = _mm256_sub_epi8(c, _mm256_set1_epi8('\t'));
    __m256i space = _mm256_or_si256(
        _mm256_cmpeq_epi8(c, _mm256_set1_epi8(' ')),
        _mm256_cmpeq_epi8(_mm256_min_epu8(tab, _mm256_set1_epi8(4)), tab));
    __m256i wrong = _mm256_or_si256(zero, _mm256_andnot_si256(space, low));
    wrong = _mm256_and_si256(wrong, low);
    wrong = _mm256_or_si256(wrong, _mm256_cmpgt_epi64(len, _mm256_set1_epi64x(limit)));
    wrong = _mm256_or_si256(wrong, _mm256_cmpgt_epi64(one, len));
    if (!_mm256_testz_si256(wrong, wrong))
        return false;
    __m256i shift = _mm256_sub_epi64(_mm256_set1_epi64x(64), bits);
    d = _mm256_sllv_epi64(d, shift); /* zeros in front */
    d = _mm256_maddubs_epi16(d, _mm256_set1_epi16(10 + (1 << 8)));
    d = _mm256_madd_epi16(d, _mm256_set1_epi32(100 + (1 << 16)));
    d = _mm256_madd_epi16(d, _mm256_set1_epi64x(10000 + (INT64_C(1) << 32)));
    d = _mm256_add_epi64(_mm256_srli_epi64(d, 32),
                         _mm256_and_si256(d, _mm256_set1_epi64x(0xffffffff)));
    _mm256_storeu_si256((__m256i *)(void *)(out->v + n), d);
    _mm256_storeu_si256((__m256i *)(void *)(out->after + n), stop);
    _mm256_storeu_si256(
        (__m256i *)(void *)(out->digits + n),
        _mm256_add_epi64(begin, _mm256_set1_epi64x((int64_t)(intptr_t)text)));
    len = _mm256_permutevar8x32_epi32(len, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
    _mm_storeu_si128((__m128i *)(void *)(out->len + n), _mm256_castsi256_si128(len));
    return true;
}

/* The value of the `len` <= 20 digits that end before `stop`; false if that is 2^64 or
 * more. */
AVX2_INLINE bool value_before(const char *stop, size_t len, uint64_t *v)
{
    static const uint8_t keep[64] = {
        [32] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff,        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff,        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    __m256i d = _mm256_loadu_si256((const __m256i *)(const void *)(stop - 32));
    __m256i mask = _mm256_loadu_si256((const __m256i *)(const void *)(keep + len));
    d = _mm256_and_si256(_mm256_sub_epi8(d, _mm256_set1_epi8('0')), mask);
    d = _mm256_maddubs_epi16(d, _mm256_set1_epi16(10 + (1 << 8)));
    d = _mm256_madd_epi16(d, _mm256_set1_epi32(100 + (1 << 16)));
    d = _mm256_packus_epi32(d, d);
    d = _mm256_madd_epi16(d, _mm256_set1_epi32(10000 + (1 << 16)));
    /* Eight digits in each half: 0 and the first four; the next eight and the last. */
    uint64_t high = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(d));
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(_mm256_extracti128_si256(d, 1));
    uint64_t top = (high >> 32) * DECIMAL_POW8 + (low & 0xffffffff);
    uint64_t value;
    return !__builtin_mul_overflow(top, DECIMAL_POW8, &value) &&
           !__builtin_add_overflow(value, low >> 32, v);
}

AVX2 size_t decimal_scan_avx2(const char *text, size_t *pos, size_t end, size_t max,
                              uint32_t max_digits, const struct decimal_out *out)
{
    uint64_t list[1 + WINDOW_LAST + 4] = {0}, *stops = list + 1;
    size_t limit = max_digits < DECIMAL_U64 ? max_digits : DECIMAL_U64;
    int64_t few = limit < 7 ? (int64_t)limit : 7;
    const struct decimal_out to = *out; /* known to stay as it is */
    size_t n = 0, at = *pos, window = WINDOW_FIRST;
    while (at < end && n < max) {
        size_t from = at;
        size_t count =
            list_stops(text, at, end - at > window ? at + window : end, stops);
        stops[-1] = at - 1;
        for (size_t i = 0; i < count && n < max;) {
            while (count - i >= 4 && max - n >= 4 &&
                   read_four(text, stops + i, few, &to, n)) {
                n += 4;
                i += 4;
                at = stops[i - 1] + 1;
            }
            /* Where one is not plain there will be more like it. */
            for (size_t some = count - i < 32 ? count : i + 32; i < some && n < max;) {
                size_t stop = stops[i++], len = stop - at;
                if (!is_space(text[stop]))
                    goto stop;
                if (len == 0) {
                    at++;
                    continue;
                }
                if (len > limit || (text[at] == '0' && len > 1) ||
                    !value_before(text + stop, len, &to.v[n]))
                    goto stop;
                to.digits[n] = text + at;
                to.len[n] = (uint32_t)len;
                to.after[n] = stop;
                n++;
                at = stop + 1;
            }
        }
        if (at == from)
            break; /* a token as long as the window, or one that touches the end */
        window = window < WINDOW_LAST ? 2 * window : WINDOW_LAST;
    }
stop:
    *pos = at;
    return n;
}

#endif

size_t decimal_scan(const char *text, size_t *pos, size_t end, size_t max,
                    uint32_t max_digits, const struct decimal_out *out)
{
#if defined(__x86_64__)
    if (cpu_path() == CPU_AVX2)
        return decimal_scan_avx2(text, pos, end, max, max_digits, out);
#endif
    return decimal_scan_generic(text, pos, end, max, max_digits, out);
}

/* --- printing -----------------------------------------------------------------------
 */

static inline void print_eight(char *to, uint64_t v)
{
    decimal_store8(to, decimal_digits_of_eight(v) | DECIMAL_REPEAT8('0'));
}

size_t decimal_print(char *to, uint64_t v)
{
    if (v < DECIMAL_POW8)
        return decimal_print_eight(to, v);
    uint64_t high = v / DECIMAL_POW8, low = v % DECIMAL_POW8;
    size_t n;
    if (high < DECIMAL_POW8) {
        n = decimal_print_eight(to, high);
    } else {
        n = decimal_print_eight(to, high / DECIMAL_POW8);
        print_eight(to + n, high % DECIMAL_POW8);
        n += 8;
    }
    print_eight(to + n, low);
    return n + 8;
}

#define DIGIT(n, unit) ((uint32_t)('0' + (n) / (unit) % 10))
#define ENTRY(n)                                                                       \
    ((n) < 10 ? UINT32_C(1) << 24 | DIGIT(n, 1)                                        \
     : (n) < 100                                                                       \
         ? UINT32_C(2) << 24 | DIGIT(n, 1) << 8 | DIGIT(n, 10)                         \
         : UINT32_C(3) << 24 | DIGIT(n, 1) << 16 | DIGIT(n, 10) << 8 | DIGIT(n, 100))
#define TEN(n)                                                                         \
    ENTRY(n), ENTRY((n) + 1), ENTRY((n) + 2), ENTRY((n) + 3), ENTRY((n) + 4),          \
        ENTRY((n) + 5), ENTRY((n) + 6), ENTRY((n) + 7), ENTRY((n) + 8), ENTRY((n) + 9)
#define HUNDRED(n)                                                                     \
    TEN(n), TEN((n) + 10), TEN((n) + 20), TEN((n) + 30), TEN((n) + 40), TEN((n) + 50), \
        TEN((n) + 60), TEN((n) + 70), TEN((n) + 80), TEN((n) + 90)

const uint32_t decimal_small[DECIMAL_SMALL] = {
    HUNDRED(0),   HUNDRED(100), HUNDRED(200), HUNDRED(300), HUNDRED(400),
    HUNDRED(500), HUNDRED(600), HUNDRED(700), HUNDRED(800), HUNDRED(900),
};
