"""A client of the API server for tests: JSON over one connection a thread, kinds by name, and patience while the server is away."""
import base64
import http.client
import json
import pathlib
import ssl
import tempfile
import threading
import time
import urllib.parse

KUEUE = "/apis/kueue.x-k8s.io/v1beta2"
KINDS = {  # kind: (group and version, plural, namespaced)
    "Workload": (KUEUE, "workloads", True), "LocalQueue": (KUEUE, "localqueues", True),
    "ClusterQueue": (KUEUE, "clusterqueues", False), "Cohort": (KUEUE, "cohorts", False),
    "ResourceFlavor": (KUEUE, "resourceflavors", False), "AdmissionCheck": (KUEUE, "admissionchecks", False),
    "WorkloadPriorityClass": (KUEUE, "workloadpriorityclasses", False),
    "Job": ("/apis/batch/v1", "jobs", True), "JobSet": ("/apis/jobset.x-k8s.io/v1alpha2", "jobsets", True),
    "Pod": ("/api/v1", "pods", True), "Namespace": ("/api/v1", "namespaces", False), "LimitRange": ("/api/v1", "limitranges", True),
    "Event": ("/apis/events.k8s.io/v1", "events", True), "Lease": ("/apis/coordination.k8s.io/v1", "leases", True),
    "RuntimeClass": ("/apis/node.k8s.io/v1", "runtimeclasses", False),
    "PriorityClass": ("/apis/scheduling.k8s.io/v1", "priorityclasses", False),
    "ClusterRole": ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "CustomResourceDefinition": ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", False),
}
MERGE, JSON, APPLY = "application/merge-patch+json", "application/json", "application/apply-patch+yaml"
PATIENCE_S = 90  # a server that is restarted is back long before


class Refused(Exception):
    """The API server said no."""

    def __init__(self, code, body):
        self.code = code
        self.text = body.get("message", str(body)) if isinstance(body, dict) else str(body)
        super().__init__(f"{code} {self.text[:800]}")


def version_of(kind):
    return KINDS[kind][0].removeprefix("/apis/").removeprefix("/api/")


def path_of(kind, ns=None, name=None, sub=None):
    group, plural, namespaced = KINDS[kind]
    path = group + (f"/namespaces/{ns}" if namespaced and ns else "") + "/" + plural
    if name:
        path += "/" + urllib.parse.quote(name)
    return path + (f"/{sub}" if sub else "")


class Api:
    def __init__(self, kubeconfig):
        config = json.loads(pathlib.Path(kubeconfig).read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        if "client-key-data" in user:
            with tempfile.NamedTemporaryFile() as pair:
                pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
                pair.flush()
                self.tls.load_cert_chain(pair.name)
        self.token = user.get("token")
        self.host = urllib.parse.urlsplit(cluster["server"]).netloc
        self.local = threading.local()

    def once(self, method, path, text, content):
        """One try: (status, text of the answer). OSError and http.client.HTTPException when there is none."""
        c = getattr(self.local, "connection", None)
        if c is None:
            c = self.local.connection = http.client.HTTPSConnection(self.host, context=self.tls, timeout=30)
        headers = {"Content-Type": content, "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            c.request(method, path, text, headers)
            reply = c.getresponse()
            return reply.status, reply.read().decode()
        except BaseException:
            c.close()
            self.local.connection = None
            raise

    def call(self, method, path, body=None, content=JSON):
        """The decoded answer. While nobody answers, or says that it cannot now, it is tried again; a create may then find its own object."""
        text = None if body is None else json.dumps(body)
        end, again = time.monotonic() + PATIENCE_S, False
        while True:
            try:
                status, data = self.once(method, path, text, content)
            except (OSError, http.client.HTTPException):
                status, data = 0, "no answer"
            if status == 409 and again and method == "POST":
                return {}
            if status == 404 and again and method == "DELETE":
                return {}
            busy = status in (0, 429, 503, 504) or (status in (401, 403, 500) and ("not yet" in data or "etcdserver" in data or
                                                                                    "timed out" in data or "RBAC" in data))
            if not busy or time.monotonic() > end:
                break
            again = again or status in (0, 504)
            time.sleep(0.2)
        answer = json.loads(data) if data.startswith("{") else data
        if not 200 <= status < 300:
            raise Refused(status, answer)
        return answer

    # ---- by kind

    def get(self, kind, ns, name):
        """The object, or None."""
        try:
            return self.call("GET", path_of(kind, ns, name))
        except Refused as e:
            if e.code == 404:
                return None
            raise

    def list(self, kind, ns=None, selector=None):
        query = f"?labelSelector={urllib.parse.quote(selector)}" if selector else ""
        return self.call("GET", path_of(kind, ns) + query).get("items", [])

    def create(self, kind, ns, name, spec=None, *, labels=None, annotations=None, query="", **more):
        meta = {"name": name}
        if ns:
            meta["namespace"] = ns
        for key, value in (("labels", labels), ("annotations", annotations)):
            if value:
                meta[key] = value
        meta.update(more.pop("metadata", {}))
        o = {"apiVersion": version_of(kind), "kind": kind, "metadata": meta, **more}
        if spec is not None:
            o["spec"] = spec
        return self.call("POST", path_of(kind, ns) + query, o)

    def patch(self, kind, ns, name, patch, sub=None, content=MERGE, query=""):
        return self.call("PATCH", path_of(kind, ns, name, sub) + query, patch, content)

    def delete(self, kind, ns, name, propagation="Background"):
        try:
            return self.call("DELETE", path_of(kind, ns, name), {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation})
        except Refused as e:
            if e.code == 404:
                return None
            raise
