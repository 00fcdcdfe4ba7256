#!/usr/bin/env python3
"""The command line: exit statuses, outputs, help, man page, completion, terminals. cli_test.py SLUICE ROOT [unittest arguments]"""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unittest

SLUICE = ROOT = ""

QUEUES = """\
apiVersion: kueue.x-k8s.io/v1beta2
kind: ResourceFlavor
metadata: {name: f}
---
apiVersion: v1
kind: Namespace
metadata: {name: n}
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: q}
spec:
  namespaceSelector: {}
%s  resourceGroups:
    - coveredResources: [cpu]
      flavors:
        - name: f
          resources: [{name: cpu, nominalQuota: 4}]
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: LocalQueue
metadata: {namespace: n, name: l}
spec: {clusterQueue: q}
"""

CHECK = """\
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: AdmissionCheck
metadata: {name: budget}
spec: {controllerName: example.com/budget}
"""


def queues(spec="", strategy=True):
    return QUEUES % (("  queueingStrategy: BestEffortFIFO\n" if strategy else "") + spec)


def workload(name, cpu, annotations=None, created=None, extra=""):
    meta = "".join("    %s: \"%s\"\n" % a for a in (annotations or {}).items())
    return """\
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: Workload
metadata:
  namespace: n
  name: %s
%s%sspec:
  queueName: l
%s  podSets:
    - name: main
      count: 1
      template:
        spec:
          containers:
            - name: main
              resources: {requests: {cpu: %s}}
""" % (name, "  creationTimestamp: \"%s\"\n" % created if created else "", "  annotations:\n" + meta if meta else "",
       extra, cpu)


def config(text):
    return "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n" + text


def run(*args, stdin="", env=None):
    """Exit status, stdout, stderr."""
    e = dict(os.environ)
    e.pop("NO_COLOR", None)
    e.update(env or {})
    p = subprocess.run([SLUICE, *args], input=stdin.encode(), capture_output=True, env=e, timeout=60, check=False)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def simulate(text, *args, **kw):
    return run("simulate", "-f", "-", *args, stdin=text, **kw)


def data(text, *args):
    status, out, err = simulate(text, "-o", "json", *args)
    return status, json.loads(out), err


def by_name(answer):
    return {w["name"]: w for w in answer["workloads"]}


def has_terminals():
    """A chroot or a small container may have none."""
    try:
        parent, child = pty.openpty()
    except OSError:
        return False
    os.close(parent)
    os.close(child)
    return True


needs_terminals = unittest.skipUnless(has_terminals(), "this machine gives no pseudo-terminals")


def on_terminal(columns, *args, env=None):
    """What a terminal of that width shows: stdout and stderr together."""
    pid, fd = pty.fork()
    if pid == 0:
        e = dict(os.environ, TERM="xterm")
        e.pop("NO_COLOR", None)
        e.update(env or {})
        # The width is set before the program looks at it: the parent answers with a line.
        sys.stdin.readline()
        os.execve(SLUICE, [SLUICE, *args], e)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    attributes = termios.tcgetattr(fd)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
    os.write(fd, b"\n")
    text = b""
    try:
        while True:
            part = os.read(fd, 65536)
            if not part:
                break
            text += part
    except OSError:
        pass  # Linux says EIO when the other side has closed
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), text.decode().replace("\r\n", "\n")


class ExitStatus(unittest.TestCase):
    def test_all_admitted(self):
        status, out, err = simulate(queues() + workload("a", 4))
        self.assertEqual((status, err), (0, ""))
        self.assertIn("n/a", out)

    def test_no_workloads(self):
        self.assertEqual(simulate(queues())[0], 0)

    def test_some_wait(self):
        status, out, err = simulate(queues() + workload("a", 4) + workload("b", 1))
        self.assertEqual((status, err), (3, ""))
        self.assertRegex(out, r"n/b +q +waiting +not enough quota is free: .*1 more needed")

    def test_bad_input(self):
        status, out, err = simulate(queues() + workload("a", "much") + workload("b", 1))
        self.assertEqual(status, 1)
        self.assertRegex(err, r"<stdin>:\d+: Workload n/a: .*cpu")
        self.assertRegex(out, r"n/b +q +admitted")

    def test_bad_input_counts_more_than_waiting(self):
        self.assertEqual(simulate(queues() + workload("a", "much") + workload("b", 5))[0], 1)

    def test_missing_file(self):
        status, out, err = run("simulate", "-f", "/does/not/exist.yaml")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("/does/not/exist.yaml", err)

    def test_bad_usage(self):
        for args in ([], ["-f"], ["-f", "-", "-o", "xml"], ["-f", "-", "--cycles", "x"], ["-f", "-", "--cycles", "0"],
                     ["-f", "-", "--until", "soon"], ["-f", "-", "--until", "0s"], ["-f", "-", "--startup", "-1s"],
                     ["-f", "-", "--now", "today"], ["-f", "-", "--cycles", "1", "--until", "1h"], ["-f", "-", "-z"],
                     ["-f", "-", "--nothing"], ["-f", "-", "--quiet=1"]):
            status, out, err = run("simulate", *args)
            self.assertEqual((status, out), (2, ""), args)
            self.assertIn("Try `sluice simulate --help`.", err, args)

    def test_commands(self):
        self.assertEqual(run()[0], 2)
        self.assertEqual(run("nothing")[0], 2)
        self.assertEqual(run("help", "nothing")[0], 2)
        self.assertEqual(run("man", "1")[0], 2)
        self.assertEqual(run("completion")[0], 2)
        self.assertEqual(run("completion", "tcsh")[0], 2)
        self.assertRegex(run("--version")[1], r"^sluice \d+\.\d+\.\d+\n$")

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with open("/dev/full", "w", encoding="utf-8") as full:
            p = subprocess.run([SLUICE, "simulate", "-f", "-"], input=queues().encode(), stdout=full,
                               stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"cannot write", p.stderr)


class Quiet(unittest.TestCase):
    def test_prints_nothing(self):
        for text, status in ((queues() + workload("a", 4), 0), (queues() + workload("a", 5), 3)):
            for output in ("table", "wide", "json", "yaml", "trace"):
                self.assertEqual(simulate(text, "-q", "-o", output), (status, "", ""), output)

    def test_no_warnings(self):
        text = queues("  unknownField: 1\n") + workload("a", 4)
        self.assertIn("unknownField", simulate(text)[2])
        self.assertEqual(simulate(text, "-q"), (0, "", ""))

    def test_but_errors(self):
        status, out, err = simulate(queues() + workload("a", "much"), "-q")
        self.assertEqual((status, out), (1, ""))
        self.assertNotEqual(err, "")


class Options(unittest.TestCase):
    def test_strict(self):
        text = queues("  unknownField: 1\n") + workload("a", 4)
        self.assertEqual(simulate(text)[0], 0)
        status, _, err = simulate(text, "--strict")
        self.assertEqual(status, 1)
        self.assertIn("unknownField", err)

    def test_config(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "config.yaml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(config("resources: {excludeResourcePrefixes: [cpu]}\n"))
            text = queues() + workload("a", 5)
            self.assertEqual(simulate(text)[0], 3)
            self.assertEqual(simulate(text, "--config", path)[0], 0)
            # It takes the place of one among the files.
            self.assertEqual(simulate(config("resources: {}\n") + "---\n" + text, "--config", path)[0], 0)
            with open(path, "w", encoding="utf-8") as f:
                f.write(queues())
            status, _, err = simulate(text, "--config", path)
            self.assertEqual(status, 1)
            self.assertIn("no Configuration", err)

    def test_paths_as_the_shell_hands_them_over(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, n) for n in ("q.yaml", "a.yaml", "b.yaml")]
            for path, text in zip(paths, (queues(), workload("a", 1), workload("b", 1))):
                with open(path, "w", encoding="utf-8") as f:
                    f.write(text)
            outs = {run("simulate", "-f", *paths), run("simulate", "-f", folder),
                    run("simulate", *["-f" + p for p in paths])}
            self.assertEqual(len(outs), 1)
            self.assertIn("2 admitted", outs.pop()[1])

    def test_cycles(self):
        text = queues() + workload("a", 1) + workload("b", 1) + workload("c", 1)
        status, answer, _ = data(text, "--cycles", "2")
        self.assertEqual((status, answer["run"]["end"], answer["run"]["cycles"]), (3, "cyclesOver", 2))
        self.assertEqual(answer["summary"]["admitted"], 2)


class Time(unittest.TestCase):
    """Virtual time, and the cluster that is imagined around it."""

    T = "2026-03-02T%s:00Z"

    def story(self):
        return queues() + workload("a", 4, {"sim/arrive-at": self.T % "09:00", "sim/run-seconds": "600"}) + workload(
            "b", 4, {"sim/arrive-at": self.T % "09:05", "sim/run-seconds": "600"})

    def test_runs_to_its_end(self):
        status, answer, _ = data(self.story())
        self.assertEqual((status, answer["run"]["from"], answer["run"]["to"]),
                         (0, self.T % "09:00", self.T % "09:20"))
        b = by_name(answer)["b"]
        self.assertEqual((b["state"], b["admittedAt"], b["finishedAt"]),
                         ("finished", self.T % "09:10", self.T % "09:20"))

    def test_until(self):
        for until, states, end in (("1m", ("admitted", "to come"), "timeOver"), ("5m", ("admitted", "waiting"), "timeOver"),
                                   ("10m", ("finished", "admitted"), "timeOver"), ("20m", ("finished", "finished"), "atRest")):
            status, answer, _ = data(self.story(), "--until", until)
            names = by_name(answer)
            self.assertEqual((names["a"]["state"], names["b"]["state"], answer["run"]["end"]), (*states, end), until)
            self.assertEqual(status, 0 if "to come" not in states and "waiting" not in states else 3, until)

    def test_everybody_is_there_at_once(self):
        """Without annotations a later Workload of higher priority is not too late."""
        text = queues() + workload("low", 4, created=self.T % "08:00") + workload(
            "high", 4, created=self.T % "09:00", extra="  priority: 100\n")
        _, answer, _ = data(text)
        self.assertEqual(answer["run"]["from"], self.T % "09:00")
        self.assertEqual([by_name(answer)[n]["state"] for n in ("low", "high")], ["waiting", "admitted"])

    def test_now(self):
        text = queues() + workload("low", 4, created=self.T % "08:00") + workload(
            "high", 4, created=self.T % "09:00", extra="  priority: 100\n")
        _, answer, _ = data(text, "--now", self.T % "08:30")
        self.assertEqual([by_name(answer)[n]["state"] for n in ("low", "high")], ["admitted", "waiting"])
        self.assertEqual((answer["run"]["from"], answer["run"]["to"]), (self.T % "08:30", self.T % "09:00"))
        _, answer, _ = data(text, "--now", self.T % "12:00")
        self.assertEqual(answer["run"]["from"], self.T % "12:00")

    def test_no_times_no_time(self):
        _, answer, _ = data(queues() + workload("a", 4))
        self.assertNotIn("from", answer["run"])
        self.assertNotIn("admittedAt", by_name(answer)["a"])

    def test_startup_holds_back_with_block_admission(self):
        block = config("waitForPodsReady: {blockAdmission: true}\n") + "---\n"
        text = block + queues() + workload("a", 1, created=self.T % "09:00") + workload("b", 1, created=self.T % "09:00")
        _, answer, _ = data(text)
        self.assertEqual(answer["summary"]["admitted"], 2)
        _, answer, _ = data(text, "--startup", "2m")
        times = sorted(w["admittedAt"] for w in answer["workloads"])
        self.assertEqual(times, [self.T % "09:00", self.T % "09:02"])

    def test_startup_that_takes_too_long(self):
        limits = config("waitForPodsReady:\n  timeout: 5m\n  requeuingStrategy: {backoffLimitCount: 1, "
                        "backoffBaseSeconds: 60}\n") + "---\n"
        text = limits + queues() + workload("a", 1, created=self.T % "09:00")
        status, answer, _ = data(text, "--startup", "4m")
        self.assertEqual((status, by_name(answer)["a"]["state"]), (0, "admitted"))
        status, answer, _ = data(text, "--startup", "6m")
        a = by_name(answer)["a"]
        # Evicted after 5 minutes, back after one more, given up after another 5.
        self.assertEqual((status, a["state"], answer["run"]["to"]), (3, "waiting", self.T % "09:11"))
        self.assertEqual(a["waiting"]["reason"], "Deactivated")
        self.assertIn("maximum number of re-queuing retries", a["waiting"]["why"])


class Checks(unittest.TestCase):
    def test_taken_as_ready(self):
        text = queues("  admissionChecksStrategy: {admissionChecks: [{name: budget}]}\n") + CHECK + workload("a", 4)
        status, answer, err = data(text)
        self.assertEqual((status, by_name(answer)["a"]["state"]), (0, "admitted"))
        self.assertEqual(answer["run"]["checksTakenAsReady"], ["budget"])
        self.assertEqual(err.count("budget"), 1)
        self.assertIn("warning: AdmissionCheck budget", err)

    def test_inactive_by_its_own_word(self):
        inactive = CHECK + "status: {conditions: [{type: Active, status: \"False\", reason: R, message: m, " \
            "lastTransitionTime: \"2026-03-02T09:00:00Z\"}]}\n"
        text = queues("  admissionChecksStrategy: {admissionChecks: [{name: budget}]}\n") + inactive + workload("a", 4)
        status, answer, _ = data(text)
        self.assertEqual((status, answer["clusterQueues"][0]["active"]), (3, False))


JOB = """\
---
apiVersion: batch/v1
kind: Job
metadata: {namespace: n, name: j, labels: {kueue.x-k8s.io/queue-name: l}}
spec:
  parallelism: 3
  completions: 3
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: i, resources: {requests: {cpu: 1}}}]
"""


class Jobs(unittest.TestCase):
    def test_competes(self):
        status, answer, err = data(queues() + JOB)
        self.assertEqual((status, err, answer["summary"]["admitted"]), (0, "", 1))
        job = answer["workloads"][0]
        self.assertTrue(job["name"].startswith("job-j-"))
        self.assertEqual(job["podSets"], [{"name": "main", "count": 3, "resources": [
            {"resource": "cpu", "flavor": "f", "amount": "3"}]}])
        self.assertEqual(data(queues() + workload("a", 2) + JOB)[0], 3)

    def test_without_a_queue_it_is_nobodys_business(self):
        status, answer, _ = data(queues() + JOB.replace("labels: {kueue.x-k8s.io/queue-name: l}", "labels: {}"))
        self.assertEqual((status, answer["workloads"]), (0, []))


class Words(unittest.TestCase):
    """Why a Workload waits."""

    def details(self, text, name="a", statuses=(3,)):
        status, answer, _ = data(text)
        self.assertIn(status, statuses)
        return by_name(answer)[name]["waiting"]

    def test_queue_that_does_not_admit(self):
        text = queues().replace("name: f\n          resources", "name: nope\n          resources") + workload("a", 1)
        waiting = self.details(text, statuses=(1, 3))
        self.assertEqual(waiting["reason"], "Suspended")
        self.assertEqual(waiting["why"], "its queue does not admit: ClusterQueue q is inactive (Can't admit new workloads: "
                                         "references missing ResourceFlavor(s): nope.)")
        self.assertIn("\nClusterQueue q: Can't admit new workloads", simulate(text)[1])

    def test_no_queue(self):
        waiting = self.details(queues() + workload("a", 1).replace("queueName: l", "queueName: m"), statuses=(1, 3))
        self.assertEqual((waiting["reason"], waiting["why"]),
                         ("Misconfigured", "cannot be queued: LocalQueue m doesn't exist"))

    def test_more_than_there_will_ever_be(self):
        waiting = self.details(queues() + workload("a", 5))
        self.assertEqual(waiting["reason"], "ExceedsMaxQuota")
        self.assertTrue(waiting["why"].startswith("asks for more than its queue can ever have: pod set main: "))

    def test_behind_another(self):
        text = queues("  queueingStrategy: StrictFIFO\n", strategy=False) + workload("a", 3) + workload(
            "b", 2) + workload("c", 1)
        self.assertEqual(self.details(text, "c")["why"], "not its turn yet: 1 ahead of it")
        self.assertEqual(self.details(text, "c")["placeInClusterQueue"], 2)

    def test_switched_off(self):
        waiting = self.details(queues() + workload("a", 1, extra="  active: false\n"))
        self.assertEqual((waiting["reason"], waiting["why"]), ("Deactivated", "switched off: The workload is deactivated"))

    def test_taint(self):
        tainted = queues().replace("metadata: {name: f}\n", "metadata: {name: f}\nspec:\n  nodeTaints: "
                                   "[{key: k, value: v, effect: NoSchedule}]\n", 1)
        self.assertEqual(self.details(tainted + workload("a", 1))["why"],
                         "no flavor suits it: pod set main: untolerated taint {k v NoSchedule} in flavor f")


class Outputs(unittest.TestCase):
    GOLDEN = ("two-teams", "fair-sharing", "priorities")

    def test_schema_is_stable(self):
        for name in self.GOLDEN:
            path = os.path.join(ROOT, "tests/cli/golden", name + ".json")
            _, out, _ = run("simulate", "-f", os.path.join(ROOT, "examples", name), "-o", "json")
            with open(path, encoding="utf-8") as f:
                self.assertEqual(out, f.read(), path)

    EXPLAINED = {"explain-waiting": "team-b/eval", "explain-admitted": "team-a/train"}

    def test_schema_of_explain_is_stable_and_documented(self):
        with open(os.path.join(ROOT, "controller/cli/explain-json.md"), encoding="utf-8") as f:
            words = set(re.findall(r"\w+", f.read()))
        for name, workload_name in self.EXPLAINED.items():
            path = os.path.join(ROOT, "tests/cli/golden", name + ".json")
            _, out, _ = run("explain", workload_name, "-f", os.path.join(ROOT, "examples/two-teams"), "-o", "json")
            with open(path, encoding="utf-8") as f:
                self.assertEqual(out, f.read(), path)
            self.assertEqual(set(re.findall(r'"(\w+)":', out)) - words, set())

    def test_schema_is_documented(self):
        with open(os.path.join(ROOT, "controller/cli/simulate-json.md"), encoding="utf-8") as f:
            words = set(re.findall(r"\w+", f.read()))
        keys = set()

        def collect(node):
            if isinstance(node, dict):
                keys.update(node)
                for v in node.values():
                    collect(v)
            elif isinstance(node, list):
                for v in node:
                    collect(v)

        for name in self.GOLDEN:
            _, out, _ = run("simulate", "-f", os.path.join(ROOT, "examples", name), "-o", "json")
            answer = json.loads(out)
            self.assertEqual(answer["schemaVersion"], "sluice.simulate/v1")
            collect(answer)
        self.assertGreater(len(keys), 40)
        self.assertEqual(keys - words, set())

    def test_yaml_is_the_same(self):
        """Read by a reader for just this form: block style, values as JSON."""
        for name in self.GOLDEN:
            folder = os.path.join(ROOT, "examples", name)
            _, as_json, _ = run("simulate", "-f", folder, "-o", "json")
            _, as_yaml, _ = run("simulate", "-f", folder, "-o", "yaml")
            lines = [(len(m.group(1)), m.group(2)) for m in
                     (re.match(r"( *)(.*)", line) for line in as_yaml.splitlines())]
            value, rest = block(lines, 0)
            self.assertEqual(rest, [])
            self.assertEqual(value, json.loads(as_json))

    def test_wide(self):
        folder = os.path.join(ROOT, "examples/fair-sharing")
        _, out, _ = run("simulate", "-f", folder, "-o", "wide")
        self.assertRegex(out, r"WORKLOAD +CLUSTERQUEUE +LOCALQUEUE +PRIORITY +PLACE +STATE +DETAILS")
        self.assertRegex(out, r"CLUSTERQUEUE +COHORT +SHARE +FLAVOR")
        self.assertRegex(out, r"team-c +pool +250 ")
        self.assertRegex(out, r"team-c/c6 +team-c +jobs +0 +1 +waiting")
        _, out, _ = run("simulate", "-f", folder)
        self.assertNotIn("SHARE", out)

    def test_trace(self):
        _, out, _ = run("simulate", "-f", os.path.join(ROOT, "examples/two-teams"), "-o", "trace")
        trace = json.loads(out)
        self.assertTrue(trace["quiescent"])
        self.assertGreater(len(trace["steps"]), 2)

    def test_trace_of_a_recorded_world(self):
        worlds = os.path.join(ROOT, "tests/cases/worlds")
        for name in sorted(os.listdir(worlds))[::9]:
            if not name.endswith(".yaml"):
                continue
            status, out, _ = run("simulate", "-f", os.path.join(worlds, name), "-o", "trace")
            with open(os.path.join(worlds, name[:-5] + ".json"), encoding="utf-8") as f:
                expected = json.load(f)
            if status != 1:  # some hold objects that are broken on purpose
                self.assertEqual(json.loads(out)["steps"], expected["steps"], name)

    def test_same_bytes(self):
        for output in ("table", "wide", "json", "yaml", "trace"):
            args = ("simulate", "-f", os.path.join(ROOT, "examples/fair-sharing"), "-o", output)
            self.assertEqual(run(*args), run(*args), output)
            self.assertEqual(run(*args), run(*args, env={"TZ": "Asia/Tokyo", "LC_ALL": "C", "COLUMNS": "40"}), output)


def block(lines, indent):
    """(value, lines that are left) of YAML in the form that sluice writes."""
    if lines[0][1].startswith("- ") or lines[0][1] == "-":
        items = []
        while lines and lines[0][0] == indent and lines[0][1].startswith("- "):
            inner = [(indent + 2, lines[0][1][2:])] + lines[1:]
            if re.match(r"\w+:( |$)", inner[0][1]):
                value, lines = block(inner, indent + 2)
            else:
                value, lines = json.loads(inner[0][1]), lines[1:]
            items.append(value)
        return items, lines
    mapping = {}
    while lines and lines[0][0] == indent and not lines[0][1].startswith("- "):
        key, _, value = lines[0][1].partition(":")
        lines = lines[1:]
        if value:
            mapping[key] = json.loads(value)
        else:
            mapping[key], lines = block(lines, lines[0][0])
    return mapping, lines


class Diff(unittest.TestCase):
    """Two policies in files, and what runs in a third."""
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.file("before", queues())
        self.file("state", workload("a", 3))

    def file(self, name, text):
        path = os.path.join(self.dir.name, name + ".yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def diff(self, after, *args):
        return run("diff", "--before", os.path.join(self.dir.name, "before.yaml"), "--after",
                   self.file("after", after), *args)

    def state(self):
        return "--state", os.path.join(self.dir.name, "state.yaml")

    def test_no_effect(self):
        self.assertEqual(self.diff(queues(), *self.state()), (0, "No effect.\n", ""))
        self.assertEqual(self.diff(queues(strategy=False)), (0, "No effect.\n", ""))

    def test_effects(self):
        status, out, err = self.diff(queues().replace("nominalQuota: 4", "nominalQuota: 2"), *self.state())
        self.assertEqual((status, err), (4, ""))
        self.assertRegex(out, r"ClusterQueue q +nominalQuota of cpu, flavor f +4 +2\n")
        self.assertRegex(out, r"n/a +q +no longer starts: ")
        self.assertIn("1 field differs. 1 Workload: 1 no longer started.\n", out)

    def test_json(self):
        status, out, _ = self.diff(queues().replace("nominalQuota: 4", "nominalQuota: 2"), "-o", "json", *self.state())
        answer = json.loads(out)
        self.assertEqual((status, answer["schemaVersion"], answer["effect"]), (4, "sluice.diff/v1", True))
        self.assertEqual([(c["area"], c["before"], c["after"]) for c in answer["changes"]], [("quota", "4", "2")])
        self.assertEqual([(w["workload"], w["effect"]) for w in answer["workloads"]], [("n/a", "waits")])
        self.assertEqual(answer["findings"], [])

    def test_schema_is_documented(self):
        with open(os.path.join(ROOT, "controller/cli/diff-json.md"), encoding="utf-8") as f:
            words = set(re.findall(r"[\w-]+", f.read()))
        folder = os.path.join(ROOT, "examples/gitops-check")
        _, out, _ = run("diff", "--before", os.path.join(folder, "main"), "--after", os.path.join(folder, "pull-request-2"),
                        "--state", os.path.join(folder, "workloads"), "-o", "json")
        answer = json.loads(out)
        keys = set(re.findall(r'"(\w+)":', out))
        self.assertGreater(len(keys), 25)
        self.assertEqual(keys - words, set())
        self.assertEqual({w["effect"] for w in answer["workloads"]} - words, set())

    def test_as_a_check(self):
        folder = os.path.join(ROOT, "examples/gitops-check")
        for after, status in (("main", 0), ("pull-request-1", 0), ("pull-request-2", 1), ("nowhere", 2)):
            p = subprocess.run(["bash", os.path.join(folder, "diff.sh"), os.path.join(folder, "main"),
                                os.path.join(folder, after), os.path.join(folder, "workloads")],
                               env=dict(os.environ, SLUICE=SLUICE), capture_output=True, timeout=60, check=False)
            self.assertEqual(p.returncode, status, p.stdout.decode() + p.stderr.decode())

    def test_new_faults_are_bad_input(self):
        status, out, _ = self.diff(queues().replace("clusterQueue: q", "clusterQueue: x"))
        self.assertEqual(status, 1)
        self.assertIn("error: LocalQueue n/l refers to ClusterQueue x, which is not there", out)
        self.file("before", queues().replace("clusterQueue: q", "clusterQueue: x"))
        self.assertEqual(self.diff(queues().replace("clusterQueue: q", "clusterQueue: x"))[0], 0)

    def test_loop(self):
        case = os.path.join(ROOT, "tests/cases/loops/loop-01.yaml")
        status, out, _ = self.diff("apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n", "--state", case)
        self.assertIn("evictions go on and on", out)
        self.assertEqual(status, 4)  # it does so before, too

    def test_trace(self):
        trace = os.path.join(self.dir.name, "jobs.csv")
        with open(trace, "w", encoding="utf-8") as f:
            f.write("job_id,submit_s,duration_s,gpus,tenant\n1,0,3600,4,l\n2,1,3600,4,l\n")
        gpus = queues().replace("cpu", "nvidia.com/gpu")
        self.file("before", gpus)
        more = ("--trace", trace, "--mapping", self.file("mapping", "namespace: n\n"))
        status, out, err = self.diff(gpus.replace("nominalQuota: 4", "nominalQuota: 8"), *more)
        self.assertEqual((status, err), (4, ""))
        self.assertRegex(out, r"all queues +2 +30\.0m -> 0s ")
        status, out, _ = self.diff(gpus, "-o", "json", *more)
        self.assertEqual((status, json.loads(out)["trace"][0]["before"]["usedGpuHours"]), (0, 8))

    def test_loop_in_a_trace(self):
        """When small goes for its neighbour, the borrower takes the place first, and small takes it back from there."""
        queue = """\
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: %s}
spec:
  cohortName: all
  namespaceSelector: {}
  preemption: {withinClusterQueue: %s, reclaimWithinCohort: Any}
  resourceGroups:
    - coveredResources: [nvidia.com/gpu]
      flavors: [{name: f, resources: [{name: nvidia.com/gpu, nominalQuota: %d}]}]
---
apiVersion: kueue.x-k8s.io/v1beta2
kind: LocalQueue
metadata: {namespace: default, name: %s}
spec: {clusterQueue: %s}
"""
        loops, rests = (queues() + "".join(queue % (n, policy, quota, n, n) for n, quota in (("a", 4), ("b", 0), ("c", 2)))
                        for policy in ("LowerPriority", "Never"))
        trace = os.path.join(self.dir.name, "jobs.csv")
        with open(trace, "w", encoding="utf-8") as f:
            f.write("job_id,submit_s,duration_s,gpus,tenant,priority\nsteady,0,36000,2,a,5\nsmall,0,3600,2,a,0\n"
                    "borrower,1,3600,3,b,2\nlarge,2,3600,3,a,1\n")
        self.file("before", rests)
        status, out, _ = self.diff(loops, "--trace", trace)
        self.assertEqual(status, 1)
        self.assertIn("error: with the trace: the queues do not come to rest", out)
        self.file("before", loops)
        status, out, _ = self.diff(loops, "--trace", trace)
        self.assertEqual(status, 0)
        self.assertIn(" (as before)\nNo effect.", out)
        status, out, _ = self.diff(rests, "--trace", trace)
        self.assertEqual(status, 4)
        self.assertIn("the policy before does not come to rest (", out)
        self.assertIn("the one after does", out)
        status, out, _ = self.diff(loops, "--trace", trace, "-o", "json")
        self.assertEqual((status, json.loads(out)["trace"]), (0, []))
        self.assertEqual([f["old"] for f in json.loads(out)["findings"] if f["fault"] == "eviction-loop"], [True])

    def test_bad_input(self):
        self.assertEqual(self.diff("kind: [")[0], 1)
        self.assertEqual(run("diff", "--before", "/nowhere", "--after", "/nowhere")[0], 1)
        self.assertEqual(self.diff(queues(), "--trace", "/nowhere")[0], 1)

    def test_usage(self):
        for args in ((), ("--before", "x"), ("--after", "x"), ("--before", "-", "--after", "-"),
                     ("--before", "x", "--after", "x", "--mapping", "x"),
                     ("--before", "x", "--after", "x", "--trace", "-"), ("x",)):
            self.assertEqual(run("diff", *args)[0], 2, args)


class Words(unittest.TestCase):
    def test_resource_claims(self):
        text = workload("a", 1).replace("        spec:\n", "        spec:\n          resourceClaims: [{name: g, resourceClaimTemplateName: t}]\n")
        status, answer, _ = data(queues() + text)
        self.assertEqual(status, 3)
        waiting = answer["workloads"][0]["waiting"]
        self.assertEqual(waiting["reason"], "Misconfigured")
        self.assertIn("resource claims of dynamic resource allocation are not supported", waiting["why"])


class Explain(unittest.TestCase):
    JOB = """\
---
apiVersion: batch/v1
kind: Job
metadata: {generateName: train-, namespace: n, labels: {kueue.x-k8s.io/queue-name: l}}
spec:
  suspend: true
  template: {spec: {restartPolicy: Never, containers: [{name: c, resources: {requests: {cpu: 3}}}]}}
"""

    def explain(self, text, name, *args):
        return run("explain", name, "-f", "-", *args, stdin=text)

    def test_exit_status(self):
        text = queues() + workload("a", 4) + workload("b", 1)
        self.assertEqual(self.explain(text, "n/a")[0], 0)
        self.assertEqual(self.explain(text, "n/b")[0], 3)
        self.assertEqual(self.explain(text, "n/c")[0], 1)

    def test_one_just_like_another(self):
        """Only one of them is looked at; the other says what that one was told."""
        text = queues() + workload("a", 4) + workload("b", 1) + workload("c", 1)
        status, out, _ = self.explain(text, "n/c")
        self.assertEqual(status, 3)
        self.assertRegex(out, r"just like n/b, which was turned down:\n.*1 more needed")
        answer = json.loads(self.explain(text, "n/c", "-o", "json")[1])
        self.assertEqual(answer["refusedTwin"], "n/b")
        self.assertIn("1 more needed", answer["refusedTwinMessage"])

    def test_generated_name(self):
        text = queues() + workload("a", 2) + self.JOB
        for name in ("n/train", "n/train-"):
            status, out, _ = self.explain(text, name)
            self.assertEqual(status, 3)
            self.assertIn("1 more needed", out)
        self.assertRegex(simulate(self.JOB)[2], r"<stdin>:2: Job n/train-: metadata.namespace: ")
        self.assertEqual(self.explain(text, "n/")[0], 1)
        self.assertEqual(self.explain(text, "n/trai")[0], 1)


@needs_terminals
class Terminal(unittest.TestCase):
    FOLDER = "examples/two-teams"

    def table(self, columns, *args, **kw):
        return on_terminal(columns, "simulate", "-f", os.path.join(ROOT, self.FOLDER), *args, **kw)

    def test_fits(self):
        for columns in (80, 100, 132, 200, 300):
            for output in ("table", "wide"):
                status, text = self.table(columns, "--no-color", "-o", output)
                self.assertEqual(status, 3)
                for line in text.splitlines():
                    self.assertLessEqual(len(line), columns, (output, line))

    def test_long_names(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "w.yaml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(queues() + workload("w" * 200, 1) + workload("a-b." * 40 + "c", 9))
            for output in ("table", "wide"):
                for columns in (80, 120):
                    _, text = on_terminal(columns, "simulate", "-f", path, "-o", output, "--no-color")
                    for line in text.splitlines():
                        self.assertLessEqual(len(line), columns, line)
                    self.assertEqual(text.count("w"), 200 + text.count("waiting"))

    def test_narrower_than_80_counts_as_80(self):
        self.assertEqual(self.table(30, "--no-color"), self.table(80, "--no-color"))

    def test_nothing_is_lost(self):
        _, narrow = self.table(80, "--no-color")
        piped = run("simulate", "-f", os.path.join(ROOT, self.FOLDER))[1]
        self.assertEqual(sorted("".join(narrow.split())), sorted("".join(piped.split())))

    def test_not_cut_when_piped(self):
        out = run("simulate", "-f", os.path.join(ROOT, self.FOLDER))[1]
        self.assertGreater(max(len(line) for line in out.splitlines()), 150)

    def test_colours(self):
        self.assertIn("\033[", self.table(100)[1])
        self.assertNotIn("\033", self.table(100, "--no-color")[1])
        self.assertNotIn("\033", self.table(100, env={"NO_COLOR": "1"})[1])
        self.assertIn("\033[", self.table(100, env={"NO_COLOR": ""})[1])
        self.assertNotIn("\033", self.table(100, env={"TERM": "dumb"})[1])
        for output in ("json", "yaml", "trace"):
            self.assertNotIn("\033", self.table(100, "-o", output)[1])
        self.assertNotIn("\033", run("simulate", "-f", os.path.join(ROOT, self.FOLDER))[1])

    def test_colour_takes_no_room(self):
        plain = self.table(90, "--no-color")[1]
        self.assertEqual(re.sub(r"\033\[\d*m", "", self.table(90)[1]), plain)

    def test_help_fits(self):
        for columns in (80, 100, 140):
            _, text = on_terminal(columns, "help")
            for line in text.splitlines():
                self.assertLessEqual(len(line), columns)


@needs_terminals
class Progress(unittest.TestCase):
    """A world that never rests, with a second between an eviction and the next: it runs until it is told to stop."""
    def run_for_ever(self, wait_s, *args):
        """What a terminal at stderr has seen once there is something, or after a while."""
        with open(os.path.join(ROOT, "tests/cases/loops/loop-01.yaml"), encoding="utf-8") as f:
            text = f.read().partition("\n")[2].replace("  annotations:\n", "  annotations:\n    sim/stop-seconds: \"1\"\n")
        parent, child = pty.openpty()
        with subprocess.Popen([SLUICE, "simulate", "-f", "-", "--until", "2000000h", *args], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=child) as p:
            os.close(child)
            p.stdin.write(text.encode())
            p.stdin.close()
            seen = ""
            while ", at 20" not in seen and select.select([parent], [], [], wait_s)[0]:
                seen += os.read(parent, 4096).decode()
            p.kill()
        os.close(parent)
        return seen

    def test_after_a_second(self):
        self.assertRegex(self.run_for_ever(30), r"^\rsluice simulate: \d+ cycles, at 20")

    def test_not_when_quiet(self):
        self.assertEqual(self.run_for_ever(2, "-q"), "")


class Help(unittest.TestCase):
    def commands(self):
        return re.findall(r"^  (\w[\w-]*) ", run("help")[1], re.MULTILINE)

    def test_lists_commands(self):
        self.assertIn("simulate", self.commands())
        self.assertEqual(run("help"), run("--help"))

    def test_every_command(self):
        for name in self.commands():
            status, out, err = run("help", name)
            self.assertEqual((status, err), (0, ""), name)
            self.assertEqual(run(name, "--help"), (0, out, ""), name)
            self.assertEqual(run(name, "-h"), (0, out, ""), name)
            for part in ("usage: sluice %s" % name, "\noptions:\n", "\nexit status:\n  0  ", "\nexamples:\n"):
                self.assertIn(part, out, name)
            examples = re.findall(r"^  (\S.*)$", out.split("\nexamples:\n")[1], re.MULTILINE)
            self.assertEqual(len(examples), 3, name)
            for example in examples:
                self.assertIn("sluice " + name, example)

    def test_examples_are_shell(self):
        for name in self.commands():
            for example in re.findall(r"^  (\S.*)$", run("help", name)[1].split("\nexamples:\n")[1], re.MULTILINE):
                p = subprocess.run(["bash", "-n", "-c", example], stderr=subprocess.PIPE, check=False)
                self.assertEqual((p.returncode, p.stderr), (0, b""), example)

    def test_options_of_the_help_are_understood(self):
        """Everything that the help names is taken: what is not known is refused before anything is read."""
        options = re.findall(r"^ +(?:-\w, )?--([\w-]+)(?: ([A-Z]+))?", run("help", "simulate")[1].split("options:")[1],
                             re.MULTILINE)
        self.assertGreater(len(options), 9)
        values = {"N": "1", "DURATION": "1h", "TIME": "2026-01-01T00:00:00Z", "FORMAT": "table", "PATH": "-", "FILE": "-"}
        for name, value in options:
            args = ["--" + name] + ([values[value]] if value else [])
            self.assertNotIn("unknown option", run("simulate", "-f", "-", *args)[2], name)


class Man(unittest.TestCase):
    def test_names_everything(self):
        status, page, _ = run("man")
        self.assertEqual(status, 0)
        for word in ("SH NAME", "SS sluice simulate", "SS sluice completion", "NO_COLOR", "\\-\\-until", "Exit status"):
            self.assertIn(word, page)

    def test_renders(self):
        page = run("man")[1]
        if not shutil.which("groff"):
            self.skipTest("no groff")
        p = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=page.encode(), capture_output=True, check=False)
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        text = re.sub(r".\x08|\x1b\[\d*m", "", p.stdout.decode())
        text = " ".join(text.split())
        for word in ("sluice simulate -f PATH...", "sim/run-seconds", "--filename PATH", "sluice man | man -l -"):
            self.assertIn(word, text)


class Completion(unittest.TestCase):
    def test_parse(self):
        for shell in ("bash", "zsh"):
            status, script, _ = run("completion", shell)
            self.assertEqual(status, 0)
            if shell == "zsh" and not shutil.which("zsh"):
                continue
            p = subprocess.run([shell, "-n"], input=script.encode(), stderr=subprocess.PIPE, check=False)
            self.assertEqual((p.returncode, p.stderr), (0, b""), shell)

    def complete(self, *words):
        script = run("completion", "bash")[1] + """
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _sluice; printf '%s\\n' "${COMPREPLY[@]}"
"""
        p = subprocess.run(["bash", "-c", script, "bash", "sluice", *words], capture_output=True, check=False, cwd=ROOT)
        return p.stdout.decode().split()

    def test_bash_completes(self):
        self.assertEqual(self.complete("sim"), ["simulate"])
        self.assertEqual(self.complete("simulate", "-o", "ta"), ["table"])
        self.assertEqual(sorted(self.complete("simulate", "-o", "")), ["json", "table", "trace", "wide", "yaml"])
        self.assertIn("--startup", self.complete("simulate", "--s"))
        self.assertEqual(self.complete("simulate", "-f", "exa"), ["examples"])
        self.assertEqual(self.complete("simulate", "--cycles", ""), [])
        self.assertEqual(self.complete("help", "comp"), ["completion"])
        self.assertEqual(self.complete("completion", "z"), ["zsh"])


if __name__ == "__main__":
    SLUICE, ROOT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
