#!/usr/bin/env -S python3 -B
"""The CRDs and the policies on our own kinds, against a real API server.

crds_test.py ROOT [--kubeconfig FILE] [--only WORD]

Without --kubeconfig it starts tests/cluster (--mini) and ends it. SLUICE_SHARED names the directory with recorded cases and public
manifests (default: ROOT/../shared); without it only our own cases run. The last line is "N passed, N failed, N left out".
Exit status 77: there is no API server to be had here.
"""
import argparse
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import yaml

sys.dont_write_bytecode = True
from api import Api, Refused, path_of

GROUP = "kueue.x-k8s.io/v1beta2"
# A fragment of a page: Kueue's own webhook refuses it too ("admissionCheckStrategy refers to a flavor that is not in quota").
FRAGMENTS = {"manifests/admin/minimal-cq.yaml": "spec.admissionChecksStrategy.admissionChecks[0].onFlavors[0]"}
NAMESPACE = "crds-test"
ACTIVE_S = 10  # a policy and a changed schema become active about a second after they are stored
RULES = ("x-kubernetes-validations", "pattern", "enum", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum",
         "minProperties", "maxProperties", "format")


def documents(path):
    with open(path, encoding="utf-8") as f:
        return [d for d in yaml.safe_load_all(f) if d]


def loose(node):
    """A schema without its rules: what was stored before there were any."""
    if isinstance(node, dict):
        return {k: v if k == "properties" and not isinstance(v, dict) else
                ({p: loose(s) for p, s in v.items()} if k == "properties" else loose(v))
                for k, v in node.items() if k not in RULES}
    return [loose(n) for n in node] if isinstance(node, list) else node


class Case:
    """One write that is accepted, or refused at one of `fields` (any when empty)."""

    def __init__(self, name, after, before=None, gates=None, refused=None, fields=(), stored=None, was_loose=False):
        self.name, self.before, self.after, self.gates = name, before, after, gates or {}
        self.refused, self.fields, self.stored, self.was_loose = refused, set(fields), stored, was_loose


# ---- recorded cases

def complete(o):
    """Adds what Kueue's own schema requires and the recorded objects, which only its webhooks saw, lack."""
    spec, status = o.get("spec", {}), o.get("status", {})
    for g in spec.get("resourceGroups", []):
        g.setdefault("coveredResources", ["cpu"])
        for f in g["flavors"]:
            f.setdefault("resources", [{"name": r, "nominalQuota": "0"} for r in g["coveredResources"]])
    for p in spec.get("podSets", []):
        p["template"].setdefault("spec", {}).setdefault("containers", [{"name": "c"}])
    for i, c in enumerate(status.get("admissionChecks", [])):
        c.setdefault("name", f"check{i}")
        c.setdefault("state", "Pending")
        c.setdefault("lastTransitionTime", "2026-01-01T00:00:00Z")
    return o


def queue_of(groups, flavors, resources):
    return {"apiVersion": GROUP, "kind": "ClusterQueue", "metadata": {"name": "cq"}, "spec": {"resourceGroups": [{
        "coveredResources": [f"example.com/r{g}-{r}" for r in range(resources)],
        "flavors": [{"name": f"f{g}-{f}", "resources": [
            {"name": f"example.com/r{g}-{r}", "nominalQuota": "1"} for r in range(resources)]} for f in range(flavors)],
    } for g in range(groups)]}}


def errors_of(want):
    """The fields of an expectation: a list of field errors, the text of some, or only true."""
    if isinstance(want, list):
        return {e["field"] for e in want}
    if isinstance(want, dict):
        return set(re.findall(r"(?:^\[?|, )((?:spec|status|metadata)\.\S*?): ", want["error"] + ": "))
    return set()


def recorded(shared):
    cases = []
    for path in sorted((shared / "vectors").glob("webhooks__*.json")):
        table = json.loads(path.read_text())
        for c in table["cases"]:
            i, want = c["input"], c["want"].get("wantErr")
            name = f"{path.stem}: {c['name']}"
            gates = {**table.get("gates", {}), **c.get("gates", {}), **(i.get("featureGates") or {})}
            if "Combinations" in path.stem:
                after = queue_of(1, i["numFlavors"], i["numResources"])
            elif "TotalFlavors" in path.stem:
                n = -(-i["numFlavors"] // 64)
                after = queue_of(n, -(-i["numFlavors"] // n), 1)
            elif "TotalCovered" in path.stem:
                n = -(-i["numCoveredRes"] // 64)
                after = queue_of(n, 1, i["numCoveredRes"] // n)
            else:
                after = next(i[k] for k in ("clusterQueue", "newClusterQueue", "cohort", "rf", "workload", "after") if k in i)
            before = i.get("before") or i.get("oldClusterQueue")
            cases.append(Case(name, complete(after), before and complete(before), gates, bool(want), errors_of(want), was_loose=True))
    return cases


# ---- our own cases

def merged(base, change):
    if not isinstance(base, dict) or not isinstance(change, dict):
        return copy.deepcopy(change)
    out = copy.deepcopy(base)
    for k, v in change.items():
        if v is None:
            out.pop(k, None)
        else:
            out[k] = merged(out.get(k), v)
    return out


def own(folder):
    """Documents of a file: one with `base` (an object that the others change), then the cases."""
    cases = []
    for path in sorted(folder.glob("*.yaml")):
        base = {}
        for d in documents(path):
            if "base" in d:
                base = d["base"]
                continue
            before = merged(base, d["before"]) if "before" in d else None
            after = merged(before if before is not None else base, d["object"])
            refused = d.get("refused")
            case = Case(f"{path.name}: {d['name']}", after, before, d.get("gates"), refused is not None, [refused] if refused else [],
                        d.get("stored"), d.get("stored-before-the-rules", False))
            case.row = d.get("row")
            cases.append(case)
    return cases


def largest():
    """As much as the schemas let through: the policies must not run out of what they may cost."""
    def limited(kind, parent, groups, flavors, resources):
        o = queue_of(groups, flavors, resources)
        o["kind"], o["spec"][parent] = kind, "c"
        for g in o["spec"]["resourceGroups"]:
            for f in g["flavors"]:
                f["name"] += "-" + "x" * 200
                for r in f["resources"]:
                    r.update(lendingLimit="1", borrowingLimit="1")
        return o
    queue = limited("ClusterQueue", "cohortName", 16, 16, 16)
    flavors = [g["flavors"][0]["name"] for g in queue["spec"]["resourceGroups"]]
    queue["spec"]["admissionChecksStrategy"] = {"admissionChecks": [{"name": f"c{i}", "onFlavors": flavors} for i in range(64)]}
    amounts = {f"example.com/r{i}": "1" for i in range(8)}
    container = {"resources": {"requests": amounts, "limits": amounts}}
    workload = {"apiVersion": GROUP, "kind": "Workload", "metadata": {"name": "w"}, "spec": {"podSets": [
        {"name": f"p{i}", "template": {"spec": {"containers": [{"name": f"c{j}", **container} for j in range(40)]}}} for i in range(18)]}}
    variants = queue_of(1, 17, 1)
    variants["spec"]["concurrentAdmissionPolicy"] = {"migration": {"mode": "TryPreferredFlavors"}}
    return [Case("the largest ClusterQueue", queue), Case("a large Cohort", limited("Cohort", "parentName", 16, 64, 4)),
            Case("the most pod sets", workload),
            Case("too many resources", queue_of(5, 1, 52), refused=True, fields=["spec.resourceGroups"]),
            Case("too many flavors", queue_of(5, 52, 1), refused=True, fields=["spec.resourceGroups"]),
            Case("too many flavors times resources", queue_of(1, 9, 57), refused=True, fields=["spec.resourceGroups[0]"]),
            Case("too many variants", variants, gates={"ConcurrentAdmission": True}, refused=True,
                 fields=["spec.resourceGroups[0].flavors"])]


def rules_of(schema):
    """The messages of the rules in a schema."""
    if isinstance(schema, dict):
        for k, v in schema.items():
            if k == "x-kubernetes-validations":
                yield from (r["message"] for r in v)
            else:
                yield from rules_of(v)
    elif isinstance(schema, list):
        for s in schema:
            yield from rules_of(s)


# ---- the test

class Test:
    def __init__(self, root, api):
        self.root, self.api = root, api
        self.passed, self.failures, self.left_out = 0, [], []
        self.crds = [d for p in sorted((root / "crds").glob("*.yaml")) for d in documents(p)]
        self.policies = documents(root / "deploy/policies/kinds.yaml")
        self.gates = {v["name"]: v["expression"] for d in self.policies for v in d["spec"].get("variables", [])
                      if v["expression"] in ("true", "false")}
        self.serial = 0
        self.said = []

    def check(self, what, good):
        if good:
            self.passed += 1
        else:
            self.failures.append(what)

    # -- installing

    def install_crds(self, rules):
        for crd in self.crds:
            self.api.apply(crd if rules else {**crd, "spec": {**crd["spec"], "versions": [
                {**v, "schema": loose(v["schema"])} for v in crd["spec"]["versions"]]}})
        deadline = time.monotonic() + ACTIVE_S
        canary = {"apiVersion": GROUP, "kind": "ResourceFlavor", "metadata": {"name": "canary"},
                  "spec": {"nodeTaints": [{"key": "a", "effect": "wrong"}]}}
        while True:  # until the schema that decides is the new one
            try:
                self.api.call("POST", f"/apis/{GROUP}/resourceflavors?dryRun=All", canary)
                refused = False
            except Refused as e:
                refused = e.code == 422
                if not refused and e.code != 404:
                    raise
            if refused == rules:
                time.sleep(1)  # the schemas of the other kinds
                return
            if time.monotonic() > deadline:
                raise SystemExit("the API server does not take up the CRDs")
            time.sleep(0.05)

    def differing(self, gates):
        """Of some feature gates those that policies look at and that are not as in kinds.yaml."""
        named = {g: str(v).lower() for g, v in gates.items() if g in self.gates}
        return tuple(sorted((g, v) for g, v in named.items() if v != self.gates[g]))

    def install_policies(self, differing=()):
        """As kinds.yaml has them, but for some feature gates."""
        for d in copy.deepcopy(self.policies):
            for v in d["spec"].get("variables", []):
                v["expression"] = dict(differing).get(v["name"], v["expression"])
            self.api.apply(d)

    # -- one case

    def place(self, o, name):
        o = copy.deepcopy(o)
        o["metadata"]["name"] = name
        if o["kind"] in ("Workload", "LocalQueue"):
            o["metadata"]["namespace"] = NAMESPACE
        else:
            o["metadata"].pop("namespace", None)
        return o

    def store(self, o, dry=False):
        """Creates it and writes its status; with `dry` the last of the two only as a trial."""
        has_status = bool(o.get("status"))
        got = self.api.create({k: v for k, v in o.items() if k != "status"}, dry and not has_status)
        if has_status:
            got = self.api.put({**got, "status": o["status"]}, "status", dry)
        return got

    def change(self, before, o):
        """From what is stored to `o`: the object without its status, then the status, each if it differs, the last as a trial."""
        stored = self.api.get(o)
        kept = {k: v for k, v in stored["metadata"].items() if k not in ("annotations", "labels", "finalizers")}
        now = {**stored, **{k: v for k, v in o.items() if k not in ("status", "metadata")}, "metadata": {**kept, **o["metadata"]}}
        has_status = before.get("status") != o.get("status")
        if {**before, "status": None} != {**o, "status": None} or not has_status:
            stored = self.api.put(now, dry=not has_status)
        if has_status:
            stored = self.api.put({**stored, "status": o.get("status", {})}, "status", True)
        return stored

    def attempt(self, case):
        """What the API server makes of it: None or Refused. Can be repeated."""
        try:
            if case.before is None:
                case.got = self.store(case.placed, True)
            else:
                case.got = self.change(self.place(case.before, case.placed["metadata"]["name"]), case.placed)
            return None
        except Refused as e:
            if e.code not in (400, 422, 403):
                raise
            return e
        finally:
            if case.before is None and case.placed.get("status"):
                self.api.delete(case.placed)

    def is_expected(self, case, refusal):
        if not case.refused:
            return refusal is None
        return refusal is not None and (not case.fields or bool(case.fields & refusal.fields))

    def run(self, case):
        deadline = time.monotonic() + ACTIVE_S
        refusal = self.attempt(case)
        while not self.is_expected(case, refusal) and time.monotonic() < deadline and self.fresh:
            time.sleep(0.2)
            refusal = self.attempt(case)
        self.fresh = False if refusal is None and case.refused else self.fresh
        what = f"accepted, not refused at {sorted(case.fields)}" if refusal is None else f"refused: {refusal} {sorted(refusal.fields)}"
        if case.refused and refusal is not None:
            what += f", not at {sorted(case.fields)}"
        if refusal is not None:
            self.said.append(refusal.text)
        self.check(f"{case.name}: {what}", self.is_expected(case, refusal))
        if case.stored is not None and refusal is None:
            self.check(f"{case.name}: stored as {json.dumps(case.got)}", merged(case.got, case.stored) == case.got)

    def prepare(self, cases, was_loose):
        for case in cases:
            if not hasattr(case, "placed"):
                self.serial += 1
                case.placed = self.place(case.after, f"case-{self.serial}")
            if case.before is not None and case.was_loose == was_loose:
                self.store_patiently(self.place(case.before, case.placed["metadata"]["name"]))

    def store_patiently(self, o):
        """Policies from before may still refuse it for a moment."""
        deadline = time.monotonic() + ACTIVE_S
        while True:
            try:
                return self.store(o)
            except Refused as e:
                if e.code != 422 or time.monotonic() > deadline:
                    raise
            time.sleep(0.2)
            self.api.delete(o)

    def run_all(self, cases):
        """Those with other gates than the default come last; in a group the refused come first, so that the policies are known to
        be active when something is accepted."""
        self.prepare(cases, True)
        self.install_crds(True)
        groups = {}
        for case in cases:
            groups.setdefault(self.differing(case.gates), []).append(case)
        for differing in sorted(groups, key=lambda d: (len(d), d)):
            self.install_policies(differing)
            self.fresh = True
            self.prepare(groups[differing], False)
            for case in sorted(groups[differing], key=lambda c: not c.refused):
                self.run(case)
        self.install_policies()

    def drop_policies(self):
        for kind in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"):
            some = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind}
            for d in self.api.call("GET", path_of(some, named=False))["items"]:
                if d["metadata"]["name"].startswith("sluice-"):
                    self.api.delete({**some, "metadata": d["metadata"]})

    def clear(self):
        """Whatever an earlier run left: policies, objects with their finalizers, CRDs."""
        self.drop_policies()
        for crd in self.crds:
            try:
                found = self.api.call("GET", f"/apis/{GROUP}/{crd['spec']['names']['plural']}")["items"]
            except Refused:
                continue
            for o in found:
                self.api.delete(o)
            self.api.delete(crd)

    def all_said(self):
        """Each rule has refused something."""
        for crd in self.crds:
            for message in set(rules_of(crd)):
                self.check(f"{crd['metadata']['name']}: nothing was refused with: {message}",
                           any(f"{crd['spec']['names']['kind']}.kueue" in s and message in s for s in self.said))
        for d in self.policies:
            for v in d["spec"].get("validations", []):
                words = [v["message"]]
                if "messageExpression" in v:
                    words = [w for a, b in re.findall(r"'([^']*)'|\"([^\"]*)\"", v["messageExpression"]) for w in [a or b] if ": " in w]
                self.check(f"{d['metadata']['name']}: nothing was refused with: {words}",
                           any(f"'{d['metadata']['name']}'" in s and any(w in s for w in words) for s in self.said))

    # -- manifests, columns, the list of rules

    def manifests(self, shared):
        seen = 0
        for path in sorted(shared.glob("manifests/**/*.yaml")):
            ours = [d for d in documents(path) if str(d.get("apiVersion", "")).startswith("kueue.x-k8s.io/")]
            for o in ours:
                seen += 1
                if o["kind"] in ("Workload", "LocalQueue"):
                    self.namespace(o["metadata"].setdefault("namespace", NAMESPACE))
                try:
                    self.api.apply(o)
                    self.check("", True)
                except Refused as e:
                    fragment = FRAGMENTS.get(str(path.relative_to(shared)))
                    self.check(f"{path.relative_to(shared)}: {o['kind']} {o['metadata']['name']}: {e}", fragment in e.fields)
            for o in ours:
                self.api.delete(o)
        self.check("there are manifests of our kinds", seen > 0)

    def namespace(self, name):
        try:
            self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        except Refused as e:
            if e.code != 409:
                raise

    def columns(self):
        """What kubectl get shows."""
        for plural, want in {
                "clusterqueues": ["Name", "Cohort", "Strategy", "Pending Workloads", "Admitted Workloads"],
                f"namespaces/{NAMESPACE}/localqueues": ["Name", "ClusterQueue", "Pending Workloads", "Admitted Workloads"],
                f"namespaces/{NAMESPACE}/workloads": ["Name", "Queue", "Reserved in", "Admitted", "Finished", "Age"],
                "workloadpriorityclasses": ["Name", "Value"]}.items():
            table = self.api.call("GET", f"/apis/{GROUP}/{plural}", accept="application/json;as=Table;v=v1;g=meta.k8s.io")
            got = [c["name"] for c in table["columnDefinitions"]]
            self.check(f"columns of {plural}: {got}", got == want)

    def readme(self, cases):
        """crds/README.md lists every rule with its place, and what it names exists."""
        text = (self.root / "crds/README.md").read_text()
        rows = {m.group(1): m.group(2) for m in re.finditer(r"^\| (K\d+) \|.*?\| ([^|]*) \|$", text, re.MULTILINE)}
        tested = {c.row for c in cases if c.refused}
        for k in (f"K{n}" for n in range(1, 19)):
            places = re.findall(r"`([^`]+)`", rows.get(k, ""))
            self.check(f"crds/README.md: {k} has no place", bool(places))
            self.check(f"tests/crds/cases: {k} has no case that is refused", k in tested)
            for place in places:
                self.check(f"crds/README.md: {k} names {place}, which is not there", self.exists(place))

    def exists(self, place):
        """`FILE.yaml: WORDS` of a CRD, `NAME: WORDS` of a policy, or a file of ours."""
        name, _, words = place.partition(": ")
        if name.endswith(".yaml"):
            path = self.root / "crds" / name
            return path.exists() and bool(words) and words in path.read_text()
        policy = next((d for d in self.policies if d["metadata"]["name"] == name and "validations" in d["spec"]), None)
        if policy:
            return bool(words) and any(words in v["message"] + v.get("messageExpression", "") for v in policy["spec"]["validations"])
        return "/" in name and (self.root / name).exists()


def run(root, kubeconfig, only):
    test = Test(root, Api(kubeconfig))
    test.namespace(NAMESPACE)
    test.clear()
    test.install_crds(False)
    mine = own(root / "tests/crds/cases")
    cases = mine + largest()
    shared = pathlib.Path(os.environ.get("SLUICE_SHARED") or root / "../shared")
    if (shared / "vectors").is_dir():
        cases += recorded(shared)
    else:
        test.left_out.append(f"recorded cases of Kueue's webhooks: no {shared}/vectors (111 cases)")
    test.run_all([c for c in cases if only in c.name])
    if (shared / "manifests").is_dir():
        test.manifests(shared)
    else:
        test.left_out.append(f"public manifests: no {shared}/manifests")
    test.columns()
    if not only:
        test.all_said()
        test.readme(mine)
    for f in test.failures:
        print(f"failed: {f}")
    for l in test.left_out:
        print(f"left out: {l}")
    print(f"{test.passed} passed, {len(test.failures)} failed, {len(test.left_out)} left out")
    return 1 if test.failures or not test.passed else 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("root", type=pathlib.Path)
    options.add_argument("--kubeconfig")
    options.add_argument("--only", default="", help="cases whose name holds this word")
    o = options.parse_args()
    root = o.root.resolve()
    if o.kubeconfig:
        return run(root, o.kubeconfig, o.only)
    up = subprocess.run([root / "tests/cluster/up", "--mini"], stdout=subprocess.PIPE, text=True, check=False)
    if up.returncode:
        print("left out: no control plane here" if up.returncode == 77 else "failed: tests/cluster/up")
        print(f"0 passed, {int(up.returncode != 77)} failed, {int(up.returncode == 77)} left out")
        return up.returncode
    kubeconfig = up.stdout.strip().splitlines()[-1]
    try:
        return run(root, kubeconfig, o.only)
    finally:
        subprocess.run([root / "tests/cluster/down", kubeconfig], check=False)


if __name__ == "__main__":
    sys.exit(main())
