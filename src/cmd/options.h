/*
 * options: the tables of options that commands share. A command's job is made from its
 * own table (a kernel's options) and from these:
 *
 *   options_shared   every command that reads records
 *   options_numbers  the commands on numbers, or on lines of numbers, besides
 *   options_columns  those of them that print rows
 *   options_documents  the commands on documents
 *   options_fetch    the same, and 'quern fetch': how URLs are fetched
 *   options_files    'quern fetch': its own
 *   options_info     'quern info'
 *   options_run      'quern run', which sets them aside: never part of a job
 *   options_about    --help and --version: known everywhere on a command line, never
 * part of a job
 *
 * To add an option is to add its row: it is then accepted on the command line, printed
 * in the help, and readable with job_flag, job_count or job_word.
 */
#ifndef QUERN_CMD_OPTIONS_H
#define QUERN_CMD_OPTIONS_H

#include "base/qopt.h"

/* Rows that stand in more than one table. */
#define OPTION_STATS                                                                   \
    {                                                                                  \
        .name = "stats", .kind = QOPT_TEXT, .value = "FILE",                           \
        .help = "at the end, write to FILE what was done, how long it took, and what " \
                "each thread did"                                                      \
    }
#define OPTION_STATS_FORMAT                                                            \
    {                                                                                  \
        .name = "stats-format", .kind = QOPT_CHOICE, .value = "json|prom",             \
        .fallback = "json",                                                            \
        .help = "write --stats as JSON, or as text for Prometheus' node_exporter"      \
    }
#define OPTION_TRACE                                                                   \
    {                                                                                  \
        .name = "trace", .kind = QOPT_TEXT, .value = "FILE",                           \
        .help = "at the end, write to FILE when each thread did what, as trace "       \
                "events in JSON (Perfetto, chrome://tracing)"                          \
    }
#define OPTION_PROGRESS                                                                \
    {                                                                                  \
        .name = "progress", .kind = QOPT_CHOICE, .value = "auto|always|never",         \
        .fallback = "auto",                                                            \
        .help = "show on standard error how far the run is: a line that moves, on a "  \
                "terminal, and else one every --heartbeat"                             \
    }
#define OPTION_HEARTBEAT                                                               \
    {                                                                                  \
        .name = "heartbeat", .kind = QOPT_DURATION, .value = "T", .fallback = "10s",   \
        .help =                                                                        \
            "where there is no terminal, a line of progress every T (at the most ten " \
            "a second); 0 for none"                                                    \
    }

extern const struct qopt options_shared[];
extern const struct qopt options_numbers[];
extern const struct qopt options_columns[];
extern const struct qopt options_documents[];
extern const struct qopt options_fetch[];
extern const struct qopt options_files[];
extern const struct qopt options_info[];
extern const struct qopt options_run[];
extern const struct qopt options_about[];

#endif
