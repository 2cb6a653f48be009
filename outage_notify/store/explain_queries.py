"""Everything on record about one customer and one outage."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delivery_tables import Attempt, Delivery, DeliveryRecipient
from outage_notify.store.people_tables import Customer, ServicePoint
from outage_notify.store.work_tables import Event, Task


def customer_by_id(session: Session, customer_id: str) -> Customer | None:
    return session.scalar(select(Customer).where(Customer.customer_id == customer_id))


def elements_of(session: Session, customer: int) -> Sequence[str]:
    """The loads that a customer hangs on."""
    return session.scalars(
        select(ServicePoint.element).where(ServicePoint.customer_ref == customer).distinct()
    ).all()


def deliveries(session: Session, outage: int, customer: int) -> Sequence[Delivery]:
    return session.scalars(
        select(Delivery)
        .join(DeliveryRecipient)
        .where(Delivery.outage_ref == outage, DeliveryRecipient.customer_ref == customer)
        .order_by(Delivery.id)
        .options(selectinload(Delivery.notice))
    ).all()


def attempts(session: Session, delivery: int) -> Sequence[Attempt]:
    return session.scalars(select(Attempt).where(Attempt.delivery_ref == delivery).order_by(Attempt.id)).all()


def acknowledgements(session: Session, outage: int, customer: int) -> Sequence[Acknowledgement]:
    return session.scalars(
        select(Acknowledgement)
        .where(Acknowledgement.outage_ref == outage, Acknowledgement.customer_ref == customer)
        .order_by(Acknowledgement.revision)
    ).all()


def events(session: Session, outage: int, customer: int) -> Sequence[Event]:
    return session.scalars(
        select(Event).where(Event.outage_ref == outage, Event.customer_ref == customer).order_by(Event.id)
    ).all()


def tasks(session: Session, outage: int, customer: int) -> Sequence[Task]:
    return session.scalars(
        select(Task).where(Task.outage_ref == outage, Task.customer_ref == customer).order_by(Task.id)
    ).all()
