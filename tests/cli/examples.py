#!/usr/bin/env python3
"""Runs the transcripts of the examples: examples/NAME/expected.txt.

examples.py SLUICE ROOT [NAME]   compares; exit status 1 when something differs
examples.py --write SLUICE ROOT  writes what comes out instead: to be read before it is committed

A line that begins with "$ " is a command, run by bash in ROOT with `sluice` in its path; what follows is its output and its exit status.
"""
import difflib
import os
import subprocess
import sys


def transcript(commands, sluice, root):
    env = dict(os.environ, PATH=os.path.dirname(sluice) + os.pathsep + os.environ["PATH"])
    env.pop("SLUICE", None)
    text = ""
    for command in commands:
        ran = subprocess.run(["bash", "-c", command], cwd=root, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        text += "$ %s\n%sexit status %d\n\n" % (command, ran.stdout.decode(), ran.returncode)
    return text.rstrip("\n") + "\n"


def main():
    args = sys.argv[1:]
    write = args and args[0] == "--write"
    sluice, root, *names = args[1:] if write else args
    sluice, root = os.path.abspath(sluice), os.path.abspath(root)
    folder = os.path.join(root, "examples")
    bad = 0
    for name in names or sorted(os.listdir(folder)):
        if not os.path.isdir(os.path.join(folder, name)):
            continue
        path = os.path.join(folder, name, "expected.txt")
        if not os.path.exists(path) or not os.path.exists(os.path.join(folder, name, "README.md")):
            print("%s: no expected.txt or no README.md" % name)
            bad += 1
            continue
        with open(path, encoding="utf-8") as f:
            expected = f.read()
        commands = [line[2:] for line in expected.splitlines() if line.startswith("$ ")]
        if not commands:
            print("%s: no commands" % path)
            bad += 1
            continue
        got = transcript(commands, sluice, root)
        if write:
            with open(path, "w", encoding="utf-8") as f:
                f.write(got)
        elif got != expected:
            bad += 1
            sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), got.splitlines(True), path, "now"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
