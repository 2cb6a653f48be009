"""The chain of receipts, taken out and checked: by anybody from an export, and against our own rows.

Promises: an export is a snapshot that proves itself (`channels.signing.write_export`); checking the
database reads every link once, at flat memory, and holds each against the row of the answer that
it proves. Leaves to others: appending (`acknowledge`), publishing the keys (`web`).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import TextIO

from sqlalchemy.orm import Session

from channels.chain_heads import StampFault
from channels.signing import (
    FIRST_PREVIOUS,
    Break,
    ChainReport,
    ReceiptPayload,
    receipt_sha256,
    stamps_of,
    verify_chain,
    write_export,
)
from outage_notify.domain.acknowledgement import ANSWERED
from outage_notify.domain.errors import OutageNotifyError
from outage_notify.services import anchor_chain
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
from outage_notify.store import chain_queries, visit_queries
from outage_notify.store.acknowledgement_tables import Acknowledgement, SignedReceipt


def export(rt: Runtime, out: TextIO) -> int:
    """Write the chain as it is now to `out`, line by line; returns the number of receipts.

    What is signed while this runs is not in it. Changes nothing; if it dies, the half written file does
    not verify. The header vouches with the keys of the key file: an earlier key that is no
    longer there is named in an error, since nobody could check the export without it.
    """
    key = rt.signing_key
    with rt.database.read() as session:
        missing = sorted(set(acks.kept_keys(session)) - {jwk["kid"] for jwk in key.public_jwks["keys"]})
        if missing:
            raise OutageNotifyError(
                f"Receipts were signed with keys that the key file does not hold: {', '.join(missing)}.",
                "Add their public parts behind the signing key in that file.",
            )
        head = acks.head(session)
        count, last = (head.sequence, head.sha256) if head else (0, FIRST_PREVIOUS)
        lines = acks.lines_in_order(session, count)
        heads = [anchor_chain.as_head(row) for row in chain_queries.all_heads(session, count)]
        write_export(key, lines, out, count=count, head=last, at=rt.now(session), heads=heads)
    return count


def verify_database(rt: Runtime) -> ChainReport:
    """Follow the chain in the database, hold every link against the answer it proves, its scan and the heads that
    were taken, and look for answers without a link. The first fault is reported, with what differs.

    Trusted are the keys that were ever stored and, where a key file is set, those in it, which
    win: whoever writes into the database alone cannot replace a key of ours.
    """
    with rt.database.read() as session:
        keys = {kid: json.loads(jwk) for kid, jwk in acks.kept_keys(session).items()}
        if rt.settings.signing_key_file:
            keys |= {jwk["kid"]: jwk for jwk in rt.signing_key.public_jwks["keys"]}
        jwks = {"keys": list(keys.values())}
        faults: list[tuple[int, str]] = []
        heads = [anchor_chain.as_head(row) for row in chain_queries.all_heads(session)]
        marks = {one.count: one.head for one in heads}
        report = verify_chain(_held_against_rows(session, faults), jwks, marks)
        if faults and (report.broken_at is None or faults[0][0] < report.broken_at):
            number, detail = faults[0]
            return replace(report, ok=False, broken_at=number, reason=Break.CHANGED, detail=detail)
        unproved = acks.answers_without_receipt(session) if report.ok else []
    try:
        report = replace(report, stamped=stamps_of(heads, anchor_chain.authorities(rt)))
    except StampFault as error:
        return replace(report, ok=False, broken_at=0, reason=Break.CHANGED, detail=str(error))
    if unproved:
        named = ", ".join(map(str, unproved))
        return replace(
            report,
            ok=False,
            broken_at=report.count + 1,
            reason=Break.TRUNCATED,
            detail=f"Answers without a receipt: acknowledgements {named}.",
        )
    return report


def _held_against_rows(session: Session, faults: list[tuple[int, str]]) -> Iterator[str]:
    """The lines of the chain; on the way the first that differs from its rows goes to `faults`.

    Only what was signed is read here: whether the signature is genuine is told by whoever follows
    the lines, who stops at the first that is not.
    """
    for number, (receipt, ack) in enumerate(acks.receipts_in_order(session), start=1):
        if not faults:
            try:
                body = receipt.jws.split(".")[1]
                signed = ReceiptPayload.from_json(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
                differs = _difference(receipt, ack, signed) or _other_scan(session, receipt, signed)
            except (ValueError, IndexError):
                differs = ""
            if differs:
                faults.append((number, f"Its row in the database says another {differs}."))
        yield receipt.jws


def _other_scan(session: Session, receipt: SignedReceipt, signed: ReceiptPayload) -> str:
    """Whether the slip that is kept is another one than the receipt names, or is missing."""
    named = signed.details.get("scan_sha256", "")
    # Most receipts name none, and asking for each would be a query for each.
    same = not named or acks.scan_hashes(session, receipt.sequence) == (named, named)
    if not same:
        return "scan of the slip"
    photo = signed.details.get("photo_sha256", "")
    same = not photo or visit_queries.photo_hashes(session, receipt.sequence) == (photo, photo)
    return "" if same else "photograph of the visit"


def _difference(receipt: SignedReceipt, ack: Acknowledgement, signed: ReceiptPayload) -> str:
    """The first thing in which a receipt's rows differ from what was signed; empty if there is none."""
    pairs = {
        "sequence": (receipt.sequence, signed.sequence),
        "hash": (receipt.sha256, receipt_sha256(receipt.jws)),
        "hash of the receipt before": (receipt.previous_sha256, signed.previous),
        "time": (receipt.signed_at, signed.at),
        "customer": (ack.customer.customer_id, signed.customer),
        "outage": (ack.outage.reference, signed.outage),
        "revision": (ack.revision, signed.revision),
        "text": (receipt_sha256(ack.text), signed.text_sha256),
        "hash of the text": (ack.text_sha256, signed.text_sha256),
    }
    # Only the newest answer stands in the row; an objection that was settled is told by its receipt alone.
    if ack.answered_at == signed.at:
        if ack.state in ANSWERED:
            pairs["answer"] = (ack.state.value, signed.answer)
        pairs["way"] = (ack.way.value if ack.way else "", signed.way)
        pairs["signer"] = (ack.signer_name, signed.signer_name)
        pairs["role"] = (ack.signer_role, signed.signer_role)
    return next((name for name, (row, proof) in pairs.items() if row != proof), "")
