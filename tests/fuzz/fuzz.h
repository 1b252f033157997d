/*
 * fuzz: what the fuzz targets share. A target takes any bytes as its input, and ends
 * the process when a claim does not hold. libFuzzer calls it (make fuzz), or replay.c
 * with the files of a corpus (make check).
 */
#ifndef QUERN_TESTS_FUZZ_H
#define QUERN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Like assert, which NDEBUG may switch off. */
#define CLAIM(what)                                                                    \
    do {                                                                               \
        if (!(what)) {                                                                 \
            fprintf(stderr, "%s:%d: it is not so: %s\n", __FILE__, __LINE__, #what);   \
            abort();                                                                   \
        }                                                                              \
    } while (0)

/* The bytes of an input, taken from its front; zeros behind its end. */
struct bytes {
    const uint8_t *at, *end;
};

static inline uint8_t bytes_take(struct bytes *b)
{
    return b->at < b->end ? *b->at++ : 0;
}

static inline uint64_t bytes_take_u64(struct bytes *b)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)bytes_take(b) << 8 * i;
    return v;
}

static inline size_t bytes_left(const struct bytes *b)
{
    return (size_t)(b->end - b->at);
}

/* Choices that follow from the input: xorshift64* (Vigna 2016), period 2^64 - 1. */
struct choices {
    uint64_t state; /* not 0 */
};

static inline uint64_t choose(struct choices *c, uint64_t below)
{
    c->state ^= c->state >> 12;
    c->state ^= c->state << 25;
    c->state ^= c->state >> 27;
    return (c->state * UINT64_C(2685821657736338717) >> 32) % below;
}

/* A copy of exactly `n` bytes on the heap: a sanitizer sees each byte read beyond. */
static inline char *exact_copy(const void *bytes, size_t n)
{
    char *copy = malloc(n ? n : 1);
    CLAIM(copy);
    if (n)
        memcpy(copy, bytes, n);
    return copy;
}

#endif
