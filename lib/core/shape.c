#include "core/shape.h"

#include "base/mem.h"
#include "core/pack.h"

#include <string.h>

enum { SHAPES_MIN_SLOTS = 64 };

/* Open addressing with linear probing; `hash` beside the pointer so that a probe touches a shape only when it is the one. */
struct slot {
    uint64_t hash;
    struct shape *shape; /* NULL = free */
};

struct shapes {
    struct names *names;
    struct slot *slots;
    uint32_t nslots; /* power of two, at most 3/4 full */
    uint32_t count;
    uint32_t last_id;
    char *key; /* the key being looked up; kept between calls */
    uint32_t key_len, key_cap;
};

/* ---- flavors ------------------------------------------------------------------------------------------------------------ */

static struct fact_flavor flavor_pack(struct pack *p, const struct fact_flavor *f)
{
    struct fact_flavor copy = *f;

    copy.name = pack_text(p, f->name);
    copy.labels = pack_labels(p, f->labels, f->nlabels);
    copy.taints = pack_taints(p, f->taints, f->ntaints);
    copy.tolerations = pack_tolerations(p, f->tolerations, f->ntolerations);
    copy.topology = pack_text(p, f->topology);
    return copy;
}

struct flavor *flavor_new(struct names *names, const struct fact_flavor *f)
{
    static uint32_t versions; /* of the whole process; atomic, for worlds in threads of their own */
    struct pack p = {NULL, 0};
    uint32_t name;

    pack_take(&p, sizeof(struct flavor));
    flavor_pack(&p, f);
    if (names_id(names, f->name, &name))
        return NULL;
    p.base = mem_alloc(p.used);
    if (!p.base)
        return NULL;
    p.used = 0;
    struct flavor *flavor = pack_take(&p, sizeof(*flavor));
    flavor->name = name;
    flavor->version = __atomic_add_fetch(&versions, 1, __ATOMIC_RELAXED);
    flavor->fact = flavor_pack(&p, f);
    return flavor;
}

void flavor_free(struct flavor *f)
{
    mem_free(f);
}

static bool label_same(const struct fact_label *a, const struct fact_label *b)
{
    return !strcmp(a->key, b->key) && !strcmp(a->value, b->value);
}

/* Labels are a map: their order does not count. */
static bool labels_same(const struct fact_flavor *a, const struct fact_flavor *b)
{
    if (a->nlabels != b->nlabels)
        return false;
    for (uint32_t i = 0; i < a->nlabels; i++) {
        uint32_t j = 0;
        while (j < b->nlabels && !label_same(&a->labels[i], &b->labels[j]))
            j++;
        if (j == b->nlabels)
            return false;
    }
    return true;
}

bool flavor_differs(const struct flavor *fa, const struct flavor *fb)
{
    const struct fact_flavor *a = &fa->fact, *b = &fb->fact;

    if (a->ntaints != b->ntaints || a->ntolerations != b->ntolerations || !labels_same(a, b))
        return true;
    for (uint32_t i = 0; i < a->ntaints; i++) {
        const struct fact_taint *x = &a->taints[i], *y = &b->taints[i];
        if (x->effect != y->effect || strcmp(x->key, y->key) || strcmp(x->value, y->value))
            return true;
    }
    for (uint32_t i = 0; i < a->ntolerations; i++) {
        const struct fact_toleration *x = &a->tolerations[i], *y = &b->tolerations[i];
        if (x->op != y->op || x->effect != y->effect || strcmp(x->key, y->key) || strcmp(x->value, y->value))
            return true;
    }
    return false;
}

/* ---- the key ------------------------------------------------------------------------------------------------------------ */

/* Appends to the key; `ok` stays false after the first failure. */
static void key_add(struct shapes *s, const void *p, size_t n, bool *ok)
{
    void *key = s->key;

    if (!*ok || !n)
        return;
    if (n > UINT32_MAX / 2 || s->key_len > UINT32_MAX / 2 ||
        mem_grow(&key, &s->key_cap, s->key_len + (uint32_t)n, 1)) {
        *ok = false;
        return;
    }
    s->key = key;
    memcpy(s->key + s->key_len, p, n);
    s->key_len += (uint32_t)n;
}

static void key_add_u32(struct shapes *s, uint32_t v, bool *ok)
{
    key_add(s, &v, sizeof(v), ok);
}

static void key_add_text(struct shapes *s, const char *text, bool *ok)
{
    uint32_t n = (uint32_t)strlen(text);

    key_add_u32(s, n, ok);
    key_add(s, text, n, ok);
}

static void key_add_exprs(struct shapes *s, const struct fact_term *t, bool *ok)
{
    key_add_u32(s, t->nexprs, ok);
    for (uint32_t i = 0; i < t->nexprs; i++) {
        const struct fact_expr *e = &t->exprs[i];
        key_add_text(s, e->key, ok);
        key_add_u32(s, e->op, ok);
        key_add_u32(s, e->nvalues, ok);
        for (uint32_t j = 0; j < e->nvalues; j++)
            key_add_text(s, e->values[j], ok);
    }
}

/* What shape_match reads, for facts made by hand: they carry no digest. */
static void key_add_pod(struct shapes *s, const struct fact_pod *pod, bool *ok)
{
    key_add_u32(s, pod->nselector, ok);
    for (uint32_t i = 0; i < pod->nselector; i++) {
        key_add_text(s, pod->selector[i].key, ok);
        key_add_text(s, pod->selector[i].value, ok);
    }
    key_add_u32(s, pod->has_affinity ? pod->nterms : UINT32_MAX, ok);
    for (uint32_t i = 0; pod->has_affinity && i < pod->nterms; i++)
        key_add_exprs(s, &pod->terms[i], ok);
    key_add_u32(s, pod->ntolerations, ok);
    for (uint32_t i = 0; i < pod->ntolerations; i++) {
        const struct fact_toleration *t = &pod->tolerations[i];
        key_add_text(s, t->key, ok);
        key_add_text(s, t->value, ok);
        key_add_u32(s, t->op, ok);
        key_add_u32(s, t->effect, ok);
    }
}

static int key_make(struct shapes *s, const struct fact_pod_set *ps, const struct req *req, uint32_t nreq)
{
    bool ok = true;

    s->key_len = 0;
    key_add_u32(s, (uint32_t)ps->wants_topology | (uint32_t)ps->wants_devices << 1, &ok);
    key_add_u32(s, nreq, &ok);
    for (uint32_t i = 0; i < nreq; i++) {
        key_add_u32(s, req[i].res, &ok); /* member by member: the padding of a struct req is not ours */
        key_add(s, &req[i].amount, sizeof(req[i].amount), &ok);
    }
    key_add_text(s, ps->topology, &ok);
    key_add_text(s, ps->topology_group, &ok);
    key_add_text(s, ps->pod.selector_error, &ok);
    key_add_u32(s, ps->pod.digest_len, &ok);
    key_add(s, ps->pod.digest, ps->pod.digest_len, &ok);
    if (!ps->pod.digest_len)
        key_add_pod(s, &ps->pod, &ok);
    return ok ? 0 : ERR_NOMEM;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Sixteen bytes a step, folded 64x64 -> 128 bit products. Never leaves the process, so byte order does not matter. */
static uint64_t key_hash(const char *p, size_t n)
{
    const uint64_t k0 = 0x9E3779B97F4A7C15u, k1 = 0xC2B2AE3D27D4EB4Fu;
    uint64_t h = mix(n ^ k0, k1), w[2];

    for (; n >= sizeof(w); n -= sizeof(w), p += sizeof(w)) {
        memcpy(w, p, sizeof(w));
        h = mix(w[0] ^ k0 ^ h, w[1] ^ k1);
    }
    w[0] = w[1] = 0;
    memcpy(w, p, n);
    return mix(w[0] ^ k0 ^ h, w[1] ^ k1);
}

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

struct shapes *shapes_new(struct names *names)
{
    struct shapes *s = mem_zalloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->names = names;
    s->nslots = SHAPES_MIN_SLOTS;
    s->slots = mem_zalloc(s->nslots, sizeof(*s->slots));
    if (!s->slots) {
        mem_free(s);
        return NULL;
    }
    return s;
}

static void shape_free(struct shape *shape)
{
    mem_free(shape->matches);
    mem_free(shape);
}

void shapes_free(struct shapes *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->nslots; i++)
        if (s->slots[i].shape)
            shape_free(s->slots[i].shape);
    mem_free(s->slots);
    mem_free(s->key);
    mem_free(s);
}

uint32_t shapes_count(const struct shapes *s)
{
    return s->count;
}

static void slot_put(struct slot *slots, uint32_t nslots, struct slot item)
{
    uint32_t i = (uint32_t)item.hash & (nslots - 1);

    while (slots[i].shape)
        i = (i + 1) & (nslots - 1);
    slots[i] = item;
}

static int shapes_grow(struct shapes *s)
{
    if (s->count + 1 <= s->nslots / 4 * 3)
        return 0;
    if (s->nslots > UINT32_MAX / 4)
        return ERR_LIMIT;
    uint32_t n = s->nslots * 2;
    struct slot *slots = mem_zalloc(n, sizeof(*slots));
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->nslots; i++)
        if (s->slots[i].shape)
            slot_put(slots, n, s->slots[i]);
    mem_free(s->slots);
    s->slots = slots;
    s->nslots = n;
    return 0;
}

static struct shape *shapes_find(const struct shapes *s, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & (s->nslots - 1);

    for (; s->slots[i].shape; i = (i + 1) & (s->nslots - 1)) {
        struct shape *shape = s->slots[i].shape;
        if (s->slots[i].hash == hash && shape->key_len == s->key_len &&
            !memcmp(shape->key, s->key, s->key_len))
            return shape;
    }
    return NULL;
}

static struct shape shape_pack(struct pack *p, const struct shapes *s, const struct fact_pod_set *ps,
                               const struct req *req, uint32_t nreq)
{
    const struct fact_pod *pod = &ps->pod;
    struct shape copy = {.refs = 1, .nreq = nreq};

    copy.req = pack_copy(p, req, nreq * sizeof(*req));
    copy.wants_topology = ps->wants_topology;
    copy.wants_devices = ps->wants_devices;
    copy.selector_error = pack_text(p, pod->selector_error);
    copy.pod.nselector = pod->nselector;
    copy.pod.selector = pack_labels(p, pod->selector, pod->nselector);
    copy.pod.has_affinity = pod->has_affinity;
    copy.pod.nterms = pod->nterms;
    copy.pod.terms = pack_terms(p, pod->terms, pod->nterms);
    copy.pod.ntolerations = pod->ntolerations;
    copy.pod.tolerations = pack_tolerations(p, pod->tolerations, pod->ntolerations);
    copy.pod.runtime_class = copy.pod.digest = "";
    copy.pod.selector_error = copy.selector_error;
    copy.key_len = s->key_len;
    copy.key = pack_copy(p, s->key, s->key_len);
    return copy;
}

int shapes_take(struct shapes *s, const struct fact_pod_set *ps, const struct req *req, uint32_t nreq,
                struct shape **ret, struct err *err)
{
    struct pack p = {NULL, 0};

    if (key_make(s, ps, req, nreq))
        return err_set(err, ERR_NOMEM, "out of memory");
    uint64_t hash = key_hash(s->key, s->key_len);
    struct shape *shape = shapes_find(s, hash);
    if (shape) {
        shape->refs++;
        *ret = shape;
        return 0;
    }
    if (s->last_id == UINT32_MAX)
        return err_set(err, ERR_LIMIT, "too many different pod shapes");
    int r = shapes_grow(s);
    if (r)
        return err_set(err, r, "%s", err_name(r));
    pack_take(&p, sizeof(*shape));
    shape_pack(&p, s, ps, req, nreq);
    p.base = mem_alloc(p.used);
    if (!p.base)
        return err_set(err, ERR_NOMEM, "out of memory");
    p.used = 0;
    shape = pack_take(&p, sizeof(*shape));
    *shape = shape_pack(&p, s, ps, req, nreq);
    shape->id = ++s->last_id;
    slot_put(s->slots, s->nslots, (struct slot){hash, shape});
    s->count++;
    *ret = shape;
    return 0;
}

/* Frees slot `hole` and moves later members of the run back, so that a probe never meets a gap before its shape. */
static void slot_remove(struct shapes *s, uint32_t hole)
{
    uint32_t mask = s->nslots - 1;

    for (uint32_t i = (hole + 1) & mask; s->slots[i].shape; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)s->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue; /* its home lies behind the hole */
        s->slots[hole] = s->slots[i];
        hole = i;
    }
    s->slots[hole] = (struct slot){0, NULL};
}

void shapes_drop(struct shapes *s, struct shape *shape)
{
    if (!shape || --shape->refs)
        return;
    uint32_t i = (uint32_t)key_hash(shape->key, shape->key_len) & (s->nslots - 1);
    while (s->slots[i].shape != shape)
        i = (i + 1) & (s->nslots - 1);
    slot_remove(s, i);
    s->count--;
    shape_free(shape);
}
