"""A server that cannot be had: one line of reason at the desk, a failure in continuous integration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.house.files import ROOT

# A machine without any server, and one test for each thing that it lacks.
BARE_MACHINE = """
from tests.servers import programs

def missing():
    raise programs.Missing("it is not installed\\n(apt install it)")

programs.postgres_folder = programs.redis_server = programs.rabbitmq_folder = programs.chromium = missing
"""
TESTS = """
def test_database(database_url): pass
def test_redis(redis_url): pass
def test_rabbitmq(rabbitmq_url): pass
def test_browser(page): pass
def test_browser_program(chromium_path): pass
def test_alone(): pass
"""


def run_tests(folder: Path, *options: str, **environment: str) -> str:
    (folder / "bare_machine.py").write_text(BARE_MACHINE)
    (folder / "test_bare.py").write_text(TESTS)
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    settings = ["-c", ROOT / "setup.cfg", "--rootdir", folder, "-p", "bare_machine", "-p", "tests.conftest"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *settings, *options, folder / "test_bare.py"],
        cwd=folder,
        env={**inherited, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_at_the_desk_it_is_skipped_with_one_line(tmp_path: Path) -> None:
    said = run_tests(tmp_path)
    assert "2 passed, 5 skipped" in said
    assert said.count("it is not installed (apt install it)") == 5


def test_in_continuous_integration_it_is_a_failure(tmp_path: Path) -> None:
    said = run_tests(tmp_path, CI="true")
    assert "2 passed, 5 errors" in said
    assert "may not be left out" in said


def test_marks_follow_from_what_is_asked_for(tmp_path: Path) -> None:
    anything = "not postgres and not redis and not rabbitmq and not browser"
    said = run_tests(tmp_path, "--collect-only", "-m", anything)
    left = {line.partition("::")[2] for line in said.splitlines() if "::" in line}
    assert left == {"test_database[sqlite]", "test_alone"}
