/* Which ClusterQueues are active and why not (engine.md 9.1). */
#include "core/world_priv.h"

#include "base/str.h"

#include <string.h>

#define CHECK_MULTIKUEUE "kueue.x-k8s.io/multikueue"
#define CHECK_PROVISIONING "kueue.x-k8s.io/provisioning-request"

static const struct check *find_check(const struct world *w, uint32_t name)
{
    uint32_t i = idmap_get(&w->check_of, name);
    return i == NONE || !w->checks[i].exists ? NULL : &w->checks[i];
}

/* The problems of 9.1, in the order of its list. */
enum problem {
    PROBLEM_STOPPED,
    PROBLEM_FLAVOR,
    PROBLEM_CHECK_MISSING,
    PROBLEM_CHECK_INACTIVE,
    PROBLEM_MULTIKUEUE_MANY,
    PROBLEM_MULTIKUEUE_FLAVOR,
    PROBLEM_MULTIKUEUE_PROVISIONING,
    PROBLEM_TOPOLOGY,
    PROBLEMS
};

static const char *const problem_reason[PROBLEMS] = {
    "Stopped",
    "FlavorNotFound",
    "AdmissionCheckNotFound",
    "AdmissionCheckInactive",
    "MultipleMultiKueueAdmissionChecks",
    "MultiKueueAdmissionCheckAppliedPerFlavor",
    "MultiKueueWithProvisioningRequest",
    "TopologyNotFound",
};

struct inspection {
    bool found[PROBLEMS];
    struct str *text[PROBLEMS]; /* NULL: only look */
};

static void note(struct inspection *in, enum problem p, const char *lead, const char *name)
{
    struct str *t = in->text[p];
    if (t && !in->found[p])
        str_add(t, lead);
    else if (t)
        str_addc(t, ',');
    if (t)
        str_add(t, name);
    in->found[p] = true;
}

static bool is_multikueue(const struct world *w, const struct check *c)
{
    return c && strcmp(names_text(w->names, c->controller), CHECK_MULTIKUEUE) == 0;
}

static bool uses_multikueue(const struct world *w, const struct cluster_queue *cq)
{
    for (uint32_t i = 0; i < cq->nchecks; i++)
        if (is_multikueue(w, find_check(w, cq->checks[i].name)))
            return true;
    return false;
}

static void inspect_flavors(const struct world *w, const struct cluster_queue *cq, struct inspection *in)
{
    bool topology = gate_on(&w->gates, GATE_TAS) && !uses_multikueue(w, cq);
    for (uint32_t g = 0; g < cq->quotas.ngroups; g++)
        for (uint32_t f = 0; f < cq->quotas.groups[g].nflavors; f++) {
            uint32_t name = cq->quotas.groups[g].flavors[f];
            const struct flavor *fl = world_flavor(w, name);
            if (!fl) {
                note(in, PROBLEM_FLAVOR,
                     "references missing ResourceFlavor(s): ", names_text(w->names, name));
                continue;
            }
            const char *topo = fl->fact.topology;
            if (!topology || !*topo || in->found[PROBLEM_TOPOLOGY] ||
                idmap_get(&w->topologies, names_find(w->names, topo)) != NONE)
                continue;
            in->found[PROBLEM_TOPOLOGY] = true;
            if (in->text[PROBLEM_TOPOLOGY]) {
                str_add(in->text[PROBLEM_TOPOLOGY], "there is no Topology ");
                str_add_quoted(in->text[PROBLEM_TOPOLOGY], topo);
                str_add(in->text[PROBLEM_TOPOLOGY], " for TAS flavor ");
                str_add_quoted(in->text[PROBLEM_TOPOLOGY], names_text(w->names, name));
            }
        }
}

/* The next check in byte order of names after `prev` (0 = first); NULL ends. A ClusterQueue has few. */
static const struct cq_check *next_check(const struct world *w, const struct cluster_queue *cq,
                                         const struct cq_check *prev)
{
    const struct cq_check *best = NULL;
    for (uint32_t i = 0; i < cq->nchecks; i++) {
        const char *name = names_text(w->names, cq->checks[i].name);
        if (prev && strcmp(name, names_text(w->names, prev->name)) <= 0)
            continue;
        if (!best || strcmp(name, names_text(w->names, best->name)) < 0)
            best = &cq->checks[i];
    }
    return best;
}

/* Names the MultiKueue checks; with `per_flavor` only those on some flavors. */
static void note_multikueue(const struct world *w, const struct cluster_queue *cq, struct inspection *in,
                            enum problem p, bool per_flavor, const char *lead)
{
    for (const struct cq_check *c = NULL; (c = next_check(w, cq, c));)
        if (is_multikueue(w, find_check(w, c->name)) && (!per_flavor || c->nflavors))
            note(in, p, lead, names_text(w->names, c->name));
}

static bool is_provisioning(const struct world *w, const struct check *c)
{
    return c && strcmp(names_text(w->names, c->controller), CHECK_PROVISIONING) == 0;
}

static void inspect_checks(const struct world *w, const struct cluster_queue *cq, struct inspection *in)
{
    uint32_t nmultikueue = 0;
    bool provisioning = false;
    const struct cq_check *c = NULL;
    while ((c = next_check(w, cq, c))) {
        const char *name = names_text(w->names, c->name);
        const struct check *k = find_check(w, c->name);
        if (!k) {
            note(in, PROBLEM_CHECK_MISSING, "references missing AdmissionCheck(s): ", name);
            continue;
        }
        if (!k->active)
            note(in, PROBLEM_CHECK_INACTIVE, "references inactive AdmissionCheck(s): ", name);
        nmultikueue += is_multikueue(w, k);
        provisioning |= is_provisioning(w, k);
    }
    if (nmultikueue > 1)
        note_multikueue(w, cq, in, PROBLEM_MULTIKUEUE_MANY, false,
                        "Cannot use multiple MultiKueue AdmissionChecks on the same ClusterQueue, found: ");
    note_multikueue(w, cq, in, PROBLEM_MULTIKUEUE_FLAVOR, true,
                    "Cannot specify MultiKueue AdmissionCheck per flavor, found: ");
    if (!nmultikueue || !provisioning)
        return;
    for (c = NULL; (c = next_check(w, cq, c));) {
        const struct check *k = find_check(w, c->name);
        bool both = is_multikueue(w, k) || is_provisioning(w, k);
        if (both && in->found[PROBLEM_MULTIKUEUE_PROVISIONING] && in->text[PROBLEM_MULTIKUEUE_PROVISIONING])
            str_addf(in->text[PROBLEM_MULTIKUEUE_PROVISIONING], ", %s", names_text(w->names, c->name));
        else if (both)
            note(in, PROBLEM_MULTIKUEUE_PROVISIONING,
                 "Cannot use both MultiKueue and ProvisioningRequest AdmissionChecks together, found: ",
                 names_text(w->names, c->name));
    }
}

static void inspect(const struct world *w, const struct cluster_queue *cq, struct inspection *in)
{
    if (cq->stop != STOP_NONE)
        note(in, PROBLEM_STOPPED, "is stopped", "");
    inspect_flavors(w, cq, in);
    inspect_checks(w, cq, in);
}

static enum cq_state state_of(const struct world *w, const struct cluster_queue *cq)
{
    struct inspection in = {0};
    if (cq->deleting)
        return CQ_TERMINATING;
    inspect(w, cq, &in);
    for (int i = 0; i < PROBLEMS; i++)
        if (in.found[i])
            return CQ_PENDING;
    return CQ_ACTIVE;
}

void activity_update(struct world *w)
{
    for (uint32_t i = 0; i < w->ncqs; i++) {
        struct cluster_queue *cq = w->cqs[i];
        if (!cq->exists)
            continue;
        cq->state = state_of(w, cq);
        if (cq->state == CQ_ACTIVE && !cq->was_active)
            cq->flush_wanted = true; /* 4.7 event 4 */
        cq->was_active = cq->state == CQ_ACTIVE;
    }
    for (uint32_t i = 0; i < w->ntrees; i++) {
        struct tree *t = w->trees[i];
        for (uint32_t n = 0; n < t->nnodes; n++)
            if (t->nodes[n].cq != TREE_NONE)
                t->nodes[n].active = w->cqs[t->nodes[n].cq]->state == CQ_ACTIVE && !t->cyclic;
        tree_compute_heights(t);
    }
    w->activity_dirty = false;
}

/* All problems in the order of 9.1; the first one gives the reason. */
static void describe_pending(const struct world *w, const struct cluster_queue *cq, const char **ret_reason,
                             struct str *ret_message)
{
    struct str parts[PROBLEMS];
    struct inspection in = {0};
    for (int i = 0; i < PROBLEMS; i++) {
        str_init(&parts[i], 0);
        in.text[i] = &parts[i];
    }
    inspect(w, cq, &in);
    bool first = true;
    *ret_reason = "Unknown";
    str_add(ret_message, "Can't admit new workloads");
    for (int i = 0; i < PROBLEMS; i++) {
        if (in.found[i]) {
            if (first)
                *ret_reason = problem_reason[i];
            str_addf(ret_message, "%s%s", first ? ": " : ", ", str_text(&parts[i]));
            first = false;
        }
        str_free(&parts[i]);
    }
    str_addc(ret_message, '.');
}

bool world_cq_active(const struct world *w, uint32_t index, const char **ret_reason, struct str *ret_message)
{
    const struct cluster_queue *cq = index == NONE ? NULL : w->cqs[index];
    if (!cq || !cq->exists) {
        *ret_reason = "NotFound";
        str_add(ret_message, "ClusterQueue not found");
        return false;
    }
    enum cq_state state = state_of(w, cq);
    if (state == CQ_ACTIVE) {
        *ret_reason = "Ready";
        str_add(ret_message, "Can admit new workloads");
        return true;
    }
    if (state == CQ_TERMINATING) {
        *ret_reason = "Terminating";
        str_add(ret_message, "Can't admit new workloads; clusterQueue is terminating");
        return false;
    }
    describe_pending(w, cq, ret_reason, ret_message);
    return false;
}
