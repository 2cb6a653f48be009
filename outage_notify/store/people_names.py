"""Names and places of everybody who is present, read as a stream; `services.names_in_force` makes them one text."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from outage_notify.store.people_tables import Customer, ServicePoint

_BATCH = 20_000


def names(session: Session) -> Iterator[tuple[int, str]]:
    """(row id, name) of each customer who is not gone."""
    query = select(Customer.id, Customer.name).where(Customer.gone_at.is_(None))
    for row in session.execute(query.execution_options(yield_per=_BATCH)):
        yield row[0], row[1]


def places(session: Session) -> Iterator[tuple[int, str]]:
    """(row id of the customer, place) of each service point that is not gone."""
    query = (
        select(ServicePoint.customer_ref, ServicePoint.place)
        .where(ServicePoint.gone_at.is_(None))
        .order_by(ServicePoint.id)
    )
    for row in session.execute(query.execution_options(yield_per=_BATCH)):
        yield row[0], row[1]
