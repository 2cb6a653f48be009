# Shared by the scripts beside it: words to the person, the right Python, packages of Debian.
# Each script sources it after changing to the top of the checkout.

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# What a user's own pip and Python settings would do to an environment that must be the same everywhere.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_CONSTRAINT || true
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONNOUSERSITE=1

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Print the interpreter to use: $PYTHON when it is 3.11 or newer, else the newest one on the PATH.
find_python() {
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if is_new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
        # An interpreter that was asked for by name is not quietly replaced by another one.
        if [ "$candidate" = "${PYTHON:-python3}" ] && [ "$candidate" != python3 ]; then break; fi
    done
    asked=${PYTHON:-python3}
    if command -v "$asked" >/dev/null 2>&1; then
        found="'$asked' is $("$asked" --version 2>&1 || true)"
    else
        found="there is no '$asked'"
    fi
    fail "Python 3.11 or newer is needed; $found." \
        "Install one (Debian 12, Ubuntu 24.04 or newer: apt install python3 python3-venv)," \
        "or name it: make PYTHON=/path/to/python3.12 ..."
}

is_root() { [ "$(id -u)" = 0 ]; }
can_apt() { is_root && command -v apt-get >/dev/null 2>&1; }

# Run apt-get without questions, patiently when another process holds its lock. $1 is a log file.
apt_quietly() {
    log=$1
    shift
    tries=0
    until DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
        -o Dpkg::Options::=--force-confold "$@" </dev/null >"$log" 2>&1; do
        # The lock of the package lists knows no time-out of its own.
        tries=$((tries + 1))
        if [ "$tries" -lt 60 ] && grep -q 'Could not get lock' "$log"; then sleep 5; else return 1; fi
    done
}

apt_fresh=no
# Install Debian packages; the package lists are fetched when they prove missing or stale.
apt_install() {
    apt_log=$(mktemp)
    apt_state=0
    if ! apt_quietly "$apt_log" install --no-install-recommends "$@"; then
        apt_state=1
        if [ "$apt_fresh" = no ]; then
            apt_fresh=yes
            apt_quietly "$apt_log" update || true
            if apt_quietly "$apt_log" install --no-install-recommends "$@"; then apt_state=0; fi
        fi
    fi
    [ "$apt_state" = 0 ] || sed 's/^/    /' "$apt_log" | tail -n 3 >&2
    rm -f "$apt_log"
    return "$apt_state"
}
