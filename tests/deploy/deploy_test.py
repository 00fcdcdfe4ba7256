#!/usr/bin/env -S python3 -B
"""deploy/ against a real API server: manifests apply, the policies on jobs do what Kueue's webhooks do, RBAC is what the controller needs.

deploy_test.py SLUICE [ROOT]     SLUICE is the program; exit status 77 when the control plane cannot be built here

The recorded tables of Kueue's webhooks run too when SLUICE_SHARED (or ROOT/../shared) has them. The last line is
"N passed, N failed, N left out"; what is left out, and why, stands before it.
"""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).resolve().parents[2])
SLUICE = pathlib.Path(sys.argv[1]).resolve()
sys.path[:0] = [str(ROOT / "tests/cluster"), str(ROOT / "tests/deploy")]
sys.dont_write_bytecode = True
import cases  # noqa: E402
import tables  # noqa: E402
from cluster import Cluster  # noqa: E402

DEADLINE_S = 60
CONFIG = ROOT / "deploy/base/controller_manager_config.yaml"
SHARED = pathlib.Path(os.environ.get("SLUICE_SHARED") or ROOT / "../shared")
WHERE = {"Job": "/apis/batch/v1/namespaces/{}/jobs", "JobSet": "/apis/jobset.x-k8s.io/v1alpha2/namespaces/{}/jobsets"}
VERSION = {"Job": "batch/v1", "JobSet": "jobset.x-k8s.io/v1alpha2"}
MERGE = "application/merge-patch+json"
QUEUE = "kueue.x-k8s.io/queue-name"
CLASS = "kueue.x-k8s.io/priority-class"

results = {"passed": 0, "failed": 0, "left out": 0}


def check(what, good, detail=""):
    results["passed" if good else "failed"] += 1
    if not good:
        print(f"FAILED {what}: {detail}", flush=True)


def leave_out(what, why):
    results["left out"] += 1
    print(f"left out {what}: {why}", flush=True)


def rendered(*arguments, config=CONFIG):
    done = subprocess.run([SLUICE, "policies", "--config", config, *arguments], capture_output=True, text=True, check=False)
    check(f"sluice policies {' '.join(arguments)}", done.returncode == 0, done.stderr)
    return done.stdout


# ---- objects -----------------------------------------------------------------------------------------------------------------

def job_of(kind, thing, name):
    """A case's object (cases.thing) as the API has it."""
    template = {"metadata": {"annotations": thing["template"]}, "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    spec = dict(thing["spec"])
    if kind == "Job":
        spec["template"] = template
    else:
        spec.setdefault("replicatedJobs", [{"name": "job", "template": {"spec": {"template": template}}}])
    return {"apiVersion": VERSION[kind], "kind": kind,
            "metadata": {"name": name, "labels": thing["labels"], "annotations": thing["annotations"]}, "spec": spec}


def merge(old, new):
    """A merge patch that makes `new` of `old`, of what a job may change."""
    patch = {"metadata": {}, "spec": {"suspend": new["spec"].get("suspend", False)}}
    for key in ("labels", "annotations"):
        patch["metadata"][key] = {**dict.fromkeys(old["metadata"].get(key) or {}), **(new["metadata"].get(key) or {})}
    for key in ("parallelism", "completions"):
        if key in new["spec"]:
            patch["spec"][key] = new["spec"][key]
    of_template = new["spec"].get("template", {}).get("metadata", {}).get("annotations")
    if of_template:
        patch["spec"]["template"] = {"metadata": {"annotations": of_template}}
    return patch


class Stuck(Exception):
    """Something that all that follows needs did not come."""


class Api:
    def __init__(self, cluster):
        self.cluster = cluster
        self.bin = cluster.dir / "bin"
        self.kubeconfig = cluster.dir / "kubeconfig"

    def kubectl(self, *arguments, text=None, kubeconfig=None):
        return subprocess.run([self.bin / "kubectl", "--kubeconfig", kubeconfig or self.kubeconfig, *map(str, arguments)], input=text,
                              capture_output=True, text=True, check=False)

    def apply(self, what, *arguments, text=None):
        done = self.kubectl("apply", "--server-side", "--validate=strict", "--force-conflicts", *arguments, text=text)
        check(f"{what} applies", done.returncode == 0, done.stderr)

    def create(self, job, namespace="default", dry=True):
        path = WHERE[job["kind"]].format(namespace) + ("?dryRun=All" if dry else "")
        return self.cluster.request("POST", path, job)

    def change(self, kind, name, patch, namespace="default"):
        return self.cluster.request("PATCH", f"{WHERE[kind].format(namespace)}/{name}?dryRun=All", patch, MERGE)

    def until(self, what, condition):
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.1)
        check(what, False, "never happened")
        raise Stuck(what)


def refusal(answer):
    """What a policy says, without its name in front."""
    return re.sub(r"^.* denied request: ", "", answer[1].get("message", "")) if answer[0] >= 300 else ""


# ---- the tests ---------------------------------------------------------------------------------------------------------------

def test_texts():
    check("deploy/policies/jobs.yaml is what sluice policies prints", rendered() == (ROOT / "deploy/policies/jobs.yaml").read_text())
    check("deploy/policies/without-mutating/jobs.yaml is what sluice policies prints",
          rendered("--without-mutating") == (ROOT / "deploy/policies/without-mutating/jobs.yaml").read_text())


def test_manifests(api):
    for name in ("deploy", "deploy/before-1.36"):
        done = api.kubectl("kustomize", ROOT / name)
        check(f"kubectl kustomize {name}", done.returncode == 0, done.stderr)
        if done.returncode == 0:
            api.apply(name, "--dry-run=server" if name != "deploy" else "--dry-run=none", "-f", "-", text=done.stdout)
    # A second time nothing changes: what is applied is what is stored.
    done = api.kubectl("diff", "--server-side", "--force-conflicts", "-k", ROOT / "deploy")
    check("a second apply changes nothing", done.returncode == 0, done.stdout[:2000] + done.stderr)


def test_arguments(api):
    """What the StatefulSet calls the program with is what the program knows."""
    shown = json.loads(api.kubectl("get", "statefulset", "sluice-controller", "-n", "kueue-system", "-o", "json").stdout)
    arguments = shown["spec"]["template"]["spec"]["containers"][0]["args"]
    known = subprocess.run([SLUICE, "help", arguments[0]], capture_output=True, text=True, check=False).stdout
    for argument in arguments[1:]:
        option = argument.partition("=")[0]
        check(f"sluice {arguments[0]} knows {option}", re.search(rf"{option}\b", known), known)


def test_component(api):
    """The ServiceMonitor joins where it is asked for; its CRD is not here, so it is not applied."""
    with tempfile.TemporaryDirectory() as d:
        deploy = os.path.relpath(ROOT / "deploy", os.path.realpath(d))
        (pathlib.Path(d) / "kustomization.yaml").write_text(f"resources: [{deploy}]\ncomponents: [{deploy}/components/service-monitor]\n")
        done = api.kubectl("kustomize", d)
        check("the ServiceMonitor joins", done.returncode == 0 and "kind: ServiceMonitor" in done.stdout, done.stderr)
    check("it is not there unasked", "ServiceMonitor" not in api.kubectl("kustomize", ROOT / "deploy").stdout)


def active(api):
    """The policies have come to life: of one policy is not of all, so each is asked."""
    def refused(labels=None, annotations=None, template=None, kind="Job", **spec):
        return refusal(api.create(job_of(kind, cases.thing(labels, annotations, template, **spec), "probe")))
    return (refused({"queue-name": "A"}) and refused({"queue-name": "A"}, kind="JobSet") and
            refused({}, {cases.LEAST: "none"}) and refused({}, {}, {"podset-slice-size": "1"}) and
            refusal(api.create(job_of("JobSet", cases.replicated((1, {"slice-size": "1"})), "probe"))) and
            api.create(job_of("Job", cases.thing({"queue-name": "a"}), "probe"))[1]["spec"].get("suspend") is True)


def make_old_objects(api):
    """Objects to be changed, from before the policies: some are such as cannot be made any more."""
    for number, (_, kind, old, _, _) in enumerate(cases.ALL):
        if old:
            status, answer = api.create(job_of(kind, old, f"case-{number}"), dry=False)
            check(f"old object of case {number}", status == 201, answer.get("message"))


def test_cases(api):
    for number, (row, kind, old, new, wanted) in enumerate(cases.ALL):
        name = f"case-{number}"
        if old:
            answer = api.change(kind, name, merge(job_of(kind, old, name), job_of(kind, new, name)))
        else:
            answer = api.create(job_of(kind, new, name))
        text = refusal(answer)
        good = answer[0] < 300 if wanted is None else text.startswith(wanted)
        check(f"{row} {kind} {new}", good, f"wanted {wanted or 'no refusal'}, got {answer[0]} {text}")


def seen(api, labels=None, annotations=None, kind="Job", namespace="default", owner=None, **spec):
    """(suspended, queue, class) of a job that is created so."""
    job = job_of(kind, cases.thing(labels, annotations, **spec), "seen")
    if owner:
        version, of, controller = owner
        job["metadata"]["ownerReferences"] = [{"apiVersion": version, "kind": of, "name": "o", "uid": "u", "controller": controller}]
    status, answer = api.create(job, namespace)
    if status != 201:
        return answer.get("message")
    labels = answer["metadata"].get("labels") or {}
    return answer["spec"].get("suspend", False), labels.get(QUEUE), labels.get(CLASS)


def test_suspension(api):
    for kind in ("Job", "JobSet"):
        rows = [
            ("in a queue", dict(labels={"queue-name": "q"}), (True, "q", None)),
            ("in a queue and already suspended", dict(labels={"queue-name": "q"}, suspend=True), (True, "q", None)),
            ("in no queue", {}, (False, None, None)),
            ("in no queue, with other labels", dict(labels={"app.example.com/x": "y"}), (False, None, None)),
            ("child of a job of ours", dict(labels={"queue-name": "q"}, owner=("jobset.x-k8s.io/v1alpha2", "JobSet", True)), (False, "q", None)),
            ("child of a Pod", dict(labels={"queue-name": "q"}, owner=("v1", "Pod", True)), (False, "q", None)),
            ("child of something else", dict(labels={"queue-name": "q"}, owner=("example.com/v1", "JobSet", True)), (True, "q", None)),
            ("owned, not controlled", dict(labels={"queue-name": "q"}, owner=("batch/v1", "Job", False)), (True, "q", None)),
            ("in the system's namespace", dict(labels={"queue-name": "q"}, namespace="kube-system"), (False, "q", None)),
        ]
        for what, given, wanted in rows:
            got = seen(api, kind=kind, **given)
            check(f"{kind} {what}", got == wanted, f"wanted {wanted}, got {got}")


def put_defaults(api):
    api.apply("default queue and class", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "with-default"}},
        {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "LocalQueue", "metadata": {"name": "default", "namespace": "with-default"},
         "spec": {"clusterQueue": "any"}}]}))
    api.until("the default queue is seen", lambda: seen(api, namespace="with-default")[1] == "default")


def test_defaults(api):
    put_defaults(api)
    for kind in ("Job", "JobSet"):
        rows = [
            ("without a queue", {}, (True, "default", None)),
            ("with other labels", dict(labels={"app.example.com/x": "y"}), (True, "default", None)),
            ("with an empty queue", dict(labels={"queue-name": ""}), (True, "default", None)),
            ("with a queue", dict(labels={"queue-name": "q"}), (True, "q", None)),
            ("child of a job of ours", dict(owner=("batch/v1", "Job", True)), (False, None, None)),
            ("child of a kind that is not switched on", dict(owner=("kubeflow.org/v2beta1", "MPIJob", True)), (False, "default", None)),
        ]
        for what, given, wanted in rows:
            got = seen(api, kind=kind, namespace="with-default", **given)
            check(f"{kind} {what}, there is a default queue", got == wanted, f"wanted {wanted}, got {got}")
    for kind in ("Job", "JobSet"):
        api.create(job_of(kind, cases.thing({"queue-name": "q"}), "keeper"), "with-default", dry=False)
        answer = api.change(kind, "keeper", {"metadata": {"labels": {QUEUE: None}}}, "with-default")
        check(f"J7 {kind} keeps a queue", refusal(answer).startswith(
            cases.label("queue-name") + 'Invalid value: "": queue-name must not be empty in namespace with default queue'), answer)
        api.create(job_of(kind, cases.thing({"queue-name": "q"}), "leaver"), dry=False)
        answer = api.change(kind, "leaver", {"metadata": {"labels": {QUEUE: None}}})
        check(f"J7 {kind} without a default queue", answer[0] == 200, answer)


def test_default_class(api):
    api.apply("default class", "-f", "-", text=json.dumps(
        {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "WorkloadPriorityClass", "metadata": {"name": "default"}, "value": 5}))
    api.until("the default class is seen", lambda: seen(api, labels={"queue-name": "q"})[2] == "default")
    for kind in ("Job", "JobSet"):
        for what, given, wanted in [("without a class", {}, (False, None, "default")),
                                    ("with a class", dict(labels={"priority-class": "high"}), (False, None, "high")),
                                    ("child", dict(owner=("batch/v1", "Job", True)), (False, None, None)),
                                    ("of the system", dict(namespace="kube-system"), (False, None, None))]:
            got = seen(api, kind=kind, **given)
            check(f"{kind} {what}, there is a default class", got == wanted, f"wanted {wanted}, got {got}")
    api.cluster.request("DELETE", "/apis/kueue.x-k8s.io/v1beta2/workloadpriorityclasses/default")
    api.until("the default class is gone", lambda: seen(api)[2] is None)


def test_anybody_may_start(api):
    """Whoever may change a job may start it: no policy asks who does."""
    api.kubectl("create", "rolebinding", "alice", "--clusterrole=kueue-job-editor-role", "--user=alice")
    api.create(job_of("Job", cases.thing({"queue-name": "q"}), "mine"), dry=False)
    done = api.kubectl("patch", "job", "mine", "--as=alice", "--type=merge", "--dry-run=server", "-p", '{"spec": {"suspend": false}}')
    check("a user starts a job", done.returncode == 0, done.stderr)
    done = api.kubectl("create", "job", "theirs", "--as=bob", "--image=i", "--dry-run=server")
    check("a user without a role does not", done.returncode != 0 and "forbidden" in done.stderr, done.stderr)


# verb, resource, namespace ("" = everywhere), allowed
RIGHTS = [(verb, resource, "", True) for verbs, resources in (
    ("get list watch create patch update delete", "workloads.kueue.x-k8s.io"),
    ("patch update", "workloads.kueue.x-k8s.io/status clusterqueues.kueue.x-k8s.io/status localqueues.kueue.x-k8s.io/status "
                     "cohorts.kueue.x-k8s.io/status admissionchecks.kueue.x-k8s.io/status"),
    ("update", "workloads.kueue.x-k8s.io/finalizers clusterqueues.kueue.x-k8s.io/finalizers resourceflavors.kueue.x-k8s.io/finalizers"),
    ("get list watch", "cohorts.kueue.x-k8s.io localqueues.kueue.x-k8s.io workloadpriorityclasses.kueue.x-k8s.io namespaces limitranges "
                       "priorityclasses.scheduling.k8s.io runtimeclasses.node.k8s.io"),
    ("get list watch patch", "clusterqueues.kueue.x-k8s.io resourceflavors.kueue.x-k8s.io admissionchecks.kueue.x-k8s.io topologies.kueue.x-k8s.io"),
    ("get list watch patch delete", "jobs.batch jobsets.jobset.x-k8s.io"),
    ("patch", "jobs.batch/status jobsets.jobset.x-k8s.io/status events.events.k8s.io"),
    ("create", "events.events.k8s.io selfsubjectaccessreviews.authorization.k8s.io"),
    ("get list", "validatingadmissionpolicies.admissionregistration.k8s.io mutatingadmissionpolicies.admissionregistration.k8s.io"),
) for verb in verbs.split() for resource in resources.split()] + [
    ("create", "leases.coordination.k8s.io", "kueue-system", True),
    ("update", "leases.coordination.k8s.io/c1f6bfd2.kueue.x-k8s.io", "kueue-system", True),
    ("update", "leases.coordination.k8s.io/other", "kueue-system", False),
    ("create", "leases.coordination.k8s.io", "default", False),
    ("create", "jobs.batch", "", False), ("create", "pods", "", False), ("get", "secrets", "", False), ("list", "nodes", "", False),
    ("delete", "clusterqueues.kueue.x-k8s.io", "", False), ("update", "validatingadmissionpolicies.admissionregistration.k8s.io", "", False),
    ("update", "namespaces", "", False), ("impersonate", "users", "", False),
]


def review(verb, resource, namespace):
    """The attributes of "plural.group/subresource", or of "plural.group/name" for a Lease."""
    what, _, more = resource.partition("/")
    plural, _, group = what.partition(".")
    attributes = {"verb": verb, "resource": plural, "group": group, "namespace": namespace}
    if more:
        attributes["name" if plural == "leases" else "subresource"] = more
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": "system:serviceaccount:kueue-system:sluice-controller",
                     "groups": ["system:serviceaccounts", "system:authenticated"], "resourceAttributes": attributes}}


def test_rights(api):
    for verb, resource, namespace, wanted in RIGHTS:
        status, answer = api.cluster.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review(verb, resource, namespace))
        got = answer.get("status", {}).get("allowed") is True
        check(f"the controller {'may' if wanted else 'may not'} {verb} {resource} {namespace}", status == 201 and got == wanted, answer)


# ---- recorded tables of Kueue --------------------------------------------------------------------------------------------------

def agrees(answer, wanted):
    """None when the answer is as wanted: [] accepts, else one of the errors as the text begins; else what is wrong."""
    text = refusal(answer)
    if not wanted:
        return None if answer[0] < 300 else f"wanted no refusal, got {answer[0]} {text}"
    if answer[0] < 300:
        return f"accepted, wanted {wanted}"
    for field, kind, value, detail in wanted:  # of several errors the API server names one
        # The API server's own rules come first: it names the map of labels, not the key.
        if "labels" in field and value and f"{field.partition('[')[0]}: Invalid value: {json.dumps(value)}" in text:
            return None
        if text.startswith(f"{field}: {kind}: ") and (detail or "") in text:
            return None
    return f"wanted {wanted}, got {text}"


def run_tables(api, phase):
    if not (SHARED / "vectors").is_dir():
        leave_out(f"recorded tables ({phase})", "there is no SLUICE_SHARED/vectors")
        return
    for case in tables.cases(SHARED / "vectors"):
        if case.phase != phase:
            continue
        if case.why_not:
            leave_out(case.name, case.why_not)
        elif case.old:
            answer = api.change(case.new["kind"], case.old["metadata"]["name"], merge(case.old, case.new))
            problem = agrees(answer, case.wanted)
            check(case.name, problem is None, problem)
        else:
            run_creation(api, case)


def run_creation(api, case):
    new = copy.deepcopy(case.new)
    namespace = new["metadata"].pop("namespace", "default")
    if case.expected is None:
        problem = agrees(api.create(new, namespace), case.wanted)
        check(case.name, problem is None, problem)
        return
    for path, body in case.objects:
        api.cluster.request("POST", path, body)
    wanted, got = case.expected, None
    end = time.monotonic() + 5  # what a policy looks up is seen a moment later
    while time.monotonic() < end:
        status, answer = api.create(new, namespace)
        labels = answer.get("metadata", {}).get("labels") or {}
        got = {"suspend": answer.get("spec", {}).get("suspend", False), "queue": labels.get(QUEUE) or "", "class": labels.get(CLASS) or ""}
        got = {k: got[k] for k in wanted}
        if status != 201 or got == wanted:
            break
        time.sleep(0.1)
    check(case.name, status == 201 and got == wanted, f"wanted {wanted}, got {status} {got}")
    for path, body in case.objects:
        api.cluster.request("DELETE", f"{path}/{body['metadata']['name']}")


def make_table_objects(api):
    if not (SHARED / "vectors").is_dir():
        return
    for case in tables.cases(SHARED / "vectors"):
        if case.old and not case.why_not:
            status, answer = api.create(case.old, dry=False)
            check(f"old object of {case.name}", status == 201, answer.get("message"))


# ---- other configurations ------------------------------------------------------------------------------------------------------

ALL_POLICIES = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings", "validatingadmissionpolicies", "validatingadmissionpolicybindings")


def replace_policies(api, what, config, *arguments, frameworks=None):
    """Takes all policies on jobs away and puts those of another Configuration there."""
    for resource in ALL_POLICIES:
        api.kubectl("delete", resource, "-l", "app.kubernetes.io/component=policies")
    api.until("the policies before are gone", lambda: not refusal(api.create(job_of("Job", cases.queue("A"), "probe"))) and
              not refusal(api.create(job_of("Job", cases.least("x"), "probe"))) and
              not seen(api, labels={"queue-name": "a"})[0])
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(CONFIG.read_text().replace("jobset.x-k8s.io/jobset", frameworks or "jobset.x-k8s.io/jobset") + config)
        f.flush()
        api.apply(what, "-f", "-", text=rendered(*arguments, config=f.name))


GATES_OFF = """featureGates:
  AdmissionGatedBy: false
  WorkloadIdentifierAnnotations: false
  WorkloadPriorityClassDefaulting: false
  ElasticJobsViaWorkloadSlices: false
  TASMultiLayerTopology: false
"""
EVERY_JOB = """manageJobsWithoutQueueName: true
managedJobsNamespaceSelector:
  matchExpressions:
  - {key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, kueue-system, unmanaged-ns]}
"""


def test_gates_off(api):
    replace_policies(api, "policies with gates off", GATES_OFF)
    api.until("the policies with gates off live", lambda: refusal(api.create(job_of("Job", cases.queue("A"), "probe"))) and
              refusal(api.create(job_of("Job", cases.least("x"), "probe"))))
    for what, thing, wanted in [
            ("gates are not looked at", cases.gated("plain"), None),
            ("a short annotation names no Workload", cases.thing({}, {"prebuilt-workload-name": "no way"}), None),
            ("a long one does", cases.thing({}, {"prebuilt-workload-name": "A" * 64}), cases.annotation("prebuilt-workload-name")),
            ("the label comes first", cases.thing({"prebuilt-workload-name": "a"}, {"prebuilt-workload-name": "A" * 64}), None),
            ("levels of topology need their gate", cases.topology({"slice-required-topology-constraints": "[]"}),
             cases.on_template("podset-slice-required-topology-constraints") + "Forbidden: the TASMultiLayerTopology")]:
        answer = api.create(job_of("Job", thing, "case"))
        check(what, answer[0] < 300 if wanted is None else refusal(answer).startswith(wanted), answer)
    run_tables(api, "gates off")


def test_every_job(api):
    replace_policies(api, "policies for all jobs", EVERY_JOB)
    for name in ("managed-ns", "unmanaged-ns"):
        api.kubectl("create", "namespace", name)
    api.until("the policies for all jobs live", lambda: seen(api)[0] is True and seen(api, namespace="managed-ns")[0] is True)
    for kind in ("Job", "JobSet"):
        for what, given, wanted in [("without a queue", {}, (True, None, None)),
                                    ("in a namespace of others", dict(namespace="unmanaged-ns"), (False, None, None)),
                                    ("there with a queue", dict(namespace="unmanaged-ns", labels={"queue-name": "q"}), (False, "q", None)),
                                    ("child", dict(owner=("batch/v1", "Job", True)), (False, None, None))]:
            got = seen(api, kind=kind, **given)
            check(f"all jobs are managed: {kind} {what}", got == wanted, f"wanted {wanted}, got {got}")
    run_tables(api, "every job")


def test_other_kinds(api):
    """Whose children get no default queue depends on the kinds that are switched on."""
    replace_policies(api, "policies for other kinds", "", frameworks="kubeflow.org/mpijob")
    api.until("the policies for other kinds live", lambda: seen(api, labels={"queue-name": "a"})[0] is True)
    check("JobSets are left alone", seen(api, kind="JobSet", labels={"queue-name": "a"}) == (False, "a", None))
    run_tables(api, "other kinds")


def test_without_mutating(api):
    replace_policies(api, "policies without mutating ones", "", "--without-mutating")

    def warned(labels):
        job = job_of("Job", cases.thing(labels), "warned")
        done = api.kubectl("create", "--dry-run=server", "-f", "-", text=json.dumps(job))
        return done.returncode == 0 and "spec.suspend: Invalid value: false" in done.stderr
    api.until("a warning", lambda: warned({"queue-name": "q"}))
    check("no warning without a queue", not warned({}))
    check("it is created as it is", seen(api, labels={"queue-name": "q"}) == (False, "q", None), seen(api, labels={"queue-name": "q"}))


def test_without_crds(api):
    """Somebody deletes our CRDs and leaves the policies: nobody's job may suffer."""
    replace_policies(api, "the shipped policies", "")
    api.until("the shipped policies live", lambda: active(api))
    names = [c["metadata"]["name"] for c in api.cluster.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")[1]["items"]
             if c["metadata"]["name"].endswith(".kueue.x-k8s.io")]
    done = api.kubectl("delete", "crd", *names)
    check("our CRDs are deleted", done.returncode == 0, done.stderr)
    end = time.monotonic() + 5  # the API server notices at some moment; a job must pass before and after
    while time.monotonic() < end:
        for kind in ("Job", "JobSet"):
            got = seen(api, kind=kind), seen(api, kind=kind, labels={"queue-name": "q"}), seen(api, kind=kind, namespace="with-default")[:1]
            if got != ((False, None, None), (True, "q", None), (False,)) and got != ((False, None, None), (True, "q", None), (True,)):
                check(f"{kind} is created without our CRDs", False, got)
                return
        time.sleep(0.2)
    check("jobs are created without our CRDs", seen(api, namespace="with-default") == (False, None, None), seen(api, namespace="with-default"))


def main():
    test_texts()
    done = subprocess.run([sys.executable, "-B", ROOT / "tests/cluster/up", "--mini", "--while", str(os.getpid())],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print("left out: the control plane cannot be brought up")
        return 77 if done.returncode == 77 else 1
    cluster = Cluster.at(done.stdout.splitlines()[-1])
    try:
        api = Api(cluster)
        api.apply("crds", "-f", ROOT / "crds")
        api.apply("JobSet's CRD", "-f", ROOT / "tests/cluster/jobset-crd.yaml")
        api.until("JobSets are served", lambda: cluster.request("GET", WHERE["JobSet"].format("default"))[0] == 200)
        make_old_objects(api)
        make_table_objects(api)
        test_manifests(api)
        api.until("the policies live", lambda: active(api))
        for test in (test_arguments, test_component, test_rights, test_suspension, test_cases, test_anybody_may_start, test_defaults, test_default_class,
                     lambda a: run_tables(a, "shipped"), test_gates_off, test_every_job, test_other_kinds,
                     test_without_mutating, test_without_crds):
            test(api)
    except Stuck as e:
        leave_out("what comes after", f"{e} never happened")
    finally:
        cluster.down()
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    status = main()
    print(", ".join(f"{n} {what}" for what, n in results.items()))
    sys.exit(status)
