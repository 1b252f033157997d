/*
 * svg: the figures of a report, as SVG inside an HTML page. Each is 420 units wide, so
 * that its letters can be read on a phone; its colours are the page's (page.c), by
 * class. Each carries its title and what it shows in words, for who does not see it.
 */
#ifndef QUERN_CMD_SVG_H
#define QUERN_CMD_SVG_H

#include <stddef.h>

#include "base/qbuf.h"
#include "base/qjson.h"
#include "cmd/timeline.h"

/* Text for HTML: & < > and quotes written as entities; of bytes that are no UTF-8, as
 * names of files may have, each as the sign for that. */
void svg_text(const char *text, struct qbuf *out);

/* snprintf for what people read: what does not fit ends in "...", and never inside a
 * letter of several bytes. `size` from 4 to 256. */
void svg_print(char *to, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct svg_chart {
    const char *title; /* what it is */
    const char *words; /* what it shows */
    const char *x, *y; /* names of the axes, or NULL */
};

/* A curve through points; `style` 0 ... 3 is its colour, mark and dash. */
struct svg_curve {
    const char *name;
    unsigned style;
    size_t n;
    double x[32], y[32];
};

/* Behind them, as a straight line, what would be ideal: y = slope * x, or y = 1 when
 * the slope is 0. */
void svg_curves(const struct svg_chart *c, const struct svg_curve *curves, size_t n,
                double slope, struct qbuf *out);

/* Bars that lie, with their labels above them, and whiskers from lo to hi. */
struct svg_bar {
    char label[48], value[24];
    unsigned style;
    double length, lo, hi;
};
void svg_bars(const struct svg_chart *c, const struct svg_bar *bars, size_t n,
              struct qbuf *out);

/* Bars made of parts, which have the classes part0, part1, ... */
enum { SVG_PARTS = 3 };
struct svg_stack {
    char label[64];
    double parts[SVG_PARTS];
};
void svg_stacks(const struct svg_chart *c, const struct svg_stack *rows, size_t n,
                const char *const names[SVG_PARTS], struct qbuf *out);

/* Buckets [from, to, count] of a "latency" object, as shares of all, over a logarithmic
 * axis of time; of the first SVG_HISTS runs. */
enum { SVG_HISTS = 4 };
void svg_latencies(const struct svg_chart *c, const struct qjson *const *hists,
                   const char *const *names, size_t n, struct qbuf *out);

/* A strip for each of the first SVG_STRIPS threads, and above them how many of all
 * workers are busy. */
enum { SVG_STRIPS = 64 };
void svg_timeline(const struct svg_chart *c, const struct timeline *t,
                  struct qbuf *out);

/* "1.23 s", "45 ms": three digits. */
enum { SVG_TIME = 24 };
const char *svg_time(char to[SVG_TIME], double seconds);

#endif
