#include "ledger/receipt.h"

#include <math.h>

__extension__ typedef __int128 wide;

int64_t receipt_work(amount a, int64_t ns)
{
    wide v = (wide)a * ns / NS_PER_S;

    return v > INT64_MAX ? INT64_MAX : v < 0 ? 0 : (int64_t)v;
}

/* ---- shares ------------------------------------------------------------------------------------------------------------- */

/* Usage of a ClusterQueue and all above it for one pair, to be put back: charging and discharging do not undo each other to the letter when a
 * node is over its quota. */
struct saved {
    amount usage[RECEIPT_DEPTH_MAX];
    uint32_t col;
};

static void save(const struct tree *t, uint32_t node, uint32_t col, struct saved *s)
{
    *s = (struct saved){.col = col};
    for (uint32_t i = 0; node != TREE_NONE && i < RECEIPT_DEPTH_MAX; node = t->nodes[node].parent)
        s->usage[i++] = tree_cell(t, node, col)->usage;
}

static void put_back(const struct tree *t, uint32_t node, const struct saved *s)
{
    for (uint32_t i = 0; node != TREE_NONE && i < RECEIPT_DEPTH_MAX; node = t->nodes[node].parent)
        tree_cell(t, node, s->col)->usage = s->usage[i++];
}

static double share_of(const struct tree *t, uint32_t node)
{
    return share_weighted(tree_share(t, node));
}

/* The share of the node when these uses are taken away from it, or added. */
static double share_with(struct tree *t, uint32_t node, const struct use *uses, uint32_t n, bool add)
{
    struct saved saved[RECEIPT_PAIRS_MAX];
    uint32_t done = 0;

    if (n > RECEIPT_PAIRS_MAX || t->nodes[node].depth >= RECEIPT_DEPTH_MAX)
        return NAN;
    for (; done < n; done++) {
        uint32_t col = tree_col(t, uses[done].fr);
        if (col == TREE_NONE)
            break;
        save(t, node, col, &saved[done]);
        if (add)
            tree_charge(t, node, col, uses[done].amount);
        else
            tree_discharge(t, node, col, uses[done].amount);
    }
    double share = done == n ? share_of(t, node) : NAN;
    while (done-- > 0)
        put_back(t, node, &saved[done]);
    return share;
}

/* ---- what a Workload holds ------------------------------------------------------------------------------------------------ */

static uint32_t uses_of(const struct wl *wl, struct use uses[RECEIPT_PAIRS_MAX])
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < wl->npod_sets; i++)
        for (uint32_t k = 0; k < wl->pod_sets[i].nslots; k++) {
            const struct slot *s = &wl->slots[wl->pod_sets[i].first + k];
            uint32_t at = 0;
            if (s->fr == NONE || s->amount <= 0)
                continue;
            while (at < n && uses[at].fr != s->fr)
                at++;
            if (at == RECEIPT_PAIRS_MAX)
                return n;
            if (at == n)
                uses[n++] = (struct use){.fr = s->fr};
            uses[at].amount = amount_add(uses[at].amount, s->amount);
        }
    return n;
}

static struct row_workload workload_of(const struct world *w, const struct wl *wl)
{
    const struct names *names = world_names(w);

    return (struct row_workload){*wl->uid ? wl->uid : wl->key, names_text(names, wl->ns), wl->name,
                                 names_text(names, wl->queue)};
}

void receipt_add(struct rows *r, uint64_t decision, struct world *w, const struct cycle *c, uint32_t i,
                 when_ns now)
{
    const struct wl *victim = c->evicted[i];
    const struct decision *by = c->evicted_by[i];
    const struct cq_place from = world_cq_place(w, victim->cq), to = world_cq_place(w, by->cq);
    struct use uses[RECEIPT_PAIRS_MAX];
    uint32_t n = uses_of(victim, uses);
    struct row_preemption p = {.decision = decision,
                               .at = now,
                               .victim = workload_of(w, victim),
                               .preemptor = workload_of(w, by->w),
                               .victim_queue = from.name,
                               .preemptor_queue = to.name,
                               .rule = preempt_reason_text(c->evicted_target[i]->reason),
                               .victim_before = NAN,
                               .victim_after = NAN,
                               .preemptor_before = NAN,
                               .preemptor_after = NAN};

    if (from.tree) {
        p.victim_before = share_of(from.tree, from.node);
        p.victim_after = share_with((struct tree *)(uintptr_t)from.tree, from.node, uses, n, false);
    }
    if (to.tree) {
        p.preemptor_before = share_of(to.tree, to.node);
        if (by->a)
            p.preemptor_after =
                share_with((struct tree *)(uintptr_t)to.tree, to.node, by->a->uses, by->a->nuses, true);
    }
    rows_preemption(r, &p);
    when_ns since = victim->marks.admitted ? victim->marks.admitted_at : now;
    for (uint32_t k = 0; k < n; k++) {
        struct pair_names pair = world_pair(w, uses[k].fr);
        int64_t work = since < now ? receipt_work(uses[k].amount, now - since) : 0;
        rows_loss(r, decision, pair.flavor, pair.resource, work);
    }
}
