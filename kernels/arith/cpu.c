#include "arith/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {[CPU_GENERIC] = "generic", [CPU_AVX2] = "avx2"};

bool cpu_can_run(enum cpu_path path)
{
    if (path == CPU_GENERIC)
        return true;
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
#else
    return false;
#endif
}

/* The path that QUERN_CPU names, if this processor can run it; else the best there is,
 * and *unknown is the name, if there is one. */
static enum cpu_path choose(const char **unknown)
{
    const char *forced = getenv("QUERN_CPU");
    enum cpu_path best = cpu_can_run(CPU_AVX2) ? CPU_AVX2 : CPU_GENERIC;
    *unknown = NULL;
    if (!forced || *forced == '\0')
        return best;
    for (int path = CPU_GENERIC; path <= (int)best; path++)
        if (strcmp(forced, names[path]) == 0)
            return (enum cpu_path)path;
    *unknown = forced;
    return best;
}

const char *cpu_unknown(void)
{
    const char *unknown;
    (void)choose(&unknown);
    return unknown;
}

const char *cpu_choices(void)
{
    return cpu_can_run(CPU_AVX2) ? "generic, avx2" : "generic";
}

enum cpu_path cpu_path(void)
{
    static atomic_int chosen = -1; /* threads may choose at once, and choose the same */
    int path = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (path < 0) {
        const char *unknown;
        path = (int)choose(&unknown);
        atomic_store_explicit(&chosen, path, memory_order_relaxed);
    }
    return (enum cpu_path)path;
}

const char *cpu_path_name(void)
{
    return names[cpu_path()];
}
