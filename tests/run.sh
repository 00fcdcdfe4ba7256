#!/usr/bin/env bash
# Builds and tests everything that this checkout can test.
#
#   tests/run.sh             everyday: asan and release builds, all tests, every fuzz target for 10 s
#   tests/run.sh --full      everyday and then the steps of tests/full.txt; a finished step is not repeated for the same tree
#   tests/run.sh --coverage  coverage of lib/core by what is in the repository alone: at least 95 % of lines, 90 % of branches
#
# The last line is always "N passed, N failed, N skipped": tests of ctest and steps of this script. Exit status: 0 nothing failed,
# 1 something failed, 2 something is missing that could not be installed.
# SLUICE_SHARED=DIR: where vectors/ and worlds/ with recorded cases are (default: ../shared). FUZZ_SECONDS=N: instead of 10.
set -uo pipefail
exec </dev/null
ROOT=$(cd "$(dirname "$0")/.." && pwd)
cd "$ROOT" || exit 2
. tests/install.sh

MODE=everyday
case ${1-} in
'') ;;
--full) MODE=full ;;
--coverage) MODE=coverage ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

SHARED=${SLUICE_SHARED:-$ROOT/../shared}
FUZZ_SECONDS=${FUZZ_SECONDS:-10}
JOBS=$(nproc)
passed=0 failed=0 skipped=0
failures=() left_out=() table=()
begin=$SECONDS

say() { printf '\n== %s\n' "$*"; }
fail() { failed=$((failed + 1)); failures+=("$1"); }
leave_out() { skipped=$((skipped + $1)); left_out+=("$2"); } # count, what and why

finish() {
    say "$MODE tier, $((SECONDS - begin)) s"
    for f in "${failures[@]}"; do echo "failed: $f"; done
    for l in "${left_out[@]}"; do echo "left out: $l"; done
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
    exit
}
trap 'failures+=("interrupted"); failed=$((failed + 1)); finish' INT TERM

# configure_and_build PRESET [CMAKE-ARGUMENT...]: counts as one step.
configure_and_build() {
    local preset=$1 start=$SECONDS
    shift
    say "build $preset"
    mkdir -p "build/$preset"
    if ! cmake --preset "$preset" -DSLUICE_TESTS=ON -DSLUICE_SHARED="$SHARED" "$@" >"build/$preset/configure.log" 2>&1; then
        tail -n 30 "build/$preset/configure.log"
        fail "configure $preset"
        return 1
    fi
    if ! ninja -C "build/$preset" -j "$JOBS" -k 0 --quiet; then
        fail "build $preset"
        leave_out 1 "tests of $preset: its build failed"
        return 1
    fi
    echo "$preset built in $((SECONDS - start)) s"
    passed=$((passed + 1))
}

# run_ctest PRESET [CTEST-ARGUMENT...]: adds the results of every test.
run_ctest() {
    local preset=$1 junit log counts
    shift
    junit=$ROOT/build/$preset/junit.xml
    log=build/$preset/ctest.log
    say "test $preset"
    rm -f "$junit"
    ctest --test-dir "build/$preset" -j "$JOBS" --output-on-failure --no-tests=ignore --output-junit "$junit" "$@" 2>&1 | tee "$log" |
        grep -vE '^ *Start +[0-9]+:|^Internal ctest|^Test project'
    if [ ! -s "$junit" ]; then
        grep -q 'No tests were found' "$log" || fail "ctest $preset"
        return
    fi
    counts=$(python3 tests/check/results.py "$junit" "$preset") || { fail "results of $preset cannot be read"; return; }
    local kind what
    while IFS=$'\t' read -r kind what; do
        case $kind in
        passed) passed=$((passed + 1)) ;;
        failed) fail "$what" ;;
        skipped) leave_out 1 "$what" ;;
        says) echo "$what" ;;
        esac
    done <<<"$counts"
}

# What this checkout has no data or no sources for is said, not passed over.
name_what_is_absent() {
    if [ ! -d "$SHARED/vectors" ] && [ ! -d "$SHARED/worlds" ]; then
        leave_out 4 "recorded cases: $SHARED has neither vectors/ nor worlds/ (346 worlds and 504 vector files; 2 tests in each of 2 builds)"
    else
        [ -d "$SHARED/vectors" ] || leave_out 2 "recorded vectors: no $SHARED/vectors (504 files)"
        [ -d "$SHARED/worlds" ] || leave_out 2 "recorded worlds: no $SHARED/worlds (346 worlds)"
    fi
    local part
    for part in vectors worlds random fuzz cases; do
        compgen -G "tests/$part/*" >/dev/null || leave_out 1 "tests/$part: nothing there"
    done
}

# Tests on a real control plane, whose last line is "N passed, M failed, ...". Each of them counts. What they leave out they say in lines that begin
# with "left out". Exit status 77: there can be no control plane here; the reason stands on the last line.
real_log() { echo "build/real/$(tr -c 'A-Za-z0-9\n' _ <<<"$1").log"; }

# real_run NAME COMMAND...: to its end, quietly.
real_run() {
    local log start=$SECONDS status=0
    log=$(real_log "$1")
    shift
    SLUICE_SHARED=$SHARED "$@" >"$log" 2>&1 || status=$?
    echo "$status $((SECONDS - start))" >"$log.end"
}

# real_count NAME: what became of it.
real_count() {
    local log status took last n
    log=$(real_log "$1")
    read -r status took <"$log.end"
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    say "on a real control plane: $1"
    if [ "$status" = 77 ]; then
        leave_out 1 "$1: $(tail -n 1 "$log" | cut -c1-200)"
        return
    fi
    echo "$last ($took s)"
    grep -E '^left out' "$log" | cut -c1-160 | head -n 20
    n=${last%% passed*}
    [[ $n =~ ^[0-9]+$ ]] && passed=$((passed + n))
    if [ "$status" != 0 ] || [[ $last != *' passed, 0 failed'* ]]; then
        grep -iE '^(failed|not ok|FAIL)' "$log" | cut -c1-300 | head -n 20
        tail -n 20 "$log"
        fail "$1: $log (exit status $status)"
    fi
}

# What needs etcd, an API server and the rest: built once for all checkouts (tests/cluster/README.md). The small ones run beside each other.
on_a_control_plane() {
    local asan=build/asan/bin release=build/release/bin name
    [ -x $asan/sluice ] && [ -x $release/sluice ] || return
    rm -rf build/real
    mkdir -p build/real
    real_run "the test cluster" python3 -B tests/cluster/test_cluster.py
    {
        real_run "the client" python3 -B tests/kube/kube_test.py $asan/kube-probe .
    } &
    {
        real_run "protocol cases" python3 -B tests/protocol/protocol.py
        real_run "CRDs and their policies" python3 -B tests/crds/crds_test.py .
        real_run "deployment and policies on jobs" python3 -B tests/deploy/deploy_test.py $release/sluice .
    } &
    wait
    real_run "the controller" python3 -B tests/integration/run.py --sluice $asan/sluice
    for name in "the test cluster" "the client" "protocol cases" "CRDs and their policies" "deployment and policies on jobs" \
        "the controller"; do
        real_count "$name"
    done
}

everyday() {
    configure_and_build asan && run_ctest asan
    configure_and_build release && run_ctest release -L 'case|shared|cli|examples|input'
    on_a_control_plane
    if compgen -G 'tests/fuzz/fuzz_*.c' >/dev/null; then
        configure_and_build fuzz -DSLUICE_FUZZ_SECONDS="$FUZZ_SECONDS" && run_ctest fuzz -L fuzz
    fi
    name_what_is_absent
}

# Coverage is counted without the recorded cases, because a clone does not have them.
coverage() {
    configure_and_build cov || return
    find build/cov -name '*.gcda' -delete
    run_ctest cov -LE 'shared|check'
    say "coverage of lib/core (without ../shared)"
    local report=build/cov/coverage.txt
    gcovr --root . --filter 'lib/core/' --object-directory build/cov --exclude-unreachable-branches --exclude-throw-branches \
        --gcov-ignore-parse-errors --json-summary build/cov/coverage.json --json-summary-pretty --txt "$report" build/cov >build/cov/gcovr.log 2>&1
    if [ -s "$report" ] && cat "$report" && python3 tests/check/coverage.py build/cov/coverage.json 95 90; then
        passed=$((passed + 1))
    else
        tail -n 5 build/cov/gcovr.log
        fail "coverage of lib/core"
    fi
}

# The tree as it is on disk: HEAD and the hash of everything that git would commit now.
tree_key() {
    local index
    index=$(mktemp -u)
    if git rev-parse HEAD >/dev/null 2>&1; then
        cp "$(git rev-parse --git-path index)" "$index" 2>/dev/null
        GIT_INDEX_FILE=$index git add -A . >/dev/null 2>&1
        echo "$(git rev-parse --short=12 HEAD)-$(GIT_INDEX_FILE=$index git write-tree | cut -c1-12)"
        rm -f "$index"
    else
        find . -path ./build -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-24
    fi
}

# step NAME COUNT COMMAND: shows what it says, then its count and its time; a step that finished before for this tree is only named.
# When the command ends with "N passed, M failed, ...", M must be 0, and N must reach the number that COUNT begins with, if it does.
step() {
    local name=$1 count=$2 command=$3 start=$SECONDS mark log status=0 last line
    mark=$STATE/$(tr -c 'A-Za-z0-9\n' _ <<<"$name")
    log=$mark.log
    if [ -f "$mark" ]; then
        passed=$((passed + 1))
        table+=("$(cat "$mark") (finished before)")
        return
    fi
    local program
    program=$(grep -oE 'build/[a-z]+/bin/[a-z-]+' <<<"$command" | head -n 1)
    if [ -n "$program" ] && [ ! -x "$program" ]; then
        leave_out 1 "$name: $program was not built"
        return
    fi
    if [[ $command == *'$SHARED'* ]] && [ ! -d "$SHARED" ]; then
        leave_out 1 "$name: no $SHARED ($count)"
        return
    fi
    say "step: $name ($count)"
    SHARED=$SHARED JOBS=$JOBS bash -c "$command" 2>&1 9<&- | tee "$log"
    status=${PIPESTATUS[0]}
    if [ "$status" = 77 ]; then # there can be no control plane here
        leave_out 1 "$name ($count): $(tail -n 1 "$log" | cut -c1-200)"
        return
    fi
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [ "$status" = 0 ] && [ -n "$last" ]; then
        local want=${count%% *}
        [[ $last == *' passed, 0 failed'* ]] || status=$last
        if [[ $want =~ ^[0-9]+$ ]] && [ "${last%% *}" -lt "$want" ]; then status="${last%% *} of $want"; fi
    fi
    line=$(printf '%-30s %-30s %5d s  %s' "$name" "$count" $((SECONDS - start)) "${last:-$(tail -n 1 "$log" | cut -c1-100)}")
    if [ "$status" = 0 ]; then
        echo "$line" >"$mark"
        passed=$((passed + 1))
    else
        line="$line  FAILED ($status)"
        fail "$name: $log"
    fi
    table+=("$line")
}

full() {
    STATE=build/full-state/$(tree_key)
    mkdir -p "$STATE"
    say "full tier: $STATE"
    export SLUICE_SHARED=$SHARED
    local name count command
    # The tab-separated table is read on a file descriptor of its own: a step must not eat it.
    while IFS=$'\t' read -r -u 9 name count command; do
        case $name in '' | \#*) continue ;; esac
        step "$name" "$count" "$command"
    done 9<tests/full.txt
    say "steps of the full tier"
    printf '%s\n' "${table[@]}"
    grep -h '^left out: ' "$STATE"/*.log 2>/dev/null | sort -u | sed 's/^/in a step: /'
}

need_packages test
case $MODE in
everyday) everyday ;;
coverage) coverage ;;
full) full ;;
esac
finish
