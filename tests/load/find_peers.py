"""Others' ways of finding points in a drawn area, on the same points as ours: parts of `make bench-find`.

Each takes the points once and answers with a function of an area: the positions of the points inside, in any order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import shapely

Ask = Callable[[shapely.Polygon], Any]
# Beyond so many points the databases take minutes to be filled.
MOST_IN_DATABASES = 1_000_000


def tree(lon: np.ndarray, lat: np.ndarray) -> shapely.STRtree:
    found = shapely.STRtree(shapely.points(lon, lat))
    found.query(shapely.Point(8, 48))
    return found


def sorted_rows(lon: np.ndarray, lat: np.ndarray) -> Ask:
    """Points sorted by rows of a grid, those in the area's box tested by one prepared `contains_xy`."""
    rows = max(int((len(lon) / 500) ** 0.5), 1)
    low, step = float(lat.min()), (float(lat.max()) - float(lat.min())) / rows or 1.0
    order = np.lexsort((lon, ((lat - low) / step).astype(np.int64)))
    x, y = lon[order], lat[order]
    start = np.searchsorted(((y - low) / step).astype(np.int64), np.arange(rows + 2))

    def ask(area: shapely.Polygon) -> np.ndarray:
        shapely.prepare(area)
        west, south, east, north = area.bounds
        spans = []
        for row in range(max(int((south - low) / step), 0), min(int((north - low) / step), rows) + 1):
            begin, end = start[row], start[row + 1]
            spans.append(slice(*(begin + np.searchsorted(x[begin:end], (west, east)))))
        some_x, some_y = (np.concatenate([one[span] for span in spans]) for one in (x, y))
        places = np.concatenate([order[span] for span in spans])
        return places[shapely.contains_xy(area, some_x, some_y)]

    return ask


@contextmanager
def sqlite_rtree(lon: np.ndarray, lat: np.ndarray) -> Iterator[Ask]:
    """The rtree of SQLite for the area's box, a prepared `contains_xy` on what is in it.

    It keeps 32-bit numbers, so the exact ones are joined to it.
    """
    with TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "points.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("CREATE TABLE exact (id INTEGER PRIMARY KEY, x REAL, y REAL)")
        connection.execute("CREATE VIRTUAL TABLE box USING rtree(id, x0, x1, y0, y1)")
        connection.execute("BEGIN")
        numbers = range(len(lon))
        columns = lon.tolist(), lat.tolist()
        connection.executemany("INSERT INTO exact VALUES (?, ?, ?)", zip(numbers, *columns, strict=True))
        boxes = zip(numbers, columns[0], columns[0], columns[1], columns[1], strict=True)
        connection.executemany("INSERT INTO box VALUES (?, ?, ?, ?, ?)", boxes)
        connection.execute("COMMIT")
        query = (
            "SELECT box.id, exact.x, exact.y FROM box JOIN exact ON exact.id = box.id"
            " WHERE box.x1 >= ? AND box.x0 <= ? AND box.y1 >= ? AND box.y0 <= ?"
        )

        def ask(area: shapely.Polygon) -> np.ndarray:
            shapely.prepare(area)
            west, south, east, north = area.bounds
            rows = connection.execute(query, (west, east, south, north)).fetchall()
            places, x, y = np.array(rows).T if rows else np.empty((3, 0))
            return places[shapely.contains_xy(area, x, y)].astype(np.int64)

        yield ask
        connection.close()


@contextmanager
def postgis(lon: np.ndarray, lat: np.ndarray) -> Iterator[Ask | str]:
    """ST_Contains on a GiST index; a sentence where PostgreSQL or PostGIS is not installed."""
    import psycopg

    from tests.servers.postgres import PostgresServer
    from tests.servers.process import Unavailable
    from tests.servers.programs import Missing

    try:
        server = PostgresServer()
    except (Missing, Unavailable) as error:
        yield str(error)
        return
    try:
        url = server.create_database().replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(url, autocommit=True) as connection:
            try:
                connection.execute("CREATE EXTENSION postgis")
            except psycopg.Error:
                yield "the extension postgis is not installed (apt install postgresql-postgis)"
                return
            connection.execute("CREATE TABLE point (id integer, x float8, y float8)")
            with connection.cursor() as cursor, cursor.copy("COPY point FROM STDIN") as copy:
                for row in zip(range(len(lon)), lon.tolist(), lat.tolist(), strict=True):
                    copy.write_row(row)
            connection.execute("CREATE TABLE place AS SELECT id, ST_Point(x, y, 4326) AS geom FROM point")
            connection.execute("CREATE INDEX ON place USING gist (geom)")
            connection.execute("ANALYZE place")

            def ask(area: shapely.Polygon) -> list[int]:
                query = "SELECT id FROM place WHERE ST_Contains(ST_GeomFromWKB(%s, 4326), geom)"
                return [row[0] for row in connection.execute(query, (shapely.to_wkb(area),), binary=True)]

            yield ask
    finally:
        server.stop()
