/*
 * find_core: the search, for one width of block. check-headers: template
 *
 * A block is BLOCK bytes that a word may begin at. candidates() gives a bit for each:
 * the two rare bytes of the word stand where they should. Nearly all blocks have none,
 * and cost two loads, two comparisons and a branch. What is left is compared in full,
 * unless the two bytes are all of the word.
 *
 * Filled in by the file that includes it:
 *   BLOCK                        bytes in a block, at most 64
 *   ATTRIBUTES                   of all functions here
 *   struct pair, make_pair(f)    what candidates() needs of the word
 *   candidates(pair, at)         bits of the block at `at`; reads BLOCK bytes from its
 *                                first rare byte and from its second
 *   NAME(x)                      the name of function x in this variant
 */

/* Whether the word stands at `at`. */
ATTRIBUTES static inline bool stands_at(const struct find *f, const char *at)
{
    size_t i = 0;
    for (; i + 8 <= f->len; i += 8) {
        uint64_t x, mask, word;
        memcpy(&x, at + i, 8);
        memcpy(&mask, f->mask + i, 8);
        memcpy(&word, f->word + i, 8);
        if ((x | mask) != word)
            return false;
    }
    for (; i < f->len; i++)
        if (((unsigned char)at[i] | f->mask[i]) != f->word[i])
            return false;
    return true;
}

/* The bits of the block at `at` from which on `left` > 0 begins are valid. */
ATTRIBUTES static inline uint64_t block_bits(const struct pair *pair, const char *at,
                                             size_t left)
{
    uint64_t bits = candidates(pair, at);
    return left >= BLOCK ? bits : bits & ((UINT64_C(1) << left) - 1);
}

ATTRIBUTES uint64_t NAME(find_count)(const struct find *f, const char *text, size_t len)
{
    if (len < f->len)
        return 0;
    const struct pair pair = make_pair(f);
    const char *end = text + (len - f->len + 1); /* behind the last place to begin at */
    bool whole = f->len <= 2;
    uint64_t n = 0;
    for (const char *at = text; at < end; at += BLOCK) {
        uint64_t bits = block_bits(&pair, at, (size_t)(end - at));
        if (whole) {
            n += (uint64_t)__builtin_popcountll(bits);
            continue;
        }
        for (; bits; bits &= bits - 1)
            n += stands_at(f, at + __builtin_ctzll(bits));
    }
    return n;
}

ATTRIBUTES size_t NAME(find_list)(const struct find *f, const char *text, size_t len,
                                  size_t *from, uint32_t *begins, size_t max)
{
    size_t n = 0, places = len < f->len ? 0 : len - f->len + 1;
    const struct pair pair = make_pair(f);
    for (size_t at = *from; at < places; at += BLOCK) {
        uint64_t bits = block_bits(&pair, text + at, places - at);
        for (; bits; bits &= bits - 1) {
            size_t place = at + (size_t)__builtin_ctzll(bits);
            if (!stands_at(f, text + place))
                continue;
            begins[n++] = (uint32_t)place;
            if (n == max) {
                *from = place + 1;
                return n;
            }
        }
    }
    *from = len;
    return n;
}
