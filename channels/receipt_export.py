"""The export of a receipt chain: a file that proves itself, without the database.

JSON Lines in spirit: the first line is a JSON object with the verification keys, the
number of receipts, the hash of the last one and the instant of the export, together with
a JWS over just that; then one receipt (a compact JWS) per line. The signed header is what
notices a cut end.

The keys in the header make the file self-contained, but a forger could have put in his
own: whoever checks should compare `ChainReport.keys` with the published ones, or hand in
`trusted_jwks`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from channels.keys import KeyFault, SigningKey
from channels.receipts import (
    FIRST_PREVIOUS,
    BadReceipt,
    Break,
    ChainReport,
    Verifier,
    canonical_json,
    format_instant,
    receipt_sha256,
    sign_compact,
    verify_chain,
)

TYPE = "outage-notify-receipts"


class ExportFault(ValueError):
    """The export could not be written, or its header is not one."""


@dataclass(frozen=True)
class ExportHeader:
    count: int
    head: str  # hash of the last receipt, FIRST_PREVIOUS of none
    exported_at: str  # UTC, ISO 8601
    jwks: Mapping[str, Any]
    jws: str

    def claims(self) -> bytes:
        """What the header's JWS signs."""
        return canonical_json(
            {
                "type": TYPE,
                "count": self.count,
                "head": self.head,
                "exported_at": self.exported_at,
                "jwks": self.jwks,
            }
        )


def write_export(
    key: SigningKey, lines: Iterable[str], out: TextIO, *, count: int, head: str, at: datetime
) -> None:
    """Write header and receipts as they come, at flat memory. `count` and `head` are what the store says of
    the chain; if the lines say otherwise, ExportFault is raised and the file, half written, does not verify."""
    draft = ExportHeader(count, head, format_instant(at), key.public_jwks, "")
    signed = replace(draft, jws=sign_compact(key, draft.claims()))
    out.write(_header_line(signed) + "\n")
    seen, last = 0, FIRST_PREVIOUS
    for line in lines:
        out.write(line + "\n")
        seen, last = seen + 1, receipt_sha256(line)
    if (seen, last) != (count, head):
        raise ExportFault(
            f"The store named {count} receipts, the export got {seen}, or the last one differs."
        )


def read_export(stream: Iterable[str]) -> tuple[ExportHeader, Iterator[str]]:
    """The header (its signature not yet checked) and the receipts' lines. ExportFault if the header is none."""
    lines = iter(stream)
    first = next(lines, "").removesuffix("\n")
    try:
        raw = json.loads(first)
        claims = raw["export"]
        header = ExportHeader(
            claims["count"], claims["head"], claims["exported_at"], claims["jwks"], raw["jws"]
        )
        exact = (
            _header_line(header) == first and isinstance(header.count, int) and isinstance(header.jwks, dict)
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        exact = False
    if not exact:
        raise ExportFault("The first line is not the header of a receipt export, or was changed.")
    return header, (line.removesuffix("\n") for line in lines)


def verify_export(stream: Iterable[str], trusted_jwks: Mapping[str, Any] | None = None) -> ChainReport:
    """Check a whole export: header, every link, and that the end is where the header says."""
    try:
        header, lines = read_export(stream)
        keys = trusted_jwks if trusted_jwks is not None else header.jwks
        verifier = Verifier(keys)
        if verifier.open(header.jws) != header.claims():
            raise BadReceipt(Break.CHANGED, "The header is not what was signed.")
    except BadReceipt as error:
        return ChainReport(False, 0, FIRST_PREVIOUS, 0, error.kind, str(error))
    except (ExportFault, KeyFault, TypeError, AttributeError) as error:
        return ChainReport(False, 0, FIRST_PREVIOUS, 0, Break.CHANGED, str(error))
    report = replace(verify_chain(lines, keys), covers_end=True)
    if not report.ok:
        return report
    if report.count < header.count:
        return replace(
            report,
            ok=False,
            broken_at=report.count + 1,
            reason=Break.TRUNCATED,
            detail=f"The header vouches for {header.count} receipts, {report.count} are here.",
        )
    if report.count > header.count:
        return replace(
            report,
            ok=False,
            broken_at=header.count + 1,
            reason=Break.EXTENDED,
            detail=f"The header vouches for {header.count} receipts, {report.count} are here.",
        )
    if report.head != header.head:
        return replace(
            report,
            ok=False,
            broken_at=report.count,
            reason=Break.CHANGED,
            detail="The last receipt is not the one that the header vouches for.",
        )
    return report


def verify_export_file(
    path: str | os.PathLike[str], trusted_jwks: Mapping[str, Any] | None = None
) -> ChainReport:
    """`verify_export` of a file, byte for byte: odd bytes and line ends count as changes, not as errors."""
    with Path(path).open(encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        return verify_export(stream, trusted_jwks)


def _header_line(header: ExportHeader) -> str:
    return canonical_json({"export": json.loads(header.claims()), "jws": header.jws}).decode()
