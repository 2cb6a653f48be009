"""Receipts: what a key customer answered, signed and chained so that nobody can rewrite it unseen.

A receipt is a compact JWS (Ed25519) over the canonical JSON of a `ReceiptPayload`. Each
holds the SHA-256 of the receipt before it, so that a changed, removed, reordered or
back-dated one breaks the chain at a place that can be named.

Promises: the same payload and key give the same bytes; verifying needs the lines and
the public keys alone, at flat memory. Leaves to others: handing out sequence numbers one
at a time (the store, under its lock) and keeping the lines. The end of the chain cannot
be guarded by the chain itself; see `receipt_export`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from channels.keys import ALGORITHM, SigningKey, import_public

FIRST_PREVIOUS = "0" * 64
ANSWERS = frozenset({"ACKNOWLEDGED", "OBJECTED", "REFUSED"})
SIGNED_BY_CUSTOMER = frozenset({"own_key", "passkey"})  # ways that carry a signature of the customer's own
TYPE = "outage-notify-receipt"
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


class BadReceipt(ValueError):
    """A line that is not a genuine receipt; `kind` says in what way."""

    def __init__(self, kind: Break, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class Break(StrEnum):
    """In what way a chain is broken."""

    CHANGED = "changed"  # bytes differ from what was signed, or it was signed again over other content
    UNKNOWN_KEY = "unknown key"
    REMOVED = "removed"
    REORDERED = "reordered"
    REPEATED = "repeated"
    BACK_DATED = "back-dated"
    TRUNCATED = "truncated"
    EXTENDED = "extended"


@dataclass(frozen=True)
class ReceiptPayload:
    """What is signed. `customer` is the utility's own customer id, `outage` the reference.

    `at` is when the answer was recorded and never goes backwards along the chain; the
    date on a paper slip goes into `details`, as do the witness of a refusal, the wish of
    an objection, the strength of the way and whatever else a way of signing has to prove.
    """

    sequence: int  # 1 for the first
    previous: str  # sha256 of the receipt before, or FIRST_PREVIOUS
    customer: str
    outage: str
    revision: int
    text_sha256: str
    signer_name: str
    signer_role: str
    way: str
    answer: str
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.sequence < 1 or self.revision < 1:
            raise ValueError("a receipt's sequence and revision start at 1")
        if not _HEX.fullmatch(self.previous) or not _HEX.fullmatch(self.text_sha256):
            raise ValueError("a receipt's hashes are 64 lower-case hexadecimal digits")
        if (self.sequence == 1) != (self.previous == FIRST_PREVIOUS):
            raise ValueError("the first receipt, and only the first, follows 64 zeros")
        if self.answer not in ANSWERS:
            raise ValueError(f"a receipt's answer is one of {', '.join(sorted(ANSWERS))}")
        if self.at.tzinfo is None:
            raise ValueError("a receipt's time must be aware")

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, no blanks, UTF-8 as it is, time in UTC with microseconds."""
        data: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        data["at"] = format_instant(self.at)
        data["details"] = dict(self.details)
        data["type"] = TYPE
        return canonical_json(data)

    @classmethod
    def from_json(cls, data: bytes) -> ReceiptPayload:
        """The inverse; ValueError for anything that `to_json` would not write exactly so."""
        raw = json.loads(data)
        if not isinstance(raw, dict) or raw.pop("type", None) != TYPE:
            raise ValueError("not a receipt")
        if set(raw) != {item.name for item in fields(cls)}:
            raise ValueError("a receipt's fields differ")
        raw["at"] = datetime.fromisoformat(str(raw["at"]))
        try:
            payload = cls(**raw)
            exact = payload.to_json() == data
        except (TypeError, AttributeError) as error:
            raise ValueError("a receipt's field has a wrong type") from error
        if not exact:
            raise ValueError("not canonical")
        return payload


@dataclass(frozen=True)
class SignedReceipt:
    jws: str
    sha256: str  # of the JWS as written; the next receipt's `previous`


@dataclass(frozen=True)
class Stamped:
    """Receipts 1 to `count` stood at `at`, says `authority`: none of them was written or changed later."""

    count: int
    at: datetime
    authority: str


@dataclass(frozen=True)
class ChainReport:
    """What verifying found. `broken_at` is the sequence number of the first broken link (0: the export's header)."""

    ok: bool
    count: int  # genuine receipts before the break, or all
    head: str  # hash of the last genuine one
    broken_at: int | None = None
    reason: Break | None = None
    detail: str = ""
    keys: tuple[str, ...] = ()  # kids that were trusted
    covers_end: bool = False  # whether a signed header vouches for the end of the chain
    heads: int = 0  # heads that were put into other hands, all found in their places
    stamped: tuple[Stamped, ...] = ()  # of these, the ones that a time-stamping authority vouches for

    def __str__(self) -> str:
        if self.ok:
            end = "" if self.covers_end else " (no signed header: a cut end would not be seen)"
            return f"{self.count} receipts, every link holds{end}; head {self.head}"
        place = "the header" if self.broken_at == 0 else f"receipt {self.broken_at}"
        return f"broken at {place}: {self.reason}. {self.detail}".rstrip()


def canonical_json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def format_instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def receipt_sha256(line: str) -> str:
    """The hash by which the next receipt names this one."""
    return sha256(line.encode("utf-8", "surrogateescape")).hexdigest()


def sign_receipt(key: SigningKey, payload: ReceiptPayload) -> SignedReceipt:
    """Sign one receipt. Called twice it gives the same bytes (Ed25519 is deterministic)."""
    line = sign_compact(key, payload.to_json())
    return SignedReceipt(line, receipt_sha256(line))


def sign_compact(key: SigningKey, payload: bytes) -> str:
    """A compact JWS whose protected header is exactly {"alg", "kid"}."""
    return jws.serialize_compact(
        {"alg": ALGORITHM, "kid": key.kid}, payload, key.private, algorithms=[ALGORITHM]
    )


class Verifier:
    """Checks lines against a JWK set. Strict: one spelling of each signed line is right, any other is CHANGED."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        self._keys: dict[str, OKPKey] = dict(import_public(jwk) for jwk in jwks.get("keys", ()))

    @property
    def kids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def open(self, line: str) -> bytes:
        """The signed payload of a compact JWS. BadReceipt if it is not genuine."""
        try:
            parts = line.split(".")
            header = json.loads(_strict_decode(parts[0]))
            kid = header["kid"]
            if len(parts) != 3 or header != {"alg": ALGORITHM, "kid": kid} or not isinstance(kid, str):
                raise ValueError("header")
            for part in parts[1:]:
                _strict_decode(part)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise BadReceipt(Break.CHANGED, "The line is not a receipt as it was written.") from None
        if kid not in self._keys:
            shown = kid if re.fullmatch(r"[\w-]{1,64}", kid, re.ASCII) else "?"
            raise BadReceipt(Break.UNKNOWN_KEY, f"It is signed by a key that is not trusted (kid {shown}).")
        try:
            return bytes(jws.deserialize_compact(line, self._keys[kid], algorithms=[ALGORITHM]).payload)
        except (JoseError, ValueError):
            raise BadReceipt(Break.CHANGED, "The signature does not fit the content.") from None

    def receipt(self, line: str) -> ReceiptPayload:
        """The payload of one receipt's line. BadReceipt if it is not a genuine receipt."""
        data = self.open(line)
        try:
            payload = ReceiptPayload.from_json(data)
        except ValueError as error:
            raise BadReceipt(Break.CHANGED, f"What was signed is not a receipt: {error}.") from None
        if payload.way in SIGNED_BY_CUSTOMER:
            self._check_own(payload)
        return payload

    def _check_own(self, payload: ReceiptPayload) -> None:
        """The second signature, by the customer's own key."""
        # Most receipts have none; and that module needs this one.
        from channels.own_keys import BadAnswer, check_proof

        try:
            check_proof(payload)
        except BadAnswer as error:
            detail = f"The customer's own signature does not fit: {error.reason}."
            raise BadReceipt(Break.CHANGED, detail) from None


def verify_receipt(line: str, public_jwks: Mapping[str, Any]) -> ReceiptPayload:
    """One receipt by itself, without its place in the chain. BadReceipt if it is not genuine."""
    return Verifier(public_jwks).receipt(line)


class Link(NamedTuple):
    """What a genuine receipt says of its place in the chain, and its own hash."""

    sequence: int
    previous: str
    at: datetime
    sha256: str


def links_of(lines: Iterable[str], verifier: Verifier) -> Iterator[Link | BadReceipt]:
    """Each line's link, or why it is none; as lazily as `lines` come."""
    for line in lines:
        line = line.removesuffix("\n")
        try:
            payload = verifier.receipt(line)
        except BadReceipt as error:
            yield error
        else:
            yield Link(payload.sequence, payload.previous, payload.at, receipt_sha256(line))


def verify_chain(
    lines: Iterable[str], public_jwks: Mapping[str, Any], heads: Mapping[int, str] | None = None
) -> ChainReport:
    """Follow a whole chain from its first receipt. Reads `lines` once and stops at the first broken link;
    only to tell a removed receipt from a moved one does it look further, keeping nothing.

    `heads`: number to hash, as somebody else wrote them down at the time."""
    verifier = Verifier(public_jwks)
    return follow_chain(links_of(lines, verifier), verifier.kids, heads)


def follow_chain(
    links: Iterator[Link | BadReceipt], kids: tuple[str, ...], heads: Mapping[int, str] | None = None
) -> ChainReport:
    """`verify_chain` from where the signatures were checked, by keys called `kids`."""
    known = heads or {}
    count, head, last = 0, FIRST_PREVIOUS, None
    for link in links:
        number = count + 1
        broken = partial(ChainReport, False, count, head, number, keys=kids)
        if isinstance(link, BadReceipt):
            return broken(link.kind, str(link))
        if link.sequence > number:
            # What is broken behind the first break does not matter to the report.
            if any(isinstance(one, Link) and one.sequence == number for one in links):
                return broken(Break.REORDERED, f"Receipt {link.sequence} stands in its place.")
            return broken(Break.REMOVED, f"Receipt {link.sequence} follows receipt {count}.")
        if link.sequence < number:
            return broken(Break.REPEATED, f"Receipt {link.sequence} appears a second time.")
        if link.previous != head:
            return broken(
                Break.CHANGED, "It does not follow from the receipt before it; one of them was replaced."
            )
        if last is not None and link.at < last:
            return broken(Break.BACK_DATED, "Its time is earlier than that of the receipt before it.")
        if known.get(number, link.sha256) != link.sha256:
            return broken(
                Break.CHANGED,
                "It is not the one that stood here when the head was taken: all was signed anew.",
            )
        count, head, last = number, link.sha256, link.at
    missing = max(known, default=0)
    if missing > count:
        detail = f"{missing} receipts were there when a head was taken, {count} are here."
        return ChainReport(False, count, head, count + 1, Break.TRUNCATED, detail, kids)
    return ChainReport(True, count, head, keys=kids, heads=len(known))


def _strict_decode(part: str) -> bytes:
    data = part.encode("ascii")
    raw: bytes = urlsafe_b64decode(data)
    if urlsafe_b64encode(raw) != data:
        raise ValueError("not the one spelling")
    return raw
