"""The first view of the public's map on a slow phone, by Lighthouse and by a browser: part of `make bench-map`.

The whole product with 200 outages behind nginx with the project's configuration. Lighthouse (fetched from npm into
a temporary folder) measures a phone whose processor is slowed four times on its slow 4G; a browser slowed the same
way measures when the first outage can be read and when the map stands, in both languages.
Exit status 1 if a goal is missed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, sync_playwright

from tests.servers import process, programs
from tests.servers.browser import FLAGS, launch
from tests.servers.nginx import NginxServer

GOAL_SCORE, GOAL_SECONDS, GOAL_BYTES = 0.95, 2.0, 150_000
CATEGORIES = ("performance", "accessibility", "best-practices")
LIGHTHOUSE = "lighthouse@13"
# What Lighthouse calls slow 4G: 1.6 Mbit/s, 150 ms.
NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 204_800, "uploadThroughput": 93_750}
SLOWER = 4


@contextmanager
def behind_nginx(folder: Path, outages: int, encrypted: bool = True, more: str = "") -> Iterator[NginxServer]:
    """gunicorn with the product and that many outages, and nginx in front of it, which hands out what was printed."""
    from tests.load.bench_map import FILES, FOLDER, fill

    fill(folder, outages).database.close()
    port, files = process.free_port(), process.folder("printed")
    options = ["--workers", "1", "--threads", "4", "--worker-class", "gthread", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "tests.load.bench_map:application()"],
        env=os.environ | {FOLDER: str(folder), FILES: str(files)},
        stderr=subprocess.DEVNULL,
    )
    try:
        while not process.answers(port) or not (files / "current").exists():
            if server.poll() is not None:
                raise SystemExit("gunicorn did not start")
            time.sleep(0.1)
        nginx = NginxServer(port, encrypted, more, files)
        try:
            yield nginx
        finally:
            nginx.stop()
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(files, ignore_errors=True)


def lighthouse(address: str, folder: Path, language: str) -> dict[str, Any]:
    """Scores, seconds and bytes of one page; empty if Lighthouse cannot be fetched or run."""
    program = folder / "node_modules" / ".bin" / "lighthouse"
    if not program.exists():
        quiet = {"capture_output": True, "text": True, "cwd": folder}
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), LIGHTHOUSE], **quiet
        )
        if not program.exists():
            print(f"Lighthouse could not be fetched: {done.stderr[-300:]}", file=sys.stderr)
            return {}
    report = folder / f"{language}.json"
    headers = json.dumps({"Accept-Language": language})
    command = [
        str(program),
        address,
        "--output=json",
        f"--output-path={report}",
        "--quiet",
        "--no-enable-error-reporting",
    ]
    command += [f"--only-categories={','.join(CATEGORIES)}", f"--extra-headers={headers}"]
    command += ["--chrome-flags=" + " ".join(["--headless=new", "--ignore-certificate-errors", *FLAGS])]
    environment = os.environ | {"CHROME_PATH": str(programs.chromium())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if not report.exists():
        print(f"Lighthouse did not run: {done.stderr[-600:]}", file=sys.stderr)
        return {}
    found = json.loads(report.read_text())
    audits = found["audits"]
    result: dict[str, Any] = {name: found["categories"][name]["score"] for name in CATEGORIES}
    for name in ("first-contentful-paint", "largest-contentful-paint", "interactive", "total-blocking-time"):
        if name in audits:
            result[name] = round(audits[name].get("numericValue", 0) / 1000, 2)
    result["bytes"] = int(audits["total-byte-weight"]["numericValue"])
    result["missed"] = sorted(
        name
        for category in CATEGORIES
        for name in (one["id"] for one in found["categories"][category]["auditRefs"] if one["weight"])
        if audits[name]["score"] is not None and audits[name]["score"] < 0.9
    )
    return result


def seen(browser: Browser, address: str, language: str) -> dict[str, float]:
    """Seconds until the first outage can be read and until the map can be used; bytes over the wire."""
    context = browser.new_context(
        locale=language,
        viewport={"width": 390, "height": 844},
        device_scale_factor=3,
        is_mobile=True,
        has_touch=True,
        ignore_https_errors=True,
    )
    page = context.new_page()
    session: CDPSession = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    received: list[float] = []
    session.on("Network.loadingFinished", lambda one: received.append(one["encodedDataLength"]))
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".outages li", state="visible")
    page.wait_for_selector("#map[data-ready]")
    times = page.evaluate(
        """() => ({
            readable: performance.getEntriesByName('first-contentful-paint')[0].startTime,
            map: performance.now(),
        })"""
    )
    context.close()
    return {
        "readable_seconds": round(times["readable"] / 1000, 2),
        "map_seconds": round(times["map"] / 1000, 2),
        "bytes": int(sum(received)),
    }


def main() -> int:
    folder = Path(os.environ.get("BENCH_LIGHTHOUSE_FOLDER") or tempfile.mkdtemp(prefix="lighthouse-"))
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as data, behind_nginx(Path(data), 200) as nginx:
        address = f"{nginx.address}/"
        with sync_playwright() as playwright:
            browser = launch(playwright, programs.chromium())
            if not isinstance(browser, Browser):
                raise SystemExit(str(browser))
            for language in ("zh-CN", "en"):
                seen(browser, address, language)
                found[f"browser {language}"] = seen(browser, address, language)
            browser.close()
        for language in ("zh-CN", "en"):
            found[f"lighthouse {language}"] = lighthouse(address, folder, language)
    print(json.dumps(found, indent=1))
    return 0 if all(map(_good, found.values())) else 1


def _good(one: dict[str, Any]) -> bool:
    scores = [one[name] for name in CATEGORIES if name in one]
    seconds = one.get("interactive", one.get("map_seconds", 0))
    return (
        min(scores, default=1) >= GOAL_SCORE and seconds <= GOAL_SECONDS and one.get("bytes", 0) <= GOAL_BYTES
    )


if __name__ == "__main__":
    sys.exit(main())
