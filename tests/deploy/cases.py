"""Our own cases of around.md 3.2: each row with objects that are accepted and objects that are refused.

A case is (row, kind, old, new, wanted): old None is a creation, else `new` is written over `old`; wanted None is accepted, else the text that
the refusal begins with. An object is (labels, annotations, annotations of the template, spec).
"""
K = "kueue.x-k8s.io/"


def thing(labels=None, annotations=None, template=None, **spec):
    def full(m):
        return {k if "/" in k else K + k: v for k, v in (m or {}).items()}
    return {"labels": full(labels), "annotations": full(annotations), "template": full(template), "spec": spec}


def label(key):
    return f"metadata.labels[{K}{key}]: "


def annotation(key):
    return f"metadata.annotations[{K}{key}]: "


def on_template(key=None):
    return "spec.template.metadata.annotations" + (f"[{K}{key}]" if key else "") + ": "


HELD = {"suspend": True}
RUNS = {"suspend": False}
LONG = "a" * 60


def queue(name, **spec):
    return thing({"queue-name": name}, **spec)


def gated(value, **spec):
    return thing({"queue-name": "q"}, {"admission-gated-by": value} if value is not None else {}, **spec)


BOTH = [
    ("J1", None, queue("team-a.gpu"), None),
    ("J1", None, queue("Team"), label("queue-name") + 'Invalid value: "Team": a lowercase RFC 1123 subdomain'),
    ("J1", None, queue("a_b"), label("queue-name") + 'Invalid value: "a_b": '),
    ("J1", None, queue(""), label("queue-name") + 'Invalid value: "": '),
    ("J2", None, thing({"prebuilt-workload-name": "my-workload"}), None),
    ("J2", None, thing({"prebuilt-workload-name": "My"}), label("prebuilt-workload-name") + 'Invalid value: "My": '),
    ("J2", None, thing({}, {"prebuilt-workload-name": LONG + "." + LONG}), None),
    ("J2", None, thing({}, {"prebuilt-workload-name": "no way"}), annotation("prebuilt-workload-name") + 'Invalid value: "no way": '),
    ("J2", None, thing({"prebuilt-workload-name": "My"}, {"prebuilt-workload-name": "mine"}), None),
    ("J3", None, thing({"max-exec-time-seconds": "3600"}), None),
    ("J3", None, thing({"max-exec-time-seconds": "1h"}), label("max-exec-time-seconds") + 'Invalid value: "1h": strconv.Atoi: parsing "1h": '),
    ("J3", None, thing({"max-exec-time-seconds": "0"}), label("max-exec-time-seconds") + "Invalid value: 0: should be greater than 0"),
    ("J3", thing({"max-exec-time-seconds": "5"}, **HELD), thing({"max-exec-time-seconds": "6"}, **HELD), None),
    ("J3", thing({"max-exec-time-seconds": "5"}, **RUNS), thing({"max-exec-time-seconds": "6"}, **RUNS), label("max-exec-time-seconds") + 'Invalid value: "6": field is immutable'),
    ("J3", thing({"max-exec-time-seconds": "5"}, **RUNS), thing({"max-exec-time-seconds": "6"}, **HELD), label("max-exec-time-seconds")),
    ("J3", thing({"max-exec-time-seconds": "5"}, **RUNS), thing({}, **RUNS), label("max-exec-time-seconds")),
    ("J4", thing({}, {}, **HELD), thing({}, {"elastic-job": "true"}, **HELD), annotation("elastic-job")),
    ("J5", None, gated("example.com/a,b.example.com/c/d"), None),
    ("J5", None, gated(""), None),
    ("J5", None, gated(",".join(f"example.com/gate-{i}" for i in range(50))), None),
    ("J5", None, gated("example.com/a,,b.com/c"), annotation("admission-gated-by") + 'Invalid value: "example.com/a,,b.com/c": cannot contain empty gate names'),
    ("J5", None, gated("plain"), annotation("admission-gated-by") + 'Invalid value: "plain": must be a domain-prefixed path'),
    ("J5", None, gated("Example.com/a"), annotation("admission-gated-by") + 'Invalid value: "Example.com": a lowercase'),
    ("J5", None, gated("example.com/a b"), annotation("admission-gated-by") + 'Invalid value: "a b": Invalid path'),
    ("J5", None, gated("example.com/" + LONG), annotation("admission-gated-by") + "Too long: may not be more than 63 bytes"),
    ("J5", None, gated("a.com/b, a.com/b"), annotation("admission-gated-by") + 'Invalid value: "a.com/b, a.com/b": duplicate gate name: a.com/b'),
    ("J5", gated("a.com/b,a.com/c", **HELD), gated("a.com/c", **HELD), None),
    ("J5", gated("a.com/b", **HELD), gated(None, **HELD), None),
    ("J5", gated(None, **HELD), gated("a.com/b", **HELD), annotation("admission-gated-by") + "Forbidden: cannot add admission gate after creation"),
    ("J5", gated("a.com/b", **HELD), gated("a.com/b,a.com/c", **HELD), annotation("admission-gated-by") + "Forbidden: can only remove gates, not add new ones"),
    ("J6", queue("a", **HELD), queue("b", **HELD), None),
    ("J6", queue("a", **RUNS), queue("b", **RUNS), label("queue-name") + 'Invalid value: "b": field is immutable'),
    ("J6", queue("a", **RUNS), thing(**RUNS), label("queue-name") + 'Invalid value: "": field is immutable'),
    ("J6", queue("a", **RUNS), queue("b", **HELD), None),
    ("J6", queue("a", **HELD), queue("a", **RUNS), None),  # whoever may write a job may start it
    ("J8", thing({"priority-class": "high"}, **HELD), thing({"priority-class": "low"}, **HELD), None),
    ("J8", thing({"priority-class": "high"}, **RUNS), thing({"priority-class": "low"}, **RUNS), None),
    ("J8", thing({"priority-class": "high"}, **HELD), thing(**HELD), label("priority-class") + 'Invalid value: "": WorkloadPriorityClass cannot be removed'),
    ("J8", thing(**HELD), thing({"priority-class": "high"}, **HELD), None),
    ("J8", thing(**RUNS), thing({"priority-class": "high"}, **RUNS), label("priority-class") + 'Invalid value: "high": WorkloadPriorityClass cannot be added'),
    ("J9", thing({"prebuilt-workload-name": "a"}, **HELD), thing({"prebuilt-workload-name": "b"}, **HELD), None),
    ("J9", thing({"prebuilt-workload-name": "a"}, **RUNS), thing({"prebuilt-workload-name": "b"}, **RUNS), label("prebuilt-workload-name") + 'Invalid value: "b": field is immutable'),
    ("J9", thing({"prebuilt-workload-name": "a"}, **RUNS), thing({}, {"prebuilt-workload-name": "b"}, **RUNS), annotation("prebuilt-workload-name")),
    ("J9", thing({"prebuilt-workload-name": "a"}, **RUNS), thing(**RUNS), label("prebuilt-workload-name")),
    ("J9", thing({"prebuilt-workload-name": "a"}, **RUNS), thing({}, {"prebuilt-workload-name": "a"}, **RUNS), None),
    ("-", None, thing({"app": "x"}, {"note": "no business of ours"}), None),
    # what was stored before the policies came can be started, stopped and mended
    ("old", queue("Team", **HELD), queue("Team", **RUNS), None),
    ("old", gated("plain", **RUNS), gated("plain", **HELD), None),
    ("old", queue("Team", **HELD), queue("team", **HELD), None),
]

LEAST = "job-min-parallelism"
SYNC = "job-completions-equal-parallelism"


def least(value, **spec):
    return thing({}, {LEAST: value}, parallelism=4, completions=6, **spec)


def sync(value, **spec):
    return thing({}, {SYNC: value}, **{"completionMode": "Indexed", "parallelism": 4, "completions": 4, **spec})


def topology(annotations, **spec):
    return thing({}, {}, {"podset-" + k: v for k, v in annotations.items()}, **{"parallelism": 4, **spec})


JOB = [
    ("J4", None, thing({}, {"elastic-job": "true"}), None),
    ("J10", None, least("3"), None),
    ("J10", None, least("4"), annotation(LEAST) + "Invalid value: 4: should be between 0 and 3"),
    ("J10", None, least("0"), annotation(LEAST) + "Invalid value: 0: "),
    ("J10", None, least("-1"), annotation(LEAST) + "Invalid value: -1: "),
    ("J10", None, least("some"), annotation(LEAST) + 'Invalid value: "some": strconv.Atoi: parsing "some": '),
    ("J10", None, thing({}, {LEAST: "2", "elastic-job": "true"}, parallelism=4), annotation(LEAST)),
    ("J10", least("3", **HELD), thing({}, {LEAST: "3"}, parallelism=3, completions=6, **RUNS), None),  # a start with fewer pods
    ("J10", least("3", **RUNS), thing({}, {LEAST: "3"}, parallelism=3, completions=6, **RUNS), "spec.parallelism: Forbidden: cannot change when partial admission"),
    ("J10", thing({}, {LEAST: "3", "stopping": "true"}, parallelism=3, completions=6, **HELD), least("3", **HELD), None),  # the last step of a stop
    ("J10", least("3", **RUNS), thing({}, {LEAST: "3", "stopping": "true"}, parallelism=4, completions=6, **HELD), None),  # the first
    ("J10", None, sync("true"), None),
    ("J10", None, sync("F", completions=5), None),
    ("J10", None, sync("yes"), annotation(SYNC) + 'Invalid value: "yes": strconv.ParseBool: parsing "yes": '),
    ("J10", None, sync("true", completions=5), "spec.completions: Invalid value: 5: should be equal to parallelism"),
    ("J10", None, sync("true", completionMode="NonIndexed"), annotation(SYNC) + 'Invalid value: "true": should not be enabled for NonIndexed jobs'),
    ("J10", sync("true", **RUNS), sync("false", **RUNS), annotation(SYNC) + "Forbidden: field is immutable while the job is not suspended"),
    ("J10", sync("true", **HELD), sync("false", **HELD), None),
    ("J11", None, topology({"required-topology": "cloud.com/block"}), None),
    ("J11", None, topology({"required-topology": "a b"}), on_template("podset-required-topology") + 'Invalid value: "a b": name part'),
    ("J11", None, topology({"required-topology": "a", "preferred-topology": "b"}), on_template() + "Invalid value: must not contain more than one"),
    ("J11", None, topology({"unconstrained-topology": "maybe"}), on_template("podset-unconstrained-topology") + 'Invalid value: "maybe": must be a boolean'),
    ("J11", None, topology({"group-name": "7", "required-topology": "a"}), on_template("podset-group-name") + 'Invalid value: "7": must not be a number'),
    ("J11", None, topology({"group-name": "g"}), on_template("podset-group-name") + "Forbidden: may not be set when neither"),
    ("J11", None, topology({"slice-size": "2"}), on_template("podset-slice-size") + "Forbidden: may not be set when"),
    ("J11", None, topology({"slice-required-topology": "a"}), on_template("podset-slice-size") + "Required value: must be set when"),
    ("J11", None, topology({"slice-required-topology": "a", "slice-size": "4"}), None),
    ("J11", None, topology({"slice-required-topology": "a", "slice-size": "5"}), on_template("podset-slice-size") + 'Invalid value: "5": must not be greater than pod set count 4'),
    ("J11", None, topology({"slice-required-topology": "a", "slice-size": "x"}), on_template("podset-slice-size") + 'Invalid value: "x": must be a numeric value'),
    ("J11", None, topology({"slice-required-topology": "a", "slice-size": "0"}), on_template("podset-slice-size") + 'Invalid value: "0": must be greater than or equal to 1'),
    ("J11", None, topology({"slice-required-topology-constraints": "[]", "slice-size": "1", "slice-required-topology": "a"}),
     on_template("podset-slice-required-topology-constraints") + "Forbidden: may not be set when"),
]


def replicated(*templates):
    """Each (replicas, annotations) a replicated job of one pod a replica."""
    return thing(replicatedJobs=[
        {"name": f"job{i}", "replicas": n, "template": {"spec": {"template": {
            "metadata": {"annotations": {K + "podset-" + k: v for k, v in a.items()}},
            "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}
        for i, (n, a) in enumerate(templates)])


def in_set(i, key=None):
    return f"spec.replicatedJobs[{i}].template." + on_template(key)


GROUP = {"group-name": "g", "required-topology": "rack"}

JOB_SET = [
    ("J4", None, thing({}, {"elastic-job": "true"}), annotation("elastic-job") + "Forbidden: "),
    ("J4", None, thing({}, {"elastic-job": "false"}), None),
    ("J11", None, replicated((1, {}), (2, {"slice-required-topology": "a", "slice-size": "2"})), None),
    ("J11", None, replicated((1, {}), (2, {"slice-required-topology": "a", "slice-size": "3"})), in_set(1, "podset-slice-size") + 'Invalid value: "3": must not be greater than pod set count 2'),
    ("J12", None, replicated((1, GROUP), (4, GROUP), (1, {})), None),
    # as large as a Workload can be, and larger: no rule runs into the limits of CEL
    ("J11", None, replicated(*[(2, {"slice-required-topology": "a", "slice-size": "2", "required-topology": "b"})] * 18), None),
    ("J12", None, replicated(*[(n, {**GROUP, "group-name": f"g{i}"}) for i in range(9) for n in (1, 7)]), None),
    ("J12", None, replicated(*[(1, {})] * 60), None),
    ("J12", None, replicated((1, GROUP), (1, GROUP), (1, GROUP)), in_set(0, "podset-group-name") + 'Invalid value: "g": can only define groups of exactly 2 pod sets, got: 3 pod set(s)'),
    ("J12", None, replicated((2, GROUP), (3, GROUP)), in_set(0, "podset-group-name") + 'Invalid value: "g": can only define groups where at least one pod set has only 1 replica, got: 2 replica(s) and 3 replica(s) in the group'),
    ("J12", None, replicated((1, GROUP), (3, {"group-name": "g", "preferred-topology": "rack"})), in_set(0) + "Invalid value: must specify"),
]

ALL = ([(row, kind, old, new, wanted) for kind in ("Job", "JobSet") for row, old, new, wanted in BOTH] +
       [(row, "Job", old, new, wanted) for row, old, new, wanted in JOB] +
       [(row, "JobSet", old, new, wanted) for row, old, new, wanted in JOB_SET])
