"""What was sent to a customer about an outage, and when: for its own page.

Promises: each message to the customer, of all revisions, by its time; addresses are shown only as far as their
owner knows them again. Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice
from outage_notify.store.follower_queries import FORGOTTEN

_LEFT = frozenset({DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.FAILED})


@dataclass(frozen=True)
class Sent:
    """One message. `at`: when it was handed over; `delivered_at`: when it arrived, as far as that is known."""

    kind: NoticeKind
    revision: int
    channel: Channel
    to: str
    state: DeliveryState
    at: datetime
    delivered_at: datetime | None


def sent_to(session: Session, customer: int, outage: int) -> list[Sent]:
    """What left us for this customer, oldest first; what waits or was withdrawn unsent is not in it."""
    statement = (
        select(Delivery)
        .join(Delivery.notice)
        .join(DeliveryRecipient, DeliveryRecipient.delivery_ref == Delivery.id)
        .where(
            DeliveryRecipient.customer_ref == customer,
            Notice.outage_ref == outage,
            Delivery.state.in_(_LEFT),
        )
        .options(contains_eager(Delivery.notice))
    )
    found = [
        Sent(
            one.notice.kind,
            one.revision,
            one.channel,
            recognisable(one.channel, one.address),
            one.state,
            one.accepted_at or one.delivered_at or one.ended_at or one.due_at,
            one.delivered_at,
        )
        for one in session.scalars(statement)
    ]
    return sorted(found, key=lambda one: one.at)


def recognisable(channel: Channel, address: str) -> str:
    """Enough of an address for its owner: the last digits of a number, the beginning of a mailbox."""
    if channel is Channel.LETTER or address.startswith(FORGOTTEN):
        return ""
    if channel is Channel.EMAIL:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}…@{domain}"
    return f"…{address[-4:]}"
