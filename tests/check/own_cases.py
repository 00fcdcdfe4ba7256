#!/usr/bin/env python3
"""own_cases.py DIR LEAST: counts the worlds (x.yaml beside x.json) and the vector tables under DIR; exit status 1 when fewer than LEAST."""
import os
import sys


def main(top, least):
    worlds = tables = 0
    for here, _, names in os.walk(top):
        for name in names:
            if name.endswith(".json"):
                is_world = name[:-5] + ".yaml" in names
                worlds += is_world
                tables += not is_world
    print(f"{worlds} worlds, {tables} tables, at least {least} wanted")
    return 0 if worlds + tables >= int(least) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
