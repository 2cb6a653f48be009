"""What an import says about itself, and how it collects faults.

`Faults` keeps the first thousand faults and counts the rest, so that a file that is wrong
throughout neither fills memory nor the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from outage_notify.domain.errors import Fault, ImportRefused

MOST_FAULTS = 1_000


@dataclass
class Tally:
    """How the rows of one table stand to what was there before."""

    added: int = 0
    changed: int = 0
    gone: int = 0
    same: int = 0

    def as_dict(self) -> dict[str, int]:
        return {"added": self.added, "changed": self.changed, "gone": self.gone, "same": self.same}


@dataclass(frozen=True)
class ImportReport:
    """The outcome of an import that was not refused.

    `counts` maps a name ("customers", "service_points", "contacts"; "elements" for a
    network) to numbers by word. `unchanged` says that the very same file was in force already.
    """

    file: str
    dry_run: bool
    counts: dict[str, dict[str, int]]
    warnings: tuple[Fault, ...] = ()
    unchanged: bool = False
    seconds: float = 0.0
    version: int | None = None
    # Names of what changed, by word, as far as they are named.
    named: dict[str, list[str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "dry_run": self.dry_run,
            "unchanged": self.unchanged,
            "counts": self.counts,
            "warnings": [fault_dict(one) for one in self.warnings],
            "changed": self.named,
            "seconds": round(self.seconds, 3),
        }


def fault_dict(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.file,
        "line": fault.line,
        "field": fault.field,
        "message": fault.message,
        "remedy": fault.remedy,
    }


@dataclass
class Faults:
    """The faults of one file, as they are found."""

    file: str
    found: list[Fault] = field(default_factory=list)
    more: int = 0
    _places: set[tuple[int | None, str]] = field(default_factory=set, repr=False)

    def add(self, line: int | None, field: str, message: str, remedy: str = "") -> None:
        if len(self.found) < MOST_FAULTS:
            self.found.append(Fault(self.file, line, field, message, remedy))
            self._places.add((line, field))
        else:
            self.more += 1

    def named(self, lines: Iterable[int], field: str) -> bool:
        """Whether a fault of that field on one of these lines is listed."""
        return any((line, field) in self._places for line in lines)

    def __len__(self) -> int:
        return len(self.found) + self.more

    def refuse_if_any(self) -> None:
        """Raise ImportRefused with every fault in the order of the file."""
        if self.found:
            # Faults of whole columns come first; sorting is stable, so that faults of a line keep their order.
            raise ImportRefused(sorted(self.found, key=lambda fault: fault.line or 0), self.more)


class DryRun(Exception):
    """Raised inside a transaction to roll back what a dry run has tried."""
