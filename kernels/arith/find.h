/*
 * find: where a word stands in a text, as bytes, ASCII case ignored or not. Speed is
 * that of memory for words that are not in every line.
 *
 * Pure functions on memory; a struct find is read-only after find_init.
 */
#ifndef QUERN_ARITH_FIND_H
#define QUERN_ARITH_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FIND_MAX = 1024, /* most bytes of a word */
    FIND_PAD = 64    /* readable bytes behind a text */
};

struct find {
    size_t len;                   /* of the word, from 1 to FIND_MAX */
    unsigned char word[FIND_MAX]; /* letters in lower case, when case is ignored */
    unsigned char mask[FIND_MAX]; /* 0x20 where a letter's case is ignored, else 0 */
    size_t a, b;   /* places of two bytes that are rare in texts; a <= b */
    bool overlaps; /* occurrences of it may overlap */
};

void find_init(struct find *f, const char *word, size_t len, bool ignore_case);

/* How many occurrences are inside text[0..len), also those that overlap. */
uint64_t find_count(const struct find *f, const char *text, size_t len);

/* Lists where occurrences in text[0..len) begin, from *from on, in ascending order, at
 * most `max` (1 or more); returns how many, and moves *from behind the begin of the
 * last one, or to `len` when there are no more. */
size_t find_list(const struct find *f, const char *text, size_t len, size_t *from,
                 uint32_t *begins, size_t max);

/* Their variants, with the same results; for tests. Texts of less than 2^32 bytes. */
uint64_t find_count_generic(const struct find *f, const char *text, size_t len);
size_t find_list_generic(const struct find *f, const char *text, size_t len,
                         size_t *from, uint32_t *begins, size_t max);
#if defined(__x86_64__)
uint64_t find_count_avx2(const struct find *f, const char *text, size_t len);
size_t find_list_avx2(const struct find *f, const char *text, size_t len, size_t *from,
                      uint32_t *begins, size_t max);
#endif

#endif
