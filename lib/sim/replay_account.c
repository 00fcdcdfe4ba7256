/* Sums of a replay. Each is kept up to the last change of what it depends on, so that an event costs the same with ten queues or a thousand. */
#include "sim/replay_priv.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static wide times(amount a, int64_t ns)
{
    return (wide)a * ns;
}

/* Into a series, as far as it lies in the window. */
static void follow_series(struct replay *r, struct replay_group *g, enum series_value what, when_ns from,
                          when_ns until, amount v)
{
    const struct window *w = &r->opt.window;

    if (g->series.cap)
        series_add(&g->series, what, from > w->from ? from : w->from, until < w->to ? until : w->to, v);
}

static void follow_level(struct replay *r, struct level *l)
{
    int64_t ns = window_part(r->opt.window, l->since, r->now);
    when_ns since = l->since;

    l->since = r->now;
    if (!ns)
        return;
    l->g->used += times(l->used, ns);
    follow_series(r, l->g, SERIES_USED, since, r->now, l->used);
    if (!l->waiting)
        return;
    follow_series(r, l->g, SERIES_WAITING, since, r->now, (amount)l->waiting);
    l->g->waiting_ns += ns;
    if (l->g->nominal > l->used) {
        l->g->idle_waiting += times(l->g->nominal - l->used, ns);
        follow_series(r, l->g, SERIES_IDLE, since, r->now, l->g->nominal - l->used);
    }
}

static void follow_held(struct replay *r, struct held *h)
{
    int64_t ns = window_part(r->opt.window, h->since, r->now);

    if (h->used > h->nominal) {
        h->borrowed += times(h->used - h->nominal, ns);
        follow_series(r, r->queues[h->cq].g, SERIES_BORROWED, h->since, r->now, h->used - h->nominal);
        follow_series(r, r->total.g, SERIES_BORROWED, h->since, r->now, h->used - h->nominal);
    }
    h->since = r->now;
}

enum { LEVELS = 3 };

static void levels_of(struct replay *r, const struct live *l, uint32_t cq, struct level *ret[LEVELS])
{
    ret[0] = &r->total;
    ret[1] = &r->queues[cq];
    ret[2] = &r->tenants[l->tenant];
    for (int i = 0; i < LEVELS; i++)
        follow_level(r, ret[i]);
}

static void groups_of(struct replay *r, const struct live *l, struct replay_group *ret[LEVELS + 1])
{
    ret[0] = &r->res.total;
    ret[1] = r->queues[l->home].g;
    ret[2] = r->tenants[l->tenant].g;
    ret[3] = &r->res.sizes[l->size];
}

static void wait(struct replay *r, const struct live *l, int by)
{
    struct level *levels[LEVELS];

    levels_of(r, l, l->home, levels);
    for (int i = 0; i < LEVELS; i++) {
        levels[i]->waiting = by > 0 ? levels[i]->waiting + 1 : levels[i]->waiting - 1;
        levels[i]->asked += by * l->units;
    }
    share_touch(r, l->home);
}

void account_arrived(struct replay *r, struct live *l)
{
    struct replay_group *groups[LEVELS + 1];

    r->res.arrived++;
    wait(r, l, 1);
    if (!l->measured)
        return;
    groups_of(r, l, groups);
    for (int i = 0; i <= LEVELS; i++) {
        groups[i]->jobs++;
        if (groups[i]->first_submit == WHEN_NONE)
            groups[i]->first_submit = l->submit;
    }
}

void account_waits(struct replay *r, struct live *l)
{
    wait(r, l, 1);
}

static uint32_t held_of(const struct replay *r, uint32_t cq, uint32_t fr)
{
    for (uint32_t i = r->held_at[cq]; i < r->held_at[cq + 1]; i++)
        if (r->held[i].fr == fr)
            return i;
    return NONE;
}

static void hold(struct replay *r, const struct live *l, amount units)
{
    struct level *levels[LEVELS];
    struct held *h = &r->held[l->held];

    levels_of(r, l, h->cq, levels);
    for (int i = 0; i < LEVELS; i++)
        levels[i]->used += units;
    follow_held(r, h);
    h->used += units;
    share_touch(r, h->cq);
}

static void first_start(struct replay *r, struct live *l)
{
    struct replay_group *groups[LEVELS + 1];
    int64_t ns = r->now - l->submit;

    l->started = true;
    if (!l->measured)
        return;
    groups_of(r, l, groups);
    for (int i = 0; i <= LEVELS; i++) {
        groups[i]->started++;
        groups[i]->over_minute += ns > 60 * NS_PER_S;
        tally_add(&groups[i]->wait, ns);
    }
}

void account_admitted(struct replay *r, struct live *l, uint32_t cq, uint32_t fr)
{
    r->res.admissions++;
    wait(r, l, -1);
    l->held = held_of(r, cq, fr);
    hold(r, l, l->units);
    if (!l->started)
        first_start(r, l);
    if (l->need != WHEN_NONE) {
        if (r->now >= r->opt.window.from && l->need < r->opt.window.to) {
            tally_add(&r->queues[l->home].g->reclaim, r->now - l->need);
            tally_add(&r->res.total.reclaim, r->now - l->need);
        }
        l->need = WHEN_NONE;
    }
}

void account_let_go(struct replay *r, struct live *l)
{
    wide sum = times(l->units, window_part(r->opt.window, l->since, r->now));

    hold(r, l, -l->units);
    r->res.total.job_used += sum;
    r->queues[r->held[l->held].cq].g->job_used += sum;
    r->tenants[l->tenant].g->job_used += sum;
    r->res.sizes[l->size].job_used += sum;
}

void account_evicted(struct replay *r, struct live *l, int64_t lost_ns, bool timed_out)
{
    struct replay_group *groups[LEVELS + 1];

    r->res.evictions += !timed_out;
    if (!replay_in_window(r, r->now))
        return;
    groups_of(r, l, groups);
    for (int i = 0; i <= LEVELS; i++) {
        groups[i]->evictions += !timed_out;
        groups[i]->timeouts += timed_out;
        groups[i]->lost += times(l->units, lost_ns);
    }
}

void account_left(struct replay *r)
{
    r->res.left++;
}

void account_finished(struct replay *r, struct live *l)
{
    struct replay_group *groups[LEVELS + 1];

    r->res.ended++;
    if (!l->measured)
        return;
    groups_of(r, l, groups);
    for (int i = 0; i <= LEVELS; i++) {
        groups[i]->finished++;
        groups[i]->last_finish = r->now;
        tally_add(&groups[i]->late, r->now - l->submit - l->run_ns);
    }
}

/* It waits although it fits into what its own queue does not use of its own quota: others have it. */
void account_need(struct replay *r, struct live *l, const struct decision *d)
{
    bool due = false;

    for (uint32_t i = r->held_at[d->cq]; i < r->held_at[d->cq + 1] && !due; i++)
        due = r->held[i].used + l->units <= r->held[i].nominal;
    if (due && l->need == WHEN_NONE)
        l->need = r->now;
    else if (!due)
        l->need = WHEN_NONE;
}

/* ---- loans -------------------------------------------------------------------------------------------------------------- */

static void follow_lent(struct replay *r, const struct loan *loan, when_ns until)
{
    uint32_t cq = loan->lender.kind == LOAN_CLUSTER_QUEUE
                      ? world_cq_find(r->w, names_text(world_names(r->w), loan->lender.name))
                      : NONE;

    if (cq < r->nqueues)
        follow_series(r, r->queues[cq].g, SERIES_LENT, loan->began, until, loan->amount);
    if (loan->lender.kind != LOAN_OVERDRAFT)
        follow_series(r, r->total.g, SERIES_LENT, loan->began, until, loan->amount);
}

static uint32_t *loan_place(const struct replay *r, uint32_t borrower, struct loan_lender lender)
{
    uint64_t h = (((uint64_t)borrower << 32 | lender.name) + lender.kind) * UINT64_C(0x9e3779b97f4a7c15);

    for (uint32_t i = (uint32_t)(h >> 32);; i++) {
        uint32_t *at = &r->loan_at[i & (r->nloan_at - 1)];
        const struct loan_sum *s = *at ? &r->loans[*at - 1] : NULL;
        if (!s || (s->borrower == borrower && s->lender.kind == lender.kind && s->lender.name == lender.name))
            return at;
    }
}

static int grow_loans(struct replay *r)
{
    uint32_t n = r->nloan_at ? 2 * r->nloan_at : 64, *old = r->loan_at;

    if (mem_grow((void **)&r->loans, &r->cap_loans, r->nloans + 1, sizeof(*r->loans)))
        return ERR_NOMEM;
    if (2 * (r->nloans + 1) <= r->nloan_at)
        return 0;
    uint32_t *at = mem_zalloc(n, sizeof(*at));
    if (!at)
        return ERR_NOMEM;
    r->loan_at = at;
    r->nloan_at = n;
    for (uint32_t i = 0; i < r->nloans; i++)
        *loan_place(r, r->loans[i].borrower, r->loans[i].lender) = i + 1;
    mem_free(old);
    return 0;
}

static int find_loan(struct replay *r, const struct loan *loan, struct loan_sum **ret, struct err *err)
{
    if (grow_loans(r))
        return err_set(err, ERR_NOMEM, "out of memory for the loans");
    uint32_t *at = loan_place(r, loan->borrower, loan->lender);
    if (!*at) {
        r->loans[r->nloans++] = (struct loan_sum){loan->borrower, loan->lender, 0};
        *at = r->nloans;
    }
    *ret = &r->loans[*at - 1];
    return 0;
}

static int add_loan(struct replay *r, const struct loan *loan, when_ns until, struct err *err)
{
    wide sum = times(loan->amount, window_part(r->opt.window, loan->began, until));
    struct loan_sum *s = NULL;

    if (!sum || strcmp(world_pair(r->w, loan->fr).resource, names_text(world_names(r->w), r->gpu)) != 0)
        return 0;
    int rc = find_loan(r, loan, &s, err);
    if (rc)
        return rc;
    s->amount += sum;
    if (r->opt.bins)
        follow_lent(r, loan, until);
    return 0;
}

int account_loans(struct replay *r, bool all, struct err *err)
{
    struct loans *loans = (struct loans *)(uintptr_t)world_loans(r->w);
    const struct loan_filter every = {.fr = LOANS_ANY, .borrower = LOANS_ANY};
    const struct loan *const *open;
    uint32_t n;
    const struct loan_event *events = loans_events(loans, &n);
    int rc = 0;

    for (uint32_t i = 0; i < n && !rc; i++)
        if (events[i].end != LOAN_OPEN)
            rc = add_loan(r, &events[i].loan, events[i].ended, err);
    if (n && r->loans_seen)
        r->loans_seen(r->loans_seen_arg, events, n);
    loans_clear_events(loans);
    if (rc || !all)
        return rc;
    rc = loans_list(loans, &every, &open, &n, err);
    for (uint32_t i = 0; i < n && !rc; i++)
        rc = add_loan(r, &open[i][0], r->now, err);
    return rc;
}

static const struct names *sort_names; /* of the comparison that runs */

static int compare_loans(const void *a, const void *b)
{
    const struct loan_sum *x = a, *y = b;
    int c = strcmp(names_text(sort_names, x->borrower), names_text(sort_names, y->borrower));

    return c ? c : loan_lender_compare(sort_names, x->lender, y->lender);
}

static void share_loan(struct replay *r, const struct loan_sum *s)
{
    uint32_t lender = s->lender.kind == LOAN_CLUSTER_QUEUE
                          ? world_cq_find(r->w, names_text(world_names(r->w), s->lender.name))
                          : NONE,
             borrower = world_cq_find(r->w, names_text(world_names(r->w), s->borrower));

    if (s->lender.kind == LOAN_OVERDRAFT)
        r->res.total.overdraft += s->amount;
    else
        r->res.total.lent += s->amount;
    if (s->lender.kind == LOAN_OVERDRAFT && borrower < r->nqueues)
        r->queues[borrower].g->overdraft += s->amount;
    if (lender < r->nqueues)
        r->queues[lender].g->lent += s->amount;
}

static int list_loans(struct replay *r, struct err *err)
{
    const struct names *names = world_names(r->w);

    sort_names = names;
    if (r->nloans)
        qsort(r->loans, r->nloans, sizeof(*r->loans), compare_loans);
    r->res.loans = mem_zalloc(r->nloans + 1, sizeof(*r->res.loans));
    if (!r->res.loans)
        return err_set(err, ERR_NOMEM, "out of memory for the loans");
    for (uint32_t i = 0; i < r->nloans; i++) {
        const struct loan_sum *s = &r->loans[i];
        share_loan(r, s);
        r->res.loans[r->res.nloans++] = (struct replay_loan){
            s->lender.kind, names_text(names, s->lender.name), names_text(names, s->borrower), s->amount};
    }
    return 0;
}

static void follow_all(struct replay *r)
{
    follow_level(r, &r->total);
    for (uint32_t i = 0; i < r->nqueues; i++)
        follow_level(r, &r->queues[i]);
    for (uint32_t i = 0; i < r->ntenants; i++)
        follow_level(r, &r->tenants[i]);
    for (uint32_t i = 0; i < r->nheld; i++) {
        struct held *h = &r->held[i];
        follow_held(r, h);
        r->queues[h->cq].g->borrowed += h->borrowed;
        r->res.total.borrowed += h->borrowed;
        r->res.borrowed_by_use += h->borrowed;
        h->borrowed = 0;
    }
}

/* Jobs that hold quota still are let go of in the sums alone. */
static void close_running(struct replay *r)
{
    for (uint32_t i = 0; i < r->nheap; i++) {
        const struct live *l = r->heap[i];
        if (l->held == NONE)
            continue;
        r->res.running++;
        wide sum = times(l->units, window_part(r->opt.window, l->since, r->now));
        r->res.total.job_used += sum;
        r->queues[r->held[l->held].cq].g->job_used += sum;
        r->tenants[l->tenant].g->job_used += sum;
        r->res.sizes[l->size].job_used += sum;
    }
}

int account_open(struct replay *r, struct err *err)
{
    when_ns from = r->opt.window.from > r->res.began ? r->opt.window.from : r->res.began;

    if (!r->opt.bins)
        return 0;
    for (uint32_t i = 0; i <= r->nqueues; i++)
        if (series_open(i < r->nqueues ? &r->res.queues[i].series : &r->res.total.series, r->opt.bins, from))
            return err_set(err, ERR_NOMEM, "out of memory for what happens over time");
    return 0;
}

/* The same bins for all. */
static void close_series(struct replay *r)
{
    int64_t step = r->res.total.series.step_ns;

    for (uint32_t i = 0; i < r->nqueues; i++)
        step = r->res.queues[i].series.step_ns > step ? r->res.queues[i].series.step_ns : step;
    for (uint32_t i = 0; i < r->nqueues; i++)
        series_widen(&r->res.queues[i].series, step);
    series_widen(&r->res.total.series, step);
}

int account_close(struct replay *r, struct err *err)
{
    int rc = account_loans(r, true, err);

    if (rc)
        return rc;
    follow_all(r);
    share_close(r);
    close_running(r);
    if (r->opt.bins)
        close_series(r);
    for (uint32_t i = 0; i < REPLAY_SIZES; i++) /* what sizes use is known by job only */
        r->res.sizes[i].used = r->res.sizes[i].job_used;
    r->res.waiting = r->total.waiting;
    r->res.ended_at = r->now;
    return list_loans(r, err);
}

/* ---- laws --------------------------------------------------------------------------------------------------------------- */

static int broken(const char *law, const struct replay_group *g, struct err *err)
{
    return err_set(err, ERR_STATE, "%s does not hold for \"%s\"", law, g->name ? g->name : "all");
}

static int check_group(const struct replay_group *g, struct err *err)
{
    if (g->used != g->job_used)
        return broken("GPU-hours used = sum over jobs", g, err);
    if (g->started > g->jobs || g->finished > g->started || g->wait.n != g->started ||
        g->late.n != g->finished)
        return broken("no job lost", g, err);
    if (g->idle_waiting < 0 || g->wait.sum_ns < 0 || g->late.sum_ns < 0)
        return broken("waits are never negative", g, err);
    return 0;
}

/* Queues are asked for in order of their names, and so lie the loans: *at goes over them once. */
static int check_queue(const struct replay_result *res, const struct replay_group *g, uint32_t *at,
                       struct err *err)
{
    wide sum = 0;

    for (; *at < res->nloans && strcmp(res->loans[*at].borrower, g->name) <= 0; ++*at)
        if (!strcmp(res->loans[*at].borrower, g->name))
            sum += res->loans[*at].amount;
    if (g->series.cap &&
        (series_sum(&g->series, SERIES_USED) != g->used || series_sum(&g->series, SERIES_LENT) != g->lent ||
         series_sum(&g->series, SERIES_BORROWED) != g->borrowed))
        return broken("what happens over time adds up", g, err);
    return sum == g->borrowed ? check_group(g, err) : broken("borrowed = lent + overdraft", g, err);
}

int replay_check(const struct replay *r, struct err *err)
{
    const struct replay_result *res = &r->res;
    wide queues = 0, tenants = 0, sizes = 0;
    uint32_t at = 0;
    int rc = check_group(&res->total, err);

    if (!rc && res->total.borrowed != res->total.lent + res->total.overdraft)
        rc = broken("borrowed = lent + overdraft", &res->total, err);
    if (!rc && res->arrived != res->ended + res->waiting + res->running + res->left)
        rc = broken("no job lost", &res->total, err);
    for (uint32_t i = 0; i < res->nqueues && !rc; i++) {
        rc = check_queue(res, &res->queues[i], &at, err);
        queues += res->queues[i].used;
    }
    for (uint32_t i = 0; i < res->ntenants && !rc; i++) {
        rc = check_group(&res->tenants[i], err);
        tenants += res->tenants[i].used;
    }
    for (uint32_t i = 0; i < REPLAY_SIZES && !rc; i++) {
        rc = check_group(&res->sizes[i], err);
        sizes += res->sizes[i].used;
    }
    if (!rc && (queues != res->total.used || tenants != res->total.used || sizes != res->total.used))
        rc = broken("GPU-hours used = sum over queues, tenants and sizes", &res->total, err);
    return rc;
}
