"""What ends a run before its time, and what is left of it: stop policies, deactivation, run time, selectors that go again."""
from kit import LONG, check, cond, is_false, is_true, same, test


def stop_queue(t, kind, policy):
    t.api.patch(kind, None if kind == "ClusterQueue" else t.ns, t.own("q") if kind == "ClusterQueue" else "q", {"spec": {"stopPolicy": policy}})


def hold(t, kind, word):
    t.queue(cpu=2)
    t.job("a", run=LONG)
    t.runs("a")
    stop_queue(t, kind, "Hold")
    t.until("it to be stopped", lambda: is_false(t.cq() if kind == "ClusterQueue" else t.lq(), "Active", "Stopped"))
    t.job("b", run=LONG)
    t.waits("b", word)
    check(is_true(t.wl("a"), "Admitted"), "the running Job was touched")
    stop_queue(t, kind, "None")
    t.runs("b")


def drain(t, kind, reason, message):
    t.queue(cpu=2)
    t.job("a", run=LONG)
    t.runs("a")
    stop_queue(t, kind, "HoldAndDrain")
    w = t.released("a", reason)
    same("message", cond(w, "Evicted")["message"], message)
    same("Requeued", (cond(w, "Requeued")["status"], cond(w, "Requeued")["reason"]), ("False", reason))
    t.stopped("a")
    stop_queue(t, kind, "None")
    t.runs("a")
    w = t.wl("a")
    same("Requeued", cond(w, "Requeued")["reason"], reason.replace("Stopped", "Restarted"))
    check(is_false(w, "Evicted"), cond(w, "Evicted"))


@test()
def hold_cluster_queue(t):
    """Hold: who runs goes on, who waits waits."""
    hold(t, "ClusterQueue", "is inactive")


@test()
def hold_local_queue(t):
    """The same of a LocalQueue."""
    hold(t, "LocalQueue", "LocalQueue q is inactive")


@test()
def drain_cluster_queue(t):
    """HoldAndDrain: who runs is stopped, and goes on when the queue does."""
    drain(t, "ClusterQueue", "ClusterQueueStopped", "The ClusterQueue is stopped")


@test()
def drain_local_queue(t):
    """The same of a LocalQueue."""
    drain(t, "LocalQueue", "LocalQueueStopped", "The LocalQueue is stopped")


@test()
def injected_and_restored(t):
    """Selectors and tolerations of the flavor are in the running Job's template, and gone from the stopped one's."""
    toleration = {"key": "spot", "operator": "Exists", "effect": "NoSchedule"}
    t.flavor("f", nodeLabels={"kubernetes.io/hostname": "node-3"}, tolerations=[toleration], nodeTaints=[])
    t.queue(cpu=2)
    own = {"key": "mine", "operator": "Exists"}
    t.job("a", template=t.template(1, LONG, tolerations=[own]))
    before = t.get_job("a")["spec"]["template"]
    t.runs("a")
    spec = t.get_job("a")["spec"]["template"]["spec"]
    same("selector", spec.get("nodeSelector"), {"kubernetes.io/hostname": "node-3"})
    check(toleration in spec["tolerations"] and own in spec["tolerations"], spec["tolerations"])
    pod = t.api.list("Pod", t.ns)[0]
    same("node", pod["spec"]["nodeName"], "node-3")
    stop_queue(t, "ClusterQueue", "HoldAndDrain")
    t.stopped("a")
    after = t.until("the template to be restored", lambda: (lambda x: x if "nodeSelector" not in x["spec"] else None)(t.get_job("a")["spec"]["template"]))
    same("template", after, before)


@test()
def selector_conflict(t):
    """A Job whose own selector contradicts the flavor's: it is told what does not match, and others go on."""
    t.flavor("f", nodeLabels={"pool": "a"})
    t.queue(cpu=2)
    t.job("wrong", template=t.template(1, nodeSelector={"pool": "b"}))
    t.waits("wrong", "doesn't match node affinity")
    t.job("right", template=t.template(1, LONG, nodeSelector={"pool": "a"}))
    t.admitted("right")


@test()
def taints(t):
    """A flavor with a taint is for those that tolerate it."""
    t.flavor("f", nodeTaints=[{"key": "spot", "value": "yes", "effect": "NoSchedule"}])
    t.queue(cpu=2)
    t.job("no")
    t.waits("no", "untolerated taint")
    t.job("yes", template=t.template(1, tolerations=[{"key": "spot", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}]))
    t.finished("yes")


@test()
def maximum_execution_time(t):
    """Who runs longer than it said is stopped for good."""
    t.queue(cpu=1)
    t.job("a", run=LONG, labels={"kueue.x-k8s.io/max-exec-time-seconds": "2"})
    w = t.released("a", "DeactivatedDueToMaximumExecutionTimeExceeded")
    t.event("Job", "a", "Started")
    same("maximumExecutionTimeSeconds", w["spec"]["maximumExecutionTimeSeconds"], 2)
    t.until("it to be inactive", lambda: t.wl("a")["spec"]["active"] is False)
    same("message", cond(w, "Evicted")["message"], "The workload is deactivated due to exceeding the maximum execution time")
    t.stopped("a")
    t.event("Workload", w["metadata"]["name"], "MaximumExecutionTimeExceeded", "The maximum execution time (2s) exceeded")
    t.job("next")
    t.finished("next")


@test()
def deactivation(t):
    """spec.active=false stops a running Workload at once; true brings it back."""
    t.queue(cpu=1)
    t.job("a", run=LONG)
    t.runs("a")
    t.set_wl("a", {"spec": {"active": False}})
    w = t.released("a", "Deactivated")
    same("message", cond(w, "Evicted")["message"], "The workload is deactivated")
    t.stopped("a")
    t.job("b")
    t.finished("b")
    t.set_wl("a", {"spec": {"active": True}})
    t.runs("a")
    same("Requeued", cond(t.wl("a"), "Requeued")["reason"], "Reactivated")


@test()
def deactivated_while_waiting(t):
    """It may be deactivated, and back, before it ever had quota."""
    t.queue(cpu=1)
    t.job("holder", run=LONG)
    t.runs("holder")
    t.job("a")
    t.waits("a", "insufficient")
    t.set_wl("a", {"spec": {"active": False}})
    t.evicted("a", "Deactivated")
    t.api.delete("Job", t.ns, "holder")
    t.fence()
    check(not is_true(t.wl("a"), "QuotaReserved"), "an inactive Workload got quota")
    t.set_wl("a", {"spec": {"active": True}})
    t.finished("a")


@test()
def slow_end(t):
    """Quota is given back when no pod of the Job is active any more, not before. (Pods that are being deleted are not active.)"""
    high = t.priority_class("high", 9)
    t.queue(cpu=1, preemption={"withinClusterQueue": "LowerPriority"})
    t.job("a", run=LONG, pod={"sluice.dev/terminate-for": "2s"})
    t.runs("a")
    t.job("b", run=LONG, priority=high)

    def started():
        if not is_true(t.wl("b"), "QuotaReserved"):
            return False
        job = t.get_job("a")
        same("the first", (job["spec"]["suspend"], job["status"].get("active", 0)), (True, 0))
        return True
    t.until("the second to get the quota", started)
    t.released("a", "Preempted")
    t.runs("b")
