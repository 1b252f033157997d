#include "source/fetchconfig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/qlog.h"
#include "source/fetch.h"

enum { MS = 1000000, HEADER_FILE_MAX = 1 << 20 };
static const uint64_t API_TIMEOUT_NS = UINT64_C(60000000000); /* JSON's: see --help */

/* --- headers, which may hold secrets: none of their text goes into a message --- */

static bool is_name(char c, bool first)
{
    return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (!first && c >= '0' && c <= '9');
}

/* Appends `s` with each ${NAME} replaced by the environment's value. */
static int expand(const char *s, struct qbuf *out, struct qerr *e)
{
    char name[64];
    while (*s) {
        size_t n = 0;
        if (s[0] != '$' || s[1] != '{') {
            qbuf_putc(out, *s++);
            continue;
        }
        while (is_name(s[2 + n], n == 0) && n + 1 < sizeof name)
            n++;
        memcpy(name, s + 2, n);
        name[n] = '\0';
        if (n == 0 || s[2 + n] != '}')
            return qerr_set(e, Q_EUSAGE,
                            "--header: ${ wants the name of a variable and }");
        const char *value = getenv(name);
        if (!value)
            return qerr_set(e, Q_EUSAGE, "--header: the variable %s is not set", name);
        qbuf_puts(out, value);
        s += n + 3;
    }
    return 0;
}

/* A line as it is sent: "Name: value", or "Name;" for an empty value, as curl has it.
 */
static int add_header(struct fetch_config *c, const char *line, struct qerr *e)
{
    size_t begin = c->headers.len;
    int rc = expand(line, &c->headers, e);
    if (rc < 0)
        return rc;
    qbuf_putc(&c->headers, '\0');
    if (c->headers.failed)
        return qbuf_check(&c->headers, e);
    const char *made = c->headers.data + begin;
    size_t name = strcspn(made, ":; \t");
    if (name == 0 || (made[name] != ':' && made[name] != ';') || strpbrk(made, "\r\n"))
        return qerr_set(e, Q_EUSAGE,
                        "--header wants one line 'Name: value' (or @FILE)");
    return 0;
}

/* The lines of a file, or of standard input; empty ones and # lines are nothing. */
static int add_header_file(struct fetch_config *c, const char *path, struct qerr *e)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t size = 0, total = 0;
    ssize_t n;
    int rc = 0;
    if (!f)
        return qerr_sys(e, Q_EUSAGE, errno, "--header: %s", path);
    while (rc == 0 && (n = getline(&line, &size, f)) >= 0) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            line[--n] = '\0';
        total += (size_t)n;
        if (total > HEADER_FILE_MAX)
            rc = qerr_set(e, Q_EUSAGE, "--header: %s is too long", path);
        else if (n > 0 && line[0] != '#')
            rc = add_header(c, line, e);
    }
    if (rc == 0 && ferror(f))
        rc = qerr_sys(e, Q_EUSAGE, errno, "--header: read %s", path);
    free(line);
    fclose(f);
    return rc;
}

static int read_headers(struct fetch_config *c, const struct job *job, struct qerr *e)
{
    int rc = 0;
    const char *text;
    for (size_t i = 0; rc == 0 && (text = job_word_at(job, "header", i)) != NULL; i++)
        rc = text[0] == '@' ? add_header_file(c, text + 1, e) : add_header(c, text, e);
    return rc;
}

/* --- numbers --- */

static int read_rates(struct fetch_config *c, const struct job *job, struct qerr *e)
{
    const char *rate = job_word(job, "rate"), *total = job_word(job, "rate-total");
    c->limits.burst = job_count(job, "burst");
    int rc = rate ? rate_parse(rate, &c->limits.rate, e) : 0;
    if (rc < 0)
        return qerr_add(e, "--rate");
    rc = total ? rate_parse(total, &c->limits.rate_total, e) : 0;
    return rc < 0 ? qerr_add(e, "--rate-total") : 0;
}

static void read_limits(struct fetch_config *c, const struct job *job)
{
    c->limits.workers = (unsigned)job_count(job, "workers");
    c->limits.per_host = job_given(job, "per-host")
                             ? (unsigned)job_count(job, "per-host")
                             : c->limits.workers;
    c->threads = (unsigned)job_count(job, "fetch-threads");
    if (c->threads > c->limits.workers)
        c->threads = c->limits.workers;
    c->policy.tries = (unsigned)job_count(job, "tries");
    c->policy.max_retry_after_ns = job_count(job, "max-retry-after");
    c->timeout_ns = job_given(job, "timeout") || strcmp(job->command, "extract") != 0
                        ? job_count(job, "timeout")
                        : API_TIMEOUT_NS;
    c->stall_ns = job_count(job, "stall-timeout");
    c->deadline_ns = job_count(job, "deadline");
    c->max_bytes = job_count(job, "max-bytes");
    c->max_bytes_of = "--max-bytes";
    /* A document is fetched whole, and then has this limit: it holds from the start. */
    uint64_t document =
        job_find(job, "max-document") ? job_count(job, "max-document") : 0;
    if (document > 0 && (c->max_bytes == 0 || c->max_bytes > document)) {
        c->max_bytes = document;
        c->max_bytes_of = "--max-document";
    }
    c->max_total = job_count(job, "max-total");
    c->max_redirs = (unsigned)job_count(job, "max-redirs");
}

static void read_transfer(struct fetch_config *c, const struct job *job)
{
    struct transfer_options *o = &c->transfer;
    o->in_flight = c->limits.workers;
    o->user_agent = job_word(job, "user-agent");
    if (!o->user_agent)
        o->user_agent = "quern/" QUERN_VERSION;
    o->cacert = job_word(job, "cacert");
    o->proxy = job_word(job, "proxy");
    o->no_proxy = job_word(job, "no-proxy");
    o->insecure = job_flag(job, "insecure");
    o->netrc = job_flag(job, "netrc");
    o->cookies = job_flag(job, "cookies");
    o->http2 = job_flag(job, "http2");
    o->deny_private = job_flag(job, "deny-private");
    o->connect_ms = (job_count(job, "connect-timeout") + MS - 1) / MS;
}

static int read_files(struct fetch_config *c, const struct job *job, struct qerr *e)
{
    c->hash = job_given(job, "report");
    if (!job_find(job, "output-dir"))
        return 0;
    bool skip = job_flag(job, "skip-existing"), replace = job_flag(job, "overwrite");
    bool go_on = job_flag(job, "continue");
    if (skip + replace + go_on > 1)
        return qerr_set(e, Q_EUSAGE,
                        "--skip-existing, --overwrite and --continue exclude each "
                        "other");
    if (job_flag(job, "discard") && (go_on || skip || job_given(job, "cache")))
        return qerr_set(e, Q_EUSAGE, "--discard has no files to %s",
                        go_on  ? "go on with"
                        : skip ? "skip"
                               : "keep in a cache");
    c->files = true;
    c->directory = job_flag(job, "discard") ? NULL : job_word(job, "output-dir");
    c->existing = skip      ? EXISTING_SKIP
                  : replace ? EXISTING_REPLACE
                  : go_on   ? EXISTING_CONTINUE
                            : EXISTING_REFUSE;
    c->content_disposition = job_flag(job, "content-disposition");
    c->fail_fast = job_flag(job, "fail-fast");
    c->hash = c->hash || job_given(job, "checksum");
    return job_given(job, "checksum")
               ? checksums_new(&c->checksums, job_word(job, "checksum"), e)
               : 0;
}

static int read_all(struct fetch_config *c, const struct job *job, struct qerr *e)
{
    read_limits(c, job);
    read_transfer(c, job);
    c->allow_downgrade = job_flag(job, "allow-downgrade");
    c->compressed = job_flag(job, "compressed");
    c->spool = job_flag(job, "spool");
    c->cache = job_word(job, "cache");
    c->offline = job_flag(job, "offline");
    if (c->offline && !c->cache)
        return qerr_set(e, Q_EUSAGE, "--offline needs --cache DIR");
    int rc = judge_statuses(job_word(job, "retry-status"), &c->policy, e);
    if (rc < 0)
        return qerr_add(e, "--retry-status");
    rc = read_rates(c, job, e);
    if (rc == 0)
        rc = read_headers(c, job, e);
    return rc < 0 ? rc : read_files(c, job, e);
}

int fetch_config_new(struct fetch_config **config, const struct job *job,
                     struct qerr *e)
{
    struct fetch_config *c = calloc(1, sizeof *c);
    if (!c)
        return qerr_nomem(e);
    int rc = read_all(c, job, e);
    if (rc < 0) {
        fetch_config_free(c);
        return rc;
    }
    if (c->transfer.insecure)
        qlog_warn("--insecure: certificates are not checked");
    *config = c;
    return 0;
}

void fetch_config_free(struct fetch_config *c)
{
    if (!c)
        return;
    qbuf_release(&c->headers);
    checksums_free(c->checksums);
    free(c);
}
