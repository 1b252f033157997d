#include "cmd/page.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd/pageparts.h"
#include "cmd/redact.h"
#include "cmd/svg.h"
#include "cmd/timeline.h"

enum { CURVES = 4, WIDTHS = 32, BARS = 64, RUNS_OF_BENCH = 4 };

/* --- reading --- */

static double number(const struct qjson *v, const char *path)
{
    return qjson_number(qjson_get(v, path), 0);
}

static const char *text(const struct qjson *v, const char *path)
{
    return qjson_text(qjson_get(v, path), "");
}

/* --- a benchmark --- */

static unsigned style_of(const char *mode)
{
    static const char *const modes[] = {"serial", "threads", "processes", "event"};
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(modes[i], mode) == 0)
            return i;
    return 0;
}

static void cell_name(const struct qjson *cell, char *to, size_t size)
{
    if (strcmp(text(cell, "mode"), "serial") == 0)
        svg_print(to, size, "serial");
    else
        svg_print(to, size, "%s \u00d7 %.0f", text(cell, "mode"),
                  number(cell, "width"));
}

/* One that failed has no times. */
static bool is_measured(const struct qjson *cell)
{
    return number(cell, "n") > 0;
}

/* `base`: what speed-up is against, or NULL: the file is of an older version, and its
 * modes have each their own. */
static void put_fastest(const struct qjson *cells, const struct qjson *base,
                        struct qbuf *out)
{
    const struct qjson *best = NULL;
    char name[48], time[SVG_TIME];
    for (size_t i = 0; i < qjson_size(cells); i++) {
        const struct qjson *c = qjson_at(cells, i);
        if (is_measured(c) && (!best || number(c, "median") < number(best, "median")))
            best = c;
    }
    if (!best)
        return;
    cell_name(best, name, sizeof name);
    qbuf_puts(out, "<p class=\"lead\">Fastest: <strong>");
    svg_text(name, out);
    qbuf_printf(out, "</strong>, %s", svg_time(time, number(best, "median")));
    if (base) {
        cell_name(base, name, sizeof name);
        qbuf_printf(out, ", %.2f times as fast as ", number(best, "speedup"));
        svg_text(name, out);
    }
    qbuf_puts(out, ".</p>\n");
}

/* What did not go as it was asked for. */
static void put_failures(const struct qjson *bench, struct qbuf *out)
{
    const struct qjson *cells = qjson_get(bench, "cells");
    for (size_t i = 0; i < qjson_size(cells); i++) {
        const struct qjson *c = qjson_at(cells, i);
        char name[48];
        if (text(c, "failed")[0] == '\0')
            continue;
        cell_name(c, name, sizeof name);
        qbuf_puts(out, "<p>Failed: ");
        svg_text(name, out);
        qbuf_puts(out, ": ");
        svg_text(text(c, "failed"), out);
        qbuf_puts(out, "</p>\n");
    }
    if (text(bench, "stopped")[0] == '\0')
        return;
    qbuf_puts(out, "<p>Not all runs were made: ");
    svg_text(text(bench, "stopped"), out);
    qbuf_puts(out, "</p>\n");
}

static void put_cells(const struct qjson *cells, struct qbuf *out)
{
    static const char *const heads[] = {"mode",       "runs",     "minimum",
                                        "median",     "maximum",  "speed-up",
                                        "efficiency", "CPU time", "memory"};
    page_table_begin("Times of all modes and widths", heads, 9, out);
    for (size_t i = 0; i < qjson_size(cells); i++) {
        const struct qjson *c = qjson_at(cells, i);
        static const char *const times[] = {"min", "median", "max"};
        char name[48], time[SVG_TIME];
        cell_name(c, name, sizeof name);
        page_row_begin(name, out);
        page_cell(out, "%.0f", number(c, "n"));
        for (int k = 0; k < 7 && !is_measured(c); k++)
            page_cell(out, "-");
        if (!is_measured(c)) {
            page_row_end(out);
            continue;
        }
        for (int k = 0; k < 3; k++)
            page_cell(out, "%s", svg_time(time, number(c, times[k])));
        page_cell(out, "%.2f", number(c, "speedup"));
        page_cell(out, "%.0f %%", 100 * number(c, "efficiency"));
        page_cell(out, "%s", svg_time(time, number(c, "cpu_seconds")));
        page_cell(out, "%.1f MiB", number(c, "peak_bytes") / 1048576);
        page_row_end(out);
    }
    page_table_end(out);
}

static void put_time_bars(const struct qjson *cells, struct qbuf *out)
{
    static struct svg_bar bars[BARS];
    size_t n = 0, measured = 0;
    for (size_t i = 0; i < qjson_size(cells); i++) {
        const struct qjson *c = qjson_at(cells, i);
        measured += is_measured(c);
        if (!is_measured(c) || n == BARS)
            continue;
        struct svg_bar *b = &bars[n++];
        *b = (struct svg_bar){.style = style_of(text(c, "mode")),
                              .length = number(c, "median"),
                              .lo = number(c, "min"),
                              .hi = number(c, "max")};
        cell_name(c, b->label, sizeof b->label);
        svg_time(b->value, b->length);
    }
    struct svg_chart chart = {"Time by mode",
                              "A bar for each mode and width: the median time, and a "
                              "line from the shortest to the longest. The table above "
                              "has the numbers.",
                              NULL, NULL};
    page_figure_begin("Time (median; line: shortest to longest)", out);
    svg_bars(&chart, bars, n, out);
    page_more(measured - n, "modes and widths are", out);
    page_figure_end(out);
}

/* A curve for each mode that has widths. */
static size_t collect_curves(const struct qjson *cells, const char *field,
                             struct svg_curve curves[CURVES], bool *spread)
{
    size_t n = 0;
    *spread = false;
    for (size_t i = 0; i < qjson_size(cells); i++) {
        const struct qjson *c = qjson_at(cells, i);
        const char *mode = text(c, "mode");
        size_t k = 0;
        while (k < n && strcmp(curves[k].name, mode) != 0)
            k++;
        if (k == CURVES || !is_measured(c))
            continue;
        if (k == n)
            curves[n++] = (struct svg_curve){.name = mode, .style = style_of(mode)};
        if (curves[k].n == WIDTHS)
            continue;
        curves[k].x[curves[k].n] = number(c, "width");
        curves[k].y[curves[k].n++] = number(c, field);
        *spread = *spread || number(c, "width") > 1;
    }
    return n;
}

static void put_scaling(const struct qjson *cells, const struct qjson *base,
                        struct qbuf *out)
{
    static struct svg_curve curves[CURVES];
    bool spread;
    size_t n = collect_curves(cells, "speedup", curves, &spread);
    if (!spread)
        return;
    struct svg_chart speedup = {"Speed-up by width",
                                "For each mode a curve of the speed-up over the number "
                                "of threads or processes, and the ideal, a straight "
                                "line. The table above has the numbers.",
                                "threads, processes or transfers", "speed-up"};
    page_figure_begin("Speed-up", out);
    svg_curves(&speedup, curves, n, 1 / fmax(number(base, "width"), 1), out);
    page_figure_end(out);
    n = collect_curves(cells, "efficiency", curves, &spread);
    struct svg_chart efficiency = {
        "Efficiency by width",
        "For each mode a curve of the speed-up divided by "
        "the number of threads or processes; the ideal is 1. "
        "The table above has the numbers.",
        "threads, processes or transfers", "efficiency"};
    page_figure_begin("Efficiency", out);
    svg_curves(&efficiency, curves, n, 0, out);
    page_figure_end(out);
}

/* --- of one run --- */

static int put_timeline(const char *name, const struct qjson *doc, struct qbuf *out,
                        struct qerr *e)
{
    struct timeline t;
    char caption[160];
    int rc = timeline_read(&t, doc, e);
    if (rc == 0 && t.n > 0 && t.seconds > 0) {
        struct svg_chart chart = {"Use of the threads over time",
                                  "Above, the share of the workers that compute (or "
                                  "of the places that fetch), from the beginning of "
                                  "the run to its end; below, a strip for each, dark "
                                  "where it is busy. The table below has each one's "
                                  "share.",
                                  NULL, NULL};
        svg_print(caption, sizeof caption, "Who was busy when: %s", name);
        page_figure_begin(caption, out);
        svg_timeline(&chart, &t, out);
        page_more(t.n > SVG_STRIPS ? t.n - SVG_STRIPS : 0, "threads are", out);
        static const char *const heads[] = {"thread", "busy"};
        page_details_begin(out);
        page_table_begin("Share of the time that each thread is busy", heads, 2, out);
        for (size_t i = 0; i < t.n; i++) {
            double sum = 0;
            for (size_t k = 0; k < TIMELINE_BINS; k++)
                sum += t.rows[i].busy[k];
            page_row_begin(t.rows[i].name, out);
            page_cell(out, "%.1f %%", 100 * sum / TIMELINE_BINS);
            page_row_end(out);
        }
        page_table_end(out);
        page_details_end(out);
        page_figure_end(out);
    }
    timeline_release(&t);
    return rc;
}

/* Of what: "record" or "fetch", if one of the runs has any. */
static void put_latency(const char *key, const char *noun,
                        const struct qjson *const *runs, const char *const *names,
                        size_t n, struct qbuf *out)
{
    static const char *const marks[] = {"mean", "p50", "p90", "p99", "max"};
    const struct qjson *hists[PAGE_RUNS];
    size_t drawn = n < SVG_HISTS ? n : SVG_HISTS;
    char path[32], title[48], caption[64], axis[32], counts[16];
    double all = 0;
    snprintf(path, sizeof path, "latency.%s", key);
    for (size_t i = 0; i < n; i++) {
        hists[i] = qjson_get(runs[i], path);
        all += number(hists[i], "count");
    }
    if (all <= 0)
        return;
    snprintf(title, sizeof title, "How long %ss took", noun);
    snprintf(caption, sizeof caption, "Percentiles of the time of a %s", noun);
    snprintf(axis, sizeof axis, "time of a %s", noun);
    snprintf(counts, sizeof counts, "%ss", noun);
    const char *const heads[] = {"run", counts, "mean", "50 %", "90 %", "99 %", "most"};
    struct svg_chart chart = {
        title,
        "A histogram: their share over the time that each took, on a logarithmic "
        "scale. The table below has the percentiles.",
        axis, NULL};
    page_figure_begin(title, out);
    svg_latencies(&chart, hists, names, drawn, out);
    page_more(n - drawn, "runs are", out);
    page_details_begin(out);
    page_table_begin(caption, heads, 7, out);
    for (size_t i = 0; i < n; i++) {
        char time[SVG_TIME];
        page_row_begin(names[i], out);
        page_cell(out, "%.0f", number(hists[i], "count"));
        for (int k = 0; k < 5; k++)
            page_cell(out, "%s", svg_time(time, number(hists[i], marks[k])));
        page_row_end(out);
    }
    page_table_end(out);
    page_details_end(out);
    page_figure_end(out);
}

static void put_latencies(const struct qjson *const *runs, const char *const *names,
                          size_t n, struct qbuf *out)
{
    put_latency("record", "record", runs, names, n, out);
    put_latency("fetch", "transfer", runs, names, n, out);
}

/* The widest cell of the mode that has `field`, or NULL. */
static const struct qjson *widest(const struct qjson *cells, const char *mode,
                                  const char *field)
{
    const struct qjson *best = NULL;
    for (size_t i = 0; i < qjson_size(cells); i++) {
        const struct qjson *c = qjson_at(cells, i);
        if (strcmp(text(c, "mode"), mode) == 0 && qjson_size(qjson_get(c, field)) > 0 &&
            (!best || number(c, "width") > number(best, "width")))
            best = c;
    }
    return best;
}

static int put_bench(const struct qjson *bench, struct qbuf *out, struct qerr *e)
{
    static const char *const modes[] = {"serial", "threads", "processes", "event"};
    const struct qjson *cells = qjson_get(bench, "cells");
    const struct qjson *runs[RUNS_OF_BENCH];
    const char *names[RUNS_OF_BENCH];
    static char texts[RUNS_OF_BENCH][48];
    size_t n = 0;
    int rc = 0;
    const struct qjson *base = qjson_get(bench, "base");
    put_fastest(cells, base, out);
    put_failures(bench, out);
    put_cells(cells, out);
    page_grid_begin(out);
    put_time_bars(cells, out);
    put_scaling(cells, base, out);
    for (size_t i = 0; i < 4; i++) {
        const struct qjson *c = widest(cells, modes[i], "stats");
        if (!c)
            continue;
        cell_name(c, texts[n], sizeof texts[n]);
        names[n] = texts[n];
        runs[n++] = qjson_get(c, "stats");
    }
    if (n > 0)
        put_latencies(runs, names, n, out);
    for (size_t i = 4; i-- > 0 && rc == 0;) {
        const struct qjson *c = widest(cells, modes[i], "timeline");
        char name[48];
        if (!c || i == 0)
            continue;
        cell_name(c, name, sizeof name);
        rc = put_timeline(name, qjson_get(c, "timeline"), out, e);
    }
    page_grid_end(out);
    return rc;
}

/* --- runs side by side --- */

/* The first input, as far as there is room, and how many there are besides. */
static void put_inputs(const struct qjson *run, struct qbuf *out)
{
    const char *first = qjson_text(qjson_at(qjson_get(run, "inputs"), 0), "");
    double more = number(run, "ninputs") - 1;
    char shown[44];
    svg_print(shown, sizeof shown, "%s", first);
    qbuf_puts(out, "<td class=\"words\">");
    svg_text(shown, out);
    if (more > 0)
        qbuf_printf(out, " and %.0f more", more);
    qbuf_puts(out, "</td>");
}

static void put_runs(const struct page_item *items, size_t n, struct qbuf *out)
{
    static const char *const heads[] = {
        "run",  "command", "inputs", "ranks",  "threads", "records", "bad",
        "time", "rate",    "CPU",    "memory", "status",  "started", "output"};
    page_table_begin("The runs side by side", heads, 14, out);
    for (size_t i = 0; i < n; i++) {
        const struct qjson *s = items[i].stats;
        char time[SVG_TIME];
        page_row_begin(items[i].name, out);
        page_cell(out, "%s", text(s, "run.command"));
        put_inputs(qjson_get(s, "run"), out);
        page_cell(out, "%.0f", number(s, "run.ranks"));
        page_cell(out, "%.0f", number(s, "run.threads"));
        page_cell(out, "%.0f", number(s, "totals.records"));
        page_cell(out, "%.0f", number(s, "totals.bad"));
        page_cell(out, "%s", svg_time(time, number(s, "run.seconds")));
        page_cell(out, "%.0f/s", number(s, "totals.records_per_second"));
        page_cell(out, "%.0f %%", 100 * number(s, "totals.cpu_utilisation"));
        page_cell(out, "%.1f MiB", number(s, "totals.peak_bytes") / 1048576);
        page_cell(out, "%.0f", number(s, "run.status"));
        page_cell(out, "%s", text(s, "run.started"));
        page_cell(out, "%.8s", text(s, "totals.xxh3_128"));
        page_row_end(out);
    }
    page_table_end(out);
}

/* "--name=value"; a flag's value is "yes". */
static void put_option(const char *name, const char *value, struct qbuf *out)
{
    struct qbuf word = QBUF_INIT;
    bool flag = strcmp(value, "yes") == 0;
    qbuf_printf(&word, "--%s%s%s", name, flag ? "" : "=", flag ? "" : value);
    qbuf_putc(out, ' ');
    redact_quote(qbuf_cstr(&word), out);
    qbuf_release(&word);
}

/* The command line that the statistics tell of: of a repeated option they have the last
 * value, of many inputs the first. */
static void put_command(const struct page_item *item, struct qbuf *out)
{
    const struct qjson *run = qjson_get(item->stats, "run");
    const struct qjson *options = qjson_get(run, "options");
    const struct qjson *inputs = qjson_get(run, "inputs");
    struct qbuf line = QBUF_INIT;
    double more = number(run, "ninputs") - (double)qjson_size(inputs);
    qbuf_printf(&line, "quern %s", text(run, "command"));
    for (size_t i = 0; i < qjson_size(options); i++)
        put_option(qjson_key(options, i), qjson_text(qjson_at(options, i), ""), &line);
    for (size_t i = 0; i < qjson_size(inputs); i++) {
        qbuf_putc(&line, ' ');
        redact_quote(qjson_text(qjson_at(inputs, i), ""), &line);
    }
    if (more > 0)
        qbuf_printf(&line, " # and %.0f more inputs", more);
    svg_text(qbuf_cstr(&line), out);
    qbuf_release(&line);
}

static void put_commands(const struct page_item *items, size_t n, struct qbuf *out)
{
    qbuf_puts(out, n > 1 ? "<h2>Commands</h2>\n<dl>" : "<h2>Command</h2>\n<dl>");
    for (size_t i = 0; i < n; i++) {
        qbuf_puts(out, "<dt>");
        svg_text(items[i].name, out);
        qbuf_puts(out, "</dt><dd><code>");
        put_command(&items[i], out);
        qbuf_puts(out, "</code></dd>\n");
    }
    qbuf_puts(out, "</dl>\n");
}

static void put_run_bars(const struct page_item *items, size_t n, struct qbuf *out)
{
    static struct svg_bar bars[PAGE_RUNS];
    for (size_t i = 0; i < n; i++) {
        double seconds = number(items[i].stats, "run.seconds");
        bars[i] = (struct svg_bar){.style = 1, .length = seconds};
        svg_print(bars[i].label, 44, "%s", items[i].name);
        svg_time(bars[i].value, seconds);
    }
    struct svg_chart chart = {"Time of each run",
                              "A bar for each run. The table above has the numbers.",
                              NULL, NULL};
    page_figure_begin("Time", out);
    svg_bars(&chart, bars, n, out);
    page_figure_end(out);
}

enum { STACKS = 48 };

/* A row of the table, and what is to be drawn of it. */
static struct svg_stack put_thread(const struct qjson *t, bool ranks, size_t rank,
                                   struct qbuf *table)
{
    struct svg_stack s = {
        .parts = {number(t, "busy"), number(t, "wait"), number(t, "idle")}};
    char name[40], time[SVG_TIME];
    svg_print(name, sizeof name, "%s %.0f", text(t, "role"), number(t, "index"));
    if (ranks)
        svg_print(s.label, sizeof s.label, "%zu: %s", rank, name);
    else
        svg_print(s.label, sizeof s.label, "%s", name);
    page_row_begin(s.label, table);
    for (int k = 0; k < SVG_PARTS; k++)
        page_cell(table, "%s", svg_time(time, s.parts[k]));
    page_cell(table, "%.0f", number(t, "tasks"));
    page_cell(table, "%.0f", number(t, "records"));
    page_row_end(table);
    return s;
}

static void put_threads(const struct page_item *item, struct qbuf *out)
{
    static const char *const heads[] = {"thread", "busy",  "wait",
                                        "idle",   "tasks", "records"};
    static const char *const parts[SVG_PARTS] = {"busy", "waits", "not there"};
    static struct svg_stack stacks[STACKS];
    const struct qjson *ranks = qjson_get(item->stats, "ranks");
    struct qbuf table = QBUF_INIT;
    size_t n = 0;
    page_table_begin("What each thread did with its time", heads, 6, &table);
    for (size_t r = 0; r < qjson_size(ranks); r++) {
        const struct qjson *threads = qjson_get(qjson_at(ranks, r), "threads");
        for (size_t i = 0; i < qjson_size(threads); i++, n++) {
            struct svg_stack s =
                put_thread(qjson_at(threads, i), qjson_size(ranks) > 1, r, &table);
            if (n < STACKS)
                stacks[n] = s;
        }
    }
    page_table_end(&table);
    struct svg_chart chart = {"What each thread did",
                              "A bar for each thread: the time that it was busy, that "
                              "it waited for others, and that it was not there. The "
                              "table below has the numbers.",
                              NULL, NULL};
    char caption[120];
    svg_print(caption, sizeof caption, "What each thread did: %s", item->name);
    page_figure_begin(caption, out);
    svg_stacks(&chart, stacks, n < STACKS ? n : STACKS, parts, out);
    page_more(n > STACKS ? n - STACKS : 0, "threads are", out);
    page_details_begin(out);
    qbuf_add(out, table.data, table.len);
    page_details_end(out);
    page_figure_end(out);
    qbuf_release(&table);
}

static int put_items(const struct page_item *items, size_t n, struct qbuf *out,
                     struct qerr *e)
{
    const struct qjson *runs[PAGE_RUNS];
    const char *names[PAGE_RUNS];
    int rc = 0;
    put_runs(items, n, out);
    put_commands(items, n, out);
    page_grid_begin(out);
    if (n > 1)
        put_run_bars(items, n, out);
    for (size_t i = 0; i < n; i++) {
        runs[i] = items[i].stats;
        names[i] = items[i].name;
    }
    put_latencies(runs, names, n, out);
    for (size_t i = 0; i < n && rc == 0; i++) {
        put_threads(&items[i], out);
        if (items[i].trace)
            rc = put_timeline(items[i].name, items[i].trace, out, e);
    }
    page_grid_end(out);
    return rc;
}

/* --- the page --- */

static void put_machine(const struct qjson *doc, struct qbuf *out)
{
    static const char *const rows[][2] = {
        {"processor", "host.cpu"},
        {"system", "host.os"},
        {"host", "host.name"},
        {"quern", "quern.version"},
        {"compiler", "quern.compiler"},
        {"build", "quern.build"},
        {"path", "quern.processor_path"},
        {"GMP", "quern.gmp"},
        {"MPI", "quern.mpi"},
        {"started", "started"},
        {"started", "run.started"},
    };
    qbuf_puts(out, "<h2>Machine and versions</h2>\n<dl>");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (*text(doc, rows[i][1]) == '\0')
            continue;
        qbuf_printf(out, "<dt>%s</dt><dd>", rows[i][0]);
        svg_text(text(doc, rows[i][1]), out);
        qbuf_puts(out, "</dd>\n");
    }
    qbuf_printf(
        out, "<dt>CPUs</dt><dd>%.0f</dd><dt>memory</dt><dd>%.1f GiB</dd></dl>\n",
        number(doc, "host.cpus"), number(doc, "host.memory_bytes") / (1u << 30));
}

static void put_bench_end(const struct qjson *bench, struct qbuf *out)
{
    const struct qjson *skipped = qjson_get(bench, "skipped");
    qbuf_puts(out, "<h2>To repeat it</h2>\n<pre tabindex=\"0\"><code>");
    svg_text(text(bench, "again"), out);
    qbuf_printf(out,
                "</code></pre>\n<p>%.0f runs of each after %.0f to warm up, in "
                "alternating order; %s scaling. ",
                number(bench, "repeat"), number(bench, "warmup"),
                text(bench, "scaling"));
    if (qjson_is_true(qjson_get(bench, "same_bytes")))
        qbuf_puts(out, "All runs gave the same bytes");
    else
        qbuf_puts(out, "<strong>Not all runs gave the same bytes</strong>");
    qbuf_printf(out, " (XXH3 <code>%s</code>).</p>\n", text(bench, "xxh3_128"));
    for (size_t i = 0; i < qjson_size(skipped); i++) {
        qbuf_puts(out, "<p>Left out: ");
        svg_text(text(qjson_at(skipped, i), "mode"), out);
        qbuf_puts(out, ": ");
        svg_text(text(qjson_at(skipped, i), "why"), out);
        qbuf_puts(out, ".</p>\n");
    }
}

int page_make(const struct qjson *bench, const struct page_item *items, size_t n,
              struct qbuf *out, struct qerr *e)
{
    char title[160];
    int rc = 0;
    svg_print(title, sizeof title, "quern: %s",
              bench    ? text(bench, "command")
              : n == 1 ? text(items[0].stats, "run.command")
                       : "runs side by side");
    page_begin(title, out);
    qbuf_printf(out, "<h1>%s</h1>\n", bench ? "Benchmark" : n == 1 ? "A run" : "Runs");
    if (bench) {
        qbuf_puts(out, "<p class=\"command\"><code>");
        svg_text(text(bench, "command"), out);
        qbuf_puts(out, "</code></p>\n");
        rc = put_bench(bench, out, e);
        put_bench_end(bench, out);
    }
    if (bench && n > 0)
        qbuf_puts(out, "<h2>Runs</h2>\n");
    if (rc == 0 && n > 0)
        rc = put_items(items, n, out, e);
    put_machine(bench ? bench : items[0].stats, out);
    page_end(out);
    return rc == 0 ? qbuf_check(out, e) : rc;
}
