"""Keys of customers' own: by name, of a customer, those that wait for the utility."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from outage_notify.domain.acknowledgement import AckState
from outage_notify.domain.outage import OutageState
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.outage_tables import Outage
from outage_notify.store.own_key_tables import OwnKey
from outage_notify.store.people_tables import Customer


def keys_of(session: Session, customer: int) -> list[OwnKey]:
    """All keys of a customer, also revoked ones, oldest first."""
    return list(session.scalars(select(OwnKey).where(OwnKey.customer_ref == customer).order_by(OwnKey.id)))


def key_by_name(session: Session, name: str) -> OwnKey | None:
    return session.scalar(select(OwnKey).where(OwnKey.name == name).options(joinedload(OwnKey.customer)))


def customers_with_waiting_keys(session: Session) -> Sequence[Customer]:
    """Customers who registered a key that nobody has confirmed or revoked yet."""
    waiting = select(OwnKey.customer_ref).where(OwnKey.confirmed_at.is_(None), OwnKey.revoked_at.is_(None))
    return session.scalars(select(Customer).where(Customer.id.in_(waiting)).order_by(Customer.name)).all()


def count_use(session: Session, key: int, before: int, after: int) -> bool:
    """Raise the counter of a passkey from `before`; False if somebody else used it meanwhile."""
    statement = (
        update(OwnKey)
        .where(OwnKey.id == key, OwnKey.counter == before, OwnKey.revoked_at.is_(None))
        .values(counter=after)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(statement.returning(OwnKey.id)).all()) == 1


def asked_of_customer(session: Session, customer: int) -> list[Acknowledgement]:
    """What a customer is asked to answer: standing revisions of outages ahead or under way."""
    statement = (
        select(Acknowledgement)
        .join(Acknowledgement.outage)
        .where(
            Acknowledgement.customer_ref == customer,
            Acknowledgement.revision == Outage.revision,
            Acknowledgement.state.not_in([AckState.SUPERSEDED, AckState.UNREACHED]),
            Outage.state.in_([OutageState.APPROVED, OutageState.ACTIVE]),
        )
        .order_by(Acknowledgement.id)
    )
    return list(session.scalars(statement))


def asked_about(session: Session, customer: int, reference: str, revision: int) -> Acknowledgement | None:
    """The acknowledgement asked of a customer for one revision of an outage."""
    return session.scalar(
        select(Acknowledgement)
        .join(Acknowledgement.outage)
        .where(
            Acknowledgement.customer_ref == customer,
            Outage.reference == reference,
            Acknowledgement.revision == revision,
        )
        .execution_options(populate_existing=True)
    )
