"""The public's facts: outages as everybody may see them, and how they are written down and read back.

Promises: nothing in here names a customer, a tier, an address or an element of the network;
numbers of customers are rounded, and small ones are not told; `read(write(listed))` is
`listed`, so that pages can be made from a document while the database is away. Leaves to
others: where the facts come from (`publish_map`), in which formats they go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from channels.plain import one_line

FEWEST_SHOWN = 10
# Numbers are told in steps, so that two views never differ by one household.
STEP = 10


class Phase(StrEnum):
    """Where an outage stands, in the public's words."""

    PLANNED = "planned"
    ACTIVE = "active"
    OVERRUN = "overrun"
    RESTORED = "restored"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What was said at one time of an outage's life."""

    ANNOUNCED = "announced"
    MOVED = "moved"
    CHANGED = "changed"
    STARTED = "started"
    OVERRUN = "overrun"
    RESTORED = "restored"
    CANCELLED = "cancelled"


GOING_ON = frozenset({Phase.ACTIVE, Phase.OVERRUN})
ENDED = frozenset({Phase.RESTORED, Phase.CANCELLED})
ORDER = {phase: rank for rank, phase in enumerate((Phase.OVERRUN, Phase.ACTIVE, Phase.PLANNED))}


@dataclass(frozen=True)
class PublicStep:
    """One thing that was said: when, and for which window."""

    what: Step
    at: datetime
    revision: int
    start: datetime
    end: datetime
    expected_end: datetime | None = None


@dataclass(frozen=True)
class Office:
    """Whom to call: the office of a grid manager, never a person's own number."""

    name: str
    phone: str


@dataclass(frozen=True)
class PublicOutage:
    """One outage as everybody sees it. `customers` None: fewer than FEWEST_SHOWN."""

    reference: str
    kind: str
    phase: Phase
    revision: int
    start: datetime
    end: datetime
    timezone: str
    reason: Mapping[str, str]
    area: str
    line: str
    customers: int | None
    geometry: Mapping[str, Any] | None
    expected_end: datetime | None
    ended_at: datetime | None
    changed_at: datetime
    history: tuple[PublicStep, ...] = field(default=())
    offices: tuple[Office, ...] = field(default=())

    @property
    def name(self) -> str:
        """The area in words, in a line; the reference where there are none."""
        # XML has no place for these two, and no reader a picture.
        return one_line(self.area.translate({0xFFFE: None, 0xFFFF: None})) or self.reference

    @property
    def moved(self) -> bool:
        """Whether the window is not the one that was announced first."""
        first = self.history[0]
        return (first.start, first.end) != (self.start, self.end)

    @property
    def until(self) -> datetime:
        """When supply is back: as it was, as expected, or as planned."""
        if self.phase is Phase.RESTORED and self.ended_at is not None:
            return self.ended_at
        return self.expected_end or self.end


@dataclass(frozen=True)
class PublicList:
    """Everything public at one moment: going on first, then by start, what ended last."""

    as_of: datetime
    outages: tuple[PublicOutage, ...]

    @property
    def customers_without_supply(self) -> int:
        """Customers of what is going on now, small numbers left out."""
        return sum(one.customers or 0 for one in self.outages if one.phase in GOING_ON)

    def find(self, reference: str) -> PublicOutage | None:
        return next((one for one in self.outages if one.reference == reference), None)


def rounded(customers: int) -> int | None:
    """The number as the public is told it: None below FEWEST_SHOWN, else in steps."""
    return None if customers < FEWEST_SHOWN else max(FEWEST_SHOWN, STEP * round(customers / STEP))


def in_order(outages: list[PublicOutage]) -> tuple[PublicOutage, ...]:
    return tuple(sorted(outages, key=lambda one: (ORDER.get(one.phase, 9), one.start, one.reference)))


def slug(name: str) -> str:
    """A name of people's language as a stable part of an address."""
    return sha256(name.encode()).hexdigest()[:12]


def text_of(texts: Mapping[str, str], language: str) -> str:
    """A text in a language, or in another one where only that was written."""
    return texts.get(language) or next(iter(texts.values()), "")


def write(listed: PublicList) -> dict[str, Any]:
    """The JSON history document."""
    return {
        "format": "outage-notify-public",
        "version": 1,
        "as_of": _text(listed.as_of),
        "outages": [written(one) for one in listed.outages],
    }


def read(document: Mapping[str, Any]) -> PublicList:
    """What `write` wrote."""
    return PublicList(
        datetime.fromisoformat(document["as_of"]), tuple(_read(one) for one in document["outages"])
    )


def properties(one: PublicOutage) -> dict[str, Any]:
    """The facts of one outage without area and history, as JSON has them."""
    return {
        "reference": one.reference,
        "kind": one.kind,
        "phase": one.phase.value,
        "moved": one.moved,
        "revision": one.revision,
        "start": _text(one.start),
        "end": _text(one.end),
        "expected_end": _text(one.expected_end),
        "ended_at": _text(one.ended_at),
        "timezone": one.timezone,
        "area": one.area,
        "line": one.line,
        "reason": dict(one.reason),
        "customers": one.customers,
        "customers_below": FEWEST_SHOWN if one.customers is None else None,
        "changed_at": _text(one.changed_at),
    }


def written(one: PublicOutage) -> dict[str, Any]:
    """One outage of that document."""
    history = [
        {
            "what": step.what.value,
            "at": _text(step.at),
            "revision": step.revision,
            "start": _text(step.start),
            "end": _text(step.end),
            "expected_end": _text(step.expected_end),
        }
        for step in one.history
    ]
    offices = [{"name": office.name, "phone": office.phone} for office in one.offices]
    return {**properties(one), "geometry": one.geometry, "history": history, "offices": offices}


def _read(one: Mapping[str, Any]) -> PublicOutage:
    return PublicOutage(
        reference=one["reference"],
        kind=one["kind"],
        phase=Phase(one["phase"]),
        revision=one["revision"],
        start=datetime.fromisoformat(one["start"]),
        end=datetime.fromisoformat(one["end"]),
        timezone=one["timezone"],
        reason=one["reason"],
        area=one["area"],
        line=one["line"],
        customers=one["customers"],
        geometry=one["geometry"],
        expected_end=_instant(one["expected_end"]),
        ended_at=_instant(one["ended_at"]),
        changed_at=datetime.fromisoformat(one["changed_at"]),
        history=tuple(
            PublicStep(
                Step(step["what"]),
                datetime.fromisoformat(step["at"]),
                step["revision"],
                datetime.fromisoformat(step["start"]),
                datetime.fromisoformat(step["end"]),
                _instant(step["expected_end"]),
            )
            for step in one["history"]
        ),
        offices=tuple(Office(office["name"], office["phone"]) for office in one.get("offices", ())),
    )


def _text(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
