/* The engine for n < 2^63: see ecm64_avx2.h. */
#ifdef __x86_64__
enum { BITS = 63 };
#include "arith/ecm64_avx2.h"

const struct ecm64_engine ecm64_avx2_63 = {LANES, BITS, number, run, residues};

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
