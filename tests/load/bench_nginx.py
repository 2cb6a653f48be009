"""How fast nginx hands out the public's pages beside a plain file of the same size: part of `make bench-map`.

The product with 200 outages behind nginx with the project's configuration (without TLS, which would cost both the
same), and in the same nginx a server of files. wrk asks in turns, so that other work on the machine hits both alike;
the ratio is the median of the rounds. Exit status 1 if the goal is missed.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from tests.load.bench_first_view import behind_nginx
from tests.load.bench_map import PATHS
from tests.servers import process, programs

GOAL, ROUNDS, SECONDS, CLIENTS = 0.9, 6, 2, 32
FILES = """
server {{
    listen 127.0.0.1:{port};
    access_log {folder}/access.log combined buffer=32k flush=5s;
    open_file_cache max=2000 inactive=60s;
    open_file_cache_valid 10s;
    root {folder};
}}
"""
PACKED = {"Accept-Encoding": "gzip", "Accept-Language": "en"}


def rate(address: str) -> float:
    """Answers per second; an answer that is not 200 ends the measurement."""
    command = [str(programs.wrk()), "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s"]
    for name, value in PACKED.items():
        command += ["-H", f"{name}: {value}"]
    said = subprocess.run([*command, address], capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s*([\d.]+)", said)
    if found is None or "Non-2xx" in said:
        raise SystemExit(said)
    return float(found[1])


def main() -> int:
    try:
        programs.wrk()
        programs.nginx()
    except programs.Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    files, port = process.folder("files"), process.free_port()
    with tempfile.TemporaryDirectory() as data:
        more = FILES.format(port=port, folder=files)
        with behind_nginx(Path(data), 200, encrypted=False, more=more) as nginx:
            shares: dict[str, list[float]] = {path: [] for path in PATHS}
            rates: dict[str, list[float]] = {path: [] for path in PATHS}
            for number, path in enumerate(PATHS):
                request = urllib.request.Request(nginx.address + path, headers=PACKED)
                with urllib.request.urlopen(request) as answer:
                    (files / f"{number}.bin").write_bytes(answer.read())
            for _ in range(ROUNDS):
                for number, path in enumerate(PATHS):
                    plain = rate(f"http://127.0.0.1:{port}/{number}.bin")
                    ours = rate(nginx.address + path)
                    rates[path].append(ours)
                    shares[path].append(ours / plain)
    shutil.rmtree(files, ignore_errors=True)
    found = {
        path: {
            "per_second": round(statistics.median(rates[path])),
            "share_of_a_plain_file": round(statistics.median(shares[path]), 2),
        }
        for path in PATHS
    }
    print(json.dumps(found, indent=1))
    return 0 if min(one["share_of_a_plain_file"] for one in found.values()) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
