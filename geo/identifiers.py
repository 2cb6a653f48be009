"""Identifiers as arrays: ``kind:id`` to a number and back, without an object per element.

Promises: numbers run in natural order over the whole network (load:2 before load:10), so that
sorting numbers sorts names. Identifiers that are plain integers, as most sources have them,
take eight bytes each; all others are kept as text. Leaves what a number means to `geo.grid`.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence

import numpy as np

from geo.model import natural_key

Array = np.ndarray
# So many are looked up one by one faster than side by side.
_FEW = 16


def sort_ids(kind: str, ids: Sequence[str]) -> tuple[Array, list[int]]:
    """The identifiers of one kind in natural order, and where each stood before.

    int64 when all of them are integers as Python writes them, else UTF-8 text (numpy `S`).
    """
    try:
        numbers = [int(one) for one in ids]
        plain = list(map(str, numbers)) == list(ids) and min(numbers, default=0) >= 0
        values = np.array(numbers, np.int64)
    except (ValueError, OverflowError):
        plain = False
    if plain:
        order = np.argsort(values, kind="stable")
        return values[order], order.tolist()
    if (numbered := _numbered_alike(ids)) is not None:
        order = np.argsort(numbered, kind="stable")
        return _encoded(ids)[order], order.tolist()
    places = sorted(range(len(ids)), key=lambda place: natural_key(f"{kind}:{ids[place]}"))
    return _encoded([ids[place] for place in places]), places


def _numbered_alike(ids: Sequence[str]) -> Array | None:
    """The numbers of identifiers that are one text with a number behind it (P1, P2 ...); None for all others."""
    text = ids[0].rstrip("0123456789")
    try:
        numbers = [int(one[len(text) :]) for one in ids]
        values = np.array(numbers, np.int64)
    except (ValueError, OverflowError):
        return None
    # As Python writes them: without zeros ahead, which would make two of one number.
    return values if [f"{text}{number}" for number in numbers] == list(ids) and values.min() >= 0 else None


def _encoded(texts: Sequence[str]) -> Array:
    try:
        return np.array(texts, np.bytes_)
    except UnicodeEncodeError:
        return np.array([one.encode() for one in texts], np.bytes_)


def _slots(table: Array, order: Array, wanted: Array) -> Array:
    """Where each of `wanted` stands or would stand in `table` as `order` sorts it: `np.searchsorted` with a sorter,
    which copies the whole order at each call. A few are found without that, at the cost of what is asked."""
    if len(wanted) * 64 > len(table):
        return np.searchsorted(table, wanted, sorter=order)
    if len(wanted) <= _FEW:
        return np.array([bisect.bisect_left(order, one, key=table.item) for one in wanted.tolist()])
    low, high = np.zeros(len(wanted), np.int64), np.full(len(wanted), len(table), np.int64)
    while (low < high).any():
        middle = np.minimum((low + high) // 2, len(table) - 1)
        before = (table[order[middle]] < wanted) & (low < high)
        low, high = np.where(before, middle + 1, low), np.where(before | (low >= high), high, middle)
    return low


def _integer(text: str) -> int:
    """An integer as Python writes it, without zeros ahead; -1 for all other text."""
    plain = text.isascii() and text.isdecimal() and len(text) <= 18 and (text[0] != "0" or text == "0")
    return int(text) if plain else -1


class Identifiers:
    """All kinds in natural order; `start[kind]` is the number of the kind's first element."""

    def __init__(self, tables: dict[str, Array], text_order: dict[str, Array] | None = None) -> None:
        self.tables = {
            kind: tables[kind] for kind in sorted(tables, key=lambda kind: natural_key(kind + ":"))
        }
        self.start: dict[str, int] = {}
        self._kinds: list[str] = []
        self._starts: list[int] = []
        at = 0
        for kind, table in self.tables.items():
            self.start[kind] = at
            self._kinds.append(kind)
            self._starts.append(at)
            at += len(table)
        self.count = at
        # Text in natural order is not in the order of its bytes, so a second order finds it.
        self.text_order = text_order or {
            kind: np.argsort(table, kind="stable").astype(np.int32)
            for kind, table in self.tables.items()
            if table.dtype.kind == "S"
        }

    def size(self, kind: str) -> int:
        return len(self.tables[kind]) if kind in self.tables else 0

    def number(self, name: str) -> int | None:
        """The number of ``kind:id``; None when there is no such element."""
        kind, mark, own = name.partition(":")
        table = self.tables.get(kind)
        if table is None or not mark or not len(table):
            return None
        if table.dtype.kind == "S":
            order = self.text_order[kind]
            place = bisect.bisect_left(order, own.encode(), key=table.item)
            if place == len(table) or table[order[place]] != own.encode():
                return None
            return self.start[kind] + int(order[place])
        if not own.isascii() or not own.isdecimal() or len(own) > 18 or str(int(own)) != own:
            return None
        place = int(np.searchsorted(table, int(own)))
        return self.start[kind] + place if place < len(table) and int(table[place]) == int(own) else None

    def numbers(self, names: Sequence[str]) -> Array:
        """The numbers of very many ``kind:id`` at once, -1 for what there is not."""
        found = np.full(len(names), -1, np.int64)
        places: dict[str, Sequence[int]] = {}
        first = names[0][: names[0].find(":") + 1] if names else ""
        if first and all(name.startswith(first) for name in names):
            places[first] = range(len(names))
        else:
            several: dict[str, list[int]] = {}
            for at, name in enumerate(names):
                several.setdefault(name[: name.find(":") + 1], []).append(at)
            places |= several
        for prefix, where in places.items():
            table = self.tables.get(prefix[:-1])
            if table is None or not len(table):
                continue
            own = [names[at][len(prefix) :] for at in where]
            if table.dtype.kind == "S":
                order = self.text_order[prefix[:-1]]
                wanted = _encoded(own)
                slot = np.minimum(_slots(table, order, wanted), len(table) - 1)
                place = order[slot].astype(np.int64)
            else:
                wanted = np.array([_integer(one) for one in own], np.int64)
                place = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
            found[where] = np.where(table[place] == wanted, place + self.start[prefix[:-1]], -1)
        return found

    def kind(self, number: int) -> str:
        return self._kinds[bisect.bisect_right(self._starts, number) - 1]

    def name(self, number: int) -> str:
        place = bisect.bisect_right(self._starts, number) - 1
        kind = self._kinds[place]
        own = self.tables[kind][number - self._starts[place]]
        return f"{kind}:{own.decode()}" if isinstance(own, bytes) else f"{kind}:{own}"

    def names(self, numbers: Iterable[int] | Array) -> tuple[str, ...]:
        """The names of numbers that rise, as a tuple in natural order."""
        wanted = np.asarray(numbers if isinstance(numbers, np.ndarray) else sorted(numbers), np.int64)
        found: list[str] = []
        cuts = np.searchsorted(wanted, [*self._starts, self.count]).tolist()
        for place, kind in enumerate(self._kinds):
            if cuts[place] == cuts[place + 1]:
                continue
            own = self.tables[kind][wanted[cuts[place] : cuts[place + 1]] - self._starts[place]].tolist()
            if own and isinstance(own[0], bytes):
                found += [f"{kind}:{one.decode()}" for one in own]
            else:
                found += [f"{kind}:{one}" for one in own]
        return tuple(found)
