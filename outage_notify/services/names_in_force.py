"""Who is called so, or lives there: the names and places of all customers as one text that is searched as a whole.

No index of a database finds the middle of a Chinese name, and asking each of a million rows takes seconds; one text
takes some hundredths of one. Promises: whole letters are compared, large and small ones alike. That the answer is
never older than the rows, and that the file with the names stays its owner's, is the promise of `marked_files`.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from outage_notify.services.marked_files import MarkedFile, place_of
from outage_notify.services.runtime import Runtime
from outage_notify.store import people_columns, people_names

# Raised with every change of the file or its meaning.
LAYOUT = b"names 1\n"
# One customer a line: its name and its places. No text that is searched for holds either of the two.
_BETWEEN, _END = "\x1f", "\n"
_HEAD = len(LAYOUT) + 8


@dataclass(frozen=True)
class Names:
    """Lines by name; `starts` says where each begins in `text`, `customers` whose it is."""

    customers: np.ndarray
    starts: np.ndarray
    text: bytes | mmap.mmap
    first: int  # where the lines begin in `text`

    def holding(self, words: str) -> Iterator[int]:
        """Row ids of the customers whose name or place holds these words, by name."""
        wanted, at = words.casefold().encode(), self.first
        while wanted and (found := self.text.find(wanted, at)) >= 0:
            line = int(np.searchsorted(self.starts, found - self.first, side="right")) - 1
            yield int(self.customers[line])
            if line + 1 == len(self.starts):
                return
            at = self.first + int(self.starts[line + 1])


def names_in_force(session: Session, rt: Runtime) -> Names:
    """The names and places of everybody who is present, as the database has them now."""

    def make() -> list[bytes]:
        return parts(people_names.names(session), people_names.places(session))

    return FILE.in_force(session, place_of(rt), _mark, make)


def _mark(session: Session) -> str:
    return f"{LAYOUT!r} {people_columns.mark(session)}"


def parts(names: Iterable[tuple[int, str]], points: Iterable[tuple[int, str]]) -> list[bytes]:
    """The file's parts (head, customers, starts, lines) from (customer, name) and (customer, place)."""
    places: dict[int, list[str]] = {}
    for customer, place in points:
        places.setdefault(customer, []).append(_plain(place))
    lines = sorted((_plain(name), customer, places.get(customer, [])) for customer, name in names)
    written = [_BETWEEN.join([name, *dict.fromkeys(mine)]).encode() for name, _, mine in lines]
    sizes = np.array([len(one) + len(_END) for one in written], np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)[:-1]]) if written else sizes
    customers = np.array([customer for _, customer, _ in lines], np.int64)
    end = _END.encode()
    text = end.join([*written, b""])
    return [LAYOUT, len(written).to_bytes(8, "little"), customers.tobytes(), starts.tobytes(), text]


def _plain(words: str) -> str:
    """Without large letters and doubled blanks; a word that is searched for holds no other control character."""
    return " ".join(words.casefold().split())


def _read(path: Path) -> Names:
    with path.open("rb") as stream:
        return _parsed(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def _parsed(body: bytes | mmap.mmap) -> Names:
    """ValueError where the head does not fit the rest."""
    if body[: len(LAYOUT)] != LAYOUT:
        raise ValueError("not a file of names of this layout")
    count = int.from_bytes(body[len(LAYOUT) : _HEAD], "little")
    customers = np.frombuffer(body, np.int64, count, _HEAD)
    starts = np.frombuffer(body, np.int64, count, _HEAD + 8 * count)
    return Names(customers, starts, body, _HEAD + 16 * count)


FILE: MarkedFile[list[bytes], Names] = MarkedFile(
    "names",
    write=lambda stream, lines: stream.writelines(lines),
    read=_read,
    hold=lambda lines: _parsed(b"".join(lines)),
)
