"""Values as one parameter: a statement's text does not grow with them, and none is lost or confused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Integer, String, event, literal, select
from sqlalchemy.orm import Session

from outage_notify.store.database import Database
from outage_notify.store.listed import among, dialect_of, rows_of, table_of, values_of
from outage_notify.store.people_tables import Customer

# PostgreSQL stores no zero byte in a text, and no database half a surrogate pair.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=30)
rows = st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(-(2**31), 2**31 - 1), texts), min_size=1)
several = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = {"id": BigInteger(), "fence": Integer(), "provider_id": String()}


@pytest.fixture
def session(migrated_url: str) -> Iterator[Session]:
    database = Database(migrated_url)
    with database.read() as found:
        yield found
    database.close()


@several
@given(rows)
def test_rows_come_back_as_they_were_handed_over(session: Session, given_rows: list[tuple]) -> None:
    dialect = dialect_of(session)
    held = table_of(dialect, "held", COLUMNS)
    statement = select(held.c.id, held.c.fence, held.c.provider_id)
    found = session.execute(statement, rows_of(dialect, "held", given_rows)).all()
    assert sorted(map(tuple, found)) == sorted(given_rows)


@several
@given(st.lists(st.integers(-(2**62), 2**62)), st.integers(-5, 5))
def test_a_value_is_among_others_exactly_if_it_is(session: Session, numbers: list[int], one: int) -> None:
    dialect = dialect_of(session)
    statement = select(literal(one, BigInteger).in_(among(dialect, "numbers", BigInteger())))
    assert bool(session.scalar(statement, values_of(dialect, "numbers", numbers))) is (one in numbers)


def test_the_statement_is_the_same_for_few_and_many(session: Session) -> None:
    said = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *about: said.append(about[2]))
    dialect = dialect_of(session)
    statement = select(Customer.id).where(Customer.id.in_(among(dialect, "ids", BigInteger())))
    for many in (0, 1, 400):
        session.execute(statement, values_of(dialect, "ids", range(many))).all()
    selects = [one for one in said if one.startswith("SELECT")]
    assert len(selects) == 3 and len(set(selects)) == 1
