"""Where the programs that tests need are found on this machine.

Promises a path or a sentence that says what to install; starts nothing. `make test`
asks it too, so that what it installs and what the tests look for cannot differ:
`python -m tests.servers.programs postgres` exits with 0 when it is there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path


class Missing(Exception):
    """A program is not on this machine; the message says in one line what to do."""


def _first(names: list[str], folders: list[Path]) -> Path | None:
    for name in names:
        found = shutil.which(name)
        if found:
            return Path(found)
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
    return None


def postgres_folder() -> Path:
    """The folder of initdb and postgres; the newest version where Debian keeps several."""
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(re.sub(r"\D", "", path.parts[4]) or 0),
    )
    # Debian keeps them off the PATH, and a link on it may point elsewhere: its own place first.
    found = versions[-1] if versions else _first(["initdb"], [Path("/usr/local/pgsql/bin")])
    if found is None:
        raise Missing("PostgreSQL is not installed (apt install postgresql)")
    folder = found.resolve().parent
    if not (folder / "postgres").is_file():
        raise Missing(f"PostgreSQL's server is not beside {found} (apt install postgresql)")
    return folder


def postgis() -> Path:
    """What PostgreSQL reads to make the extension."""
    folder = postgres_folder()
    if folder.parts[:4] == ("/", "usr", "lib", "postgresql"):
        shared = Path("/usr/share/postgresql", folder.parts[4])
    else:
        shared = folder.parent / "share"
    found = next((one for one in shared.rglob("postgis.control") if one.is_file()), None)
    if found is None:
        raise Missing("PostGIS is not installed (apt install postgresql-postgis)")
    return found


def redis_server() -> Path:
    found = _first(["redis-server", "valkey-server"], [Path("/usr/sbin"), Path("/usr/local/bin")])
    if found is None:
        raise Missing("Redis is not installed (apt install redis-server)")
    return found


def rabbitmq_folder() -> Path:
    """The folder of RabbitMQ's own scripts; Debian's wrapper in /usr/sbin wants the service's account."""
    for folder in (Path("/usr/lib/rabbitmq/bin"), Path("/opt/rabbitmq/sbin")):
        if (folder / "rabbitmq-server").is_file():
            break
    else:
        raise Missing("RabbitMQ is not installed (apt install rabbitmq-server)")
    if shutil.which("epmd") is None:
        raise Missing("Erlang's epmd, which RabbitMQ needs, is not on the PATH (apt install erlang-base)")
    return folder


def chromium() -> Path:
    """A Chromium that runs: the system's, else the one that Playwright fetched."""
    found = _first(["chromium", "chromium-browser", "google-chrome"], [])
    # Ubuntu's package is a script that asks for snap; only the answer tells it from a browser.
    if found is not None and _answers(found):
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.is_file():
        return own
    raise Missing("Chromium is not installed (apt install chromium, or: playwright install chromium)")


def openssl() -> Path:
    """The command with which a time-stamping authority is run."""
    found = _first(["openssl"], [])
    if found is None:
        raise Missing("OpenSSL's command is not installed (apt install openssl)")
    return found


def nginx() -> Path:
    """The web server that stands in front of the application."""
    found = _first(["nginx"], [Path("/usr/sbin"), Path("/usr/local/sbin")])
    if found is None:
        raise Missing("nginx is not installed (apt install nginx-light)")
    return found


def npm() -> Path:
    """The package manager with which two calendar engines are fetched; it brings Node.js."""
    found = _first(["npm"], [])
    if found is None or shutil.which("node") is None:
        raise Missing("Node.js and npm are not installed (apt install npm)")
    return found


def wrk() -> Path:
    """A load generator that asks faster than a Python program could."""
    found = _first(["wrk"], [])
    if found is None:
        raise Missing("wrk is not installed (apt install wrk)")
    return found


def _answers(program: Path) -> bool:
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and re.search(r"\d+\.\d+\.\d+", answer.stdout) is not None


FINDERS = {
    "postgres": postgres_folder,
    "postgis": postgis,
    "redis": redis_server,
    "rabbitmq": rabbitmq_folder,
    "chromium": chromium,
    "openssl": openssl,
    "nginx": nginx,
    "npm": npm,
    "wrk": wrk,
}


def main() -> int:
    try:
        print(FINDERS[sys.argv[1]]())
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
