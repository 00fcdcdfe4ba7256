/* Picks the flavor of one resource group of one pod set (engine.md 6.3): tries them in order, asks whether the quota suffices (6.5), keeps
 * the best. */
#include "core/assign_priv.h"

#include <string.h>

static void drop_reasons(struct pod_set_choice *ps, uint32_t from)
{
    for (uint32_t i = from; i < ps->nreasons; i++)
        ps->reasons[i].dropped = true;
}

/* ---- which flavor is better (6.3) ------------------------------------------------------------------------------------------- */

bool assign_preferred(struct granular a, struct granular b, enum fungibility_preference p)
{
    if (a.pm == PM_NO_FIT)
        return false;
    if (b.pm == PM_NO_FIT)
        return true;
    if ((a.pm == PM_NO_VICTIMS) != (b.pm == PM_NO_VICTIMS))
        return b.pm == PM_NO_VICTIMS;
    if (p == PREFER_PREEMPTION)
        return a.level != b.level ? a.level < b.level : a.pm > b.pm;
    return a.pm != b.pm ? a.pm > b.pm : a.level < b.level;
}

static bool keep_scanning(const struct cluster_queue *cq, struct granular m)
{
    if (m.pm == PM_NO_FIT || m.pm == PM_NO_VICTIMS)
        return true;
    if ((m.pm == PM_PREEMPT || m.pm == PM_RECLAIM) && cq->when_can_preempt == FUNGIBILITY_TRY_NEXT)
        return true;
    return m.level != 0 && cq->when_can_borrow == FUNGIBILITY_TRY_NEXT;
}

static enum mode mode_of(enum preempt_mode pm)
{
    switch (pm) {
    case PM_NO_FIT:
        return MODE_NO_FIT;
    case PM_FIT:
        return MODE_FIT;
    default:
        return MODE_PREEMPT;
    }
}

/* ---- does the quota suffice (6.5) ------------------------------------------------------------------------------------------------ */

static int64_t used_so_far(const struct assignment *a, uint32_t fr)
{
    for (uint32_t i = 0; i < a->nuses; i++)
        if (a->uses[i].fr == fr)
            return a->uses[i].amount;
    return 0;
}

struct quota_answer {
    struct granular g;
    enum possibility possibility;
    enum wait_reason wait;
};

static bool can_preempt_while_borrowing(const struct world *w, const struct cluster_queue *cq)
{
    const struct fact_preemption *p = &cq->preemption;
    if (p->borrow_within_cohort && p->borrow_policy != POLICY_NEVER)
        return true;
    return w->fair_sharing && p->reclaim_within_cohort != POLICY_NEVER;
}

static enum preempt_mode mode_of_possibility(enum possibility p)
{
    switch (p) {
    case POSSIBILITY_PREEMPT:
        return PM_PREEMPT;
    case POSSIBILITY_RECLAIM:
        return PM_RECLAIM;
    default:
        return PM_NO_VICTIMS;
    }
}

static struct quota_answer quota_mode(struct walk *k, const struct choice *c, uint32_t flavor, uint32_t fr,
                                      uint32_t col)
{
    const struct assign_ctx *ctx = k->ctx;
    const struct tree *t = ctx->cq->tree;
    uint32_t node = ctx->cq->node;
    const struct cell *cell = tree_cell(t, node, col);
    amount before = used_so_far(k->out, fr), val = amount_add(before, c->amount);
    struct reason r = {.res = c->res, .flavor = flavor};
    if (val > cell->potential) {
        r.kind = REASON_MAX_CAPACITY;
        r.a = before;
        r.b = c->amount;
        r.c = cell->potential;
        walk_reason(k, r);
        return (struct quota_answer){{PM_NO_FIT, 0}, POSSIBILITY_NONE, WAIT_EXCEEDS_MAX_QUOTA};
    }
    struct tree_level lv = tree_borrow_level(t, node, col, val);
    amount fit = tree_fit(t, node, col);
    if (val <= fit)
        return (struct quota_answer){{PM_FIT, lv.level}, POSSIBILITY_NONE, WAIT_NONE};
    r.kind = REASON_INSUFFICIENT;
    r.a = amount_sub(val, fit);
    walk_reason(k, r);
    if (cell->nominal >= val || lv.may_reclaim || can_preempt_while_borrowing(ctx->w, ctx->cq)) {
        struct oracle_answer o = ctx->oracle(ctx, fr, col, val);
        return (struct quota_answer){{mode_of_possibility(o.possibility), o.level}, o.possibility, WAIT_NONE};
    }
    return (struct quota_answer){{PM_NO_FIT, lv.level}, POSSIBILITY_NONE, WAIT_FOR_QUOTA};
}

/* ---- one resource group (6.3 pickFlavor) --------------------------------------------------------------------------------------------- */

const struct group *pick_group(const struct cluster_queue *cq, uint32_t res, uint32_t *ret_index)
{
    for (uint32_t g = 0; g < cq->quotas.ngroups; g++)
        for (uint32_t i = 0; i < cq->quotas.groups[g].nres; i++)
            if (cq->quotas.groups[g].res[i] == res) {
                *ret_index = g;
                return &cq->quotas.groups[g];
            }
    return NULL;
}

static uint32_t pos_in_group(const struct group *g, uint32_t res)
{
    for (uint32_t i = 0; i < g->nres; i++)
        if (g->res[i] == res)
            return i;
    return NONE;
}

/* Where the scan of the last cycle ended for this resource, plus one (6.6). */
static uint32_t resume_index(const struct walk *k, uint32_t res)
{
    const struct wl *wl = k->ctx->wl;
    if (!wl->scan.present || !gate_on(&k->ctx->w->gates, GATE_FLAVOR_FUNGIBILITY))
        return 0;
    for (uint32_t i = 0; i < k->spec->nslots; i++)
        if (wl->slots[k->spec->first + i].res == res)
            return (uint32_t)(wl->tried[k->spec->first + i] + 1);
    return 0;
}

/* The best flavor found: its index in the group and, for each choice of the pod set, mode and level. */
struct best {
    uint32_t flavor;
    struct granular mode;
    struct granular *each; /* by choice; pm PM_NO_FIT = not recorded */
};

/* Tries one flavor for all resources of the group that the pod set asks for. */
static struct granular try_flavor(struct walk *k, const struct group *g, uint32_t gi, uint32_t f,
                                  struct granular *each)
{
    struct granular mode = {PM_FIT, 0};
    struct attempt *t = walk_attempt(k, gi, g->flavors[f]);
    uint32_t ti = k->ps->nattempts - 1, first = t->first_reason, level = 0;
    enum possibility least = POSSIBILITY_NONE;
    enum wait_reason wait = WAIT_NONE;
    for (uint32_t c = 0; c < k->ps->nchoices; c++) {
        each[c].pm = PM_NO_FIT;
        uint32_t pos = pos_in_group(g, k->ps->choices[c].res);
        if (pos == NONE)
            continue;
        uint64_t at = (uint64_t)f * g->nres + pos;
        struct quota_answer q = quota_mode(k, &k->ps->choices[c], g->flavors[f], g->fr[at], g->col[at]);
        if (q.possibility != POSSIBILITY_NONE && (least == POSSIBILITY_NONE || q.possibility < least))
            least = q.possibility;
        wait = reason_more_severe(wait, q.wait);
        level = q.g.level > level ? q.g.level : level;
        if (assign_preferred(mode, q.g, k->ctx->cq->preference))
            mode = q.g;
        if (mode.pm != PM_NO_FIT)
            each[c] = q.g;
    }
    t = &k->ps->attempts[ti];
    t->mode = mode_of(mode.pm);
    t->level = level;
    t->possibility = least;
    t->wait = mode.pm == PM_NO_FIT ? wait : WAIT_NONE;
    t->nreasons = k->ps->nreasons - first;
    return mode;
}

static void take_best(struct walk *k, const struct group *g, const struct best *b, int32_t tried)
{
    for (uint32_t c = 0; c < k->ps->nchoices; c++) {
        struct choice *ch = &k->ps->choices[c];
        uint32_t pos = pos_in_group(g, ch->res);
        if (pos == NONE || b->each[c].pm == PM_NO_FIT)
            continue;
        uint64_t at = (uint64_t)b->flavor * g->nres + pos;
        ch->flavor = g->flavors[b->flavor];
        ch->fr = g->fr[at];
        ch->col = g->col[at];
        ch->pmode = b->each[c].pm;
        ch->mode = mode_of(b->each[c].pm);
        ch->level = b->each[c].level;
        ch->tried = tried;
    }
}

static void note_mismatch(struct walk *k, uint32_t gi, uint32_t flavor, uint32_t first)
{
    struct attempt *t = walk_attempt(k, gi, flavor);
    t->first_reason = first;
    t->nreasons = k->ps->nreasons - first;
    t->wait = WAIT_NO_MATCHING_FLAVOR;
}

/* 6.3: decides the flavor of a resource group, starting from resource `res`. False if the pod set fails here. */
bool pick_flavor(struct walk *k, const struct group *g, uint32_t gi, uint32_t res)
{
    bool fungible = gate_on(&k->ctx->w->gates, GATE_FLAVOR_FUNGIBILITY);
    struct granular *try = ARENA_NEW(k->ctx->a, struct granular, k->ps->nchoices);
    struct best best = {
        NONE, {PM_NO_FIT, UINT32_MAX}, ARENA_NEW(k->ctx->a, struct granular, k->ps->nchoices)};
    uint32_t first_reason = k->ps->nreasons, attempted = NONE;
    uint32_t start = resume_index(k, res);
    /* A position behind the last flavor is that of a longer list (6.6): trying none would count as fit (6.1). */
    for (uint32_t f = start < g->nflavors ? start : 0; f < g->nflavors; f++) {
        attempted = f;
        uint32_t first = k->ps->nreasons;
        if (suits_not_pinned(k, g->flavors[f], res)) {
            walk_reason(k, (struct reason){.kind = REASON_PINNED, .flavor = g->flavors[f], .res = res});
            continue;
        }
        if (!suits(k, g->flavors[f])) {
            if (k->ps->error)
                return false;
            note_mismatch(k, gi, g->flavors[f], first);
            continue;
        }
        struct granular m = try_flavor(k, g, gi, f, try);
        bool stop = fungible ? !keep_scanning(k->ctx->cq, m) : m.pm == PM_FIT;
        bool better = fungible ? assign_preferred(m, best.mode, k->ctx->cq->preference) : m.pm > best.mode.pm;
        if (stop || better) {
            struct granular *swap = best.each;
            best = (struct best){f, m, try};
            try = swap;
        }
        if (stop)
            break;
    }
    if (best.flavor == NONE)
        return false;
    take_best(k, g, &best, !fungible || attempted == g->nflavors - 1 ? -1 : (int32_t)attempted);
    if (best.mode.pm == PM_FIT)
        drop_reasons(k->ps, first_reason);
    return true;
}
