"""The window half of the planner's screen: by when the law wants whom told, when sending has to begin, what is near.

Reads only. How long a wave takes is an estimate from addresses and rates; approval counts the rows themselves
(`time_waves`). Leaves what clashes to `check_plan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.audience import Tier
from outage_notify.domain.calendar import DaysOff
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.own_steps import due_steps
from outage_notify.domain.policy import Rule, classes_of
from outage_notify.domain.quiet_hours import QuietHours
from outage_notify.services import calendar_days, own_steps, time_waves
from outage_notify.services.calendar_days import NamedDay
from outage_notify.services.crowd import Crowd
from outage_notify.services.runtime import Runtime
from outage_notify.store import check_queries, planner_queries
from outage_notify.store.pacing import wave_time

# Protected dates this near to the window are named, though they don't stand in the way.
NEAR = timedelta(days=14)


@dataclass(frozen=True)
class LawDeadline:
    """By when which law or house rule wants whom told. `past`: it can't be kept any more.

    `begin`: the latest moment to begin sending, so that the last message is out by then.
    """

    notice: NoticeKind
    deadline: datetime
    rule: Rule
    past: bool
    begin: datetime | None = None
    begin_past: bool = False


@dataclass(frozen=True)
class Wave:
    """About how many first messages go out by a channel, and how long that takes."""

    channel: Channel
    count: int
    takes: timedelta


@dataclass(frozen=True)
class WindowFacts:
    deadlines: tuple[LawDeadline, ...]
    waves: tuple[Wave, ...]
    earliest: datetime | None  # the first lawful start (local); None where no law asks for notice
    holidays: tuple[NamedDay, ...]  # days off from today to the end of the window, and made-up workdays
    on_holiday: bool
    protected: tuple[tuple[str, date, date], ...]
    quiet: QuietHours
    starts_in_quiet: bool


def window_facts(
    session: Session,
    rt: Runtime,
    kind: OutageKind,
    start: datetime,
    end: datetime,
    crowd: Crowd | None,
    now: datetime,
) -> WindowFacts:
    """`crowd` None: nothing is picked yet, so every class of customer is asked for."""
    zone, holidays = rt.zone, rt.holidays(session, start)
    classes = crowd.classes(rt.policy) if crowd is not None else {(tier, False) for tier in Tier}
    waves = _waves(session, rt, crowd.told(rt.policy) if crowd is not None else ())
    deadlines = _deadlines(rt, kind, start, classes, now, waves, holidays)
    own = _own(session, rt, kind, start, classes, now, waves, holidays)
    earliest = None
    if any(one.rule.duty for one in deadlines):
        mine = frozenset().union(*(classes_of(tier, life) for tier, life in classes))
        earliest, _ = rt.policy.earliest_lawful_start(kind, now, start, zone, mine, holidays)
    first, last = start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()
    near = check_queries.protected_days(session, first - NEAR, last + NEAR)
    return WindowFacts(
        tuple(sorted((*deadlines, *own), key=lambda one: (one.deadline, one.rule.id))),
        waves,
        earliest,
        calendar_days.between(session, rt, now.astimezone(zone).date(), last),
        any(first <= day <= last for day in holidays),
        tuple((one.name, one.first, one.last) for one in near),
        rt.policy.quiet_hours,
        rt.policy.quiet_hours.is_quiet(start, zone),
    )


def too_many(
    session: Session,
    rt: Runtime,
    kind: OutageKind,
    start: datetime,
    crowd: Crowd,
    now: datetime,
    waves: Sequence[Wave] | None = None,
) -> int:
    """About how many first messages can't all be out by a deadline that is still ahead; 0 if they can.

    `waves` as `window_facts` has counted them already.
    """
    if waves is None:
        waves = _waves(session, rt, crowd.told(rt.policy))
    calendar = rt.holidays(session, start)
    found = _deadlines(rt, kind, start, crowd.classes(rt.policy), now, waves, calendar, reserve=1.0)
    late = any(one.rule.duty and one.begin_past and not one.past for one in found)
    return sum(one.count for one in waves) if late else 0


def _deadlines(
    rt: Runtime,
    kind: OutageKind,
    start: datetime,
    classes: Iterable[tuple[Tier, bool]],
    now: datetime,
    waves: Sequence[Wave],
    holidays: DaysOff,
    reserve: float = time_waves.RESERVE,
) -> tuple[LawDeadline, ...]:
    rules: dict[str, LawDeadline] = {}
    for tier, life_support in classes:
        for duty in rt.policy.duties(
            kind, start, rt.zone, tier=tier, life_support=life_support, holidays=holidays
        ):
            past = duty.duty and duty.deadline < now
            begin = _begin(rt, duty.deadline, waves, reserve)
            late = begin is not None and begin < now
            rules[duty.rule.id] = LawDeadline(duty.notice, duty.deadline, duty.rule, past, begin, late)
    return tuple(sorted(rules.values(), key=lambda one: (one.deadline, one.rule.id)))


def _own(
    session: Session,
    rt: Runtime,
    kind: OutageKind,
    start: datetime,
    classes: Iterable[tuple[Tier, bool]],
    now: datetime,
    waves: Sequence[Wave],
    holidays: DaysOff,
) -> list[LawDeadline]:
    """The utility's own steps that lie ahead, each once; no plan is too late for them."""
    steps = own_steps.in_force(session)
    found: dict[int, LawDeadline] = {}
    for tier, life_support in classes:
        for one in due_steps(steps, kind, classes_of(tier, life_support), start, rt.zone, holidays):
            begin = _begin(rt, one.deadline, waves, time_waves.RESERVE)
            rule = one.step.rule
            found[one.step.number] = LawDeadline(
                rule.notice, one.deadline, rule, one.deadline < now, begin, begin is not None and begin < now
            )
    return list(found.values())


def _begin(rt: Runtime, deadline: datetime, waves: Sequence[Wave], reserve: float) -> datetime | None:
    """The earliest of the latest begins of all channels; None where nobody is to be told."""
    begins = [
        time_waves.latest_begin(deadline, one.takes * reserve, time_waves.quiet_for(rt, one.channel), rt.zone)
        for one in waves
    ]
    return min(begins, default=None)


def _waves(session: Session, rt: Runtime, customers: Sequence[int]) -> tuple[Wave, ...]:
    """The first rung of each class's ladder: one message per customer who has an address there."""
    counts: dict[Channel, int] = {}
    for one in planner_queries.reach(session, customers):
        ladder = rt.policy.ladder_for(one.tier, one.life_support, one.vulnerable)
        rung = next((rung for rung in ladder.rungs if not rung.required), None)
        if rung is not None and one.channel in rung.channels:
            counts[one.channel] = counts.get(one.channel, 0) + one.customers
    found = []
    for channel, count in sorted(counts.items()):
        rate = time_waves.rate_of(rt, channel)
        if rate is not None:
            found.append(Wave(channel, count, wave_time(count, rate)))
    return tuple(found)
