#!/usr/bin/env python3
"""sluice replay from outside: queues made from a trace, policies side by side, all outputs, events, bad input.

replay_test.py SLUICE ROOT
"""
import csv
import io
import json
import os
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
