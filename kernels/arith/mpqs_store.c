/*
 * mpqs_store: relations, their large primes, and sets of them.
 *
 * Two relations with the same large prime make one whose large prime is a square. Every
 * relation is paired with the first that has its large prime, which gives all
 * independent pairs. A relation found twice (by two polynomials with common primes in
 * a) is dropped: it would give a trivial dependency.
 *
 * Rows that occur in sets are counted: sets - rows is a lower bound for the number of
 * dependencies, often reached well before there are as many sets as primes.
 */
#include <stdlib.h>
#include <string.h>

#include "arith/mpqs_internal.h"

/* Empties it. Tables that a large n left behind are freed: to clear them would cost a
 * small n more than to make its own. */
void mpqs_store_clear(struct mpqs_store *s, uint32_t limbs)
{
    if (s->cap > 4096)
        mpqs_store_release(s);
    s->n = s->row_n = s->set_n = s->seen_n = 0;
    s->limbs = limbs;
    if (s->seen)
        memset(s->seen, 0, s->seen_cap);
    if (s->by_value.slot)
        memset(s->by_value.slot, 0, (s->by_value.mask + 1) * sizeof(uint32_t));
    if (s->by_large.slot)
        memset(s->by_large.slot, 0, (s->by_large.mask + 1) * sizeof(uint32_t));
}

void mpqs_store_release(struct mpqs_store *s)
{
    free(s->rel);
    free(s->value);
    free(s->row);
    free(s->by_value.slot);
    free(s->by_large.slot);
    free(s->set);
    free(s->seen);
    memset(s, 0, sizeof *s);
}

static uint32_t hash(uint64_t x, uint32_t mask)
{
    return (uint32_t)((x * 0x9e3779b97f4a7c15u) >> 32) & mask;
}

/* Slot of the relation with this value (with this large prime), or the empty slot where
 * it belongs. */
static uint32_t *slot_value(const struct mpqs_store *s, const uint64_t *value)
{
    uint32_t h = hash(value[0], s->by_value.mask);
    for (;; h = (h + 1) & s->by_value.mask) {
        uint32_t i = s->by_value.slot[h];
        if (!i || !memcmp(s->value + (size_t)(i - 1) * s->limbs, value,
                          s->limbs * sizeof *value))
            return s->by_value.slot + h;
    }
}

static uint32_t *slot_large(const struct mpqs_store *s, uint32_t large)
{
    uint32_t h = hash(large, s->by_large.mask);
    for (;; h = (h + 1) & s->by_large.mask) {
        uint32_t i = s->by_large.slot[h];
        if (!i || s->rel[i - 1].large == large)
            return s->by_large.slot + h;
    }
}

/* Empty tables for twice `cap` relations, filled again. */
static bool rehash(struct mpqs_store *s, uint32_t cap)
{
    uint32_t size = 2 * cap;
    uint32_t *a = calloc(size, sizeof *a), *b = calloc(size, sizeof *b);
    if (!a || !b) {
        free(a);
        free(b);
        return false;
    }
    free(s->by_value.slot);
    free(s->by_large.slot);
    s->by_value = (struct mpqs_table){a, size - 1};
    s->by_large = (struct mpqs_table){b, size - 1};
    for (uint32_t i = 0; i < s->n; i++) {
        *slot_value(s, s->value + (size_t)i * s->limbs) = i + 1;
        if (s->rel[i].large > 1 && s->rel[i].mate == i)
            *slot_large(s, s->rel[i].large) = i + 1;
    }
    return true;
}

static bool grow_rows(struct mpqs_store *s)
{
    if (s->row_n + MPQS_ROWS_MAX <= s->row_cap)
        return true;
    uint32_t cap = s->row_cap ? 2 * s->row_cap : 8192;
    uint16_t *row = realloc(s->row, cap * sizeof *row);
    if (!row)
        return false;
    s->row = row;
    s->row_cap = cap;
    return true;
}

/* Room for one more relation of up to MPQS_ROWS_MAX rows, and one more set. */
static bool reserve(struct mpqs_store *s)
{
    if (!grow_rows(s))
        return false;
    if (s->n < s->cap)
        return true;
    uint32_t cap = s->cap ? 2 * s->cap : 512;
    struct mpqs_relation *rel = realloc(s->rel, cap * sizeof *rel);
    if (rel)
        s->rel = rel;
    uint64_t *value = realloc(s->value, (size_t)cap * MPQS_LIMBS * sizeof *value);
    if (value)
        s->value = value;
    uint32_t *set = realloc(s->set, cap * sizeof *set);
    if (set)
        s->set = set;
    if (!rel || !value || !set || !rehash(s, cap))
        return false;
    s->cap = cap;
    return true;
}

static bool see_rows(struct mpqs_store *s, const struct mpqs_relation *r)
{
    for (uint32_t i = r->rows; i < r->rows + r->nrows; i++) {
        uint32_t row = s->row[i];
        if (row >= s->seen_cap) {
            uint32_t cap = s->seen_cap ? 2 * s->seen_cap : 1024;
            while (cap <= row)
                cap *= 2;
            uint8_t *seen = realloc(s->seen, cap);
            if (!seen)
                return false;
            memset(seen + s->seen_cap, 0, cap - s->seen_cap);
            s->seen = seen;
            s->seen_cap = cap;
        }
        s->seen_n += !s->seen[row];
        s->seen[row] = 1;
    }
    return true;
}

/* Adds a relation (see struct mpqs_relation) unless it is known. False: no memory. */
bool mpqs_store_add(struct mpqs_store *s, const uint64_t *value, const uint16_t *row,
                    uint32_t nrows, uint32_t large)
{
    if (!reserve(s))
        return false;
    uint32_t *slot = slot_value(s, value), i = s->n;
    if (*slot)
        return true;
    *slot = i + 1;
    memcpy(s->value + (size_t)i * s->limbs, value, s->limbs * sizeof *value);
    memcpy(s->row + s->row_n, row, nrows * sizeof *row);
    struct mpqs_relation *r = &s->rel[i];
    *r = (struct mpqs_relation){s->row_n, nrows, large, i};
    s->row_n += nrows;
    s->n++;
    if (large > 1) {
        slot = slot_large(s, large);
        if (!*slot) {
            *slot = i + 1;
            return true;
        }
        r->mate = *slot - 1;
    }
    s->set[s->set_n++] = i;
    return see_rows(s, r) && (large == 1 || see_rows(s, &s->rel[r->mate]));
}
