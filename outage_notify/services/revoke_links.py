"""Take back the links to sign that are out: sent to a wrong person, seen by a stranger.

Promises: from then on every link to sign that this customer was sent, and every one that was passed on, is refused like
one that never was; what was signed stands; the next message carries a new link. Leaves to others: sending one
(`resend_notice`).
"""

from __future__ import annotations

from sqlalchemy import select, update

from outage_notify.domain.acknowledgement import AckState
from outage_notify.services import feed_addresses
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delegation_tables import Delegation
from outage_notify.store.work_queries import record


def revoke_links(rt: Runtime, by: str, customer_id: str) -> int:
    """Revoke all links of a customer; how many requests that concerned. Called twice, the second revokes what was sent
    between the two."""
    with rt.database.write() as session:
        customer, now = feed_addresses.customer(session, customer_id), rt.now(session)
        mine = (Acknowledgement.customer_ref == customer.id, Acknowledgement.state != AckState.SUPERSEDED)
        statement = update(Acknowledgement).where(*mine)
        statement = statement.values(link_serial=Acknowledgement.link_serial + 1)
        concerned = list(session.scalars(statement.returning(Acknowledgement.id)))
        passed_on = select(Acknowledgement.id).where(Acknowledgement.customer_ref == customer.id)
        session.execute(
            update(Delegation)
            .where(Delegation.acknowledgement_ref.in_(passed_on), Delegation.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        record(session, now, by, "links_revoked", customer=customer.id, count=len(concerned))
        return len(concerned)
