#include "cmd/options.h"

#include "core/chunk.h"

enum { THREADS_MAX = 4096, DIGITS_MAX = 1000000, DOCUMENT_MAX = 1 << 30 };

const struct qopt options_shared[] = {
    {.name = "threads",
     .letter = 'j',
     .kind = QOPT_COUNT,
     .value = "N",
     .min = 1,
     .max = THREADS_MAX,
     .help = "compute with N threads (default: all that the job was given, "
             "see 'quern info')"},
    {.name = "output",
     .letter = 'o',
     .kind = QOPT_TEXT,
     .value = "FILE",
     .help =
         "write to FILE instead of standard output; DIR/: to shards in a folder, see "
         "'quern cat'"},
    {.name = "format",
     .kind = QOPT_CHOICE,
     .effect = QOPT_RESULT,
     .value = "text|tsv|csv|jsonl|sqlite",
     .fallback = "text",
     .help = "write lines of text, a table with a header (tabs, or RFC 4180), a JSON "
             "object a line, or rows of a table in an SQLite database"},
    {.name = "table",
     .kind = QOPT_TEXT,
     .effect = QOPT_RESULT,
     .value = "NAME",
     .help = "with --format sqlite: the table, made if it is not there"},
    {.name = "key",
     .kind = QOPT_TEXT,
     .effect = QOPT_RESULT,
     .value = "LIST",
     .help = "with --format sqlite: the columns that tell rows apart; a row whose key "
             "is there takes the place of that row (without: rows are added)"},
    {.name = "resume",
     .kind = QOPT_FLAG,
     .help = "go on with an unfinished run of the same job on the same -o FILE"},
    {.name = "restart",
     .kind = QOPT_FLAG,
     .help = "begin anew, although an unfinished run left its -o FILE"},
    {.name = "time-limit",
     .kind = QOPT_DURATION,
     .value = "T",
     .help =
         "stop after T, so that --resume can go on (500ms, 3s, 2m, 1h; default in a "
         "Slurm job: what is left of it, less a margin; 0: never)"},
    {.name = "unordered",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "write answers as they come, not in the order of the input"},
    {.name = "timing",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "work record by record, and append a tab and the seconds each one took"},
    {.name = "strict",
     .kind = QOPT_FLAG,
     .effect = QOPT_RESULT,
     .help = "stop at the first bad record"},
    {.name = "max-errors",
     .kind = QOPT_COUNT,
     .effect = QOPT_RESULT,
     .value = "N",
     .help = "stop when more than N records are bad"},
    OPTION_PROGRESS,
    OPTION_HEARTBEAT,
    OPTION_STATS,
    OPTION_STATS_FORMAT,
    OPTION_TRACE,
    {.name = "quiet",
     .letter = 'q',
     .kind = QOPT_FLAG,
     .help = "say only errors and warnings on standard error"},
    {.name = "verbose", .letter = 'v', .kind = QOPT_FLAG, .help = "say more"},
    {.name = "mpi",
     .kind = QOPT_CHOICE,
     .value = "auto|yes|no",
     .fallback = "auto",
     .help =
         "use MPI: when a launcher (mpirun, srun) has started this process, always, "
         "or never; on the command line only"},
    {.name = "engine",
     .kind = QOPT_CHOICE,
     .effect = QOPT_HIDDEN,
     .value = "threads|serial",
     .fallback = "threads",
     .help = "which engine runs the job"},
    {.name = "chunk",
     .kind = QOPT_SIZE,
     .effect = QOPT_HIDDEN,
     .value = "SIZE",
     .min = 1,
     .max = CHUNK_TEXT,
     .help = "cut the input into pieces of about SIZE bytes or integers"},
    {.name = NULL},
};

const struct qopt options_numbers[] = {
    {.name = "max-digits",
     .kind = QOPT_COUNT,
     .effect = QOPT_RESULT,
     .value = "N",
     .fallback = "10000",
     .min = 1,
     .max = DIGITS_MAX,
     .help = "refuse numbers of more than N digits"},
    {.name = "time-per-item",
     .kind = QOPT_DURATION,
     .effect = QOPT_RESULT,
     .value = "T",
     .help = "leave a number unfinished after T (what is finished then depends on the "
             "machine)"},
    {.name = NULL},
};

const struct qopt options_info[] = {
    {.name = "affinity",
     .kind = QOPT_FLAG,
     .help = "only the placement: CPUs and threads, of each rank under mpirun or srun"},
    {.name = NULL},
};

const struct qopt options_run[] = {
    {.name = "set",
     .kind = QOPT_TEXT,
     .effect = QOPT_REPEAT,
     .value = "NAME=VALUE",
     .help = "put VALUE in for ${NAME} in the job file (may be given repeatedly)"},
    {.name = NULL},
};

const struct qopt options_columns[] = {
    {.name = "columns",
     .kind = QOPT_TEXT,
     .effect = QOPT_RESULT,
     .value = "LIST",
     .help = "with --format tsv, csv or jsonl: the columns, in this order, as in "
             "n,proof"},
    {.name = NULL},
};

const struct qopt options_documents[] = {
    {.name = "max-document",
     .kind = QOPT_SIZE,
     .effect = QOPT_RESULT,
     .value = "SIZE",
     .fallback = "16M",
     .min = 1,
     .max = DOCUMENT_MAX,
     .help = "refuse documents of more than SIZE bytes"},
    {.name = NULL},
};

const struct qopt options_about[] = {
    {.name = "help", .kind = QOPT_FLAG, .help = "print this help and exit"},
    {.name = "version",
     .kind = QOPT_FLAG,
     .help = "print the version and what is built in, and exit"},
    {.name = NULL},
};
