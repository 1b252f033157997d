#include "cmd/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/svg.h"

enum { ROW_NAME = 41 }; /* without its rank */

struct reading {
    struct timeline *t;
    size_t last;  /* the row that was found last: events of a thread stand together */
    double ranks; /* the largest number of a rank */
    double end_us;
};

static double number(const struct qjson *v, const char *path)
{
    return qjson_number(qjson_get(v, path), 0);
}

static struct timeline_row *row_of(struct reading *r, const struct qjson *event)
{
    double pid = number(event, "pid"), tid = number(event, "tid");
    for (size_t k = 0; k < r->t->n; k++) {
        size_t i = (r->last + k) % r->t->n;
        struct timeline_row *row = &r->t->rows[i];
        if (row->pid == pid && row->tid == tid) {
            r->last = i;
            return row;
        }
    }
    return NULL;
}

/* One more, empty; NULL without memory. */
static struct timeline_row *new_row(struct timeline *t)
{
    if (t->n == t->room) {
        size_t room = 2 * t->room + 16;
        struct timeline_row *grown = realloc(t->rows, room * sizeof *grown);
        if (!grown)
            return NULL;
        t->rows = grown;
        t->room = room;
    }
    struct timeline_row *row = &t->rows[t->n++];
    *row = (struct timeline_row){.worker = false};
    return row;
}

static int add_row(struct reading *r, const struct qjson *event, struct qerr *e)
{
    const char *name = qjson_text(qjson_get(event, "args.name"), "");
    if (row_of(r, event))
        return 0;
    struct timeline_row *row = new_row(r->t);
    if (!row)
        return qerr_nomem(e);
    row->pid = number(event, "pid");
    row->tid = number(event, "tid");
    row->worker = strncmp(name, "worker", 6) == 0;
    if (row->pid > r->ranks)
        r->ranks = row->pid;
    svg_print(row->name, ROW_NAME, "%s", name);
    return 0;
}

/* An event's time at work, spread over the bins that it lies in. */
static void add_event(struct reading *r, const struct qjson *event)
{
    struct timeline_row *row = row_of(r, event);
    double ts = number(event, "ts"), dur = number(event, "dur");
    double share = dur > 0 ? number(event, "args.busy_us") / dur : 0;
    double width = r->end_us / TIMELINE_BINS;
    if (!row || width <= 0 || ts < 0)
        return;
    for (size_t i = (size_t)(ts / width); i < TIMELINE_BINS; i++) {
        double from = (double)i * width, to = from + width;
        if (from >= ts + dur)
            break;
        double begin = ts > from ? ts : from, end = ts + dur < to ? ts + dur : to;
        row->busy[i] += share * (end - begin) / width;
    }
}

static bool is_phase(const struct qjson *event, char phase)
{
    return *qjson_text(qjson_get(event, "ph"), "") == phase;
}

static int look_at_all(struct reading *r, const struct qjson *events, struct qerr *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < qjson_size(events); i++) {
        const struct qjson *event = qjson_at(events, i);
        double end = number(event, "ts") + number(event, "dur");
        if (is_phase(event, 'X') && end > r->end_us)
            r->end_us = end;
        if (is_phase(event, 'M') &&
            strcmp(qjson_text(qjson_get(event, "name"), ""), "thread_name") == 0)
            rc = add_row(r, event, e);
    }
    for (size_t i = 0; rc == 0 && i < qjson_size(events); i++) {
        const struct qjson *event = qjson_at(events, i);
        if (is_phase(event, 'X') && qjson_get(event, "args.busy_us"))
            add_event(r, event);
    }
    return rc;
}

/* Where nothing is computed, those are at work who fetch. */
static void find_workers(struct timeline *t)
{
    bool none = true;
    for (size_t i = 0; i < t->n; i++)
        none = none && !t->rows[i].worker;
    for (size_t i = 0; none && i < t->n; i++)
        t->rows[i].worker = strncmp(t->rows[i].name, "fetcher", 7) == 0;
}

static int workers_first(const void *a, const void *b)
{
    const struct timeline_row *x = a, *y = b;
    return x->worker != y->worker ? y->worker - x->worker
                                  : strverscmp(x->name, y->name);
}

static void name_ranks(const struct reading *r)
{
    for (size_t i = 0; i < r->t->n && r->ranks > 0; i++) {
        char name[TIMELINE_NAME];
        svg_print(name, sizeof name, "%.0f: %s", r->t->rows[i].pid, r->t->rows[i].name);
        memcpy(r->t->rows[i].name, name, sizeof name);
    }
}

static int read_own(struct timeline *t, const struct qjson *doc, struct qerr *e)
{
    const struct qjson *rows = qjson_get(doc, "rows");
    t->seconds = number(doc, "seconds");
    for (size_t i = 0; i < qjson_size(rows); i++) {
        const struct qjson *from = qjson_at(rows, i), *busy = qjson_get(from, "busy");
        struct timeline_row *row = new_row(t);
        if (!row)
            return qerr_nomem(e);
        svg_print(row->name, sizeof row->name, "%s",
                  qjson_text(qjson_get(from, "name"), ""));
        row->worker = qjson_is_true(qjson_get(from, "worker"));
        for (size_t k = 0; k < TIMELINE_BINS; k++)
            row->busy[k] = qjson_number(qjson_at(busy, k), 0);
    }
    return 0;
}

int timeline_read(struct timeline *t, const struct qjson *doc, struct qerr *e)
{
    *t = (struct timeline){.seconds = 0};
    if (!qjson_get(doc, "traceEvents"))
        return read_own(t, doc, e);
    struct reading r = {.t = t};
    int rc = look_at_all(&r, qjson_get(doc, "traceEvents"), e);
    find_workers(t);
    if (rc == 0)
        name_ranks(&r);
    t->seconds = r.end_us * 1e-6;
    if (t->n > 0)
        qsort(t->rows, t->n, sizeof *t->rows, workers_first);
    return rc;
}

void timeline_release(struct timeline *t)
{
    free(t->rows);
    t->rows = NULL;
    t->n = t->room = 0;
}

void timeline_put(const struct timeline *t, const char *key, struct qjson_writer *w)
{
    qjson_object(w, key);
    qjson_real(w, "seconds", t->seconds, 6);
    qjson_array(w, "rows");
    for (size_t i = 0; i < t->n; i++) {
        qjson_object(w, NULL);
        qjson_string(w, "name", t->rows[i].name);
        qjson_bool(w, "worker", t->rows[i].worker);
        qjson_array(w, "busy");
        w->flat = true;
        for (size_t k = 0; k < TIMELINE_BINS; k++)
            qjson_real(w, NULL, t->rows[i].busy[k], 3);
        qjson_end(w);
        qjson_end(w);
    }
    qjson_end(w);
    qjson_end(w);
}

double timeline_use(const struct timeline *t, size_t bin)
{
    double busy = 0;
    unsigned workers = 0;
    for (size_t i = 0; i < t->n; i++) {
        workers += t->rows[i].worker;
        busy += t->rows[i].worker ? t->rows[i].busy[bin] : 0;
    }
    return workers > 0 ? busy / workers : 0;
}
