/* Columns of text, aligned. The last column is never padded. Widths count characters of UTF-8, one cell each. */
#ifndef SLUICE_CLI_TABLE_H
#define SLUICE_CLI_TABLE_H

#include "base/str.h"

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
    uint32_t ncols;
    bool right[TABLE_COLUMNS_MAX]; /* this column is aligned to the right */
    struct str cells;              /* each followed by a NUL byte */
    uint32_t ncells;
};

void table_init(struct table *t, uint32_t ncols);
void table_free(struct table *t);
void table_cell(struct table *t, const char *text); /* the next cell, row by row; copied */
/* Appends the rows to `out`; a failure is sticky in it. A last row that is not complete is left out. */
void table_print(const struct table *t, struct str *out);

#endif
