"""Somebody came back from the OpenID provider: which user that is here, and with which roles.

Promises: a name is bound to one identity (issuer and subject) at its first sign-in and never opens for another one
until an administrator resets it; where the settings map groups to roles, the provider decides the roles at each
sign-in and whoever has none is let in nowhere; each sign-in, refusal and change is on record. Nothing is changed
for somebody who is refused. Leaves to `channels.identity` whether the claims are true, to `web` what is remembered
of the errand, to `second_factor` the code by phone.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError

from channels.identity import Errand, Fault, IdentityFault, Provider
from outage_notify.domain.errors import Blocked, InvalidInput, NotPermitted
from outage_notify.services import manage_users, users
from outage_notify.services.runtime import Runtime
from outage_notify.store import user_queries
from outage_notify.store.user_tables import Role, User
from outage_notify.store.work_queries import record

# Who changes roles when the provider says so.
BY = "provider"
# Methods that are a second factor of themselves or say that there was one (RFC 8176).
_SECOND = frozenset({"mfa", "otp", "hwk", "sc", "fpt", "face", "iris", "vbm"})


@dataclass(frozen=True)
class CameIn:
    """A user who may come in. `second_factor_seen`: the provider says that it asked for one."""

    user: users.CheckedUser
    second_factor_seen: bool


class Refused(NotPermitted):
    """Nobody comes in. `why`: away, refused, forged, unnamed, unknown, other, off or roleless."""

    def __init__(self, why: str, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.why = why


def send(rt: Runtime) -> tuple[str, Errand]:
    """Where to send somebody, and what to remember until she is back. Refused if the provider is away."""
    try:
        return _provider(rt).send()
    except IdentityFault as fault:
        raise _refused(rt, fault) from None


def receive(rt: Runtime, answer: Mapping[str, str], errand: Errand) -> CameIn:
    """Who came back with this answer. Refused otherwise, which is on record."""
    with rt.database.read() as session:
        now = rt.now(session).timestamp()
    try:
        claims = _provider(rt).receive(answer, errand, now)
    except IdentityFault as fault:
        raise _refused(rt, fault) from None
    try:
        return _let_in(rt, claims)
    except Refused as refusal:
        _note(rt, refusal.why)
        raise


def roles_by(rt: Runtime, claims: Mapping[str, Any]) -> list[str]:
    """Roles here for what the provider says of somebody, in the order in which roles stand."""
    held: Any = claims
    # Groups are often addresses with dots in them; only the path to them is cut at dots.
    for part in rt.settings.oidc_roles_claim.split("."):
        held = held.get(part) if isinstance(held, Mapping) else None
    words = held.split() if isinstance(held, str) else held if isinstance(held, list) else []
    mapped = rt.settings.role_map
    found = {role for word in words if isinstance(word, str) for role in mapped.get(word, ())}
    return [role for role in Role if role in found]


def _let_in(rt: Runtime, claims: Mapping[str, Any]) -> CameIn:
    settings = rt.settings
    identity = f"{settings.oidc_issuer} {claims['sub']}"
    name = claims.get(settings.oidc_user_claim)
    if settings.oidc_user_claim == "email" and claims.get("email_verified") is not True:
        name = None
    if not isinstance(name, str) or not name.strip():
        raise Refused(
            "unnamed",
            f"The provider does not say {settings.oidc_user_claim}.",
            "Ask an administrator to look at OUTAGE_NOTIFY_OIDC_USER_CLAIM and OUTAGE_NOTIFY_OIDC_SCOPE.",
        )
    name = name.strip()
    roles = roles_by(rt, claims) if settings.oidc_roles_claim else None
    if roles == []:
        raise Refused(
            "roleless",
            "None of your groups has a role here.",
            "Ask an administrator to put you in a group that has one.",
        )
    with rt.database.read() as session:
        user = user_queries.by_identity(session, identity) or user_queries.by_username(session, name)
        if user is not None and user.identity not in (None, identity):
            raise Refused(
                "other",
                f"The name {name[:100]} belongs to another account of the provider.",
                "If that is you, ask an administrator to reset the user.",
            )
        if user is not None and not user.active:
            raise Refused("off", "This user is out of use.", "Ask an administrator.")
        user_id = user.id if user is not None else None
    if user_id is None:
        if not (settings.oidc_create and roles):
            raise Refused(
                "unknown", f"{name[:100]} is not a user here.", "Ask an administrator to add this name."
            )
        user_id = _create(rt, name, claims, roles)
    found = _bind(rt, user_id, identity)
    if roles is not None and set(roles) != set(found.roles):
        _follow(rt, found, roles)
        found = users.user_by_id(rt, user_id) or found
    methods = claims.get("amr")
    seen = isinstance(methods, list) and any(isinstance(one, str) and one in _SECOND for one in methods)
    return CameIn(found, seen)


def _create(rt: Runtime, name: str, claims: Mapping[str, Any], roles: list[str]) -> int:
    """A user without a password of ours. Two at once: one adds it, both find it."""
    said = claims.get("name")
    shown = " ".join(said.split())[:200] if isinstance(said, str) else ""
    try:
        username = users.valid_username(name)
    except InvalidInput as error:
        raise Refused(
            "unnamed", error.message, "Ask an administrator to look at OUTAGE_NOTIFY_OIDC_USER_CLAIM."
        ) from None
    try:
        with rt.database.write() as session:
            known = user_queries.by_username(session, username)
            if known is not None:
                return known.id
            # What begins so is no hash of any password; the rest marks the sessions of this user.
            user = User(
                username=username,
                name=shown or username,
                password_hash=f"!{secrets.token_hex(16)}",
                roles=roles,
            )
            session.add(user)
            session.flush()
            record(session, rt.now(session), BY, "user_added", username=username, roles=roles)
            return user.id
    except IntegrityError:
        with rt.database.read() as session:
            known = user_queries.by_username(session, username)
            if known is None:
                raise
            return known.id


def _bind(rt: Runtime, user_id: int, identity: str) -> users.CheckedUser:
    """The user, bound to this identity from now on. Refused if another one was faster."""
    with rt.database.write() as session:
        user = user_queries.by_id(session, user_id, lock=True)
        if user is None or not user.active:
            raise Refused("off", "This user is out of use.", "Ask an administrator.")
        if user.identity is None:
            user.identity = identity
            record(session, rt.now(session), BY, "identity_bound", username=user.username)
        elif user.identity != identity:
            raise Refused(
                "other",
                f"The name {user.username} belongs to another account of the provider.",
                "If that is you, ask an administrator to reset the user.",
            )
        return users.checked(user)


def _follow(rt: Runtime, user: users.CheckedUser, roles: list[str]) -> None:
    """The roles that the provider gives; the last administrator stays one."""
    try:
        manage_users.set_roles(rt, BY, user.id, "", roles)
    except Blocked:
        manage_users.set_roles(rt, BY, user.id, "", [*roles, Role.ADMIN])


def _provider(rt: Runtime) -> Provider:
    if rt.provider is None:
        raise Refused("off", "No provider is set.", "Set OUTAGE_NOTIFY_OIDC_ISSUER.")
    return rt.provider


def _refused(rt: Runtime, fault: IdentityFault) -> Refused:
    _note(rt, fault.fault.value, fault.reason)
    remedy = {
        Fault.AWAY: "Try again in a minute; `outage-notify doctor` says more.",
        Fault.REFUSED: "Sign in there again.",
        Fault.FORGED: "Sign in again; if it happens once more, tell an administrator.",
    }[fault.fault]
    return Refused(fault.fault.value, f"The provider: {fault.reason}.", remedy)


def _note(rt: Runtime, why: str, reason: str = "") -> None:
    """A refusal on record: why, never who claimed to be whom."""
    with rt.database.write() as session:
        record(session, rt.now(session), BY, "provider_refused", why=why, reason=reason[:200])
