"""Who was told what, by which deliveries, and the one way to add deliveries to a notice."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Executable,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, selectinload

from channels.model import Channel, Language
from outage_notify.domain.delivery import LIVE, TOLD, UNSENT, UNSETTLED, DeliveryState
from outage_notify.domain.notice import ANNOUNCEMENTS, NoticeKind
from outage_notify.store import bulk
from outage_notify.store.calls_by_number import UNENDED
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.listed import dialect_of, one_of, values_of
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import ContactPoint

# Without 0/O, 1/I/L and U: read aloud on the telephone and typed off a letter.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTER_OF = bytes(ord(_LETTERS[byte % len(_LETTERS)]) for byte in range(256))
_UNUSED = bytes(range(256 - 256 % len(_LETTERS), 256))
_CHUNK = 500
_COLUMNS = (
    *("id", "short_ref", "channel", "address", "contact_ref"),
    *("language", "priority", "rung", "urgent", "due_at"),
)


@dataclass(frozen=True)
class Planned:
    """A delivery to be inserted for one customer, or for an address of none: `customer` is 0."""

    customer: int
    channel: Channel
    address: str
    contact: int | None
    language: Language
    priority: int
    due_at: datetime
    rung: int = 0
    urgent: bool = False


@dataclass(frozen=True)
class Reached:
    """How an announcement got, or may have got, to a customer."""

    customer: int
    channel: Channel
    address: str
    contact: int | None
    state: DeliveryState


def short_ref() -> str:
    """Ten letters, about 49 bits: unique in a database's life and short enough for a text."""
    # A byte for a letter: 256 is no multiple of 30, so the few bytes at the end are thrown away.
    found = ""
    while len(found) < 10:
        found += secrets.token_bytes(12).translate(_LETTER_OF, _UNUSED).decode("ascii")
    return found[:10]


def ensure_notice(
    session: Session,
    outage: int,
    revision: int,
    kind: NoticeKind,
    *,
    now: datetime,
    deadline: datetime,
    due_at: datetime,
    not_after: datetime,
    serial: int = 1,
    facts: Mapping[str, str] | None = None,
) -> Notice:
    """The notice (outage, revision, kind, serial), made if it is not there yet."""
    found = session.scalar(
        select(Notice).where(
            Notice.outage_ref == outage,
            Notice.revision == revision,
            Notice.kind == kind,
            Notice.serial == serial,
        )
    )
    if found is None:
        found = Notice(
            outage_ref=outage,
            revision=revision,
            kind=kind,
            serial=serial,
            deadline=deadline,
            due_at=due_at,
            not_after=not_after,
            created_at=now,
            facts=dict(facts or {}),
        )
        session.add(found)
        session.flush()
    return found


def next_serial(session: Session, outage: int, revision: int, kind: NoticeKind) -> int:
    newest = session.scalar(
        select(func.max(Notice.serial)).where(
            Notice.outage_ref == outage, Notice.revision == revision, Notice.kind == kind
        )
    )
    return (newest or 0) + 1


def notices_of(session: Session, outage: int, revision: int | None = None) -> list[Notice]:
    """The notices of an outage (of one revision), in the order in which they were made."""
    statement = select(Notice).where(Notice.outage_ref == outage).order_by(Notice.id)
    if revision is not None:
        statement = statement.where(Notice.revision == revision)
    return list(session.scalars(statement))


def insert_deliveries(
    session: Session,
    notice: Notice,
    planned: Sequence[Planned],
    paused: bool = False,
) -> int:
    """Add deliveries to a notice; those that are there already stay as they are.

    One address gets one delivery per notice, whoever shares it: the second customer becomes
    another recipient of the same row. Twice with the same arguments is once. Returns how many
    rows are new.
    """
    existing, known = _there(session, notice, planned)
    fresh: dict[tuple[str, Channel], Planned] = {}
    for one in planned:
        place = (one.address, one.channel)
        held = fresh.get(place)
        if place not in existing and (held is None or one.priority < held.priority):
            fresh[place] = one
    ids = bulk.new_ids(session, Delivery, len(fresh)) if fresh else []
    existing.update(zip(fresh, ids, strict=True))
    shared = {
        "notice_ref": notice.id,
        "outage_ref": notice.outage_ref,
        "revision": notice.revision,
        "state": DeliveryState.READY,
        "not_after": notice.not_after,
        "paused": paused,
    }
    rows = [
        (
            id,
            short_ref(),
            one.channel,
            one.address,
            one.contact,
            one.language,
            one.priority,
            one.rung,
            one.urgent,
            one.due_at,
        )
        for id, one in zip(ids, fresh.values(), strict=True)
    ]
    if rows:
        bulk.insert_tuples(session, Delivery, _COLUMNS, rows, shared)
    pairs = {(existing[(one.address, one.channel)], one.customer) for one in planned if one.customer}
    links = sorted(pairs - known)
    if links:
        bulk.insert_tuples(session, DeliveryRecipient, ("delivery_ref", "customer_ref"), links)
    # Who joins a row that has failed already still needs the next channel.
    joined = sorted({one for one, _ in links} - set(ids))
    for chunk in _chunks(joined):
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(chunk), Delivery.state == DeliveryState.FAILED)
            .values(stepped=False)
        )
    return len(rows)


def _there(
    session: Session, notice: Notice, planned: Sequence[Planned]
) -> tuple[dict[tuple[str, Channel], int], set[tuple[int, int]]]:
    """The deliveries that a notice has at these addresses, and whom they tell."""
    dialect = dialect_of(session)
    addresses = sorted({one.address for one in planned})
    found = session.execute(
        _at_addresses(dialect), {"notice": notice.id, **values_of(dialect, "wanted", addresses)}
    )
    existing: dict[tuple[str, Channel], int] = {(row.address, row.channel): row.id for row in found}
    known: set[tuple[int, int]] = set()
    if existing:
        there = sorted(existing.values())
        told: Iterable[Any] = session.execute(_told_by(dialect), values_of(dialect, "wanted", there))
        known = {(row[0], row[1]) for row in told}
    return existing, known


@cache
def _at_addresses(dialect: str) -> Executable:
    mine = one_of(dialect, Delivery.address, "wanted", String())
    return select(Delivery.id, Delivery.address, Delivery.channel).where(
        Delivery.notice_ref == bindparam("notice"), mine
    )


@cache
def _told_by(dialect: str) -> Executable:
    # By id and not by a join: no database plans a join well with rows that it has just been given.
    mine = one_of(dialect, DeliveryRecipient.delivery_ref, "wanted", BigInteger())
    return select(DeliveryRecipient.delivery_ref, DeliveryRecipient.customer_ref).where(mine)


def customers_with(
    session: Session, outage: int, revision: int, kinds: Iterable[NoticeKind], serial: int | None = None
) -> set[int]:
    """Customers for whom a delivery of such a notice exists, in whatever state."""
    statement = (
        select(DeliveryRecipient.customer_ref)
        .join(Delivery)
        .join(Notice, Delivery.notice_ref == Notice.id)
        .where(Notice.outage_ref == outage, Notice.revision == revision, Notice.kind.in_(tuple(kinds)))
    )
    if serial is not None:
        statement = statement.where(Notice.serial == serial)
    return set(session.scalars(statement.distinct()))


def reached_by_announcements(
    session: Session, outage: int, below_revision: int | None = None
) -> list[Reached]:
    """Every announcement of an outage (of revisions before `below_revision`) that reached a
    customer or may have: ACCEPTED, DELIVERED, SUBMITTING or IN_DOUBT, or waiting to be sent again
    after a call that may have been taken. A telephone call counts as in doubt until its end is known,
    or is not asked for any more: it may ring in vain, or end without our words."""
    statement = (
        select(
            DeliveryRecipient.customer_ref,
            Delivery.channel,
            Delivery.address,
            Delivery.contact_ref,
            case((UNENDED, literal(DeliveryState.IN_DOUBT, Delivery.state.type)), else_=Delivery.state),
        )
        .join(Delivery, DeliveryRecipient.delivery_ref == Delivery.id)
        .join(Notice, Delivery.notice_ref == Notice.id)
        .where(
            Delivery.outage_ref == outage,
            or_(
                Delivery.state.in_(TOLD | UNSETTLED),
                and_(Delivery.state.in_(UNSENT), Delivery.doubt_since.is_not(None)),
            ),
            Notice.kind.in_(ANNOUNCEMENTS | {NoticeKind.REMINDER}),
        )
        .order_by(DeliveryRecipient.customer_ref, Delivery.id)
    )
    if below_revision is not None:
        statement = statement.where(Delivery.revision < below_revision)
    return [Reached(*row) for row in session.execute(statement)]


def deliveries_for(session: Session, notice: int, customer: int) -> list[Delivery]:
    """The deliveries of one notice to one customer, in the order in which they were tried."""
    return list(
        session.scalars(
            select(Delivery)
            .join(DeliveryRecipient)
            .where(Delivery.notice_ref == notice, DeliveryRecipient.customer_ref == customer)
            .order_by(Delivery.id)
            # States change by guarded UPDATEs behind the session's back.
            .execution_options(populate_existing=True)
        )
    )


def retracted(session: Session, outage: int) -> set[int]:
    """Customers who were told CANCELLED, or will be, after the last announcement that they got.

    For them there is nothing more to cancel, and no news, unless they are announced to anew.
    """

    def newest(kinds: Iterable[NoticeKind], states: Iterable[DeliveryState]) -> dict[int, int]:
        rows = session.execute(
            select(DeliveryRecipient.customer_ref, func.max(Delivery.revision))
            .join(Delivery, DeliveryRecipient.delivery_ref == Delivery.id)
            .join(Notice, Delivery.notice_ref == Notice.id)
            .where(
                Delivery.outage_ref == outage,
                Delivery.state.in_(tuple(states)),
                Notice.kind.in_(tuple(kinds)),
            )
            .group_by(DeliveryRecipient.customer_ref)
        )
        return {row[0]: row[1] for row in rows}

    announced = newest(ANNOUNCEMENTS | {NoticeKind.REMINDER}, TOLD | UNSETTLED)
    cancelled = newest({NoticeKind.CANCELLED}, LIVE)
    return {one for one, revision in cancelled.items() if revision > announced.get(one, 0)}


def with_recipients(session: Session, ids: Sequence[int]) -> list[Delivery]:
    """Deliveries with notice and recipients, in the order of `ids`."""
    found = session.scalars(
        select(Delivery)
        .where(Delivery.id.in_(ids))
        .options(
            selectinload(Delivery.notice),
            selectinload(Delivery.recipients).selectinload(DeliveryRecipient.customer),
        )
    )
    by_id = {one.id: one for one in found}
    return [by_id[one] for one in ids if one in by_id]


def contact_of(session: Session, delivery: Delivery) -> ContactPoint | None:
    return session.get(ContactPoint, delivery.contact_ref) if delivery.contact_ref else None


def zone_of(session: Session, delivery: Delivery) -> ZoneInfo:
    """The local time of the outage that a delivery tells of."""
    return ZoneInfo(session.get_one(Outage, delivery.outage_ref).timezone)


def tries_of(session: Session, delivery: int) -> int:
    return session.scalar(select(Delivery.tries).where(Delivery.id == delivery)) or 0


def by_ids(session: Session, ids: Sequence[int]) -> list[Delivery]:
    """These deliveries with their notices, in the order asked for; those that are gone are left out."""
    statement = select(Delivery).where(Delivery.id.in_(ids)).options(selectinload(Delivery.notice))
    found = {one.id: one for one in session.scalars(statement)}
    return [found[one] for one in ids if one in found]


def by_provider_id(session: Session, provider_id: str) -> int | None:
    return session.scalar(select(Delivery.id).where(Delivery.provider_id == provider_id))


def incomplete_notices(session: Session) -> list[Notice]:
    """Notices that wait for somebody's earlier message to come out of doubt."""
    return list(session.scalars(select(Notice).where(Notice.incomplete.is_(True)).order_by(Notice.id)))


def unstepped_failures(session: Session, limit: int = 500) -> list[Delivery]:
    """Failed deliveries below which nobody has looked yet."""
    ids = session.scalars(
        select(Delivery.id)
        .where(Delivery.state == DeliveryState.FAILED, Delivery.stepped.is_(False))
        .order_by(Delivery.priority, Delivery.id)
        .limit(limit)
    ).all()
    return with_recipients(session, ids)


def _chunks(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[at : at + _CHUNK] for at in range(0, len(rows), _CHUNK))
