"""Link tokens of this installation: what a token in an address stands for.

Promises: the time is the database's, links made before a rotation of the key are still
read, and every token that is not taken raises the same `BadToken`. Leaves to whoever
asks what the subject may do.
"""

from __future__ import annotations

from channels.signing import read_token
from outage_notify.services.runtime import Runtime

CALLBACK = "callback"  # subject: a delivery
VOICE = "voice"  # subject: a delivery
SIGN = "sign"  # subject: an acknowledgement
DELEGATE = "delegate"  # subject: a delegation
NOTICE = "notice"  # subject: a delivery


def subject_of(rt: Runtime, purpose: str, token: str) -> int:
    """The id that a token made for `purpose` names. Raises channels.signing.BadToken."""
    with rt.database.read() as session:
        now = rt.now(session)
    return read_token(rt.signing_key.derive_all("links"), purpose, token, now)
