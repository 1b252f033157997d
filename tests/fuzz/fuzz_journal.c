/*
 * fuzz_journal: journals. Input: a byte that chooses how the file is made, then
 *
 *   'r'  the file itself
 *   's'  its lines, to which the right hashes are put here: damage that is not found by
 *        the hash; a line that ends in '~' gets none
 *   'm'  marks, which journal_append writes to a file that is then changed: one byte,
 *        or its end
 *
 * What is accepted must have valid hashes (looked at here apart from journal.c) and
 * must be the state behind one of its lines; a run must be able to go on with it.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/qhash.h"
#include "engine/journal.h"
#include "fuzz.h"

static const char first_line[] = "quern-journal 1";
static const char identity[] = "version = 1\ncommand = prime\ninput 1 = file 'a'\n";

enum { HASH = 17 }; /* bytes of a hash and the blank in front of it */

/* --- files --- */

static char folder[64], output[80], path[96];

static void clean_up(void)
{
    unlink(path);
    unlink(output);
    rmdir(folder);
}

static void make_folder(void)
{
    if (*folder)
        return;
    const char *shm = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%s/quern-fuzz-XXXXXX", shm);
    CLAIM(mkdtemp(folder));
    snprintf(output, sizeof output, "%s/X", folder);
    snprintf(path, sizeof path, "%s.quern", output);
    atexit(clean_up);
}

static void write_file(const char *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CLAIM(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && close(fd) == 0);
}

static void read_file(struct qbuf *to)
{
    int fd = open(path, O_RDONLY);
    struct stat st;
    CLAIM(fd >= 0 && fstat(fd, &st) == 0);
    char *at = qbuf_reserve(to, (size_t)st.st_size + 1);
    CLAIM(at && read(fd, at, (size_t)st.st_size) == (ssize_t)st.st_size);
    to->len += (size_t)st.st_size;
    close(fd);
}

/* --- an independent look at the hashes --- */

struct seen {
    unsigned lines; /* whole ones from the front */
    char last;      /* what the last of them begins with */
    size_t bytes;   /* of them */
    bool torn;      /* what follows is at most one line, or a part of one */
    bool order;     /* their order is that of a journal: q j* b m* e? */
};

/* Whether a line that begins with `c` may stand behind one that begins with `last`. */
static bool may_follow(char last, char c)
{
    const char *before = c == 'q' ? "" : c == 'j' || c == 'b' ? "qj" : "bm";
    return last == 0 ? c == 'q' : strchr("qjbme", c) && strchr(before, last);
}

static struct seen look(const char *text, size_t len)
{
    struct seen s = {.torn = true, .order = true};
    uint64_t chain = 0;
    while (s.bytes < len) {
        const char *line = text + s.bytes;
        const char *end = memchr(line, '\n', len - s.bytes);
        size_t n = end ? (size_t)(end - line) : 0;
        if (n < HASH || line[n - HASH] != ' ')
            break;
        char hex[HASH];
        chain = qhash_64(line, n - HASH, chain);
        snprintf(hex, sizeof hex, "%016" PRIx64, chain);
        if (memcmp(hex, line + n - HASH + 1, HASH - 1) != 0)
            break;
        s.order = s.order && line[0] != 0 && may_follow(s.last, line[0]);
        s.lines++;
        s.last = line[0];
        s.bytes += n + 1;
    }
    if (s.bytes < len) {
        const char *end = memchr(text + s.bytes, '\n', len - s.bytes);
        s.torn = !end || end + 1 == text + len;
    }
    return s;
}

/* --- claims --- */

static bool same_mark(const struct mark *a, const struct mark *b)
{
    return a->input == b->input && a->at.offset == b->at.offset &&
           a->at.state == b->at.state && a->line == b->line && a->out == b->out &&
           strcmp(a->digest, b->digest) == 0 && a->records == b->records &&
           a->bad == b->bad && a->unfinished == b->unfinished &&
           a->probable == b->probable && a->fold.len == b->fold.len &&
           (a->fold.len == 0 || memcmp(a->fold.data, b->fold.data, a->fold.len) == 0);
}

/* Opens the file: 0 with *j, or the error, which must name the file. */
static int open_it(struct journal **j)
{
    struct qerr e = QERR_INIT;
    int rc = journal_open(j, output, &e);
    CLAIM(rc == -(int)e.code);
    if (rc != 0)
        CLAIM(rc == -Q_EUSAGE && strstr(e.text, path));
    return rc;
}

/* A run goes on behind what was accepted, and what it appends is there afterwards. */
static void go_on(struct journal *j)
{
    struct qerr e = QERR_INIT;
    struct journal *again;
    const struct mark *last = journal_mark(j);
    struct mark next = *last;
    next.fold = (struct qbuf)QBUF_INIT;
    qbuf_add(&next.fold, last->fold.data ? last->fold.data : "", last->fold.len);
    qbuf_putc(&next.fold, '\n');
    next.records++;
    if (!*next.digest)
        memset(next.digest, 'a', QHASH_HEX - 1);
    CLAIM(journal_continue(j, &e) == 0 && journal_append(j, &next, true, &e) == 0);
    journal_close(j);
    CLAIM(open_it(&again) == 0 && journal_status(again) == JOURNAL_COMPLETE);
    CLAIM(same_mark(journal_mark(again), &next));
    journal_close(again);
    qbuf_release(&next.fold);
}

/* Whether the first line begins with the name of the format and another number. */
static bool is_of_another_version(const struct qbuf *text)
{
    size_t n = sizeof first_line - 2, digits = 0;
    if (text->len < n || memcmp(text->data, first_line, n) != 0)
        return false;
    while (n + digits < text->len && text->data[n + digits] >= '0' &&
           text->data[n + digits] <= '9')
        digits++;
    return digits > 0 && n + digits < text->len && text->data[n + digits] == ' ' &&
           (digits > 1 || text->data[n] != '1');
}

static void check_file(void)
{
    struct qbuf text = QBUF_INIT;
    read_file(&text);
    struct seen s = look(text.data, text.len);
    struct qerr e = QERR_INIT;
    struct journal *j;
    if (open_it(&j) != 0) {
        CLAIM(!is_of_another_version(&text));
        qbuf_release(&text);
        return;
    }
    CLAIM(!is_of_another_version(&text) || journal_status(j) == JOURNAL_FOREIGN);
    journal_check_job(j, identity, &e);
    switch (journal_status(j)) {
    case JOURNAL_NONE:
        CLAIM(s.torn && (s.last == 0 || s.last == 'q' || s.last == 'j'));
        CLAIM(journal_mark(j)->line == 0);
        break;
    case JOURNAL_FOREIGN:
        CLAIM(text.len > 14 && memcmp(text.data, first_line, 14) == 0);
        break;
    case JOURNAL_COMPLETE:
    case JOURNAL_UNFINISHED:
        CLAIM(s.lines > 0 && s.torn && s.order);
        CLAIM(text.data[sizeof first_line - 1] == ' ' &&
              memcmp(text.data, first_line, sizeof first_line - 1) == 0);
        CLAIM((journal_status(j) == JOURNAL_COMPLETE) == (s.last == 'e'));
        CLAIM(s.last == 'b' || strlen(journal_mark(j)->digest) == QHASH_HEX - 1);
    }
    if (journal_status(j) == JOURNAL_UNFINISHED)
        go_on(j);
    else
        journal_close(j);
    qbuf_release(&text);
}

/* --- the three ways --- */

static void sign_lines(const char *text, size_t len)
{
    struct qbuf out = QBUF_INIT;
    uint64_t chain = 0;
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) : len;
        qbuf_add(&out, text, n);
        if (n == 0 || text[n - 1] != '~') {
            chain = qhash_64(text, n, chain);
            qbuf_printf(&out, " %016" PRIx64, chain);
        }
        if (end)
            qbuf_putc(&out, '\n');
        len -= n + (end ? 1 : 0);
        text += n + (end ? 1 : 0);
    }
    write_file(out.data ? out.data : "", out.len);
    qbuf_release(&out);
}

static void take_mark(struct bytes *in, struct mark *m)
{
    *m = (struct mark){.input = bytes_take(in)};
    m->at.state = bytes_take(in);
    m->at.offset = bytes_take_u64(in);
    m->line = 1 + bytes_take(in);
    m->out = bytes_take_u64(in);
    m->records = bytes_take_u64(in);
    m->bad = bytes_take(in);
    m->unfinished = bytes_take(in);
    m->probable = bytes_take(in);
    snprintf(m->digest, sizeof m->digest, "%016" PRIx64 "%016" PRIx64, m->out,
             m->records);
    for (size_t n = bytes_take(in) % 8; n > 0; n--)
        qbuf_putc(&m->fold, (char)bytes_take(in));
}

enum { MARKS = 4 };

/* What journal_begin and journal_append made, the length of the file behind each. */
struct made {
    struct mark marks[MARKS];
    size_t n;
    size_t begun, length[MARKS];
    bool complete;
};

static size_t file_length(void)
{
    struct stat st;
    CLAIM(stat(path, &st) == 0);
    return (size_t)st.st_size;
}

static void make(struct bytes *in, struct made *to)
{
    struct qerr e = QERR_INIT;
    struct journal *j;
    unlink(path);
    *to = (struct made){.n = bytes_take(in) % (MARKS + 1)};
    to->complete = bytes_take(in) & 1;
    CLAIM(open_it(&j) == 0 && journal_status(j) == JOURNAL_NONE);
    CLAIM(journal_begin(j, identity, &e) == 0);
    to->begun = file_length();
    for (size_t i = 0; i < to->n; i++) {
        take_mark(in, &to->marks[i]);
        CLAIM(journal_append(j, &to->marks[i], to->complete && i + 1 == to->n, &e) ==
              0);
        to->length[i] = file_length();
    }
    journal_close(j);
}

/* Of the file, now `all` bytes, only the first `len` are as they were made. */
static void check_made(const struct made *m, size_t len, size_t all)
{
    struct qerr e = QERR_INIT;
    struct journal *j;
    int rc = open_it(&j);
    size_t n = 0; /* marks that are whole */
    while (n < m->n && m->length[n] <= len)
        n++;
    size_t last = m->n > 0 ? m->length[m->n - 1] : m->begun;
    if (rc != 0) {
        CLAIM(len < last && all == last); /* a line further up is damaged */
        return;
    }
    enum journal_status status = journal_status(j);
    if (len >= m->begun && status != JOURNAL_FOREIGN) {
        bool complete = m->complete && n == m->n && n > 0;
        CLAIM(status == (complete ? JOURNAL_COMPLETE : JOURNAL_UNFINISHED));
        CLAIM(journal_check_job(j, identity, &e) == 0);
        CLAIM(n == 0 ? journal_mark(j)->line == 0
                     : same_mark(journal_mark(j), &m->marks[n - 1]));
    } else {
        CLAIM(status == JOURNAL_NONE || (status == JOURNAL_FOREIGN && len < all));
    }
    journal_close(j);
}

static void change(struct bytes *in)
{
    struct made m;
    make(in, &m);
    size_t all = file_length();
    check_made(&m, all, all);
    size_t at = (bytes_take(in) + 256u * bytes_take(in)) % all;
    uint8_t with = bytes_take(in);
    if (with == 0) {
        CLAIM(truncate(path, (off_t)at) == 0);
        check_made(&m, at, at);
    } else {
        struct qbuf text = QBUF_INIT;
        read_file(&text);
        text.data[at] = (char)(text.data[at] ^ (char)with);
        write_file(text.data, text.len);
        qbuf_release(&text);
        check_made(&m, at, all);
    }
    check_file();
    for (size_t i = 0; i < m.n; i++)
        qbuf_release(&m.marks[i].fold);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = {data, data + size};
    make_folder();
    uint8_t way = bytes_take(&in);
    if (way == 'm') {
        change(&in);
    } else if (size > 0) {
        if (way == 's')
            sign_lines((const char *)in.at, bytes_left(&in));
        else
            write_file((const char *)in.at, bytes_left(&in));
        check_file();
    }
    return 0;
}
