#include "api/kinds.h"

#include "api/labels.h"

#include <string.h>

/* ClusterQueue, Cohort, LocalQueue (engine.md 1.2 to 1.4). */

enum { CHECKS_MAX = 64, ON_FLAVORS_MAX = 64, CHECK_NAME_MAX = 316, VARIANTS_MAX = 16 };

/* ---- parts of a ClusterQueue -------------------------------------------------------------------------------------------- */

static enum queueing_strategy read_strategy(struct reader *rd, const struct doc_node *spec)
{
    static const struct rd_word words[] = {
        {"StrictFIFO", STRATEGY_STRICT_FIFO},
        {"BestEffortFIFO", STRATEGY_BEST_EFFORT_FIFO},
    };
    return (enum queueing_strategy)RD_WORD(rd, spec, "queueingStrategy", words,
                                           rd_defaults(rd) ? STRATEGY_BEST_EFFORT_FIFO : STRATEGY_UNSET);
}

static void read_fungibility(struct reader *rd, const struct doc_node *n, struct fact_cluster_queue *ret)
{
    static const struct rd_word when[] = {
        {"MayStopSearch", FUNGIBILITY_MAY_STOP},
        {"TryNextFlavor", FUNGIBILITY_TRY_NEXT},
    };
    static const struct rd_word preference[] = {
        {"BorrowingOverPreemption", PREFER_BORROWING},
        {"PreemptionOverBorrowing", PREFER_PREEMPTION},
    };
    bool d = rd_defaults(rd);
    rd_known(rd, n, "whenCanBorrow whenCanPreempt preference ");
    ret->when_can_borrow =
        (enum fungibility)RD_WORD(rd, n, "whenCanBorrow", when, d ? FUNGIBILITY_MAY_STOP : FUNGIBILITY_UNSET);
    ret->when_can_preempt = (enum fungibility)RD_WORD(rd, n, "whenCanPreempt", when,
                                                      d ? FUNGIBILITY_TRY_NEXT : FUNGIBILITY_UNSET);
    ret->preference = (enum fungibility_preference)RD_WORD(rd, n, "preference", preference, PREFER_UNSET);
    if (rd_validates(rd) && ret->preference != PREFER_UNSET &&
        (ret->when_can_borrow != FUNGIBILITY_TRY_NEXT || ret->when_can_preempt != FUNGIBILITY_TRY_NEXT))
        rd_error_at(
            rd, n, "preference",
            "Invalid value: \"%s\": preference \"%s\" requires both whenCanBorrow and whenCanPreempt to be "
            "TryNextFlavor",
            doc_str_or(n, "preference", ""), doc_str_or(n, "preference", ""));
}

static bool has_flavor(const struct fact_cluster_queue *q, const char *name)
{
    for (uint32_t g = 0; g < q->ngroups; g++) {
        for (uint32_t f = 0; f < q->groups[g].nflavors; f++) {
            if (strcmp(q->groups[g].flavors[f].flavor, name) == 0)
                return true;
        }
    }
    return false;
}

static void read_check(struct reader *rd, const struct doc_node *n, void *ret)
{
    struct fact_cq_check *c = ret;
    rd_known(rd, n, "name onFlavors ");
    c->name = rd_name(rd, n, "name", NULL, false);
    c->on_flavors = rd_strings(rd, n, "onFlavors", &c->non_flavors);
    rd_check_list(rd, n, "onFlavors", 0, ON_FLAVORS_MAX);
    if (rd_validates(rd) && strlen(c->name) > CHECK_NAME_MAX)
        rd_error_at(rd, n, "name", "Too long: may not be more than %d bytes", CHECK_NAME_MAX);
}

/* ---- onFlavors ---------------------------------------------------------------------------------------------------------- */

/* Are two lists of strings the same set? */
static bool same_set(const struct doc_node *a, const struct doc_node *b)
{
    const struct doc_node *lists[] = {a, b, a};
    for (int i = 0; i < 2; i++) {
        doc_foreach (c, lists[i]) {
            bool found = false;
            doc_foreach (d, lists[i + 1])
                found = found || doc_is_text(d, c->text);
            if (!found)
                return false;
        }
    }
    return true;
}

static bool is_flavor_of(const struct doc_node *groups, const char *name)
{
    doc_foreach (g, groups) {
        if (item_named(doc_field(g, "flavors"), name))
            return true;
    }
    return false;
}

/* Is each flavor of `a` one of `b`? */
static bool flavors_within(const struct doc_node *a, const struct doc_node *b)
{
    doc_foreach (g, a) {
        const struct doc_node *flavors = doc_field(g, "flavors");
        doc_foreach (f, flavors) {
            if (!is_flavor_of(b, doc_str_or(f, "name", "")))
                return false;
        }
    }
    return true;
}

/* A check that was wrong before may stay so as long as neither it nor the flavors change (rule 9 of engine.md 1.2). */
static bool is_old_fault(struct reader *rd, const struct doc_node *check)
{
    const struct doc_node *old = doc_path(rd->before, "spec.admissionChecksStrategy.admissionChecks");
    const struct doc_node *was = item_named(old, doc_str_or(check, "name", ""));
    const struct doc_node *a = doc_path(rd->before, "spec.resourceGroups"),
                          *b = doc_path(rd->root, "spec.resourceGroups");
    return was && same_set(doc_field(was, "onFlavors"), doc_field(check, "onFlavors")) &&
           flavors_within(a, b) && flavors_within(b, a) &&
           !rd_gate(rd, "RejectUpdatesToCQWithInvalidOnFlavors");
}

static void check_on_flavors(struct reader *rd, const struct doc_node *check,
                             const struct fact_cluster_queue *q)
{
    const struct doc_node *flavors = doc_field(check, "onFlavors");
    doc_foreach (f, flavors) {
        if (f->type == DOC_STRING && !has_flavor(q, f->text) && !is_old_fault(rd, check))
            rd_error(rd, f, "Unsupported value: \"%.256s\": must be a flavor of the ClusterQueue", f->text);
    }
}

static void read_checks(struct reader *rd, const struct doc_node *spec, struct fact_cluster_queue *ret)
{
    const struct doc_node *strategy = rd_map(rd, spec, "admissionChecksStrategy");
    rd_known(rd, strategy, "admissionChecks ");
    const struct doc_node *list = rd_list(rd, strategy, "admissionChecks");
    ret->checks = rd_items(rd, list, sizeof(*ret->checks), read_check, &ret->nchecks);
    if (!strategy || !rd_validates(rd))
        return;
    rd_check_list(rd, strategy, "admissionChecks", list ? 1 : 0, CHECKS_MAX);
    rd_check_unique(rd, list, "name");
    doc_foreach (c, list)
        check_on_flavors(rd, c, ret);
}

/* ---- concurrent admission (rule 11) ------------------------------------------------------------------------------------- */

static void check_concurrent(struct reader *rd, const struct doc_node *spec,
                             const struct fact_cluster_queue *q)
{
    const struct doc_node *migration = doc_path(spec, "concurrentAdmissionPolicy.migration");
    const struct doc_node *constraints = doc_field(migration, "constraints");
    const char *mode = doc_str_or(migration, "mode", "");
    const char *last = doc_str_or(constraints, "lastAcceptableFlavorName", "");
    if (q->ngroups != 1)
        rd_error_at(
            rd, spec, "resourceGroups",
            "Invalid value: %u: must have exactly one ResourceGroup when ConcurrentAdmissionPolicy is "
            "defined",
            q->ngroups);
    else if (q->groups[0].nflavors > VARIANTS_MAX)
        rd_too_many(rd, doc_field(doc_at(doc_field(spec, "resourceGroups"), 0), "flavors"), VARIANTS_MAX);
    if (constraints && *mode && strcmp(mode, "TryPreferredFlavors") != 0)
        rd_error(rd, constraints, "Forbidden: may only be set with mode TryPreferredFlavors");
    else if (*last && !has_flavor(q, last))
        rd_error_at(rd, constraints, "lastAcceptableFlavorName",
                    "Invalid value: \"%.256s\": must be a flavor of the ClusterQueue", last);
    if (q->strategy == STRATEGY_STRICT_FIFO)
        rd_error_at(rd, spec, "queueingStrategy",
                    "Invalid value: \"StrictFIFO\": StrictFIFO queueing strategy cannot be used when "
                    "ConcurrentAdmissionPolicy is defined");
}

static bool read_afs_scope(struct reader *rd, const struct doc_node *spec)
{
    static const struct rd_word words[] = {
        {"UsageBasedAdmissionFairSharing", 1},
        {"NoAdmissionFairSharing", 0},
    };
    const struct doc_node *scope = rd_map(rd, spec, "admissionScope");
    rd_known(rd, scope, "admissionMode ");
    return RD_WORD(rd, scope, "admissionMode", words, 0) != 0;
}

void read_cluster_queue(struct reader *rd, struct object *o)
{
    struct fact_cluster_queue *q = &o->cluster_queue;
    const struct doc_node *spec = rd_map(rd, o->doc, "spec"), *meta = rd_map(rd, o->doc, "metadata");
    rd_known(rd, spec,
             "resourceGroups cohortName queueingStrategy namespaceSelector flavorFungibility preemption "
             "admissionChecksStrategy stopPolicy fairSharing admissionScope concurrentAdmissionPolicy ");
    q->name = o->name;
    q->cohort = rd_name(rd, spec, "cohortName", dns_subdomain_problem, true);
    q->strategy = read_strategy(rd, spec);
    q->stop = read_stop_policy(rd, spec);
    q->groups = read_resource_groups(rd, rd_list(rd, spec, "resourceGroups"), OWNER_CLUSTER_QUEUE, *q->cohort,
                                     &q->ngroups);
    read_selector(rd, rd_map(rd, spec, "namespaceSelector"), &q->namespaces);
    read_fungibility(rd, rd_map(rd, spec, "flavorFungibility"), q);
    q->preemption = read_preemption(rd, rd_map(rd, spec, "preemption"));
    read_checks(rd, spec, q);
    q->weight = read_weight(rd, spec);
    q->usage_based_afs = read_afs_scope(rd, spec);
    if (rd_validates(rd) && rd_map(rd, spec, "concurrentAdmissionPolicy") &&
        rd_gate(rd, "ConcurrentAdmission"))
        check_concurrent(rd, spec, q);
    q->deleting = rd_time(rd, meta, "deletionTimestamp") != WHEN_NONE;
    rd_i64(rd, meta, "generation", &q->generation);
}

/* ---- Cohort ------------------------------------------------------------------------------------------------------------- */

void read_cohort(struct reader *rd, struct object *o)
{
    struct fact_cohort *c = &o->cohort;
    const struct doc_node *spec = rd_map(rd, o->doc, "spec");
    rd_known(rd, spec, "parentName resourceGroups fairSharing ");
    c->name = o->name;
    c->parent = rd_name(rd, spec, "parentName", dns_subdomain_problem, true);
    c->groups =
        read_resource_groups(rd, rd_list(rd, spec, "resourceGroups"), OWNER_COHORT, *c->parent, &c->ngroups);
    c->weight = read_weight(rd, spec);
}

/* ---- LocalQueue --------------------------------------------------------------------------------------------------------- */

void read_local_queue(struct reader *rd, struct object *o)
{
    struct fact_local_queue *q = &o->local_queue;
    const struct doc_node *spec = rd_map(rd, o->doc, "spec"), *status = rd_map(rd, o->doc, "status");
    rd_known(rd, spec, "clusterQueue stopPolicy fairSharing ");
    q->ns = o->ns;
    q->name = o->name;
    q->cluster_queue = rd_name(rd, spec, "clusterQueue", dns_subdomain_problem, true);
    q->stop = read_stop_policy(rd, spec);
    q->weight = read_weight(rd, spec);
    q->deleting = rd_time(rd, rd_map(rd, o->doc, "metadata"), "deletionTimestamp") != WHEN_NONE;
    const struct doc_node *fair = rd_map(rd, status, "fairSharing");
    const struct doc_node *afs = rd_map(rd, fair, "admissionFairSharingStatus");
    q->consumed = rd_amounts(rd, afs, "consumedResources", &q->nconsumed);
    q->consumed_at = rd_time(rd, afs, "lastUpdate");
}
