"""The recorded tables of Kueue's webhooks on Jobs and JobSets, as cases for the policies."""
import copy
import dataclasses
import json
import re

FILES = ("controller_jobs_job__TestValidateCreate", "controller_jobs_job__TestValidateUpdate", "controller_jobs_job__TestDefault",
         "controller_jobs_jobset__TestValidateCreate", "controller_jobs_jobset__TestDefault",
         "controller_jobframework__TestValidateJobOnCreate", "controller_jobframework__TestValidateJobOnUpdate",
         "controller_jobframework__TestValidateOnCreate", "controller_jobframework__TestValidateOnUpdate",
         "controller_jobframework__TestValidateSliceSizeAnnotationUpperBound",
         "controller_jobframework__TestValidateSliceRequiredTopologyConstraintsAnnotation",
         "controller_jobframework__TestBaseWebhookDefault", "controller_jobframework__TestApplyDefaultLocalQueue",
         "controller_jobframework__TestApplyDefaultWorkloadPriorityClass", "controller_jobframework__TestWorkloadShouldBeSuspended")
QUEUES = "/apis/kueue.x-k8s.io/v1beta2/namespaces/{}/localqueues"
CLASSES = "/apis/kueue.x-k8s.io/v1beta2/workloadpriorityclasses"
KINDS = {"FieldValueInvalid": "Invalid value", "FieldValueForbidden": "Forbidden", "FieldValueRequired": "Required value",
         "FieldValueTooLong": "Too long"}
# Gates that are on by default: those of a case must be on where it runs.
OFF = {"AdmissionGatedBy", "WorkloadIdentifierAnnotations", "WorkloadPriorityClassDefaulting", "ElasticJobsViaWorkloadSlices", "TASMultiLayerTopology"}


@dataclasses.dataclass
class Case:
    name: str
    phase: str  # with which policies it runs
    why_not: str = ""
    old: dict = None  # exists already; None = `new` is created
    new: dict = None
    wanted: list = None  # (field, kind, value, detail): one of these, or none and it is accepted
    expected: dict = None  # what the job looks like instead
    objects: list = dataclasses.field(default_factory=list)  # (path of the collection, object)


def errors(want):
    """Field errors, as objects or as Go's text of them."""
    want = want or []
    if isinstance(want, dict) and "error" in want:
        found = re.findall(r"(?:^\[?|, )((?:metadata|spec)\.\S+): (Invalid value|Forbidden|Required value): (?:\"((?:[^\"\\]|\\.)*)\": |\d+: )?([^,\]]*)",
                           want["error"])
        return [(f, k, v, d) for f, k, v, d in found]
    return [(e["field"], KINDS[e["type"]], str(e.get("badValue") or ""), e.get("detail"))
            for e in want]


def named(job, number):
    job = copy.deepcopy(job)
    job["metadata"]["name"] = f"table-{number}"
    job["metadata"].pop("namespace", None)
    job.pop("status", None)
    if job["kind"] == "JobSet":
        job["spec"].setdefault("replicatedJobs", [])
    return job


def why_not(file, c):
    """Why a case cannot run here; "" when it can."""
    i = c["input"]
    if not c.get("portable", True):
        return "its data are not complete: " + c.get("why", "")
    if "kueue.x-k8s.io/multikueue" in json.dumps(c["want"]):
        return "managedBy is set by MultiKueue, which is not there (D5)"
    if '"managedBy": "someone-else"' in json.dumps(i):
        return "the API server refuses its managedBy"
    if "customValidationError" in i:
        return "a validation made up by the test"
    if "deletionTimestamp" in json.dumps(i):
        return "an object that is being deleted cannot be created"
    if file.endswith("ConstraintsAnnotation") and c["want"]["wantErrNum"] and not ("exclusivity" in c["name"] or "gate disabled" in c["name"]):
        return "JSON in an annotation is not read by CEL (J11)"
    if any(label.get("kueue.x-k8s.io/prebuilt-workload-name") == "workload name" for label in [i.get("oldJob", {}).get("metadata", {}).get("labels", {})]):
        return "the old object has a label that the API server does not store"
    return ""


def annotated(i, number):
    """A Job out of the annotations of its template."""
    return named({"apiVersion": "batch/v1", "kind": "Job", "metadata": {}, "spec": {
        "parallelism": i.get("podSetCount", 16), "suspend": True, "template": {
            "metadata": {"annotations": i["annotations"]},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}, number)


def expectation(c):
    """What the created job looks like, or None when the table is about errors."""
    w = c["want"]
    if "wantSuspend" in w:
        return {"suspend": w["wantSuspend"]} if not w.get("wantErr") else None
    if "wantQueueLabel" in w:
        return {"queue": w["wantQueueLabel"]}
    if "wantPriorityClassLabel" in w:
        return {"class": w["wantPriorityClassLabel"]}
    if w.get("want"):
        job = w["want"]
        return {"suspend": job["spec"].get("suspend", False), "queue": (job["metadata"].get("labels") or {}).get("kueue.x-k8s.io/queue-name", "")}
    return None


def looked_up(i, namespace):
    found = []
    if i.get("defaultLqExist"):
        found.append((QUEUES.format(namespace), {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "LocalQueue",
                                                 "metadata": {"name": "default"}, "spec": {"clusterQueue": "any"}}))
    found += [(CLASSES, o) for o in i.get("wpcObjects") or []]
    return found


def make(file, c, number):
    i, w = c["input"], c["want"]
    gates = c.get("gates") or {}
    off = {g for g, on in gates.items() if not on} & OFF
    case = Case(f"{file}: {c['name']}", "gates off" if off else "shipped", why_not(file, c))
    if off and any(on and g in OFF for g, on in gates.items()):
        case.why_not = case.why_not or "gates that no other case asks for together"
    if case.why_not:
        return case
    job = i.get("newJob") or i.get("job") or i.get("jobSet") or i.get("obj") or i.get("args", {}).get("newObj")
    if "annotations" in i:
        job = annotated(i, number)
    case.new = named(job, number)
    old = i.get("oldJob") or i.get("args", {}).get("oldObj")
    case.old = named(old, number) if old else None
    if "nsHasDefaultQueue" in i:
        case.new["metadata"]["namespace"] = case.old["metadata"]["namespace"] = "default"
    if i.get("gvk", {}).get("kind") == "JobSet":
        case.new.update(apiVersion="jobset.x-k8s.io/v1alpha2", kind="JobSet")
        case.new["spec"] = {"suspend": True, "replicatedJobs": []}
    case.expected = expectation(c)
    case.wanted = errors(next((w[k] for k in ("wantValidationErrs", "wantErr", "wantError") if w.get(k)), None))
    if w.get("wantErrNum"):
        case.wanted = [("spec.template.metadata.annotations[kueue.x-k8s.io/" + k + "]", kind, None, None) for k in
                       ("podset-slice-size", "podset-slice-required-topology-constraints") for kind in ("Invalid value", "Forbidden")]
    place(case, file, i, job)
    return case


def place(case, file, i, job):
    """The namespace, and the policies that tables about managed namespaces ask for."""
    if "owner" in case.name and file.endswith("TestDefault"):
        case.phase = "other kinds"
        case.expected = {"queue": case.expected["queue"]}  # the controller suspends the children of kinds that are not switched on
    if file.endswith("ShouldBeSuspended") and not i.get("manageJobsWithoutQueueName"):
        case.new["spec"]["suspend"] = False
    elif any(file.endswith(n) for n in ("ShouldBeSuspended", "DefaultLocalQueue")) or "unmanaged-ns" in json.dumps(i):
        case.phase = "every job"
        if not file.endswith("ShouldBeSuspended"):
            case.expected = {"queue": case.expected["queue"]}  # the rest depends on manageJobsWithoutQueueName
        namespace = "unmanaged-ns" if "unmanaged-ns" in json.dumps(i) else job["metadata"].get("namespace", "managed-ns")
        case.new["metadata"]["namespace"] = namespace
        if file.endswith("DefaultLocalQueue"):
            i = {**i, "defaultLqExist": True}
        if case.expected and "suspend" in case.expected:
            case.new["spec"]["suspend"] = False
    case.objects = looked_up(i, case.new["metadata"].get("namespace", "default"))


def cases(directory):
    number = 0
    for file in FILES:
        path = directory / f"{file}.json"
        if not path.exists():
            continue
        for c in json.loads(path.read_text())["cases"]:
            number += 1
            yield make(file, c, number)
