/*
 * Complete factorization below 2^64, a block of numbers at a time.
 *
 * Trial division comes first. What is left of a number, its rest, is prime if it is
 * below TRIAL_NEXT^2 or if prime64 says so, and then nothing more is to be done. A
 * composite rest becomes a part. A square is split by its root, a small part as a
 * difference of squares; every other one goes to a queue by its size (which engine can
 * take it) and its level (how many curves it has outlived: bounds grow with the level).
 * The fullest queue is run next, so that the engines' lanes are full as long as
 * possible. A split part becomes two new parts, and so on until all are prime. A part
 * that outlives all curves goes to rho, which cannot give up.
 *
 * Most random numbers have a small factor left that a cheap curve finds; products of
 * two large primes only lose time there. A block is taken for a list of hard numbers,
 * and begins with the last level, if most of it are composites that trial division left
 * as they were (7 % of random numbers are).
 *
 * Before a factorization is given out its factors are multiplied back. Each has been
 * proved prime by then: it is a prime of the table, or below TRIAL_NEXT^2 without a
 * divisor in the table, or passed prime64.
 */
#include "arith/factor64.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arith/cpu.h"
#include "arith/factor64_path.h"
#include "arith/factor64_rho.h"
#include "arith/prime64.h"

enum {
    BLOCK = TRIAL_BLOCK,
    PARTS = 6, /* most prime factors above TRIAL_LAST: 1021^6 < 2^64 < 1021^7 */
    CLASSES = 5,
    INTEGERS = 2, /* the first class above 2^52 */
    LEVELS = 4,
    RUN = 1024, /* most parts in one run of an engine, and in one test of primality */
    NONE = UINT16_MAX,
    MERGE = 32,  /* fewer parts do not fill the lanes */
    HARD_MIN = 8 /* fewer numbers are never taken for a hard list */
};
_Static_assert(BLOCK *PARTS < NONE, "parts have 16-bit numbers");

/* Classes by size, with the bounds and curves of their levels. */
static const struct {
    uint8_t bits, engine;
    struct {
        uint16_t b1, b2, d, curves;
    } level[LEVELS];
} classes[CLASSES] = {
    {36,
     0,
     {{15, 154, 30, 4}, {27, 600, 60, 4}, {37, 1230, 78, 4}, {70, 1340, 210, 255}}},
    {52,
     0,
     {{27, 600, 60, 2}, {45, 1350, 84, 3}, {70, 2100, 210, 4}, {70, 3000, 210, 255}}},
    {60,
     1,
     {{30, 900, 60, 1},
      {60, 2100, 120, 3},
      {120, 4800, 210, 5},
      {205, 9000, 330, 255}}},
    {63,
     2,
     {{30, 900, 60, 1},
      {60, 2100, 120, 3},
      {120, 4800, 210, 5},
      {205, 9000, 330, 255}}},
    {64,
     3,
     {{30, 900, 60, 1},
      {60, 2100, 120, 3},
      {120, 4800, 210, 5},
      {205, 9000, 330, 255}}},
};

static struct ecm64_plan plans[CLASSES][LEVELS];
static struct ecm64_start starts[ECM64_CURVES];
static bool plans_good[CLASSES][LEVELS];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void)
{
    factor64_hart_init();
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < LEVELS; i++)
            plans_good[c][i] =
                ecm64_plan_make(&plans[c][i], classes[c].level[i].b1,
                                classes[c].level[i].b2, classes[c].level[i].d);
    for (unsigned k = 0; k < ECM64_CURVES; k++)
        ecm64_start_make(&starts[k], k);
}

/* A factor of a number: its parts, its rest (1 if there are parts) and the primes of
 * the table multiply to it. Parts are in lists, linked by their numbers. */
struct part {
    uint64_t value;
    uint16_t next, owner; /* the next of its list; whose part it is */
    uint8_t curve, level; /* curves it has seen, level it has reached */
};
enum { WORDS = sizeof(struct part) / sizeof(uint64_t) };
_Static_assert(WORDS * sizeof(uint64_t) == sizeof(struct part),
               "a part is whole words");

struct list {
    uint16_t head, count;
};

/* The parts are kept at the far end of the room for the factors, downwards from `top`.
 * The factors, written from the near end, never reach them: a number with t twos, s
 * primes of the table and k parts has t + s + k factors and WORDS * k words of parts,
 * and from 2^t * 3^s * 1021^k < 2^64, with WORDS = 2, follows t + s + 3k <= 57 for
 * k > 0; four words more may be written with a number. */
struct block {
    const struct factor64_path *path;
    const uint64_t *n;
    size_t count;
    uint64_t *top;
    uint16_t parts;
    struct list unknown, composite;
    struct list queue[CLASSES][LEVELS];
    struct list primes[BLOCK]; /* of each number */
    struct trial trial;
};

static struct part get(const struct block *b, uint16_t i)
{
    struct part part;
    memcpy(&part, b->top - WORDS * ((size_t)i + 1), sizeof part);
    return part;
}

static void put(struct block *b, uint16_t i, const struct part *part)
{
    memcpy(b->top - WORDS * ((size_t)i + 1), part, sizeof *part);
}

static void push(struct block *b, struct list *l, uint16_t i, struct part *part)
{
    part->next = l->head;
    put(b, i, part);
    l->head = i;
    l->count++;
}

static uint16_t pop(const struct block *b, struct list *l, struct part *part)
{
    uint16_t i = l->head;
    *part = get(b, i);
    l->head = part->next;
    l->count--;
    return i;
}

static bool surely_prime(uint64_t rest)
{
    return rest < (uint64_t)TRIAL_NEXT * TRIAL_NEXT;
}

/* A part without a prime of the table. */
static void add_part(struct block *b, uint16_t i, struct part *part)
{
    if (surely_prime(part->value))
        push(b, &b->primes[part->owner], i, part);
    else
        push(b, &b->unknown, i, part);
}

/* Replaces a part, which is in no list, by its factor f and the rest. */
static void split(struct block *b, uint16_t i, const struct part *part, uint64_t f)
{
    struct part one = *part, other = *part;
    one.value = f;
    other.value = part->value / f;
    add_part(b, i, &one);
    add_part(b, b->parts++, &other);
}

/* A part that is known to be composite. */
static void add_composite(struct block *b, uint16_t i, struct part *part)
{
    uint64_t root = factor64_square_root(part->value);
    if (root != 0)
        split(b, i, part, root);
    else
        push(b, &b->composite, i, part);
}

/* Sorts up to RUN parts of unknown primality. */
static void test_parts(struct block *b)
{
    uint64_t n[RUN];
    uint8_t prime[RUN];
    uint16_t at[RUN];
    size_t count = 0;
    struct part part;
    for (; b->unknown.count > 0 && count < RUN; count++) {
        at[count] = pop(b, &b->unknown, &part);
        n[count] = part.value;
    }
    prime64_batch(n, count, prime);
    for (size_t i = 0; i < count; i++) {
        part = get(b, at[i]);
        if (prime[i])
            push(b, &b->primes[part.owner], at[i], &part);
        else
            add_composite(b, at[i], &part);
    }
}

/* Makes parts of the composite ones among the rests of the numbers at[0..count). */
static void test_rests(struct block *b, const uint16_t *at, size_t count)
{
    uint64_t n[RUN];
    uint8_t prime[RUN];
    uint16_t composite[RUN];
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        n[i] = b->trial.rest[at[i]];
    prime64_batch(n, count, prime);
    for (size_t i = 0; i < count; i++) {
        composite[found] = at[i];
        found += !prime[i];
    }
    for (size_t i = 0; i < found; i++) {
        uint16_t owner = composite[i];
        struct part part = {b->trial.rest[owner], NONE, owner, 0, 0};
        b->trial.rest[owner] = 1;
        add_composite(b, b->parts++, &part);
    }
}

/* Whether most numbers of the block are composites that trial division left as they
 * were. */
static bool is_hard(const struct block *b)
{
    size_t untouched = 0;
    for (uint16_t i = b->composite.head; i != NONE;) {
        struct part part = get(b, i);
        untouched += part.value == b->n[part.owner];
        i = part.next;
    }
    return b->count >= HARD_MIN && 2 * untouched > b->count;
}

static unsigned class_of(uint64_t n)
{
    unsigned c = 0;
    while (c + 1 < CLASSES && n >> classes[c].bits)
        c++;
    return c;
}

/* Splits the small composites, and moves the others to the queues of their size, and
 * of their level or the last. */
static void distribute(struct block *b, bool last)
{
    while (b->composite.count > 0) {
        struct part part;
        uint16_t i = pop(b, &b->composite, &part);
        unsigned c = class_of(part.value);
        uint64_t f = part.value >> FACTOR64_HART_BITS ? 0 : b->path->hart(part.value);
        if (last && c >= INTEGERS)
            part.level = LEVELS - 1;
        if (f)
            split(b, i, &part, f);
        else
            push(b, &b->queue[c][part.level], i, &part);
    }
}

/* Adds the parts of a list to the items of a run with so many curves, up to RUN. */
static size_t take(struct block *b, struct list *l, unsigned curves,
                   struct ecm64_item *item, size_t count)
{
    for (; l->count > 0 && count < RUN; count++) {
        struct part part;
        item[count].user = pop(b, l, &part);
        item[count].n = part.value;
        item[count].factor = 0;
        item[count].whole = 0;
        item[count].curve = part.curve;
        item[count].left = (uint8_t)curves;
    }
    return count;
}

/* Runs curves on the parts of the queues first..class with the engine of class, up to a
 * level and with its plan. */
static void run_queues(struct block *b, unsigned first, unsigned class, unsigned low,
                       unsigned level)
{
    struct ecm64_item item[RUN];
    size_t count = 0;
    for (unsigned c = first; c <= class; c++)
        for (unsigned i = low; i <= level; i++)
            count = take(b, &b->queue[c][i], classes[class].level[level].curves, item,
                         count);
    if (plans_good[class][level])
        ecm64_run(b->path->engine[classes[class].engine], &plans[class][level], starts,
                  item, count);
    for (size_t i = 0; i < count; i++) {
        struct part part = get(b, item[i].user);
        part.curve = item[i].curve;
        if (item[i].factor == 0 &&
            (level + 1 == LEVELS || item[i].whole >= ECM64_WHOLE))
            item[i].factor = factor64_rho(item[i].n);
        if (item[i].factor == 0) {
            part.level = (uint8_t)(level + 1);
            push(b, &b->queue[class_of(part.value)][level + 1], item[i].user, &part);
        } else {
            split(b, item[i].user, &part, item[i].factor);
        }
    }
}

/* Runs the fullest queue; false if all are empty. When even that would leave lanes
 * empty, all queues that the same kind of arithmetic can serve are run as one. */
static bool run_fullest(struct block *b)
{
    unsigned class = 0, level = 0;
    for (unsigned c = 0; c < CLASSES; c++)
        for (unsigned i = 0; i < LEVELS; i++)
            if (b->queue[c][i].count > b->queue[class][level].count) {
                class = c;
                level = i;
            }
    if (b->queue[class][level].count == 0)
        return false;
    if (b->queue[class][level].count >= MERGE) {
        run_queues(b, class, class, level, level);
        return true;
    }
    unsigned first = class < INTEGERS ? 0 : INTEGERS;
    unsigned last = class < INTEGERS ? INTEGERS - 1 : CLASSES - 1;
    for (unsigned c = first; c <= last; c++)
        for (unsigned i = 0; i < LEVELS; i++)
            if (b->queue[c][i].count > 0) {
                class = c > class ? c : class;
                level = i > level ? i : level;
            }
    run_queues(b, first, class, 0, level);
    return true;
}

static void divide(struct block *b)
{
    const struct list empty = {NONE, 0};
    b->parts = 0;
    b->unknown = b->composite = empty;
    for (unsigned c = 0; c < CLASSES; c++)
        for (unsigned i = 0; i < LEVELS; i++)
            b->queue[c][i] = empty;
    b->path->trial(&b->trial, b->n, b->count);
    for (size_t i = 0; i < b->count;) {
        uint16_t at[RUN];
        size_t count = 0, end = b->count - i < RUN ? b->count : i + RUN;
        for (; i < end; i++) {
            b->primes[i] = empty;
            at[count] = (uint16_t)i;
            count += !surely_prime(b->trial.rest[i]);
        }
        test_rests(b, at, count);
    }
}

static void solve(struct block *b)
{
    divide(b);
    for (bool first = true, busy = true; busy; first = false) {
        while (b->unknown.count > 0)
            test_parts(b);
        if (b->composite.count > 0)
            pthread_once(&tables_once, make_tables);
        distribute(b, first && is_hard(b));
        busy = run_fullest(b) || b->unknown.count > 0;
    }
}

#ifdef QUERN_FAULT
static void inject(struct trial *t, size_t i)
{
    const char *fault = getenv("QUERN_FAULT");
    if (fault && strcmp(fault, "factor64") == 0)
        t->rest[i] += 2;
}
#else
static inline void inject(struct trial *t, size_t i)
{
    (void)t;
    (void)i;
}
#endif

/* Inserts v into the ascending p[0..n). */
static void insert(uint64_t *p, unsigned n, uint64_t v)
{
    for (; n > 0 && p[n - 1] > v; n--)
        p[n] = p[n - 1];
    p[n] = v;
}

/* Writes the factors of number i to `to`, and up to four words behind them; `stream`
 * is where its primes of the table are. How many there are is hard to guess, so they
 * are written, and multiplied, four at a time, needed or not. Returns the number of
 * factors, and their product, or 0 if that is 2^64 or more. */
static unsigned write_number(const struct block *b, size_t i, const uint8_t *stream,
                             uint64_t *to, uint64_t *product)
{
    const unsigned twos = b->trial.twos[i], bytes = b->trial.bytes[i];
    uint64_t rest = b->trial.rest[i], all = rest;
    bool wrong = rest == 0;
    unsigned k = 0;
    do {
        to[k] = to[k + 1] = to[k + 2] = to[k + 3] = 2;
        k += 4;
    } while (k < twos);
    to += twos;
    k = 0;
    do {
        uint64_t four = 1; /* < 2^40 */
#pragma GCC unroll 4
        for (unsigned j = k; j < k + 4; j++) {
            uint64_t prime = trial_primes[stream[j]].p;
            to[j] = prime;
            four *= j < bytes ? prime : 1;
        }
        wrong |= __builtin_mul_overflow(all, four, &all);
        k += 4;
    } while (k < bytes);
    to[bytes] = rest;
    k = twos + bytes + (rest > 1);
    for (uint16_t at = b->primes[i].head; at != NONE;) {
        struct part part = get(b, at);
        insert(to - twos, k++, part.value);
        wrong |= __builtin_mul_overflow(all, part.value, &all);
        at = part.next;
    }
    *product = wrong || all << twos >> twos != all ? 0 : all << twos;
    return k;
}

/* Writes the factors of the block's numbers, from p + *used on, and checks them. */
static bool write_out(struct block *b, uint64_t *p, uint32_t *end, uint32_t base,
                      size_t *used)
{
    const uint8_t *stream = b->trial.stream;
    bool good = true;
    for (size_t i = 0; i < b->count; i++) {
        uint64_t product;
        inject(&b->trial, i);
        *used += write_number(b, i, stream, p + *used, &product);
        stream += b->trial.bytes[i];
        good &= product == (b->n[i] ? b->n[i] : 1);
        end[i] = base + (uint32_t)*used;
    }
    return good;
}

bool factor64_batch_by(const struct factor64_path *path, const uint64_t *n,
                       size_t count, uint64_t *p, uint32_t *end, uint32_t base)
{
    struct block b;
    size_t used = 0;
    bool good = true;
    b.path = path;
    b.top = p + count * FACTOR64_MAX;
    for (size_t i = 0; i < count && good; i += BLOCK) {
        b.n = n + i;
        b.count = count - i < BLOCK ? count - i : BLOCK;
        solve(&b);
        good = write_out(&b, p, end + i, base, &used);
    }
    return good;
}

const struct factor64_path factor64_generic = {
    trial_scalar,
    factor64_hart_scalar,
    {&ecm64_scalar, &ecm64_scalar, &ecm64_scalar, &ecm64_scalar}};

#ifdef __x86_64__
static const struct factor64_path path_avx2 = {
    trial_avx2,
    factor64_hart_avx2,
    {&ecm64_avx2_52, &ecm64_avx2_60, &ecm64_avx2_63, &ecm64_avx2_64}};

const struct factor64_path *factor64_avx2(void)
{
    return cpu_can_run(CPU_AVX2) ? &path_avx2 : NULL;
}
#else
const struct factor64_path *factor64_avx2(void)
{
    return NULL;
}
#endif

bool factor64_batch(const uint64_t *n, size_t count, uint64_t *p, uint32_t *end,
                    uint32_t base)
{
    const struct factor64_path *avx2 = cpu_path() == CPU_AVX2 ? factor64_avx2() : NULL;
    return factor64_batch_by(avx2 ? avx2 : &factor64_generic, n, count, p, end, base);
}

int factor64(uint64_t n, uint64_t *p)
{
    uint32_t end = 0;
    return factor64_batch(&n, 1, p, &end, 0) ? (int)end : -1;
}
