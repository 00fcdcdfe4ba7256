"""A small client of the API server: one connection, JSON, paths of our kinds."""
import base64
import http.client
import json
import ssl
import tempfile
import time
import urllib.parse

import yaml

PLURALS = {
    "Workload": "workloads", "ClusterQueue": "clusterqueues", "Cohort": "cohorts", "LocalQueue": "localqueues",
    "ResourceFlavor": "resourceflavors", "WorkloadPriorityClass": "workloadpriorityclasses", "AdmissionCheck": "admissionchecks",
    "Topology": "topologies", "MultiKueueConfig": "multikueueconfigs", "MultiKueueCluster": "multikueueclusters",
    "ProvisioningRequestConfig": "provisioningrequestconfigs", "CustomResourceDefinition": "customresourcedefinitions",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings", "Namespace": "namespaces",
}
CLUSTER_KINDS = {"CustomResourceDefinition"}
NAMESPACED = {"Workload", "LocalQueue"}


class Refused(Exception):
    """The API server said no: its status, and the fields that it names."""

    def __init__(self, code, body):
        self.code, self.body = code, body
        self.text = body.get("message", str(body)) if isinstance(body, dict) else str(body)
        causes = ((body.get("details") or {}).get("causes") or []) if isinstance(body, dict) else []
        self.fields = {c["field"] for c in causes if c.get("field")}
        # The message of a ValidatingAdmissionPolicy begins with the field.
        _, by_policy, message = self.text.partition(" denied request: ")
        if by_policy:
            self.fields.add(message.partition(": ")[0])
        super().__init__(f"{code} {self.text[:600]}")


def path_of(o, subresource=None, named=True):
    group = o["apiVersion"]
    where = f"/api/{group}" if "/" not in group else f"/apis/{group}"
    if o["kind"] in NAMESPACED:
        where += f"/namespaces/{o['metadata']['namespace']}"
    where += "/" + PLURALS[o["kind"]]
    if named:
        where += "/" + urllib.parse.quote(o["metadata"]["name"])
    return where + (f"/{subresource}" if subresource else "")


class Api:
    def __init__(self, kubeconfig):
        with open(kubeconfig, encoding="utf-8") as f:
            config = yaml.safe_load(f)
        context = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
        cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
        user = next(u["user"] for u in config["users"] if u["name"] == context["user"])
        self.tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
            pair.flush()
            self.tls.load_cert_chain(pair.name)
        self.host = urllib.parse.urlsplit(cluster["server"]).netloc
        self.connection = None

    def call(self, method, path, body=None, content="application/json", accept="application/json", patience=20.0):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(self.host, context=self.tls, timeout=60)
        text = None if body is None else body if isinstance(body, str) else json.dumps(body)
        try:
            self.connection.request(method, path, text, {"Content-Type": content, "Accept": accept})
            reply = self.connection.getresponse()
            data = reply.read().decode()
        except (http.client.HTTPException, OSError):
            self.connection = None
            raise
        if accept != "application/json" and reply.status < 300:
            return json.loads(data) if "json" in accept else data
        if reply.status == 429 and patience > 0:  # the storage of a CRD that changed is made anew
            time.sleep(0.1)
            return self.call(method, path, body, content, accept, patience - 0.1)
        answer = json.loads(data) if data.startswith("{") else data
        if reply.status >= 300:
            raise Refused(reply.status, answer)
        return answer

    def apply(self, o):
        """As kubectl apply --server-side --force-conflicts --validate=strict."""
        return self.call("PATCH", path_of(o) + "?fieldManager=crds-test&force=true&fieldValidation=Strict", o,
                         "application/apply-patch+yaml")

    def create(self, o, dry=False):
        return self.call("POST", path_of(o, named=False) + "?fieldValidation=Strict" + ("&dryRun=All" if dry else ""), o)

    def get(self, o):
        return self.call("GET", path_of(o))

    def put(self, o, subresource=None, dry=False):
        return self.call("PUT", path_of(o, subresource) + ("?dryRun=All" if dry else ""), o)

    def delete(self, o):
        """Gone when this returns, finalizers or not; CRDs take a moment to end what watches them."""
        try:
            self.call("DELETE", path_of(o))
            if o["kind"] in CLUSTER_KINDS:
                while True:
                    self.get(o)
                    time.sleep(0.05)
            self.call("PATCH", path_of(o), {"metadata": {"finalizers": None}}, "application/merge-patch+json")
        except Refused as e:
            if e.code != 404:
                raise
