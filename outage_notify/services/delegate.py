"""Pass the answer on to a colleague: a link of its own for one notice, named from whom to whom, revocable.

Promises: the receipt of an answer by such a link names both; the link ends with the notice's own, with a new
revision, and as soon as it is revoked. Leaves to others: sending it, where the giver does not do so himself
(`send_passed_on`).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from channels.model import Language
from outage_notify.domain.acknowledgement import AckState, ack_predecessors
from outage_notify.domain.errors import IllegalMove, InvalidInput
from outage_notify.services import links, send_passed_on
from outage_notify.services.notice_facts import LINK_LIFE_AFTER_END
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement
from outage_notify.store.delegation_tables import Delegation
from outage_notify.store.outage_tables import OutageRevision
from outage_notify.store.work_queries import record

_MOST = 10


def pass_on(
    rt: Runtime,
    token: str,
    given_by: str,
    given_to: str,
    send_to: str = "",
    language: Language = Language.EN,
) -> str:
    """A link for a colleague, whole. By the customer's own link only: a link that was passed on goes no further.

    `send_to`: a mobile number or a mailbox to which we send it, in `language`. Called twice with the same names it
    is the same link, sent once to each address. InvalidInput: nothing was made and nothing is sent.
    """
    ack_id = links.acknowledgement_of(rt, token)
    given_by, given_to = _name(given_by, "Your name"), _name(given_to, "The colleague's name")
    with rt.database.write() as session:
        ack, now = session.get_one(Acknowledgement, ack_id), rt.now(session)
        if ack.state not in ack_predecessors(AckState.ACKNOWLEDGED) or ack.revision != ack.outage.revision:
            raise IllegalMove("There is nothing to answer here any more.", "Reload to see how it stands.")
        standing = [one for one in given(session, ack_id) if one.revoked_at is None]
        names = (given_by, given_to)
        found = next((one for one in standing if (one.given_by, one.given_to) == names), None)
        if found is None:
            found = _add(session, ack, len(standing), names, now)
        if send_to.strip():
            revision = _revision(ack)
            send_passed_on.send(session, rt, ack, revision, found, send_to, language, now)
        return address(rt, found, ack)


def revoke(rt: Runtime, token: str, delegation: int) -> None:
    """Take a link back. Twice is once; of another notice it does nothing."""
    ack_id = links.acknowledgement_of(rt, token)
    with rt.database.write() as session:
        found, now = session.get(Delegation, delegation), rt.now(session)
        if found is None or found.acknowledgement_ref != ack_id or found.revoked_at is not None:
            return
        found.revoked_at = now
        send_passed_on.withdraw(session, found, now)
        ack = session.get_one(Acknowledgement, ack_id)
        about = {"outage": ack.outage_ref, "customer": ack.customer_ref}
        record(session, now, "customer", "delegation_revoked", **about, delegation=found.id)


def given(session: Session, ack: int) -> list[Delegation]:
    """What was passed on of one notice, oldest first."""
    statement = select(Delegation).where(Delegation.acknowledgement_ref == ack).order_by(Delegation.id)
    return list(session.scalars(statement))


def address(rt: Runtime, delegation: Delegation, ack: Acknowledgement) -> str:
    """The colleague's link: it holds as long as the notice's own."""
    expires = _revision(ack).end + LINK_LIFE_AFTER_END
    return f"{rt.settings.base_url}/s/{rt.link_token(links.DELEGATE, delegation.id, expires)}"


def in_receipt(delegation: Delegation | None) -> dict[str, str]:
    """What the receipt says of it."""
    if delegation is None:
        return {}
    return {"delegated_by": delegation.given_by, "delegated_to": delegation.given_to}


def _revision(ack: Acknowledgement) -> OutageRevision:
    return next(one for one in ack.outage.revisions if one.number == ack.revision)


def _add(
    session: Session, ack: Acknowledgement, standing: int, names: tuple[str, str], now: datetime
) -> Delegation:
    if standing >= _MOST:
        raise InvalidInput(f"This notice was passed on {_MOST} times.", "Take one of the links back first.")
    found = Delegation(acknowledgement_ref=ack.id, given_by=names[0], given_to=names[1], created_at=now)
    session.add(found)
    session.flush()
    about = {"outage": ack.outage_ref, "customer": ack.customer_ref}
    record(session, now, "customer", "delegated", **about, delegation=found.id, revision=ack.revision)
    return found


def _name(text: str, what: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= 200 or not name.isprintable():
        raise InvalidInput(f"{what} is empty or too long.", "Fill in both names.")
    return name
