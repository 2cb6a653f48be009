"""People who work with the system: add them, check their passwords, know what they may do.

Promises: passwords are kept as argon2id hashes only; after five failures in a row an
account rests for fifteen minutes, whatever password is tried; an unknown name costs as
much time as a wrong password. Leaves sessions and cookies to `web`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from outage_notify.domain.errors import Conflict, InvalidInput, NotPermitted
from outage_notify.store import user_queries, work_queries
from outage_notify.store.user_tables import Role, User

if TYPE_CHECKING:
    from outage_notify.services.runtime import Runtime

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 1_000  # hashing costs grow with the length; nobody types more
FAILURES_ALLOWED = 5
REST = timedelta(minutes=15)

# Whom the log names beside people.
_OURS = frozenset({work_queries.SYSTEM, "provider"})
_USERNAME = re.compile(r"[^\W_][\w.@-]{0,99}")


@dataclass(frozen=True)
class CheckedUser:
    """What a caller may know of a user: never the hash."""

    id: int
    username: str
    name: str
    roles: tuple[str, ...]
    active: bool = True
    second_factor: bool = False
    resting: bool = False

    def may(self, role: Role | str) -> bool:
        return self.active and str(role) in self.roles


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@functools.cache
def _nobody() -> str:
    """A hash of no one's password, for names that do not exist."""
    return _hasher().hash("no such user")


def add_user(
    rt: Runtime,
    username: str,
    password: str,
    roles: Iterable[str],
    name: str = "",
    by: str = "system",
    must_change: bool = False,
) -> CheckedUser:
    """Add a user. InvalidInput for a bad name, password or role; Conflict if the name is taken.

    `must_change`: the password is good for choosing another one only.
    """
    valid_username(username)
    wanted = roles_of(roles)
    check_strength(password, username)
    hashed = hash_password(password)
    with rt.database.write() as session:
        if user_queries.by_username(session, username) is not None:
            raise Conflict(f"There is a user {username} already.", "Choose another name.")
        user = User(
            username=username,
            name=(name or username)[:200],
            password_hash=hashed,
            roles=wanted,
            must_change_password=must_change,
        )
        session.add(user)
        session.flush()
        work_queries.record(session, rt.now(session), by, "user_added", username=username, roles=wanted)
        return checked(user)


def check_password(rt: Runtime, username: str, password: str) -> CheckedUser | None:
    """The user if the password is right, else None; a wrong one is counted.

    NotPermitted while the account rests. A right password ends the count.
    """
    with rt.database.read() as session:
        user = user_queries.by_username(session, username)
        hashed = user.password_hash if user is not None else _nobody()
        refuse_resting(rt, session, user)
    # Hashing is slow on purpose, so it happens with no transaction open.
    right = _matches(hashed, password) and user is not None
    with rt.database.write() as session:
        user = user_queries.by_username(session, username, lock=True)
        if user is None or not user.active:
            return None
        refuse_resting(rt, session, user)
        now = rt.now(session)
        if not right or user.password_hash != hashed:
            count_failure(session, user, now)
            return None
        if not user.totp_secret:
            # Otherwise the code ends the count, or else a known password would give endless guesses at it.
            user.failed_logins = 0
        user.locked_until = None
        if _hasher().check_needs_rehash(hashed):
            user.password_hash = _hasher().hash(password)
        return checked(user)


def user_by_id(rt: Runtime, id: int) -> CheckedUser | None:
    """For a session that names a user: None if there is none or it was put out of use."""
    with rt.database.read() as session:
        user = user_queries.by_id(session, id)
        return checked(user) if user is not None and user.active else None


def list_users(rt: Runtime) -> list[CheckedUser]:
    with rt.database.read() as session:
        now = rt.now(session)
        return [
            replace(checked(user), resting=user.locked_until is not None and user.locked_until > now)
            for user in user_queries.all_users(session)
        ]


def valid_username(username: str) -> str:
    """`username` itself. InvalidInput unless somebody may be called so."""
    if not _USERNAME.fullmatch(username):
        raise InvalidInput(
            f"{username[:40]!r} is no user name.",
            "Use letters, digits, dot, dash, underscore or @, up to 100.",
        )
    if username.lower() in _OURS:
        raise InvalidInput(f"{username!r} is what the program calls itself.", "Choose another name.")
    return username


def check_strength(password: str, username: str = "") -> None:
    """InvalidInput unless the password may be used."""
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(
            f"The password has fewer than {SHORTEST_PASSWORD} characters.", "Choose a longer one."
        )
    if len(password) > LONGEST_PASSWORD:
        raise InvalidInput(
            f"The password has more than {LONGEST_PASSWORD} characters.", "Choose a shorter one."
        )
    if len(set(password)) < 4 or password.lower() == username.lower():
        raise InvalidInput("The password is too easy to guess.", "Choose another one.")


def hash_password(password: str) -> str:
    return _hasher().hash(password)


def roles_of(roles: Iterable[str]) -> list[str]:
    """Roles as they are kept, each once. InvalidInput for an unknown one, and for none."""
    wanted = list(dict.fromkeys(roles))
    for role in wanted:
        if role not in set(Role):
            raise InvalidInput(f"There is no role {role!r}.", f"Roles are {', '.join(Role)}.")
    if not wanted:
        raise InvalidInput("A user needs a role.", f"Roles are {', '.join(Role)}.")
    return wanted


def count_failure(session: Session, user: User, now: datetime) -> None:
    """One more wrong password or code; the account rests after too many in a row."""
    user.failed_logins += 1
    if user.failed_logins >= FAILURES_ALLOWED:
        user.failed_logins = 0
        user.locked_until = now + REST
        work_queries.record(session, now, work_queries.SYSTEM, "user_locked", username=user.username)


def refuse_resting(rt: Runtime, session: Session, user: User | None) -> None:
    """NotPermitted while the account rests."""
    if user is not None and user.locked_until is not None and user.locked_until > rt.now(session):
        raise NotPermitted(
            "Too many wrong passwords; the account rests for a while.",
            f"Try again {int(REST.total_seconds() // 60)} minutes after the last attempt.",
        )


def _matches(hashed: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def checked(user: User) -> CheckedUser:
    """What may be known of a row."""
    return CheckedUser(
        user.id, user.username, user.name, tuple(user.roles), user.active, bool(user.totp_secret)
    )
