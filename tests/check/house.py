#!/usr/bin/env python3
"""The house rules that a program can check: sizes, banned calls, who includes what, words that mean "unfinished".

house.py ROOT        checks the tree; prints one line a finding; exit status 1 when there is one
house.py --self-test proves that each rule can fail

Exceptions stand in tests/check/exceptions.txt, one a line: RULE PATH[:NAME] REASON. An exception that nothing needs is itself a finding.
"""
import os
import re
import sys

from sources import c_files

MAX_FILE = 800
MAX_FUNCTION = 80
GOOD_FUNCTION = 40

BANNED = {"strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "atoll", "atof", "gets", "alloca"}
# Memory has one door in the shipped code; tests may use libc's.
MEMORY = {"malloc", "calloc", "realloc", "free", "strdup", "strndup", "asprintf", "vasprintf", "getline"}
MEMORY_DOOR = "lib/base/mem.c"
# A library does not speak: errors go to the caller.
SPEAKING = {"printf", "vprintf", "puts", "putchar", "perror", "syslog", "exit", "_exit", "abort"}
# A pure function sees no clock, no chance, no environment, no thread.
IMPURE = {"time", "clock", "clock_gettime", "gettimeofday", "rand", "random", "srand", "drand48", "getenv", "getpid",
          "localtime", "gmtime", "strftime", "fopen", "open", "read", "write", "socket", "pthread_create", "sleep"}
PURE = ("lib/core/", "lib/lifecycle/")
WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP|not implemented|unimplemented|for now|placeholder|stub)\b", re.IGNORECASE)

LAYERS = {
    "base": ["base"],
    "core": ["base", "core"],
    "lifecycle": ["base", "core", "lifecycle"],
    "api": ["base", "core", "api"],
    "jobs": ["base", "core", "lifecycle", "api", "jobs"],
    "ledger": ["base", "core", "ledger"],
    "sim": ["base", "core", "lifecycle", "api", "jobs", "sim"],
}
CORE_SYSTEM = {"assert.h", "bsd/sys/tree.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h",
               "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "stdnoreturn.h", "string.h", "uthash.h", "utlist.h"}
JSON_DOOR = "lib/api/json.c"

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
CALL = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def code_only(text):
    """The text without comments and literals, line numbers kept."""
    return NOISE.sub(lambda m: re.sub(r"[^\n]+", " ", m.group()), text)


def functions(code):
    """(name, first line, number of lines) of every function; relies on clang-format: a body's braces stand in column 0."""
    lines = code.split("\n")
    for i, line in enumerate(lines):
        if line.rstrip() != "{":
            continue
        start = i
        while start > 0 and lines[start - 1].strip() and not re.search(r"[;}]\s*$|^\s*#", lines[start - 1]):
            start -= 1
        end = next((j for j in range(i, len(lines)) if lines[j].startswith("}")), len(lines) - 1)
        calls = CALL.findall(" ".join(lines[start:i]).split("__attribute__")[0])
        yield (calls[0] if calls else "?"), start + 1, end - start + 1


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def check_sizes(path, text, code):
    count = text.count("\n")
    if count >= MAX_FILE:
        yield "file-size", path, f"{path}:1: {count} lines, fewer than {MAX_FILE} allowed"
    for name, first, size in functions(code):
        if size > MAX_FUNCTION:
            yield "function-size", f"{path}:{name}", f"{path}:{first}: {name} has {size} lines, {MAX_FUNCTION} allowed"


def banned_in(path):
    """The call names a file may not use, each with its rule."""
    banned = {name: "banned-call" for name in BANNED}
    shipped = path.startswith(("lib/", "controller/"))
    if shipped and path != MEMORY_DOOR:
        banned.update({name: "memory-door" for name in MEMORY})
    if path.startswith("lib/"):
        banned.update({name: "silent-library" for name in SPEAKING})
    if path.startswith(PURE):
        banned.update({name: "pure-core" for name in IMPURE})
    return banned


def check_calls(path, code):
    banned = banned_in(path)
    for m in CALL.finditer(code):
        name = m.group(1)
        if name in banned:
            yield banned[name], f"{path}:{name}", f"{path}:{line_of(code, m.start())}: calls {name}"


def check_includes(path, text):
    folder = path.split("/")[1] if path.startswith("lib/") else None
    for m in INCLUDE.finditer(text):
        kind, name = m.groups()
        where = f"{path}:{line_of(text, m.start())}"
        if os.path.basename(name).lower() == "cjson.h" and path != JSON_DOOR:
            yield "json-door", f"{path}:{name}", f"{where}: includes {name}, which only {JSON_DOOR} may"
        if not folder:
            continue
        if kind == '"' and name.split("/")[0] not in LAYERS.get(folder, []):
            yield "layers", f"{path}:{name}", f"{where}: lib/{folder} may not include {name}"
        if kind == "<" and folder == "core" and name not in CORE_SYSTEM:
            yield "core-system", f"{path}:{name}", f"{where}: lib/core may not include <{name}>"


def check_words(path, text):
    for m in WORDS.finditer(text):
        yield "words", f"{path}:{m.group()}", f"{path}:{line_of(text, m.start())}: says \"{m.group()}\""


def check_file(path, text):
    code = code_only(text)
    yield from check_sizes(path, text, code)
    yield from check_calls(path, code)
    yield from check_includes(path, text)
    yield from check_words(path, text)


def read_exceptions(path):
    """{(rule, what): line number}; a line without a reason is refused."""
    exceptions = {}
    if not os.path.exists(path):
        return exceptions
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            parts = line.split("#")[0].split(None, 2) if line.startswith("#") else line.split(None, 2)
            if not parts:
                continue
            if len(parts) < 3:
                raise SystemExit(f"{path}:{number}: needs RULE PATH[:NAME] REASON")
            exceptions[(parts[0], parts[1])] = number
    return exceptions


def check_tree(root):
    exceptions_path = os.path.join(root, "tests/check/exceptions.txt")
    exceptions = read_exceptions(exceptions_path)
    used, findings, files, count, long = set(), [], 0, 0, []
    for path in c_files(root):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        files += 1
        for name, _, size in functions(code_only(text)):
            count += 1
            if size > GOOD_FUNCTION:
                long.append(f"{path}:{name} ({size})")
        for rule, what, message in check_file(path, text):
            if (rule, what) in exceptions:
                used.add((rule, what))
            else:
                findings.append(f"{message} [{rule}]")
    for key, number in sorted(exceptions.items(), key=lambda item: item[1]):
        if key not in used:
            findings.append(f"tests/check/exceptions.txt:{number}: nothing needs the exception {key[0]} {key[1]}")
    for finding in findings:
        print(finding)
    if long:
        print(f"longer than {GOOD_FUNCTION} lines, {MAX_FUNCTION} allowed: " + ", ".join(long))
    print(f"{files} files, {count} functions, {len(long)} over {GOOD_FUNCTION} lines, {len(findings)} findings, {len(used)} exceptions")
    return 1 if findings else 0


def self_test():
    body = "int f(void)\n{\n" + "    g();\n" * 90 + "}\n"
    cases = [
        ("file-size", "lib/core/a.c", "int x;\n" * 900),
        ("function-size", "lib/core/a.c", body),
        ("banned-call", "tests/unit/a.c", "void f(void)\n{\n    strcpy(a, b);\n}\n"),
        ("memory-door", "lib/api/a.c", "void f(void)\n{\n    free(a);\n}\n"),
        ("silent-library", "lib/api/a.c", "void f(void)\n{\n    printf(\"x\");\n}\n"),
        ("pure-core", "lib/core/a.c", "void f(void)\n{\n    clock_gettime(0, &t);\n}\n"),
        ("json-door", "lib/api/b.c", "#include <cjson/cJSON.h>\n"),
        ("layers", "lib/core/a.c", "#include \"api/json.h\"\n"),
        ("core-system", "lib/core/a.c", "#include <stdio.h>\n"),
        ("words", "lib/core/a.c", "/* to" "do */ int x; /* TO" "DO */\n"),
    ]
    clean = [
        ("lib/core/a.c", "#include \"base/err.h\"\n#include <uthash.h>\n\n/* strcpy( is banned */\nint f(void)\n{\n    p->free(\"free(x)\");\n}\n"),
        ("lib/base/mem.c", "void f(void)\n{\n    free(a);\n}\n"),
        ("lib/api/json.c", "#include <cjson/cJSON.h>\n"),
        ("tests/unit/base/a.c", "void f(void)\n{\n    free(a);\n    printf(\"x\");\n}\n"),
    ]
    bad = [f"{rule} was not found in {path}" for rule, path, text in cases if rule not in {r for r, _, _ in check_file(path, text)}]
    bad += [f"{path}: unexpected {found}" for path, text in clean for found in [list(check_file(path, text))] if found]
    print("\n".join(bad) if bad else f"{len(cases)} rules can fail, {len(clean)} clean files pass")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1:] == ["--self-test"] else check_tree(sys.argv[1] if len(sys.argv) > 1 else "."))
