"""Sends a notice again, to one customer who asks for it: the same facts under a raised serial.

Whoever was never told of the standing revision gets the ordinary notices, not this. Nothing is sent
again while something is still under way to the same customer.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain import ladder
from outage_notify.domain.delivery import UNSENT, UNSETTLED
from outage_notify.domain.errors import Conflict, IllegalMove, NotFound
from outage_notify.domain.ladder import Target
from outage_notify.domain.notice import BESIDE, NoticeKind
from outage_notify.domain.own_steps import MOST_STEPS
from outage_notify.services.plan_outage import changing
from outage_notify.services.runtime import Runtime
from outage_notify.services.whom_to_tell import contacts_of, priority_of
from outage_notify.store import delivery_queries, explain_queries, user_lookup
from outage_notify.store.delivery_queries import Planned
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer
from outage_notify.store.user_tables import Role
from outage_notify.store.work_queries import record


def resend(rt: Runtime, by: str, reference: str, customer_id: str, channel: Channel | None = None) -> int:
    """Send the newest notice of the standing revision again, at once. Returns how many messages.

    `channel`: by this one alone; otherwise by the first rung of the customer's ladder. Called twice:
    Conflict until the first is out.
    """
    with changing(rt, reference) as (session, outage, now):
        user_lookup.require(session, by, Role.DESK)
        customer = explain_queries.customer_by_id(session, customer_id)
        if customer is None:
            raise NotFound(f"There is no customer {customer_id!r}.", "Search again.")
        if outage.pending is not None:
            raise IllegalMove(f"{reference} is being revised.", "Wait until that is decided.")
        mine = [
            one
            for one in explain_queries.deliveries(session, outage.id, customer.id)
            if one.revision == outage.revision and one.notice.kind not in {NoticeKind.REMINDER, *BESIDE}
        ]
        if any(one.state in UNSETTLED or (one.state in UNSENT and one.due_at <= now) for one in mine):
            raise Conflict("A message to this customer is on its way already.", "Look again in a minute.")
        out = [one for one in mine if one.state not in UNSENT]
        if not out:
            raise IllegalMove(
                f"Nothing of {reference} was sent to this customer yet.", "It goes out when it is due."
            )
        last = max(out, key=lambda one: (one.notice.created_at, one.notice.id)).notice
        if last.not_after <= now:
            raise IllegalMove(
                f"The last notice of {reference} is out of date.", "Tell the customer on the phone."
            )
        targets = _targets(rt, customer, channel)
        if not targets:
            raise IllegalMove("There is no usable address for that.", "Correct the contact first.")
        notice = delivery_queries.ensure_notice(
            session,
            outage.id,
            outage.revision,
            last.kind,
            now=now,
            deadline=now,
            due_at=now,
            not_after=last.not_after,
            serial=_serial(session, outage, last.kind),
            facts=last.facts,
        )
        planned = [
            Planned(
                customer.id,
                one.channel,
                one.contact.address,
                one.contact.id,
                customer.language,
                priority_of(customer),
                now,
                urgent=True,
            )
            for one in targets
        ]
        sent = delivery_queries.insert_deliveries(session, notice, planned)
        record(session, now, by, "sent_again", outage=outage.id, customer=customer.id, serial=notice.serial)
        return sent


def _serial(session: Session, outage: Outage, kind: NoticeKind) -> int:
    """The next one; beyond the utility's own steps, whose numbers are serials too."""
    following = delivery_queries.next_serial(session, outage.id, outage.revision, kind)
    return max(following, MOST_STEPS + 1) if kind is NoticeKind.AGAIN else following


def _targets(rt: Runtime, customer: Customer, channel: Channel | None) -> list[Target]:
    contacts = contacts_of(customer)
    if channel is not None:
        usable = [one for one in contacts if one.usable and one.channel is channel and not one.backup]
        return [Target(channel, one) for one in usable]
    steps = rt.policy.ladder_for(customer.tier, customer.life_support, customer.vulnerable)
    return [one for one in ladder.first(steps, contacts) if one.channel is not Channel.LETTER]
