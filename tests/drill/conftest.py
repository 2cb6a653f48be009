"""The stacks of the drills, and the one table in which all that was run is said at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories.drill_stacks import RABBITMQ, REDIS, SQLITE, Stack
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer

ROWS = pytest.StashKey[list[str]]()
HEAD = "| fault | stack | people | told once | untold | twice | on the way |\n|---|---|---|---|---|---|---|"


@pytest.fixture
def stack(request: pytest.FixtureRequest, tmp_path: Path, _servers: Any) -> Iterator[Stack]:
    """The stack that the test's parameter names, with an empty database and an empty broker."""
    name: str = request.param
    if name == SQLITE:
        yield Stack(name, f"sqlite:///{tmp_path / 'drill.db'}")
        return
    postgres = _servers.get("durable postgres", lambda: PostgresServer(durable=True), PostgresServer.stop)
    url = postgres.create_database()
    if name == REDIS:
        redis = _servers.get("redis", RedisServer, RedisServer.stop)
        redis.flush()
        yield Stack(name, url, redis.url, postgres, redis)
    else:
        assert name == RABBITMQ
        rabbit = _servers.get("rabbitmq", RabbitServer, RabbitServer.stop)
        vhost = rabbit.create_vhost()
        yield Stack(name, url, vhost, postgres, rabbit)
        rabbit.drop_vhost(vhost)
    postgres.drop_database(url)


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> list[str]:
    """The lines of the table."""
    return request.config.stash.setdefault(ROWS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if lines := terminalreporter.config.stash.get(ROWS, []):
        terminalreporter.write_line("")
        for line in [HEAD, *sorted(lines)]:
            terminalreporter.write_line(line)
