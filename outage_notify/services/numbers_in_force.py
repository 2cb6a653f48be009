"""Whose telephone number ends so: the numbers of all customers, written backwards and sorted.

No index of both databases finds the end of a text, and looking at two million numbers takes a second; here it is
sixteen bytes a number, searched by halving. Promises: whoever is found has such a number now, since the database is
asked once more about the few who may; a number that was added since the file was made is found too, since the newest
rows are asked in any case. Files and their mark are `marked_files`' matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from sqlalchemy.orm import Session

from outage_notify.services.marked_files import MarkedFile, place_of
from outage_notify.services.runtime import Runtime
from outage_notify.store import people_columns, people_numbers

# Raised with every change of the columns or their meaning.
LAYOUT = 1
# A number of E.164 has 15 digits at most.
_DIGITS = 16
# So many new contacts are asked for one by one before the columns are made anew.
_NEW = 20_000
# Numbers of rows are given before they are committed: so many may come in behind the newest that was seen.
_BEHIND = 1_000
# Of an ending that very many share, such as the number of an office, no more than so many are looked at.
_MOST = 500
_ROW = np.dtype([("backwards", "<u8"), ("customer", "<i8")])


@dataclass(frozen=True)
class Numbers:
    """Rows by number written backwards; `newest`: the newest contact that was seen."""

    rows: np.ndarray
    newest: int

    def ending(self, digits: str) -> list[int]:
        """Row ids of customers who had a number with this end."""
        low = _backwards(digits)
        high = low + 10 ** (_DIGITS - len(digits))
        column = self.rows["backwards"]
        first, last = np.searchsorted(column, np.array([low, high], np.uint64)).tolist()
        found: list[int] = np.unique(self.rows["customer"][first : min(last, first + _MOST)]).tolist()
        return found


def whose_number_ends(session: Session, rt: Runtime, digits: str) -> list[int]:
    """Row ids of customers with a telephone number that ends in these digits (up to 15), some hundred at most."""
    if not 0 < len(digits) < _DIGITS:
        return []

    def make() -> Numbers:
        # Before the rows: what is added meanwhile is then asked for, at worst once too often.
        newest = people_numbers.newest(session)
        return arrange(*people_numbers.numbers(session), newest)

    held = FILE.in_force(session, place_of(rt), _mark, make)
    since = people_numbers.ending_since(session, digits, max(0, held.newest - _BEHIND))
    return people_numbers.still_ending(session, {*held.ending(digits), *since[:_MOST]}, digits)


def arrange(customers: Iterable[str], numbers: Iterable[str], newest: int) -> Numbers:
    """The columns from row ids and numbers, both as text."""
    owners = np.array([int(one) for one in customers], np.int64)
    backwards = np.array([_backwards(one) for one in numbers], np.uint64)
    rows = np.empty(len(owners), _ROW)
    order = np.argsort(backwards, kind="stable")
    rows["backwards"], rows["customer"] = backwards[order], owners[order]
    return Numbers(rows, newest)


def _backwards(number: str) -> int:
    """The digits from the last to the first, filled up with zeros behind."""
    digits = number.removeprefix("+")
    if not digits.isdecimal():
        digits = re.sub(r"\D", "", digits)
    return int(digits[::-1][:_DIGITS].ljust(_DIGITS, "0"))


def _mark(session: Session) -> str:
    return f"{LAYOUT} {people_columns.mark(session)} {people_numbers.newest(session) // _NEW}"


def _write(stream: IO[bytes], numbers: Numbers) -> None:
    np.save(stream, np.array([numbers.newest], np.int64))
    np.save(stream, numbers.rows)


def _read(path: Path) -> Numbers:
    with path.open("rb") as stream:
        newest = np.load(stream)
        np.lib.format.read_magic(stream)
        shape, _, kind = np.lib.format.read_array_header_1_0(stream)
        if kind != _ROW or newest.dtype != np.int64:
            raise ValueError("not a file of numbers of this layout")
        at = stream.tell()
    # A file without rows has nothing that could be mapped.
    rows = np.memmap(path, _ROW, "r", at, shape) if shape[0] else np.empty(0, _ROW)
    return Numbers(rows, int(newest[0]))


FILE: MarkedFile[Numbers, Numbers] = MarkedFile("numbers", _write, _read, hold=lambda numbers: numbers)
