/* The matching half of shape.h: taints, selectors, affinity. */
#include "core/shape.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A whole decimal int64, as Go's ParseInt in base 10 takes it. */
static bool int_read(const char *s, int64_t *ret)
{
    char *end;

    if (!(*s >= '0' && *s <= '9') && !((*s == '-' || *s == '+') && s[1] >= '0' && s[1] <= '9'))
        return false;
    errno = 0;
    long long v = strtoll(s, &end, 10);
    if (errno || *end)
        return false;
    *ret = v;
    return true;
}

bool toleration_tolerates(const struct fact_toleration *t, const struct fact_taint *taint)
{
    int64_t have, want;

    if (t->effect != EFFECT_ANY && t->effect != taint->effect)
        return false;
    if (*t->key && strcmp(t->key, taint->key))
        return false;
    switch (t->op) {
    case TOLERATE_EXISTS:
        return true;
    case TOLERATE_EQUAL:
        return !strcmp(t->value, taint->value);
    case TOLERATE_LT:
        return int_read(taint->value, &have) && int_read(t->value, &want) && have < want;
    case TOLERATE_GT:
        return int_read(taint->value, &have) && int_read(t->value, &want) && have > want;
    }
    return false;
}

static const char *label_value(const struct fact_label *labels, uint32_t n, const char *key)
{
    for (uint32_t i = 0; i < n; i++)
        if (!strcmp(labels[i].key, key))
            return labels[i].value;
    return NULL;
}

static bool value_in(const struct fact_expr *e, const char *value)
{
    for (uint32_t i = 0; i < e->nvalues; i++)
        if (!strcmp(e->values[i], value))
            return true;
    return false;
}

static bool expr_matches(const struct fact_expr *e, const char *value)
{
    int64_t have, want;

    switch (e->op) {
    case SEL_IN:
        return value && value_in(e, value);
    case SEL_NOT_IN:
        return !value || !value_in(e, value);
    case SEL_EXISTS:
        return value != NULL;
    case SEL_NOT_EXISTS:
        return !value;
    case SEL_GT:
    case SEL_LT:
        if (!value || e->nvalues != 1 || !int_read(value, &have) || !int_read(e->values[0], &want))
            return false;
        return e->op == SEL_GT ? have > want : have < want;
    }
    return false;
}

bool selector_matches(const struct fact_selector *sel, const struct fact_label *labels, uint32_t nlabels)
{
    if (sel->is_null)
        return false;
    for (uint32_t i = 0; i < sel->nexprs; i++)
        if (!expr_matches(&sel->exprs[i], label_value(labels, nlabels, sel->exprs[i].key)))
            return false;
    return true;
}

static bool taint_tolerated(const struct fact_taint *taint, const struct fact_toleration *t, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (toleration_tolerates(&t[i], taint))
            return true;
    return false;
}

/* 6.4 step 3: only what speaks of this flavor's own label keys counts. A term that says nothing about them drops the whole
 * requirement. */
static bool terms_match(const struct fact_pod *pod, const struct fact_flavor *f)
{
    bool any = false;

    for (uint32_t i = 0; i < pod->nterms; i++) {
        const struct fact_term *t = &pod->terms[i];
        bool all = true;
        uint32_t kept = 0;
        for (uint32_t j = 0; j < t->nexprs; j++) {
            const char *value = label_value(f->labels, f->nlabels, t->exprs[j].key);
            if (!value)
                continue;
            kept++;
            all = all && expr_matches(&t->exprs[j], value);
        }
        if (!kept)
            return true;
        any = any || all;
    }
    return any || !pod->nterms;
}

static bool affinity_matches(const struct fact_pod *pod, const struct fact_flavor *f)
{
    for (uint32_t i = 0; i < pod->nselector; i++) {
        const char *value = label_value(f->labels, f->nlabels, pod->selector[i].key);
        if (value && strcmp(value, pod->selector[i].value))
            return false;
    }
    return !pod->has_affinity || terms_match(pod, f);
}

/* Does the pod's selector or affinity speak of a label of this flavor at all? What does not is never parsed. */
static bool pod_speaks_of(const struct fact_pod *pod, const struct fact_flavor *f)
{
    for (uint32_t i = 0; i < pod->nselector; i++)
        if (label_value(f->labels, f->nlabels, pod->selector[i].key))
            return true;
    for (uint32_t i = 0; pod->has_affinity && i < pod->nterms; i++)
        for (uint32_t j = 0; j < pod->terms[i].nexprs; j++)
            if (label_value(f->labels, f->nlabels, pod->terms[i].exprs[j].key))
                return true;
    return false;
}

static struct match match_compute(const struct shape *shape, const struct fact_flavor *f)
{
    const struct fact_pod *pod = &shape->pod;

    for (uint32_t i = 0; i < f->ntaints; i++) {
        const struct fact_taint *t = &f->taints[i];
        if (t->effect != EFFECT_NO_SCHEDULE && t->effect != EFFECT_NO_EXECUTE)
            continue;
        if (!taint_tolerated(t, pod->tolerations, pod->ntolerations) &&
            !taint_tolerated(t, f->tolerations, f->ntolerations))
            return (struct match){MATCH_TAINT, (uint8_t)i};
    }
    if (*shape->selector_error && pod_speaks_of(pod, f))
        return (struct match){MATCH_ERROR, 0};
    return (struct match){affinity_matches(pod, f) ? MATCH_OK : MATCH_AFFINITY, 0};
}

void shape_reserve(struct shape *shape, uint32_t nflavors)
{
    void *matches = shape->matches;

    /* A failure only costs time: shape_match then computes anew. */
    if (nflavors > shape->cap_matches &&
        !mem_grow(&matches, &shape->cap_matches, nflavors, sizeof(*shape->matches)))
        shape->matches = matches;
}

struct match shape_match(struct shape *shape, const struct flavor *flavor)
{
    for (uint32_t i = 0; i < shape->nmatches; i++) {
        struct shape_match *m = &shape->matches[i];
        if (m->flavor != flavor->name)
            continue;
        if (m->version != flavor->version) {
            m->match = match_compute(shape, &flavor->fact);
            m->version = flavor->version;
        }
        return m->match;
    }
    struct match match = match_compute(shape, &flavor->fact);
    shape_reserve(shape, shape->nmatches + 1);
    if (shape->nmatches < shape->cap_matches)
        shape->matches[shape->nmatches++] = (struct shape_match){flavor->name, flavor->version, match};
    return match;
}

static const char *effect_name(enum taint_effect e)
{
    switch (e) {
    case EFFECT_NO_SCHEDULE:
        return "NoSchedule";
    case EFFECT_PREFER_NO_SCHEDULE:
        return "PreferNoSchedule";
    case EFFECT_NO_EXECUTE:
        return "NoExecute";
    case EFFECT_ANY:
        break;
    }
    return "";
}

void match_print(struct str *out, struct match m, const struct flavor *flavor)
{
    if (m.kind == MATCH_TAINT) {
        const struct fact_taint *t = &flavor->fact.taints[m.taint];
        str_addf(out, "untolerated taint {%s %s %s <nil>} in flavor %s", t->key, t->value,
                 effect_name(t->effect), flavor->fact.name);
    } else if (m.kind == MATCH_AFFINITY) {
        str_addf(out, "flavor %s doesn't match node affinity", flavor->fact.name);
    }
}
