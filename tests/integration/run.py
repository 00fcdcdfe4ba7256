#!/usr/bin/env -S python3 -B
"""The controller on a real control plane.

run.py [--sluice BIN] [--faults N] [--repeat N] [--list] [NAME...]

One cluster for all tests, a namespace each. Tests of one group share a controller and run at the same time; "alone" tests start their own, one
after the other. NAME: only tests whose "group/name" holds one of them. --faults N: how often the controller is killed (3). --keep DIR: the
cluster's directory and the logs of the controllers stay there when something failed. The last line is "N passed, N failed, N left out".
Exit status: 0 nothing failed, 1 something did, 77 there can be no cluster here.
"""
import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/cluster"), str(ROOT / "tests/kube")]
sys.dont_write_bytecode = True
import kit  # noqa: E402
from client import Api, Refused  # noqa: E402
from cluster import Cluster  # noqa: E402
from process import Controller, Failed, Supervisor  # noqa: E402
import configurations  # noqa: E402

MODULES = ("test_life", "test_quota", "test_stops", "test_checks", "test_delete", "test_config", "test_alone", "test_faults")
WORKERS = 6
ALONE = ("alone", "faults")  # groups whose tests start controllers of their own, one test after the other


def say(text):
    print(text, flush=True)


class Env:
    """The cluster, and the controller that runs now."""

    def __init__(self, options, kubeconfig, logs):
        self.options = options
        self.cluster = Cluster.at(kubeconfig)
        self.api = Api(kubeconfig)
        self.logs = logs
        self.controller = None
        self.own = []  # all that were started
        self.supervisors = []
        self.starts = 0

    # ---- what is installed

    def kubectl(self, *arguments, text=None, check=True):
        done = subprocess.run([self.cluster.dir / "bin/kubectl", "--kubeconfig", self.cluster.dir / "kubeconfig", *map(str, arguments)],
                              input=text, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise Failed(f"kubectl {' '.join(map(str, arguments))}: {done.stderr}")
        return done.stdout

    def apply(self, *paths):
        self.kubectl("apply", "--server-side", "--force-conflicts", *[a for p in paths for a in ("-f", ROOT / p)])

    def install(self):
        self.apply(*sorted(p.relative_to(ROOT) for p in (ROOT / "crds").glob("*.yaml")))
        self.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        self.apply("deploy/base/namespace.yaml", "deploy/base/rbac.yaml", "deploy/policies/kinds.yaml", "deploy/policies/jobs.yaml")
        probe = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "probe", "labels": {kit.QUEUE: "q"}},
                 "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}
        kit.until("the policies to be in force", lambda: self.api.call(
            "POST", "/apis/batch/v1/namespaces/default/jobs?dryRun=All", probe)["spec"].get("suspend"))

    def install_job_set(self):
        self.apply("tests/cluster/jobset-crd.yaml")
        self.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd/jobsets.jobset.x-k8s.io")

    # ---- controllers

    def kubeconfig(self, server=None):
        """Of the shipped ServiceAccount, with a fresh token; what it may do is what deploy/base/rbac.yaml says."""
        self.starts += 1
        path = kit.until("the ServiceAccount", lambda: self.try_token(f"sluice-{self.starts}.kubeconfig"))
        if server:
            text = path.read_text().replace(self.cluster.state["server"], server)
            path.write_text(text)
        return path

    def restart_api_server(self, change):
        """With other arguments: change(those that it has)."""
        self.cluster.stop("apiserver")
        with self.cluster_state() as state:
            program = state["programs"]["apiserver"]
            program["argv"] = change(program["argv"])
        self.cluster.start("apiserver")

    @contextlib.contextmanager
    def cluster_state(self):
        """cluster.json, to be changed."""
        path = self.cluster.dir / "cluster.json"
        state = json.loads(path.read_text())
        yield state
        path.write_text(json.dumps(state, indent=1))

    def pid_of(self, program):
        with self.cluster_state() as state:
            return state["programs"][program]["pid"]

    def api_of_service_account(self):
        """A client that is not exempt from the API server's limits."""
        return Api(self.kubeconfig())

    def try_token(self, name):
        try:
            return self.cluster.kubeconfig_of_service_account("kueue-system", "sluice-controller", name)
        except Exception:  # the API server is on its way back
            return None

    def new_controller(self, name, config=None, server=None):
        """Not started yet. `config`: the text of a Configuration."""
        arguments = []
        if config:
            path = self.logs / f"{name}.yaml"
            path.write_text(config)
            arguments = ["--config", path]
        c = Controller(self.options.sluice, self.kubeconfig(server), self.logs / f"{name}.log", *arguments)
        self.own.append(c)
        return c

    def supervised(self, name, config, server=None):
        """Started, and again whenever it ends; the one that t.until() asks whether all is well."""
        self.controller = self.supervisor(name, config, server)
        return self.controller

    def supervisor(self, name, config, server=None):
        self.supervisors.append(Supervisor(self.new_controller(name, config, server)).start())
        return self.supervisors[-1]

    def end_all(self):
        """Whatever a test left running."""
        for s in self.supervisors:
            s.end()
        self.supervisors.clear()
        self.controller = None
        for c in self.own:
            if c.alive():
                c.process.kill()
                c.process.wait()
        self.own.clear()

    def alive(self):
        c = self.controller
        if isinstance(c, Supervisor):
            c.alive()
        elif c and c.process and not c.alive():
            raise Failed(f"the controller ended with {c.process.returncode}:\n{c.tail(40)}")


# ---- running

class Results:
    def __init__(self):
        self.passed = self.failed = self.left_out = 0

    def add(self, name, error, seconds):
        if error is None:
            self.passed += 1
            say(f"passed {name} ({seconds:.1f} s)")
        else:
            self.failed += 1
            say(f"FAILED {name} ({seconds:.1f} s): {error}")


def run_one(env, name, function, number, results):
    begin, error = time.monotonic(), None
    try:
        function(kit.Test(env, function.__name__, number))
    except (Failed, Refused) as e:
        where = [f"{pathlib.Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(e.__traceback__)
                 if pathlib.Path(f.filename).name.startswith("test_")]
        error = f"{' > '.join(where)}: {e}"
    except Exception:
        error = traceback.format_exc()
    finally:
        if name.partition("/")[0] in ALONE:
            env.end_all()
    results.add(name, error, time.monotonic() - begin)


def run_group(env, group, tests, results):
    say(f"== {group}: {len(tests)} tests")
    alone = group in ALONE
    if not alone:
        try:
            configurations.PREPARE.get(group, lambda e: None)(env)
            env.controller = env.new_controller(group, configurations.CONFIG.get(group)).start()
        except (Failed, Refused) as e:
            results.add(f"{group}: start", str(e), 0)
            env.controller = None
            return
    with concurrent.futures.ThreadPoolExecutor(1 if alone else WORKERS) as pool:
        for number, name, function in tests:
            pool.submit(run_one, env, name, function, number, results)
    if not alone:
        begin, error = time.monotonic(), None
        try:
            env.alive()
            env.controller.stop()
        except Failed as e:
            error = str(e)
        env.controller = None
        results.add(f"{group}: ends with 0 on SIGTERM", error, time.monotonic() - begin)


def wanted(options):
    for m in MODULES:
        if (ROOT / "tests/integration" / f"{m}.py").exists():
            __import__(m)
    names = [(i, f"{g}/{f.__name__}", f) for i, (g, f) in enumerate(kit.TESTS * options.repeat)]
    return [n for n in names if not options.names or any(word in n[1] for word in options.names)]


def options_of():
    p = argparse.ArgumentParser(prog="run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", metavar="NAME")
    p.add_argument("--sluice", default=ROOT / "build/asan/bin/sluice", type=lambda s: pathlib.Path(s).resolve())
    p.add_argument("--faults", type=int, default=3, metavar="N")
    p.add_argument("--seed", type=int, default=1, help="of the moments at which it is killed")
    p.add_argument("--repeat", type=int, default=1, metavar="N", help="each test so often, in a namespace of its own")
    p.add_argument("--list", action="store_true")
    p.add_argument("--keep", metavar="DIR")
    p.add_argument("--cluster", metavar="DIR", help="one that is there, prepared by an earlier run; it stays")
    return p.parse_args()


def cluster_of(options):
    if options.cluster:
        return pathlib.Path(options.cluster) / "kubeconfig"
    up = subprocess.run([ROOT / "tests/cluster/up", "--nodes", "8", "--gpus", "8", "--while", str(os.getpid())], stdout=subprocess.PIPE, text=True,
                        check=False)
    if up.returncode == 77:
        say("left out: no control plane can be built here")
        sys.exit(77)
    if up.returncode:
        sys.exit(1)
    return up.stdout.strip()


def main():
    options = options_of()
    tests = wanted(options)
    if options.list:
        for _, name, f in tests:
            say(f"{name:45} {(f.__doc__ or '').strip().splitlines()[0] if f.__doc__ else ''}")
        return 0
    kubeconfig = cluster_of(options)
    logs = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="sluice-integration-"))
    logs.mkdir(parents=True, exist_ok=True)
    results = Results()
    env = Env(options, kubeconfig, logs)
    try:
        env.install()
        for group in dict.fromkeys(name.partition("/")[0] for _, name, _ in tests):
            run_group(env, group, [t for t in tests if t[1].startswith(group + "/")], results)
    finally:
        env.end_all()
        if not options.cluster:
            env.cluster.down()
        if options.keep:
            say(f"logs: {logs}")
        elif not results.failed:
            shutil.rmtree(logs, ignore_errors=True)
    say(f"{results.passed} passed, {results.failed} failed, {results.left_out} left out")
    return 1 if results.failed or not results.passed else 0


sys.exit(main())
