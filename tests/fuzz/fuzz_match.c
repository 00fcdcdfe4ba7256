/* Selectors, affinity, taints and tolerations read from bytes. The laws: a match is the same each time and the same when remembered;
 * NotIn is the opposite of In, DoesNotExist of Exists; expressions are AND-ed, terms OR-ed; more tolerations never tolerate less; what
 * the label selector of a namespace and the affinity of a pod have in common they answer alike. */
#include "base/names.h"
#include "core/shape.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

enum { MOST = 4, TEXTS = 64, TEXT = 24 };

struct input {
    const uint8_t *p;
    size_t n;
    char texts[TEXTS][TEXT];
    int ntexts;
};

static uint8_t byte(struct input *in)
{
    if (!in->n)
        return 0;
    in->n--;
    return *in->p++;
}

/* One of a few words, so that things do match, or bytes of the input. */
static const char *text(struct input *in)
{
    static const char *const words[] = {
        "a", "b", "", "1", "2", "-9223372036854775808", "9223372036854775808", "+07"};
    uint8_t b = byte(in);
    if (b < 224 || in->ntexts == TEXTS)
        return words[b % 8];
    char *s = in->texts[in->ntexts++];
    size_t len = b % (TEXT - 1);
    for (size_t i = 0; i < len; i++)
        s[i] = (char)byte(in);
    s[len] = '\0';
    return s;
}

struct exprs {
    struct fact_expr e[MOST];
    const char *values[MOST][MOST];
    uint32_t n;
};

static void read_exprs(struct input *in, struct exprs *x)
{
    x->n = byte(in) % (MOST + 1);
    for (uint32_t i = 0; i < x->n; i++) {
        x->e[i] =
            (struct fact_expr){text(in), (enum sel_op)(byte(in) % 6), x->values[i], byte(in) % (MOST + 1)};
        for (uint32_t k = 0; k < x->e[i].nvalues; k++)
            x->values[i][k] = text(in);
    }
}

static uint32_t read_labels(struct input *in, struct fact_label *labels)
{
    uint32_t n = byte(in) % (MOST + 1);
    for (uint32_t i = 0; i < n; i++)
        labels[i] = (struct fact_label){text(in), text(in)};
    return n;
}

static bool one(const struct fact_expr *e, const struct fact_label *labels, uint32_t n)
{
    struct fact_selector sel = {false, e, 1};
    return selector_matches(&sel, labels, n);
}

/* ---- selectors ------------------------------------------------------------------------------------------------------------- */

static enum sel_op opposite(enum sel_op op)
{
    switch (op) {
    case SEL_IN:
        return SEL_NOT_IN;
    case SEL_NOT_IN:
        return SEL_IN;
    case SEL_EXISTS:
        return SEL_NOT_EXISTS;
    default:
        return SEL_EXISTS;
    }
}

static void check_selector(const struct exprs *x, const struct fact_label *labels, uint32_t n)
{
    struct fact_selector sel = {false, x->e, x->n}, null = {true, x->e, x->n};
    bool all = true;
    for (uint32_t i = 0; i < x->n; i++) {
        bool m = one(&x->e[i], labels, n);
        all &= m;
        struct fact_expr not = x->e[i];
        if (not .op < SEL_GT) {
            not .op = opposite(not .op);
            CHECK(one(&not, labels, n) == !m);
        } else { /* > and < never both */
            not .op = not .op == SEL_GT ? SEL_LT : SEL_GT;
            CHECK(!(m && one(&not, labels, n)));
        }
    }
    CHECK(selector_matches(&sel, labels, n) == all);
    CHECK(!selector_matches(&null, labels, n));
}

/* ---- taints ----------------------------------------------------------------------------------------------------------------- */

static bool tolerated(const struct fact_toleration *t, uint32_t n, const struct fact_taint *taint)
{
    for (uint32_t i = 0; i < n; i++)
        if (toleration_tolerates(&t[i], taint))
            return true;
    return false;
}

static void check_tolerations(const struct fact_toleration *t, uint32_t n, const struct fact_taint *taint)
{
    struct fact_toleration everything = {"", "", TOLERATE_EXISTS, EFFECT_ANY};
    CHECK(toleration_tolerates(&everything, taint));
    for (uint32_t i = 0; i < n; i++) {
        bool m = toleration_tolerates(&t[i], taint);
        struct fact_toleration wider = t[i];
        CHECK(toleration_tolerates(&t[i], taint) == m);
        wider.effect = EFFECT_ANY;
        CHECK(!m || toleration_tolerates(&wider, taint));
        wider.op = TOLERATE_EXISTS;
        CHECK(!m || toleration_tolerates(&wider, taint));
        CHECK(!m || !*t[i].key || strcmp(t[i].key, taint->key) == 0);
    }
}

/* ---- a pod and a flavor ------------------------------------------------------------------------------------------------------ */

struct pod_room {
    struct exprs terms[MOST];
    struct fact_term list[MOST];
    struct fact_label selector[MOST];
    struct fact_toleration tolerations[MOST];
};

static uint32_t read_tolerations(struct input *in, struct fact_toleration *t)
{
    uint32_t n = byte(in) % (MOST + 1);
    for (uint32_t i = 0; i < n; i++)
        t[i] = (struct fact_toleration){text(in), text(in), (enum toleration_op)(byte(in) % 4),
                                        (enum taint_effect)(byte(in) % 4)};
    return n;
}

static struct fact_pod read_pod(struct input *in, struct pod_room *room)
{
    struct fact_pod pod = {.runtime_class = "", .selector = room->selector, .terms = room->list};
    pod.nselector = read_labels(in, room->selector);
    pod.has_affinity = byte(in) % 2;
    pod.nterms = byte(in) % (MOST + 1);
    for (uint32_t i = 0; i < pod.nterms; i++) {
        read_exprs(in, &room->terms[i]);
        room->list[i] = (struct fact_term){room->terms[i].e, room->terms[i].n};
    }
    pod.tolerations = room->tolerations;
    pod.ntolerations = read_tolerations(in, room->tolerations);
    pod.digest = "d";
    pod.digest_len = 1;
    pod.selector_error = byte(in) % 8 ? "" : "bad selector";
    return pod;
}

static bool has_key(const struct fact_flavor *f, const char *key)
{
    for (uint32_t i = 0; i < f->nlabels; i++)
        if (strcmp(f->labels[i].key, key) == 0)
            return true;
    return false;
}

/* 6.4 step 3, said another way: what remains of each term when keys that the flavor does not have are left out. */
static bool affinity_holds(const struct fact_pod *pod, const struct fact_flavor *f)
{
    bool any = !pod->nterms;
    for (uint32_t i = 0; i < pod->nterms; i++) {
        uint32_t kept = 0, held = 0;
        for (uint32_t k = 0; k < pod->terms[i].nexprs; k++) {
            const struct fact_expr *e = &pod->terms[i].exprs[k];
            if (!has_key(f, e->key))
                continue;
            kept++;
            held += one(e, f->labels, f->nlabels);
        }
        if (!kept)
            return true;
        any |= held == kept;
    }
    return any;
}

static void check_match(const struct fact_pod *pod, const struct fact_flavor *f, struct match m)
{
    CHECK(m.kind <= MATCH_ERROR);
    if (m.kind == MATCH_TAINT) {
        CHECK(m.taint < f->ntaints && f->taints[m.taint].effect != EFFECT_PREFER_NO_SCHEDULE);
        CHECK(!tolerated(pod->tolerations, pod->ntolerations, &f->taints[m.taint]));
        CHECK(!tolerated(f->tolerations, f->ntolerations, &f->taints[m.taint]));
        return;
    }
    for (uint32_t i = 0; i < f->ntaints; i++)
        CHECK((f->taints[i].effect != EFFECT_NO_SCHEDULE && f->taints[i].effect != EFFECT_NO_EXECUTE) ||
              tolerated(pod->tolerations, pod->ntolerations, &f->taints[i]) ||
              tolerated(f->tolerations, f->ntolerations, &f->taints[i]));
    if (m.kind == MATCH_ERROR) {
        CHECK(*pod->selector_error);
        return;
    }
    bool selected = true;
    for (uint32_t i = 0; i < pod->nselector; i++) {
        const char *value = pod->selector[i].value;
        struct fact_expr e = {pod->selector[i].key, SEL_IN, &value, 1};
        selected &= !has_key(f, e.key) || one(&e, f->labels, f->nlabels);
    }
    CHECK((m.kind == MATCH_OK) == (selected && (!pod->has_affinity || affinity_holds(pod, f))));
}

static void check_pod(struct input *in, const struct fact_label *labels, uint32_t nlabels)
{
    struct pod_room room;
    struct fact_taint taints[MOST];
    struct fact_toleration own[MOST];
    struct fact_pod_set ps = {.name = "p", .count = 1, .topology = "", .topology_group = ""};
    struct fact_flavor f = {.name = "f",
                            .labels = labels,
                            .nlabels = nlabels,
                            .taints = taints,
                            .tolerations = own,
                            .topology = ""};
    ps.pod = read_pod(in, &room);
    f.ntolerations = read_tolerations(in, own);
    f.ntaints = byte(in) % (MOST + 1);
    for (uint32_t i = 0; i < f.ntaints; i++) {
        taints[i] = (struct fact_taint){text(in), text(in), (enum taint_effect)(1 + byte(in) % 3)};
        check_tolerations(ps.pod.tolerations, ps.pod.ntolerations, &taints[i]);
    }
    struct names *names = names_new();
    struct shapes *shapes = shapes_new(names);
    struct flavor *flavor = flavor_new(names, &f), *twin = flavor_new(names, &f);
    struct shape *shape;
    CHECK(names && shapes && flavor && twin && !shapes_take(shapes, &ps, NULL, 0, &shape, NULL));
    CHECK(!flavor_differs(flavor, twin));
    struct match m = shape_match(shape, flavor), again = shape_match(shape, flavor),
                 other = shape_match(shape, twin);
    CHECK(m.kind == again.kind && m.taint == again.taint && m.kind == other.kind && m.taint == other.taint);
    check_match(&ps.pod, &f, m);
    struct str out;
    str_init(&out, 0);
    match_print(&out, m, flavor);
    CHECK((m.kind == MATCH_TAINT || m.kind == MATCH_AFFINITY) == (out.len > 0));
    str_free(&out);
    shapes_drop(shapes, shape);
    flavor_free(flavor);
    flavor_free(twin);
    shapes_free(shapes);
    names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.p = data, .n = size};
    struct fact_label labels[MOST];
    struct exprs x;
    uint32_t n = read_labels(&in, labels);
    read_exprs(&in, &x);
    check_selector(&x, labels, n);
    check_pod(&in, labels, n);
    return 0;
}
