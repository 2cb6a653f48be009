#!/bin/sh
# Make .venv from a lock file, each package checked against its hash: `venv.sh run` or `venv.sh test`.
#
# Does nothing when .venv was already made from the same lock, by the same Python, in the same place;
# an environment for testing also serves for running. Safe to interrupt: what says that it is whole is written last.
set -eu
cd "$(dirname "$0")/.."
. ./.ci/lib.sh

level=${1:-run}
stamp=.venv/made-from

# Two makes at once must not build the same environment.
if command -v flock >/dev/null 2>&1 && [ "${VENV_LOCKED:-}" != yes ]; then
    mkdir -p build
    VENV_LOCKED=yes exec flock build/venv.lock sh .ci/venv.sh "$level"
fi

case $level in
run) lock=requirements.lock ;;
test) lock=requirements-test.lock ;;
*) fail "usage: sh .ci/venv.sh run|test" ;;
esac

python=$(find_python)

# The folder is part of it, because scripts in .venv/bin name their interpreter by its whole path.
fingerprint() {
    printf '%s\n' "$1"
    "$python" -c 'import sys; print(sys.version); print(sys.base_prefix)'
    pwd -P
    cat "$2" .ci/build.lock setup.cfg pyproject.toml | cksum
}

if [ -x .venv/bin/python ] && [ -f "$stamp" ]; then
    made=$(cat "$stamp")
    for have in "$level" test; do
        case $have in run) its_lock=requirements.lock ;; *) its_lock=requirements-test.lock ;; esac
        if [ "$made" = "$(fingerprint "$have" "$its_lock")" ]; then exit 0; fi
    done
fi

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    can_apt || fail "Python's venv module is missing." \
        "Install it, then repeat the command: sudo apt install python$version-venv"
    say "Installing python$version-venv ..."
    apt_install "python$version-venv" || apt_install python3-venv ||
        fail "python$version-venv could not be installed; see above."
fi

say "Making .venv with Python $version ..."
"$python" -m venv --clear .venv
say "Installing $(grep -c '^[A-Za-z0-9].*==' "$lock") packages of $lock, each checked against its hash ..."
.venv/bin/python -m pip install --quiet --require-hashes -r .ci/build.lock -r "$lock" ||
    fail "The packages could not be installed; pip's reason stands above. Repeat the command once it is mended."
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .
fingerprint "$level" "$lock" >"$stamp"
