/* Who borrows from whom: as a matrix and as a flow. */
#include "cli/replay_html.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A borrower or a lender of a run, and what it stands for. */
struct party {
    const struct replay_loan *loan; /* one of its loans: names it; NULL = all others */
    wide sum;
};

struct parties {
    struct party at[PAGE_PARTIES_MAX + 1];
    uint32_t n;
};

static bool is_party(const struct party *p, const struct replay_loan *l, bool lenders)
{
    if (!p->loan)
        return true;
    return lenders ? p->loan->kind == l->kind && !strcmp(p->loan->lender, l->lender)
                   : !strcmp(p->loan->borrower, l->borrower);
}

static uint32_t place_of(const struct parties *s, const struct replay_loan *l, bool lenders)
{
    uint32_t i = 0;

    while (i + 1 < s->n && !is_party(&s->at[i], l, lenders))
        i++;
    return i;
}

static int compare_lenders(const void *a, const void *b)
{
    const struct replay_loan *x = *(const struct replay_loan *const *)a,
                             *y = *(const struct replay_loan *const *)b;

    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->lender, y->lender);
}

/* One more party among the largest; who does not reach is part of the rest. */
static void add_party(struct parties *s, struct party p, wide *rest)
{
    uint32_t i = s->n;

    for (; i && s->at[i - 1].sum < p.sum; i--)
        if (i < PAGE_PARTIES_MAX)
            s->at[i] = s->at[i - 1];
        else
            *rest += s->at[i - 1].sum;
    if (i < PAGE_PARTIES_MAX)
        s->at[i] = p;
    else
        *rest += p.sum;
    s->n += s->n < PAGE_PARTIES_MAX;
}

/* `loans`: those of a party stand together. The largest party first. */
static void find_parties(const struct replay_loan *const *loans, uint32_t n, bool lenders,
                         struct parties *ret)
{
    struct party p = {NULL, 0};
    wide rest = 0;

    ret->n = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (k && !is_party(&p, loans[k], lenders)) {
            add_party(ret, p, &rest);
            p.sum = 0;
        }
        p.loan = loans[k];
        p.sum += loans[k]->amount;
    }
    add_party(ret, p, &rest);
    if (rest)
        ret->at[ret->n++] = (struct party){NULL, rest};
}

struct loans_page {
    struct parties lenders, borrowers;
    wide sum[PAGE_PARTIES_MAX + 1][PAGE_PARTIES_MAX + 1]; /* borrower, lender */
    wide most, all;
};

static int fill(const struct replay_result *r, struct loans_page *s)
{
    const struct replay_loan **loans = mem_zalloc(r->nloans, sizeof(const struct replay_loan *));

    *s = (struct loans_page){.most = 0};
    if (!loans)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < r->nloans; i++)
        loans[i] = &r->loans[i];
    find_parties(loans, r->nloans, false, &s->borrowers);
    qsort(loans, r->nloans, sizeof(const struct replay_loan *), compare_lenders);
    find_parties(loans, r->nloans, true, &s->lenders);
    mem_free(loans);
    for (uint32_t i = 0; i < r->nloans; i++) {
        const struct replay_loan *l = &r->loans[i];
        wide *to = &s->sum[place_of(&s->borrowers, l, false)][place_of(&s->lenders, l, true)];
        *to += l->amount;
        s->all += l->amount;
        s->most = *to > s->most ? *to : s->most;
    }
    return 0;
}

static void put_party(struct str *out, const struct party *p, bool lender)
{
    if (!p->loan)
        str_add(out, "all others");
    else if (lender)
        page_lender(out, p->loan);
    else
        html_name(out, p->loan->borrower);
}

static void put_matrix(struct page *g, const struct loans_page *s)
{
    struct str *out = g->out;

    str_add(out,
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Loans in GPU-hours\">\n<table "
            "class=\"matrix\">\n<caption>GPU-hours; a row borrows, a column lends</caption>\n<thead><tr><th "
            "scope=\"col\">borrows ↓ from →</th>");
    for (uint32_t k = 0; k < s->lenders.n; k++) {
        str_add(out, "<th scope=\"col\">");
        put_party(out, &s->lenders.at[k], true);
        str_add(out, "</th>");
    }
    str_add(out, "<th scope=\"col\">all</th></tr></thead>\n<tbody>\n");
    for (uint32_t i = 0; i < s->borrowers.n; i++) {
        str_add(out, "<tr><th scope=\"row\">");
        put_party(out, &s->borrowers.at[i], false);
        str_add(out, "</th>");
        for (uint32_t k = 0; k < s->lenders.n; k++) {
            wide v = s->sum[i][k];
            if (!v || !s->most) {
                str_add(out, "<td></td>");
                continue;
            }
            str_addf(out, "<td class=\"heat%d\">", (int)(1 + v * 8 / s->most));
            html_number(out, replay_hours(v, g->p), 1);
            str_add(out, "</td>");
        }
        str_add(out, "<td class=\"sum\">");
        html_number(out, replay_hours(s->borrowers.at[i].sum, g->p), 1);
        str_add(out, "</td></tr>\n");
    }
    str_add(out, "</tbody>\n<tfoot><tr><th scope=\"row\">all</th>");
    for (uint32_t k = 0; k < s->lenders.n; k++) {
        str_add(out, "<td class=\"sum\">");
        html_number(out, replay_hours(s->lenders.at[k].sum, g->p), 1);
        str_add(out, "</td>");
    }
    str_add(out, "<td class=\"sum\">");
    html_number(out, replay_hours(s->all, g->p), 1);
    str_add(out, "</td></tr></tfoot>\n</table>\n</div>\n");
}

/* ---- flow --------------------------------------------------------------------------------------------------------------- */

enum {
    FLOW_TOP = 22,
    FLOW_HEIGHT = 260,
    FLOW_ROW = 15,
    FLOW_GAP = 4,
    FLOW_LEFT = 170,
    FLOW_RIGHT = 590,
    FLOW_BAR = 12,
    NAME_MAX = 24
};

/* Heights in proportion; each party has room for its name. */
struct flow_side {
    double y[PAGE_PARTIES_MAX + 1], h[PAGE_PARTIES_MAX + 1], done[PAGE_PARTIES_MAX + 1], end;
};

static void lay_out(const struct parties *s, wide all, struct flow_side *ret)
{
    double y = FLOW_TOP;

    for (uint32_t i = 0; i < s->n; i++) {
        double h = FLOW_HEIGHT * (double)s->at[i].sum / (double)all, room = h < FLOW_ROW ? FLOW_ROW : h;
        ret->h[i] = h;
        ret->y[i] = y + (room - h) / 2;
        ret->done[i] = 0;
        y += room + FLOW_GAP;
    }
    ret->end = y;
}

static void put_flow_name(struct str *out, const struct party *p, bool lender)
{
    if (!p->loan)
        str_add(out, "all others");
    else if (lender && p->loan->kind == LOAN_OVERDRAFT)
        str_add(out, "nobody");
    else if (lender && p->loan->kind == LOAN_UNLIMITED)
        str_add(out, "unlimited");
    else
        html_short(out, lender ? p->loan->lender : p->loan->borrower, NAME_MAX);
}

static void put_bars(struct page *g, const struct parties *s, const struct flow_side *side, bool lender)
{
    int x = lender ? FLOW_LEFT : FLOW_RIGHT;

    for (uint32_t i = 0; i < s->n; i++) {
        str_addf(g->out,
                 "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/><text class=\"%s\" "
                 "x=\"%d\" y=\"%.1f\">",
                 lender ? "lent" : "borrowed", x, side->y[i], FLOW_BAR, side->h[i] < 1 ? 1 : side->h[i],
                 lender ? "end" : "", lender ? x - 6 : x + FLOW_BAR + 6, side->y[i] + side->h[i] / 2 + 4);
        put_flow_name(g->out, &s->at[i], lender);
        str_add(g->out, "</text>\n");
    }
}

static void put_ribbon(struct page *g, const struct loans_page *s, uint32_t i, uint32_t k,
                       struct flow_side *from, struct flow_side *to)
{
    struct str *out = g->out;
    double part = (double)s->sum[i][k] / (double)s->all;
    double h1 = from->h[k] * ((double)s->sum[i][k] / (double)s->lenders.at[k].sum),
           h2 = to->h[i] * ((double)s->sum[i][k] / (double)s->borrowers.at[i].sum);
    double a = from->y[k] + from->done[k], b = to->y[i] + to->done[i];
    int x1 = FLOW_LEFT + FLOW_BAR, x2 = FLOW_RIGHT, mid = (x1 + x2) / 2;

    from->done[k] += h1;
    to->done[i] += h2;
    if (part < 0.0005) /* thinner than a hair; the matrix has it */
        return;
    str_addf(
        out,
        "<path class=\"ribbon\" d=\"M%d %.1fC%d %.1f %d %.1f %d %.1fV%.1fC%d %.1f %d %.1f %d %.1fZ\"><title>",
        x1, a, mid, a, mid, b, x2, b, b + h2, mid, b + h2, mid, a + h1, x1, a + h1);
    html_number(out, replay_hours(s->sum[i][k], g->p), 1);
    str_add(out, " GPU-hours from ");
    put_flow_name(out, &s->lenders.at[k], true);
    str_add(out, " to ");
    put_flow_name(out, &s->borrowers.at[i], false);
    str_add(out, "</title></path>\n");
}

static void put_flow(struct page *g, const struct loans_page *s)
{
    struct flow_side from, to;

    lay_out(&s->lenders, s->all, &from);
    lay_out(&s->borrowers, s->all, &to);
    str_addf(
        g->out,
        "<svg class=\"flow\" viewBox=\"0 0 760 %d\" role=\"img\" aria-label=\"Flow of GPU-hours from "
        "lenders on the left to borrowers on the right; the table has the numbers\">\n<text class=\"end\" "
        "x=\"%d\" y=\"12\">lends</text><text x=\"%d\" y=\"12\">borrows</text>\n",
        (int)(from.end > to.end ? from.end : to.end), FLOW_LEFT + FLOW_BAR, FLOW_RIGHT);
    for (uint32_t i = 0; i < s->borrowers.n; i++)
        for (uint32_t k = 0; k < s->lenders.n; k++)
            if (s->sum[i][k])
                put_ribbon(g, s, i, k, &from, &to);
    put_bars(g, &s->lenders, &from, true);
    put_bars(g, &s->borrowers, &to, false);
    str_add(g->out, "</svg>\n");
}

int page_loans(struct page *g)
{
    struct loans_page s;

    str_add(g->out, "<section id=\"loans\">\n<h2>Who borrows from whom</h2>\n");
    for (uint32_t i = 0; i < g->p->nruns; i++) {
        const struct replay_result *r = g->p->runs[i].result;
        str_add(g->out, "<h3>");
        page_run(g, i);
        str_add(g->out, "</h3>\n");
        if (!r->nloans) {
            str_add(g->out, "<p>Nobody borrows.</p>\n");
            continue;
        }
        if (fill(r, &s))
            return ERR_NOMEM;
        put_flow(g, &s);
        put_matrix(g, &s);
    }
    str_add(g->out, "</section>\n");
    return 0;
}
