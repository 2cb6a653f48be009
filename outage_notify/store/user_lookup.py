"""Who may do what, and how many customers can't be reached at all."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import BigInteger, func, select
from sqlalchemy.orm import Session

from outage_notify.domain.errors import NotFound, NotPermitted
from outage_notify.store.feed_lookup import listed
from outage_notify.store.people_tables import ContactPoint
from outage_notify.store.user_tables import WORKING, Role, User


def require(session: Session, username: str, role: Role) -> User:
    """The user, who must be active and have the role."""
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        raise NotFound(f"There is no user {username!r}.", "Add one with `outage-notify user add`.")
    if not user.may(role):
        raise NotPermitted(f"{username} is not {role.value}.", f"Ask somebody who has the role {role.value}.")
    return user


def require_worker(session: Session, username: str) -> User:
    """The user, who must be active and have a role that files or decides."""
    return require_any(session, username, WORKING)


def require_any(session: Session, username: str, roles: Collection[Role]) -> User:
    """The user, who must be active and have one of the roles."""
    user = session.scalar(select(User).where(User.username == username))
    if user is None:
        raise NotFound(f"There is no user {username!r}.", "Add one with `outage-notify user add`.")
    if not any(user.may(role) for role in roles):
        raise NotPermitted(f"{username} may not do that.", "Ask somebody whose role changes things.")
    return user


def without_contact(session: Session, customers: Collection[int]) -> int:
    """How many of these customers have no usable address on any channel."""
    if not customers:
        return 0
    # Filtered after the join: in a table that has just been imported, whose statistics are not there
    # yet, PostgreSQL takes "IS NULL" for rare, expects a handful of contacts and compares each with each.
    usable = func.count(ContactPoint.customer_ref.distinct()).filter(
        ContactPoint.bad_at.is_(None), ContactPoint.opted_out_at.is_(None)
    )
    mine = ContactPoint.customer_ref.in_(listed(session, list(customers), BigInteger()))
    reachable = session.scalar(select(usable).where(mine))
    return len(customers) - (reachable or 0)
