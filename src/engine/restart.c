/*
 * The cases, for an output that is a regular file or not there yet:
 *
 *   journal      plain               --resume             --restart
 *   none         begin               begin                begin
 *   unfinished   refuse              go on                begin
 *   complete     begin               check, then nothing  begin
 *   foreign      refuse              refuse               begin
 *   damaged      refuse              refuse               begin
 *
 * "Go on" refuses when the job, an input or the output is not what the journal knows. A
 * run that cannot be resumed (its input is a stream, its order is not fixed) leaves no
 * journal; it removes one that no longer says the truth.
 */
#include "engine/restart.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/qlog.h"
#include "engine/manifest.h"
#include "engine/shards.h"
#include "sink/sink.h"
#include "source/source.h"

/* Why the run cannot be resumed, or NULL; appends the identity of job and inputs. */
static const char *identify(const struct job *job, struct qbuf *identity,
                            struct qerr *e)
{
    job_identity(job, identity);
    if (job_flag(job, "unordered"))
        return "the order of its output is not fixed";
    for (size_t i = 0; i < job->ninputs; i++) {
        qbuf_printf(identity, "input %zu = ", i + 1);
        int rc =
            source_for(job->inputs[i].kind)->ident(job, &job->inputs[i], identity, e);
        qbuf_putc(identity, '\n');
        if (rc != 0)
            return job->inputs[i].kind == INPUT_URL
                       ? "a URL may have changed by then (--offline reads the cache)"
                       : "its input is a stream, which cannot be read again";
    }
    return NULL;
}

static const struct sink *sink_of(const struct job *job)
{
    return sink_for(job_word(job, "format"));
}

/* An output that keeps marks loses that of a former run first: what is left is then a
 * journal without its mark, which is refused, and not a mark without its journal. */
static int begin(struct restart *r, const struct job *job, const char *identity,
                 struct qerr *e)
{
    const struct sink *sink = sink_of(job);
    int rc = sink->forget ? sink->forget(job, e) : 0;
    return rc < 0 ? rc : journal_begin(r->journal, identity, e);
}

static int check_output(struct restart *r, const struct job *job,
                        const struct interrupt *interrupt, struct qerr *e)
{
    const struct sink *sink = sink_of(job);
    if (!sink->recall)
        return journal_check_output(r->journal, r->hash, interrupt, e);
    struct qbuf mark = QBUF_INIT;
    int rc = sink->recall(job, &mark, e);
    if (rc == 0)
        rc = qbuf_check(&mark, e);
    if (rc == 0)
        rc = journal_adopt(r->journal, qbuf_cstr(&mark), e);
    qbuf_release(&mark);
    return rc;
}

static int go_on(struct restart *r, const struct job *job, const char *identity,
                 const struct interrupt *interrupt, struct qerr *e)
{
    int rc = journal_check_job(r->journal, identity, e);
    if (rc == 0)
        rc = check_output(r, job, interrupt, e);
    if (rc == 0 && journal_status(r->journal) == JOURNAL_COMPLETE)
        r->complete = true;
    else if (rc == 0)
        rc = journal_continue(r->journal, e);
    r->resumed = rc == 0 && !r->complete;
    if (rc == 0)
        qlog_detail("going on behind %" PRIu64 " records",
                    journal_mark(r->journal)->records);
    return rc;
}

static int refuse(const char *path, enum journal_status status, struct qerr *e)
{
    if (status == JOURNAL_FOREIGN)
        return qerr_set(e, Q_EUSAGE,
                        "%s.quern is the journal of another version of quern "
                        "(--restart begins anew)",
                        path);
    return qerr_set(
        e, Q_EUSAGE,
        "%s belongs to an unfinished run (--resume goes on, --restart begins "
        "anew)",
        path);
}

static int decide(struct restart *r, const struct job *job, const char *identity,
                  const struct interrupt *interrupt, struct qerr *e)
{
    enum journal_status status = journal_status(r->journal);
    bool unsettled = status == JOURNAL_UNFINISHED || status == JOURNAL_FOREIGN;
    if (status == JOURNAL_NONE)
        return begin(r, job, identity, e);
    if (status == JOURNAL_FOREIGN || (unsettled && !job_flag(job, "resume")))
        return refuse(job_word(job, "output"), status, e);
    return job_flag(job, "resume") ? go_on(r, job, identity, interrupt, e)
                                   : begin(r, job, identity, e);
}

/* No journal for this run: what another run left must not be lost, nor lie. */
static int without(struct restart *r, const struct job *job, struct qerr *e)
{
    enum journal_status status = journal_status(r->journal);
    bool unsettled = status == JOURNAL_UNFINISHED || status == JOURNAL_FOREIGN;
    int rc = unsettled ? refuse(job_word(job, "output"), status, e)
                       : journal_remove(r->journal, e);
    journal_close(r->journal);
    r->journal = NULL;
    return rc;
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* /dev/stdout and the like may lead to a regular file, but it has another name. */
static bool is_journaled(const char *path)
{
    struct stat st;
    if (!path || begins_with(path, "/proc/") ||
        (begins_with(path, "/dev/") && !begins_with(path, "/dev/shm/")))
        return false;
    return manifest_is_for(path) || stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

/* The journal stands beside the file itself, not beside a link to it. */
static int open_by_name(struct journal **journal, const struct job *job, struct qerr *e)
{
    const char *path = job_word(job, "output");
    struct stat st;
    char *real = NULL;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        real = realpath(path, NULL);
    int rc = job_flag(job, "restart")
                 ? journal_open_anew(journal, real ? real : path, e)
                 : journal_open(journal, real ? real : path, e);
    free(real);
    return rc;
}

static int open_journal(struct restart *r, const struct job *job,
                        const struct interrupt *interrupt, struct qerr *e)
{
    struct qbuf identity = QBUF_INIT;
    const char *why = identify(job, &identity, e);
    int rc = qbuf_check(&identity, e);
    if (rc == 0 && e->code != Q_OK)
        rc = -(int)e->code;
    if (rc == 0)
        rc = open_by_name(&r->journal, job, e);
    if (rc == 0 && why) {
        if (job_flag(job, "resume"))
            qlog_warn("this run cannot be resumed: %s", why);
        rc = without(r, job, e);
    } else if (rc == 0) {
        if (!sink_of(job)->recall)
            r->hash = qhash_new(e);
        rc = e->code == Q_OK ? decide(r, job, qbuf_cstr(&identity), interrupt, e)
                             : -(int)e->code;
    }
    qbuf_release(&identity);
    return rc;
}

int restart_open(struct restart *r, const struct job *job,
                 const struct interrupt *interrupt, struct qerr *e)
{
    *r = (struct restart){NULL, NULL, false, false};
    const char *path = job_word(job, "output");
    if (job_flag(job, "resume") && job_flag(job, "restart"))
        return qerr_set(e, Q_EUSAGE, "--resume and --restart exclude each other");
    if (job_flag(job, "resume") && !path)
        return qerr_set(e, Q_EUSAGE, "--resume needs -o FILE");
    if (!is_journaled(path)) {
        if (job_flag(job, "resume"))
            qlog_warn("this run cannot be resumed: %s is not a regular file", path);
        return 0;
    }
    int rc = manifest_is_for(path) ? shards_prepare(path, e) : 0;
    if (rc == 0)
        rc = open_journal(r, job, interrupt, e);
    if (rc < 0)
        restart_close(r);
    return rc;
}

void restart_close(struct restart *r)
{
    journal_close(r->journal);
    qhash_free(r->hash);
    *r = (struct restart){NULL, NULL, false, false};
}
