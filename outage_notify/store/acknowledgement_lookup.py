"""Which acknowledgement a text asks for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from outage_notify.store.acknowledgement_tables import Acknowledgement


def asked_of(session: Session, outage: int, revision: int, customer: int) -> int | None:
    """The id of the acknowledgement asked of a customer for a revision."""
    return session.scalar(
        select(Acknowledgement.id).where(
            Acknowledgement.outage_ref == outage,
            Acknowledgement.revision == revision,
            Acknowledgement.customer_ref == customer,
        )
    )
