#include "cmd/svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 420, LEFT = 44, RIGHT = 408, TOP = 14, BOTTOM = 226, HEIGHT = 266 };

/* The length of the letter that begins here (UTF-8), or 0: it is none. */
static size_t letter_length(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

void svg_text(const char *text, struct qbuf *out)
{
    for (size_t n; *text; text += n > 0 ? n : 1) {
        n = letter_length(text);
        switch (*text) {
        case '&':
            qbuf_puts(out, "&amp;");
            break;
        case '<':
            qbuf_puts(out, "&lt;");
            break;
        case '>':
            qbuf_puts(out, "&gt;");
            break;
        case '"':
            qbuf_puts(out, "&quot;");
            break;
        default:
            if (n > 0)
                qbuf_add(out, text, n);
            else
                qbuf_puts(out, "\ufffd");
        }
    }
}

void svg_print(char *to, size_t size, const char *fmt, ...)
{
    char whole[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(whole, sizeof whole, fmt, ap);
    va_end(ap);
    size_t n = strlen(whole);
    if (n >= size) {
        n = size - 4;
        while (n > 0 && ((unsigned char)whole[n] & 0xc0) == 0x80)
            n--;
        memcpy(whole + n, "...", 4);
        n += 3;
    }
    memcpy(to, whole, n + 1);
}

const char *svg_time(char to[SVG_TIME], double seconds)
{
    static const struct {
        double least;
        const char *unit;
    } units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "\u00b5s"}, {0, "ns"}};
    static const double scale[] = {1, 1e3, 1e6, 1e9};
    unsigned u = 0;
    while (u < 3 && seconds < units[u].least * 0.9995)
        u++;
    double v = seconds * scale[u];
    snprintf(to, SVG_TIME, "%.*f %s",
             v < 9.995   ? 2
             : v < 99.95 ? 1
                         : 0,
             v, units[u].unit);
    return to;
}

/* --- the frame --- */

static void begin(const struct svg_chart *c, unsigned height, struct qbuf *out)
{
    qbuf_printf(out,
                "<svg viewBox=\"0 0 %d %u\" role=\"img\" xmlns="
                "\"http://www.w3.org/2000/svg\"><title>",
                WIDTH, height);
    svg_text(c->title, out);
    qbuf_puts(out, "</title><desc>");
    svg_text(c->words, out);
    qbuf_puts(out, "</desc>\n");
}

static void end(struct qbuf *out)
{
    qbuf_puts(out, "</svg>\n");
}

static void put_label(double x, double y, const char *class, const char *text,
                      struct qbuf *out)
{
    qbuf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    svg_text(text, out);
    qbuf_puts(out, "</text>\n");
}

static void put_line(double x1, double y1, double x2, double y2, const char *class,
                     struct qbuf *out)
{
    qbuf_printf(
        out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n",
        x1, y1, x2, y2, class);
}

static void put_axis_names(const struct svg_chart *c, struct qbuf *out)
{
    if (c->x)
        put_label((LEFT + RIGHT) / 2.0, HEIGHT - 6, "name middle", c->x, out);
    if (c->y)
        qbuf_printf(out,
                    "<text class=\"name middle\" transform=\"translate(11 %.1f) "
                    "rotate(-90)\">%s</text>\n",
                    (TOP + BOTTOM) / 2.0, c->y);
}

/* 1, 2 or 5 times a power of ten: the smallest that goes into `range` at most five
 * times. */
static double step_of(double range)
{
    double step = pow(10, floor(log10(range > 0 ? range : 1)) - 1);
    static const double factors[] = {1, 2, 5, 10, 20, 50};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (range / (step * factors[i]) <= 5)
            return step * factors[i];
    return step * 100;
}

/* --- curves --- */

struct scale {
    double xmax, ymax;
};

static double at_x(const struct scale *s, double x)
{
    return LEFT + x / s->xmax * (RIGHT - LEFT);
}

static double at_y(const struct scale *s, double y)
{
    return BOTTOM - y / s->ymax * (BOTTOM - TOP);
}

static void put_grid(const struct scale *s, struct qbuf *out)
{
    char text[32];
    double step = step_of(s->ymax);
    for (int i = 0; i * step <= s->ymax * 1.001; i++) {
        double y = i * step;
        put_line(LEFT, at_y(s, y), RIGHT, at_y(s, y), "rule", out);
        snprintf(text, sizeof text, "%g", y);
        put_label(LEFT - 6, at_y(s, y) + 4, "tick end", text, out);
    }
    step = step_of(s->xmax) < 1 ? 1 : step_of(s->xmax);
    for (int i = 0; i * step <= s->xmax * 1.001; i++) {
        double x = i * step;
        snprintf(text, sizeof text, "%g", x);
        put_label(at_x(s, x), BOTTOM + 16, "tick middle", text, out);
    }
    put_line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis", out);
}

static void put_mark(double x, double y, unsigned style, struct qbuf *out)
{
    static const char *const shapes[] = {
        "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z", /* circle */
        "M-4-4h8v8h-8z",                      /* square */
        "M0-5l5 9h-10z",                      /* triangle */
        "M0-5l5 5l-5 5l-5-5z",                /* diamond */
    };
    qbuf_printf(out,
                "<path d=\"%s\" transform=\"translate(%.1f %.1f)\" "
                "class=\"fill%u\"/>\n",
                shapes[style % 4], x, y, style);
}

static void put_curve(const struct svg_curve *c, const struct scale *s,
                      struct qbuf *out)
{
    qbuf_printf(out, "<polyline class=\"line%u\" points=\"", c->style);
    for (size_t i = 0; i < c->n; i++)
        qbuf_printf(out, "%.1f,%.1f ", at_x(s, c->x[i]), at_y(s, c->y[i]));
    qbuf_puts(out, "\"/>\n");
    for (size_t i = 0; i < c->n; i++)
        put_mark(at_x(s, c->x[i]), at_y(s, c->y[i]), c->style, out);
}

/* The curves' names, in a row above the figure. */
static void put_legend(const struct svg_curve *curves, size_t n, struct qbuf *out)
{
    double x = LEFT + 6;
    for (size_t i = 0; i < n; i++) {
        put_mark(x, TOP - 4, curves[i].style, out);
        put_label(x + 9, TOP, "tick", curves[i].name, out);
        x += 28 + 6.8 * (double)strlen(curves[i].name);
    }
    put_line(x - 5, TOP - 4, x + 12, TOP - 4, "ideal", out);
    put_label(x + 17, TOP, "tick", "ideal", out);
}

void svg_curves(const struct svg_chart *c, const struct svg_curve *curves, size_t n,
                double slope, struct qbuf *out)
{
    struct scale s = {1, 1};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < curves[i].n; k++) {
            s.xmax = fmax(s.xmax, curves[i].x[k]);
            s.ymax = fmax(s.ymax, curves[i].y[k]);
        }
    }
    s.ymax = fmax(s.ymax, slope * s.xmax);
    s.xmax *= 1.04;
    s.ymax *= 1.16; /* room for the legend */
    begin(c, HEIGHT, out);
    put_grid(&s, out);
    double last = s.xmax / 1.04;
    if (slope > 0)
        put_line(at_x(&s, 0), at_y(&s, 0), at_x(&s, last), at_y(&s, slope * last),
                 "ideal", out);
    else
        put_line(LEFT, at_y(&s, 1), RIGHT, at_y(&s, 1), "ideal", out);
    for (size_t i = 0; i < n; i++)
        put_curve(&curves[i], &s, out);
    put_legend(curves, n, out);
    put_axis_names(c, out);
    end(out);
}

/* --- bars --- */

enum { BAR_STEP = 34, BAR_HEIGHT = 13, BAR_LEFT = 8, BAR_RIGHT = 340 };

void svg_bars(const struct svg_chart *c, const struct svg_bar *bars, size_t n,
              struct qbuf *out)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fmax(bars[i].length, bars[i].hi));
    double unit = most > 0 ? (BAR_RIGHT - BAR_LEFT) / most : 0;
    begin(c, (unsigned)(n * BAR_STEP + 8), out);
    for (size_t i = 0; i < n; i++) {
        const struct svg_bar *b = &bars[i];
        double y = (double)i * BAR_STEP + 18, middle = y + BAR_HEIGHT / 2.0;
        put_label(BAR_LEFT, y - 4, "tick", b->label, out);
        qbuf_printf(out,
                    "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
                    "class=\"fill%u\"/>\n",
                    BAR_LEFT, y, fmax(b->length * unit, 1), BAR_HEIGHT, b->style);
        if (b->hi > b->lo)
            put_line(BAR_LEFT + b->lo * unit, middle, BAR_LEFT + b->hi * unit, middle,
                     "whisker", out);
        put_label(BAR_LEFT + fmax(b->length, b->hi) * unit + 6, middle + 4, "tick",
                  b->value, out);
    }
    end(out);
}

void svg_stacks(const struct svg_chart *c, const struct svg_stack *rows, size_t n,
                const char *const names[SVG_PARTS], struct qbuf *out)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < SVG_PARTS; k++)
            sum += rows[i].parts[k];
        most = fmax(most, sum);
    }
    begin(c, (unsigned)(n * BAR_STEP + 28), out);
    for (int k = 0, x = BAR_LEFT; k < SVG_PARTS; k++, x += 90) {
        qbuf_printf(out,
                    "<rect x=\"%d\" y=\"3\" width=\"11\" height=\"11\" "
                    "class=\"part%d\"/>\n",
                    x, k);
        put_label(x + 17, 13, "tick", names[k], out);
    }
    for (size_t i = 0; i < n; i++) {
        double x = BAR_LEFT, y = (double)i * BAR_STEP + 38;
        put_label(BAR_LEFT, y - 4, "tick", rows[i].label, out);
        for (int k = 0; k < SVG_PARTS; k++) {
            double w = most > 0 ? rows[i].parts[k] / most * (RIGHT - BAR_LEFT) : 0;
            if (w < 0.05)
                continue;
            qbuf_printf(out,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
                        "class=\"part%d\"/>\n",
                        x, y, w, BAR_HEIGHT, k);
            x += w;
        }
    }
    end(out);
}

/* --- latencies --- */

struct span {
    double low, high, most; /* exponents of ten; the largest share */
};

static double bucket(const struct qjson *hist, size_t i, size_t field)
{
    return qjson_number(qjson_at(qjson_at(qjson_get(hist, "buckets"), i), field), 0);
}

static struct span span_of(const struct qjson *const *hists, size_t n)
{
    struct span s = {0, -12, 0};
    bool any = false;
    for (size_t h = 0; h < n; h++) {
        double count = qjson_number(qjson_get(hists[h], "count"), 0);
        size_t buckets = qjson_size(qjson_get(hists[h], "buckets"));
        for (size_t i = 0; i < buckets && count > 0; i++) {
            double from = fmax(bucket(hists[h], i, 0), 1e-9);
            s.low = any ? fmin(s.low, log10(from)) : log10(from);
            s.high = fmax(s.high, log10(fmax(bucket(hists[h], i, 1), from * 1.1)));
            s.most = fmax(s.most, bucket(hists[h], i, 2) / count);
            any = true;
        }
    }
    s.low = floor(s.low);
    s.high = ceil(s.high);
    if (s.high <= s.low)
        s.high = s.low + 1;
    return s;
}

static void put_decades(const struct span *s, struct qbuf *out)
{
    char text[SVG_TIME];
    int low = (int)s->low, high = (int)s->high, step = high - low > 4 ? 2 : 1;
    for (int d = low; d <= high; d += step) {
        double x = LEFT + (d - s->low) / (s->high - s->low) * (RIGHT - LEFT);
        double v = pow(10, d);
        svg_time(text, v);
        char *dot = strchr(text, '.'), *blank = strchr(text, ' ');
        if (dot && blank) /* "1.00 ms": the zeros say nothing here */
            memmove(dot, blank, strlen(blank) + 1);
        put_line(x, TOP, x, BOTTOM, "rule", out);
        put_label(x, BOTTOM + 16, d == high ? "tick end" : "tick middle", text, out);
    }
    put_line(LEFT, BOTTOM, RIGHT, BOTTOM, "axis", out);
    for (int i = 1; i <= 2; i++) {
        char share[32];
        double y = BOTTOM - i / 2.0 * (BOTTOM - TOP - 14);
        snprintf(share, sizeof share, "%.*f%%", s->most < 0.1 ? 1 : 0,
                 s->most * i * 50);
        put_label(LEFT - 6, y + 4, "tick end", share, out);
    }
}

void svg_latencies(const struct svg_chart *c, const struct qjson *const *hists,
                   const char *const *names, size_t n, struct qbuf *out)
{
    struct span s = span_of(hists, n);
    begin(c, HEIGHT, out);
    put_decades(&s, out);
    double unit = (RIGHT - LEFT) / (s.high - s.low);
    for (size_t h = 0; h < n; h++) {
        double count = qjson_number(qjson_get(hists[h], "count"), 0);
        qbuf_printf(out, "<g class=\"hist%zu\">\n", n > 1 ? h : 9);
        for (size_t i = 0; i < qjson_size(qjson_get(hists[h], "buckets")); i++) {
            double from = log10(fmax(bucket(hists[h], i, 0), 1e-9));
            double to = log10(fmax(bucket(hists[h], i, 1), 1.1e-9));
            double share = count > 0 ? bucket(hists[h], i, 2) / count : 0;
            double tall = s.most > 0 ? share / s.most * (BOTTOM - TOP - 14) : 0;
            qbuf_printf(out,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                        "height=\"%.1f\"/>\n",
                        LEFT + (from - s.low) * unit, BOTTOM - tall,
                        fmax((to - from) * unit - 0.4, 0.6), tall);
        }
        qbuf_puts(out, "</g>\n");
    }
    double x = LEFT + 6;
    for (size_t h = 0; h < n && n > 1; h++) {
        qbuf_printf(out,
                    "<rect x=\"%.1f\" y=\"1\" width=\"11\" height=\"11\" "
                    "class=\"hist%zu\"/>\n",
                    x, h);
        put_label(x + 15, 11, "tick", names[h], out);
        x += 30 + 6.6 * (double)strlen(names[h]);
    }
    put_axis_names(c, out);
    end(out);
}

/* --- the timeline --- */

enum { STRIP = 17, STRIP_LEFT = 110, USE_TALL = 56 };

static void put_use(const struct timeline *t, struct qbuf *out)
{
    double width = (double)(RIGHT - STRIP_LEFT) / TIMELINE_BINS;
    qbuf_printf(out, "<path class=\"use\" d=\"M%d %d", STRIP_LEFT, TOP + USE_TALL);
    for (size_t k = 0; k < TIMELINE_BINS; k++) {
        double share = fmin(timeline_use(t, k), 1);
        double x = STRIP_LEFT + (double)k * width;
        double y = TOP + USE_TALL - share * USE_TALL;
        qbuf_printf(out, "L%.1f %.1fL%.1f %.1f", x, y, x + width, y);
    }
    qbuf_printf(out, "L%d %dz\"/>\n", RIGHT, TOP + USE_TALL);
    put_line(STRIP_LEFT, TOP + USE_TALL, RIGHT, TOP + USE_TALL, "axis", out);
    put_label(STRIP_LEFT - 6, TOP + 8, "tick end", "100%", out);
    put_label(STRIP_LEFT - 6, TOP + USE_TALL, "tick end", "busy", out);
}

static void put_strip(const struct timeline_row *row, double y, struct qbuf *out)
{
    double width = (double)(RIGHT - STRIP_LEFT) / TIMELINE_BINS;
    put_label(STRIP_LEFT - 6, y + 11, "tick end", row->name, out);
    qbuf_printf(out,
                "<rect class=\"rest\" x=\"%d\" y=\"%.1f\" width=\"%d\" "
                "height=\"%d\"/>\n",
                STRIP_LEFT, y, RIGHT - STRIP_LEFT, STRIP - 4);
    for (size_t k = 0; k < TIMELINE_BINS; k++) {
        if (row->busy[k] < 0.01)
            continue;
        qbuf_printf(out,
                    "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" "
                    "height=\"%d\" fill-opacity=\"%.2f\"/>\n",
                    row->worker ? "busy" : "other", STRIP_LEFT + (double)k * width, y,
                    width + 0.05, STRIP - 4, fmin(row->busy[k], 1));
    }
}

void svg_timeline(const struct svg_chart *c, const struct timeline *t, struct qbuf *out)
{
    double y = TOP + USE_TALL + 12;
    size_t strips = t->n < SVG_STRIPS ? t->n : SVG_STRIPS;
    begin(c, (unsigned)(y + (double)strips * STRIP + 24), out);
    put_use(t, out);
    for (size_t i = 0; i < strips; i++, y += STRIP)
        put_strip(&t->rows[i], y, out);
    for (int i = 0; i <= 3; i++) {
        char text[SVG_TIME];
        double x = STRIP_LEFT + i / 3.0 * (RIGHT - STRIP_LEFT);
        put_label(x, y + 12,
                  i == 0   ? "tick"
                  : i == 3 ? "tick end"
                           : "tick middle",
                  i == 0 ? "0" : svg_time(text, t->seconds * i / 3), out);
    }
    end(out);
}
