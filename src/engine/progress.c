/*
 * A line is made of pieces, each with a rank. What does not fit is left out, the piece
 * of the highest rank first; what room is left then goes to the bar, if it is enough
 * for one.
 */
#include "engine/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- when it will be done --- */

enum { STEP_S = 1, LATE_LEAST_S = 2, LATE_MOST_S = 10, LATE_SHARE = 4 };

void progress_remember(struct progress_eta *eta, const struct progress_seen *now)
{
    if (eta->n > 0 && now->seconds < eta->past[eta->n - 1].seconds + STEP_S)
        return;
    if (eta->n == PROGRESS_PAST) {
        memmove(eta->past, eta->past + 1, (PROGRESS_PAST - 1) * sizeof *eta->past);
        eta->n--;
    }
    eta->past[eta->n++] = *now;
}

double progress_share(const struct progress_eta *eta, const struct progress_seen *now)
{
    double total = 0, answered = 0;
    unsigned kinds = 0;
    for (unsigned k = 0; k < METER_KINDS; k++) {
        kinds += eta->total[k] > 0;
        total += eta->total[k];
        answered += (double)now->answered[k];
    }
    /* Bytes and integers do not add up. */
    if (!eta->known || kinds != 1)
        return -1;
    return answered < total ? answered / total : 1;
}

/* The seconds that are left when everything goes on as between two moments; below 0
 * when that tells nothing. */
static double left_since(const struct progress_eta *eta,
                         const struct progress_seen *then,
                         const struct progress_seen *now)
{
    double busy = 0, left = 0;
    for (unsigned k = 0; k < METER_KINDS; k++) {
        double rest = eta->total[k] - (double)now->answered[k];
        double units = (double)(now->answered[k] - then->answered[k]);
        double cost = (double)(now->busy_ns[k] - then->busy_ns[k]);
        busy += cost;
        if (rest <= 0)
            continue;
        if (units <= 0 && now->answered[k] > 0) { /* not lately: the price it had */
            units = (double)now->answered[k];
            cost = (double)now->busy_ns[k];
        }
        if (units <= 0)
            return -1;
        left += rest / units * cost;
    }
    double elapsed = now->seconds - then->seconds;
    return busy > 0 && elapsed > 0 ? left / busy * elapsed : -1;
}

/* Since when it is "of late": a quarter of the run so far, two to ten seconds. */
static const struct progress_seen *late_since(const struct progress_eta *eta,
                                              double seconds)
{
    double window = seconds / LATE_SHARE;
    window = window < LATE_LEAST_S  ? LATE_LEAST_S
             : window > LATE_MOST_S ? LATE_MOST_S
                                    : window;
    unsigned i = eta->n - 1;
    while (i > 0 && seconds - eta->past[i].seconds < window)
        i--;
    return &eta->past[i];
}

bool progress_left(const struct progress_eta *eta, const struct progress_seen *now,
                   double longest, double *low, double *high)
{
    static const struct progress_seen start;
    if (!eta->known || now->seconds < STEP_S)
        return false;
    double whole = left_since(eta, &start, now);
    double late = eta->n > 0 ? left_since(eta, late_since(eta, now->seconds), now) : -1;
    if (whole < 0)
        return false;
    if (late < 0)
        late = whole;
    *low = whole < late ? whole : late;
    *high = whole < late ? late : whole;
    /* What is answered in one piece of milliseconds is no reason to wait. */
    if (longest > STEP_S && *high < longest)
        *high = longest;
    return true;
}

double progress_rate(const struct progress_eta *eta, const struct progress_seen *now)
{
    struct progress_seen then = {.seconds = 0};
    if (eta->n > 0 && now->seconds - eta->past[0].seconds >= STEP_S)
        then = eta->past[0];
    double elapsed = now->seconds - then.seconds;
    return elapsed > 0 ? (double)(now->records - then.records) / elapsed : 0;
}

/* --- numbers for people --- */

enum { TEXT = 48 };

/* At most six letters: 99999, 1.23M. */
static const char *count_text(char to[TEXT], double n)
{
    static const char units[] = " kMGTPE";
    unsigned unit = 0;
    double shown = n;
    while (n >= 99999.5 && shown >= 999.5 && units[unit + 1]) {
        shown /= 1000;
        unit++;
    }
    if (unit == 0)
        snprintf(to, TEXT, n < 10 && n != (double)(int)n ? "%.1f" : "%.0f", shown);
    else
        snprintf(to, TEXT, "%.*f%c",
                 shown < 9.995   ? 2
                 : shown < 99.95 ? 1
                                 : 0,
                 shown, units[unit]);
    return to;
}

static const char *time_text(char to[TEXT], double seconds)
{
    uint64_t s = seconds < 1e9 ? (uint64_t)(seconds + 0.5) : 1000000000;
    if (s < 60)
        snprintf(to, TEXT, "%" PRIu64 "s", s);
    else if (s < 3600)
        snprintf(to, TEXT, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        snprintf(to, TEXT, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        snprintf(to, TEXT, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
    return to;
}

/* "ETA 1m20s", or "ETA 1m20s-4m" where that is more honest; "" when not known. */
static const char *eta_text(char to[TEXT], const struct progress *p)
{
    char low[TEXT], high[TEXT];
    to[0] = '\0';
    if (p->low < 0)
        return to;
    time_text(low, p->low);
    time_text(high, p->high);
    if (p->high > p->low * 1.25 + 1)
        snprintf(to, TEXT, "ETA %.20s-%.20s", low, high);
    else
        snprintf(to, TEXT, "ETA %.40s", high);
    return to;
}

/* What is answered but not written yet is not done. */
static const char *share_text(char to[TEXT], const struct progress *p)
{
    double percent = p->share * 100;
    bool done = p->share >= 1 && (p->total == 0 || p->records + p->bad >= p->total);
    snprintf(to, TEXT, percent < 9.95 ? "%.1f%%" : "%.0f%%",
             !done && percent > 99 ? 99 : percent);
    return to;
}

/* --- the line --- */

enum { PIECES = 8, BAR_LEAST = 8, BAR_MOST = 40, GAP = 2 };

struct piece {
    char text[2 * TEXT];
    unsigned rank;   /* 0: never left out */
    bool alarm;      /* in red */
    double bar;      /* >= 0: followed by a bar that is so full */
    unsigned length; /* of the bar */
};

struct line {
    struct piece pieces[PIECES];
    unsigned n;
};

static struct piece *add(struct line *l, unsigned rank)
{
    struct piece *p = &l->pieces[l->n++];
    *p = (struct piece){.rank = rank, .bar = -1};
    return p;
}

static void add_text(struct line *l, unsigned rank, const char *before,
                     const char *text, const char *behind)
{
    if (*text)
        snprintf(add(l, rank)->text, 2 * TEXT, "%s%s%s", before, text, behind);
}

static void add_records(struct line *l, const struct progress *p)
{
    char done[TEXT], total[TEXT];
    count_text(done, (double)(p->records + p->bad));
    if (p->total > 0)
        snprintf(add(l, 0)->text, 2 * TEXT, "%.20s/%.20s", done,
                 count_text(total, (double)p->total));
    else
        add_text(l, 0, "", done, " done");
}

/* "TODO 12", "DONE 30", each with its bar: of all transfers, how many are still to
 * come; of all inputs, how many are answered. */
static void add_queues(struct line *l, const struct progress *p)
{
    char text[TEXT];
    uint64_t todo = p->todo > p->fetched ? p->todo - p->fetched : 0;
    uint64_t inputs = p->inputs > p->todo ? p->inputs : p->todo;
    add_text(l, 0, "TODO ", count_text(text, (double)todo), "");
    l->pieces[l->n - 1].bar = (double)todo / (double)p->todo;
    add_text(l, 0, "DONE ", count_text(text, (double)p->inputs_answered), "");
    l->pieces[l->n - 1].bar = (double)p->inputs_answered / (double)inputs;
}

static void compose(struct line *l, const struct progress *p)
{
    char text[TEXT];
    l->n = 0;
    if (p->todo > 0) {
        add_queues(l, p);
    } else {
        add_records(l, p);
        if (p->share >= 0) {
            add_text(l, 1, "", share_text(text, p), "");
            l->pieces[l->n - 1].bar = p->share;
        }
    }
    add_text(l, 4, "", count_text(text, p->rate), "/s");
    add_text(l, 2, "", eta_text(text, p), "");
    if (p->failed > 0) {
        add_text(l, 3, "", count_text(text, (double)p->failed), " failed");
        l->pieces[l->n - 1].alarm = true;
    }
    if (p->bad > 0) {
        add_text(l, 3, "", count_text(text, (double)p->bad), " bad");
        l->pieces[l->n - 1].alarm = true;
    }
    if (p->share < 0 && p->todo == 0)
        add_text(l, 5, "", time_text(text, p->seconds), "");
}

static unsigned width_of(const struct line *l)
{
    unsigned width = 1; /* the spinner */
    for (unsigned i = 0; i < l->n; i++) {
        const struct piece *p = &l->pieces[i];
        width += (i > 0 ? GAP : 1) + (unsigned)strlen(p->text);
        width += p->length > 0 ? 1 + p->length : 0;
    }
    return width;
}

/* Leaves pieces out until it fits, the last of the highest rank first. */
static void fit(struct line *l, unsigned columns)
{
    while (l->n > 0 && width_of(l) > columns) {
        unsigned worst = 0;
        for (unsigned i = 1; i < l->n; i++)
            if (l->pieces[i].rank >= l->pieces[worst].rank)
                worst = i;
        memmove(&l->pieces[worst], &l->pieces[worst + 1],
                (l->n - worst - 1) * sizeof l->pieces[0]);
        l->n--;
    }
}

/* Shares out the room that is left among the bars. */
static void stretch(struct line *l, unsigned columns)
{
    unsigned bars = 0, width = width_of(l);
    for (unsigned i = 0; i < l->n; i++)
        bars += l->pieces[i].bar >= 0;
    if (bars == 0 || width >= columns)
        return;
    unsigned room = (columns - width) / bars;
    if (room < BAR_LEAST + 1)
        return;
    room = room - 1 > BAR_MOST / bars ? BAR_MOST / bars : room - 1;
    for (unsigned i = 0; i < l->n; i++)
        l->pieces[i].length = l->pieces[i].bar >= 0 ? room : 0;
}

static void put_bar(const struct piece *p, unsigned look, struct qbuf *out)
{
    bool utf8 = look & PROGRESS_UTF8, colour = look & PROGRESS_COLOUR;
    double share = p->bar < 0 ? 0 : p->bar > 1 ? 1 : p->bar;
    unsigned full = (unsigned)(share * p->length + 0.5);
    qbuf_puts(out, colour ? " \033[32m" : " ");
    for (unsigned i = 0; i < p->length; i++) {
        if (i == full && colour)
            qbuf_puts(out, "\033[0;2m");
        qbuf_puts(out, utf8 ? (i < full ? "\u2501" : "\u2500") : i < full ? "#" : ".");
    }
    qbuf_puts(out, colour ? "\033[0m" : "");
}

void progress_line(const struct progress *p, unsigned tick, unsigned columns,
                   unsigned look, struct qbuf *out)
{
    static const char *const dots[] = {"\u280b", "\u2819", "\u2839", "\u2838",
                                       "\u283c", "\u2834", "\u2826", "\u2827",
                                       "\u2807", "\u280f"};
    static const char ascii[] = "|/-\\";
    struct line l;
    compose(&l, p);
    fit(&l, columns);
    stretch(&l, columns);
    if (columns == 0)
        return;
    if (look & PROGRESS_UTF8)
        qbuf_puts(out, dots[tick % (sizeof dots / sizeof *dots)]);
    else
        qbuf_putc(out, ascii[tick % (sizeof ascii - 1)]);
    for (unsigned i = 0; i < l.n; i++) {
        const struct piece *piece = &l.pieces[i];
        bool red = piece->alarm && (look & PROGRESS_COLOUR);
        qbuf_puts(out, i > 0 ? "  " : " ");
        qbuf_printf(out, "%s%s%s", red ? "\033[31m" : "", piece->text,
                    red ? "\033[0m" : "");
        if (piece->length > 0)
            put_bar(piece, look, out);
    }
}

void progress_plain(const struct progress *p, struct qbuf *out)
{
    char text[TEXT];
    qbuf_printf(out, "%" PRIu64, p->records + p->bad);
    if (p->total > 0)
        qbuf_printf(out, " of %" PRIu64, p->total);
    qbuf_printf(out, " records in %s", time_text(text, p->seconds));
    if (p->share >= 0)
        qbuf_printf(out, ", %s", share_text(text, p));
    qbuf_printf(out, ", %s a second", count_text(text, p->rate));
    if (p->low >= 0)
        qbuf_printf(out, ", %s", eta_text(text, p));
    if (p->todo > 0)
        qbuf_printf(out,
                    ", %" PRIu64 " of %" PRIu64 " fetched, %" PRIu64 " failed, %" PRIu64
                    " of %" PRIu64 " inputs done",
                    p->fetched, p->todo, p->failed, p->inputs_answered, p->inputs);
    qbuf_printf(out, ", %" PRIu64 " bad", p->bad);
}

/* --- what it came to --- */

void progress_sum_fetched(struct progress_summary *s, const struct meter_fetch *from)
{
    s->transfers = hist_read(&from->done);
    s->retries = hist_read(&from->retries);
    s->bytes = hist_read(&from->bytes);
}

void progress_sum_up(const struct progress_summary *s, struct qbuf *out)
{
    double rate = s->seconds > 0 ? (double)(s->records - s->earlier) / s->seconds : 0;
    qbuf_printf(out,
                "%" PRIu64 " records in %.3f s (%.0f a second), %" PRIu64
                " bad, %" PRIu64 " unfinished",
                s->records, s->seconds, rate, s->bad, s->unfinished);
    if (s->transfers > 0)
        qbuf_printf(out, "; fetched %" PRIu64 " URLs, %.1f MiB, %" PRIu64 " retries",
                    s->transfers, (double)s->bytes / 1048576, s->retries);
    qbuf_printf(out, "; peak %.1f MiB, CPU %.0f %%", (double)s->peak_bytes / 1048576,
                s->seconds > 0 ? 100 * s->cpu_seconds / s->seconds : 0);
    if (s->digest)
        qbuf_printf(out, "; xxh3 %s", s->digest);
}
