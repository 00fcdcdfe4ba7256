#!/usr/bin/env bash
# Builds Sluice and asks it who gets the GPUs in a small world of two teams. Needs no cluster. Can be run again.
#   examples/run.sh         the first example, step by step
#   examples/run.sh NAME    another one: what it shows, and what Sluice says
set -euo pipefail
exec </dev/null
ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$ROOT"
name=${1:-two-teams}
name=$(basename "$name")
if [ ! -f "examples/$name/README.md" ]; then
    echo "there is no example $name; there are:" $(cd examples && ls -d */ | tr -d /)
    exit 2
fi
. tests/install.sh

need_packages build
echo "== building (build/release)"
mkdir -p build/release
# The tests share this directory; without Check there are no tests to build.
tests=ON
pkg-config --exists check || tests=OFF
cmake --preset release -DSLUICE_TESTS=$tests >build/release/configure.log 2>&1 || { tail -n 30 build/release/configure.log; exit 1; }
ninja -C build/release -j "$(nproc)" --quiet sluice
PATH=$ROOT/build/release/bin:$PATH

# Exit status 3 only says that some Workload waits.
answer() {
    printf '\n$ %s\n' "$*"
    "$@" || [ $? = 3 ]
}

the_others() {
    printf '\n== More examples\n'
    local readme dir
    for readme in examples/*/README.md; do
        dir=$(basename "$(dirname "$readme")")
        [ "$dir" = "$name" ] || printf '    examples/run.sh %-20s %s\n' "$dir" "$(sed -n '1s/^# //p' "$readme")"
    done
}

if [ "$name" != two-teams ]; then
    printf '\n'
    cat "examples/$name/README.md"
    if [ "$name" = gitops-check ]; then
        cd examples/gitops-check
        printf '\n$ ./check.sh main pull-request-2 workloads\n'
        ./check.sh main pull-request-2 workloads || [ $? = 1 ]
        cd "$ROOT"
    else
        answer sluice simulate -f "examples/$name"
    fi
    the_others
    exit
fi

cat <<'END'

== The world: examples/two-teams
Team-a and team-b own 8 H100s each, in one cohort. A team may borrow what the other leaves idle, and the owner may take it back
(reclaimWithinCohort: Any). Before anything happens, all 16 GPUs are in use:

    team-a   serving   2 GPUs   its own
    team-b   pretrain  8 GPUs   its own
    team-b   finetune  6 GPUs   borrowed from team-a

Then three jobs arrive: at 09:00 team-a's train (4 GPUs), at 09:10 team-b's sweep (2), at 09:20 team-b's eval (1).
END
answer sluice simulate -f examples/two-teams
cat <<'END'

== What happened
Train asks for no more than team-a owns, so team-a reclaims: finetune, which ran on borrowed GPUs, is evicted and waits in its queue.
Of the 6 GPUs that come free train takes 4. Finetune does not fit into the other 2, sweep does: team-b borrows them from team-a.
Finetune and eval wait until somebody finishes; team-b uses more than it owns, so it may not take anything from team-a.

Nothing was sent anywhere: this is the code that decides, run on files. Change a number in examples/two-teams and run it again;
`build/release/bin/sluice help simulate` says what else it can do.
END
the_others
