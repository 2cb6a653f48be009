"""The network in force: which one it is, what it is made of, and how a new one takes its place.

Promises: exactly one version is in force after `insert_version`; ids are the full
``kind:id`` outside and are split only here. Leaves tracing to `geo` and the reading of
files to `geo.readers`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import except_, func, select, update
from sqlalchemy.orm import Session

from geo.model import LOAD_KINDS
from outage_notify.store import bulk
from outage_notify.store.network_tables import NetworkElement, NetworkVersion
from outage_notify.store.people_tables import ServicePoint

BATCH = 2_000
_SHARED = (
    "name",
    "bus_a",
    "bus_b",
    "bus_c",
    "on_element",
    "at_bus",
    "closed",
    "in_service",
    "phases",
    "feeder",
    "geometry",
    "min_lon",
    "min_lat",
    "max_lon",
    "max_lat",
    "attrs",
)


def current_version(session: Session) -> NetworkVersion | None:
    """The version in force; None before the first import."""
    newest_first = select(NetworkVersion).where(NetworkVersion.in_force).order_by(NetworkVersion.id.desc())
    return session.scalars(newest_first.limit(1)).first()


def insert_version(
    session: Session,
    rows: Iterable[Mapping[str, Any]],
    *,
    imported_at: datetime,
    imported_by: str,
    file_name: str,
    format: str,
    sha256: str,
) -> int:
    """Store `rows` (see `geo.model.Network.to_rows`) as a new version, put it in force, return its id.

    Called twice, it makes two versions. The earlier ones stay: audiences refer to them.
    """
    session.execute(update(NetworkVersion).where(NetworkVersion.in_force).values(in_force=False))
    version = NetworkVersion(
        imported_at=imported_at,
        imported_by=imported_by,
        file_name=file_name,
        format=format,
        sha256=sha256,
        in_force=True,
    )
    session.add(version)
    session.flush()
    shared = operator.itemgetter(*_SHARED)
    # Into an empty table, which nobody reads, indexes are built and references checked afterwards, all at once.
    first = session.scalar(select(NetworkElement.id).limit(1)) is None
    put_off = bulk.put_off(session, NetworkElement) if first else None
    bulk.insert_tuples(
        session,
        NetworkElement,
        ("version_ref", "kind", "source_id", *_SHARED),
        ((version.id, row["kind"], row["id"].partition(":")[2], *shared(row)) for row in rows),
    )
    if put_off is not None:
        bulk.make_up(session, put_off)
    bulk.analyse(session, NetworkElement)
    return version.id


def element_rows(session: Session, version: int) -> Iterator[dict[str, Any]]:
    """The rows of one version in the order of the file, as `geo.model.Network.from_rows` takes them."""
    columns = [getattr(NetworkElement, name) for name in _SHARED]
    query = (
        select(NetworkElement.kind, NetworkElement.source_id, *columns)
        .where(NetworkElement.version_ref == version)
        .order_by(NetworkElement.id)
    )
    for row in session.execute(query.execution_options(yield_per=BATCH)):
        values = dict(row._mapping)
        values["id"] = f"{values['kind']}:{values.pop('source_id')}"
        yield values


def loads_of(session: Session, version: int) -> Iterator[str]:
    """The loads that customers may hang on, as ``load:7``, one by one."""
    query = select(NetworkElement.kind, NetworkElement.source_id).where(
        NetworkElement.version_ref == version, NetworkElement.kind.in_(sorted(LOAD_KINDS))
    )
    for kind, source_id in session.execute(query.execution_options(yield_per=BATCH)):
        yield f"{kind}:{source_id}"


def count_by_kind(session: Session, version: int) -> dict[str, int]:
    query = (
        select(NetworkElement.kind, func.count())
        .where(NetworkElement.version_ref == version)
        .group_by(NetworkElement.kind)
        .order_by(NetworkElement.kind)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def stranded(session: Session, version: int, most: int) -> tuple[list[str], int, int]:
    """Of the loads that present service points hang on and this version lacks: (the first, their number, points)."""
    present = ServicePoint.gone_at.is_(None)
    # A difference of sets: both databases sort on disk what would not fit into memory.
    lost = except_(
        select(ServicePoint.element.label("element")).where(present),
        select(NetworkElement.kind.concat(":").concat(NetworkElement.source_id)).where(
            NetworkElement.version_ref == version, NetworkElement.kind.in_(sorted(LOAD_KINDS))
        ),
    ).subquery()
    loads = session.scalar(select(func.count()).select_from(lost)) or 0
    if not loads:
        return [], 0, 0
    points = session.scalar(
        select(func.count())
        .select_from(ServicePoint)
        .join(lost, lost.c.element == ServicePoint.element)
        .where(present)
    )
    names = session.scalars(select(lost.c.element).order_by(lost.c.element).limit(most))
    return list(names), loads, points or 0
