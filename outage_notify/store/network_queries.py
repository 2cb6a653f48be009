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

from sqlalchemy import func, select, update
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
    bulk.insert_tuples(
        session,
        NetworkElement,
        ("version_ref", "kind", "source_id", *_SHARED),
        ((version.id, row["kind"], row["id"].partition(":")[2], *shared(row)) for row in rows),
    )
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


def load_ids(session: Session, version: int) -> frozenset[str]:
    """The same at once."""
    return frozenset(loads_of(session, version))


def count_by_kind(session: Session, version: int) -> dict[str, int]:
    query = (
        select(NetworkElement.kind, func.count())
        .where(NetworkElement.version_ref == version)
        .group_by(NetworkElement.kind)
        .order_by(NetworkElement.kind)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def used_elements(session: Session) -> dict[str, int]:
    """Each element that present service points hang on, with how many do."""
    query = (
        select(ServicePoint.element, func.count())
        .where(ServicePoint.gone_at.is_(None))
        .group_by(ServicePoint.element)
    )
    return {row[0]: row[1] for row in session.execute(query)}
