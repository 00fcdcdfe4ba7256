"""Faults, each followed by: nothing admitted twice, no Workload lost or stuck, every Job complete.

Each test has Jobs coming and going while something breaks. The controller is started again whenever it ends, as a kubelet would.
"""
import contextlib
import os
import random
import signal
import threading
import time

from client import MERGE, Refused
from configurations import HEAD, QUICK_LEASE
from kit import check, cond, is_true, same, test
from relay import Relay

QUICK = HEAD + QUICK_LEASE
LEASE = "c1f6bfd2.kueue.x-k8s.io"
END_S = 300


class Load:
    """Jobs of two sizes in two queues of a cohort, without preemption: each may be started once and no more."""
    once, preemption = True, {}

    def __init__(self, t, quota=3):
        self.t, self.quota, self.names = t, quota, []
        self.worst, self.classes = 0, [t.priority_class(c, v) for c, v in (("low", 1), ("high", 9))]
        for q in ("a", "b"):
            t.cluster_queue(q, quota, cohort="all", **self.preemption)
            t.local_queue(q)

    def add(self, n, run="400ms"):
        for _ in range(n):
            i = len(self.names)
            self.names.append(self.t.job(f"j{i}", "ab"[i % 2], cpu=(1, 2, 1)[i % 3], run=run, priority=self.priority(i)))

    def priority(self, i):
        return None

    def check_quota(self):
        used = sum(self.t.usage().values())
        self.worst = max(self.worst, used)
        check(used <= 2000 * self.quota, f"admitted beyond the quota: {used} of {2000 * self.quota}")

    def usage_or_end(self):
        return self.t.usage() or any(is_true(w, "Finished") for w in self.t.workloads())

    def done(self):
        self.check_quota()
        w = self.t.workloads()
        return len(w) == len(self.names) and all(is_true(x, "Finished") for x in w)

    def finish(self):
        t = self.t
        t.until(f"all of {len(self.names)} to finish", self.done, END_S)
        t.finished(*self.names)
        for name in self.names:
            same(f"Workloads of {name}", len(t.workloads(name)), 1)
            same(f"how {name} ended", cond(t.wl(name), "Finished")["reason"], "Succeeded")
            check(is_true(t.get_job(name), "Complete"), f"{name} is not complete")
        pods = {}
        for p in t.api.list("Pod", t.ns):
            job = p["metadata"]["labels"]["batch.kubernetes.io/job-name"]
            pods[job] = pods.get(job, 0) + 1
        if self.once:
            same("Jobs that were started more than once", {j: n for j, n in pods.items() if n > 1}, {})
        check(self.worst >= 2000, "the quota was never used: this load proves nothing:", self.worst)
        for q in ("a", "b"):
            t.until(f"{q} to be empty in its status", lambda n=q: all(not t.cq(n)["status"].get(k) for k in (
                "pendingWorkloads", "reservingWorkloads", "admittedWorkloads")))


class Churn(Load):
    """The same with reclaim and priorities: Jobs are evicted and begin anew."""
    once, preemption = False, {"preemption": {"reclaimWithinCohort": "Any", "withinClusterQueue": "LowerPriority"}}

    def priority(self, i):
        return self.classes[i // 4 % 2]


@contextlib.contextmanager
def all_the_time(function):
    """While the block runs: the function, again and again, in a thread."""
    stop, trouble = threading.Event(), []

    def loop():
        while not stop.is_set():
            try:
                function()
            except Refused:
                pass
            except Exception as e:
                trouble.append(e)
                return
    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
    if trouble:
        raise trouble[0]


def kill_often(t, name, load, rounds):
    s = t.env.supervised(name, QUICK)
    dice = random.Random(t.env.options.seed)
    for _ in range(rounds):
        load.add(6)
        moment = dice.choice(("starting", "leading", "busy", "busy"))
        if moment != "starting":
            t.until("it to lead", s.leads)
        begin = len(load.names) - 1
        if moment == "busy":  # while this round's Jobs are somewhere between creation and end
            t.until("the Jobs of this round to move", lambda: t.wl(load.names[begin]) is not None)
        time.sleep(dice.random() * 1.5)  # which moment it is does not matter
        load.check_quota()
        s.kill()
    load.finish()
    s.stop()


@test("faults")
def killed(t):
    """kill -9 at random moments, N times."""
    kill_often(t, "killed", Load(t), t.env.options.faults)


@test("faults")
def killed_while_preempting(t):
    """The same while Jobs evict each other."""
    kill_often(t, "killed_while_preempting", Churn(t), t.env.options.faults)


@test("faults")
def leaders_killed(t):
    """Two controllers; the one that leads is killed, the other takes over."""
    pair = [t.env.supervisor(f"leaders_killed_{i}", QUICK) for i in range(2)]
    load = Load(t)
    for _ in range(t.env.options.faults):
        load.add(6)
        leader = t.until("one to lead", lambda: next((s for s in pair if s.leads()), None))
        t.until("something to be admitted", load.usage_or_end)
        check(not all(s.leads() for s in pair), "both lead")
        leader.kill()
    load.finish()
    for s in pair:
        s.stop()


@test("faults")
def api_server_restarted(t):
    """The API server is killed, and away for a while; its watch cache begins anew, so that every watch gets 410."""
    s = t.env.supervised("api_server_restarted", QUICK)
    load = Load(t)
    load.add(12)
    t.until("it to lead", s.leads)
    for away in (0, 3):
        t.env.cluster.stop("apiserver")
        time.sleep(away)  # the fault
        t.env.cluster.start("apiserver")
        load.add(8)
    load.finish()
    s.stop()


@test("faults")
def etcd_restarted(t):
    """etcd is killed under the API server."""
    s = t.env.supervised("etcd_restarted", QUICK)
    load = Load(t)
    load.add(12)
    t.until("it to lead", s.leads)
    for away in (0, 2):
        t.env.cluster.stop("etcd")
        time.sleep(away)  # the fault
        t.env.cluster.start("etcd")
        load.add(6)
    load.finish()
    s.stop()


@test("faults")
def api_server_frozen(t):
    """The API server stands still with its connections open, longer than the Lease lasts."""
    s = t.env.supervised("api_server_frozen", QUICK)
    load = Load(t)
    load.add(12)
    t.until("it to lead", s.leads)
    pid = t.env.pid_of("apiserver")
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(8)  # the fault
    finally:
        os.kill(pid, signal.SIGCONT)
    load.add(6)
    load.finish()
    s.stop()


def through_a_relay(t, name):
    host, port = t.env.cluster.state["server"].removeprefix("https://").split(":")
    relay = Relay((host, int(port)))
    return relay, t.env.supervised(name, HEAD, f"https://127.0.0.1:{relay.address[1]}")


@test("faults")
def connections_cut(t):
    """All connections are reset, again and again; and for a while there are no new ones."""
    relay, s = through_a_relay(t, "connections_cut")
    load = Load(t)
    load.add(8)
    t.until("it to lead", s.leads)
    for i in range(6):
        load.add(4)
        relay.cut()
        if i == 3:
            relay.refuse = True
            time.sleep(2)  # the fault
            relay.refuse = False
    load.finish()
    same("starts of the controller", s.starts, 1)
    s.stop()


@test("faults")
def connections_half_dead(t):
    """Connections fall silent and nobody is told; new ones work. It notices, and goes on without another start."""
    relay, s = through_a_relay(t, "connections_half_dead")
    load = Load(t)
    load.add(8)
    t.until("it to lead", s.leads)
    relay.silence()
    load.add(8)
    load.finish()
    s.stop()


@test("faults")
def too_many_requests(t):
    """An API server that takes one write at a time, and says 429 to the others."""
    flags = ["--max-requests-inflight=3", "--max-mutating-requests-inflight=1", "--enable-priority-and-fairness=false"]
    t.env.restart_api_server(lambda argv: argv + flags)
    noise, told = t.env.api_of_service_account(), [0, 0]

    def shout():
        told[noise.once("PATCH", f"/apis/batch/v1/namespaces/{t.ns}/jobs/j0?dryRun=All", "{}", MERGE)[0] == 429] += 1
        time.sleep(0.005)  # the pace of the storm
    try:
        s = t.env.supervised("too_many_requests", HEAD)
        load = Load(t)
        load.add(4)
        with all_the_time(shout), all_the_time(shout), all_the_time(shout):
            t.until("it to lead", s.leads, 120)
            load.add(4)
            t.until("some to finish", lambda: load.check_quota() or sum(is_true(w, "Finished") for w in t.workloads()) >= 2, END_S)
    finally:
        t.env.restart_api_server(lambda argv: [a for a in argv if a not in flags])
    check(told[1] > 100, "there was no storm:", told)
    load.finish()
    s.stop()


@test("faults")
def conflicts(t):
    """Somebody else writes to every Workload and Job all the time: 409."""
    s = t.env.supervised("conflicts", HEAD)
    load = Load(t)
    load.add(4)
    t.until("it to lead", s.leads)
    count = [0]

    def meddle():
        for kind in ("Workload", "Job"):
            for o in t.api.list(kind, t.ns):
                if not (is_true(o, "Finished") or is_true(o, "Complete")):
                    count[0] += 1
                    t.api.patch(kind, t.ns, o["metadata"]["name"], {"metadata": {"annotations": {"sluice.dev/meddled": str(count[0])}}})
    with all_the_time(meddle), all_the_time(meddle):
        load.add(16)
        load.finish()
    check(count[0] > 50, "there was nothing to fight about:", count[0])
    s.stop()


@test("faults")
def lease_stolen(t):
    """Another takes the Lease, and does nothing with it: the controller ends, comes back when the Lease has run out, and goes on."""
    s = t.env.supervised("lease_stolen", QUICK)
    load = Load(t)
    load.add(8)
    t.until("it to lead", s.leads)
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    starts = s.starts
    t.api.patch("Lease", "kueue-system", LEASE, {"spec": {"holderIdentity": "thief", "acquireTime": now, "renewTime": now}})
    t.until("it to end", lambda: s.starts > starts)
    load.add(8)
    t.until("it to lead again", s.leads)
    load.finish()
    s.stop()


@test("faults")
def lease_deleted(t):
    """The Lease is deleted, twice."""
    s = t.env.supervised("lease_deleted", QUICK)
    load = Load(t)
    load.add(8)
    for _ in range(2):
        t.until("it to lead", s.leads)
        t.api.delete("Lease", "kueue-system", LEASE)
        load.add(8)
        t.until("the Lease to be there again", lambda: t.api.get("Lease", "kueue-system", LEASE))
    load.finish()
    s.stop()


@test("faults")
def stopped_often(t):
    """SIGTERM while it is busy: 0 each time, and the next goes on."""
    load = Load(t)
    for i in range(4):
        load.add(6)
        c = t.env.new_controller(f"stopped_often_{i}", QUICK).start()
        t.until("something to be admitted", load.usage_or_end)
        load.check_quota()
        c.stop()
    s = t.env.supervised("stopped_often", QUICK)
    load.finish()
    s.stop()


@test("faults")
def workloads_deleted(t):
    """Somebody deletes Workloads of running Jobs: the Jobs are stopped, and begin anew."""
    s = t.env.supervised("workloads_deleted", HEAD)
    load = Load(t)
    load.add(16, "1s")
    deleted = 0
    while deleted < 6:
        running = [w for w in t.workloads() if is_true(w, "Admitted") and not is_true(w, "Finished") and "deletionTimestamp" not in w["metadata"]]
        if not running:
            if load.done():
                break
            time.sleep(0.05)
            continue
        t.api.delete("Workload", t.ns, running[0]["metadata"]["name"])
        deleted += 1
    check(deleted, "there was nothing to delete")
    t.until("all Jobs to complete", lambda: load.check_quota() or all(is_true(t.get_job(n), "Complete") for n in load.names), END_S)
    t.until("all Workloads to be finished", lambda: all(is_true(w, "Finished") for w in t.workloads()))
    s.stop()

