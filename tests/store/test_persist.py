"""An answer in our hands is put on record even while the database is away: `Database.persist`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from outage_notify.store.database import Database
from outage_notify.store.people_tables import GridManager

AWAY = OperationalError("", {}, Exception("away"))


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    found = Database(migrated_url)
    yield found
    found.close()


class Work:
    """Adds a grid manager; the first `times` times the database goes away after that."""

    def __init__(self, times: int, error: Exception = AWAY) -> None:
        self.times, self.error, self.asked = times, error, 0

    def __call__(self, session: Session) -> None:
        self.asked += 1
        session.add(GridManager(name=f"try {self.asked}"))
        session.flush()
        if self.asked <= self.times:
            raise self.error


def names(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(GridManager.name).order_by(GridManager.id)))


def test_what_succeeds_is_done_once(database: Database) -> None:
    database.persist(work := Work(0), 5)
    assert (work.asked, names(database)) == (1, ["try 1"])


def test_it_is_tried_again_and_a_broken_try_leaves_nothing(database: Database) -> None:
    database.persist(work := Work(2), 30)
    assert (work.asked, names(database)) == (3, ["try 3"])


def test_it_gives_up_in_the_end_and_says_why(database: Database) -> None:
    with pytest.raises(OperationalError):
        database.persist(work := Work(1000), 0.2)
    assert work.asked >= 2 and names(database) == []


def test_what_is_wrong_itself_is_not_tried_again(database: Database) -> None:
    with pytest.raises(IntegrityError):
        database.persist(work := Work(1, IntegrityError("", {}, Exception("wrong"))), 30)
    assert (work.asked, names(database)) == (1, [])


@pytest.mark.postgres
def test_a_connection_that_the_server_ended_is_replaced(postgres_url: str) -> None:
    """As when the server restarts: the session is ended in the middle of the transaction."""
    database = Database(postgres_url)
    asked: list[int] = []

    def work(session: Session) -> None:
        own = session.scalar(text("SELECT pg_backend_pid()"))
        asked.append(own or 0)
        if len(asked) == 1:
            with Database(postgres_url).write() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
        session.execute(text("CREATE TABLE kept (one int)"))

    database.persist(work, 30)
    assert len(set(asked)) == 2
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM kept")) == 0
    database.close()
