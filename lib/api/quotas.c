#include "api/kinds.h"

#include "api/labels.h"

#include <string.h>

/* Resource groups, weights, preemption and stop policies (engine.md 1.2, 1.3). */

enum {
    GROUPS_MAX = 16,
    GROUP_ITEMS_MAX = 64, /* flavors or resources of a group */
    TOTAL_MAX = 256,      /* flavors, and resources, of all groups of a ClusterQueue */
    GROUP_COMBINATIONS_MAX = 512,
};

struct owner {
    enum quota_owner kind;
    bool has_parent;
};

#define NOT_NEGATIVE "must be greater than or equal to 0"

/* ---- one resource of one flavor ----------------------------------------------------------------------------------------- */

static bool read_quota_field(struct reader *rd, const struct doc_node *n, const char *field,
                             struct quantity *ret)
{
    bool has = rd_quantity(rd, n, field, ret);
    if (has && rd_validates(rd) && quantity_sign(*ret) < 0)
        rd_invalid(rd, doc_field(n, field), NOT_NEGATIVE);
    return has;
}

static void check_limits(struct reader *rd, const struct doc_node *n, const struct owner *o,
                         const struct fact_quota *q)
{
    const char *no_parent =
        o->kind == OWNER_COHORT ? "must be nil when parent is empty" : "must be nil when cohort is empty";
    if (!doc_field(n, "nominalQuota"))
        rd_required(rd, n, "nominalQuota");
    if (q->has_borrowing && !o->has_parent)
        rd_invalid(rd, doc_field(n, "borrowingLimit"), no_parent);
    if (q->has_lending && !o->has_parent)
        rd_invalid(rd, doc_field(n, "lendingLimit"), no_parent);
    /* A cohort also lends what its children bring. */
    if (q->has_lending && o->kind == OWNER_CLUSTER_QUEUE && quantity_cmp(q->lending, q->nominal) > 0)
        rd_invalid(rd, doc_field(n, "lendingLimit"), "must be less than or equal to the nominalQuota");
}

static void read_quota(struct reader *rd, const struct doc_node *n, const struct owner *o,
                       struct fact_quota *ret)
{
    rd_known(rd, n, "name nominalQuota borrowingLimit lendingLimit ");
    read_quota_field(rd, n, "nominalQuota", &ret->nominal);
    ret->has_borrowing = read_quota_field(rd, n, "borrowingLimit", &ret->borrowing);
    ret->has_lending = read_quota_field(rd, n, "lendingLimit", &ret->lending);
    if (rd_validates(rd))
        check_limits(rd, n, o, ret);
}

/* ---- one flavor --------------------------------------------------------------------------------------------------------- */

static uint32_t find_resource(const struct fact_resource_group *g, const char *name)
{
    for (uint32_t i = 0; i < g->nresources; i++) {
        if (strcmp(g->resources[i], name) == 0)
            return i;
    }
    return UINT32_MAX;
}

/* Quotas are put where their resource stands in coveredResources. By the rules that is the same index; without the rules the name
 * decides. */
static void read_flavor_quotas(struct reader *rd, const struct doc_node *n, const struct owner *o,
                               const struct fact_resource_group *g, struct fact_flavor_quotas *ret)
{
    rd_known(rd, n, "name resources ");
    ret->flavor = rd_name(rd, n, "name", dns_subdomain_problem, false);
    struct fact_quota *quotas = ARENA_NEW(rd->arena, struct fact_quota, g->nresources + 1);
    ret->quotas = quotas;
    rd_check_list(rd, n, "resources", 1, GROUP_ITEMS_MAX);
    const struct doc_node *list = rd_list(rd, n, "resources");
    doc_foreach (c, list) {
        if (c->type != DOC_MAP) {
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
            continue;
        }
        const char *name = rd_name(rd, c, "name", NULL, false);
        uint32_t i = find_resource(g, name);
        if (rd_validates(rd) && *name && c->index < g->nresources &&
            strcmp(g->resources[c->index], name) != 0)
            rd_error_at(rd, c, "name", "Invalid value: \"%.256s\": must match the name in coveredResources",
                        name);
        struct fact_quota unlisted = {0};
        read_quota(rd, c, o, i < g->nresources ? &quotas[i] : &unlisted);
    }
}

/* ---- groups ------------------------------------------------------------------------------------------------------------- */

static void read_group(struct reader *rd, const struct doc_node *n, const struct owner *o,
                       struct fact_resource_group *ret)
{
    rd_known(rd, n, "coveredResources flavors ");
    rd_check_list(rd, n, "coveredResources", 1, GROUP_ITEMS_MAX);
    rd_check_list(rd, n, "flavors", 1, GROUP_ITEMS_MAX);
    ret->resources = rd_strings(rd, n, "coveredResources", &ret->nresources);
    const struct doc_node *list = rd_list(rd, n, "flavors");
    /* Beyond the maximum (already an error) nothing is read: the work stays linear. */
    if (!list || (rd_validates(rd) && (list->n > GROUP_ITEMS_MAX || ret->nresources > GROUP_ITEMS_MAX)))
        return;
    struct fact_flavor_quotas *flavors = ARENA_NEW(rd->arena, struct fact_flavor_quotas, list->n + 1);
    ret->flavors = flavors;
    doc_foreach (c, list) {
        if (c->type == DOC_MAP)
            read_flavor_quotas(rd, c, o, ret, &flavors[ret->nflavors++]);
        else
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
    }
}

static void check_group(struct reader *rd, const struct doc_node *group)
{
    const struct doc_node *covered = doc_field(group, "coveredResources"),
                          *flavors = doc_field(group, "flavors");
    doc_foreach (c, covered) {
        const char *why = c->type == DOC_STRING ? label_key_problem(c->text) : NULL;
        if (why)
            rd_invalid(rd, c, why);
    }
    doc_foreach (f, flavors) {
        const struct doc_node *resources = doc_field(f, "resources");
        if (covered && resources && resources->n != covered->n) {
            rd_error(rd, group,
                     "Invalid value: flavors must have the same number of resources as the coveredResources");
            break;
        }
    }
}

/* Is the same text at `list` of this or an earlier group, before `n`? `field` is the field of the items, NULL for plain strings. */
static bool seen_before(const struct doc_node *groups, const char *list, const char *field,
                        const struct doc_node *n, const char *text)
{
    doc_foreach (g, groups) {
        const struct doc_node *items = doc_field(g, list);
        doc_foreach (c, items) {
            const struct doc_node *mine = field ? doc_field(c, field) : c;
            if (mine == n)
                return false;
            if (doc_is_text(mine, text))
                return true;
        }
    }
    return false;
}

static void check_duplicates(struct reader *rd, const struct doc_node *groups, const char *list,
                             const char *field)
{
    doc_foreach (g, groups) {
        const struct doc_node *items = doc_field(g, list);
        doc_foreach (c, items) {
            const struct doc_node *n = field ? doc_field(c, field) : c;
            if (doc_is(n, DOC_STRING) && seen_before(groups, list, field, n, n->text))
                rd_duplicate(rd, n);
        }
    }
}

static void check_totals(struct reader *rd, const struct doc_node *groups)
{
    uint32_t flavors = 0, resources = 0;
    doc_foreach (g, groups) {
        const struct doc_node *f = doc_field(g, "flavors"), *r = doc_field(g, "coveredResources");
        uint32_t nf = f ? f->n : 0, nr = r ? r->n : 0;
        flavors += nf;
        resources += nr;
        if ((uint64_t)nf * nr > GROUP_COMBINATIONS_MAX)
            rd_error(rd, g,
                     "Invalid value: number of flavor-resource combinations in a resourceGroup must be ≤ %d, "
                     "got %u",
                     GROUP_COMBINATIONS_MAX, nf * nr);
    }
    if (flavors > TOTAL_MAX)
        rd_error(rd, groups,
                 "Invalid value: total number of flavors across all resourceGroups must be ≤ %d, got %u",
                 TOTAL_MAX, flavors);
    if (resources > TOTAL_MAX)
        rd_error(
            rd, groups,
            "Invalid value: total number of covered resources across all resourceGroups must be ≤ %d, got %u",
            TOTAL_MAX, resources);
}

/* True when every list keeps its maximum: only then are names compared with each other. */
static bool within_maxima(const struct doc_node *groups)
{
    doc_foreach (g, groups) {
        const struct doc_node *f = doc_field(g, "flavors"), *r = doc_field(g, "coveredResources");
        if ((f && f->n > GROUP_ITEMS_MAX) || (r && r->n > GROUP_ITEMS_MAX))
            return false;
    }
    return groups->n <= GROUPS_MAX;
}

static void check_groups(struct reader *rd, const struct doc_node *groups, const struct owner *o)
{
    if (groups->n > GROUPS_MAX)
        rd_too_many(rd, groups, GROUPS_MAX);
    if (o->kind == OWNER_CLUSTER_QUEUE)
        check_totals(rd, groups);
    if (!within_maxima(groups))
        return;
    doc_foreach (g, groups)
        check_group(rd, g);
    check_duplicates(rd, groups, "coveredResources", NULL);
    check_duplicates(rd, groups, "flavors", "name");
}

const struct fact_resource_group *read_resource_groups(struct reader *rd, const struct doc_node *list,
                                                       enum quota_owner owner, bool has_parent,
                                                       uint32_t *ret_n)
{
    struct owner o = {.kind = owner, .has_parent = has_parent};
    *ret_n = 0;
    if (!list)
        return NULL;
    struct fact_resource_group *out = ARENA_NEW(rd->arena, struct fact_resource_group, list->n + 1);
    doc_foreach (c, list) {
        if (c->type == DOC_MAP)
            read_group(rd, c, &o, &out[(*ret_n)++]);
        else
            rd_error(rd, c, "must be a map, not a %s", doc_type_name(c->type));
    }
    if (rd_validates(rd))
        check_groups(rd, list, &o);
    return out;
}

/* ---- what queues and cohorts share -------------------------------------------------------------------------------------- */

struct fact_weight read_weight(struct reader *rd, const struct doc_node *spec)
{
    struct fact_weight w = {0};
    const struct doc_node *fair = rd_map(rd, spec, "fairSharing");
    rd_known(rd, fair, "weight ");
    w.set = rd_quantity(rd, fair, "weight", &w.value);
    if (!w.set || !rd_validates(rd))
        return w;
    const struct quantity one_nano = {.coef = 1, .exp10 = -9};
    if (quantity_sign(w.value) < 0)
        rd_invalid(rd, doc_field(fair, "weight"), NOT_NEGATIVE);
    else if (quantity_sign(w.value) > 0 && quantity_cmp(w.value, one_nano) <= 0)
        rd_invalid(rd, doc_field(fair, "weight"), "When not 0, weight must be > 10e-9");
    return w;
}

enum stop_policy read_stop_policy(struct reader *rd, const struct doc_node *spec)
{
    static const struct rd_word words[] = {
        {"None", STOP_NONE},
        {"Hold", STOP_HOLD},
        {"HoldAndDrain", STOP_HOLD_AND_DRAIN},
    };
    return (enum stop_policy)RD_WORD(rd, spec, "stopPolicy", words, STOP_NONE);
}

static void read_borrow_within(struct reader *rd, const struct doc_node *n, struct fact_preemption *ret)
{
    static const struct rd_word words[] = {
        {"Never", POLICY_NEVER},
        {"LowerPriority", POLICY_LOWER_PRIORITY},
    };
    rd_known(rd, n, "policy maxPriorityThreshold ");
    ret->borrow_within_cohort = n != NULL;
    ret->borrow_policy = (enum preempt_policy)RD_WORD(rd, n, "policy", words, POLICY_NEVER);
    ret->has_threshold = rd_i32(rd, n, "maxPriorityThreshold", &ret->max_priority_threshold);
}

struct fact_preemption read_preemption(struct reader *rd, const struct doc_node *n)
{
    /* The engine knows the last one too (engine.md 1.2), the API does not allow it. */
    static const struct rd_word reclaim[] = {
        {"Never", POLICY_NEVER},
        {"LowerPriority", POLICY_LOWER_PRIORITY},
        {"Any", POLICY_ANY},
        {"LowerOrNewerEqualPriority", POLICY_LOWER_OR_NEWER_EQUAL},
    };
    static const struct rd_word within[] = {
        {"Never", POLICY_NEVER},
        {"LowerPriority", POLICY_LOWER_PRIORITY},
        {"LowerOrNewerEqualPriority", POLICY_LOWER_OR_NEWER_EQUAL},
    };
    enum preempt_policy unset = n && !rd_defaults(rd) ? POLICY_UNSET : POLICY_NEVER;
    struct fact_preemption p = {0};
    rd_known(rd, n, "reclaimWithinCohort borrowWithinCohort withinClusterQueue ");
    p.reclaim_within_cohort =
        (enum preempt_policy)rd_word(rd, n, "reclaimWithinCohort", reclaim, rd_validates(rd) ? 3 : 4, unset);
    p.within_cluster_queue = (enum preempt_policy)RD_WORD(rd, n, "withinClusterQueue", within, unset);
    read_borrow_within(rd, rd_map(rd, n, "borrowWithinCohort"), &p);
    if (rd_validates(rd) && p.reclaim_within_cohort == POLICY_NEVER && p.borrow_policy != POLICY_NEVER)
        rd_error(rd, n, "Invalid value: reclaimWithinCohort=Never and borrowWithinCohort.Policy!=Never");
    return p;
}
