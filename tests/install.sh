# Sourced by tests/run.sh and examples/run.sh: need_packages TIER installs what tests/packages.txt asks for and is missing.
# Nothing is touched when nothing is missing. Without the means to install: the list, and exit status 2.

# True when the probe of one line of packages.txt succeeds.
probe() {
    case $1 in
    cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
    pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
    file:*) compgen -G "${1#file:}" >/dev/null ;;
    *) echo "tests/packages.txt: unknown probe $1" >&2; exit 2 ;;
    esac
}

# Prints the missing packages of a tier (build, or test = everything), one a line.
missing_packages() {
    local package test tier
    while read -r package test tier; do
        case $package in '' | \#*) continue ;; esac
        [ "$1" = test ] || [ "$tier" = "$1" ] || continue
        probe "$test" || echo "$package"
    done <"$ROOT/tests/packages.txt"
}

give_up() {
    {
        echo "$1"
        echo "Missing on this machine: $2"
        echo "As root, on Debian 12:"
        echo "    apt-get update && apt-get install -y --no-install-recommends $2"
    } >&2
    exit 2
}

need_packages() {
    local missing sudo=
    missing=$(missing_packages "$1" | tr '\n' ' ')
    missing=${missing% }
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 || give_up "This machine has no apt-get." "$missing"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null ||
            give_up "Packages are missing, and this user can neither become root nor use sudo without a password." "$missing"
        sudo="sudo -n"
    fi
    echo "== installing: $missing"
    local log status=0
    log=$(mktemp)
    {
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
            $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    } </dev/null >"$log" 2>&1 || status=$?
    if [ "$status" != 0 ]; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        give_up "apt-get failed (no network?)." "$missing"
    fi
    rm -f "$log"
    missing=$(missing_packages "$1" | tr '\n' ' ')
    [ -z "$missing" ] || give_up "apt-get succeeded, but something is still missing." "${missing% }"
}
