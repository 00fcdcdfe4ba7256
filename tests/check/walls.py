#!/usr/bin/env python3
"""Proves that a forbidden include does not compile.

walls.py COMPILER ROOT FOLDER=DIR:DIR... : DIRs are the include directories that the build gives to that folder's sources. For every
pair of folders, a file that includes a real header of the other folder must compile exactly when the layering allows it.
"""
import glob
import os
import subprocess
import sys

from house import LAYERS


def compiles(compiler, dirs, header):
    source = f'#include "{header}"\n'
    flags = [f"-I{d}" for d in dirs]
    done = subprocess.run([compiler, "-E", "-xc", "-std=gnu17", *flags, "-"], input=source.encode(), capture_output=True, check=False)
    return done.returncode == 0


def main(compiler, root, *folders):
    sees = dict(f.split("=", 1) for f in folders)
    bad, allowed, refused = [], 0, 0
    for folder, dirs in sees.items():
        for other in sees:
            headers = sorted(glob.glob(os.path.join(root, "lib", other, "*.h")))
            if not headers:
                continue
            header = other + "/" + os.path.basename(headers[0])
            works = compiles(compiler, [d for d in dirs.split(":") if d], header)
            wanted = other in LAYERS[folder]
            allowed += works and wanted
            refused += not works and not wanted
            if works != wanted:
                bad.append(f"lib/{folder}: #include \"{header}\" {'compiles' if works else 'does not compile'}")
    print("\n".join(bad + [f"{allowed} allowed includes compile, {refused} forbidden ones do not, {len(bad)} wrong"]))
    return 1 if bad or not allowed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
