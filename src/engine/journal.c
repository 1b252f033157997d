/*
 * The file is lines of text. Each ends in a blank and the XXH3-64 of what is in front
 * of it on the line, seeded with the hash of the line before, so that a line proves all
 * lines above it. The first line names the format; "j" lines hold the job's identity,
 * which "b" ends; "m" lines are marks, one after the other; "e" is a mark behind which
 * nothing comes. The output is not touched before "b" is on the disk: a journal without
 * it is as good as none.
 *
 * A crash can tear only the last line, because a line is appended (and synced) only
 * after the one before is on the disk. So an invalid last line is dropped, and one
 * further up is damage.
 */
#include "engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qfault.h"
#include "engine/manifest.h"

static const char format_line[] = "quern-journal 1";
static const char format_name[] = "quern-journal ";

enum { HASH_DIGITS = 16, READ_BYTES = 1 << 20, LOCK_TRIES = 25, LOCK_NAP_US = 20000 };

struct journal {
    int fd; /* -1: there is no file */
    char *path, *output;
    enum journal_status status;
    struct qbuf identity; /* the job's, as it was read */
    struct mark mark;
    bool begun;     /* the identity is whole */
    uint64_t valid; /* bytes of whole lines */
    uint64_t chain; /* hash of the last of them */
};

/* --- reading --- */

static int read_all(struct journal *j, struct qbuf *text, struct qerr *e)
{
    for (;;) {
        char *to = qbuf_reserve(text, READ_BYTES);
        if (!to)
            return qerr_nomem(e);
        ssize_t n = pread(j->fd, to, READ_BYTES, (off_t)text->len);
        if (n < 0 && errno != EINTR)
            return qerr_sys(e, Q_EIO, errno, "read %s", j->path);
        if (n == 0)
            return 0;
        if (n > 0)
            text->len += (size_t)n;
    }
}

/* A line without its newline: its payload's length when the hash is right, else -1. */
static ssize_t check_line(const char *line, size_t len, uint64_t *chain)
{
    if (len < HASH_DIGITS + 1 || line[len - HASH_DIGITS - 1] != ' ')
        return -1;
    size_t payload = len - HASH_DIGITS - 1;
    char hex[HASH_DIGITS + 1];
    uint64_t hash = qhash_64(line, payload, *chain);
    snprintf(hex, sizeof hex, "%016" PRIx64, hash);
    if (memcmp(hex, line + len - HASH_DIGITS, HASH_DIGITS) != 0)
        return -1;
    *chain = hash;
    return (ssize_t)payload;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_fold(struct qbuf *fold, const char *hex, size_t len)
{
    qbuf_clear(fold);
    if (len % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i += 2) {
        int high = hex_value(hex[i]), low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0)
            return false;
        qbuf_putc(fold, (char)(high * 16 + low));
    }
    return !fold->failed;
}

/* The payload of a mark, from behind its letter. */
static bool read_mark(struct mark *m, const char *text, size_t len)
{
    struct qbuf line = QBUF_INIT;
    qbuf_add(&line, text, len);
    int at = 0;
    bool ok =
        sscanf(qbuf_cstr(&line),
               " %u %" SCNu64 " %u %" SCNu64 " %" SCNu64 " %32[0-9a-f] %" SCNu64
               " %" SCNu64 " %" SCNu64 " %" SCNu64 " fold:%n",
               &m->input, &m->at.offset, &m->at.state, &m->line, &m->out, m->digest,
               &m->records, &m->bad, &m->unfinished, &m->probable, &at) == 10 &&
        at > 0 && strlen(m->digest) == QHASH_HEX - 1 &&
        read_fold(&m->fold, line.data + at, line.len - (size_t)at);
    qbuf_release(&line);
    return ok;
}

static bool read_line(struct journal *j, const char *line, size_t len)
{
    if (j->status == JOURNAL_COMPLETE) /* nothing comes behind an end */
        return false;
    if (len == 1 && line[0] == 'b' && !j->begun) {
        j->begun = true;
        j->status = JOURNAL_UNFINISHED;
        return true;
    }
    if (len >= 2 && line[0] == 'j' && line[1] == ' ' && !j->begun) {
        qbuf_add(&j->identity, line + 2, len - 2);
        qbuf_putc(&j->identity, '\n');
        return !j->identity.failed;
    }
    if (len < 1 || (line[0] != 'm' && line[0] != 'e') || !j->begun)
        return false;
    if (!read_mark(&j->mark, line + 1, len - 1))
        return false;
    j->status = line[0] == 'e' ? JOURNAL_COMPLETE : JOURNAL_UNFINISHED;
    return true;
}

/* Whether the text begins like the first line of another version. What may be our own
 * one, torn or damaged behind its version, is not foreign. */
static bool is_foreign(const struct qbuf *text)
{
    size_t n = sizeof format_name - 1, known = sizeof format_line - 1;
    if (text->len <= n || memcmp(text->data, format_name, n) != 0)
        return false;
    if (memcmp(text->data + n, format_line + n, known - n) != 0)
        return true;
    size_t at = known; /* ours, or a longer number: 1, but not 10 */
    while (at < text->len && text->data[at] >= '0' && text->data[at] <= '9')
        at++;
    return at > known && at < text->len &&
           (text->data[at] == ' ' || text->data[at] == '\n');
}

/* Whether it begins as a journal of any version does, as far as it goes. */
static int check_name(const struct journal *j, const struct qbuf *text, struct qerr *e)
{
    size_t known = sizeof format_name - 1;
    if (memcmp(text->data, format_name, text->len < known ? text->len : known) == 0)
        return 0;
    return qerr_set(e, Q_EUSAGE, "%s is not a journal of quern", j->path);
}

static int parse(struct journal *j, const struct qbuf *text, struct qerr *e)
{
    int rc = check_name(j, text, e);
    if (rc < 0)
        return rc;
    if (is_foreign(text)) {
        j->status = JOURNAL_FOREIGN;
        return 0;
    }
    size_t known = sizeof format_line - 1;
    size_t at = 0;
    for (unsigned number = 1; at < text->len; number++) {
        const char *line = text->data + at;
        const char *end = memchr(line, '\n', text->len - at);
        size_t len = end ? (size_t)(end - line) : text->len - at;
        ssize_t payload = end ? check_line(line, len, &j->chain) : -1;
        bool last = !end || at + len + 1 == text->len;
        if (payload < 0 && last)
            break; /* torn */
        if (payload < 0 || (number == 1 ? (size_t)payload != known
                                        : !read_line(j, line, (size_t)payload)))
            return qerr_set(e, Q_EUSAGE,
                            "%s is damaged in line %u (--restart begins anew)", j->path,
                            number);
        at += len + 1;
    }
    j->valid = at;
    return 0;
}

/* --- opening --- */

static char *join(const char *a, const char *b)
{
    struct qbuf text = QBUF_INIT;
    qbuf_puts(&text, a);
    qbuf_puts(&text, b);
    qbuf_putc(&text, '\0');
    if (!text.failed)
        return text.data;
    qbuf_release(&text);
    return NULL;
}

static int held(const struct journal *j, struct qerr *e)
{
    return qerr_set(e, Q_EUSAGE, "another run is writing %s (it holds %s)", j->output,
                    j->path);
}

/* A run that was killed a moment ago may still be on its way out: be a little patient.
 */
static int lock(const struct journal *j, struct qerr *e)
{
    int rc;
    for (int i = 0; (rc = flock(j->fd, LOCK_EX | LOCK_NB)) != 0; i++) {
        if (errno != EWOULDBLOCK || i == LOCK_TRIES)
            break;
        usleep(LOCK_NAP_US);
    }
    if (rc == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return held(j, e);
    return qerr_sys(e, Q_EIO, errno, "lock %s", j->path);
}

/* Whether the name still leads to the file that is open: who held the lock before may
 * have removed it. */
static bool is_current(const struct journal *j)
{
    struct stat ours, named;
    return fstat(j->fd, &ours) == 0 && stat(j->path, &named) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* Opens and locks the file; without one there is no descriptor. */
static int open_locked(struct journal *j, struct qerr *e)
{
    for (;;) {
        j->fd = open(j->path, O_RDWR | O_CLOEXEC);
        if (j->fd < 0)
            return errno == ENOENT ? 0 : qerr_sys(e, Q_EIO, errno, "%s", j->path);
        int rc = lock(j, e);
        if (rc < 0 || is_current(j))
            return rc;
        close(j->fd);
    }
}

/* `anew`: what the journal says does not matter, only that it is one. */
static int load(struct journal *j, bool anew, struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    int rc = open_locked(j, e);
    if (rc == 0 && j->fd >= 0)
        rc = read_all(j, &text, e);
    if (rc == 0 && text.len > 0)
        rc = anew ? check_name(j, &text, e) : parse(j, &text, e);
    qbuf_release(&text);
    return rc;
}

static int open_journal(struct journal **journal, const char *path, bool anew,
                        struct qerr *e)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j)
        return qerr_nomem(e);
    j->fd = -1;
    j->output = join(path, manifest_is_for(path) ? "manifest" : "");
    j->path = join(path, ".quern");
    int rc = j->output && j->path ? load(j, anew, e) : qerr_nomem(e);
    if (rc < 0) {
        journal_close(j);
        return rc;
    }
    *journal = j;
    return 0;
}

int journal_open(struct journal **journal, const char *path, struct qerr *e)
{
    return open_journal(journal, path, false, e);
}

int journal_open_anew(struct journal **journal, const char *path, struct qerr *e)
{
    return open_journal(journal, path, true, e);
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd); /* and with it the lock */
    qbuf_release(&j->identity);
    qbuf_release(&j->mark.fold);
    free(j->path);
    free(j->output);
    free(j);
}

enum journal_status journal_status(const struct journal *j)
{
    return j->status;
}

const struct mark *journal_mark(const struct journal *j)
{
    return &j->mark;
}

/* --- checking --- */

/* The next line of *text, and *text behind it; NULL at the end. */
static const char *take_line(const char **text, size_t *len)
{
    const char *line = *text;
    if (*line == '\0')
        return NULL;
    *len = strcspn(line, "\n");
    *text = line + *len + (line[*len] == '\n');
    return line;
}

/* Length of "key = " at the start of a line. */
static size_t key_length(const char *line, size_t len)
{
    const char *at = memmem(line, len, " = ", 3);
    return at ? (size_t)(at - line) + 3 : len;
}

/* Whether a line of the text begins with this key. */
static bool has_key(const char *text, const char *key, size_t len)
{
    size_t n;
    const char *line;
    while ((line = take_line(&text, &n)) != NULL)
        if (n >= len && memcmp(line, key, len) == 0)
            return true;
    return false;
}

enum { DIFFERENCE_SHOWN = 80 };

/* The first lines that differ; `was_rest` and `is_rest` begin with them. */
static int say_difference(const struct journal *j, const char *was_rest,
                          const char *is_rest, struct qerr *e)
{
    size_t was_len = 0, is_len = 0;
    const char *was_at = was_rest, *is_at = is_rest;
    const char *was = take_line(&was_at, &was_len), *is = take_line(&is_at, &is_len);
    bool more = is && !has_key(was_rest, is, key_length(is, is_len));
    bool less = was && !has_key(is_rest, was, key_length(was, was_len));
    int was_shown = (int)(was_len > DIFFERENCE_SHOWN ? DIFFERENCE_SHOWN : was_len);
    int is_shown = (int)(is_len > DIFFERENCE_SHOWN ? DIFFERENCE_SHOWN : is_len);
    static const char anew[] = "(--restart begins anew)";
    if (more && !less)
        return qerr_set(e, Q_EUSAGE, "%s is of another job: this one has '%.*s' %s",
                        j->path, is_shown, is, anew);
    if (less && !more)
        return qerr_set(e, Q_EUSAGE, "%s is of another job: this one has no '%.*s' %s",
                        j->path, was_shown, was, anew);
    return qerr_set(e, Q_EUSAGE,
                    "%s is of another job: it has '%.*s', this one '%.*s' %s", j->path,
                    was_shown, was ? was : "", is_shown, is ? is : "", anew);
}

int journal_check_job(const struct journal *j, const char *identity, struct qerr *e)
{
    struct qbuf copy = QBUF_INIT;
    qbuf_add(&copy, j->identity.data, j->identity.len);
    const char *old = qbuf_cstr(&copy);
    int rc = qbuf_check(&copy, e);
    while (rc == 0) {
        const char *was_rest = old, *is_rest = identity;
        size_t old_len = 0, new_len = 0;
        const char *was = take_line(&old, &old_len);
        const char *is = take_line(&identity, &new_len);
        if (!was && !is)
            break;
        if (!was || !is || old_len != new_len || memcmp(was, is, old_len) != 0)
            rc = say_difference(j, was_rest, is_rest, e);
    }
    qbuf_release(&copy);
    return rc;
}

static int hash_output(const struct journal *j, int fd, struct qhash *hash,
                       const struct interrupt *interrupt, struct qerr *e)
{
    char *buffer = malloc(READ_BYTES);
    if (!buffer)
        return qerr_nomem(e);
    uint64_t left = j->mark.out;
    int rc = 0;
    while (left > 0 && rc == 0) {
        if (interrupt && interrupt->asked(interrupt->state)) {
            rc = qerr_set(e, Q_ESTOP, "stopped while %s was read", j->output);
            break;
        }
        ssize_t n = read(fd, buffer, left < READ_BYTES ? (size_t)left : READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = qerr_sys(e, Q_EIO, errno, "read %s", j->output);
        else if (n == 0)
            rc = qerr_set(e, Q_EUSAGE,
                          "%s is shorter than %s says: %" PRIu64 " bytes are missing",
                          j->output, j->path, left);
        else
            qhash_add(hash, buffer, (size_t)n);
        left -= n > 0 ? (uint64_t)n : 0;
    }
    free(buffer);
    return rc;
}

/* Behind the end of a complete run nobody but a stranger writes. */
static int check_end(const struct journal *j, int fd, struct qerr *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return qerr_sys(e, Q_EIO, errno, "%s", j->output);
    if ((uint64_t)st.st_size > j->mark.out)
        return qerr_set(e, Q_EUSAGE, "%s is longer than %s says", j->output, j->path);
    return 0;
}

int journal_check_output(const struct journal *j, struct qhash *hash,
                         const struct interrupt *interrupt, struct qerr *e)
{
    if (j->mark.out == 0 && j->status != JOURNAL_COMPLETE)
        return 0;
    int fd = open(j->output, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return qerr_set(e, Q_EUSAGE, "%s is gone, but %s is not", j->output, j->path);
    if (fd < 0)
        return qerr_sys(e, Q_EIO, errno, "%s", j->output);
    int rc = hash_output(j, fd, hash, interrupt, e);
    if (rc == 0 && j->status == JOURNAL_COMPLETE)
        rc = check_end(j, fd, e);
    close(fd);
    char digest[QHASH_HEX];
    qhash_hex(hash, digest);
    if (rc == 0 && strcmp(digest, j->mark.digest) != 0)
        rc = qerr_set(e, Q_EUSAGE, "%s has been changed since %s was written",
                      j->output, j->path);
    return rc;
}

/* --- writing --- */

static int append_line(struct journal *j, const char *payload, size_t len,
                       struct qerr *e)
{
    struct qbuf line = QBUF_INIT;
    uint64_t hash = qhash_64(payload, len, j->chain);
    qbuf_add(&line, payload, len);
    qbuf_printf(&line, " %016" PRIx64 "\n", hash);
    int rc = qbuf_check(&line, e);
    size_t done = 0;
    bool dies = qfault_here("line"); /* and leaves half of it */
    while (rc == 0 && done < line.len) {
        size_t most = dies ? line.len / 2 : line.len - done;
        ssize_t n = pwrite(j->fd, line.data + done, most, (off_t)(j->valid + done));
        if (dies)
            qfault_die();
        if (n < 0 && errno != EINTR)
            rc = qerr_sys(e, Q_EIO, errno, "write %s", j->path);
        else if (n > 0)
            done += (size_t)n;
    }
    if (rc == 0) {
        j->valid += line.len;
        j->chain = hash;
    }
    qbuf_release(&line);
    return rc;
}

static int sync_journal(const struct journal *j, struct qerr *e)
{
    if (fdatasync(j->fd) == 0)
        return 0;
    return qerr_sys(e, Q_EIO, errno, "sync %s", j->path);
}

/* Makes the names of new files durable. */
static int sync_folder(const struct journal *j, struct qerr *e)
{
    const char *slash = strrchr(j->path, '/');
    struct qbuf name = QBUF_INIT;
    if (slash)
        qbuf_add(&name, j->path, (size_t)(slash - j->path) + 1);
    else
        qbuf_putc(&name, '.');
    int fd = open(qbuf_cstr(&name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a folder: EINVAL. */
    int rc = 0;
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        rc = qerr_sys(e, Q_EIO, errno, "sync the folder of %s", j->path);
    if (fd >= 0)
        close(fd);
    qbuf_release(&name);
    return rc;
}

/* There was no file a moment ago; if there is one now, another run has begun. */
static int make_file(struct journal *j, struct qerr *e)
{
    j->fd = open(j->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (j->fd >= 0)
        return lock(j, e);
    if (errno == EEXIST)
        return held(j, e);
    return qerr_sys(e, Q_EIO, errno, "%s", j->path);
}

/* The output is made first: where it cannot be, no journal is left behind; and its name
 * becomes durable together with the journal's. */
static int make_output(const struct journal *j, struct qerr *e)
{
    int fd = open(j->output, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return qerr_sys(e, Q_EIO, errno, "%s", j->output);
    close(fd);
    return 0;
}

static int append_identity(struct journal *j, const char *identity, struct qerr *e)
{
    int rc = append_line(j, format_line, sizeof format_line - 1, e);
    const char *line;
    size_t len;
    struct qbuf payload = QBUF_INIT;
    while (rc == 0 && (line = take_line(&identity, &len)) != NULL) {
        qbuf_clear(&payload);
        qbuf_puts(&payload, "j ");
        qbuf_add(&payload, line, len);
        rc = qbuf_check(&payload, e);
        if (rc == 0)
            rc = append_line(j, payload.data, payload.len, e);
    }
    qbuf_release(&payload);
    return rc == 0 ? append_line(j, "b", 1, e) : rc;
}

int journal_begin(struct journal *j, const char *identity, struct qerr *e)
{
    int rc = make_output(j, e);
    if (rc == 0 && j->fd < 0)
        rc = make_file(j, e);
    if (rc == 0 && ftruncate(j->fd, 0) != 0)
        rc = qerr_sys(e, Q_EIO, errno, "truncate %s", j->path);
    if (rc < 0)
        return rc;
    j->valid = j->chain = 0;
    struct mark none = {.fold = j->mark.fold};
    j->mark = none;
    qbuf_clear(&j->mark.fold);
    rc = append_identity(j, identity, e);
    if (rc == 0)
        rc = sync_journal(j, e);
    return rc == 0 ? sync_folder(j, e) : rc;
}

int journal_continue(struct journal *j, struct qerr *e)
{
    if (ftruncate(j->fd, (off_t)j->valid) != 0)
        return qerr_sys(e, Q_EIO, errno, "truncate %s", j->path);
    return 0;
}

void journal_put_mark(const struct mark *m, bool complete, struct qbuf *text)
{
    qbuf_printf(text,
                "%c %u %" PRIu64 " %u %" PRIu64 " %" PRIu64 " %s %" PRIu64 " %" PRIu64
                " %" PRIu64 " %" PRIu64 " fold:",
                complete ? 'e' : 'm', m->input, m->at.offset, m->at.state, m->line,
                m->out, m->digest, m->records, m->bad, m->unfinished, m->probable);
    for (size_t i = 0; i < m->fold.len; i++)
        qbuf_printf(text, "%02x", (unsigned char)m->fold.data[i]);
}

int journal_append(struct journal *j, const struct mark *m, bool complete,
                   struct qerr *e)
{
    struct qbuf text = QBUF_INIT;
    journal_put_mark(m, complete, &text);
    int rc = qbuf_check(&text, e);
    if (rc == 0)
        rc = append_line(j, text.data, text.len, e);
    if (rc == 0)
        rc = sync_journal(j, e);
    qbuf_release(&text);
    return rc;
}

int journal_adopt(struct journal *j, const char *text, struct qerr *e)
{
    struct qbuf ours = QBUF_INIT;
    bool ended = j->status == JOURNAL_COMPLETE;
    if (j->mark.line > 0)
        journal_put_mark(&j->mark, ended, &ours);
    int rc = qbuf_check(&ours, e);
    bool same = rc == 0 && strcmp(qbuf_cstr(&ours), text) == 0;
    qbuf_release(&ours);
    if (rc < 0 || same)
        return rc;
    if (*text == '\0' || ended || (*text != 'm' && *text != 'e') ||
        !read_mark(&j->mark, text + 1, strlen(text + 1)))
        return qerr_set(e, Q_EUSAGE,
                        "%s has been changed since %s was written (--restart begins "
                        "anew)",
                        j->output, j->path);
    rc = journal_continue(j, e);
    if (rc == 0)
        rc = append_line(j, text, strlen(text), e);
    if (rc == 0)
        rc = sync_journal(j, e);
    if (rc == 0 && *text == 'e')
        j->status = JOURNAL_COMPLETE;
    return rc;
}

int journal_remove(struct journal *j, struct qerr *e)
{
    if (j->fd >= 0 && unlink(j->path) != 0 && errno != ENOENT)
        return qerr_sys(e, Q_EIO, errno, "remove %s", j->path);
    return 0;
}
