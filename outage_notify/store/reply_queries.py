"""What an incoming text can be about: whose number it is, and what was last sent there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, selectinload

from channels.model import Channel
from outage_notify.domain.delivery import TOLD, UNSETTLED
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.delivery_tables import Delivery, Notice
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import ContactPoint
from outage_notify.store.work_tables import InboundMessage


def keep_inbound(session: Session, provider_id: str, sender: str, text: str, now: datetime) -> None:
    """Store an incoming text as it came. The same provider's id twice is kept once."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(InboundMessage).values(
        received_at=now, provider_id=provider_id, sender=sender, text=text, verdict=""
    )
    session.execute(statement.on_conflict_do_nothing(index_elements=["provider_id"]))


def inbound_of(session: Session, provider_id: str) -> InboundMessage:
    """The stored text, locked for whoever decides what it means."""
    statement = select(InboundMessage).where(InboundMessage.provider_id == provider_id)
    return session.scalars(statement.with_for_update()).one()


def contacts_at(session: Session, number: str) -> list[ContactPoint]:
    """Everybody's contact points with this number that take texts."""
    return list(
        session.scalars(
            select(ContactPoint)
            .where(ContactPoint.address == number, ContactPoint.channel == Channel.SMS)
            .order_by(ContactPoint.id)
            .options(selectinload(ContactPoint.customer))
        )
    )


def newest_text_to(session: Session, number: str, words: frozenset[str]) -> Delivery | None:
    """The text that was last sent to this number; if `words` name a delivery or an outage, the last of that."""
    statement = (
        select(Delivery)
        .join(Notice, Notice.id == Delivery.notice_ref)
        .where(
            Delivery.address == number,
            Delivery.channel == Channel.SMS,
            Delivery.state.in_(TOLD | UNSETTLED),
            # News to a follower asks for no answer; a colleague answers by the link that was passed on.
            Delivery.recipients.any(),
            Notice.kind != NoticeKind.PASSED_ON,
        )
        .order_by(Delivery.began_at.desc(), Delivery.id.desc())
        .options(selectinload(Delivery.recipients))
        .limit(1)
    )
    if words:
        named = select(Outage.id).where(Outage.reference.in_(words))
        about = Delivery.short_ref.in_(words) | Delivery.outage_ref.in_(named)
        if found := session.scalars(statement.where(about)).first():
            return found
    return session.scalars(statement).first()
