#include "cli/table.h"

#include <string.h>

/* A column is not made narrower than that, and two spaces stand between columns. A last column that spills is at least so wide, or
 * stands below, so far from the left. */
enum { COLUMN_MIN = 8, GAP = 2, SPILL_MIN = 36, SPILL_INDENT = 4 };

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

/* Takes from the widest of the first `n` columns, again and again, until they fit; not below `floors`. */
static void fit_widths(uint32_t n, uint32_t room, const uint32_t *floors, uint32_t *widths)
{
    uint32_t total = GAP * (n - 1);

    for (uint32_t i = 0; i < n; i++)
        total += widths[i];
    for (; total > room; total--) {
        uint32_t widest = n;
        for (uint32_t i = 0; i < n; i++)
            if (widths[i] > floors[i] && (widest == n || widths[i] >= widths[widest]))
                widest = i;
        if (widest == n)
            return;
        widths[widest]--;
    }
}

/* First no heading is broken, then, if need be, headings are. */
static void fit(const struct table *t, uint32_t n, uint32_t *widths)
{
    uint32_t floors[TABLE_COLUMNS_MAX] = {0};
    const char *cell = str_text(&t->cells);

    for (uint32_t i = 0; i < n; i++, cell = next_cell(cell)) {
        floors[i] = width_of(cell + 1, strlen(cell + 1));
        floors[i] = floors[i] < COLUMN_MIN ? COLUMN_MIN : floors[i];
    }
    fit_widths(n, t->width, floors, widths);
    for (uint32_t i = 0; i < n; i++)
        floors[i] = COLUMN_MIN;
    fit_widths(n, t->width, floors, widths);
}

/* How many columns stand in a row; the others below. */
static uint32_t lay_out(const struct table *t, uint32_t rows, uint32_t *widths)
{
    uint32_t natural[TABLE_COLUMNS_MAX] = {0}, last = t->ncols - 1;

    natural_widths(t, rows, natural);
    memcpy(widths, natural, sizeof(natural));
    if (!t->width)
        return t->ncols;
    fit(t, t->ncols, widths);
    if (!t->spills || widths[last] >= SPILL_MIN || widths[last] == natural[last] ||
        t->width < 2 * SPILL_INDENT)
        return t->ncols;
    memcpy(widths, natural, sizeof(natural));
    fit(t, last, widths);
    widths[last] = t->width - SPILL_INDENT;
    return last;
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

/* One line of the columns from..to of a row: takes its part of each cell from *rest. True while something is left. */
static bool put_line(const struct table *t, struct str *out, const uint32_t *widths, uint32_t from,
                     uint32_t to, const char **rest, const char *styles)
{
    uint32_t owed = from ? SPILL_INDENT : 0; /* spaces before the next text: a line does not end in spaces */
    bool more = false;

    for (uint32_t col = from; col < to; col++) {
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

static void put_row(const struct table *t, struct str *out, const uint32_t *widths, uint32_t ncols,
                    const char **rest, const char *styles)
{
    while (put_line(t, out, widths, 0, ncols, rest, styles))
        ;
    if (ncols == t->ncols || !*rest[ncols])
        return;
    while (put_line(t, out, widths, ncols, t->ncols, rest, styles))
        ;
}

void table_print(const struct table *t, struct str *out)
{
    uint32_t widths[TABLE_COLUMNS_MAX], rows = t->ncols ? t->ncells / t->ncols : 0;
    const char *cell = str_text(&t->cells), *rest[TABLE_COLUMNS_MAX];
    char styles[TABLE_COLUMNS_MAX];

    if (str_failed(&t->cells)) {
        out->failed = true;
        return;
    }
    uint32_t ncols = rows ? lay_out(t, rows, widths) : t->ncols;
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t col = 0; col < t->ncols; col++, cell = next_cell(cell)) {
            styles[col] = *cell;
            rest[col] = cell + 1;
        }
        put_row(t, out, widths, ncols, rest, styles);
    }
}
