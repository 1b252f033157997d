#include "source/extent.h"

#include <stdlib.h>
#include <string.h>

#include "source/spot.h"

static bool of_file(const struct input *in, struct extent *x)
{
    uint64_t size;
    if (!spot_can(in, &size))
        return false;
    *x = (struct extent){CHUNK_OF_TEXT, (double)size, 0};
    return true;
}

/* The common digits in front are cut off, so that the difference of two large numbers
 * is not lost. */
static bool of_range(const char *text, struct extent *x)
{
    const char *last = strstr(text, "..");
    if (!last)
        return false;
    size_t len = (size_t)(last - text), same = 0;
    last += 2;
    if (strlen(last) == len)
        while (same + 1 < len && text[same] == last[same])
            same++;
    /* It ends at the second dot at the latest. */
    long double count = strtold(last + same, NULL) - strtold(text + same, NULL) + 1;
    *x = (struct extent){CHUNK_OF_RANGE, (double)count, 0};
    if (count >= 1 && count < 0x1p63L)
        x->records = (uint64_t)count;
    return true;
}

bool extent_of(const struct input *in, struct extent *x)
{
    if (in->kind == INPUT_FILE)
        return of_file(in, x);
    if (in->kind == INPUT_RANGE)
        return of_range(in->text, x);
    if (in->kind != INPUT_LITERAL)
        return false;
    *x = (struct extent){CHUNK_OF_TEXT, (double)in->len, 0};
    for (size_t i = 0; i < in->len; i++)
        x->records += in->text[i] == '\n';
    return true;
}
