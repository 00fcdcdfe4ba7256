/* A change of policy in words. */
#include "cli/diff.h"
#include "cli/report_priv.h"
#include "cli/table.h"

#include <string.h>

static void put_head(struct table *t, const char *const *heads)
{
    for (; *heads; heads++)
        table_styled(t, TABLE_HEAD, *heads);
}

static void put_cell(struct table *t, struct str *text, enum table_style style)
{
    table_styled(t, style, str_text(text));
    if (str_failed(text))
        t->cells.failed = true;
    str_clear(text);
}

static void put_table(struct table *t, struct str *out)
{
    if (out->len)
        str_addc(out, '\n');
    table_print(t, out);
    table_free(t);
}

static void put_object(struct str *text, enum api_kind kind, const char *ns, const char *name)
{
    str_addf(text, "%s%s%s%s%s", api_kind_name(kind), *name ? " " : "", ns, *ns ? "/" : "", name);
}

/* ---- what is written differently ---------------------------------------------------------------------------------------- */

static void put_field(struct str *text, const struct policy_change *c)
{
    const char *dot = strrchr(c->field, '.');

    if (c->area == POLICY_ADDED || c->area == POLICY_REMOVED)
        str_addf(text, "(%s)", policy_area_name(c->area));
    else if (*c->resource)
        str_addf(text, "%s of %s, flavor %s", dot ? dot + 1 : c->field, c->resource, c->flavor);
    else
        str_add(text, strncmp(c->field, "spec.", 5) != 0 ? c->field : c->field + 5);
}

static void put_changes(const struct diff_print *p, struct str *out)
{
    static const char *const heads[] = {"OBJECT", "FIELD", "BEFORE", "AFTER", NULL};
    const struct policy_diff *d = p->diff;
    struct table t;
    struct str text;

    if (!d->nchanges)
        return;
    str_init(&text, 0);
    table_init(&t, 4, p->width, p->colors);
    put_head(&t, heads);
    for (uint32_t i = 0; i < d->nchanges; i++) {
        const struct policy_change *c = &d->changes[i];
        put_object(&text, c->kind, c->ns, c->name);
        put_cell(&t, &text, TABLE_PLAIN);
        put_field(&text, c);
        put_cell(&t, &text, c->area == POLICY_REMOVED ? TABLE_WARN : TABLE_PLAIN);
        table_cell(&t, *c->from ? c->from : "-");
        table_cell(&t, *c->to ? c->to : "-");
    }
    put_table(&t, out);
    str_free(&text);
}

/* ---- what queues may do, and do ------------------------------------------------------------------------------------------- */

static void put_side(struct str *text, const char *resource, bool there, amount v)
{
    if (there)
        report_amount(text, resource, v);
    else
        str_add(text, "-");
}

static void put_amounts(struct table *t, struct str *text, const struct policy_pair *p, amount was, amount is)
{
    bool same = p->before.there == p->after.there && was == is;

    put_side(text, p->resource, p->before.there, was);
    if (!same) {
        str_add(text, " -> ");
        put_side(text, p->resource, p->after.there, is);
    }
    put_cell(t, text, same ? TABLE_PLAIN : TABLE_BUSY);
}

static void put_pairs(const struct diff_print *p, struct str *out)
{
    static const char *const heads[] = {"CLUSTERQUEUE", "FLAVOR", "RESOURCE", "QUOTA", "MAY BORROW",
                                        "MAY LEND",     "USED",   "BORROWED", "LENT",  NULL};
    const struct policy_diff *d = p->diff;
    struct table t;
    struct str text;

    if (!d->npairs)
        return;
    str_init(&text, 0);
    table_init(&t, p->ran ? 9 : 6, p->width, p->colors);
    for (int i = 0; i < (p->ran ? 9 : 6); i++)
        table_styled(&t, TABLE_HEAD, heads[i]);
    for (uint32_t i = 0; i < d->npairs; i++) {
        const struct policy_pair *x = &d->pairs[i];
        table_cell(&t, x->queue);
        table_cell(&t, x->flavor);
        table_cell(&t, x->resource);
        put_amounts(&t, &text, x, x->before.nominal, x->after.nominal);
        put_amounts(&t, &text, x, x->before.may_borrow, x->after.may_borrow);
        put_amounts(&t, &text, x, x->before.may_lend, x->after.may_lend);
        if (!p->ran)
            continue;
        put_amounts(&t, &text, x, x->before.used, x->after.used);
        put_amounts(&t, &text, x, x->before.borrowed, x->after.borrowed);
        put_amounts(&t, &text, x, x->before.lent, x->after.lent);
    }
    put_table(&t, out);
    str_free(&text);
    for (uint32_t i = 0; i < d->npairs; i++)
        if (policy_pair_loses_borrowing(&d->pairs[i]))
            str_addf(out, "%s can no longer borrow %s of flavor %s.\n", d->pairs[i].queue,
                     d->pairs[i].resource, d->pairs[i].flavor);
}

/* ---- Workloads ---------------------------------------------------------------------------------------------------------- */

static const char *move_words(enum policy_move_kind k)
{
    static const char *const words[] = {
        "is evicted", "is evicted, and starts again", "no longer starts",
        "starts",     "is no longer evicted",         "runs with another queue, flavor or number of pods"};

    return words[k];
}

static void put_moves(const struct diff_print *p, struct str *out)
{
    static const char *const heads[] = {"WORKLOAD", "CLUSTERQUEUE", "EFFECT", NULL};
    const struct policy_diff *d = p->diff;
    struct table t;
    struct str text;

    if (!d->nmoves)
        return;
    str_init(&text, 0);
    table_init(&t, 3, p->width, p->colors);
    t.spills = true;
    put_head(&t, heads);
    for (uint32_t i = 0; i < d->nmoves; i++) {
        const struct policy_move *m = &d->moves[i];
        bool bad = m->kind <= POLICY_WAITS;
        table_cell(&t, m->key);
        str_add(&text, *m->queue_before ? m->queue_before : "-");
        if (strcmp(m->queue_before, m->queue_after) != 0)
            str_addf(&text, " -> %s", *m->queue_after ? m->queue_after : "-");
        put_cell(&t, &text, TABLE_PLAIN);
        str_addf(&text, "%s%s%s", move_words(m->kind), *m->why ? ": " : "", m->why);
        put_cell(&t, &text, bad ? TABLE_WARN : TABLE_GOOD);
    }
    put_table(&t, out);
    str_free(&text);
}

/* ---- a trace ------------------------------------------------------------------------------------------------------------ */

static void put_value(struct str *out, bool is_time, double v)
{
    if (!is_time)
        str_addf(out, v == (double)(int64_t)v ? "%.0f" : "%.1f", v);
    else if (v < 120)
        str_addf(out, v < 10 && v > 0 ? "%.1fs" : "%.0fs", v);
    else if (v < 172800)
        str_addf(out, v < 7200 ? "%.1fm" : "%.1fh", v / (v < 7200 ? 60 : 3600));
    else
        str_addf(out, "%.1fd", v / 86400);
}

static void put_row(struct table *t, struct str *text, const struct diff_row *row)
{
    table_cell(t, row->name);
    for (int k = 0; k < DIFF_MEASURES; k++) {
        bool same = row->before[k] == row->after[k];
        put_value(text, diff_measures[k].is_time, row->before[k]);
        if (!same) {
            str_add(text, " -> ");
            put_value(text, diff_measures[k].is_time, row->after[k]);
        }
        put_cell(t, text, same ? TABLE_PLAIN : TABLE_BUSY);
    }
}

static void put_trace(const struct diff_print *p, struct str *out)
{
    struct table t;
    struct str text;
    struct diff_row row;

    if (!p->trace || p->trace->loop_before || p->trace->loop_after || !diff_trace_differs(p->trace))
        return;
    str_init(&text, 0);
    table_init(&t, DIFF_MEASURES + 1, p->width, p->colors);
    table_styled(&t, TABLE_HEAD, "TRACE");
    for (int k = 0; k < DIFF_MEASURES; k++)
        table_styled(&t, TABLE_HEAD, diff_measures[k].head);
    uint32_t n = diff_rows(p->trace, 0, NULL);
    for (uint32_t i = 0; i < n; i++) {
        (void)diff_rows(p->trace, i, &row);
        if (row.differs || !i)
            put_row(&t, &text, &row);
    }
    put_table(&t, out);
    str_free(&text);
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

static void put_findings(const struct diff_print *p, struct str *out)
{
    const struct policy_lint *l = &p->diff->lint;

    if (l->n && out->len)
        str_addc(out, '\n');
    for (uint32_t i = 0; i < l->n; i++)
        str_addf(out, "%s: %s%s\n", l->list[i].error ? "error" : "warning", l->list[i].text,
                 l->list[i].old ? " (as before)" : "");
    if (!p->trace || (!p->trace->loop_before && !p->trace->loop_after))
        return;
    str_add(out, out->len && !l->n ? "\n" : "");
    if (p->trace->loop_after)
        str_addf(out, "error: with the trace: %s%s\n", p->trace->loop_after,
                 p->trace->loop_before ? " (as before)" : "");
    else
        str_addf(out,
                 "With the trace, the policy before does not come to rest (%s), and the one after does.\n",
                 p->trace->loop_before);
}

static const char *const sums[POLICY_MOVES] = {"evicted",           "evicted and started again",
                                               "no longer started", "newly started",
                                               "no longer evicted", "elsewhere"};

static void put_summary(const struct diff_print *p, struct str *out)
{
    const struct policy_diff *d = p->diff;
    uint32_t counts[POLICY_MOVES] = {0};
    const char *comma = " ";

    for (uint32_t i = 0; i < d->nmoves; i++)
        counts[d->moves[i].kind]++;
    if (!d->rest_before)
        str_add(out,
                "The world before does not come to rest: what is said about Workloads is a moment of it.\n");
    str_addf(out, "%u field%s differ%s.", d->nchanges, d->nchanges == 1 ? "" : "s",
             d->nchanges == 1 ? "s" : "");
    if (p->ran) {
        str_addf(out, " %u Workload%s:", d->nworkloads, d->nworkloads == 1 ? "" : "s");
        for (int k = 0; k < POLICY_MOVES; k++)
            if (counts[k]) {
                str_addf(out, "%s%u %s", comma, counts[k], sums[k]);
                comma = ", ";
            }
        str_add(out, d->nmoves ? "." : " nothing else becomes of them.");
    }
    str_addc(out, '\n');
}

void diff_print(const struct diff_print *p, struct str *out)
{
    put_changes(p, out);
    put_pairs(p, out);
    put_moves(p, out);
    put_trace(p, out);
    put_findings(p, out);
    if (!policy_diff_any(p->diff) && !diff_trace_differs(p->trace)) {
        str_add(out, "No effect.\n");
        return;
    }
    str_addc(out, '\n');
    put_summary(p, out);
}
