"""Starting, stopping, leading: tests that have the cluster's controllers for themselves."""
import os
import signal

from client import path_of
from configurations import HEAD, QUICK_LEASE
from kit import FINALIZER, LONG, QUEUE, check, cond, is_true, same, test

QUICK = HEAD + QUICK_LEASE
LEASE = "c1f6bfd2.kueue.x-k8s.io"


def versions(t, kinds=("Workload", "Job", "LocalQueue")):
    """The resourceVersion of all that the controller might write to in this namespace, and of what it owns outside."""
    all_of = {(k, o["metadata"]["name"]): o["metadata"]["resourceVersion"] for k in kinds for o in t.api.list(k, t.ns)}
    for k in ("ClusterQueue", "ResourceFlavor", "Cohort"):
        all_of.update({(k, o["metadata"]["name"]): o["metadata"]["resourceVersion"] for o in t.api.list(k)
                       if o["metadata"]["name"].startswith(t.ns + "-")})
    return all_of


def settled(t, other):
    """The versions once nothing is written any more: two looks with a job's whole life between them see the same."""
    seen = [None]

    def same_twice():
        other.fence()
        now = versions(t)
        if now == seen[0]:
            return now
        seen[0] = now
        return None
    return t.until("everything to be written", same_twice, 120)


def other_namespace(t):
    name = "x-" + t.ns
    from kit import Test
    other = Test.__new__(Test)
    other.__dict__.update(t.__dict__, ns=name, flavors=set())
    t.api.create("Namespace", None, name)
    return other


@test("alone")
def stop_and_start(t):
    """Stopped and started again among Jobs in all states it changes nothing."""
    other = other_namespace(t)
    t.env.controller = c = t.env.new_controller("stop_and_start", QUICK).start()
    t.api.create("Cohort", None, t.own("c"), {})
    t.queue(cpu=3, cohort="c", preemption={"withinClusterQueue": "LowerPriority"})
    t.job("done")
    t.finished("done")
    t.job("running", run=LONG, pods=2)
    t.runs("running")
    t.job("off", run=LONG)
    t.runs("off")
    t.set_wl("off", {"spec": {"active": False}})
    t.released("off")
    t.job("large", cpu=9)
    t.waits("large")
    t.job("waiting", cpu=2)
    t.waits("waiting")
    t.job("nowhere", queue="no-queue")
    t.waits("nowhere")
    before = settled(t, other)
    for number in (signal.SIGTERM, signal.SIGINT):
        c.stop(number)
        c.start()
        other.fence()
        other.fence()
        after = versions(t)
        same("what was written", {str(k): (before.get(k), v) for k, v in after.items() if before.get(k) != v}, {})
    t.api.delete("Job", t.ns, "running")
    t.finished("waiting")
    c.stop()


KUEUE_TIME = "2026-01-02T03:04:05Z"


def kueue_condition(kind, status, reason, message):
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": KUEUE_TIME, "observedGeneration": 1}


def as_kueue_left_it(t, name, admitted, queue="q"):
    """A Job and its Workload, written as Kueue writes them, by Kueue's field managers, while nobody watches."""
    import hashlib
    job = t.api.create("Job", t.ns, name, {"parallelism": 1, "completions": 1, "backoffLimit": 0, "suspend": True, "template": t.template(1, LONG)},
                       labels={QUEUE: queue})
    digest = hashlib.sha1(f"Job\nbatch\n{name}\n{job['metadata']['uid']}".encode()).hexdigest()[:5]
    wl = f"job-{name}-{digest}"
    template = {"metadata": {"annotations": job["spec"]["template"]["metadata"]["annotations"],
                             "labels": {"batch.kubernetes.io/job-name": name}}, "spec": job["spec"]["template"]["spec"]}
    t.api.create("Workload", t.ns, wl, {"active": True, "queueName": queue, "priority": 0,
                                        "podSets": [{"name": "main", "count": 1, "template": template}]},
                 query="?fieldManager=kueue", metadata={
        "finalizers": [FINALIZER], "labels": {"kueue.x-k8s.io/job-uid": job["metadata"]["uid"]}, "ownerReferences": [
            {"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}]})
    conditions = [kueue_condition("QuotaReserved", "False", "WaitingForQuota", "couldn't assign flavors to pod set main: insufficient unused quota for "
                                  f"cpu in flavor {t.own('f')}, 1 more needed"),
                  kueue_condition("Admitted", "False", "NoReservation", "The workload has no reservation"),
                  kueue_condition("PodsReady", "False", "WaitForStart", "Not all pods are ready or succeeded")]
    status = {"conditions": conditions, "resourceRequests": [{"name": "main", "resources": {"cpu": "1"}}]}
    if admitted:
        status = {
            "admission": {"clusterQueue": t.own("q"), "podSetAssignments": [
                {"name": "main", "count": 1, "flavors": {"cpu": t.own("f")}, "resourceUsage": {"cpu": "1"}}]},
            "conditions": [kueue_condition("QuotaReserved", "True", "QuotaReserved", f"Quota reserved in ClusterQueue {t.own('q')}"),
                           kueue_condition("Admitted", "True", "Admitted", "The workload is admitted"),
                           kueue_condition("PodsReady", "True", "Started", "All pods reached readiness and the workload is running")]}
    t.api.patch("Workload", t.ns, wl, {"status": status}, "status", query="?fieldManager=kueue-admission")
    if admitted:
        t.api.patch("Job", t.ns, name, {"spec": {"suspend": False, "template": {"metadata": {"labels": {
            "kueue.x-k8s.io/podset": "main", "kueue.x-k8s.io/cluster-queue-name": t.own("q"), "kueue.x-k8s.io/local-queue-name": queue}}}}},
                    query="?fieldManager=kueue")
        t.runs(name)
    return wl


@test("alone")
def objects_of_kueue(t):
    """It starts on what Kueue admitted and left running, and changes none of it."""
    other = other_namespace(t)
    t.flavor("f")
    for kind, name in (("ResourceFlavor", "f"),):
        t.api.patch(kind, None, t.own(name), {"metadata": {"finalizers": [FINALIZER]}})
    t.cluster_queue(cpu=1)
    t.api.patch("ClusterQueue", None, t.own("q"), {"metadata": {"finalizers": [FINALIZER]}})
    t.local_queue()
    as_kueue_left_it(t, "running", True)
    as_kueue_left_it(t, "waiting", False)
    t.until("the Job's own controller to have spoken", lambda: is_true(t.get_job("waiting"), "Suspended"))
    before = versions(t, ("Workload", "Job"))
    c = t.env.controller = t.env.new_controller("objects_of_kueue", QUICK).start()
    other.fence()
    other.fence()
    after = versions(t, ("Workload", "Job"))  # queues had no status yet: these are written
    same("what was written", {str(k): (before.get(k), v) for k, v in after.items() if before.get(k) != v and k[0] != "ClusterQueue"}, {})
    w = t.wl("waiting")
    check(not is_true(w, "QuotaReserved"), "admitted beside what Kueue admitted")
    t.api.delete("Job", t.ns, "running")
    t.runs("waiting")
    c.stop()


@test("alone")
def two_controllers(t):
    """One leads, the other stands by; it takes over when the first is killed, at once when the first is stopped."""
    a = t.env.new_controller("two_a", QUICK).start()
    b = t.env.new_controller("two_b", QUICK).start(wait=False)
    b.wait_for("standing by")
    t.queue(cpu=2)
    t.job("one")
    t.finished("one")
    check("leading as" not in b.text(), "both lead")
    t.job("two", run="3s")
    t.runs("two")
    a.kill()
    b.wait_for("leading as")
    t.finished("two")
    t.job("three")
    t.finished("three")
    a.start(wait=False)
    a.wait_for("standing by")
    b.stop()  # 0, and the Lease is given back
    a.wait_for("leading as")
    t.job("four")
    t.finished("four")
    a.stop()
    lease = t.api.get("Lease", "kueue-system", LEASE)
    same("holder after the end", lease["spec"].get("holderIdentity", ""), "")
    same("pods of each Job", [len(t.api.list("Pod", t.ns, f"batch.kubernetes.io/job-name={j}")) for j in ("one", "two", "three", "four")], [1] * 4)


@test("alone")
def frozen_leader(t):
    """A leader that slept too long writes nothing when it wakes, and ends."""
    a = t.env.new_controller("frozen_a", QUICK).start()
    t.queue(cpu=1)
    t.job("one", run=LONG)
    t.runs("one")
    b = t.env.new_controller("frozen_b", QUICK).start(wait=False)
    b.wait_for("standing by")
    os.kill(a.process.pid, signal.SIGSTOP)
    t.job("two", run=LONG)
    b.wait_for("leading as")
    t.api.delete("Job", t.ns, "one")
    t.runs("two")
    os.kill(a.process.pid, signal.SIGCONT)
    same("exit status of the one that slept", a.wait_end(), 1)
    a.check()
    t.job("three")
    t.waits("three", "insufficient")
    same("admitted", t.usage(), {t.own("q"): 1000})
    b.stop()


@test("alone")
def block_admission(t):
    """blockAdmission: nobody else gets quota before the pods of all that have some are ready."""
    for w in t.api.list("Workload"):  # also those of other tests would be waited for
        if is_true(w, "QuotaReserved") and not is_true(w, "PodsReady") and not is_true(w, "Finished"):
            t.api.patch("Workload", w["metadata"]["namespace"], w["metadata"]["name"], {"metadata": {"finalizers": None}})
            t.api.delete("Workload", w["metadata"]["namespace"], w["metadata"]["name"])
            for r in w["metadata"].get("ownerReferences", []):
                t.api.delete("Job", w["metadata"]["namespace"], r["name"])
    c = t.env.controller = t.env.new_controller("block_admission", QUICK + """waitForPodsReady:
  timeout: 10m
  blockAdmission: true
""").start()
    t.queue(cpu=4)
    t.job("slow", run=LONG, pod={"sluice.dev/ready-after": "2s"})
    t.admitted("slow")
    t.job("next", run=LONG)
    w = t.admitted("next")
    ready = cond(t.wl("slow"), "PodsReady")
    check(ready["status"] == "True" and ready["lastTransitionTime"] <= cond(w, "Admitted")["lastTransitionTime"], ready, cond(w, "Admitted"))
    c.stop()


@test("alone")
def kind_comes_later(t):
    """JobSet's CRD is installed while the controller runs: its objects are dealt with from then on."""
    t.env.kubectl("delete", "crd", "jobsets.jobset.x-k8s.io", "--ignore-not-found")
    c = t.env.controller = t.env.new_controller("kind_comes_later", QUICK + "integrations:\n  frameworks: [batch/job, jobset.x-k8s.io/jobset]\n").start()
    t.queue(cpu=2)
    t.job("a")
    t.finished("a")
    t.env.install_job_set()
    t.api.call("POST", path_of("JobSet", t.ns), {
        "apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "s", "labels": {QUEUE: "q"}},
        "spec": {"suspend": True, "replicatedJobs": [{"name": "w", "template": {"spec": {"template": t.template(1)}}}]}})
    t.until("the JobSet to start", lambda: t.api.get("JobSet", t.ns, "s")["spec"]["suspend"] is False, 150)
    c.stop()


@test("alone")
def without_rights(t):
    """A start-up check names the rule that is missing."""
    role = t.api.get("ClusterRole", None, "sluice-controller")
    rules = [dict(r, verbs=[v for v in r["verbs"] if v != "delete"]) if r["resources"] == ["workloads"] else r for r in role["rules"]]
    try:
        t.api.patch("ClusterRole", None, "sluice-controller", {"rules": rules})
        c = t.env.controller = t.env.new_controller("without_rights", QUICK).start(wait=False)
        t.until("the missing rule to be named", lambda: "workloads" in c.text() and "delete" in c.text())
        c.stop()
    finally:
        t.api.patch("ClusterRole", None, "sluice-controller", {"rules": role["rules"]})


@test("alone")
def bad_arguments(t):
    """What it cannot work with it says, with the status for it."""
    import subprocess
    sluice = str(t.env.options.sluice)
    bad = t.env.logs / "bad.yaml"
    bad.write_text(HEAD + "noSuchField: 1\n")
    for arguments, status in ((["--no-such-option"], 2), (["--kubeconfig", "/nonexistent"], 1),
                              (["--config", str(bad), "--kubeconfig", str(t.env.cluster.dir / "kubeconfig")], 1)):
        done = subprocess.run([sluice, "controller", *arguments], capture_output=True, text=True, timeout=60, check=False)
        same(f"exit status of {arguments}", done.returncode, status)
        check(done.stderr.strip(), "it says nothing")
