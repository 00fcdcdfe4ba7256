#include "core/requests.h"

#include "base/mem.h"
#include "core/limits.h"
#include "core/pack.h"
#include "core/resmap.h"

#include <stdlib.h>
#include <string.h>

enum { SCRATCH_BLOCK = 4096 };

struct transform {
    uint32_t input;
    bool replace;
    bool multiplies;
    uint32_t multiply_by;
    const struct resmap_item *outputs;
    uint32_t noutputs;
};

/* The settings of the Configuration, in one block. */
struct settings {
    const char *const *prefixes; /* excludeResourcePrefixes */
    uint32_t nprefixes;
    const struct transform *transforms;
    uint32_t ntransforms;
};

struct runtime_class {
    uint32_t name; /* id */
    uint32_t noverhead;
    struct resmap_item overhead[];
};

struct requests {
    struct names *names;
    struct settings *settings; /* owned; NULL = none */
    struct limits *limits;
    struct runtime_class **classes; /* owned, sorted by id */
    uint32_t nclasses, cap_classes;
    uint32_t cpu, memory;  /* ids */
    struct arena *scratch; /* of requests_validate */
};

/* The sizes of one pod after the adjustments of 2.5. All in one arena. */
struct sized {
    struct resmap requests, limits;
};

struct requests *requests_new(struct names *names)
{
    struct requests *r = mem_zalloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->names = names;
    r->limits = limits_new(names);
    r->scratch = mem_alloc(sizeof(*r->scratch));
    if (r->scratch)
        arena_init(r->scratch, SCRATCH_BLOCK);
    if (!r->limits || !r->scratch || names_id(names, "cpu", &r->cpu) ||
        names_id(names, "memory", &r->memory)) {
        requests_free(r);
        return NULL;
    }
    return r;
}

void requests_free(struct requests *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->nclasses; i++)
        mem_free(r->classes[i]);
    mem_free(r->classes);
    mem_free(r->settings);
    limits_free(r->limits);
    if (r->scratch)
        arena_free(r->scratch);
    mem_free(r->scratch);
    mem_free(r);
}

/* ---- settings ----------------------------------------------------------------------------------------------------------- */

static int settings_outputs(struct names *names, struct pack *p, const struct fact_transformation *f,
                            const struct resmap_item **ret)
{
    struct resmap_item *outputs = pack_take(p, f->noutputs * sizeof(*outputs));

    for (uint32_t i = 0; i < f->noutputs; i++) {
        uint32_t res;
        if (names_id(names, f->outputs[i].resource, &res))
            return ERR_NOMEM;
        if (outputs)
            outputs[i] = (struct resmap_item){res, f->outputs[i].q};
    }
    *ret = outputs;
    return 0;
}

static int settings_pack(struct names *names, struct pack *p, const struct fact_config *f)
{
    struct settings *s = pack_take(p, sizeof(*s));
    const char **prefixes = pack_take(p, f->nexclude_prefixes * sizeof(*prefixes));
    struct transform *transforms = pack_take(p, f->ntransformations * sizeof(*transforms));

    for (uint32_t i = 0; i < f->nexclude_prefixes; i++) {
        const char *prefix = pack_text(p, f->exclude_prefixes[i]);
        if (prefixes)
            prefixes[i] = prefix;
    }
    for (uint32_t i = 0; i < f->ntransformations; i++) {
        const struct fact_transformation *t = &f->transformations[i];
        struct transform copy = {
            .replace = t->replace, .multiplies = *t->multiply_by, .noutputs = t->noutputs};
        if (names_id(names, t->input, &copy.input) || names_id(names, t->multiply_by, &copy.multiply_by) ||
            settings_outputs(names, p, t, &copy.outputs))
            return ERR_NOMEM;
        if (transforms)
            transforms[i] = copy;
    }
    if (s)
        *s = (struct settings){prefixes, f->nexclude_prefixes, transforms, f->ntransformations};
    return 0;
}

int requests_configure(struct requests *r, const struct fact_config *config, struct err *err)
{
    struct pack p = {NULL, 0};

    if (settings_pack(r->names, &p, config))
        return err_set(err, ERR_NOMEM, "out of memory");
    p.base = mem_alloc(p.used);
    if (!p.base)
        return err_set(err, ERR_NOMEM, "out of memory");
    p.used = 0;
    if (settings_pack(r->names, &p, config)) { /* not possible: all names are known by now */
        mem_free(p.base);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    mem_free(r->settings);
    r->settings = (struct settings *)p.base;
    return 0;
}

int requests_put_limit_range(struct requests *r, const struct fact_limit_range *f, struct err *err)
{
    return limits_put(r->limits, f, err);
}

void requests_del_limit_range(struct requests *r, const char *ns, const char *name)
{
    limits_del(r->limits, ns, name);
}

/* ---- RuntimeClasses ----------------------------------------------------------------------------------------------------- */

static uint32_t class_at(const struct requests *r, uint32_t name)
{
    uint32_t lo = 0, hi = r->nclasses;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (r->classes[mid]->name < name)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct runtime_class *class_new(struct names *names, const struct fact_runtime_class *f)
{
    uint32_t n = f->has_overhead ? f->noverhead : 0;
    struct runtime_class *c = mem_alloc(sizeof(*c) + n * sizeof(c->overhead[0]));

    if (!c)
        return NULL;
    int failed = names_id(names, f->name, &c->name);
    for (uint32_t i = 0; i < n && !failed; i++) {
        c->overhead[i].q = f->overhead[i].q;
        failed = names_id(names, f->overhead[i].resource, &c->overhead[i].res);
    }
    if (failed) {
        mem_free(c);
        return NULL;
    }
    c->noverhead = n;
    return c;
}

int requests_put_runtime_class(struct requests *r, const struct fact_runtime_class *f, struct err *err)
{
    struct runtime_class *c = class_new(r->names, f);

    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    uint32_t at = class_at(r, c->name);
    if (at < r->nclasses && r->classes[at]->name == c->name) {
        mem_free(r->classes[at]);
    } else {
        void *classes = r->classes;
        if (mem_grow(&classes, &r->cap_classes, r->nclasses + 1, sizeof(struct runtime_class *))) {
            mem_free(c);
            return err_set(err, ERR_NOMEM, "out of memory");
        }
        r->classes = classes;
        memmove(r->classes + at + 1, r->classes + at, (r->nclasses - at) * sizeof(struct runtime_class *));
        r->nclasses++;
    }
    r->classes[at] = c;
    return 0;
}

static const struct runtime_class *class_find(const struct requests *r, const char *name)
{
    uint32_t id = *name ? names_find(r->names, name) : UINT32_MAX;
    uint32_t at = class_at(r, id);

    return at < r->nclasses && r->classes[at]->name == id ? r->classes[at] : NULL;
}

void requests_del_runtime_class(struct requests *r, const char *name)
{
    const struct runtime_class *c = class_find(r, name);

    if (!c)
        return;
    uint32_t at = class_at(r, c->name);
    mem_free(r->classes[at]);
    memmove(r->classes + at, r->classes + at + 1, (r->nclasses - at - 1) * sizeof(struct runtime_class *));
    r->nclasses--;
}

/* ---- one pod ------------------------------------------------------------------------------------------------------------ */

/* 2.5 steps 2 and 3, in that order: a default request wins over an explicit limit. `s` is NULL without a LimitRange. */
static struct sized container_sized(const struct requests *r, const struct limits_summary *s,
                                    const struct fact_container *c, struct arena *a)
{
    struct sized z = {resmap_new(a), resmap_new(a)};

    resmap_merge_facts(r->names, &z.limits, c->limits, c->nlimits, RESMAP_KEEP);
    resmap_merge_facts(r->names, &z.requests, c->requests, c->nrequests, RESMAP_KEEP);
    if (s) {
        resmap_merge(&z.limits, &s->defaults, RESMAP_KEEP);
        resmap_merge(&z.requests, &s->default_requests, RESMAP_KEEP);
    }
    resmap_merge(&z.requests, &z.limits, RESMAP_KEEP);
    return z;
}

static const struct limits_summary *summary_of(const struct limits_summary *s, enum limit_type type)
{
    return s ? &s[type] : NULL;
}

static bool pod_level_resource(const struct requests *r, uint32_t res)
{
    return res == r->cpu || res == r->memory || !strncmp(names_text(r->names, res), "hugepages-", 10);
}

static void add_overhead(const struct requests *r, const struct fact_pod *pod, struct resmap *total)
{
    if (pod->has_overhead) {
        resmap_merge_facts(r->names, total, pod->overhead, pod->noverhead, RESMAP_ADD);
        return;
    }
    const struct runtime_class *c = class_find(r, pod->runtime_class);
    for (uint32_t i = 0; c && i < c->noverhead; i++)
        resmap_put(total, c->overhead[i].res, c->overhead[i].q, RESMAP_ADD);
}

/* 2.3. An init container that keeps running counts beside the containers, and beside the init containers after it. */
static struct resmap pod_total(const struct requests *r, const struct limits_summary *s,
                               const struct fact_pod *pod, struct arena *a)
{
    struct resmap sum = resmap_new(a), sidecars = resmap_new(a), init_max = resmap_new(a);

    for (uint32_t i = 0; i < pod->ncontainers; i++) {
        struct sized z = container_sized(r, summary_of(s, LIMIT_CONTAINER), &pod->containers[i], a);
        resmap_merge(&sum, &z.requests, RESMAP_ADD);
    }
    for (uint32_t i = 0; i < pod->ninit; i++) {
        struct sized z = container_sized(r, summary_of(s, LIMIT_CONTAINER), &pod->init[i], a);
        if (pod->init[i].restart_always) {
            resmap_merge(&sum, &z.requests, RESMAP_ADD);
            resmap_merge(&sidecars, &z.requests, RESMAP_ADD);
            resmap_merge(&init_max, &sidecars, RESMAP_MAX);
        } else {
            resmap_merge(&z.requests, &sidecars, RESMAP_ADD);
            resmap_merge(&init_max, &z.requests, RESMAP_MAX);
        }
    }
    resmap_merge(&sum, &init_max, RESMAP_MAX);
    if (pod->has_resources) {
        struct sized z = container_sized(r, summary_of(s, LIMIT_POD), &pod->resources, a);
        sum.failed = sum.failed || z.requests.failed;
        for (uint32_t i = 0; i < z.requests.n; i++)
            if (pod_level_resource(r, z.requests.v[i].res))
                resmap_put(&sum, z.requests.v[i].res, z.requests.v[i].q, RESMAP_REPLACE);
    }
    add_overhead(r, pod, &sum);
    return sum;
}

static bool excluded(const struct settings *s, const char *name)
{
    for (uint32_t i = 0; i < s->nprefixes; i++)
        if (!strncmp(name, s->prefixes[i], strlen(s->prefixes[i])))
            return true;
    return false;
}

static void exclude(const struct requests *r, struct resmap *m)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < m->n; i++)
        if (!excluded(r->settings, names_text(r->names, m->v[i].res)))
            m->v[kept++] = m->v[i];
    m->n = kept;
}

static const struct transform *transform_of(const struct settings *s, uint32_t res)
{
    for (uint32_t i = s->ntransforms; i-- > 0;) /* keyed by input: the last one of a name is the one */
        if (s->transforms[i].input == res)
            return &s->transforms[i];
    return NULL;
}

/* 2.6 */
static struct resmap transformed(const struct settings *s, const struct resmap *in)
{
    struct resmap out = resmap_new(in->arena), generated = resmap_new(in->arena);

    out.failed = in->failed;
    for (uint32_t i = 0; i < in->n; i++) {
        const struct transform *t = transform_of(s, in->v[i].res);
        if (!t || !t->replace)
            resmap_put(&out, in->v[i].res, in->v[i].q, RESMAP_REPLACE);
        if (!t)
            continue;
        const struct quantity *factor = t->multiplies ? resmap_find(in, t->multiply_by) : NULL;
        struct quantity base = factor ? quantity_mul(in->v[i].q, *factor) : in->v[i].q;
        for (uint32_t j = 0; j < t->noutputs; j++)
            resmap_put(&generated, t->outputs[j].res, quantity_mul(base, t->outputs[j].q), RESMAP_ADD);
    }
    for (uint32_t i = 0; i < generated.n; i++)
        if (quantity_sign(generated.v[i].q) < 0)
            generated.v[i].q = quantity_from_i64(0);
    resmap_merge(&out, &generated, RESMAP_ADD);
    return out;
}

static uint64_t name_hash(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, 64 bit */

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h;
}

int requests_order(const char *a, const char *b)
{
    uint64_t ha = name_hash(a), hb = name_hash(b);

    if (ha != hb)
        return ha < hb ? -1 : 1;
    return strcmp(a, b);
}

/* The result: integers, in order. An insertion sort: a pod names a handful of resources. */
static struct req *converted(const struct requests *r, const struct resmap *m, struct arena *a)
{
    struct req *req = arena_alloc(a, (m->n ? m->n : 1) * sizeof(*req));

    for (uint32_t i = 0; req && i < m->n; i++) {
        const char *name = names_text(r->names, m->v[i].res);
        int64_t v = quantity_request(m->v[i].q, m->v[i].res == r->cpu);
        uint32_t at = i;
        for (; at > 0 && requests_order(name, names_text(r->names, req[at - 1].res)) < 0; at--)
            req[at] = req[at - 1];
        req[at] = (struct req){m->v[i].res, v > 0 ? v : 0};
    }
    return req;
}

int requests_of_pod(const struct requests *r, const char *ns, const struct fact_pod *pod, struct arena *a,
                    const struct req **ret_req, uint32_t *ret_n, struct err *err)
{
    const struct limits_summary *s;

    if (limits_of(r->limits, ns, &s))
        return err_set(err, ERR_NOMEM, "out of memory");
    struct resmap m = pod_total(r, s, pod, a);
    if (r->settings) {
        exclude(r, &m);
        if (r->settings->ntransforms)
            m = transformed(r->settings, &m);
    }
    struct req *req = m.failed ? NULL : converted(r, &m, a);
    if (!req)
        return err_set(err, ERR_NOMEM, "out of memory");
    *ret_req = req;
    *ret_n = m.n;
    return 0;
}

/* ---- 2.8 rules 3 and 4 -------------------------------------------------------------------------------------------------- */

/* A list of field errors in the making, as Kubernetes joins them: one plain, several as [a, b]. */
struct faults {
    const struct requests *r;
    struct str text;
    struct str path; /* of what is looked at */
    uint32_t n;
    bool failed;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds an error at the path when some resource of both sides is greater in `a` than in `b`. */
static void fault_if_greater(struct faults *f, const struct resmap *a, const struct resmap *b,
                             const char *what)
{
    const char **names = arena_alloc(f->r->scratch, (a->n ? a->n : 1) * sizeof(*names));
    uint32_t n = 0;

    f->failed = f->failed || !names || a->failed || b->failed || str_failed(&f->path);
    for (uint32_t i = 0; names && i < a->n; i++) {
        const struct quantity *bound = resmap_find(b, a->v[i].res);
        if (bound && quantity_cmp(a->v[i].q, *bound) > 0)
            names[n++] = names_text(f->r->names, a->v[i].res);
    }
    if (!n)
        return;
    qsort(names, n, sizeof(*names), compare_names);
    str_addf(&f->text, "%s%s: Invalid value: [", f->n++ ? ", " : "", str_text(&f->path));
    for (uint32_t i = 0; i < n; i++) {
        str_add(&f->text, i ? "," : "");
        str_add_json(&f->text, names[i]);
    }
    str_addf(&f->text, "]: %s", what);
}

static const char limit_text[] = "requests must not exceed its limits";
static const char above_text[] = "requests must not be above the limitRange max";
static const char below_text[] = "requests must not be below the limitRange min";

/* Rule 3 for one container, or rule 4 when `bounds` is given. */
static void check_container(struct faults *f, const struct limits_summary *defaults, bool bounds,
                            const struct fact_container *c)
{
    struct sized z = container_sized(f->r, defaults, c, f->r->scratch);

    if (!bounds) {
        fault_if_greater(f, &z.requests, &z.limits, limit_text);
        return;
    }
    struct resmap low = resmap_new(f->r->scratch), high = resmap_new(f->r->scratch);
    resmap_merge(&low, &z.requests, RESMAP_KEEP);
    resmap_merge(&low, &z.limits, RESMAP_MIN);
    resmap_merge(&high, &z.requests, RESMAP_KEEP);
    resmap_merge(&high, &z.limits, RESMAP_MAX);
    fault_if_greater(f, &high, &defaults->max, above_text);
    fault_if_greater(f, &defaults->min, &low, below_text);
}

static void path_set(struct faults *f, uint32_t pod_set, const char *below)
{
    str_clear(&f->path);
    str_addf(&f->path, "spec.podSets[%u].template.spec%s", pod_set, below);
}

static void check_containers(struct faults *f, const struct limits_summary *s, bool bounds, uint32_t pod_set,
                             const char *list, const struct fact_container *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        path_set(f, pod_set, list);
        str_addf(&f->path, "[%u]", i);
        check_container(f, summary_of(s, LIMIT_CONTAINER), bounds, &c[i]);
    }
}

static void check_pod_set(struct faults *f, const struct limits_summary *s, bool bounds, uint32_t index,
                          const struct fact_pod *pod)
{
    check_containers(f, s, bounds, index, ".initContainers", pod->init, pod->ninit);
    check_containers(f, s, bounds, index, ".containers", pod->containers, pod->ncontainers);
    if (!bounds) {
        path_set(f, index, ".resources");
        if (pod->has_resources)
            check_container(f, summary_of(s, LIMIT_POD), false, &pod->resources);
        return;
    }
    struct resmap total = pod_total(f->r, s, pod, f->r->scratch);
    path_set(f, index, "");
    fault_if_greater(f, &total, &s[LIMIT_POD].max, above_text);
    fault_if_greater(f, &s[LIMIT_POD].min, &total, below_text);
}

/* One rule over all pod sets; the message, if any, goes to `ret_text`. */
static int check_rule(const struct requests *r, const struct limits_summary *s, bool bounds,
                      const struct fact_pod_set *pod_sets, uint32_t n, struct str *ret_text)
{
    struct faults f = {.r = r};

    str_init(&f.text, 0);
    str_init(&f.path, 0);
    for (uint32_t i = 0; i < n; i++) {
        check_pod_set(&f, s, bounds, i, &pod_sets[i].pod);
        arena_reset(r->scratch);
    }
    int res = f.failed || str_failed(&f.text) ? ERR_NOMEM : 0;
    if (!res && f.n) {
        str_add(ret_text, bounds ? "resources didn't satisfy LimitRange constraints: "
                                 : "resources validation failed: ");
        str_addf(ret_text, f.n > 1 ? "[%s]" : "%s", str_text(&f.text));
        res = str_failed(ret_text) ? ERR_NOMEM : 1;
    }
    str_free(&f.text);
    str_free(&f.path);
    return res;
}

int requests_validate(const struct requests *r, const char *ns, const struct fact_pod_set *pod_sets,
                      uint32_t n, struct str *ret_text, struct err *err)
{
    const struct limits_summary *s;
    int res = limits_of(r->limits, ns, &s);

    if (!res)
        res = check_rule(r, s, false, pod_sets, n, ret_text);
    if (!res && s) /* the first rule that fails is the one that is told */
        res = check_rule(r, s, true, pod_sets, n, ret_text);
    return res < 0 ? err_set(err, res, "out of memory") : 0;
}
