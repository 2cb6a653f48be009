"""When a channel lets a message wait until its deadline is near, the next channel carries it.

A provider that says "later" again and again, or a sender that is down with nobody standing in, burns nothing: the
rows wait. The law does not. A message that surely never left is withdrawn and the next rung of its ladder
is tried, as if it had failed; where the ladder has nothing that could be quicker, it goes on waiting. Called twice,
or by a worker that dies midway: the guarded withdrawal and the new rows are one transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.delivery import DeliveryState
from outage_notify.services import stand_in
from outage_notify.services.runtime import Runtime
from outage_notify.services.settle import next_channels, step_ladder
from outage_notify.store import claims, delivery_queries, people_lookup, stuck_queries
from outage_notify.store.delivery_tables import Delivery

# A sender that is down for less may be back at once.
DOWN_FOR = timedelta(minutes=5)
WHY = "little time is left and the channel does not take it"


def hurry(rt: Runtime) -> int:
    """One look; how many messages by the next channel are new."""
    new = 0
    with rt.database.write() as session:
        now = rt.now(session)
        stopped = {one for one in rt.senders if stand_in.down_for(session, rt, one, now) >= DOWN_FOR}
        ids = stuck_queries.stuck(session, stopped, now, now + rt.policy.wave_margin)
        if ids:
            claims.hold(session, ids)
        for delivery in delivery_queries.with_recipients(session, ids):
            if _another_is_quicker(session, rt, delivery, stopped, now) and claims.withdraw(
                session, delivery.id, now, WHY, DeliveryState.READY
            ):
                session.refresh(delivery)
                new += step_ladder(session, rt, delivery, now)
    return new


def _another_is_quicker(
    session: Session, rt: Runtime, delivery: Delivery, stopped: Collection[Channel], now: datetime
) -> bool:
    """Whether everybody whom it tells has a next channel that is there at once."""
    slow = {Channel.LETTER, delivery.channel, *stopped}
    customers = people_lookup.customers_by_ref(session, [one.customer_ref for one in delivery.recipients])
    return bool(customers) and all(
        next_channels(session, rt, delivery, one, now) - slow for one in customers.values()
    )
