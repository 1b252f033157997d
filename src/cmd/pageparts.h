/* pageparts: the pieces of HTML that a report is made of, and its style. */
#ifndef QUERN_CMD_PAGEPARTS_H
#define QUERN_CMD_PAGEPARTS_H

#include <stddef.h>

#include "base/qbuf.h"

void page_begin(const char *title, struct qbuf *out);
void page_end(struct qbuf *out);

/* A table that scrolls by itself where it is too wide. The first cell of a row is its
 * header; the others are text or numbers. */
void page_table_begin(const char *caption, const char *const *heads, size_t n,
                      struct qbuf *out);
void page_table_end(struct qbuf *out);
void page_row_begin(const char *head, struct qbuf *out);
void page_cell(struct qbuf *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void page_row_end(struct qbuf *out);

/* Figures, under a heading of their own, stand side by side where there is room. */
void page_grid_begin(struct qbuf *out);
void page_grid_end(struct qbuf *out);
void page_figure_begin(const char *caption, struct qbuf *out);
void page_figure_end(struct qbuf *out);

/* Under a figure that does not show all: `n` of `what` are left out, if any. */
void page_more(size_t n, const char *what, struct qbuf *out);

/* The numbers of a figure, folded away. */
void page_details_begin(struct qbuf *out);
void page_details_end(struct qbuf *out);

#endif
