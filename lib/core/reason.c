#include "core/reason.h"

#include "base/mem.h"
#include "core/world_priv.h"

#include <stdlib.h>
#include <string.h>

#define MOST_REASONS 1024 /* lines sorted for one pod set; beyond that they come in the order found */

static const char *name(const struct world *w, uint32_t id)
{
    return names_text(w->names, id);
}

void reason_amount(struct str *out, const struct world *w, uint32_t res, amount v)
{
    char buf[64];
    const char *r = name(w, res);
    amount_print(v, resource_is_cpu(r), resource_is_binary(r), buf, sizeof buf);
    str_add(out, buf);
}

static void add_quoted_flavor(struct str *out, const struct world *w, uint32_t flavor, const char *rest)
{
    str_add(out, "Flavor ");
    str_add_quoted(out, name(w, flavor));
    str_add(out, rest);
}

/* A request is a plain integer: at its maximum it is a large number, not "unlimited" (2.1). */
static void print_request(struct str *out, const struct world *w, uint32_t res, int64_t v)
{
    char buf[64];
    const char *r = name(w, res);
    amount_quantity_print(v, resource_is_cpu(r), resource_is_binary(r), buf, sizeof buf);
    str_add(out, buf);
}

static void print_capacity(struct str *out, const struct world *w, const struct reason *r)
{
    str_addf(out, "insufficient quota for %s in flavor %s, previously considered podsets requests (",
             name(w, r->res), name(w, r->flavor));
    reason_amount(out, w, r->res, r->a);
    str_add(out, ") + current podset request (");
    print_request(out, w, r->res, r->b);
    str_add(out, ") > maximum capacity (");
    reason_amount(out, w, r->res, r->c);
    str_add(out, ")");
}

void reason_print(struct str *out, const struct world *w, const struct reason *r)
{
    switch (r->kind) {
    case REASON_RESOURCE_UNAVAILABLE:
        str_addf(out, "resource %s unavailable in ClusterQueue", name(w, r->res));
        break;
    case REASON_FLAVOR_UNKNOWN:
        str_addf(out, "flavor %s not found", name(w, r->flavor));
        break;
    case REASON_PINNED:
        str_addf(out, "skipping flavor %s as it is not found in the nomination mapping for resource %s",
                 name(w, r->flavor), name(w, r->res));
        break;
    case REASON_NO_TAS:
        add_quoted_flavor(out, w, r->flavor, " does not support TopologyAwareScheduling");
        break;
    case REASON_TAS_ONLY:
        add_quoted_flavor(out, w, r->flavor, " supports only TopologyAwareScheduling");
        break;
    case REASON_TAS_UNKNOWN:
        add_quoted_flavor(out, w, r->flavor, " information missing in TAS cache");
        break;
    case REASON_TAINT:
    case REASON_AFFINITY:
        match_print(out, r->match, world_flavor(w, r->flavor));
        break;
    case REASON_SELECTOR:
        str_add(out, "invalid node selector or affinity");
        break;
    case REASON_MAX_CAPACITY:
        print_capacity(out, w, r);
        break;
    case REASON_INSUFFICIENT:
        str_addf(out, "insufficient unused quota for %s in flavor %s, ", name(w, r->res), name(w, r->flavor));
        reason_amount(out, w, r->res, r->a);
        str_add(out, " more needed");
        break;
    }
}

/* ---- assignments (6.7) ---------------------------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Renders reasons [first, first+n), sorted, joined by `sep`; with `all`, also those dropped. */
static uint32_t add_reasons(struct str *out, const struct world *w, const struct pod_set_choice *ps,
                            uint32_t first, uint32_t n, const char *sep, bool all)
{
    char *text[MOST_REASONS];
    uint32_t count = 0;
    for (uint32_t i = first; i < first + n && count < MOST_REASONS; i++) {
        if (ps->reasons[i].dropped && !all)
            continue;
        struct str s;
        str_init(&s, 0);
        reason_print(&s, w, &ps->reasons[i]);
        text[count] = str_take(&s);
        count += text[count] != NULL;
        str_free(&s);
    }
    qsort(text, count, sizeof text[0], compare_texts);
    for (uint32_t i = 0; i < count; i++) {
        str_addf(out, "%s%s", i ? sep : "", text[i]);
        mem_free(text[i]);
    }
    return count;
}

static bool has_reasons(const struct pod_set_choice *ps)
{
    for (uint32_t i = 0; i < ps->nreasons; i++)
        if (!ps->reasons[i].dropped)
            return true;
    return false;
}

void reason_assignment(struct str *out, const struct world *w, const struct wl *wl,
                       const struct assignment *a)
{
    bool first = true;
    for (uint32_t i = 0; i < a->npod_sets; i++) {
        const struct pod_set_choice *ps = &a->pod_sets[i];
        const struct pod_set *spec = &wl->pod_sets[ps->pod_set];
        if (ps->error) {
            str_clear(out);
            str_addf(out, "failed to assign flavors to pod set %s: %s", name(w, spec->name),
                     spec->shape->selector_error);
            return;
        }
        if (!has_reasons(ps))
            continue;
        str_addf(out, "%scouldn't assign flavors to pod set %s: ", first ? "" : "; ", name(w, spec->name));
        add_reasons(out, w, ps, 0, ps->nreasons, ", ", false);
        first = false;
    }
}

/* One flavor's attempts over the resource groups of a pod set, merged (6.7). */
struct merged {
    uint32_t flavor;
    enum mode mode;
    enum possibility possibility;
    uint32_t level;
};

static struct merged merge_attempts(const struct pod_set_choice *ps, uint32_t flavor)
{
    struct merged m = {flavor, MODE_FIT, POSSIBILITY_NONE, 0};
    for (uint32_t i = 0; i < ps->nattempts; i++) {
        const struct attempt *t = &ps->attempts[i];
        if (t->flavor != flavor)
            continue;
        if (t->mode < m.mode)
            m.mode = t->mode;
        if (t->level > m.level)
            m.level = t->level;
        if (t->possibility != POSSIBILITY_NONE &&
            (m.possibility == POSSIBILITY_NONE || t->possibility < m.possibility))
            m.possibility = t->possibility;
    }
    return m;
}

static void print_attempt(struct str *out, const struct world *w, const struct pod_set_choice *ps,
                          const struct merged *m)
{
    static const char *const possibility[] = {"", "NoCandidates", "Preempt", "Reclaim"};
    str_addf(out, "%s(", name(w, m->flavor));
    if (m->possibility != POSSIBILITY_NONE)
        str_addf(out, "preemptionMode=%s", possibility[m->possibility]);
    else
        str_add(out, mode_text(m->mode));
    if (m->level)
        str_addf(out, ";borrow=%u", m->level);
    for (uint32_t i = 0; i < ps->nattempts; i++)
        if (ps->attempts[i].flavor == m->flavor && ps->attempts[i].nreasons) {
            str_addc(out, ';');
            add_reasons(out, w, ps, ps->attempts[i].first_reason, ps->attempts[i].nreasons, ";", true);
        }
    str_addc(out, ')');
}

/* The next flavor in byte order of names after `prev`, NONE at the end. */
static uint32_t next_flavor(const struct world *w, const struct pod_set_choice *ps, uint32_t prev)
{
    uint32_t best = NONE;
    for (uint32_t i = 0; i < ps->nattempts; i++) {
        uint32_t f = ps->attempts[i].flavor;
        if (prev != NONE && strcmp(name(w, f), name(w, prev)) <= 0)
            continue;
        if (best == NONE || strcmp(name(w, f), name(w, best)) < 0)
            best = f;
    }
    return best;
}

void reason_flavors_considered(struct str *out, const struct world *w, const struct wl *wl,
                               const struct assignment *a)
{
    bool any = false;
    for (uint32_t i = 0; i < a->npod_sets; i++) {
        const struct pod_set_choice *ps = &a->pod_sets[i];
        bool first = true;
        for (uint32_t f = next_flavor(w, ps, NONE); f != NONE; f = next_flavor(w, ps, f)) {
            struct merged m = merge_attempts(ps, f);
            if (m.mode == MODE_FIT && !m.level)
                continue;
            if (first)
                str_addf(out, "%s%s: ", any ? " | " : "Flavors considered: ",
                         name(w, wl->pod_sets[ps->pod_set].name));
            else
                str_add(out, ", ");
            print_attempt(out, w, ps, &m);
            first = false;
            any = true;
        }
    }
}

/* ---- decisions (5.5) --------------------------------------------------------------------------------------------------------------- */

#define OVERLAP_TEXT "Workload has overlapping preemption targets with another workload"
static const char deferred_text[] = OVERLAP_TEXT ", but will fit after these preemptions complete";

static const char *const fixed_text[] = {
    [MESSAGE_CHECKS_FAILED] = "The workload has failed admission checks",
    [MESSAGE_NAMESPACE_MISMATCH] = "workload namespace doesn't match ClusterQueue selector",
    [MESSAGE_DEVICES] = "resource claims of dynamic resource allocation are not supported",
    [MESSAGE_DEFERRED] = deferred_text,
    [MESSAGE_OVERLAP] = OVERLAP_TEXT,
    [MESSAGE_NO_LONGER_FITS] = "Workload no longer fits after processing another workload",
    [MESSAGE_GATED] = "Workload requires preemption, but it's gated",
    [MESSAGE_NOT_READY] = "waiting for all admitted workloads to be in PodsReady condition",
};

static void print_base(struct str *out, const struct world *w, const struct decision *d)
{
    switch (d->message) {
    case MESSAGE_NONE:
        break;
    case MESSAGE_ASSIGNMENT:
        reason_assignment(out, w, d->w, d->a);
        break;
    case MESSAGE_CQ_INACTIVE:
        str_addf(out, "ClusterQueue %s is inactive", name(w, w->cqs[d->cq]->name));
        break;
    case MESSAGE_NAMESPACE_MISSING:
        str_add(out, "workload namespace ");
        str_add_quoted(out, name(w, d->w->ns));
        str_add(out, " does not exist: namespaces ");
        str_add_quoted(out, name(w, d->w->ns));
        str_add(out, " not found");
        break;
    case MESSAGE_INVALID:
        str_add(out, d->w->invalid);
        break;
    default:
        str_add(out, fixed_text[d->message]);
    }
}

void reason_message(struct str *out, const struct world *w, const struct decision *d)
{
    print_base(out, w, d);
    if (d->npreempted)
        str_addf(out, ". Pending the preemption of %u workload(s)", d->npreempted);
}

/* ---- preemption (7.7) ----------------------------------------------------------------------------------------------------------------- */

static void print_path(struct str *out, const struct world *w, uint32_t cq)
{
    const struct tree *t = w->cqs[cq]->tree;
    uint32_t chain[64], n = 0;
    for (uint32_t node = w->cqs[cq]->node; node != TREE_NONE && n < 64; node = t->nodes[node].parent)
        chain[n++] = t->nodes[node].name;
    while (n-- > 0)
        str_addf(out, "/%s", name(w, chain[n]));
}

static const char *or_unknown(const char *s)
{
    return *s ? s : "UNKNOWN";
}

void reason_preemption(struct str *out, const struct world *w, const struct wl *preemptor,
                       uint32_t preemptor_cq, const struct target *t)
{
    static const char *const due[] = {
        "prioritization in the ClusterQueue",
        "reclamation within the cohort",
        "Fair Sharing within the cohort",
        "reclamation within the cohort while borrowing",
    };
    str_addf(out, "Preempted to accommodate a workload (UID: %s, JobUID: %s) due to %s; preemptor path: ",
             or_unknown(preemptor->uid), or_unknown(preemptor->job_uid), due[t->reason]);
    print_path(out, w, preemptor_cq);
    str_add(out, "; preemptee path: ");
    print_path(out, w, t->cq);
}

static void print_priorities(struct str *out, const struct wl *preemptor, const struct wl *victim)
{
    str_addf(out, "; preemptor effective priority: %lld (base: %d, boost: %d)",
             (long long)wl_priority(preemptor), preemptor->priority, preemptor->boost);
    str_addf(out, "; preemptee effective priority: %lld (base: %d, boost: %d)",
             (long long)wl_priority(victim), victim->priority, victim->boost);
}

void reason_preempted_event(struct str *out, const struct world *w, const struct wl *preemptor,
                            uint32_t preemptor_cq, const struct target *t)
{
    reason_preemption(out, w, preemptor, preemptor_cq, t);
    print_priorities(out, preemptor, t->w);
}

void reason_preemptor_event(struct str *out, const struct world *w, const struct wl *preemptor,
                            const struct target *t)
{
    str_addf(out, "Preempted workload %s (UID: %s) in ClusterQueue %s", t->w->key, or_unknown(t->w->uid),
             name(w, w->cqs[t->cq]->name));
    print_priorities(out, preemptor, t->w);
}

/* 5.9: without the gate there are two reasons only. */
const char *reason_wait(const struct world *w, enum wait_reason r)
{
    if (gate_on(&w->gates, GATE_OBSERVABILITY))
        return wait_reason_text(r);
    return r == WAIT_FOR_PODS_READY ? "Waiting" : "Pending";
}

/* ---- words ---------------------------------------------------------------------------------------------------------------------------- */

const char *outcome_text(enum outcome o)
{
    static const char *const text[] = {"admitted", "preempting", "deferred", "noCandidates", "noFit",
                                       "skipped",  "gated",      "notReady", "rejected"};
    return text[o];
}

const char *mode_text(enum mode m)
{
    static const char *const text[] = {"NoFit", "Preempt", "DeferredFit", "Fit"};
    return text[m];
}
