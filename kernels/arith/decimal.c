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
 * Where nothing but digits and white space stands in the window, numbers are taken four
 * at a time. A value is made from the 32 bytes that end with its last digit: what
 * stands before the number is masked to zeros, then neighbours are joined as in
 * value_of_eight, by instructions that multiply and add pairs. Numbers of up to seven
 * digits need eight bytes each. */

#if defined(__x86_64__)

enum { WINDOW_FIRST = 128, WINDOW_LAST = 512 };

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))
#define AVX2_INLINE                                                                    \
    static inline __attribute__((target("avx2,bmi,popcnt"), always_inline))

AVX2_INLINE __m256i load32(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

AVX2_INLINE void store32(void *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}

/* Which bytes are those that the table has at the place of their lower half: bytes with
 * the same lower half and bytes above 127 are not. */
AVX2_INLINE __m256i bytes_of_table(__m256i bytes, __m256i table)
{
    return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, bytes), bytes);
}

/* One bit for each of the 32 bytes at s: it is a digit. `plain` stays all ones if the
 * others are white space. */
AVX2_INLINE uint32_t digits_of_32(const char *s, __m256i *plain)
{
    const __m256i digits = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 0, 0, 0, 0, 0, 0));
    const __m256i spaces = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', '\v', '\f', '\r', 0, 0));
    __m256i bytes = load32(s);
    __m256i digit = bytes_of_table(bytes, digits);
    __m256i known = _mm256_or_si256(digit, bytes_of_table(bytes, spaces));
    *plain = _mm256_and_si256(*plain, known);
    return (uint32_t)_mm256_movemask_epi8(digit);
}

/* Lists the places in text[at .. end) where no digit stands; returns how many. `stops`
 * has room for end - at + 4, and the text may be read 64 bytes beyond `end`. `*plain`:
 * all of them are surely white space. */
AVX2_INLINE size_t list_stops(const char *text, size_t at, size_t end, uint64_t *stops,
                              bool *plain)
{
    size_t n = 0;
    __m256i known = _mm256_set1_epi8(-1);
    for (; at < end; at += 64) {
        uint64_t mask = digits_of_32(text + at, &known);
        mask = ~(mask | (uint64_t)digits_of_32(text + at + 32, &known) << 32);
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
    *plain = _mm256_movemask_epi8(known) == -1;
    return n;
}

/* The values of four numbers of `len` <= 7 digits, which begin behind stops[-1 .. 3).
 * False if one has a leading zero. */
AVX2_INLINE bool values_of_few(const char *text, const uint64_t *stops, __m256i len,
                               uint64_t *v)
{
    uint64_t w[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        w[k] = load8(text + stops[k - 1] + 1);
    __m256i d =
        _mm256_setr_epi64x((int64_t)w[0], (int64_t)w[1], (int64_t)w[2], (int64_t)w[3]);
    d = _mm256_sub_epi8(d, _mm256_set1_epi8('0'));
    /* The first digit is 0 and not the last: in the lowest byte. */
    __m256i zero = _mm256_andnot_si256(_mm256_cmpeq_epi64(len, _mm256_set1_epi64x(1)),
                                       _mm256_cmpeq_epi8(d, _mm256_setzero_si256()));
    if (!_mm256_testz_si256(zero, _mm256_set1_epi64x(0xff)))
        return false;
    __m256i shift = _mm256_sub_epi64(_mm256_set1_epi64x(64), _mm256_slli_epi64(len, 3));
    d = _mm256_sllv_epi64(d, shift); /* zeros in front */
    d = _mm256_maddubs_epi16(d, _mm256_set1_epi16(10 + (1 << 8)));
    d = _mm256_madd_epi16(d, _mm256_set1_epi32(100 + (1 << 16)));
    d = _mm256_madd_epi16(d, _mm256_set1_epi64x(10000 + (INT64_C(1) << 32)));
    d = _mm256_add_epi64(_mm256_srli_epi64(d, 32),
                         _mm256_and_si256(d, _mm256_set1_epi64x(0xffffffff)));
    store32(v, d);
    return true;
}

/* The `len` <= 20 digits that end before `stop`, in pairs: 16 of them, the last one in
 * the highest place. */
AVX2_INLINE __m256i pairs_before(const char *stop, size_t len)
{
    static const uint8_t keep[64] = {
        [32] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff,        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff,        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    __m256i d = _mm256_xor_si256(load32(stop - 32), _mm256_set1_epi8('0'));
    d = _mm256_and_si256(d, load32(keep + len));
    return _mm256_maddubs_epi16(d, _mm256_set1_epi16(10 + (1 << 8)));
}

/* Two numbers in pairs to eights: of each number its first 16 digits in the lower lane,
 * a's before b's, its last 16 in the upper one. */
AVX2_INLINE __m256i eights_of_two(__m256i a, __m256i b)
{
    __m256i d = _mm256_packus_epi16(a, b);
    d = _mm256_maddubs_epi16(d, _mm256_set1_epi16(100 + (1 << 8)));
    return _mm256_madd_epi16(d, _mm256_set1_epi32(10000 + (1 << 16)));
}

/* The value of the `len` <= 20 digits that end before `stop`; false if that is 2^64 or
 * more. */
AVX2_INLINE bool value_before(const char *stop, size_t len, uint64_t *v)
{
    __m256i pairs = pairs_before(stop, len), d = eights_of_two(pairs, pairs);
    uint64_t first = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(d)) >> 32;
    uint64_t rest = (uint64_t)_mm_cvtsi128_si64(_mm256_extracti128_si256(d, 1));
    uint64_t top = first * DECIMAL_POW8 + (rest & 0xffffffff), value;
    return !__builtin_mul_overflow(top, DECIMAL_POW8, &value) &&
           !__builtin_add_overflow(value, rest >> 32, v);
}

/* The values of four numbers of `len` <= 20 digits, which end before stops[0 .. 4).
 * False if one has a leading zero, or is 2^64 or more. */
AVX2_INLINE bool values_of_many(const char *text, const uint64_t *stops, uint64_t *v)
{
    /* The least number of so many digits, less 2^63 for a signed comparison. */
#define LEAST(x) (int64_t)((x) ^ UINT64_C(0x8000000000000000))
    static const int64_t least[DECIMAL_U64 + 1] = {LEAST(0u),
                                                   LEAST(0u),
                                                   LEAST(10u),
                                                   LEAST(100u),
                                                   LEAST(1000u),
                                                   LEAST(10000u),
                                                   LEAST(100000u),
                                                   LEAST(1000000u),
                                                   LEAST(10000000u),
                                                   LEAST(100000000u),
                                                   LEAST(1000000000u),
                                                   LEAST(10000000000u),
                                                   LEAST(100000000000u),
                                                   LEAST(1000000000000u),
                                                   LEAST(10000000000000u),
                                                   LEAST(100000000000000u),
                                                   LEAST(1000000000000000u),
                                                   LEAST(10000000000000000u),
                                                   LEAST(100000000000000000u),
                                                   LEAST(1000000000000000000u),
                                                   LEAST(10000000000000000000u)};
#undef LEAST
    const __m256i pow8 = _mm256_set1_epi64x((int64_t)DECIMAL_POW8);
    __m256i pairs[4];
    size_t len[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        len[k] = stops[k] - stops[k - 1] - 1;
        pairs[k] = pairs_before(text + stops[k], len[k]);
    }
    __m256i ab = eights_of_two(pairs[0], pairs[1]);
    __m256i cd = eights_of_two(pairs[2], pairs[3]);
    /* The first four digits in the upper halves; the next eight, and the last. */
    __m256i first = _mm256_permute2x128_si256(ab, cd, 0x20);
    __m256i rest = _mm256_permute2x128_si256(ab, cd, 0x31);
    __m256i top = _mm256_mul_epu32(_mm256_srli_epi64(first, 32), pow8);
    top = _mm256_add_epi64(top, _mm256_blend_epi32(rest, _mm256_setzero_si256(), 0xaa));
    __m256i value = _mm256_mul_epu32(_mm256_srli_epi64(top, 32), pow8);
    value = _mm256_add_epi64(_mm256_slli_epi64(value, 32), _mm256_mul_epu32(top, pow8));
    value = _mm256_add_epi64(value, _mm256_srli_epi64(rest, 32));
    /* If `top` is as large as it may be, what overflows is small, and `low` tells. */
    __m256i at_least =
        _mm256_setr_epi64x(least[len[0]], least[len[1]], least[len[2]], least[len[3]]);
    __m256i low = _mm256_cmpgt_epi64(
        at_least, _mm256_xor_si256(value, _mm256_set1_epi64x(INT64_MIN)));
    __m256i high = _mm256_cmpgt_epi64(
        top, _mm256_set1_epi64x((int64_t)(UINT64_MAX / DECIMAL_POW8)));
    __m256i wrong = _mm256_or_si256(low, high);
    store32(v, value);
    return _mm256_testz_si256(wrong, wrong);
}

/* Reads four numbers of a plain window, which end at stops[0..4), the first begins
 * behind stops[-1]; false if one of them has no digits, or more than `limit` <= 20, or
 * a leading zero, or is 2^64 or more. */
AVX2_INLINE bool read_four(const char *text, const uint64_t *stops, int64_t limit,
                           const struct decimal_out *out, size_t n)
{
    const __m256i one = _mm256_set1_epi64x(1);
    __m256i stop = load32(stops), begin = _mm256_add_epi64(load32(stops - 1), one);
    __m256i len = _mm256_sub_epi64(stop, begin);
    __m256i wrong = _mm256_or_si256(_mm256_cmpgt_epi64(len, _mm256_set1_epi64x(limit)),
                                    _mm256_cmpgt_epi64(one, len));
    if (!_mm256_testz_si256(wrong, wrong))
        return false;
    __m256i many = _mm256_cmpgt_epi64(len, _mm256_set1_epi64x(7));
    if (!(_mm256_testz_si256(many, many) ? values_of_few(text, stops, len, out->v + n)
                                         : values_of_many(text, stops, out->v + n)))
        return false;
    store32(out->after + n, stop);
    store32(out->digits + n,
            _mm256_add_epi64(begin, _mm256_set1_epi64x((int64_t)(intptr_t)text)));
    len = _mm256_permutevar8x32_epi32(len, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
    _mm_storeu_si128((__m128i *)(void *)(out->len + n), _mm256_castsi256_si128(len));
    return true;
}

AVX2 size_t decimal_scan_avx2(const char *text, size_t *pos, size_t end, size_t max,
                              uint32_t max_digits, const struct decimal_out *out)
{
    uint64_t list[1 + WINDOW_LAST + 4] = {0}, *stops = list + 1;
    size_t limit = max_digits < DECIMAL_U64 ? max_digits : DECIMAL_U64;
    const struct decimal_out to = *out; /* known to stay as it is */
    size_t n = 0, at = *pos, window = WINDOW_FIRST;
    while (at < end && n < max) {
        size_t from = at;
        bool plain;
        size_t count =
            list_stops(text, at, end - at > window ? at + window : end, stops, &plain);
        stops[-1] = at - 1;
        for (size_t i = 0; i < count && n < max;) {
            while (plain && count - i >= 4 && max - n >= 4 &&
                   read_four(text, stops + i, (int64_t)limit, &to, n)) {
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

#define DIGIT(n, unit) ((uint64_t)('0' + (n) / (unit) % 10))
#define PADDED(n) (DIGIT(n, 1) << 16 | DIGIT(n, 10) << 8 | DIGIT(n, 100))
#define LENGTH(n) ((n) < 10 ? UINT64_C(1) : (n) < 100 ? UINT64_C(2) : UINT64_C(3))
#define ENTRY(n) (LENGTH(n) << 56 | PADDED(n) << 32 | PADDED(n) >> (24 - 8 * LENGTH(n)))
#define TEN(n)                                                                         \
    ENTRY(n), ENTRY((n) + 1), ENTRY((n) + 2), ENTRY((n) + 3), ENTRY((n) + 4),          \
        ENTRY((n) + 5), ENTRY((n) + 6), ENTRY((n) + 7), ENTRY((n) + 8), ENTRY((n) + 9)
#define HUNDRED(n)                                                                     \
    TEN(n), TEN((n) + 10), TEN((n) + 20), TEN((n) + 30), TEN((n) + 40), TEN((n) + 50), \
        TEN((n) + 60), TEN((n) + 70), TEN((n) + 80), TEN((n) + 90)

const uint64_t decimal_small[DECIMAL_SMALL] = {
    HUNDRED(0),   HUNDRED(100), HUNDRED(200), HUNDRED(300), HUNDRED(400),
    HUNDRED(500), HUNDRED(600), HUNDRED(700), HUNDRED(800), HUNDRED(900),
};
