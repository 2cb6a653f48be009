"""Versions of the network side by side: what differs between two, and which one is in force.

Promises that exactly one version is in force after `put_in_force`, and that the database compares: of two
versions only what differs is read, as a stream.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Text, and_, cast, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from geo.model import natural_key
from outage_notify.store.network_tables import NetworkElement, NetworkVersion
from outage_notify.store.work_tables import Event

# What makes an element another one to people: its name, its place, how it is joined, whether it works.
_COMPARED = ("name", "bus_a", "bus_b", "bus_c", "on_element", "in_service", "closed", "phases", "geometry")
_AT_ONCE = 2_000
# Events that say that a version, in their details, was put in force.
IMPORTED, UNDONE = PUT_IN_FORCE = ("network_imported", "network_undone")
WORDS = ("added", "changed", "gone", "normally open now", "normally closed now")


@dataclass
class Difference:
    """Numbers of elements by what happened to them, and by word the first names in natural order."""

    counts: dict[str, int]
    named: dict[str, list[str]] = field(default_factory=dict)


class _Names:
    """Counts names and keeps the first of them in natural order, whatever their number."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0
        self._kept: list[tuple[tuple[Any, ...], str]] = []

    def add(self, name: str) -> None:
        self.count += 1
        self._kept.append((natural_key(name), name))
        if len(self._kept) >= 50 * self.most:
            self._kept = heapq.nsmallest(self.most, self._kept)

    def first(self) -> list[str]:
        return [name for _, name in heapq.nsmallest(self.most, self._kept)]


def difference(session: Session, old: int, new: int, most: int) -> Difference:
    """What putting the version `new` in force in place of `old` changes; an element is known by its id.

    Of each word the first `most` names are kept.
    """
    names = {word: _Names(most) for word in WORDS}
    for name in _only_in(session, new, old):
        names["added"].add(name)
    for name in _only_in(session, old, new):
        names["gone"].add(name)
    for name, was, now in _altered(session, old, new):
        names["changed"].add(name)
        if was != now:
            names["normally closed now" if now else "normally open now"].add(name)
    total = session.scalar(
        select(func.count()).select_from(NetworkElement).where(NetworkElement.version_ref == new)
    )
    counts = {word: one.count for word, one in names.items()}
    counts["same"] = (total or 0) - counts["added"] - counts["changed"]
    return Difference(counts, {word: one.first() for word, one in names.items() if one.count})


def _only_in(session: Session, version: int, other: int) -> Iterator[str]:
    """The elements of one version that the other lacks."""
    mine, theirs = aliased(NetworkElement), aliased(NetworkElement)
    alike = and_(theirs.version_ref == other, theirs.kind == mine.kind, theirs.source_id == mine.source_id)
    query = (
        select(mine.kind, mine.source_id)
        .outerjoin(theirs, alike)
        .where(mine.version_ref == version, theirs.id.is_(None))
    )
    for kind, own in session.execute(query.execution_options(yield_per=_AT_ONCE)):
        yield f"{kind}:{own}"


def _altered(session: Session, old: int, new: int) -> Iterator[tuple[str, bool | None, bool | None]]:
    """(id, whether it was closed, whether it is) of what is in both versions and is not the same."""
    was, now = aliased(NetworkElement), aliased(NetworkElement)
    alike = and_(now.version_ref == new, now.kind == was.kind, now.source_id == was.source_id)
    told_apart = or_(*(getattr(was, name).is_distinct_from(getattr(now, name)) for name in _COMPARED)).label(
        "told_apart"
    )
    written = cast(was.attrs, Text) != cast(now.attrs, Text)
    query = (
        select(was.kind, was.source_id, was.closed, now.closed, told_apart, was.attrs, now.attrs)
        .join(now, alike)
        .where(was.version_ref == old, or_(told_apart, written))
    )
    for kind, own, closed, closes, differs, before, after in session.execute(
        query.execution_options(yield_per=_AT_ONCE)
    ):
        # The same values may be written in another order.
        if differs or _canonical(before) != _canonical(after):
            yield f"{kind}:{own}", closed, closes


def _canonical(attrs: dict[str, Any]) -> str:
    return json.dumps(attrs, sort_keys=True)


def version_before(session: Session, version: int) -> NetworkVersion | None:
    """The version that was in force when this one was imported; None for the first.

    By the record of what was put in force: a version that was undone meanwhile is not gone back to.
    """
    puts = select(Event.what, Event.detail).where(Event.what.in_(PUT_IN_FORCE)).order_by(Event.id)
    standing: int | None = None
    for what, detail in session.execute(puts):
        if what == IMPORTED and detail.get("version") == version:
            return session.get(NetworkVersion, standing) if standing is not None else None
        standing = detail.get("version", standing)
    # Nothing is recorded of it.
    query = select(NetworkVersion).where(NetworkVersion.id < version).order_by(NetworkVersion.id.desc())
    return session.scalars(query.limit(1)).first()


def put_in_force(session: Session, version: NetworkVersion) -> None:
    """This version and no other. Twice is once."""
    session.execute(
        update(NetworkVersion)
        .where(NetworkVersion.in_force, NetworkVersion.id != version.id)
        .values(in_force=False)
    )
    version.in_force = True
    session.flush()
