/*
 * cpu: which variant of a kernel runs on this processor. Variants differ in speed only,
 * never in a result.
 *
 * The choice is made at the first call and kept: the best variant that the processor
 * and the system support, or the one that the environment variable QUERN_CPU names
 * ("generic", "avx2"). Safe in threads.
 */
#ifndef QUERN_ARITH_CPU_H
#define QUERN_ARITH_CPU_H

#include <stdbool.h>

enum cpu_path {
    CPU_GENERIC, /* what the compiler targets */
    CPU_AVX2     /* x86-64 with AVX2, FMA, BMI and POPCNT */
};

enum cpu_path cpu_path(void);

/* Its name, as QUERN_CPU spells it. */
const char *cpu_path_name(void);

/* Can this processor run the variant? */
bool cpu_can_run(enum cpu_path path);

/* The value of QUERN_CPU if it names none of the variants that this processor can run,
 * and is passed over; else NULL (not set, or empty, too). */
const char *cpu_unknown(void);

/* The names that QUERN_CPU may have here: "generic" or "generic, avx2". */
const char *cpu_choices(void);

#endif
