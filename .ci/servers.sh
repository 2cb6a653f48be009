#!/bin/sh
# Make what tests start for themselves available: PostgreSQL, Redis, RabbitMQ, Chromium, OpenSSL, nginx, npm.
# With the word "load" also wrk, which benchmarks ask with; with "geo" PostGIS, which one of them is compared to.
#
# As root on Debian what is missing is installed; elsewhere it is left out, and the tests that need it are
# skipped with the reason (with CI=true they fail). Never stops the run: the tests say what they miss.
set -eu
cd "$(dirname "$0")/.."
. ./.ci/lib.sh

# The same places are searched by the tests: tests/servers/programs.py.
has() { .venv/bin/python -m tests.servers.programs "$1" >/dev/null 2>&1; }

# A package that brings a service would start it, and on the usual port; the tests start their own instances.
# The mark tells our file from the machine's own, also one that a killed run left behind.
policy=/usr/sbin/policy-rc.d
mark='# outage-notify: no service is started while the tests install packages'
allow_services() {
    if grep -qsF "$mark" "$policy"; then rm -f "$policy"; fi
}
forbid_services() {
    allow_services
    if [ ! -e "$policy" ]; then
        trap allow_services EXIT
        trap 'exit 130' HUP INT TERM
        printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy" && chmod 755 "$policy" || true
    fi
}

# provide PROGRAM WORDS PACKAGE...: the first of the packages that brings the program.
provide() {
    program=$1 words=$2
    shift 2
    if has "$program"; then return; fi
    if can_apt; then
        for package in "$@"; do
            say "Installing $words ($package) ..."
            if apt_install "$package" && has "$program"; then return; fi
        done
    fi
    if [ "$program" = chromium ]; then
        # Ubuntu's package is a wrapper for snap, which does not work everywhere; Playwright brings its own.
        say "Fetching $words by Playwright ..."
        with_deps=
        if can_apt; then with_deps=--with-deps; fi
        if .venv/bin/python -m playwright install $with_deps chromium >/dev/null 2>&1 && has "$program"; then return; fi
    fi
    say "$words is not here, and could not be installed$(is_root || printf ' without being root'); what needs it is skipped." \
        "To have them: sudo apt install $1"
}

if can_apt; then forbid_services; fi
provide postgres PostgreSQL postgresql
provide redis Redis redis-server valkey-server
provide rabbitmq RabbitMQ rabbitmq-server
provide chromium Chromium chromium
provide openssl OpenSSL openssl
provide nginx nginx nginx-light
provide npm "Node.js with npm" npm
if [ "${1:-}" = load ]; then provide wrk wrk wrk; fi
if [ "${1:-}" = geo ]; then provide postgis PostGIS postgresql-postgis; fi
