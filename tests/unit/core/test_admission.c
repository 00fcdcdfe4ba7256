/* The admission that a Workload holds, as the API has it. */
#include "core/admission.h"

#include "base/mem.h"
#include "build.h"

#include <check.h>
#include <string.h>

static struct world *w;
static struct arena arena;

static void setup(void)
{
    w = build_world();
    arena_init(&arena, 4096);
    build_cq(w, "a", "", "memory,cpu: f 4Gi 8 | pods: g 10");
}

static void teardown(void)
{
    arena_free(&arena);
    world_free(w);
    ck_assert_int_eq(mem_live(), 0);
}

/* "CQ / NAME COUNT RES=FLAVOR:QUANTITY ... / ...", "" for none. */
static const char *text_of(const char *name)
{
    static char out[512];
    const struct fact_admission *f;
    struct str s;

    ck_assert_int_eq(admission_of(w, world_find_workload(w, "ns", name), &arena, &f), 0);
    str_init(&s, sizeof(out));
    if (f)
        str_add(&s, f->cluster_queue);
    for (uint32_t i = 0; f && i < f->npod_sets; i++) {
        const struct fact_assignment *p = &f->pod_sets[i];
        ck_assert_uint_eq(p->nflavors, p->nusage);
        str_addf(&s, " / %s %d", p->pod_set, p->count);
        for (uint32_t k = 0; k < p->nflavors; k++) {
            char q[64];
            quantity_print(p->usage[k].q, q, sizeof(q));
            ck_assert_str_eq(p->flavors[k].resource, p->usage[k].resource);
            str_addf(&s, " %s=%s:%s", p->flavors[k].resource, p->flavors[k].flavor, q);
        }
    }
    ck_assert_uint_lt(s.len, sizeof(out));
    memcpy(out, str_text(&s), s.len + 1);
    str_free(&s);
    return out;
}

START_TEST(asked)
{
    const struct fact_assignment *v;
    uint32_t n;

    build_job(w, "x", "a", "one: 2 memory=1Gi cpu=250m; two: 1 cpu=1 memory=1000");
    ck_assert_int_eq(admission_asked(w, world_find_workload(w, "ns", "x"), &arena, &v, &n), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(v[0].pod_set, "one");
    ck_assert_uint_eq(v[0].nflavors, 0);
    ck_assert_uint_ge(v[0].nusage, 2);
    ck_assert_str_eq(v[0].usage[0].resource, "cpu");
    ck_assert_int_eq(quantity_milli(v[0].usage[0].q), 500);
    ck_assert_str_eq(v[1].usage[0].resource, "cpu");
    ck_assert_int_eq(quantity_milli(v[1].usage[0].q), 1000);
}
END_TEST

START_TEST(decided)
{
    build_job(w, "x", "a", "one: 2 memory=1Gi cpu=250m; two: 1 cpu=1 memory=1000");
    ck_assert_str_eq(text_of("x"), "");
    build_cycle(w);
    ck_assert_str_eq(text_of("x"), "a / one 2 cpu=f:500m memory=f:2Gi pods=g:2"
                                   " / two 1 cpu=f:1 memory=f:1k pods=g:1");
    build_finish(w, world_find_workload(w, "ns", "x"));
    ck_assert_str_eq(text_of("x"), "");
}
END_TEST

/* Partial admission: the count is that of the admission. */
START_TEST(partial)
{
    build_job(w, "x", "a", "m: 12>3 cpu=1");
    build_cycle(w);
    ck_assert_str_eq(text_of("x"), "a / m 8 cpu=f:8 pods=g:8");
}
END_TEST

START_TEST(held)
{
    build_job(w, "x", "a", "2 cpu=1", .held = "f");
    ck_assert_str_eq(text_of("x"), "a / main 2 cpu=f:2");
}
END_TEST

START_TEST(out_of_memory)
{
    const struct fact_admission *f;

    build_job(w, "x", "a", "cpu=1", .held = "f");
    for (uint64_t n = 1;; n++) {
        struct arena small;
        arena_init(&small, 64);
        mem_fail_after(n);
        int rc = admission_of(w, world_find_workload(w, "ns", "x"), &small, &f);
        mem_fail_after(0);
        arena_free(&small);
        if (!rc)
            break;
        ck_assert_int_eq(rc, ERR_NOMEM);
        ck_assert_ptr_null(f);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("admission");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, asked);
    tcase_add_test(t, decided);
    tcase_add_test(t, partial);
    tcase_add_test(t, held);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    return build_run(s);
}
