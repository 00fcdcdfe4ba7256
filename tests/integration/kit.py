"""What tests are made of: a namespace each, queues and jobs in few words, and waiting for what must come."""
import json
import threading
import time

from client import Refused, version_of  # noqa: F401
from process import Failed

DEADLINE_S = 60  # machines that build at the same time are slow; nothing here takes more than a few seconds on an idle one
QUEUE = "kueue.x-k8s.io/queue-name"
CLASS = "kueue.x-k8s.io/priority-class"
FINALIZER = "kueue.x-k8s.io/resource-in-use"
LONG = "1h"

TESTS = []  # (group, function), in the order of the files


def test(group="plain"):
    """Registers a test. Those of one group share a controller and run at the same time."""
    def register(f):
        TESTS.append((group, f))
        return f
    return register


def cond(o, kind):
    """The condition of that type; an empty one when there is none."""
    for c in (o or {}).get("status", {}).get("conditions", []):
        if c["type"] == kind:
            return c
    return {}


def is_true(o, kind, reason=None):
    c = cond(o, kind)
    return c.get("status") == "True" and (reason is None or c.get("reason") == reason)


def is_false(o, kind, reason=None):
    c = cond(o, kind)
    return c.get("status") == "False" and (reason is None or c.get("reason") == reason)


def parse_cpu(quantity):
    """Thousandths."""
    text = str(quantity)
    scale = {"n": 1e-6, "u": 1e-3, "m": 1, "k": 1e6}
    return round(float(text[:-1]) * scale[text[-1]]) if text[-1] in scale else round(float(text) * 1000)


def until(what, condition, seconds=DEADLINE_S, alive=None, every=0.05):
    """What the condition returned when it was true. It is asked until then, and is never believed to be true because time passed."""
    end, last = time.monotonic() + seconds, None
    while True:
        last = condition()
        if last:
            return last
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain for {what}")
        if alive:
            alive()
        time.sleep(every)


def check(good, *what):
    if not good:
        raise Failed(" ".join(str(w) for w in what))


def same(what, got, want):
    check(got == want, f"{what}: {json.dumps(got, default=str)} instead of {json.dumps(want, default=str)}")


class Test:
    """One test's namespace, and its own names for what lies in no namespace."""

    def __init__(self, env, name, number):
        self.env, self.api = env, env.api
        self.name = name
        self.ns = f"t{number}-" + name.replace("_", "-")[:40]
        self.flavors = set()
        self.lock = threading.Lock()
        self.api.create("Namespace", None, self.ns)

    # ---- names that lie in no namespace

    def own(self, name):
        return f"{self.ns}-{name}"

    # ---- waiting

    def alive(self):
        """There is no point in waiting for a controller that ended."""
        self.env.alive()

    def until(self, what, condition, seconds=DEADLINE_S):
        try:
            return until(what, condition, seconds, self.alive)
        except Failed as e:
            raise Failed(f"{e}\n{self.picture()}") from None

    def picture(self):
        """The namespace as it is, for whoever reads about a failure."""
        lines = []
        for kind in ("Job", "JobSet", "Workload"):
            try:
                objects = self.api.list(kind, self.ns)
            except Refused:
                continue
            over = ("Complete", "Finished")
            for o in [x for x in objects if not any(is_true(x, c) for c in over)][:8] + [x for x in objects if any(is_true(x, c) for c in over)][:3]:
                status = o.get("status", {})
                marks = {k: status[k] for k in ("active", "ready", "requeueState", "admissionChecks") if k in status}
                lines.append(f"  {kind} {o['metadata']['name']} suspend={o['spec'].get('suspend')} active={o['spec'].get('active')} "
                             f"{'deleting ' if o['metadata'].get('deletionTimestamp') else ''}{marks}")
                for c in status.get("conditions", []):
                    lines.append(f"    {c['type']}={c['status']} {c.get('reason')} {c.get('message', '')[:150]}")
        for e in self.api.list("Event", self.ns)[-25:]:
            if e["regarding"]["kind"] != "Pod":
                lines.append(f"  event {e['regarding']['kind']}/{e['regarding']['name'][:40]} {e['reason']}: {e.get('note', '')[:120]}")
        return "\n".join(lines)

    # ---- queues

    def flavor(self, name="f", **spec):
        full = self.own(name)
        with self.lock:
            if full in self.flavors:
                return full
            self.flavors.add(full)
        self.api.create("ResourceFlavor", None, full, spec)
        return full

    def cluster_queue(self, name="q", cpu=4, cohort=None, flavors=None, resources=None, **spec):
        """`flavors`: {name: {"cpu": quota or (quota, borrowing limit, lending limit)}}; without it one flavor with `cpu` (and `resources`)."""
        groups = flavors or {"f": {"cpu": cpu, **(resources or {})}}
        listed = []
        for f, quotas in groups.items():
            one = []
            for r, q in quotas.items():
                q = q if isinstance(q, tuple) else (q,)
                one.append({"name": r, **{k: str(v) for k, v in zip(("nominalQuota", "borrowingLimit", "lendingLimit"), q) if v is not None}})
            listed.append({"name": self.flavor(f), "resources": one})
        covered = list(next(iter(groups.values())))
        spec.setdefault("namespaceSelector", {"matchLabels": {"kubernetes.io/metadata.name": self.ns}})
        if cohort:
            spec["cohortName"] = self.own(cohort)
        self.api.create("ClusterQueue", None, self.own(name), {"resourceGroups": [{"coveredResources": covered, "flavors": listed}], **spec})
        return self.own(name)

    def local_queue(self, name="q", cluster_queue=None, **spec):
        self.api.create("LocalQueue", self.ns, name, {"clusterQueue": cluster_queue or self.own(name), **spec})

    def queue(self, name="q", cpu=4, **more):
        """A ClusterQueue and a LocalQueue of its name, both active."""
        self.cluster_queue(name, cpu, **more)
        self.local_queue(name)
        self.until(f"LocalQueue {name} to be active", lambda: is_true(self.api.get("LocalQueue", self.ns, name), "Active"))
        return name

    def set_quota(self, name, cpu, resource="cpu", flavor=0):
        cq = self.cq(name)
        for r in cq["spec"]["resourceGroups"][0]["flavors"][flavor]["resources"]:
            if r["name"] == resource:
                r["nominalQuota"] = str(cpu)
        self.api.patch("ClusterQueue", None, self.own(name), {"spec": {"resourceGroups": cq["spec"]["resourceGroups"]}})

    def priority_class(self, name, value):
        self.api.create("WorkloadPriorityClass", None, self.own(name), value=value)
        return self.own(name)

    def cq(self, name="q"):
        return self.api.get("ClusterQueue", None, self.own(name))

    def lq(self, name="q"):
        return self.api.get("LocalQueue", self.ns, name)

    # ---- jobs

    def template(self, cpu=1, run="100ms", annotations=None, requests=None, **spec):
        """A pod that runs so long. cpu=None: it asks for nothing."""
        asks = dict(requests or {})
        if cpu is not None:
            asks["cpu"] = str(cpu)
        container = {"name": "c", "image": "i"}
        if asks:
            container["resources"] = {"requests": asks}
            if any("/" in r for r in asks):  # extended resources need limits
                container["resources"]["limits"] = {r: q for r, q in asks.items() if "/" in r}
        return {"metadata": {"annotations": {"sluice.dev/run-for": run, **(annotations or {})}},
                "spec": {"restartPolicy": "Never", "containers": [container], **spec}}

    def job(self, name, queue="q", cpu=1, run="100ms", pods=1, *, labels=None, annotations=None, pod=None, template=None, priority=None, **spec):
        """Creates a Job; returns its name. `pod`: annotations of its pods."""
        marks = dict(labels or {})
        if queue:
            marks[QUEUE] = queue
        if priority:
            marks[CLASS] = priority
        self.api.create("Job", self.ns, name,
                        {"parallelism": pods, "completions": pods, "backoffLimit": 0,
                         "template": template or self.template(cpu, run, pod), **spec}, labels=marks, annotations=annotations)
        return name

    def get_job(self, name):
        return self.api.get("Job", self.ns, name)

    def workloads(self, job=None, kind="Job"):
        every = self.api.list("Workload", self.ns)
        if job is None:
            return every
        return [w for w in every if any(r["kind"] == kind and r["name"] == job for r in w["metadata"].get("ownerReferences", []))]

    def wl(self, job, kind="Job"):
        """The job's Workload; the newest when there are two; None."""
        mine = self.workloads(job, kind)
        return max(mine, key=lambda w: w["metadata"]["creationTimestamp"]) if mine else None

    def set_wl(self, job, patch, sub=None):
        w = self.until(f"a Workload of {job}", lambda: self.wl(job))
        return self.api.patch("Workload", self.ns, w["metadata"]["name"], patch, sub)

    # ---- states

    def admitted(self, *jobs):
        for job in jobs:
            w = self.until(f"{job} to be admitted", lambda j=job: (lambda w: w if w and is_true(w, "Admitted") else None)(self.wl(j)))
        return w

    def waits(self, job, words="", reason=None):
        """It has no quota, and the controller said why."""
        def refused():
            w = self.wl(job)
            return w if w and is_false(w, "QuotaReserved", reason) and words in cond(w, "QuotaReserved")["message"] else None
        return self.until(f"{job} to wait because of {words or reason!r}", refused)

    def runs(self, *jobs):
        """Unsuspended, and a pod of it is ready."""
        for job in jobs:
            j = self.until(f"{job} to run", lambda n=job: (lambda j: j if j and not j["spec"].get("suspend") and
                                                           j.get("status", {}).get("ready") else None)(self.get_job(n)))
        return j

    def stopped(self, *jobs):
        """Suspended, whole (its stop is not half done), without pods."""
        for job in jobs:
            j = self.until(f"{job} to be stopped", lambda n=job: (lambda j: j if j and j["spec"].get("suspend") and
                                                                  not j.get("status", {}).get("active") and
                                                                  "kueue.x-k8s.io/stopping" not in j["metadata"].get("annotations", {})
                                                                  else None)(self.get_job(n)))
        return j

    def evicted(self, job, reason):
        return self.until(f"{job} to be evicted ({reason})",
                          lambda: (lambda w: w if w and cond(w, "Evicted").get("reason") == reason and is_true(w, "Evicted") else None)(self.wl(job)))

    def released(self, job, reason=None):
        """Evicted, and its quota given back."""
        return self.until(f"{job} to give its quota back",
                          lambda: (lambda w: w if w and is_true(w, "Evicted", reason) and not is_true(w, "QuotaReserved") and
                                   "admission" not in w["status"] else None)(self.wl(job)))

    def finished(self, *jobs):
        """The Job is complete, its Workload Finished and free of our finalizer."""
        for job in jobs:
            w = self.until(f"{job} to finish", lambda n=job: (lambda w: w if w and is_true(w, "Finished") and
                                                              FINALIZER not in w["metadata"].get("finalizers", []) else None)(self.wl(n)))
        return w

    def usage(self):
        """Milli CPU that Workloads of this namespace hold, by ClusterQueue. Whose pods are all gone, because its Job is over or stopped, holds
        nothing any more, whatever its status says yet: the write that says so is under way."""
        used, admitted = {}, [w for w in self.workloads() if w.get("status", {}).get("admission") and not is_true(w, "Finished")]
        jobs = {j["metadata"]["name"]: j for j in self.api.list("Job", self.ns)}
        for w in admitted:
            owner = next((r["name"] for r in w["metadata"].get("ownerReferences", []) if r["kind"] == "Job"), None)
            job = jobs.get(owner)
            if owner and (not job or is_true(job, "Complete") or is_true(job, "Failed") or (
                    is_true(w, "Evicted") and job["spec"].get("suspend") and not job.get("status", {}).get("active"))):
                continue
            for p in w["status"]["admission"]["podSetAssignments"]:
                cq = w["status"]["admission"]["clusterQueue"]
                used[cq] = used.get(cq, 0) + parse_cpu(p.get("resourceUsage", {}).get("cpu", 0))
        return used

    def event(self, kind, name, reason, words=""):
        """The event, once it is there."""
        def found():
            for e in self.api.list("Event", self.ns):
                if e["regarding"]["kind"] == kind and e["regarding"]["name"] == name and e["reason"] == reason and words in e.get("note", ""):
                    return e
            return None
        return self.until(f"event {reason} {words!r} of {kind} {name}", found)

    def fence(self):
        """The controller saw all that was there when this began: a queue and a job made now went all the way. What it did not do by then it
        will not do."""
        with self.lock:
            self.fences = getattr(self, "fences", 0) + 1
            n = self.fences
        name = f"fence{n}"
        self.queue(name, 1)
        self.job(name, name)
        self.finished(name)
