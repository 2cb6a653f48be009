"""Is this receipt genuine, and is it in the chain? For anybody who holds one: its hash, or the receipt itself.

Promises: a hash is answered with what the chain says of the link alone: number, time, notice and revision, and how
many links follow; never a name, a customer or an answer. Who hands in the whole receipt is shown what it
holds, since he holds it. Changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from channels.signing import BadReceipt, ReceiptPayload, receipt_sha256, verify_receipt
from outage_notify.domain.errors import InvalidInput
from outage_notify.services import publish_keys
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks

LONGEST = 16_000
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True)
class InChain:
    """A link of the chain as everybody may know it. `after`: how many links stand behind it."""

    sequence: int
    sha256: str
    signed_at: datetime
    reference: str
    revision: int
    replaced: bool
    after: int


@dataclass(frozen=True)
class Checked:
    """The answer. `link` None: not in the chain. `payload`: what a handed-in receipt says, if it is genuine."""

    sha256: str
    link: InChain | None
    payload: ReceiptPayload | None = None
    genuine: bool | None = None


def by_hash(rt: Runtime, text: str) -> Checked:
    """Look up a hash as printed: blanks and capitals do not matter. InvalidInput if it is none."""
    sha256 = "".join(text.split()).lower()
    if not _HASH.fullmatch(sha256):
        raise InvalidInput(
            "That is no fingerprint of a receipt.", "It has 64 digits from 0 to 9 and letters from a to f."
        )
    with rt.database.read() as session:
        return Checked(sha256, _link(session, sha256))


def by_receipt(rt: Runtime, text: str) -> Checked:
    """Check a whole receipt (the downloaded JWS): its signature, and its place in the chain."""
    line = text.strip()
    if not line or len(line) > LONGEST or not line.isascii():
        raise InvalidInput("That is no receipt.", "Use the downloaded file that ends in .jws.")
    sha256 = receipt_sha256(line)
    try:
        payload = verify_receipt(line, publish_keys.verification_keys(rt))
    except BadReceipt:
        return Checked(sha256, None, genuine=False)
    with rt.database.read() as session:
        return Checked(sha256, _link(session, sha256), payload, True)


def _link(session: Session, sha256: str) -> InChain | None:
    found = acks.receipt_by_hash(session, sha256)
    if found is None:
        return None
    receipt, ack = found
    head = acks.head(session)
    return InChain(
        sequence=receipt.sequence,
        sha256=receipt.sha256,
        signed_at=receipt.signed_at,
        reference=ack.outage.reference,
        revision=ack.revision,
        replaced=ack.outage.revision != ack.revision,
        after=(head.sequence if head else receipt.sequence) - receipt.sequence,
    )


def certificate(rt: Runtime) -> bytes | None:
    """The certificates that receipts' PDFs are signed with (PEM); None where they are not."""
    return rt.pdf_signer.certificates if rt.pdf_signer else None
