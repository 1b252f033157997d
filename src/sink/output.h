/*
 * output: the byte stream behind every sink that writes a file: standard output or -o
 * FILE. Writes are complete or an error; a reader that has gone is Q_EPIPE.
 */
#ifndef QUERN_SINK_OUTPUT_H
#define QUERN_SINK_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"
#include "sink/sink.h"

/* The functions that a sink of bytes puts into its table row (see sink.h). */
int output_open(void **state, const struct sink_target *target, struct qerr *e);
int output_write(void *state, const char *bytes, size_t n, struct qerr *e);
int output_mark(void *state, const char *mark, struct qerr *e);
int output_close(void *state, struct qerr *e);

#endif
