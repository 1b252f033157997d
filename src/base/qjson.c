/*
 * Numbers and the layout are written here; strings of other people, and all reading,
 * are the JSON library's.
 */
#include "base/qjson.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- out --- */

/* Printable ASCII but for the quote and the backslash: inside a JSON string as it is.
 */
static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return false;
    return true;
}

void qjson_inside(const char *text, size_t len, struct qbuf *out)
{
    if (is_plain(text, len)) {
        qbuf_add(out, text, len);
        return;
    }
    struct qbuf ascii = QBUF_INIT;
    json_t *string = json_stringn(text, len);
    if (!string) {
        for (size_t i = 0; i < len; i++) {
            unsigned char byte = (unsigned char)text[i];
            if (byte < 0x80)
                qbuf_putc(&ascii, text[i]);
            else
                qbuf_printf(&ascii, "\\x%02x", (unsigned)byte);
        }
        string = json_stringn(qbuf_cstr(&ascii), ascii.len);
    }
    char *quoted =
        string ? json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    if (quoted && !ascii.failed)
        qbuf_add(out, quoted + 1, strlen(quoted) - 2);
    else
        out->failed = true;
    free(quoted);
    json_decref(string);
    qbuf_release(&ascii);
}

void qjson_quote(const char *text, struct qbuf *out)
{
    qbuf_putc(out, '"');
    qjson_inside(text, strlen(text), out);
    qbuf_putc(out, '"');
}

/* What stands in front of a value: the comma behind the one before, the line, the key.
 */
static void put_lead(struct qjson_writer *w, const char *key)
{
    if (w->depth > 0) {
        if (w->begun[w->depth - 1])
            qbuf_putc(w->out, ',');
        w->begun[w->depth - 1] = true;
        if (!w->flat)
            qbuf_printf(w->out, "\n%*s", (int)w->depth, "");
    }
    if (!key)
        return;
    qbuf_putc(w->out, '"');
    qbuf_puts(w->out, key);
    qbuf_puts(w->out, w->flat ? "\":" : "\": ");
}

static void open_value(struct qjson_writer *w, const char *key, char begin, char end)
{
    assert(w->depth < QJSON_DEPTH);
    put_lead(w, key);
    qbuf_putc(w->out, begin);
    w->end[w->depth] = end;
    w->begun[w->depth++] = false;
}

void qjson_object(struct qjson_writer *w, const char *key)
{
    open_value(w, key, '{', '}');
}

void qjson_array(struct qjson_writer *w, const char *key)
{
    open_value(w, key, '[', ']');
}

void qjson_end(struct qjson_writer *w)
{
    w->depth--;
    if (w->begun[w->depth] && !w->flat)
        qbuf_printf(w->out, "\n%*s", (int)w->depth, "");
    qbuf_putc(w->out, w->end[w->depth]);
    w->flat = false;
    if (w->depth == 0)
        qbuf_putc(w->out, '\n');
}

void qjson_string(struct qjson_writer *w, const char *key, const char *text)
{
    put_lead(w, key);
    if (text)
        qjson_quote(text, w->out);
    else
        qbuf_puts(w->out, "null");
}

void qjson_count(struct qjson_writer *w, const char *key, uint64_t value)
{
    put_lead(w, key);
    qbuf_putu(w->out, value);
}

void qjson_bool(struct qjson_writer *w, const char *key, bool value)
{
    put_lead(w, key);
    qbuf_puts(w->out, value ? "true" : "false");
}

void qjson_real(struct qjson_writer *w, const char *key, double value, int decimals)
{
    put_lead(w, key);
    if (!isfinite(value)) {
        qbuf_puts(w->out, "null");
        return;
    }
    qbuf_printf(w->out, "%.*f", decimals, value);
    while (decimals > 0 && w->out->len > 0 && w->out->data[w->out->len - 1] == '0') {
        w->out->len--;
        decimals--;
    }
    if (w->out->len > 0 && w->out->data[w->out->len - 1] == '.')
        w->out->len--;
}

void qjson_milli(struct qjson_writer *w, const char *key, int64_t thousandths)
{
    uint64_t size = thousandths < 0 ? 0 - (uint64_t)thousandths : (uint64_t)thousandths;
    unsigned part = (unsigned)(size % 1000);
    char digits[] = {'.', (char)('0' + part / 100), (char)('0' + part / 10 % 10),
                     (char)('0' + part % 10)};
    put_lead(w, key);
    if (thousandths < 0)
        qbuf_putc(w->out, '-');
    qbuf_putu(w->out, size / 1000);
    size_t n = part == 0 ? 0 : sizeof digits;
    while (n > 0 && digits[n - 1] == '0')
        n--;
    qbuf_add(w->out, digits, n);
}

void qjson_raw(struct qjson_writer *w, const char *key, const char *json, size_t len)
{
    put_lead(w, key);
    qbuf_add(w->out, json, len);
}

/* --- in --- */

/* The library's value under our name, and back. */
static const struct qjson *outer(const json_t *v)
{
    return (const struct qjson *)v;
}

static json_t *inner(const struct qjson *v)
{
    return (json_t *)(uintptr_t)v;
}

struct qjson *qjson_parse(const char *text, size_t len, struct qerr *e)
{
    json_error_t why;
    json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (!doc)
        qerr_set(e, Q_EINPUT, "line %d: %s", why.line, why.text);
    return (struct qjson *)doc;
}

void qjson_free(struct qjson *doc)
{
    json_decref(inner(doc));
}

const struct qjson *qjson_get(const struct qjson *v, const char *path)
{
    const json_t *at = inner(v);
    while (at) {
        char key[64];
        size_t len = strcspn(path, ".");
        assert(len < sizeof key);
        memcpy(key, path, len);
        key[len] = '\0';
        at = json_object_get(at, key);
        if (path[len] == '\0')
            break;
        path += len + 1;
    }
    return outer(at);
}

/* Iterators of the library want a value that may be written to. */
static void *member(const struct qjson *v, size_t i)
{
    void *at = json_object_iter(inner(v));
    while (at && i-- > 0)
        at = json_object_iter_next(inner(v), at);
    return at;
}

size_t qjson_size(const struct qjson *v)
{
    return json_is_object(inner(v)) ? json_object_size(inner(v))
                                    : json_array_size(inner(v));
}

const struct qjson *qjson_at(const struct qjson *v, size_t i)
{
    if (!json_is_object(inner(v)))
        return outer(json_array_get(inner(v), i));
    void *at = member(v, i);
    return at ? outer(json_object_iter_value(at)) : NULL;
}

const char *qjson_key(const struct qjson *v, size_t i)
{
    void *at = json_is_object(inner(v)) ? member(v, i) : NULL;
    return at ? json_object_iter_key(at) : NULL;
}

const char *qjson_text(const struct qjson *v, const char *fallback)
{
    const char *text = json_string_value(inner(v));
    return text ? text : fallback;
}

double qjson_number(const struct qjson *v, double fallback)
{
    return json_is_number(inner(v)) ? json_number_value(inner(v)) : fallback;
}

bool qjson_is_true(const struct qjson *v)
{
    return json_is_true(inner(v));
}

/* --- documents of others --- */

struct qjson *qjson_document(const char *text, size_t len, uint64_t *line,
                             struct qerr *e)
{
    json_error_t why;
    json_t *doc = json_loadb(
        text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!doc) {
        *line = why.line > 0 ? (uint64_t)why.line : 0;
        if (json_error_code(&why) == json_error_out_of_memory)
            qerr_nomem(e);
        else
            qerr_set(e, Q_EINPUT, "%s", why.text);
    }
    return (struct qjson *)doc;
}

enum qjson_kind qjson_kind(const struct qjson *v)
{
    switch (json_typeof(inner(v))) {
    case JSON_OBJECT:
        return QJSON_OBJECT;
    case JSON_ARRAY:
        return QJSON_ARRAY;
    case JSON_STRING:
        return QJSON_STRING;
    case JSON_INTEGER:
        return QJSON_INTEGER;
    case JSON_REAL:
        return QJSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return QJSON_BOOL;
    case JSON_NULL:
        break;
    }
    return QJSON_NULL;
}

int64_t qjson_integer(const struct qjson *v)
{
    return json_integer_value(inner(v));
}

const char *qjson_bytes(const struct qjson *v, size_t *len)
{
    *len = json_string_length(inner(v));
    return json_string_value(inner(v));
}

const struct qjson *qjson_member(const struct qjson *v, const char *key, size_t len)
{
    return outer(json_object_getn(inner(v), key, len));
}
