#include "base/qerr.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int set(struct qerr *e, enum qcode code, int sys, const char *fmt, va_list ap)
{
    if (e->code == Q_OK) {
        e->code = code;
        e->sys = sys;
        int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
        if (sys != 0 && n >= 0 && (size_t)n < sizeof e->text) {
            char why[128];
            /* GNU strerror_r: returns the text, which need not be in `why`. */
            const char *text = strerror_r(sys, why, sizeof why);
            snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", text);
        }
    }
    return -(int)e->code;
}

int qerr_set(struct qerr *e, enum qcode code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = set(e, code, 0, fmt, ap);
    va_end(ap);
    return rc;
}

int qerr_sys(struct qerr *e, enum qcode code, int sys, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int rc = set(e, code, sys, fmt, ap);
    va_end(ap);
    return rc;
}

int qerr_add(struct qerr *e, const char *fmt, ...)
{
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    int room = (int)sizeof e->text;

    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - (size_t)n, ": %.*s", room - n, old);
    return -(int)e->code;
}
