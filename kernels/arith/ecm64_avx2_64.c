/* The engine for n < 2^64: see ecm64_avx2.h. */
#ifdef __x86_64__
enum { BITS = 64 };
#include "arith/ecm64_avx2.h"

const struct ecm64_engine ecm64_avx2_64 = {LANES, BITS, number, run, residues};

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
