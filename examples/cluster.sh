#!/usr/bin/env bash
# Sluice on a real control plane, from nothing: brings up the test cluster, installs CRDs, policies and queues, starts the controller, and
# lets two teams of 8 GPUs each share them. Everything it starts it ends. Can be run again; needs Go or the network the first time (five
# minutes, then seconds).
set -euo pipefail
exec </dev/null
ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$ROOT"
. tests/install.sh

need_packages build
command -v openssl >/dev/null || need_packages test
echo "== building Sluice (build/release)"
mkdir -p build/release
tests=ON
pkg-config --exists check || tests=OFF
cmake --preset release -DSLUICE_TESTS=$tests >build/release/configure.log 2>&1 || { tail -n 30 build/release/configure.log; exit 1; }
ninja -C build/release -j "$(nproc)" --quiet sluice
sluice=$ROOT/build/release/bin/sluice

echo "== a control plane: etcd, API server, controllers, scheduler, and nodes that play (2 nodes of 8 GPUs)"
up=0
KUBECONFIG=$(tests/cluster/up --nodes 2 --gpus 8 --label example.com/gpu=h100 --while $$) || up=$?
if [ "$up" != 0 ]; then
    [ "$up" = 77 ] && echo "this example needs Go 1.26 or the network to bring it"
    exit "$up"
fi
export KUBECONFIG
PATH=$(dirname "$KUBECONFIG")/bin:$PATH
controller=
finish() {
    [ -z "$controller" ] || { kill "$controller" 2>/dev/null && wait "$controller" 2>/dev/null; } || true
    tests/cluster/down "$KUBECONFIG" || true
}
trap finish EXIT
trap 'exit 130' INT TERM

# Reads the names of a column until they say what they should; a minute at most.
await() { # WHAT COMMAND...
    local what=$1 i
    shift
    for i in $(seq 300); do
        "$@" && return
        sleep 0.2
    done
    echo "did not come about within a minute: $what"
    tail -n 20 "$log"
    exit 1
}
show() { printf '\n$ %s\n' "$*"; "$@"; }

echo "== CRDs, policies and queues"
kubectl apply --server-side -f crds/ >/dev/null
crds() { kubectl wait --for=condition=Established crd --all --timeout=5s >/dev/null 2>&1; }
log=/dev/null
await "the CRDs" crds
kubectl create namespace kueue-system >/dev/null
kubectl apply --server-side -k deploy/policies >/dev/null
"$sluice" policies | kubectl apply --server-side -f - >/dev/null
show kubectl apply -f examples/in-a-cluster/queues.yaml

echo
echo "== the controller"
log=$(mktemp /tmp/sluice-example-XXXX.log)
"$sluice" controller --kubeconfig "$KUBECONFIG" 2>"$log" &
controller=$!
active() { [ "$(kubectl get clusterqueue team-a team-b -o jsonpath='{.items[*].status.conditions[?(@.type=="Active")].status}')" = "True True" ]; }
await "active queues" active

submit() { # NAMESPACE N
    local i
    for i in $(seq "$2"); do sed "s/namespace: .*/namespace: $1/" examples/in-a-cluster/job.yaml | kubectl create -f - >/dev/null; done
}
admitted() { # NAMESPACE
    kubectl get workloads -n "$1" -o jsonpath='{range .items[*]}{.status.conditions[?(@.type=="Admitted")].status}{"\n"}{end}' | grep -c True || true
}
has() { [ "$(admitted "$1")" = "$2" ]; }
finished() { [ "$(kubectl get jobs -A -o jsonpath='{range .items[*]}{.status.succeeded}{"\n"}{end}' | grep -c 1 || true)" = 6 ]; }

cat <<'END'

== Team-a submits four Jobs of 4 GPUs: 16 in all, and it owns 8. Team-b's 8 are idle, so it borrows them.
END
submit team-a 4
await "four admitted of team-a" has team-a 4
show kubectl get jobs,workloads -n team-a
await "the borrowed quota in the status" sh -c 'kubectl get clusterqueue team-a -o jsonpath="{.status.flavorsUsage[0].resources[0].borrowed}" | grep -q 8'
show kubectl get clusterqueue team-a -o jsonpath='{.status.flavorsUsage[0].resources[0]}{"\n"}'

cat <<'END'

== Team-b submits two. Its quota is lent out: two of team-a's Jobs are evicted, their pods go, and team-b's start.
END
submit team-b 2
await "two admitted of team-b" has team-b 2
show kubectl get jobs -A
show kubectl get workloads -A
show kubectl get events.events.k8s.io -n team-a --field-selector reason=Preempted -o custom-columns=JOB:.regarding.name,WHY:.note

cat <<'END'

== The Jobs end (their pods run 25 seconds), and the evicted ones run again.
END
await "six finished" finished
show kubectl get jobs -A
show kubectl get clusterqueues,localqueues -A
echo
echo "The controller's log:"
cat "$log"
rm -f "$log"
