#!/usr/bin/env -S python3 -B
"""What a write to a Workload costs the API server, by the form of the CRD: CPU time of the process, from /proc.

measure.py ROOT DIR [--objects N] [--rounds N] [--only WORD]

DIR is the directory of a cluster of tests/cluster (up --mini --dir DIR). Each variant in turn gets N objects a round: create, a merge
patch of the status as an admission makes it, another as a finish makes it. The table has the median of the rounds, in ms a request.
"""
import argparse
import copy
import json
import os
import pathlib
import statistics
import sys
import threading
import time

sys.dont_write_bytecode = True
from api import Api
from crds_test import GROUP, Test

STREAMS = 4
NAMESPACE = "measure"
MERGE = "application/merge-patch+json"
NOW = "2026-01-01T00:00:00Z"


def workload(name):
    container = {
        "name": "main", "image": "registry.example.com/team/train:1.2.3", "command": ["python", "train.py"], "args": ["--epochs", "10"],
        "env": [{"name": f"SETTING_{i}", "value": str(i)} for i in range(6)],
        "resources": {"requests": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}, "limits": {"nvidia.com/gpu": "1"}},
        "volumeMounts": [{"name": "data", "mountPath": "/data"}], "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent"}
    spec = {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
            "securityContext": {}, "schedulerName": "default-scheduler", "nodeSelector": {"zone": "a"},
            "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
    return {"apiVersion": GROUP, "kind": "Workload",
            "metadata": {"name": name, "namespace": NAMESPACE,
                         "labels": {"kueue.x-k8s.io/job-uid": "00000000-0000-0000-0000-000000000000"}},
            "spec": {"queueName": "queue", "priority": 0, "active": True,
                     "podSets": [{"name": "main", "count": 3, "template": {"metadata": {"labels": {"app": "train"}}, "spec": spec}}]}}


def condition(kind, reason):
    return {"type": kind, "status": "True", "reason": reason, "message": f"{reason}, as it was decided", "lastTransitionTime": NOW}


def admission():
    return {"status": {
        "conditions": [condition("QuotaReserved", "QuotaReserved"), condition("Admitted", "Admitted")],
        "admission": {"clusterQueue": "cluster-queue", "podSetAssignments": [{
            "name": "main", "count": 3, "flavors": {"cpu": "default", "memory": "default", "nvidia.com/gpu": "default"},
            "resourceUsage": {"cpu": "12", "memory": "48Gi", "nvidia.com/gpu": "3"}}]}}}


def finish():
    return {"status": {"conditions": [*admission()["status"]["conditions"], condition("Finished", "Succeeded")]}}


def without(schema, word):
    if isinstance(schema, dict):
        return {k: without(v, word) for k, v in schema.items() if k != word}
    return [without(s, word) for s in schema] if isinstance(schema, list) else schema


def variants(crd):
    """Name -> CRD of the Workload, and whether there are policies."""
    def template(change):
        new = copy.deepcopy(crd)
        change(new["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["podSets"]["items"]["properties"])
        return new

    untyped = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "x-kubernetes-map-type": "atomic"}
    return {
        "as shipped": (crd, True),
        "without policies": (crd, False),
        "without policies and rules in the schema": (without(crd, "x-kubernetes-validations"), False),
        "template untyped": (template(lambda p: p.update(template=untyped)), True),
        "template with the bookkeeping of its fields": (template(lambda p: p["template"].pop("x-kubernetes-map-type")), True),
    }


class Meter:
    def __init__(self, directory):
        self.pids = {n: int((directory / f"{n}.pid").read_text()) for n in ("apiserver", "etcd")}

    def read(self):
        def ms(pid):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
        return {n: ms(p) for n, p in self.pids.items()}


def together(kubeconfig, jobs):
    """Runs the jobs, each with a connection of its thread."""
    failures = []

    def work(part):
        api = Api(kubeconfig)
        try:
            for job in part:
                job(api)
        except Exception as e:  # a thread that ends early would make the figures wrong
            failures.append(e)
    threads = [threading.Thread(target=work, args=(jobs[i::STREAMS],)) for i in range(STREAMS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]


def one_round(kubeconfig, meter, prefix, n):
    path = f"/apis/{GROUP}/namespaces/{NAMESPACE}/workloads"
    names = [f"{prefix}-{i}" for i in range(n)]
    steps = {
        "create": [lambda api, o=json.dumps(workload(w)): api.call("POST", path, o) for w in names],
        "admit": [lambda api, w=w: api.call("PATCH", f"{path}/{w}/status", admission(), MERGE) for w in names],
        "finish": [lambda api, w=w: api.call("PATCH", f"{path}/{w}/status", finish(), MERGE) for w in names],
    }
    out = {}
    for step, jobs in steps.items():
        before = meter.read()
        together(kubeconfig, jobs)
        after = meter.read()
        out[step] = {p: (after[p] - before[p]) / n for p in after}
    return out


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("root", type=pathlib.Path)
    options.add_argument("directory", type=pathlib.Path)
    options.add_argument("--objects", type=int, default=150)
    options.add_argument("--rounds", type=int, default=12)
    options.add_argument("--only", default="")
    o = options.parse_args()
    kubeconfig = str(o.directory / "kubeconfig")
    test = Test(o.root.resolve(), Api(kubeconfig))
    test.namespace(NAMESPACE)
    test.clear()
    test.install_crds(True)
    crd = next(c for c in test.crds if c["spec"]["names"]["kind"] == "Workload")
    meter, results = Meter(o.directory), {}
    todo = {k: v for k, v in variants(crd).items() if o.only in k}
    for i in range(o.rounds + 1):
        for j, (name, (form, policies)) in enumerate(todo.items()):
            test.api.apply(form)
            if policies:
                test.install_policies()
            else:
                test.drop_policies()
            time.sleep(2)
            got = one_round(kubeconfig, meter, f"r{i}v{j}", o.objects)
            if i:  # the first round only warms up
                results.setdefault(name, []).append(got)
            test.api.call("DELETE", f"/apis/{GROUP}/namespaces/{NAMESPACE}/workloads")
    print("| form of the CRD | create | admit | finish | etcd |\n|---|---|---|---|---|")
    for name, rounds in results.items():
        cells = [statistics.median(r[s]["apiserver"] for r in rounds) for s in ("create", "admit", "finish")]
        etcd = statistics.median(sum(r[s]["etcd"] for s in r) / 3 for r in rounds)
        print(f"| {name} | " + " | ".join(f"{c:.2f}" for c in [*cells, etcd]) + " |")


if __name__ == "__main__":
    main()
