"""`outage-notify demo --no-serve`, and that its proof can fail: somebody told twice turns it red."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(900)
def test_somebody_told_twice_makes_the_demo_fail(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "outage_notify", "demo", "--no-serve", "--inject-double"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
        timeout=840,
    )
    assert ended.returncode == 1, ended.stderr[-4000:]
    assert ended.stdout == "", "everything but JSON goes to standard error"
    total = next(line for line in ended.stderr.splitlines() if re.match(r"\W*all\b", line))
    due, once, untold, twice = map(int, re.findall(r"\d+", total)[:4])
    assert untold == 0
    assert twice == 1
    assert due > 600
    assert once > 600
    assert "unbroken" in ended.stderr
