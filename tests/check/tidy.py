#!/usr/bin/env python3
"""tidy.py ROOT BUILD: clang-tidy over every source of lib/ and controller/ in BUILD/compile_commands.json; exit status 77 (skipped) without clang-tidy.

clang-tidy takes seconds a file, so a file that was clean is not looked at again until it, a header of the repository that it reads,
its command or .clang-tidy changes. What was clean is remembered in BUILD/tidy/.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys


MODEL = "tests/check/analyzer.h"


def headers_of(entry, root):
    """Files of the repository that the source reads, itself included, by the compiler's own account."""
    args = [a for a in shlex.split(entry["command"]) if a not in ("-c",)]
    if "-o" in args:
        at = args.index("-o")
        del args[at:at + 2]
    done = subprocess.run([*args, "-MM"], cwd=entry["directory"], capture_output=True, text=True, check=False)
    files = re.sub(r"\\\n", " ", done.stdout).split(":", 1)[-1].split()
    real = {os.path.realpath(os.path.join(entry["directory"], f)) for f in files} | {os.path.realpath(entry["file"])}
    return sorted(f for f in real if f.startswith(root + os.sep))


def fingerprint(entry, root, config):
    h = hashlib.sha256(config + entry["command"].encode())
    for path in headers_of(entry, root):
        with open(path, "rb") as f:
            h.update(path.encode() + b"\0" + f.read() + b"\0")
    return h.hexdigest()


def look(entry, root, build, config):
    """(file, was it remembered, output of clang-tidy or None when clean)"""
    mark = os.path.join(build, "tidy", fingerprint(entry, root, config))
    if os.path.exists(mark):
        return entry["file"], True, None
    model = [] if "/base/" in entry["file"] else ["--extra-arg=-include", f"--extra-arg={os.path.join(root, MODEL)}"]
    done = subprocess.run(["clang-tidy", "--quiet", "-p", build, *model, entry["file"]], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        with open(mark, "w", encoding="utf-8") as f:
            f.write(entry["file"] + "\n")
        return entry["file"], False, None
    return entry["file"], False, (done.stdout or done.stderr).strip()


def main(root, build):
    if not shutil.which("clang-tidy"):
        print("clang-tidy is not installed")
        return 77
    root = os.path.realpath(root)
    os.makedirs(os.path.join(build, "tidy"), exist_ok=True)
    config = b""
    for path in (".clang-tidy", MODEL):
        with open(os.path.join(root, path), "rb") as f:
            config += f.read()
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        entries = {e["file"]: e for e in json.load(f) if os.path.relpath(e["file"], root).startswith(("lib/", "controller/"))}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda e: look(e, root, build, config), entries.values()))
    bad = [(file, output) for file, _, output in results if output]
    for _, output in bad:
        print(output)
    print(f"{len(results)} files, {sum(kept for _, kept, _ in results)} of them unchanged since they were clean, {len(bad)} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
