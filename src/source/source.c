#include "source/source.h"

const struct source *source_for(enum input_kind kind)
{
    static const struct source *const table[] = {
        [INPUT_STREAM] = &source_file, [INPUT_FILE] = &source_file,
        [INPUT_RANGE] = &source_range, [INPUT_LITERAL] = &source_literal,
        [INPUT_URL] = &source_url,
    };
    return table[kind];
}
