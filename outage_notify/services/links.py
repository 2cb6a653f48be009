"""Link tokens of this installation: what a token in an address stands for.

Promises: the time is the database's, links made before a rotation of the key are still
read, and every token that is not taken raises the same `BadToken`. Leaves to whoever
asks what the subject may do.
"""

from __future__ import annotations

from channels.signing import BadToken, read_token
from outage_notify.services.runtime import Runtime
from outage_notify.store.acknowledgement_tables import Acknowledgement, of_link_subject

CALLBACK = "callback"  # subject: a delivery
VOICE = "voice"  # subject: a delivery
SIGN = "sign"  # subject: an acknowledgement with its serial (`acknowledgement_tables.link_subject`)
DELEGATE = "delegate"  # subject: a delegation
NOTICE = "notice"  # subject: a delivery
FOLLOW = "follow"  # subject: a question of a follower, which its code confirms
UNFOLLOW = "unfollow"  # subject: a delivery


def subject_of(rt: Runtime, purpose: str, token: str) -> int:
    """The id that a token made for `purpose` names. Raises channels.signing.BadToken."""
    with rt.database.read() as session:
        now = rt.now(session)
    return read_token(rt.link_keys, purpose, token, now)


def acknowledgement_of(rt: Runtime, token: str) -> int:
    """The acknowledgement (database id) that a customer's own link to sign leads to. Raises BadToken, also for one
    that was revoked."""
    ack_id, serial = of_link_subject(subject_of(rt, SIGN, token))
    with rt.database.read() as session:
        ack = session.get(Acknowledgement, ack_id)
        if ack is None or ack.link_serial != serial:
            raise BadToken("revoked")
    return ack_id
