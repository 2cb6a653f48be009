"""A place on disk where the rows of a customers' file wait until all of them are known to be good.

A temporary SQLite file beside no one's data: it lets rows be compared with each other
(same id twice, one site of two customers) and read again by customer, whatever the order
of the file, with flat memory. It vanishes with `close`, and with the process.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import TracebackType

_BATCH = 2_000


class Staging:
    """Rows are `(line, *cells)` in the order of `columns`, all text but the line."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._folder = tempfile.TemporaryDirectory(prefix="outage-notify-import-")
        self._connection = sqlite3.connect(Path(self._folder.name) / "rows.db", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE"):
            self._connection.execute(f"PRAGMA {pragma}")
        names = ", ".join(f"{column} TEXT NOT NULL" for column in self.columns)
        self._connection.execute(f"CREATE TABLE rows (line INTEGER PRIMARY KEY, {names})")
        marks = ", ".join("?" * (len(self.columns) + 1))
        self._insert = f"INSERT INTO rows VALUES ({marks})"  # noqa: S608 - nothing but question marks
        self._waiting: list[tuple[int | str, ...]] = []
        self.count = 0

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()
        self._folder.cleanup()

    def add(self, line: int, cells: Sequence[str]) -> None:
        self._waiting.append((line, *cells))
        self.count += 1
        if len(self._waiting) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._connection.execute("BEGIN")
            self._connection.executemany(self._insert, self._waiting)
            self._connection.execute("COMMIT")
            self._waiting = []

    def seal(self) -> None:
        """No more rows: build the indexes that the questions below need."""
        self._flush()
        for column in ("customer_id", "service_point_id", "site_id"):
            self._connection.execute(f"CREATE INDEX by_{column} ON rows ({column}, line)")

    def repeated_service_points(self) -> Iterator[tuple[int, str, int]]:
        """(line, service point, line where it stood first) of every repetition."""
        yield from self._connection.execute(
            "SELECT line, service_point_id, first FROM ("
            " SELECT line, service_point_id, MIN(line) OVER (PARTITION BY service_point_id) AS first FROM rows"
            " WHERE service_point_id <> '') WHERE line > first ORDER BY line"
        )

    def shared_sites(self) -> Iterator[tuple[int, str, int]]:
        """(line, site, line where another customer has it) of every row whose site is another's."""
        yield from self._connection.execute(
            "SELECT line, site_id, first_line FROM ("
            " SELECT line, site_id, customer_id,"
            " FIRST_VALUE(customer_id) OVER one AS owner, FIRST_VALUE(line) OVER one AS first_line"
            " FROM rows WHERE site_id <> '' AND customer_id <> ''"
            " WINDOW one AS (PARTITION BY site_id ORDER BY line)) WHERE customer_id <> owner ORDER BY line"
        )

    def by_customer(self) -> Iterator[tuple[int, dict[str, str]]]:
        """All rows that name a customer, those of one customer together, in the order of lines."""
        query = "SELECT * FROM rows WHERE customer_id <> '' ORDER BY customer_id, line"
        for line, *cells in self._connection.execute(query):
            yield line, dict(zip(self.columns, cells, strict=True))

    def present(self, column: str, values: Collection[str]) -> set[str]:
        """Those of `values` (at most some thousands) that occur in `column`."""
        if column not in self.columns:
            raise ValueError(f"{column} is no column")
        marks = ", ".join("?" * len(values))
        query = f"SELECT DISTINCT {column} FROM rows WHERE {column} IN ({marks})"  # noqa: S608 - checked above
        return {value for (value,) in self._connection.execute(query, tuple(values))}
