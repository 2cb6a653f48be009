"""Rules of the house that no linter knows: size, docstrings, one clock, one reader of the environment."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.files import ROOT, place, tracked

LONGEST = 400

# Who may look at a clock, and why nobody else needs to.
CLOCKS = {
    "outage_notify/clock.py": "the one source of now",
    "channels/simulator": "stands for a provider, outside of the product: its own clock unless given one",
}
# Who may read the environment, and why.
ENVIRONMENTS = {
    "outage_notify/settings.py": "the one reader of settings",
    "outage_notify/demo": "hands its environment on to the processes that it starts",
}


def python_files(*tops: str) -> list[Path]:
    return [p for p in tracked("*.py") if not tops or p.relative_to(ROOT).parts[0] in tops]


def test_there_are_files_to_look_at() -> None:
    assert {place(p).split("/")[0] for p in python_files()} >= {"outage_notify", "geo", "channels", "tests"}


def test_every_file_says_what_it_is() -> None:
    def silent(path: Path) -> bool:
        text = path.read_text(encoding="utf-8")
        # An empty __init__.py only marks a folder.
        return bool(text.strip()) and not ast.get_docstring(ast.parse(text))

    assert [place(p) for p in python_files() if silent(p)] == [], "no module docstring"


def test_no_file_is_too_long_to_read() -> None:
    # A migration is a record of one day, read from top to bottom once, and never grows.
    files = [p for p in python_files() if not place(p).startswith("migrations/versions/")]
    lengths = {place(p): len(p.read_text(encoding="utf-8").splitlines()) for p in files}
    assert {p: n for p, n in lengths.items() if n > LONGEST} == {}


def test_nothing_is_left_for_later() -> None:
    # Put together, so that this file does not find itself.
    words = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
    left = [
        f"{place(p)}:{number}"
        for p in python_files()
        for number, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert left == []


WALL_CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
    "time.strftime",
}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv", "os.unsetenv"}


def uses(source: str, names: set[str]) -> Iterator[tuple[int, str]]:
    """(line, full name) of each use of one of `names`, however it was imported.

    `time.localtime(x)` with an instant given does not look at a clock; without one it does.
    """
    tree = ast.parse(source)
    meaning: dict[str, str] = {}
    harmless: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                meaning[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                meaning[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            needs = {"localtime": 1, "gmtime": 1, "ctime": 1, "strftime": 2}.get(node.func.attr)
            if needs is not None and len(node.args) >= needs:
                harmless.add(node.func)
    for node in ast.walk(tree):
        if node in harmless or not isinstance(node, ast.Attribute | ast.Name):
            continue
        spelled = ast.unparse(node)
        head, _, rest = spelled.partition(".")
        full = ".".join(filter(None, [meaning.get(head, ""), rest])) if head in meaning else ""
        if full in names:
            yield node.lineno, full


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import datetime as d\nd.datetime.now(d.UTC)", [(2, "datetime.datetime.now")]),
        ("from datetime import datetime\nf = datetime.now", [(2, "datetime.datetime.now")]),
        ("from time import time as t\nt()", [(2, "time.time")]),
        ("import time\ntime.monotonic(); time.gmtime(0); time.strftime('%Y', t)", []),
        ("import time\ntime.gmtime()", [(2, "time.gmtime")]),
        ("def f(clock): return clock.now()", []),
    ],
)
def test_a_look_at_the_clock_is_seen(source: str, found: list[tuple[int, str]]) -> None:
    assert list(uses(source, WALL_CLOCKS)) == found


def offenders(names: set[str], allowed: dict[str, str]) -> list[str]:
    return [
        f"{place(path)}:{line} uses {name}"
        for path in python_files("outage_notify", "geo", "channels")
        if not any(place(path) == one or place(path).startswith((f"{one}/", f"{one}.")) for one in allowed)
        for line, name in uses(path.read_text(encoding="utf-8"), names)
    ]


def test_only_the_clock_reads_the_clock() -> None:
    assert offenders(WALL_CLOCKS, CLOCKS) == [], "take now as an argument"


def test_only_settings_reads_the_environment() -> None:
    assert offenders(ENVIRONMENT, ENVIRONMENTS) == [], "read it in outage_notify/settings.py"


def test_test_files_have_names_of_their_own() -> None:
    seen: dict[str, list[str]] = {}
    for path in python_files("tests"):
        if path.name.startswith("test_"):
            seen.setdefault(path.name, []).append(place(path))
    assert {name: places for name, places in seen.items() if len(places) > 1} == {}
