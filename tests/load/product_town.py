"""The made-up town in the product's own tables: its network, its customers, their contacts.

Rows go past the product by COPY or prepared statements, since an import of a million is measured elsewhere; what
is in the tables is what an import would have put there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from sqlalchemy import text

from outage_notify.domain.audience import Tier
from outage_notify.services.runtime import Runtime
from outage_notify.store import publication
from outage_notify.store.people_tables import ServicePoint
from tests.factories.people import NOW
from tests.load.synthetic_network import Town

ELEMENT = ("version_ref", "kind", "source_id", "name", "bus_a", "bus_b", "on_element", "at_bus", "closed")
ELEMENT += ("in_service", "phases", "attrs")
TABLES: dict[str, tuple[str, ...]] = {
    "network_elements": ELEMENT,
    "customers": (
        *(
            "id",
            "customer_id",
            "name",
            "kind",
            "tier",
            "life_support",
            "vulnerable",
            "language",
            "feed_secret",
        ),
    ),
    "sites": ("id", "customer_ref", "site_id"),
    "service_points": ("id", "service_point_id", "customer_ref", "site_ref", "element", "place"),
    "contact_points": ("customer_ref", "channel", "address", "person", "backup", "bad_reason", "position"),
}
_CHUNK = 20_000


def fill(rt: Runtime, it: Town) -> int:
    """Put the town into an empty, migrated database; the number of rows."""
    with rt.database.write() as session:
        session.execute(
            text(
                "INSERT INTO network_versions (imported_at, imported_by, file_name, format, sha256, in_force)"
                " VALUES (:at, 'bench', 'town.json', 'json', 'town', :yes)"
            ),
            {"at": NOW.replace(tzinfo=None) if rt.database.is_sqlite else NOW, "yes": True},
        )
        version = session.execute(text("SELECT max(id) FROM network_versions")).scalar_one()
        driver: Any = session.connection().connection.driver_connection
        total = 0
        for name, rows in (
            ("network_elements", elements(it, version)),
            ("customers", customers(it)),
            ("sites", ((one + 1, one + 1, "S1") for one in owners(it))),
            ("service_points", points(it)),
            ("contact_points", contacts(it)),
        ):
            total += _insert(driver, rt.database.is_sqlite, name, rows)
        publication.wrote(session, ServicePoint)
    with rt.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return total


def _insert(driver: Any, sqlite: bool, name: str, rows: Iterable[tuple[Any, ...]]) -> int:
    columns = TABLES[name]
    listed, count = ", ".join(columns), 0
    if sqlite:
        marks = ", ".join("?" * len(columns))
        return int(driver.executemany(f"INSERT INTO {name} ({listed}) VALUES ({marks})", rows).rowcount)  # noqa: S608 - names of this file
    with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({listed}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def elements(it: Town, version: int) -> Iterator[tuple[Any, ...]]:
    """Each element as an import writes it."""

    def rows(kind: str, *columns: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        for number, (a, b, on, at, closed, attrs) in enumerate(zip(*columns, strict=False)):
            own = str(number)
            yield version, kind, own, own, a, b, on, at, closed, True, "ABC", attrs

    def names(values: Iterable[int]) -> list[str]:
        return [f"bus:{one}" for one in values]

    none, plain = repeat(None), repeat("{}")
    stations, trafos = it.substations, it.trafos
    kilovolts = [110.0] * stations + [20.0] * (stations + trafos) + [0.4] * trafos
    yield from rows("bus", none, none, none, none, none, [json.dumps({"vn_kv": one}) for one in kilovolts])
    yield from rows("ext_grid", names(range(stations)), none, none, none, none, plain)
    before, medium = names(it.edge_b[:trafos].tolist()), names(it.edge_b[trafos : 2 * trafos].tolist())
    yield from rows("line", before, medium, none, none, none, plain)
    low = names(it.edge_b[3 * trafos : 4 * trafos].tolist())
    high, busbars = [*medium, *names(range(stations))], names(range(stations, 2 * stations))
    yield from rows("trafo", high, low + busbars, none, none, none, plain)
    ties = names(it.edge_a[it.tie_from :].tolist()), names(it.edge_b[it.tie_from :].tolist())
    on = [f"line:{number}" for number in range(trafos)]
    yield from rows(
        "switch",
        before + ties[0],
        [None] * trafos + ties[1],
        on + [None] * len(ties[0]),
        before + [None] * len(ties[0]),
        [True] * trafos + [False] * len(ties[0]),
        plain,
    )
    yield from rows("load", names(it.load_node.tolist()), none, none, none, none, plain)


def owner_of(it: Town) -> list[int]:
    """Per load the customer who has it; a customer with a second feed has both loads at one site."""
    return [number if twin < 0 else min(number, twin) for number, twin in enumerate(it.twin.tolist())]


def owners(it: Town) -> Iterator[int]:
    return (number for number, owner in enumerate(owner_of(it)) if owner == number)


def customers(it: Town) -> Iterator[tuple[Any, ...]]:
    tiers = [one.value for one in Tier]
    ranks = it.tier.tolist()
    for number in owners(it):
        life = number % 1000 == 0
        yield (
            number + 1, f"C{number}", f"Customer {number}", "household", tiers[ranks[number]], life, False,
            "en", f"{number:032x}",
        )  # fmt: skip


def points(it: Town) -> Iterator[tuple[Any, ...]]:
    for number, owner in enumerate(owner_of(it)):
        yield number + 1, f"P{number}", owner + 1, owner + 1, f"load:{number}", f"{number} High Street"


def contacts(it: Town) -> Iterator[tuple[Any, ...]]:
    for number in owners(it):
        yield number + 1, "sms", f"+4930{number:09d}", "", False, "", 0
