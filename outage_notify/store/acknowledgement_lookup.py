"""Which acknowledgement a text asks for."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from outage_notify.store.acknowledgement_tables import Acknowledgement, link_subject


def asked_of(session: Session, outage: int, revision: int, customer: int) -> int | None:
    """What a link names to the acknowledgement asked of a customer for a revision; None if it was not asked for."""
    row = session.execute(
        select(Acknowledgement.id, Acknowledgement.link_serial).where(
            Acknowledgement.outage_ref == outage,
            Acknowledgement.revision == revision,
            Acknowledgement.customer_ref == customer,
        )
    ).first()
    return link_subject(row[0], row[1]) if row is not None else None
