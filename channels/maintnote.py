"""MAINTNOTE: the calendar properties by which operators of telecom and data centres read maintenance by machine.

A convention of network operators (X-MAINTNOTE-*): who maintains, for which account, what, how hard it
is hit and where it stands. Promises: the properties agree with the event that they stand in. Leaves to others: who gets
them (`services.publish_calendar`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from channels.plain import one_line

_IMPACTS = {
    "OUTAGE": "OUTAGE",
    "REDUCED_REDUNDANCY": "REDUCED-REDUNDANCY",
    # A transfer is felt as a short break, which the convention calls degraded.
    "MOMENTARY": "DEGRADED",
    "NONE": "NO-IMPACT",
}
STATUSES = frozenset({"TENTATIVE", "CONFIRMED", "CANCELLED", "IN-PROCESS", "COMPLETED"})


@dataclass(frozen=True)
class Maintnote:
    """`objects`: (service point as the utility knows it, impact as in PlaceLine) of each feed that is hit."""

    provider: str
    account: str
    maintenance: str
    objects: tuple[tuple[str, str], ...]
    status: str
    planned: bool = True

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"no such status of a maintenance: {self.status!r}")


def properties(note: Maintnote, impact: str) -> Iterable[tuple[str, str, dict[str, str]]]:
    """(name, value, parameters) in order; `impact` is that of the whole event."""
    yield "X-MAINTNOTE-PROVIDER", one_line(note.provider), {}
    yield "X-MAINTNOTE-ACCOUNT", one_line(note.account), {}
    yield "X-MAINTNOTE-MAINTENANCE-ID", one_line(note.maintenance), {}
    for name, felt in note.objects:
        yield "X-MAINTNOTE-OBJECT-ID", one_line(name), {"X-MAINTNOTE-OBJECT-IMPACT": _IMPACTS[felt]}
    yield "X-MAINTNOTE-IMPACT", _IMPACTS[impact], {}
    yield "X-MAINTNOTE-STATUS", note.status, {}
    yield "X-MAINTNOTE-PRECEDENCE", "PLANNED" if note.planned else "EMERGENCY", {}
