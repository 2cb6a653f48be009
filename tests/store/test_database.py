"""What both databases promise alike: aware times, known words, transactions, the shared clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError

from outage_notify.clock import Clock
from outage_notify.domain.errors import NotPermitted, OutageNotifyError
from outage_notify.store import migrate
from outage_notify.store.database import Database
from outage_notify.store.people_tables import Customer, Site
from outage_notify.store.work_queries import record
from outage_notify.store.work_tables import Event


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    opened = Database(migrated_url)
    yield opened
    opened.close()


def test_a_time_comes_back_as_the_same_instant_in_utc(database: Database) -> None:
    shanghai = datetime(2026, 12, 1, 8, 30, 15, 250_000, tzinfo=ZoneInfo("Asia/Shanghai"))
    with database.write() as session:
        record(session, shanghai, "somebody", "tested")
    with database.read() as session:
        read = session.query(Event).one().at
    assert read == shanghai
    assert read.tzinfo is UTC


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive"), database.write() as session:
        record(session, datetime(2026, 12, 1, 8, 30), "somebody", "tested")  # noqa: DTZ001
    with database.read() as session:
        assert session.query(Event).count() == 0


def test_a_word_that_nobody_knows_is_refused(database: Database) -> None:
    with pytest.raises(StatementError), database.write() as session:
        session.add(Customer(customer_id="A", name="A", kind="", tier="GOLD", language="en", feed_secret="x"))


def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        record(session, datetime.now(UTC), "somebody", "tested")
        session.flush()
        raise ZeroDivisionError
    with database.read() as session:
        assert session.query(Event).count() == 0


def test_foreign_keys_are_on(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Site(customer_ref=4711, site_id="MAIN"))


@pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)
def test_sqlite_writes_ahead_and_takes_its_lock_at_once(database: Database) -> None:
    with database.read() as session:
        assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.execute(text("PRAGMA synchronous")).scalar() == 2
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.wait()
        with database.write() as session:
            session.execute(text("SELECT 1"))
            order.append("second")

    other = threading.Thread(target=second)
    other.start()
    with database.write() as session:
        session.execute(text("SELECT 1"))
        inside.set()
        other.join(0.3)
        assert order == [], "a second writer waits although the first has only read so far"
        order.append("first")
    other.join(30)
    assert order == ["first", "second"]


def test_the_clock_is_the_databases_and_is_turned_forward_only_in_a_simulation(database: Database) -> None:
    production, simulated = Clock(False), Clock(True)
    with database.write() as session:
        now = production.now(session)
        assert now.tzinfo is UTC
        with pytest.raises(NotPermitted):
            production.turn_to(session, now + timedelta(days=1))
        simulated.turn_to(session, now + timedelta(days=7))
    with database.write() as session:
        assert timedelta(days=7) <= simulated.now(session) - now < timedelta(days=7, minutes=5)
        assert production.now(session) - now < timedelta(minutes=5), "production does not read the offset"
        with pytest.raises(NotPermitted):
            simulated.turn_to(session, now)


def test_a_database_of_a_newer_release_is_left_alone(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(OutageNotifyError, match="9999"):
        migrate.ensure(database)


def test_a_database_of_somebody_else_is_left_alone(database_url: str) -> None:
    foreign = Database(database_url)
    with foreign.write() as session:
        session.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(OutageNotifyError, match="not ours"):
        migrate.ensure(foreign)
    foreign.close()
