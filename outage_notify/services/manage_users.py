"""What an administrator changes about people, and what everybody changes about themselves.

Promises: there is always an active administrator left once there was one; whoever loses a role or is put out
of use is signed out everywhere at once; a password that an administrator made is shown once and must be
changed by its owner before anything else; every change is on record with who made it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy.orm import Session

from outage_notify.domain.errors import Blocked, InvalidInput, NotFound
from outage_notify.services import users
from outage_notify.services.runtime import Runtime
from outage_notify.store import session_queries, user_queries, work_queries
from outage_notify.store.user_tables import Role, User

# Without letters and digits that look alike: it is read out or copied from paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def invite(rt: Runtime, by: str, username: str, name: str, roles: Iterable[str]) -> str:
    """Add a user with a password for the first time only; that password, which is never shown again."""
    password = _password()
    users.add_user(rt, username, password, roles, name, by, must_change=True)
    return password


def set_roles(rt: Runtime, by: str, user_id: int, name: str, roles: Iterable[str]) -> None:
    """Give a user these roles and this name. Called twice the second changes nothing."""
    wanted = users.roles_of(roles)
    name = " ".join(name.split())
    if len(name) > 200:
        raise InvalidInput("The name has more than 200 characters.", "Shorten it.")
    with rt.database.write() as session:
        user = _user(session, user_id)
        now = rt.now(session)
        if name and name != user.name:
            user.name = name
            work_queries.record(session, now, by, "user_renamed", username=user.username)
        if set(wanted) == set(user.roles):
            return
        lost = set(user.roles) - set(wanted)
        if Role.ADMIN in lost:
            _another_admin(session, user)
        work_queries.record(
            session, now, by, "user_roles", username=user.username, before=list(user.roles), after=wanted
        )
        user.roles = wanted
        if lost:
            session_queries.end(session, user.id, now)


def set_active(rt: Runtime, by: str, user_id: int, active: bool) -> None:
    """Put a user out of use, or back in use. Called twice the second changes nothing."""
    with rt.database.write() as session:
        user = _user(session, user_id)
        if user.active == active:
            return
        if not active:
            if user.username == by:
                raise Blocked("You can't put yourself out of use.", "Ask another administrator.")
            _another_admin(session, user)
        now = rt.now(session)
        user.active = active
        user.failed_logins, user.locked_until = 0, None
        if not active:
            session_queries.end(session, user.id, now)
        what = "user_enabled" if active else "user_disabled"
        work_queries.record(session, now, by, what, username=user.username)


def reset(rt: Runtime, by: str, user_id: int) -> str:
    """A new password for somebody who forgot hers, and no second factor: the password, shown once.

    Ends a rest after wrong passwords and every session.
    """
    password = _password()
    hashed = users.hash_password(password)
    with rt.database.write() as session:
        user = _user(session, user_id)
        now = rt.now(session)
        user.password_hash, user.must_change_password = hashed, True
        user.failed_logins, user.locked_until = 0, None
        user.totp_secret, user.recovery_hashes = "", []
        # The next sign-in with the provider binds the name anew.
        user.identity = None
        session_queries.end(session, user.id, now)
        work_queries.record(session, now, by, "user_reset", username=user.username)
    return password


def change_password(rt: Runtime, user_id: int, old: str, new: str, again: str) -> None:
    """Somebody chooses her own password; every session ends, so that she signs in with it.

    InvalidInput for a wrong old one or a new one that may not be used; NotPermitted while the account rests.
    """
    user = users.user_by_id(rt, user_id)
    if user is None:
        raise NotFound("There is no such user.", "Sign in again.")
    if new != again:
        raise InvalidInput("The two new passwords differ.", "Type the same one twice.")
    users.check_strength(new, user.username)
    if new == old:
        raise InvalidInput("The new password is the old one.", "Choose another one.")
    if users.check_password(rt, user.username, old) is None:
        raise InvalidInput("The present password is wrong.", "Type the one that you signed in with.")
    hashed = users.hash_password(new)
    with rt.database.write() as session:
        row = _user(session, user_id)
        now = rt.now(session)
        row.password_hash, row.must_change_password = hashed, False
        session_queries.end(session, row.id, now)
        work_queries.record(session, now, row.username, "password_changed")


def _user(session: Session, user_id: int) -> User:
    user = user_queries.by_id(session, user_id, lock=True)
    if user is None:
        raise NotFound("There is no such user.", "Look at the list of users again.")
    return user


def _another_admin(session: Session, user: User) -> None:
    """Blocked if this is the last administrator in use. All are locked, so that two can't remove each other."""
    if not user.may(Role.ADMIN):
        return
    if not any(
        one.may(Role.ADMIN) for one in user_queries.all_users(session, lock=True) if one.id != user.id
    ):
        raise Blocked(
            f"{user.username} is the only administrator in use.", "Give somebody else the role first."
        )


def _password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))
