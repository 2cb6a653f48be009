"""Calendar invitations to mailboxes that wish them and to which the ladder sends no notice.

A row of the outbox of its own kind, with all that protects a notice: one per mailbox and revision, withdrawn
and asked about like any other. It is not the notice: nobody counts as told by it, the audit looks past it, and
no channel follows when it fails. CANCEL goes to the mailboxes that had a REQUEST, and to no others. Mailboxes
that get the notice itself have the invitation in it (`notice_facts`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from channels.model import Channel
from outage_notify.domain.delivery import TOLD
from outage_notify.domain.notice import NoticeKind
from outage_notify.domain.outage import OutageState
from outage_notify.services.runtime import Runtime
from outage_notify.services.whom_to_tell import people, priority_of
from outage_notify.store import delivery_queries, invitation_queries, people_lookup
from outage_notify.store.delivery_queries import Planned
from outage_notify.store.delivery_tables import Notice
from outage_notify.store.invitation_queries import Invited
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import Customer

LIFE = timedelta(hours=24)


def invite(session: Session, rt: Runtime, outage: Outage, customers: Collection[int], now: datetime) -> int:
    """Plan what is missing for `customers` (row ids), at the time of their first notice; returns how many are
    new. Twice is once."""
    revision = outage.standing
    wishes = [one for one in invitation_queries.wishes(session, revision.id) if one.customer in customers]
    if not wishes:
        return 0
    served = invitation_queries.told_by_notice(session, outage.id, revision.number)
    wishes = [one for one in wishes if one.address not in served]
    due = invitation_queries.first_due(session, outage.id, revision.number)
    owners = people_lookup.customers_by_ref(session, {one.customer for one in wishes})
    planned = [
        _row(owners[one.customer], one.address, one.contact, due.get(one.customer, now)) for one in wishes
    ]
    if not planned:
        return 0
    notice = delivery_queries.ensure_notice(
        session,
        outage.id,
        revision.number,
        NoticeKind.INVITATION,
        now=now,
        deadline=revision.start,
        due_at=min(one.due_at for one in planned),
        not_after=revision.start,
    )
    return delivery_queries.insert_deliveries(session, notice, planned)


def uninvite(session: Session, rt: Runtime, outage: Outage, affected: Collection[int], now: datetime) -> int:
    """CANCEL to every mailbox that had a REQUEST and of whose owners nobody is in `affected` (row ids) any more;
    returns how many are new. Twice is once. Where a REQUEST is in doubt, `complete` follows when it is settled."""
    by_mailbox: dict[str, list[Invited]] = defaultdict(list)
    for one in invitation_queries.invited(session, outage.id):
        by_mailbox[one.address].append(one)
    if not by_mailbox:
        return 0
    gone = invitation_queries.taken_back(session, outage.id)
    owners = people_lookup.customers_by_ref(
        session, {one.customer for each in by_mailbox.values() for one in each}
    )
    planned: list[Planned] = []
    doubtful = False
    for address, mine in by_mailbox.items():
        if any(one.customer in affected for one in mine):
            continue
        if gone.get(address, 0) >= max(one.revision for one in mine):
            continue
        if any(one.state not in TOLD for one in mine):
            doubtful = True
            continue
        planned += [_row(owners[one.customer], address, one.contact, now) for one in mine]
    if not planned and not doubtful:
        return 0
    until = max(outage.standing.end, now + LIFE)
    notice = delivery_queries.ensure_notice(
        session,
        outage.id,
        outage.revision,
        NoticeKind.INVITATION_CANCELLED,
        now=now,
        deadline=now,
        due_at=now,
        not_after=until,
    )
    notice.not_after, notice.incomplete = max(notice.not_after, until), doubtful
    return delivery_queries.insert_deliveries(session, notice, planned)


def complete(session: Session, rt: Runtime, outage: Outage, notice: Notice, now: datetime) -> int:
    """The same once more, for REQUESTs that were in doubt; at each reconcile until none is."""
    notice.incomplete = False
    if notice.not_after <= now:
        return 0
    called_off = outage.state is OutageState.CANCELLED
    affected = () if called_off else people(session, rt, outage, outage.revision, bare=True).keys()
    return uninvite(session, rt, outage, affected, now)


def _row(customer: Customer, address: str, contact: int | None, due: datetime) -> Planned:
    return Planned(
        customer.id, Channel.EMAIL, address, contact, customer.language, priority_of(customer), due
    )
