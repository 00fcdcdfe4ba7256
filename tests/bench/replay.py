#!/usr/bin/env python3
"""How fast a trace is replayed: one JSON line a policy, with lifecycles a second, nominations a lifecycle, cycles and peak memory. Queues are
made from the trace, quotas by mean demand unless given as TENANT=GPUS.

replay.py SLUICE TRACE [CAPACITY] [TENANT=GPUS...]
"""
import json
import os
import resource
import subprocess
import sys
import tempfile

sluice, trace, *rest = sys.argv[1:]
quotas = [a for q in rest if "=" in q for a in ("--quota", q)]
capacity = [a for c in rest if "=" not in c for a in ("--capacity", c)]

with tempfile.TemporaryDirectory() as tmp:
    for policy in ("fixed", "borrowing", "backfill", "reclaim"):
        queues, mapping = os.path.join(tmp, "queues.yaml"), os.path.join(tmp, "mapping.yaml")
        made = subprocess.run([sluice, "replay", trace, "--init", "--policy", policy, "--mapping", mapping, *capacity, *quotas],
                              capture_output=True, check=True)
        open(queues, "wb").write(made.stdout)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([sluice, "replay", trace, "-q", queues, "-m", mapping, "-o", "json"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        run = json.loads(out.stdout)["runs"][0]
        print(json.dumps({"policy": policy, "jobs": run["arrived"], "cpuSeconds": round(seconds, 3),
                          "lifecyclesPerSecond": round(run["ended"] / seconds), "cycles": run["cycles"],
                          "cyclesLeftOut": run["cyclesSkipped"], "nominationsPerLifecycle": round(run["decisions"] / run["arrived"], 2),
                          "preemptions": run["preemptions"], "peakKiB": after.ru_maxrss}))
