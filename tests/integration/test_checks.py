"""Admission checks: the test plays the controller of the check."""
from kit import LONG, check, cond, is_false, is_true, same, test


def make_check(t, name="c"):
    t.api.create("AdmissionCheck", None, t.own(name), {"controllerName": "sluice.dev/test"})
    active(t, name, "True")


def active(t, name, status):
    t.api.patch("AdmissionCheck", None, t.own(name), {"status": {"conditions": [
        {"type": "Active", "status": status, "reason": "Test", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, "status")


def checked_queue(t, cpu=2, name="c", **more):
    make_check(t, name)
    t.queue(cpu=cpu, admissionChecksStrategy={"admissionChecks": [{"name": t.own(name)}]}, **more)


def entry(w, name):
    return next((c for c in w.get("status", {}).get("admissionChecks", []) if c["name"] == name), {})


def answer(t, job, state, name="c", **more):
    """What the check's controller does: server-side apply of its own entry alone."""
    w = t.until("quota and the check's entry", lambda: (lambda w: w if w and is_true(w, "QuotaReserved") and not is_true(w, "Evicted") and
                                                        entry(w, t.own(name)) else None)(t.wl(job)))
    t.api.patch("Workload", t.ns, w["metadata"]["name"], {
        "apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "Workload", "metadata": {"name": w["metadata"]["name"], "namespace": t.ns},
        "status": {"admissionChecks": [{"name": t.own(name), "state": state, "message": more.pop("message", "by test"),
                                        "lastTransitionTime": more.pop("at", w["metadata"]["creationTimestamp"]), **more}]}},
                "status", "application/apply-patch+yaml", "?fieldManager=sluice.dev%2Ftest&force=true")


@test()
def check_ready(t):
    """Quota first, then the check, then the start, with what the check adds to the pods."""
    checked_queue(t)
    t.job("a", run=LONG)
    w = t.until("quota and the check's entry", lambda: (lambda w: w if w and is_true(w, "QuotaReserved") and entry(w, t.own("c")) else None)(t.wl("a")))
    same("state", entry(w, t.own("c"))["state"], "Pending")
    w = t.until("it not to be admitted", lambda: (lambda w: w if is_false(w, "Admitted") else None)(t.wl("a")))
    same("Admitted", (cond(w, "Admitted")["reason"], cond(w, "Admitted")["message"]),
         ("UnsatisfiedAdmissionChecks", "The workload has not all checks ready"))
    check(t.get_job("a")["spec"]["suspend"], "it runs without its check")
    answer(t, "a", "Ready", podSetUpdates=[{"name": "main", "labels": {"from": "check"}, "nodeSelector": {"kubernetes.io/hostname": "node-5"}}])
    t.runs("a")
    template = t.get_job("a")["spec"]["template"]
    same("template", (template["metadata"]["labels"]["from"], template["spec"]["nodeSelector"]), ("check", {"kubernetes.io/hostname": "node-5"}))
    t.event("Workload", w["metadata"]["name"], "Admitted", f"Admitted by ClusterQueue {t.own('q')}, wait time since reservation was ")
    same("another's entry", entry(t.wl("a"), t.own("c"))["message"], "by test")


@test()
def check_retry(t):
    """Retry: evicted, its quota free for others, and again after its time."""
    checked_queue(t, cpu=1)
    t.job("a", run=LONG)
    answer(t, "a", "Retry", message="not now")
    w = t.until("a second round", lambda: (lambda w: w if entry(w, t.own("c")).get("retryCount") == 1 else None)(t.wl("a")))
    same("entry", (entry(w, t.own("c"))["state"], entry(w, t.own("c"))["message"]), ("Pending", "Reset to Pending after eviction. Previously: Retry"))
    t.event("Workload", w["metadata"]["name"], "EvictedDueToAdmissionCheck", f'in Retry state: "{t.own("c")}" (not now)')
    answer(t, "a", "Ready")
    t.runs("a")


@test()
def check_retry_later(t):
    """Retry with requeueAfterSeconds: not before."""
    import datetime
    checked_queue(t, cpu=1)
    t.job("a", run=LONG)
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    answer(t, "a", "Retry", requeueAfterSeconds=6, at=now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    w = t.until("its time", lambda: (lambda w: w if w["status"].get("requeueState", {}).get("requeueAt") else None)(t.wl("a")))
    same("requeueAt", w["status"]["requeueState"]["requeueAt"], (now + datetime.timedelta(seconds=6)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    w = t.until("quota again", lambda: (lambda w: w if is_true(w, "QuotaReserved") and is_true(w, "Requeued", "BackoffFinished") else None)(t.wl("a")))
    check(cond(w, "QuotaReserved")["lastTransitionTime"] >= (now + datetime.timedelta(seconds=6)).strftime("%Y-%m-%dT%H:%M:%SZ"), "too early")
    answer(t, "a", "Ready")
    t.runs("a")


@test()
def check_rejected(t):
    """Rejected: deactivated for good, until somebody says otherwise."""
    checked_queue(t, cpu=1)
    t.job("a", run=LONG)
    answer(t, "a", "Rejected", message="no")
    w = t.released("a", "DeactivatedDueToAdmissionCheck")
    t.until("it to be inactive", lambda: t.wl("a")["spec"]["active"] is False)
    check(f'AdmissionCheck in Rejected state: "{t.own("c")}" (no)' in cond(w, "Evicted")["message"], cond(w, "Evicted"))
    t.event("Workload", w["metadata"]["name"], "AdmissionCheckRejected")
    t.job("b", run=LONG)
    answer(t, "b", "Ready")
    t.runs("b")


@test()
def check_rejected_while_running(t):
    """A check may change its mind about a running Job."""
    checked_queue(t, cpu=1)
    t.job("a", run=LONG)
    answer(t, "a", "Ready")
    t.runs("a")
    answer(t, "a", "Retry")
    t.until("its eviction", lambda: entry(t.wl("a"), t.own("c")).get("retryCount") == 1)
    t.stopped("a")
    answer(t, "a", "Ready")
    t.runs("a")


@test()
def check_of_a_flavor(t):
    """A check that is for one flavor is asked when that one is assigned, not before."""
    make_check(t)
    t.flavor("one")
    t.flavor("two")
    t.queue(flavors={"one": {"cpu": 1}, "two": {"cpu": 1}},
            admissionChecksStrategy={"admissionChecks": [{"name": t.own("c"), "onFlavors": [t.own("two")]}]})
    t.job("a", run=LONG)
    t.runs("a")
    same("checks", t.wl("a")["status"].get("admissionChecks", []), [])
    t.job("b", run=LONG)
    answer(t, "b", "Ready")
    t.runs("b")


@test()
def check_missing_or_inactive(t):
    """A ClusterQueue whose check is not there, or not active, admits nobody."""
    t.cluster_queue("q", 1, admissionChecksStrategy={"admissionChecks": [{"name": t.own("c")}]})
    t.local_queue("q")
    t.until("the ClusterQueue to say so", lambda: is_false(t.cq(), "Active", "AdmissionCheckNotFound"))
    t.job("a", run=LONG)
    t.waits("a", "is inactive")
    make_check(t)
    answer(t, "a", "Ready")
    t.runs("a")
    active(t, "c", "False")
    t.until("the ClusterQueue to say so", lambda: is_false(t.cq(), "Active", "AdmissionCheckInactive"))
    check(is_true(t.wl("a"), "Admitted"), "a running Job was touched")


@test()
def gated(t):
    """admission-gated-by: no quota before the others removed themselves."""
    t.queue(cpu=1)
    gate = "kueue.x-k8s.io/admission-gated-by"
    t.job("a", annotations={gate: "sluice.dev/somebody"}, run=LONG)
    t.waits("a", "Admission is gated by: sluice.dev/somebody", "AdmissionGated")
    t.api.patch("Job", t.ns, "a", {"metadata": {"annotations": {gate: None}}})
    t.runs("a")
    t.event("Workload", t.wl("a")["metadata"]["name"], "AdmissionGateCleared")
