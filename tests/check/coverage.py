#!/usr/bin/env python3
"""coverage.py SUMMARY LINES BRANCHES: judges gcovr's JSON summary; exit status 1 below either percentage, or when nothing was counted."""
import json
import sys


def main(path, lines, branches):
    with open(path, encoding="utf-8") as f:
        total = json.load(f)
    good = total["line_total"] > 0
    for what, least in (("line", float(lines)), ("branch", float(branches))):
        percent = total[f"{what}_percent"] or 0.0
        good = good and percent >= least
        print(f"{what}: {percent} % ({total[f'{what}_covered']} of {total[f'{what}_total']}), at least {least:g} % wanted")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
