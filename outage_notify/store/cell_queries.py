"""What public areas need of the tables: the cells so far, and where buses are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.model import BUS
from outage_notify.store import bulk
from outage_notify.store.cell_tables import PublicCell
from outage_notify.store.network_tables import NetworkElement

_BATCH = 20_000
Hexagon = tuple[int, int]


def cells(session: Session, epsg: int) -> dict[Hexagon, int]:
    """The cell of each hexagon of one metre system."""
    query = select(PublicCell.q, PublicCell.r, PublicCell.cell).where(PublicCell.epsg == epsg)
    return {(q, r): cell for q, r, cell in session.execute(query)}


def lock_cells(session: Session) -> None:
    """Two who join hexagons at once would join them differently."""
    bulk.lock(session, PublicCell)


def add_cells(session: Session, epsg: int, new: Mapping[Hexagon, int]) -> None:
    rows = [(epsg, q, r, cell) for (q, r), cell in sorted(new.items())]
    bulk.insert_tuples(session, PublicCell, ("epsg", "q", "r", "cell"), rows)


def bus_places(session: Session, version: int) -> Iterator[list[tuple[str, float, float]]]:
    """(bus:id, longitude, latitude) of the buses that have a place, in batches."""
    row = NetworkElement
    query = select(row.source_id, row.min_lon, row.min_lat).where(
        row.version_ref == version, row.kind == BUS, row.geometry.is_not(None)
    )
    found = session.execute(query.execution_options(yield_per=_BATCH))
    for batch in found.partitions(_BATCH):
        yield [(f"{BUS}:{name}", lon, lat) for name, lon, lat in batch if lon is not None and lat is not None]
