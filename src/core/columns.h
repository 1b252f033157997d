/*
 * columns: which columns of a schema are shown, and in which order (--columns).
 */
#ifndef QUERN_CORE_COLUMNS_H
#define QUERN_CORE_COLUMNS_H

#include "base/qerr.h"
#include "core/rows.h"

struct columns {
    struct schema schema; /* the same columns, with a choice */
    uint8_t shown[ROWS_COLUMNS];
};

/* The choice that `list` makes, names of columns of `all` with commas between. Refuses
 * (Q_EUSAGE) a name that is none, or stands there twice. `c` must not be moved. */
int columns_choose(struct columns *c, const struct schema *all, const char *list,
                   struct qerr *e);

#endif
