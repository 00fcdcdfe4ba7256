/* Random worlds are simulated with a ledger, which is torn away and opened again in between; in the end its sums are those of the world.
 *
 * ledger-worlds --seeds N [--seed S]
 *
 * For each ClusterQueue, flavor and resource, from the beginning to the end:
 *  - use in the ledger = the integral of what the quota tree counts = the sum over the Workloads' own conditions;
 *  - what is borrowed in the ledger = the integral of use above the nominal quota;
 *  - intervals of one Workload and pair do not overlap. */
#include "base/mem.h"
#include "cli/keep.h"
#include "core/loans.h"
#include "core/tree.h"
#include "ledger/history.h"
#include "random/dice.h"
#include "random/plan.h"
#include "sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CELLS_MAX = PLAN_CQS * PLAN_FLAVORS * PLAN_RESOURCES * 2,
    CYCLES_AT_ONCE = 300,
    CYCLES = 3000 /* some worlds evict each other for ever, a little later each time */
};

/* What one ClusterQueue used of one pair. */
struct cell_sum {
    const char *queue, *flavor, *resource;
    wide used, above, held; /* by the tree; by the tree, above nominal; by conditions */
};

/* A Workload that held quota when it was last looked at. */
struct holder {
    bool holds;
    when_ns since;
    const char *queue;
    uint32_t n;
    struct sim_share shares[PLAN_POD_SETS * PLAN_RESOURCES];
};

struct run {
    struct sim *sim;
    struct keep keep;
    char path[64];
    struct cell_sum cells[CELLS_MAX];
    uint32_t ncells;
    struct holder *holders;
    when_ns began, before;
    uint64_t crashes;
    const char *why;
};

/* ---- what is so --------------------------------------------------------------------------------------------------------- */

static struct cell_sum *cell_of(struct run *r, const char *queue, const char *flavor, const char *resource)
{
    for (uint32_t i = 0; i < r->ncells; i++)
        if (!strcmp(r->cells[i].queue, queue) && !strcmp(r->cells[i].flavor, flavor) &&
            !strcmp(r->cells[i].resource, resource))
            return &r->cells[i];
    if (r->ncells == CELLS_MAX) {
        r->why = "too many cells";
        return &r->cells[0];
    }
    r->cells[r->ncells] = (struct cell_sum){.queue = queue, .flavor = flavor, .resource = resource};
    return &r->cells[r->ncells++];
}

/* The time since the last look, with what the tree counted all along: it does not change between event times. */
static void integrate(struct run *r, when_ns now)
{
    const struct world *w = sim_world(r->sim);
    const struct tree *t;
    int64_t ns = now - r->before;

    for (uint32_t i = 0; ns > 0 && (t = world_tree(w, i)); i++)
        for (uint32_t node = 0; node < t->nnodes; node++)
            for (uint32_t col = 0; col < t->ncols && t->nodes[node].cq != TREE_NONE; col++) {
                const struct cell *c = tree_cell(t, node, col);
                struct pair_names p = world_pair(w, t->fr[col]);
                if (!c->usage)
                    continue;
                struct cell_sum *s =
                    cell_of(r, names_text(world_names(w), t->nodes[node].name), p.flavor, p.resource);
                amount above = amount_sub(c->usage, c->nominal);
                s->used += (wide)c->usage * ns;
                if (above > 0 && c->nominal != AMOUNT_UNLIMITED)
                    s->above += (wide)above * ns;
            }
    r->before = now;
}

static void end_holding(struct run *r, const struct holder *h, when_ns at)
{
    when_ns from = h->since < r->began ? r->began : h->since;

    for (uint32_t i = 0; i < h->n && at > from; i++)
        cell_of(r, h->queue, h->shares[i].flavor, h->shares[i].resource)->held +=
            (wide)h->shares[i].amount * (at - from);
}

static void begin_holding(struct holder *h, const struct sim_wl *sw, when_ns since)
{
    *h = (struct holder){.holds = true, .since = since, .queue = sw->admission->cluster_queue};
    for (uint32_t i = 0; i < sw->admission->npod_sets; i++)
        for (uint32_t k = 0; k < sw->admission->pod_sets[i].nshares; k++)
            if (*sw->admission->pod_sets[i].shares[k].flavor)
                h->shares[h->n++] = sw->admission->pod_sets[i].shares[k];
}

/* Conditions as an auditor would read them. The queue's name lives with the world. */
static void look_at_conditions(struct run *r, when_ns now)
{
    const struct names *names = world_names(sim_world(r->sim));

    for (uint32_t i = 0; i < sim_count(r->sim); i++) {
        const struct sim_wl *sw = sim_at(r->sim, i);
        struct holder *h = &r->holders[i];
        const struct cond *reserved = &sw->status.cond[COND_QUOTA_RESERVED];
        bool holds = sw->wl && sw->admission && reserved->status == STATUS_TRUE &&
                     sw->status.cond[COND_FINISHED].status != STATUS_TRUE;
        if (h->holds && (!holds || reserved->since != h->since))
            end_holding(r, h, now);
        if (holds && (!h->holds || reserved->since != h->since)) {
            begin_holding(h, sw, reserved->since);
            h->queue = names_text(names, names_find(names, h->queue));
        }
        h->holds = holds;
    }
}

/* ---- crashes ------------------------------------------------------------------------------------------------------------- */

static int recall_usage(void *b, const struct row_usage *u)
{
    return book_recall_usage(b, u);
}

static int recall_loan(void *b, const struct row_loan *l)
{
    return book_recall_loan(b, l);
}

static int recall_quota(void *b, const struct row_quota *q)
{
    return book_recall_quota(b, q);
}

static int recall_node(void *b, const char *kind, const char *node, const char *parent)
{
    return book_recall_node(b, kind, node, parent);
}

/* A controller that starts sees all loans begin. */
static int tell_loans_anew(struct run *r, struct err *err)
{
    const struct loan_filter all = {.fr = LOANS_ANY, .borrower = LOANS_ANY};
    const struct loan *const *list;
    uint32_t n;
    int rc = loans_list((struct loans *)(uintptr_t)world_loans(r->keep.world), &all, &list, &n, err);

    for (uint32_t i = 0; i < n && !rc; i++) {
        struct loan_event e = {*list[i], WHEN_NONE, LOAN_OPEN};
        e.loan.began = r->keep.now;
        rc = book_loans(r->keep.book, &e, 1, &r->keep.rows, err);
    }
    return rc;
}

/* What is known of the world's present is told to a new book, as by a controller that starts. */
static int crash(struct run *r, struct err *err)
{
    struct keep *k = &r->keep;
    int rc = ledger_write(k->ledger, &k->rows, k->now, err);

    rows_clear(&k->rows);
    ledger_close(k->ledger, WHEN_NONE);
    book_free(k->book);
    k->book = book_new(k->world);
    r->crashes++;
    rc = rc ? rc : ledger_open(k->ledger, k->now, err);
    rc = rc ? rc : ledger_recall_usage(k->ledger, recall_usage, k->book, err);
    rc = rc ? rc : ledger_recall_loans(k->ledger, recall_loan, k->book, err);
    rc = rc ? rc : ledger_recall_quotas(k->ledger, recall_quota, k->book, err);
    rc = rc ? rc : ledger_recall_nodes(k->ledger, recall_node, k->book, err);
    for (struct wl *wl = world_first_workload(k->world); wl && !rc; wl = world_next_workload(wl))
        if (wl->marks.reserved && !wl->marks.finished)
            rc = book_hold(k->book, wl, sim_of(wl)->status.cond[COND_QUOTA_RESERVED].since, k->now, &k->rows,
                           err);
    rc = rc ? rc : tell_loans_anew(r, err);
    if (!rc)
        book_started(k->book, k->now, &k->rows);
    if (!rc && k->rows.n)
        r->why = "a restart changed something though nothing had happened";
    rc = rc ? rc : book_quotas(k->book, k->now, &k->rows, err);
    if (!rc && k->rows.n && !r->why)
        r->why = "a restart changed quotas";
    return rc;
}

/* ---- what the ledger says ------------------------------------------------------------------------------------------------- */

static wide in_ledger(const struct history_row *rows, uint32_t n, const struct cell_sum *c)
{
    wide sum = 0;

    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(rows[i].queue, c->queue) && !strcmp(rows[i].flavor, c->flavor) &&
            !strcmp(rows[i].resource, c->resource))
            sum += rows[i].sum;
    return sum;
}

static void differ(struct run *r, const char *what, const struct cell_sum *c, wide a, wide b)
{
    (void)printf("%s of %s %s/%s: %.9g in the ledger, %.9g\n", what, c->queue, c->flavor, c->resource,
                 (double)a / 1e9, (double)b / 1e9);
    r->why = what;
}

static int compare(struct run *r, struct history *h, enum period by, struct err *err)
{
    const struct history_filter f = {.from = r->began, .to = WHEN_NONE, .by = by};
    const struct history_row *rows;
    uint32_t n;
    int rc = history_ask(h, HISTORY_USAGE, &f, &rows, &n, err);

    for (uint32_t i = 0; i < r->ncells && !rc; i++) {
        wide sum = in_ledger(rows, n, &r->cells[i]);
        if (sum != r->cells[i].held)
            differ(r, "use by conditions", &r->cells[i], sum, r->cells[i].held);
        if (r->cells[i].used && sum != r->cells[i].used)
            differ(r, "use by the tree", &r->cells[i], sum, r->cells[i].used);
    }
    rc = rc ? rc : history_ask(h, HISTORY_LOANS, &f, &rows, &n, err);
    for (uint32_t i = 0; i < r->ncells && !rc; i++) {
        wide sum = in_ledger(rows, n, &r->cells[i]);
        if (sum != r->cells[i].above)
            differ(r, "loans", &r->cells[i], sum, r->cells[i].above);
    }
    return rc;
}

static int count(void *arg, uint32_t n, const char *const *values, const bool *numbers)
{
    (void)n;
    *(long *)arg = numbers[0] ? strtol(values[0], NULL, 10) : 0;
    return 0;
}

static int check_ledger(struct run *r, struct err *err)
{
    static const char overlaps[] =
        "SELECT count(*) FROM usage a JOIN usage b ON b.workload = a.workload AND b.flavor = a.flavor AND "
        "b.resource = a.resource AND b.id > a.id AND b.began_ns < a.ended_ns AND b.ended_ns > a.began_ns";
    struct history *h = NULL;
    long n = 0;
    int rc = history_open(r->path, &h, err);

    rc = rc ? rc : compare(r, h, PERIOD_ALL, err);
    rc = rc ? rc : compare(r, h, PERIOD_DAY, err);
    rc = rc ? rc : history_sql(h, overlaps, count, &n, err);
    if (!rc && n)
        r->why = "intervals overlap";
    history_close(h);
    return rc;
}

/* ---- one world ----------------------------------------------------------------------------------------------------------- */

/* Manifests of the plan; Workloads come and go over some days. */
static void write_world(struct dice *d, struct str *out)
{
    static const char arrives[] = "  annotations:\n    sim/arrive-at: ", spec[] = "spec:\n  queueName: ";
    struct plan *p = mem_zalloc(1, sizeof(*p));
    struct str text;
    char time[32];

    str_init(&text, 0);
    plan_roll(p, d);
    plan_write(p, 1000000, &text);
    const char *at = str_text(&text), *next;
    for (; (next = strstr(at, spec)); at = next) {
        const char *begin = strstr(at, arrives); /* a holder is there from the start */
        bool held = !begin || begin > next;
        str_addn(out, at, (size_t)((held ? next : begin) - at));
        (void)when_print(PLAN_START + (int64_t)dice_below(d, 200) * 1000 * NS_PER_S, time, sizeof(time));
        str_add(out, "  annotations:\n");
        if (!held)
            str_addf(out, "    sim/arrive-at: \"%s\"\n", time);
        str_addf(out, "    sim/run-seconds: \"%u\"\n    sim/stop-seconds: \"%u\"\n", dice_below(d, 250) * 137,
                 dice_one_in(d, 2) ? 0 : dice_below(d, 100) * 7);
        str_add(out, spec);
        next += sizeof(spec) - 1;
    }
    str_add(out, at);
    str_free(&text);
    mem_free(p);
}

static int steps(struct run *r, struct dice *d, struct err *err)
{
    bool more = true;
    int rc = 0;

    while (more && !rc) {
        when_ns now = r->before;
        rc = sim_step(r->sim, &more, err);
        if (sim_time(r->sim) != WHEN_NONE)
            now = sim_time(r->sim);
        if (!rc)
            look_at_conditions(r, now);
        if (!rc && dice_one_in(d, 10))
            rc = crash(r, err);
    }
    return rc;
}

/* Before anything happens at a time: what was held until then. */
static void on_step(void *arg, when_ns t)
{
    struct run *r = arg;

    if (r->before == WHEN_NONE)
        r->before = r->began = t;
    integrate(r, t);
}

static int simulate(struct run *r, const struct api_set *set, struct dice *d, struct err *err)
{
    const struct sim_options o = {.max_cycles = CYCLES,
                                  .max_cycles_at_once = CYCLES_AT_ONCE,
                                  .start = PLAN_START,
                                  .begin = WHEN_NONE,
                                  .models = true};
    int rc = sim_new(set, &o, &r->sim, err);

    if (rc)
        return rc;
    r->before = WHEN_NONE;
    sim_watch(r->sim, &(struct sim_watcher){.arg = r, .step = on_step});
    r->holders = mem_zalloc(sim_count(r->sim) + 1, sizeof(*r->holders));
    (void)snprintf(r->path, sizeof(r->path), "/tmp/sluice-worlds-%d.db", (int)getpid());
    (void)unlink(r->path);
    if (keep_open(&r->keep, "simulate", r->path, sim_world(r->sim), PLAN_START))
        return err_set(err, ERR_IO, "no ledger");
    keep_sim(&r->keep, r->sim);
    rc = steps(r, d, err);
    when_ns end = r->before == WHEN_NONE ? PLAN_START : r->before;
    for (uint32_t i = 0; i < sim_count(r->sim); i++)
        if (r->holders[i].holds)
            end_holding(r, &r->holders[i], end);
    if (keep_close(&r->keep, "simulate", end) && !rc)
        rc = err_set(err, ERR_IO, "the ledger failed");
    return rc ? rc : check_ledger(r, err);
}

static bool one_seed(uint64_t seed, uint64_t *ret_crashes, uint64_t *ret_restless, wide *ret_lent)
{
    struct dice d = dice_of_seed(seed);
    struct run *r = mem_zalloc(1, sizeof(*r));
    struct api_set *set = api_set_new(0);
    struct err err = {0};
    struct str text;

    str_init(&text, 0);
    write_world(&d, &text);
    /* A Workload that the API would refuse is left out. */
    int rc = api_read_buffer(set, "plan", str_text(&text), text.len, &err);
    rc = rc ? rc : simulate(r, set, &d, &err);
    if (rc || r->why)
        (void)printf("seed %" PRIu64 ": %s\n", seed, rc ? err.text : r->why);
    *ret_crashes += r->crashes;
    *ret_restless += r->sim && sim_end(r->sim) == SIM_RESTLESS;
    for (uint32_t i = 0; i < r->ncells; i++)
        *ret_lent += r->cells[i].above;
    bool good = !rc && !r->why;
    if (*r->path && good)
        (void)unlink(r->path);
    mem_free(r->holders);
    sim_free(r->sim);
    api_set_free(set);
    str_free(&text);
    mem_free(r);
    return good;
}

int main(int argc, char **argv)
{
    uint64_t n = 20, first = 1, bad = 0, crashes = 0, restless = 0;
    wide lent = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--seeds"))
            n = strtoull(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--seed")) {
            first = strtoull(argv[i + 1], NULL, 10);
            n = 1;
        }
    }
    for (uint64_t seed = first; seed < first + n && bad < 5; seed++)
        bad += !one_seed(seed, &crashes, &restless, &lent);
    (void)printf("%" PRIu64 " worlds, %" PRIu64 " crashes, %" PRIu64
                 " restless, %.3g amount-seconds borrowed, %" PRIu64 " wrong\n",
                 n, crashes, restless, (double)lent / 1e9, bad);
    return bad || !crashes || !lent ? EXIT_FAILURE : EXIT_SUCCESS;
}
