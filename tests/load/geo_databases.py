"""The usual way without a graph in memory: a recursive query from what is cut, joined with customers by tier.

Tables hold each connection from both ends, what is a tie, and the loads with their tiers; parts of `make bench-geo`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

TABLES = (
    "CREATE TABLE joint (node integer NOT NULL, other integer NOT NULL)",
    "CREATE TABLE load (node integer NOT NULL, tier integer NOT NULL)",
)
INDEXES = ("CREATE INDEX joint_node ON joint (node, other)", "CREATE INDEX load_node ON load (node, tier)")
# Each start spreads on its own; a part that reaches a station is not dark.
QUERY = """
WITH RECURSIVE part (origin, node) AS (
  SELECT {value}, {value} FROM {starts}
  UNION
  SELECT part.origin, joint.other FROM part JOIN joint ON joint.node = part.node
  WHERE joint.other NOT IN (SELECT {cut_value} FROM {cut})
)
SELECT load.tier, count(*) FROM part JOIN load ON load.node = part.node
WHERE part.origin NOT IN (SELECT origin FROM part WHERE node < {stations})
GROUP BY load.tier
"""
Ask = Callable[[list[tuple[int, int]]], int]


def joints(it: Any) -> Iterator[tuple[int, int]]:
    """Closed connections alone: with the ties a query would walk the whole network."""
    a, b = it.edge_a[: it.tie_from].tolist(), it.edge_b[: it.tie_from].tolist()
    yield from zip(a, b, strict=True)
    yield from zip(b, a, strict=True)


def loads(it: Any) -> Iterator[tuple[int, int]]:
    yield from zip(it.load_node.tolist(), np.asarray(it.tier, int).tolist(), strict=True)


def sqlite(it: Any, folder: Path, analyse: bool = False) -> Ask:
    connection = sqlite3.connect(folder / "peer.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    for statement in TABLES:
        connection.execute(statement)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO joint VALUES (?, ?)", joints(it))
    connection.executemany("INSERT INTO load VALUES (?, ?)", loads(it))
    connection.execute("COMMIT")
    for statement in INDEXES:
        connection.execute(statement)
    query = QUERY.format(
        starts="json_each(:starts)",
        cut="json_each(:cut)",
        value="value",
        cut_value="value",
        stations=it.substations,
    )

    def ask(cut: list[tuple[int, int]]) -> int:
        names = {"starts": str([start for _, start in cut]), "cut": str([node for node, _ in cut])}
        return sum(count for _, count in connection.execute(query, names))

    return ask


def postgres(it: Any, url: str) -> Ask:
    import psycopg

    connection = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)
    for statement in TABLES:
        connection.execute(statement)
    for name, rows in (("joint", joints(it)), ("load", loads(it))):
        with connection.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    for statement in (*INDEXES, "ANALYZE", "SET plan_cache_mode = force_custom_plan"):
        connection.execute(statement)
    query = QUERY.format(
        starts="unnest(%(starts)s::int[]) AS s",
        cut="unnest(%(cut)s::int[]) AS c",
        value="s",
        cut_value="c",
        stations=it.substations,
    )

    def ask(cut: list[tuple[int, int]]) -> int:
        names = {"starts": [start for _, start in cut], "cut": [node for node, _ in cut]}
        return sum(count for _, count in connection.execute(query, names))

    return ask
