"""The one count that matters, from the provider's own ledger: whom it reached, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tally:
    once: int
    untold: int
    twice: int
    strangers: int  # reached though nobody was to be told there


def tally(entries: Iterable[Mapping[str, Any]], expected: Collection[str]) -> Tally:
    """`expected` holds one address per person. A repeated e-mail (same Message-ID) is one entry."""
    reached = Counter(str(one["to"]) for one in entries)
    return Tally(
        once=sum(reached[one] == 1 for one in expected),
        untold=sum(reached[one] == 0 for one in expected),
        twice=sum(reached[one] > 1 for one in expected),
        strangers=len(set(reached) - set(expected)),
    )
