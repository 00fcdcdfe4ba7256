/* Who owes whom. */
#include "cli/history.h"

#include "cli/table.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Lenders that have a column of their own; the others share one. */
enum { LENDERS_MAX = TABLE_COLUMNS_MAX - 3 };

struct party {
    char *name; /* owned */
    wide lent, borrowed;
};

struct matrix {
    const struct history_print *p;
    const char *resource;
    struct party *parties; /* owned; by name */
    uint32_t n, cap;
    uint32_t lenders[LENDERS_MAX], nlenders; /* the largest */
    bool failed;
};

static struct party *find_party(struct matrix *m, const char *name)
{
    for (uint32_t i = 0; i < m->n; i++)
        if (!strcmp(m->parties[i].name, name))
            return &m->parties[i];
    return NULL;
}

static struct party *party_of(struct matrix *m, const char *name)
{
    struct party *found = find_party(m, name);
    char *copy = found ? NULL : mem_strdup(name);

    if (found)
        return found;
    if (!copy || mem_grow((void **)&m->parties, &m->cap, m->n + 1, sizeof(*m->parties))) {
        mem_free(copy);
        m->failed = true;
        return NULL;
    }
    m->parties[m->n] = (struct party){.name = copy};
    return &m->parties[m->n++];
}

static struct party *lender_of(struct matrix *m, const struct history_row *r, bool add)
{
    struct str text;

    str_init(&text, 0);
    history_put_lender(&text, r);
    struct party *p = add ? party_of(m, str_text(&text)) : find_party(m, str_text(&text));
    str_free(&text);
    return p;
}

static bool of_this(const struct matrix *m, const struct history_row *r)
{
    return !strcmp(r->resource, m->resource);
}

static int compare_parties(const void *a, const void *b)
{
    return strcmp(((const struct party *)a)->name, ((const struct party *)b)->name);
}

static void add_up(struct matrix *m)
{
    for (uint32_t i = 0; i < m->p->n; i++) {
        const struct history_row *r = &m->p->rows[i];
        struct party *lender = of_this(m, r) ? lender_of(m, r, true) : NULL;
        if (lender)
            lender->lent += r->sum;
        struct party *borrower = of_this(m, r) ? party_of(m, r->queue) : NULL;
        if (borrower)
            borrower->borrowed += r->sum;
    }
    if (m->n)
        qsort(m->parties, m->n, sizeof(*m->parties), compare_parties);
}

/* The largest lenders, in order of names. */
static void choose_lenders(struct matrix *m)
{
    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t larger = 0;
        for (uint32_t k = 0; k < m->n; k++)
            larger += m->parties[k].lent > m->parties[i].lent ||
                      (m->parties[k].lent == m->parties[i].lent && k < i);
        if (m->parties[i].lent && larger < LENDERS_MAX)
            m->lenders[m->nlenders++] = i;
    }
}

/* What `borrower` ran on quota of a lender; lender NULL = of those without a column. */
static wide lent_by(struct matrix *m, const struct party *lender, const char *borrower)
{
    wide sum = 0;

    for (uint32_t i = 0; i < m->p->n; i++) {
        const struct history_row *r = &m->p->rows[i];
        if (!of_this(m, r) || strcmp(r->queue, borrower) != 0)
            continue;
        const struct party *by = lender_of(m, r, false);
        bool shown = false;
        for (uint32_t k = 0; k < m->nlenders && !lender; k++)
            shown |= by == &m->parties[m->lenders[k]];
        if (lender ? by == lender : !shown)
            sum += r->sum;
    }
    return sum;
}

static void number_cell(const struct matrix *m, struct table *t, wide v)
{
    struct str text;

    str_init(&text, 0);
    if (v)
        history_put_number(&text, history_hours(v, m->resource));
    table_cell(t, str_text(&text));
    str_free(&text);
}

static void clean_cell(struct table *t, enum table_style style, const char *name)
{
    struct str text;

    str_init(&text, 0);
    history_put_clean(&text, name);
    table_styled(t, style, str_text(&text));
    str_free(&text);
}

static bool others_lend(const struct matrix *m)
{
    uint32_t lending = 0;

    for (uint32_t i = 0; i < m->n; i++)
        lending += m->parties[i].lent != 0;
    return lending > m->nlenders;
}

static void print_loans(struct matrix *m, struct str *out)
{
    bool others = others_lend(m);
    struct table t;

    table_init(&t, m->nlenders + 2 + others, m->p->width, m->p->colors);
    table_styled(&t, TABLE_HEAD, "BORROWER");
    for (uint32_t k = 0; k < m->nlenders; k++)
        clean_cell(&t, TABLE_HEAD, m->parties[m->lenders[k]].name);
    if (others)
        table_styled(&t, TABLE_HEAD, "others");
    table_styled(&t, TABLE_HEAD, "TOTAL");
    for (uint32_t k = 1; k < t.ncols; k++)
        t.right[k] = true;
    for (uint32_t i = 0; i < m->n; i++) {
        const struct party *b = &m->parties[i];
        if (!b->borrowed)
            continue;
        clean_cell(&t, TABLE_PLAIN, b->name);
        for (uint32_t k = 0; k < m->nlenders; k++)
            number_cell(m, &t, lent_by(m, &m->parties[m->lenders[k]], b->name));
        if (others)
            number_cell(m, &t, lent_by(m, NULL, b->name));
        number_cell(m, &t, b->borrowed);
    }
    table_print(&t, out);
    table_free(&t);
}

/* What each gave less what it took: who owes (below zero), and who is owed. */
static void print_balance(struct matrix *m, struct str *out)
{
    static const char *const heads[] = {"", "LENT", "BORROWED", "BALANCE"};
    struct table t;

    table_init(&t, 4, m->p->width, m->p->colors);
    for (int i = 0; i < 4; i++) {
        t.right[i] = i > 0;
        table_styled(&t, TABLE_HEAD, heads[i]);
    }
    for (uint32_t i = 0; i < m->n; i++) {
        const struct party *p = &m->parties[i];
        clean_cell(&t, TABLE_PLAIN, p->name);
        number_cell(m, &t, p->lent);
        number_cell(m, &t, p->borrowed);
        struct str text;
        str_init(&text, 0);
        if (p->lent > p->borrowed)
            str_addc(&text, '+');
        history_put_number(&text, history_hours(p->lent - p->borrowed, m->resource));
        table_styled(&t, p->lent >= p->borrowed ? TABLE_GOOD : TABLE_WARN, str_text(&text));
        str_free(&text);
    }
    table_print(&t, out);
    table_free(&t);
}

static void print_resource(const struct history_print *p, const char *resource, struct str *out)
{
    struct matrix m = {.p = p, .resource = resource};
    const char *unit;

    add_up(&m);
    choose_lenders(&m);
    (void)history_unit(resource, &unit);
    str_add(out, "\nWho ran on whose quota, in hours of ");
    history_put_clean(out, resource);
    str_addf(out, "%s%s\n\n", *unit ? ", by " : "", unit);
    print_loans(&m, out);
    str_addc(out, '\n');
    print_balance(&m, out);
    out->failed = out->failed || m.failed;
    for (uint32_t i = 0; i < m.n; i++)
        mem_free(m.parties[i].name);
    mem_free(m.parties);
}

void history_print_matrix(const struct history_print *p, struct str *out)
{
    for (uint32_t i = 0; i < p->n; i++) {
        bool done = false;
        for (uint32_t k = 0; k < i && !done; k++)
            done = !strcmp(p->rows[k].resource, p->rows[i].resource);
        if (!done)
            print_resource(p, p->rows[i].resource, out);
    }
}
