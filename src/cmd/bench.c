#include "cmd/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qlog.h"
#include "cmd/args.h"
#include "cmd/benchdoc.h"
#include "cmd/benchrun.h"
#include "cmd/help.h"
#include "cmd/outfile.h"
#include "cmd/page.h"
#include "cmd/redact.h"
#include "engine/launcher.h"
#include "engine/monitor.h"
#include "engine/placement.h"

const char bench_description[] =
    "Measures a command, or a job file, in several modes and widths, side by side: "
    "each "
    "--repeat times, in alternating order; checks that all runs give the same bytes; "
    "and prints a table. Options of bench stand in front of COMMAND or JOBFILE, its "
    "own "
    "behind it.\n"
    "\n"
    "  quern bench --widths 1,2,4 factor numbers.txt\n"
    "  quern bench -o primes20 jobs/primes20.job --method=trial\n"
    "\n"
    "Modes: serial (one thread, a loop); threads; processes (ranks of mpirun; of "
    "'fetch', processes each with a slice of the URLs); event (URLs: many transfers by "
    "one thread).";

const struct qopt options_bench[] = {
    {.name = "modes",
     .kind = QOPT_TEXT,
     .value = "LIST",
     .fallback = "serial,threads,processes,event",
     .help = "the modes to compare; those that cannot be are left out, and named"},
    {.name = "widths",
     .kind = QOPT_TEXT,
     .value = "LIST",
     .help = "numbers of threads, processes or transfers, as in 1,2,4 (default: powers "
             "of two up to the threads that there are)"},
    {.name = "repeat",
     .kind = QOPT_COUNT,
     .value = "N",
     .fallback = "5",
     .min = 1,
     .max = BENCH_REPEAT_MAX,
     .help = "measure each N times"},
    {.name = "warmup",
     .kind = QOPT_COUNT,
     .value = "N",
     .fallback = "1",
     .max = BENCH_REPEAT_MAX,
     .help = "before that, run each N times that do not count"},
    {.name = "scaling",
     .kind = QOPT_CHOICE,
     .value = "strong|weak",
     .fallback = "strong",
     .help = "the same work for each width, or (weak) the INPUTs as many times over as "
             "it is wide"},
    {.name = "output",
     .letter = 'o',
     .kind = QOPT_TEXT,
     .value = "NAME",
     .help = "write NAME.csv, NAME.json and NAME.html as well, a report with figures"},
    {.name = NULL},
};

/* --- what is asked for --- */

int bench_widths(const char *text, unsigned *widths, unsigned most, struct qerr *e)
{
    const char *at = text;
    unsigned n = 0;
    for (;; at++) {
        char *end;
        unsigned long width = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;
        if (width < 1 || width > 4096 || (*end != ',' && *end != '\0') || n == most)
            return qerr_set(e, Q_EUSAGE,
                            "--widths wants numbers from 1 to 4096, as in "
                            "1,2,4");
        unsigned i = 0;
        while (i < n && widths[i] != width)
            i++;
        if (i == n)
            widths[n++] = (unsigned)width;
        at = end;
        if (*at == '\0')
            return (int)n;
    }
}

int bench_modes(const char *text, unsigned *modes, struct qerr *e)
{
    *modes = 0;
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        unsigned m = 0;
        while (m < BENCH_MODES && (strlen(bench_mode_name(m)) != len ||
                                   memcmp(bench_mode_name(m), at, len) != 0))
            m++;
        if (m == BENCH_MODES)
            return qerr_set(e, Q_EUSAGE,
                            "--modes: '%.*s' is none of serial, threads, "
                            "processes, event",
                            (int)(len < 40 ? len : 40), at);
        *modes |= 1u << m;
        at += len;
        if (*at == '\0')
            return 0;
    }
}

static int usual_widths(unsigned *widths, struct qerr *e)
{
    struct placement where;
    const struct placement_peers alone = {1, 1};
    int rc = placement_find(&where, 0, &alone, e), n = 0;
    if (rc < 0)
        return rc;
    for (unsigned w = 1; w < where.threads; w *= 2)
        widths[n++] = w;
    widths[n++] = where.threads;
    return n;
}

struct bench {
    struct job job; /* bench's own options */
    struct bench_target target;
    struct bench_doc doc;
    char folder[BENCH_FOLDER]; /* for outputs, statistics and traces of a run */
    enum bench_compare compare;
    unsigned nruns, run; /* in all, and this one */
    bool shows;          /* ... on a terminal */
};

static void add_cell(struct bench_doc *d, enum bench_mode mode, unsigned width)
{
    if (d->n < BENCH_CELLS)
        d->cells[d->n++] =
            (struct bench_cell){.mode = mode, .width = width, .stats = QBUF_INIT};
}

static int plan(struct bench *b, struct qerr *e)
{
    unsigned widths[BENCH_CELLS] = {1}, modes;
    const char *given = job_word(&b->job, "widths");
    int n = given ? bench_widths(given, widths, BENCH_CELLS / BENCH_MODES, e)
                  : usual_widths(widths, e);
    int rc = n < 0 ? n : bench_modes(job_word(&b->job, "modes"), &modes, e);
    for (unsigned m = 0; rc == 0 && m < BENCH_MODES; m++) {
        if (!(modes & (1u << m)))
            continue;
        b->doc.missing[m] = bench_target_lacks(&b->target, m);
        if (b->doc.missing[m])
            continue;
        for (int i = 0; i < (m == BENCH_SERIAL ? 1 : n); i++)
            add_cell(&b->doc, m, m == BENCH_SERIAL ? 1 : widths[i]);
    }
    if (rc == 0 && b->doc.n == 0)
        rc = qerr_set(e, Q_EUSAGE, "bench: no mode is left to measure");
    b->nruns = (unsigned)b->doc.n * (b->doc.repeat + b->doc.warmup);
    return rc;
}

/* --- running it --- */

static const char *path_in(const struct bench *b, const char *name, char to[BENCH_PATH])
{
    snprintf(to, BENCH_PATH, "%s/%s", b->folder, name);
    return to;
}

/* All runs have to end alike. One that says it met bad records, and has not even
 * written its statistics, has done no work: a launcher's words, not ours. */
static int check_status(struct bench *b, const struct bench_call *call, int status,
                        struct qerr *e)
{
    char said[BENCH_SAID];
    if (status > 0 && call->stats && access(call->stats, F_OK) != 0) {
        bench_said(b->folder, 0, said);
        return qerr_set(e, Q_EINPUT,
                        "a run ended with status %d, its work not done: %s", status,
                        said);
    }
    if (b->doc.status >= 0 && status != b->doc.status)
        return qerr_set(e, Q_EINPUT,
                        "a run ended with status %d, the first one with %d", status,
                        b->doc.status);
    b->doc.status = status;
    return 0;
}

/* The processes of one run of a cell. */
static int start_and_wait(struct bench *b, const struct bench_cell *c, bool seen,
                          struct bench_time *time, struct qerr *e)
{
    char files[BENCH_PATH], stats[BENCH_PATH], trace[BENCH_PATH];
    unsigned n = bench_target_processes(&b->target, c->mode, c->width);
    seen = seen && n == 1; /* no one of several speaks for all */
    struct bench_call call = {.mode = c->mode,
                              .width = c->width,
                              .times = b->doc.weak ? c->width : 1,
                              .folder = path_in(b, "files", files),
                              .stats = seen ? path_in(b, "stats", stats) : NULL,
                              .trace = seen ? path_in(b, "trace", trace) : NULL};
    struct wordlist *argvs = calloc(n, sizeof *argvs);
    if (!argvs)
        return qerr_nomem(e);
    int rc = 0;
    for (; rc == 0 && call.process < n; call.process++)
        rc = bench_target_argv(&b->target, &call, &argvs[call.process], e);
    if (b->compare == BENCH_FILES) {
        bench_remove(files);
        mkdir(files, 0700);
    }
    if (rc == 0)
        /* A URL that failed would have been the quicker for it. */
        rc = bench_execute(argvs, n, b->target.urls ? 0 : 1, b->folder, time, e);
    if (rc == 0)
        rc = check_status(b, &call, time->status, e);
    for (unsigned k = 0; k < n; k++)
        wordlist_release(&argvs[k]);
    free(argvs);
    return rc;
}

/* What the run wrote besides: several processes that fetch write nothing. */
static int read_besides(struct bench *b, struct bench_cell *c, struct qerr *e)
{
    char path[BENCH_PATH];
    struct qbuf trace = QBUF_INIT;
    struct qerr ignored = QERR_INIT;
    int rc = 0;
    qbuf_clear(&c->stats);
    outfile_read(path_in(b, "stats", path), 64 << 20, &c->stats, &ignored);
    unlink(path);
    ignored = (struct qerr)QERR_INIT;
    if (outfile_read(path_in(b, "trace", path), 256 << 20, &trace, &ignored) == 0) {
        struct qjson *doc = qjson_parse(trace.data, trace.len, e);
        timeline_release(&c->timeline);
        rc = doc ? timeline_read(&c->timeline, doc, e) : -(int)e->code;
        qjson_free(doc);
    }
    unlink(path);
    qbuf_release(&trace);
    return rc;
}

/* Whether cell `c` does the same work as the first one. */
static const struct bench_cell *same_work(const struct bench_doc *d,
                                          const struct bench_cell *c)
{
    const struct bench_cell *at = d->cells;
    while (at < c && (*at->digest == '\0' || (d->weak && at->width != c->width)))
        at++;
    return at;
}

static int compare(struct bench *b, struct bench_cell *c, struct qerr *e)
{
    char digest[QHASH_HEX];
    unsigned n = bench_target_processes(&b->target, c->mode, c->width);
    int rc = bench_digest(b->folder, n, b->compare, digest, e);
    if (rc < 0)
        return rc;
    if (*c->digest == '\0')
        memcpy(c->digest, digest, sizeof digest);
    if (strcmp(digest, c->digest) == 0 &&
        strcmp(digest, same_work(&b->doc, c)->digest) == 0)
        return 0;
    b->doc.same = false;
    return qerr_set(e, Q_ECHECK, "not the bytes of the first run");
}

static void show(const struct bench *b, const struct bench_cell *c)
{
    char line[100];
    unsigned columns = monitor_columns();
    snprintf(line, columns < sizeof line ? columns : sizeof line,
             "bench: run %u of %u, %s, width %u", b->run, b->nruns,
             bench_mode_name(c->mode), c->width);
    qlog_status(line);
}

static int run_cell(struct bench *b, struct bench_cell *c, bool counts, struct qerr *e)
{
    struct bench_time time = {.seconds = 0};
    b->run++;
    if (b->shows)
        show(b, c);
    /* The first run, whether it counts or not, is looked at: metering costs nothing
     * that could be measured. */
    bool seen = *c->digest == '\0';
    int rc = start_and_wait(b, c, seen, &time, e);
    if (rc == 0)
        rc = compare(b, c, e);
    if (rc == 0 && seen)
        rc = read_besides(b, c, e);
    if (rc == 0 && counts) {
        c->seconds[c->n] = time.seconds;
        c->cpu[c->n++] = time.cpu_seconds;
    }
    if (rc == 0 && time.peak_bytes > c->peak_bytes)
        c->peak_bytes = time.peak_bytes;
    return rc;
}

/* A run that failed, or gave other bytes, spoils its cell; the others go on. Anything
 * else ends it all. Returns whether to go on; the first failure is the one to tell. */
static bool go_on(struct bench *b, struct bench_cell *c, struct qerr *why,
                  struct qerr *e)
{
    bool spoilt = why->code == Q_EINPUT || why->code == Q_ECHECK;
    if (spoilt) {
        c->n = 0;
        snprintf(c->why, sizeof c->why, "%.*s", (int)sizeof c->why - 1, why->text);
        qerr_add(why, "%s, width %u", bench_mode_name(c->mode), c->width);
    } else {
        snprintf(b->doc.stopped, sizeof b->doc.stopped, "%.*s",
                 (int)sizeof b->doc.stopped - 1, why->text);
    }
    if (e->code == Q_OK || !spoilt)
        *e = *why;
    return spoilt;
}

static int run_all(struct bench *b, struct qerr *e)
{
    bool going = true;
    unsigned rounds = b->doc.warmup + b->doc.repeat;
    b->shows =
        monitor_mode_here("auto", qlog_level() == QLOG_QUIET, false) == MONITOR_LINE;
    for (unsigned round = 0; going && round < rounds; round++) {
        for (size_t i = 0; going && i < b->doc.n; i++) {
            struct bench_cell *c = &b->doc.cells[bench_order(i, b->doc.n, round)];
            struct qerr why = QERR_INIT;
            if (c->why[0] == '\0' && run_cell(b, c, round >= b->doc.warmup, &why) < 0)
                going = go_on(b, c, &why, e);
        }
    }
    qlog_status(NULL);
    return -(int)e->code;
}

/* --- what comes of it --- */

/* Writes NAME with that ending; without a text, sees whether it can be. */
static int write_as(const struct bench *b, const char *ending, const struct qbuf *text,
                    struct qerr *e)
{
    struct qbuf path = QBUF_INIT;
    qbuf_printf(&path, "%s%s", job_word(&b->job, "output"), ending);
    int rc = text ? outfile_write(qbuf_cstr(&path), text, e)
                  : outfile_check(qbuf_cstr(&path), e);
    qbuf_release(&path);
    return rc;
}

static int check_files(const struct bench *b, struct qerr *e)
{
    int rc = write_as(b, ".csv", NULL, e);
    if (rc == 0)
        rc = write_as(b, ".json", NULL, e);
    return rc == 0 ? write_as(b, ".html", NULL, e) : rc;
}

static int write_files(const struct bench *b, struct qerr *e)
{
    struct qbuf text = QBUF_INIT, page = QBUF_INIT;
    bench_doc_csv(&b->doc, &text);
    int rc = write_as(b, ".csv", &text, e);
    qbuf_clear(&text);
    bench_doc_json(&b->doc, &text);
    if (rc == 0)
        rc = write_as(b, ".json", &text, e);
    struct qjson *doc = rc == 0 ? qjson_parse(text.data, text.len, e) : NULL;
    if (rc == 0)
        rc = doc ? page_make(doc, NULL, 0, &page, e) : -(int)e->code;
    if (rc == 0)
        rc = write_as(b, ".html", &page, e);
    qjson_free(doc);
    qbuf_release(&text);
    qbuf_release(&page);
    return rc;
}

static int tell(struct bench *b, struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    bench_doc_finish(&b->doc);
    if (!b->doc.base)
        return 0; /* nothing to tell */
    bench_doc_table(&b->doc, &text);
    int rc = help_print(&text, e);
    qbuf_release(&text);
    return rc == 0 && job_word(&b->job, "output") ? write_files(b, e) : rc;
}

/* --- the command --- */

/* Without what may be a secret: tables and pages are passed on. */
static void put_command(struct qbuf *out, const char *first, int argc, char **argv)
{
    struct qbuf word = QBUF_INIT;
    qbuf_puts(out, first);
    for (int i = 0; i < argc; i++) {
        qbuf_clear(&word);
        redact_argument(i > 0 ? argv[i - 1] : NULL, argv[i], &word);
        qbuf_putc(out, ' ');
        redact_quote(qbuf_cstr(&word), out);
    }
    (void)qbuf_cstr(out);
    qbuf_release(&word);
}

/* How many of the arguments are bench's own: up to the first that is no option. */
static int own_arguments(int argc, char **argv)
{
    int n = 0;
    while (n < argc && argv[n][0] == '-') {
        const char *name = argv[n] + strspn(argv[n], "-");
        bool wants = strcmp(argv[n], "-o") == 0;
        for (const struct qopt *o = options_bench; o->name; o++)
            wants = wants || (argv[n][1] == '-' && strcmp(name, o->name) == 0);
        n += wants && n + 1 < argc ? 2 : 1;
    }
    return n;
}

static int open_folder(struct bench *b, struct qerr *e)
{
    const char *tmp = getenv("TMPDIR");
    tmp = tmp && *tmp ? tmp : "/tmp";
    int n = snprintf(b->folder, sizeof b->folder, "%s/quern-bench-XXXXXX", tmp);
    if (n < 0 || (size_t)n >= sizeof b->folder)
        errno = ENAMETOOLONG;
    else if (mkdtemp(b->folder))
        return 0;
    return qerr_sys(e, Q_EIO, errno, "cannot make a folder in %s", tmp);
}

static int measure(struct bench *b, struct qerr *e)
{
    struct bench_doc *d = &b->doc;
    d->repeat = (unsigned)job_count(&b->job, "repeat");
    d->warmup = (unsigned)job_count(&b->job, "warmup");
    d->weak = strcmp(job_word(&b->job, "scaling"), "weak") == 0;
    d->same = true;
    d->status = -1;
    b->compare = b->target.discards    ? BENCH_FETCHED
                 : b->target.files     ? BENCH_FILES
                 : b->target.unordered ? BENCH_LINES
                 : b->target.timed     ? BENCH_TIMED
                                       : BENCH_BYTES;
    host_time(d->started);
    int rc = plan(b, e);
    if (rc == 0 && job_word(&b->job, "output"))
        rc = check_files(b, e);
    if (rc == 0)
        rc = open_folder(b, e);
    if (rc < 0)
        return rc;
    bench_catch();
    rc = run_all(b, e);
    bench_remove(b->folder);
    struct qerr mute = QERR_INIT; /* the run's error goes before this one */
    if (tell(b, &mute) < 0 && rc == 0) {
        *e = mute;
        rc = -(int)e->code;
    }
    return rc;
}

/* It is no rank, and runs that are started below a launcher would take themselves for
 * its ranks. */
static int check_launcher(struct qerr *e)
{
    struct launcher l;
    const struct qenv env = QENV_PROCESS;
    launcher_find(&l, &env);
    if (!l.mpi && l.size == 1)
        return 0;
    return qerr_set(e, Q_EUSAGE,
                    "bench starts ranks itself (--modes processes): start it without "
                    "%s",
                    l.command);
}

int cmd_bench(int argc, char **argv, struct ending *ending, struct qerr *e)
{
    const struct qopt *tables[] = {options_bench};
    int own = own_arguments(argc, argv);
    const char *words[1];
    size_t nwords = 0;
    struct bench *b = calloc(1, sizeof *b);
    if (!b)
        return qerr_nomem(e);
    int rc = job_init(&b->job, "bench", tables, 1, e);
    if (rc < 0) {
        free(b);
        return rc;
    }
    rc = args_options(&b->job, own, argv, words, &nwords, e);
    if (rc == 0)
        rc = check_launcher(e);
    if (rc == 0)
        rc = bench_target_take(&b->target, argc - own, argv + own, e);
    if (rc == 0) {
        bool file = !command_find(argv[own]);
        put_command(&b->doc.command, file ? "quern run" : "quern", argc - own,
                    argv + own);
        put_command(&b->doc.again, "quern bench", argc, argv);
        rc = measure(b, e);
        bench_target_release(&b->target);
    }
    if (rc == -Q_ESTOP)
        ending->status = 128 + bench_caught();
    bench_doc_release(&b->doc);
    job_release(&b->job);
    free(b);
    return rc;
}
