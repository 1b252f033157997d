/*
 * Keeping the lanes busy. A lane whose number has a factor, or no curves left, takes
 * the next of the list; when the list has run out it joins a number that is still open,
 * with the next curve, so that the tail of a list and a single number use all lanes
 * too.
 *
 * When the gcd is n itself, every prime of n was found by the same curve; then the
 * residues kept on the way may hold fewer of them. If not, the next curve will tell.
 */
#include "arith/ecm64.h"

#include <stdbool.h>

#include "arith/factor64_gcd.h"

/* gcd(a[i], b[i]) into b[i] for four pairs with odd b, whose chains run side by side.
 */
static void gcd4(const uint64_t *a, uint64_t *b)
{
    uint64_t x[4], y[4];
    for (int i = 0; i < 4; i++) {
        y[i] = b[i];
        x[i] = a[i] ? a[i] >> __builtin_ctzll(a[i]) : b[i];
    }
    uint64_t x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    uint64_t y0 = y[0], y1 = y[1], y2 = y[2], y3 = y[3];
    while ((x0 ^ y0) | (x1 ^ y1) | (x2 ^ y2) | (x3 ^ y3)) {
        factor64_gcd_step(&x0, &y0);
        factor64_gcd_step(&x1, &y1);
        factor64_gcd_step(&x2, &y2);
        factor64_gcd_step(&x3, &y3);
    }
    b[0] = y0;
    b[1] = y1;
    b[2] = y2;
    b[3] = y3;
}

struct lanes {
    const struct ecm64_engine *engine;
    const struct ecm64_start *starts;
    struct ecm64_item *item;
    size_t count, next;                 /* items, and those that have been begun */
    struct ecm64_item *at[ECM64_LANES]; /* NULL: an idle lane */
    const struct ecm64_item *loaded[ECM64_LANES]; /* whose number the engine has */
    const struct ecm64_start *start[ECM64_LANES];
    _Alignas(64) unsigned char work[ECM64_WORK];
};

static bool open_item(const struct ecm64_item *i)
{
    return i && i->factor == 0 && i->left > 0 && i->curve < ECM64_CURVES &&
           i->whole < ECM64_WHOLE;
}

/* What a lane works on next: its own number, a new one, or that of another lane. */
static struct ecm64_item *choose(struct lanes *l, unsigned lane)
{
    if (open_item(l->at[lane]))
        return l->at[lane];
    while (l->next < l->count)
        if (open_item(&l->item[l->next++]))
            return &l->item[l->next - 1];
    for (unsigned i = 1; i < l->engine->lanes; i++) {
        struct ecm64_item *other = l->at[(lane + i) % l->engine->lanes];
        if (open_item(other))
            return other;
    }
    return NULL;
}

static void begin(struct lanes *l, unsigned lane, struct ecm64_item *item)
{
    if (item != l->loaded[lane])
        l->engine->number(l->work, lane, item->n);
    l->loaded[lane] = l->at[lane] = item;
    l->start[lane] = l->starts + item->curve++;
    if (item->left > 0)
        item->left--;
}

/* Gives every lane a number and a curve. Lanes that would be idle try numbers without a
 * curve left: that is free. False when there is nothing left to do. */
static bool deal(struct lanes *l)
{
    unsigned idle[ECM64_LANES], busy[ECM64_LANES], idles = 0, count = 0;
    for (unsigned i = 0; i < l->engine->lanes; i++) {
        struct ecm64_item *item = choose(l, i);
        l->at[i] = NULL;
        if (item) {
            begin(l, i, item);
            busy[count++] = i;
        } else {
            idle[idles++] = i;
        }
    }
    for (unsigned k = 0; k < idles && count > 0; k++) {
        struct ecm64_item *item = l->at[busy[k % count]];
        if (item->curve < ECM64_CURVES)
            begin(l, idle[k], item);
    }
    return count > 0;
}

/* The lanes of pending[0..count) whose residue `which` has a factor in common with n: a
 * proper one goes to the item. Returns the lanes where it was n itself, in pending. */
static unsigned gcds(struct lanes *l, enum ecm64_residue which, unsigned *pending,
                     unsigned count)
{
    uint64_t r[ECM64_LANES], a[ECM64_LANES + 3] = {0}, g[ECM64_LANES + 3];
    unsigned again = 0;
    l->engine->residues(l->work, which, r);
    for (unsigned i = 0; i < count + 3; i++) {
        a[i] = i < count ? r[pending[i]] : 0;
        g[i] = i < count ? l->at[pending[i]]->n : 1;
    }
    for (unsigned i = 0; i < count; i += 4)
        gcd4(a + i, g + i);
    for (unsigned i = 0; i < count; i++) {
        struct ecm64_item *item = l->at[pending[i]];
        if (g[i] == item->n)
            pending[again++] = pending[i];
        else if (g[i] > 1)
            item->factor = g[i];
    }
    return again;
}

static void collect(struct lanes *l)
{
    unsigned pending[ECM64_LANES], count = 0;
    for (unsigned i = 0; i < l->engine->lanes; i++)
        if (l->at[i])
            pending[count++] = i;
    for (int r = 0; r < ECM64_RESIDUES && count > 0; r++)
        count = gcds(l, (enum ecm64_residue)r, pending, count);
    for (unsigned i = 0; i < count; i++)
        l->at[pending[i]]->whole++;
}

void ecm64_run(const struct ecm64_engine *engine, const struct ecm64_plan *plan,
               const struct ecm64_start *starts, struct ecm64_item *item, size_t count)
{
    struct lanes l;
    l.engine = engine;
    l.starts = starts;
    l.item = item;
    l.count = count;
    l.next = 0;
    for (unsigned i = 0; i < ECM64_LANES; i++) {
        l.at[i] = NULL;
        l.start[i] = starts;
    }
    while (l.next < count && !open_item(&item[l.next]))
        l.next++;
    if (l.next == count)
        return;
    for (unsigned i = 0; i < engine->lanes; i++) {
        engine->number(l.work, i, item[l.next].n);
        l.loaded[i] = &item[l.next];
    }
    while (deal(&l)) {
        engine->run(l.work, plan, l.start);
        collect(&l);
    }
}
