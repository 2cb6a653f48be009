"""Customers as the desk looks them up: the key ones by name or identifier, and one of them whole."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, selectinload

from outage_notify.domain.audience import KEY_TIERS
from outage_notify.store.network_queries import current_version
from outage_notify.store.network_tables import NetworkElement
from outage_notify.store.people_tables import Customer, ServicePoint


def key_customers(session: Session, words: str, most: int) -> list[Customer]:
    """Key customers that are still supplied and whose name or identifier holds `words`; by name."""
    statement = (
        select(Customer)
        .where(_is_key(), Customer.gone_at.is_(None))
        .order_by(Customer.name, Customer.id)
        .limit(most)
    )
    if words:
        statement = statement.where(
            or_(
                Customer.name.icontains(words, autoescape=True),
                Customer.customer_id.icontains(words, autoescape=True),
            )
        )
    return list(session.scalars(statement))


def whole_customer(session: Session, customer_id: str) -> Customer | None:
    """One customer with contacts, service points, their sites and grid managers."""
    return session.scalar(
        select(Customer)
        .where(Customer.customer_id == customer_id)
        .options(
            selectinload(Customer.contacts),
            selectinload(Customer.service_points).options(
                selectinload(ServicePoint.site), selectinload(ServicePoint.grid_manager)
            ),
        )
    )


def feeders_of(session: Session, elements: Collection[str]) -> dict[str, str]:
    """Element (such as load:7) to the feeder that it normally hangs on, in the network in force; what hangs on none is
    left out."""
    version = current_version(session)
    pairs = [tuple(one.split(":", 1)) for one in elements if ":" in one]
    if version is None or not pairs:
        return {}
    statement = select(NetworkElement.kind, NetworkElement.source_id, NetworkElement.feeder).where(
        NetworkElement.version_ref == version.id,
        NetworkElement.kind.in_({kind for kind, _ in pairs}),
        NetworkElement.source_id.in_({number for _, number in pairs}),
        NetworkElement.feeder.is_not(None),
    )
    found = {f"{kind}:{number}": feeder for kind, number, feeder in session.execute(statement) if feeder}
    return {one: found[one] for one in elements if one in found}


def _is_key() -> ColumnElement[bool]:
    return or_(Customer.tier.in_(sorted(KEY_TIERS)), Customer.life_support)
