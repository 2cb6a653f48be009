"""The migrations: up and down on both databases, and what they make is what the models say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

from outage_notify.domain.errors import OutageNotifyError
from outage_notify.store import migrate
from outage_notify.store.database import Database
from outage_notify.store.outage_tables import Outage
from outage_notify.store.people_tables import ContactPoint
from outage_notify.store.tables import metadata
from tests.factories.people import add_customer, add_outage


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    found = Database(database_url)
    yield found
    found.close()


def tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def revisions() -> list[str]:
    """Oldest first."""
    script = ScriptDirectory.from_config(migrate._config())
    return [one.revision for one in reversed(list(script.walk_revisions()))]


def test_an_empty_database_is_brought_up_to_what_the_models_say(database: Database) -> None:
    assert migrate.is_empty(database)
    migrate.ensure(database)
    assert migrate.current(database) == migrate.head()
    assert tables(database) == set(metadata.tables)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_revision_goes_up_and_down_and_up_again(database: Database) -> None:
    for revision in revisions():
        migrate.upgrade(database, revision)
        assert migrate.current(database) == revision
    before = [None, *revisions()[:-1]]
    for revision in reversed(before):
        migrate.downgrade(database, revision or "base")
        assert migrate.current(database) == revision
    assert tables(database) == set()
    migrate.ensure(database)
    assert tables(database) == set(metadata.tables)


def test_a_filled_database_keeps_its_rows_through_every_change_of_a_table(database: Database) -> None:
    migrate.ensure(database)
    with database.write() as session:
        reference = add_outage(session, [add_customer(session)]).reference
    for revision in reversed(revisions()[1:-1]):
        migrate.downgrade(database, revision)
    migrate.ensure(database)
    with database.read() as session:
        assert session.scalars(select(Outage.reference)).all() == [reference]
        assert session.scalars(select(ContactPoint)).all()
        if database.is_sqlite:
            assert session.connection().exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_migrating_twice_is_migrating_once(database: Database) -> None:
    migrate.ensure(database)
    migrate.ensure(database)
    migrate.upgrade(database)
    assert migrate.current(database) == migrate.head()


def test_a_database_of_somebody_else_is_left_alone(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(OutageNotifyError, match="not ours"):
        migrate.ensure(database)
    assert tables(database) == {"theirs"}


def test_a_database_of_a_later_release_is_left_alone(database: Database) -> None:
    migrate.ensure(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(OutageNotifyError, match="9999"):
        migrate.ensure(database)
