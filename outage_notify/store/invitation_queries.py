"""Calendar invitations by e-mail: which mailboxes wish them, what brought them one, and what took it back."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from channels.model import Channel
from outage_notify.domain.delivery import LIVE, TOLD, UNSETTLED, DeliveryState
from outage_notify.domain.notice import ANNOUNCEMENTS, NoticeKind
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.outage_tables import AudienceMember
from outage_notify.store.people_tables import ContactPoint

# What brings the entry to a mailbox that wishes it, and what takes it away.
INVITING = ANNOUNCEMENTS | {NoticeKind.INVITATION}


@dataclass(frozen=True)
class Wish:
    """A mailbox of an affected customer that wishes invitations."""

    customer: int
    contact: int
    address: str


@dataclass(frozen=True)
class Invited:
    """An invitation of its own that a mailbox got, or may have got."""

    address: str
    contact: int | None
    customer: int
    revision: int
    state: DeliveryState


def invited_before(session: Session, deliveries: Collection[int]) -> set[int]:
    """Of these deliveries, those whose mailbox has an earlier inviting message of the same revision that is
    alive or told: the invitation went with that one, and a repeated one would be another entry to look at."""
    if not deliveries:
        return set()
    earlier, about = aliased(Delivery), aliased(Notice)
    statement = (
        select(Delivery.id)
        .join(
            earlier,
            (earlier.outage_ref == Delivery.outage_ref)
            & (earlier.revision == Delivery.revision)
            & (earlier.channel == Delivery.channel)
            & (earlier.address == Delivery.address)
            & (earlier.id != Delivery.id),
        )
        .join(about, about.id == earlier.notice_ref)
        # One mailbox of two customers, of whom the other does not wish it: nothing has come with that mail.
        .join(ContactPoint, and_(ContactPoint.id == earlier.contact_ref, ContactPoint.invitations))
        .where(
            Delivery.id.in_(sorted(deliveries)),
            about.kind.in_(INVITING),
            earlier.state.in_(LIVE),
            (earlier.due_at < Delivery.due_at)
            | ((earlier.due_at == Delivery.due_at) & (earlier.id < Delivery.id)),
        )
    )
    return set(session.scalars(statement))


def wishes(session: Session, revision_ref: int) -> list[Wish]:
    """The usable mailboxes of a revision's audience that wish invitations, in the order of the contacts."""
    mine = select(AudienceMember.customer_ref).where(AudienceMember.revision_ref == revision_ref)
    rows: Iterable[tuple[Any, ...]] = session.execute(
        select(ContactPoint.customer_ref, ContactPoint.id, ContactPoint.address)
        .where(
            _wishing(),
            ContactPoint.bad_at.is_(None),
            ContactPoint.opted_out_at.is_(None),
            ContactPoint.customer_ref.in_(mine),
        )
        .order_by(ContactPoint.customer_ref, ContactPoint.position, ContactPoint.id)
    )
    return [Wish(*row) for row in rows]


def told_by_notice(session: Session, outage: int, revision: int) -> set[str]:
    """Wishing mailboxes to which an announcement of this revision goes or went: it brings the invitation."""
    statement = (
        select(Delivery.address)
        .join(Notice, Notice.id == Delivery.notice_ref)
        .join(ContactPoint, ContactPoint.id == Delivery.contact_ref)
        .where(*_announcing(outage, revision), _wishing(), Delivery.channel == Channel.EMAIL)
    )
    return set(session.scalars(statement))


def first_due(session: Session, outage: int, revision: int) -> dict[int, datetime]:
    """When the first announcement of this revision goes to each customer with a wishing mailbox; letters
    are printed earlier, and nobody reads them before."""
    statement = (
        select(DeliveryRecipient.customer_ref, func.min(Delivery.due_at))
        .join(Delivery, Delivery.id == DeliveryRecipient.delivery_ref)
        .join(Notice, Notice.id == Delivery.notice_ref)
        .where(
            *_announcing(outage, revision),
            Delivery.channel != Channel.LETTER,
            DeliveryRecipient.customer_ref.in_(select(ContactPoint.customer_ref).where(_wishing())),
        )
        .group_by(DeliveryRecipient.customer_ref)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def invited(session: Session, outage: int) -> list[Invited]:
    """Every invitation of its own that reached a mailbox or may have, one for each customer told by it."""
    rows: Iterable[tuple[Any, ...]] = session.execute(
        select(
            Delivery.address,
            Delivery.contact_ref,
            DeliveryRecipient.customer_ref,
            Delivery.revision,
            Delivery.state,
        )
        .join(DeliveryRecipient, DeliveryRecipient.delivery_ref == Delivery.id)
        .join(Notice, Notice.id == Delivery.notice_ref)
        .where(
            Notice.outage_ref == outage,
            Notice.kind == NoticeKind.INVITATION,
            or_(
                Delivery.state.in_(TOLD | UNSETTLED),
                Delivery.state.in_(LIVE) & Delivery.doubt_since.is_not(None),
            ),
        )
        .order_by(Delivery.id, DeliveryRecipient.customer_ref)
    )
    return [Invited(*row) for row in rows]


def taken_back(session: Session, outage: int) -> dict[str, int]:
    """By mailbox the newest revision in which its invitation was, or will be, cancelled."""
    with_notice = and_(Notice.kind == NoticeKind.CANCELLED, _wishing())
    statement = (
        select(Delivery.address, func.max(Delivery.revision))
        .join(Notice, Notice.id == Delivery.notice_ref)
        .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_ref)
        .where(
            Notice.outage_ref == outage,
            Delivery.channel == Channel.EMAIL,
            Delivery.state.in_(LIVE),
            or_(Notice.kind == NoticeKind.INVITATION_CANCELLED, with_notice),
        )
        .group_by(Delivery.address)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def _wishing() -> ColumnElement[bool]:
    return and_(ContactPoint.channel == Channel.EMAIL, ContactPoint.invitations.is_(True))


def _announcing(outage: int, revision: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Notice.outage_ref == outage,
        Notice.revision == revision,
        Notice.kind.in_(ANNOUNCEMENTS),
        Delivery.state.in_(LIVE),
    )
