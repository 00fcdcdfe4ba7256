"""The life of a Job, and what is said of it."""
from kit import CLASS, FINALIZER, LONG, QUEUE, check, cond, is_true, same, test


@test()
def job_runs(t):
    """From creation through quota to completion."""
    t.queue(cpu=4)
    t.job("a", cpu=1, pods=2, run="300ms")
    check(t.get_job("a")["spec"]["suspend"], "the Job was not suspended at its creation")
    w = t.admitted("a")
    meta = w["metadata"]
    job = t.get_job("a")
    check(meta["name"].startswith("job-a-") and len(meta["name"]) == len("job-a-") + 5, meta["name"])
    same("label job-uid", meta["labels"].get("kueue.x-k8s.io/job-uid"), job["metadata"]["uid"])
    owner = meta["ownerReferences"][0]
    same("owner", (owner["kind"], owner["name"], owner["uid"], owner["controller"]), ("Job", "a", job["metadata"]["uid"], True))
    check(FINALIZER in meta["finalizers"], meta["finalizers"])
    same("spec", (w["spec"]["queueName"], w["spec"]["podSets"][0]["name"], w["spec"]["podSets"][0]["count"]), ("q", "main", 2))
    a = w["status"]["admission"]
    same("admission", (a["clusterQueue"], a["podSetAssignments"]),
         (t.own("q"), [{"name": "main", "flavors": {"cpu": t.own("f")}, "resourceUsage": {"cpu": "2"}, "count": 2}]))
    w = t.finished("a")
    same("Finished", (cond(w, "Finished")["reason"], cond(w, "Finished")["message"]),
         ("Succeeded", cond(t.get_job("a"), "Complete")["message"]))
    labels = t.get_job("a")["spec"]["template"]["metadata"]["labels"]
    same("labels of its pods", {k: labels.get("kueue.x-k8s.io/" + k) for k in ("podset", "cluster-queue-name", "local-queue-name")},
         {"podset": "main", "cluster-queue-name": t.own("q"), "local-queue-name": "q"})
    check(is_true(t.get_job("a"), "Complete"), "the Job is not complete")


@test()
def job_fails(t):
    """A Job that fails ends its Workload and gives the quota back."""
    t.queue(cpu=1)
    t.job("bad", pod={"sluice.dev/exit-code": "3"})
    same("reason", cond(t.finished("bad"), "Finished")["reason"], "Failed")
    t.job("good")
    t.finished("good")


@test()
def events(t):
    """What is told, to whom, with Kueue's reasons."""
    t.queue(cpu=1)
    t.job("a", run=LONG)
    w = t.admitted("a")
    name = w["metadata"]["name"]
    t.event("Job", "a", "CreatedWorkload", name)
    t.event("Workload", name, "QuotaReserved", f"Quota reserved in ClusterQueue {t.own('q')}, wait time since queued was ")
    t.event("Workload", name, "Admitted", f"Admitted by ClusterQueue {t.own('q')}, wait time since reservation was 0s")
    t.event("Job", "a", "Started", f"Admitted by clusterQueue {t.own('q')}")
    t.job("b")
    b = t.waits("b", "insufficient unused quota")
    e = t.event("Workload", b["metadata"]["name"], cond(b, "QuotaReserved")["reason"], "insufficient unused quota")
    same("type", e["type"], "Warning")
    t.api.delete("Job", t.ns, "a")
    t.finished("b")
    t.event("Job", "b", "FinishedWorkload")


@test()
def queueing(t):
    """Jobs of more than the quota run one after the other, in their order, and never at once."""
    t.queue(cpu=2)
    names = [f"j{i}" for i in range(6)]
    for n in names:
        t.job(n, run="300ms")
    def all_done():
        used = t.usage()
        check(used.get(t.own("q"), 0) <= 2000, "more is admitted than the quota:", used)
        return all(is_true(w, "Finished") for w in t.workloads()) and len(t.workloads()) == 6
    t.until("all to finish", all_done)
    t.finished(*names)
    def when(n):
        return cond(t.wl(n), "Admitted")["lastTransitionTime"]
    check(when("j0") <= when("j5"), "the last began before the first")


@test()
def too_large(t):
    """What never fits waits and says so; it does not hold up others (BestEffortFIFO), or does (StrictFIFO)."""
    t.queue("q", cpu=2)
    t.job("large", cpu=3)
    w = t.waits("large", "insufficient quota for cpu in flavor")
    check("maximum capacity" in cond(w, "QuotaReserved")["message"], cond(w, "QuotaReserved"))
    t.job("small")
    t.finished("small")
    t.queue("strict", cpu=2, queueingStrategy="StrictFIFO")
    t.job("first", "strict", run=LONG)
    t.runs("first")
    t.job("second", "strict", cpu=2)
    t.waits("second", "insufficient unused quota")
    t.job("third", "strict", cpu=1)
    t.fence()
    w = t.wl("third")
    check(w and not is_true(w, "QuotaReserved"), "the third passed the second")


@test()
def without_queue(t):
    """A Job without a queue name is nobody's."""
    t.job("free", queue=None)
    t.until("it to run by itself", lambda: is_true(t.get_job("free"), "Complete"))
    t.fence()
    same("Workloads", t.workloads("free"), [])


@test()
def queue_comes_later(t):
    """A Job may be there before its queues."""
    t.job("early")
    t.waits("early", "LocalQueue q doesn't exist")
    t.local_queue("q")
    t.waits("early", f"ClusterQueue {t.own('q')} doesn't exist")
    t.cluster_queue("q")
    t.finished("early")


@test()
def running_unadmitted(t):
    """A Job that somebody unsuspends by hand without quota is stopped."""
    t.queue(cpu=1)
    t.job("holder", run=LONG)
    t.runs("holder")
    t.job("cheat", run=LONG)
    t.waits("cheat", "insufficient")
    t.api.patch("Job", t.ns, "cheat", {"spec": {"suspend": False}})
    t.event("Job", "cheat", "Stopped", "Not admitted by cluster queue")
    t.stopped("cheat")
    t.api.delete("Job", t.ns, "holder")
    t.runs("cheat")


@test()
def changed_job(t):
    """A suspended Job that is changed has its Workload updated; the quota follows."""
    t.queue(cpu=2)
    t.job("a", cpu=1, pods=4)
    before = t.waits("a", "insufficient")
    t.api.patch("Job", t.ns, "a", {"spec": {"parallelism": 2}})
    w = t.finished("a")
    same("the Workload's name", w["metadata"]["name"], before["metadata"]["name"])
    same("count", w["spec"]["podSets"][0]["count"], 2)
    t.event("Job", "a", "UpdatedWorkload")


@test()
def priority_class_change(t):
    """The label decides the order; it may change while the Job waits, and so may the value of its class."""
    low, high = t.priority_class("low", 10), t.priority_class("high", 100)
    t.queue(cpu=1)
    t.job("holder", run=LONG, priority=high)
    t.runs("holder")
    t.job("first", run=LONG, priority=low)
    t.job("second", run=LONG, priority=low)
    t.waits("first", "insufficient")
    w = t.until("a Workload of second", lambda: t.wl("second"))  # of the same shape as the first: it is not even tried
    same("priority", (w["spec"]["priority"], w["spec"]["priorityClassRef"]),
         (10, {"group": "kueue.x-k8s.io", "kind": "WorkloadPriorityClass", "name": low}))
    t.api.patch("Job", t.ns, "second", {"metadata": {"labels": {CLASS: high}}})
    t.until("the Workload to follow", lambda: t.wl("second")["spec"]["priority"] == 100)
    t.api.patch("WorkloadPriorityClass", None, low, {"value": 20})
    t.until("the Workloads of the class to follow", lambda: t.wl("first")["spec"]["priority"] == 20)
    t.api.delete("Job", t.ns, "holder")
    t.runs("second")
    t.waits("first")


@test()
def queue_name_change(t):
    """A Job that waits may go to another queue."""
    t.queue("full", cpu=1)
    t.queue("free", cpu=1)
    t.job("holder", "full", run=LONG)
    t.runs("holder")
    t.job("a", "full")
    t.waits("a", "insufficient")
    t.api.patch("Job", t.ns, "a", {"metadata": {"labels": {QUEUE: "free"}}})
    w = t.finished("a")
    same("admission", w["status"]["admission"]["clusterQueue"], t.own("free"))


@test()
def partial_admission(t):
    """job-min-parallelism: fewer pods where the quota is short; all of them again after a stop."""
    t.queue(cpu=3)
    t.job("a", cpu=1, pods=5, run=LONG, annotations={"kueue.x-k8s.io/job-min-parallelism": "2"}, completions=10)
    w = t.admitted("a")
    same("pod sets", (w["spec"]["podSets"][0]["count"], w["spec"]["podSets"][0]["minCount"]), (5, 2))
    same("count", w["status"]["admission"]["podSetAssignments"][0]["count"], 3)
    t.runs("a")
    same("parallelism", t.get_job("a")["spec"]["parallelism"], 3)
    t.api.patch("ClusterQueue", None, t.own("q"), {"spec": {"stopPolicy": "HoldAndDrain"}})
    t.released("a", "ClusterQueueStopped")
    same("parallelism after the stop", t.stopped("a")["spec"]["parallelism"], 5)
    t.set_quota("q", 8)
    t.api.patch("ClusterQueue", None, t.own("q"), {"spec": {"stopPolicy": "None"}})
    t.runs("a")
    same("parallelism with quota", t.get_job("a")["spec"]["parallelism"], 5)


@test()
def reclaimable_pods(t):
    """Pods that are done give their part of the quota back while the others run."""
    t.queue(cpu=3)
    t.job("a", pods=3, run=LONG)
    t.runs("a")
    t.job("b")
    t.waits("b", "insufficient")
    pod = t.api.list("Pod", t.ns, "batch.kubernetes.io/job-name=a")[0]
    t.api.patch("Pod", t.ns, pod["metadata"]["name"], {"status": {"phase": "Succeeded"}}, "status")
    t.until("the Workload to say so", lambda: t.wl("a")["status"].get("reclaimablePods") == [{"name": "main", "count": 1}])
    t.finished("b")
    check(is_true(t.wl("a"), "Admitted"), "the first lost its admission")


@test()
def prebuilt(t):
    """A Job that names a Workload takes that one, when it describes the Job; else it ends it."""
    t.queue(cpu=4)
    named = "kueue.x-k8s.io/prebuilt-workload-name"

    def make(name, count):  # with what the API server adds to a template, as whoever makes a Workload must
        template = t.get_job(name)["spec"]["template"]
        pod_set = {"name": "main", "count": count, "template": {"spec": template["spec"], "metadata": {"annotations": template["metadata"]["annotations"]}}}
        t.api.create("Workload", t.ns, name, {"queueName": "q", "podSets": [pod_set]})
    t.job("a", annotations={named: "a"})
    t.fence()
    check(t.get_job("a")["spec"]["suspend"] and not t.workloads("a"), "it does not wait for its Workload")
    make("a", 1)
    w = t.finished("a")
    same("its Workload", (w["metadata"]["name"], cond(w, "Finished")["reason"]), ("a", "Succeeded"))
    same("its Workloads", [x["metadata"]["name"] for x in t.workloads("a")], ["a"])
    t.job("b", annotations={named: "b"})
    make("b", 3)
    t.until("it to be out of sync", lambda: is_true(t.api.get("Workload", t.ns, "b"), "Finished", "OutOfSync"))
    t.job("c", annotations={named: "a"})
    t.fence()
    check(t.get_job("c")["spec"]["suspend"] and t.get_job("b")["spec"]["suspend"], "it runs")


@test()
def limit_range(t):
    """A LimitRange gives requests to pods that have none, and refuses what it does not allow."""
    t.api.create("LimitRange", t.ns, "lr", {"limits": [{"type": "Container", "defaultRequest": {"cpu": "500m"}, "max": {"cpu": "3"},
                                                       "default": {"cpu": "3"}}]})
    t.queue(cpu=4)
    t.job("a", cpu=None, run=LONG)
    w = t.admitted("a")
    same("usage", w["status"]["admission"]["podSetAssignments"][0]["resourceUsage"], {"cpu": "500m"})
    t.job("b", cpu=4)
    t.waits("b", "limits")


@test()
def runtime_class(t):
    """The overhead of its RuntimeClass is counted."""
    t.api.create("RuntimeClass", None, t.own("rc"), handler="h", overhead={"podFixed": {"cpu": "250m"}})
    t.queue(cpu=4)
    t.job("a", template=t.template(1, LONG, runtimeClassName=t.own("rc")))
    w = t.admitted("a")
    same("usage", w["status"]["admission"]["podSetAssignments"][0]["resourceUsage"], {"cpu": "1250m"})


@test()
def default_queue(t):
    """A LocalQueue named default takes the Jobs that name none."""
    t.cluster_queue("q", 1)
    t.local_queue("default", t.own("q"))
    t.until("it to be active", lambda: is_true(t.lq("default"), "Active"))
    t.job("a", queue=None)
    w = t.finished("a")
    same("queue", w["spec"]["queueName"], "default")


@test()
def pod_priority_class(t):
    """Without a WorkloadPriorityClass the pods' own class counts."""
    t.api.create("PriorityClass", None, t.own("pc"), value=77)
    t.queue(cpu=1)
    t.job("a", template=t.template(1, priorityClassName=t.own("pc")))
    w = t.finished("a")
    same("priority", (w["spec"]["priority"], w["spec"]["priorityClassRef"]),
         (77, {"group": "scheduling.k8s.io", "kind": "PriorityClass", "name": t.own("pc")}))


@test()
def job_made_anew(t):
    """A Job that is deleted and made again under its name begins anew."""
    t.queue(cpu=1)
    before = set()
    for _ in range(3):
        t.job("a", run=LONG)
        t.runs("a")
        before |= {w["metadata"]["name"] for w in t.workloads("a")}
        t.api.delete("Job", t.ns, "a")
        t.until("the Job to be gone", lambda: t.get_job("a") is None)
    t.job("a")
    # Those of the Jobs before it may linger, Finished, until they are collected.
    t.until("a Workload of its own to finish",
            lambda: [w for w in t.workloads("a") if w["metadata"]["name"] not in before and is_true(w, "Finished")])
    t.until("those of the others to be gone", lambda: len(t.workloads("a")) == 1)


@test()
def long_name(t):
    """Names at the limit of what the API server takes."""
    t.queue(cpu=1)
    name = "n" * 63
    t.job(name)
    t.finished(name)
