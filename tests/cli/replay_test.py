#!/usr/bin/env python3
"""sluice replay from outside: queues made from a trace, policies side by side, all outputs, events, the page, bad input.

replay_test.py SLUICE ROOT
"""
import csv
import html.parser
import io
import json
import os
import re
import subprocess
import sys
import tempfile

SLUICE, ROOT = sys.argv[1:3]
TRACE = os.path.join(ROOT, "tests/cli/replay/jobs.csv")
failures = []


def run(*args, status=0, stdin=None):
    p = subprocess.run([SLUICE, "replay", *args], capture_output=True, text=True, input=stdin, timeout=60)
    if p.returncode != status:
        failures.append(f"{args}: exit status {p.returncode}, not {status}: {p.stderr}")
    return p


def check(what, good):
    if not good:
        failures.append(what)


def close(a, b):
    return abs(a - b) <= 0.01 + abs(b) * 1e-5


def check_run(r):
    total, jobs = r["all"], list(csv.DictReader(open(TRACE)))
    check("all jobs arrive", r["arrived"] == len(jobs) == r["ended"] + r["running"] + r["waiting"])
    work = sum(float(j["gpus"]) * float(j["duration_s"]) for j in jobs) / 3600
    check("GPU-hours used are those of the jobs and those lost", close(total["usedGpuHours"], work + total["lostGpuHours"]))
    for kind in ("clusterQueues", "tenants", "sizes"):
        check(f"{kind} add up", close(sum(g["usedGpuHours"] for g in r[kind]), total["usedGpuHours"]))
        check(f"{kind} have all jobs", sum(g["jobs"] for g in r[kind]) == total["jobs"])
    check("borrowed = lent + overdraft", close(total["borrowedGpuHours"], total["lentGpuHours"] + total["overdraftGpuHours"]))
    check("loans add up", close(sum(l["gpuHours"] for l in r["loans"]), total["borrowedGpuHours"]))


VOID = {"meta", "link", "br", "img", "path", "rect"}


class Page(html.parser.HTMLParser):
    """Tags that nest as they should, the text by id of the section it stands in, and what could reach outside."""

    def __init__(self, text):
        super().__init__()
        self.open, self.text, self.tags, self.problems, self.ids = [], {}, {}, [], set()
        self.feed(text)
        if self.open:
            self.problems.append(f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs.items():
            if name.startswith("on") or name in ("src", "style", "action"):
                self.problems.append(f"{tag} has {name}")
            if name == "href" and not value.startswith("#"):
                self.problems.append(f"a link leads outside: {value}")
        if "id" in attrs:
            if attrs["id"] in self.ids:
                self.problems.append(f"id {attrs['id']} twice")
            self.ids.add(attrs["id"])
        if tag not in VOID or tag == "path":
            self.open.append((tag, attrs.get("id", "")))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1][0] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop()[0] != tag:
            self.problems.append(f"</{tag}> closes nothing at {self.getpos()}")

    def handle_data(self, data):
        for tag, name in self.open:
            if tag == "section":
                self.text[name] = self.text.get(name, "") + data


HOSTILE = ['<script>alert(1)</script>', '"><img src=x onerror=alert(2)>', "' onfocus=alert(3) x='", "&lt;b&gt;", "</style><b>", "\u202eevil",
           "</script><script>alert(4)</script>", "a" * 200]


def check_page(path, runs):
    text = open(path, encoding="utf-8").read()
    page = Page(text)
    for p in page.problems[:5]:
        failures.append(f"the page: {p}")
    check("one script and one style", page.tags["script"] == 1 and page.tags["style"] == 1)
    check("nothing from a network", not re.search(r"https?://|@import|url\(", text))
    check("nothing that is no number", not re.search(r"\b(nan|inf)\b", text))
    check("a card and a chart a policy", page.tags["article"] == len(runs))
    for i, r in enumerate(runs):
        if r["loans"]:
            most = max(r["loans"], key=lambda l: l["gpuHours"])
            check(f"the largest loan of policy {i} is an answer", f"{most['borrower']} from {most['lender']}: " in page.text["answers"])
    longest = max((q for r in runs for q in r["clusterQueues"]), key=lambda q: q["waitMeanSeconds"])
    check("who waits longest comes first", page.text["q0"].strip().startswith(longest["name"]) and longest["name"] in page.text["answers"])
    return page, text


# Names with markup in them, in trace, tenants and the paths of queues; and the size of the page does not follow that of the trace.
def check_hostile(tmp):
    trace, queues, mapping = (os.path.join(tmp, n) for n in ("<img src=x onerror=alert(0)>.csv", '"><svg onload=alert(5)>.yaml', "m.yaml"))
    with open(trace, "w", encoding="utf-8") as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(["job_id", "submit_s", "duration_s", "gpus", "tenant"])
        for i in range(4000):
            rows.writerow([f"j{i}", i * 40, 3000 + i % 7, 1 + i % 3, HOSTILE[i % len(HOSTILE)]])
    made = run(trace, "--init", "--capacity", "120", "--policy", "borrowing", "--mapping", mapping)
    open(queues, "w").write(made.stdout)
    out = os.path.join(tmp, "hostile.html")
    run(trace, "-q", queues, "-m", mapping, "--report", out)
    text = open(out, encoding="utf-8").read()
    page = Page(text)
    for p in page.problems[:5]:
        failures.append(f"hostile names: {p}")
    check("names are no markup", page.tags["script"] == 1 and "img" not in page.tags and page.tags["style"] == 1 and "onload" in text)
    check("names arrive as they are", os.path.basename(queues) in page.text["compare"])
    check("a page of 4,000 jobs is small", len(text) < 400_000)


# The GPU-hours that a queue is away from its fair share, by hand: b borrows all of a's quota from 0 to 100 s; a asks for it at 50 s.
def check_share_error(tmp):
    trace, queues = os.path.join(tmp, "share.csv"), os.path.join(tmp, "share.yaml")
    open(trace, "w").write("job_id,submit_s,duration_s,gpus,tenant\nx,0,100,8,b\ny,50,100,4,a\n")
    made = run(trace, "--init", "--policy", "borrowing", "--quota", "a=4", "--quota", "b=4")
    open(queues, "w").write(made.stdout)
    r = json.loads(run(trace, "-q", queues, "-o", "json").stdout)["runs"][0]
    got = {q["name"]: q["shareErrorGpuHours"] * 3600 for q in r["clusterQueues"]}
    check(f"share errors by hand: {got}", close(got["a"], 4 * 50) and close(got["b"], 4 * 50) and close(r["all"]["shareErrorGpuHours"] * 3600, 400))


# waitForPodsReady: one start after the other with blockAdmission; a start that is given up is tried again, and at last left.
def check_pods_ready(tmp):
    trace, queues, config, events = (os.path.join(tmp, n) for n in ("ready.csv", "ready.yaml", "ready-config.yaml", "ready-events"))
    open(trace, "w").write("job_id,submit_s,duration_s,gpus,tenant\n" + "".join(f"j{i},{i},100,1,a\n" for i in range(4)))
    open(queues, "w").write(run(trace, "--init", "--policy", "fixed", "--quota", "a=4").stdout)

    def times(event, wait, startup):
        open(config, "w").write("apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\nwaitForPodsReady: {" + wait + "}\n")
        run(trace, "-q", queues, "--config", config, "--startup", startup, "--events", events)
        return [int(n["at"]) for n in map(json.loads, open(events)) if n["event"] == event]

    check("starts go side by side", times("admitted", "timeout: 1m", "30s") == [0, 1, 2, 3])
    check("starts go one after the other", times("admitted", "timeout: 1m, blockAdmission: true", "30s") == [0, 30, 60, 90])
    again = "timeout: 20s, requeuingStrategy: {backoffBaseSeconds: 10, backoffLimitCount: 2}"
    check("starts are given up and tried again", times("timedOut", again, "30s") == sorted(t + i for t in (20, 50) for i in range(4)))
    check("and at last left", times("left", again, "30s") == [90, 91, 92, 93])
    open(config, "w").write("apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\nwaitForPodsReady: {timeout: 20s}\n")
    check("no start could ever succeed", "no job would ever start" in run(trace, "-q", queues, "--config", config, "--startup", "30s", status=1).stderr)


# sluice diff measures the same window of a trace as replay does.
def check_diff_window(path):
    def diff(*args):
        p = subprocess.run([SLUICE, "diff", "--before", path["fixed"], "--after", path["borrowing"], *args], capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout, p.stderr

    window = ("--from", "2h", "--to", "5h")
    queues = [a for p in ("fixed", "borrowing") for a in ("-q", path[p])]
    runs = json.loads(run(TRACE, *queues, "-m", path["mapping"], "--skip-impossible", "-o", "json", *window).stdout)["runs"]
    status, out, _ = diff("--trace", TRACE, "-m", path["mapping"], "--skip-impossible", "-o", "json", *window)
    whole = json.loads(out)["trace"][0] if status == 4 else {}
    for side, r in zip(("before", "after"), runs):
        for key in ("jobs", "waitMeanSeconds", "usedGpuHours", "lentGpuHours"):
            check(f"diff: {side} {key} is that of replay", close(float(whole.get(side, {}).get(key, -1)), r["all"][key]))
    check("diff: fewer jobs than in all of the trace", 0 < runs[1]["all"]["jobs"] < 400)
    for args, want in ((window, "--from is of no use without --trace"), (("--trace", TRACE, "--from", "5h", "--to", "2h"), "--from is not before --to"),
                       (("--trace", TRACE, "--from", "soon"), "neither a length of time")):
        status, _, err = diff(*args)
        check(f"diff {args}: {err}", status == 2 and want in err)


def main(tmp):
    path = {p: os.path.join(tmp, p + ".yaml") for p in ("fixed", "borrowing", "backfill", "reclaim", "mapping")}
    for policy in ("fixed", "borrowing", "backfill", "reclaim"):
        p = run(TRACE, "--init", "--capacity", "24", "--policy", policy, "--mapping", path["mapping"])
        open(path[policy], "w").write(p.stdout)
        quotas = [int(line.split('nominalQuota: "')[1].split('"')[0]) for line in p.stdout.splitlines() if "nominalQuota" in line]
        check("the capacity is shared out", sum(quotas) == 24 and len(quotas) == 3)
    check("a name that is no object's name is mapped", "default/green-team" in open(path["mapping"]).read())
    policies = [a for p in ("fixed", "borrowing", "backfill", "reclaim") for a in ("-q", path[p])] + ["-m", path["mapping"]]

    out = json.loads(run(TRACE, *policies, "-o", "json", "--skip-impossible").stdout)
    check("four runs", len(out["runs"]) == 4)
    for r in out["runs"]:
        if not r["impossible"]:
            check_run(r)
    check("without borrowing some jobs are impossible, with it none", [bool(r["impossible"]) for r in out["runs"]] == [True, False, False, False])
    check("somebody borrows and somebody is evicted", out["runs"][1]["all"]["borrowedGpuHours"] > 0 and out["runs"][3]["preemptions"] > 0)

    rows = list(csv.DictReader(io.StringIO(run(TRACE, *policies, "-o", "csv").stdout)))
    check("a row a group", len([r for r in rows if r["kind"] == "all"]) == 4 and len([r for r in rows if r["kind"] == "tenant"]) == 12)
    table = run(TRACE, *policies, "--from", "1h", "--to", "10h", "--warmup", "30m")
    check("the best is marked", " *" in table.stdout and "QUEUE" in table.stdout)
    check("the same twice", table.stdout == run(TRACE, *policies, "--from", "1h", "--to", "10h", "--warmup", "30m").stdout)

    report = os.path.join(tmp, "report.html")
    runs = json.loads(run(TRACE, *policies, "-o", "json", "--report", report).stdout)["runs"]
    check_page(report, runs)
    before = open(report).read()
    run(TRACE, *policies, "--report", report)
    check("the same page twice", before == open(report).read())
    run(TRACE, *policies, "--report", os.path.join(tmp, "no", "such.html"), status=1)
    check_hostile(tmp)
    check_share_error(tmp)
    check_pods_ready(tmp)
    check_diff_window(path)

    events = os.path.join(tmp, "events")
    run(TRACE, "-q", path["reclaim"], "-m", path["mapping"], "--events", events, "--stop", "30s", "--checkpoint-every", "10m")
    notes = [json.loads(line) for line in open(events)]
    counts = {e: sum(n["event"] == e for n in notes) for e in ("arrived", "admitted", "evicted", "released", "finished")}
    check("each job arrives and finishes", counts["arrived"] == counts["finished"] == 400)
    check("each admission ends", counts["admitted"] == counts["finished"] + counts["evicted"] and counts["evicted"] == counts["released"] > 0)

    text = open(TRACE).read()
    for bad, want in ((text[:-8], "cut short"), (text.replace("duration_s", "length"), 'column "duration_s" is missing'),
                      (text.replace("j0005,", "j0005,-"), "line 7: submit_s"), ("", "empty"), ("x\n", "no format of traces")):
        check(f"bad trace: {want}", want in run("-", "-q", path["fixed"], "-m", path["mapping"], status=1, stdin=bad).stderr)
    check("no queue for a tenant", "--mapping" in run(TRACE, "-q", path["fixed"], status=1).stderr)
    run(TRACE, status=2)
    run("-q", path["fixed"], status=2)
    run(TRACE, "-q", path["fixed"], "--from", "soon", status=2)
    run(TRACE, "-q", path["fixed"], "-m", path["mapping"], "--from", "2h", "--to", "1h", status=2)
    run(os.path.join(tmp, "none.csv"), "-q", path["fixed"], status=1)


with tempfile.TemporaryDirectory() as directory:
    main(directory)
for f in failures:
    print(f)
sys.exit(1 if failures else 0)
