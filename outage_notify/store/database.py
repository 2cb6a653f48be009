"""The database: engine, transactions, and the column types that both databases share.

SQLite (WAL, BEGIN IMMEDIATE for writers, foreign keys on) and PostgreSQL serve one code
base. Times are aware, stored in UTC; a naive one is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# What a transaction raises while the database is away, or another one stands in its way.
AWAY = (OperationalError, InterfaceError)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


Id = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware datetime, UTC inside. Writing a naive one raises ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime can't be stored; say which time zone it is in")
        if value.tzinfo is not UTC:
            value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A member of a string enum, stored as its value; an unknown one is refused.

    One that a newer release wrote while both run comes back as a word that equals none of ours: whoever
    asks "is it one of these?" is told no, and it is stored again as it was.
    """

    impl = String(32)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words
        # Asked hundreds of thousands of times in one approval.
        self._member = {one.value: one for one in words}

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return value.value if type(value) is self.words else self.words(value).value

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        if value is None:
            return None
        if (known := self._member.get(value)) is not None:
            return known
        return _foreign(self.words, str(value))


def _foreign(words: type[StrEnum], value: str) -> StrEnum:
    """A word of a newer release, as an object of the same class that is none of its members."""
    word = str.__new__(words, value)
    word._name_ = word._value_ = value
    return word


_HASTY = text("SET LOCAL synchronous_commit = off")


class Database:
    """One engine and its two kinds of transactions.

    `write()` commits at the end and rolls back on any error; on SQLite it takes the
    write lock at once, so it never fails half-way for lack of it. `read()` never writes.
    """

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.url = make_url(url)
        self.engine = _engine(url, pool_size)
        self._write = sessionmaker(self.engine, expire_on_commit=False)
        # For single statements, where a session would cost more than the answer; it never writes.
        self.reader = self.engine.execution_options(reading=True)
        self._read = sessionmaker(self.reader, expire_on_commit=False)

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """What a statement may raise, by way of SQLAlchemy and on a bare connection of the driver."""
        return (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def write(self, hasty: bool = False) -> Iterator[Session]:
        """`hasty`: PostgreSQL need not have it on the disk when this returns. For what is done again from the
        database itself, should a crash undo it: it is undone whole, and never what was committed before it."""
        with self._write() as session, session.begin():
            if hasty and not self.is_sqlite:
                session.execute(_HASTY)
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self._read() as session, session.begin():
            yield session

    def persist(self, work: Callable[[Session], None], seconds: float) -> None:
        """Run `work` in a write transaction, and again while the database is away or another
        transaction stands in the way, for at most `seconds`. `work` must bear being repeated, even
        after a commit of which the answer was lost."""
        ends, pause = time.monotonic() + seconds, 0.05
        while True:
            try:
                with self.write() as session:
                    return work(session)
            except AWAY:
                if time.monotonic() + pause > ends:
                    raise
            time.sleep(pause)
            pause = min(2.0, pause * 2)

    @staticmethod
    def is_away(error: Exception) -> bool:
        """Whether an error says that the database can't be reached or something stands in the way, and nothing of
        what was to be written."""
        return isinstance(error, OperationalError | InterfaceError)

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: str, pool_size: int) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(
            url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, hide_parameters=True
        )
    pool = {}
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        # A connection that the pool does not keep is opened anew for the next statement.
        pool = {"pool_size": pool_size, "max_overflow": pool_size}
    # Parameters hold names and numbers of people; an error must not carry them into a log.
    engine = create_engine(url, connect_args={"timeout": 60}, hide_parameters=True, **pool)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        # The driver's own transaction handling is off: on_begin says BEGIN.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "busy_timeout=60000",
            "synchronous=FULL",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
