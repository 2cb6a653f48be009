"""Which calls went to a number: a call carries no reference by which its provider's list would tell it apart."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, literal_column, select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.delivery import UNSETTLED, DeliveryState
from outage_notify.store.claims import UNHEARD
from outage_notify.store.delivery_tables import Attempt, Delivery

# Spelled out, so that the index of calls by number may be used.
CALLS = Delivery.channel == literal_column(f"'{Channel.VOICE.value}'")
# Calls that were taken and of which the end is not known yet: they may ring in vain, or end without our words.
UNENDED = and_(CALLS, Delivery.state == DeliveryState.ACCEPTED, Delivery.next_check_at.is_not(None))


def known_calls(session: Session, numbers: Collection[str]) -> dict[str, frozenset[str]]:
    """By number the provider's ids of the calls to it that are known to be ours, those that told nobody too."""
    if not numbers:
        return {}
    to_these = (CALLS, Delivery.address.in_(numbers))
    settled = select(Delivery.address, Delivery.provider_id).where(*to_these)
    unheard = (
        select(Delivery.address, Attempt.provider_id)
        .join(Attempt, Attempt.delivery_ref == Delivery.id)
        .where(*to_these, Attempt.outcome == UNHEARD)
    )
    found: dict[str, set[str]] = {one: set() for one in numbers}
    for statement in (settled, unheard):
        for number, provider_id in session.execute(statement):
            if provider_id:
                found[number].add(provider_id)
    return {number: frozenset(ids) for number, ids in found.items()}


def unheard_calls(session: Session, address: str, channel: Channel) -> frozenset[str]:
    """Provider ids of the calls to a number that ended without our words."""
    statement = (
        select(Attempt.provider_id)
        .join(Delivery, Attempt.delivery_ref == Delivery.id)
        .where(CALLS, Delivery.address == address, Attempt.outcome == UNHEARD)
    )
    return frozenset(session.scalars(statement)) if channel is Channel.VOICE else frozenset()


def rivals(session: Session, delivery: Delivery) -> list[DeliveryState]:
    """States of the other calls to the same number that are under way or in doubt.

    A call carries no reference: what is seen at the provider may be theirs. A text or a mail does.
    """
    if delivery.channel is not Channel.VOICE:
        return []
    return list(
        session.scalars(
            select(Delivery.state).where(
                CALLS,
                Delivery.address == delivery.address,
                Delivery.id != delivery.id,
                Delivery.state.in_(UNSETTLED),
            )
        )
    )
