"""Telephone numbers of everybody, as two columns; `services.numbers_in_force` arranges them by their ends.

Leaves to it which rows a column may lack: new numbers of single customers, which are asked for here.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Integer, String, cast, func, select
from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.store.people_tables import ContactPoint

_SPOKEN = (Channel.SMS, Channel.VOICE)


def newest(session: Session) -> int:
    """Row id of the newest contact; 0 where there is none."""
    return session.scalar(select(func.max(ContactPoint.id))) or 0


def numbers(session: Session) -> tuple[list[str], list[str]]:
    """(row ids of the customers, their numbers), in one order."""
    owner = cast(cast(ContactPoint.customer_ref, Integer), String)
    joined = [func.aggregate_strings(one, ",") for one in (owner, ContactPoint.address)]
    row = session.execute(select(*joined).where(ContactPoint.channel.in_(_SPOKEN))).one()
    owners, addresses = row[0], row[1]
    return (owners.split(","), addresses.split(",")) if owners else ([], [])


def ending_since(session: Session, digits: str, after: int) -> list[int]:
    """Customers with a contact newer than row `after` whose address ends in these digits."""
    found = (
        select(ContactPoint.customer_ref)
        .distinct()
        .where(ContactPoint.id > after, ContactPoint.address.endswith(digits, autoescape=True))
    )
    return list(session.scalars(found))


def still_ending(session: Session, customers: Collection[int], digits: str) -> list[int]:
    """Those of these customers who have a number with this end."""
    found = (
        select(ContactPoint.customer_ref)
        .distinct()
        .where(
            ContactPoint.customer_ref.in_(customers),
            ContactPoint.channel.in_(_SPOKEN),
            ContactPoint.address.endswith(digits, autoescape=True),
        )
    )
    return list(session.scalars(found))
