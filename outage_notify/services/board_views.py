"""The board as a calendar and as a map: the same outages as the list, by day and by place. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.store import board_attention, desk_queries
from outage_notify.store.desk_queries import BoardFilter, Brief

MOST_IN_CALENDAR = 3000
MOST_ON_MAP = 500
PHASES = {
    OutageState.DRAFT: "draft",
    OutageState.SUBMITTED: "submitted",
    OutageState.APPROVED: "planned",
    OutageState.ACTIVE: "active",
    OutageState.COMPLETED: "restored",
    OutageState.CANCELLED: "cancelled",
}


@dataclass(frozen=True)
class Day:
    """One day of the calendar with its outages, by start. `inside`: of the month that is shown."""

    day: date
    inside: bool
    outages: Sequence[Brief]


@dataclass(frozen=True)
class Calendar:
    """Weeks from Monday to Sunday. `red`: ids of outages that need somebody."""

    today: date
    weeks: Sequence[Sequence[Day]]
    red: frozenset[int]
    total: int
    cut: bool  # there are more than are shown


def calendar(rt: Runtime, wanted: BoardFilter, first: date, last: date) -> Calendar:
    """The weeks that hold `first` to `last`; `wanted.span` covers them. Days are those of each outage's zone."""
    monday = first - timedelta(days=first.weekday())
    with rt.database.read() as session:
        now = rt.now(session)
        found = desk_queries.briefs(session, wanted, MOST_IN_CALENDAR + 1)
        red = board_attention.reasons_of(session, [one.id for one in found[:MOST_IN_CALENDAR]], now)
    by_day: dict[date, list[Brief]] = {}
    for one in found[:MOST_IN_CALENDAR]:
        zone = ZoneInfo(one.timezone)
        day = max(one.start.astimezone(zone).date(), monday)
        until = (one.end.astimezone(zone) - timedelta(microseconds=1)).date()
        while day <= until and day <= last + timedelta(days=7):
            by_day.setdefault(day, []).append(one)
            day += timedelta(days=1)
    weeks = []
    while monday <= last:
        days = [monday + timedelta(days=number) for number in range(7)]
        weeks.append([Day(day, first <= day <= last, by_day.get(day, ())) for day in days])
        monday += timedelta(days=7)
    return Calendar(
        now.astimezone(rt.zone).date(), weeks, frozenset(red), len(found), len(found) > MOST_IN_CALENDAR
    )


def board_geojson(rt: Runtime, wanted: BoardFilter) -> dict[str, Any]:
    """Areas of the outages of the board, at most MOST_ON_MAP, with what a popup shows."""
    with rt.database.read() as session:
        now = rt.now(session)
        found = desk_queries.areas(session, wanted, MOST_ON_MAP)
        features = [
            {
                "type": "Feature",
                "id": one.reference,
                "geometry": area,
                "properties": {
                    "reference": one.reference,
                    "phase": _phase(one, now),
                    "area": one.area or one.line or one.reference,
                    "start": one.start.isoformat(),
                    "end": one.end.isoformat(),
                    "timezone": one.timezone,
                    "url": f"/desk/outages/{one.reference}",
                },
            }
            for one, area in found
        ]
    return {"type": "FeatureCollection", "features": features}


def _phase(one: Brief, now: datetime) -> str:
    late = one.state is OutageState.ACTIVE and one.end <= now
    return "overrun" if late else PHASES[one.state]
