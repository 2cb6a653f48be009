"""Everybody who is present, arranged by load: counting fifty thousand by tier takes milliseconds, not seconds.

Columns of the whole customer base, sorted by the load that each service point hangs on. Promises: the answer is
that of `domain.audience.assess` and `count_by_tier` on the rows of the database. That these are the rows as they are
now, in the network in force, is the promise of `marked_files`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np
from sqlalchemy.orm import Session

from geo.forest import spread
from geo.grid import Grid
from outage_notify.domain.audience import Affected, Feed, Impact, Tier, is_key
from outage_notify.domain.policy import Policy
from outage_notify.services.marked_files import MarkedFile
from outage_notify.services.network_in_force import LoadedNetwork
from outage_notify.store import people_columns

Array = np.ndarray
TIERS = tuple(Tier)
IMPACTS = (Impact.OUTAGE, Impact.REDUCED_REDUNDANCY, Impact.MOMENTARY)
OUTAGE, REDUCED, MOMENTARY = range(3)
# Raised with every change of the columns or their meaning.
LAYOUT = 1
_ROW = np.dtype(
    [
        ("point", "<i8"),
        ("customer", "<i8"),
        ("site", "<i8"),
        # -1: on no load of this network.
        ("load", "<i4"),
        # Where the rows of its site begin in `People.by_site`; -1: it is the only one of its site.
        ("mates", "<i4"),
        ("tier", "u1"),
        ("life_support", "u1"),
    ]
)


@dataclass(frozen=True)
class People:
    """Rows by load; `by_site` lists, site after site, the rows of all sites that have more than one."""

    rows: Array
    by_site: Array

    def hit(self, lost: Array, momentary: Array) -> Hit:
        """Who hangs on these loads (numbers that rise), and what each feels: as `domain.audience.assess`."""
        dark = self._on(lost)
        impact = np.full(len(dark), OUTAGE, np.uint8)
        shared = np.flatnonzero(self.rows["mates"][dark] >= 0)
        if len(shared):
            impact[shared] = np.where(self._all_lost(dark[shared], lost), OUTAGE, REDUCED)
        brief = self._on(momentary)
        if len(brief):
            dark = np.concatenate([dark, brief])
            impact = np.concatenate([impact, np.full(len(brief), MOMENTARY, np.uint8)])
        return Hit(self.rows[dark], impact)

    def kinds_on(self, loads: Array) -> Array:
        """Of each customer on these loads, once: twice the place of its tier, one more where life hangs on supply."""
        rows = self.rows[self._on(loads)]
        _, first = np.unique(rows["customer"], return_index=True)
        kinds: Array = rows["tier"][first].astype(np.int64) * 2 + rows["life_support"][first]
        return kinds

    @cached_property
    def one_load_each(self) -> Array:
        """The load of every customer who hangs on this network, once for each, however many service points it has."""
        rows = self.rows[int(np.searchsorted(self.load, 0)) :]
        _, first = np.unique(rows["customer"], return_index=True)
        return np.ascontiguousarray(rows["load"][first])

    def points_on(self, loads: Array) -> int:
        """How many service points hang on these loads."""
        return len(self._on(loads))

    def _on(self, loads: Array) -> Array:
        low = np.searchsorted(self.load, loads, side="left")
        return spread(low, np.searchsorted(self.load, loads, side="right"))[0]

    @cached_property
    def load(self) -> Array:
        # A column of its own: searching in rows would read all of them.
        return np.ascontiguousarray(self.rows["load"])

    def _all_lost(self, rows: Array, lost: Array) -> Array:
        """Per row whether every feed of its site is among the lost loads."""
        site = self.rows["site"]
        first = self.rows["mates"][rows].astype(np.int64)
        whole = np.ones(len(rows), bool)
        at, live = first, np.arange(len(rows))
        while len(live):
            mate = self.by_site[at]
            load = self.load[mate]
            place = np.minimum(np.searchsorted(lost, load), len(lost) - 1)
            whole[live[lost[place] != load]] = False
            at = at + 1
            more = at < len(self.by_site)
            more[more] = site[self.by_site[at[more]]] == site[rows[live[more]]]
            at, live = at[more], live[more]
        return whole


@dataclass(frozen=True)
class Hit:
    """The affected service points with their impacts, in columns."""

    rows: Array
    impact: Array

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def by_tier(self) -> dict[str, dict[str, int]]:
        """As `domain.audience.count_by_tier`."""
        tier = self.rows["tier"].astype(np.int64)
        counts = np.bincount(tier * 3 + self.impact, minlength=3 * len(TIERS)).reshape(-1, 3).tolist()
        _, first = np.unique(self.rows["customer"], return_index=True)
        people = np.bincount(tier[first], minlength=len(TIERS)).tolist()
        return {
            one.value: {"outage": out, "reduced": less, "momentary": brief, "customers": people[place]}
            for place, (one, (out, less, brief)) in enumerate(zip(TIERS, counts, strict=True))
        }

    def customers(self, impacts: Collection[Impact] = IMPACTS) -> list[int]:
        """Distinct customers of whom some point feels one of `impacts`."""
        return self._distinct(np.isin(self.impact, [IMPACTS.index(one) for one in impacts]))

    def told(self, policy: Policy) -> list[int]:
        """Distinct customers whom the policy tells."""
        return self._distinct(self._by_class(policy)[0])

    def classes(self, policy: Policy) -> set[tuple[Tier, bool]]:
        """(tier, life support) of those whom the policy tells."""
        return self._by_class(policy)[1]

    def _by_class(self, policy: Policy) -> tuple[Array, set[tuple[Tier, bool]]]:
        kind = self.rows["tier"].astype(np.int64) * 6 + self.rows["life_support"] * 3 + self.impact
        told = np.zeros(6 * len(TIERS), bool)
        found: set[tuple[Tier, bool]] = set()
        for one in np.unique(kind).tolist():
            tier, life, impact = TIERS[one // 6], bool(one // 3 % 2), IMPACTS[one % 3]
            if policy.told(impact, is_key(tier, life)):
                told[one] = True
                found.add((tier, life))
        return told[kind], found

    def _distinct(self, wanted: Array) -> list[int]:
        found: list[int] = np.unique(self.rows["customer"][wanted]).tolist()
        return found

    def affected(self, grid: Grid, places: Sequence[int] | None = None) -> list[Affected]:
        """As objects, those at `places` or all, in the order of the service points."""
        chosen = np.argsort(self.rows["point"]) if places is None else np.array(places, np.int64)
        rows, impact = self.rows[chosen], self.impact[chosen].tolist()
        loads, back = np.unique(rows["load"], return_inverse=True)
        names = grid.load_names(loads)
        tiers, points = rows["tier"].tolist(), rows["point"].tolist()
        customers, sites = rows["customer"].tolist(), rows["site"].tolist()
        life = rows["life_support"].astype(bool).tolist()
        return [
            Affected(
                Feed(points[at], customers[at], sites[at], names[load], TIERS[tiers[at]], life[at]),
                IMPACTS[impact[at]],
            )
            for at, load in enumerate(back.tolist())
        ]

    def keys_first_hit(self) -> list[int]:
        """Places of the rows of key customers: gravest impact first, then highest tier, then by customer."""
        key_tiers = [place for place, tier in enumerate(TIERS) if is_key(tier, False)]
        key = np.flatnonzero(np.isin(self.rows["tier"], key_tiers) | (self.rows["life_support"] == 1))
        rows = self.rows[key]
        order = np.lexsort((rows["point"], rows["customer"], rows["tier"], self.impact[key]))
        found: list[int] = key[order].tolist()
        return found

    def loads(self, impact: Impact) -> Array:
        """The loads of the rows that feel this impact, each once, rising."""
        return np.unique(self.rows["load"][self.impact == IMPACTS.index(impact)])

    def gravest_first(self, offset: int, limit: int) -> list[int]:
        """Places of one page of rows: highest tier first, then gravest impact, then by load."""
        order = np.lexsort((self.rows["point"], self.rows["load"], self.impact, self.rows["tier"]))
        found: list[int] = order[offset : offset + limit].tolist()
        return found


def people_in_force(session: Session, loaded: LoadedNetwork) -> People:
    """Everybody as the database has them now, arranged for the network in force."""
    network = loaded.path

    def mark(session: Session) -> str:
        # The name of the network's file tells its versions apart.
        return f"{network.name} {people_columns.mark(session)} {LAYOUT}"

    def make() -> People:
        return arrange(loaded.grid, people_columns.people_columns(session))

    place = network.with_name(network.name.partition("-")[0])
    return FILE.in_force(session, place, mark, make)


def arrange(grid: Grid, columns: people_columns.PeopleColumns) -> People:
    """The rows by load, and the sites that have several."""
    number = grid.ids.numbers(columns.element)
    load = np.full(len(number), -1, np.int32)
    for kind, first in grid.load_kinds.items():
        begin = grid.ids.start[kind]
        own = (number >= begin) & (number < begin + grid.ids.size(kind))
        load[own] = number[own] - begin + first
    order = np.lexsort((columns.point, load))
    rows = np.empty(len(order), _ROW)
    rows["load"] = load[order]
    for name in ("point", "customer", "site", "tier", "life_support"):
        rows[name] = getattr(columns, name)[order]
    rows["mates"] = -1
    by_site = np.argsort(rows["site"], kind="stable")
    site = rows["site"][by_site]
    fresh = np.ones(len(site), bool)
    fresh[1:] = site[1:] != site[:-1]
    begins = np.flatnonzero(fresh)
    size = np.diff(np.append(begins, len(site)))
    shared = by_site[np.repeat(size > 1, size)].astype(np.int32)
    lengths = size[size > 1]
    rows["mates"][shared] = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return People(rows, shared)


def _write(stream: IO[bytes], people: People) -> None:
    np.save(stream, people.rows)
    np.save(stream, people.by_site)


def _read(path: Path) -> People:
    rows = np.load(path, mmap_mode="r")
    with path.open("rb") as stream:
        np.lib.format.read_magic(stream)
        np.lib.format.read_array_header_1_0(stream)
        stream.seek(rows.nbytes, 1)
        by_site = np.load(stream)
    if rows.dtype != _ROW:
        raise ValueError("not a file of people of this layout")
    return People(rows, by_site)


FILE: MarkedFile[People, People] = MarkedFile("people", _write, _read, hold=lambda people: people)
