/*
 * bench: 'quern bench [OPTION...] COMMAND [ARGUMENT...]': one command in several modes
 * and widths, measured and compared.
 */
#ifndef QUERN_CMD_BENCH_H
#define QUERN_CMD_BENCH_H

#include "base/qerr.h"
#include "base/qopt.h"
#include "cmd/command.h"

extern const char bench_description[];
extern const struct qopt options_bench[];

/* The command; takes its arguments apart itself: what follows the first word that is no
 * option belongs to the command that is measured. Returns an args_answer or a negative
 * qcode. */
int cmd_bench(int argc, char **argv, struct ending *ending, struct qerr *e);

/* --widths: as a list "1,2,4"; each once, up to `most` of them. Returns how many. */
int bench_widths(const char *text, unsigned *widths, unsigned most, struct qerr *e);

/* --modes: a bit for each. */
int bench_modes(const char *text, unsigned *modes, struct qerr *e);

/* In the order of running, which cell is `step` of round `round`: to and fro, so that a
 * drift of the machine hits the first and the last alike. */
static inline size_t bench_order(size_t step, size_t ncells, unsigned round)
{
    return round % 2 ? ncells - 1 - step : step;
}

#endif
