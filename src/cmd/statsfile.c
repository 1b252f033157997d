#include "cmd/statsfile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/qclock.h"
#include "cmd/outfile.h"
#include "cmd/redact.h"
#include "cmd/trace.h"
#include "engine/comm.h"

enum { INPUTS_SHOWN = 100 };

static double seconds(uint64_t ns)
{
    return (double)ns * 1e-9;
}

/* --- JSON: what was asked for --- */

static void put_inputs(const struct job *job, struct qjson_writer *w)
{
    struct qbuf text = QBUF_INIT;
    qjson_count(w, "ninputs", job->ninputs);
    qjson_array(w, "inputs");
    for (size_t i = 0; i < job->ninputs && i < INPUTS_SHOWN; i++) {
        const struct input *in = &job->inputs[i];
        qbuf_clear(&text);
        redact_text(in->kind == INPUT_RANGE ? in->text : in->name, &text);
        qjson_string(w, NULL, qbuf_cstr(&text));
    }
    qjson_end(w);
    qbuf_release(&text);
}

static void put_options(const struct job *job, struct qjson_writer *w)
{
    struct qbuf text = QBUF_INIT;
    qjson_object(w, "options");
    for (size_t i = 0; i < job->nvalues; i++) {
        const struct job_value *v = &job->values[i];
        if (v->count == 0)
            continue;
        qbuf_clear(&text);
        redact_value(v->opt, v->texts[v->count - 1], &text);
        qjson_string(w, v->opt->name, qbuf_cstr(&text));
    }
    qjson_end(w);
    qbuf_release(&text);
}

static void put_run(const struct stats_file *f, struct qjson_writer *w)
{
    const struct engine_outcome *o = f->outcome;
    qjson_object(w, "run");
    qjson_string(w, "command", f->job->command);
    put_options(f->job, w);
    put_inputs(f->job, w);
    qjson_string(w, "engine",
                 job_find(f->job, "engine") ? job_word(f->job, "engine") : "fetch");
    qjson_count(w, "threads", f->threads);
    qjson_count(w, "ranks", f->nranks);
    qjson_string(w, "started", f->started);
    qjson_real(w, "seconds", o->seconds, 6);
    qjson_count(w, "status", (uint64_t)f->status);
    qjson_count(w, "signal", (uint64_t)o->signal);
    qjson_bool(w, "timed_out", o->timed_out);
    qjson_bool(w, "complete", f->status == 0 || f->status == 1 || f->status == 4);
    qjson_end(w);
}

/* --- JSON: what came of it --- */

struct sums {
    uint64_t cpu_ns, busy_ns, peak_bytes, read_bytes;
    uint64_t transfers, failed, retries, fetched_bytes;
    struct hist chunk_ns, record_ns, fetch_ns;
};

static void add_up(const struct stats_file *f, struct sums *s)
{
    *s = (struct sums){.cpu_ns = 0};
    for (size_t i = 0; i < f->nranks; i++) {
        const struct rank_stats *r = &f->ranks[i];
        s->cpu_ns += r->cpu_ns;
        if (r->peak_bytes > s->peak_bytes)
            s->peak_bytes = r->peak_bytes;
        hist_merge(&s->chunk_ns, &r->chunk_ns);
        hist_merge(&s->record_ns, &r->record_ns);
        hist_merge(&s->fetch_ns, &r->fetch_ns);
        for (size_t k = 0; k < r->nthreads; k++) {
            const struct thread_stats *t = &r->threads[k];
            s->busy_ns += t->role == METER_WORKER ? t->busy_ns : 0;
            s->read_bytes += t->read_bytes;
        }
    }
    const struct meter_fetch *fetch = &f->meters->fetch;
    s->transfers = hist_read(&fetch->done);
    s->failed = hist_read(&fetch->failed);
    s->retries = hist_read(&fetch->retries);
    s->fetched_bytes = hist_read(&fetch->bytes);
}

static void put_totals(const struct stats_file *f, const struct sums *s,
                       struct qjson_writer *w)
{
    const struct engine_outcome *o = f->outcome;
    const struct tally *t = &o->tally;
    qjson_object(w, "totals");
    qjson_count(w, "records", t->records);
    qjson_count(w, "records_of_earlier_runs", o->earlier);
    qjson_count(w, "bad", t->bad);
    qjson_count(w, "unfinished", t->unfinished);
    qjson_count(w, "probable", t->probable);
    qjson_real(w, "records_per_second",
               o->seconds > 0 ? (double)(t->records - o->earlier) / o->seconds : 0, 3);
    qjson_count(w, "bytes_read", s->read_bytes);
    qjson_count(w, "bytes_written", o->out);
    qjson_string(w, "xxh3_128", *o->digest ? o->digest : NULL);
    qjson_real(w, "cpu_seconds", seconds(s->cpu_ns), 6);
    qjson_real(w, "cpu_utilisation",
               o->seconds > 0 ? seconds(s->cpu_ns) / o->seconds : 0, 4);
    qjson_real(w, "busy_seconds", seconds(s->busy_ns), 6);
    qjson_count(w, "peak_bytes", s->peak_bytes);
    qjson_count(w, "transfers", s->transfers);
    qjson_count(w, "failed_transfers", s->failed);
    qjson_count(w, "retries", s->retries);
    qjson_count(w, "fetched_bytes", s->fetched_bytes);
    qjson_end(w);
}

static void put_hist(const char *name, const struct hist *h, struct qjson_writer *w)
{
    static const struct {
        const char *name;
        double q;
    } marks[] = {
        {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
    uint64_t n = hist_read(&h->n);
    qjson_object(w, name);
    qjson_count(w, "count", n);
    qjson_real(w, "mean", n > 0 ? seconds(hist_read(&h->sum_ns)) / (double)n : 0, 9);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        qjson_real(w, marks[i].name, seconds(hist_quantile(h, marks[i].q)), 9);
    qjson_array(w, "buckets");
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        if (hist_read(&h->count[i]) == 0)
            continue;
        qjson_array(w, NULL);
        w->flat = true;
        qjson_real(w, NULL, seconds(hist_low(i)), 9);
        qjson_real(w, NULL, seconds(hist_high(i) + 1), 9);
        qjson_count(w, NULL, hist_read(&h->count[i]));
        qjson_end(w);
    }
    qjson_end(w);
    qjson_end(w);
}

/* --- JSON: who did it --- */

struct thread_times {
    double busy, wait, idle; /* idle: not there */
};

static struct thread_times times_of(const struct rank_stats *r,
                                    const struct thread_stats *t)
{
    double run = seconds(r->end_ns - r->start_ns);
    double here = seconds(t->left_ns - t->joined_ns), busy = seconds(t->busy_ns);
    /* A thread with several transfers at once is busy for each. */
    return (struct thread_times){busy, busy < here ? here - busy : 0,
                                 here < run ? run - here : 0};
}

static void put_thread(const struct rank_stats *r, const struct thread_stats *t,
                       struct qjson_writer *w)
{
    struct thread_times times = times_of(r, t);
    qjson_object(w, NULL);
    w->flat = true;
    qjson_string(w, "role", meter_role_name(t->role));
    qjson_count(w, "index", t->index);
    qjson_real(w, "busy", times.busy, 6);
    qjson_real(w, "wait", times.wait, 6);
    qjson_real(w, "idle", times.idle, 6);
    qjson_count(w, "tasks", t->tasks);
    qjson_count(w, "records", t->records);
    qjson_count(w, "bytes", t->bytes);
    qjson_count(w, "errors", t->errors);
    qjson_count(w, "retries", t->retries);
    qjson_end(w);
}

static void put_rank(const struct rank_stats *r, struct qjson_writer *w)
{
    qjson_object(w, NULL);
    qjson_count(w, "rank", r->rank);
    qjson_string(w, "host", r->host);
    qjson_count(w, "pid", r->pid);
    qjson_real(w, "seconds", seconds(r->end_ns - r->start_ns), 6);
    qjson_real(w, "cpu_seconds", seconds(r->cpu_ns), 6);
    qjson_count(w, "peak_bytes", r->peak_bytes);
    qjson_real(w, "clock_offset", (double)r->offset_ns * 1e-9, 9);
    qjson_array(w, "threads");
    for (size_t i = 0; i < r->nthreads; i++)
        put_thread(r, &r->threads[i], w);
    qjson_end(w);
    qjson_end(w);
}

void stats_file_json(const struct stats_file *f, struct qbuf *out)
{
    struct qjson_writer w = QJSON_WRITER(out);
    struct host host;
    struct sums sums;
    host_find(&host);
    add_up(f, &sums);
    qjson_object(&w, NULL);
    qjson_string(&w, "schema", "quern-stats");
    qjson_count(&w, "version", 1);
    host_put_build(&w);
    host_put(&host, &w);
    put_run(f, &w);
    put_totals(f, &sums, &w);
    qjson_object(&w, "latency");
    put_hist("record", &sums.record_ns, &w);
    put_hist("chunk", &sums.chunk_ns, &w);
    put_hist("fetch", &sums.fetch_ns, &w);
    qjson_end(&w);
    qjson_array(&w, "ranks");
    for (size_t i = 0; i < f->nranks; i++)
        put_rank(&f->ranks[i], &w);
    qjson_end(&w);
    qjson_end(&w);
}

/* --- Prometheus --- */

/* A text exposition, and the labels that all of its metrics have. */
struct prom {
    struct qbuf *out;
    struct qbuf labels;
};

static void put_label_text(struct qbuf *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '"' || s[i] == '\\')
            qbuf_putc(out, '\\');
        if (s[i] == '\n')
            qbuf_puts(out, "\\n");
        else
            qbuf_putc(out, s[i]);
    }
}

/* `run` is the name of the file without its end: the collector takes all files of one
 * folder, and no two may have the same metric with the same labels. */
static void put_labels(struct qbuf *out, const struct job *job)
{
    const char *file = job_word(job, "stats");
    const char *base = file ? strrchr(file, '/') : NULL;
    base = base ? base + 1 : file ? file : "";
    size_t n = strlen(base);
    if (n > 5 && strcmp(base + n - 5, ".prom") == 0)
        n -= 5;
    qbuf_puts(out, "run=\"");
    put_label_text(out, base, n);
    qbuf_printf(out, "\",command=\"%s\"", job->command);
}

static void put_metric(struct prom *p, const char *name, const char *help, double value)
{
    qbuf_printf(p->out,
                "# HELP quern_%s %s\n# TYPE quern_%s gauge\n"
                "quern_%s{%s} %.17g\n",
                name, help, name, name, qbuf_cstr(&p->labels), value);
}

static void put_quantiles(struct prom *p, const char *what, const char *help,
                          const struct hist *h)
{
    static const double marks[] = {0.5, 0.9, 0.99};
    const char *labels = qbuf_cstr(&p->labels);
    qbuf_printf(p->out, "# HELP quern_%s_seconds %s\n# TYPE quern_%s_seconds summary\n",
                what, help, what);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        qbuf_printf(p->out, "quern_%s_seconds{%s,quantile=\"%g\"} %.9f\n", what, labels,
                    marks[i], seconds(hist_quantile(h, marks[i])));
    qbuf_printf(p->out, "quern_%s_seconds_sum{%s} %.9f\n", what, labels,
                seconds(hist_read(&h->sum_ns)));
    qbuf_printf(p->out, "quern_%s_seconds_count{%s} %" PRIu64 "\n", what, labels,
                (uint64_t)hist_read(&h->n));
}

static void put_threads(struct prom *p, const struct stats_file *f)
{
    qbuf_puts(p->out, "# HELP quern_thread_seconds What a thread did with its time.\n"
                      "# TYPE quern_thread_seconds gauge\n");
    for (size_t i = 0; i < f->nranks; i++) {
        for (size_t k = 0; k < f->ranks[i].nthreads; k++) {
            const struct thread_stats *t = &f->ranks[i].threads[k];
            struct thread_times times = times_of(&f->ranks[i], t);
            const char *const states[] = {"busy", "wait", "idle"};
            const double values[] = {times.busy, times.wait, times.idle};
            for (int s = 0; s < 3; s++)
                qbuf_printf(p->out,
                            "quern_thread_seconds{%s,rank=\"%u\",role=\"%s\","
                            "index=\"%u\",state=\"%s\"} %.6f\n",
                            qbuf_cstr(&p->labels), f->ranks[i].rank,
                            meter_role_name(t->role), t->index, states[s], values[s]);
        }
    }
}

void stats_file_prom(const struct stats_file *f, struct qbuf *out)
{
    const struct engine_outcome *o = f->outcome;
    struct prom p = {.out = out, .labels = QBUF_INIT};
    struct sums s;
    put_labels(&p.labels, f->job);
    add_up(f, &s);
    const struct {
        const char *name, *help;
        double value;
    } rows[] = {
        {"run_seconds", "Length of the last run.", o->seconds},
        {"run_status", "Exit status of the last run.", f->status},
        {"run_threads", "Compute threads of a rank.", f->threads},
        {"run_ranks", "Ranks.", (double)f->nranks},
        {"records", "Records answered.", (double)o->tally.records},
        {"bad_records", "Records that were bad.", (double)o->tally.bad},
        {"unfinished_records", "Records without a complete answer.",
         (double)o->tally.unfinished},
        {"read_bytes", "Bytes of input.", (double)s.read_bytes},
        {"written_bytes", "Bytes of output.", (double)o->out},
        {"cpu_seconds", "CPU time of all ranks.", seconds(s.cpu_ns)},
        {"peak_bytes", "Most memory of a rank.", (double)s.peak_bytes},
        {"transfers", "Transfers that ended.", (double)s.transfers},
        {"failed_transfers", "Transfers that failed.", (double)s.failed},
        {"retries", "Transfers tried again.", (double)s.retries},
        {"fetched_bytes", "Bytes of bodies.", (double)s.fetched_bytes},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        put_metric(&p, rows[i].name, rows[i].help, rows[i].value);
    put_quantiles(&p, "record", "Time that a record took.", &s.record_ns);
    put_quantiles(&p, "fetch", "Time that a transfer took.", &s.fetch_ns);
    put_threads(&p, f);
    qbuf_release(&p.labels);
}

/* --- files --- */

static int write_both(const struct stats_file *f, struct qerr *e)
{
    const char *stats = job_word(f->job, "stats"), *trace = job_word(f->job, "trace");
    struct qbuf text = QBUF_INIT;
    int rc = 0;
    if (stats) {
        if (strcmp(job_word(f->job, "stats-format"), "prom") == 0)
            stats_file_prom(f, &text);
        else
            stats_file_json(f, &text);
        rc = outfile_write(stats, &text, e);
    }
    qbuf_clear(&text);
    if (trace && rc == 0) {
        trace_json(f->ranks, f->nranks, &text);
        rc = outfile_write(trace, &text, e);
    }
    qbuf_release(&text);
    return rc;
}

bool stats_file_is_wanted(const struct job *job)
{
    return job_word(job, "stats") || job_word(job, "trace");
}

int stats_file_write(struct stats_file *f, struct qerr *e)
{
    static struct meters none; /* of a run that did not begin */
    const struct engine_outcome *o = f->outcome;
    if (!stats_file_is_wanted(f->job) || comm_rank() != 0)
        return 0;
    struct rank_stats *ranks = calloc(1 + o->nothers, sizeof *ranks);
    if (!ranks)
        return qerr_nomem(e);
    if (!o->meters)
        meters_init(&none, qclock_ns(), 0);
    f->meters = o->meters ? o->meters : &none;
    int rc = stats_collect(&ranks[0], 0, f->meters, !o->abandoned, e);
    if (rc == 0) {
        if (o->nothers > 0)
            memcpy(ranks + 1, o->others, o->nothers * sizeof *ranks);
        f->ranks = ranks;
        f->nranks = 1 + o->nothers;
        rc = write_both(f, e);
        stats_release(&ranks[0]);
    }
    free(ranks);
    return rc;
}
