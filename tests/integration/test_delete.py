"""Deletion in every state, of the Job and of the Workload; finalizers; objects that are not as they should be."""
from client import Refused
from kit import FINALIZER, LONG, QUEUE, check, cond, is_true, same, test


def gone(t, kind, name, ns=True):
    t.until(f"{kind} {name} to be gone", lambda: t.api.get(kind, t.ns if ns else None, name) is None)


def in_state(t, state):
    """A Job named a in that state, the quota 1."""
    t.queue(cpu=1)
    if state == "pending":
        t.job("holder", run=LONG)
        t.runs("holder")
        t.job("a", run=LONG)
        t.waits("a", "insufficient")
    elif state == "admitted":  # and not yet started: its pods stay pending
        t.job("a", run=LONG, pod={"sluice.dev/start": "never"})
        t.admitted("a")
    elif state == "running":
        t.job("a", run=LONG)
        t.runs("a")
    elif state == "evicted":  # its pods take their time
        t.job("a", run=LONG, pod={"sluice.dev/terminate-for": "2s"})
        t.runs("a")
        t.set_wl("a", {"spec": {"active": False}})
        t.evicted("a", "Deactivated")
    elif state == "finished":
        t.job("a")
        t.finished("a")
    return t.wl("a")["metadata"]["name"]


def delete_job(t, state):
    wl = in_state(t, state)
    t.api.delete("Job", t.ns, "a")
    gone(t, "Job", "a")
    gone(t, "Workload", wl)
    if state == "pending":
        t.api.delete("Job", t.ns, "holder")
    t.job("next")
    t.finished("next")


def delete_workload(t, state):
    wl = in_state(t, state)
    uid = t.wl("a")["metadata"]["uid"]
    t.api.delete("Workload", t.ns, wl)
    t.until("that Workload to be gone", lambda: (t.api.get("Workload", t.ns, wl) or {"metadata": {"uid": ""}})["metadata"]["uid"] != uid)
    if state == "finished":  # what is over is not begun again
        t.fence()
        check(is_true(t.get_job("a"), "Complete"), "the Job is not complete any more")
        return
    if state == "pending":
        t.api.delete("Job", t.ns, "holder")
    w = t.admitted("a")  # a new one is made, and the Job starts from the beginning
    check(w["metadata"]["uid"] != uid, "the same Workload")
    if state != "admitted":
        t.runs("a")


def make(kind, function, state):
    def f(t):
        function(t, state)
    f.__name__ = f"delete_{kind}_{state}"
    f.__doc__ = f"The {kind.capitalize()} of a Job that is {state} is deleted."
    test()(f)


for _state in ("pending", "admitted", "running", "evicted", "finished"):
    make("job", delete_job, _state)
    make("workload", delete_workload, _state)


@test()
def delete_namespace(t):
    """A namespace with Jobs in all states goes whole."""
    t.queue(cpu=2)
    t.job("done")
    t.finished("done")
    t.job("a", run=LONG)
    t.runs("a")
    t.job("b", cpu=2, run=LONG)
    t.waits("b")
    t.api.delete("Namespace", None, t.ns)
    t.until("the namespace to be gone", lambda: t.api.get("Namespace", None, t.ns) is None, 120)
    t.until("the quota to be free", lambda: t.cq()["status"].get("reservingWorkloads") == 0)


@test()
def finalizers(t):
    """A ClusterQueue stays while a Workload holds its quota, a flavor while a ClusterQueue names it."""
    t.queue(cpu=1)
    for kind, name in (("ClusterQueue", t.own("q")), ("ResourceFlavor", t.own("f"))):
        t.until(f"the finalizer of {kind}", lambda k=kind, n=name: FINALIZER in t.api.get(k, None, n)["metadata"].get("finalizers", []))
    t.job("a", run=LONG)
    t.runs("a")
    t.api.delete("ResourceFlavor", None, t.own("f"))
    t.api.delete("ClusterQueue", None, t.own("q"))
    t.until("it to be terminating", lambda: cond(t.cq(), "Active").get("reason") == "Terminating")
    t.job("b")
    t.waits("b")
    check(t.api.get("ResourceFlavor", None, t.own("f")) and is_true(t.wl("a"), "Admitted"), "gone too early")
    t.api.delete("Job", t.ns, "a")
    gone(t, "ClusterQueue", t.own("q"), False)
    gone(t, "ResourceFlavor", t.own("f"), False)
    t.waits("b", "doesn't exist")


@test()
def finalizer_by_hand(t):
    """Who takes our finalizer off a waiting Workload takes nothing from anybody; a foreign one stays."""
    t.queue(cpu=1)
    t.job("holder", run=LONG)
    t.runs("holder")
    t.job("a")
    name = t.waits("a")["metadata"]["name"]
    t.api.patch("Workload", t.ns, name, {"metadata": {"finalizers": ["sluice.dev/mine", FINALIZER]}})
    t.api.delete("Job", t.ns, "a")
    t.until("ours to be gone", lambda: t.api.get("Workload", t.ns, name)["metadata"].get("finalizers") == ["sluice.dev/mine"])
    t.api.patch("Workload", t.ns, name, {"metadata": {"finalizers": None}})
    gone(t, "Workload", name)


@test()
def foreign_workload(t):
    """A Workload that nobody owns takes part: it gets quota, keeps it until it is finished, and goes when it is deleted."""
    t.queue(cpu=1)
    pod_set = {"name": "main", "count": 1, "template": t.template(1)}
    t.api.create("Workload", t.ns, "w", {"queueName": "q", "podSets": [pod_set]})
    t.until("quota", lambda: is_true(t.api.get("Workload", t.ns, "w"), "Admitted"))
    t.job("a")
    t.waits("a", "insufficient")
    t.api.delete("Workload", t.ns, "w")
    gone(t, "Workload", "w")
    t.finished("a")


@test()
def malformed(t):
    """What cannot be read is passed over; others go on."""
    t.queue(cpu=9)
    bad = t.template(1)
    bad["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1e999"}}
    tries = [
        ("Workload", {"queueName": "q", "podSets": [{"name": "main", "count": 1, "template": bad}]}),
        ("Workload", {"queueName": "no such queue!", "podSets": [{"name": "main", "count": 1, "template": t.template(1)}]}),
        ("Workload", {"queueName": "q", "podSets": [{"name": "main", "count": 0, "template": t.template(1)}]}),
        ("Workload", {"queueName": "q", "priority": 7, "podSets": [{"name": "main", "count": 2147483647, "template": t.template("1000000000")}]}),
        ("Workload", {"queueName": "q", "podSets": [{"name": "main", "count": 1, "template": t.template(1, nodeSelector={"a/b/c": "?"})}]}),
        ("LocalQueue", {"clusterQueue": "does-not-exist"}),
    ]
    made = 0
    for i, (kind, spec) in enumerate(tries):
        try:
            t.api.create(kind, t.ns, f"bad{i}", spec)
            made += 1
        except Refused as e:
            check(e.code in (400, 422, 403), e)
    check(made >= 3, "the API server refused nearly all of it:", made)
    # Statuses by hand: an admission that names what is not there, conditions of unknown kinds.
    t.job("holder", run=LONG)
    t.runs("holder")
    pod_set = {"name": "main", "count": 1, "template": t.template(1)}
    t.api.create("Workload", t.ns, "liar", {"queueName": "elsewhere", "podSets": [pod_set]})
    stamp = {"lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "ByHand", "message": ""}
    try:
        t.api.patch("Workload", t.ns, "liar", {"status": {
            "admission": {"clusterQueue": "nowhere", "podSetAssignments": [{"name": "main", "flavors": {"cpu": "nothing"}, "resourceUsage": {"cpu": "1"},
                                                                            "count": 1}]},
            "conditions": [{"type": "QuotaReserved", "status": "True", **stamp}, {"type": "Strange", "status": "Unknown", **stamp}]}}, "status")
    except Refused as e:
        check(e.code in (400, 422, 403), e)
    t.fence()
    t.job("good")
    t.finished("good")
    check(is_true(t.wl("holder"), "Admitted"), "the one before it was touched")


@test()
def job_by_hand(t):
    """Labels and annotations that mean nothing stop nobody else's Job."""
    t.queue(cpu=2)
    for i, (labels, annotations) in enumerate(((None, {"kueue.x-k8s.io/job-min-parallelism": "1"}), ({"kueue.x-k8s.io/priority-class": "nope"}, None))):
        try:
            t.job(f"odd{i}", labels=labels, annotations=annotations)
        except Refused as e:
            check(e.code in (400, 422, 403), e)
    t.event("Job", "odd1", "WorkloadPriorityClassNotFound")
    t.job("good")
    t.finished("good")
    t.api.create("WorkloadPriorityClass", None, "nope", value=3)
    t.finished("odd1")
    same("priority", t.wl("odd1")["spec"]["priority"], 3)


@test()
def label_comes_later(t):
    """A running Job of nobody's that gets a queue name is stopped, and waits for its quota; while it is in the queue its pods are new."""
    t.queue(cpu=1)
    t.job("a", queue=None, run=LONG)
    t.until("it to run", lambda: t.get_job("a").get("status", {}).get("ready"))
    try:
        t.api.patch("Job", t.ns, "a", {"metadata": {"labels": {QUEUE: "q"}}})
    except Refused as e:
        check(e.code in (403, 422), e)  # a policy may forbid it
        return
    t.admitted("a")
    t.runs("a")
