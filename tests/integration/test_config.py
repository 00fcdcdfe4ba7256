"""What a Configuration turns on: waitForPodsReady with its time-outs, retention, JobSet."""
from kit import LONG, QUEUE, check, cond, is_true, parse_cpu, same, test


# ---- waitForPodsReady: time-out 5 s, recovery 3 s, back-off 1 s, 2 s, then no more

@test("ready")
def pods_never_ready(t):
    """Evicted after the time-out, again after a back-off, given up after the limit; others use the quota meanwhile."""
    t.queue(cpu=1)
    t.job("a", run=LONG, pod={"sluice.dev/ready-after": "never"})
    w = t.until("the first eviction", lambda: (lambda w: w if w and w.get("status", {}).get("requeueState", {}).get("count") == 1 else None)(t.wl("a")))
    t.event("Workload", w["metadata"]["name"], "EvictedDueToPodsReadyTimeout", "Exceeded the PodsReady timeout")
    t.job("b")
    t.until("the other to complete", lambda: is_true(t.get_job("b"), "Complete"))
    w = t.released("a", "DeactivatedDueToRequeuingLimitExceeded")
    t.until("it to be inactive", lambda: t.wl("a")["spec"]["active"] is False)
    same("message", cond(w, "Evicted")["message"], "The workload is deactivated due to exceeding the maximum number of re-queuing retries")
    counts = {(e["reason"], e.get("underlyingCause", "")): e["count"] for e in w["status"]["schedulingStats"]["evictions"]}
    same("evictions", counts.get(("PodsReadyTimeout", "WaitForStart")), 2)
    # afterDeactivatedByKueue: 2 s later the Job itself goes
    t.until("the Job to be deleted", lambda: t.get_job("a") is None)
    t.event("Job", "a", "Deleted", "Deleted job: deactivation retention period expired")


@test("ready")
def pods_ready_late(t):
    """Who is ready in time stays."""
    t.queue(cpu=1)
    t.job("a", run=LONG, pod={"sluice.dev/ready-after": "1s"})
    t.runs("a")
    w = t.until("PodsReady", lambda: (lambda w: w if is_true(w, "PodsReady") else None)(t.wl("a")))
    same("PodsReady", (cond(w, "PodsReady")["reason"], cond(w, "PodsReady")["message"]),
         ("Started", "All pods reached readiness and the workload is running"))


@test("ready")
def pods_fail_and_recover(t):
    """A pod that failed has the recovery time to come back; and when it does not, the Workload is evicted."""
    t.queue(cpu=1)
    t.job("a", run=LONG, backoffLimit=6)
    t.runs("a")
    t.until("PodsReady", lambda: is_true(t.wl("a"), "PodsReady"))
    pod = t.api.list("Pod", t.ns)[0]["metadata"]["name"]
    t.api.patch("Pod", t.ns, pod, {"status": {"phase": "Failed", "conditions": [
        {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, "status")
    t.until("the eviction or the recovery", lambda: is_true(t.wl("a"), "PodsReady", "Recovered") or
            t.wl("a")["status"].get("requeueState", {}).get("count"))


@test("ready")
def retention(t):
    """A finished Workload is deleted after its time, its Job stays."""
    t.queue(cpu=1)
    t.job("a")
    t.until("the Job to be complete", lambda: is_true(t.get_job("a"), "Complete"))
    t.until("its Workload to be deleted", lambda: not t.workloads("a"))
    t.job("next")
    t.until("the next to complete", lambda: is_true(t.get_job("next"), "Complete"))
    same("Workloads", t.workloads("a"), [])
    check(is_true(t.get_job("a"), "Complete"), "the Job is gone")


# ---- JobSet: its controller does not run here, the test writes its status

def job_set(t, name, replicas=2, queue="q"):
    template = {"spec": {"parallelism": 1, "completions": 1, "template": t.template(1, LONG)}}
    return t.api.create("JobSet", t.ns, name, {"replicatedJobs": [{"name": "workers", "replicas": replicas, "template": template}]},
                        labels={QUEUE: queue} if queue else None)


def status(t, name, **status):
    t.api.patch("JobSet", t.ns, name, {"status": status}, "status")


def get(t, name):
    return t.api.get("JobSet", t.ns, name)


@test("fair")
def job_set_life(t):
    """Suspended at creation, started with quota, stopped by an eviction, started again, finished."""
    t.flavor("f", nodeLabels={"pool": "a"})
    t.queue(cpu=2)
    job_set(t, "s")
    check(get(t, "s")["spec"].get("suspend"), "the JobSet was not suspended at its creation")
    w = t.until("admission", lambda: (lambda w: w if w and is_true(w, "Admitted") else None)(t.wl("s", "JobSet")))
    same("pod sets", [(p["name"], p["count"]) for p in w["spec"]["podSets"]], [("workers", 2)])
    t.until("the start", lambda: get(t, "s")["spec"]["suspend"] is False)

    def selector():
        return get(t, "s")["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"].get("nodeSelector")
    same("selector", selector(), {"pool": "a"})
    status(t, "s", replicatedJobsStatus=[{"name": "workers", "active": 2, "ready": 2, "succeeded": 0, "failed": 0, "suspended": 0}])
    name = w["metadata"]["name"]
    t.api.patch("Workload", t.ns, name, {"spec": {"active": False}})
    t.until("the stop", lambda: get(t, "s")["spec"]["suspend"])
    same("selector", selector(), None)
    status(t, "s", replicatedJobsStatus=[{"name": "workers", "active": 0, "ready": 0, "succeeded": 0, "failed": 0, "suspended": 2}])
    t.until("the quota to be back", lambda: not is_true(t.wl("s", "JobSet"), "QuotaReserved"))
    t.api.patch("Workload", t.ns, name, {"spec": {"active": True}})
    t.until("the start", lambda: get(t, "s")["spec"]["suspend"] is False)
    status(t, "s", terminalState="Completed", conditions=[{"type": "Completed", "status": "True", "reason": "AllJobsCompleted",
                                                           "message": "jobset completed successfully",
                                                           "lastTransitionTime": "2026-01-01T00:00:00Z"}])
    w = t.until("the end", lambda: (lambda w: w if is_true(w, "Finished") else None)(t.wl("s", "JobSet")))
    same("Finished", (cond(w, "Finished")["reason"], cond(w, "Finished")["message"]), ("Succeeded", "jobset completed successfully"))


@test("fair")
def child_of_job_set(t):
    """A Job that a JobSet owns has no Workload of its own; it stands while the JobSet's is not admitted."""
    t.queue(cpu=1)
    t.job("holder", run=LONG)
    t.runs("holder")
    uid = job_set(t, "s", 1)["metadata"]["uid"]
    w = t.until("the JobSet's Workload", lambda: t.wl("s", "JobSet"))
    t.api.create("Job", t.ns, "child", {"parallelism": 1, "completions": 1, "template": t.template(1, LONG)}, metadata={"ownerReferences": [
        {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "name": "s", "uid": uid, "controller": True}]})
    t.until("the child to be suspended", lambda: t.get_job("child")["spec"].get("suspend"))
    t.event("Job", "child", "Suspended")
    same("Workloads of the child", t.workloads("child"), [])
    t.api.delete("Job", t.ns, "holder")
    t.until("the JobSet to start", lambda: get(t, "s")["spec"]["suspend"] is False)
    t.api.patch("Job", t.ns, "child", {"spec": {"suspend": False}})  # as the JobSet's controller does
    t.runs("child")
    t.api.patch("Workload", t.ns, w["metadata"]["name"], {"spec": {"active": False}})
    t.until("the child to stand again", lambda: t.get_job("child")["spec"].get("suspend"))
    same("Workloads of the child", t.workloads("child"), [])


# ---- manageJobsWithoutQueueName, admission fair sharing

@test("manage")
def without_queue_name(t):
    """In a namespace that is managed a Job without a queue name is held until it names one; elsewhere it is nobody's."""
    t.job("free", queue=None)
    t.until("it to run by itself", lambda: is_true(t.get_job("free"), "Complete"))
    same("Workloads", t.workloads("free"), [])
    t.api.patch("Namespace", None, t.ns, {"metadata": {"labels": {"managed": "yes"}}})
    t.queue(cpu=1)
    t.job("held", queue=None, run="300ms")
    t.until("it to be held", lambda: t.get_job("held")["spec"].get("suspend") and t.workloads("held"))
    t.fence()
    check(t.get_job("held")["spec"]["suspend"], "it runs without a queue")
    t.api.patch("Job", t.ns, "held", {"metadata": {"labels": {QUEUE: "q"}}})
    t.finished("held")


@test("manage")
def admission_fair_sharing(t):
    """The LocalQueue that used less goes first, and its status tells what it used."""
    t.api.patch("Namespace", None, t.ns, {"metadata": {"labels": {"managed": "yes"}}})
    t.cluster_queue("q", 1, admissionScope={"admissionMode": "UsageBasedAdmissionFairSharing"})
    for lq in ("greedy", "modest"):
        t.local_queue(lq, t.own("q"))
    t.job("g0", "greedy", run="3s")
    t.runs("g0")

    def used(lq):
        status = t.lq(lq).get("status", {}).get("fairSharing", {}).get("admissionFairSharingStatus", {})
        return parse_cpu(status.get("consumedResources", {}).get("cpu", 0))
    t.until("the use to be told", lambda: used("greedy") > 0)
    for i in range(2):
        t.job(f"g{i + 1}", "greedy", run=LONG)
    t.job("m0", "modest", run=LONG)
    t.runs("m0")
    check(used("modest") < used("greedy"), used("modest"), used("greedy"))
