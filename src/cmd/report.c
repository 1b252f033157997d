#include "cmd/report.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/help.h"
#include "cmd/outfile.h"
#include "cmd/page.h"

const char report_description[] =
    "Makes one HTML page, complete in itself, of what --stats and --trace of any "
    "command, "
    "or bench, wrote: several runs side by side. A trace belongs to the statistics "
    "that "
    "stand in front of it.\n"
    "\n"
    "  quern factor numbers.txt --stats s.json --trace t.json > out.txt\n"
    "  quern report s.json t.json -o report.html";

const struct qopt options_report[] = {
    {.name = "output",
     .letter = 'o',
     .kind = QOPT_TEXT,
     .value = "FILE",
     .help = "write to FILE instead of standard output"},
    {.name = NULL},
};

enum { FILE_BYTES = 512 << 20 };

struct sheaf {
    struct qjson *docs[2 * PAGE_RUNS + 1];
    size_t ndocs;
    const struct qjson *bench;
    struct page_item items[PAGE_RUNS];
    size_t n;
};

/* The last `parts` parts of a path, or all of it. */
static const char *tail(const char *path, size_t parts)
{
    const char *at = path + strlen(path);
    while (at > path && (at[-1] != '/' || --parts > 0))
        at--;
    return at;
}

static bool is_alone(const struct sheaf *s, size_t which, size_t parts)
{
    const char *name = tail(s->items[which].name, parts);
    for (size_t i = 0; i < s->n; i++)
        if (i != which && strcmp(tail(s->items[i].name, parts), name) == 0)
            return false;
    return true;
}

/* As short as can be while each is another. */
static void shorten_names(struct sheaf *s)
{
    const char *names[PAGE_RUNS];
    for (size_t i = 0; i < s->n; i++) {
        const char *path = s->items[i].name;
        size_t parts = 1;
        while (!is_alone(s, i, parts) && tail(path, parts) > path)
            parts++;
        names[i] = tail(path, parts);
    }
    for (size_t i = 0; i < s->n; i++)
        s->items[i].name = names[i];
}

static struct qjson *read_doc(const char *path, struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    struct qjson *doc = NULL;
    if (outfile_read(path, FILE_BYTES, &text, e) == 0) {
        doc = qjson_parse(text.data, text.len, e);
        if (!doc)
            qerr_add(e, "%s", path);
    }
    qbuf_release(&text);
    return doc;
}

static int take_stats(struct sheaf *s, const char *path, const struct qjson *doc,
                      struct qerr *e)
{
    if (s->n == PAGE_RUNS)
        return qerr_set(e, Q_EUSAGE, "%s: more than %d runs", path, PAGE_RUNS);
    if (!qjson_get(doc, "run.command") || !qjson_get(doc, "totals"))
        return qerr_set(e, Q_EINPUT, "%s: statistics without a run", path);
    s->items[s->n++] = (struct page_item){.name = path, .stats = doc};
    return 0;
}

static int take(struct sheaf *s, const char *path, const struct qjson *doc,
                struct qerr *e)
{
    const char *schema = qjson_text(qjson_get(doc, "schema"), "");
    bool trace = qjson_get(doc, "traceEvents") != NULL;
    double version = qjson_number(qjson_get(doc, "version"), 0);
    if (!trace && *schema && version != 1)
        return qerr_set(e, Q_EINPUT, "%s: version %g of %s; this program knows 1", path,
                        version, schema);
    if (strcmp(schema, "quern-stats") == 0)
        return take_stats(s, path, doc, e);
    if (strcmp(schema, "quern-bench") == 0 && s->bench)
        return qerr_set(e, Q_EUSAGE, "%s: a page has one benchmark", path);
    if (strcmp(schema, "quern-bench") == 0) {
        s->bench = doc;
        return 0;
    }
    if (trace && s->n > 0 && !s->items[s->n - 1].trace) {
        s->items[s->n - 1].trace = doc;
        return 0;
    }
    if (trace)
        return qerr_set(e, Q_EUSAGE,
                        "%s: a trace stands behind the statistics of its run", path);
    return qerr_set(e, Q_EINPUT, "%s: neither statistics, nor a trace, nor a benchmark",
                    path);
}

/* To write the page into what it is made of would lose it. */
static int check_output(const struct job *job, struct qerr *e)
{
    const char *output = job_word(job, "output");
    struct outfile_place place;
    int rc = output ? outfile_check(output, e) : 0;
    outfile_find(output, &place);
    for (size_t i = 0; rc == 0 && i < job->ninputs; i++)
        if (outfile_is_at(&place, job->inputs[i].text))
            rc = qerr_set(e, Q_EUSAGE, "%s is an input and the output",
                          job->inputs[i].text);
    outfile_place_release(&place);
    return rc;
}

static int read_all(struct sheaf *s, const struct job *job, struct qerr *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < job->ninputs; i++) {
        const struct input *in = &job->inputs[i];
        if (in->kind != INPUT_FILE)
            return qerr_set(e, Q_EUSAGE, "report wants files: STATS.json [TRACE.json]");
        if (s->ndocs == sizeof s->docs / sizeof *s->docs)
            return qerr_set(e, Q_EUSAGE, "more than %d runs", PAGE_RUNS);
        struct qjson *doc = read_doc(in->text, e);
        if (!doc)
            return -(int)e->code;
        s->docs[s->ndocs++] = doc;
        rc = take(s, in->text, doc, e);
    }
    return rc;
}

int cmd_report(const struct job *job, struct ending *ending, struct qerr *e)
{
    struct sheaf *s = calloc(1, sizeof *s);
    struct qbuf page = QBUF_INIT;
    const char *output = job_word(job, "output");
    (void)ending;
    if (!s)
        return qerr_nomem(e);
    int rc = check_output(job, e);
    if (rc == 0)
        rc = read_all(s, job, e);
    shorten_names(s);
    if (rc == 0)
        rc = page_make(s->bench, s->items, s->n, &page, e);
    if (rc == 0)
        rc = output ? outfile_write(output, &page, e) : help_print(&page, e);
    for (size_t i = 0; i < s->ndocs; i++)
        qjson_free(s->docs[i]);
    qbuf_release(&page);
    free(s);
    return rc;
}
