"""Whether a wave can end in time, and when it has to begin for that.

A notice is due *by* a moment: the last message has to be out by then, not the first. Counted from the
rows that stand in the outbox and the rates of the settings, hours of the night left out
where the channel must not wake anybody. All arithmetic is in UTC: two times of one zone are
added and compared by the clock on the wall, which is an hour wrong over a change of clocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain import ladder
from outage_notify.domain.deadlines import Lead
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.quiet_hours import QuietHours
from outage_notify.services.notice_spacing import Due, day_ahead_redundant, due_times, steps_told
from outage_notify.services.runtime import Runtime
from outage_notify.services.stand_in import rate_of as rate_of
from outage_notify.services.whom_to_tell import Person, people_in_chunks
from outage_notify.store import outbox_queries
from outage_notify.store.delivery_tables import Notice
from outage_notify.store.outage_tables import Outage
from outage_notify.store.outbox_queries import PLANNED
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
    start_from: datetime  # of the work, so that there is time enough

    @property
    def sentence(self) -> str:
        """The arithmetic in plain words."""
        enough = self.count / max(1.0, self.left.total_seconds())
        return (
            f"{self.count:,} messages by {self.channel.value} at {self.per_second:g} per second take "
            f"{_hours(self.takes)}, the deadline is in {_hours(self.left)}. At least {enough:.2g} per second are "
            f"needed, or a start of the work at {_minute(self.start_from)} or later."
        )


@dataclass(frozen=True)
class WavePlan:
    """One notice by one channel, before anything is approved: how long it takes and when it has to begin."""

    notice: NoticeKind
    channel: Channel
    count: int
    per_second: float
    takes: timedelta
    deadline: datetime
    # The latest moment to begin, with a reserve; the earliest end if it began now.
    begin_by: datetime
    ends_at_best: datetime
    # It would end after a deadline of the law that is still ahead, and the rate at which it would just not.
    late: bool
    needed_per_second: float
    # The start of the work that leaves time enough: the planned one where nothing is late.
    start_from: datetime
    # It would end after the deadline of a step of the utility's own, which makes no plan too late.
    behind: bool = False
    # Which of those steps it is, where it is a notice more; how far ahead that lies.
    step: int = 0
    lead: Lead | None = None

    @property
    def over(self) -> timedelta:
        """How much of the sending would fall behind the deadline."""
        if not (self.late or self.behind):
            return timedelta(0)
        return self.ends_at_best.astimezone(UTC) - self.deadline.astimezone(UTC)

    @property
    def sentence(self) -> str:
        """The arithmetic in plain words."""
        which = f"{self.notice}, own step of {self.lead}" if self.lead else str(self.notice)
        said = (
            f"{which}: {self.count:,} messages by {self.channel.value} at {self.per_second:g} per second "
            f"take {_hours(self.takes)}, due by {_minute(self.deadline)}"
        )
        if self.late:
            return (
                f"{said}; begun now they end {_minute(self.ends_at_best)}, {_hours(self.over)} too late. At least "
                f"{self.needed_per_second:.2g} per second are needed, or a start of the work at "
                f"{_minute(self.start_from)} or later"
            )
        if self.behind:
            return (
                f"{said}; begun now they end {_minute(self.ends_at_best)}, {_hours(self.over)} after the utility's "
                "own step, which keeps nothing from being approved"
            )
        return f"{said}; sending begins by {_minute(self.begin_by)}"

    def as_dict(self) -> dict[str, object]:
        return {
            "notice": self.notice.value,
            "channel": self.channel.value,
            "count": self.count,
            "per_second": self.per_second,
            "takes_seconds": self.takes.total_seconds(),
            "deadline": self.deadline.isoformat(),
            "begin_by": self.begin_by.isoformat(),
            "late": self.late,
            "behind": self.behind,
            "step": self.step or None,
            "start_from": self.start_from.isoformat(),
            "sentence": self.sentence,
        }


@dataclass
class _Counted:
    """One notice to everybody whom it goes to: strictest deadline, that of the law, how many by each channel."""

    deadline: datetime
    lawful: datetime | None
    lead: Lead | None
    channels: Counter[Channel]


def foresee(
    rt: Runtime, persons: Iterable[Person], start: datetime, zone: ZoneInfo, now: datetime
) -> list[WavePlan]:
    """The planned waves that approval of a first revision would set in motion, each by its strictest deadline."""
    due = due_times(rt, now, zone)
    waves: dict[tuple[NoticeKind, int], _Counted] = {}
    for person in persons:
        channels = {one.channel for one in ladder.first(person.ladder, person.contacts)}
        for notice, step, deadline, lawful, lead in _notices(rt, person, due, start, now):
            wave = waves.setdefault((notice, step), _Counted(deadline, lawful, lead, Counter()))
            wave.deadline = min(wave.deadline, deadline)
            if wave.lawful is not None and lawful is not None:
                wave.lawful = min(wave.lawful, lawful)
            wave.channels.update(channels)
    found = []
    for (notice, step), wave in waves.items():
        for channel, count in wave.channels.items():
            if (rate := rate_of(rt, channel)) is None:
                continue
            takes, quiet = wave_time(count, rate), quiet_for(rt, channel)
            begin = latest_begin(wave.deadline, takes * RESERVE, quiet, zone)
            end = earliest_end(now, takes, quiet, zone)
            late = wave.lawful is not None and now < wave.lawful < end
            # Who is too late for the law is told the law's deadline, else that of the utility's own step.
            until = wave.lawful if late and wave.lawful is not None else wave.deadline
            behind = not late and now < until < end
            needed = count / max(1.0, _awake(now, until, quiet, zone).total_seconds())
            enough = start_from(start, end - until, zone) if late else start
            by, begin, end = (one.astimezone(zone) for one in (until, begin, end))
            plan = WavePlan(notice, channel, count, rate, takes, by, begin, end, late, needed, enough)
            found.append(replace(plan, behind=behind, step=step, lead=wave.lead))
    return sorted(found, key=lambda one: (one.deadline, one.notice, one.step, one.channel))


def _notices(
    rt: Runtime, person: Person, due: Due, start: datetime, now: datetime
) -> Iterator[tuple[NoticeKind, int, datetime, datetime | None, Lead | None]]:
    """(kind, step, deadline, the law's, lead of the step) of each notice that a person would get."""
    for kind in PLANNED:
        duty = person.duties.get(kind)
        if kind is NoticeKind.DAY_AHEAD and day_ahead_redundant(rt, person, due):
            continue
        if duty is not None:
            yield kind, 0, duty.deadline, duty.lawful, None
        elif kind is NoticeKind.SEVEN_DAY and not person.duties:
            # Where no rule asks for anything the first notice is sent all the same.
            yield kind, 0, start, start, None
    for one in steps_told(rt, person, due, now):
        yield NoticeKind.AGAIN, one.step.number, one.deadline, None, one.step.lead


def earliest_end(now: datetime, takes: timedelta, quiet: QuietHours | None, zone: ZoneInfo) -> datetime:
    """When something that takes so long of time in which it may go on ends, if it begins now. In UTC."""
    at, left = now.astimezone(UTC), takes
    while left > timedelta(0):
        if quiet is not None and quiet.is_quiet(at, zone):
            # At once: in steps of a short wave a night takes hundreds of thousands.
            at = quiet.quiet_end(at, zone)
            continue
        step = min(_STEP, left)
        at, left = at + step, left - step
    return at


def start_from(start: datetime, over: timedelta, zone: ZoneInfo) -> datetime:
    """The start of the work, on a full ten minutes, that moves a deadline by as much as the sending would be over
    it. A deadline in days moves along with its start; one in business days may stand still over a holiday."""
    moved = start.astimezone(UTC) + over
    past = timedelta(minutes=moved.minute % 10, seconds=moved.second, microseconds=moved.microsecond)
    return (moved + (_STEP - past if past else past)).astimezone(zone)


def _awake(start: datetime, end: datetime, quiet: QuietHours | None, zone: ZoneInfo) -> timedelta:
    """How much of the time between two moments may be used."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if quiet is None:
        return max(timedelta(0), end - start)
    at, found = start, timedelta(0)
    while at < end:
        step = min(_STEP, end - at)
        if not quiet.is_quiet(at, zone):
            found += step
        at += step
    return found


def end_in_time(session: Session, rt: Runtime, outage: Outage, now: datetime) -> list[LateWave]:
    """Let every planned wave of the standing revision begin early enough; returns those that can't end in time.

    In time is what the law allows: a step of the utility's own makes nothing too late. Rows are only ever moved to an
    earlier moment. Called twice it moves nothing more.
    """
    late = []
    zone = ZoneInfo(outage.timezone)
    for notice in outbox_queries.planned_notices(session, outage.id, outage.revision):
        for channel, count in outbox_queries.unsent_by_channel(session, notice.id).items():
            rate = rate_of(rt, channel)
            if rate is None:
                continue
            takes, quiet = wave_time(count, rate), quiet_for(rt, channel)
            begin = latest_begin(notice.deadline, takes * RESERVE, quiet, zone)
            # A deadline that has passed already is the matter of the lead that was checked before.
            if latest_begin(notice.deadline, takes, quiet, zone) < now < notice.deadline:
                by = _lawful(session, rt, outage, notice)
                if by is not None and latest_begin(by, takes, quiet, zone) < now:
                    left, end = max(timedelta(0), by - now), earliest_end(now, takes, quiet, zone)
                    enough = start_from(outage.standing.start, end - by, zone)
                    late.append(LateWave(channel, count, rate, takes, left, by, enough))
            outbox_queries.begin_by(session, notice.id, channel, max(begin, now))
    return late


def _lawful(session: Session, rt: Runtime, outage: Outage, notice: Notice) -> datetime | None:
    """By when the law wants the last message of a notice out; None for one that no law asks for."""
    if notice.kind not in PLANNED:
        return None
    if outage.standing.own_steps_ref is None:
        return notice.deadline
    # A step may have brought it forward: asked only for a wave that is behind, since everybody is looked at.
    chunks = people_in_chunks(session, rt, outage, outage.revision, bare=True)
    duties = (person.duties.get(notice.kind) for chunk in chunks for person in chunk.values())
    return min((duty.lawful for duty in duties if duty is not None), default=notice.deadline)


def latest_begin(deadline: datetime, takes: timedelta, quiet: QuietHours | None, zone: ZoneInfo) -> datetime:
    """The latest moment to begin something that takes so long of time in which it may go on. In UTC."""
    at, left = deadline.astimezone(UTC), takes
    while left > timedelta(0):
        step = min(_STEP, left)
        if quiet is not None and quiet.is_quiet(at - step, zone):
            # Over the whole night at once: in steps of a short wave it would take for ever.
            at = quiet.move_earlier(at - step, zone) + quiet.slack
            continue
        left -= step
        at -= step
    return at


def quiet_for(rt: Runtime, channel: Channel) -> QuietHours | None:
    return None if channel is Channel.EMAIL else rt.policy.quiet_hours


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.1f} h" if hours >= 1 else f"{span.total_seconds() / 60:.0f} min"
