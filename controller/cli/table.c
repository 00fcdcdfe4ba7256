#include "cli/table.h"

#include <string.h>

/* A column is not made narrower than that, and two spaces stand between columns. */
enum { COLUMN_MIN = 8, GAP = 2 };

void table_init(struct table *t, uint32_t ncols, uint32_t width, bool colors)
{
    *t = (struct table){
        .ncols = ncols < TABLE_COLUMNS_MAX ? ncols : TABLE_COLUMNS_MAX, .width = width, .colors = colors};
    str_init(&t->cells, (size_t)1 << 31);
}

void table_free(struct table *t)
{
    str_free(&t->cells);
}

void table_styled(struct table *t, enum table_style style, const char *text)
{
    str_addc(&t->cells, (char)('0' + style));
    str_add(&t->cells, text);
    str_addn(&t->cells, "", 1);
    t->ncells++;
}

void table_cell(struct table *t, const char *text)
{
    table_styled(t, TABLE_PLAIN, text);
}

/* ---- widths ------------------------------------------------------------------------------------------------------------- */

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static uint32_t width_of(const char *s, size_t len)
{
    uint32_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += starts_character(s[i]);
    return n;
}

static const char *next_cell(const char *cell)
{
    return cell + strlen(cell) + 1;
}

static void natural_widths(const struct table *t, uint32_t rows, uint32_t *widths)
{
    const char *cell = str_text(&t->cells);

    for (uint32_t i = 0; i < rows * t->ncols; i++, cell = next_cell(cell)) {
        uint32_t w = width_of(cell + 1, strlen(cell + 1)), col = i % t->ncols;
        widths[col] = w > widths[col] ? w : widths[col];
    }
}

/* Takes from the widest column, again and again, until the table fits. */
static void fit_widths(const struct table *t, uint32_t *widths)
{
    uint32_t total = GAP * (t->ncols - 1);

    for (uint32_t i = 0; i < t->ncols; i++)
        total += widths[i];
    while (t->width && total > t->width) {
        uint32_t widest = 0;
        for (uint32_t i = 1; i < t->ncols; i++)
            if (widths[i] >= widths[widest])
                widest = i;
        if (widths[widest] <= COLUMN_MIN)
            return;
        widths[widest]--;
        total--;
    }
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

/* How many bytes of `s` go on one line of `width` characters; *ret_skip: how many more are passed over. Breaks at a space, else after
 * a '/', '.' or '-', else anywhere. */
static size_t line_len(const char *s, uint32_t width, size_t *ret_skip)
{
    size_t i = 0, space = 0, mark = 0;
    uint32_t n = 0;

    *ret_skip = 0;
    for (; s[i]; i++) {
        if (starts_character(s[i]) && n++ == width)
            break;
        if (s[i] == ' ')
            space = i;
        if (s[i] == '/' || s[i] == '.' || s[i] == '-')
            mark = i + 1;
    }
    if (!s[i])
        return i;
    if (s[i] == ' ')
        space = i;
    if (space) {
        *ret_skip = 1;
        return space;
    }
    return mark && mark < i ? mark : i;
}

static void pad(struct str *out, uint32_t n)
{
    while (n-- > 0)
        str_addc(out, ' ');
}

static void put_text(const struct table *t, struct str *out, enum table_style style, const char *text,
                     size_t len)
{
    static const char *const codes[TABLE_STYLES] = {"", "\033[1m", "\033[32m", "\033[33m", "\033[36m"};
    bool colored = t->colors && style != TABLE_PLAIN && len;

    if (colored)
        str_add(out, codes[style]);
    str_addn(out, text, len);
    if (colored)
        str_add(out, "\033[0m");
}

/* One line of a row: takes its part of each cell from *rest. True while something is left. */
static bool put_line(const struct table *t, struct str *out, const uint32_t *widths, const char **rest,
                     const char *styles)
{
    uint32_t owed = 0; /* spaces before the next text: a line does not end in spaces */
    bool more = false;

    for (uint32_t col = 0; col < t->ncols; col++) {
        size_t skip, len = line_len(rest[col], widths[col], &skip);
        uint32_t room = widths[col] - width_of(rest[col], len);
        if (len && t->right[col])
            owed += room;
        if (len) {
            pad(out, owed);
            owed = 0;
            put_text(t, out, (enum table_style)(styles[col] - '0'), rest[col], len);
        }
        owed += (len && t->right[col] ? 0 : room) + GAP;
        rest[col] += len + skip;
        more = more || *rest[col];
    }
    str_addc(out, '\n');
    return more;
}

void table_print(const struct table *t, struct str *out)
{
    uint32_t widths[TABLE_COLUMNS_MAX] = {0}, rows = t->ncols ? t->ncells / t->ncols : 0;
    const char *cell = str_text(&t->cells), *rest[TABLE_COLUMNS_MAX];
    char styles[TABLE_COLUMNS_MAX];

    if (str_failed(&t->cells)) {
        out->failed = true;
        return;
    }
    natural_widths(t, rows, widths);
    if (rows)
        fit_widths(t, widths);
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t col = 0; col < t->ncols; col++, cell = next_cell(cell)) {
            styles[col] = *cell;
            rest[col] = cell + 1;
        }
        while (put_line(t, out, widths, rest, styles))
            ;
    }
}
