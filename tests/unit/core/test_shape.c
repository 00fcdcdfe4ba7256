#include "core/shape.h"

#include "base/mem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))

static const struct fact_pod bare_pod = {.runtime_class = "", .digest = "", .selector_error = ""};

static struct fact_pod_set pod_set_of(struct fact_pod pod)
{
    return (struct fact_pod_set){
        .name = "main", .count = 1, .pod = pod, .topology = "", .topology_group = ""};
}

static struct fact_flavor flavor_of(const char *name)
{
    return (struct fact_flavor){.name = name, .topology = ""};
}

/* ---- tolerations -------------------------------------------------------------------------------------------------------- */

static const struct {
    struct fact_toleration t;
    struct fact_taint taint;
    bool want;
} toleration_rows[] = {
    {{"k", "v", TOLERATE_EQUAL, EFFECT_NO_SCHEDULE}, {"k", "v", EFFECT_NO_SCHEDULE}, true},
    {{"k", "v", TOLERATE_EQUAL, EFFECT_ANY}, {"k", "v", EFFECT_NO_EXECUTE}, true},
    {{"k", "v", TOLERATE_EQUAL, EFFECT_NO_EXECUTE}, {"k", "v", EFFECT_NO_SCHEDULE}, false},
    {{"k", "v", TOLERATE_EQUAL, EFFECT_ANY}, {"other", "v", EFFECT_NO_SCHEDULE}, false},
    {{"k", "v", TOLERATE_EQUAL, EFFECT_ANY}, {"k", "w", EFFECT_NO_SCHEDULE}, false},
    {{"k", "", TOLERATE_EXISTS, EFFECT_ANY}, {"k", "w", EFFECT_NO_SCHEDULE}, true},
    {{"", "", TOLERATE_EXISTS, EFFECT_ANY}, {"k", "w", EFFECT_NO_SCHEDULE}, true},
    {{"", "v", TOLERATE_EQUAL, EFFECT_ANY}, {"k", "v", EFFECT_NO_SCHEDULE}, true},
    {{"k", "10", TOLERATE_GT, EFFECT_ANY}, {"k", "11", EFFECT_NO_SCHEDULE}, true},
    {{"k", "10", TOLERATE_GT, EFFECT_ANY}, {"k", "10", EFFECT_NO_SCHEDULE}, false},
    {{"k", "10", TOLERATE_LT, EFFECT_ANY}, {"k", "-9", EFFECT_NO_SCHEDULE}, true},
    {{"k", "+10", TOLERATE_LT, EFFECT_ANY}, {"k", "10", EFFECT_NO_SCHEDULE}, false},
    {{"k", "x", TOLERATE_LT, EFFECT_ANY}, {"k", "1", EFFECT_NO_SCHEDULE}, false},
    {{"k", "1", TOLERATE_GT, EFFECT_ANY}, {"k", "9x", EFFECT_NO_SCHEDULE}, false},
    {{"k", "1", TOLERATE_GT, EFFECT_ANY}, {"k", "", EFFECT_NO_SCHEDULE}, false},
    {{"k", "1", TOLERATE_GT, EFFECT_ANY}, {"k", "-", EFFECT_NO_SCHEDULE}, false},
    {{"k", "1", TOLERATE_GT, EFFECT_ANY}, {"k", " 9", EFFECT_NO_SCHEDULE}, false},
    {{"k", "1", TOLERATE_GT, EFFECT_ANY}, {"k", "99999999999999999999", EFFECT_NO_SCHEDULE}, false},
    {{"k", "", (enum toleration_op)9, EFFECT_ANY}, {"k", "", EFFECT_NO_SCHEDULE}, false},
};

START_TEST(toleration)
{
    ck_assert_int_eq(toleration_tolerates(&toleration_rows[_i].t, &toleration_rows[_i].taint),
                     toleration_rows[_i].want);
}
END_TEST

/* ---- selectors ---------------------------------------------------------------------------------------------------------- */

static const char *const v_eng_ops[] = {"eng", "ops"}, *const v_five[] = {"5"}, *const v_bad[] = {"x"};
static const struct fact_label selector_labels[] = {{"dep", "eng"}, {"n", "7"}};

static const struct {
    struct fact_expr e;
    bool want;
} selector_rows[] = {
    {{"dep", SEL_IN, v_eng_ops, 2}, true},      {{"n", SEL_IN, v_eng_ops, 2}, false},
    {{"gone", SEL_IN, v_eng_ops, 2}, false},    {{"dep", SEL_NOT_IN, v_eng_ops, 2}, false},
    {{"gone", SEL_NOT_IN, v_eng_ops, 2}, true}, {{"n", SEL_NOT_IN, v_eng_ops, 2}, true},
    {{"dep", SEL_EXISTS, NULL, 0}, true},       {{"gone", SEL_EXISTS, NULL, 0}, false},
    {{"dep", SEL_NOT_EXISTS, NULL, 0}, false},  {{"gone", SEL_NOT_EXISTS, NULL, 0}, true},
    {{"n", SEL_GT, v_five, 1}, true},           {{"n", SEL_LT, v_five, 1}, false},
    {{"gone", SEL_GT, v_five, 1}, false},       {{"dep", SEL_GT, v_five, 1}, false},
    {{"n", SEL_GT, v_bad, 1}, false},           {{"n", SEL_LT, v_five, 0}, false},
    {{"n", (enum sel_op)9, NULL, 0}, false},
};

START_TEST(selector)
{
    struct fact_selector sel = {false, &selector_rows[_i].e, 1};

    ck_assert_int_eq(selector_matches(&sel, selector_labels, 2), selector_rows[_i].want);
}
END_TEST

START_TEST(selector_null_and_empty)
{
    struct fact_selector null = {.is_null = true}, all = {.is_null = false};

    ck_assert(!selector_matches(&null, selector_labels, 2));
    ck_assert(selector_matches(&all, selector_labels, 2));
    ck_assert(selector_matches(&all, NULL, 0));
}
END_TEST

/* ---- matching ----------------------------------------------------------------------------------------------------------- */

static const char *const v_west[] = {"west"}, *const v_east[] = {"east"}, *const v_a[] = {"a"};
static const struct fact_label zone_labels[] = {{"zone", "east"}, {"type", "a"}};
static const struct fact_taint spot_taints[] = {{"soft", "", EFFECT_PREFER_NO_SCHEDULE},
                                                {"spot", "", EFFECT_NO_SCHEDULE},
                                                {"gpu", "yes", EFFECT_NO_EXECUTE}};
static const struct fact_toleration spot_ok = {"spot", "", TOLERATE_EXISTS, EFFECT_ANY};
static const struct fact_toleration gpu_ok = {"gpu", "yes", TOLERATE_EQUAL, EFFECT_NO_EXECUTE};
static const struct fact_label want_east = {"zone", "east"}, want_west = {"zone", "west"},
                               want_disk = {"disk", "x"};
static const struct fact_expr e_east = {"zone", SEL_IN, v_east, 1}, e_west = {"zone", SEL_IN, v_west, 1};
static const struct fact_expr e_disk = {"disk", SEL_IN, v_a, 1};
static const struct fact_expr e_both[] = {{"zone", SEL_IN, v_east, 1}, {"type", SEL_NOT_IN, v_a, 1}};
static const struct fact_term t_east[] = {{&e_east, 1}}, t_west[] = {{&e_west, 1}};
static const struct fact_term t_west_or_east[] = {{&e_west, 1}, {&e_east, 1}};
static const struct fact_term t_west_or_disk[] = {{&e_west, 1}, {&e_disk, 1}};
static const struct fact_term t_both[] = {{e_both, 2}}, t_disk[] = {{&e_disk, 1}};

static const struct {
    const char *name;
    const struct fact_label *selector; /* one, or NULL */
    const struct fact_term *terms;
    uint32_t nterms;
    const struct fact_toleration *pod_toleration, *flavor_toleration; /* one, or NULL */
    bool tainted, labelled;
    const char *error;
    uint8_t kind, taint;
} match_rows[] = {
    {"nothing asked", .kind = MATCH_OK},
    {"taint not tolerated", .tainted = true, .kind = MATCH_TAINT, .taint = 1},
    {"the second taint", .tainted = true, .pod_toleration = &spot_ok, .kind = MATCH_TAINT, .taint = 2},
    {"pod and flavor tolerate", .tainted = true, .pod_toleration = &spot_ok, .flavor_toleration = &gpu_ok},
    {"selector agrees", &want_east, .labelled = true, .kind = MATCH_OK},
    {"selector differs", &want_west, .labelled = true, .kind = MATCH_AFFINITY},
    {"selector of another key", &want_disk, .labelled = true, .kind = MATCH_OK},
    {"no labels, any selector", &want_west, .kind = MATCH_OK},
    {"affinity agrees", .terms = t_east, .nterms = 1, .labelled = true, .kind = MATCH_OK},
    {"affinity differs", .terms = t_west, .nterms = 1, .labelled = true, .kind = MATCH_AFFINITY},
    {"affinity, terms are or-ed", .terms = t_west_or_east, .nterms = 2, .labelled = true, .kind = MATCH_OK},
    {"affinity, expressions are and-ed", .terms = t_both, .nterms = 1, .labelled = true,
     .kind = MATCH_AFFINITY},
    {"an emptied term drops all", .terms = t_west_or_disk, .nterms = 2, .labelled = true, .kind = MATCH_OK},
    {"affinity without terms", .terms = t_west, .nterms = 0, .labelled = true, .kind = MATCH_OK},
    {"no labels, any affinity", .terms = t_west, .nterms = 1, .kind = MATCH_OK},
    {"does not parse", &want_east, .labelled = true, .error = "bad", .kind = MATCH_ERROR},
    {"affinity does not parse", .terms = t_east, .nterms = 1, .labelled = true, .error = "bad",
     .kind = MATCH_ERROR},
    {"not parsed", .terms = t_disk, .nterms = 1, .selector = &want_disk, .labelled = true, .error = "bad"},
    {"taints come first", &want_east, .tainted = true, .labelled = true, .error = "bad", .kind = MATCH_TAINT,
     .taint = 1},
};

START_TEST(match)
{
    struct names *names = names_new();
    struct shapes *shapes = shapes_new(names);
    struct fact_pod pod = bare_pod;
    struct fact_flavor fact = flavor_of("f");
    struct shape *shape;

    pod.selector = match_rows[_i].selector;
    pod.nselector = match_rows[_i].selector != NULL;
    pod.has_affinity = match_rows[_i].terms != NULL;
    pod.terms = match_rows[_i].terms;
    pod.nterms = match_rows[_i].nterms;
    pod.tolerations = match_rows[_i].pod_toleration;
    pod.ntolerations = match_rows[_i].pod_toleration != NULL;
    pod.selector_error = match_rows[_i].error ? match_rows[_i].error : "";
    fact.tolerations = match_rows[_i].flavor_toleration;
    fact.ntolerations = match_rows[_i].flavor_toleration != NULL;
    fact.taints = spot_taints;
    fact.ntaints = match_rows[_i].tainted ? 3 : 0;
    fact.labels = zone_labels;
    fact.nlabels = match_rows[_i].labelled ? 2 : 0;
    struct fact_pod_set ps = pod_set_of(pod);
    struct flavor *flavor = flavor_new(names, &fact);
    ck_assert_int_eq(shapes_take(shapes, &ps, NULL, 0, &shape, NULL), 0);
    for (int again = 0; again < 2; again++) { /* computed, then remembered */
        struct match m = shape_match(shape, flavor);
        ck_assert_msg(m.kind == match_rows[_i].kind && m.taint == match_rows[_i].taint, "%s: %u %u",
                      match_rows[_i].name, m.kind, m.taint);
    }
    ck_assert_uint_eq(shape->nmatches, 1);
    flavor_free(flavor);
    shapes_drop(shapes, shape);
    shapes_free(shapes);
    names_free(names);
}
END_TEST

START_TEST(match_of_changed_flavor)
{
    struct names *names = names_new();
    struct shapes *shapes = shapes_new(names);
    struct fact_pod pod = bare_pod;
    pod.selector = &want_west;
    pod.nselector = 1;
    struct fact_pod_set ps = pod_set_of(pod);
    struct fact_flavor a = flavor_of("a"), b = flavor_of("b");
    struct shape *shape;

    a.labels = zone_labels;
    a.nlabels = 2;
    ck_assert_int_eq(shapes_take(shapes, &ps, NULL, 0, &shape, NULL), 0);
    struct flavor *fa = flavor_new(names, &a), *fb = flavor_new(names, &b);
    ck_assert_int_eq(shape_match(shape, fa).kind, MATCH_AFFINITY);
    ck_assert_int_eq(shape_match(shape, fb).kind, MATCH_OK);
    flavor_free(fa);
    a.nlabels = 0;
    fa = flavor_new(names, &a);
    ck_assert_int_eq(shape_match(shape, fa).kind, MATCH_OK);
    ck_assert_int_eq(shape_match(shape, fb).kind, MATCH_OK);
    ck_assert_uint_eq(shape->nmatches, 2);
    flavor_free(fa);
    flavor_free(fb);
    shapes_free(shapes); /* frees what is still held */
    names_free(names);
}
END_TEST

START_TEST(match_without_memory)
{
    struct names *names = names_new();
    struct shapes *shapes = shapes_new(names);
    struct fact_pod_set ps = pod_set_of(bare_pod);
    struct fact_flavor fact = flavor_of("a");
    struct flavor *flavor = flavor_new(names, &fact);
    struct shape *shape;

    ck_assert_int_eq(shapes_take(shapes, &ps, NULL, 0, &shape, NULL), 0);
    mem_fail_after(1);
    ck_assert_int_eq(shape_match(shape, flavor).kind, MATCH_OK);
    ck_assert_uint_eq(shape->nmatches, 0);
    mem_fail_after(0);
    shape_reserve(shape, 3);
    uint64_t before = mem_count();
    ck_assert_int_eq(shape_match(shape, flavor).kind, MATCH_OK);
    ck_assert_uint_eq(mem_count(), before);
    ck_assert_uint_eq(shape->nmatches, 1);
    flavor_free(flavor);
    shapes_free(shapes);
    names_free(names);
}
END_TEST

START_TEST(match_texts)
{
    struct names *names = names_new();
    struct fact_flavor fact = flavor_of("spot");
    static const struct fact_taint taints[] = {{"instance", "spot", EFFECT_NO_SCHEDULE},
                                               {"gpu", "", EFFECT_NO_EXECUTE},
                                               {"soft", "", EFFECT_PREFER_NO_SCHEDULE},
                                               {"none", "", EFFECT_ANY}};
    static const struct {
        struct match m;
        const char *want;
    } rows[] = {
        {{MATCH_TAINT, 0}, "untolerated taint {instance spot NoSchedule <nil>} in flavor spot"},
        {{MATCH_TAINT, 1}, "untolerated taint {gpu  NoExecute <nil>} in flavor spot"},
        {{MATCH_TAINT, 2}, "untolerated taint {soft  PreferNoSchedule <nil>} in flavor spot"},
        {{MATCH_TAINT, 3}, "untolerated taint {none   <nil>} in flavor spot"},
        {{MATCH_AFFINITY, 0}, "flavor spot doesn't match node affinity"},
        {{MATCH_OK, 0}, ""},
        {{MATCH_ERROR, 0}, ""},
    };

    fact.taints = taints;
    fact.ntaints = COUNT(taints);
    struct flavor *flavor = flavor_new(names, &fact);
    for (uint32_t i = 0; i < COUNT(rows); i++) {
        struct str out;
        str_init(&out, 0);
        match_print(&out, rows[i].m, flavor);
        ck_assert_str_eq(str_text(&out), rows[i].want);
        str_free(&out);
    }
    flavor_free(flavor);
    names_free(names);
}
END_TEST

/* ---- flavors ------------------------------------------------------------------------------------------------------------ */

START_TEST(flavor_copies)
{
    struct names *names = names_new();
    char key[] = "zone", value[] = "east", topology[] = "rack";
    struct fact_label label = {key, value};
    struct fact_flavor fact = {.name = "f", .labels = &label, .nlabels = 1, .topology = topology};
    struct flavor *a = flavor_new(names, &fact), *b = flavor_new(names, &fact);

    key[0] = value[0] = topology[0] = 'X';
    ck_assert_str_eq(a->fact.labels[0].key, "zone");
    ck_assert_str_eq(a->fact.labels[0].value, "east");
    ck_assert_str_eq(a->fact.topology, "rack");
    ck_assert_str_eq(names_text(names, a->name), "f");
    ck_assert_uint_eq(a->name, b->name);
    ck_assert_uint_ne(a->version, b->version);
    flavor_free(a);
    flavor_free(b);
    flavor_free(NULL);
    names_free(names);
}
END_TEST

START_TEST(flavor_difference)
{
    struct names *names = names_new();
    static const struct fact_label l1[] = {{"a", "1"}, {"b", "2"}}, l2[] = {{"b", "2"}, {"a", "1"}},
                                   l3[] = {{"a", "1"}, {"b", "3"}};
    static const struct fact_taint t1[] = {{"a", "1", EFFECT_NO_SCHEDULE}},
                                   t2[] = {{"a", "2", EFFECT_NO_SCHEDULE}},
                                   t3[] = {{"b", "1", EFFECT_NO_SCHEDULE}},
                                   t4[] = {{"a", "1", EFFECT_NO_EXECUTE}};
    static const struct fact_toleration o[] = {{"a", "1", TOLERATE_EQUAL, EFFECT_ANY},
                                               {"b", "1", TOLERATE_EQUAL, EFFECT_ANY},
                                               {"a", "2", TOLERATE_EQUAL, EFFECT_ANY},
                                               {"a", "1", TOLERATE_EXISTS, EFFECT_ANY},
                                               {"a", "1", TOLERATE_EQUAL, EFFECT_NO_EXECUTE}};
    static const struct {
        const struct fact_label *l;
        uint32_t nl;
        const struct fact_taint *t;
        uint32_t nt;
        const struct fact_toleration *o;
        uint32_t no;
        bool want;
    } rows[] = {
        {l1, 2, t1, 1, o, 1, false},    {l2, 2, t1, 1, o, 1, false},    {l3, 2, t1, 1, o, 1, true},
        {l1, 1, t1, 1, o, 1, true},     {l1, 2, t2, 1, o, 1, true},     {l1, 2, t3, 1, o, 1, true},
        {l1, 2, t4, 1, o, 1, true},     {l1, 2, t1, 0, o, 1, true},     {l1, 2, t1, 1, o + 1, 1, true},
        {l1, 2, t1, 1, o + 2, 1, true}, {l1, 2, t1, 1, o + 3, 1, true}, {l1, 2, t1, 1, o + 4, 1, true},
        {l1, 2, t1, 1, o, 0, true},
    };
    struct fact_flavor fact = flavor_of("f");

    for (uint32_t i = 0; i < COUNT(rows); i++) {
        fact.labels = l1, fact.nlabels = 2, fact.taints = t1, fact.ntaints = 1, fact.tolerations = o,
        fact.ntolerations = 1;
        struct flavor *a = flavor_new(names, &fact);
        fact.labels = rows[i].l, fact.nlabels = rows[i].nl, fact.taints = rows[i].t,
        fact.ntaints = rows[i].nt;
        fact.tolerations = rows[i].o, fact.ntolerations = rows[i].no,
        fact.topology = "t"; /* does not count */
        struct flavor *b = flavor_new(names, &fact);
        ck_assert_msg(flavor_differs(a, b) == rows[i].want, "row %u", i);
        flavor_free(a);
        flavor_free(b);
    }
    names_free(names);
}
END_TEST

/* ---- interning ---------------------------------------------------------------------------------------------------------- */

START_TEST(equal_templates_are_one)
{
    struct names *names = names_new();
    struct shapes *shapes = shapes_new(names);
    struct req req[2];
    struct shape *a, *b, *c;
    char digest[] = "pod one";
    struct fact_pod pod = bare_pod;

    memset(req, 0xff, sizeof(req)); /* padding must not count */
    req[0].res = 1, req[0].amount = 1000, req[1].res = 2, req[1].amount = 5;
    pod.digest = digest;
    pod.digest_len = sizeof(digest) - 1;
    struct fact_pod_set ps = pod_set_of(pod);
    ck_assert_int_eq(shapes_take(shapes, &ps, req, 2, &a, NULL), 0);
    memset(req, 0, sizeof(req));
    req[0].res = 1, req[0].amount = 1000, req[1].res = 2, req[1].amount = 5;
    ps.name = "other", ps.count = 9, ps.min_count = 3; /* no part of the shape */
    ck_assert_int_eq(shapes_take(shapes, &ps, req, 2, &b, NULL), 0);
    ck_assert_ptr_eq(a, b);
    ck_assert_uint_eq(a->refs, 2);
    digest[0] = 'P';
    ck_assert_int_eq(shapes_take(shapes, &ps, req, 2, &c, NULL), 0);
    ck_assert_uint_ne(a->id, c->id);
    ck_assert_uint_eq(shapes_count(shapes), 2);
    ck_assert_uint_eq(a->nreq, 2);
    ck_assert_int_eq(a->req[1].amount, 5);
    shapes_drop(shapes, a);
    shapes_drop(shapes, b);
    ck_assert_uint_eq(shapes_count(shapes), 1);
    shapes_drop(shapes, NULL);
    shapes_free(shapes);
    shapes_free(NULL);
    names_free(names);
}
END_TEST

static const struct fact_pod_set *variant(uint32_t i, struct req *req, uint32_t *nreq)
{
    static struct fact_pod_set ps;
    static const struct fact_toleration equal = {"spot", "", TOLERATE_EQUAL, EFFECT_ANY};

    ps = pod_set_of(bare_pod);
    *nreq = 1;
    *req = (struct req){1, 1000};
    switch (i) {
    case 1:
        *nreq = 0;
        break;
    case 2:
        req->amount++;
        break;
    case 3:
        req->res++;
        break;
    case 4:
        ps.wants_topology = true;
        break;
    case 5:
        ps.wants_devices = true;
        break;
    case 6:
        ps.topology = "t";
        break;
    case 7:
        ps.topology_group = "t";
        break;
    case 8:
        ps.pod.selector_error = "t";
        break;
    case 9:
        ps.pod.digest = "t", ps.pod.digest_len = 1;
        break;
    case 10:
        ps.pod.selector = &want_east, ps.pod.nselector = 1;
        break;
    case 11:
        ps.pod.selector = &want_west, ps.pod.nselector = 1;
        break;
    case 12:
        ps.pod.has_affinity = true;
        break;
    case 13:
        ps.pod.has_affinity = true, ps.pod.terms = t_east, ps.pod.nterms = 1;
        break;
    case 14:
        ps.pod.has_affinity = true, ps.pod.terms = t_west, ps.pod.nterms = 1;
        break;
    case 15:
        ps.pod.tolerations = &spot_ok, ps.pod.ntolerations = 1;
        break;
    case 16:
        ps.pod.tolerations = &equal, ps.pod.ntolerations = 1;
        break;
    default:
        break;
    }
    return &ps;
}

START_TEST(each_part_counts)
{
    enum { VARIANTS = 17 };
    struct names *names = names_new();
    struct shapes *shapes = shapes_new(names);
    struct shape *shape;
    struct req req;
    uint32_t nreq;

    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < VARIANTS; i++) {
            const struct fact_pod_set *ps = variant(i, &req, &nreq);
            ck_assert_int_eq(shapes_take(shapes, ps, &req, nreq, &shape, NULL), 0);
            ck_assert_uint_eq(shape->id, i + 1);
        }
        ck_assert_uint_eq(shapes_count(shapes), VARIANTS);
    }
    shapes_free(shapes);
    names_free(names);
}
END_TEST

/* Against a plain list: takes and drops in a random order; ids agree with equality. */
START_TEST(many)
{
    enum { KEYS = 500, STEPS = 20000 };
    struct names *names = names_new();
    struct shapes *shapes = shapes_new(names);
    struct shape **held = calloc(KEYS, sizeof(struct shape *)), *shape;
    uint32_t refs[KEYS] = {0}, live = 0;
    uint64_t seed = 1;
    struct fact_pod_set ps = pod_set_of(bare_pod);

    for (int step = 0; step < STEPS; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t k = (uint32_t)(seed >> 40) % KEYS;
        struct req req = {3, k};
        if (refs[k] && (seed >> 33 & 3)) {
            shapes_drop(shapes, held[k]);
            live -= --refs[k] == 0;
        } else {
            ck_assert_int_eq(shapes_take(shapes, &ps, &req, 1, &shape, NULL), 0);
            if (refs[k])
                ck_assert_ptr_eq(shape, held[k]);
            ck_assert_int_eq(shape->req[0].amount, k);
            held[k] = shape;
            live += refs[k]++ == 0;
        }
        ck_assert_uint_eq(shapes_count(shapes), live);
    }
    free(held);
    shapes_free(shapes);
    names_free(names);
}
END_TEST

START_TEST(out_of_memory)
{
    struct names *names = names_new();
    struct fact_pod pod = bare_pod;
    pod.terms = t_both, pod.nterms = 1, pod.has_affinity = true;
    struct fact_pod_set ps = pod_set_of(pod);
    struct fact_flavor fact = flavor_of("fresh");
    struct err err;
    int64_t before = mem_live();

    for (uint64_t n = 1;; n++) {
        struct shape *shape = NULL;
        uint32_t made = 0;
        mem_fail_after(n);
        struct shapes *shapes = shapes_new(names);
        int r = shapes ? 0 : ERR_NOMEM;
        for (int64_t i = 0; !r && i < 60; i++) { /* the table grows on the way */
            struct req req = {1, i};
            r = shapes_take(shapes, &ps, &req, 1, &shape, &err);
            made += !r;
        }
        mem_fail_after(0);
        if (shapes)
            ck_assert_uint_eq(shapes_count(shapes), made);
        shapes_free(shapes);
        ck_assert_int_eq(mem_live(), before);
        if (!r)
            break;
        ck_assert_int_eq(r, ERR_NOMEM);
        ck_assert_uint_lt(n, 200);
    }
    mem_fail_after(1);
    ck_assert_ptr_null(flavor_new(names, &fact));
    mem_fail_after(0);
    struct flavor *flavor = flavor_new(names, &fact);
    ck_assert_ptr_nonnull(flavor);
    mem_fail_after(1); /* the name is known by now */
    ck_assert_ptr_null(flavor_new(names, &fact));
    mem_fail_after(0);
    flavor_free(flavor);
    names_free(names);
}
END_TEST

static Suite *shape_suite(void)
{
    Suite *s = suite_create("shape");
    TCase *t = tcase_create("shape");

    tcase_add_loop_test(t, toleration, 0, COUNT(toleration_rows));
    tcase_add_loop_test(t, selector, 0, COUNT(selector_rows));
    tcase_add_test(t, selector_null_and_empty);
    tcase_add_loop_test(t, match, 0, COUNT(match_rows));
    tcase_add_test(t, match_of_changed_flavor);
    tcase_add_test(t, match_without_memory);
    tcase_add_test(t, match_texts);
    tcase_add_test(t, flavor_copies);
    tcase_add_test(t, flavor_difference);
    tcase_add_test(t, equal_templates_are_one);
    tcase_add_test(t, each_part_counts);
    tcase_add_test(t, many);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(shape_suite());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
