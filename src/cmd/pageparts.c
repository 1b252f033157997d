#include "cmd/pageparts.h"

#include <stdarg.h>
#include <stdio.h>

#include "cmd/svg.h"

/* The colours of Okabe and Ito, which eyes of all kinds can tell apart; lighter ones of
 * the same kind on a dark ground. */
static const char style[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--soft:#57606a;"
    "--edge:#d0d7de;--tint:#f4f6f8;--c0:#6e7781;--c1:#0072b2;--c2:#d55e00;--c3:#008a63;"
    "--rest:#e4e8ec;--other:#b58900}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#11151a;--ink:#e6edf3;"
    "--soft:#9aa5b1;--edge:#30363d;--tint:#1a2027;--c0:#9aa5b1;--c1:#56b4e9;"
    "--c2:#f0924a;--c3:#3fcf9e;--rest:#272e36;--other:#e0b440}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--ground);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif}\n"
    "main{max-width:1360px;margin:0 auto;padding:16px}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:.2em 0 .4em}\n"
    "h2{font-size:1.2rem;margin:1.6em 0 .5em}\n"
    "code,pre{font-family:ui-monospace,monospace;font-size:.9em;"
    "overflow-wrap:anywhere}\n"
    "pre{background:var(--tint);border:1px solid var(--edge);border-radius:6px;"
    "padding:10px;white-space:pre-wrap}\n"
    ".lead{font-size:1.1rem}\n"
    ".scroll{overflow-x:auto;border:1px solid var(--edge);border-radius:6px;"
    "margin:12px 0}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;padding:6px 10px;color:var(--soft);font-size:.9rem}\n"
    "th,td{padding:5px 10px;text-align:right;white-space:nowrap;"
    "border-top:1px solid var(--edge)}\n"
    "th:first-child{text-align:left}td.words{white-space:normal;min-width:9em}\n"
    "thead th{background:var(--tint);font-weight:600}\n"
    ".grid{display:grid;gap:16px;align-items:start;grid-auto-flow:dense;"
    "grid-template-columns:repeat(auto-fill,minmax(min(100%,400px),1fr))}\n"
    "figure{margin:0;padding:12px;border:1px solid var(--edge);border-radius:6px;"
    "break-inside:avoid;min-width:0}\n"
    "figcaption{margin-bottom:8px}h3{font-size:1rem;font-weight:600;margin:0}\n"
    ".more{margin:8px 0;font-size:.9rem;color:var(--soft)}\n"
    "details{margin-top:8px;font-size:.9rem}summary{cursor:pointer;color:var(--soft)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0}\n"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    "svg{display:block;width:100%;height:auto}\n"
    "svg text{font:12.5px system-ui,sans-serif;fill:var(--ink)}\n"
    ".tick,.name{fill:var(--soft)}.middle{text-anchor:middle}.end{text-anchor:end}\n"
    ".axis{stroke:var(--soft)}.rule{stroke:var(--edge)}\n"
    ".ideal{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:5 4}\n"
    ".whisker{stroke:var(--ink);stroke-width:1.5}\n"
    ".fill0{fill:var(--c0)}.fill1{fill:var(--c1)}.fill2{fill:var(--c2)}"
    ".fill3{fill:var(--c3)}\n"
    "polyline{fill:none;stroke-width:2}.line0{stroke:var(--c0)}"
    ".line1{stroke:var(--c1)}.line2{stroke:var(--c2);stroke-dasharray:8 3}"
    ".line3{stroke:var(--c3);stroke-dasharray:2 3}\n"
    ".part0,.busy,.use{fill:var(--c1)}.part1{fill:var(--other)}"
    ".part2,.rest{fill:var(--rest)}.other{fill:var(--other)}\n"
    ".hist0{fill:var(--c0);fill-opacity:.55}.hist1,.hist9{fill:var(--c1)}"
    ".hist1{fill-opacity:.55}.hist2{fill:var(--c2);fill-opacity:.55}"
    ".hist3{fill:var(--c3);fill-opacity:.55}\n"
    ".busy,.other,.rest{shape-rendering:crispEdges}\n"
    "@media(max-width:500px){main{padding:10px}figure{padding:8px}"
    "svg text{font-size:13.5px}}\n"
    "@media print{main{max-width:none;padding:0}.scroll{overflow:visible}"
    "body{font-size:11px}summary{display:none}"
    "details::details-content{content-visibility:visible;block-size:auto}"
    "table{font-size:9px}th,td{white-space:normal;padding:3px}"
    "td{overflow-wrap:anywhere}"
    ".grid{grid-template-columns:1fr 1fr}}\n";

void page_begin(const char *title, struct qbuf *out)
{
    qbuf_puts(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
                   "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                   "content=\"width=device-width, initial-scale=1\">\n"
                   "<link rel=\"icon\" href=\"data:,\">\n<title>");
    svg_text(title, out);
    qbuf_printf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
}

void page_end(struct qbuf *out)
{
    qbuf_puts(out, "</main>\n</body>\n</html>\n");
}

void page_table_begin(const char *caption, const char *const *heads, size_t n,
                      struct qbuf *out)
{
    qbuf_puts(out,
              "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
    svg_text(caption, out);
    qbuf_puts(out, "\"><table><caption>");
    svg_text(caption, out);
    qbuf_puts(out, "</caption>\n<thead><tr>");
    for (size_t i = 0; i < n; i++)
        qbuf_printf(out, "<th scope=\"col\">%s</th>", heads[i]);
    qbuf_puts(out, "</tr></thead>\n<tbody>\n");
}

void page_table_end(struct qbuf *out)
{
    qbuf_puts(out, "</tbody></table></div>\n");
}

void page_row_begin(const char *head, struct qbuf *out)
{
    qbuf_puts(out, "<tr><th scope=\"row\">");
    svg_text(head, out);
    qbuf_puts(out, "</th>");
}

void page_cell(struct qbuf *out, const char *fmt, ...)
{
    char whole[512], text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(whole, sizeof whole, fmt, ap);
    va_end(ap);
    svg_print(text, sizeof text, "%s", whole);
    qbuf_puts(out, "<td>");
    svg_text(text, out);
    qbuf_puts(out, "</td>");
}

void page_row_end(struct qbuf *out)
{
    qbuf_puts(out, "</tr>\n");
}

void page_grid_begin(struct qbuf *out)
{
    qbuf_puts(out, "<h2>Figures</h2>\n<div class=\"grid\">\n");
}

void page_grid_end(struct qbuf *out)
{
    qbuf_puts(out, "</div>\n");
}

void page_figure_begin(const char *caption, struct qbuf *out)
{
    qbuf_puts(out, "<figure><figcaption><h3>");
    svg_text(caption, out);
    qbuf_puts(out, "</h3></figcaption>\n");
}

void page_figure_end(struct qbuf *out)
{
    qbuf_puts(out, "</figure>\n");
}

void page_more(size_t n, const char *what, struct qbuf *out)
{
    if (n > 0)
        qbuf_printf(out,
                    "<p class=\"more\">%zu more %s not drawn; the table has all.</p>\n",
                    n, what);
}

void page_details_begin(struct qbuf *out)
{
    qbuf_puts(out, "<details><summary>The numbers</summary>\n");
}

void page_details_end(struct qbuf *out)
{
    qbuf_puts(out, "</details>\n");
}
