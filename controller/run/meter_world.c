/* What is, of queues and cohorts, as samples. Each function tells one family; which one is in `out`. */
#include "run/meter_priv.h"

#include "base/quantity.h"
#include "core/tree.h"

#include <math.h>

#define SAMPLE(v, ...) metrics_sample(out, (const char *const[]){__VA_ARGS__, role}, v)

/* cpu in cores; no limit is +Inf (11.5). */
static double units(amount v, const char *resource)
{
    if (v == AMOUNT_UNLIMITED)
        return (double)INFINITY;
    return resource_is_cpu(resource) ? (double)v / 1000 : (double)v;
}

/* ---- ClusterQueues ----------------------------------------------------------------------------------------------------------- */

static void tell_pending(const char *role, struct metrics_out *out, const struct view_cq *q)
{
    bool on = q->v.state == CQ_ACTIVE;

    SAMPLE(on ? q->v.npending_active : 0, q->v.name, "active");
    SAMPLE(q->v.npending_inadmissible + (on ? 0 : q->v.npending_active), q->v.name, "inadmissible");
}

static void tell_hashes(const char *role, struct metrics_out *out, const struct view_cq *q)
{
    bool on = q->v.state == CQ_ACTIVE;

    if (!q->classes)
        return;
    SAMPLE(on ? q->classes->active : 0, q->v.name, "active");
    SAMPLE(on ? q->classes->inadmissible : q->classes->all, q->v.name, "inadmissible");
}

static void tell_cq_status(const char *role, struct metrics_out *out, const struct view_cq *q)
{
    SAMPLE(q->v.state == CQ_PENDING, q->v.name, "pending");
    SAMPLE(q->v.state == CQ_ACTIVE, q->v.name, "active");
    SAMPLE(q->v.state == CQ_TERMINATING, q->v.name, "terminating");
}

static const char *node_name(const struct meter *m, const struct tree *t, uint32_t node)
{
    return node == TREE_NONE ? "" : names_text(world_names(m->view.w), t->nodes[node].name);
}

/* The root of a tree is a cohort, or a ClusterQueue without any. */
static const char *root_name(const struct meter *m, const struct tree *t)
{
    return t->nodes[0].cq == TREE_NONE ? node_name(m, t, 0) : "";
}

static void tell_cq_share(const struct meter *m, struct metrics_out *out, const struct view_cq *q)
{
    const char *role = meter_role_name(m);

    if (!m->cfg.fair_sharing || !q->v.tree || q->v.tree->cyclic)
        return;
    double share = share_weighted(tree_share(q->v.tree, q->v.node));
    SAMPLE(isinf(share) ? (double)NAN : share, q->v.name, q->v.cohort); /* 8.1 */
}

static void tell_cq_info(const struct meter *m, struct metrics_out *out, const struct view_cq *q)
{
    const char *role = meter_role_name(m);

    if (m->cfg.cohorts && q->v.tree && !q->v.tree->cyclic)
        SAMPLE(1, q->v.name, node_name(m, q->v.tree, q->v.tree->nodes[q->v.node].parent),
               root_name(m, q->v.tree));
}

void meter_collect_cq(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    const char *role = meter_role_name(m);

    for (uint32_t i = 0; i < m->view.ncqs; i++) {
        const struct view_cq *q = &m->view.cqs[i];
        switch (metrics_family(out)) {
        case M_PENDING:
            tell_pending(role, out, q);
            break;
        case M_HASHES:
            tell_hashes(role, out, q);
            break;
        case M_RESERVING_NOW:
            SAMPLE(q->v.nreserving, q->v.name);
            break;
        case M_ADMITTED_NOW:
            SAMPLE(q->v.nadmitted, q->v.name);
            break;
        case M_CQ_STATUS:
            tell_cq_status(role, out, q);
            break;
        case M_CQ_SHARE:
            tell_cq_share(m, out, q);
            break;
        case M_CQ_INFO:
            tell_cq_info(m, out, q);
            break;
        }
    }
}

static amount amount_of(uint32_t family, const struct view_use *u)
{
    switch (family) {
    case M_CQ_RESERVATION:
    case M_LQ_RESERVATION:
        return u->reserved;
    case M_CQ_USAGE:
    case M_LQ_USAGE:
        return u->admitted;
    case M_CQ_BORROWING:
        return u->borrowing;
    case M_CQ_LENDING:
        return u->lending;
    default:
        return u->nominal;
    }
}

void meter_collect_cq_uses(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    const char *role = meter_role_name(m);
    uint32_t family = metrics_family(out);

    if (!m->cfg.cluster_queue_resources)
        return;
    for (uint32_t i = 0; i < m->view.ncqs; i++) {
        const struct view_cq *q = &m->view.cqs[i];
        for (uint32_t k = 0; k < q->nuses; k++) {
            const struct view_use *u = &m->view.uses[q->first_use + k];
            SAMPLE(units(amount_of(family, u), u->resource), q->v.cohort, q->v.name, u->flavor, u->resource);
        }
    }
}

void meter_collect_cq_asked(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    const char *role = meter_role_name(m);

    for (uint32_t i = 0; i < m->view.nasked; i++) {
        const struct view_asked *a = &m->view.asked[i];
        const char *resource = names_text(world_names(m->view.w), a->res);
        SAMPLE(units(a->sum, resource), m->view.cqs[a->cq].v.name, resource);
    }
}

/* ---- LocalQueues ------------------------------------------------------------------------------------------------------------- */

static void tell_lq_status(const struct meter *m, struct metrics_out *out, const struct view_lq *q)
{
    const char *role = meter_role_name(m), *cq;
    enum stop_policy stop = STOP_NONE;
    bool ok = world_lq(m->view.w, q->q.ns, q->q.name, &cq, &stop) != LQ_MISSING;

    ok = ok && stop == STOP_NONE && q->cq != NONE && m->view.cqs[q->cq].v.state == CQ_ACTIVE; /* 9.5 */
    SAMPLE(ok, q->q.name, q->q.ns, "True");
    SAMPLE(!ok, q->q.name, q->q.ns, "False");
    SAMPLE(0, q->q.name, q->q.ns, "Unknown");
}

void meter_collect_lq(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    const char *role = meter_role_name(m);

    for (uint32_t i = 0; i < m->view.nlqs; i++) {
        const struct view_lq *q = &m->view.lqs[i];
        switch (metrics_family(out)) {
        case M_LQ_PENDING:
            SAMPLE(q->active, q->q.name, q->q.ns, "active");
            SAMPLE(q->inadmissible, q->q.name, q->q.ns, "inadmissible");
            break;
        case M_LQ_RESERVING_NOW:
            SAMPLE(q->reserving, q->q.name, q->q.ns);
            break;
        case M_LQ_ADMITTED_NOW:
            SAMPLE(q->admitted, q->q.name, q->q.ns);
            break;
        case M_LQ_STATUS:
            tell_lq_status(m, out, q);
            break;
        case M_LQ_AFS:
            if (m->cfg.afs)
                SAMPLE(world_lq_usage(m->view.w, q->q.ns, q->q.name), q->q.name, q->q.ns, q->q.cluster_queue);
            break;
        }
    }
}

void meter_collect_lq_uses(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;
    const char *role = meter_role_name(m);
    uint32_t family = metrics_family(out);

    for (uint32_t i = 0; i < m->view.nlqs; i++) {
        const struct view_lq *q = &m->view.lqs[i];
        for (uint32_t k = 0; k < q->nuses; k++) {
            const struct view_use *u = &m->view.lq_uses[q->first_use + k];
            SAMPLE(units(amount_of(family, u), u->resource), q->q.name, q->q.ns, u->flavor, u->resource);
        }
    }
}

/* ---- cohorts ----------------------------------------------------------------------------------------------------------------- */

static uint32_t admitted_below(const struct meter *m, const struct tree *t, uint32_t node)
{
    uint32_t n = 0;

    for (uint32_t i = node + 1; i < t->nodes[node].end; i++) {
        uint32_t place = t->nodes[i].cq == TREE_NONE ? NONE : m->view.place_of_cq[t->nodes[i].cq];
        n += place == NONE ? 0 : m->view.cqs[place].v.nadmitted;
    }
    return n;
}

/* Calls back for every cohort of trees without cycles. */
static void each_cohort(const struct meter *m, struct metrics_out *out,
                        void (*tell)(const struct meter *m, struct metrics_out *out, const struct tree *t,
                                     uint32_t node))
{
    const struct tree *t;

    if (m->view.failed)
        return;
    for (uint32_t i = 0; (t = world_tree(m->view.w, i)); i++)
        for (uint32_t node = 0; !t->cyclic && node < t->nnodes; node++)
            if (t->nodes[node].cq == TREE_NONE)
                tell(m, out, t, node);
}

static void tell_cohort(const struct meter *m, struct metrics_out *out, const struct tree *t, uint32_t node)
{
    const char *role = meter_role_name(m), *name = node_name(m, t, node);

    switch (metrics_family(out)) {
    case M_COHORT_SHARE:
        if (m->cfg.fair_sharing)
            SAMPLE(share_weighted(tree_share(t, node)), name);
        break;
    case M_COHORT_ADMITTED_NOW:
        if (m->cfg.cohorts)
            SAMPLE(admitted_below(m, t, node), name);
        break;
    case M_COHORT_INFO:
        if (m->cfg.cohorts)
            SAMPLE(1, name, node_name(m, t, t->nodes[node].parent), root_name(m, t));
        break;
    }
}

void meter_collect_cohorts(void *arg, struct metrics_out *out)
{
    each_cohort(arg, out, tell_cohort);
}

static amount reserved_below(const struct tree *t, uint32_t node, uint32_t col)
{
    amount sum = 0;

    for (uint32_t i = node + 1; i < t->nodes[node].end; i++)
        if (t->nodes[i].cq != TREE_NONE)
            sum = amount_add(sum, tree_cell(t, i, col)->usage);
    return sum;
}

static void tell_cohort_uses(const struct meter *m, struct metrics_out *out, const struct tree *t,
                             uint32_t node)
{
    const char *role = meter_role_name(m), *name = node_name(m, t, node);

    for (uint32_t col = 0; col < t->ncols; col++) {
        const struct cell *c = tree_cell(t, node, col);
        struct pair_names p = world_pair(m->view.w, t->fr[col]);
        if (!c->declared)
            continue;
        amount v = metrics_family(out) == M_COHORT_QUOTA ? c->quota : reserved_below(t, node, col);
        SAMPLE(units(v, p.resource), name, p.flavor, p.resource);
    }
}

void meter_collect_cohort_uses(void *arg, struct metrics_out *out)
{
    const struct meter *m = arg;

    if (m->cfg.cohorts)
        each_cohort(m, out, tell_cohort_uses);
}
