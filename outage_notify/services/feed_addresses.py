"""Secret addresses of a customer's calendar: hand one out, rotate, revoke.

Promises: of every address but the customer's current one only the hash is kept, so that it can be shown once and
never again; after a rotation the earlier address opens the feed for `GRACE` longer, so that nobody's
subscription breaks unseen; a revoked one opens nothing from the next poll on, and looks like one that never was.
No secret reaches an event or a log line.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services.runtime import Runtime
from outage_notify.store import feed_queries
from outage_notify.store.feed_tables import FeedAddress
from outage_notify.store.people_tables import Customer
from outage_notify.store.work_queries import record

GRACE = timedelta(days=30)
_MOST = 50


@dataclass(frozen=True)
class Address:
    """One further address; `holds`: it opens the feed now."""

    id: int
    label: str
    created_at: datetime
    ends_at: datetime | None
    holds: bool


def new_secret() -> str:
    """128 random bits, in characters that survive every calendar program."""
    return secrets.token_hex(16)


def listing(rt: Runtime, customer_id: str) -> tuple[Address, ...]:
    """The further addresses of a customer's feed, oldest first."""
    with rt.database.read() as session:
        now = rt.now(session)
        return tuple(
            Address(one.id, one.label, one.created_at, one.ends_at, _holds(one, now))
            for one in feed_queries.addresses_of(session, customer(session, customer_id).id)
        )


def rotate(rt: Runtime, by: str, customer_id: str, grace: timedelta = GRACE) -> str:
    """Give the feed a new current address and return it; the earlier one holds for `grace` longer.

    Called twice it rotates twice; both earlier ones hold. If it dies midway nothing has changed.
    """
    with rt.database.write() as session:
        one, now = customer(session, customer_id), rt.now(session)
        if grace > timedelta(0):
            earlier = feed_queries.secret_sha256(one.feed_secret)
            _add(session, one, earlier, "", now, now + grace)
        one.feed_secret = new_secret()
        record(session, now, by, "feed_rotated", customer=one.id, grace_days=grace.days)
        return _url(rt, one.feed_secret)


def hand_out(rt: Runtime, by: str, customer_id: str, label: str) -> str:
    """An address of its own for one person, which can be revoked alone. It is shown this once."""
    label = " ".join(label.split())
    if not 0 < len(label) <= 200 or not label.isprintable():
        raise InvalidInput("An address needs to say whose it is.", "Use 1 to 200 characters.")
    secret = new_secret()
    with rt.database.write() as session:
        one, now = customer(session, customer_id), rt.now(session)
        holding = [a for a in feed_queries.addresses_of(session, one.id) if _holds(a, now)]
        if len(holding) >= _MOST:
            raise InvalidInput(f"There are {_MOST} addresses already.", "Revoke one that is not used.")
        _add(session, one, feed_queries.secret_sha256(secret), label, now, None)
        record(session, now, by, "feed_address_added", customer=one.id)
    return _url(rt, secret)


def revoke(rt: Runtime, by: str, customer_id: str, address: int | None = None) -> None:
    """Revoke one address, or all of them (None): then a new current address is made, which messages carry from
    now on. Twice is harmless."""
    with rt.database.write() as session:
        one, now = customer(session, customer_id), rt.now(session)
        rows = feed_queries.addresses_of(session, one.id)
        chosen = [row for row in rows if address is None or row.id == address]
        if address is not None and not chosen:
            raise NotFound("There is no such address of this customer.", "Look at the list of addresses.")
        for row in chosen:
            if _holds(row, now):
                row.ends_at = now
        if address is None:
            one.feed_secret = new_secret()
        record(session, now, by, "feed_revoked", customer=one.id, all=address is None)


def customer(session: Session, customer_id: str) -> Customer:
    found = session.scalar(select(Customer).where(Customer.customer_id == customer_id))
    if found is None:
        raise NotFound("There is no such customer.", "Use the identifier of the customers' file.")
    return found


def _add(
    session: Session, one: Customer, sha256: str, label: str, now: datetime, ends: datetime | None
) -> None:
    session.add(
        FeedAddress(customer_ref=one.id, secret_sha256=sha256, label=label, created_at=now, ends_at=ends)
    )


def _holds(address: FeedAddress, now: datetime) -> bool:
    return address.ends_at is None or address.ends_at > now


def _url(rt: Runtime, secret: str) -> str:
    return f"{rt.settings.base_url}/feeds/{secret}.ics"
