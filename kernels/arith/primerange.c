/*
 * A call of primesieve for [a, b] begins with the primes up to sqrt(b), which takes
 * about 0.6 to 0.9 ns * sqrt(b); from then on an integer takes 0.05 to 0.4 ns.
 * prime64_batch takes about 6 ns for each integer from the start. So short ranges are
 * tested, long ones sieved; and above SIEVE_HEIGHT all are tested, because there the
 * start takes longer than a worker may be out of reach, and as much memory as a machine
 * has not for each.
 *
 * primesieve is told to use one thread: the caller's. Its functions cannot be
 * interrupted, so it gets pieces.
 *
 * It is loaded when the first range asks for it: it brings the C++ library along, and
 * starting a program with both takes twice as long as without. Where it cannot be
 * loaded, all integers are tested: the same answers, later.
 */
#include "arith/primerange.h"

#include <dlfcn.h>
#include <math.h>
#include <primesieve.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "arith/prime64.h"

enum {
    TESTED = 4096,        /* integers in a piece that is tested */
    SHORT = 16,           /* it is sieved if it has sqrt(end) / SHORT integers */
    GAP = 2048,           /* the lists go on so far behind their end; see list_sieved */
    THREAD_ROOM = 8 << 20 /* bytes; see make_thread_data */
};
static const uint64_t SIEVE_HEIGHT = UINT64_C(1) << 54; /* and less is sieved */
/* Integers in a piece that is sieved: so many, or START_WORTH * sqrt(end) if that is
 * more, but at most MOST, which take a second. */
static const uint64_t SIEVED = UINT64_C(1) << 28, MOST = UINT64_C(3) << 30;
enum { START_WORTH = 64 };

struct primerange {
    primesieve_iterator it;
    uint64_t at;   /* the list goes on here ... */
    uint64_t next; /* ... with this prime >= at; 0: there is no list */
    uint64_t v[TESTED];
    uint8_t prime[TESTED];
};

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
/* The iterator's layout is that of the header, so no other version will do. */
#define LIBRARY "libprimesieve.so." TEXT(PRIMESIEVE_VERSION_MAJOR)

#define FUNCTIONS(f)                                                                   \
    f(set_num_threads) f(init) f(free_iterator) f(jump_to) f(generate_next_primes)     \
        f(count_primes)

#define MEMBER(name) __typeof__(&primesieve_##name) name;
static struct {
    FUNCTIONS(MEMBER)
    void *(*thread_data)(void); /* __cxa_get_globals of the C++ library */
    bool loaded;
} sieve;
#undef MEMBER

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Bytes are copied because C has no conversion from an object's pointer to a
 * function's. */
static bool find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
#define FIND(name) &&find(library, "primesieve_" #name, &sieve.name)
    sieve.loaded = library FUNCTIONS(FIND) &&
                   find(library, "__cxa_get_globals", &sieve.thread_data);
#undef FIND
    if (sieve.loaded)
        sieve.set_num_threads(1);
}

const char *primerange_library(void)
{
    pthread_once(&once, load);
    return sieve.loaded ? LIBRARY : NULL;
}

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

/* The C++ library keeps data for each thread. For a library that was not there when the
 * program started, the loader makes room when a thread first touches them, and where
 * there is none it ends the process. So have them made here, one thread at a time, when
 * there is room to spare: as much as sieving itself will want. */
static bool make_thread_data(void)
{
    pthread_mutex_lock(&making);
    void *volatile room = malloc(THREAD_ROOM);
    free(room);
    bool made = room && sieve.thread_data();
    pthread_mutex_unlock(&making);
    return made;
}

struct primerange *primerange_new(void)
{
    bool loaded = primerange_library();
    if (loaded && !make_thread_data())
        return NULL;
    struct primerange *r = calloc(1, sizeof *r);
    if (r && loaded)
        sieve.init(&r->it);
    return r;
}

void primerange_free(struct primerange *r)
{
    if (r && sieve.loaded)
        sieve.free_iterator(&r->it);
    free(r);
}

static bool can_sieve(uint64_t first, uint64_t count)
{
    return sieve.loaded && first < SIEVE_HEIGHT && count <= SIEVE_HEIGHT - first;
}

/* (SHORT * count)^2 >= end, without overflow: end < SIEVE_HEIGHT. */
static bool is_long(uint64_t first, uint64_t count)
{
    return count >= SIEVED || SHORT * count * SHORT * count >= first + count;
}

/* Tests the first integers; returns how many. */
static size_t test(struct primerange *r, uint64_t first, uint64_t count)
{
    size_t n = count < TESTED ? (size_t)count : TESTED;
    for (size_t i = 0; i < n; i++)
        r->v[i] = first + i;
    prime64_batch(r->v, n, r->prime);
    return n;
}

/* The start takes START_NS * sqrt(last) and is to be a small share of a claim; a list
 * takes longer to use than to make, and must fit in memory. */
void primerange_claim(uint64_t first, uint64_t last, bool count, uint64_t *least,
                      unsigned *ms)
{
    const double START_NS = 0.9;
    enum { USUAL_MS = 100, COUNT_STARTS = 20, LIST_STARTS = 2, LEAST = 8 };
    *least = 1;
    *ms = USUAL_MS;
    if (first >= SIEVE_HEIGHT)
        return;
    if (last > SIEVE_HEIGHT)
        last = SIEVE_HEIGHT; /* up to there it is sieved */
    double start = sqrt((double)last), start_ms = start * START_NS * 1e-6;
    double worth = start_ms * (count ? COUNT_STARTS : LIST_STARTS);
    *least += (uint64_t)(start * LEAST);
    if (worth > USUAL_MS)
        *ms = (unsigned)worth;
}

/* How many integers a call takes at most. */
static uint64_t piece(uint64_t first)
{
    uint64_t worth =
        first < SIEVE_HEIGHT ? (uint64_t)sqrt((double)first) * START_WORTH : 0;
    return worth < SIEVED ? SIEVED : worth < MOST ? worth : MOST;
}

uint64_t primerange_count(struct primerange *r, uint64_t first, uint64_t count,
                          uint64_t *primes)
{
    if (count > piece(first))
        count = piece(first);
    if (can_sieve(first, count) && is_long(first, count)) {
        *primes = sieve.count_primes(first, first + count - 1);
        return *primes == PRIMESIEVE_ERROR ? 0 : count;
    }
    size_t n = test(r, first, count);
    *primes = 0;
    for (size_t i = 0; i < n; i++)
        *primes += r->prime[i];
    return n;
}

static uint64_t list_tested(struct primerange *r, uint64_t first, uint64_t count,
                            uint64_t *primes, size_t room, size_t *n)
{
    size_t tested = test(r, first, count);
    *n = 0;
    for (size_t i = 0; i < tested; i++) {
        if (!r->prime[i])
            continue;
        if (*n == room)
            return i;
        primes[(*n)++] = r->v[i];
    }
    return tested;
}

/* primesieve_next_prime of the header. */
static uint64_t next_prime(primesieve_iterator *it)
{
    it->i++;
    if (it->i >= it->size)
        sieve.generate_next_primes(it);
    return it->primes[it->i];
}

/* The list is begun anew when it does not go on from the last one. That a list is at
 * its end shows in a prime behind it, so primesieve is told an end where there is one:
 * what it has not sieved by then would cost another start. */
static uint64_t list_sieved(struct primerange *r, uint64_t first, uint64_t count,
                            uint64_t *primes, size_t room, size_t *n)
{
    uint64_t last = first + count - 1;
    if (r->next == 0 || r->at != first) {
        sieve.jump_to(&r->it, first, last + GAP);
        r->next = next_prime(&r->it);
    }
    size_t found = 0;
    uint64_t next = r->next;
    while (found < room && next <= last) {
        primes[found++] = next;
        next = next_prime(&r->it);
    }
    *n = found;
    r->next = next;
    r->at = next <= last ? next : last + 1;
    if (next != PRIMESIEVE_ERROR)
        return r->at - first;
    r->next = 0;
    return 0;
}

uint64_t primerange_list(struct primerange *r, uint64_t first, uint64_t count,
                         uint64_t *primes, size_t room, size_t *n)
{
    if (count > piece(first))
        count = piece(first);
    bool goes_on = r->next > 0 && r->at == first;
    if (can_sieve(first, count) && (goes_on || is_long(first, count)))
        return list_sieved(r, first, count, primes, room, n);
    return list_tested(r, first, count, primes, room, n);
}
