"""Which files belong to the project, for the tests of the repository itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Made by tools, never part of the project; only asked for where git is not there to say so.
BUILT = {".git", ".venv", ".hypothesis", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"}
BUILT |= {".import_linter_cache", "build", "dist", "var", "node_modules"}


def tracked(*patterns: str) -> list[Path]:
    """Files of the project: those that git holds or would take; without git, all that was not built."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        found = {path for pattern in patterns or ("*",) for path in ROOT.rglob(pattern)}
        return sorted(path for path in found if path.is_file() and not _is_built(path.relative_to(ROOT)))
    names = {name for name in listed.stdout.split("\0") if name}
    return sorted(ROOT / name for name in names if (ROOT / name).is_file())


def _is_built(path: Path) -> bool:
    return bool(BUILT & set(path.parts)) or any(part.endswith(".egg-info") for part in path.parts)


def place(path: Path) -> str:
    """How a file is named in a message."""
    return path.relative_to(ROOT).as_posix()
