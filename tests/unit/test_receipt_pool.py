"""Signatures checked side by side say what one process says, whatever was done to the chain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from channels import receipt_pool
from channels.receipts import follow_chain, verify_chain
from tests.unit.test_signing_receipts import KEY, chain, lines_of

LINES = lines_of(chain(40))
OTHER = lines_of(chain(12, minutes=[0] * 12))
SURGERY = {
    "untouched": LINES,
    "a byte changed": [*LINES[:30], LINES[30].replace("A", "B", 1), *LINES[31:]],
    "removed": [*LINES[:17], *LINES[18:]],
    "moved far back": [*LINES[:12], *LINES[13:], LINES[12]],
    "repeated": [*LINES[:25], LINES[24], *LINES[25:]],
    "not a receipt": [*LINES[:39], "none"],
    "joined from two chains": [*OTHER, *LINES[12:]],
}


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_pool, "SHORT", 10)
    monkeypatch.setattr(receipt_pool, "PIECE", 7)


def test_every_surgery_is_found_as_by_one_process(short: None) -> None:
    jwks = KEY.public_jwks
    for name, lines in SURGERY.items():
        alone = verify_chain(lines, jwks)
        links = receipt_pool.links_side_by_side(lines, jwks, 2)
        assert follow_chain(links, alone.keys) == alone, name
        assert alone.ok == (name == "untouched"), (name, alone)


def test_lines_are_read_no_further_than_the_work_needs(short: None) -> None:
    """A long chain is never held: what is read ahead is bounded by the number of processes."""
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in LINES * 20:
            read += 1
            yield line

    links = receipt_pool.links_side_by_side(lines(), KEY.public_jwks, 2)
    next(links)
    assert read <= receipt_pool.SHORT + (2 * 2 + 2) * receipt_pool.PIECE
    links.close()


def test_a_short_chain_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipt_pool, "ProcessPoolExecutor", None)
    links = receipt_pool.links_side_by_side(LINES, KEY.public_jwks, 8)
    assert len(list(links)) == len(LINES)
