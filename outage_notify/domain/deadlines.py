"""The arithmetic of leads: by when must a notice be given, and how early can an outage start.

- Calendar days: the same local clock time that many dates before the start.
- Business days: the same, counting business days only. A start on a date that is none counts
  as the first instant of the next business day, so that whole business days lie between; this
  also keeps a later start from ever having an earlier deadline.
- Each exclusion flag adds one day (of the lead's unit).
- Hours are elapsed time, whatever the clocks do.

A wall-clock deadline that falls into a gap or a fold takes the earlier instant.
Instants come back in UTC. A notice given exactly at the deadline is in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from outage_notify.domain.calendar import business_day_from, business_days_before, is_business_day
from outage_notify.domain.window import earlier_instant, wall_instants

# No lead known to any law comes near it; a search that long means that the calendar is wrong.
_SEARCH_DAYS = 1_100


class LeadUnit(StrEnum):
    HOUR = "hour"
    CALENDAR_DAY = "calendar_day"
    BUSINESS_DAY = "business_day"


@dataclass(frozen=True)
class Lead:
    """How long before the start, counted from when the notice is sent or received."""

    value: int
    unit: LeadUnit
    count_from: Literal["sent", "received"] = "sent"
    exclude_notice_day: bool = False
    exclude_outage_day: bool = False

    def __post_init__(self) -> None:
        if self.value < 1:
            raise ValueError("a lead is at least 1")
        if self.unit is LeadUnit.HOUR and (self.exclude_notice_day or self.exclude_outage_day):
            raise ValueError("days cannot be excluded from a lead in hours")

    @property
    def days(self) -> int:
        """Dates between notice and start, for a lead in days."""
        return self.value + self.exclude_notice_day + self.exclude_outage_day

    def __str__(self) -> str:
        words = f"{self.value} {self.unit.value.replace('_', ' ')}{'s' if self.value != 1 else ''}"
        if self.exclude_notice_day:
            day = "receipt" if self.count_from == "received" else "notice"
            words += f", the day of {day} not counted"
        if self.exclude_outage_day:
            words += ", the day of the outage not counted"
        return words + (", counted from receipt" if self.count_from == "received" else "")


def deadline(
    lead: Lead, start: datetime, tz: ZoneInfo, holidays: AbstractSet[date] = frozenset()
) -> datetime:
    """The last instant (UTC) at which the notice keeps the lead. `start` is aware."""
    if lead.unit is LeadUnit.HOUR:
        return start.astimezone(UTC) - timedelta(hours=lead.value)
    local = start.astimezone(tz).replace(tzinfo=None)
    day, clock = local.date(), local.time()
    if lead.unit is LeadUnit.CALENDAR_DAY:
        day -= timedelta(days=lead.days)
    else:
        if not is_business_day(day, holidays):
            day, clock = business_day_from(day, holidays), time()
        day = business_days_before(day, lead.days, holidays)
    return earlier_instant(datetime.combine(day, clock), tz)


def kept(
    lead: Lead, now: datetime, start: datetime, tz: ZoneInfo, holidays: AbstractSet[date] = frozenset()
) -> bool:
    """Whether a notice given at `now` keeps the lead."""
    return now.astimezone(UTC) <= deadline(lead, start, tz, holidays)


def same_clock(start: datetime, after: datetime, tz: ZoneInfo) -> Iterator[datetime]:
    """Starts at the local clock time of `start` on each date from that of `after`, in UTC.

    On a date that skips this clock time the start is as much later as the clocks jump.
    """
    clock = start.astimezone(tz).time()
    first = after.astimezone(tz).date()
    for offset in range(_SEARCH_DAYS):
        wall = datetime.combine(first + timedelta(days=offset), clock)
        before, _ = wall_instants(wall, tz)
        yield before


def earliest_start(
    lead: Lead, now: datetime, start: datetime, tz: ZoneInfo, holidays: AbstractSet[date] = frozenset()
) -> datetime:
    """The earliest start (UTC) whose lead a notice given at `now` still keeps.

    For days: the first date at the clock time of `start`. For hours: that exact instant.
    """
    if lead.unit is LeadUnit.HOUR:
        return now.astimezone(UTC) + timedelta(hours=lead.value)
    for candidate in same_clock(start, now, tz):
        if kept(lead, now, candidate, tz, holidays):
            return candidate
    raise ValueError(f"no start keeps a lead of {lead} within {_SEARCH_DAYS} days: the holidays are wrong")
