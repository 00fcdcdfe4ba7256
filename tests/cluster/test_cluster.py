#!/usr/bin/env -S python3 -B
"""The test cluster itself: two at once do not meet, pods live as they are annotated, what is killed comes back, down ends its own only.

The last line is "N passed, N failed, N skipped"; exit status 77 when the control plane cannot be built here.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import ssl
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
import cluster as module  # noqa: E402
from cluster import Cluster, is_alive, state_and_start  # noqa: E402

DEADLINE_S = 120
JOBS = "/apis/batch/v1/namespaces/default/jobs"
PODS = "/api/v1/namespaces/default/pods"


def run(name, *arguments, **more):
    return subprocess.run([sys.executable, "-B", HERE / name, *map(str, arguments)], text=True, capture_output=True, check=False, **more)


def begin_up(*arguments):
    return subprocess.Popen([sys.executable, "-B", HERE / "up", *map(str, arguments)], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def end_up(started):
    out, err = started.communicate()
    if started.returncode == 77:
        raise unittest.SkipTest(err[err.index("left out: "):].strip())
    if started.returncode:
        raise AssertionError(f"up: {started.returncode}\n{err}")
    return Cluster.at(out.splitlines()[-1])


def until(condition, what):
    end = time.monotonic() + DEADLINE_S
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"never: {what}")
        time.sleep(0.05)


def processes_in(directory):
    """Numbers of the processes whose working directory is or was this one."""
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/cwd"):
        try:
            where = os.readlink(link)
        except OSError:
            continue
        if where.removesuffix(" (deleted)") == str(directory):
            found.append(int(link.parent.name))
    return found


def job(name, annotations, **spec):
    requests = {"cpu": "1", "nvidia.com/gpu": "1"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
            "spec": {"backoffLimit": 0, **spec, "template": {
                "metadata": {"annotations": {f"sluice.dev/{k}": v for k, v in annotations.items()}},
                "spec": {"restartPolicy": "Never", "containers": [
                    {"name": "main", "image": "none", "resources": {"requests": requests, "limits": {"nvidia.com/gpu": "1"}}}]}}}}


class Fixture(unittest.TestCase):
    """Two clusters that were started at the same moment: a full one and one without controllers."""

    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        users = cls.work / "users.csv"
        users.write_text('secret,ann,1001,"team-a"\n')
        one = begin_up("--nodes", 3, "--gpus", 8, "--label", "pool=gpu", "--nodes", 1, "--cpu", 4, "--token", users, "--profiling")
        two = begin_up("--mini", "--dir", cls.work / "two")
        for name, started in (("full", one), ("mini", two)):
            made = end_up(started)
            setattr(cls, name, made)
            cls.addClassCleanup(lambda c=made: c.down() if c.dir.exists() else None)

    def send(self, method, path, body=None, want=(200, 201), **more):
        status, answer = self.full.request(method, path, body, **more)
        self.assertIn(status, want, answer)
        return answer

    def submit(self, name, annotations, **spec):
        self.send("POST", JOBS, job(name, annotations, **spec))
        self.addCleanup(self.send, "DELETE", f"{JOBS}/{name}?propagationPolicy=Background")

    def status(self, name):
        return self.send("GET", f"{JOBS}/{name}").get("status", {})

    def until_condition(self, name, kind):
        return until(lambda: any(c["type"] == kind and c["status"] == "True" for c in self.status(name).get("conditions", [])),
                     f"Job {name} is {kind}: {self.status(name)}")

    def pods(self, name):
        selector = urllib.parse.quote(f"job-name={name}")
        return self.send("GET", f"{PODS}?labelSelector={selector}")["items"]


class Pods(Fixture):
    def test_nodes(self):
        nodes = {n["metadata"]["name"]: n for n in self.send("GET", "/api/v1/nodes")["items"]}
        self.assertEqual(sorted(nodes), ["node-0", "node-1", "node-2", "node-3"])
        self.assertEqual(nodes["node-0"]["status"]["allocatable"], {"cpu": "96", "memory": "1Ti", "pods": "256", "nvidia.com/gpu": "8"})
        self.assertEqual(nodes["node-2"]["metadata"]["labels"]["pool"], "gpu")
        self.assertEqual(nodes["node-3"]["status"]["allocatable"], {"cpu": "4", "memory": "1Ti", "pods": "256"})
        self.assertNotIn("pool", nodes["node-3"]["metadata"]["labels"])

    def test_a_pod_runs_as_long_as_it_is_told(self):
        self.submit("long", {"run-for": "1h"})
        self.submit("short", {"run-for": "2s"}, completions=2, parallelism=2)
        self.until_condition("short", "Complete")
        for pod in self.pods("short"):
            self.assertEqual(pod["status"]["phase"], "Succeeded")
            ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
            self.assertNotEqual(ended["startedAt"], ended["finishedAt"])
        until(lambda: self.status("long").get("ready") == 1, "the long one is ready")
        self.assertEqual([p["status"]["phase"] for p in self.pods("long")], ["Running"])

    def test_a_pod_fails_with_its_exit_code(self):
        self.submit("fails", {"exit-code": "3"})
        self.until_condition("fails", "Failed")
        pod = self.pods("fails")[0]
        self.assertEqual(pod["status"]["phase"], "Failed")
        self.assertEqual(pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 3)

    def test_readiness(self):
        self.submit("never-ready", {"ready-after": "never", "run-for": "1ms"})
        self.submit("never-starts", {"start": "never"})
        self.submit("ready-later", {"ready-after": "1s", "run-for": "1h"})
        until(lambda: self.status("ready-later").get("ready") == 1, "the late one is ready")
        until(lambda: [p["status"]["phase"] for p in self.pods("never-ready")] == ["Running"], "it runs")
        until(lambda: all(p["spec"].get("nodeName") for p in self.pods("never-starts")), "it is bound")
        self.assertEqual([p["status"]["phase"] for p in self.pods("never-starts")], ["Pending"])
        for name in ("never-ready", "never-starts"):
            self.assertEqual((self.status(name).get("active"), self.status(name).get("ready")), (1, 0), name)

    def test_suspending_ends_the_pods(self):
        self.submit("stops", {"run-for": "1h"})
        self.submit("lingers", {"run-for": "1h", "terminate-for": "1h"})
        for name in ("stops", "lingers"):
            until(lambda n=name: self.status(n).get("ready") == 1, f"{name} is ready")
            self.send("PATCH", f"{JOBS}/{name}", {"spec": {"suspend": True}}, content_type="application/merge-patch+json")
            self.until_condition(name, "Suspended")
        until(lambda: not self.pods("stops"), "its pod is gone")
        self.assertTrue(self.pods("lingers")[0]["metadata"].get("deletionTimestamp"))
        pod = self.pods("lingers")[0]["metadata"]["name"]
        self.send("DELETE", f"{PODS}/{pod}?gracePeriodSeconds=0")

    def test_jobset_is_a_kind(self):
        kubectl = [self.full.dir / "bin" / "kubectl", "--kubeconfig", self.full.dir / "kubeconfig"]
        subprocess.run([*kubectl, "apply", "-f", HERE / "jobset-crd.yaml"], check=True, stdout=subprocess.DEVNULL)
        path = "/apis/jobset.x-k8s.io/v1alpha2/namespaces/default/jobsets"
        until(lambda: self.full.request("GET", path)[0] == 200, "JobSets are served")
        body = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "js"},
                "spec": {"suspend": True, "replicatedJobs": [{"name": "w", "template": {"spec": job("x", {})["spec"]}}]}}
        made = self.send("POST", f"{path}?fieldValidation=Strict", body)
        part = made["spec"]["replicatedJobs"][0]
        self.assertEqual((part["replicas"], part["template"]["spec"]["template"]["spec"]["restartPolicy"]), (1, "Never"))
        self.send("PATCH", f"{path}/js/status", {"status": {"restarts": 2}}, content_type="application/merge-patch+json")
        self.assertEqual(self.send("GET", f"{path}/js")["status"], {"restarts": 2})
        self.send("DELETE", f"{path}/js")


class Clusters(Fixture):
    def as_token(self, path, token):
        connection = http.client.HTTPSConnection(self.full.state["server"].partition("://")[2], timeout=20,
                                                 context=ssl.create_default_context(cafile=self.full.dir / "pki" / "ca.crt"))
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_two_at_once_do_not_meet(self):
        self.assertFalse(set(self.full.state["ports"].values()) & set(self.mini.state["ports"].values()))
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "only-here"}}
        self.assertEqual(self.full.request("POST", "/api/v1/namespaces", body)[0], 201)
        self.assertEqual(self.mini.request("GET", "/api/v1/namespaces/only-here")[0], 404)
        self.assertEqual(self.mini.request("GET", "/api/v1/nodes")[1]["items"], [])
        self.assertEqual(sorted(self.mini.state["programs"]), ["apiserver", "etcd"])

    def test_users_and_profiling(self):
        status, text = self.as_token(JOBS, "secret")
        self.assertEqual(status, 403)
        self.assertIn('User \\"ann\\"', text)
        self.assertEqual(self.as_token(JOBS, "wrong")[0], 401)
        self.assertEqual(self.full.request("GET", "/debug/pprof/")[0], 200)
        self.assertEqual(self.mini.request("GET", "/debug/pprof/")[0], 404)
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "someone"}}
        self.send("POST", "/api/v1/namespaces/default/serviceaccounts", account)
        config = json.loads(self.full.kubeconfig_of_service_account("default", "someone", "someone.kubeconfig").read_text())
        self.assertIn("system:serviceaccount:default:someone", self.as_token(JOBS, config["users"][0]["user"]["token"])[1])

    def test_each_program_restarts_as_it_was(self):
        self.submit("kept", {"run-for": "1h"})
        before = {n: dict(p) for n, p in self.full.state["programs"].items()}
        for name in before:
            done = run("restart", "--down", 0.1, self.full.dir, name)
            self.assertEqual(done.returncode, 0, done.stderr)
        os.kill(Cluster.at(self.full.dir).state["programs"]["apiserver"]["pid"], signal.SIGKILL)  # as a test of faults may have done
        done = run("restart", self.full.dir, "apiserver")
        self.assertEqual(done.returncode, 0, done.stderr)
        now = Cluster.at(self.full.dir)
        for name, was in before.items():
            program = now.state["programs"][name]
            self.assertEqual(program["argv"], was["argv"])
            self.assertFalse(is_alive(was), name)
            self.assertTrue(is_alive(program), name)
            self.assertEqual((self.full.dir / f"{name}.pid").read_text(), f"{program['pid']}\n")
        until(lambda: self.full.request("GET", f"{JOBS}/kept")[1].get("status", {}).get("ready") == 1, "the Job of before runs")
        self.assertEqual(run("restart", self.full.dir, "nobody").returncode, 1)

    def test_a_place_that_is_taken_is_refused(self):
        done = run("up", "--mini", "--dir", self.mini.dir)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not empty", done.stderr)
        self.assertEqual(self.mini.request("GET", "/readyz")[0], 200)

    def test_what_does_not_start_leaves_nothing(self):
        place = self.work / "fails"
        done = run("up", "--mini", "--dir", place, "--apiserver-arg=--no-such-flag")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-flag", done.stderr)
        self.assertFalse(place.exists())
        self.assertFalse([m for m in module.RESERVED.glob("[0-9]*") if m.read_text() == str(place)])


class Ends(unittest.TestCase):
    """That nothing is left is looked up among all processes: each of a cluster has its directory as working directory."""

    def up(self, *arguments):
        made = end_up(begin_up("--mini", *arguments))
        self.addCleanup(lambda: made.down() if made.dir.exists() else None)
        return made

    def assert_gone(self, gone):
        until(lambda: not gone.dir.exists(), "its directory is gone")
        until(lambda: not processes_in(gone.dir), f"no process is left: {processes_in(gone.dir)}")
        self.assertFalse(pathlib.Path(gone.state["etcd_data"]).exists())
        until(lambda: not [m for m in module.RESERVED.glob("[0-9]*") if m.read_text() == str(gone.dir)], "its ports are free")

    def test_down_ends_its_own_only(self):
        one, two = self.up(), self.up()
        self.assertEqual(len(processes_in(one.dir)), 2)
        self.assertEqual(run("down", one.dir / "kubeconfig").returncode, 0)
        self.assert_gone(one)
        self.assertEqual(two.request("GET", "/readyz")[0], 200)
        # A process that has the number of one of ours, but began at another time, is somebody else's.
        other = subprocess.Popen(["sleep", "3600"])
        self.addCleanup(lambda: (other.kill(), other.wait()))
        two.state["programs"]["other"] = {"argv": [], "env": {}, "pid": other.pid, "since": state_and_start(other.pid)[1] - 1}
        two._save()
        self.assertEqual(run("down", env=dict(os.environ, KUBECONFIG=str(two.dir / "kubeconfig"))).returncode, 0)
        self.assert_gone(two)
        self.assertIsNone(other.poll())
        self.assertEqual(run("down", two.dir).returncode, 1)

    def test_down_ends_what_others_restarted(self):
        mine = self.up()
        for name in ("apiserver", "etcd"):
            self.assertEqual(run("restart", mine.dir, name).returncode, 0)
        mine.down()
        self.assert_gone(mine)

    def test_a_cluster_ends_with_its_holder(self):
        holder = subprocess.Popen(["sleep", "3600"])
        self.addCleanup(lambda: (holder.kill(), holder.wait()))
        one, two = self.up("--while", holder.pid), self.up("--while", holder.pid)
        self.assertEqual(run("down", one.dir).returncode, 0)
        self.assert_gone(one)
        self.assertEqual(two.request("GET", "/readyz")[0], 200)
        holder.kill()
        holder.wait()
        self.assert_gone(two)

    def test_up_that_is_ended_takes_all_with_it(self):
        place = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        started = begin_up("--mini", "--dir", place)
        until(lambda: (place / "log" / "apiserver.log").exists() or started.poll() is not None, "the API server begins")
        if started.poll() == 77:
            end_up(started)
        half = Cluster.at(place)
        started.send_signal(signal.SIGTERM)
        started.communicate()
        self.assertEqual(started.returncode, 128 + signal.SIGTERM)
        self.assert_gone(half)


FAKE_GO = """#!/bin/sh
echo "$1" >>"$CALLS"
case $1 in
version) echo "go version go$VERSION linux/amd64" ;;
build)
    while [ "$1" != -o ]; do shift; done
    sleep 1
    for name in server kube-apiserver kubectl; do echo x >"$2$name"; done
    exit "$RESULT" ;;
esac
"""


class Build(unittest.TestCase):
    """What surrounds the build, with a Go that only pretends."""

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="sluice-test-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.go = self.home / "go"
        self.go.write_text(FAKE_GO)
        self.go.chmod(self.go.stat().st_mode | stat.S_IXUSR)

    def begin(self, version="1.26.1", result=0, go=None):
        env = dict(os.environ, XDG_CACHE_HOME=str(self.home), SLUICE_GO=str(go or self.go), CALLS=str(self.home / "calls"), VERSION=version,
                   RESULT=str(result))
        return subprocess.Popen([sys.executable, "-B", HERE / "controlplane.py"], env=env, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def made(self):
        return [p.name for p in (self.home / "sluice").iterdir() if p.is_dir()]

    def test_two_at_once_build_once(self):
        results = [p.communicate() for p in [self.begin(), self.begin()]]
        places = {out.strip() for out, _ in results}
        self.assertEqual(len(places), 1, results)
        self.assertEqual(sorted(os.listdir(places.pop())), ["etcd", "kube-apiserver", "kubectl"])
        self.assertEqual((self.home / "calls").read_text().split().count("build"), 1)
        self.assertEqual(self.begin(go="/absent").wait(), 0)  # what is built needs no Go

    def test_a_failed_build_leaves_nothing(self):
        broken = self.begin(result=1)
        broken.communicate()
        self.assertEqual(broken.returncode, 1)
        self.assertEqual(self.made(), [])

    def test_an_old_go_or_none_is_left_out(self):
        for more in ({"version": "1.25.9"}, {"go": "/absent"}):
            refused = self.begin(**more)
            self.assertIn("left out", refused.communicate()[1])
            self.assertEqual(refused.returncode, 77)


class Result(unittest.TextTestResult):
    """Counts what passed: a class that is skipped or broken as a whole says nothing about the number of its tests."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    tests = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(tests)
    bad, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    for why in sorted({why for _, why in result.skipped}):
        print(why)
    print(f"{result.passed} passed, {bad} failed, {skipped} skipped")
    if bad:
        return 1
    return 77 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
