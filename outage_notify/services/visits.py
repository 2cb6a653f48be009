"""The grid manager's round: whom to visit, in which order, and the answer that is given at the door.

Promises: the order is the shortest step each time, from the most urgent visit on, those without a known place last;
a signature drawn on the screen and a photograph are kept beside the receipt, which names the hash of each. Leaves to
`acknowledge` what an answer is, to `pictures` what a picture is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from hashlib import sha256

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.errors import IllegalMove, NotFound
from outage_notify.services import acknowledge
from outage_notify.services.acknowledge import Answer
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store import desk_queries, network_queries, place_queries, visit_queries
from outage_notify.store.acknowledgement_tables import SignedReceipt
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer, GridManager, ServicePoint
from outage_notify.store.work_tables import Task

SHOWN = 300
_EARTH = 6_371_000.0  # metres


@dataclass(frozen=True)
class Visit:
    """One door. `ack`: the answer that is still owed, None if none is any more; `metres` from the visit before."""

    task: Task
    outage: Outage
    customer: Customer
    places: tuple[str, ...]
    phones: tuple[tuple[str, str], ...]  # (number, whose)
    ack: int | None
    late: bool
    where: tuple[float, float] | None = None
    metres: int | None = None
    text: str = field(default="", repr=False)


def round_of(rt: Runtime, manager: int | None = None) -> list[Visit]:
    """The visits that wait, of one grid manager or of all, in the order to go."""
    with rt.database.read() as session:
        rows = visit_queries.waiting(session, SHOWN, manager)
        found = _visits(session, rt, rows)
    return _in_order(found)


def one(rt: Runtime, task_id: int) -> Visit:
    """One visit with the text that is signed there. NotFound if it does not wait any more."""
    with rt.database.read() as session:
        rows = [row for row in visit_queries.waiting(session, SHOWN) if row[0].id == task_id]
        if not rows:
            raise NotFound("This visit does not wait any more.", "Look at the round again.")
        (visit,) = _visits(session, rt, rows)
        if visit.ack is None:
            return visit
        ack = acks.fresh(session, visit.ack)
        if ack is None:
            return replace(visit, ack=None)
        text, _ = acknowledge.notice_text(session, rt, ack)
        return replace(visit, text=text)


def managers(rt: Runtime) -> list[GridManager]:
    with rt.database.read() as session:
        return visit_queries.managers(session)


def answer(rt: Runtime, by: str, task_id: int, given: Answer, photo: bytes = b"") -> SignedReceipt:
    """Take the answer given at a door, with its photograph (see `pictures`). Called twice, the second is IllegalMove.

    If it dies midway, nothing has happened.
    """
    visit = one(rt, task_id)
    if visit.ack is None:
        raise IllegalMove("Nothing is owed here any more.", "Look at the round again.")
    digest = sha256(photo).hexdigest() if photo else ""
    proof = dict(given.proof) | ({"photo_sha256": digest} if photo else {})
    with rt.database.write() as session:
        ack = acks.fresh(session, visit.ack)
        if ack is None:
            raise NotFound("There is no such request for an acknowledgement.")
        receipt = acknowledge.answer_in(session, rt, ack, replace(given, proof=proof), rt.now(session), by)
        if photo:
            visit_queries.add_photo(session, receipt.sequence, photo, digest, by)
        return receipt


def _visits(session: Session, rt: Runtime, rows: list[tuple[Task, Outage, Customer]]) -> list[Visit]:
    now = rt.now(session)
    owed = desk_queries.waiting_answers(session, {outage.id for _, outage, _ in rows})
    points: dict[int, list[ServicePoint]] = {}
    for task, _, customer in rows:
        points[task.id] = [one for one in customer.service_points if one.gone_at is None]
    version = network_queries.current_version(session)
    elements = {one.element for found in points.values() for one in found}
    spots = {}
    if version is not None:
        for placed in place_queries.placed(session, version.id, elements):
            if placed.where:
                spots[placed.name] = placed.where[0]
    made = []
    for task, outage, customer in rows:
        mine = points[task.id]
        where = next((spots[one.element] for one in mine if one.element in spots), None)
        made.append(
            Visit(
                task,
                outage,
                customer,
                tuple(dict.fromkeys(one.place for one in mine if one.place)),
                _phones(customer),
                owed.get((outage.id, customer.id)),
                task.due_at is not None and task.due_at < now,
                (where[0], where[1]) if where is not None else None,
            )
        )
    return made


def _phones(customer: Customer) -> tuple[tuple[str, str], ...]:
    """Numbers to call, the customer's own first, each once."""
    found: dict[str, str] = {}
    for one in sorted(
        customer.contacts, key=lambda contact: (contact.backup, contact.channel != Channel.VOICE)
    ):
        if one.channel in {Channel.VOICE, Channel.SMS} and one.bad_at is None:
            found.setdefault(one.address, one.person)
    return tuple(found.items())


def _in_order(visits: list[Visit]) -> list[Visit]:
    """From the most urgent one always to the nearest that is left."""
    placed = [(one.where, one) for one in visits if one.where is not None]
    unplaced = [one for one in visits if one.where is None]
    if not placed:
        return unplaced
    here, first = placed.pop(0)
    ordered = [first]
    while placed:
        metres, nearest = min((_metres(here, where), place) for place, (where, _) in enumerate(placed))
        here, visit = placed.pop(nearest)
        ordered.append(replace(visit, metres=round(metres)))
    return ordered + unplaced


def _metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Between two places (longitude, latitude), as the crow flies."""
    west, south, east, north = map(math.radians, (*a, *b))
    arc = math.sin((north - south) / 2) ** 2
    arc += math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(arc)))
