#include "sink/sink.h"

#include <string.h>

const struct sink *sink_for(const char *format)
{
    static const struct sink *const table[] = {&sink_text, &sink_tsv, &sink_csv,
                                               &sink_jsonl, &sink_sqlite};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, format) == 0)
            return table[i];
    return NULL;
}

int sink_check(const struct sink *sink, const struct sink_target *target,
               struct qerr *e)
{
    static const char *const of_sqlite[] = {"table", "key"};
    for (size_t i = 0; sink != &sink_sqlite && i < 2; i++)
        if (job_given(target->job, of_sqlite[i]))
            return qerr_set(e, Q_EUSAGE, "--%s is for --format sqlite", of_sqlite[i]);
    return sink->check ? sink->check(target, e) : 0;
}
