"""Whether a wave can end in time, and when it has to begin for that.

A notice is due *by* a moment: the last message has to be out by then, not the first. Counted from the
rows that stand in the outbox and the rates of the settings, hours of the night left out
where the channel must not wake anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.quiet_hours import QuietHours
from outage_notify.services.runtime import Runtime
from outage_notify.services.stand_in import rate_of as rate_of
from outage_notify.store import outbox_queries
from outage_notify.store.delivery_tables import Notice
from outage_notify.store.outage_tables import Outage
from outage_notify.store.pacing import wave_time

# A provider that is slow for a while, messages that are tried again: nothing runs at its rate all the time.
RESERVE = 1.25
_STEP = timedelta(minutes=10)


@dataclass(frozen=True)
class LateWave:
    """A wave whose last message would go out after its deadline even if the first went out now."""

    channel: Channel
    count: int
    per_second: float
    takes: timedelta
    left: timedelta
    deadline: datetime

    @property
    def sentence(self) -> str:
        """The arithmetic in plain words."""
        enough = self.count / max(1.0, self.left.total_seconds())
        return (
            f"{self.count:,} messages by {self.channel.value} at {self.per_second:g} per second take "
            f"{_hours(self.takes)}, the deadline is in {_hours(self.left)}. At least {enough:.2g} per second are "
            "needed, or a later start of the work."
        )


def end_in_time(session: Session, rt: Runtime, outage: Outage, now: datetime) -> list[LateWave]:
    """Let every planned wave of the standing revision begin early enough; returns those that can't end in time.

    Rows are only ever moved to an earlier moment. Called twice it moves nothing more.
    """
    late = []
    zone = ZoneInfo(outage.timezone)
    for notice in outbox_queries.planned_notices(session, outage.id, outage.revision):
        for channel, count in outbox_queries.unsent_by_channel(session, notice.id).items():
            rate = rate_of(rt, channel)
            if rate is None:
                continue
            takes = wave_time(count, rate)
            begin = latest_begin(notice.deadline, takes * RESERVE, quiet_for(rt, channel), zone)
            # A deadline that has passed already is the matter of the lead that was checked before.
            at_best = latest_begin(notice.deadline, takes, quiet_for(rt, channel), zone)
            if at_best < now < notice.deadline:
                late.append(_late(channel, count, rate, takes, notice, now))
            outbox_queries.begin_by(session, notice.id, channel, max(begin, now))
    return late


def latest_begin(deadline: datetime, takes: timedelta, quiet: QuietHours | None, zone: ZoneInfo) -> datetime:
    """The latest moment to begin something that takes so long of time in which it may go on."""
    at, left = deadline, takes
    while left > timedelta(0):
        step = min(_STEP, left)
        if quiet is None or not quiet.is_quiet(at - step, zone):
            left -= step
        at -= step
    return at


def _late(
    channel: Channel, count: int, rate: float, takes: timedelta, notice: Notice, now: datetime
) -> LateWave:
    return LateWave(channel, count, rate, takes, max(timedelta(0), notice.deadline - now), notice.deadline)


def quiet_for(rt: Runtime, channel: Channel) -> QuietHours | None:
    return None if channel is Channel.EMAIL else rt.policy.quiet_hours


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.1f} h" if hours >= 1 else f"{span.total_seconds() / 60:.0f} min"
