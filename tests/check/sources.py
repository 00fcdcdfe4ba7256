"""The C files of the repository, as the checks see them."""
import os

FOLDERS = ("lib", "controller", "tests")


def c_files(root, endings=(".c", ".h")):
    """Paths relative to root, sorted, of every C file in the folders that hold code."""
    found = []
    for folder in FOLDERS:
        for here, dirs, names in os.walk(os.path.join(root, folder)):
            dirs[:] = [d for d in dirs if d not in ("corpus", "build") and not d.startswith(".")]
            found += [os.path.relpath(os.path.join(here, n), root) for n in names if n.endswith(endings)]
    return sorted(found)
