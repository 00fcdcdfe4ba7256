#include "cli/table.h"

#include <string.h>

void table_init(struct table *t, uint32_t ncols)
{
    *t = (struct table){.ncols = ncols < TABLE_COLUMNS_MAX ? ncols : TABLE_COLUMNS_MAX};
    str_init(&t->cells, (size_t)1 << 31);
}

void table_free(struct table *t)
{
    str_free(&t->cells);
}

void table_cell(struct table *t, const char *text)
{
    str_add(&t->cells, text);
    str_addn(&t->cells, "", 1);
    t->ncells++;
}

static uint32_t width(const char *s)
{
    uint32_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void pad(struct str *out, uint32_t n)
{
    while (n-- > 0)
        str_addc(out, ' ');
}

void table_print(const struct table *t, struct str *out)
{
    uint32_t widths[TABLE_COLUMNS_MAX] = {0}, rows = t->ncols ? t->ncells / t->ncols : 0;
    const char *cell = str_text(&t->cells);

    if (str_failed(&t->cells)) {
        out->failed = true;
        return;
    }
    for (uint32_t i = 0; i < rows * t->ncols; i++, cell += strlen(cell) + 1) {
        uint32_t w = width(cell), col = i % t->ncols;
        widths[col] = w > widths[col] ? w : widths[col];
    }
    cell = str_text(&t->cells);
    for (uint32_t i = 0; i < rows * t->ncols; i++, cell += strlen(cell) + 1) {
        uint32_t col = i % t->ncols, room = widths[col] - width(cell);
        bool last = col + 1 == t->ncols;
        if (t->right[col])
            pad(out, room);
        str_add(out, cell);
        if (!t->right[col] && !last)
            pad(out, room);
        str_add(out, last ? "\n" : "  ");
    }
}
