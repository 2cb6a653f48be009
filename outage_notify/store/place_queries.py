"""Where elements of the network are: shapes by kind, read as a stream."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.wkb import Geometry, decode
from outage_notify.store.network_tables import NetworkElement

_BATCH = 10_000


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


def _middle(a: float | None, b: float | None) -> float:
    return ((a or 0.0) + (b or 0.0)) / 2
