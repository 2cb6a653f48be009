"""Who is told what, by when, and by which law: one jurisdiction's rules, and the questions put to them.

Pure: `now`, the zone and the holidays are arguments, the data come from `outage_notify.policies`.
Instants come back in UTC, except `earliest_lawful_start` and `LeadFault.earliest_start`, which
are local because a person reads them.

A first notice is SEVEN_DAY and a second DAY_AHEAD, whatever the lead of the law at hand: the
names are those of the notices, the lead is the rule's. A law that asks for 24 hours alone has
DAY_AHEAD as its only notice, so that nobody gets two texts at the same hour.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from channels.model import Channel
from outage_notify.domain import deadlines
from outage_notify.domain.audience import Impact, Tier
from outage_notify.domain.checks import Limits
from outage_notify.domain.deadlines import Lead, LeadUnit
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.ladder import Escalation, Ladder, Step
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.quiet_hours import NO_QUIET_HOURS, QuietHours
from outage_notify.domain.rules import (
    CustomerClass,
    Duty,
    ExceptionClause,
    LeadFault,
    Reach,
    Rule,
    classes_of,
)

__all__ = [
    "CustomerClass",
    "Duty",
    "ExceptionClause",
    "Lead",
    "LeadFault",
    "LeadUnit",
    "Policy",
    "Reach",
    "Rule",
    "classes_of",
]


@dataclass(frozen=True)
class Policy:
    """The rules of one jurisdiction. Built by `policies.load_policy`; its fields are the keys of the file."""

    id: str
    names: Mapping[str, str]
    country: str
    rules: tuple[Rule, ...]
    impacts: Mapping[Impact, Reach]
    immediate: Mapping[NoticeKind, Reach]
    margins: Mapping[NoticeKind, timedelta]
    ladders: tuple[tuple[CustomerClass, Ladder], ...]
    subdivision: str | None = None
    quiet_hours: QuietHours = NO_QUIET_HOURS
    escalation: Escalation = field(default_factory=Escalation)
    exception: ExceptionClause = field(default_factory=ExceptionClause)
    written_by: frozenset[Channel] = frozenset({Channel.LETTER})
    letter_margin: timedelta = timedelta(hours=24)
    wave_margin: timedelta = timedelta(hours=1)
    late_change: timedelta = timedelta(hours=48)
    spacing: timedelta = timedelta(hours=12)
    token_life: timedelta = timedelta(days=45)
    limits: Limits = field(default_factory=Limits)

    @property
    def exception_permitted(self) -> bool:
        return self.exception.permitted

    @property
    def exception_article(self) -> str:
        return self.exception.article

    # Who

    def told(self, impact: Impact, key: bool) -> bool:
        """Whether a customer with this (gravest) impact is told at all."""
        return self.impacts[impact].includes(key)

    def told_of(self, notice: NoticeKind, key: bool) -> bool:
        """Whether one of the told ones also gets this notice; all announcements and changes go to all."""
        return self.immediate.get(notice, Reach.ALL).includes(key)

    def ladder_for(self, tier: Tier, life_support: bool = False, vulnerable: bool = False) -> Ladder:
        """The first ladder of the policy for a class that the customer is in; the last is for all."""
        mine = classes_of(tier, life_support, vulnerable)
        return next(ladder for applies_to, ladder in self.ladders if applies_to in mine)

    # By when

    def rules_for(self, kind: OutageKind, classes: Iterable[str]) -> tuple[Rule, ...]:
        """The rules for work of this kind and customers of these classes; ALL goes without saying."""
        mine = {CustomerClass.ALL, *(CustomerClass(one) for one in classes)}
        return tuple(rule for rule in self.rules if kind in rule.work and rule.applies_to in mine)

    def duties(
        self,
        kind: OutageKind,
        start: datetime,
        tz: ZoneInfo,
        *,
        tier: Tier,
        life_support: bool = False,
        vulnerable: bool = False,
        holidays: AbstractSet[date] = frozenset(),
    ) -> tuple[Duty, ...]:
        """What one customer is owed: at most one Duty per kind of notice, in order of deadline."""
        rules = self.rules_for(kind, classes_of(tier, life_support, vulnerable))
        found = []
        for notice in (NoticeKind.SEVEN_DAY, NoticeKind.DAY_AHEAD):
            same = tuple(rule for rule in rules if rule.notice is notice)
            if same:
                found.append(self._strictest(same, start, tz, holidays))
        return tuple(sorted(found, key=lambda duty: duty.deadline))

    def check_lead(
        self,
        kind: OutageKind,
        now: datetime,
        start: datetime,
        tz: ZoneInfo,
        classes: Collection[str],
        holidays: AbstractSet[date] = frozenset(),
    ) -> list[LeadFault]:
        """The duties towards these classes that a notice given at `now` cannot keep any more.

        Empty: in time. The gravest fault (latest earliest start) comes first. Good practice is no fault.
        """
        faults = []
        for rule in self.rules_for(kind, classes):
            if rule.duty and not deadlines.kept(rule.lead, now, start, tz, holidays):
                by = deadlines.deadline(rule.lead, start, tz, holidays)
                earliest = deadlines.earliest_start(rule.lead, now, start, tz, holidays)
                faults.append(LeadFault(rule, by, earliest.astimezone(tz)))
        return sorted(faults, key=lambda fault: fault.earliest_start.astimezone(UTC), reverse=True)

    def earliest_lawful_start(
        self,
        kind: OutageKind,
        now: datetime,
        start: datetime,
        tz: ZoneInfo,
        classes: Collection[str],
        holidays: AbstractSet[date] = frozenset(),
    ) -> tuple[datetime, Rule | None]:
        """The first start (local) for which every duty could still be met now, and the rule that decides.

        At the clock time of `start` on the first such date; the exact instant where a lead in hours
        decides. `now` and None where no law asks for notice.
        """
        leads = [rule for rule in self.rules_for(kind, classes) if rule.duty]
        if not leads:
            return now.astimezone(tz), None
        decided = [(deadlines.earliest_start(one.lead, now, start, tz, holidays), one) for one in leads]
        found, rule = max(decided, key=lambda one: (one[0], one[1].rank))
        if self.check_lead(kind, now, found, tz, classes, holidays):
            # Leads in hours and in days can disagree for the hour by which the clocks are changed.
            later = (one for one in deadlines.same_clock(start, found, tz) if one > found)
            found = next(one for one in later if not self.check_lead(kind, now, one, tz, classes, holidays))
        return found.astimezone(tz), rule

    # When

    def due_at(
        self,
        notice: NoticeKind,
        deadline: datetime,
        now: datetime,
        tz: ZoneInfo,
        channel: Channel | None = None,
    ) -> datetime:
        """When a planned notice is sent: the margin before its deadline, moved earlier out of quiet hours.

        If that is past already: now; or at the end of the quiet hours if it is night and enough time
        is left then. A letter wakes nobody and is due `letter_margin` earlier.
        """
        now, deadline = now.astimezone(UTC), deadline.astimezone(UTC)
        due = deadline - self.margins.get(notice, timedelta(0))
        if channel is Channel.LETTER:
            return max(due - self.letter_margin, now)
        due = self.quiet_hours.move_earlier(due, tz)
        if due >= now:
            return due
        return self._awake(now, tz, deadline)

    def redundant(self, first_due: datetime, second_due: datetime) -> bool:
        """Whether a second notice would follow so closely on the first that one message does for both."""
        return second_due.astimezone(UTC) - first_due.astimezone(UTC) < self.spacing

    def immediate_due(self, channel: Channel, key: bool, now: datetime, tz: ZoneInfo) -> datetime:
        """When news of the hour is sent: at once; a call waits for the morning unless the customer is key."""
        if channel is Channel.VOICE and not key:
            return self.quiet_hours.quiet_end(now, tz)
        return now.astimezone(UTC)

    def change_is_late(self, now: datetime, old_start: datetime, new_start: datetime | None = None) -> bool:
        """Whether the old start or the new one (None: cancelled) is too near to wait for the morning."""
        starts = [one.astimezone(UTC) for one in (old_start, new_start) if one is not None]
        return min(starts) - now.astimezone(UTC) <= self.late_change

    def change_due(
        self,
        channel: Channel,
        key: bool,
        now: datetime,
        tz: ZoneInfo,
        *,
        old_start: datetime,
        new_start: datetime | None = None,
        deadline: datetime | None = None,
    ) -> datetime:
        """When CHANGED or CANCELLED is sent: a late one like news of the hour, another outside quiet hours.

        `deadline`: that of the first notice for the new start, if there is one; it is not slept through.
        """
        if self.change_is_late(now, old_start, new_start):
            return self.immediate_due(channel, key, now, tz)
        if channel is Channel.LETTER:
            return now.astimezone(UTC)
        return self._awake(now.astimezone(UTC), tz, deadline)

    def step_due(self, requested_at: datetime, start: datetime, step: int | Step, tz: ZoneInfo) -> datetime:
        """When a step of the escalation is due: outside quiet hours where the start allows it, never before
        the step ahead of it."""
        steps = self.escalation.steps
        last = step if isinstance(step, int) else steps.index(step)
        asked = previous = requested_at.astimezone(UTC)
        for one in steps[: last + 1]:
            due = self.escalation.step_due(asked, start, one)
            moved = self.quiet_hours.move_earlier(due, tz)
            # Moved before the step ahead of it, it would take away the time to answer that one.
            previous = moved if moved > previous else max(previous, self._awake(due, tz, start))
        return previous

    # Inside

    def _awake(self, instant: datetime, tz: ZoneInfo, deadline: datetime | None) -> datetime:
        """`instant`, or the end of the quiet hours around it if that leaves time for the wave to go out."""
        morning = self.quiet_hours.quiet_end(instant, tz)
        if deadline is None or morning <= deadline.astimezone(UTC) - self.wave_margin:
            return morning
        return instant

    def _strictest(
        self, rules: tuple[Rule, ...], start: datetime, tz: ZoneInfo, holidays: AbstractSet[date]
    ) -> Duty:
        """Several rules about one notice as one duty. Good practice counts only where nothing is owed."""
        owed = tuple(rule for rule in rules if rule.duty) or rules
        by = {rule.id: deadlines.deadline(rule.lead, start, tz, holidays) for rule in owed}
        soonest = min(by.values())
        cited = max((rule for rule in owed if by[rule.id] == soonest), key=lambda rule: rule.rank)
        received = any(rule.met_by is DeliveryState.DELIVERED for rule in owed)
        written = any(rule.written for rule in owed)
        return Duty(
            notice=cited.notice,
            deadline=by[cited.id],
            met_by=DeliveryState.DELIVERED if received else DeliveryState.ACCEPTED,
            written=written,
            acknowledgement=any(rule.acknowledgement is not None for rule in owed),
            rule=cited,
            duty=cited.duty,
            rules=owed,
            written_by=self.written_by if written else frozenset(),
            channels_all=frozenset(one for rule in owed for one in rule.channels_all),
        )
