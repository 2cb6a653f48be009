"""Customers as rows in bulk: what is there, what comes new, what left.

Promises: identity stays (a customer, service point or contact that is in both imports
keeps its row id, its feed secret and its marks); nothing is deleted, what left is marked.
Leaves the decision what is new, changed or gone to `services.import_customers`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from outage_notify.domain.audience import Tier
from outage_notify.store import bulk
from outage_notify.store.database import Base
from outage_notify.store.people_tables import ContactPoint, Customer, GridManager, ServicePoint, Site

# Why a contact is not usable any more, when nobody but the import said so.
LEFT = "no longer in the customers' file"
# Fewer than the parameters that one statement may have on either database.
BATCH = 1_000

Row = TypeVar("Row", bound=Base)
Values = dict[str, Any]


def chunks(values: Sequence[Any], size: int = BATCH) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _where_in(
    session: Session, table: type[Row], column: InstrumentedAttribute[Any], keys: Collection[Any]
) -> Iterator[Any]:
    """Rows of `table` as plain tuples with column names, not as objects: an import reads all of them."""
    columns = list(table.__table__.columns)
    for some in chunks(list(keys)):
        yield from session.execute(select(*columns).where(column.in_(some)))


def customers_by_id(session: Session, customer_ids: Collection[str]) -> dict[str, Any]:
    return {row.customer_id: row for row in _where_in(session, Customer, Customer.customer_id, customer_ids)}


def service_points_by_id(session: Session, service_point_ids: Collection[str]) -> dict[str, Any]:
    rows = _where_in(session, ServicePoint, ServicePoint.service_point_id, service_point_ids)
    return {row.service_point_id: row for row in rows}


def sites_of(session: Session, customers: Collection[int]) -> dict[tuple[int, str], int]:
    """(customer row, site_id) to the site's row id."""
    rows = _where_in(session, Site, Site.customer_ref, customers)
    return {(row.customer_ref, row.site_id): row.id for row in rows}


def contacts_of(session: Session, customers: Collection[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in _where_in(session, ContactPoint, ContactPoint.customer_ref, customers):
        found.setdefault(row.customer_ref, []).append(row)
    return found


def insert_rows(session: Session, table: type[Base], rows: Sequence[Values]) -> list[int]:
    """Insert and return the new ids in the order of `rows`."""
    if not rows:
        return []
    ids = bulk.new_ids(session, table, len(rows))
    bulk.insert_rows(session, table, [{"id": number, **row} for number, row in zip(ids, rows, strict=True)])
    return ids


def nobody_yet(session: Session) -> bool:
    """Whether there never was a customer, so that nothing need be looked for."""
    return not any(
        session.execute(select(table.id).limit(1)).first()
        for table in (Customer, Site, ServicePoint, ContactPoint, GridManager)
    )


def update_rows(session: Session, table: type[Base], rows: Sequence[Values]) -> None:
    """Update by primary key; each dict holds `id` and what changes (the same columns in all of `rows`)."""
    for some in chunks(rows):
        session.execute(update(table), list(some))


def present_customers(session: Session) -> Iterator[list[tuple[int, str]]]:
    """(row id, customer_id) of customers that have not left, in batches."""
    yield from _present(session, Customer.id, Customer.customer_id, Customer.gone_at)


def present_service_points(session: Session) -> Iterator[list[tuple[int, str]]]:
    yield from _present(session, ServicePoint.id, ServicePoint.service_point_id, ServicePoint.gone_at)


def _present(
    session: Session,
    row_id: InstrumentedAttribute[int],
    name: InstrumentedAttribute[str],
    gone_at: InstrumentedAttribute[datetime | None],
) -> Iterator[list[tuple[int, str]]]:
    last = 0
    while True:
        query = select(row_id, name).where(gone_at.is_(None), row_id > last).order_by(row_id).limit(BATCH)
        batch = [(number, word) for number, word in session.execute(query)]
        if not batch:
            return
        last = batch[-1][0]
        yield batch


def mark_gone(
    session: Session, table: type[Customer] | type[ServicePoint], ids: Sequence[int], at: datetime
) -> None:
    for some in chunks(ids):
        session.execute(update(table).where(table.id.in_(some)).values(gone_at=at))


def points_by_tier(session: Session, service_points: Sequence[int]) -> dict[str, int]:
    """How many of these service points (row ids) belong to customers of each tier; highest first, none left out."""
    found: dict[str, int] = {}
    for some in chunks(service_points):
        query = (
            select(Customer.tier, func.count())
            .join(ServicePoint, ServicePoint.customer_ref == Customer.id)
            .where(ServicePoint.id.in_(some))
            .group_by(Customer.tier)
        )
        for tier, count in session.execute(query):
            found[tier.value] = found.get(tier.value, 0) + count
    return {tier.value: found[tier.value] for tier in Tier if tier.value in found}


def count_present(session: Session) -> Mapping[str, int]:
    """Customers and service points that have not left."""
    customers = select(func.count()).select_from(Customer).where(Customer.gone_at.is_(None))
    points = select(func.count()).select_from(ServicePoint).where(ServicePoint.gone_at.is_(None))
    return {
        "customers": session.execute(customers).scalar_one(),
        "service_points": session.execute(points).scalar_one(),
    }
