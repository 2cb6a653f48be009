"""Where elements of the network are: shapes by kind, read as a stream, or by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Row, String, select
from sqlalchemy.orm import Session

from geo.wkb import Geometry, decode
from outage_notify.store.listed import among, dialect_of, values_of
from outage_notify.store.network_tables import NetworkElement

_BATCH = 10_000


class Placed(NamedTuple):
    """An element with what is needed to draw it; `where` is None if nobody knows."""

    name: str
    title: str
    where: Geometry | None
    feeder: str | None
    bus: str | None
    on: str | None
    closed: bool | None
    in_service: bool


def shapes(
    session: Session, version: int, kinds: Collection[str]
) -> Iterator[tuple[str, Geometry, str | None]]:
    """(kind:id, vertices, feeder) of each placed element of these kinds.

    An element without a geometry of its own is where the middle of its box is: the box of its buses.
    """
    table = NetworkElement
    query = select(
        table.kind,
        table.source_id,
        table.geometry,
        table.min_lon,
        table.min_lat,
        table.max_lon,
        table.max_lat,
        table.feeder,
    ).where(table.version_ref == version, table.kind.in_(sorted(kinds)), table.min_lon.is_not(None))
    for kind, source_id, geometry, west, south, east, north, feeder in session.execute(
        query.execution_options(yield_per=_BATCH)
    ):
        if geometry is not None:
            yield f"{kind}:{source_id}", decode(bytes(geometry)), feeder
        elif None not in (west, south, east, north):
            yield f"{kind}:{source_id}", ((_middle(west, east), _middle(south, north)),), feeder


def placed_kinds(session: Session, version: int, kinds: Iterable[str]) -> Iterator[Placed]:
    """Every placed element of these kinds. A line without a geometry of its own runs from bus to bus."""
    query = _columns(version).where(
        NetworkElement.kind.in_(sorted(kinds)), NetworkElement.min_lon.is_not(None)
    )
    yield from _placed(session, version, session.execute(query.execution_options(yield_per=_BATCH)))


def placed(session: Session, version: int, names: Collection[str]) -> Iterator[Placed]:
    """The elements of these names; those that are unknown are left out. One question per kind, by the index."""
    by_kind: dict[str, list[str]] = {}
    for name in names:
        kind, _, own = name.partition(":")
        by_kind.setdefault(kind, []).append(own)
    dialect = dialect_of(session)
    for kind, wanted in by_kind.items():
        query = _columns(version).where(
            NetworkElement.kind == kind, NetworkElement.source_id.in_(among(dialect, "own", String()))
        )
        yield from _placed(session, version, session.execute(query, values_of(dialect, "own", wanted)))


def _columns(version: int) -> Any:
    table = NetworkElement
    return select(
        table.kind,
        table.source_id,
        table.name,
        table.geometry,
        table.min_lon,
        table.min_lat,
        table.max_lon,
        table.max_lat,
        table.feeder,
        table.bus_a,
        table.bus_b,
        table.on_element,
        table.closed,
        table.in_service,
    ).where(table.version_ref == version)


def _placed(session: Session, version: int, rows: Iterable[Row[Any]]) -> Iterator[Placed]:
    waiting: list[tuple[Placed, str, str]] = []
    for row in rows:
        one = Placed(
            f"{row.kind}:{row.source_id}",
            row.name,
            _shape(row),
            row.feeder,
            row.bus_a,
            row.on_element,
            row.closed,
            row.in_service,
        )
        if row.geometry is None and one.on is None and row.kind == "line" and row.bus_a and row.bus_b:
            waiting.append((one, row.bus_a, row.bus_b))
        else:
            yield one
    if not waiting:
        return
    buses = {bus for _, a, b in waiting for bus in (a, b)}
    at = {one.name: one.where for one in placed(session, version, sorted(buses))}
    for one, a, b in waiting:
        ends = (at.get(a), at.get(b))
        points = tuple(end[0] for end in ends if end)
        yield one._replace(where=points if len(set(points)) == 2 else one.where)


def _shape(row: Row[Any]) -> Geometry | None:
    if row.geometry is not None:
        return decode(bytes(row.geometry))
    if None in (row.min_lon, row.min_lat, row.max_lon, row.max_lat):
        return None
    return ((_middle(row.min_lon, row.max_lon), _middle(row.min_lat, row.max_lat)),)


def _middle(a: float | None, b: float | None) -> float:
    return ((a or 0.0) + (b or 0.0)) / 2
