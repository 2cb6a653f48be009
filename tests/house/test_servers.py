"""The servers that other tests stand on: empty, separate, and gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from kombu.connection import Connection
from playwright.sync_api import Page

from outage_notify.store import migrate
from outage_notify.store.database import Database
from outage_notify.store.tables import metadata
from tests.house.files import ROOT

HOLDER = """
import sys, time
from tests.servers.{module} import {name}
server = {name}()
processes = [p for p in vars(server).values() if hasattr(p, "pid")]
print(*[p.pid for p in processes], server._home, flush=True)
time.sleep(600)
"""


def test_a_database_is_empty_and_takes_a_table(database_url: str) -> None:
    engine = sqlalchemy.create_engine(database_url)
    try:
        # The name is the same for both runs and for both databases: each must start from nothing.
        assert sqlalchemy.inspect(engine).get_table_names() == []
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE left_behind (n integer)"))
        assert sqlalchemy.inspect(engine).get_table_names() == ["left_behind"]
    finally:
        engine.dispose()


@pytest.mark.parametrize("_time", [1, 2])
def test_a_database_does_not_know_the_last_one(postgres_url: str, _time: int) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    try:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE once (n integer)"))
    finally:
        engine.dispose()


def test_only_the_durable_server_waits_for_the_disk(postgres_url: str, postgres_durable_url: str) -> None:
    def fsync(url: str) -> object:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            row = connection.execute("SHOW fsync").fetchone()
            return row[0] if row else None

    assert (fsync(postgres_url), fsync(postgres_durable_url)) == ("off", "on")


def _drain(url: str) -> list[object]:
    """Put one message into a queue of a fixed name, and take all that is there."""
    with Connection(url, connect_timeout=10) as connection:
        queue = connection.SimpleQueue("house")
        queue.put({"rung": True})
        found: list[object] = []
        while True:
            try:
                message = queue.get(timeout=1 if found else 10)
            except queue.Empty:
                break
            found.append(message.payload)
        queue.put({"rung": "left behind"})
        queue.close()
    return found


@pytest.mark.parametrize("_time", [1, 2])
def test_a_migrated_database_has_the_schema_and_no_rows(migrated_url: str, _time: int) -> None:
    database = Database(migrated_url)
    try:
        assert migrate.current(database) == migrate.head()
        names = set(sqlalchemy.inspect(database.engine).get_table_names()) - {"alembic_version"}
        assert names == set(metadata.tables)
        with database.write() as session:
            # Nothing of the first round is there in the second.
            session.execute(sqlalchemy.text("CREATE TABLE left_behind (n integer)"))
    finally:
        database.close()


@pytest.mark.parametrize("_time", [1, 2])
def test_redis_is_empty_each_time(redis_url: str, _time: int) -> None:
    assert _drain(redis_url) == [{"rung": True}]


@pytest.mark.parametrize("_time", [1, 2])
def test_rabbitmq_is_empty_each_time(rabbitmq_url: str, _time: int) -> None:
    assert _drain(rabbitmq_url) == [{"rung": True}]


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("fixture", "module", "name"),
    [
        ("postgres_url", "postgres", "PostgresServer"),
        ("redis_url", "redis", "RedisServer"),
        ("rabbitmq_url", "rabbitmq", "RabbitServer"),
    ],
)
def test_a_server_dies_with_killed_tests(
    fixture: str, module: str, name: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(fixture)  # skips where the server cannot be had
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(module=module, name=name)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    *pids, home = holder.stdout.readline().split()
    alive = [pid for pid in map(int, pids) if _is_alive(pid)]
    assert len(alive) == len(pids) > 0
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    _wait(lambda: not any(_is_alive(pid) for pid in alive))

    # Its folder is swept by the next one who asks for a folder.
    from tests.servers import process

    mine = process.folder("sweep")
    assert not Path(home).exists()
    mine.rmdir()


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "a server outlived the tests that started it"
        time.sleep(0.05)


def test_chromium_shows_a_page_and_runs_its_script(page: Page) -> None:
    page.set_content("<h1>停电</h1><script>document.querySelector('h1').append(' 通知')</script>")
    assert page.inner_text("h1") == "停电 通知"
