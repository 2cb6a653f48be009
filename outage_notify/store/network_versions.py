"""Versions of the network side by side: what differs between two, and which one is in force.

Promises that exactly one version is in force after `put_in_force`, and that comparing reads
one version as a stream and keeps a few bytes per element.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from outage_notify.store import network_queries
from outage_notify.store.network_tables import NetworkVersion

# What makes an element another one to people: its name, its place, how it is joined, whether it works.
_COMPARED = (
    "name",
    "bus_a",
    "bus_b",
    "bus_c",
    "on_element",
    "in_service",
    "closed",
    "phases",
    "geometry",
    "attrs",
)


@dataclass
class Difference:
    """Element ids by what happened to them; what stays as it was is counted only."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    same: int = 0


def difference(session: Session, version: int, rows: Iterable[Mapping[str, Any]]) -> Difference:
    """What `rows` (see `geo.model.Network.to_rows`) would change of a stored version. An element is known by its id."""
    before = {row["id"]: _mark(row) for row in network_queries.element_rows(session, version)}
    found = Difference()
    for row in rows:
        old = before.pop(row["id"], None)
        new = _mark(row)
        if old is None:
            found.added.append(row["id"])
        elif old == new:
            found.same += 1
        else:
            found.changed.append(row["id"])
            if old[1] != new[1]:
                (found.closed if new[1] else found.opened).append(row["id"])
    found.gone = list(before)
    return found


def version_before(session: Session, version: int) -> NetworkVersion | None:
    """The version imported before this one; None for the first."""
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


def _mark(row: Mapping[str, Any]) -> tuple[bytes, bool | None]:
    """(digest of what is compared, whether it is closed)."""
    values = [_plain(row[name]) for name in _COMPARED]
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=12).digest(), row["closed"]


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else value
