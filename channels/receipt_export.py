"""The export of a receipt chain: a file that proves itself, without the database.

JSON Lines in spirit: the first line is a JSON object with the verification keys, the
number of receipts, the hash of the last one and the instant of the export, together with
a JWS over just that; then one receipt (a compact JWS) per line. The signed header is what
notices a cut end. Where heads of the chain were put into other hands (`chain_heads`), they stand between header and
receipts, a JSON object each, and the header vouches for them too.

The keys in the header make the file self-contained, but a forger could have put in his
own: whoever checks should compare `ChainReport.keys` with the published ones, or hand in
`trusted_jwks`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from channels.chain_heads import Authorities, ChainHead, StampFault
from channels.keys import KeyFault, SigningKey
from channels.receipt_pool import links_side_by_side
from channels.receipts import (
    FIRST_PREVIOUS,
    BadReceipt,
    Break,
    ChainReport,
    Stamped,
    Verifier,
    canonical_json,
    follow_chain,
    format_instant,
    receipt_sha256,
    sign_compact,
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
    heads: int = 0  # how many lines of heads follow
    heads_sha256: str = ""  # of these lines, each with its line break

    def claims(self) -> bytes:
        """What the header's JWS signs."""
        more = {"heads": self.heads, "heads_sha256": self.heads_sha256} if self.heads else {}
        return canonical_json(
            {
                "type": TYPE,
                "count": self.count,
                "head": self.head,
                "exported_at": self.exported_at,
                "jwks": self.jwks,
                **more,
            }
        )


def write_export(
    key: SigningKey,
    lines: Iterable[str],
    out: TextIO,
    *,
    count: int,
    head: str,
    at: datetime,
    heads: Sequence[ChainHead] = (),
) -> None:
    """Write header, heads and receipts as they come, at flat memory. `count` and `head` are what the store says of
    the chain; if the lines say otherwise, ExportFault is raised and the file, half written, does not verify."""
    written = [one.to_line() for one in heads]
    digest = _digest_of(written) if written else ""
    draft = ExportHeader(count, head, format_instant(at), key.public_jwks, "", len(written), digest)
    signed = replace(draft, jws=sign_compact(key, draft.claims()))
    for line in (_header_line(signed), *written):
        out.write(line + "\n")
    seen, last = 0, FIRST_PREVIOUS
    for line in lines:
        out.write(line + "\n")
        seen, last = seen + 1, receipt_sha256(line)
    if (seen, last) != (count, head):
        raise ExportFault(
            f"The store named {count} receipts, the export got {seen}, or the last one differs."
        )


def read_export(stream: Iterable[str]) -> tuple[ExportHeader, list[ChainHead], Iterator[str]]:
    """The header (its signature not yet checked), the heads and the receipts' lines. ExportFault if the header
    is none, or if the heads are not those that it names."""
    lines = iter(stream)
    first = next(lines, "").removesuffix("\n")
    try:
        raw = json.loads(first)
        claims = raw["export"]
        header = ExportHeader(
            claims["count"],
            claims["head"],
            claims["exported_at"],
            claims["jwks"],
            raw["jws"],
            claims.get("heads", 0),
            claims.get("heads_sha256", ""),
        )
        numbers = isinstance(header.count, int) and isinstance(header.heads, int)
        exact = _header_line(header) == first and numbers and isinstance(header.jwks, dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        exact = False
    if not exact:
        raise ExportFault("The first line is not the header of a receipt export, or was changed.")
    return header, _heads_of(header, lines), (line.removesuffix("\n") for line in lines)


def _heads_of(header: ExportHeader, lines: Iterator[str]) -> list[ChainHead]:
    if not header.heads:
        return []
    written = [line.removesuffix("\n") for line in islice(lines, header.heads)]
    if _digest_of(written) != header.heads_sha256:
        raise ExportFault("The heads of the chain behind the header were changed, or some are missing.")
    try:
        return [ChainHead.from_line(line) for line in written]
    except ValueError as error:
        raise ExportFault(f"A line behind the header is {error}.") from None


def verify_export(
    stream: Iterable[str],
    trusted_jwks: Mapping[str, Any] | None = None,
    authorities: Authorities | None = None,
    known: Mapping[int, str] | None = None,
    processes: int = 1,
) -> ChainReport:
    """Check a whole export: header, every link, that the end is where the header says, and every head in it.
    The signatures of a long one are checked by so many `processes`.

    `authorities` are believed about time: without them a stamp in the file proves nothing and is not
    counted. `known`: heads (number to hash) that whoever checks has kept himself.
    """
    try:
        header, heads, lines = read_export(stream)
        keys = trusted_jwks if trusted_jwks is not None else header.jwks
        verifier = Verifier(keys)
        if verifier.open(header.jws) != header.claims():
            raise BadReceipt(Break.CHANGED, "The header is not what was signed.")
        stamped = stamps_of(heads, authorities)
    except BadReceipt as error:
        return ChainReport(False, 0, FIRST_PREVIOUS, 0, error.kind, str(error))
    except (ExportFault, KeyFault, StampFault, TypeError, AttributeError) as error:
        return ChainReport(False, 0, FIRST_PREVIOUS, 0, Break.CHANGED, str(error))
    marks = {one.count: one.head for one in heads} | dict(known or {})
    links = links_side_by_side(lines, keys, processes)
    report = replace(follow_chain(links, verifier.kids, marks), covers_end=True, stamped=stamped)
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


def stamps_of(heads: Iterable[ChainHead], authorities: Authorities | None) -> tuple[Stamped, ...]:
    """What the stamps of `heads` prove, the earliest first. StampFault if one does not hold."""
    if authorities is None:
        return ()
    checked = [(one, authorities.check(one)) for one in heads if one.stamp]
    return tuple(Stamped(one.count, stamp.at, stamp.authority) for one, stamp in checked)


def verify_export_file(
    path: str | os.PathLike[str],
    trusted_jwks: Mapping[str, Any] | None = None,
    authorities: Authorities | None = None,
    known: Mapping[int, str] | None = None,
    processes: int = 1,
) -> ChainReport:
    """`verify_export` of a file, byte for byte: odd bytes and line ends count as changes, not as errors."""
    with Path(path).open(encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
        return verify_export(stream, trusted_jwks, authorities, known, processes)


def _digest_of(lines: Iterable[str]) -> str:
    text = "".join(line + "\n" for line in lines)
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _header_line(header: ExportHeader) -> str:
    return canonical_json({"export": json.loads(header.claims()), "jws": header.jws}).decode()
