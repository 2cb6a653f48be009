"""The first thing that a newcomer sees stays small, and what it names exists."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.house.files import ROOT, tracked

ALLOWED = {
    ".ci",
    ".gitignore",
    "LICENSE",
    "Makefile",
    "README.md",
    "channels",
    "docs",
    "geo",
    "migrations",
    "outage_notify",
    "pyproject.toml",
    "requirements-test.lock",
    "requirements.lock",
    "setup.cfg",
    "tests",
}


def test_the_top_level_is_fixed() -> None:
    seen = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert seen <= ALLOWED, f"not allowed at the top level: {sorted(seen - ALLOWED)}"


def test_pyproject_only_names_the_build_back_end() -> None:
    assert len((ROOT / "pyproject.toml").read_text().splitlines()) == 3


LINK = re.compile(
    r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)"  # [words](where "title")
    r"|^\[[^\]]+\]:\s*(\S+)",  # [words]: where
    re.MULTILINE,
)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(markdown: str) -> set[str]:
    """The names that headings get on the project's page: lower case, words joined by hyphens."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(markdown))
    return {heading.replace(" ", "-") for heading in plain}


def dead_links(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    dead = []
    for inline, defined in LINK.findall(CODE.sub("", text)):
        link = unquote(inline or defined)
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / name.lstrip("/") if name.startswith("/") else page.parent / name) if name else page
        if not target.exists():
            dead.append(link)
            continue
        if anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
            dead.append(link)
    return dead


def test_links_between_pages_lead_somewhere() -> None:
    dead = {str(page.relative_to(ROOT)): dead_links(page) for page in tracked("*.md")}
    assert {page: links for page, links in dead.items() if links} == {}


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One thing\n[a](page.md#one-thing) [b](gone.md) ![c](page.md#two) `[d](code.md)`\n")
    assert dead_links(page) == ["gone.md", "page.md#two"]


def _name(requirement: str) -> str:
    """The normal form of a requirement's name (PEP 503)."""
    found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement.strip())
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pins(lock: str) -> dict[str, set[str]]:
    """name -> the pinned versions (several where they differ by platform or Python)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock, re.MULTILINE):
        found.setdefault(_name(name), set()).add(version)
    return found


def requirements(*, test: bool) -> list[str]:
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup["options"]["install_requires"].splitlines()
    if test:
        lines += setup["options.extras_require"]["test"].splitlines()
    return [_name(line) for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("lock", "test"), [("requirements.lock", False), ("requirements-test.lock", True)], ids=str
)
def test_locks_hold_every_requirement_with_hashes(lock: str, test: bool) -> None:
    text = (ROOT / lock).read_text()
    missing = set(requirements(test=test)) - pins(text).keys()
    assert not missing, f"{sorted(missing)} not in {lock}: run 'make lock'"
    entries = re.split(r"\n(?=[A-Za-z0-9])", text)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_is_shipped_is_what_was_tested() -> None:
    shipped = pins((ROOT / "requirements.lock").read_text())
    tested = pins((ROOT / "requirements-test.lock").read_text())
    assert {name: versions for name, versions in shipped.items() if tested.get(name) != versions} == {}


def test_the_build_back_end_is_pinned() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert {_name(one) for one in wanted} <= pins((ROOT / ".ci/build.lock").read_text()).keys()


def test_no_index_or_host_is_written_into_a_lock() -> None:
    for lock in tracked("*.lock"):
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links|file:", lock.read_text()), lock
