#!/usr/bin/env python3
"""sluice history from outside: ledgers of simulate and replay, all reports and outputs, filters, terminals, bad input.

history_test.py SLUICE ROOT
"""
import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

SLUICE, ROOT = sys.argv[1:3]
TRACE = os.path.join(ROOT, "tests/cli/replay/jobs.csv")
REPORTS = ("loans", "usage", "admissions", "preemptions", "waits")
failures = []


def run(*args, status=0):
    p = subprocess.run([SLUICE, *args], capture_output=True, text=True, timeout=120)
    if p.returncode != status:
        failures.append(f"{args}: exit status {p.returncode}, not {status}: {p.stderr}")
    return p


def check(what, good):
    if not good:
        failures.append(what)


def close(a, b):
    return abs(a - b) <= 0.01 + abs(b) * 1e-5


def rows(ledger, report, *args):
    return json.loads(run("history", report, "--ledger", ledger, "-o", "json", *args).stdout)["rows"]


def make_replay(tmp):
    """A ledger of a replay, and what the replay itself says."""
    queues, mapping, ledger = (os.path.join(tmp, n) for n in ("queues.yaml", "mapping.yaml", "replay.db"))
    p = run("replay", TRACE, "--init", "--capacity", "24", "--policy", "reclaim", "--mapping", mapping)
    open(queues, "w").write(p.stdout)
    out = run("replay", TRACE, "-q", queues, "-m", mapping, "--stop", "30s", "--ledger", ledger, "-o", "json").stdout
    check("a ledger has no log and no lock beside it", sorted(os.listdir(tmp)) == ["mapping.yaml", "queues.yaml", "replay.db"])
    run("replay", TRACE, "-q", queues, "-m", mapping, "--ledger", ledger, status=1)
    p = run("replay", TRACE, "-q", queues, "-q", queues, "-m", mapping, "--ledger", ledger + "2", status=2)
    check("one policy at a time", "one policy at a time" in p.stderr)
    return ledger, json.loads(out)["runs"][0]


def check_sums(ledger, replayed):
    total = replayed["all"]
    for by in ((), ("--by", "day"), ("--by", "week"), ("--by", "month")):
        loans, usage = rows(ledger, "loans", *by), rows(ledger, "usage", *by)
        check(f"usage {by}", close(sum(r["hours"] for r in usage), total["usedGpuHours"]))
        check(f"loans {by}", close(sum(r["hours"] for r in loans), total["borrowedGpuHours"]))
        check(f"admissions {by}", sum(r["admitted"] for r in rows(ledger, "admissions", *by)) == 594)
        lost = rows(ledger, "preemptions", *by)
        check(f"preemptions {by}", sum(r["evictions"] for r in lost) == replayed["preemptions"])
        check(f"lost {by}", close(sum(r["lostHours"] for r in lost), total["lostGpuHours"]))
        check(f"notice {by}", all(r["medianNoticeSeconds"] == 30 for r in lost))
    by_pair = {(l["borrower"], l["lender"]): l["gpuHours"] for l in replayed["loans"]}
    for r in rows(ledger, "loans"):
        check(f"{r['borrower']} owes {r['lender']}", close(r["hours"], by_pair[r["borrower"], r["lender"]]))
        check("exact", close(int(r["amountNanoseconds"]) / 3.6e12, r["hours"]))
    for q in replayed["clusterQueues"]:
        mine = rows(ledger, "usage", "--queue", q["name"])
        check(f"usage of {q['name']}", close(sum(r["hours"] for r in mine), q["usedGpuHours"]))
    days = rows(ledger, "usage", "--from", "1970-01-01", "--to", "1970-01-02")
    later = rows(ledger, "usage", "--from", "1d")
    check("parts add up", close(sum(r["hours"] for r in days + later), total["usedGpuHours"]))


def check_outputs(ledger):
    for report in REPORTS:
        args = ("history", report, "--ledger", ledger)
        table = run(*args, "--by", "day").stdout.splitlines()
        data = rows(ledger, report, "--by", "day")
        lines = list(csv.DictReader(io.StringIO(run(*args, "--by", "day", "-o", "csv").stdout)))
        check(f"{report}: as many rows", len(data) == len(lines) > 0 and len(table) >= len(data) + 1)
        check(f"{report}: the same fields", list(data[0]) == list(lines[0]))
        check(f"{report}: no bars in a file", "█" not in "".join(table))
        check(f"{report}: nothing", run(*args, "--queue", "nobody").stdout == "nothing is known of that\n")
    matrix = run("history", "loans", "--ledger", ledger).stdout
    check("who owes whom", "Who ran on whose quota, in hours of nvidia.com/gpu" in matrix and "BALANCE" in matrix)
    balance = [line.split() for line in matrix[matrix.index("BALANCE"):].splitlines()[1:]]
    check("balances add up to nothing", len(balance) == 3 and abs(sum(float(b[3].replace(",", "")) for b in balance)) < 0.2)


def check_sql(ledger):
    p = run("history", "sql", "SELECT count(*) AS n FROM usages", "--ledger", ledger, "-o", "json")
    check("sql as JSON", json.loads(p.stdout) == [{"n": 594}])
    p = run("history", "sql", "SELECT 'a\x1b[31m\"b' AS t, NULL AS u", "--ledger", ledger)
    check("no commands to a terminal", "\x1b" not in p.stdout and '?[31m"b' in p.stdout)
    p = run("history", "sql", "SELECT 'a\"b' AS t, 7 AS n, NULL AS u", "--ledger", ledger, "-o", "csv")
    check("sql as CSV", p.stdout == '"t","n","u"\n"a""b",7,\n')
    for sql in ("DELETE FROM usage", "PRAGMA user_version = 9", "ATTACH '/tmp/x' AS x", "SELECT 1; SELECT 2", "SELEC"):
        run("history", "sql", sql, "--ledger", ledger, status=1)
    wide = ", ".join(f"{i} AS c{i}" for i in range(20))
    check("many columns", "c19" in run("history", "sql", "SELECT " + wide, "--ledger", ledger).stdout)


def check_plain_sqlite(ledger):
    """What lib/ledger/README.md promises to people with sqlite3."""
    db = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    used, = db.execute("SELECT sum(hours) FROM usages").fetchone()
    check("the view of usage agrees", close(used, sum(r["hours"] for r in rows(ledger, "usage"))))
    lent, = db.execute("SELECT sum(hours) FROM loans").fetchone()
    check("the view of loans agrees", close(lent, sum(r["hours"] for r in rows(ledger, "loans"))))
    db.close()


def check_simulate(tmp):
    ledger = os.path.join(tmp, "sim.db")
    run("simulate", "-f", os.path.join(ROOT, "examples/reclaim"), "-q", "--ledger", ledger, status=3)
    loans = rows(ledger, "loans")
    check("a loan of the example", len(loans) == 1 and loans[0]["borrower"] == "team-b" and loans[0]["hours"] == 5)
    check("two were taken back", loans[0]["takenBack"] == 2)
    p = run("simulate", "-f", os.path.join(ROOT, "examples/reclaim"), "--ledger", ledger, status=1)
    check("each run has its own ledger", "is there already" in p.stderr and not p.stdout)
    run("simulate", "-f", os.path.join(ROOT, "examples/reclaim"), "--ledger", os.path.join(tmp, "no/such/dir"), status=1)


def check_bad(tmp, ledger):
    text = os.path.join(tmp, "text")
    open(text, "w").write("x" * 5000)
    for args, status in ((("loans", "--ledger", text), 1), (("loans", "--ledger", text + "2"), 1), (("loans",), 2), ((), 2),
                         (("sql", "--ledger", ledger), 2), (("nothing", "--ledger", ledger), 2),
                         (("loans", "more", "--ledger", ledger), 2), (("loans", "--ledger", ledger, "--by", "year"), 2),
                         (("loans", "--ledger", ledger, "--from", "soon"), 2),
                         (("loans", "--ledger", ledger, "--from", "2026-03", "--to", "2026-02"), 2)):
        p = run("history", *args, status=status)
        check(f"{args}: says why", p.stderr.startswith("sluice history: ") and not p.stdout)


def check_notes(tmp, ledger):
    db = sqlite3.connect(ledger)
    db.executescript("INSERT INTO name (text) VALUES ('full'); INSERT INTO gap (began_ns, ended_ns, reason, lost) SELECT 0, 5, id,"
                     " 3 FROM name WHERE text = 'full'; INSERT INTO meta VALUES ('kept_since_ns', 7000000000)")
    db.close()
    p = run("history", "usage", "--ledger", ledger)
    check("gaps are told", "1 gaps" in p.stderr and "before 1970-01-01T00:00:07Z is no longer kept" in p.stderr)
    db = sqlite3.connect(ledger)
    db.execute("PRAGMA user_version = 99")
    db.close()
    p = run("history", "usage", "--ledger", ledger, status=1)
    check("newer files are refused", "version 99 of a newer program" in p.stderr)


def main(tmp):
    ledger, replayed = make_replay(tmp)
    check_sums(ledger, replayed)
    check_outputs(ledger)
    check_sql(ledger)
    check_plain_sqlite(ledger)
    check_simulate(tmp)
    check_bad(tmp, ledger)
    check_notes(tmp, ledger)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        main(directory)
    print("\n".join(failures) if failures else "ok")
    sys.exit(1 if failures else 0)
