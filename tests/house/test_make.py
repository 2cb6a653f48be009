"""The one command for each thing: what `make` promises before any Python of the project runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.files import ROOT

SCRIPTS = sorted((ROOT / ".ci").glob("*.sh"))


def run(command: list[str], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    # What a surrounding make hands down would change what is tested here.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        command, cwd=cwd, env={**inherited, **environment}, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The parts of the project that make an environment, in a folder with an awkward name."""
    copy = tmp_path / "a folder (新)"
    shutil.copytree(ROOT / ".ci", copy / ".ci")
    for name in ("Makefile", "setup.cfg", "pyproject.toml", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, copy)
    return copy


def python_that_says(folder: Path, body: str) -> str:
    folder.mkdir()
    program = folder / "python3"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return str(program)


def test_make_alone_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    listed = run(["make"], ROOT)
    assert listed.returncode == 0
    assert set(re.findall(r"^  make (\S+)", listed.stdout, re.MULTILINE)) == set(phony[1].split())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_plain_shell(script: Path) -> None:
    assert run(["sh", "-n", str(script)], ROOT).stderr == ""


def test_continuous_integration_runs_the_same_command() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("exec make test")


def test_an_old_python_is_refused_in_plain_words(checkout: Path, tmp_path: Path) -> None:
    old = python_that_says(tmp_path / "old", '[ "$1" = --version ] && echo Python 3.10.12 && exit 0; exit 1')
    said = run(["make", "demo", f"PYTHON={old}"], checkout)
    assert said.returncode != 0
    assert said.stderr.startswith(f"Python 3.11 or newer is needed; '{old}' is Python 3.10.12.\n")
    assert not (checkout / ".venv").exists()


def test_a_missing_venv_module_names_its_package(checkout: Path, tmp_path: Path) -> None:
    bare = python_that_says(
        tmp_path / "bare", f'case "$*" in *ensurepip*) exit 1 ;; esac; exec "{sys.executable}" "$@"'
    )
    # An id that is nobody's stands for a person who is not root.
    ours = tmp_path / "bin"
    ours.mkdir()
    (ours / "id").write_text("#!/bin/sh\necho 4242\n")
    (ours / "id").chmod(0o755)
    said = run(["make", "venv", f"PYTHON={bare}"], checkout, PATH=f"{ours}:{os.environ['PATH']}")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert said.returncode != 0
    assert f"sudo apt install python{version}-venv" in said.stderr
