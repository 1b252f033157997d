/*
 * fetchreport: what becomes of URLs, in files: --report, a JSON object a line about
 * each of them, and --failed, those that failed, as a list for another run. In the
 * order in which they are added. One thread at a time, but for the stop.
 */
#ifndef QUERN_SOURCE_FETCHREPORT_H
#define QUERN_SOURCE_FETCHREPORT_H

#include <stdbool.h>

#include "base/qerr.h"
#include "core/job.h"
#include "source/fetch.h"

struct fetch_report;

/* Opens the files that the job asks for, and leaves what is in them; with neither it is
 * a report all the same. A FIFO is waited for, until somebody reads it. */
int fetch_report_open(struct fetch_report **report, const struct job *job,
                      struct qerr *e);

/* Before the first is added: the files are emptied, or (`goes_on`) what is added comes
 * behind what is in them. */
int fetch_report_begin(struct fetch_report *r, bool goes_on, struct qerr *e);

/* A job that has ended. `failed`: it has, or its body was of no use. */
void fetch_report_add(struct fetch_report *r, struct fetch_job *job, bool failed);

/* Writes what was added; waits for a slow reader, until the stop. What goes wrong is
 * kept for the end. */
void fetch_report_flush(struct fetch_report *r);

/* Nobody who does not read is waited for any more. Any thread. */
void fetch_report_stop(struct fetch_report *r);

/* Stops, writes the rest, and frees it, also when it fails: something could not be
 * written. NULL: nothing. */
int fetch_report_close(struct fetch_report *r, struct qerr *e);

#endif
