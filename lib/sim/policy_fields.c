/* Objects as fields. ClusterQueues, Cohorts and LocalQueues are read from their facts, which have their defaults; of other kinds the
 * document is walked. Status and what an API server writes into the metadata is no policy. */
#include "sim/policy_priv.h"

#include "api/doc.h"

#include <string.h>

bool policy_is_kind(enum api_kind k)
{
    return k != API_WORKLOAD && k != API_JOB && k != API_JOB_SET && k != API_KINDS;
}

void policy_fields_init(struct policy_fields *f, struct arena *a)
{
    *f = (struct policy_fields){.a = a};
    str_init(&f->path, 0);
    str_init(&f->value, 0);
    str_init(&f->at, 0);
}

void policy_fields_free(struct policy_fields *f)
{
    str_free(&f->path);
    str_free(&f->value);
    str_free(&f->at);
}

/* Adds the field whose path and value stand in the two scratch strings. */
static struct policy_field *add(struct policy_fields *f, enum policy_area area)
{
    policy_grow(f->a, &f->list, f->n, &f->cap, sizeof(*f->list));
    struct policy_field *to = &f->list[f->n++];
    *to = (struct policy_field){policy_take(f->a, &f->path), policy_take(f->a, &f->value), "", "", area};
    return to;
}

static void add_text(struct policy_fields *f, enum policy_area area, const char *path, const char *value)
{
    str_add(&f->path, path);
    str_add(&f->value, value);
    (void)add(f, area);
}

static void add_number(struct policy_fields *f, enum policy_area area, const char *path, long long value)
{
    str_add(&f->path, path);
    str_addf(&f->value, "%lld", value);
    (void)add(f, area);
}

/* ---- quotas ------------------------------------------------------------------------------------------------------------- */

static void put_quantity(struct policy_fields *f, struct quantity q)
{
    char buf[64];

    (void)quantity_print(q, buf, sizeof(buf));
    str_add(&f->value, buf);
}

static void add_quota(struct policy_fields *f, const char *flavor, const char *resource, const char *name,
                      const struct quantity *q)
{
    str_addf(&f->path, "spec.resourceGroups.flavors[%s].resources[%s].%s", flavor, resource, name);
    if (q)
        put_quantity(f, *q);
    struct policy_field *to = add(f, strcmp(name, "nominalQuota") != 0 ? POLICY_LIMIT : POLICY_QUOTA);
    to->flavor = policy_copy(f->a, flavor);
    to->resource = policy_copy(f->a, resource);
}

/* The order of flavors decides which is tried first. */
static void add_order(struct policy_fields *f, const struct fact_resource_group *g)
{
    str_add(&f->path, "spec.resourceGroups[");
    for (uint32_t i = 0; i < g->nresources; i++)
        str_addf(&f->path, "%s%s", i ? "," : "", g->resources[i]);
    str_add(&f->path, "].flavors");
    for (uint32_t i = 0; i < g->nflavors; i++)
        str_addf(&f->value, "%s%s", i ? ", " : "", g->flavors[i].flavor);
    (void)add(f, POLICY_SETTING);
}

static void add_groups(struct policy_fields *f, const struct fact_resource_group *groups, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct fact_resource_group *g = &groups[i];
        add_order(f, g);
        for (uint32_t k = 0; k < g->nflavors; k++)
            for (uint32_t r = 0; r < g->nresources; r++) {
                const struct fact_quota *q = &g->flavors[k].quotas[r];
                add_quota(f, g->flavors[k].flavor, g->resources[r], "nominalQuota", &q->nominal);
                add_quota(f, g->flavors[k].flavor, g->resources[r], "borrowingLimit",
                          q->has_borrowing ? &q->borrowing : NULL);
                add_quota(f, g->flavors[k].flavor, g->resources[r], "lendingLimit",
                          q->has_lending ? &q->lending : NULL);
            }
    }
}

static void add_weight(struct policy_fields *f, struct fact_weight w)
{
    str_add(&f->path, "spec.fairSharing.weight");
    if (w.set)
        put_quantity(f, w.value);
    else
        str_add(&f->value, "1");
    (void)add(f, POLICY_WEIGHT);
}

/* ---- queues ------------------------------------------------------------------------------------------------------------- */

static const char *stop_name(enum stop_policy p)
{
    return p == STOP_HOLD ? "Hold" : p == STOP_HOLD_AND_DRAIN ? "HoldAndDrain" : "None";
}

static const char *preempt_name(enum preempt_policy p)
{
    static const char *const names[] = {"Never", "LowerPriority", "LowerOrNewerEqualPriority", "Any",
                                        "Never"};

    return names[p];
}

static const char *fungibility_name(enum fungibility v, const char *unset)
{
    return v == FUNGIBILITY_UNSET ? unset : v == FUNGIBILITY_TRY_NEXT ? "TryNextFlavor" : "MayStopSearch";
}

static void put_selector(struct str *out, const struct fact_selector *s)
{
    static const char *const ops[] = {"in", "notin", "exists", "!exists", ">", "<"};

    str_add(out, s->is_null ? "none" : s->nexprs ? "" : "all");
    for (uint32_t i = 0; i < s->nexprs; i++) {
        const struct fact_expr *e = &s->exprs[i];
        str_addf(out, "%s%s %s", i ? ", " : "", e->key, ops[e->op]);
        for (uint32_t k = 0; k < e->nvalues; k++)
            str_addf(out, "%s%s", k ? "|" : " ", e->values[k]);
    }
}

static void add_checks(struct policy_fields *f, const struct fact_cluster_queue *q)
{
    for (uint32_t i = 0; i < q->nchecks; i++) {
        str_addf(&f->path, "spec.admissionChecksStrategy.admissionChecks[%s].onFlavors", q->checks[i].name);
        str_add(&f->value, q->checks[i].non_flavors ? "" : "all");
        for (uint32_t k = 0; k < q->checks[i].non_flavors; k++)
            str_addf(&f->value, "%s%s", k ? ", " : "", q->checks[i].on_flavors[k]);
        (void)add(f, POLICY_SETTING);
    }
}

static void add_preemption(struct policy_fields *f, const struct fact_preemption *p)
{
    add_text(f, POLICY_SETTING, "spec.preemption.withinClusterQueue", preempt_name(p->within_cluster_queue));
    add_text(f, POLICY_SETTING, "spec.preemption.reclaimWithinCohort",
             preempt_name(p->reclaim_within_cohort));
    add_text(f, POLICY_SETTING, "spec.preemption.borrowWithinCohort.policy",
             p->borrow_within_cohort ? preempt_name(p->borrow_policy) : "Never");
    if (p->has_threshold)
        add_number(f, POLICY_SETTING, "spec.preemption.borrowWithinCohort.maxPriorityThreshold",
                   p->max_priority_threshold);
}

static void read_cluster_queue(struct policy_fields *f, const struct fact_cluster_queue *q)
{
    add_text(f, POLICY_TREE, "spec.cohortName", q->cohort);
    add_groups(f, q->groups, q->ngroups);
    add_weight(f, q->weight);
    add_text(f, POLICY_SETTING, "spec.queueingStrategy",
             q->strategy == STRATEGY_STRICT_FIFO ? "StrictFIFO" : "BestEffortFIFO");
    add_text(f, POLICY_SETTING, "spec.stopPolicy", stop_name(q->stop));
    add_preemption(f, &q->preemption);
    add_text(f, POLICY_SETTING, "spec.flavorFungibility.whenCanBorrow",
             fungibility_name(q->when_can_borrow, "MayStopSearch"));
    add_text(f, POLICY_SETTING, "spec.flavorFungibility.whenCanPreempt",
             fungibility_name(q->when_can_preempt, "TryNextFlavor"));
    add_text(f, POLICY_SETTING, "spec.flavorFungibility.preference",
             q->preference == PREFER_PREEMPTION  ? "PreemptionOverBorrowing"
             : q->preference == PREFER_BORROWING ? "BorrowingOverPreemption"
                                                 : "");
    str_add(&f->path, "spec.namespaceSelector");
    put_selector(&f->value, &q->namespaces);
    (void)add(f, POLICY_SETTING);
    add_checks(f, q);
    add_text(f, POLICY_SETTING, "spec.admissionScope.admissionMode",
             q->usage_based_afs ? "UsageBasedAdmissionFairSharing" : "NoAdmissionFairSharing");
}

/* ---- everything else ---------------------------------------------------------------------------------------------------- */

/* What names an item of a list: its name or key, else its place. */
static void put_step(struct str *path, const struct doc_node *n)
{
    const struct doc_node *list = n->parent;

    if (!doc_is(list, DOC_LIST)) {
        str_addf(path, "%s%s", path->len ? "." : "", n->key ? n->key : "");
        return;
    }
    const char *name = doc_str_or(n, "name", doc_str_or(n, "key", ""));
    if (*name)
        str_addf(path, "[%s]", name);
    else
        str_addf(path, "[%u]", n->index);
}

static void walk(struct policy_fields *f, const struct doc_node *n)
{
    struct str *at = &f->at;
    size_t len = at->len;

    put_step(at, n);
    if (n->first) {
        doc_foreach (child, n)
            walk(f, child);
    } else if (n->type != DOC_NULL) {
        if (str_failed(at))
            longjmp(*f->a->bail, 1);
        str_addn(&f->path, str_text(at), at->len);
        str_add(&f->value, n->text);
        if (n->type == DOC_LIST || n->type == DOC_MAP)
            str_add(&f->value, n->type == DOC_LIST ? "[]" : "{}");
        (void)add(f, POLICY_SETTING);
    }
    at->len = len;
    if (at->p)
        at->p[len] = '\0';
}

static void read_document(struct policy_fields *f, const struct object *o)
{
    if (o->kind == API_NAMESPACE && doc_path(o->doc, "metadata.labels"))
        walk(f, doc_path(o->doc, "metadata.labels"));
    doc_foreach (n, o->doc)
        if (n->key && strcmp(n->key, "apiVersion") != 0 && strcmp(n->key, "kind") != 0 &&
            strcmp(n->key, "metadata") != 0 && strcmp(n->key, "status") != 0 && o->kind != API_NAMESPACE)
            walk(f, n);
}

void policy_fields_read(struct policy_fields *f, const struct object *o)
{
    f->list = NULL;
    f->n = f->cap = 0;
    switch (o->kind) {
    case API_CLUSTER_QUEUE:
        read_cluster_queue(f, &o->cluster_queue);
        break;
    case API_COHORT:
        add_text(f, POLICY_TREE, "spec.parentName", o->cohort.parent);
        add_groups(f, o->cohort.groups, o->cohort.ngroups);
        add_weight(f, o->cohort.weight);
        break;
    case API_LOCAL_QUEUE:
        add_text(f, POLICY_TREE, "spec.clusterQueue", o->local_queue.cluster_queue);
        add_weight(f, o->local_queue.weight);
        add_text(f, POLICY_SETTING, "spec.stopPolicy", stop_name(o->local_queue.stop));
        break;
    default:
        read_document(f, o);
    }
}
