"""Grid managers as an administrator edits them: added, renamed, given a deputy, away, ended.

Promises: a customers' file that still has an earlier name or number means the same person, and one that names
somebody who has left means the successor, so that no import undoes what was entered here; who has left
stays in the history. Each change is checked against the version that was on the page: the second of two
is told. Leaves to `manager_areas` which part of the network is whose, to `publish_office` what the public is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from channels.phone_numbers import PhoneNumberError, normalise
from channels.plain import one_line
from outage_notify.domain.errors import Conflict, InvalidInput, NotFound
from outage_notify.services.given_reason import given_reason
from outage_notify.services.manager_areas import settle
from outage_notify.services.runtime import Runtime
from outage_notify.store import manager_queries, user_lookup
from outage_notify.store.people_tables import GridManager
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record

LONGEST_NAME = 200


@dataclass(frozen=True)
class Manager:
    """One grid manager with what there is to look after. `seen` is the version for the next change."""

    id: int
    name: str
    phone: str
    deputy: int | None
    away: bool
    ended: bool
    office: str
    office_phone: str
    service_points: int
    visits: int
    seen: int


def listing(rt: Runtime) -> list[Manager]:
    """All by name, those who have left last."""
    with rt.database.read() as session:
        burdens = manager_queries.burdens(session)
        rows = manager_queries.managers(session)
    found = []
    for one in rows:
        points, visits = burdens.get(one.id, (0, 0))
        found.append(
            Manager(
                one.id,
                one.name,
                one.phone,
                one.deputy_ref,
                one.away,
                one.ended_at is not None,
                one.office,
                one.office_phone,
                points,
                visits,
                one.serial,
            )
        )
    return sorted(found, key=lambda one: one.ended)


def show(rt: Runtime, number: int) -> Manager:
    found = next((one for one in listing(rt) if one.id == number), None)
    if found is None:
        raise _unknown()
    return found


def add(rt: Runtime, by: str, name: str, phone: str) -> int:
    """A new grid manager, or one who has left and is back; returns the number. Conflict for one who is there."""
    called, number = _named(rt, name, phone)
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        found = manager_queries.called(session, called, number)
        if found is not None and found.ended_at is None:
            raise Conflict("A grid manager of this name and number is there already.", "Take that one.")
        if found is None:
            found = GridManager(name=called, phone=number)
            session.add(found)
        found.ended_at, found.serial = None, (found.serial or 0) + 1
        # A file that says so means this one again.
        manager_queries.forget_name(session, called, number)
        session.flush()
        record(session, now, by, "manager_added", manager=found.id)
        return found.id


def change(
    rt: Runtime,
    by: str,
    manager: int,
    seen: int,
    name: str,
    phone: str,
    deputy: int | None,
    away: bool,
) -> None:
    """Name, number, deputy, and whether the deputy is named in notices and tasks meanwhile. The same again changes
    nothing. InvalidInput, Conflict, NotFound."""
    called, number = _named(rt, name, phone)
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        found = _present(session, manager)
        same = (called, number, deputy, away) == (found.name, found.phone, found.deputy_ref, found.away)
        if same:
            return
        _seen(found, seen)
        if deputy is not None:
            _may_stand_in(session, found, deputy)
        elif away:
            raise InvalidInput("Who is away needs a deputy.", "Choose who stands in.")
        others = [one for one in manager_queries.managers(session) if one.deputy_ref == found.id and one.away]
        if away and others:
            raise InvalidInput(
                f"{found.name} stands in for {others[0].name}.", "Give that one another deputy first."
            )
        changed = []
        if (called, number) != (found.name, found.phone):
            other = manager_queries.called(session, called, number)
            if other is not None:
                raise Conflict(
                    "Another grid manager has this name and number.",
                    "End one of them with the other as successor.",
                )
            manager_queries.remember_name(session, found.name, found.phone, found.id)
            manager_queries.forget_name(session, called, number)
            changed += ["name"] * (called != found.name) + ["phone"] * (number != found.phone)
            found.name, found.phone = called, number
        if (deputy, away) != (found.deputy_ref, found.away):
            changed.append("deputy")
            found.deputy_ref, found.away = deputy, away
        found.serial += 1
        record(
            session, now, by, "manager_changed", manager=found.id, changed=changed, deputy=deputy, away=away
        )


def end(rt: Runtime, by: str, manager: int, seen: int, successor: int | None, reason: str) -> int:
    """She has left: areas, service points, open tasks, and what files name after her pass to the successor, or to
    nobody. Returns how many service points. If it dies midway, nothing has happened."""
    why = given_reason(reason)
    with rt.database.write() as session:
        now = rt.now(session)
        user_lookup.require(session, by, Role.ADMIN)
        found = _present(session, manager)
        _seen(found, seen)
        if successor is not None and _present(session, successor).id == found.id:
            raise InvalidInput("Nobody succeeds herself.", "Choose somebody else, or nobody.")
        manager_queries.pass_areas(session, found.id, successor, now, by)
        moved = manager_queries.hand_over(session, found.id, successor)
        manager_queries.remember_name(session, found.name, found.phone, successor)
        found.ended_at, found.deputy_ref, found.away = now, None, False
        found.serial += 1
        session.flush()
        settle(session, rt)
        record(
            session, now, by, "manager_ended", manager=found.id, successor=successor, points=moved, reason=why
        )
        return moved


def _may_stand_in(session: Session, manager: GridManager, deputy: int) -> None:
    other = _present(session, deputy)
    if other.id == manager.id:
        raise InvalidInput("Nobody stands in for herself.", "Choose somebody else.")
    if other.away:
        raise InvalidInput(f"{other.name} is away.", "Choose somebody who is there.")


def _present(session: Session, number: int) -> GridManager:
    found = manager_queries.by_id(session, number)
    if found is None:
        raise _unknown()
    if found.ended_at is not None:
        raise NotFound(f"{found.name} has left.", "Add her anew if she is back.")
    return found


def _seen(found: GridManager, seen: int) -> None:
    if found.serial != seen:
        raise Conflict("Somebody changed this in the meantime.", "Look at it and decide again.")


def _named(rt: Runtime, name: str, phone: str) -> tuple[str, str]:
    called = one_line(name)
    if not called:
        raise InvalidInput("The name is missing.", "Say who it is.")
    if len(called) > LONGEST_NAME:
        raise InvalidInput(f"The name is longer than {LONGEST_NAME} characters.", "Shorten it.")
    if not phone.strip():
        return called, ""
    try:
        return called, normalise(phone, rt.settings.phone_region)
    except PhoneNumberError as error:
        raise InvalidInput(error.message, error.remedy) from error


def _unknown() -> NotFound:
    return NotFound("There is no such grid manager.", "Look at the list again.")
