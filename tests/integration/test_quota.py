"""Who gets quota, who gives it back."""
from kit import LONG, check, cond, is_false, is_true, parse_cpu, same, test

RECLAIM = {"preemption": {"reclaimWithinCohort": "Any", "withinClusterQueue": "LowerPriority"}}


@test()
def borrowing(t):
    """Idle quota of the cohort is lent, within the borrower's and the lender's limit."""
    t.queue("a", cohort="c", flavors={"f": {"cpu": (2, 2)}})
    t.queue("b", cohort="c", flavors={"f": {"cpu": (4, None, 3)}})
    for i in range(5):
        t.job(f"j{i}", "a", run=LONG)
    t.admitted("j0", "j1", "j2", "j3")
    t.waits("j4")
    usage = t.until("the status to say so", lambda: (lambda u: u if u[0]["resources"][0]["total"] == "4" else None)(
        t.cq("a")["status"].get("flavorsUsage", [{"resources": [{"total": ""}]}])))
    same("flavorsUsage", usage, [{"name": t.own("f"), "resources": [{"name": "cpu", "total": "4", "borrowed": "2"}]}])
    t.job("mine", "b", cpu=3)
    t.waits("mine", "insufficient")
    t.job("rest", "b", cpu=2)
    t.finished("rest")


@test()
def reclaim(t):
    """The owner of lent quota takes it back: the borrower's Job is stopped, waits, and runs again."""
    t.queue("a", 2, cohort="c", **RECLAIM)
    t.queue("b", 2, cohort="c", **RECLAIM)
    t.job("borrower", "a", cpu=1, pods=4, run=LONG)
    t.runs("borrower")
    t.job("owner", "b", cpu=2, run=LONG)
    t.runs("owner")
    w = t.released("borrower", "Preempted")
    same("Preempted", cond(w, "Preempted")["reason"], "InCohortReclamation")
    same("Requeued", (cond(w, "Requeued")["status"], cond(w, "Requeued")["reason"]), ("True", "Preempted"))
    t.stopped("borrower")
    t.event("Workload", w["metadata"]["name"], "Preempted")
    t.event("Workload", w["metadata"]["name"], "EvictedDueToPreempted")
    t.event("Workload", t.wl("owner")["metadata"]["name"], "PreemptedWorkload")
    t.event("Job", "borrower", "Stopped", "Preempted to accommodate a workload")
    t.api.delete("Job", t.ns, "owner")
    t.runs("borrower")
    w = t.wl("borrower")
    check(is_false(w, "Evicted") and cond(w, "Evicted")["message"].startswith("Previously: "), cond(w, "Evicted"))


@test()
def priorities(t):
    """Who is more important goes first, and evicts who is less."""
    low, high = t.priority_class("low", 1), t.priority_class("high", 9)
    t.queue("q", 2, **RECLAIM)
    t.job("small", cpu=1, run=LONG, priority=low)
    t.job("smaller", cpu=1, run=LONG, priority=low)
    t.runs("small", "smaller")
    t.job("peer", cpu=1, run=LONG, priority=low)
    t.waits("peer")
    t.job("urgent", cpu=1, run=LONG, priority=high)
    t.runs("urgent")
    evicted = t.until("one to be evicted", lambda: [j for j in ("small", "smaller") if is_true(t.wl(j), "Evicted")])
    same("evicted", len(evicted), 1)
    same("Preempted", cond(t.released(evicted[0]), "Preempted")["reason"], "InClusterQueue")
    t.api.delete("Job", t.ns, "urgent")
    t.until("the quota to be used again", lambda: t.usage() == {t.own("q"): 2000})


@test()
def second_flavor(t):
    """Where the first flavor is full the second is tried; their labels make the pods' selectors."""
    t.flavor("one", nodeLabels={"pool": "one"})
    t.flavor("two", nodeLabels={"pool": "two"})
    t.queue("q", flavors={"one": {"cpu": 1}, "two": {"cpu": 1}})
    t.job("a", run=LONG)
    t.admitted("a")
    t.job("b", run=LONG)
    t.admitted("b")
    got = [t.wl(j)["status"]["admission"]["podSetAssignments"][0]["flavors"]["cpu"] for j in ("a", "b")]
    same("flavors", got, [t.own("one"), t.own("two")])
    t.until("both to be started", lambda: all(not t.get_job(j)["spec"]["suspend"] for j in ("a", "b")))
    same("selectors", [t.get_job(j)["spec"]["template"]["spec"].get("nodeSelector") for j in ("a", "b")], [{"pool": "one"}, {"pool": "two"}])


@test()
def gpus(t):
    """Extended resources beside cpu, on nodes that have them."""
    t.queue("q", flavors={"f": {"cpu": 8, "nvidia.com/gpu": 8}})
    t.job("a", run=LONG, template=t.template(2, LONG, requests={"nvidia.com/gpu": "8"}))
    t.runs("a")
    t.job("b", template=t.template(1, requests={"nvidia.com/gpu": "1"}))
    t.waits("b", "nvidia.com/gpu")
    t.api.delete("Job", t.ns, "a")
    t.finished("b")


@test()
def quota_edits(t):
    """Quota that is lowered below what is used stops nobody, and admits nobody; raised again it does."""
    t.queue(cpu=4)
    t.job("a", cpu=2, run=LONG)
    t.job("b", cpu=2, run=LONG)
    t.runs("a", "b")
    t.set_quota("q", 1)
    t.job("c", cpu=1, run=LONG)
    t.waits("c", "insufficient unused quota")
    check(is_true(t.wl("a"), "Admitted") and is_true(t.wl("b"), "Admitted"), "a running Job lost its quota")
    t.set_quota("q", 5)
    t.runs("c")
    usage = t.until("the status", lambda: (lambda s: s if s.get("admittedWorkloads") == 3 else None)(t.cq()["status"]))
    same("usage", usage["flavorsUsage"][0]["resources"], [{"name": "cpu", "total": "5", "borrowed": "0"}])


@test()
def flavor_removed_from_queue(t):
    """A flavor that leaves its queue under use: who has it runs on, and nobody gets it."""
    t.queue("q", flavors={"one": {"cpu": 2}, "two": {"cpu": 2}})
    t.job("a", cpu=2, run=LONG)
    t.runs("a")
    groups = t.cq()["spec"]["resourceGroups"]
    groups[0]["flavors"] = groups[0]["flavors"][1:]
    t.api.patch("ClusterQueue", None, t.own("q"), {"spec": {"resourceGroups": groups}})
    t.job("b", cpu=2, run=LONG)
    t.runs("b")
    same("its flavor", t.wl("b")["status"]["admission"]["podSetAssignments"][0]["flavors"], {"cpu": t.own("two")})
    check(is_true(t.wl("a"), "Admitted"), "the first lost its admission")


@test()
def namespace_selector(t):
    """A ClusterQueue may not serve every namespace, until the namespace's labels say so."""
    t.queue("q", namespaceSelector={"matchLabels": {"team": t.ns}})
    t.job("a")
    t.waits("a", "namespace doesn't match ClusterQueue selector")
    t.api.patch("Namespace", None, t.ns, {"metadata": {"labels": {"team": t.ns}}})
    t.finished("a")


@test()
def cohort_quota(t):
    """A Cohort's own quota is for its queues; a queue may join later."""
    t.flavor("f")
    t.api.create("Cohort", None, t.own("c"), {"resourceGroups": [{"coveredResources": ["cpu"], "flavors": [
        {"name": t.own("f"), "resources": [{"name": "cpu", "nominalQuota": "2"}]}]}]})
    t.queue("q", 1)
    t.job("a", cpu=3, run=LONG)
    t.waits("a", "insufficient quota")
    t.api.patch("ClusterQueue", None, t.own("q"), {"spec": {"cohortName": t.own("c")}})
    t.runs("a")


@test()
def cohort_cycle(t):
    """Cohorts in a circle admit nobody until it is broken."""
    t.api.create("Cohort", None, t.own("x"), {"parentName": t.own("y")})
    t.api.create("Cohort", None, t.own("y"), {"parentName": t.own("x")})
    t.queue("q", 2, cohort="x")
    t.job("a")
    t.fence()
    check(not is_true(t.wl("a"), "QuotaReserved"), "it was admitted in a circle")
    t.api.patch("Cohort", None, t.own("y"), {"spec": {"parentName": None}})
    t.finished("a")


@test()
def many(t):
    """Sixty Jobs of three sizes in three queues of a cohort: nothing is admitted beyond the cohort's quota, and all end."""
    for q in ("a", "b", "c"):
        t.queue(q, 4, cohort="all", **RECLAIM)
    names = []
    for i in range(60):
        q, cpu = "abc"[i % 3], (1, 2, 5)[i // 3 % 3]
        names.append(t.job(f"j{i}", q, cpu=cpu, run="200ms"))

    def done():
        used = t.usage()
        check(sum(used.values()) <= 12000, "beyond the quota:", used)
        w = t.workloads()
        return len(w) == 60 and all(is_true(x, "Finished") for x in w)
    t.until("all to finish", done, 180)
    for q in ("a", "b", "c"):
        status = t.until(f"the status of {q}", lambda n=q: (lambda s: s if s.get("reservingWorkloads", 0) == 0 and
                                                            s.get("pendingWorkloads", 0) == 0 else None)(t.cq(n)["status"]))
        same("usage", [parse_cpu(r["total"]) for f in status["flavorsUsage"] for r in f["resources"]], [0])


@test()
def statuses(t):
    """ClusterQueue, LocalQueue: counts, usage, conditions."""
    t.queue("a", 2, cohort="c")
    t.queue("b", 2, cohort="c")
    t.job("one", "a", cpu=3, run=LONG)
    t.runs("one")
    t.job("two", "a", cpu=2)
    t.waits("two")
    want = {"pendingWorkloads": 1, "reservingWorkloads": 1, "admittedWorkloads": 1}
    cq = t.until("the ClusterQueue's status", lambda: (lambda s: s if {k: s.get(k) for k in want} == want else None)(t.cq("a")["status"]))
    lq = t.until("the LocalQueue's status", lambda: (lambda s: s if {k: s.get(k) for k in want} == want else None)(t.lq("a")["status"]))
    used = [{"name": t.own("f"), "resources": [{"name": "cpu", "total": "3", "borrowed": "1"}]}]
    same("ClusterQueue", [cq["flavorsReservation"], cq["flavorsUsage"]], [used, used])
    total = [{"name": t.own("f"), "resources": [{"name": "cpu", "total": "3"}]}]
    same("LocalQueue", [lq["flavorsReservation"], lq["flavorsUsage"]], [total, total])
    c = cond({"status": cq}, "Active")
    same("Active", (c["status"], c["reason"], c["message"]), ("True", "Ready", "Can admit new workloads"))
    c = cond({"status": lq}, "Active")
    same("Active", (c["status"], c["reason"], c["message"]), ("True", "Ready", "Can submit new workloads to localQueue"))
    t.cluster_queue("gone", flavors=None)
    t.api.patch("ClusterQueue", None, t.own("gone"), {"spec": {"resourceGroups": [{"coveredResources": ["cpu"], "flavors": [
        {"name": t.own("nowhere"), "resources": [{"name": "cpu", "nominalQuota": "1"}]}]}]}})
    c = t.until("the missing flavor to be named", lambda: (lambda c: c if c.get("reason") == "FlavorNotFound" else None)(cond(t.cq("gone"), "Active")))
    same("message", c["message"], f"Can't admit new workloads: references missing ResourceFlavor(s): {t.own('nowhere')}.")
    t.local_queue("gone")
    t.until("the LocalQueue to be inactive", lambda: is_false(t.lq("gone"), "Active", "ClusterQueueIsInactive"))
    t.local_queue("nowhere")
    t.until("the LocalQueue without ClusterQueue", lambda: is_false(t.lq("nowhere"), "Active", "ClusterQueueDoesNotExist"))
    t.flavor("nowhere")
    t.until("the ClusterQueue to be active", lambda: is_true(t.cq("gone"), "Active") and is_true(t.lq("gone"), "Active"))


@test("fair")
def fair_sharing(t):
    """Idle quota goes to who has the smaller share, and who has too much gives it back."""
    fair = {"fairSharing": {"weight": "1"}, **RECLAIM}
    for q in ("a", "b"):
        t.queue(q, 0, cohort="c", **fair)
    t.queue("lender", 4, cohort="c", **RECLAIM)
    for i in range(4):
        t.job(f"a{i}", "a", run=LONG)
    t.runs("a0", "a1", "a2", "a3")
    for i in range(2):
        t.job(f"b{i}", "b", run=LONG)
    t.runs("b0", "b1")
    t.until("each to have half", lambda: t.usage() == {t.own("a"): 2000, t.own("b"): 2000})
    evicted = [w for w in t.workloads() if is_true(w, "Preempted")]
    same("reasons", {cond(w, "Preempted")["reason"] for w in evicted}, {"InCohortFairSharing"})
    t.until("the share to be told", lambda: t.cq("a")["status"].get("fairSharing", {}).get("weightedShare") == 500)


@test("fair")
def cohort_status(t):
    """A Cohort's share stands in its status."""
    t.api.create("Cohort", None, t.own("root"), {})
    t.api.create("Cohort", None, t.own("child"), {"parentName": t.own("root"), "fairSharing": {"weight": "1"}})
    t.queue("a", 0, cohort="child")
    t.queue("lender", 4, cohort="root")
    t.job("j", "a", run=LONG)
    t.runs("j")
    t.until("the Cohort's share", lambda: t.api.get("Cohort", None, t.own("child")).get("status", {}).get("fairSharing", {}).get("weightedShare") == 250)
