#include "cmd/outputs.h"

#include <string.h>

#include "base/qlog.h"
#include "cmd/outfile.h"

/* One of the files. */
struct role {
    const char *what;
    const char *path; /* NULL: standard output */
    struct outfile_place place;
};

enum { ROLES = 6 };

struct roles {
    struct role list[ROLES];
    size_t n;
    struct qbuf journal; /* its name */
};

static void add(struct roles *r, const char *what, const char *path)
{
    struct role *role = &r->list[r->n++];
    *role = (struct role){.what = what, .path = path};
    outfile_find(path, &role->place);
}

static void add_option(struct roles *r, const struct job *job, const char *name,
                       const char *what)
{
    const char *path = job_find(job, name) ? job_word(job, name) : NULL;
    if (path)
        add(r, what, path);
}

/* The output stands first. */
static int find_all(struct roles *r, const struct job *job, struct qerr *e)
{
    const char *output = job_find(job, "output") ? job_word(job, "output") : NULL;
    add(r, "the output", output);
    if (output) {
        qbuf_printf(&r->journal, "%s.quern", output);
        add(r, "the output's journal", qbuf_cstr(&r->journal));
    }
    add_option(r, job, "stats", "--stats");
    add_option(r, job, "trace", "--trace");
    add_option(r, job, "report", "--report");
    add_option(r, job, "failed", "--failed");
    return qbuf_check(&r->journal, e);
}

/* Lists have been read by now, but another run wants them. */
static int check_no_list(const struct job *job, const struct role *role, struct qerr *e)
{
    for (unsigned i = 0; i < job->nlists; i++)
        if (outfile_is_at(&role->place, job->lists[i]))
            return qerr_set(e, Q_EUSAGE, "%s is a list of inputs and the output",
                            job->lists[i]);
    return 0;
}

/* An output that is also an input would be emptied before it is read, or read as it
 * grows. */
static int check_no_input(const struct job *job, const struct role *role,
                          struct qerr *e)
{
    for (size_t i = 0; i < job->ninputs; i++) {
        const struct input *input = &job->inputs[i];
        if ((input->kind == INPUT_FILE && outfile_is_at(&role->place, input->text)) ||
            (input->kind == INPUT_STREAM && outfile_is_stdin(&role->place)))
            return qerr_set(e, Q_EUSAGE, "%s is an input and the output",
                            role->path ? role->path : input->name);
    }
    return 0;
}

static int check_pair(const struct role *a, const struct role *b, struct qerr *e)
{
    if (outfile_is_same(&a->place, &b->place))
        return qerr_set(e, Q_EUSAGE, "%s is %s and %s", b->path, a->what, b->what);
    return 0;
}

/* Of a folder of shards all belongs to the output. */
static int check_folder(const struct roles *r, struct qerr *e)
{
    const struct role *output = &r->list[0];
    size_t n = output->path ? strlen(output->path) : 0;
    bool folder = n > 0 && output->path[n - 1] == '/';
    for (size_t i = 2; folder && i < r->n; i++)
        if (outfile_is_in(&r->list[i].place, &output->place))
            return qerr_set(e, Q_EUSAGE, "%s, %s, is in the folder of the output",
                            r->list[i].path, r->list[i].what);
    return 0;
}

static int check_roles(const struct roles *r, const struct job *job, struct qerr *e)
{
    int rc = check_folder(r, e);
    for (size_t i = 0; rc == 0 && i < r->n; i++) {
        rc = check_no_input(job, &r->list[i], e);
        if (rc == 0)
            rc = check_no_list(job, &r->list[i], e);
        for (size_t k = 0; rc == 0 && k < i; k++)
            rc = check_pair(&r->list[k], &r->list[i], e);
    }
    return rc;
}

int outputs_check(const struct job *job, struct qerr *e)
{
    static const char *const last[] = {"stats", "trace"};
    struct roles r = {.n = 0, .journal = QBUF_INIT};
    int rc = find_all(&r, job, e);
    if (rc == 0)
        rc = check_roles(&r, job, e);
    for (size_t i = 0; rc == 0 && i < 2; i++)
        if (job_given(job, last[i]))
            rc = outfile_check(job_word(job, last[i]), e);
    if (rc == 0 && job_given(job, "stats-format") && !job_given(job, "stats"))
        qlog_warn("--stats-format does nothing without --stats");
    for (size_t i = 0; i < r.n; i++)
        outfile_place_release(&r.list[i].place);
    qbuf_release(&r.journal);
    return rc;
}
