#include "core/requests.h"

#include "base/mem.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (uint32_t)(sizeof(a) / sizeof((a)[0]))

/* ---- facts from short texts: "cpu=1 memory=1Gi" --------------------------------------------------------------------------- */

static struct arena facts;
static struct names *names;
static struct requests *reqs;

static void setup(void)
{
    arena_init(&facts, 4096);
    names = names_new();
    reqs = requests_new(names);
    ck_assert_ptr_nonnull(reqs);
}

static void teardown(void)
{
    requests_free(reqs);
    names_free(names);
    arena_free(&facts);
    ck_assert_int_eq(mem_live(), 0);
}

static struct quantity quantity_of(const char *text, size_t len)
{
    struct quantity q;
    ck_assert_int_eq(quantity_parse(text, len, &q, NULL), 0);
    return q;
}

static const struct fact_amount *amounts(const char *text, uint32_t *ret_n)
{
    struct fact_amount *v = arena_alloc(&facts, 8 * sizeof(*v));
    uint32_t n = 0;

    while (text && *text) {
        size_t word = strcspn(text, " "), name = strcspn(text, "=");
        ck_assert_uint_lt(n, 8);
        v[n].resource = arena_strndup(&facts, text, name);
        v[n++].q = quantity_of(text + name + 1, word - name - 1);
        text += word + (text[word] == ' ');
    }
    *ret_n = n;
    return v;
}

struct box {
    const char *requests, *limits;
    bool sidecar;
};

static struct fact_container container_of(struct box b)
{
    struct fact_container c = {.name = "c", .restart_always = b.sidecar};

    c.requests = amounts(b.requests, &c.nrequests);
    c.limits = amounts(b.limits, &c.nlimits);
    return c;
}

static const struct fact_container *containers_of(const struct box *b, uint32_t n)
{
    struct fact_container *c = arena_alloc(&facts, (n + 1) * sizeof(*c));

    for (uint32_t i = 0; i < n; i++)
        c[i] = container_of(b[i]);
    return c;
}

/* A pod; containers and init containers end with an empty box. */
struct pod_row {
    struct box containers[3], init[4];
    struct box pod_level;
    const char *overhead, *runtime_class;
};

static uint32_t boxes(const struct box *b, uint32_t max)
{
    uint32_t n = 0;
    while (n < max && b[n].requests)
        n++;
    return n;
}

static struct fact_pod pod_of(const struct pod_row *row)
{
    struct fact_pod p = {
        .digest = "", .selector_error = "", .runtime_class = row->runtime_class ? row->runtime_class : ""};

    p.ncontainers = boxes(row->containers, 3);
    p.containers = containers_of(row->containers, p.ncontainers);
    p.ninit = boxes(row->init, 4);
    p.init = containers_of(row->init, p.ninit);
    p.has_resources = row->pod_level.requests != NULL;
    p.resources = container_of(row->pod_level);
    p.has_overhead = row->overhead != NULL;
    p.overhead = amounts(row->overhead, &p.noverhead);
    return p;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "cpu=1000 memory=5", by name. */
static const char *result_text(const struct req *req, uint32_t n)
{
    char *parts[16], *text = arena_alloc(&facts, 2048);

    ck_assert_uint_le(n, 16);
    for (uint32_t i = 0; i < n; i++) {
        parts[i] = arena_alloc(&facts, 128);
        snprintf(parts[i], 128, "%s=%lld", names_text(names, req[i].res), (long long)req[i].amount);
        if (i)
            ck_assert_int_lt(requests_order(names_text(names, req[i - 1].res), names_text(names, req[i].res)),
                             0);
    }
    qsort(parts, n, sizeof(parts[0]), by_text);
    *text = '\0';
    for (uint32_t i = 0, at = 0; i < n; i++)
        at += (uint32_t)snprintf(text + at, 2048 - at, "%s%s", i ? " " : "", parts[i]);
    return text;
}

static const char *result_of(const struct pod_row *row, const char *ns)
{
    struct fact_pod pod = pod_of(row);
    const struct req *req;
    uint32_t n;

    ck_assert_int_eq(requests_of_pod(reqs, ns, &pod, &facts, &req, &n, NULL), 0);
    return result_text(req, n);
}

static void put_limits(const char *ns, const char *name, enum limit_type type, const char *max,
                       const char *min, const char *defaults, const char *default_requests)
{
    struct fact_limit_item item = {.type = type};
    struct fact_limit_range f = {ns, name, &item, 1};

    item.max = amounts(max, &item.nmax);
    item.min = amounts(min, &item.nmin);
    item.defaults = amounts(defaults, &item.ndefaults);
    item.default_requests = amounts(default_requests, &item.ndefault_requests);
    ck_assert_int_eq(requests_put_limit_range(reqs, &f, NULL), 0);
}

static void put_class(const char *name, const char *overhead)
{
    struct fact_runtime_class f = {.name = name, .has_overhead = overhead != NULL};

    f.overhead = amounts(overhead, &f.noverhead);
    ck_assert_int_eq(requests_put_runtime_class(reqs, &f, NULL), 0);
}

/* ---- 2.3 ---------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    struct pod_row pod;
    const char *want;
} sum_rows[] = {
    {"nothing", {.containers = {{""}}}, ""},
    {"no containers", {.containers = {{NULL}}}, ""},
    {"rounded up", {.containers = {{"cpu=1n memory=0.5 x/y=1m"}}}, "cpu=1 memory=1 x/y=1"},
    {"a sum", {.containers = {{"cpu=1 memory=1Gi"}, {"cpu=500m x/y=2"}}}, "cpu=1500 memory=1073741824 x/y=2"},
    {"a zero stays", {.containers = {{"cpu=0"}}}, "cpu=0"},
    {"negative becomes zero", {.containers = {{"cpu=-1"}}}, "cpu=0"},
    {"clamped", {.containers = {{"cpu=9Ei x/y=16Ei"}}}, "cpu=9223372036854775807 x/y=9223372036854775807"},
    {"init max", {.containers = {{"cpu=1"}}, .init = {{"cpu=3"}, {"cpu=2 memory=5"}}}, "cpu=3000 memory=5"},
    {"init smaller", {.containers = {{"cpu=1"}}, .init = {{"cpu=500m"}}}, "cpu=1000"},
    {"sidecar adds", {.containers = {{"cpu=1"}}, .init = {{"cpu=2", .sidecar = true}}}, "cpu=3000"},
    {"init after a sidecar",
     {.containers = {{"cpu=1"}}, .init = {{"cpu=2", .sidecar = true}, {"cpu=5"}}},
     "cpu=7000"},
    {"init before a sidecar",
     {.containers = {{"cpu=1"}}, .init = {{"cpu=5"}, {"cpu=2", .sidecar = true}}},
     "cpu=5000"},
    {"two sidecars",
     {.containers = {{"cpu=1"}},
      .init = {{"cpu=2", .sidecar = true}, {"memory=4"}, {"cpu=3", .sidecar = true}}},
     "cpu=6000 memory=4"},
    {"pod level overrides what it supports",
     {.containers = {{"cpu=3 memory=7 x/y=1"}}, .pod_level = {"cpu=1 hugepages-2Mi=4Mi x/z=9"}},
     "cpu=1000 hugepages-2Mi=4194304 memory=7 x/y=1"},
    {"pod level memory",
     {.containers = {{"cpu=3 memory=7"}}, .pod_level = {"memory=1"}},
     "cpu=3000 memory=1"},
    {"pod level of other names only", {.containers = {{"cpu=3"}}, .pod_level = {"x/z=9"}}, "cpu=3000"},
    {"overhead", {.containers = {{"cpu=1"}}, .overhead = "cpu=250m memory=9"}, "cpu=1250 memory=9"},
    {"overhead after pod level",
     {.containers = {{"cpu=3"}}, .pod_level = {"cpu=1"}, .overhead = "cpu=250m"},
     "cpu=1250"},
    {"limits as requests",
     {.containers = {{"memory=1", "cpu=2 memory=4"}}, .init = {{"", "x/y=1"}}},
     "cpu=2000 memory=1 x/y=1"},
    {"pod level limits as requests", {.containers = {{"cpu=3"}}, .pod_level = {"", "cpu=1"}}, "cpu=1000"},
    {"runtime class", {.containers = {{"cpu=1"}}, .runtime_class = "kata"}, "cpu=1100 memory=20"},
    {"runtime class, own overhead",
     {.containers = {{"cpu=1"}}, .overhead = "cpu=1", .runtime_class = "kata"},
     "cpu=2000"},
    {"runtime class without overhead", {.containers = {{"cpu=1"}}, .runtime_class = "plain"}, "cpu=1000"},
    {"runtime class unknown", {.containers = {{"cpu=1"}}, .runtime_class = "gone"}, "cpu=1000"},
    {"many names",
     {.containers = {{"a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8"}, {"i=9 a=1"}}},
     "a=2 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9"},
};

START_TEST(sum)
{
    put_class("kata", "cpu=100m memory=20");
    put_class("plain", NULL);
    put_class("another", "cpu=7");
    ck_assert_msg(!strcmp(result_of(&sum_rows[_i].pod, "ns"), sum_rows[_i].want), "%s: %s, want %s",
                  sum_rows[_i].name, result_of(&sum_rows[_i].pod, "ns"), sum_rows[_i].want);
}
END_TEST

START_TEST(runtime_class_changes)
{
    static const struct pod_row pod = {.containers = {{"cpu=1"}}, .runtime_class = "b"};

    put_class("c", "cpu=3");
    put_class("b", "cpu=2");
    put_class("a", "cpu=1");
    ck_assert_str_eq(result_of(&pod, ""), "cpu=3000");
    put_class("b", "cpu=5");
    ck_assert_str_eq(result_of(&pod, ""), "cpu=6000");
    requests_del_runtime_class(reqs, "b");
    requests_del_runtime_class(reqs, "b");
    requests_del_runtime_class(reqs, "never");
    ck_assert_str_eq(result_of(&pod, ""), "cpu=1000");
}
END_TEST

START_TEST(order)
{
    /* FNV-1a-64 of "" is the offset basis; "a" is 0xaf63dc4c8601ec8c, "b" 0xaf63df4c8601f1a5, "foobar" 0x85944171f73967e8 */
    ck_assert_int_lt(requests_order("a", "b"), 0);
    ck_assert_int_gt(requests_order("b", "a"), 0);
    ck_assert_int_lt(requests_order("foobar", "a"), 0);
    ck_assert_int_gt(requests_order("", "foobar"), 0);
    ck_assert_int_eq(requests_order("cpu", "cpu"), 0);
}
END_TEST

/* ---- 2.5: LimitRange ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *ns;
    struct pod_row pod;
    const char *want;
} default_rows[] = {
    {"default request", "ns", {.containers = {{""}}}, "cpu=3000"},
    {"wins over an explicit limit", "ns", {.containers = {{"", "cpu=6"}}}, "cpu=3000"},
    {"explicit request stays", "ns", {.containers = {{"cpu=1"}}}, "cpu=1000"},
    {"init container too", "ns", {.init = {{""}}}, "cpu=3000"},
    {"pod level", "ns", {.containers = {{""}}, .pod_level = {"", "memory=2"}}, "cpu=500 memory=1"},
    {"another namespace", "none", {.containers = {{"", "cpu=6"}}}, "cpu=6000"},
    {"default limit becomes the request", "lim", {.containers = {{""}}}, "cpu=4000 memory=7"},
    {"first range of a name wins", "two", {.containers = {{""}}}, "cpu=1000 memory=5"},
};

static void put_default_ranges(void)
{
    put_limits("ns", "c", LIMIT_CONTAINER, "", "", "cpu=4", "cpu=3");
    put_limits("ns", "p", LIMIT_POD, "", "", "", "cpu=500m memory=1");
    put_limits("lim", "c", LIMIT_CONTAINER, "", "", "cpu=4 memory=7", "");
    put_limits("two", "b", LIMIT_CONTAINER, "", "", "", "cpu=2 memory=5");
    put_limits("two", "a", LIMIT_CONTAINER, "", "", "", "cpu=1");
    put_limits("aaa", "a", LIMIT_CONTAINER, "", "", "", "cpu=9");
}

START_TEST(limit_range_defaults)
{
    put_default_ranges();
    ck_assert_msg(!strcmp(result_of(&default_rows[_i].pod, default_rows[_i].ns), default_rows[_i].want),
                  "%s: %s", default_rows[_i].name, result_of(&default_rows[_i].pod, default_rows[_i].ns));
}
END_TEST

START_TEST(limit_range_changes)
{
    static const struct pod_row pod = {.containers = {{""}}};

    put_default_ranges();
    ck_assert_str_eq(result_of(&pod, "two"), "cpu=1000 memory=5");
    put_limits("two", "a", LIMIT_CONTAINER, "", "", "", "cpu=8");
    ck_assert_str_eq(result_of(&pod, "two"), "cpu=8000 memory=5");
    requests_del_limit_range(reqs, "two", "zzz");
    requests_del_limit_range(reqs, "two", "aaa");
    requests_del_limit_range(reqs, "unknown", "a");
    requests_del_limit_range(reqs, "two", "a");
    ck_assert_str_eq(result_of(&pod, "two"), "cpu=2000 memory=5");
    requests_del_limit_range(reqs, "two", "b");
    ck_assert_str_eq(result_of(&pod, "two"), "");
    ck_assert_str_eq(result_of(&pod, "ns"), "cpu=3000");
    ck_assert_str_eq(result_of(&pod, "aaa"), "cpu=9000");
}
END_TEST

/* ---- 2.4, 2.6 ----------------------------------------------------------------------------------------------------------- */

struct transform_row {
    const char *input;
    bool replace;
    const char *multiply_by, *outputs;
};

static void configure(const char *const *prefixes, uint32_t nprefixes, const struct transform_row *rows,
                      uint32_t n)
{
    struct fact_transformation t[4];
    struct fact_config config = {.exclude_prefixes = prefixes,
                                 .nexclude_prefixes = nprefixes,
                                 .transformations = t,
                                 .ntransformations = n};

    for (uint32_t i = 0; i < n; i++) {
        t[i] = (struct fact_transformation){rows[i].input, rows[i].replace, rows[i].multiply_by, NULL, 0};
        t[i].outputs = amounts(rows[i].outputs, &t[i].noutputs);
    }
    ck_assert_int_eq(requests_configure(reqs, &config, NULL), 0);
}

static const struct {
    const char *name;
    struct transform_row t[4];
    const char *in, *want;
} transform_rows[] = {
    {"no input asked", {{"gpu", true, "", "credit=9"}}, "cpu=1 x=2", "cpu=1000 x=2"},
    {"replace", {{"gpu", true, "", "credit=9"}}, "cpu=1 gpu=2", "cpu=1000 credit=18"},
    {"retain", {{"gpu", false, "", "credit=9 mem=5Ki"}}, "gpu=2", "credit=18 gpu=2 mem=10240"},
    {"two inputs, one output", {{"g1", true, "", "c=10"}, {"g2", true, "", "c=15"}}, "g1=2 g2=1", "c=35"},
    {"multiplied", {{"mem", true, "gpu", "total=1"}}, "gpu=2 mem=1024", "gpu=2 total=2048"},
    {"multiplied, retained",
     {{"mem", false, "gpu", "total=1"}},
     "gpu=2 mem=1024",
     "gpu=2 mem=1024 total=2048"},
    {"multiplier not asked", {{"mem", true, "gpu", "total=1"}}, "mem=1024", "total=1024"},
    {"milli values",
     {{"cpu", true, "", "c=3k"}, {"memory", true, "", "m=3m"}},
     "cpu=100m memory=100M",
     "c=300 m=300000"},
    {"added to a request of the name", {{"credit", true, "", "gpu=1"}}, "credit=1 gpu=1", "gpu=2"},
    {"added to its own input", {{"gpu", false, "node", "gpu=1"}}, "gpu=1 node=2", "gpu=3 node=2"},
    {"negative is zero", {{"gpu", false, "", "over=-128"}}, "gpu=2", "gpu=2 over=0"},
    {"negative cancels generated",
     {{"gpu", true, "", "o=-128"}, {"mem", true, "", "o=1"}},
     "gpu=2 mem=512",
     "o=256"},
    {"negative never takes from a request", {{"gpu", true, "", "o=-128"}}, "gpu=2 o=5", "o=5"},
    {"a fraction summed exactly", {{"a", true, "", "o=500m"}, {"b", true, "", "o=500m"}}, "a=1 b=1", "o=1"},
    {"excluded before", {{"net/x", true, "", "o=1"}}, "net/x=1 cpu=1", "cpu=1000"},
    {"outputs are not excluded", {{"x", true, "", "net/o=1"}}, "x=1", "net/o=1"},
    {"the last of a name", {{"x", true, "", "o=1"}, {"x", true, "", "p=1"}}, "x=1", "p=1"},
    {"no outputs", {{"x", true, "", ""}}, "x=1 y=2", "y=2"},
};

START_TEST(transformation)
{
    static const char *const prefixes[] = {"dummy", "net/"};
    struct pod_row pod = {.containers = {{transform_rows[_i].in}}};
    uint32_t n = 0;

    while (n < 4 && transform_rows[_i].t[n].input)
        n++;
    configure(prefixes, 2, transform_rows[_i].t, n);
    ck_assert_msg(!strcmp(result_of(&pod, ""), transform_rows[_i].want), "%s: %s", transform_rows[_i].name,
                  result_of(&pod, ""));
}
END_TEST

START_TEST(configured_again)
{
    static const char *const prefixes[] = {"net/"};
    static const struct transform_row t[] = {{"x", true, "", "o=1"}};
    struct pod_row pod = {.containers = {{"net/x=1 x=1"}}};

    configure(prefixes, 1, t, 1);
    ck_assert_str_eq(result_of(&pod, ""), "o=1");
    configure(prefixes, 1, NULL, 0);
    ck_assert_str_eq(result_of(&pod, ""), "x=1");
    configure(NULL, 0, NULL, 0);
    ck_assert_str_eq(result_of(&pod, ""), "net/x=1 x=1");
}
END_TEST

/* ---- 2.8 ---------------------------------------------------------------------------------------------------------------- */

#define SPEC "spec.podSets[0].template.spec"
#define OVER ": requests must not exceed its limits"
#define ABOVE ": requests must not be above the limitRange max"
#define BELOW ": requests must not be below the limitRange min"
#define FAILED "resources validation failed: "
#define RANGE "resources didn't satisfy LimitRange constraints: "

static const struct {
    const char *name;
    struct pod_row pod;
    const char *cmax, *cmin, *pmax, *pmin, *defaults;
    const char *want;
} validate_rows[] = {
    {"fine", .pod = {.containers = {{"cpu=1", "cpu=1"}}}, .want = ""},
    {"over its limit", .pod = {.containers = {{"cpu=1"}, {"cpu=300m", "cpu=200m"}}},
     .want = FAILED SPEC ".containers[1]: Invalid value: [\"cpu\"]" OVER},
    {"several, by name",
     .pod = {.containers = {{"memory=2 cpu=2", "memory=1 cpu=1"}},
             .init = {{"cpu=1 x=1"}, {"x=2", "x=1"}},
             .pod_level = {"cpu=3", "cpu=2"}},
     .want = FAILED "[" SPEC ".initContainers[1]: Invalid value: [\"x\"]" OVER ", " SPEC
                    ".containers[0]: Invalid value: [\"cpu\",\"memory\"]" OVER ", " SPEC
                    ".resources: Invalid value: [\"cpu\"]" OVER "]"},
    {"over a default limit", .pod = {.containers = {{"cpu=5"}}}, .defaults = "cpu=4",
     .want = FAILED SPEC ".containers[0]: Invalid value: [\"cpu\"]" OVER},
    {"limits come before ranges", .pod = {.containers = {{"cpu=5", "cpu=4"}}}, .cmax = "cpu=1",
     .want = FAILED SPEC ".containers[0]: Invalid value: [\"cpu\"]" OVER},
    {"container above", .pod = {.containers = {{"cpu=5"}}}, .cmax = "cpu=4 x=1",
     .want = RANGE SPEC ".containers[0]: Invalid value: [\"cpu\"]" ABOVE},
    {"its limit above", .pod = {.containers = {{"cpu=3", "cpu=5"}}}, .cmax = "cpu=4",
     .want = RANGE SPEC ".containers[0]: Invalid value: [\"cpu\"]" ABOVE},
    {"container below", .pod = {.containers = {{"cpu=1", "cpu=5"}}}, .cmin = "cpu=2 x=1",
     .want = RANGE SPEC ".containers[0]: Invalid value: [\"cpu\"]" BELOW},
    {"zero below", .pod = {.containers = {{"gpu=0"}}}, .cmin = "gpu=3",
     .want = RANGE SPEC ".containers[0]: Invalid value: [\"gpu\"]" BELOW},
    {"init below", .pod = {.containers = {{"cpu=2"}}, .init = {{"cpu=2"}, {"cpu=1"}}}, .cmin = "cpu=2",
     .want = RANGE SPEC ".initContainers[1]: Invalid value: [\"cpu\"]" BELOW},
    {"at the bounds", .pod = {.containers = {{"cpu=2"}}}, .cmin = "cpu=2", .cmax = "cpu=2", .pmin = "cpu=2",
     .pmax = "cpu=2", .want = ""},
    {"pod above, overhead counts",
     .pod = {.containers = {{"cpu=2500m"}}, .init = {{"cpu=4"}}, .overhead = "cpu=1"}, .pmax = "cpu=4",
     .want = RANGE SPEC ": Invalid value: [\"cpu\"]" ABOVE},
    {"pod below", .pod = {.containers = {{"cpu=2500m"}}, .init = {{"cpu=4"}}, .overhead = "cpu=1"},
     .pmin = "cpu=6", .want = RANGE SPEC ": Invalid value: [\"cpu\"]" BELOW},
    {"both kinds", .pod = {.containers = {{"cpu=5"}}}, .cmax = "cpu=4", .pmax = "cpu=4",
     .want = RANGE "[" SPEC ".containers[0]: Invalid value: [\"cpu\"]" ABOVE ", " SPEC
                   ": Invalid value: [\"cpu\"]" ABOVE "]"},
};

START_TEST(validation)
{
    struct fact_pod_set ps[2] = {{.name = "a", .count = 1, .pod = pod_of(&validate_rows[_i].pod)}};
    struct str text;

    put_limits("ns", "c", LIMIT_CONTAINER, validate_rows[_i].cmax, validate_rows[_i].cmin,
               validate_rows[_i].defaults, "");
    put_limits("ns", "p", LIMIT_POD, validate_rows[_i].pmax, validate_rows[_i].pmin, "", "");
    str_init(&text, 0);
    ck_assert_int_eq(requests_validate(reqs, "ns", ps, 1, &text, NULL), 0);
    ck_assert_msg(!strcmp(str_text(&text), validate_rows[_i].want), "%s: %s", validate_rows[_i].name,
                  str_text(&text));
    str_free(&text);
}
END_TEST

START_TEST(validation_of_pod_sets)
{
    static const struct pod_row bad = {.containers = {{"cpu=2", "cpu=1"}}},
                                good = {.containers = {{"cpu=2"}}};
    struct fact_pod_set ps[2] = {{.pod = pod_of(&good)}, {.pod = pod_of(&bad)}};
    struct str text;

    str_init(&text, 0);
    ck_assert_int_eq(requests_validate(reqs, "ns", ps, 2, &text, NULL), 0);
    ck_assert_str_eq(str_text(&text),
                     FAILED "spec.podSets[1].template.spec.containers[0]: Invalid value: [\"cpu\"]" OVER);
    str_clear(&text);
    ck_assert_int_eq(requests_validate(reqs, "ns", ps, 0, &text, NULL), 0);
    ck_assert_str_eq(str_text(&text), "");
    str_free(&text);
}
END_TEST

/* Bounds of several ranges: the tightest count. */
START_TEST(validation_tightest)
{
    static const struct pod_row pod = {.containers = {{"cpu=3 memory=3"}}};
    struct fact_pod_set ps = {.pod = pod_of(&pod)};
    struct str text;

    put_limits("ns", "a", LIMIT_CONTAINER, "cpu=5", "memory=1", "", "");
    put_limits("ns", "b", LIMIT_CONTAINER, "cpu=2 memory=9", "memory=4", "", "");
    put_limits("ns", "c", LIMIT_CONTAINER, "cpu=4", "memory=2", "", "");
    str_init(&text, 0);
    ck_assert_int_eq(requests_validate(reqs, "ns", &ps, 1, &text, NULL), 0);
    ck_assert_str_eq(str_text(&text),
                     RANGE "[" SPEC ".containers[0]: Invalid value: [\"cpu\"]" ABOVE ", " SPEC
                           ".containers[0]: Invalid value: [\"memory\"]" BELOW "]");
    str_free(&text);
}
END_TEST

/* ---- exhaustion --------------------------------------------------------------------------------------------------------- */

/* One life of a fresh table; returns the first error. */
static int life(struct names *n, struct arena *a, const struct fact_pod_set *ps, struct str *text,
                const struct req **req, uint32_t *nreq)
{
    struct fact_amount one[] = {{"cpu", quantity_from_i64(9)}, {"q", quantity_from_i64(1)}};
    struct fact_limit_item item = {LIMIT_CONTAINER, one, one, one, one, 2, 2, 2, 2};
    struct fact_limit_range range = {"ns", "a", &item, 1}, range_b = {"other", "b", &item, 1};
    struct fact_runtime_class class = {"kata", one, 2, true};
    static const char *const prefixes[] = {"net/"};
    struct fact_transformation t = {"u", true, "v", one, 2};
    struct fact_config config = {
        .exclude_prefixes = prefixes, .nexclude_prefixes = 1, .transformations = &t, .ntransformations = 1};
    struct err err;
    struct requests *r = requests_new(n);
    int res = r ? 0 : ERR_NOMEM;

    if (!res)
        res = requests_put_limit_range(r, &range, &err);
    if (!res)
        res = requests_put_limit_range(r, &range_b, &err);
    if (!res)
        res = requests_put_runtime_class(r, &class, &err);
    if (!res)
        res = requests_configure(r, &config, &err);
    if (!res)
        res = requests_of_pod(r, "ns", &ps->pod, a, req, nreq, &err);
    if (!res)
        res = requests_validate(r, "ns", ps, 1, text, &err);
    requests_free(r);
    return res;
}

START_TEST(out_of_memory)
{
    static const struct pod_row row = {.containers = {{"cpu=1 u=3 v=1", "cpu=2"}, {"cpu=1"}},
                                       .init = {{"cpu=2", .sidecar = true}, {"w=1"}},
                                       .pod_level = {"", "memory=4"},
                                       .runtime_class = "kata"};
    struct fact_pod_set ps = {.pod = pod_of(&row)};
    struct names *kept = names;
    int res = ERR_NOMEM;

    for (uint64_t n = 1; res; n++) {
        struct arena a;
        struct str text;
        const struct req *req;
        uint32_t nreq = 0;
        arena_init(&a, 64); /* a block for nearly each allocation */
        str_init(&text, 0);
        names = names_new();
        mem_fail_after(n);
        res = life(names, &a, &ps, &text, &req, &nreq);
        mem_fail_after(0);
        if (res) {
            ck_assert_int_eq(res, ERR_NOMEM);
        } else {
            /* cpu: 9 of the second init container, 2 of the sidecar, 9 of the class, 3*1*9 made of u */
            ck_assert_str_eq(result_text(req, nreq), "cpu=47000 memory=4 q=7 v=1 w=1");
            ck_assert_str_eq(str_text(&text),
                             RANGE "[" SPEC ".initContainers[0]: Invalid value: [\"cpu\"]" BELOW ", " SPEC
                                   ".containers[0]: Invalid value: [\"cpu\"]" BELOW ", " SPEC
                                   ".containers[1]: Invalid value: [\"cpu\"]" BELOW "]");
        }
        str_free(&text);
        arena_free(&a);
        names_free(names);
        names = kept;
        ck_assert_uint_lt(n, 500);
    }
}
END_TEST

static Suite *requests_suite(void)
{
    Suite *s = suite_create("requests");
    TCase *t = tcase_create("requests");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, sum, 0, COUNT(sum_rows));
    tcase_add_test(t, runtime_class_changes);
    tcase_add_test(t, order);
    tcase_add_loop_test(t, limit_range_defaults, 0, COUNT(default_rows));
    tcase_add_test(t, limit_range_changes);
    tcase_add_loop_test(t, transformation, 0, COUNT(transform_rows));
    tcase_add_test(t, configured_again);
    tcase_add_loop_test(t, validation, 0, COUNT(validate_rows));
    tcase_add_test(t, validation_of_pod_sets);
    tcase_add_test(t, validation_tightest);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(requests_suite());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
