/*
 * timeline: how busy each thread of a run was, moment by moment, as a trace tells.
 */
#ifndef QUERN_CMD_TIMELINE_H
#define QUERN_CMD_TIMELINE_H

#include <stddef.h>

#include "base/qjson.h"

enum { TIMELINE_BINS = 100, TIMELINE_NAME = 64 };

struct timeline_row {
    char name[TIMELINE_NAME];   /* "worker 1", or with several ranks "0: worker 1" */
    double pid, tid;            /* of a trace: rank and thread */
    bool worker;                /* it computes */
    double busy[TIMELINE_BINS]; /* shares, 0 ... 1 */
};

struct timeline {
    double seconds; /* of all bins together */
    struct timeline_row *rows;
    size_t n, room; /* n 0: there is nothing to show */
};

/* From a trace (see docs/formats.md), or from what timeline_put wrote. Workers stand
 * first. What is neither gives an empty one. */
int timeline_read(struct timeline *t, const struct qjson *doc, struct qerr *e);
void timeline_release(struct timeline *t);

/* An object of that key. */
void timeline_put(const struct timeline *t, const char *key, struct qjson_writer *w);

/* The share of the workers that are busy in a bin. */
double timeline_use(const struct timeline *t, size_t bin);

#endif
