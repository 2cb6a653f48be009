"""A utility's own stricter steps, such as 12, 9, 5 and 1 days ahead, laid over the law.

Promises: a step can only add. The earliest one brings the first notice forward, never back; every other one is a notice
more; what the law asks for (deadlines, writing, receipt, signatures, whether a plan is too late) stays what it is,
with every step and without. A step that the law asks for already is refused with its article. Leaves to others:
where steps are kept and for which plans they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from outage_notify.domain import deadlines
from outage_notify.domain.deadlines import Lead, LeadUnit
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.rules import CustomerClass, Duty, Rule

MOST_STEPS = 12
# How far ahead the longest step may lie, by unit.
LONGEST = {LeadUnit.HOUR: 24 * 60, LeadUnit.CALENDAR_DAY: 60, LeadUnit.BUSINESS_DAY: 40}


@dataclass(frozen=True)
class OwnStep:
    """One notice of the utility's own to one class of customers, before work of these kinds.

    `number` tells the steps of one set apart; it stays with its step as long as the set does.
    """

    number: int
    applies_to: CustomerClass
    work: frozenset[OutageKind]
    lead: Lead

    @property
    def rule(self) -> Rule:
        """The step as pages show rules."""
        return Rule(
            f"own.{self.number}",
            self.applies_to,
            self.work,
            NoticeKind.AGAIN,
            self.lead,
            "own step",
            duty=False,
        )


@dataclass(frozen=True)
class StepDue:
    """A step for one customer and one start."""

    step: OwnStep
    deadline: datetime


def due_steps(
    steps: Iterable[OwnStep],
    kind: OutageKind,
    classes: AbstractSet[CustomerClass],
    start: datetime,
    tz: ZoneInfo,
    holidays: AbstractSet[date] = frozenset(),
) -> tuple[StepDue, ...]:
    """The steps for a customer of these classes, the earliest first; two at one moment are one."""
    found: dict[datetime, StepDue] = {}
    for step in steps:
        if kind in step.work and step.applies_to in classes:
            at = deadlines.deadline(step.lead, start, tz, holidays)
            found.setdefault(at, StepDue(step, at))
    return tuple(found[at] for at in sorted(found))


def brought_forward(
    duties: Sequence[Duty], steps: Sequence[StepDue], now: datetime | None = None
) -> tuple[tuple[Duty, ...], tuple[StepDue, ...]]:
    """The duties with the first notice brought forward to the earliest step, and the steps that are notices more.

    A step that lies before `now` (the approval) can't bring anything forward any more: the law's deadline stands.
    """
    ahead = [one for one in steps if now is None or one.deadline > now]
    first = next((one for one in duties if one.notice is NoticeKind.SEVEN_DAY), None)
    if first is None or not ahead or ahead[0].deadline >= first.deadline:
        return tuple(duties), tuple(ahead)
    by_step = replace(first, deadline=ahead[0].deadline, by_law=first.lawful)
    earlier = tuple(by_step if one is first else one for one in duties)
    return tuple(sorted(earlier, key=lambda one: one.deadline)), tuple(ahead[1:])


def check(rules: Iterable[Rule], steps: Sequence[OwnStep]) -> None:
    """InvalidInput for a set of steps that can't be meant: too many, too far, doubled, or the law's own."""
    if len(steps) > MOST_STEPS:
        raise InvalidInput(f"That makes {len(steps)} steps.", f"At most {MOST_STEPS} may be in force.")
    law = list(rules)
    seen: set[tuple[CustomerClass, OutageKind, Lead]] = set()
    for step in steps:
        lead = step.lead
        if lead.value > LONGEST[lead.unit]:
            raise InvalidInput(f"{lead} is too far ahead.", f"At most {LONGEST[lead.unit]} of that unit.")
        if not step.work:
            raise InvalidInput("The step is for no kind of work.", "Tick one at least.")
        for kind in sorted(step.work):
            key = (step.applies_to, kind, lead)
            if key in seen:
                raise InvalidInput(f"{lead} stands there twice for the same work.", "Once is enough.")
            seen.add(key)
            same = next(
                (
                    rule
                    for rule in law
                    if kind in rule.work
                    and rule.applies_to in {step.applies_to, CustomerClass.ALL}
                    and (rule.lead.unit, rule.lead.days) == (lead.unit, lead.days)
                ),
                None,
            )
            if same is not None:
                raise InvalidInput(
                    f"{lead} before {kind.value} work is what {same.article} asks for already.",
                    "Enter steps beyond it.",
                )
