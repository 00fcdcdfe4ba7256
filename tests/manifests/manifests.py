#!/usr/bin/env python3
"""Real manifests: `sluice simulate -f` reads each file and each folder without a crash, and a folder reads the same file by file.

    manifests.py SLUICE DIR

The exit status is 0, 3 (some wait) or 1 (something is wrong with the input, which is then said); never a signal. The files of a
folder, joined with "---" and given on standard input, print the same as the folder, but for file names and lines in messages.
"""
import os
import re
import subprocess
import sys

SECONDS = 60


def simulate(sluice, args, feed=None):
    p = subprocess.run([sluice, "simulate", *args], input=feed, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=SECONDS, check=False)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def joined(folder, names):
    """for f in DIR/*.yaml; do echo ---; cat "$f"; done"""
    text = b""
    for name in names:
        with open(os.path.join(folder, name), "rb") as f:
            text += b"---\n" + f.read()
    return text


def anonymous(text):
    """Messages without file and line; that a file ends without newline is only seen where files are joined."""
    lines = [line for line in text.splitlines() if "a file before it ends without a newline" not in line]
    return re.sub(r"(^|[ (])[^\s:()]*(?:<stdin>|\.ya?ml):[0-9]+", r"\1FILE", "\n".join(lines), flags=re.M)


def faults_of(status, err):
    if status not in (0, 1, 3):
        yield "status %d: %s" % (status, err[-500:])
    if status == 1 and not err.strip():
        yield "status 1 without a word"
    if "Sanitizer" in err:
        yield err[-2000:]


def check_file(sluice, path):
    status, _, err = simulate(sluice, ["-f", path])
    yield from faults_of(status, err)


def check_folder(sluice, path, names):
    one = simulate(sluice, ["-f", path])
    yield from faults_of(one[0], one[2])
    if not names or any(not n.endswith(".yaml") for n in names):
        return
    # A file that ends without newline runs into the next marker in the shell as well.
    feed = joined(path, names)
    other = simulate(sluice, ["-f", "-"], feed)
    for what, a, b in (("status", *map(str, (one[0], other[0]))), ("output", one[1], other[1]),
                       ("messages", anonymous(one[2]), anonymous(other[2]))):
        if a != b:
            yield "%s of the folder and of its files joined differ:\n%s\n--- joined:\n%s" % (what, a[:1500], b[:1500])


def main():
    sluice, root = os.path.abspath(sys.argv[1]), sys.argv[2]
    files = folders = failed = 0
    for folder, _, names in sorted(os.walk(root)):
        names = sorted(n for n in names if re.search(r"\.(ya?ml|json)$", n) and not n.startswith("."))
        results = [(os.path.join(folder, n), check_file(sluice, os.path.join(folder, n))) for n in names]
        results.append((folder, check_folder(sluice, folder, names)))
        files, folders = files + len(names), folders + 1
        for path, faults in results:
            for fault in faults:
                print("%s: %s" % (path, fault))
                failed += 1
    print("%d files and %d folders, %d failed" % (files, folders, failed))
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
