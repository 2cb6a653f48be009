"""Customers by their row, with contacts; and the grid manager who is responsible for one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import BigInteger, select
from sqlalchemy.orm import Session, selectinload

from channels.model import Channel
from outage_notify.store.feed_lookup import listed
from outage_notify.store.people_tables import ContactPoint, Customer, ServicePoint
from outage_notify.store.plan_tables import CustomerPlanRow

_CHUNK = 500


def customers_by_ref(session: Session, refs: Iterable[int]) -> dict[int, Customer]:
    """Customers with their contacts."""
    wanted = list(refs)
    found: dict[int, Customer] = {}
    for at in range(0, len(wanted), _CHUNK):
        rows = session.scalars(
            select(Customer)
            .where(Customer.id.in_(wanted[at : at + _CHUNK]))
            .options(selectinload(Customer.contacts))
        )
        found.update({one.id: one for one in rows})
    return found


def plans_of(session: Session, customers: Collection[int]) -> list[CustomerPlanRow]:
    """The plans of those of these customers who have one, by customer."""
    if not customers:
        return []
    wanted = CustomerPlanRow.customer_ref.in_(listed(session, list(customers), BigInteger()))
    return list(session.scalars(select(CustomerPlanRow).where(wanted).order_by(CustomerPlanRow.customer_ref)))


def grid_manager_of(session: Session, customer: int) -> int | None:
    """The grid manager of the customer's first place that has one."""
    return session.scalar(
        select(ServicePoint.grid_manager_ref)
        .where(ServicePoint.customer_ref == customer, ServicePoint.grid_manager_ref.is_not(None))
        .order_by(ServicePoint.id)
        .limit(1)
    )


def contacts_at(session: Session, channel: Channel, address: str) -> list[ContactPoint]:
    """Everybody's contact at one address: a family shares a telephone."""
    statement = select(ContactPoint).where(ContactPoint.address == address, ContactPoint.channel == channel)
    return list(session.scalars(statement.order_by(ContactPoint.id)))
