"""What every test may ask for: databases, brokers, a browser. Started only when a test asks.

A fixture that needs a server skips the test with one line of reason where the server
cannot be had; with CI=true that is a failure. Each test gets an empty database, an
empty Redis, a virtual host or a browser page of its own; the servers serve the whole run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

import hypothesis
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers.browser import Browsers, launch
from tests.servers.nginx import NginxServer
from tests.servers.postgres import PostgresServer
from tests.servers.process import Unavailable
from tests.servers.programs import Missing
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer
from tests.servers.timestamp_authority import TimestampAuthority

T = TypeVar("T")

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# A developer's own settings must not decide what a test finds.
for _name in [name for name in os.environ if name.startswith("OUTAGE_NOTIFY_")]:
    del os.environ[_name]

# The same examples each time where a failure must mean the change; new ones on every run at the desk.
_slow_machine = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, print_blob=True, suppress_health_check=_slow_machine
)
hypothesis.settings.register_profile("dev", deadline=None, suppress_health_check=_slow_machine)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))

# What a test that asks for a fixture needs, so that `-m "not browser"` and the like choose right.
MARKS = {
    "postgres_url": "postgres",
    "postgres_durable_url": "postgres",
    "redis_url": "redis",
    "rabbitmq_url": "rabbitmq",
    "chromium": "browser",
    "chromium_path": "browser",
    "page": "browser",
    "nginx": "nginx",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKS:
                item.add_marker(MARKS[fixture])
        call = getattr(item, "callspec", None)
        if call is not None and "postgresql" in map(call.params.get, ("database_url", "migrated_url")):
            item.add_marker("postgres")


def _without(reason: str) -> NoReturn:
    line = " ".join(reason.split())
    if IN_CI:
        pytest.fail(f"{line}. With CI=true a test that needs a server may not be left out.", pytrace=False)
    pytest.skip(line)


class _Once:
    """Starts each server at most once, and remembers why one could not be started."""

    def __init__(self) -> None:
        self._made: dict[str, object] = {}
        self._ends: list[Callable[[], None]] = []

    def get(self, name: str, make: Callable[[], T], end: Callable[[T], None]) -> T:
        if name not in self._made:
            try:
                made: object = make()
            except (Missing, Unavailable) as error:
                made = error
            else:
                self._ends.append(lambda: end(made))  # type: ignore[arg-type]
            self._made[name] = made
        found = self._made[name]
        if isinstance(found, Missing | Unavailable):
            _without(str(found))
        return found  # type: ignore[return-value]

    def end(self) -> None:
        for end in reversed(self._ends):
            end()


@pytest.fixture(scope="session")
def _servers() -> Iterator[_Once]:
    once = _Once()
    try:
        yield once
    finally:
        once.end()


@pytest.fixture
def postgres_url(_servers: _Once) -> Iterator[str]:
    """An empty PostgreSQL database of this test's own: postgresql+psycopg://..."""
    server = _servers.get("postgres", PostgresServer, PostgresServer.stop)
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def postgres_durable_url(_servers: _Once) -> Iterator[str]:
    """As `postgres_url`, on a server that waits for the disk at each commit."""
    server = _servers.get("durable postgres", lambda: PostgresServer(durable=True), PostgresServer.stop)
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The test runs twice: on a SQLite file that is not there yet, and on an empty PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'outage-notify.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def _migrate(url: str) -> str:
    # Imported here, so that a fault in the store fails the tests of the store and not all of them.
    from outage_notify.store import migrate
    from outage_notify.store.database import Database

    database = Database(url)
    try:
        migrate.ensure(database)
    finally:
        database.close()
    return url


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "outage-notify.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, _servers: _Once, tmp_path: Path) -> Iterator[str]:
    """As `database_url`, with the newest schema and no rows: a copy of one that was migrated once."""
    if request.param == "sqlite":
        path = tmp_path / "outage-notify.db"
        shutil.copy(request.getfixturevalue("_migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server = _servers.get("postgres", PostgresServer, PostgresServer.stop)
    template = _servers.get("template", lambda: _migrate(server.create_database()), server.drop_database)
    url = server.create_database(template)
    yield url
    server.drop_database(url)


@pytest.fixture
def redis_url(_servers: _Once) -> str:
    """An empty Redis: redis://..."""
    server = _servers.get("redis", RedisServer, RedisServer.stop)
    server.flush()
    return server.url


@pytest.fixture
def rabbitmq_url(_servers: _Once) -> Iterator[str]:
    """An empty RabbitMQ virtual host of this test's own: amqp://..."""
    server = _servers.get("rabbitmq", RabbitServer, RabbitServer.stop)
    url = server.create_vhost()
    yield url
    server.drop_vhost(url)


@pytest.fixture
def nginx() -> Iterator[Callable[..., NginxServer]]:
    """Starts nginx with the project's configuration before an application: its port, the folder it prints into."""
    started: list[NginxServer] = []

    def start(backend: int, files: Path | None = None) -> NginxServer:
        try:
            started.append(NginxServer(backend, files=files))
        except (Missing, Unavailable) as error:
            _without(str(error))
        return started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def timestamp_authority(_servers: _Once, tmp_path_factory: pytest.TempPathFactory) -> TimestampAuthority:
    """A time-stamping authority of the run, which answers as it should."""
    server = _servers.get(
        "time-stamping authority",
        lambda: TimestampAuthority(tmp_path_factory.mktemp("tsa")),
        TimestampAuthority.stop,
    )
    server.answer = None
    return server


@pytest.fixture(scope="session")
def _browsers() -> Browsers:
    return Browsers()


@pytest.fixture
def chromium_path(_browsers: Browsers) -> Path:
    """The browser's program, for a test that starts it itself."""
    found = _browsers.path()
    if isinstance(found, Missing):
        _without(str(found))
    return found


@pytest.fixture(scope="module")
def chromium(_browsers: Browsers) -> Iterator[Browser]:
    """A running Chromium (Playwright, synchronous), for the tests of one module.

    Not for the whole run: as long as it lives, Playwright's event loop occupies this
    thread, and asyncio.run() in a later test would be refused.
    """
    path = _browsers.path()
    if isinstance(path, Missing):
        _without(str(path))
    with sync_playwright() as playwright:
        browser = launch(playwright, path)
        if isinstance(browser, Unavailable):
            _without(str(browser))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page without cookies or history. Fails the test when a script of the page raised an error."""
    context = chromium.new_context()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == [], "scripts of the page raised errors"
