/* Tables of the area scheduler: cycles. */
#include "vec_cycle.h"

#include <string.h>

/* One cycle of everything that the case holds. */
static void schedule(struct vec *v)
{
    struct vec_cycle c;
    struct fact_config config = {.fair_sharing = vec_bool(v, vec_find(v, "enableFairSharing"))};
    const struct doc_node *merged = doc_field(v->want, "wantWorkloadUseMergePatch");
    if (vec_cycle_open(&c, v, &config, vec_find(v, "workloads"), VEC_NOW)) {
        c.writes_fail = vec_find(v, "admissionError") != NULL;
        if (vec_cycle_run(&c)) {
            /* counts first: they are valid until the world changes */
            vec_cycle_check_counts(&c, vec_want(v, "wantSkippedPreemptions"),
                                   vec_want(v, "wantPreemptionTargetRecomputations"));
            vec_cycle_check_workloads(&c, "wantWorkloads", merged ? merged : vec_want(v, "wantWorkloads"));
            vec_cycle_check_admissions(&c, "wantAssignments", vec_want(v, "wantAssignments"));
            vec_cycle_check_left(&c, "wantLeft", vec_want(v, "wantLeft"), false);
            vec_cycle_check_left(&c, "wantInadmissibleLeft", vec_want(v, "wantInadmissibleLeft"), true);
            vec_cycle_check_events(&c, "wantEvents", vec_want(v, "wantEvents"));
        }
    }
    vec_cycle_close(&c);
}

static const struct vec_entry entries[] = {
    {"scheduler__TestSchedule", schedule, NULL, 0},
    {"scheduler__TestScheduleForFairSharing", schedule, NULL, 0},
    {"scheduler__TestScheduleRecomputePreemptionTargets", schedule, NULL, VEC_ANY_GATES},
};

VEC_AREA(vec_area_schedule, entries);
