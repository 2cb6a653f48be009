"""Calendar invitations by e-mail: which deliveries are the first of their revision to a mailbox that wishes them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from outage_notify.domain.delivery import LIVE
from outage_notify.domain.notice import ANNOUNCEMENTS
from outage_notify.store.delivery_tables import Delivery, Notice


def invited_before(session: Session, deliveries: Collection[int]) -> set[int]:
    """Of these deliveries, those whose mailbox has an earlier announcement of the same revision that is alive or
    told: the invitation went with that one, and a repeated one would be another entry to look at."""
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
        .where(
            Delivery.id.in_(sorted(deliveries)),
            about.kind.in_(ANNOUNCEMENTS),
            earlier.state.in_(LIVE),
            (earlier.due_at < Delivery.due_at)
            | ((earlier.due_at == Delivery.due_at) & (earlier.id < Delivery.id)),
        )
    )
    return set(session.scalars(statement))
