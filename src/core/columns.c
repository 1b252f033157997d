#include "core/columns.h"

#include <string.h>

#include "base/qlog.h"
#include "base/qopt.h"

struct names {
    const struct schema *schema;
    size_t i;
};

static const char *next_name(void *state)
{
    struct names *at = state;
    return at->i < at->schema->ncolumns ? at->schema->columns[at->i++].name : NULL;
}

static int unknown(const struct schema *all, const char *name, size_t len,
                   struct qerr *e)
{
    char token[QLOG_TOKEN_SIZE], list[160] = "";
    struct names names = {all, 0};
    qlog_token(token, name, len);
    const char *near = qopt_nearest(token, next_name, &names);
    if (near)
        return qerr_set(e, Q_EUSAGE, "--columns: unknown '%s'; did you mean '%s'?",
                        token, near);
    for (size_t i = 0; i < all->ncolumns; i++) {
        size_t at = strlen(list);
        const char *column = all->columns[i].name;
        if (at + strlen(column) + 3 < sizeof list) {
            memcpy(list + at, i > 0 ? ", " : "", i > 0 ? 3 : 1);
            memcpy(list + strlen(list), column, strlen(column) + 1);
        }
    }
    return qerr_set(e, Q_EUSAGE, "--columns: unknown '%s'; there are %s", token, list);
}

int columns_choose(struct columns *c, const struct schema *all, const char *list,
                   struct qerr *e)
{
    c->schema = *all;
    c->schema.shown = c->shown;
    c->schema.nshown = 0;
    for (const char *name = list;; name++) {
        size_t len = strcspn(name, ","), i = 0;
        while (i < all->ncolumns && (strlen(all->columns[i].name) != len ||
                                     memcmp(all->columns[i].name, name, len) != 0))
            i++;
        if (i == all->ncolumns)
            return unknown(all, name, len, e);
        if (memchr(c->shown, (int)i, c->schema.nshown))
            return qerr_set(e, Q_EUSAGE, "--columns: '%s' is there twice",
                            all->columns[i].name);
        c->shown[c->schema.nshown++] = (uint8_t)i;
        name += len;
        if (*name == '\0')
            return 0;
    }
}
