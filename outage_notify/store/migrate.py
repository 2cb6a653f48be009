"""Brings a database's schema up to date, and says where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

import migrations
from outage_notify.domain.errors import OutageNotifyError
from outage_notify.store.database import Database


def _config() -> Config:
    config = Config()
    folder = Path(migrations.__file__).parent
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def head() -> str:
    """The newest revision that this release knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current(database: Database) -> str | None:
    """The database's revision; None if it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def is_empty(database: Database) -> bool:
    with database.engine.connect() as connection:
        return not set(inspect(connection).get_table_names()) - {"alembic_version"}


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate up. One transaction on both databases: it happens wholly or not at all.

    Two processes at once: the second waits for the first and finds nothing to do.
    """
    config = _config()
    with _changing(database) as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7036874417766)")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(database: Database, revision: str = "base") -> None:
    config = _config()
    with _changing(database) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


@contextmanager
def _changing(database: Database) -> Iterator[Connection]:
    """One transaction on the schema. SQLite changes a table by copying it and dropping the old one, which its
    foreign keys forbid while other tables refer to rows of it: they rest meanwhile and are checked at the end."""
    with database.engine.connect() as connection:
        # Below the transaction: inside one, SQLite ignores it.
        driver = connection.connection.dbapi_connection
        if database.is_sqlite and driver is not None:
            driver.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if database.is_sqlite:
                    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
                    if broken:
                        tables = ", ".join(sorted({row[0] for row in broken}))
                        raise OutageNotifyError(
                            f"The migration would leave rows that refer to nothing: {tables}.",
                            "Nothing was changed. Report this as a defect.",
                        )
        finally:
            if database.is_sqlite and driver is not None:
                driver.cursor().execute("PRAGMA foreign_keys=ON")


def ensure(database: Database) -> None:
    """Bring an empty or older database up to date; refuse one that is newer than this release."""
    revision = current(database)
    if revision == head():
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise OutageNotifyError(
            f"The database is at schema {revision}, which this release does not know.",
            "Install the release that migrated it, or a newer one.",
        )
    if revision is None and not is_empty(database):
        raise OutageNotifyError(
            "The database holds tables that are not ours.",
            "Give an empty database in OUTAGE_NOTIFY_DATABASE_URL.",
        )
    upgrade(database)
