"""Heads of the chain of receipts in other hands: mailed, or stamped by a time-stamping authority (RFC 3161).

A head is (number of receipts, hash of the last). Whoever holds one from the day on which it was taken can tell
that no receipt up to it was written anew afterwards, not even by the utility with its own key. Promises:
a stamp is taken only if it covers exactly our statement and leads to an authority that was named;
checking needs no network. Leaves to others: when heads are taken and where they are kept (`services.anchor_chain`).
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from channels.keys import KeyFault
from channels.model import RenderedEmail
from channels.receipts import canonical_json, format_instant

TYPE = "outage-notify-chain-head"
LARGEST_ANSWER = 64 * 1024


class StampFault(ValueError):
    """An authority gave no stamp, or one that does not vouch for what it should. Says which authority."""


@dataclass(frozen=True)
class ChainHead:
    """The end of the chain at `taken_at` (UTC, ISO 8601). `stamp`: the authority's answer (DER), if there is one."""

    count: int
    head: str
    taken_at: str
    stamp: bytes = b""

    @classmethod
    def taken(cls, count: int, head: str, at: datetime, stamp: bytes = b"") -> ChainHead:
        return cls(count, head, format_instant(at), stamp)

    def statement(self) -> bytes:
        """What is stamped."""
        return canonical_json(
            {"type": TYPE, "count": self.count, "head": self.head, "taken_at": self.taken_at}
        )

    def to_line(self) -> str:
        """One line of an export."""
        data = {"count": self.count, "head": self.head, "taken_at": self.taken_at}
        return canonical_json({**data, "stamp": b64encode(self.stamp).decode("ascii")}).decode()

    @classmethod
    def from_line(cls, line: str) -> ChainHead:
        """The inverse; ValueError for anything that `to_line` would not write exactly so."""
        raw = json.loads(line)
        try:
            found = cls(raw["count"], raw["head"], raw["taken_at"], b64decode(raw["stamp"], validate=True))
            exact = isinstance(found.count, int) and found.to_line() == line
        except (KeyError, TypeError) as error:
            raise ValueError("not a head of a chain") from error
        if not exact:
            raise ValueError("not a head of a chain as it was written")
        return found


@dataclass(frozen=True)
class Stamp:
    """When an authority saw a head, and which one it was."""

    at: datetime
    authority: str


class Authorities:
    """The root certificates of time-stamping authorities that are believed."""

    def __init__(self, roots: Sequence[x509.Certificate]) -> None:
        if not roots:
            raise KeyFault("No certificate of a time-stamping authority was given.")
        self._roots = list(roots)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Authorities:
        """From a PEM file. KeyFault names it."""
        try:
            return cls(x509.load_pem_x509_certificates(Path(path).read_bytes()))
        except (OSError, ValueError) as error:
            raise KeyFault(f"{path} holds no certificates (PEM) of a time-stamping authority.") from error

    def check(self, head: ChainHead) -> Stamp:
        """What a stamp proves. StampFault if it proves nothing: other content, unknown authority, damaged."""
        try:
            answer = decode_timestamp_response(head.stamp)
            # Certificates count as they were when the stamp was made: an old stamp outlives them.
            builder = VerifierBuilder(roots=list(self._roots))
            builder.build().verify_message(answer, head.statement())
            info = answer.tst_info
            names = [x509.load_der_x509_certificate(one) for one in answer.signed_data.certificates]
        except (VerificationError, ValueError, TypeError) as error:
            raise StampFault(f"The time-stamp of receipt {head.count} does not hold: {error}.") from None
        signer = next((one for one in names if not _is_authority(one)), names[0] if names else self._roots[0])
        return Stamp(info.gen_time, signer.subject.rfc4514_string())


def ask_for_stamp(url: str, head: ChainHead, authorities: Authorities, timeout: float) -> bytes:
    """A stamp for `head` from the authority at `url`, checked. StampFault says why there is none.

    Called twice there are two stamps, either of which will do.
    """
    # Asked once a day by a worker; whoever only checks an export need not load it.
    import requests

    asked = TimestampRequestBuilder().data(head.statement()).hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        with requests.post(
            url,
            data=asked.as_bytes(),
            headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as answer:
            body = answer.raw.read(LARGEST_ANSWER, decode_content=True)
            status = answer.status_code
    except (requests.RequestException, OSError) as error:
        raise StampFault(f"The time-stamping authority cannot be reached: {type(error).__name__}.") from None
    if status != 200:
        raise StampFault(f"The time-stamping authority answered {status}.")
    try:
        given = decode_timestamp_response(body)
        fresh = given.tst_info.nonce == asked.nonce
    except ValueError:
        raise StampFault("The time-stamping authority answered with something that is no stamp.") from None
    if not fresh:
        raise StampFault("The time-stamping authority answered another question.")
    found = ChainHead(head.count, head.head, head.taken_at, body)
    authorities.check(found)
    return body


def letter(utility: str, head: ChainHead, keys: Iterable[str]) -> RenderedEmail:
    """The mail with a head, in both languages: whoever gets it may read either."""
    named = ", ".join(keys)
    rows = (f"{head.count}:{head.head}", "", f"Keys: {named}")
    text = "\n".join(
        (
            f"{utility}",
            "",
            f"Receipts of answers to outage notices, as they stood at {head.taken_at}: {head.count}.",
            "Keep this mail. With an export of the receipts, whoever has it can tell that none of them was",
            "changed afterwards:  outage-notify receipts verify FILE --head NUMBER:HASH",
            "",
            f"停电通知回执，截至 {head.taken_at} 共 {head.count} 份。请保存本邮件：",
            "凭导出文件和下面一行，即可核实这些回执此后未被改动。",
            "",
            *rows,
        )
    )
    subject = f"{utility}: {head.count} receipts / 回执 {head.count} 份, {head.head[:12]}"
    return RenderedEmail(subject, text, "")


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
