/*
 * Speed-up is against the serial loop, or, without it, the narrowest cell: one base for
 * all, so that they can be compared with each other, and it is named. The work of width
 * W is W times as much in weak scaling, so that one that takes the same time is W times
 * as fast.
 */
#include "cmd/benchdoc.h"

#include <stdlib.h>
#include <string.h>

#include "base/qjson.h"

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(const double *values, unsigned n)
{
    double sorted[BENCH_REPEAT_MAX];
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

static const struct bench_cell *base_of(const struct bench_doc *d)
{
    const struct bench_cell *base = NULL;
    for (const struct bench_cell *c = d->cells; c < d->cells + d->n; c++) {
        if (c->n > 0 && c->mode == BENCH_SERIAL)
            return c;
        if (c->n > 0 && (!base || c->width < base->width))
            base = c;
    }
    return base;
}

void bench_doc_finish(struct bench_doc *d)
{
    for (size_t i = 0; i < d->n; i++) {
        struct bench_cell *c = &d->cells[i];
        if (c->n == 0)
            continue;
        c->median = median_of(c->seconds, c->n);
        c->cpu_median = median_of(c->cpu, c->n);
        c->min = c->max = c->seconds[0];
        for (unsigned k = 1; k < c->n; k++) {
            c->min = c->seconds[k] < c->min ? c->seconds[k] : c->min;
            c->max = c->seconds[k] > c->max ? c->seconds[k] : c->max;
        }
    }
    d->base = base_of(d);
    for (size_t i = 0; i < d->n; i++) {
        struct bench_cell *c = &d->cells[i];
        const struct bench_cell *base = d->base;
        if (c->n == 0)
            continue;
        double work = d->weak ? (double)c->width / base->width : 1;
        if (c->median > 0)
            c->speedup = base->median / c->median * work;
        c->efficiency = c->speedup * base->width / c->width;
    }
}

void bench_doc_release(struct bench_doc *d)
{
    for (size_t i = 0; i < d->n; i++) {
        qbuf_release(&d->cells[i].stats);
        timeline_release(&d->cells[i].timeline);
    }
    qbuf_release(&d->command);
    qbuf_release(&d->again);
}

/* --- the table --- */

/* Of the first run. */
static const char *digest_of(const struct bench_doc *d)
{
    size_t i = 0;
    while (i + 1 < d->n && d->cells[i].digest[0] == '\0')
        i++;
    return d->n > 0 ? d->cells[i].digest : "";
}

/* What did not go as it was asked for. */
static void put_failures(const struct bench_doc *d, struct qbuf *out)
{
    if (d->status > 0)
        qbuf_printf(out, "# status: %d of every run: some records are bad\n",
                    d->status);
    for (const struct bench_cell *c = d->cells; c < d->cells + d->n; c++)
        if (c->why[0] != '\0')
            qbuf_printf(out, "# failed: %s, width %u: %s\n", bench_mode_name(c->mode),
                        c->width, c->why);
    if (d->stopped[0] != '\0')
        qbuf_printf(out, "# %s: not all runs were made\n", d->stopped);
}

static void put_head(const struct bench_doc *d, struct qbuf *out)
{
    struct host h;
    host_find(&h);
    qbuf_printf(out, "# quern bench %s\n# command: %s\n", QUERN_VERSION,
                d->command.data);
    qbuf_printf(out, "# machine: %s, %s, %u CPUs, %.1f GiB, %s %s\n", h.name, h.cpu,
                h.cpus, (double)h.memory_bytes / (1u << 30), h.os, h.machine);
    qbuf_printf(out, "# started: %s\n", d->started);
    qbuf_printf(out, "# scaling: %s; runs: %u after %u to warm up, alternating\n",
                d->weak ? "weak" : "strong", d->repeat, d->warmup);
    for (unsigned m = 0; m < BENCH_MODES; m++)
        if (d->missing[m])
            qbuf_printf(out, "# left out: %s: %s\n", bench_mode_name(m), d->missing[m]);
    qbuf_printf(out, "# output: %s, xxh3 %s\n",
                d->same ? "the same bytes each time" : "NOT THE SAME BYTES",
                digest_of(d));
    if (d->base)
        qbuf_printf(out, "# base: %s %u\n", bench_mode_name(d->base->mode),
                    d->base->width);
    put_failures(d, out);
}

void bench_doc_table(const struct bench_doc *d, struct qbuf *out)
{
    put_head(d, out);
    qbuf_printf(out, "#\n# %-9s %5s %4s %10s %10s %10s %8s %6s %10s\n", "mode", "width",
                "N", "min_s", "median_s", "max_s", "speedup", "eff_%", "cpu_s");
    for (size_t i = 0; i < d->n; i++) {
        const struct bench_cell *c = &d->cells[i];
        qbuf_printf(out, "%-11s %5u %4u", bench_mode_name(c->mode), c->width, c->n);
        if (c->n == 0)
            qbuf_printf(out, " %10s %10s %10s %8s %6s %10s\n", "-", "-", "-", "-", "-",
                        "-");
        else
            qbuf_printf(out, " %10.6f %10.6f %10.6f %8.3f %6.1f %10.6f\n", c->min,
                        c->median, c->max, c->speedup, 100 * c->efficiency,
                        c->cpu_median);
    }
}

/* A row for each run. */
void bench_doc_csv(const struct bench_doc *d, struct qbuf *out)
{
    qbuf_puts(out, "mode,width,run,seconds,cpu_seconds,peak_bytes,speedup,efficiency,"
                   "xxh3_128\r\n");
    for (size_t i = 0; i < d->n; i++) {
        const struct bench_cell *c = &d->cells[i];
        for (unsigned k = 0; k < c->n; k++) {
            qbuf_printf(out, "%s,%u,%u,%.6f,%.6f,", bench_mode_name(c->mode), c->width,
                        k + 1, c->seconds[k], c->cpu[k]);
            qbuf_putu(out, c->peak_bytes);
            qbuf_printf(out, ",%.4f,%.4f,%s\r\n", c->speedup, c->efficiency, c->digest);
        }
    }
}

/* --- JSON --- */

/* What a run wrote is JSON already. */
static void put_raw(struct qjson_writer *w, const char *key, const struct qbuf *json)
{
    if (json->len == 0) {
        qjson_string(w, key, NULL);
        return;
    }
    size_t len = json->len;
    while (len > 0 && json->data[len - 1] == '\n')
        len--;
    qjson_raw(w, key, json->data, len);
}

/* A figure of a cell that was measured; else null. */
static void put_figure(const struct bench_cell *c, const char *key, double value,
                       int digits, struct qjson_writer *w)
{
    if (c->n > 0)
        qjson_real(w, key, value, digits);
    else
        qjson_string(w, key, NULL);
}

static void put_cell(const struct bench_cell *c, struct qjson_writer *w)
{
    qjson_object(w, NULL);
    qjson_string(w, "mode", bench_mode_name(c->mode));
    qjson_count(w, "width", c->width);
    qjson_count(w, "n", c->n);
    qjson_string(w, "failed", c->why[0] != '\0' ? c->why : NULL);
    put_figure(c, "min", c->min, 6, w);
    put_figure(c, "median", c->median, 6, w);
    put_figure(c, "max", c->max, 6, w);
    put_figure(c, "speedup", c->speedup, 4, w);
    put_figure(c, "efficiency", c->efficiency, 4, w);
    put_figure(c, "cpu_seconds", c->cpu_median, 6, w);
    qjson_count(w, "peak_bytes", c->peak_bytes);
    qjson_string(w, "xxh3_128", c->digest);
    qjson_array(w, "seconds");
    w->flat = true;
    for (unsigned k = 0; k < c->n; k++)
        qjson_real(w, NULL, c->seconds[k], 6);
    qjson_end(w);
    put_raw(w, "stats", &c->stats);
    if (c->timeline.n > 0)
        timeline_put(&c->timeline, "timeline", w);
    qjson_end(w);
}

static void put_base(const struct bench_cell *base, struct qjson_writer *w)
{
    if (!base) {
        qjson_string(w, "base", NULL);
        return;
    }
    qjson_object(w, "base");
    qjson_string(w, "mode", bench_mode_name(base->mode));
    qjson_count(w, "width", base->width);
    qjson_end(w);
}

void bench_doc_json(const struct bench_doc *d, struct qbuf *out)
{
    struct qjson_writer w = QJSON_WRITER(out);
    struct host h;
    host_find(&h);
    qjson_object(&w, NULL);
    qjson_string(&w, "schema", "quern-bench");
    qjson_count(&w, "version", 1);
    host_put_build(&w);
    host_put(&h, &w);
    qjson_string(&w, "command", d->command.data);
    qjson_string(&w, "again", d->again.data);
    qjson_string(&w, "started", d->started);
    qjson_string(&w, "scaling", d->weak ? "weak" : "strong");
    qjson_count(&w, "repeat", d->repeat);
    qjson_count(&w, "warmup", d->warmup);
    qjson_bool(&w, "same_bytes", d->same);
    qjson_count(&w, "status", d->status > 0 ? (uint64_t)d->status : 0);
    qjson_string(&w, "stopped", d->stopped[0] != '\0' ? d->stopped : NULL);
    qjson_string(&w, "xxh3_128", digest_of(d));
    put_base(d->base, &w);
    qjson_array(&w, "skipped");
    for (unsigned m = 0; m < BENCH_MODES; m++) {
        if (!d->missing[m])
            continue;
        qjson_object(&w, NULL);
        w.flat = true;
        qjson_string(&w, "mode", bench_mode_name(m));
        qjson_string(&w, "why", d->missing[m]);
        qjson_end(&w);
    }
    qjson_end(&w);
    qjson_array(&w, "cells");
    for (size_t i = 0; i < d->n; i++)
        put_cell(&d->cells[i], &w);
    qjson_end(&w);
    qjson_end(&w);
}
