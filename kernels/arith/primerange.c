/*
 * primesieve begins with the primes up to sqrt(b), which takes 0.6 to 0.9 ns * sqrt(b);
 * from then on an integer takes 0.05 to 1 ns. prime64_batch takes 6 to 10 ns for each
 * from the start. So short ranges are tested, long ones sieved.
 *
 * Far up the start is a second or more, so it is not paid for each call: primes are
 * listed by an iterator, which goes on where the next call begins behind the last one,
 * not too far (of two threads each passes over what the other has). Counting them in
 * its lists costs no more than primesieve's own counting, which has to begin anew each
 * time.
 *
 * There primesieve keeps 8 bytes for each prime below sqrt(b): 0.4 GB at 10^18, 1.6 GB
 * at 2^64. A thread sieves only where that is less than what half of the memory holds
 * for each CPU, and no more threads than CPUs do so at once. That is known before, as
 * it has to be: an iterator that finds no memory ends the process.
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
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "arith/prime64.h"

enum {
    TESTED = 4096,        /* integers in a piece that is tested */
    SIEVED = 1 << 28,     /* ... and in one that is sieved: a third of a second */
    SHORT = 16,           /* it is sieved if it has sqrt(end) / SHORT integers */
    GAP = 2048,           /* the lists go on so far behind their end; see begin_list */
    THREAD_ROOM = 8 << 20 /* bytes; see make_thread_data */
};
/* Below, pieces are counted by primesieve itself: the start is a twentieth of them. */
static const uint64_t COUNTED = UINT64_C(1) << 44;
/* Below, nobody minds the memory: 50 MB for each thread. */
static const uint64_t MODEST = UINT64_C(1) << 54;
static const double ROOT_BYTES = 0.4; /* for each integer below sqrt(b) */
/* Behind it there is no prime below 2^64; an iterator that looks for one ends the
 * process. */
static const uint64_t LAST_PRIME = UINT64_C(18446744073709551557), NONE = UINT64_MAX;

struct primerange {
    primesieve_iterator it;
    uint64_t at;   /* the list goes on here ... */
    uint64_t next; /* ... with this prime >= at, or NONE; 0: there is no list */
    uint64_t end;  /* it may go on up to here */
    bool far;      /* counted in `far` */
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
    uint64_t limit; /* of memory; 0: none */
    uint64_t top;   /* up to here there is memory to sieve */
    unsigned cpus;
} sieve;
#undef MEMBER

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint far; /* threads that sieve above MODEST */

/* Bytes are copied because C has no conversion from an object's pointer to a
 * function's. */
static bool find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

/* Half of the memory, for each CPU: the share of the job, where a job has as much of
 * the one as of the other. */
static double memory_share(void)
{
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        (double)limit.rlim_cur < bytes)
        bytes = (double)limit.rlim_cur;
    if (sieve.limit > 0 && (double)sieve.limit < bytes)
        bytes = (double)sieve.limit;
    return bytes / 2 / sieve.cpus;
}

void primerange_limit(uint64_t bytes)
{
    sieve.limit = bytes;
}

static void load(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    sieve.cpus = cpus > 1 ? (unsigned)cpus : 1;
    double root = memory_share() / ROOT_BYTES;
    sieve.top = root < 0x1p32 ? (uint64_t)(root * root) : UINT64_MAX;
    if (sieve.top < MODEST)
        sieve.top = MODEST;

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
    if (r && r->far)
        atomic_fetch_sub(&far, 1);
    free(r);
}

/* (SHORT * count)^2 >= last, without overflow. */
static bool is_long(uint64_t last, uint64_t count)
{
    return count >= SIEVED || SHORT * count * SHORT * count >= last;
}

/* Whether there is memory; if so it is this thread's. */
static bool has_memory(struct primerange *r, uint64_t last)
{
    if (last < MODEST || r->far)
        return last <= sieve.top;
    if (last > sieve.top)
        return false;
    r->far = atomic_fetch_add(&far, 1) < sieve.cpus;
    if (!r->far)
        atomic_fetch_sub(&far, 1);
    return r->far;
}

/* Whether to pass over what is between the list and [first, last] takes less than to
 * begin anew. */
static bool goes_on(const struct primerange *r, uint64_t first, uint64_t last)
{
    return r->next > 0 && r->at <= first && last <= r->end &&
           (double)(first - r->at) <= sqrt((double)last);
}

static bool can_sieve(struct primerange *r, uint64_t first, uint64_t count)
{
    uint64_t last = first + count - 1;
    bool follows = r->at == first && goes_on(r, first, last);
    return sieve.loaded && (follows || is_long(last, count)) && has_memory(r, last);
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

/* The start takes START_NS * sqrt(last) and is to be a small share of a claim, for who
 * has the next one may have to begin anew. Lists, which are long, get the usual time.
 */
void primerange_claim(uint64_t first, uint64_t last, bool count, uint64_t *least,
                      unsigned *ms)
{
    const double START_MS = 0.9e-6;
    enum { USUAL_MS = 100, MOST_MS = 30000, STARTS = 16 };
    *least = 1;
    *ms = USUAL_MS;
    if (!primerange_library() || first > sieve.top)
        return;
    double start = sqrt((double)(last < sieve.top ? last : sieve.top));
    double worth = USUAL_MS + start * START_MS * (count ? STARTS : 1);
    *least += (uint64_t)(start * STARTS);
    *ms = worth < MOST_MS ? (unsigned)worth : MOST_MS;
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

/* primesieve_next_prime of the header, but for the end. */
static uint64_t next_prime(primesieve_iterator *it)
{
    if (it->i < it->size && it->primes[it->i] == LAST_PRIME)
        return NONE;
    it->i++;
    if (it->i >= it->size)
        sieve.generate_next_primes(it);
    return it->primes[it->i];
}

/* Goes on behind `last`; returns how many primes it passes. */
static uint64_t pass(struct primerange *r, uint64_t last)
{
    primesieve_iterator *it = &r->it;
    uint64_t n = 0;
    while (r->next <= last && r->next != NONE) {
        if (it->primes[it->size - 1] <= last) { /* and all that are there */
            n += it->size - 1 - it->i;
            it->i = it->size - 1;
        }
        n++;
        r->next = next_prime(it);
    }
    return n;
}

/* Has a list from `first` on: the one that is there, or a new one. That it is at its
 * end shows in a prime behind it, so primesieve is told an end, that of the integers
 * `ahead`, where there is one: what it has not sieved by then would cost another start.
 */
static void begin_list(struct primerange *r, uint64_t first, uint64_t last,
                       uint64_t ahead)
{
    if (goes_on(r, first, last)) {
        if (r->at < first)
            (void)pass(r, first - 1);
        return;
    }
    r->end = ahead < sieve.top - last ? last + ahead : sieve.top;
    r->next = NONE;
    if (first > LAST_PRIME)
        return;
    sieve.jump_to(&r->it, first, r->end < UINT64_MAX - GAP ? r->end + GAP : UINT64_MAX);
    r->next = next_prime(&r->it);
}

/* The list has been used before `at`; that is 0 behind 2^64. */
static void leave_list(struct primerange *r, uint64_t at)
{
    r->at = at;
    if (at == 0)
        r->next = 0;
}

static uint64_t count_sieved(struct primerange *r, uint64_t first, uint64_t last,
                             uint64_t ahead)
{
    begin_list(r, first, last, ahead);
    uint64_t n = pass(r, last);
    leave_list(r, last + 1);
    return n;
}

uint64_t primerange_count(struct primerange *r, uint64_t first, uint64_t count,
                          uint64_t ahead, uint64_t *primes)
{
    if (count > SIEVED) {
        ahead += count - SIEVED;
        count = SIEVED;
    }
    uint64_t last = first + count - 1;
    if (can_sieve(r, first, count)) {
        *primes = last < COUNTED ? sieve.count_primes(first, last)
                                 : count_sieved(r, first, last, ahead);
        return *primes == PRIMESIEVE_ERROR ? 0 : count;
    }
    size_t n = test(r, first, count);
    *primes = 0;
    for (size_t i = 0; i < n; i++)
        *primes += r->prime[i];
    return n;
}

static uint64_t list_sieved(struct primerange *r, uint64_t first, uint64_t last,
                            uint64_t ahead, uint64_t *primes, size_t room, size_t *n)
{
    size_t found = 0;
    begin_list(r, first, last, ahead);
    while (found < room && r->next <= last && r->next != NONE) {
        primes[found++] = r->next;
        r->next = next_prime(&r->it);
    }
    *n = found;
    uint64_t at = r->next <= last && r->next != NONE ? r->next : last + 1;
    leave_list(r, at);
    return at - first;
}

uint64_t primerange_list(struct primerange *r, uint64_t first, uint64_t count,
                         uint64_t ahead, uint64_t *primes, size_t room, size_t *n)
{
    if (count > SIEVED) {
        ahead += count - SIEVED;
        count = SIEVED;
    }
    if (can_sieve(r, first, count))
        return list_sieved(r, first, first + count - 1, ahead, primes, room, n);
    return list_tested(r, first, count, primes, room, n);
}
