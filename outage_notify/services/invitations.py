"""Calendar invitations by e-mail (iMIP), for mailboxes that wish them: asked for on the customer's page or at the desk.

An invitation is the notice's own e-mail with the event as REQUEST, once per revision, or as CANCEL. Leaves to
others: what is in it (`notice_facts`), mailboxes that the ladder passes over (`send_invitations`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.errors import NotFound
from outage_notify.services import feed_addresses, links
from outage_notify.services.runtime import Runtime
from outage_notify.services.sent_messages import recognisable
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store.people_tables import ContactPoint, Customer
from outage_notify.store.work_queries import record


@dataclass(frozen=True)
class Mailbox:
    """One e-mail contact of a customer: its address as far as its owner knows it again, and its wish."""

    contact: int
    address: str
    invited: bool


def mailboxes(customer: Customer) -> list[Mailbox]:
    """The mailboxes that notices may go to."""
    return [
        Mailbox(one.id, recognisable(one.channel, one.address), one.invitations)
        for one in customer.contacts
        if one.channel is Channel.EMAIL and one.usable
    ]


def wish_by_link(rt: Runtime, token: str, contact: int, wished: bool) -> None:
    """From the customer's own page. Raises BadToken."""
    ack_id = links.acknowledgement_of(rt, token)
    with rt.database.write() as session:
        ack = acks.fresh(session, ack_id)
        if ack is None:
            raise NotFound("There is no such notice.")
        _wish(session, rt, ack.customer_ref, contact, wished, "customer")


def wish_at_desk(rt: Runtime, by: str, customer_id: str, contact: int, wished: bool) -> None:
    """By the desk, for a customer that asked for it."""
    with rt.database.write() as session:
        _wish(session, rt, feed_addresses.customer(session, customer_id).id, contact, wished, by)


def _wish(session: Session, rt: Runtime, customer: int, contact: int, wished: bool, by: str) -> None:
    found = session.get(ContactPoint, contact)
    if found is None or found.customer_ref != customer or found.channel is not Channel.EMAIL:
        raise NotFound("There is no such mailbox.", "Load the page again.")
    if found.invitations != wished:
        found.invitations = wished
        what = "invitations_wished" if wished else "invitations_declined"
        record(session, rt.now(session), by, what, customer=customer, contact=contact)
