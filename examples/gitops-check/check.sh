#!/usr/bin/env bash
# check.sh BEFORE AFTER WORKLOADS: does a change of queues change what becomes of the Workloads? Files or directories.
# Exit status: 0 it does not, and nobody waits; 1 it does, or somebody waits; 2 a file cannot be read. SLUICE=PROGRAM: what to run.
set -euo pipefail
[ $# = 3 ] || { sed -n '2,3s/^# //p' "$0"; exit 2; }
sluice=${SLUICE:-sluice}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# simulate NAME QUEUES: the Workloads' part of the answer into $work/NAME, the exit status into $status.
simulate() {
    status=0
    "$sluice" simulate -f "$2" -f "$workloads" -o json >"$work/$1.json" || status=$?
    case $status in 0 | 3) ;; *) echo "check: cannot simulate $2"; exit 2 ;; esac
    sed -n '/^  "workloads": \[/,/^  \],*$/p' "$work/$1.json" >"$work/$1"
}

before=$1 after=$2 workloads=$3
simulate before "$before"
simulate after "$after"
failed=0
if ! diff -U 8 --label before --label after "$work/before" "$work/after"; then
    echo "check: the change makes a difference to the Workloads above"
    failed=1
fi
if [ "$status" = 3 ]; then
    echo "check: somebody waits:"
    # Not its exit status: that is 3, as before.
    "$sluice" simulate -f "$after" -f "$workloads" | grep ' waiting ' || true
    failed=1
fi
[ "$failed" = 0 ] && echo "check: nothing changes, and nobody waits"
exit "$failed"
