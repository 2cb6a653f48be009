"""PostgreSQL is killed, and comes back or does not: what the public sees stays up, in old processes and in new ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from outage_notify.services.public_shelf import Shelf
from outage_notify.services.publish_documents import publish
from outage_notify.services.runtime import Runtime
from outage_notify.web import create_app
from outage_notify.web.public_cache import SHELF
from tests.conftest import _without
from tests.factories.people import add_customer, add_outage
from tests.factories.runtimes import make_runtime
from tests.house.files import ROOT
from tests.servers.postgres import PostgresServer
from tests.servers.process import Unavailable
from tests.servers.programs import Missing

PAGES = ("/", "/outages", "/outages/PO-2026-0001", "/embed", "/open-data")
NOTE = "be fetched at the moment"
STARTED = """
import json, sys
from outage_notify.app import create_web
browser = create_web().test_client()
found = {path: browser.get(path, headers={"Accept-Language": "en"}) for path in json.loads(sys.argv[1])}
print(json.dumps({path: [answer.status_code, answer.get_data(as_text=True)] for path, answer in found.items()}))
"""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One of this test's own, to be killed."""
    try:
        found = PostgresServer(durable=True)
    except (Missing, Unavailable) as error:
        _without(str(error))
    yield found
    found.stop()


@pytest.fixture
def rt(server: PostgresServer, tmp_path: Path) -> Iterator[Runtime]:
    runtime = make_runtime(server.create_database(), tmp_path)
    with runtime.database.write() as session:
        outage = add_outage(session, [add_customer(session)])
        outage.reference, outage.standing.approved_at = "PO-2026-0001", runtime.now(session)
    publish(runtime)
    yield runtime
    runtime.database.close()


def shown(app: Flask, path: str) -> str:
    answer = app.test_client().get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def looking(app: Flask) -> Flask:
    found = app.extensions[SHELF]
    assert isinstance(found, Shelf)
    found.look_always()
    return app


def test_the_last_version_outlives_the_database(rt: Runtime, server: PostgresServer, tmp_path: Path) -> None:
    app = looking(create_app(rt))
    assert NOTE not in shown(app, "/")
    server.crash()
    # The connections of before are broken; new ones are made without anybody's help.
    assert NOTE not in shown(app, "/?when=7d")
    server.stop()
    for path in PAGES:
        assert NOTE in shown(app, path), path
    data = app.test_client().get("/open-data/v1/outages.json").data
    assert b"PO-2026-0001" in data

    # As a server that was restarted in the middle of it.
    settings = {
        "OUTAGE_NOTIFY_SIMULATOR": "1",
        "OUTAGE_NOTIFY_STATE_DIR": str(tmp_path),
        "OUTAGE_NOTIFY_DATABASE_URL": rt.settings.database_url,
        "OUTAGE_NOTIFY_TIMEZONE": rt.settings.timezone,
    }
    command = [sys.executable, "-c", STARTED, json.dumps([*PAGES, "/open-data/v1/outages.json", "/healthz"])]
    done = subprocess.run(
        command, env=os.environ | settings, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    found = json.loads(done.stdout)
    for path in PAGES:
        assert found[path][0] == 200 and NOTE in found[path][1], path
    assert found["/open-data/v1/outages.json"] == [200, data.decode()]
    assert found["/healthz"][0] == 503
    assert "can't be reached at start" in done.stderr
