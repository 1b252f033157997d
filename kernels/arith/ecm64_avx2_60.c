/* The engine for n < 2^60: see ecm64_avx2.h. */
#ifdef __x86_64__
enum { BITS = 60 };
#include "arith/ecm64_avx2.h"

const struct ecm64_engine ecm64_avx2_60 = {LANES, BITS, number, run, residues};

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
