#include "api/kinds.h"

#include "api/labels.h"

#include <string.h>

/* ClusterQueue, Cohort, LocalQueue (engine.md 1.2 to 1.4). The rules of concurrentAdmissionPolicy hold only under a gate that is off. */

enum { CHECKS_MAX = 64, ON_FLAVORS_MAX = 64, CHECK_NAME_MAX = 316 };

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
    doc_foreach (c, list) {
        const struct doc_node *flavors = doc_field(c, "onFlavors");
        doc_foreach (f, flavors) {
            if (f->type == DOC_STRING && !has_flavor(ret, f->text))
                rd_error(rd, f, "Unsupported value: \"%.256s\": must be a flavor of the ClusterQueue",
                         f->text);
        }
    }
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
