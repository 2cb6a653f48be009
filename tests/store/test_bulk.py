"""Many rows at once come back as one by one: values, defaults, identifiers, and nothing without its constraints."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from channels.model import Language
from outage_notify.domain.audience import Tier
from outage_notify.store import bulk
from outage_notify.store.database import Database
from outage_notify.store.people_tables import Customer

ODD = ["plain", "tab\tand\nline", "back\\slash \\N", "停电 😀", "'; DROP TABLE customers; --", ""]
COLUMNS = ("id", "customer_id", "name", "tier", "language", "feed_secret", "vulnerable")


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    found = Database(migrated_url)
    yield found
    found.close()


def made(number: int, name: str) -> tuple[object, ...]:
    tier = Tier.SPECIAL if number % 2 else Tier.LOW_VOLTAGE
    return (number, f"C{number}", name, tier, Language.ZH, f"{number:032x}", number % 3 == 0)


def test_rows_come_back_as_they_were_with_the_defaults_of_their_columns(database: Database) -> None:
    with database.write() as session:
        ids = bulk.new_ids(session, Customer, len(ODD))
        rows = [made(number, name) for number, name in zip(ids, ODD, strict=True)]
        bulk.insert_tuples(session, Customer, COLUMNS, rows)
    with database.read() as session:
        found = session.scalars(select(Customer).order_by(Customer.id)).all()
        assert [tuple(getattr(one, name) for name in COLUMNS) for one in found] == rows
        assert {(one.kind, one.life_support, one.gone_at) for one in found} == {("", False, None)}


def test_identifiers_are_drawn_once(database: Database) -> None:
    with database.write() as session:
        first = bulk.new_ids(session, Customer, 3)
        bulk.insert_tuples(session, Customer, COLUMNS, [made(one, "n") for one in first])
        second = bulk.new_ids(session, Customer, 3)
        assert len({*first, *second}) == 6
        bulk.insert_tuples(session, Customer, COLUMNS, [made(one, "n") for one in second])
        other = Customer(customer_id="C-", name="n", tier=Tier.GENERAL, language=Language.EN, feed_secret="f")
        session.add(other)
        session.flush()
        assert other.id not in {*first, *second}


def test_more_rows_than_one_statement_takes_and_none_at_all(database: Database) -> None:
    with database.write() as session:
        bulk.insert_rows(session, Customer, [])
        bulk.insert_rows(
            session, Customer, [dict(zip(COLUMNS, made(one, "n"), strict=True)) for one in range(1, 2501)]
        )
        assert session.scalar(select(func.count()).select_from(Customer)) == 2500


def test_one_bad_row_and_there_are_none(database: Database) -> None:
    with pytest.raises((DBAPIError, Exception)) as caught, database.write() as session:
        bulk.insert_tuples(session, Customer, COLUMNS, [made(1, "a"), made(2, "b"), made(1, "again")])
    assert "unique" in str(caught.value).lower()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 0
