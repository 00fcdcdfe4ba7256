/* Columns of text, aligned. Widths count characters of UTF-8, one cell each. On a terminal a table keeps within its width: cells that do
 * not fit are broken into several lines, so nothing is lost. */
#ifndef SLUICE_CLI_TABLE_H
#define SLUICE_CLI_TABLE_H

#include "base/str.h"

enum { TABLE_COLUMNS_MAX = 12 };
enum table_style { TABLE_PLAIN, TABLE_HEAD, TABLE_GOOD, TABLE_WARN, TABLE_BUSY, TABLE_STYLES };

struct table {
    uint32_t ncols;
    uint32_t width;                /* of the terminal; 0 = no limit */
    bool colors;                   /* styles are shown */
    bool spills;                   /* the last column may stand below its row when it would be too narrow */
    bool right[TABLE_COLUMNS_MAX]; /* this column is aligned to the right */
    struct str cells;              /* each: a byte of style, the text, a NUL byte */
    uint32_t ncells;
};

void table_init(struct table *t, uint32_t ncols, uint32_t width, bool colors);
void table_free(struct table *t);
/* The next cell, row by row; copied. */
void table_cell(struct table *t, const char *text);
void table_styled(struct table *t, enum table_style style, const char *text);
/* Appends the rows to `out`; a failure is sticky in it. A last row that is not complete is left out. The last column is never padded. */
void table_print(const struct table *t, struct str *out);

#endif
