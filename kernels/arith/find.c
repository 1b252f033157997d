/*
 * The word is looked for by two of its bytes, those that are rarest in texts, at their
 * distance. How rare a byte is says a table of letters by their frequency in English;
 * the rest is guessed. A bad guess costs time only.
 *
 * The plain variant tests eight places at once in a 64-bit word: a byte of x is zero
 * exactly where the top bit of ~(((x & 0x7f..) + 0x7f..) | x | 0x7f..) is set (no carry
 * leaves a byte).
 */
#include "arith/find.h"

#include <string.h>

#include "arith/cpu.h"

/* --- the word --- */

static bool is_letter(unsigned char c)
{
    c |= 0x20;
    return c >= 'a' && c <= 'z';
}

/* The higher the more often it is met. */
static unsigned frequency(unsigned char c)
{
    static const char letters[] = "zqxjkvbpygfwmucldrhsnioate";
    unsigned char lower = is_letter(c) ? c | 0x20 : c;
    const char *at = lower ? strchr(letters, lower) : NULL;
    if (c == ' ' || c == '\n' || c == 0)
        return 40;
    if (at)
        return 8 + (unsigned)(at - letters);
    return c >= '0' && c <= '9' ? 30 : strchr(".,:-/_\"", c) ? 24 : 4;
}

/* Occurrences overlap when an end of the word is a beginning of it. */
static bool has_border(const struct find *f)
{
    for (size_t shift = 1; shift < f->len; shift++)
        if (memcmp(f->word, f->word + shift, f->len - shift) == 0)
            return true;
    return false;
}

static void choose_pair(struct find *f)
{
    size_t a = 0, b = f->len - 1;
    for (size_t i = 1; i < f->len; i++)
        if (frequency(f->word[i]) < frequency(f->word[a]))
            a = i;
    if (b == a)
        b = 0;
    for (size_t i = 0; i < f->len; i++)
        if (i != a && f->word[i] != f->word[a] &&
            (f->word[b] == f->word[a] || frequency(f->word[i]) < frequency(f->word[b])))
            b = i;
    f->a = a < b ? a : b;
    f->b = a < b ? b : a;
}

void find_init(struct find *f, const char *word, size_t len, bool ignore_case)
{
    *f = (struct find){.len = len};
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)word[i];
        f->mask[i] = ignore_case && is_letter(c) ? 0x20 : 0;
        f->word[i] = c | f->mask[i];
    }
    choose_pair(f);
    f->overlaps = has_border(f);
}

/* --- the plain variant --- */

#define BLOCK 8
#define ATTRIBUTES
#define NAME(x) x##_generic

#define REPEAT(byte) (UINT64_C(0x0101010101010101) * (byte))

struct pair {
    size_t a, b;
    uint64_t mask_a, word_a, mask_b, word_b;
};

static struct pair make_pair(const struct find *f)
{
    return (struct pair){f->a,
                         f->b,
                         REPEAT(f->mask[f->a]),
                         REPEAT(f->word[f->a]),
                         REPEAT(f->mask[f->b]),
                         REPEAT(f->word[f->b])};
}

static inline uint64_t load(const char *at)
{
    uint64_t x;
    memcpy(&x, at, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static inline uint64_t candidates(const struct pair *p, const char *at)
{
    uint64_t a = (load(at + p->a) | p->mask_a) ^ p->word_a;
    uint64_t b = (load(at + p->b) | p->mask_b) ^ p->word_b;
    uint64_t x = a | b, low = REPEAT(0x7f);
    uint64_t zeros = ~(((x & low) + low) | x | low);
    /* The top bits of the bytes, gathered: no two of the products meet. */
    return zeros ? (zeros >> 7) * UINT64_C(0x0102040810204080) >> 56 : 0;
}

#include "arith/find_core.h"

/* --- dispatch --- */

uint64_t find_count(const struct find *f, const char *text, size_t len)
{
#if defined(__x86_64__)
    if (cpu_path() == CPU_AVX2)
        return find_count_avx2(f, text, len);
#endif
    return find_count_generic(f, text, len);
}

size_t find_list(const struct find *f, const char *text, size_t len, size_t *from,
                 uint32_t *begins, size_t max)
{
#if defined(__x86_64__)
    if (cpu_path() == CPU_AVX2)
        return find_list_avx2(f, text, len, from, begins, max);
#endif
    return find_list_generic(f, text, len, from, begins, max);
}
