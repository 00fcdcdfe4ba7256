#!/usr/bin/env python3
"""controller/kube against a real API server: all kinds of requests, all kinds of credentials, and networks that fail.

kube_test.py PROBE ROOT [NAME...]     runs the cases whose name holds one of NAME; exit status 77 when there can be no test cluster
"""
import base64
import concurrent.futures
import fcntl
import json
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import relay

TOKENS = "good-token,jane,uid-jane,\"system:masters\"\nother-token,joe,uid-joe,\"a-group\"\n"


class Failed(Exception):
    pass


def check(ok, *what):
    if not ok:
        raise Failed(" ".join(str(w) for w in what))


class World:
    """The cluster, and what is needed to reach it in many ways."""

    def __init__(self, probe, root, directory):
        self.probe = probe
        self.dir = directory
        self.lock = threading.Lock()
        tokens = os.path.join(directory, "tokens.csv")
        with open(tokens, "w") as f:
            f.write(TOKENS)
        up = subprocess.run([os.path.join(root, "tests/cluster/up"), "--mini", "--dir", os.path.join(directory, "cluster"),
                             "--token", tokens, "--while", str(os.getpid())], stdout=subprocess.PIPE, text=True)
        if up.returncode == 77:
            print("no test cluster: neither Go nor network")
            sys.exit(77)
        check(up.returncode == 0, "the test cluster does not come up")
        self.kubeconfig = up.stdout.strip()
        with open(self.kubeconfig) as f:
            text = f.read()
        config = json.loads(text) if text.lstrip().startswith("{") else None
        if config:
            self.cluster = config["clusters"][0]["cluster"]
            self.user = config["users"][0]["user"]
        else:
            self.cluster = self.section(text, "cluster")
            self.user = self.section(text, "user")
        base = os.path.dirname(self.kubeconfig)
        self.ca = self.pem(self.cluster, "certificate-authority", base)
        self.cert = self.pem(self.user, "client-certificate", base)
        self.key = self.pem(self.user, "client-key", base)
        self.server = self.cluster["server"]
        host, port = self.server.split("//")[1].split(":")
        self.address = (host, int(port))

    @staticmethod
    def section(text, name):
        """The scalars below `name:` of a kubeconfig in YAML that holds one of each."""
        block = re.search(r"^( *(?:- )?)%s:(.*\n(?:\1? +.*\n)*)" % name, text, re.M).group(2)
        return {k: v.strip().strip("\"'") for k, v in re.findall(r"^ *([\w-]+): *(\S.*)$", block, re.M)}

    @staticmethod
    def pem(section, field, base):
        if field + "-data" in section:
            return base64.b64decode(section[field + "-data"]).decode()
        with open(os.path.join(base, section[field])) as f:
            return f.read()

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def config(self, name, cluster=None, user=None):
        """A kubeconfig; a field of value None is left out."""
        data = lambda text: base64.b64encode(text.encode()).decode()
        c = {"server": self.server, "certificate-authority-data": data(self.ca), **(cluster or {})}
        u = user if user is not None else {"client-certificate-data": data(self.cert), "client-key-data": data(self.key)}
        drop = lambda m: {k: v for k, v in m.items() if v is not None}
        return self.file(name + ".kubeconfig", json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "default"}}],
            "clusters": [{"name": "c", "cluster": drop(c)}], "users": [{"name": "u", "user": drop(u)}]}))

    def run(self, config, *args, env=None, before=()):
        run = subprocess.run([*before, self.probe, "--kubeconfig", config, *args], capture_output=True, text=True, timeout=120,
                             env={**os.environ, **(env or {})})
        check("ERROR: " not in run.stderr and "runtime error" not in run.stderr, run.stderr[-3000:])
        return run.returncode, run.stdout

    def ok(self, config, *args, **more):
        code, out = self.run(config, *args, **more)
        check(code == 0, "exit status", code, out[-1000:])
        return out

    def bad(self, config, *args, says, **more):
        code, out = self.run(config, *args, **more)
        check(code == 1, "exit status", code, "instead of 1", out[-1000:])
        check(says in out, repr(says), "is not in", out[-1000:])


# ---- requests -------------------------------------------------------------------------------------------------------------------

def test_requests_http2(w):
    w.ok(w.kubeconfig, "all")


def test_requests_http1(w):
    w.ok(w.kubeconfig, "--http1", "all")


def test_discovery(w):
    out = w.ok(w.kubeconfig, "discover")
    check(re.search(r"^version 1\.\d\d v1\.", out, re.M), out)
    check("batch/v1/jobs served 1 namespaced 1 status 1" in out, out)
    check("/v1/nodes served 1 namespaced 0 status 1" in out, out)
    check("/v1/gremlins served 0" in out and "example.invalid/v1/jobs served 0" in out, out)


def test_one_connection_each(w):
    out = w.ok(w.kubeconfig, "follow", "3")
    check("connections 2 open 2 shut 0 timeouts 0" in out, out)
    check(len(re.findall(r" write 200", out)) > 15, out)


# ---- credentials ----------------------------------------------------------------------------------------------------------------

def test_certificate_files(w):
    w.file("ca.crt", w.ca), w.file("me.crt", w.cert), w.file("me.key", w.key)
    w.ok(w.config("files", {"certificate-authority-data": None, "certificate-authority": "ca.crt"},
                  {"client-certificate": "me.crt", "client-key": "me.key"}), "get", "/version")


def test_token(w):
    w.ok(w.config("token", user={"token": "good-token"}), "get", "/api/v1/namespaces/default")
    w.bad(w.config("token-bad", user={"token": "no-such-token"}), "get", "/api/v1/namespaces/default", says="401")
    w.bad(w.config("token-joe", user={"token": "other-token"}), "get", "/api/v1/namespaces/default", says="403")


def test_token_file_wins(w):
    w.file("token", "good-token\n")
    w.ok(w.config("tokenfile", user={"token": "bad", "tokenFile": "token"}), "get", "/api/v1/namespaces/default")


def test_impersonation(w):
    config = w.config("as", user={"token": "good-token", "as": "kim", "as-groups": ["g"], "as-user-extra": {"a/b": ["1"]}})
    out = w.ok(config, "selfcheck")
    want = ("missing 5\n# ClusterRole\n- apiGroups: [\"batch\"]\n  resources: [\"jobs\"]\n  verbs: [\"list\", \"watch\"]\n"
            "- apiGroups: [\"batch\"]\n  resources: [\"jobs/status\"]\n  verbs: [\"patch\"]\n"
            "# Role in the namespace default\n- apiGroups: [\"coordination.k8s.io\"]\n  resources: [\"leases\"]\n  verbs: [\"update\"]\n"
            "- apiGroups: [\"\"]\n  resources: [\"configmaps\"]\n  verbs: [\"get\"]\n")
    check(out == want, out)
    check(w.ok(w.kubeconfig, "selfcheck") == "missing 0\n", "an admin may do everything")


def test_plugin(w):
    w.file("plugin", """#!/bin/sh
echo "$1:$KUBERNETES_EXEC_INFO" >> %s
n=$(wc -l < %s)
[ "$n" = 1 ] && [ "$1" = twice ] && token=stale || token=good-token
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$token'"}}'
""" % ((shlex.quote(os.path.join(w.dir, "plugin.log")),) * 2), 0o700)
    for mode, runs in (("once", 1), ("twice", 2)):
        log = w.file("plugin.log", "")
        config = w.config("plugin", user={"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "args": [mode],
                                                   "interactiveMode": "Never", "provideClusterInfo": True}})
        w.ok(config, "--exec", "get", "/api/v1/namespaces/default")
        with open(log) as f:
            lines = f.read().splitlines()
        check(len(lines) == runs, "the plugin ran", len(lines), "times")
        info = json.loads(lines[0].split(":", 1)[1])
        check(info["spec"]["cluster"]["server"] == w.server and info["spec"]["interactive"] is False, info)
        check(base64.b64decode(info["spec"]["cluster"]["certificate-authority-data"]).decode() == w.ca, "another CA")
    w.bad(config, "get", "/version", says="for the command line only")


def test_plugin_certificate(w):
    answer = json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                         "status": {"clientCertificateData": w.cert, "clientKeyData": w.key}})
    path = w.file("answer.json", answer)
    config = w.config("plugin-cert", user={"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "cat", "args": [path],
                                                    "interactiveMode": "Never"}})
    w.ok(config, "--exec", "all")


def test_pod(w):
    """As a pod is given it; the directory itself cannot be ours, so the test of in-cluster files is tests/unit/kube/test_credentials.c."""
    os.makedirs(os.path.join(w.dir, "pod"), exist_ok=True)
    w.file("pod/ca.crt", w.ca), w.file("pod/token", "good-token")
    w.ok(w.config("pod", {"certificate-authority-data": None, "certificate-authority": "pod/ca.crt"}, {"tokenFile": "pod/token"}), "all")


# ---- trust ----------------------------------------------------------------------------------------------------------------------

def another_authority(w):
    with w.lock:
        if not os.path.exists(os.path.join(w.dir, "other.crt")):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", os.path.join(w.dir, "other.key"), "-out",
                            os.path.join(w.dir, "other.crt"), "-subj", "/CN=other", "-days", "2"], check=True, capture_output=True)


def test_another_authority_is_refused(w):
    another_authority(w)
    for cluster in ({"certificate-authority-data": None, "certificate-authority": "other.crt"},
                    {"certificate-authority-data": base64.b64encode(open(os.path.join(w.dir, "other.crt"), "rb").read()).decode()},
                    {"certificate-authority-data": None}):  # the public ones
        w.bad(w.config("other", cluster), "get", "/version", says="certificate")


def test_public_authorities_are_not_trusted_beside_ours(w):
    """Debian's libcurl looks into /etc/ssl/certs too, unless it is told not to. In a mount namespace, where ours is a public one."""
    another_authority(w)
    trusted = os.path.join(w.dir, "certs")
    os.makedirs(trusted, exist_ok=True)
    w.file("certs/ca.pem", w.ca), w.file("certs/ca-certificates.crt", w.ca)
    subprocess.run(["openssl", "rehash", trusted], check=True, capture_output=True)
    unshare = ["unshare", "-m" if os.geteuid() == 0 else "-rm", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs && exec "$@"', trusted]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
        return "left out: no mount namespaces here"
    w.ok(w.config("public", {"certificate-authority-data": None}), "get", "/version", before=unshare)
    w.bad(w.config("beside", {"certificate-authority-data": None, "certificate-authority": "other.crt"}), "get", "/version",
          says="certificate", before=unshare)
    return None


def test_insecure(w):
    w.ok(w.config("insecure", {"certificate-authority-data": None, "insecure-skip-tls-verify": True}), "get", "/version")


def test_server_name(w):
    w.ok(w.config("name", {"tls-server-name": "kubernetes.default"}), "all")
    w.bad(w.config("name", {"tls-server-name": "elsewhere.example"}), "get", "/version", says="elsewhere.example")
    w.ok(w.config("localhost", {"server": w.server.replace("127.0.0.1", "localhost")}), "get", "/version")


def test_proxy(w):
    """An HTTP proxy that knows CONNECT; the environment's is not used for a server on this machine."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def serve():
        while True:
            client, _ = listener.accept()
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            seen.append(head.split(b"\r\n")[0].decode())
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            r = relay.Relay(w.address)
            server = socket.create_connection(w.address)
            threading.Thread(target=r.pump, args=((client, server),), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    url = "http://127.0.0.1:%d" % listener.getsockname()[1]
    w.ok(w.config("proxy", {"proxy-url": url}), "get", "/version", env={"no_proxy": "*"})
    check(len(seen) == 1 and seen[0].startswith("CONNECT 127.0.0.1:%d " % w.address[1]), seen)
    w.ok(w.kubeconfig, "get", "/version", env={"https_proxy": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"})


# ---- networks -------------------------------------------------------------------------------------------------------------------

class Follow:
    """The probe, following through a relay; its lines with their time in seconds."""

    def __init__(self, w, name, seconds, *args, cluster=None):
        self.relay = relay.Relay(w.address)
        config = w.config(name, {"server": "https://127.0.0.1:%d" % self.relay.address[1], **(cluster or {})})
        self.begin = time.monotonic()
        self.process = subprocess.Popen([w.probe, "--kubeconfig", config, *args, "follow", str(seconds)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def lines(self):
        out, err = self.process.communicate(timeout=180)
        check(self.process.returncode == 0, [x for x in out.splitlines() if "failed" in x], out[-500:], err[-3000:])
        return parse(out)


def parse(out):
    return [(int(t) / 1000, what, detail) for t, what, detail in (line.split(" ", 2) for line in out.splitlines())]


def first(lines, what, after, has=""):
    found = [t for t, kind, detail in lines if kind == what and t >= after and has in detail]
    check(found, "no", what, has, "after", after, lines[-3:])
    return found[0]


def test_cut_connections(w):
    f = Follow(w, "cut", 15)  # long, for a busy machine; an idle one needs half a second
    time.sleep(2)
    f.relay.cut()
    lines = f.lines()
    check(first(lines, "watch-end", 1.5) < 5, "the cut is not noticed")
    check(first(lines, "watch-begin", 2) < 14, "no new watch")
    check(first(lines, "write", 2.2, "200") < 10, "no new write")


def test_replaced_authority(w):
    """The file with the authority's certificate is read anew for each connection."""
    another_authority(w)
    w.file("rotated.crt", w.ca)
    f = Follow(w, "rotated", 8, cluster={"certificate-authority-data": None, "certificate-authority": "rotated.crt"})
    time.sleep(2)
    with open(os.path.join(w.dir, "other.crt"), encoding="ascii") as other:
        w.file("rotated.crt", other.read())
    f.relay.cut()
    time.sleep(2)
    w.file("rotated.crt", w.ca)
    lines = f.lines()
    check(first(lines, "write", 0, "200") < 2 and first(lines, "write-lost", 2.2, "certificate") < 4, "the old authority is still trusted")
    check(not [t for t, what, detail in lines if what == "write" and 2.3 < t < 4], "writes go on")
    check(first(lines, "write", 4, "200") < 5.5, "the new one is not read")


def test_silent_relay(w):
    """Half-dead behind somebody who acknowledges: two requests in a row that time out shut their connection, the watchdog the watches'."""
    f = Follow(w, "silent", 38, "--idle-ms", "12000")
    time.sleep(3)
    f.relay.silence()
    lines = f.lines()
    lost = first(lines, "watch-end", 3)
    check(lost < 3 + 15, "the watch was lost only at", lost)
    check(first(lines, "watch-begin", lost) < lost + 2, "no new watch")
    again = first(lines, "write", 4, "200")
    check(again < 3 + 18, "the first write only at", again)
    stats = lines[-1][2]
    check(re.search(r"shut [2-9]", stats), stats)
    return "watch lost after %.1f s, first write after %.1f s: %s" % (lost - 3, again - 3, stats)


def test_many_faults(w):
    """Connections that fall silent or are cut again and again: it always comes back, and nothing is refused or left over."""
    f = Follow(w, "many", 40, "--idle-ms", "1500", "--write-ms", "400")
    for i in range(20):
        time.sleep(0.9)
        f.relay.cut() if i % 4 == 3 else f.relay.silence()
    lines = f.lines()
    # The probe's clock begins a little later than ours: the last cut, at 18 s, may be 17.8 s to it.
    check(first(lines, "write", 20, "200") and first(lines, "watch-begin", 17.3), "it does not come back")
    check(len([1 for _, what, detail in lines if what == "write" and detail.startswith("200")]) > 30, "hardly a write")
    return lines[-1][2]


def interface(up):
    """lo, up or down."""
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x49 if up else 0x48))


def test_silent_network(w):
    """Half-dead, nobody acknowledges: the kernel notices (TCP_USER_TIMEOUT). In a network namespace, whose lo goes down."""
    unix = os.path.join(w.dir, "relay.sock")
    outside = relay.Relay(w.address, unix)
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        return "left out: no network namespaces here"
    run = subprocess.run([*unshare, sys.executable, os.path.abspath(__file__), "--inside", w.probe, unix, w.kubeconfig, w.dir],
                         capture_output=True, text=True, timeout=180)
    check(run.returncode == 0 and outside, run.stdout[-2000:], run.stderr[-2000:])
    lines = parse(run.stdout)
    lost = first(lines, "watch-end", 3)
    check(lost < 3 + 35, "the watch was lost only at", lost)
    check(first(lines, "watch-begin", 41) < 46, "no new watch when the network is back")
    check(first(lines, "write", 41, "200") < 46, "no new write")
    return "watch lost after %.1f s: %s" % (lost - 3, lines[-1][2])


def inside(probe, unix, kubeconfig, directory):
    interface(True)
    inner = relay.Relay(unix)
    with open(kubeconfig) as f:
        text = re.sub(r"https://[\d.]+:\d+", "https://127.0.0.1:%d" % inner.address[1], f.read())
    config = os.path.join(os.path.dirname(kubeconfig), "inside.kubeconfig")
    with open(config, "w") as f:
        f.write(text)
    p = subprocess.Popen([probe, "--kubeconfig", config, "follow", "48"])
    time.sleep(3)
    interface(False)
    time.sleep(38)
    interface(True)
    return p.wait()


SLOW = ("one_connection_each", "cut_connections", "silent_relay", "many_faults", "silent_network", "replaced_authority")


def run_case(w, name, case):
    """1 when it fails."""
    begin = time.monotonic()
    try:
        notes = case(w)
    except (Failed, subprocess.SubprocessError, AttributeError, OSError, ValueError) as e:
        print("FAIL %s: %s" % (name, e), flush=True)
        return 1
    print("ok   %-48s %5.1f s  %s" % (name, time.monotonic() - begin, notes or ""), flush=True)
    return 0


def main():
    if sys.argv[1:2] == ["--inside"]:
        return inside(*sys.argv[2:])
    probe, root, names = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sluice-kube-") as directory:
        w = World(probe, root, directory)
        try:
            cases = {n[5:]: f for n, f in globals().items() if n.startswith("test_") and (not names or any(x in n for x in names))}
            waiting = [n for n in cases if n in SLOW]  # they mostly sleep: beside each other, and beside all others
            with concurrent.futures.ThreadPoolExecutor(max(1, len(waiting))) as pool:
                slow = [pool.submit(run_case, w, n, cases[n]) for n in waiting]
                failed = sum(run_case(w, n, f) for n, f in cases.items() if n not in SLOW)
                failed += sum(future.result() for future in slow)
        finally:
            subprocess.run([os.path.join(root, "tests/cluster/down"), os.path.join(directory, "cluster")], stdout=subprocess.DEVNULL,
                           check=False)
    print("%d passed, %d failed" % (len(cases) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
