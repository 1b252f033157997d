#include "cmd/cat.h"

#include "base/qlog.h"
#include "engine/manifest.h"
#include "sink/sink.h"

const char cat_description[] =
    "DIR/ is what 'quern COMMAND -o DIR/' wrote: shards, and a manifest that says in\n"
    "which order their parts belong. Every part is checked against its checksum. Of a\n"
    "run that has not ended its beginning is printed, and the status is 1.";

/* The folder, with its slash. */
static int folder_of(const struct input *in, struct qbuf *folder, struct qerr *e)
{
    if (in->kind != INPUT_FILE)
        return qerr_set(e, Q_EUSAGE, "cat wants a folder DIR/, not %s", in->name);
    qbuf_puts(folder, in->text);
    if (!manifest_is_for(in->text))
        qbuf_putc(folder, '/');
    return qbuf_check(folder, e);
}

static int print(struct manifest *m, void *out, struct qerr *e)
{
    struct shard_extent x;
    struct qbuf bytes = QBUF_INIT;
    const struct sink *sink = sink_for("text");
    int rc;
    while ((rc = manifest_next(m, &x, e)) > 0) {
        rc = manifest_read(m, &x, &bytes, e);
        if (rc == 0)
            rc = sink->write(out, bytes.data, bytes.len, e);
        if (rc < 0)
            break;
    }
    qbuf_release(&bytes);
    return rc;
}

static int print_folder(const struct input *in, void *out, struct ending *ending,
                        struct qerr *e)
{
    struct qbuf folder = QBUF_INIT;
    struct manifest *m = NULL;
    int rc = folder_of(in, &folder, e);
    if (rc == 0)
        rc = manifest_open(&m, qbuf_cstr(&folder), UINT64_MAX, e);
    if (rc == 0)
        rc = print(m, out, e);
    if (rc == 0 && !manifest_is_complete(m)) {
        qlog_error("%s is of a run that has not ended: this is its beginning",
                   qbuf_cstr(&folder));
        ending->status = 1;
    }
    manifest_close(m);
    qbuf_release(&folder);
    return rc;
}

int cmd_cat(const struct job *job, struct ending *ending, struct qerr *e)
{
    const struct sink *sink = sink_for("text");
    void *out;
    int rc = sink->open(&out, &(struct sink_target){.path = NULL}, e);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < job->ninputs && rc == 0; i++)
        rc = print_folder(&job->inputs[i], out, ending, e);
    struct qerr late = QERR_INIT;
    int closed = sink->close(out, rc < 0 ? &late : e);
    return rc < 0 ? rc : closed;
}
