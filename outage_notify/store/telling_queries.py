"""How far everybody of one revision has been told, counted in customers: each once, by the best that became of them."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from outage_notify.domain.delivery import TOLD, UNSENT, UNSETTLED
from outage_notify.domain.notice import BESIDE
from outage_notify.store.delivery_tables import Delivery, DeliveryRecipient, Notice


class Reach(IntEnum):
    """The better one counts."""

    NOT_REACHED = 1  # all that was sent to them failed or was withdrawn
    WAITING = 2
    ON_THE_WAY = 3  # a call is made, or its answer was lost
    TOLD = 4


_REACH = case(
    (Delivery.state.in_(TOLD), Reach.TOLD.value),
    (Delivery.state.in_(UNSETTLED), Reach.ON_THE_WAY.value),
    (Delivery.state.in_(UNSENT), Reach.WAITING.value),
    else_=Reach.NOT_REACHED.value,
)


def customers_by_reach(session: Session, outage: int, revision: int) -> dict[Reach, int]:
    """Customers of one revision by what became of its notices; whoever has none at all is not counted."""
    each = (
        select(func.max(_REACH).label("reach"))
        .select_from(DeliveryRecipient)
        .join(Delivery, DeliveryRecipient.delivery_ref == Delivery.id)
        .join(Notice, Delivery.notice_ref == Notice.id)
        .where(
            Delivery.outage_ref == outage, Delivery.revision == revision, Notice.kind.not_in(tuple(BESIDE))
        )
        .group_by(DeliveryRecipient.customer_ref)
        .subquery()
    )
    rows = session.execute(select(each.c.reach, func.count()).group_by(each.c.reach))
    found = dict.fromkeys(Reach, 0)
    for reach, count in rows:
        found[Reach(reach)] = count
    return found
