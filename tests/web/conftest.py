"""A running town behind the real web application, and people who click through it."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from outage_notify.services.runtime import Runtime
from outage_notify.web import create_app
from outage_notify.web.public_cache import SHELF
from outage_notify.web.security import limiter
from tests.factories import town
from tests.factories.runtimes import StandingClock, make_runtime


class Person:
    """Somebody with a browser: keeps cookies, sends the form's token along as a browser would."""

    def __init__(self, app: Flask, language: str = "en") -> None:
        self.client: FlaskClient = app.test_client()
        self.headers = {"Accept-Language": language}
        self.base = app.config["TEST_BASE"]

    def get(self, path: str, **more: Any) -> TestResponse:
        headers = self.headers | more.pop("headers", {})
        return self.client.get(path.removeprefix(self.base), headers=headers, **more)

    def send(self, path: str, form: dict[str, Any] | None = None, page: str | None = None) -> TestResponse:
        """Post a form that was loaded from `page` (default: the address that it is posted to)."""
        return self.post(path, self.hidden(page or path) | (form or {}))

    def hidden(self, path: str) -> dict[str, str]:
        """The hidden fields of the forms on a page, the token among them."""
        shown = self.get(path).get_data(as_text=True)
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown))

    def post(self, path: str, form: dict[str, Any]) -> TestResponse:
        return self.client.post(path.removeprefix(self.base), data=form, headers=self.headers)

    def sign_in(self, username: str, password: str = town.PASSWORD) -> Person:
        answer = self.send("/desk/sign-in", {"username": username, "password": password})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return self


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a town that was built once; each test works on a copy."""
    folder = tmp_path_factory.mktemp("town")
    runtime = make_runtime(f"sqlite:///{folder / 'town.db'}", folder)
    town.build(runtime, folder)
    runtime.database.close()
    return folder


@pytest.fixture
def rt(built: Path, tmp_path: Path) -> Iterator[Runtime]:
    """A town on SQLite, fresh for each test; the store's own tests run on both databases."""
    shutil.copy(built / "town.db", tmp_path / "town.db")
    runtime = make_runtime(f"sqlite:///{tmp_path / 'town.db'}", tmp_path)
    yield runtime
    runtime.database.close()


@pytest.fixture
def app(rt: Runtime) -> Iterator[Flask]:
    application = create_app(rt)
    # Looks at each request whether something changed, and builds at once: tests read what they have just done.
    application.extensions[SHELF].look_always()
    application.config["TEST_BASE"] = rt.settings.base_url
    yield application
    limiter.reset()


@pytest.fixture
def stranger(app: Flask) -> Person:
    return Person(app)


@pytest.fixture
def planner(app: Flask) -> Person:
    return Person(app).sign_in(town.PLANNER)


@pytest.fixture
def approver(app: Flask) -> Person:
    return Person(app).sign_in(town.APPROVER)


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The same application over real HTTP; the address it is served at."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def turn(rt: Runtime, instant: datetime) -> None:
    """Set the standing clock."""
    assert isinstance(rt.clock, StandingClock)
    rt.clock.instant = instant
