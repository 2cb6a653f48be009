"""Readers from npm, in the versions that a lock file names: programs of other people read what we publish.

Promises: what a script of tests/fakes/foreign_readers prints. The packages are fetched once and kept between runs;
where they cannot be had the test is skipped with the reason, and with CI=true that is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

READERS = Path(__file__).parents[1] / "fakes" / "foreign_readers"
LOCKED = ("package.json", "package-lock.json")


def read(script: str, given: object) -> Any:
    """The answer of a script to what it is given, both as JSON, on a machine in a zone that no test uses."""
    folder = _installed()
    shutil.copy(READERS / script, folder / script)
    done = subprocess.run(
        ["node", script],
        cwd=folder,
        input=json.dumps(given),
        env=os.environ | {"TZ": "America/St_Johns"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _installed() -> Path:
    """A folder with the packages."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "outage-notify-tests" / "foreign-readers"
    folder.mkdir(parents=True, exist_ok=True)
    why = "" if shutil.which("node") and shutil.which("npm") else "node and npm are not installed"
    kept = folder / "node_modules" / ".package-lock.json"
    same = all(
        (folder / name).exists() and (folder / name).read_bytes() == (READERS / name).read_bytes()
        for name in LOCKED
    )
    if not why and not (same and kept.exists()):
        for name in LOCKED:
            shutil.copy(READERS / name, folder / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        why = "" if done.returncode == 0 else "npm could not fetch the readers"
    if why and os.environ.get("CI", "").lower() in {"1", "true", "yes"}:
        pytest.fail(f"{why}. With CI=true the readers may not be left out.", pytrace=False)
    if why:
        pytest.skip(f"{why} (apt install npm)")
    return folder
