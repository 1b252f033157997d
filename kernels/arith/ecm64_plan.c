/*
 * Plans and starting points.
 *
 * Stage 1 multiplies by each prime power up to b1 with a Lucas chain found by
 * Montgomery's rules ("Evaluating recurrences of form X_{m+n} = f(X_m, X_n, X_{m-n})
 * via Lucas chains", 1983, table 4). The rules start from a pair (p, r); the r of the
 * table gives the shortest chain among all p/2 < r < p. A tool is not needed to trust
 * it: any r whose chain ends in d = 1 is a right chain, and the unit test walks every
 * program on integers.
 *
 * Stage 2 finds one more prime q = i*d +- j, b1 < q <= b2: then i*d*Q and j*Q are equal
 * up to sign, and so are their affine x. One product covers both signs.
 *
 * The curves are Suyama's: for sigma = s / t, with u = s^2 - 5 t^2 and v = 4 s t, the
 * curve with (A + 2)/4 = (v - u)^3 (3u + v) / (16 u^3 v) has the point (u^3 : v^3), and
 * 12 divides the order of its group. Nothing is inverted: the fraction stays one. For u
 * > v > 0, which holds for all of the table, the sign is negative.
 */
#include <stdbool.h>
#include <string.h>

#include "arith/ecm64.h"

/* The r that starts the chain of each prime. */
static const struct {
    uint16_t p, r;
} chains[] = {
    /* clang-format off */
    {5, 3}, {7, 4}, {11, 7}, {13, 8}, {17, 11}, {19, 12}, {23, 14}, {29, 18}, {31, 19},
    {37, 23}, {41, 25}, {43, 27}, {47, 29}, {53, 33}, {59, 36}, {61, 38}, {67, 41},
    {71, 44}, {73, 45}, {79, 49}, {83, 51}, {89, 55}, {97, 60}, {101, 62}, {103, 64},
    {107, 66}, {109, 69}, {113, 70}, {127, 79}, {131, 81}, {137, 85}, {139, 86},
    {149, 92}, {151, 93}, {157, 97}, {163, 101}, {167, 103}, {173, 107}, {179, 111},
    {181, 111}, {191, 118}, {193, 119}, {197, 122}, {199, 123}, {211, 131}, {223, 138},
    {227, 140}, {229, 142}, {233, 144}, {239, 148}, {241, 149}, {251, 155},
    /* clang-format on */
};
enum { CHAINS = sizeof(chains) / sizeof(chains[0]), CHAIN_LAST = 251 };

/* A program being written. Points have names; a result goes to a register that no name
 * refers to, and then the name refers to it. */
enum { A, B, C, T, U, NAMES };
struct writer {
    struct ecm64_step *step;
    unsigned count, room;
    uint8_t at[NAMES];
};

static void emit(struct writer *w, bool doubling, int name, uint8_t a, uint8_t b,
                 uint8_t diff)
{
    uint8_t to = 0;
    while (to == w->at[A] || to == w->at[B] || to == w->at[C] || to == w->at[T] ||
           to == w->at[U])
        to++;
    if (w->count < w->room)
        w->step[w->count] = (struct ecm64_step){doubling, to, a, b, diff};
    w->count++;
    w->at[name] = to;
}

static void twice(struct writer *w, int to, int a)
{
    emit(w, true, to, w->at[a], w->at[a], w->at[a]);
}

static void sum(struct writer *w, int to, int a, int b, int diff)
{
    emit(w, false, to, w->at[a], w->at[b], w->at[diff]);
}

static void swap_names(struct writer *w, int a, int b)
{
    uint8_t t = w->at[a];
    w->at[a] = w->at[b];
    w->at[b] = t;
}

static void all_names(struct writer *w, uint8_t reg)
{
    memset(w->at, reg, sizeof w->at);
}

/* One of Montgomery's rules on A, B, C = A - B with d >= e; the last four of his table
 * are never reached by the chains of the table above. */
static bool rule(struct writer *w, int *pd, int *pe)
{
    int d = *pd, e = *pe;
    if (d - e <= e / 4 && (d + e) % 3 == 0) {
        *pd = (2 * d - e) / 3;
        *pe = (2 * e - d) / 3;
        sum(w, T, A, B, C);
        sum(w, U, T, A, B);
        sum(w, B, B, T, A);
        swap_names(w, A, U);
    } else if ((d - e <= e / 4 && (d - e) % 6 == 0) ||
               ((d + 3) / 4 > e && (d + e) % 2 == 0)) {
        *pd = (d - e) / 2;
        sum(w, B, A, B, C);
        twice(w, A, A);
    } else if ((d + 3) / 4 <= e) {
        *pd = d - e;
        sum(w, T, B, A, C);
        swap_names(w, C, B);
        swap_names(w, B, T);
    } else if (d % 2 == 0) {
        *pd = d / 2;
        sum(w, C, A, C, B);
        twice(w, A, A);
    } else {
        return false;
    }
    return *pd > 0 && *pe > 0;
}

/* Appends the chain that multiplies the point in register *reg by p. */
static bool chain(struct writer *w, unsigned p, uint8_t *reg)
{
    unsigned i = 0;
    all_names(w, *reg);
    twice(w, A, A);
    if (p == 3)
        sum(w, A, A, B, B);
    while (p > 3 && i < CHAINS && chains[i].p != p)
        i++;
    if (p > 3 && i == CHAINS)
        return false;
    if (p > 3) {
        int d = chains[i].p - chains[i].r, e = 2 * chains[i].r - chains[i].p;
        while (d != e) {
            if (d < e) {
                int t = d;
                d = e;
                e = t;
                swap_names(w, A, B);
            }
            if (!rule(w, &d, &e))
                return false;
        }
        if (d != 1)
            return false;
        sum(w, A, A, B, C);
    }
    *reg = w->at[A];
    return w->count <= w->room;
}

static bool is_prime(unsigned n)
{
    for (unsigned i = 2; i * i <= n; i++)
        if (n % i == 0)
            return false;
    return n > 1;
}

static bool stage1(struct ecm64_plan *plan)
{
    struct writer w = {plan->step, 0, ECM64_STEPS, {0}};
    uint8_t reg = 0;
    for (unsigned p = 2; p <= plan->b1; p++)
        for (unsigned q = p; is_prime(p) && q <= plan->b1; q *= p)
            if (!chain(&w, p, &reg))
                return false;
    plan->steps = w.count;
    plan->result = reg;
    plan->mark[0] = w.count / 3;
    plan->mark[1] = w.count * 2 / 3;

    struct writer g = {plan->giant_step, 0, 16, {0}};
    reg = 0;
    unsigned rest = plan->d / 6;
    for (unsigned p = 2; p <= 13; p++)
        for (; is_prime(p) && rest % p == 0; rest /= p)
            if (!chain(&g, p, &reg))
                return false;
    plan->giant_steps = g.count;
    plan->giant = reg;
    return rest == 1;
}

/* Baby k stands for the k-th number that is 1 or 5 mod 6. */
static unsigned baby_of(unsigned j)
{
    return j / 3;
}

static bool stage2(struct ecm64_plan *plan)
{
    const unsigned d = plan->d;
    plan->first = (plan->b1 + d / 2) / d;
    plan->first = plan->first ? plan->first : 1;
    plan->last = (plan->b2 + d / 2) / d;
    plan->babies = baby_of(d / 2) + 1;
    plan->babies = plan->babies < 4 ? 4 : plan->babies;
    if (plan->babies > ECM64_BABIES || plan->last >= ECM64_POINTS)
        return false;
    memset(plan->baby_place, -1, sizeof plan->baby_place);
    memset(plan->giant_place, -1, sizeof plan->giant_place);
    plan->points = plan->pairs = 0;
    for (unsigned i = plan->first; i <= plan->last; i++)
        for (unsigned j = 1; j < d / 2; j++) {
            unsigned low = i * d - j, high = i * d + j;
            bool need = (low > plan->b1 && low <= plan->b2 && is_prime(low)) ||
                        (high > plan->b1 && high <= plan->b2 && is_prime(high));
            if (!need || j % 2 == 0 || j % 3 == 0)
                continue;
            int16_t *giant = &plan->giant_place[i],
                    *baby = &plan->baby_place[baby_of(j)];
            if (plan->points + 2 > ECM64_POINTS || plan->pairs + 2 > ECM64_PAIRS)
                return false;
            if (*giant < 0)
                *giant = (int16_t)plan->points++;
            if (*baby < 0)
                *baby = (int16_t)plan->points++;
            plan->pair[plan->pairs].giant = (uint8_t)*giant;
            plan->pair[plan->pairs++].baby = (uint8_t)*baby;
        }
    if (plan->pairs % 2) {
        plan->pair[plan->pairs] = plan->pair[plan->pairs - 1];
        plan->pairs++;
    }
    return plan->points >= 2;
}

int ecm64_plan_make(struct ecm64_plan *plan, unsigned b1, unsigned b2, unsigned d)
{
    if (b1 < 5 || b1 > CHAIN_LAST || b2 <= b1 || d == 0 || d % 6 != 0)
        return 0;
    plan->b1 = b1;
    plan->b2 = b2;
    plan->d = d;
    return stage1(plan) && stage2(plan);
}

/* sigma = s / t of the curves, best first: measured on random primes of 9 to 32 bits,
 * each the one that found most of what those before it had left. The first few have
 * groups of smoother order than most (11 is known for it). */
static const struct {
    uint8_t s, t;
} sigmas[ECM64_CURVES] = {
    /* clang-format off */
    {65, 11}, {47, 3}, {11, 1}, {66, 7}, {7, 1}, {31, 2}, {64, 9}, {38, 3}, {71, 9},
    {56, 9}, {8, 1}, {66, 1}, {67, 13}, {17, 1}, {44, 3}, {38, 7}, {71, 7}, {52, 9},
    {63, 1}, {47, 1}, {54, 5}, {57, 1}, {41, 1}, {73, 6}, {41, 2}, {65, 4}, {61, 5},
    {53, 9}, {71, 1}, {26, 1}, {21, 4}, {66, 5}, {61, 2}, {12, 1}, {67, 5}, {38, 1},
    {35, 3}, {55, 6}, {55, 7}, {39, 5}, {59, 9}, {49, 1}, {6, 1}, {9, 1}, {10, 1},
    {13, 1}, {14, 1}, {15, 1}, {16, 1}, {18, 1}, {19, 1}, {20, 1}, {21, 1}, {22, 1},
    {23, 1}, {24, 1}, {25, 1}, {27, 1}, {28, 1}, {29, 1}, {30, 1}, {31, 1}, {32, 1},
    {33, 1},
    /* clang-format on */
};

void ecm64_start_make(struct ecm64_start *start, unsigned curve)
{
    uint64_t s = sigmas[curve].s, t = sigmas[curve].t;
    uint64_t u = s * s - 5 * t * t, v = 4 * s * t;
    start->x = u * u * u;
    start->z = v * v * v;
    start->a = (u - v) * (u - v) * (u - v) * (3 * u + v);
    start->b = 16 * u * u * u * v;
}
