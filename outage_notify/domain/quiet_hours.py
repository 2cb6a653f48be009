"""Quiet hours: when people sleep, and how a notice makes way for it.

A planned notice moves earlier, to `slack` before the quiet hours begin, never later: later
would eat into the lead that the law gives. Hours are local wall clock, may span midnight,
begin inclusive, end exclusive; equal begin and end mean that there are none.
Instants come back in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from outage_notify.domain.window import earlier_instant, wall_instants

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class QuietHours:
    begin: time
    end: time
    slack: timedelta = timedelta(hours=1)

    def __post_init__(self) -> None:
        if not self.none and self.slack <= timedelta(0):
            raise ValueError("slack must be more than nothing: quiet hours include their first minute")
        # A day of changing clocks is up to an hour shorter; slack must not reach into the night before.
        if not self.none and self.slack + timedelta(hours=1) >= self._waking():
            raise ValueError("slack must be at least an hour shorter than the hours that are not quiet")

    @property
    def none(self) -> bool:
        return self.begin == self.end

    def is_quiet(self, instant: datetime, tz: ZoneInfo) -> bool:
        clock = instant.astimezone(tz).time()
        if self.begin <= self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end

    def quiet_end(self, instant: datetime, tz: ZoneInfo) -> datetime:
        """When the quiet hours around `instant` end; `instant` itself if it is not quiet."""
        instant = instant.astimezone(UTC)
        if not self.is_quiet(instant, tz):
            return instant
        local = instant.astimezone(tz)
        over_midnight = self.begin > self.end and local.time() >= self.begin
        day = local.date() + _DAY if over_midnight else local.date()
        # When the clocks change just then, only a reading that lies ahead and is not quiet will do.
        readings = sorted(wall_instants(datetime.combine(day, self.end), tz))
        return next(one for one in readings if one > instant and not self.is_quiet(one, tz))

    def move_earlier(self, due: datetime, tz: ZoneInfo) -> datetime:
        """`due`, or if that is quiet, `slack` before the quiet hours around it begin."""
        due = due.astimezone(UTC)
        if not self.is_quiet(due, tz):
            return due
        local = due.astimezone(tz)
        after_midnight = self.begin > self.end and local.time() < self.end
        day = local.date() - _DAY if after_midnight else local.date()
        return earlier_instant(datetime.combine(day, self.begin), tz) - self.slack

    def _waking(self) -> timedelta:
        begin, end = (timedelta(hours=one.hour, minutes=one.minute) for one in (self.begin, self.end))
        return (begin - end) % _DAY


NO_QUIET_HOURS = QuietHours(time(), time(), timedelta(0))
