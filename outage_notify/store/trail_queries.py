"""The events as a log to be read and proved: pages of it by filter, and its chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from outage_notify.store.trail_tables import AuditLink
from outage_notify.store.work_tables import Event

_LOCK = 7_240_611
# A transaction that began long ago commits with numbers lower than those sealed already, but not by this much.
_BEHIND = 100_000


@dataclass(frozen=True)
class Wanted:
    """Which events; empty: all. `before`: older than this number, for the next page."""

    actor: str = ""
    what: str = ""
    outage: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the log: what happened, to which outage and customer, and its link if it is sealed."""

    event: Event
    reference: str
    customer_id: str
    link: AuditLink | None


def lock(session: Session) -> None:
    """Wait until nobody else seals; SQLite's one writer is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def last_link(session: Session) -> AuditLink | None:
    return session.scalars(select(AuditLink).order_by(AuditLink.sequence.desc()).limit(1)).first()


def unsealed(session: Session, last: AuditLink | None, limit: int) -> Sequence[Event]:
    """Events without a link, in order."""
    sealed = select(AuditLink.sequence).where(AuditLink.event_ref == Event.id).exists()
    statement = select(Event).where(~sealed).order_by(Event.id).limit(limit)
    if last is not None:
        newest = session.scalar(
            select(func.max(AuditLink.event_ref)).where(AuditLink.sequence > last.sequence - 1000)
        )
        statement = statement.where(Event.id > (newest or 0) - _BEHIND)
    return session.scalars(statement).all()


def count_unsealed(session: Session) -> int:
    """All of them, however old: none may hide behind the newest."""
    sealed = select(AuditLink.sequence).where(AuditLink.event_ref == Event.id).exists()
    return session.scalar(select(func.count()).select_from(Event).where(~sealed)) or 0


def chain(session: Session) -> Iterator[tuple[AuditLink, Event | None]]:
    """Every link with its event, in order, at flat memory; None where the event is not there any more."""
    statement = select(AuditLink, Event).outerjoin(Event, Event.id == AuditLink.event_ref)
    rows = session.execute(statement.order_by(AuditLink.sequence).execution_options(yield_per=2000))
    for link, event in rows:
        yield link, event
        session.expunge(link)
        if event is not None:
            session.expunge(event)


def entries(session: Session, wanted: Wanted, limit: int) -> list[Entry]:
    """The newest first."""
    return [
        Entry(event, reference or "", customer or "", link)
        for event, reference, customer, link in session.execute(_filtered(wanted).limit(limit))
    ]


def stream(session: Session, wanted: Wanted) -> Iterator[Entry]:
    """All that a filter lets through, newest first, at flat memory."""
    rows = session.execute(_filtered(wanted).execution_options(yield_per=1000))
    for event, reference, customer, link in rows:
        yield Entry(event, reference or "", customer or "", link)


def words(session: Session) -> list[str]:
    """What can have happened, as far as it ever did."""
    return list(session.scalars(select(Event.what).distinct().order_by(Event.what)))


def _filtered(
    wanted: Wanted,
) -> Select[Event, str, str, AuditLink]:
    statement = (
        select(Event, Outage.reference, Customer.customer_id, AuditLink)
        .outerjoin(Outage, Outage.id == Event.outage_ref)
        .outerjoin(Customer, Customer.id == Event.customer_ref)
        .outerjoin(AuditLink, AuditLink.event_ref == Event.id)
        .order_by(Event.id.desc())
    )
    if wanted.actor:
        statement = statement.where(Event.actor == wanted.actor)
    if wanted.what:
        statement = statement.where(Event.what == wanted.what)
    if wanted.outage:
        statement = statement.where(Outage.reference == wanted.outage)
    if wanted.since is not None:
        statement = statement.where(Event.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(Event.at < wanted.until)
    if wanted.before is not None:
        statement = statement.where(Event.id < wanted.before)
    return statement
