"""What a dispatcher asks at a glance: the board's rows, and the counts of one outage.

Counts are made by the database, so that an outage with a hundred thousand deliveries
shows as fast as one with ten. No address leaves here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from outage_notify.domain.acknowledgement import OPEN
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.outage import OutageKind, OutageState, RevisionState
from outage_notify.store import board_attention
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Delivery, LetterBatch
from outage_notify.store.network_tables import NetworkElement, NetworkVersion
from outage_notify.store.outage_tables import AudienceMember, Outage, OutageRevision
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_tables import Task


@dataclass(frozen=True)
class BoardFilter:
    """Which outages: in these states (all if empty), with this text in reference, area or line, and
    with a window that touches the span (all if None), of a kind, entered by a person, and those that
    need somebody at the moment `needs`."""

    states: frozenset[OutageState] = frozenset()
    text: str = ""
    span: tuple[datetime, datetime] | None = None
    kind: OutageKind | None = None
    by: str = ""
    needs: datetime | None = None


@dataclass(frozen=True)
class Brief:
    """An outage in a calendar or on a map: its standing window."""

    id: int
    reference: str
    state: OutageState
    timezone: str
    start: datetime
    end: datetime
    area: str
    line: str


_BRIEF = (
    Outage.id,
    Outage.reference,
    Outage.state,
    Outage.timezone,
    OutageRevision.start,
    func.coalesce(Outage.expected_end, OutageRevision.end),
    OutageRevision.area,
    OutageRevision.line,
)


def board(session: Session, wanted: BoardFilter, limit: int, offset: int) -> tuple[list[Outage], int]:
    """A page of the board and how many there are in all. Going on first, then by start, then what is over."""
    statement = select(Outage).join(OutageRevision, _standing())
    for condition in _conditions(wanted):
        statement = statement.where(condition)
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    over = Outage.state.in_((OutageState.COMPLETED, OutageState.CANCELLED))
    statement = statement.order_by(
        over, Outage.state != OutageState.ACTIVE, OutageRevision.start, Outage.id
    ).options(selectinload(Outage.revisions))
    return list(session.scalars(statement.limit(limit).offset(offset))), total


def briefs(session: Session, wanted: BoardFilter, limit: int) -> list[Brief]:
    """Outages of the board by start, without what is heavy."""
    statement = select(*_BRIEF).select_from(Outage).join(OutageRevision, _standing())
    statement = statement.where(*_conditions(wanted)).order_by(OutageRevision.start, Outage.id).limit(limit)
    rows: list[Any] = [tuple(row) for row in session.execute(statement)]
    return [Brief(*row) for row in rows]


def areas(session: Session, wanted: BoardFilter, limit: int) -> list[tuple[Brief, dict[str, Any]]]:
    """The same with their areas, those ahead and going on first; without the ones that have none."""
    over = Outage.state.in_((OutageState.COMPLETED, OutageState.CANCELLED))
    statement = (
        select(*_BRIEF, OutageRevision.public_area).select_from(Outage).join(OutageRevision, _standing())
    )
    statement = (
        statement.where(*_conditions(wanted)).order_by(over, OutageRevision.start, Outage.id).limit(limit)
    )
    rows: list[Any] = [tuple(row) for row in session.execute(statement)]
    return [(Brief(*row[:-1]), row[-1]) for row in rows if row[-1]]


def count_by_state(session: Session) -> dict[OutageState, int]:
    statement = select(Outage.state, func.count()).group_by(Outage.state)
    return dict(session.execute(statement).all())


def awaiting_approval(session: Session) -> int:
    """Revisions that wait for a second person, first ones and later ones."""
    statement = select(func.count()).where(OutageRevision.state == RevisionState.SUBMITTED)
    return session.scalar(statement) or 0


def unsigned_by_outage(session: Session, outages: Collection[int]) -> dict[int, int]:
    """Outage id to the number of key customers of the standing revision who have not answered."""
    statement = (
        select(Acknowledgement.outage_ref, func.count())
        .join(
            Outage, and_(Outage.id == Acknowledgement.outage_ref, Outage.revision == Acknowledgement.revision)
        )
        .where(
            Acknowledgement.outage_ref.in_(outages),
            Acknowledgement.state.in_(OPEN),
            Outage.state == OutageState.APPROVED,
        )
        .group_by(Acknowledgement.outage_ref)
    )
    return dict(session.execute(statement).all())


def tasks_by_outage(session: Session, outages: Collection[int]) -> dict[int, int]:
    statement = (
        select(Task.outage_ref, func.count())
        .where(Task.outage_ref.in_(outages), Task.done_at.is_(None))
        .group_by(Task.outage_ref)
    )
    return {outage: count for outage, count in session.execute(statement) if outage is not None}


def key_members(session: Session, revision: int) -> list[AudienceMember]:
    """The service points of key customers, highest tier first, with customer and place."""
    statement = (
        select(AudienceMember)
        .where(AudienceMember.revision_ref == revision, AudienceMember.is_key)
        .order_by(AudienceMember.customer_ref, AudienceMember.id)
        .options(selectinload(AudienceMember.customer), selectinload(AudienceMember.service_point))
    )
    return list(session.scalars(statement))


def customer_by_ref(session: Session, customer: int) -> Customer:
    return session.get_one(Customer, customer)


def sample_customers(session: Session, revision: int) -> list[tuple[int, str, bool]]:
    """(customer, name, key) of at most one of each kind: the key and the other one with the most places."""
    found = []
    for key in (False, True):
        row = session.execute(
            select(Customer.id, Customer.name)
            .join(AudienceMember, AudienceMember.customer_ref == Customer.id)
            .where(AudienceMember.revision_ref == revision, AudienceMember.is_key.is_(key))
            .group_by(Customer.id, Customer.name)
            .order_by(func.count().desc(), Customer.id)
            .limit(1)
        ).first()
        if row is not None:
            found.append((row[0], row[1], key))
    return found


def failures(session: Session, outage: int) -> list[tuple[str, str, str, int]]:
    """(channel, fault, provider's code, count) of what failed, most frequent first."""
    statement = (
        select(Delivery.channel, Delivery.fault, Delivery.code, func.count())
        .where(Delivery.outage_ref == outage, Delivery.state == DeliveryState.FAILED)
        .group_by(Delivery.channel, Delivery.fault, Delivery.code)
        .order_by(func.count().desc())
    )
    rows = session.execute(statement)
    return [(channel.value, fault, code, count) for channel, fault, code, count in rows]


def open_tasks(
    session: Session, limit: int, kind: str | None = None, outage: int | None = None, offset: int = 0
) -> list[tuple[Task, str | None]]:
    """(task, reference of its outage), the most urgent first, with customer and grid manager."""
    statement = (
        select(Task, Outage.reference)
        .outerjoin(Outage, Outage.id == Task.outage_ref)
        .where(Task.done_at.is_(None))
        .order_by(Task.due_at.is_(None), Task.due_at, Task.id)
        .limit(limit)
        .offset(offset)
        .options(selectinload(Task.customer), selectinload(Task.grid_manager))
    )
    if kind:
        statement = statement.where(Task.kind == kind)
    if outage is not None:
        statement = statement.where(Task.outage_ref == outage)
    return [(task, reference) for task, reference in session.execute(statement)]


def waiting_answers(session: Session, outages: Collection[int]) -> dict[tuple[int, int], int]:
    """(outage, customer) to the acknowledgement that is still awaited of the standing revision."""
    statement = (
        select(Acknowledgement.outage_ref, Acknowledgement.customer_ref, Acknowledgement.id)
        .join(
            Outage, and_(Outage.id == Acknowledgement.outage_ref, Outage.revision == Acknowledgement.revision)
        )
        .where(Acknowledgement.outage_ref.in_(outages), Acknowledgement.state.in_(OPEN))
    )
    return {(outage, customer): ack for outage, customer, ack in session.execute(statement)}


def letter_batches(session: Session, limit: int) -> list[tuple[LetterBatch, str, int]]:
    """(batch without its PDF, reference, letters in it), newest first."""
    counted = (
        select(Delivery.letter_batch_ref, func.count().label("letters"))
        .where(Delivery.letter_batch_ref.is_not(None))
        .group_by(Delivery.letter_batch_ref)
        .subquery()
    )
    statement = (
        select(LetterBatch, Outage.reference, func.coalesce(counted.c.letters, 0))
        .join(Outage, Outage.id == LetterBatch.outage_ref)
        .outerjoin(counted, counted.c.letter_batch_ref == LetterBatch.id)
        .order_by(LetterBatch.id.desc())
        .limit(limit)
    )
    return [(batch, reference, count) for batch, reference, count in session.execute(statement)]


def elements_like(session: Session, text: str, limit: int) -> list[NetworkElement]:
    """Elements in force whose number, name or feeder holds `text`; exact numbers first. Buses and loads
    are left out unless asked for by kind: nobody works on a house."""
    kind, _, number = text.partition(":")
    statement = select(NetworkElement).join(
        NetworkVersion, and_(NetworkVersion.id == NetworkElement.version_ref, NetworkVersion.in_force)
    )
    if number or text.endswith(":"):
        statement = statement.where(
            NetworkElement.kind == kind, NetworkElement.source_id.startswith(number, autoescape=True)
        )
    else:
        match = or_(
            NetworkElement.source_id == text,
            NetworkElement.kind.startswith(text.lower(), autoescape=True),
            func.lower(NetworkElement.name).contains(text.lower(), autoescape=True),
            func.lower(NetworkElement.feeder).contains(text.lower(), autoescape=True),
        )
        statement = statement.where(match, NetworkElement.kind.in_(("line", "trafo", "trafo3w", "switch")))
    order = (NetworkElement.source_id != (number or text), func.length(NetworkElement.source_id))
    return list(session.scalars(statement.order_by(*order, NetworkElement.id).limit(limit)))


def element_names(session: Session, elements: Collection[str]) -> dict[str, str]:
    """Names of elements of the network in force, by `line:7`; those without one are left out."""
    numbers: dict[str, list[str]] = {}
    for one in elements:
        kind, _, number = one.partition(":")
        numbers.setdefault(kind, []).append(number)
    found = {}
    for kind, wanted in numbers.items():
        rows = session.execute(
            select(NetworkElement.source_id, NetworkElement.name)
            .join(
                NetworkVersion, and_(NetworkVersion.id == NetworkElement.version_ref, NetworkVersion.in_force)
            )
            .where(NetworkElement.kind == kind, NetworkElement.source_id.in_(wanted))
        )
        found.update({f"{kind}:{number}": name for number, name in rows if name})
    return found


def lines_within(
    session: Session, version: int, box: tuple[float, float, float, float], limit: int
) -> list[str]:
    """Lines of a version that touch a box (west, south, east, north), as `line:7`; for drawing around an area."""
    west, south, east, north = box
    statement = (
        select(NetworkElement.source_id)
        .where(
            NetworkElement.version_ref == version,
            NetworkElement.kind == "line",
            NetworkElement.min_lon <= east,
            NetworkElement.max_lon >= west,
            NetworkElement.min_lat <= north,
            NetworkElement.max_lat >= south,
        )
        .limit(limit)
    )
    return [f"line:{number}" for number in session.scalars(statement)]


def _standing() -> ColumnElement[bool]:
    return and_(OutageRevision.outage_ref == Outage.id, OutageRevision.number == Outage.revision)


def _conditions(wanted: BoardFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.states:
        found.append(Outage.state.in_(wanted.states))
    if wanted.span:
        low, high = wanted.span
        found += [OutageRevision.start < high, OutageRevision.end > low]
    if wanted.kind:
        found.append(Outage.kind == wanted.kind)
    if wanted.by:
        found.append(Outage.created_by == wanted.by)
    if wanted.needs:
        found.append(board_attention.needs_somebody(wanted.needs))
    if wanted.text:
        text = wanted.text.lower()
        found.append(
            or_(
                func.lower(Outage.reference).contains(text, autoescape=True),
                func.lower(OutageRevision.area).contains(text, autoescape=True),
                func.lower(OutageRevision.line).contains(text, autoescape=True),
            )
        )
    return found
