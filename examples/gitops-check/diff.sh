#!/usr/bin/env bash
# diff.sh BEFORE AFTER WORKLOADS: what a change of queues does, in words, by `sluice diff`. Files or directories.
# Exit status: 0 it is harmless: nobody is evicted, and everybody starts who would have started; 1 somebody is worse off; 2 it cannot be
# applied: a file cannot be read, or the policy contradicts itself. SLUICE=PROGRAM: what to run.
set -euo pipefail
[ $# = 3 ] || { sed -n '2,4s/^# //p' "$0"; exit 2; }
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# 0: no effect, 4: effects; everything else is bad.
sluice_diff() {
    local status=0
    "${SLUICE:-sluice}" diff --before "$before" --after "$after" --state "$workloads" "$@" || status=$?
    case $status in 0 | 4) ;; *) exit 2 ;; esac
}

before=$1 after=$2 workloads=$3
sluice_diff
sluice_diff -o json >"$answer"
if grep -qE '"effect": "(evicted|restarted|waits)"' "$answer"; then
    echo "check: somebody is worse off"
    exit 1
fi
echo "check: nobody is worse off"
