/*
 * GMP's three memory functions are replaced, before main, by ones that call the former
 * ones and, in a thread that tracks, note the block's address in a hash table (linear
 * probing, deletion by shifting back). A block that was there before is never noted, so
 * it is left alone even if it is freed or moved meanwhile. When the table cannot grow,
 * blocks go unnoted: they are lost, as they would have been.
 */
#include "arith/gmptrack.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "arith/big.h"

struct block {
    void *at; /* NULL: an empty place */
    size_t size;
};

struct table {
    struct block *place; /* a power of two of them, at most half used */
    size_t cap, used;
    bool on;
};

static _Thread_local struct table table;

static void *(*gmp_alloc)(size_t);
static void *(*gmp_realloc)(void *, size_t, size_t);
static void (*gmp_free)(void *, size_t);

static size_t home(const struct table *t, const void *at)
{
    return (size_t)(((uintptr_t)at >> 4) * 0x9e3779b97f4a7c15u >> 20) & (t->cap - 1);
}

static void insert(struct table *t, void *at, size_t size)
{
    size_t i = home(t, at);
    while (t->place[i].at)
        i = (i + 1) & (t->cap - 1);
    t->place[i] = (struct block){at, size};
    t->used++;
}

static bool grow(struct table *t)
{
    struct table bigger = {.cap = t->cap ? 2 * t->cap : 256, .on = true};
    bigger.place = calloc(bigger.cap, sizeof *bigger.place);
    if (!bigger.place)
        return false;
    for (size_t i = 0; i < t->cap; i++)
        if (t->place[i].at)
            insert(&bigger, t->place[i].at, t->place[i].size);
    free(t->place);
    *t = bigger;
    return true;
}

static void note(void *at, size_t size)
{
    if (2 * (table.used + 1) <= table.cap || grow(&table))
        insert(&table, at, size);
}

/* Takes a block out of the table: whether it was there. */
static bool forget(void *at)
{
    struct table *t = &table;
    if (t->used == 0)
        return false;
    size_t mask = t->cap - 1, i = home(t, at);
    for (; t->place[i].at != at; i = (i + 1) & mask)
        if (!t->place[i].at)
            return false;
    for (size_t k = (i + 1) & mask; t->place[k].at; k = (k + 1) & mask)
        if (((k - home(t, t->place[k].at)) & mask) >= ((k - i) & mask)) {
            t->place[i] = t->place[k];
            i = k;
        }
    t->place[i].at = NULL;
    t->used--;
    return true;
}

static void *track_alloc(size_t size)
{
    void *at = gmp_alloc(size);
    if (table.on)
        note(at, size);
    return at;
}

static void *track_realloc(void *old, size_t old_size, size_t size)
{
    bool ours = table.on && forget(old);
    void *at = gmp_realloc(old, old_size, size);
    if (ours)
        note(at, size);
    return at;
}

static void track_free(void *at, size_t size)
{
    if (table.on)
        forget(at);
    gmp_free(at, size);
}

__attribute__((constructor)) static void install(void)
{
    mp_get_memory_functions(&gmp_alloc, &gmp_realloc, &gmp_free);
    mp_set_memory_functions(track_alloc, track_realloc, track_free);
}

void gmptrack_begin(void)
{
    table.on = true;
}

size_t gmptrack_end(void)
{
    size_t left = table.used;
    for (size_t i = 0; i < table.cap; i++)
        if (table.place[i].at)
            gmp_free(table.place[i].at, table.place[i].size);
    free(table.place);
    table = (struct table){.on = false};
    return left;
}
