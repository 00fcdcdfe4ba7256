/* A job and its Workloads from text, as a driver would keep them. */
#ifndef SLUICE_TESTS_JOBS_PLAN_TEST_H
#define SLUICE_TESTS_JOBS_PLAN_TEST_H

#include "jobs/reconcile.h"

#include "jobs_test.h"

enum { PLAN_WORKLOADS = 4 };

struct scene {
    struct arena arena;
    struct gates gates;
    struct job_rules rules;
    const struct doc_node *job_doc, *wl_docs[PLAN_WORKLOADS];
    struct job_view *job;
    struct wl_view *views[PLAN_WORKLOADS];
    const struct wl_view *wls[PLAN_WORKLOADS];
    struct status status[PLAN_WORKLOADS];
    struct job_sight sight;
};

static const struct fact_priority_class scene_classes[] = {{.name = "high", .value = 100}};

static inline void scene_add_workload(struct scene *s, const char *text)
{
    struct err e = {0};
    struct object o;
    uint32_t i = s->sight.nwls;
    ck_assert_int_lt(i, PLAN_WORKLOADS);
    s->wl_docs[i] = doc_of(&s->arena, text);
    ck_assert_msg(wl_view_of(s->wl_docs[i], &s->arena, &s->views[i], &e) == 0, "%s", e.text);
    ck_assert_msg(api_read_as(API_WORKLOAD, s->wl_docs[i], &s->arena, API_LENIENT, NULL, &o, &e) == 0, "%s",
                  e.text);
    status_init(&s->status[i]);
    ck_assert_int_eq(status_from_fact(&s->status[i], &o.workload), 0);
    s->views[i]->status = &s->status[i];
    s->wls[i] = s->views[i];
    s->sight.nwls++;
    if (s->job && strcmp(s->job->prebuilt, s->views[i]->name) == 0)
        s->sight.prebuilt = s->views[i];
}

/* `job` NULL = gone; `wls` are ended by NULL. */
static inline void scene_open(struct scene *s, enum api_kind kind, const char *job, const char *const *wls)
{
    struct err e = {0};
    *s = (struct scene){.gates = gates_default()};
    arena_init(&s->arena, 4096);
    s->rules.making = (struct job_context){
        .gates = &s->gates, .workload_classes = scene_classes, .nworkload_classes = COUNT(scene_classes)};
    s->sight.kind = job_kind_of(kind);
    s->sight.ns = "ns";
    s->sight.name = "j";
    s->sight.namespace_matches = true;
    s->sight.ancestry = (struct job_ancestry){.place = JOB_TOP, .ancestor_queue = ""};
    if (job) {
        s->job_doc = doc_of(&s->arena, job);
        ck_assert_msg(job_view_of(s->sight.kind, s->job_doc, &s->gates, &s->arena, &s->job, &e) == 0, "%s",
                      e.text);
        s->sight.job = s->job;
    }
    for (uint32_t i = 0; wls && wls[i]; i++)
        scene_add_workload(s, wls[i]);
    s->sight.wls = s->wls;
}

static inline void scene_close(struct scene *s)
{
    for (uint32_t i = 0; i < s->sight.nwls; i++) {
        wl_view_free(s->views[i]);
        status_free(&s->status[i]);
    }
    job_view_free(s->job);
    arena_free(&s->arena);
}

#endif
