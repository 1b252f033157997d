/*
 * bench_data DIR NAME...: makes the inputs of the benchmarks, DIR/NAME.txt, one integer
 * a line. A file is a function of its name only: the same bytes on every machine. One
 * that is there already is left alone.
 *
 * Primes are drawn at random, not by mpz_nextprime, which favours those behind long
 * gaps.
 */
#include <errno.h>
#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t state; /* of the generator: splitmix64 (Steele, Lea, Flood 2014) */

static uint64_t next_random(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A seed for each name: FNV-1a. */
static void seed(const char *name)
{
    state = 0xcbf29ce484222325u;
    for (; *name; name++)
        state = (state ^ (unsigned char)*name) * 0x100000001b3u;
}

/* 0 <= n < 2^bits */
static void random_bits(mpz_t n, unsigned bits)
{
    uint64_t word[8];
    size_t words = (bits + 63) / 64;
    for (size_t i = 0; i < words; i++)
        word[i] = next_random();
    mpz_import(n, words, -1, sizeof *word, 0, 0, word);
    mpz_fdiv_r_2exp(n, n, bits);
}

/* Odd, without a prime factor below 100; `full`: of exactly that many bits. */
static void rough(mpz_t n, unsigned bits, bool full)
{
    bool divided;
    do {
        random_bits(n, bits);
        mpz_setbit(n, 0);
        if (full)
            mpz_setbit(n, bits - 1);
        divided = false;
        for (unsigned long p = 3; p < 100 && !divided; p += 2)
            divided = mpz_divisible_ui_p(n, p);
    } while (divided);
}

static void prime(mpz_t n, unsigned bits)
{
    do
        rough(n, bits, true);
    while (!mpz_probab_prime_p(n, 24));
}

static void semiprime(mpz_t n, unsigned bits)
{
    mpz_t p;
    mpz_init(p);
    prime(n, bits / 2);
    prime(p, bits / 2);
    mpz_mul(n, n, p);
    mpz_clear(p);
}

/* Exactly that many digits, an even number, two primes of half as many. */
static void hard(mpz_t n, unsigned digits)
{
    mpz_t half, p, q;
    mpz_inits(half, p, q, NULL);
    mpz_ui_pow_ui(half, 10, digits / 2 - 1);
    do {
        mpz_t *f[2] = {&p, &q};
        for (int i = 0; i < 2; i++)
            do { /* 3 to 10 times 10^(digits/2 - 1) */
                random_bits(*f[i], 256);
                mpz_mul_ui(n, half, 7);
                mpz_mod(*f[i], *f[i], n);
                mpz_addmul_ui(*f[i], half, 3);
                mpz_setbit(*f[i], 0);
            } while (!mpz_probab_prime_p(*f[i], 24));
        mpz_mul(n, p, q);
    } while (mpz_cmp(p, q) == 0 || mpz_sizeinbase(n, 10) != digits);
    mpz_clears(half, p, q, NULL);
}

enum kind { ANY, ROUGH, FULL_ROUGH, PRIME, SEMI, HARD };

static const struct file {
    const char *name;
    enum kind kind;
    unsigned size; /* bits; digits of HARD */
    size_t count;
} files[] = {
    {"p64", ANY, 64, 8000000},
    {"odd64", ROUGH, 64, 1000000},
    {"primes64", PRIME, 64, 200000},
    {"small32", ANY, 32, 5000000},
    {"odd128", FULL_ROUGH, 128, 40000},
    {"primes128", PRIME, 128, 10000},
    {"rand64f", ANY, 64, 500000},
    {"semi64", SEMI, 64, 100000},
    {"semi96", SEMI, 96, 1000},
    {"semi128", SEMI, 128, 200},
    {"rand128", ANY, 128, 2000},
    {"c50", HARD, 50, 1},
    {"c60", HARD, 60, 1},
    {"c70", HARD, 70, 1},
};

static void draw(mpz_t n, const struct file *f)
{
    switch (f->kind) {
    case ANY:
        random_bits(n, f->size);
        break;
    case ROUGH:
        rough(n, f->size, false);
        break;
    case FULL_ROUGH:
        rough(n, f->size, true);
        break;
    case PRIME:
        prime(n, f->size);
        break;
    case SEMI:
        semiprime(n, f->size);
        break;
    case HARD:
        hard(n, f->size);
        break;
    }
}

/* Writes to a name of its own first, so that a file is there complete or not at all. */
static bool make(const char *dir, const struct file *f)
{
    char path[4096], part[4096 + 8];
    snprintf(path, sizeof path, "%s/%s.txt", dir, f->name);
    snprintf(part, sizeof part, "%s.part", path);
    FILE *out = fopen(path, "r");
    if (out)
        return fclose(out) == 0;
    out = fopen(part, "w");
    if (!out) {
        fprintf(stderr, "bench_data: %s: %s\n", part, strerror(errno));
        return false;
    }
    char text[128]; /* numbers have at most 70 digits */
    mpz_t n;
    mpz_init(n);
    seed(f->name);
    for (size_t i = 0; i < f->count; i++) {
        draw(n, f);
        fprintf(out, "%s\n", mpz_get_str(text, 10, n));
    }
    mpz_clear(n);
    bool good = fflush(out) == 0 && !ferror(out);
    good = fclose(out) == 0 && good && rename(part, path) == 0;
    if (!good)
        fprintf(stderr, "bench_data: %s: %s\n", path, strerror(errno));
    return good;
}

int main(int argc, char **argv)
{
    bool good = argc > 2;
    if (!good)
        fprintf(stderr, "usage: bench_data DIR NAME...\n");
    for (int i = 2; i < argc; i++) {
        size_t k = 0, known = sizeof files / sizeof *files;
        while (k < known && strcmp(files[k].name, argv[i]) != 0)
            k++;
        if (k == known)
            fprintf(stderr, "bench_data: no data is called '%s'\n", argv[i]);
        good = k < known && make(argv[1], &files[k]) && good;
    }
    return !good;
}
