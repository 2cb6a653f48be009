"""The chain of receipts, taken out and checked: by anybody from an export, and against our own rows.

Promises: an export is a snapshot that proves itself (`channels.signing.write_export`); checking the
database reads every link once, at flat memory, and holds each against the row of the answer that
it proves. Leaves to others: appending (`acknowledge`), publishing the keys (`web`).
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TextIO

from sqlalchemy.orm import Session

from channels.signing import (
    FIRST_PREVIOUS,
    Break,
    ChainReport,
    ReceiptPayload,
    receipt_sha256,
    verify_chain,
    verify_export_file,
    write_export,
)
from outage_notify.domain.acknowledgement import ANSWERED
from outage_notify.domain.errors import InvalidInput, OutageNotifyError
from outage_notify.services.runtime import Runtime
from outage_notify.store import acknowledgement_queries as acks
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
        write_export(key, lines, out, count=count, head=last, at=rt.now(session))
    return count


def verify_file(path: str | os.PathLike[str], trusted_jwks: Mapping[str, Any] | None = None) -> ChainReport:
    """Check an export without any database. Without `trusted_jwks` the keys inside the file are believed:
    then the report's `keys` are to be compared with the published ones."""
    try:
        return verify_export_file(path, trusted_jwks)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", "Check the path.") from None


def verify_database(rt: Runtime) -> ChainReport:
    """Follow the chain in the database, hold every link against the answer it proves, and look for
    answers without a link. The first fault is reported, with what differs.

    Trusted are the keys that were ever stored and, where a key file is set, those in it, which
    win: whoever writes into the database alone cannot replace a key of ours.
    """
    with rt.database.read() as session:
        keys = {kid: json.loads(jwk) for kid, jwk in acks.kept_keys(session).items()}
        if rt.settings.signing_key_file:
            keys |= {jwk["kid"]: jwk for jwk in rt.signing_key.public_jwks["keys"]}
        jwks = {"keys": list(keys.values())}
        faults: list[tuple[int, str]] = []
        report = verify_chain(_held_against_rows(session, faults), jwks)
        if faults and (report.broken_at is None or faults[0][0] < report.broken_at):
            number, detail = faults[0]
            return replace(report, ok=False, broken_at=number, reason=Break.CHANGED, detail=detail)
        unproved = acks.answers_without_receipt(session) if report.ok else []
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
                differs = _difference(receipt, ack, signed)
            except (ValueError, IndexError):
                differs = ""
            if differs:
                faults.append((number, f"Its row in the database says another {differs}."))
        yield receipt.jws


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
