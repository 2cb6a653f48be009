"""Which of the public's outages somebody looks at: by time and by phase, as an address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.window import earlier_instant
from outage_notify.services.public_facts import ENDED, GOING_ON, Phase, PublicList, PublicOutage


class When(StrEnum):
    ALL = "all"
    NOW = "now"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    DATE = "date"


_SPANS = {When.DAY: timedelta(hours=24), When.WEEK: timedelta(days=7), When.MONTH: timedelta(days=30)}


@dataclass(frozen=True)
class View:
    """A choice. `day` is set with When.DATE only."""

    when: When = When.ALL
    day: date | None = None
    phase: Phase | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, str]) -> View:
        """From `when`, `date` and `phase` of an address. InvalidInput names what can't be taken."""
        try:
            when = When(arguments.get("when") or When.ALL)
            day = date.fromisoformat(arguments["date"]) if arguments.get("date") else None
            phase = Phase(arguments["phase"]) if arguments.get("phase") else None
        except ValueError:
            raise InvalidInput(
                "This view does not exist.", "Choose one on the page; a date is written 2026-12-31."
            ) from None
        if when is When.DATE and day is None:
            when = When.ALL
        return cls(when, day if when is When.DATE else None, phase)

    @property
    def everything(self) -> bool:
        return self == View()

    def applied(self, listed: PublicList, now: datetime, zone: ZoneInfo) -> PublicList:
        """The outages that overlap the chosen time and stand in the chosen phase, in the same order."""
        kept = tuple(one for one in listed.outages if self._in_phase(one) and self._in_time(one, now, zone))
        return PublicList(listed.as_of, kept)

    def _in_phase(self, one: PublicOutage) -> bool:
        return self.phase is None or one.phase is self.phase

    def _in_time(self, one: PublicOutage, now: datetime, zone: ZoneInfo) -> bool:
        if self.when is When.ALL:
            return True
        if self.when is When.NOW:
            return one.phase in GOING_ON
        if self.day is not None:
            begin, end = day_of(self.day, zone)
        else:
            begin, end = now, now + _SPANS[self.when]
        if one.phase in ENDED and self.when is not When.DATE:
            # What is over is no concern of the coming days, unless it was to lie in them.
            return one.phase is Phase.CANCELLED and one.start < end and one.end > begin
        going_on = one.phase in GOING_ON and begin <= now < end
        return going_on or (one.start < end and one.until > begin)


def day_of(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of a local date, and that of the next one."""
    following = day + timedelta(days=1) if day < date.max else day
    return (
        earlier_instant(datetime.combine(day, time()), zone).astimezone(UTC),
        earlier_instant(datetime.combine(following, time()), zone).astimezone(UTC),
    )
