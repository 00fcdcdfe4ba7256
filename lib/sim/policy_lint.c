/* What is wrong with a policy. References and cycles are read off the objects; quotas off the tree that they make (engine.md 3). */
#include "sim/policy_lint.h"

#include "sim/policy_priv.h"

#include <stdlib.h>
#include <string.h>

enum { LOOP_NAMES_MAX = 8, CHAIN_MAX = 1000 };

const char *policy_fault_name(enum policy_fault f)
{
    static const char *const names[] = {"cohort-cycle",       "no-flavor",         "no-cluster-queue",
                                        "no-admission-check", "unreachable",       "starves",
                                        "may-starve",         "nothing-to-borrow", "eviction-loop"};

    return names[f];
}

bool policy_lint_has_new_errors(const struct policy_lint *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->list[i].error && !l->list[i].old)
            return true;
    return false;
}

/* An eviction loop goes round with other Workloads when a quota is another one: it is the same trouble. */
static bool is_same(const struct policy_finding *a, const struct policy_finding *b)
{
    return a->fault == b->fault && (a->fault == FAULT_EVICTION_LOOP || !strcmp(a->text, b->text));
}

void policy_lint_mark_old(struct policy_lint *l, const struct policy_lint *before)
{
    for (uint32_t i = 0; i < l->n; i++)
        for (uint32_t k = 0; k < before->n && !l->list[i].old; k++)
            l->list[i].old = is_same(&l->list[i], &before->list[k]);
}

struct key {
    enum api_kind kind;
    const char *name;
};

/* Names of the kinds that are referred to, sorted. */
struct index {
    struct key *at;
    uint32_t n;
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* What one look needs. `text` is the sentence being written, `names` the objects in it. */
struct look {
    struct policy_lint *l;
    struct arena *a;
    const struct api_set *objects;
    const struct sim *s;
    struct world *w;
    const struct fact_cohort **cohorts;
    uint32_t ncohorts;
    struct index served; /* ClusterQueues of LocalQueues, under that kind */
    struct str text, name;
    const char *names[LOOP_NAMES_MAX];
    uint32_t nnames;
};

static void name_object(struct look *k, const char *kind, const char *ns, const char *name)
{
    if (k->nnames == LOOP_NAMES_MAX)
        return;
    str_addf(&k->name, "%s %s%s%s", kind, ns, *ns ? "/" : "", name);
    k->names[k->nnames++] = policy_take(k->a, &k->name);
}

static void found(struct look *k, enum policy_fault fault, bool error)
{
    struct policy_lint *l = k->l;
    const char **names = ARENA_NEW(k->a, const char *, k->nnames + 1);

    memcpy(names, k->names, k->nnames * sizeof(*names));
    policy_grow(k->a, &l->list, l->n, &l->cap, sizeof(*l->list));
    l->list[l->n++] =
        (struct policy_finding){fault, error, false, policy_take(k->a, &k->text), names, k->nnames};
    k->nnames = 0;
}

/* ---- references --------------------------------------------------------------------------------------------------------- */

static void index_names(struct look *k, struct index *x)
{
    uint32_t n = api_set_count(k->objects);

    x->at = ARENA_NEW(k->a, struct key, n + 1);
    k->served.at = ARENA_NEW(k->a, struct key, n + 1);
    k->cohorts = ARENA_NEW(k->a, const struct fact_cohort *, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const struct object *o = api_set_at(k->objects, i);
        if (o->kind == API_FLAVOR || o->kind == API_CLUSTER_QUEUE || o->kind == API_ADMISSION_CHECK)
            x->at[x->n++] = (struct key){o->kind, o->name};
        else if (o->kind == API_LOCAL_QUEUE)
            k->served.at[k->served.n++] = (struct key){o->kind, o->local_queue.cluster_queue};
        else if (o->kind == API_COHORT)
            k->cohorts[k->ncohorts++] = &o->cohort;
    }
    if (x->n > 1)
        qsort(x->at, x->n, sizeof(*x->at), compare_keys);
    if (k->served.n > 1)
        qsort(k->served.at, k->served.n, sizeof(*k->served.at), compare_keys);
}

static bool known(const struct index *x, enum api_kind kind, const char *name)
{
    const struct key key = {kind, name};

    return x->n && bsearch(&key, x->at, x->n, sizeof(*x->at), compare_keys);
}

static void missing(struct look *k, enum policy_fault fault, bool error, const struct object *o,
                    const char *kind, const char *name)
{
    str_addf(&k->text, "%s %s%s%s refers to %s %s, which is not there", api_kind_name(o->kind), o->ns,
             *o->ns ? "/" : "", o->name, kind, name);
    name_object(k, api_kind_name(o->kind), o->ns, o->name);
    name_object(k, kind, "", name);
    found(k, fault, error);
}

static void check_flavors(struct look *k, const struct index *x, const struct object *o,
                          const struct fact_resource_group *groups, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t f = 0; f < groups[i].nflavors; f++)
            if (!known(x, API_FLAVOR, groups[i].flavors[f].flavor))
                missing(k, FAULT_NO_FLAVOR, true, o, "ResourceFlavor", groups[i].flavors[f].flavor);
}

static void check_references(struct look *k)
{
    struct index x = {0};

    index_names(k, &x);
    for (uint32_t i = 0; i < api_set_count(k->objects); i++) {
        const struct object *o = api_set_at(k->objects, i);
        if (o->kind == API_CLUSTER_QUEUE) {
            check_flavors(k, &x, o, o->cluster_queue.groups, o->cluster_queue.ngroups);
            for (uint32_t c = 0; c < o->cluster_queue.nchecks; c++)
                if (!known(&x, API_ADMISSION_CHECK, o->cluster_queue.checks[c].name))
                    missing(k, FAULT_NO_CHECK, true, o, "AdmissionCheck", o->cluster_queue.checks[c].name);
        } else if (o->kind == API_COHORT) {
            check_flavors(k, &x, o, o->cohort.groups, o->cohort.ngroups);
        } else if (o->kind == API_LOCAL_QUEUE &&
                   !known(&x, API_CLUSTER_QUEUE, o->local_queue.cluster_queue)) {
            missing(k, FAULT_NO_CLUSTER_QUEUE, true, o, "ClusterQueue", o->local_queue.cluster_queue);
        }
    }
}

/* ---- cycles ------------------------------------------------------------------------------------------------------------- */

static const struct fact_cohort *cohort_named(const struct look *k, const char *name)
{
    for (uint32_t i = 0; *name && i < k->ncohorts; i++)
        if (!strcmp(k->cohorts[i]->name, name))
            return k->cohorts[i];
    return NULL;
}

/* Is it on a cycle, and the first of it by name? */
static bool leads_cycle(const struct look *k, const struct fact_cohort *c)
{
    const struct fact_cohort *at = cohort_named(k, c->parent);

    for (uint32_t steps = 0; at && steps < CHAIN_MAX; steps++) {
        if (!strcmp(at->name, c->name))
            return true;
        if (strcmp(at->name, c->name) < 0)
            return false;
        at = cohort_named(k, at->parent);
    }
    return false;
}

static void check_cycles(struct look *k)
{
    for (uint32_t i = 0; i < k->ncohorts; i++) {
        const struct fact_cohort *o = k->cohorts[i];
        if (!leads_cycle(k, o))
            continue;
        str_addf(&k->text, "Cohorts are each other's ancestors: %s", o->name);
        name_object(k, "Cohort", "", o->name);
        for (const struct fact_cohort *c = cohort_named(k, o->parent); strcmp(c->name, o->name) != 0;
             c = cohort_named(k, c->parent)) {
            str_addf(&k->text, " -> %s", c->name);
            name_object(k, "Cohort", "", c->name);
        }
        str_addf(&k->text, " -> %s; no queue below them admits anything", o->name);
        found(k, FAULT_COHORT_CYCLE, true);
    }
}

/* ---- quotas ------------------------------------------------------------------------------------------------------------- */

static const char *node_name(const struct look *k, const struct tree *t, uint32_t node)
{
    return names_text(world_names(k->w), t->nodes[node].name);
}

/* May the ClusterQueue `cq` have any of what `from` owns? Up, what lendingLimits leave visible; down, what borrowingLimits let in. */
static bool reaches(const struct tree *t, uint32_t from, uint32_t cq, uint32_t col)
{
    uint32_t up = from;

    for (; !(up <= cq && cq < t->nodes[up].end); up = t->nodes[up].parent) {
        const struct cell *c = tree_cell(t, up, col);
        if (amount_sub(c->quota, c->private_quota) <= 0)
            return false;
    }
    for (uint32_t i = cq; i != up; i = t->nodes[i].parent) {
        const struct cell *c = tree_cell(t, i, col);
        if (c->has_borrowing && c->borrowing <= 0)
            return false;
    }
    return tree_cell(t, cq, col)->own;
}

/* Has it a LocalQueue? Where there are none at all, they are kept elsewhere. */
static bool is_served(const struct look *k, const char *queue)
{
    const struct key key = {API_LOCAL_QUEUE, queue};

    return !k->served.n ||
           bsearch(&key, k->served.at, k->served.n, sizeof(*k->served.at), compare_keys) != NULL;
}

static bool somebody_reaches(const struct look *k, const struct tree *t, uint32_t from, uint32_t col)
{
    if (t->nodes[from].cq != TREE_NONE && is_served(k, node_name(k, t, from)))
        return true;
    for (uint32_t i = 0; i < t->nnodes; i++)
        if (t->nodes[i].cq != TREE_NONE && reaches(t, from, i, col) && is_served(k, node_name(k, t, i)))
            return true;
    return false;
}

static void check_node_quota(struct look *k, const struct tree *t, uint32_t node)
{
    bool is_cohort = t->nodes[node].cq == TREE_NONE;
    const char *kind = is_cohort ? "Cohort" : "ClusterQueue";

    for (uint32_t col = 0; col < t->ncols; col++) {
        const struct pair_names p = world_pair(k->w, t->fr[col]);
        if (tree_cell(t, node, col)->nominal <= 0 || somebody_reaches(k, t, node, col))
            continue;
        str_addf(&k->text, "%s %s owns %s of flavor %s, which no queue can use", kind, node_name(k, t, node),
                 p.resource, p.flavor);
        str_add(&k->text, is_cohort ? "" : ": it has no LocalQueue, and lends nothing to one that has");
        name_object(k, kind, "", node_name(k, t, node));
        found(k, FAULT_UNREACHABLE, false);
    }
}

/* All flavors of one resource of a ClusterQueue together. */
struct supply {
    bool owns, reaches;
};

static struct supply supply_of(const struct look *k, const struct tree *t, uint32_t node,
                               const struct fact_resource_group *g, uint32_t r)
{
    struct supply s = {0};

    for (uint32_t f = 0; f < g->nflavors; f++) {
        uint32_t fr = world_find_pair(k->w, g->flavors[f].flavor, g->resources[r]);
        uint32_t col = fr == NONE ? TREE_NONE : tree_col(t, fr);
        if (col == TREE_NONE)
            continue;
        s.owns |= tree_cell(t, node, col)->nominal > 0;
        s.reaches |= tree_cell(t, node, col)->potential > 0;
    }
    return s;
}

static void check_supply(struct look *k, const struct tree *t, uint32_t node,
                         const struct fact_cluster_queue *q)
{
    bool preempts = q->preemption.borrow_within_cohort && q->preemption.borrow_policy != POLICY_NEVER;

    for (uint32_t i = 0; i < q->ngroups; i++)
        for (uint32_t r = 0; r < q->groups[i].nresources; r++) {
            const struct supply s = supply_of(k, t, node, &q->groups[i], r);
            if (s.owns || (s.reaches && preempts))
                continue;
            str_addf(
                &k->text,
                s.reaches
                    ? "ClusterQueue %s owns no %s and cannot take any from others: it can starve while they "
                      "use what they own"
                    : "ClusterQueue %s can never have any %s: it owns none and cannot borrow",
                q->name, q->groups[i].resources[r]);
            name_object(k, "ClusterQueue", "", q->name);
            found(k, s.reaches ? FAULT_MAY_STARVE : FAULT_STARVES, false);
        }
}

static void check_limits(struct look *k, const struct tree *t, uint32_t node, const char *queue)
{
    for (uint32_t col = 0; col < t->ncols; col++) {
        const struct cell *c = tree_cell(t, node, col);
        const struct pair_names p = world_pair(k->w, t->fr[col]);
        if (!c->own || !c->has_borrowing || c->borrowing <= 0 || c->potential > c->quota)
            continue;
        str_addf(&k->text, "ClusterQueue %s may borrow %s of flavor %s, but nobody lends it any", queue,
                 p.resource, p.flavor);
        name_object(k, "ClusterQueue", "", queue);
        found(k, FAULT_NOTHING_TO_BORROW, false);
    }
}

static void check_quotas(struct look *k)
{
    const struct tree *t;

    for (uint32_t i = 0; (t = world_tree(k->w, i)); i++)
        for (uint32_t n = 0; !t->cyclic && n < t->nnodes; n++)
            check_node_quota(k, t, n);
    for (uint32_t i = 0; i < api_set_count(k->objects); i++) {
        const struct object *o = api_set_at(k->objects, i);
        uint32_t cq = o->kind == API_CLUSTER_QUEUE ? world_cq_find(k->w, o->name) : NONE;
        if (cq == NONE || !world_cq(k->w, cq).tree || world_cq(k->w, cq).tree->cyclic)
            continue;
        const struct cq_view v = world_cq(k->w, cq);
        check_supply(k, v.tree, v.node, &o->cluster_queue);
        check_limits(k, v.tree, v.node, o->name);
    }
}

/* ---- a run that does not end -------------------------------------------------------------------------------------------- */

static void check_loop(struct look *k, const uint32_t *released)
{
    uint32_t n = 0;

    if (sim_end(k->s) != SIM_RESTLESS && sim_end(k->s) != SIM_STOPPED)
        return;
    str_add(&k->text, "evictions go on and on, with nothing new from outside:");
    for (uint32_t i = 0; released && i < sim_count(k->s); i++) {
        const struct sim_wl *sw = sim_at(k->s, i);
        if (released[i] < 2)
            continue;
        if (n++ < LOOP_NAMES_MAX) {
            str_addf(&k->text, "%s %s", n > 1 ? "," : "", sw->key);
            name_object(k, "Workload", sw->fact->ns, sw->fact->name);
        }
    }
    if (n > LOOP_NAMES_MAX)
        str_addf(&k->text, " and %u more", n - LOOP_NAMES_MAX);
    found(k, FAULT_EVICTION_LOOP, true);
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

static int compare_findings(const void *a, const void *b)
{
    const struct policy_finding *x = a, *y = b;

    if (x->fault != y->fault)
        return x->fault < y->fault ? -1 : 1;
    return strcmp(x->text, y->text);
}

int policy_lint_find(struct policy_lint *l, struct arena *a, const struct api_set *objects,
                     const struct sim *s, const uint32_t *released, struct err *err)
{
    struct look k = {.l = l, .a = a, .objects = objects, .s = s, .w = sim_world(s)};
    jmp_buf bail, *outer = a->bail;
    int rc = world_settle(k.w, err);

    if (rc)
        return rc;
    str_init(&k.text, 0);
    str_init(&k.name, 0);
    a->bail = &bail;
    if (setjmp(bail)) {
        rc = err_set(err, ERR_NOMEM, "out of memory for findings");
    } else {
        check_references(&k);
        check_cycles(&k);
        check_quotas(&k);
        check_loop(&k, released);
        if (l->n > 1)
            qsort(l->list, l->n, sizeof(*l->list), compare_findings);
    }
    a->bail = outer;
    str_free(&k.text);
    str_free(&k.name);
    return rc;
}
