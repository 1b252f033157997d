/*
 * benchdoc: what a benchmark measured, and its forms: the table, CSV, JSON.
 * docs/formats.md describes them.
 */
#ifndef QUERN_CMD_BENCHDOC_H
#define QUERN_CMD_BENCHDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qbuf.h"
#include "base/qhash.h"
#include "cmd/benchtarget.h"
#include "cmd/host.h"
#include "cmd/timeline.h"

enum { BENCH_REPEAT_MAX = 100, BENCH_CELLS = 64 };

struct bench_cell {
    enum bench_mode mode;
    unsigned width, n;
    double seconds[BENCH_REPEAT_MAX], cpu[BENCH_REPEAT_MAX];
    uint64_t peak_bytes;
    char digest[QHASH_HEX]; /* of the first run; "" before */
    char why[224];          /* it failed, and is not measured (n is 0); or "" */
    struct qbuf stats;      /* what --stats of the warm-up run wrote, or empty */
    struct timeline timeline;

    /* bench_doc_finish. */
    double min, median, max, cpu_median, speedup, efficiency;
};

struct bench_doc {
    struct bench_cell cells[BENCH_CELLS];
    size_t n;
    const char *missing[BENCH_MODES]; /* why a mode that was asked for was left out */
    unsigned repeat, warmup;
    bool weak;        /* the work grows with the width */
    bool same;        /* all runs gave the same bytes, for each amount of work */
    int status;       /* what all runs ended with; negative before the first */
    char stopped[64]; /* by what, before all runs were made; or "" */
    struct qbuf command, again;
    char started[HOST_TIME];

    /* bench_doc_finish: what the others are compared with; NULL: nothing is measured */
    const struct bench_cell *base;
};

/* What follows from the times. */
void bench_doc_finish(struct bench_doc *d);
void bench_doc_release(struct bench_doc *d);

void bench_doc_table(const struct bench_doc *d, struct qbuf *out);
void bench_doc_csv(const struct bench_doc *d, struct qbuf *out);
void bench_doc_json(const struct bench_doc *d, struct qbuf *out);

#endif
