"""Send the link that was passed on to a colleague, where its giver wishes that we do.

A row of the outbox of its own kind, with all that protects a notice: written with the link in one transaction,
sent once, asked about in doubt, withdrawn when the link is taken back or the notice answered. It is not the
notice: nobody counts as told by it, the audit looks past it, and no channel follows when it fails; the giver sees
on the page how far it came and may send the link by hand.

It can't be made a relay for other people's words. The text is ours; of the giver there are two names in it, of
letters alone. It goes out for a notice that waits for an answer, by the link to which its customer was asked;
`A_DAY` times a day for a customer, `THERE_A_DAY` to one address, to no number of another country, and to no address
whose owner wished none. The address is taken off the row some time after the outage, with those of followers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from channels.model import Channel, Language
from outage_notify.domain.delivery import DeliveryState
from outage_notify.domain.errors import InvalidInput
from outage_notify.domain.notice import NoticeKind
from outage_notify.services.follow import address_of
from outage_notify.services.read_reply import Verdict
from outage_notify.services.runtime import Runtime
from outage_notify.services.sent_messages import recognisable
from outage_notify.services.whom_to_tell import priority_of
from outage_notify.store import claims, delivery_queries, passed_on_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delegation_tables import Delegation
from outage_notify.store.delivery_queries import Planned
from outage_notify.store.outage_tables import OutageRevision
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import record

A_DAY, THERE_A_DAY = 6, 3
LONGEST_NAME = 60
# Nearer than this to the outage a colleague is written to at night as well.
SOON = timedelta(hours=24)
# A full stop only before a blank or at the end: nothing that a telephone would make a link of.
_NAME = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f]|[ \-'’·,，()（）]|\.(?=\s|$))+")
_BY_HAND = "Leave the field empty, then copy the link and send it yourself."


@dataclass(frozen=True)
class SentLink:
    """One message with a link: to whom, as far as its giver knows the address again, and how far it came."""

    channel: Channel
    to: str
    state: DeliveryState
    at: datetime


def send(
    session: Session,
    rt: Runtime,
    ack: Acknowledgement,
    revision: OutageRevision,
    delegation: Delegation,
    written: str,
    language: Language,
    now: datetime,
) -> None:
    """Plan the message to `written`, a mobile number or a mailbox; InvalidInput if it must not go there.

    Part of the transaction that makes the link. Twice to one address is once.
    """
    channel, address = address_of(rt, written)
    if channel not in rt.senders:
        raise InvalidInput("We don't send by this way.", "Give the other one: e-mail or mobile number.")
    for name in (delegation.given_by, delegation.given_to):
        if len(name) > LONGEST_NAME or _NAME.fullmatch(name) is None:
            raise InvalidInput(
                "We send names of at most 60 letters.",
                "Write both names without numbers, addresses and signs.",
            )
    there = [one.address for one in passed_on_queries.sent_of(session, delegation)]
    if address in there:
        return
    # One after the other for a customer, so that what is counted stands.
    session.get_one(Customer, ack.customer_ref, with_for_update={"key_share": True})
    day = now - timedelta(days=1)
    mine, theirs = passed_on_queries.sent_since(session, day, ack.customer_ref, channel, address)
    if mine >= A_DAY:
        raise InvalidInput("We have sent as many links for you today as we send in a day.", _BY_HAND)
    refusals = (Verdict.OPTED_OUT.value, Verdict.OPTED_IN.value)
    # Who asks is not told which of the two it is: addresses of others can't be probed.
    if theirs >= THERE_A_DAY or passed_on_queries.unwilling(session, channel, address, refusals):
        raise InvalidInput("We can't send to this address now.", _BY_HAND)
    until = revision.start if now < revision.start else revision.end
    notice = delivery_queries.ensure_notice(
        session,
        ack.outage_ref,
        ack.revision,
        NoticeKind.PASSED_ON,
        now=now,
        deadline=until,
        due_at=now,
        not_after=until,
        serial=delegation.id,
        facts={
            "delegation": str(delegation.id),
            "given_by": delegation.given_by,
            "given_to": delegation.given_to,
        },
    )
    planned = Planned(
        ack.customer_ref,
        channel,
        address,
        None,
        language,
        priority_of(ack.customer),
        now,
        urgent=revision.start - now < SOON,
    )
    delivery_queries.insert_deliveries(session, notice, [planned], paused=ack.outage.pending is not None)
    about = {"outage": ack.outage_ref, "customer": ack.customer_ref}
    record(
        session, now, "customer", "delegation_sent", **about, delegation=delegation.id, channel=channel.value
    )


def withdraw(session: Session, delegation: Delegation, now: datetime) -> None:
    """The link was taken back: what waits does not go out. What is on its way can't be stopped; it opens nothing."""
    for one in passed_on_queries.unsent_of(session, delegation):
        claims.withdraw(session, one, now, "link taken back", DeliveryState.READY)


def shown(session: Session, delegation: Delegation) -> Sequence[SentLink]:
    """For the giver's page."""
    return [
        SentLink(
            one.channel,
            recognisable(one.channel, one.address),
            one.state,
            one.delivered_at or one.accepted_at or one.ended_at or one.due_at,
        )
        for one in passed_on_queries.sent_of(session, delegation)
    ]
