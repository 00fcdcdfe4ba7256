#!/usr/bin/env python3
"""The protocol cases of cases.json against a real API server.

protocol.py KUBECONFIG [WORD]     of tests/cluster/up --mini; only cases whose name holds WORD
protocol.py                       brings such a cluster up, and takes it down
"""
import base64
import http.client
import json
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PATIENCE_S = 10
TYPES = {"merge": "application/merge-patch+json", "json": "application/json-patch+json", "apply": "application/apply-patch+yaml"}


class Wrong(Exception):
    pass


class Server:
    """What a kubeconfig of tests/cluster names: JSON, certificates in it."""

    def __init__(self, path):
        text = json.loads(pathlib.Path(path).read_text())
        cluster, user = text["clusters"][0]["cluster"], text["users"][0]["user"]
        url = urllib.parse.urlparse(cluster["server"])
        self.host, self.port = url.hostname, url.port
        self.tls = ssl.create_default_context(cadata=self._ca(cluster))
        with tempfile.NamedTemporaryFile(suffix=".pem") as pem:
            pem.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
            pem.flush()
            self.tls.load_cert_chain(pem.name)
        self.connection = None

    @staticmethod
    def _ca(cluster):
        if "certificate-authority" in cluster:
            return pathlib.Path(cluster["certificate-authority"]).read_text()
        return base64.b64decode(cluster["certificate-authority-data"]).decode()

    def connect(self):
        return http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=PATIENCE_S)

    def request(self, verb, path, body=None, kind=None):
        self.connection = self.connection or self.connect()
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = kind or "application/json"
        self.connection.request(verb, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()


class Stream:
    def __init__(self, server, path):
        self.connection = server.connect()
        self.connection.request("GET", path, headers={"Accept": "application/json"})
        self.answer = self.connection.getresponse()

    def line(self):
        try:
            return self.answer.readline()
        except TimeoutError:
            return b""


def pointed(doc, pointer):
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        try:
            doc = doc[int(token)] if isinstance(doc, list) else doc[token] if isinstance(doc, dict) else None
        except (IndexError, KeyError, ValueError):
            doc = None
    return doc


def printed(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


class Case:
    def __init__(self, server, case, ns):
        self.server, self.case, self.saved, self.streams = server, case, {"ns": ns}, {}

    def filled(self, text, encode=False):
        def value(m):
            v = self.saved.get(m.group(1))
            return m.group(0) if v is None else urllib.parse.quote(v, safe="") if encode else v
        return re.sub(r"<(\w+)>", value, text)

    def holds(self, got, want):
        if not isinstance(want, str):
            return got == want
        if want in ("<set>", "<absent>"):
            return (got is not None) == (want == "<set>")
        m = re.match(r"<(not|has|count)>(.*)$", want, re.DOTALL)
        if not m:
            return got == self.filled(want)
        what, text = m.group(1), self.filled(m.group(2))
        if got is None:
            return False
        return {"not": lambda: printed(got) != text, "has": lambda: text in printed(got),
                "count": lambda: isinstance(got, list) and len(got) == int(text)}[what]()

    def check(self, doc, step):
        for pointer, want in step.get("check", {}).items():
            got = pointed(doc, pointer)
            if not self.holds(got, want):
                raise Wrong(f"{pointer} is {printed(got)}, not {printed(want)}")
        for name, pointer in step.get("save", {}).items():
            self.saved[name] = printed(pointed(doc, pointer))

    def request(self, step):
        body = step.get("body")
        kind = step.get("type")
        body = None if body is None else self.filled(printed(body)).encode()
        status, text = self.server.request(step["verb"], self.filled(step["path"], True), body, TYPES.get(kind, kind))
        if status != step.get("status", 200):
            raise Wrong(f"status {status}: {text}")
        try:
            doc = json.loads(text)
        except ValueError:
            doc = None
        self.check(doc, step)

    def watch(self, step):
        stream = Stream(self.server, self.filled(step["path"], True))
        self.streams[step["watch"]] = stream
        if stream.answer.status != step.get("status", 200):
            raise Wrong(f"status {stream.answer.status}: {stream.answer.read().decode()}")
        if stream.answer.status != 200:
            self.check(json.loads(stream.answer.read()), step)

    def expect(self, step):
        stream = self.streams[step["expect"]]
        for i, want in enumerate(step.get("events", [])):
            while True:
                line = stream.line()
                if not line:
                    raise Wrong(f"no event {i}")
                event = json.loads(line)
                if event["type"] != "BOOKMARK" or want["type"] == "BOOKMARK":
                    break
            if event["type"] != want["type"]:
                raise Wrong(f"event {i}: {line.decode()}")
            self.check(event["object"], want)
        if step.get("end"):
            line = b"more"
            while line and (line == b"more" or b'"BOOKMARK"' in line):
                line = stream.line()
            if line or not stream.answer.isclosed():
                raise Wrong("the stream does not end")

    def run(self):
        self.server.request("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": self.saved["ns"]}}))
        try:
            for i, step in enumerate(self.case["steps"]):
                try:
                    (self.watch if "watch" in step else self.expect if "expect" in step else self.request)(step)
                except Wrong as e:
                    return f"step {i + 1}: {e}"
        finally:
            for stream in self.streams.values():
                stream.connection.close()
        return None


def install(server, kubeconfig):
    """Our kinds; as their own kubectl knows YAML."""
    kubectl = pathlib.Path(kubeconfig).parent / "bin" / "kubectl"
    files = [a for f in sorted((ROOT / "crds").glob("*.yaml")) for a in ("-f", str(f))]
    subprocess.run([kubectl, "--kubeconfig", kubeconfig, "apply", "--server-side", *files], check=True, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 30
    while server.request("GET", "/apis/kueue.x-k8s.io/v1beta2/workloads")[0] != 200:
        if time.monotonic() > end:
            raise Wrong("the kinds of crds/ are not served")
        time.sleep(0.1)


def run_all(kubeconfig, word):
    server = Server(kubeconfig)
    install(server, kubeconfig)
    cases = json.loads((HERE / "cases.json").read_text())
    failed = passed = 0
    for i, case in enumerate(cases):
        if case.get("simulated") or word not in case["name"]:
            continue
        why = Case(server, case, f"protocol-{i}-{time.time_ns() % 10**9}").run()
        if why:
            print(f"{case['name']}, {why}")
        failed, passed = failed + bool(why), passed + (not why)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main():
    if len(sys.argv) > 1:
        return run_all(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
    up = subprocess.run([ROOT / "tests/cluster/up", "--mini"], stdout=subprocess.PIPE, text=True, check=False)
    if up.returncode:
        return up.returncode
    kubeconfig = up.stdout.strip().splitlines()[-1]
    try:
        return run_all(kubeconfig, "")
    finally:
        subprocess.run([ROOT / "tests/cluster/down", kubeconfig], check=False)


if __name__ == "__main__":
    sys.exit(main())
