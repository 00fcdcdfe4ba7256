#include "jobs/reconcile.h"

static const struct {
    const char *name;
    unsigned needs;
} acts[] = {
    [JOB_CREATE_WORKLOAD] = {"CREATE_WORKLOAD", JOB_NEEDS_JOB},
    [JOB_UPDATE_WORKLOAD] = {"UPDATE_WORKLOAD", JOB_NEEDS_JOB | JOB_NEEDS_WORKLOAD},
    [JOB_DELETE_WORKLOAD] = {"DELETE_WORKLOAD", JOB_NEEDS_WORKLOAD},
    [JOB_ADOPT_WORKLOAD] = {"ADOPT_WORKLOAD", JOB_NEEDS_JOB | JOB_NEEDS_WORKLOAD},
    [JOB_SET_PRIORITY] = {"SET_PRIORITY", JOB_NEEDS_JOB},
    [JOB_SET_QUEUE] = {"SET_QUEUE", JOB_NEEDS_NOTHING},
    [JOB_SET_GATED_BY] = {"SET_GATED_BY", JOB_NEEDS_NOTHING},
    [JOB_REMOVE_FINALIZER] = {"REMOVE_FINALIZER", JOB_NEEDS_WORKLOAD},
    [JOB_FINISH] = {"FINISH", JOB_NEEDS_NOTHING},
    [JOB_SET_PODS_READY] = {"SET_PODS_READY", JOB_NEEDS_NOTHING},
    [JOB_SET_RECLAIMABLE] = {"SET_RECLAIMABLE", JOB_NEEDS_NOTHING},
    [JOB_RELEASE] = {"RELEASE", JOB_NEEDS_NOTHING},
    [JOB_START] = {"START", JOB_NEEDS_JOB | JOB_NEEDS_WORKLOAD},
    [JOB_STOP_SUSPEND] = {"STOP_SUSPEND", JOB_NEEDS_JOB | JOB_NEEDS_WORKLOAD},
    [JOB_STOP_CLEAR] = {"STOP_CLEAR", JOB_NEEDS_JOB},
    [JOB_STOP_RESTORE] = {"STOP_RESTORE", JOB_NEEDS_JOB | JOB_NEEDS_WORKLOAD},
    [JOB_SUSPEND_CHILD] = {"SUSPEND_CHILD", JOB_NEEDS_NOTHING},
    [JOB_DELETE_JOB] = {"DELETE_JOB", JOB_NEEDS_NOTHING},
    [JOB_EVENT] = {"EVENT", JOB_NEEDS_NOTHING},
};

const char *job_act_name(enum job_act act)
{
    return (size_t)act < sizeof(acts) / sizeof(acts[0]) ? acts[act].name : "";
}

unsigned job_action_needs(const struct job_action *action)
{
    unsigned needs = acts[action->act].needs;
    return action->wl ? needs : needs & ~(unsigned)JOB_NEEDS_WORKLOAD;
}

int job_action_status(const struct job_action *action, const struct job_rules *rules, struct status *s,
                      when_ns now, int64_t generation, struct err *err)
{
    const struct gates *g = rules->making.gates;
    bool changed;
    int rc = ERR_STATE;
    if (action->act == JOB_FINISH)
        rc = status_set(s, COND_FINISHED, STATUS_TRUE, action->reason, action->message, now, generation,
                        &changed);
    else if (action->act == JOB_SET_PODS_READY)
        rc = status_set(s, COND_PODS_READY, action->on ? STATUS_TRUE : STATUS_FALSE, action->reason,
                        action->message, now, generation, &changed);
    else if (action->act == JOB_RELEASE)
        rc = status_release(
            s, action->wl->one_pod_owner && gate_named(g, "SkipReassignmentForPodOwnedWorkloads"),
            gate_on(g, GATE_OBSERVABILITY), gate_on(g, GATE_EXPLICIT_STATUS), now, generation);
    if (rc < 0)
        return err_set(err, rc, rc == ERR_STATE ? "no change of a status" : "out of memory");
    return 0;
}

struct job_action job_failed_to_start(const struct job_action *start, const char *message)
{
    return (struct job_action){.act = JOB_FINISH,
                               .wl = start->wl,
                               .name = "",
                               .reason = "FailedToStart",
                               .message = message,
                               .text = ""};
}
