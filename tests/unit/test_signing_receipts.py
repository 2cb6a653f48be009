"""The receipt chain under every kind of surgery, and its export."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.signing import (
    FIRST_PREVIOUS,
    BadReceipt,
    Break,
    ExportFault,
    ReceiptPayload,
    SignedReceipt,
    SigningKey,
    new_key,
    sign_receipt,
    verify_chain,
    verify_export,
    verify_export_file,
    verify_receipt,
    write_export,
)

START = datetime(2026, 8, 3, 10, 4, tzinfo=UTC)
KEY = SigningKey.parse(new_key())
STRANGER = SigningKey.parse(new_key())


def payload(sequence: int, previous: str, minutes: int) -> ReceiptPayload:
    return ReceiptPayload(
        sequence=sequence,
        previous=previous,
        customer=f"C-{sequence}",
        outage="PO-2026-0417",
        revision=1,
        text_sha256=sha256(b"text").hexdigest(),
        signer_name="王芳",
        signer_role="值班电工",
        way="link",
        answer="ACKNOWLEDGED",
        at=START + timedelta(minutes=minutes),
        details={"strength": "link"},
    )


def chain(length: int, key: SigningKey = KEY, minutes: list[int] | None = None) -> list[SignedReceipt]:
    signed: list[SignedReceipt] = []
    for index in range(length):
        previous = signed[-1].sha256 if signed else FIRST_PREVIOUS
        signed.append(sign_receipt(key, payload(index + 1, previous, minutes[index] if minutes else index)))
    return signed


def lines_of(receipts: list[SignedReceipt]) -> list[str]:
    return [receipt.jws for receipt in receipts]


def export_of(receipts: list[SignedReceipt], key: SigningKey = KEY) -> str:
    out = io.StringIO()
    head = receipts[-1].sha256 if receipts else FIRST_PREVIOUS
    write_export(key, lines_of(receipts), out, count=len(receipts), head=head, at=START)
    return out.getvalue()


def test_an_untouched_chain_holds_and_gives_back_what_was_signed() -> None:
    receipts = chain(5)
    report = verify_chain((line + "\n" for line in lines_of(receipts)), KEY.public_jwks)
    assert report.ok and report.count == 5 and report.head == receipts[-1].sha256
    assert "every link holds" in str(report)
    assert verify_receipt(receipts[2].jws, KEY.public_jwks) == payload(3, receipts[1].sha256, 2)
    assert sign_receipt(KEY, payload(1, FIRST_PREVIOUS, 0)) == receipts[0]
    assert verify_chain([], KEY.public_jwks).ok


def test_the_time_zone_in_which_it_was_signed_does_not_matter() -> None:
    there = payload(1, FIRST_PREVIOUS, 0)
    here = replace(there, at=there.at.astimezone(datetime.fromisoformat("2026-01-01T00:00+08:00").tzinfo))
    assert here.to_json() == there.to_json()


def test_a_removed_receipt_is_named() -> None:
    lines = lines_of(chain(5))
    report = verify_chain(lines[:2] + lines[3:], KEY.public_jwks)
    assert (report.ok, report.broken_at, report.reason) == (False, 3, Break.REMOVED)
    assert verify_chain(lines[1:], KEY.public_jwks).broken_at == 1


def test_a_moved_receipt_is_named() -> None:
    lines = lines_of(chain(5))
    lines[1], lines[3] = lines[3], lines[1]
    report = verify_chain(lines, KEY.public_jwks)
    assert (report.broken_at, report.reason, report.count) == (2, Break.REORDERED, 1)


def test_a_repeated_receipt_is_named() -> None:
    lines = lines_of(chain(3))
    report = verify_chain([*lines[:2], lines[1], lines[2]], KEY.public_jwks)
    assert (report.broken_at, report.reason) == (3, Break.REPEATED)


def test_a_back_dated_receipt_is_named() -> None:
    report = verify_chain(lines_of(chain(4, minutes=[0, 10, 9, 11])), KEY.public_jwks)
    assert (report.broken_at, report.reason) == (3, Break.BACK_DATED)


def test_a_receipt_by_an_unknown_key_is_named() -> None:
    report = verify_chain(lines_of(chain(2, STRANGER)), KEY.public_jwks)
    assert (report.broken_at, report.reason) == (1, Break.UNKNOWN_KEY)


def test_a_receipt_signed_again_by_the_true_key_breaks_the_next_link() -> None:
    receipts = chain(4)
    rewritten = sign_receipt(KEY, replace(payload(2, receipts[0].sha256, 1), answer="REFUSED"))
    lines = lines_of(receipts)
    lines[1] = rewritten.jws
    report = verify_chain(lines, KEY.public_jwks)
    assert (report.broken_at, report.reason) == (3, Break.CHANGED)


def test_a_rotated_key_carries_the_chain_on() -> None:
    old = json.loads(new_key())
    after = SigningKey.parse(json.dumps({"keys": [json.loads(new_key()), old]}))
    first = chain(1, SigningKey.parse(json.dumps(old)))[0]
    second = sign_receipt(after, payload(2, first.sha256, 1))
    assert verify_export(io.StringIO(export_of([first, second], after))).ok


def test_each_flipped_byte_of_an_export_is_found(tmp_path: Path) -> None:
    data = export_of(chain(2)).encode()
    path = tmp_path / "receipts.jsonl"
    path.write_bytes(data)
    assert verify_export_file(path).ok
    for place in range(len(data)):
        for mask in (1, 0x20):
            flipped = data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]
            path.write_bytes(flipped)
            report = verify_export_file(path)
            assert not report.ok, f"byte {place} xor {mask}"
            assert report.broken_at is not None and report.reason is not None


def test_a_cut_or_lengthened_end_is_found_by_the_header() -> None:
    receipts = chain(4)
    lines = export_of(receipts).splitlines()
    cut = verify_export(lines[:-1])
    assert (cut.ok, cut.broken_at, cut.reason) == (False, 4, Break.TRUNCATED)
    longer = verify_export([*export_of(receipts[:3]).splitlines(), receipts[3].jws])
    assert (longer.broken_at, longer.reason) == (4, Break.EXTENDED)
    forged = export_of(receipts[:3], STRANGER).splitlines()[0]
    assert verify_export([forged, *lines[1:4]]).reason == Break.UNKNOWN_KEY
    other_end = sign_receipt(KEY, replace(payload(4, receipts[2].sha256, 3), answer="OBJECTED"))
    report = verify_export([*lines[:-1], other_end.jws])
    assert (report.broken_at, report.reason) == (4, Break.CHANGED)
    assert verify_export([]).broken_at == 0


def test_a_wholly_forged_export_fails_against_the_published_keys() -> None:
    text = export_of(chain(2, STRANGER), STRANGER)
    assert verify_export(io.StringIO(text)).keys == (STRANGER.kid,)
    pinned = verify_export(io.StringIO(text), KEY.public_jwks)
    assert (pinned.ok, pinned.broken_at, pinned.reason) == (False, 0, Break.UNKNOWN_KEY)


def test_an_export_that_does_not_match_the_store_is_not_written_silently() -> None:
    receipts = chain(2)
    with pytest.raises(ExportFault):
        write_export(KEY, lines_of(receipts), io.StringIO(), count=3, head=receipts[-1].sha256, at=START)


SIX = export_of(chain(6)).splitlines()


@given(st.lists(st.integers(1, 6), max_size=8))
def test_any_surgery_is_found_at_its_first_place(picked: list[int]) -> None:
    report = verify_export([SIX[0], *(SIX[number] for number in picked)])
    whole = [1, 2, 3, 4, 5, 6]
    assert report.ok == (picked == whole)
    if picked != whole:
        assert report.broken_at == next(
            at for at in range(1, 8) if picked[at - 1 : at] != whole[at - 1 : at] or at > len(picked)
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence": 0},
        {"revision": 0},
        {"previous": "x"},
        {"previous": "a" * 64},
        {"text_sha256": "A" * 64},
        {"answer": "MAYBE"},
        {"at": START.replace(tzinfo=None)},
    ],
)
def test_a_receipt_that_makes_no_sense_is_not_signed(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        replace(payload(1, FIRST_PREVIOUS, 0), **wrong)  # type: ignore[arg-type]


def test_something_else_signed_by_our_key_is_not_a_receipt() -> None:
    header_jws = json.loads(export_of([]).splitlines()[0])["jws"]
    with pytest.raises(BadReceipt):
        verify_receipt(header_jws, KEY.public_jwks)
