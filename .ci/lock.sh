#!/bin/sh
# Resolve setup.cfg into requirements.lock and requirements-test.lock, and the build back end of
# pyproject.toml into .ci/build.lock: for every platform, from Python 3.11 on, with hashes.
# Versions that still fit are kept; `sh .ci/lock.sh --upgrade` takes the newest of all.
set -eu
cd "$(dirname "$0")/.."
. ./.ci/lib.sh

python=$(find_python)
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    say "Installing uv into build/lock-tools ..."
    "$python" -m venv build/lock-tools
    build/lock-tools/bin/python -m pip install --quiet uv
    uv=build/lock-tools/bin/uv
fi

export UV_CUSTOM_COMPILE_COMMAND="make lock"
resolve() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url "$@"
}

"$python" -c 'import pathlib, tomllib
build = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["build-system"]
print("\n".join(build["requires"]))' >.ci/build.in
trap 'rm -f .ci/build.in' EXIT
say "Resolving .ci/build.lock ..."
resolve .ci/build.in -o .ci/build.lock "$@"
# The tests' needs first, since some of them set upper bounds: what is shipped is then what was tested.
say "Resolving requirements-test.lock ..."
resolve setup.cfg --extra test -o requirements-test.lock "$@"
say "Resolving requirements.lock ..."
resolve setup.cfg --constraint requirements-test.lock -o requirements.lock "$@"
say "Resolving .ci/bench.lock ..."
resolve setup.cfg --extra bench --constraint requirements-test.lock -o .ci/bench.lock "$@"
