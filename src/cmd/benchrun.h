/*
 * benchrun: runs processes side by side, and says how long it took and what came out.
 */
#ifndef QUERN_CMD_BENCHRUN_H
#define QUERN_CMD_BENCHRUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/qerr.h"
#include "base/qhash.h"
#include "cmd/benchtarget.h"

/* Room for the path of a folder (BENCH_FOLDER), and of a file that bench keeps in it.
 */
enum { BENCH_FOLDER = 4000, BENCH_PATH = BENCH_FOLDER + 64 };

struct bench_time {
    double seconds, cpu_seconds; /* from the first start to the last end; of all */
    uint64_t peak_bytes;         /* of the largest process */
    int status;                  /* the largest, when all was well */
};

/* Runs `n` argument lists at once, standard input empty, standard output and error into
 * files out.K and err.K of `folder`. Q_EINPUT, with the last thing that it said, when
 * one ends with a status above `most` (1: bad records are no matter); Q_ESTOP when a
 * signal was caught: all that run are sent TERM then, and waited for. So are they when
 * bench is killed.
 */
int bench_execute(const struct wordlist *argvs, unsigned n, int most,
                  const char *folder, struct bench_time *time, struct qerr *e);

/* The last line that process `k` said on standard error, as much of it as there is room
 * for. */
enum { BENCH_SAID = 161 };
void bench_said(const char *folder, unsigned k, char text[BENCH_SAID]);

/* What the outputs out.0 ... out.n-1 are compared by. */
enum bench_compare {
    BENCH_BYTES,
    BENCH_TIMED,   /* without the last field of each line */
    BENCH_LINES,   /* lines in any order */
    BENCH_FETCHED, /* the same, of 'quern fetch': without SECONDS and PATH */
    BENCH_FILES    /* not they, but the files in folder/files/K, in any order */
};
int bench_digest(const char *folder, unsigned n, enum bench_compare how,
                 char hex[QHASH_HEX], struct qerr *e);

/* Removes a folder with all that is in it; that it is not there is no error. */
void bench_remove(const char *folder);

/* From now on INT, TERM, HUP, QUIT and USR1 are caught, unless they are ignored. */
void bench_catch(void);

/* The signal that was, or 0. */
int bench_caught(void);

#endif
