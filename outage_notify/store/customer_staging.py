"""A place on disk where the rows of a customers' file wait until all of them are known to be good.

A temporary SQLite file beside no one's data: it lets rows be compared with each other
(same id twice, one site of two customers) and read again by customer, whatever the order
of the file, with flat memory. It vanishes with `close`, and with the process.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

_BATCH = 2_000
_CACHE_KIB = 32 * 1024


class Staging:
    """Rows are `(line, *cells)` in the order of `columns`, all text but the line."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._folder = tempfile.TemporaryDirectory(prefix="outage-notify-import-")
        self._connection = sqlite3.connect(Path(self._folder.name) / "rows.db", isolation_level=None)
        cache = f"cache_size=-{_CACHE_KIB}"
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", cache):
            self._connection.execute(f"PRAGMA {pragma}")
        names = ", ".join(f"{column} TEXT NOT NULL" for column in self.columns)
        self._connection.execute(f"CREATE TABLE rows (line INTEGER PRIMARY KEY, {names})")
        marks = ", ".join("?" * (len(self.columns) + 1))
        self._insert = f"INSERT INTO rows VALUES ({marks})"  # noqa: S608 - nothing but question marks
        self._waiting: list[tuple[int | str, ...]] = []
        self.count = 0
        self._customer = 1 + self.columns.index("customer_id")
        self._runs = 0
        self._last = ""

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
            for row in self._waiting:
                if row[self._customer] != self._last:
                    self._last = str(row[self._customer])
                    self._runs += self._last != ""
            self._connection.execute("BEGIN")
            self._connection.executemany(self._insert, self._waiting)
            self._connection.execute("COMMIT")
            self._waiting = []

    def seal(self) -> None:
        """No more rows: build the indexes that the questions below need."""
        self._flush()
        for column in ("customer_id", "service_point_id", "site_id"):
            self._connection.execute(f"CREATE INDEX by_{column} ON rows ({column}, line)")

    def expect(self, loads: Iterable[str]) -> None:
        """The elements that the network in force has; they lie on disk like the rows."""
        self._connection.execute("CREATE TABLE loads (element TEXT PRIMARY KEY) WITHOUT ROWID")
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR IGNORE INTO loads VALUES (?)", ((one,) for one in loads))
        self._connection.execute("COMMIT")

    def unknown_elements(self) -> Iterator[tuple[int, str]]:
        """(line, element) of rows whose element is not among the expected ones."""
        yield from self._connection.execute(
            "SELECT line, element FROM rows WHERE element <> ''"
            " AND NOT EXISTS (SELECT 1 FROM loads WHERE loads.element = rows.element) ORDER BY line"
        )

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
        distinct = "SELECT COUNT(DISTINCT customer_id) FROM rows WHERE customer_id <> ''"
        ((customers,),) = self._connection.execute(distinct)
        # Where each customer's rows stand together anyway, the table is read from end to end and not by its index.
        order = "line" if customers == self._runs else "customer_id, line"
        yield from self._rows(f"SELECT * FROM rows WHERE customer_id <> '' ORDER BY {order}")  # noqa: S608 - our own

    def odd_customers(self, must_have: Sequence[str], look_at: str) -> Iterator[tuple[int, dict[str, str]]]:
        """The same, only of customers with several rows, a blank in `must_have`, or a value in `look_at`."""
        blank = " OR ".join(f"{column} = ''" for column in must_have)
        odd = f"SUM({blank} OR {look_at} <> '')"
        query = (
            "SELECT * FROM rows WHERE customer_id IN (SELECT customer_id FROM rows WHERE customer_id <> ''"  # noqa: S608 - our own names
            f" GROUP BY customer_id HAVING COUNT(*) > 1 OR {odd}) ORDER BY customer_id, line"
        )
        yield from self._rows(query)

    def _rows(self, query: str) -> Iterator[tuple[int, dict[str, str]]]:
        columns = self.columns
        for line, *values in self._connection.execute(query):
            yield line, dict(zip(columns, values, strict=True))

    def distinct(self, *columns: str) -> list[tuple[str, ...]]:
        """The different values that these columns hold together, the first of which is not blank."""
        if not set(columns) <= set(self.columns):
            raise ValueError(f"{columns} are no columns")
        query = f"SELECT DISTINCT {', '.join(columns)} FROM rows WHERE {columns[0]} <> ''"  # noqa: S608 - checked above
        return list(self._connection.execute(query))

    def present(self, column: str, values: Collection[str]) -> set[str]:
        """Those of `values` (at most some thousands) that occur in `column`."""
        if column not in self.columns:
            raise ValueError(f"{column} is no column")
        marks = ", ".join("?" * len(values))
        query = f"SELECT DISTINCT {column} FROM rows WHERE {column} IN ({marks})"  # noqa: S608 - checked above
        return {value for (value,) in self._connection.execute(query, tuple(values))}
