/*
 * page: one HTML page about runs and benchmarks, complete in itself: no network, no
 * scripts. For screens of any width, light and dark, for paper, and for who listens:
 * headings, tables with headers, and for every figure its numbers as a table.
 */
#ifndef QUERN_CMD_PAGE_H
#define QUERN_CMD_PAGE_H

#include <stddef.h>

#include "base/qbuf.h"
#include "base/qjson.h"

enum { PAGE_RUNS = 16 };

/* What --stats, --trace and bench wrote. */
struct page_item {
    const char *name; /* of the file, or of the run */
    const struct qjson *stats;
    const struct qjson *trace; /* of the same run, or NULL */
};

/* `bench` is what 'quern bench' wrote, or NULL. Up to PAGE_RUNS items. */
int page_make(const struct qjson *bench, const struct page_item *items, size_t n,
              struct qbuf *out, struct qerr *e);

#endif
