"""What was proved: counted from the provider's ledger of what reached whom, against who should know.

Who should know comes from the frozen audiences and the policy; what reached them from the
simulator. The outbox is asked only which short reference belongs to which notice.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

_REFERENCE = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{10}(?![0-9A-Z])")


@dataclass(frozen=True)
class Expected:
    """One notice of the story and the customers who must know of it."""

    name: str
    customers: frozenset[str]


@dataclass
class Count:
    """One line of the table. `excused`: no wire reaches them; a letter went out or a person has the task."""

    name: str
    expected: int = 0
    once: int = 0
    untold: int = 0
    twice: int = 0
    excused: int = 0
    by_channel: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Belongs:
    """Whose a message is: notice and customers, by its short reference or the provider's id."""

    notice: str
    customers: frozenset[str]


def count(
    ledger: Iterable[Mapping[str, Any]],
    expected: Sequence[Expected],
    belongs: Mapping[str, Belongs],
    excused: frozenset[str] = frozenset(),
    extra: str = "",
) -> list[Count]:
    """One Count per notice, and one named "unknown" if something reached somebody that
    belongs to no expected notice. Told twice: the same notice reached one address twice by
    one channel. Notices whose name begins with `extra` are nobody's due, and only counted."""
    reached: dict[str, dict[str, Counter[tuple[str, str]]]] = defaultdict(lambda: defaultdict(Counter))
    strangers = 0
    for entry in ledger:
        mark = _whose(entry, belongs)
        if mark is None:
            strangers += 1
            continue
        for customer in belongs[mark].customers:
            reached[belongs[mark].notice][customer][entry["channel"], entry["to"]] += 1
    wanted = [*expected]
    if extra:
        told = sorted(name for name in reached if name.startswith(extra))
        wanted += [Expected(name, frozenset(reached[name])) for name in told]
    counts = [_line(one, reached.pop(one.name, {}), excused) for one in wanted]
    # Whoever heard of a notice that was none of theirs, or of one that nobody should have had.
    astray = strangers + sum(len(people) for people in reached.values())
    return [*counts, Count("unknown", twice=astray)] if astray else counts


def _line(
    expected: Expected, reached: Mapping[str, Counter[tuple[str, str]]], excused: frozenset[str]
) -> Count:
    line = Count(expected.name, expected=len(expected.customers))
    for customer in sorted(expected.customers | reached.keys()):
        ways = reached.get(customer, Counter())
        line.by_channel.update({channel for channel, _ in ways})
        if not ways:
            line.excused += customer in excused
            line.untold += customer not in excused
        elif max(ways.values()) > 1 or customer not in expected.customers:
            line.twice += 1
        else:
            line.once += 1
    return line


def holds(counts: Iterable[Count]) -> bool:
    return all(one.untold == 0 and one.twice == 0 for one in counts)


def table(counts: Sequence[Count]) -> Table:
    """The closing table. By hand: no wire reaches them, so a letter or a person did."""
    # Without the doubled padding it fits a terminal of 80 columns.
    drawn = Table(title="What was proved, counted from the provider's ledger", collapse_padding=True)
    drawn.add_column("notice", no_wrap=True)
    for name in ("due to", "once", "untold", "twice", "by hand", "sms", "voice", "email"):
        drawn.add_column(name, justify="right")
    total = Count("all")
    for one in [*counts, total]:
        style = "bold" if one is total else ("red" if one.untold or one.twice else "")
        ways = (str(one.by_channel[name]) for name in ("sms", "voice", "email"))
        numbers = (one.expected, one.once, one.untold, one.twice, one.excused)
        drawn.add_row(one.name, *map(str, numbers), *ways, style=style)
        if one is not total:
            total.expected += one.expected
            total.once += one.once
            total.untold += one.untold
            total.twice += one.twice
            total.excused += one.excused
            total.by_channel.update(one.by_channel)
    return drawn


def _whose(entry: Mapping[str, Any], belongs: Mapping[str, Belongs]) -> str | None:
    """The short reference printed in a text; a call says none and is known by the provider's id."""
    words = _REFERENCE.findall(f"{entry.get('subject', '')} {entry.get('text', '')}")
    return next((one for one in [*words, entry["provider_id"]] if one in belongs), None)
