"""One control plane: starting, waiting, restarting a program of it, ending exactly it.

All of a cluster is below one directory: cluster.json (what runs, how, and since when), kubeconfig, pki/, log/, PROGRAM.pid, and a link bin/
to the programs. etcd's data is in memory where there is enough of it.
Every address is 127.0.0.1.
"""
import base64
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from controlplane import HERE, Failed, programs

DEADLINE_S = 180  # for one program to be ready; machines that build at the same time are slow
# Below the range from which the kernel takes ports by itself, so that nobody's outgoing connection has one of them.
PORTS = range(20000, 30000)
RESERVED = pathlib.Path(tempfile.gettempdir()) / f"sluice-ports-{os.getuid()}"
SHM = pathlib.Path("/dev/shm")
SHM_LEAST = 2 << 30  # of free memory there, or etcd writes below the directory of the cluster
ETCD_QUOTA = 4 << 30
CONTROLLERS = ("*,-bootstrap-signer-controller,-token-cleaner-controller,-service-lb-controller,-node-route-controller,"
               "-cloud-node-lifecycle-controller")
ORDER = ("etcd", "apiserver", "kcm", "scheduler", "kwok")


def say(text):
    print(f"cluster: {text}", file=sys.stderr, flush=True)


# ---- processes: a pid alone may be somebody else's by now, a pid with its start time is not

def state_and_start(pid):
    """State of the process and the clock ticks since boot at which it began; (None, None) when there is none."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, UnicodeDecodeError):
        return None, None
    return fields[0], int(fields[19])


def is_alive(program):
    state, start = state_and_start(program["pid"])
    return state not in (None, "Z", "X") and start == program["since"]


def kill(these):
    """Ends programs at once and waits until all their threads are gone: before that a port may still be theirs."""
    for program in these:
        try:
            fd = os.pidfd_open(program["pid"] or 0)
        except OSError:
            continue
        try:
            # Also a zombie is waited for: its other threads may still end.
            if state_and_start(program["pid"])[1] == program["since"]:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
                if not select.select([fd], [], [], 30)[0]:
                    raise Failed(f"process {program['pid']} does not die")
        finally:
            os.close(fd)


# ---- ports: a file a port names the directory whose cluster holds it, as long as that directory is there

@contextlib.contextmanager
def locked(path):
    with open(path, "ab") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def reserve_ports(count, directory):
    RESERVED.mkdir(mode=0o700, exist_ok=True)
    taken = []
    with locked(RESERVED / "lock"):
        for port in random.sample(PORTS, len(PORTS)):
            mark = RESERVED / str(port)
            if mark.exists() and pathlib.Path(mark.read_text()).exists():
                continue
            if is_free(port):
                mark.write_text(str(directory))
                taken.append(port)
                if len(taken) == count:
                    return taken
    raise Failed("no free ports")


def release_ports(directory):
    if not RESERVED.is_dir():
        return
    with locked(RESERVED / "lock"):
        for mark in RESERVED.glob("[0-9]*"):
            if mark.read_text() == str(directory):
                mark.unlink()


# ---- certificates

def openssl(*arguments, cwd):
    done = subprocess.run(["openssl", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"openssl {' '.join(arguments)}: {done.stderr.strip()}")


def make_certificate(pki, name, subject, usage, alternatives=None):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key", cwd=pki)
    openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr", cwd=pki)
    extensions = f"extendedKeyUsage={usage}\nkeyUsage=critical,digitalSignature\n"
    if alternatives:
        extensions += f"subjectAltName={alternatives}\n"
    (pki / f"{name}.ext").write_text(extensions)
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650",
            "-extfile", f"{name}.ext", "-out", f"{name}.crt", cwd=pki)


def make_pki(pki):
    pki.mkdir()
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ca.key", cwd=pki)
    openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=sluice-test-ca", "-days", "3650", "-out", "ca.crt",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature", cwd=pki)
    make_certificate(pki, "server", "/CN=kube-apiserver", "serverAuth",
                     "IP:127.0.0.1,IP:::1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc")
    make_certificate(pki, "admin", "/O=system:masters/CN=admin", "clientAuth")
    # All controllers run with this one identity, and its own role does not cover what they do.
    make_certificate(pki, "kcm", "/O=system:masters/CN=system:kube-controller-manager", "clientAuth")
    make_certificate(pki, "scheduler", "/CN=system:kube-scheduler", "clientAuth")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sa.key", cwd=pki)
    openssl("ec", "-in", "sa.key", "-pubout", "-out", "sa.pub", cwd=pki)


# ---- the cluster

class Cluster:
    """A cluster by its directory. Cluster.at() finds one that exists, Cluster.up() makes one."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.state = {}

    @classmethod
    def at(cls, path):
        """By its directory or by a file in it, such as its kubeconfig."""
        path = pathlib.Path(path).resolve()
        self = cls(path if path.is_dir() else path.parent)
        try:
            self._load()
        except (OSError, ValueError):
            raise Failed(f"{path}: no cluster is there") from None
        return self

    @classmethod
    def up(cls, options):
        bin_dir = programs(say)
        if not shutil.which("openssl"):
            raise Failed("openssl is missing (apt-get install openssl)")
        self = cls(cls._make_directory(options.dir))
        try:
            self._start_all(bin_dir, options)
        except BaseException:
            with contextlib.suppress(OSError, Failed):
                self._show_logs()
            self.down()
            raise
        return self

    @staticmethod
    def _make_directory(wanted):
        if not wanted:
            return tempfile.mkdtemp(prefix="sluice-cluster-")
        directory = pathlib.Path(wanted).resolve()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise Failed(f"{directory} is not empty")
        directory.chmod(0o700)
        return directory

    def _start_all(self, bin_dir, options):
        begin = time.monotonic()
        ports = dict(zip(("etcd", "peer", "apiserver", "kcm", "scheduler"), reserve_ports(5, self.dir)))
        self.state = {"server": f"https://127.0.0.1:{ports['apiserver']}", "etcd": f"http://127.0.0.1:{ports['etcd']}",
                      "bin": str(bin_dir), "ports": ports, "etcd_data": str(self._etcd_data()), "programs": {}}
        self._save()
        (self.dir / "log").mkdir()
        (self.dir / "bin").symlink_to(bin_dir)
        make_pki(self.dir / "pki")
        if options.token:
            shutil.copyfile(options.token, self.dir / "pki" / "tokens.csv")
        for name, user in (("kubeconfig", "admin"), ("kcm.kubeconfig", "kcm"), ("scheduler.kubeconfig", "scheduler")):
            self._write_kubeconfig(name, self._certificate_of(user))
        (self.dir / "env").write_text(f"export KUBECONFIG={self.dir}/kubeconfig PATH={bin_dir}:$PATH\n")
        self._define(bin_dir, options)
        for name in ORDER[:2] if options.mini else ORDER:
            self.start(name, wait=name in ORDER[:2])
        for name in self.state["programs"]:
            self.wait_ready(name)
        if not options.mini:
            # Pods are refused until their namespace has its ServiceAccount.
            account = "/api/v1/namespaces/default/serviceaccounts/default"
            self._until("the default ServiceAccount", lambda: self.request("GET", account)[0] == 200)
        if options.groups:
            self.add_nodes(options.groups)
        if options.holder:
            self._watch_over(options.holder)
        say(f"ready after {time.monotonic() - begin:.1f} s in {self.dir}")

    def _etcd_data(self):
        try:
            if shutil.disk_usage(SHM).free >= SHM_LEAST and os.access(SHM, os.W_OK):
                return tempfile.mkdtemp(prefix="sluice-etcd-", dir=SHM)
        except OSError:
            pass
        return self.dir / "etcd"

    def _load(self):
        self.state = json.loads((self.dir / "cluster.json").read_text())

    def _save(self):
        part = self.dir / "cluster.json.part"
        part.write_text(json.dumps(self.state, indent=1))
        part.rename(self.dir / "cluster.json")

    # ---- what runs

    def _define(self, bin_dir, options):
        """Writes down the command line of each program, so that it can be started again as it was."""
        p, d, s = self.state["ports"], self.dir, self.state
        peer = f"http://127.0.0.1:{p['peer']}"
        define = {
            "etcd": [f"{bin_dir}/etcd", "--name", "t", "--data-dir", s["etcd_data"], "--unsafe-no-fsync", "--log-level", "error",
                     "--quota-backend-bytes", str(ETCD_QUOTA), "--listen-client-urls", s["etcd"], "--advertise-client-urls", s["etcd"],
                     "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"t={peer}"],
            "apiserver": self._apiserver(bin_dir, options),
        }
        if not options.mini:
            define["kcm"] = [
                f"{bin_dir}/kube-controller-manager", "--kubeconfig", f"{d}/kcm.kubeconfig", "--authentication-skip-lookup",
                "--leader-elect=false", "--bind-address", "127.0.0.1", "--secure-port", str(p["kcm"]), "--cert-dir", f"{d}/run-kcm",
                "--service-account-private-key-file", f"{d}/pki/sa.key", "--root-ca-file", f"{d}/pki/ca.crt",
                "--use-service-account-credentials=false", "--kube-api-qps", "500", "--kube-api-burst", "1000", "--concurrent-job-syncs", "20",
                "--profiling=false", "--controllers", CONTROLLERS]
            (d / "scheduler.json").write_text(json.dumps({
                "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
                "clientConnection": {"kubeconfig": f"{d}/scheduler.kubeconfig", "qps": 500, "burst": 1000},
                "leaderElection": {"leaderElect": False}, "podInitialBackoffSeconds": 1, "podMaxBackoffSeconds": 2}))
            define["scheduler"] = [
                f"{bin_dir}/kube-scheduler", "--config", f"{d}/scheduler.json", "--authentication-skip-lookup", "--bind-address", "127.0.0.1",
                "--secure-port", str(p["scheduler"]), "--cert-dir", f"{d}/run-scheduler"]
            shutil.copyfile(HERE / "stages.yaml", d / "stages.yaml")
            define["kwok"] = [
                f"{bin_dir}/kwok", "--kubeconfig", f"{d}/kubeconfig", "--config", f"{d}/stages.yaml", "--manage-all-nodes",
                "--node-ip", "127.0.0.1", "--node-lease-duration-seconds", "40", "--cidr", "10.244.0.0/16"]
        for name, argv in define.items():
            s["programs"][name] = {"argv": argv, "env": {}, "pid": None, "since": None}
        s["programs"]["apiserver"]["env"]["GOMEMLIMIT"] = options.memory_limit or apiserver_memory()
        self._save()

    def _apiserver(self, bin_dir, options):
        d, s = self.dir, self.state
        argv = [f"{bin_dir}/kube-apiserver", "--etcd-servers", s["etcd"], "--bind-address", "127.0.0.1",
                "--secure-port", str(s["ports"]["apiserver"]), "--advertise-address", "127.0.0.1", "--endpoint-reconciler-type", "none",
                "--cert-dir", f"{d}/run-apiserver", "--tls-cert-file", f"{d}/pki/server.crt", "--tls-private-key-file", f"{d}/pki/server.key",
                "--client-ca-file", f"{d}/pki/ca.crt", "--service-account-issuer", "https://kubernetes.default.svc.cluster.local",
                "--service-account-signing-key-file", f"{d}/pki/sa.key", "--service-account-key-file", f"{d}/pki/sa.pub",
                "--service-cluster-ip-range", "10.0.0.0/24", "--authorization-mode", "RBAC", "--allow-privileged", "--v=1",
                f"--profiling={'true' if options.profiling else 'false'}"]
        if options.token:
            argv += ["--token-auth-file", f"{d}/pki/tokens.csv"]
        return argv + options.apiserver_arg

    def start(self, name, wait=True):
        """Starts a program with its command line of before; waits until it answers."""
        self._load()  # somebody else may have restarted another program
        program = self.state["programs"][name]
        with open(self.dir / "log" / f"{name}.log", "ab") as log:
            started = subprocess.Popen(program["argv"], cwd=self.dir, env=dict(os.environ, **program["env"]), stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True)
        # An exec that failed has raised above, so the process is there, or is a zombie of ours.
        program["pid"], program["since"] = started.pid, state_and_start(started.pid)[1]
        (self.dir / f"{name}.pid").write_text(f"{started.pid}\n")
        self._save()
        if wait:
            self.wait_ready(name)

    def stop(self, name):
        self._load()
        kill([self.state["programs"][name]])

    def wait_ready(self, name):
        s, log = self.state, self.dir / "log" / f"{name}.log"
        url, path = {"etcd": (s["etcd"], "/health"), "apiserver": (s["server"], "/readyz"),
                     "kcm": (f"https://127.0.0.1:{s['ports']['kcm']}", "/healthz"),
                     "scheduler": (f"https://127.0.0.1:{s['ports']['scheduler']}", "/healthz")}.get(name, (None, None))
        if not url:  # kwok serves nothing; add_nodes waits for what it does
            return

        def answers():
            if not is_alive(s["programs"][name]):
                raise Failed(f"{name} ended:\n{tail(log)}")
            return get(url, path, self._tls(verify=name == "apiserver"))[0] == 200
        self._until(f"{name} ({log})", answers)

    @staticmethod
    def _until(what, condition):
        end = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > end:
                raise Failed(f"waited {DEADLINE_S} s in vain for {what}")
            time.sleep(0.05)

    def _show_logs(self):
        for log in sorted((self.dir / "log").glob("*.log")):
            say(f"--- {log.name}\n{tail(log)}")

    def _watch_over(self, holder):
        """A process that ends this cluster as soon as another process is gone."""
        argv = [sys.executable, "-B", str(HERE / "down"), "--after", str(holder), str(self.dir)]
        self.state["programs"]["watcher"] = {"argv": argv, "env": {}, "pid": None, "since": None}
        self._save()
        self.start("watcher", wait=False)

    # ---- requests

    def _tls(self, verify=True):
        context = ssl.create_default_context(cafile=self.dir / "pki" / "ca.crt") if verify else ssl._create_unverified_context()
        context.load_cert_chain(self.dir / "pki" / "admin.crt", self.dir / "pki" / "admin.key")
        return context

    def request(self, method, path, body=None, content_type="application/json"):
        """One request as admin: (status, decoded answer)."""
        return get(self.state["server"], path, self._tls(), method, body, content_type)

    def add_nodes(self, groups):
        names = []
        for group in groups:
            resources = {"cpu": group["cpu"], "memory": group["memory"], "pods": group["pods"]}
            if group["gpus"]:
                resources["nvidia.com/gpu"] = str(group["gpus"])
            for _ in range(group["count"]):
                names.append(f"node-{len(names)}")
                node = {"apiVersion": "v1", "kind": "Node",
                        "metadata": {"name": names[-1], "labels": {"kubernetes.io/hostname": names[-1], **group["labels"]}},
                        "status": {"allocatable": resources, "capacity": resources}}
                status, answer = self.request("POST", "/api/v1/nodes", node)
                if status != 201:
                    raise Failed(f"node {names[-1]}: {status} {answer}")

        def usable():
            items = self.request("GET", "/api/v1/nodes")[1].get("items", [])
            good = [n for n in items if not n["spec"].get("taints") and
                    any(c["type"] == "Ready" and c["status"] == "True" for c in n["status"].get("conditions", []))]
            return len(good) >= len(names)
        self._until(f"{len(names)} nodes to be ready ({self.dir}/log/kwok.log)", usable)

    # ---- kubeconfig files

    def _certificate_of(self, user):
        pki = self.dir / "pki"
        return {f"client-{kind}-data": base64.b64encode((pki / f"{user}.{end}").read_bytes()).decode()
                for kind, end in (("certificate", "crt"), ("key", "key"))}

    def _write_kubeconfig(self, name, credentials):
        authority = base64.b64encode((self.dir / "pki" / "ca.crt").read_bytes()).decode()
        path = self.dir / name
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": self.state["server"], "certificate-authority-data": authority}}],
            "users": [{"name": "test", "user": credentials}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}, indent=1) + "\n")
        path.chmod(0o600)
        return path

    def kubeconfig_of_service_account(self, namespace, name, file):
        """Writes DIR/file for a ServiceAccount, with a token of an hour; returns its path."""
        status, answer = self.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
                                      {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}})
        if status != 201:
            raise Failed(f"token of {namespace}/{name}: {status} {answer}")
        return self._write_kubeconfig(file, {"token": answer["status"]["token"]})

    # ---- the end

    def down(self):
        """Ends what was started and removes what was made. A cluster that is half there ends too."""
        with contextlib.suppress(FileNotFoundError):
            self._load()  # what was restarted since then has other numbers
        mine = [p for n, p in self.state.get("programs", {}).items() if not (n == "watcher" and p["pid"] == os.getpid())]
        kill(mine)
        if "etcd_data" in self.state:
            shutil.rmtree(self.state["etcd_data"], ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)
        release_ports(self.dir)


def apiserver_memory():
    """A quarter of the machine, 1 to 4 GiB: without a limit Go lets the heap grow to twice of what lives in it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{max(1 << 30, min(4 << 30, total // 4)) >> 20}MiB"


def get(url, path, context, method="GET", body=None, content_type="application/json"):
    """One request: (status, decoded answer); (0, {}) when nobody answers."""
    host = url.partition("://")[2]
    if url.startswith("https"):
        connection = http.client.HTTPSConnection(host, timeout=20, context=context)
    else:
        connection = http.client.HTTPConnection(host, timeout=20)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": content_type})
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException):
        return 0, {}
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text.decode(errors="replace")


def tail(log, lines=12):
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
