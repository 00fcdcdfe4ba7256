#!/usr/bin/env python3
"""results.py JUNIT PRESET: one line a test of ctest's report, "passed|failed|skipped<TAB>name", and one "says" line for each test whose
own output ends with a count of cases."""
import re
import sys
import xml.etree.ElementTree as tree

COUNT = re.compile(r"^\d+ passed, \d+ failed, \d+ skipped.*$", re.MULTILINE)


def main(junit, preset):
    for case in tree.parse(junit).getroot().iter("testcase"):
        name = f"{preset}: {case.get('name')}"
        output = case.findtext("system-out") or ""
        counts = COUNT.findall(output)
        if counts:
            print(f"says\t{name}: {counts[-1]}")
        skip = case.find("skipped")
        if skip is not None and "SKIP_RETURN_CODE" in skip.get("message", ""):
            print(f"skipped\t{name}: {(output.strip().splitlines() or ['it skips itself'])[-1]}")
        elif case.get("status") == "run" and skip is None and case.find("failure") is None:
            print(f"passed\t{name}")
        else:
            print(f"failed\t{name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
