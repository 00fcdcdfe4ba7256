#!/usr/bin/env python3
"""Broken input for `sluice simulate`: each kind gives an error with file and line, status 1, in bounded time and memory.

    broken.py SLUICE [NAME...]      NAME: only the cases whose name holds it

The inputs are made here, in a directory that is removed again. A case is a text or bytes (written to a file x.yaml, or another
name), or a function that makes more; what is wanted is a regular expression for one line of standard error, in which FILE:N stands
for the place.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SECONDS = 5  # of CPU time: the machine may be busy
MIB = 400
# The address sanitizer keeps 256 MiB of what was freed.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=16"}

QUEUE = """apiVersion: kueue.x-k8s.io/v1beta2
kind: ClusterQueue
metadata: {name: q}
spec:
  namespaceSelector: {}
  resourceGroups:
  - coveredResources: [cpu]
    flavors: [{name: f, resources: [{name: cpu, nominalQuota: %s}]}]
"""
FLAVOR = "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\nmetadata: {name: f}\n"
WORKLOAD = """apiVersion: kueue.x-k8s.io/v1beta2
kind: Workload
metadata: {name: w, namespace: n%s}
spec:
  queueName: %s
  podSets:
  - name: main
    count: %s
    template: {spec: {containers: [{name: c, resources: {requests: {cpu: %s}}}]}}
"""


def workload(meta="", queue="''", count="1", cpu="1"):
    return WORKLOAD % (meta, queue, count, cpu)


def bombs():
    """Each line repeats the one before nine times."""
    text = "apiVersion: v1\nkind: ConfigMap\na0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 12):
        text += "a%d: &a%d [%s]\n" % (i, i, ", ".join(["*a%d" % (i - 1)] * 9))
    return text


def merge_bomb():
    text = "a0: &a0 {%s}\n" % ", ".join("k%d: 1" % i for i in range(900))
    for i in range(1, 400):
        text += "a%d: &a%d {<<: *a%d, l%d: 1}\n" % (i, i, i - 1, i)
    return text


def nested(n):
    return "".join("%sa:\n" % (" " * i) for i in range(n))


def many(line, n, head="", tail=""):
    return head + line * n + tail


# name, text, line that must be told (None: any), what else the line holds
TEXTS = [
    ("truncated YAML", QUEUE[:-20], None, "YAML"),
    ("truncated flow", "a: 1\nb: [1, 2\n", 3, "YAML"),
    ("truncated string", "apiVersion: v1\nkind: \"Name\n", None, "YAML"),
    ("tabs", "apiVersion: v1\n\tkind: Namespace\n", 2, "YAML"),
    ("odd indentation", "apiVersion: v1\nkind: Namespace\n  metadata: {name: a}\n", 3, "YAML"),
    ("control characters", b"apiVersion: v1\nkind: \x01\x02\n", 2, "control characters"),
    ("binary", bytes(range(256)) * 64, 1, ""),
    ("an executable", b"\x7fELF\x02\x01\x01" + bytes(64), 1, ""),
    ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + os.urandom(200), None, ""),
    ("UTF-16", "apiVersion: v1\n".encode("utf-16"), 1, "UTF-8"),
    ("invalid UTF-8", b"apiVersion: v1\nkind: Namespace\nmetadata: {name: \xff\xfe}\n", 3, "UTF-8"),
    ("NUL", b"apiVersion: v1\nkind: Name\x00space\n", 2, "control characters"),
    ("NUL as an escape", "apiVersion: v1\nkind: \"a\\0b\"\n", 2, "NUL"),
    ("cyclic anchors", "apiVersion: v1\nkind: List\nitems: &a [*a]\n", 3, "anchor"),
    ("an unknown alias", "apiVersion: v1\nkind: *none\n", 2, "anchor"),
    ("alias bomb", bombs(), None, "aliases add more than"),
    ("merge bomb", merge_bomb(), None, "merge|aliases"),
    ("a merge of no map", "a: &a 5\nb:\n  <<: *a\n", None, "merge key"),
    ("10,000 levels", nested(10000), 101, "nested deeper"),
    ("100,000 brackets", "a: " + "[" * 100000, 1, "nested deeper"),
    ("a foreign tag", "a: !!python/object:os.system x\n", 1, "tag"),
    ("duplicate keys", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nkind: Namespace\n", 4,
     "is there already, in line 2"),
    ("two documents without ---", FLAVOR + FLAVOR.replace("name: f", "name: g"), 4, "is there already, in line 1"),
    ("a queue and a Workload without ---", QUEUE % 4 + workload(), 9, "is there already, in line 1"),
    ("text", "Hello, world!\n", 1, "not a Kubernetes object"),
    ("a list", "- 1\n- 2\n", 1, "not a Kubernetes object"),
    ("no kind", "apiVersion: v1\nmetadata: {name: a}\n", 1, "kind: Required value"),
    ("no apiVersion", "kind: Namespace\n", 1, "apiVersion: Required value"),
    ("an unknown version", FLAVOR.replace("v1beta2", "v9"), 1, "apiVersion"),
    ("no name", "apiVersion: kueue.x-k8s.io/v1beta2\nkind: ResourceFlavor\n", 1, "metadata.name: Required value"),
    ("a bad name", FLAVOR.replace("name: f", "name: F_F"), 3, "metadata.name: Invalid value"),
    ("a spec that is a list", QUEUE.split("spec:")[0] + "spec: [1, 2]\n", 4, "spec: must be a map, not a list"),
    ("a text for a number", workload(count="many"), 8, "count"),
    ("a number for a text", workload(queue="5"), 5, "queueName: must be a string"),
    ("a negative count", workload(count="-1"), 8, "count: Invalid value: -1"),
    ("a huge number", workload(count="99999999999999999999999999"), 8, "count"),
    ("a number with a fraction", workload(count="1.5"), 8, "count"),
    ("a bad quantity", QUEUE % "4 cores", 8, "nominalQuota: Invalid value"),
    ("a bad request", workload(cpu="1Gx"), 9, r"requests\[cpu\]: Invalid value"),
    ("a negative quota", QUEUE % "-1", 8, "nominalQuota: Invalid value"),
    ("a quantity of a megabyte of letters", QUEUE % ("k" * 1000000), 8, "nominalQuota"),
    ("a bad time", workload(meta=", creationTimestamp: '2026-13-45T99:00:00Z'"), 3, "creationTimestamp: Invalid value"),
    ("a time without zone", workload(meta=", creationTimestamp: '2026-01-01 00:00'"), 3, "creationTimestamp"),
    ("an unknown word", QUEUE % 4 + "  queueingStrategy: LIFO\n", 9, "queueingStrategy: Unsupported value"),
    ("unknown queue", FLAVOR + "---\n" + workload(queue="nowhere"), 5, "spec.queueName: Not found: .* n/nowhere"),
    ("unknown ClusterQueue", "apiVersion: kueue.x-k8s.io/v1beta2\nkind: LocalQueue\nmetadata: {name: l, namespace: n}\n"
     "spec: {clusterQueue: none}\n", 4, "spec.clusterQueue: Not found: .* none"),
    ("duplicate names", FLAVOR + "---\n" + FLAVOR, 5, "ResourceFlavor f is there already, in .*:1"),
    ("duplicate Workloads", workload() + "---\n" + workload(), 11, "Workload n/w is there already, in .*:1"),
    ("duplicate pod sets", workload() + "  - name: main\n    template: {spec: {containers: [{name: c}]}}\n", 10,
     "Duplicate value"),
    ("a Configuration with an unknown field", "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\nfoo: 1\n", 3,
     "foo: unknown field"),
    ("an empty file", "", "", "no objects"),
    ("only comments", "# nothing\n---\n# here\n", "", "no objects"),
    ("two million values", many("- 1\n", 2000000, "a:\n"), None, "more than [0-9]+ values"),
    ("a long list of keys", "".join("k%d: 1\n" % i for i in range(200000)), None, ""),
]

JSONS = [
    ("truncated JSON", '{"apiVersion": "v1",\n"kind": "Namesp', 2, "JSON"),
    ("a comma too many", '{"apiVersion": "v1",\n"kind": "Namespace",\n}', 3, "JSON"),
    ("JSON with a comment", '{"apiVersion": "v1", // no\n"kind": "Namespace"}', 1, "JSON"),
    ("single quotes", "{'apiVersion': 'v1'}", 1, "JSON"),
    ("JSON with duplicate keys", '{"apiVersion": "v1",\n"kind": "Namespace",\n"kind": "Namespace"}', 3,
     "is there already, in line 2"),
    ("two JSON values", '{"apiVersion": "v1", "kind": "Foo"}\n{"apiVersion": "v1", "kind": "Foo"}', 2, "JSON"),
    ("a NUL in JSON", '{"apiVersion": "v1",\n"kind": "a\\u0000b"}', 2, "NUL"),
    ("a number that JSON does not know", '{"apiVersion": "v1",\n"kind": 01}', None, "JSON"),
    ("100,000 levels of JSON", '{"a":' * 100000, 1, "JSON"),
    ("a list cut off", '{"kind": "List", "items": [\n{"apiVersion": "v1", "kind": "Node"},\n{"apiVersion": "v1"', 3, "JSON"),
    ("a broken item", '{"kind": "List", "items": [\n{"apiVersion": "v1", "kind": "Node"},\n{"kind": tru}]}', 3, "JSON"),
    ("an item that is no object", '{"apiVersion": "v1", "kind": "List", "items": [\n5]}', 2, "not a Kubernetes object"),
    ("a list that is none", '{"apiVersion": "v1", "kind": "List",\n"items": {"a": 1}}', 2, "items: must be a list, not a map"),
]


class Case:
    def __init__(self, name, want, args=None, files=None, feed=None):
        self.name, self.want, self.args, self.files, self.feed = name, want, args, files or {}, feed


def place(name, line):
    """FILE:N of the place that must be told; "" for a file that has no lines."""
    return re.escape(name) + (r":[0-9]+" if line is None else ":%d" % line if line != "" else "")


def text_cases():
    for suffix, table in (("yaml", TEXTS), ("json", JSONS)):
        file = "x." + suffix
        for name, text, line, rest in table:
            data = text if isinstance(text, bytes) else text.encode()
            yield Case(name, place(file, line) + ":.*(?:%s)" % rest, [file], {file: data})


def endless(chunk):
    """A GiB, as fast as it is taken."""
    def feed(pipe):
        for _ in range((1 << 30) // len(chunk)):
            pipe.write(chunk)
    return feed


def other_cases():
    mib = 1 << 20
    yield Case("a line of 1 GiB", r"<stdin>:1: .*more than", ["-"], feed=endless(b"a" * mib))
    yield Case("a JSON string of 1 GiB", r"<stdin>:[0-9]+: .*", ["-"], feed=endless(b'{"a":"' + b"a" * mib))
    yield Case("1 GiB of white space", r"<stdin>:1: .*more than", ["-"], feed=endless(b" " * mib))
    yield Case("a block of text of 1 GiB", r"<stdin>:[0-9]+: .*more than", ["-"],
               feed=lambda pipe: (pipe.write(b"a: |\n"), endless(b"  text\n" * 100000)(pipe)))
    yield Case("1 GiB of empty lines", r"<stdin>:[0-9]+: .*more than", ["-"], feed=endless(b"\n" * mib))
    yield Case("1 GiB of zeros", r"<stdin>:1: .*", ["-"], feed=endless(bytes(mib)))
    yield Case("a missing file", r"none.yaml: No such file", ["none.yaml"])
    yield Case("a file that cannot be read", r"/proc/self/mem: ", ["/proc/self/mem"])
    yield Case("a directory without manifests", r"dir: there are no objects", ["dir"], {"dir/readme.txt": b"x"})
    yield Case("a bad file among good ones", r"dir/b.yaml:2: ", ["dir"],
               {"dir/a.yaml": FLAVOR.encode(), "dir/b.yaml": b"x: [", "dir/c.yaml": (QUEUE % 4).encode()})
    yield Case("nothing on standard input", r"<stdin>: there are no objects", ["-"], feed=lambda pipe: None)


# ---- running -------------------------------------------------------------------------------------------------------------

def give(process, feed):
    try:
        feed(process.stdin)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it has seen enough


def run(sluice, case, directory):
    """Status, standard error, seconds, MiB."""
    for name, data in case.files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
    errors = os.path.join(directory, "stderr")
    with open(errors, "wb") as err, open(os.devnull, "wb") as out:
        process = subprocess.Popen([sluice, "simulate"] + [a for p in case.args for a in ("-f", p)], cwd=directory,
                                   env=ENVIRONMENT,
                                   stdin=subprocess.PIPE if case.feed else subprocess.DEVNULL, stdout=out, stderr=err)
        signal.alarm(20 * SECONDS)
        if case.feed:
            give(process, case.feed)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        signal.alarm(0)
    with open(errors, "rb") as f:
        text = f.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    return code, text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def faults(case, code, text, seconds, mib):
    if code != 1:
        yield "status %d" % code
    if not re.search("^(?:sluice simulate: )?" + case.want, text, re.M):
        yield "no line like %r in: %s" % (case.want, text[:600] or "nothing")
    if seconds > SECONDS:
        yield "%.1f s" % seconds
    if mib > MIB:
        yield "%.0f MiB" % mib


def main():
    sluice, only = os.path.abspath(sys.argv[1]), sys.argv[2:]
    passed = failed = 0
    worst = [0, 0]
    for case in list(text_cases()) + list(other_cases()):
        if only and not any(o in case.name for o in only):
            continue
        directory = tempfile.mkdtemp(prefix="broken-")
        try:
            code, text, seconds, mib = run(sluice, case, directory)
        finally:
            shutil.rmtree(directory)
        found = list(faults(case, code, text, seconds, mib))
        if only:
            print("%s: %d, %.2f s, %.0f MiB: %s" % (case.name, code, seconds, mib, text[:500]))
        for f in found:
            print("%s: %s" % (case.name, f))
        worst = [max(worst[0], seconds), max(worst[1], mib)]
        passed, failed = passed + (not found), failed + bool(found)
    print("%d passed, %d failed; at most %.1f s, %.0f MiB" % (passed, failed, worst[0], worst[1]))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
