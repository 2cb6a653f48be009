"""Heads of the chain in other hands: who holds the key can sign all anew, but not unseen."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from channels.chain_heads import Authorities, ChainHead, StampFault, ask_for_stamp, letter
from channels.signing import (
    FIRST_PREVIOUS,
    Break,
    ChainReport,
    KeyFault,
    ReceiptPayload,
    SignedReceipt,
    SigningKey,
    new_key,
    sign_receipt,
    verify_export,
    write_export,
)
from tests.servers.timestamp_authority import TimestampAuthority

START = datetime(2026, 8, 3, 10, 4, tzinfo=UTC)
KEY = SigningKey.parse(new_key())


def chain(length: int, signer: str = "王芳") -> list[SignedReceipt]:
    signed: list[SignedReceipt] = []
    for number in range(1, length + 1):
        previous = signed[-1].sha256 if signed else FIRST_PREVIOUS
        at = START + timedelta(minutes=number)
        about = (f"C-{number}", "PO-2026-0417", 1, sha256(b"text").hexdigest(), signer, "", "link")
        signed.append(sign_receipt(KEY, ReceiptPayload(number, previous, *about, "ACKNOWLEDGED", at)))
    return signed


def head_of(receipts: list[SignedReceipt], number: int) -> ChainHead:
    return ChainHead.taken(number, receipts[number - 1].sha256, START)


def export(receipts: list[SignedReceipt], heads: list[ChainHead]) -> list[str]:
    out = io.StringIO()
    lines = [one.jws for one in receipts]
    write_export(KEY, lines, out, count=len(lines), head=receipts[-1].sha256, at=START, heads=heads)
    return out.getvalue().splitlines(keepends=True)


def stamped(authority: TimestampAuthority, head: ChainHead) -> ChainHead:
    trusted = Authorities.load(authority.roots)
    return replace(head, stamp=ask_for_stamp(authority.url, head, trusted, 10))


def check(
    lines: list[str], timestamp_authority: TimestampAuthority | None = None, **more: object
) -> ChainReport:
    trusted = Authorities.load(timestamp_authority.roots) if timestamp_authority else None
    return verify_export(lines, None, trusted, **more)  # type: ignore[arg-type]


def test_a_stamp_says_how_many_receipts_stood_when(timestamp_authority: TimestampAuthority) -> None:
    receipts = chain(5)
    head = stamped(timestamp_authority, head_of(receipts, 3))
    report = check(export(receipts, [head]), timestamp_authority)
    assert (report.ok, report.count, report.heads) == (True, 5, 1), str(report)
    (found,) = report.stamped
    assert (found.count, found.authority) == (3, "CN=Test time-stamping authority")
    assert abs(found.at - datetime.now(UTC)) < timedelta(minutes=5)


def test_all_signed_anew_with_the_true_key_is_seen(timestamp_authority: TimestampAuthority) -> None:
    """What the chain alone cannot show: the utility itself rewrites the past."""
    true, forged = chain(5), chain(5, "李四")
    head = stamped(timestamp_authority, head_of(true, 3))
    assert check(export(forged, [])).ok
    report = check(export(forged, [head]), timestamp_authority)
    assert (report.ok, report.broken_at, report.reason) == (False, 3, Break.CHANGED)
    mailed = check(export(forged, []), known={3: true[2].sha256})
    assert (mailed.ok, mailed.broken_at) == (False, 3)
    assert check(export(true, []), known={3: true[2].sha256}).heads == 1
    short = check(export(true[:2], []), known={3: true[2].sha256})
    assert (short.broken_at, short.reason) == (3, Break.TRUNCATED)


def test_a_stamp_for_another_head_or_by_a_stranger_proves_nothing(
    timestamp_authority: TimestampAuthority, tmp_path: Path
) -> None:
    receipts = chain(4)
    head = stamped(timestamp_authority, head_of(receipts, 2))
    moved = replace(head_of(receipts, 4), stamp=head.stamp)
    report = check(export(receipts, [moved]), timestamp_authority)
    assert (report.ok, report.broken_at) == (False, 0) and "time-stamp of receipt 4" in report.detail
    stranger = TimestampAuthority(tmp_path)
    try:
        assert not check(export(receipts, [head]), stranger).ok
        with pytest.raises(StampFault):
            ask_for_stamp(stranger.url, head, Authorities.load(timestamp_authority.roots), 10)
    finally:
        stranger.stop()


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_damaged_stamp_is_not_believed(timestamp_authority: TimestampAuthority, place: float) -> None:
    head = stamped(timestamp_authority, head_of(chain(1), 1))
    # Somewhere in its signature: the last bytes of the answer.
    at = len(head.stamp) - 1 - int(place * 60)
    damaged = head.stamp[:at] + bytes([head.stamp[at] ^ 1]) + head.stamp[at + 1 :]
    with pytest.raises(StampFault):
        Authorities.load(timestamp_authority.roots).check(replace(head, stamp=damaged))


def test_heads_cannot_be_changed_or_taken_out_of_an_export() -> None:
    receipts = chain(4)
    lines = export(receipts, [head_of(receipts, 2), head_of(receipts, 3)])
    assert check(lines).heads == 2
    assert "heads" not in export(receipts, [])[0]
    for broken in (
        [lines[0], *lines[2:]],
        [lines[0], lines[2], lines[1], *lines[3:]],
        [lines[0], lines[1].replace('"count":2', '"count":1'), *lines[2:]],
    ):
        assert check(broken).broken_at == 0


def test_an_authority_that_gives_no_stamp_is_named(timestamp_authority: TimestampAuthority) -> None:
    head, trusted = head_of(chain(1), 1), Authorities.load(timestamp_authority.roots)
    old = stamped(timestamp_authority, head).stamp
    for answer, said in (
        ((503, b""), "answered 503"),
        ((200, b"<html>"), "no stamp"),
        ((200, old), "another question"),
    ):
        timestamp_authority.answer = answer
        with pytest.raises(StampFault, match=said):
            ask_for_stamp(timestamp_authority.url, head, trusted, 10)
    with pytest.raises(StampFault, match="cannot be reached"):
        ask_for_stamp("http://127.0.0.1:9/", head, trusted, 2)


def test_a_head_is_read_as_it_was_written_and_no_other_way(tmp_path: Path) -> None:
    head = ChainHead.taken(7, "a" * 64, START, b"\x01\x02")
    assert ChainHead.from_line(head.to_line()) == head
    for wrong in ("{}", "[]", head.to_line() + " ", head.to_line().replace("7", '"7"')):
        with pytest.raises(ValueError):
            ChainHead.from_line(wrong)
    text = letter("Oberrhein Netz", head, ["k1"]).text
    assert f"7:{'a' * 64}" in text.splitlines()
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises(KeyFault, match="holds no certificates"):
        Authorities.load(tmp_path / "none.pem")
