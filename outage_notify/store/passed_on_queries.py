"""Links that were passed on to a colleague by us: how many, where to, and whether they still serve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.acknowledgement import AckState, ack_predecessors
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delegation_tables import Delegation
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.people_tables import ContactPoint
from outage_notify.store.work_tables import InboundMessage


def sent_since(
    session: Session, since: datetime, customer: int, channel: Channel, address: str
) -> tuple[int, int]:
    """(messages for this customer, messages to this address for whomever), due after a moment."""
    mine = (Notice.kind == NoticeKind.PASSED_ON, Delivery.due_at > since)
    total = select(func.count()).select_from(Delivery).join(Notice, Notice.id == Delivery.notice_ref)
    theirs = total.join(DeliveryRecipient, DeliveryRecipient.delivery_ref == Delivery.id)
    by_customer = session.scalar(theirs.where(*mine, DeliveryRecipient.customer_ref == customer)) or 0
    there = (Delivery.channel == channel, Delivery.address == address)
    return by_customer, session.scalar(total.where(*mine, *there)) or 0


def unwilling(session: Session, channel: Channel, address: str, refusals: Sequence[str]) -> bool:
    """Whether nothing should go to an address: its owner said so, or it is known to be wrong.

    `refusals`: (verdict of a text that says no, verdict of one that takes it back).
    """
    known = select(ContactPoint.id).where(
        ContactPoint.address == address,
        ContactPoint.channel == channel,
        or_(ContactPoint.opted_out_at.is_not(None), ContactPoint.bad_at.is_not(None)),
    )
    if session.scalar(known.limit(1)) is not None:
        return True
    last = (
        select(InboundMessage.verdict)
        .where(InboundMessage.sender == address, InboundMessage.verdict.in_(refusals))
        .order_by(InboundMessage.id.desc())
        .limit(1)
    )
    return channel is Channel.SMS and session.scalar(last) == refusals[0]


def sent_of(session: Session, delegation: Delegation) -> Sequence[Delivery]:
    """The messages with this link, oldest first."""
    statement = (
        select(Delivery)
        .join(Notice, Notice.id == Delivery.notice_ref)
        .where(
            Notice.kind == NoticeKind.PASSED_ON,
            Notice.serial == delegation.id,
            Notice.outage_ref
            == select(Acknowledgement.outage_ref)
            .where(Acknowledgement.id == delegation.acknowledgement_ref)
            .scalar_subquery(),
        )
    )
    return session.scalars(statement.order_by(Delivery.id)).all()


def unsent_of(session: Session, delegation: Delegation) -> list[int]:
    return [one.id for one in sent_of(session, delegation) if one.state is DeliveryState.READY]


def still_serves(session: Session, delegation: int) -> bool:
    """Whether a link was not taken back and its notice still waits for an answer."""
    statement = (
        select(Delegation.id)
        .join(Acknowledgement, Acknowledgement.id == Delegation.acknowledgement_ref)
        .where(
            Delegation.id == delegation,
            Delegation.revoked_at.is_(None),
            Acknowledgement.state.in_(ack_predecessors(AckState.ACKNOWLEDGED)),
        )
    )
    return session.scalar(statement) is not None
