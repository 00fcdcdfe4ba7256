#include "lifecycle/podinfo.h"

#include <string.h>

static const char topology_gate[] = "kueue.x-k8s.io/topology";
static const char unconstrained[] = "kueue.x-k8s.io/podset-unconstrained-topology";
static const char workload_note[] = "kueue.x-k8s.io/workload";
static const char slice_note[] = "kueue.x-k8s.io/workload-slice-name";

static const char *value_of(const struct podinfo_labels *l, const char *key)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].key, key) == 0)
            return l->v[i].value;
    return NULL;
}

/* A copy with room for `more` further entries. */
static struct fact_label *labels_copy(const struct podinfo_labels *l, uint32_t more, struct arena *a)
{
    struct fact_label *v = arena_alloc(a, ((size_t)l->n + more + 1) * sizeof(*v));

    if (v && l->n)
        memcpy(v, l->v, l->n * sizeof(*v));
    return v;
}

static void put(struct fact_label *v, uint32_t *n, const char *key, const char *value)
{
    uint32_t i = 0;

    while (i < *n && strcmp(v[i].key, key) != 0)
        i++;
    if (i == *n)
        ++*n;
    v[i] = (struct fact_label){key, value};
}

int podinfo_put(struct podinfo_labels *l, struct arena *a, const char *key, const char *value)
{
    struct fact_label *v = labels_copy(l, 1, a);

    if (!v)
        return ERR_NOMEM;
    put(v, &l->n, key, value);
    l->v = v;
    return 0;
}

/* `stale` (may be NULL): says which existing values may be replaced. */
static int labels_merge(struct podinfo_labels *into, const struct podinfo_labels *add,
                        bool (*stale)(const char *key), const char *what, struct arena *a, struct err *err)
{
    for (uint32_t i = 0; i < add->n; i++) {
        const char *there = value_of(into, add->v[i].key);
        if (there && strcmp(there, add->v[i].value) != 0 && !(stale && stale(add->v[i].key)))
            return err_set(err, ERR_STATE, "conflict for %s: conflict for key=%s, value1=%s, value2=%s", what,
                           add->v[i].key, there, add->v[i].value);
    }
    struct fact_label *v = labels_copy(into, add->n, a);
    if (!v)
        return err_set(err, ERR_NOMEM, "out of memory");
    uint32_t n = into->n;
    for (uint32_t i = 0; i < add->n; i++)
        put(v, &n, add->v[i].key, add->v[i].value);
    *into = (struct podinfo_labels){v, n};
    return 0;
}

static bool label_stays(const char *key)
{
    (void)key;
    return false;
}

static bool slice_replaces(const char *key)
{
    return strcmp(key, slice_note) == 0 || strcmp(key, workload_note) == 0;
}

bool podinfo_toleration_equal(const struct podinfo_toleration *a, const struct podinfo_toleration *b)
{
    return strcmp(a->t.key, b->t.key) == 0 && strcmp(a->t.value, b->t.value) == 0 && a->t.op == b->t.op &&
           a->t.effect == b->t.effect && a->has_seconds == b->has_seconds &&
           (!a->has_seconds || a->seconds == b->seconds);
}

static int tolerations_merge(struct podinfo *into, const struct podinfo *add, struct arena *a)
{
    uint32_t n = into->ntolerations;
    struct podinfo_toleration *v = arena_alloc(a, ((size_t)n + add->ntolerations + 1) * sizeof(*v));

    if (!v)
        return ERR_NOMEM;
    if (n)
        memcpy(v, into->tolerations, n * sizeof(*v));
    for (uint32_t i = 0; i < add->ntolerations; i++) {
        uint32_t j = 0;
        while (j < n && !podinfo_toleration_equal(&v[j], &add->tolerations[i]))
            j++;
        if (j == n)
            v[n++] = add->tolerations[i];
    }
    into->tolerations = v;
    into->ntolerations = n;
    return 0;
}

static int gates_merge(struct podinfo *into, const struct podinfo *add, struct arena *a)
{
    uint32_t n = into->ngates;
    const char **v = arena_alloc(a, ((size_t)n + add->ngates + 1) * sizeof(*v));

    if (!v)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        v[i] = into->gates[i];
    for (uint32_t i = 0; i < add->ngates; i++) {
        uint32_t j = 0;
        while (j < n && strcmp(v[j], add->gates[i]) != 0)
            j++;
        if (j == n)
            v[n++] = add->gates[i];
    }
    into->gates = v;
    into->ngates = n;
    return 0;
}

int podinfo_merge(struct podinfo *into, const struct podinfo *add, bool slices, struct arena *a,
                  struct err *err)
{
    struct podinfo next = *into;
    bool elastic = slices && value_of(&add->annotations, slice_note);
    int rc = labels_merge(&next.annotations, &add->annotations, elastic ? slice_replaces : label_stays,
                          "annotations", a, err);

    if (!rc)
        rc = labels_merge(&next.labels, &add->labels, label_stays, "labels", a, err);
    if (!rc)
        rc = labels_merge(&next.selector, &add->selector, label_stays, "nodeSelector", a, err);
    if (rc)
        return rc;
    if (tolerations_merge(&next, add, a) || gates_merge(&next, add, a))
        return err_set(err, ERR_NOMEM, "out of memory");
    *into = next;
    return 0;
}

/* ---- what an assignment brings ------------------------------------------------------------------------------------------ */

static int flavor_merge(struct podinfo *into, const struct fact_flavor *f, struct arena *a, struct err *err)
{
    struct podinfo_toleration *t = arena_alloc(a, ((size_t)f->ntolerations + 1) * sizeof(*t));
    struct podinfo add = {
        .selector = {f->labels, f->nlabels}, .tolerations = t, .ntolerations = f->ntolerations};

    if (!t)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (uint32_t i = 0; i < f->ntolerations; i++)
        t[i] = (struct podinfo_toleration){.t = f->tolerations[i]};
    return podinfo_merge(into, &add, false, a, err);
}

/* The next flavor by resource name: the one after `after` (NULL at first); NULL ends. */
static const struct fact_flavor_ref *next_ref(const struct fact_assignment *as,
                                              const struct fact_flavor_ref *after)
{
    const struct fact_flavor_ref *best = NULL;

    for (uint32_t i = 0; i < as->nflavors; i++) {
        const struct fact_flavor_ref *r = &as->flavors[i];
        if ((!after || strcmp(r->resource, after->resource) > 0) &&
            (!best || strcmp(r->resource, best->resource) < 0))
            best = r;
    }
    return best;
}

static bool named_before(const struct fact_assignment *as, const struct fact_flavor_ref *ref)
{
    for (const struct fact_flavor_ref *r = next_ref(as, NULL); r && r != ref; r = next_ref(as, r))
        if (strcmp(r->flavor, ref->flavor) == 0)
            return true;
    return false;
}

static int topology_parts(struct podinfo *p, bool asks_topology, struct arena *a)
{
    const char **gates = arena_alloc(a, sizeof(*gates));

    if (!gates)
        return ERR_NOMEM;
    gates[0] = topology_gate;
    p->gates = gates;
    p->ngates = 1;
    return asks_topology ? 0 : podinfo_put(&p->annotations, a, unconstrained, "true");
}

int podinfo_of_assignment(const struct fact_assignment *as, int32_t spec_count, bool asks_topology,
                          podinfo_flavor_fn *flavor, void *arg, struct arena *a, struct podinfo *ret,
                          struct err *err)
{
    struct podinfo p = {.name = as->pod_set, .count = as->count < 0 ? spec_count : as->count};

    for (const struct fact_flavor_ref *r = next_ref(as, NULL); r; r = next_ref(as, r)) {
        if (named_before(as, r))
            continue;
        const struct fact_flavor *f = flavor(arg, r->flavor);
        if (!f)
            return err_set(err, ERR_NOTFOUND, "resourceflavors.kueue.x-k8s.io \"%s\" not found", r->flavor);
        int rc = flavor_merge(&p, f, a, err);
        if (rc)
            return rc;
    }
    if (as->has_topology && topology_parts(&p, asks_topology, a))
        return err_set(err, ERR_NOMEM, "out of memory");
    *ret = p;
    return 0;
}

/* ---- and out again ------------------------------------------------------------------------------------------------------ */

static bool labels_equal(const struct podinfo_labels *a, const struct podinfo_labels *b)
{
    for (uint32_t i = 0; i < a->n; i++) {
        const char *v = value_of(b, a->v[i].key);
        if (!v || strcmp(v, a->v[i].value) != 0)
            return false;
    }
    return a->n == b->n;
}

static bool lists_equal(const struct podinfo *a, const struct podinfo *b)
{
    if (a->ntolerations != b->ntolerations || a->ngates != b->ngates)
        return false;
    for (uint32_t i = 0; i < a->ntolerations; i++)
        if (!podinfo_toleration_equal(&a->tolerations[i], &b->tolerations[i]))
            return false;
    for (uint32_t i = 0; i < a->ngates; i++)
        if (strcmp(a->gates[i], b->gates[i]) != 0)
            return false;
    return true;
}

bool podinfo_restore(struct podinfo *p, const struct podinfo *original)
{
    if (labels_equal(&p->labels, &original->labels) &&
        labels_equal(&p->annotations, &original->annotations) &&
        labels_equal(&p->selector, &original->selector) && lists_equal(p, original))
        return false;
    p->labels = original->labels;
    p->annotations = original->annotations;
    p->selector = original->selector;
    p->tolerations = original->tolerations;
    p->ntolerations = original->ntolerations;
    p->gates = original->gates;
    p->ngates = original->ngates;
    return true;
}
