/* The search of find_core.h, 64 places at a time: two vectors for each rare byte. */
#include "arith/find.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define BLOCK 64
#define ATTRIBUTES __attribute__((target("avx2,bmi,popcnt")))
#define NAME(x) x##_avx2

struct pair {
    size_t a, b;
    __m256i mask_a, word_a, mask_b, word_b;
};

ATTRIBUTES static inline struct pair make_pair(const struct find *f)
{
    return (struct pair){f->a,
                         f->b,
                         _mm256_set1_epi8((char)f->mask[f->a]),
                         _mm256_set1_epi8((char)f->word[f->a]),
                         _mm256_set1_epi8((char)f->mask[f->b]),
                         _mm256_set1_epi8((char)f->word[f->b])};
}

ATTRIBUTES static inline __m256i both(const struct pair *p, const char *at)
{
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(at + p->a));
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(at + p->b));
    a = _mm256_cmpeq_epi8(_mm256_or_si256(a, p->mask_a), p->word_a);
    b = _mm256_cmpeq_epi8(_mm256_or_si256(b, p->mask_b), p->word_b);
    return _mm256_and_si256(a, b);
}

ATTRIBUTES static inline uint64_t candidates(const struct pair *p, const char *at)
{
    __m256i low = both(p, at), high = both(p, at + 32);
    __m256i any = _mm256_or_si256(low, high);
    if (_mm256_testz_si256(any, any))
        return 0;
    return (uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

#include "arith/find_core.h"

#endif
