"""The second factor: a code of six digits that a phone shows (TOTP, RFC 6238), and codes for a lost phone.

Promises: the secret is kept encrypted with a key that is not in the database, recovery codes as hashes; a code
is good once; wrong ones count like wrong passwords, so that an account rests after five. It is switched on only
after a first code was right, so that nobody locks herself out.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256

import pyotp
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy.orm import Session

from outage_notify.domain.errors import InvalidInput, NotFound
from outage_notify.services import users
from outage_notify.services.runtime import Runtime
from outage_notify.store import user_queries
from outage_notify.store.user_tables import User
from outage_notify.store.work_queries import record

STEP = 30  # seconds
RECOVERY_CODES = 8
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """A secret to be shown to the owner; nothing is kept until `switch_on`."""
    return pyotp.random_base32()


def address(rt: Runtime, username: str, secret: str) -> str:
    """What the QR code holds: otpauth://..."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=username, issuer_name=rt.settings.utility)


def switch_on(rt: Runtime, user_id: int, secret: str, code: str) -> list[str]:
    """From now on this user signs in with a code too. The recovery codes, which are never shown again.

    InvalidInput if the code is not the one of this moment.
    """
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    with rt.database.write() as session:
        user = _user(session, user_id)
        now = rt.now(session)
        step = _matching_step(secret, code, now, 0)
        if step is None:
            raise InvalidInput(
                "That is not the code of this moment.",
                "Check the phone's clock and type the code it shows now.",
            )
        user.totp_secret = _box(rt).encrypt(secret.encode()).decode()
        user.totp_step = step
        user.recovery_hashes = [_hash(one) for one in codes]
        record(session, now, user.username, "second_factor_on")
    return codes


def switch_off(rt: Runtime, user_id: int, password: str) -> None:
    """The password alone again. InvalidInput for a wrong password, NotPermitted while the account rests."""
    user = users.user_by_id(rt, user_id)
    if user is None or users.check_password(rt, user.username, password) is None:
        raise InvalidInput("The password is wrong.", "Type the one that you signed in with.")
    with rt.database.write() as session:
        row = _user(session, user_id)
        row.totp_secret, row.recovery_hashes = "", []
        record(session, rt.now(session), row.username, "second_factor_off")


def is_on(rt: Runtime, user_id: int) -> bool:
    with rt.database.read() as session:
        return bool(_user(session, user_id).totp_secret)


def codes_left(rt: Runtime, user_id: int) -> int:
    with rt.database.read() as session:
        return len(_user(session, user_id).recovery_hashes)


def check(rt: Runtime, user_id: int, code: str) -> bool:
    """Whether the code is right; it is used up then. A wrong one is counted.

    NotPermitted while the account rests. Two at once: the row is locked, so one code lets in once.
    """
    with rt.database.write() as session:
        user = _user(session, user_id)
        users.refuse_resting(rt, session, user)
        now = rt.now(session)
        if not user.active or not user.totp_secret:
            return False
        try:
            secret = _box(rt).decrypt(user.totp_secret.encode()).decode()
        except InvalidToken:
            # The signing key was exchanged without keeping the earlier one: an administrator has to reset it.
            record(session, now, user.username, "second_factor_unreadable")
            return False
        step = _matching_step(secret, code, now, user.totp_step)
        if step is not None:
            user.totp_step, user.failed_logins = step, 0
            return True
        typed = _hash("".join(code.split()).replace("-", "").lower())
        if any(hmac.compare_digest(typed, one) for one in user.recovery_hashes):
            user.recovery_hashes = [one for one in user.recovery_hashes if one != typed]
            user.failed_logins = 0
            record(session, now, user.username, "recovery_code_used", left=len(user.recovery_hashes))
            return True
        users.count_failure(session, user, now)
        return False


def _matching_step(secret: str, code: str, now: datetime, used: int) -> int | None:
    """The step of thirty seconds whose code this is: this one or a neighbour, later than the last one used."""
    code = "".join(code.split())
    totp = pyotp.TOTP(secret, interval=STEP)
    present = int(now.timestamp()) // STEP
    for step in (present, present - 1, present + 1):
        if step > used and hmac.compare_digest(totp.at(step * STEP).encode(), code.encode()):
            return step
    return None


def _box(rt: Runtime) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in rt.signing_key.derive_all("second-factor")])


def _hash(code: str) -> str:
    # Fifty random bits behind a limit on guessing: a slow hash would protect nothing more.
    return sha256(code.encode()).hexdigest()


def _user(session: Session, user_id: int) -> User:
    user = user_queries.by_id(session, user_id, lock=True)
    if user is None:
        raise NotFound("There is no such user.", "Sign in again.")
    return user
