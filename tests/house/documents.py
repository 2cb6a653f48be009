"""Reads the project's pages for the tests that keep them true: code blocks, inline code, tables, marked blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.house.files import ROOT, place

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^(?:    .*)?\n)*^    .*\n(?:^(?:    .*)?\n)*", re.MULTILINE)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
# What stands before a command and is none of it: a prompt, the folder of the environment, settings, other users.
_BEFORE = re.compile(r"^(?:\$ |sudo -u \S+ |env |[A-Z][A-Z0-9_]*=\S+ |\S*\.venv/bin/|/opt/\S+/bin/)+")


@dataclass(frozen=True)
class Words:
    """A piece of code on a page, and where."""

    where: str
    text: str


def pages() -> list[Path]:
    """The pages for people: the README and what lies in docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path) -> list[Words]:
    """Code blocks, fenced and indented."""
    text = page.read_text(encoding="utf-8")
    found = [Words(f"{place(page)} ({kind or 'block'})", body) for kind, body in _FENCE.findall(text)]
    rest = _FENCE.sub("", text)
    return found + [Words(place(page), body) for body in _INDENTED.findall(rest) if "|" not in body[:6]]


def inline(page: Path) -> list[Words]:
    """Code within sentences and tables."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return [Words(place(page), body) for body in _INLINE.findall(text)]


def lines(block: str) -> list[str]:
    """Command lines of a block: continued ones joined, comments and what stands before the program removed."""
    joined = re.sub(r"\\\n\s*", "", block)
    found = []
    for line in joined.splitlines():
        line = re.sub(r"\s+#\s.*$", "", line.strip())
        found.append(_BEFORE.sub("", line))
    return found


def marked(page: Path, name: str) -> str:
    """What stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    assert begin in text and end in text, f"{place(page)} has no block {name}"
    return text.split(begin, 1)[1].split(end, 1)[0]


def rows(table: str) -> list[list[str]]:
    """The cells of a Markdown table, its head and rule left out, back ticks removed."""
    found = [line for line in table.splitlines() if line.startswith("|")]
    return [
        [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        for line in found[2:]
    ]
