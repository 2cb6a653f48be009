"""What a reader found, in the order of the file: rows on disk, and of each row the few numbers that checking needs.

A million rows as objects take a gigabyte. Here they lie in a nameless temporary file, in pieces, and in
memory stays what tells rows apart and joins them: the hash of each identifier and of each end, 18 to 30
bytes a row, the places of buses, and the lengths of lines. Promises that rows come back as they were
added, as often as one likes. A small network stays in memory and touches no disk.

An identifier is known by Python's hash (64 bits, with a secret of the process). Two of a million are alike
once in ten million imports; what is then reported as a fault is looked at as text first (`build`).
"""

from __future__ import annotations

import marshal
import math
import tempfile
from array import array
from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import IO

import numpy as np

from geo.model import BUS, KINDS, SWITCH, Element
from geo.readers.places import km
from geo.wkb import decode, encode

PIECE = 5_000
KIND_NAMES = tuple(sorted(KINDS))
KIND_CODES = {kind: code for code, kind in enumerate(KIND_NAMES)}
IN_SERVICE, CLOSED, SOURCE, ON, DRAWN, IMPOSSIBLE = (1 << bit for bit in range(6))
_BUS, _SWITCH = KIND_CODES[BUS], KIND_CODES[SWITCH]
_NONE = 0
# (id, name, buses, on, phases, geometry as WKB, attrs, table, row, feeder); flags and kind are in the arrays.
Record = tuple[str, str, tuple[str, ...], str | None, str, bytes | None, dict[str, object], str, str, str]


class Draft:
    """Elements by number, in the order in which they were added.

    `declared` says that the file declares its coordinates geographic, so that an impossible one is a
    fault and not a schematic. `has_feeders`: the file itself names feeders.
    """

    def __init__(self) -> None:
        self.declared = False
        self.has_feeders = False
        self.id = array("q")
        self.kind = array("B")
        self.flags = array("B")
        self.first_end = array("q")
        # Of elements with a second end, or that belong to another: their number, and the hash of that.
        self.second = array("i"), array("q")
        self.third = array("i"), array("q")
        # Of buses: number, kilovolts (NaN: not said), position (NaN: none).
        self.bus = array("i"), array("d"), array("d"), array("d")
        # Of lines with a length: number, kilometres said, kilometres drawn, and with lon and lat exchanged.
        self.line = array("i"), array("d"), array("d"), array("d")
        # First vertex of what is drawn and no bus.
        self.first_vertex = array("d")
        self.box = (math.inf, math.inf, -math.inf, -math.inf)
        self.drawn_turned = True
        self._waiting: list[Record] = []
        self._file: IO[bytes] | None = None
        self._pieces = array("q")

    def __len__(self) -> int:
        return len(self.id)

    def add(self, element: Element, table: str, row: object, feeder: str = "") -> None:
        """One more element. OSError when there is no room for temporary files."""
        number, kind = len(self.id), KIND_CODES[element.kind]
        self.id.append(hash(element.id))
        self.kind.append(kind)
        buses, shape = element.buses, element.geometry
        self.first_end.append(hash(buses[0]) if buses else _NONE)
        if len(buses) > 1 or element.on is not None:
            self.second[0].append(number)
            self.second[1].append(hash(element.on if element.on is not None else buses[1]))
            if len(buses) > 2:
                self.third[0].append(number)
                self.third[1].append(hash(buses[2]))
        flags = IN_SERVICE * element.in_service | CLOSED * bool(element.closed)
        flags |= SOURCE * element.is_source | ON * (element.on is not None)
        if shape is not None:
            flags |= DRAWN | IMPOSSIBLE * (not self._draw(kind, shape))
        self.flags.append(flags)
        if kind == _BUS:
            self._add_bus(number, element)
        elif "length_km" in element.attrs:
            self._add_line(number, element)
        if feeder:
            self.has_feeders = True
        self._waiting.append(
            (
                element.id,
                element.name,
                buses,
                element.on,
                element.phases,
                encode(shape) if shape is not None else None,
                dict(element.attrs),
                table,
                str(row),
                feeder,
            )
        )
        if len(self._waiting) == PIECE:
            self._put_by()

    def _draw(self, kind: int, shape: tuple[tuple[float, float], ...]) -> bool:
        """Whether the shape is possible on the globe."""
        if kind != _BUS:
            self.first_vertex.extend(shape[0])
        possible = True
        for lon, lat in shape:
            if not (-180 <= lon <= 180 and -90 <= lat <= 90):
                possible = False
            else:
                west, south, east, north = self.box
                if not (west <= lon <= east and south <= lat <= north):
                    self.box = (min(west, lon), min(south, lat), max(east, lon), max(north, lat))
            if not (-90 <= lon <= 90 and -180 <= lat <= 180):
                self.drawn_turned = False
        return possible

    def _add_bus(self, number: int, element: Element) -> None:
        kv = element.attrs.get("vn_kv")
        self.bus[0].append(number)
        self.bus[1].append(_real(kv))
        lon, lat = element.geometry[0] if element.geometry else (math.nan, math.nan)
        self.bus[2].append(lon)
        self.bus[3].append(lat)

    def _add_line(self, number: int, element: Element) -> None:
        said, shape = _real(element.attrs["length_km"]), element.geometry
        if element.kind != "line" or not said > 0:
            return
        drawn = turned = math.nan
        if shape is not None and len(shape) > 1:
            drawn = sum(km(*a, *b) for a, b in pairwise(shape))
            turned = sum(km(*a[::-1], *b[::-1]) for a, b in pairwise(shape))
        self.line[0].append(number)
        for store, value in zip(self.line[1:], (said, drawn, turned), strict=True):
            store.append(value)

    def _put_by(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="outage-notify-network-")  # noqa: SIM115 - closed with the draft
        self._pieces.append(self._file.tell())
        self._file.write(marshal.dumps(self._waiting))
        self._waiting = []

    def close(self) -> None:
        """Let the temporary file go; it vanishes with the process too."""
        if self._file is not None:
            self._file.close()

    def records(self, numbers: Collection[int] | None = None) -> Iterator[tuple[int, Record]]:
        """(number, record) of all elements, or of these (ascending), reading only the pieces that hold them."""
        wanted = None if numbers is None else np.asarray(numbers, np.int64)
        for piece in range(len(self._pieces) + 1):
            first = piece * PIECE
            if wanted is None:
                yield from enumerate(self._piece(piece), first)
                continue
            here = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, first + PIECE)].tolist()
            if here:
                records = self._piece(piece)
                yield from ((number, records[number - first]) for number in here)

    def _piece(self, piece: int) -> list[Record]:
        if piece == len(self._pieces):
            return self._waiting
        if self._file is None:
            raise ValueError("there are no pieces")
        # Read as a whole: from a file, marshal asks for a few bytes at a time.
        last = piece + 1 == len(self._pieces)
        end = self._file.seek(0, 2) if last else self._pieces[piece + 1]
        try:
            self._file.seek(self._pieces[piece])
            written = self._file.read(end - self._pieces[piece])
        finally:
            self._file.seek(0, 2)
        found: list[Record] = marshal.loads(written)  # noqa: S302 - written by this very process
        return found

    def element(self, number: int, record: Record) -> Element:
        """The element as it was added."""
        flags, kind = self.flags[number], KIND_NAMES[self.kind[number]]
        return Element(
            kind=kind,
            id=record[0],
            name=record[1],
            buses=record[2],
            in_service=bool(flags & IN_SERVICE),
            closed=bool(flags & CLOSED) if kind == SWITCH else None,
            on=record[3],
            phases=record[4],
            geometry=decode(record[5]) if record[5] is not None else None,
            attrs=record[6],
        )

    def label(self, record: Record) -> str:
        """What a person calls it: the id, with the name where it says more."""
        return f"{record[0]} ({record[1]})" if record[1] and record[1] != record[0] else record[0]


def _real(value: object) -> float:
    """A number as a float; NaN for all else."""
    try:
        return float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:
        return math.nan
