"""The utility's own stricter steps: entered by an administrator, in force for what is approved from then on.

Promises: each change is a whole new set with who, when and why; a revision keeps the set that was in force when it
was approved, for good. Leaves to `domain.own_steps` what a step may be and that it never weakens the law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from outage_notify.domain import own_steps
from outage_notify.domain.deadlines import Lead, LeadUnit
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound
from outage_notify.domain.outage import OutageKind
from outage_notify.domain.own_steps import OwnStep
from outage_notify.domain.rules import CustomerClass
from outage_notify.services.given_reason import given_reason
from outage_notify.services.runtime import Runtime
from outage_notify.store import own_step_queries, user_lookup
from outage_notify.store.outage_tables import OutageRevision
from outage_notify.store.own_step_tables import OwnStepSet
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

Steps = tuple[OwnStep, ...]


def in_force(session: Session) -> Steps:
    """Those that a plan approved now would get."""
    found = own_step_queries.newest(session)
    return _read(found.steps) if found is not None else ()


def of_revision(session: Session, revision: OutageRevision) -> Steps:
    """Those of an approved revision, frozen then; of one that is not approved yet those in force."""
    if revision.approved_at is None:
        return in_force(session)
    if revision.own_steps_ref is None:
        return ()
    return _read(session.get_one(OwnStepSet, revision.own_steps_ref).steps)


def numbers(session: Session, revision: OutageRevision) -> list[int]:
    """The numbers of a revision's steps, which are the serials of their notices."""
    return [one.number for one in of_revision(session, revision)]


def judged_from(session: Session, rt: Runtime, revision: OutageRevision) -> datetime:
    """The moment from which steps count for a revision: its approval, before that now."""
    return revision.approved_at or rt.now(session)


def view(rt: Runtime) -> tuple[int, Steps, list[OwnStepSet]]:
    """(number of the set in force, its steps, the sets from the newest on)."""
    with rt.database.read() as session:
        sets = own_step_queries.sets(session)
        session.expunge_all()
        return (sets[0].id, _read(sets[0].steps), sets) if sets else (0, (), [])


def add(
    rt: Runtime, by: str, seen: int, applies_to: str, work: Sequence[str], values: str, unit: str, reason: str
) -> None:
    """Add a step for each of the numbers in `values` ("12, 9, 5"). `seen`: the set that was on the page.

    InvalidInput for what can't be meant or the law asks for already; Conflict if somebody was faster.
    """
    try:
        group, kinds, one = (
            CustomerClass(applies_to),
            sorted({OutageKind(kind) for kind in work}),
            LeadUnit(unit),
        )
    except ValueError as error:
        raise InvalidInput(f"{error}.", "Choose one of the list.") from None
    numbers = values.replace(",", " ").replace("，", " ").replace("/", " ").replace("、", " ").split()
    if not numbers:
        raise InvalidInput("No step is given.", "Write how far ahead, such as 12, 9, 5.")
    lines = []
    for number in numbers:
        if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) < 10_000 and len(number) < 6):
            raise InvalidInput(f"{number[:20]!r} is no number of days or hours.", "Write them as 12, 9, 5.")
        lines.append({"applies_to": group, "work": kinds, "value": int(number), "unit": one})
    _change(rt, by, seen, reason, lambda before: [*before, *lines])


def remove(rt: Runtime, by: str, seen: int, number: int, reason: str) -> None:
    """Take one step out of the set that was on the page. NotFound if it is not in it."""

    def without(before: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not 1 <= number <= len(before):
            raise NotFound("There is no such step.", "Look at the list again.")
        return [line for position, line in enumerate(before, 1) if position != number]

    _change(rt, by, seen, reason, without)


def _change(rt: Runtime, by: str, seen: int, reason: str, change: Any) -> None:
    why = given_reason(reason, "Say why the steps are changed.")
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        standing = own_step_queries.newest(session)
        if (standing.id if standing else 0) != seen:
            raise _overtaken()
        before = list(standing.steps) if standing else []
        after = change(before)
        own_steps.check(rt.policy.rules, _read(after))
        made = OwnStepSet(follows=seen, steps=after, reason=why, made_at=now, made_by=by)
        session.add(made)
        try:
            session.flush()
        except IntegrityError:
            raise _overtaken() from None
        record(session, now, by, "own_steps_changed", number=made.id, before=before, after=after)


def _overtaken() -> Conflict:
    return Conflict("Somebody changed the steps in the meantime.", "Look at them and decide again.")


def _read(lines: Sequence[Mapping[str, Any]]) -> Steps:
    return tuple(
        OwnStep(
            position,
            CustomerClass(line["applies_to"]),
            frozenset(OutageKind(kind) for kind in line["work"]),
            Lead(int(line["value"]), LeadUnit(line["unit"])),
        )
        for position, line in enumerate(lines, 1)
    )
