"""Link tokens: short, signed, expiring, for one purpose and one subject.

Layout before base64url: expiry (4 bytes, seconds since 1970, big-endian), subject (1 to
8 bytes, big-endian, no leading zero), then the first 16 bytes of an HMAC-SHA256 over the
purpose and all that stands before it. At most 38 characters; a usual one has 31.

Promises: a token for one purpose is never read as one for another; every changed
character is refused; the comparison takes the same time whatever differs. Outsiders hear
one wording for every refusal. Leaves to others: that a token is used once or revoked
(that is a fact of the store), and limiting the rate of guesses (`web`).
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

MAC_BYTES = 16
_HEAD = b"outage-notify link token v1"
_ALPHABET = re.compile(r"[A-Za-z0-9_-]{28,38}", re.ASCII)


class BadToken(Exception):
    """A token that is not taken. `str()` tells everybody the same; `reason` (forged, expired) is for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__("This link is not valid or has expired.")
        self.reason = reason


def make_token(key: bytes, purpose: str, subject: int, expires: datetime) -> str:
    """A token naming `subject` (0 to 2**64-1) that holds until `expires` (aware, before 2106; fractions of
    a second are rounded up). Called twice with the same arguments it gives the same token."""
    if not purpose:
        raise ValueError("a token needs a purpose")
    if not 0 <= subject < 2**64:
        raise ValueError("a token's subject must be a non-negative 64-bit number")
    seconds = _ceil_seconds(expires)
    if not 0 <= seconds < 2**32:
        raise ValueError("a token must expire between 1970 and 2106")
    body = seconds.to_bytes(4, "big") + subject.to_bytes(max(1, (subject.bit_length() + 7) // 8), "big")
    return urlsafe_b64encode(body + _mac(key, purpose, body)).rstrip(b"=").decode("ascii")


def read_token(key: bytes | Sequence[bytes], purpose: str, token: str, now: datetime) -> int:
    """The subject of a token made for `purpose` with `key` (or one of several, newest first) that has not
    expired at `now`. BadToken otherwise: of another purpose is the same as forged, nobody can tell."""
    subject, expires = open_token(key, purpose, token)
    if _floor_seconds(now) >= expires:
        raise BadToken("expired")
    return subject


def open_token(key: bytes | Sequence[bytes], purpose: str, token: str) -> tuple[int, int]:
    """`read_token` for whoever asks for the time later: the subject, and the second since 1970 from which on
    the token does not hold any more. BadToken where it is forged."""
    if not _ALPHABET.fullmatch(token):
        raise BadToken("forged")
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raise BadToken("forged") from None
    # The last character carries unused bits; only the one spelling that we write is ours.
    if urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != token:
        raise BadToken("forged")
    body, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    genuine = False
    for candidate in (key,) if isinstance(key, bytes) else key:
        genuine |= hmac.compare_digest(mac, _mac(candidate, purpose, body))
    if not genuine:
        raise BadToken("forged")
    return int.from_bytes(body[4:], "big"), int.from_bytes(body[:4], "big")


def _mac(key: bytes, purpose: str, body: bytes) -> bytes:
    if len(key) < 32:
        raise ValueError("a token key needs at least 32 bytes")
    name = purpose.encode()
    # The purpose's length stands first, so that no purpose can run over into the body.
    message = _HEAD + len(name).to_bytes(2, "big") + name + body
    return hmac.new(key, message, sha256).digest()[:MAC_BYTES]


def _since_epoch(instant: datetime) -> timedelta:
    if instant.tzinfo is None:
        raise ValueError("a token's time must be aware")
    return instant - datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def _floor_seconds(instant: datetime) -> int:
    return _since_epoch(instant) // timedelta(seconds=1)


def _ceil_seconds(instant: datetime) -> int:
    return -(-_since_epoch(instant) // timedelta(seconds=1))
